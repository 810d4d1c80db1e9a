"""Editing the config file changes what was asked, keeps everything else, and refuses what would not load."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrt.config import DEFAULT_TIERS, Config, load
from mrt.config.edit import Change, create, initial_text, plan, shadowed, write
from mrt.config.settings import SETTINGS
from mrt.errors import ConfigError, MrtError, UsageError

NOWHERE = {"HOME": "/nonexistent"}
COMMENTED = """\
# head
[tiers.a] # tier a
model = "ollama/x"   # the model

# about budget
[budget]
daily_usd = 5.0 # five


# trailing
[tiers."b.c"]
model = "ollama/y"
# end
"""

Edit = Callable[..., str]


def set_value(path: Path, dotted_key: str, text: str) -> Change:
    """Set one value in the file, as the command does with several."""
    change = plan(path, [(dotted_key, text)])
    write(change.path, change.text)
    return change


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


@pytest.fixture
def edit(path: Path) -> Edit:
    """The text after setting values in a file with this text."""

    def edit(text: str, *pairs: tuple[str, str]) -> str:
        path.write_bytes(text.encode())
        for dotted, value in pairs:
            set_value(path, dotted, value)
        return path.read_bytes().decode()

    return edit


@pytest.mark.parametrize(
    ("pairs", "old", "new"),
    [
        ([("budget.daily_usd", "none")], "daily_usd = 5.0 # five", 'daily_usd = "none" # five'),
        ([("budget.daily_usd", "7.50")], "daily_usd = 5.0 # five", "daily_usd = 7.50 # five"),
        ([("budget.soft_pct", "70")], "# five\n", "# five\nsoft_pct = 70\n"),
        ([("tiers.a.max_complexity", "4")], "# the model\n", "# the model\nmax_complexity = 4\n"),
        ([("tiers.a.model", "ollama/z")], '"ollama/x"   # the', '"ollama/z"   # the'),
        (
            [("tiers.b.c.options", '{top_p = 0.5, "a b" = [1, true]}')],
            '"ollama/y"\n',
            '"ollama/y"\noptions = {top_p = 0.5, "a b" = [1, true]}\n',
        ),
        ([("tiers.a.system", 'say "hi"\n')], "# the model\n", '# the model\nsystem = "say \\"hi\\"\\n"\n'),
        ([("tiers.a.checks", "code,json")], "# the model\n", '# the model\nchecks = ["code", "json"]\n'),
        ([("ask.timeout", "30")], "# end\n", "# end\n\n[ask]\ntimeout = 30\n"),
        ([("aliases.fast", "ollama/z")], "# end\n", '# end\n\n[aliases]\nfast = "ollama/z"\n'),
        ([("tiers.new.model", "ollama/z")], "# end\n", '# end\n\n[tiers.new]\nmodel = "ollama/z"\n'),
        (
            [("ask.retries", "1"), ("ask.stream", "never")],
            "# end\n",
            '# end\n\n[ask]\nretries = 1\nstream = "never"\n',
        ),
    ],
)
def test_only_what_was_asked_changes(edit: Edit, pairs: list[tuple[str, str]], old: str, new: str) -> None:
    assert COMMENTED.count(old) == 1
    assert edit(COMMENTED, *pairs) == COMMENTED.replace(old, new)


@pytest.mark.parametrize(
    ("text", "pair", "expected"),
    [
        ("", ("ask.retries", "1"), "[ask]\nretries = 1\n"),
        ("# only a comment", ("ask.retries", "1"), "# only a comment\n\n[ask]\nretries = 1\n"),
        ("[ask]", ("ask.retries", "1"), "[ask]\nretries = 1\n"),
        ("ask.retries = 3 # three", ("ask.retries", "1"), "ask.retries = 1 # three\n"),
        ("ask.retries = 3\n", ("ask.stream", "never"), 'ask.retries = 3\nask.stream = "never"\n'),
        ("[ask]\r\nretries = 3\r\n\r\n# x\r\n", ("ask.retries", "1"), "[ask]\r\nretries = 1\r\n\r\n# x\r\n"),
        ("# x\r\n", ("ask.retries", "1"), "# x\r\n\r\n[ask]\r\nretries = 1\r\n"),
        ("[ask]\nretries = 'x'\n", ("ask.retries", "1"), "[ask]\nretries = 1\n"),
        (
            'tiers = {a = {model = "ollama/x"}}\n',
            ("tiers.a.model", "ollama/y"),
            'tiers = {a = {model = "ollama/y"}}\n',
        ),
        (
            '[tiers]\na.model = "ollama/x"\n',
            ("tiers.b.model", "ollama/y"),
            '[tiers]\na.model = "ollama/x"\n\n[tiers.b]\nmodel = "ollama/y"\n',
        ),
        (
            '[prices."k/gpt-4.1"]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n',
            ('prices."k/gpt-4.1".output_usd_per_mtok', "3.10"),
            '[prices."k/gpt-4.1"]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 3.10\n',
        ),
    ],
    ids=[
        "empty",
        "no line end",
        "bare section",
        "dotted key",
        "beside a dotted key",
        "CRLF",
        "CRLF, new section",
        "mends a mistake",
        "inline table",
        "beside dotted tiers",
        "name with dots",
    ],
)
def test_every_way_to_write_a_file_is_edited_in_kind(
    edit: Edit, text: str, pair: tuple[str, str], expected: str
) -> None:
    assert edit(text, pair) == expected


def test_a_new_tier_comes_last_wherever_the_others_stand(edit: Edit, path: Path) -> None:
    edit(COMMENTED, ("tiers.new.model", "ollama/z"))
    assert [tier.name for tier in load(NOWHERE, path).tiers] == ["a", "b.c", "new"]


def test_several_values_are_set_in_one_step(path: Path) -> None:
    change = plan(path, [("endpoints.koala.kind", "litellm"), ("endpoints.koala.url", "http://koala:4000")])
    assert not path.exists()
    write(change.path, change.text)
    assert path.read_text() == '[endpoints.koala]\nkind = "litellm"\nurl = "http://koala:4000"\n'
    assert change.added == ("endpoints.koala",)
    assert change.values == {"endpoints.koala.kind": "litellm", "endpoints.koala.url": "http://koala:4000"}


def test_the_default_tiers_stay_when_one_of_them_is_set(path: Path) -> None:
    change = set_value(path, "tiers.cloud.model", "openai/gpt-4o")
    assert change.added == ("tiers.local-fast", "tiers.local-heavy", "tiers.cloud")
    *local, cloud = load(NOWHERE, path).tiers
    assert tuple(local) == DEFAULT_TIERS[:2]
    assert cloud.model == "openai/gpt-4o"


def test_a_change_says_which_variables_hide_it(path: Path) -> None:
    change = plan(path, [("budget.daily_usd", "1"), ("ask.retries", "1")])
    environment = {"TIER_CLOUD_DAILY_BUDGET_USD": "2", "MRT_BUDGET_DAILY_USD": "", "MRT_ASK_TIMEOUT": "3"}
    assert shadowed(change, environment) == ("TIER_CLOUD_DAILY_BUDGET_USD",)


REFUSALS = {
    "wrong value": (
        "budget.daily_usd",
        "much",
        'budget.daily_usd must be an amount in dollars or "none", not "much"',
        "`mrt help config` says what each setting takes",
    ),
    "out of range": (
        "budget.soft_pct",
        "0",
        "budget.soft_pct must be a whole number from 1 to 100, not 0",
        "`mrt help config` says what each setting takes",
    ),
    "unknown key": ("budget.daily", "1", "unknown setting budget.daily", "did you mean budget.daily_usd?"),
    "half an endpoint": (
        "endpoints.k.kind",
        "vllm",
        "endpoints.k.url is missing",
        'add url = "http://localhost:4000" to [endpoints.k]',
    ),
    "tier without model": (
        "tiers.z.tools",
        "true",
        "tiers.z.model is missing",
        'add model = "ollama/llama3.1:8b" to [tiers.z]',
    ),
    "unusable name": (
        "tiers.x y.model",
        "ollama/x",
        'tiers."x y" has a name that cannot be used',
        "names are made of letters, digits, dots, dashes and underscores",
    ),
    "key": (
        "tiers.a.system",
        "sk-1234567",
        "tiers.a.system looks like a key itself; keys do not stand in the config file",
        "name its place instead: key_env, key_cmd or key_file of an endpoint",
    ),
    "setting for a key": (
        "endpoints.k.api_key",
        "hunter2",
        "unknown setting endpoints.k.api_key",
        "keys do not stand in the config file: use key_env, key_cmd or key_file of an endpoint",
    ),
}


@pytest.mark.parametrize(("dotted", "value", "message", "hint"), REFUSALS.values(), ids=REFUSALS)
def test_what_would_not_load_is_refused_and_the_file_untouched(
    path: Path, dotted: str, value: str, message: str, hint: str | None
) -> None:
    path.write_text(COMMENTED)
    before = path.stat()
    with pytest.raises(UsageError) as caught:
        set_value(path, dotted, value)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert path.read_text() == COMMENTED
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("text", "dotted", "message"),
    [
        ("[ask\n", "ask.retries", ":1:5: not valid TOML"),
        ("ask = 3\n", "ask.retries", ":1: ask is not a section"),
        ("[[ask]]\n", "ask.retries", ":1: ask is not a section"),
        ("ask = {retries = 3}\n", "ask.nonsense", "unknown setting ask.nonsense"),
        ("tiers = {a = {tools = true}}\n", "tiers.b.model", " is laid out in a way that cannot be edited safely"),
    ],
)
def test_a_file_that_cannot_be_edited_is_left_alone(path: Path, text: str, dotted: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(MrtError) as caught:
        set_value(path, dotted, "1" if dotted.startswith("ask") else "ollama/x")
    assert message in caught.value.message
    assert path.read_text() == text


def test_problems_that_the_file_has_already_do_not_stand_in_the_way(edit: Edit) -> None:
    text = "[budget]\ndayly_usd = 3\n[ask]\nretries = 'x'\n"
    assert edit(text, ("ask.timeout", "5")) == f"{text}timeout = 5\n"


@given(
    st.sampled_from([setting for setting in SETTINGS if setting.section not in ("endpoints", "prices")]),
    st.text(max_size=12)
    | st.decimals(0, 100, places=2).map(str)
    | st.sampled_from(["none", "auto", "true", "ollama/m"]),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_is_written_so_that_it_loads_or_is_refused(path: Path, setting: object, text: str) -> None:
    path.write_text(COMMENTED)
    dotted = ".".join(setting.of("a"))  # type: ignore[attr-defined]
    try:
        change = set_value(path, dotted, text)
    except UsageError:
        assert path.read_text() == COMMENTED
    else:
        config = load(NOWHERE, path)
        assert config.origins[dotted].kind == "file"
        assert change.values.keys() == {dotted}
        kept = [line for line in COMMENTED.splitlines() if line.startswith("#")]
        assert [line for line in path.read_text().splitlines() if line.startswith("#")] == kept


# The file itself --------------------------------------------------------------------------------------------------


def test_a_new_file_is_for_its_owner_only_and_so_are_its_directories(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.toml"
    set_value(path, "ask.retries", "1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("mode", [0o640, 0o644, 0o400])
def test_the_mode_of_a_file_stays(edit: Edit, path: Path, mode: int) -> None:
    path.touch()
    path.chmod(mode)
    set_value(path, "ask.retries", "1")
    assert path.stat().st_mode & 0o777 == mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link, target = tmp_path / "config.toml", tmp_path / "dotfiles" / "mrt.toml"
    link.symlink_to(target)
    set_value(link, "ask.retries", "1")
    assert link.is_symlink()
    assert target.read_text() == "[ask]\nretries = 1\n"


def test_the_file_is_replaced_in_one_step_never_written_into(edit: Edit, path: Path) -> None:
    path.write_text("[ask]\nretries = 3\n")
    with path.open() as reader:
        set_value(path, "ask.retries", "1")
        assert reader.read() == "[ask]\nretries = 3\n"


def test_a_file_that_cannot_be_written_is_a_config_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"cannot write .*: (Not a directory|File exists)"):
        write(tmp_path / "file" / "config.toml", "")
    directory = tmp_path / "config.toml"
    directory.mkdir()
    with pytest.raises(ConfigError, match=r"cannot write .*: it is no regular file"):
        write(directory, "")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["config.toml", "file"]


def test_a_circle_of_links_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ConfigError, match="cannot write"):
        write(tmp_path / "a", "")


# The starter file -------------------------------------------------------------------------------------------------


def test_the_starter_file_says_what_the_defaults_say(path: Path) -> None:
    create(path)
    config = load(NOWHERE, path)
    assert config == Config(path=path, origins=config.origins)
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_line_of_the_starter_file_can_be_used(path: Path) -> None:
    text = re.sub(r"^#(?=\S)", "", initial_text(), flags=re.MULTILINE)
    path.write_text(text)
    config = load(NOWHERE, path)
    assert config.budget.timezone == "Europe/Berlin"
    written = {name for name, origin in config.origins.items() if origin.kind == "file"}
    samples = {"tiers": "local-fast", "endpoints": "koala", "prices": "koala/gpt-4o", "aliases": "coder"}
    for setting in SETTINGS:
        *_, last = key = setting.of(samples.get(setting.section, "summary"))
        assert any(name.split(".")[0] == key[0] and name.endswith(last) for name in written), setting.pattern


def test_the_starter_file_explains_every_setting() -> None:
    text = initial_text()
    assert all(setting.declaration.help in text for setting in SETTINGS)
    assert tomllib.loads(text, parse_float=Decimal)["tiers"]["local-fast"] == {
        "model": "ollama/llama3.1:8b",
        "max_complexity": Decimal(4),
    }


def test_a_file_that_exists_is_replaced_only_by_force(path: Path) -> None:
    path.write_text("# mine\n")
    with pytest.raises(ConfigError) as caught:
        create(path)
    assert (caught.value.message, caught.value.hint) == (
        f"{path} exists already",
        "`mrt config init --force` replaces it",
    )
    assert path.read_text() == "# mine\n"
    create(path, force=True)
    assert path.read_text() == initial_text()
