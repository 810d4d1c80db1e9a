"""A false zero nowhere: what `mrt ask` met on the way is what `mrt spend` shows, end to end."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import DAY_S
from rig.command import Command, Home
from rig.loopback import Action, Response, ScriptedServer, in_turn
from rig.responses import json_response, sse
from rig.wire_chat import DONE, RAIN, ROLE, STOP, chunk, counts, say
from spend_kit import spend, store_file

PRICE = '[prices."paid/m"]\ninput_usd_per_mtok = 1000\noutput_usd_per_mtok = 2000\n'
WHOLE: Response = sse([ROLE, *RAIN, STOP, {"choices": [], "usage": counts(12, 3)}, DONE])
UNCOUNTED: Response = sse([ROLE, *RAIN, STOP, DONE])


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as running:
        yield running


def configure(home: Home, server: ScriptedServer, *tiers: str, price: str = PRICE) -> None:
    """Tiers by the name of their endpoint: `free` is local, `paid` is not; each has a path of its own on the server."""
    lines = [f'[tiers.{name}-tier]\nmodel = "{name}/m"\nmax_tokens = 100\n' for name in tiers]
    for name in tiers:
        local = str(name == "free").lower()
        lines.append(f'[endpoints.{name}]\nkind = "vllm"\nurl = "{server.url}/{name}"\nlocal = {local}\n')
    path = home.config / "mrt" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([*lines, price, "[ask]\nretries = 2\n"]))


def script(server: ScriptedServer, **answers: Any) -> None:
    """What each endpoint answers to a chat."""
    for name, answer in answers.items():
        server.routes[f"/{name}/v1/chat/completions"] = answer


def report(home: Home, *arguments: str) -> Mapping[str, Any]:
    """The JSON of today's report."""
    found: Mapping[str, Any] = spend(home, "--today", *arguments, "--json").data
    assert spend(home, "doctor").exit_code == 0
    return found


def booked(home: Home) -> list[dict[str, Any]]:
    """The calls, oldest first."""
    calls: list[dict[str, Any]] = spend(home, "log", "--json").data["calls"]
    return calls[::-1]


def test_a_paid_answer(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid")
    script(server, paid=WHOLE)
    asked = json.loads(mrt("ask", "--json", "weather?").stdout)["data"]
    total = report(store_home)["total"]
    # 12 tokens at $0.001 and 3 at $0.002.
    assert total["cost"] == {"state": "priced", "usd": "0.018", "at_least_usd": "0.018"}
    assert (total["calls"], total["input_tokens"], total["output_tokens"]) == (1, 12, 3)
    why = spend(store_home, "why", asked["id"]).stdout
    assert "tokens      12 in, 3 out, reported" in why
    assert "cost        $0.018, priced" in why
    assert "config: paid/m" in why
    assert report(store_home)["savings"] == {
        "low": "0",
        "high": "0",
        "baseline_model": "paid/m",
        "baseline_models": ["paid/m"],
        "missing_answers": 0,
    }


def test_missing_usage(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid")
    script(server, paid=UNCOUNTED)
    assert mrt("ask", "weather?").stdout == "It rains.\n"
    total = report(store_home)["total"]
    (call,) = booked(store_home)
    # 8 characters are 2 tokens by estimate, 9 are 3.
    assert call["usage"]["source"] == "estimated"
    assert (call["usage"]["input_tokens"], call["usage"]["output_tokens"]) == (2, 3)
    assert call["cost"] == {"state": "estimated", "usd": "0.008"}
    assert total["cost"] == {"state": "estimated", "usd": "0.008", "at_least_usd": "0.008"}
    assert spend(store_home, "--today").stdout.splitlines()[1] not in ("cost       $0", "cost       no API cost")


def test_an_unknown_price(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid", price="")
    script(server, paid=WHOLE)
    assert mrt("ask", "weather?").exit_code == 5
    assert report(store_home)["total"]["calls"] == 0
    assert mrt("ask", "--allow-unpriced", "weather?").exit_code == 0
    total = report(store_home)["total"]
    assert total["cost"] == {"state": "unknown", "usd": None, "at_least_usd": "0"}
    assert total["unpriced_calls"] == 1
    assert spend(store_home, "--today").stdout.splitlines()[1] == "cost       unknown (1 call unpriced)"
    assert spend(store_home, "check").stdout.startswith("within: daily unknown of $5.00 (≥ 0 %, 1 call unpriced)")
    shown = spend(store_home)
    assert "burn rate  unknown so far today (1 call unpriced)\n" in shown.stdout
    data = spend(store_home, "--json").data
    assert (data["burn_usd_per_day"], data["burn_at_least_usd_per_day"]) == (None, "0")
    assert [line["used_usd"] for line in data["budgets"]] == [None, None]
    budgets = spend(store_home, "summary", "--json").data["budgets"]
    assert [(line["used_usd"], line["used_at_least_usd"]) for line in budgets] == [(None, "0"), (None, "0")]


def test_a_cut_stream(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid")
    script(server, paid=[*sse([ROLE, *say(*["word "] * 50)], finish=False), Action.CLOSE])
    assert mrt("ask", "weather?").exit_code == 6
    (call,) = booked(store_home)
    assert (call["state"], call["usage"]["source"]) == ("partial", "estimated")
    # 2 tokens in and 250 characters out by estimate, which is what came before the break.
    assert call["cost"] == {"state": "estimated", "usd": "0.128"}
    assert spend(store_home, "--today").stdout.splitlines()[1] not in ("cost       $0", "cost       no API cost")


def test_requests_that_were_turned_down_are_no_calls_of_their_own(
    store_home: Home, server: ScriptedServer, mrt: Command
) -> None:
    configure(store_home, server, "paid")
    busy = json_response(503, {"error": "busy"}, {"retry-after": "0"})
    script(server, paid=in_turn(busy, busy, WHOLE))
    assert mrt("ask", "weather?").exit_code == 0
    assert len(server.requests) == 3
    total = report(store_home)["total"]
    assert (total["calls"], total["cost"]["usd"], total["escalations"]) == (1, "0.018", 0)


def test_free_first_then_paid(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "free", "paid")
    sorry = sse(
        [ROLE, *say("I'm sorry, but I can't help with that."), STOP, {"choices": [], "usage": counts(9, 9)}, DONE]
    )
    script(server, free=sorry, paid=WHOLE)
    assert mrt("ask", "weather?").stdout == "It rains.\n"
    data = report(store_home, "--by", "tier")
    assert (data["total"]["calls"], data["total"]["escalations"]) == (2, 1)
    assert data["total"]["cost"] == {"state": "priced", "usd": "0.018", "at_least_usd": "0.018"}
    assert {group["key"]: group["cost"]["state"] for group in data["groups"]} == {
        "free-tier": "free",
        "paid-tier": "priced",
    }
    assert (data["total"]["answers"], data["total"]["local_answers"]) == (1, 0)
    first, second = booked(store_home)
    assert (first["outcome"], first["check"], second["outcome"]) == ("rejected", "refusal", "accepted")
    assert first["operation"] == second["operation"]
    why = spend(store_home, "why", first["operation"]).stdout
    assert why.index("1. free-tier (free/m)") < why.index("2. paid-tier (paid/m)")


def test_a_free_answer_saves_a_range(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "free", "paid")
    script(server, free=WHOLE)
    assert mrt("ask", "weather?").exit_code == 0
    data = report(store_home)
    assert data["total"]["cost"] == {"state": "free", "usd": "0", "at_least_usd": "0"}
    # 9 to 15 tokens in and 1 to 6 out, at the paid tier's price.
    assert data["savings"]["baseline_model"] == "paid/m"
    assert (data["savings"]["low"], data["savings"]["high"]) == ("0.011", "0.027")
    assert spend(store_home, "--today").stdout.splitlines()[1] == "cost       no API cost"


def test_a_free_answer_without_counts_has_no_saving(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "free", "paid", price="")
    script(server, free=WHOLE)
    assert mrt("ask", "weather?").exit_code == 0
    assert report(store_home)["savings"] is None


def test_the_servers_own_amount_wins(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid")
    told = sse([ROLE, *RAIN, STOP, {"choices": [], "usage": counts(12, 3, cost=0.00025)}, DONE])
    script(server, paid=told)
    assert mrt("ask", "weather?").exit_code == 0
    assert report(store_home)["total"]["cost"] == {"state": "reported", "usd": "0.00025", "at_least_usd": "0.00025"}


def test_a_killed_process_leaves_its_bound(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid")
    script(server, paid=[*sse([ROLE, *RAIN], finish=False), Action.HOLD])
    with mrt.start("ask", "weather?") as process:
        assert process.stdout is not None
        process.stdout.read(3)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    (line, _) = spend(store_home, "--today", "--json").data["budgets"]
    assert (line["used_usd"], float(line["reserved_usd"]) > 0.2) == ("0", True)
    assert spend(store_home, "doctor").exit_code == 5
    assert spend(store_home, "doctor", "--fix").exit_code == 0
    total = report(store_home)["total"]
    assert (total["cost"]["state"], total["cost"]["usd"]) == ("estimated", line["reserved_usd"])
    assert spend(store_home, "--today").stdout.splitlines()[1].startswith("cost       about $0.")


def test_an_interrupted_answer(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid")
    script(server, paid=[*sse([ROLE, *RAIN], finish=False), Action.HOLD])
    with mrt.start("ask", "weather?") as process:
        assert process.stdout is not None
        process.stdout.read(3)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    (call,) = booked(store_home)
    assert (call["outcome"], call["state"]) == ("interrupted", "partial")
    assert call["cost"]["state"] == "estimated"
    assert float(call["cost"]["usd"]) >= 0.004


def test_a_clock_set_back(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid")
    script(server, paid=WHOLE)
    assert mrt("ask", "first").exit_code == 0
    # To this process all that was booked lies a year ahead: its clock went back.
    with closing(sqlite3.connect(store_file(store_home))) as connection:
        connection.execute("UPDATE calls SET started_us = started_us + ?", (round(365 * DAY_S * 1e6),))
        connection.execute("UPDATE calls SET id = 'ffffffff-ffff-7000-8000-000000000000'")
        connection.execute("UPDATE calls SET day = date(started_us / 1000000, 'unixepoch')")
        connection.commit()
    spend(store_home, "doctor", "--fix")
    assert mrt("ask", "second").exit_code == 0
    total = report(store_home)["total"]
    assert (total["calls"], total["cost"]["usd"]) == (1, "0.018")
    first, second = booked(store_home)
    assert first["started_at"] > second["started_at"]
    assert second["id"] > first["id"]


def test_an_alias_in_answer_and_an_extra_call_for_agreement(
    store_home: Home, server: ScriptedServer, mrt: Command
) -> None:
    configure(store_home, server, "free", "paid")
    script(server, free=WHOLE, paid=WHOLE)
    assert mrt("ask", "--agree", "weather?").exit_code == 0
    data = report(store_home, "--by", "purpose")
    assert {group["key"]: group["calls"] for group in data["groups"]} == {"ask": 1, "agreement": 1}
    assert data["total"]["answers"] == 1


def test_a_filtered_answer_is_paid_for(store_home: Home, server: ScriptedServer, mrt: Command) -> None:
    configure(store_home, server, "paid")
    cut = sse([ROLE, *RAIN, chunk({}, "content_filter"), {"choices": [], "usage": counts(12, 3)}, DONE])
    script(server, paid=cut)
    assert mrt("ask", "weather?").exit_code == 6
    assert report(store_home)["total"]["cost"]["usd"] == "0.018"
    assert "$0.018 of $0.018 went to attempts whose answer was not used" in spend(store_home, "--today").stdout


MODULES = """
import io, sys
from mrt.cli import run
from mrt.output import Console
code = run(sys.argv[1:], Console(None, io.StringIO(), sys.stderr, dict(__import__("os").environ)))
heavy = {"sqlite_utils", "tabulate", "httpx", "asyncio", "subprocess", "tomlkit", "mrt.cascade", "mrt.providers"}
print(code, sorted(heavy & set(sys.modules)), sorted(name for name in sys.modules if name.startswith("mrt.")))
"""


def test_what_a_report_imports(store_home: Home, tmp_path: Path) -> None:
    import subprocess
    import sys

    spend(store_home)

    def loaded(*arguments: str) -> str:
        environment = {**store_home.environment, "COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
        command = [sys.executable, "-c", MODULES, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=store_home.path)
        assert done.stderr == ""
        return done.stdout

    assert loaded("spend", "--month").startswith("0 [] ")
    assert loaded("spend", "check").startswith("0 [] ")
    shown = loaded("spend", "--help")
    assert "mrt.ledger" not in shown
    assert "_spend_" not in shown
