"""Completion is harmless, quiet and quick: half lines, broken files, what it loads, and its scripts as they are shipped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from completion_kit import NASTY, ROOT, asked, furnish, offered, remember
from rig.command import Home
from rig.home_setup import run_here

from mrt.bench import suites
from mrt.commands._complete_names import SUITES
from mrt.commands._complete_scripts import FILES
from mrt.commands._complete_table import TABLE
from mrt.commands._complete_world import BUILT_IN_TIERS, KEPT_FOR_S, LARGEST_CACHE, seen_models
from mrt.commands._tree import context_of, walk
from mrt.commands.completion import SHELLS
from mrt.config import DEFAULT_TIERS
from mrt.endpoints import cache
from mrt.endpoints.cache import load_cache, save_cache
from mrt.endpoints.report import EndpointReport, ModelReport
from mrt.machine.table import gpu_table
from mrt.memory.gpus import find_gpu

NOW = 1_700_000_000.0


@pytest.fixture
def furnished(store_home: Home) -> Home:
    furnish(store_home)
    return store_home


# --- what it never does


def test_no_name_is_offered_that_a_shell_would_read(furnished: Home) -> None:
    found = [*offered(furnished, "mrt ask -m "), *offered(furnished, "mrt ask -m box/")]
    assert not [one for one in found for nasty in (*NASTY, "has a space") if nasty in one]


@pytest.mark.parametrize(
    "line",
    [
        'mrt ask "open quote -m ',
        "mrt ask 'open quote",
        "mrt ask back\\",
        "mrt ask --tier 'loc",
        "mrt fit --ngl nonsense ",
        "mrt fit --parallel x --gp",
        "mrt ask --timeout -1 ",
        "mrt ask --config /nonexistent.toml -m ",
        "mrt ask --config / -m ",
        "mrt",
        "",
        "   ",
        "mrt ask --help ",
        "mrt --version ",
        "mrt ask \x1b[31m",
        "mrt ask " + "x " * 2000,
        "mrt spend import -",
    ],
    ids=lambda line: repr(line[:30]),
)
def test_half_a_line_of_any_sort_is_quiet(furnished: Home, line: str) -> None:
    offered(furnished, line)


@pytest.mark.parametrize(
    ("text", "tiers"),
    [
        ("[tiers.mine]\nmodel = 'ollama/x'\nmax_complexity = 'lots'\n", ["mine"]),
        ("[tiers.mine]\nmodel = \n[tiers.other]\n", ["mine", "other"]),
        ("[tiers.mine", ["local-fast", "local-heavy", "cloud"]),
        ("tiers = 5\n", ["local-fast", "local-heavy", "cloud"]),
        ("\x00\xff", ["local-fast", "local-heavy", "cloud"]),
        ("a=" + "[" * 5000, ["local-fast", "local-heavy", "cloud"]),
    ],
    ids=["wrong-value", "no-toml", "cut-header", "no-table", "binary", "deep"],
)
def test_of_a_broken_configuration_names_are_left(store_home: Home, text: str, tiers: list[str]) -> None:
    (store_home.config / "mrt").mkdir()
    (store_home.config / "mrt" / "config.toml").write_text(text, encoding="latin-1")
    assert offered(store_home, "mrt ask --tier ") == tiers


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"reports": [1, {"name": 2}, {"name": "x", "models": []}]}', "[" * 9999]
)
def test_a_cache_that_cannot_be_read_is_none(store_home: Home, content: str) -> None:
    remember(store_home, {})
    (store_home.path / "cache" / "mrt" / "probe.json").write_text(content)
    assert offered(store_home, "mrt ask -m ") == ["local-fast", "local-heavy", "cloud"]


def test_a_store_that_is_none_offers_no_conversation(store_home: Home) -> None:
    (store_home.data / "mrt").mkdir()
    (store_home.data / "mrt" / "spend.db").write_bytes(b"no database")
    assert offered(store_home, "mrt ask --session ") == []
    assert offered(store_home, "mrt ask --tag ") == []


def test_nothing_is_written_and_no_key_is_fetched(furnished: Home) -> None:
    before = {path: path.stat().st_mtime_ns for path in furnished.path.rglob("*")}
    for line in ("mrt ask -m ", "mrt ask --session ", "mrt fit ", "mrt config get ", "mrt probe --endpoint "):
        assert "the secret" not in " ".join(offered(furnished, line))
    assert {path: path.stat().st_mtime_ns for path in furnished.path.rglob("*")} == before


# --- what it loads

PROGRAM = """
import sys
from mrt.cli import main
try:
    main()
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""
FRAME = {
    *(
        "mrt",
        "mrt.cli",
        "mrt.commands",
        "mrt.commands._lazy_commands",
        "mrt.commands._shared",
        "mrt.errors",
        "mrt.output",
    ),
    *("mrt.output.console", "mrt.output.terminal"),
    *(f"mrt.commands._complete_{part}" for part in ("line", "offers", "shells")),
}
NAMES = {"mrt.commands._complete_names", "mrt.commands._complete_table", "mrt.commands._complete_world"}


def loaded(home: Home, line: str) -> set[str]:
    """Every module that completion of this line loads."""
    environment = {name: value for name, value in home.environment.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment | asked(line), cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize(
    ("line", "more"),
    [
        ("mrt a", set()),
        ("mrt ask --m", {"mrt.commands._options", "mrt.commands.ask"}),
        ("mrt help p", {"mrt.commands.help", "mrt.commands._topics", "mrt.commands._tree", *NAMES}),
        ("mrt fit --gpu 4", {"mrt.commands.fit", *NAMES}),
        ("mrt bench tasks l", {"mrt.commands._options", "mrt.commands.bench", "mrt.commands._bench_tasks", *NAMES}),
    ],
    ids=["verb", "flag", "topic", "gpu", "task"],
)
def test_little_is_loaded(furnished: Home, line: str, more: set[str]) -> None:
    assert {name for name in loaded(furnished, line) if name.partition(".")[0] == "mrt"} == FRAME | more


@pytest.mark.parametrize(
    "line",
    [
        "mrt ask -m ",
        "mrt fit q",
        "mrt ask --session ",
        "mrt config get b",
        "mrt probe --endpoint ",
        "mrt bench report ",
    ],
)
def test_nothing_is_loaded_that_could_ask_or_run(furnished: Home, line: str) -> None:
    found = loaded(furnished, line)
    assert not found & {
        "socket",
        "ssl",
        "subprocess",
        "httpx",
        "asyncio",
        "logging",
        "importlib.metadata",
        "urllib.request",
    }
    assert "mrt.ledger.store" not in found


# --- the declarations


def test_what_is_said_twice_to_be_quick_is_the_same() -> None:
    assert SUITES == suites.NAMES
    assert tuple(tier.name for tier in DEFAULT_TIERS) == BUILT_IN_TIERS
    assert (KEPT_FOR_S, LARGEST_CACHE) == (cache.KEPT_FOR_S, cache.LARGEST_FILE)


def test_the_names_seen_are_those_of_the_cache_that_a_probe_writes(store_home: Home) -> None:
    models = tuple(ModelReport(f"m{number}") for number in range(3))
    old = EndpointReport(
        "old", "ollama", "http://127.0.0.1:1", "ready", models=models[:1], checked_at=NOW - KEPT_FOR_S - 1
    )
    new = EndpointReport("box", "ollama", "http://127.0.0.1:2", "down", models=models, checked_at=NOW - 60)
    save_cache(store_home.environment, [old, new], NOW - 30)
    cached = {
        report.name: [model.id for model in report.models] for report, _ in load_cache(store_home.environment, NOW)
    }
    assert seen_models(store_home.environment, NOW) == cached == {"box": ["m0", "m1", "m2"]}


def test_every_gpu_is_found_by_the_name_that_is_offered(furnished: Home) -> None:
    known = {gpu.name for gpu in gpu_table()}
    for start in ("", *"123456789"):
        for name in offered(furnished, f"mrt fit --gpu {start}"):
            found = find_gpu(gpu_table(), name, None).gpu.name
            assert found in known
            assert set(name.replace("-", " ").split()) <= set(
                found.lower().translate(str.maketrans("", "", "()")).replace("-", " ").split()
            )


def test_every_entry_of_the_table_is_of_an_option_that_there_is() -> None:
    from mrt.cli import group

    there: set[str] = set()
    for context in walk(context_of(group, [])):
        path = context.command_path.removeprefix("mrt").strip()
        names = {item.name or "" for item in context.command.params}
        there |= names | {f"{path}.{name}" for name in names}
    assert TABLE.keys() <= there


# --- the scripts


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_in_the_repository_are_those_that_mrt_prints(store_home: Home, shell: str) -> None:
    printed = run_here(store_home, "completion", shell).stdout
    assert (ROOT / "completions" / FILES[shell]).read_text(encoding="utf-8") == printed
    assert json.loads(run_here(store_home, "completion", shell, "--json").stdout)["data"] == {
        "shell": shell,
        "script": printed,
    }


def test_there_are_no_other_scripts() -> None:
    assert {path.name for path in (ROOT / "completions").iterdir()} == set(FILES.values())
    assert tuple(FILES) == SHELLS


def test_the_script_for_powershell_is_balanced() -> None:
    script = Path(ROOT / "completions" / FILES["powershell"]).read_text(encoding="utf-8")
    code = "\n".join(line for line in script.splitlines() if not line.startswith("#"))
    assert all(code.count(left) == code.count(right) for left, right in ("()", "[]", "{}"))
    assert code.isascii()
