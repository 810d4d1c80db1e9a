"""`mrt route` from outside: what it prints, its exit codes, what it reads and refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rig.command import Command, Home
from rig.home_setup import calls, configure, ladder, run_here, says, store_path
from rig.loopback import ScriptedServer
from route_kit import EASY, HARD, route

CONTRACT = {
    "complexity",
    "score",
    "parts",
    "prior_only",
    "tier",
    "model",
    "tiers",
    "contributions",
    "counterfactuals",
    "check",
}
ROW = {"tier", "model", "open", "reason", "p_fail", "cost", "seconds", "input_tokens", "output_tokens"}
NOWHERE = "http://127.0.0.1:9"


def tiers(home: Home, **limits: float | None) -> dict[str, dict[str, Any]]:
    """Local tiers of these names and thresholds, and a configuration that has them."""
    tables = ladder(**dict.fromkeys(limits, NOWHERE))
    for name, limit in limits.items():
        if limit is not None:
            tables[f"tiers.{name}"]["max_complexity"] = limit
    configure(home, tables)
    return tables


def test_one_line_says_tier_model_complexity_and_cost(store_home: Home) -> None:
    shown = route(store_home, EASY)
    assert (shown.exit_code, shown.stderr) == (0, "")
    pattern = r"local-fast \(ollama/llama3\.1:8b\), complexity [\d.]+ \(prior only\), no API cost, local first, verify, then up\n"
    assert re.fullmatch(pattern, shown.stdout)


def test_a_paid_tier_shows_what_it_will_about_cost(store_home: Home) -> None:
    line = route(store_home, EASY, "--tier", "cloud").stdout
    assert re.fullmatch(
        r"cloud \(anthropic/claude-haiku-4-5\), complexity [\d.]+ \(prior only\), about \$0\.00\d+\n", line
    )


@pytest.mark.parametrize(
    ("prompt", "tier"),
    [("Walk to the next room", "local-fast"), ("Plan the optimal path to become Hortator", "local-heavy")],
)
def test_two_sentences_of_the_mission_route_as_written(store_home: Home, prompt: str, tier: str) -> None:
    assert route(store_home, prompt, "--json").data["tier"] == tier


def test_json_keeps_the_contract(store_home: Home) -> None:
    shown = route(store_home, HARD, "--json")
    data = shown.data
    assert data.keys() >= CONTRACT
    assert data["parts"].keys() == {"component", "coordinative", "dynamic"}
    assert [row["tier"] for row in data["tiers"]] == ["local-fast", "local-heavy", "cloud"]
    for row in data["tiers"]:
        assert row.keys() >= ROW
        assert row["p_fail"].keys() == {"mean", "low", "high", "n"}
        assert 0 <= row["p_fail"]["low"] <= row["p_fail"]["mean"] <= row["p_fail"]["high"] <= 1
    assert shown.tier("local-fast")["cost"] == {"state": "free", "usd": "0"}
    assert shown.tier("cloud")["cost"]["state"] == "estimated"
    assert shown.tier("cloud")["seconds"] is None
    assert all(part.keys() == {"feature", "value", "weight"} for part in data["contributions"])
    assert data["check"].startswith("refusal, repetition")


def test_an_explanation_has_the_table_the_reasons_and_what_would_change_it(store_home: Home) -> None:
    text = route(store_home, "--explain", "refactor the provider layer").stdout
    for expected in (
        "P(fail)",
        "left after",
        "prior)",
        "not checked",
        "anthropic/claude-haiku-4-5",
        "'refactor'",
        "what would change it",
        "check: refusal",
        "escalations to expect",
        "escalating to cloud adds about $",
    ):
        assert expected in text
    assert re.search(r"^  \+\d\.\d\d  \S", text, re.MULTILINE)


def test_an_unknown_price_is_never_zero(store_home: Home) -> None:
    tables = ladder(local=False, only=NOWHERE)
    configure(store_home, tables | {"budget": {"daily_usd": "none", "monthly_usd": "none"}})
    shown = route(store_home, EASY, "--json")
    assert shown.tier("only")["cost"] == {"state": "unknown", "usd": None}
    assert "cost unknown" in route(store_home, EASY).stdout


def test_a_budget_alone_in_the_way_ends_with_5(store_home: Home) -> None:
    tables = ladder(local=False, only=NOWHERE)
    tables['prices."only/m"'] = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    configure(store_home, tables | {"budget": {"daily_usd": 0.001, "monthly_usd": "none"}})
    shown = route(store_home, EASY)
    assert (shown.exit_code, shown.stdout) == (5, "")
    assert shown.stderr.startswith("error: no tier is open: only is closed: budget: daily budget has $0.001 left, ")
    told = route(store_home, EASY, "--json")
    assert (told.exit_code, told.data["tier"]) == (5, None)
    assert json.loads(told.stdout)["errors"][0]["code"] == "budget"


def test_an_unknown_price_under_a_budget_ends_with_5(store_home: Home) -> None:
    configure(store_home, ladder(local=False, only=NOWHERE))
    shown = route(store_home, EASY)
    assert shown.exit_code == 5
    assert "only is closed: price: the price is not known, so no budget can be held" in shown.stderr


def test_nothing_reachable_ends_with_3(store_home: Home) -> None:
    tiers(store_home, low=4.0, high=None)
    assert route(store_home, EASY).exit_code == 0  # nobody has looked
    probed = route(store_home, EASY, "--probe")
    assert (probed.exit_code, probed.stdout) == (3, "")
    assert "low is closed: endpoint: " in probed.stderr
    assert route(store_home, EASY).exit_code == 3  # the look is remembered
    assert route(store_home, EASY, "--offline").exit_code == 0


def test_no_model_is_asked_and_no_store_is_made(store_home: Home) -> None:
    with ScriptedServer({}) as server:
        configure(store_home, ladder(only=server.url))
        assert route(store_home, "--explain", EASY).exit_code == 0
        assert server.requests == []
    assert not store_path(store_home).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "there is no prompt"),
        (("",), "there is no prompt"),
        (("  \n ",), "there is no prompt"),
        (("hi", "--tier", "locl-fast"), "no tier 'locl-fast' (did you mean local-fast?)"),
        (("hi", "--max-tier", "clod"), "no tier 'clod' (did you mean cloud?)"),
        (("hi", "--tier", "cloud", "--max-tier", "local-fast"), "--tier cloud is above --max-tier local-fast"),
        (("hi", "-f", "nothing.txt"), "nothing.txt cannot be read: No such file or directory"),
        (("hi", "--probe", "--offline"), "--probe and --offline contradict each other"),
        (("--batch", "nothing.jsonl"), "nothing.jsonl cannot be read: No such file or directory"),
        (("--eval", "nothing.jsonl"), "nothing.jsonl cannot be read: No such file or directory"),
        (("hi", "--plan"), "no planner is configured"),
        (("hi", "--batch", "-"), "--batch goes without a prompt"),
        (("--explain", "--batch", "-"), "--batch goes without --explain"),
        (("--batch", "-", "--eval", "a.jsonl"), "--batch goes without --eval"),
        (("--eval", "a.jsonl", "-f", "b"), "--eval goes without --file"),
    ],
)
def test_what_cannot_be_routed_is_said_in_one_line(store_home: Home, arguments: tuple[str, ...], message: str) -> None:
    shown = route(store_home, *arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.splitlines()[0] == f"error: {message}"


def test_binary_and_wrong_encodings_are_refused(mrt: Command) -> None:
    for content in (b"\x7fELF\x00\x01\x02", b"caf\xe9 au lait", b"a\x00b"):
        done = mrt("route", "-", stdin=content)
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith("error: stdin ")


def test_ten_megabytes_are_routed_within_seconds_by_what_fits(mrt: Command) -> None:
    done = mrt("route", "--json", "summarize this", stdin=b"lorem ipsum dolor\n" * 600_000, timeout=30)
    data = json.loads(done.stdout)["data"]
    assert done.exit_code == 3
    assert all("tokens do not fit" in row["reason"] for row in data["tiers"])


@pytest.mark.parametrize(
    "prompt",
    [
        "réfactorise l'architecture 重构整个代码库 рефакторинг",
        "🙂" * 500,
        "a\u202eb\u0000"[:2],
        "מה השעה?",
        "x" * 100_000,
    ],
    ids=["mixed-scripts", "emoji", "bidi", "hebrew", "one-word"],
)
def test_any_text_is_routed(store_home: Home, prompt: str) -> None:
    shown = route(store_home, "--explain", "--context", "1000000", prompt)
    assert (shown.exit_code, shown.stderr) == (0, "")


def test_what_is_pasted_is_weighed_apart_from_what_is_asked(mrt: Command) -> None:
    code = "class A:\n    def f(self):\n        return refactor(architecture)\n" * 40
    asked = json.loads(mrt("route", "--json", "what does this print?", stdin=code).stdout)["data"]
    alone = json.loads(mrt("route", "--json", "what does this print?").stdout)["data"]
    assert asked["tiers"][0]["input_tokens"] > alone["tiers"][0]["input_tokens"] + 500
    assert not any("strong signal" in part["feature"] for part in asked["contributions"])


def test_a_context_given_by_hand_is_judged_by(store_home: Home) -> None:
    shown = route(store_home, EASY, "--json", "--context", "64")
    assert shown.exit_code == 3
    assert shown.gate("cloud", "context")["figure"].endswith("do not fit 64 by --context")


@pytest.mark.parametrize(
    "secret",
    ["sk-" + "abc123" * 4, "-----BEGIN RSA PRIVATE KEY-----", "password = hunter2hunter2", "AKIAIOSFODNN7EXAMPLE"],
)
def test_what_looks_like_a_secret_stays_local_where_that_is_wanted(store_home: Home, secret: str) -> None:
    prompt = f"{HARD} with {secret}"
    configure(store_home, {"route": {"secrets": "local"}})
    shown = route(store_home, prompt, "--json", "--tier", "cloud")
    assert shown.exit_code == 3
    assert "route.secrets keeps it local" in shown.tier("cloud")["reason"]
    assert secret not in shown.tier("cloud")["reason"]
    assert "cloud" not in route(store_home, prompt, "--json").data["order"]
    assert route(store_home, HARD, "--json").tier("cloud")["open"]
    configure(store_home, {"route": {"secrets": "any"}})
    assert route(store_home, prompt, "--json").tier("cloud")["open"]


def test_a_secret_never_reaches_a_paid_model_whatever_asks(store_home: Home) -> None:
    prompt = "what is wrong with sk-" + "abc123" * 4
    with ScriptedServer({"*": says("Done.")}) as local, ScriptedServer({"*": says("Done.")}) as paid:
        tables = ladder(low=local.url, high=paid.url)
        tables["endpoints.high"]["local"] = False
        tables["tiers.low"]["checks"] = ["agree=high/m"]
        tables |= {"route": {"secrets": "local"}, "budget": {"daily_usd": "none", "monthly_usd": "none"}}
        configure(store_home, tables | {"assessor": {"model": "high/m", "when": "always"}})
        for options in ((), ("--tier", "high"), ("-m", "high/m", "--no-probe"), ("--agree",)):
            shown = run_here(store_home, "ask", *options, prompt)
            assert "abc123" not in shown.stderr
            if options and options[0] in ("--tier", "-m"):
                assert (shown.exit_code, "route.secrets keeps it local" in shown.stderr) == (3, True)
        assert paid.requests == []
        assert local.requests


def test_asks_that_carry_on_are_as_hard_as_their_session(store_home: Home) -> None:
    with ScriptedServer({"*": says("Done.")}) as server:
        tables = ladder(low=server.url, high=server.url)
        tables["tiers.low"]["max_complexity"] = 4
        configure(store_home, tables)
        run_here(store_home, "ask", "--session", "work", HARD)
        first = json.loads(calls(store_home)[0]["decision"])["complexity"]
        assert route(store_home, "continue", "--json").data["tier"] == "low"
        carried = route(store_home, "continue", "--json", "--session", "work").data
        assert (carried["tier"], carried["complexity"]) == ("high", pytest.approx(first, abs=0.1))
        run_here(store_home, "ask", "--session", "work", "yes, try again")
    assert calls(store_home)[-1]["tier"] == "high"


def test_a_prompt_in_quotes_may_begin_like_a_command(store_home: Home) -> None:
    assert route(store_home, "feedback is what I want").exit_code == 0
    assert route(store_home, "--", "learn", "to", "swim").exit_code == 0


def test_ask_and_route_agree(store_home: Home) -> None:
    tiers(store_home, low=4.0, middle=6.0, high=None)
    for prompt in (EASY, HARD, "implement an LRU cache", "what is the capital of France?"):
        told = route(store_home, prompt, "--json").data
        asked = json.loads(run_here(store_home, "ask", "--dry-run", "--json", prompt).stdout)["data"]
        assert (asked["tier"], asked["tiers"], asked["reason"]) == (told["tier"], told["order"], told["reason"])
    assert calls(store_home) == []


LOADED = "import sys\nfrom mrt.cli import main\ntry:\n    main()\nfinally:\n    print('LOADED', *sys.modules, file=sys.stderr)"


def test_one_line_loads_nothing_but_click(store_home: Home) -> None:
    environment = {name: value for name, value in store_home.environment.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "route", "implement an LRU cache"],
        env=environment,
        cwd=Path(__file__).parents[1],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    loaded = set(done.stderr.rpartition("LOADED ")[2].split())
    assert done.stdout.startswith("local-")
    third_party = {name.partition(".")[0] for name in loaded} & {
        "httpx",
        "tabulate",
        "psutil",
        "sqlite_utils",
        "pynvml",
    }
    assert not third_party
    assert not loaded & {"sqlite3", "asyncio", "subprocess", "socket", "ssl", "logging", "tomllib", "random", "difflib"}
    heavy = {
        "mrt.providers.http",
        "mrt.ledger.store",
        "mrt.cascade.turns",
        "mrt.pricing.table",
        "mrt.router.counterfactual",
    }
    assert not loaded & heavy
