"""A mistake in the config file, or in a key, is one clear error with its line."""

from __future__ import annotations

import pytest
from config_kit import NOWHERE, Write, failure

from mrt.config import load
from mrt.config.listing import find
from mrt.errors import ConfigError, ExitCode, UsageError

ALL_SECTIONS = (
    "sections are tiers, endpoints, budget, limits, prices, ask, route, assessor, planner, mcp, aliases, templates"
)

FILE_MISTAKES = {
    "wrong type": (
        '[tiers.local-fast]\nmodel = "ollama/x"\n\n\n\n\ntemperature = "hot"\n',
        "7: tiers.local-fast.temperature must be a number, not text",
        "run `mrt config check`",
    ),
    "temperature range": (
        '[tiers.a]\nmodel = "ollama/x"\ntemperature = 2.5',
        "3: tiers.a.temperature must be a number from 0 to 2, not 2.5",
        "run `mrt config check`",
    ),
    "complexity range": (
        '[tiers.a]\nmodel = "ollama/x"\nmax_complexity = 11',
        "3: tiers.a.max_complexity must be a number from 0 to 10, not 11",
        "run `mrt config check`",
    ),
    "typo in a budget": (
        "[budget]\ndaily_us = 1",
        "2: unknown setting budget.daily_us",
        "did you mean budget.daily_usd?",
    ),
    "typo in a section": ("[bugdet]\ndaily_usd = 1", "1: unknown section bugdet", "did you mean budget?"),
    "setting in no section": (
        "daily_usd = 1",
        "1: unknown setting daily_usd",
        "did you mean budget.daily_usd?",
    ),
    "setting in another section": (
        "[ask]\nmonthly_usd = 1",
        "2: unknown setting ask.monthly_usd",
        "did you mean budget.monthly_usd?",
    ),
    "nothing near": (
        "[planner]\nxyzzy = 1",
        "2: unknown setting planner.xyzzy",
        "settings of [planner] are model, max_tokens, timeout",
    ),
    "no section near": (
        "[xyzzy]",
        "1: unknown section xyzzy",
        ALL_SECTIONS,
    ),
    "tier typo": (
        '[tiers.a]\nmodle = "x/y"',
        "2: unknown setting tiers.a.modle (and 1 more)",
        "did you mean tiers.a.model?",
    ),
    "literal key": (
        '[endpoints.a]\nkind = "vllm"\nurl = "http://x"\napi_key = "s3cret"',
        "4: unknown setting endpoints.a.api_key",
        "keys do not stand in the config file: use key_env, key_cmd or key_file of an endpoint",
    ),
    "tier without model": (
        "[tiers.a]\nmax_complexity = 3",
        "1: tiers.a.model is missing",
        'add model = "ollama/llama3.1:8b" to [tiers.a]',
    ),
    "settings of no tier": (
        '[tiers]\nmodel = "ollama/x"',
        "2: tiers.model must be a section, not text",
        "settings of tiers stand in sections of their own: [tiers.NAME]",
    ),
    "array of tiers": ('[[tiers]]\nmodel = "ollama/x"', "1: tiers must be a section, not a list", "write [tiers]"),
    "budget as a value": ("budget = 3", "1: budget must be a section, not 3", "write [budget]"),
    "name": (
        '[tiers."a b"]\nmodel = "ollama/x"',
        '1: tiers."a b" has a name that cannot be used',
        "names are made of letters, digits, dots, dashes and underscores",
    ),
    "alias name": (
        '[aliases]\n"a/b" = "ollama/x"',
        '2: aliases."a/b" has a name that cannot be used',
        "names are made of letters, digits, dots, dashes and underscores",
    ),
    "price of no endpoint": (
        '[prices."gpt"]\ninput_usd_per_mtok = 1',
        "1: prices.gpt must name an endpoint and a model",
        'write [prices."ENDPOINT/MODEL"]',
    ),
    "price of no model": (
        '[prices."a/"]\ninput_usd_per_mtok = 1',
        '1: prices."a/" must name an endpoint and a model',
        "write PROVIDER/MODEL",
    ),
    "half a price": (
        '[prices."a/b"]\ninput_usd_per_mtok = 1',
        '1: prices."a/b".output_usd_per_mtok is missing',
        'add output_usd_per_mtok = 10.0 to [prices."a/b"]',
    ),
    "negative budget": (
        "[budget]\ndaily_usd = -1",
        "2: budget.daily_usd must be an amount in dollars, 0 or more, not -1",
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "budget not a number": (
        "[budget]\ndaily_usd = nan",
        "2: budget.daily_usd must be an amount in dollars, 0 or more, not NaN",
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "infinite budget": (
        "[budget]\ndaily_usd = inf",
        "2: budget.daily_usd must be an amount in dollars, 0 or more, not Infinity",
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "budget beyond the ledger": (
        "[budget]\ndaily_usd = 1e300",
        "2: budget.daily_usd must be at most 1000000000 dollars, not 1E+300",
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "budget as a word": (
        '[budget]\ndaily_usd = "much"',
        '2: budget.daily_usd must be an amount in dollars, 0 or more, not "much"',
        '"none" means no limit, 0 means that nothing may be paid',
    ),
    "true is no number": (
        "[ask]\ntimeout = true",
        "2: ask.timeout must be a number, not true",
        "run `mrt config check`",
    ),
    "no time at all": (
        "[ask]\ntimeout = 0",
        "2: ask.timeout must be a number of seconds above 0, a week at most, not 0",
        "run `mrt config check`",
    ),
    "half a token": (
        "[ask]\nmax_tokens = 0.5",
        "2: ask.max_tokens must be a whole number, not 0.5",
        "run `mrt config check`",
    ),
    "no token": (
        "[ask]\nmax_tokens = 0",
        "2: ask.max_tokens must be a whole number of at least 1, not 0",
        "run `mrt config check`",
    ),
    "too many tokens": (
        f"[ask]\nmax_tokens = 0x{'f' * 5000}",
        "2: ask.max_tokens must be a whole number of at least 1, not a number of that size",
        "run `mrt config check`",
    ),
    "percent": (
        "[budget]\nsoft_pct = 101",
        "2: budget.soft_pct must be a whole number from 1 to 100, not 101",
        "run `mrt config check`",
    ),
    "choice": (
        '[ask]\nstream = "alway"',
        '2: ask.stream must be "auto", "always" or "never", not "alway"',
        'did you mean "always"?',
    ),
    "choice of another type": (
        "[ask]\nstream = 1979-05-27",
        '2: ask.stream must be "auto", "always" or "never", not a date or time',
        "run `mrt config check`",
    ),
    "yes is no boolean": (
        '[ask]\nescalate = "yes"',
        "2: ask.escalate must be true or false, not text",
        "run `mrt config check`",
    ),
    "time zone": (
        '[budget]\ntimezone = "Mars/Olympus"',
        '2: budget.timezone must be an IANA time zone, not "Mars/Olympus"',
        "for example Europe/Berlin or UTC",
    ),
    "time zone that is a path": (
        '[budget]\ntimezone = "../../etc/passwd"',
        '2: budget.timezone must be an IANA time zone, not "../../etc/passwd"',
        "for example Europe/Berlin or UTC",
    ),
    "time zone that is a folder": (
        '[budget]\ntimezone = "Europe"',
        '2: budget.timezone must be an IANA time zone, not "Europe"',
        "for example Europe/Berlin or UTC",
    ),
    "time zone of another type": (
        "[budget]\ntimezone = 3",
        "2: budget.timezone must be text, not 3",
        "run `mrt config check`",
    ),
    "model with white space": (
        '[planner]\nmodel = "ollama/a b"',
        '2: planner.model must be a model id without white space, not "ollama/a b"',
        "write PROVIDER/MODEL",
    ),
    "empty model": (
        '[planner]\nmodel = ""',
        '2: planner.model must be a model id without white space, not ""',
        "write PROVIDER/MODEL",
    ),
    "model without a name": (
        '[planner]\nmodel = "ollama/"',
        '2: planner.model must name a provider and a model, not "ollama/"',
        "write PROVIDER/MODEL",
    ),
    "model without a provider": (
        '[planner]\nmodel = "/x"',
        '2: planner.model must name a provider and a model, not "/x"',
        "write PROVIDER/MODEL",
    ),
    "reserved prefix": (
        '[planner]\nmodel = "openai-compat/x"',
        "2: planner.model must not use the reserved prefix openai-compat/",
        'add an [endpoints.NAME] section with kind = "openai" and write NAME/MODEL',
    ),
    "model of another type": (
        "[planner]\nmodel = 3",
        "2: planner.model must be a model id, not 3",
        "run `mrt config check`",
    ),
    "alias of another type": (
        "[aliases]\nfast = {model = 3}",
        "2: aliases.fast must be a model id, not a table",
        "run `mrt config check`",
    ),
    "endpoint kind": (
        '[endpoints.a]\nkind = "olama"\nurl = "http://x"',
        (
            '2: endpoints.a.kind must be "openai", "anthropic", "ollama", "vllm", "lm_studio", "llamacpp", "llama_swap" '
            'or "litellm", not "olama"'
        ),
        'did you mean "ollama"?',
    ),
    "url": (
        '[endpoints.a]\nkind = "vllm"\nurl = "koala:4000"',
        "3: endpoints.a.url must be a URL that starts with http:// or https://",
        "run `mrt config check`",
    ),
    "a key for the name of a variable": (
        '[endpoints.a]\nkind = "vllm"\nurl = "http://x"\nkey_env = "sk-abcdef123456"',
        "4: endpoints.a.key_env must be the name of an environment variable",
        "run `mrt config check`",
    ),
    "key command over two lines": (
        '[endpoints.a]\nkind = "vllm"\nurl = "http://x"\nkey_cmd = "a\\nb"',
        "4: endpoints.a.key_cmd must be one line of text",
        "run `mrt config check`",
    ),
    "system of another type": (
        '[tiers.a]\nmodel = "ollama/x"\nsystem = ["a"]',
        "3: tiers.a.system must be text, not a list",
        "run `mrt config check`",
    ),
    "examples of another type": (
        '[tiers.a]\nmodel = "ollama/x"\nexamples = "a"',
        "3: tiers.a.examples must be a list of examples, not text",
        'write {user = "...", assistant = "..."}',
    ),
    "example with another key": (
        '[tiers.a]\nmodel = "ollama/x"\nexamples = [{user = "a", answer = "b"}]',
        '3: tiers.a.examples must hold tables with "user" and "assistant", and nothing else',
        'write {user = "...", assistant = "..."}',
    ),
    "example of another type": (
        '[tiers.a]\nmodel = "ollama/x"\nexamples = [{user = "a", assistant = 1}]',
        "3: tiers.a.examples must be text, not 1",
        "run `mrt config check`",
    ),
    "checks of another type": (
        '[tiers.a]\nmodel = "ollama/x"\nchecks = "code"',
        "3: tiers.a.checks must be a list of names, not text",
        "run `mrt config check`",
    ),
    "empty check": (
        '[tiers.a]\nmodel = "ollama/x"\nchecks = ["code", " "]',
        '3: tiers.a.checks must be a list of names, without " "',
        "run `mrt config check`",
    ),
    "options of another type": (
        '[tiers.a]\nmodel = "ollama/x"\noptions = [1]',
        "3: tiers.a.options must be a table, not a list",
        "write {name = value, ...}",
    ),
    "option that JSON cannot hold": (
        '[tiers.a]\nmodel = "ollama/x"\n[tiers.a.options]\nwhen = 1979-05-27',
        "3: tiers.a.options must hold text, numbers, true or false, not a date or time",
        "run `mrt config check`",
    ),
    "infinite option": (
        '[tiers.a]\nmodel = "ollama/x"\noptions = {n = inf}',
        "3: tiers.a.options must hold text, numbers, true or false, not Infinity",
        "run `mrt config check`",
    ),
}


@pytest.mark.parametrize(("text", "message", "hint"), FILE_MISTAKES.values(), ids=FILE_MISTAKES)
def test_a_mistake_in_the_file_is_one_error_with_its_line(write: Write, text: str, message: str, hint: str) -> None:
    path = write(text)
    error = failure(path)
    assert isinstance(error, ConfigError)
    assert (error.message, error.hint) == (f"{path}:{message}", hint)
    assert (error.exit_code, error.code) == (ExitCode.USAGE, "config")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[ask]\nretries = \n", "2:11"),
        ("[ask]\nretries = 1\nretries = 2\n", "3:12"),
        ('[ask]\nstream = """auto\n\n', "2"),
    ],
    ids=["no value", "same key twice", "string without an end"],
)
def test_a_mistake_in_the_syntax_has_a_line_and_a_column(write: Write, text: str, place: str) -> None:
    path = write(text)
    error = failure(path)
    assert error.message.startswith(f"{path}:{place}: not valid TOML: ")
    assert "line" not in error.message.removeprefix(str(path))
    assert error.hint == "mend it, then run `mrt config check`"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"[ask]\nretries = {'9' * 5000}", "not valid TOML"),
        ("[ask]\nretries = " + "[" * 5000, "not valid TOML"),
    ],
    ids=["more digits than Python reads", "deeper than Python reads"],
)
def test_what_the_parser_itself_cannot_take_is_a_config_error_too(write: Write, text: str, message: str) -> None:
    assert message in failure(write(text)).message


@pytest.mark.parametrize(
    ("dotted", "message", "hint"),
    [
        ("ask.max_token", "unknown setting ask.max_token", "did you mean ask.max_tokens?"),
        ("tiers.clod.model", "there is no [tiers.clod]", "did you mean tiers.cloud.model?"),
        (
            "tiers.xyzzy.model",
            "there is no [tiers.xyzzy]",
            "tiers there are: local-fast, local-heavy, cloud",
        ),
        ("endpoints.koala.url", "there is no [endpoints.koala]", "there are no endpoints yet"),
        ("aliases.fast", "there is no alias fast", "there are no aliases yet"),
        ("tiers.model", "unknown setting tiers.model", "did you mean tiers.NAME.model?"),
        ("", 'unknown setting ""', ALL_SECTIONS),
        ("xyzzy.ask", "unknown setting xyzzy.ask", ALL_SECTIONS),
    ],
)
def test_a_key_that_is_no_setting_is_a_usage_error_with_the_nearest_one(dotted: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(load(NOWHERE), dotted)
    assert (caught.value.message, caught.value.hint) == (message, hint)
