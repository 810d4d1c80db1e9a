"""What completion offers for every kind of option and argument, and what it never does: ask, tell, fail, or be slow."""

from __future__ import annotations

import pytest
from completion_kit import asked, furnish, offered
from rig.command import Command, Home

from mrt.cli import VERBS
from mrt.commands._complete_names import SUITES
from mrt.commands._complete_scripts import SCRIPTS
from mrt.commands._topics import TOPICS
from mrt.commands.completion import SHELLS


@pytest.fixture
def furnished(store_home: Home) -> Home:
    furnish(store_home)
    return store_home


# --- what is offered


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("mrt ", list(VERBS)),
        ("mrt spend ", ["import", "why"]),
        ("mrt bench ", ["diff", "local-fast", "box/qwen2.5-coder:7b"]),
        ("mrt help ", [*TOPICS, *VERBS]),
        ("mrt help spend ", ["import", "why"]),
        ("mrt help --man ", list(VERBS)),
        ("mrt completion ", list(SHELLS)),
        ("mrt ask --tier ", ["local-fast", "big.2", "cloud"]),
        ("mrt ask --session ü", ["übung"]),
        ("mrt route --max-tier ", ["local-fast", "cloud"]),
        ("mrt probe --tier ", ["local-fast", "cloud"]),
        ("mrt ask -m ", ["local-fast", "cloud", "quick", "box/qwen2.5-coder:7b", "shop/gpt-4o@2024"]),
        ("mrt ask -mqui", ["-mquick"]),
        ("mrt ask -xm qui", ["quick"]),
        ("mrt probe --deep ", ["local-fast"]),
        ("mrt ask --session ", ["refactor-plan"]),
        ("mrt ask -t ", ["review"]),
        ("mrt ask -q --effort ", ["low", "medium", "high"]),
        ("mrt probe --endpoint ", ["box", "shop"]),
        ("mrt probe models --endpoint ", ["box", "shop"]),
        ("mrt fit qwen3:", ["0.6b", "8b"]),
        ("mrt fit ", ["quick", "llama3.1:8b", "box/"]),
        ("mrt fit box/q", ["box/qwen2.5-coder:7b", "box/qwen2.5-coder:14b"]),
        ("mrt fit meta-llama/Llama-3.1-8B", ["meta-llama/Llama-3.1-8B-Instruct"]),
        ("mrt fit --compare qwen3:8b gemma3:1", ["12b"]),
        ("mrt fit --gpu rtx-40", ["rtx-4090", "rtx-4060-ti-16-gb"]),
        ("mrt fit --gpu 3090,40", ["3090,4090"]),
        ("mrt fit --gpu M4", ["M4-max-32-core-gpu"]),
        ("mrt fit --quant q4_k", ["q4_k_M", "q4_k_S"]),
        ("mrt fit --kv q8_0,f", ["q8_0,f16", "q8_0,f32"]),
        ("mrt fit --kv-v ", ["f16", "q4_0"]),
        ("mrt spend prices ", ["cloud", "box/qwen2.5-coder:7b", "anthropic/"]),
        ("mrt spend prices anthropic/claude-haiku-4", ["anthropic/claude-haiku-4-5"]),
        ("mrt fit --ngl a", ["all", "auto"]),
        ("mrt fit --engine ", ["llama.cpp", "ollama", "vllm"]),
        ("mrt fit --family ge", ["gemma3"]),
        ("mrt bench --suite ", list(SUITES)),
        ("mrt bench tasks lru", ["lru-cache"]),
        ("mrt bench proof --task lru", ["lru-cache"]),
        ("mrt bench report ", ["last", "20261121-153000-cd34", "20261120-090000-ab12"]),
        ("mrt bench diff last ", ["20261120-090000-ab12"]),
        ("mrt bench --resume ", ["last"]),
        ("mrt config get budget.d", ["budget.daily_usd"]),
        ("mrt config get limits.", ["limits.nightly.tag"]),
        ("mrt config set tiers.local-fast.mo", ["tiers.local-fast.model"]),
        ("mrt config set tiers.b", ["tiers.big.2.model"]),
        ("mrt config set tiers.big.2.model qui", ["quick"]),
        ("mrt config set budget.on_store_failure ", ["refuse", "allow"]),
        ("mrt config set tiers.cloud.tools ", ["true", "false"]),
        ("mrt config set tiers.cloud.model qui", ["quick"]),
        ("mrt config set budget.daily_usd 2 tiers.cloud.mo", ["tiers.cloud.model"]),
        ("mrt route feedback ", ["good", "bad"]),
        ("mrt spend --by ", ["day", "project"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_of_every_kind(furnished: Home, line: str, some: list[str]) -> None:
    found = offered(furnished, line, COMP_WORDBREAKS=":")
    assert set(some) <= set(found)
    last = line.rpartition(" ")[2].rpartition(":")[2]
    assert all(one.startswith(last) for one in found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "line",
    [
        "mrt spned ",
        "mrt spned --",
        "mrt ask --json=",
        "mrt ask --no-such-option ",
        "mrt ask -- -m ",
        "mrt ask -- --ti",
        "mrt ask -m zzz",
        "mrt ask -m nowhere/",
        "mrt config get nothing.",
        "mrt config get budget.daily_usd ",
        "mrt config set nothing.at.all ",
        "mrt help --man exit",
        "mrt help --man spend ",
    ],
)
def test_nothing_where_nothing_can_follow(furnished: Home, line: str) -> None:
    assert offered(furnished, line) == []


@pytest.mark.parametrize(
    ("line", "flag"),
    [("mrt ask --eff", "--effort"), ("mrt fit --compare --expl", "--explain"), ("mrt bench diff --js", "--json")],
)
def test_flags(furnished: Home, line: str, flag: str) -> None:
    assert offered(furnished, line) == [flag]


def test_the_tags_of_a_family(furnished: Home) -> None:
    assert offered(furnished, "mrt fit qwen2.5-coder:1") == [
        "qwen2.5-coder:1.5b",
        "qwen2.5-coder:14b",
        "qwen2.5-coder:1",  # the beginning of a file's name
    ]


def test_all_keys_of_a_section(furnished: Home) -> None:
    keys = ["daily_usd", "monthly_usd", "timezone", "soft_pct", "on_store_failure", "per_session_usd", "per_call_usd"]
    assert offered(furnished, "mrt config get budget.") == [f"budget.{key}" for key in keys]


def test_what_was_named_is_not_offered_again(furnished: Home) -> None:
    assert "7b" not in offered(furnished, "mrt fit --compare qwen2.5-coder:7b qwen2.5-coder:", COMP_WORDBREAKS=":")


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("mrt ask -f ", "file"),
        ("mrt ask --schema sch", "file"),
        ("mrt fit --compare x ", "file"),
        ("mrt route --batch ", "file"),
        ("mrt bench grade ", "file"),
        ("mrt bench --tasks ", "dir"),
        ("mrt ask hi > ", "file"),
        ("mrt ask hi >o", "file"),
        ("mrt ask hi &>> o", "file"),
        ("mrt spned <in", "file"),
        ("mrt ask -m quick 2>o", "file"),
    ],
)
def test_files_where_files_are(furnished: Home, line: str, kind: str) -> None:
    lines = Command(furnished)(env=asked(line)).stdout.splitlines()
    assert {one.partition(",")[0] for one in lines} & {"file", "dir"} == {kind}


def test_bash_takes_no_word_behind_a_colon_for_a_file(furnished: Home) -> None:
    assert offered(furnished, "mrt fit hf:", COMP_WORDBREAKS=":") == []


@pytest.mark.parametrize(
    "before",
    ["<in.txt", "2>&1", "> out.txt", "2>/dev/null", ">>out.txt", "&>out.txt", ">|out.txt", "<<<word", "2> 'o p' <i"],
)
def test_what_is_redirected_is_no_word_of_the_command(furnished: Home, before: str) -> None:
    assert offered(furnished, f"mrt spend {before} --by d") == ["day"]
    assert offered(furnished, f"mrt spend {before} wh") == ["why"]


@pytest.mark.parametrize("word", ["'>'", '">"', "\\>", "a=2"])
def test_a_sign_that_is_quoted_redirects_nothing(furnished: Home, word: str) -> None:
    assert offered(furnished, f"mrt ask {word} -m qui") == ["quick"]


@pytest.mark.parametrize("option", ["--config", "--config=other.toml"])
def test_the_config_file_that_the_line_names_counts(furnished: Home, option: str) -> None:
    (furnished.path / "other.toml").write_text('[tiers.elsewhere]\nmodel = "ollama/x"\n')
    given = option if "=" in option else f"{option} other.toml"
    assert offered(furnished, f"mrt ask {given} --tier ") == ["elsewhere"]


def test_a_project_may_bring_templates_and_limits_of_its_own(furnished: Home) -> None:
    text = "[templates.ours]\nprompt='x'\n[limits.build]\ndaily_usd = 1\n[tiers.theirs]\nmodel = 'box/x'\n"
    (furnished.path / ".mrt.toml").write_text(text)
    elsewhere = {"HOME": str(furnished.config)}  # the home folder itself is no project's
    assert offered(furnished, "mrt ask -t ", **elsewhere) == ["review", "ours"]
    assert offered(furnished, "mrt config get limits.build.d", **elsewhere) == ["limits.build.daily_usd"]
    tiers = [
        *offered(furnished, "mrt ask --tier ", **elsewhere),
        *offered(furnished, "mrt config get tiers.", **elsewhere),
    ]
    assert not [tier for tier in tiers if "theirs" in tier]
    assert offered(furnished, "mrt ask -t ", MRT_PROJECT_CONFIG="off", **elsewhere) == ["review"]
    (furnished.path / ".mrt.toml").write_text("[templates.broken\n")
    assert offered(furnished, "mrt ask -t ", **elsewhere) == ["review"]


def test_the_built_in_tiers_without_a_configuration(store_home: Home) -> None:
    assert offered(store_home, "mrt ask --tier ") == ["local-fast", "local-heavy", "cloud"]


# --- how each shell is answered


@pytest.mark.parametrize(
    ("shell", "env", "lines"),
    [
        pytest.param("bash", {"COMP_LINE": "mrt sp"}, ["plain,spend"], id="bash"),
        pytest.param("bash", {"COMP_WORDS": "mrt sp", "COMP_CWORD": "1"}, ["plain,spend"], id="bash by words"),
        pytest.param(
            "bash",
            {"COMP_LINE": "mrt ask --tier=c", "COMP_WORDBREAKS": "=:"},
            ["plain,cloud"],
            id="bash at an equals sign",
        ),
        pytest.param("bash", {"COMP_LINE": "mrt ask --tier=c"}, ["plain,--tier=cloud"], id="bash without word breaks"),
        pytest.param(
            "zsh",
            {"COMP_WORDS": "mrt", "COMP_CUR": "sp"},
            ["plain,spend:Show what was spent and what is left."],
            id="zsh",
        ),
        pytest.param(
            "zsh",
            {"COMP_WORDS": "mrt fit", "COMP_CUR": "qwen2.5-coder:14"},
            [r"plain,qwen2.5-coder\:14b", "file,qwen2.5-coder\\:14"],
            id="zsh with a colon",
        ),
        pytest.param(
            "fish", {"COMP_LINE": "mrt sp"}, ["plain,spend\tShow what was spent and what is left."], id="fish"
        ),
        pytest.param("fish", {"COMP_LINE": "mrt ask --tier=c"}, ["plain,--tier=cloud"], id="fish at an equals sign"),
        pytest.param(
            "powershell",
            {"COMP_LINE": "mrt sp"},
            ["plain\tspend\tShow what was spent and what is left."],
            id="powershell",
        ),
        pytest.param(
            "powershell", {"COMP_LINE": "mrt ask --tier=c"}, ["plain\t--tier=cloud\tcloud"], id="powershell at a sign"
        ),
        pytest.param(
            "powershell",
            {"COMP_LINE": r"mrt ask -f C:\new\text.md --tier c"},
            ["plain\tcloud\tcloud"],
            id="powershell with backslashes",
        ),
        pytest.param(
            "powershell", {"COMP_LINE": "mrt ask it`'s --tier c"}, ["plain\tcloud\tcloud"], id="powershell's escape"
        ),
    ],
)
def test_the_answer_is_in_the_form_of_the_shell(
    furnished: Home, shell: str, env: dict[str, str], lines: list[str]
) -> None:
    done = Command(furnished)(env={"_MRT_COMPLETE": f"{shell}_complete", **env})
    assert (done.stdout.splitlines(), done.stderr, done.exit_code) == (lines, "", 0)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_given_by_the_convention_of_click_too(store_home: Home, shell: str) -> None:
    assert Command(store_home)(env={"_MRT_COMPLETE": f"{shell}_source"}).stdout == SCRIPTS[shell]


@pytest.mark.parametrize("instruction", ["tcsh_complete", "bash", "bash_dance", "_"])
def test_an_instruction_that_is_none_ends_with_1(store_home: Home, instruction: str) -> None:
    done = Command(store_home)(env={"_MRT_COMPLETE": instruction})
    assert (done.stdout, done.stderr, done.exit_code) == ("", "", 1)
