"""`findings` reports every problem of a configuration at once, of a broken file too."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_check_kit import ELSEWHERE, KOALA, Check, checks_in
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.config import load
from mrt.config.check import Finding, findings
from mrt.config.edit import initial_text
from mrt.errors import ConfigError

PROVIDERS = (
    "openai, anthropic, ollama, vllm, lm_studio, llamacpp, llama_swap, litellm, openrouter, groq, deepseek, gemini, xai, "
    "mistral"
)
RISING = "let max_complexity rise from tier to tier; the last tier needs none"


@pytest.fixture
def check(tmp_path: Path) -> Check:
    return checks_in(tmp_path)


def test_all_problems_are_found_at_once(check: Check) -> None:
    assert check("""\
[tiers.fast]
temperature = "hot"
[budget]
daily_us = 3
soft_pct = 0
[tirs]
""") == [
        Finding("error", "config.toml:2", "tiers.fast.temperature must be a number, not text"),
        Finding("error", "config.toml:4", "unknown setting budget.daily_us", "did you mean budget.daily_usd?"),
        Finding("error", "config.toml:5", "budget.soft_pct must be a whole number from 1 to 100, not 0"),
        Finding("error", "config.toml:6", "unknown section tirs", "did you mean tiers?"),
        Finding(
            "error", "config.toml:1", "tiers.fast.model is missing", 'add model = "ollama/llama3.1:8b" to [tiers.fast]'
        ),
    ]


@pytest.mark.parametrize("text", ["", initial_text(), KOALA], ids=["empty", "starter", "endpoint without a key"])
def test_a_good_file_has_no_findings(check: Check, text: str) -> None:
    assert check(text) == []


def test_defaults_alone_have_no_findings(tmp_path: Path) -> None:
    assert findings({"HOME": str(tmp_path)}) == []


def test_a_broken_file_has_its_syntax_error_and_the_keys_in_it(check: Check) -> None:
    first, *others = check("[ask\nretries = 1\n# old key: sk-ant-api03-abcdefgh\n")
    assert (first.severity, first.where) == ("error", "config.toml:1:5")
    assert first.message.startswith("not valid TOML: ")
    assert others == [Finding("error", "config.toml:3", "something that looks like a key stands here", ELSEWHERE)]


def test_a_file_that_cannot_be_read_is_one_finding(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"\xff")
    assert findings({}, tmp_path / "no.toml") == [
        Finding(
            "error",
            str(tmp_path / "no.toml"),
            "this file does not exist (named by --config)",
            "`mrt config init` writes one",
        )
    ]
    assert findings({"MRT_CONFIG": str(latin)}) == [
        Finding("error", f"{latin}:1", "this is not UTF-8 text", "save the file as UTF-8")
    ]


# Tiers ------------------------------------------------------------------------------------------------------------


def tiers(*limits: float | None) -> str:
    return "".join(
        f'[tiers.t{number}]\nmodel = "ollama/m"\n' + ("\n" if limit is None else f"max_complexity = {limit}\n")
        for number, limit in enumerate(limits)
    )


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ((4, 10, None), {}),
        ((4,), {}),
        ((None,), {}),
        ((4, 7), {}),
        ((4, 4), {1: "t0 comes first and takes all up to 4"}),
        ((6, 4, 8), {1: "t0 comes first and takes all up to 6"}),
        ((None, 4), {1: "t0 comes first and takes every prompt"}),
        ((None, None), {1: "t0 comes first and takes every prompt"}),
        ((4, 3, 3.5, 5), {1: "t0 comes first and takes all up to 4", 2: "t0 comes first and takes all up to 4"}),
    ],
)
def test_a_tier_that_no_prompt_starts_on_is_a_warning(
    check: Check, limits: tuple[float | None, ...], expected: dict[int, str]
) -> None:
    found = check(tiers(*limits))
    assert found == [
        Finding(
            "warning",
            f"config.toml:{number * 3 + (1 if limits[number] is None else 3)}",
            f"no prompt starts on tiers.t{number}: tiers.{rest}",
            RISING,
        )
        for number, rest in expected.items()
    ]


def test_a_tier_below_the_least_complexity_is_a_warning(check: Check) -> None:
    assert check(tiers(0.5, 3)) == [
        Finding(
            "warning",
            "config.toml:3",
            "no prompt starts on tiers.t0: complexity begins at 1",
            "raise its max_complexity",
        )
    ]


def test_a_threshold_of_the_environment_is_shown_as_such(check: Check) -> None:
    (found,) = check("", {"MRT_TIERS_LOCAL_HEAVY_MAX_COMPLEXITY": "2"})
    assert found.where == "MRT_TIERS_LOCAL_HEAVY_MAX_COMPLEXITY"


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        (
            '[tiers.a]\nmodel = "olama/x"',
            "2",
            'tiers.a.model names no provider or endpoint: "olama/x"',
            "did you mean ollama/x?",
        ),
        (
            '[tiers.a]\nmodel = "llama3.1:8b"',
            "2",
            'tiers.a.model names no provider or endpoint: "llama3.1:8b"',
            "write PROVIDER/MODEL, for example ollama/llama3.1:8b",
        ),
        (
            '[tiers.a]\nmodel = "xyzzy/m"',
            "2",
            'tiers.a.model names no provider or endpoint: "xyzzy/m"',
            f"add [endpoints.xyzzy], or use one of {PROVIDERS}",
        ),
        (
            KOALA + '[tiers.a]\nmodel = "kola/m"',
            "5",
            'tiers.a.model names no provider or endpoint: "kola/m"',
            "did you mean koala/m?",
        ),
        (
            '[aliases]\nfast = "local-fast"',
            "2",
            'aliases.fast names no provider or endpoint: "local-fast"',
            "write PROVIDER/MODEL, for example ollama/local-fast",
        ),
        (
            '[tiers.a]\nmodel = "ollama/x"\n[tiers.b]\nmodel = "a"\n',
            "4",
            'tiers.b.model names no provider or endpoint: "a"',
            "write PROVIDER/MODEL, for example ollama/a",
        ),
    ],
)
def test_a_model_of_no_known_server_is_an_error(check: Check, text: str, where: str, message: str, hint: str) -> None:
    assert Finding("error", f"config.toml:{where}", message, hint) in check(text)


def test_endpoints_aliases_and_tiers_can_stand_for_models_where_they_are_resolved(check: Check) -> None:
    text = f"""
{KOALA}
[aliases]
fast = "koala/m"
[tiers.a]
model = "fast"
max_complexity = 4
[tiers.b]
model = "koala/gpt"
[templates.t]
model = "a"
[assessor]
model = "fast"
[planner]
model = "b"
"""
    assert check(text) == []


def test_a_price_of_no_known_server_is_a_warning(check: Check) -> None:
    text = '[prices."opena/gpt"]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 1\n'
    assert check(text) == [
        Finding(
            "warning",
            "config.toml:1",
            'prices."opena/gpt" names no provider or endpoint',
            "did you mean openai/gpt?",
        )
    ]


# Environment ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        (
            "MRT_BUDGET_DAILY_US",
            Finding("warning", "MRT_BUDGET_DAILY_US", "this sets nothing", "did you mean MRT_BUDGET_DAILY_USD?"),
        ),
        (
            "MRT_TIERS_XYZZYXYZZYXYZZYXYZZY",
            Finding("warning", "MRT_TIERS_XYZZYXYZZYXYZZYXYZZY", "this sets nothing", "unset it"),
        ),
        ("MRT_DB", None),
        ("MRT_PAGER", None),
        ("MRT_ASK_RETRIES", None),
    ],
)
def test_a_variable_that_sets_nothing_is_a_warning(check: Check, variable: str, expected: Finding | None) -> None:
    assert check("", {variable: "1"}) == ([expected] if expected else [])
    assert check("", {variable: ""}) == []


def test_an_older_variable_of_a_tier_that_is_gone_is_a_warning(check: Check) -> None:
    assert check('[tiers.only]\nmodel = "ollama/x"\n', {"TIER_CLOUD_MODEL": "gpt-4o"}) == [
        Finding(
            "warning",
            "TIER_CLOUD_MODEL",
            "this sets nothing: there is no [tiers.cloud]",
            "unset it or add the tier",
        )
    ]
    assert check("", {"TIER_CLOUD_MODEL": "gpt-4o"}) == []


def test_a_wrong_value_in_the_environment_is_an_error(check: Check) -> None:
    assert check("", {"MRT_ASK_RETRIES": "many"}) == [
        Finding("error", "MRT_ASK_RETRIES", 'ask.retries must be a whole number, not "many"')
    ]


# Together with loading --------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.sampled_from(
            [
                "[ask]",
                "retries = 1",
                "retries = 'x'",
                "[tiers.a]",
                "model = 'ollama/x'",
                "model = 3",
                "max_complexity = 20",
                "[budget]",
                "daily_usd = -1",
                "[endpoints.a]",
                "url = 'x'",
                "kind = 'vllm'",
                "nonsense",
                "[aliases]",
                "= 1",
            ]
        ),
        max_size=8,
    )
)
@settings(deadline=None)
def test_what_does_not_load_is_an_error_here_and_its_first_one(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.toml"
    path.write_text("\n".join(lines))
    errors = [finding for finding in findings({}, path) if finding.severity == "error"]
    try:
        load({}, path)
    except ConfigError as error:
        assert error.message.startswith(f"{errors[0].where}: {errors[0].message}")
    else:
        assert all("names no provider" in finding.message for finding in errors)
