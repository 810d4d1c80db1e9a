"""What a store that does not work, and a budget that is spent, do to `mrt ask`."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from rig.command import Command, Home
from rig.home_setup import beginning, calls, configure, ladder, rows, run_here, says, store_path
from rig.loopback import Action, ScriptedServer
from rig.responses import json_response, sse
from rig.wire_chat import DONE, chunk, say

HARD = "Refactor the architecture of the whole system end to end"
Tables = dict[str, dict[str, Any]]


def two_tiers(low: ScriptedServer, high: ScriptedServer) -> Tables:
    """Two local tiers; hard prompts start on the second."""
    tables = ladder(low=low.url, high=high.url)
    tables["tiers.low"] |= {"max_complexity": 4}
    return tables


# --- a store that does not work


def paid(server: ScriptedServer, daily: float | str = 1.0, **more: dict[str, Any]) -> Tables:
    """One paid tier: an answer costs at most about 0.2 cents, and 12 + 3 tokens cost 18 micro-dollars."""
    tables = ladder(cloud=server.url, local=False)
    tables["tiers.cloud"]["max_tokens"] = 1000
    tables['prices."cloud/m"'] = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}
    return tables | {"budget": {"daily_usd": daily, "monthly_usd": "none"}} | more


def damage(home: Home) -> str:
    """Put something else where the store should be."""
    path = store_path(home)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all" * 100)
    return f"warning: the spend store {path} is damaged or no database: file is not a database"


def test_local_work_goes_on_without_a_store(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    line = damage(store_home)
    result = run_here(store_home, "ask", "hi")
    assert (result.exit_code, result.stdout) == (0, "Low.\n")
    assert result.stderr == f"{line}; going on without it, so nothing is kept\n"


def test_paid_work_does_not_go_on_without_a_store(store_home: Home, high: ScriptedServer) -> None:
    configure(store_home, paid(high))
    line = damage(store_home)
    result = run_here(store_home, "ask", "hi")
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == (
        f"{line}; going on without it, so nothing is kept\n"
        "error: cloud/m: cloud/m costs money and the spend store does not work\n"
        "hint: see what is wrong: mrt spend doctor; or allow it: mrt config set budget.on_store_failure allow\n"
    )
    assert high.requests == []


def test_paid_work_goes_on_if_the_user_says_so(store_home: Home, high: ScriptedServer) -> None:
    tables = paid(high)
    tables["budget"]["on_store_failure"] = "allow"
    configure(store_home, tables)
    damage(store_home)
    result = run_here(store_home, "ask", "--json", "hi")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["data"]["cost"] == {"state": "priced", "usd": "0.000018"}


def test_a_store_that_locks_up_takes_no_local_answer_away(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    run_here(store_home, "ask", "hi")
    with closing(sqlite3.connect(store_path(store_home), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = run_here(store_home, "ask", "-n", "hi")
    assert (result.exit_code, result.stdout) == (0, "Low.\n")
    locked = f"the spend store {store_path(store_home)} is locked by another program"
    assert result.stderr == f"warning: {locked}; low/m is asked all the same, and its call is not booked\n"


def test_a_store_that_locks_up_stops_paid_work(store_home: Home, high: ScriptedServer) -> None:
    configure(store_home, paid(high))
    run_here(store_home, "ask", "hi")
    with closing(sqlite3.connect(store_path(store_home), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = run_here(store_home, "ask", "-n", "hi")
    assert (result.exit_code, result.stdout, len(high.requests)) == (5, "", 1)


def test_a_store_that_locks_up_while_the_answer_comes(mrt: Command, store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    low.routes["*"] = lambda request: lock() or says("Low.")
    with closing(sqlite3.connect(":memory:")) as nothing:
        locks: list[sqlite3.Connection] = [nothing]

        def lock() -> None:
            locks[0] = sqlite3.connect(store_path(store_home), isolation_level=None, check_same_thread=False)
            locks[0].execute("BEGIN IMMEDIATE")

        result = run_here(store_home, "ask", "-n", "hi")
        locks[0].close()
    assert (result.exit_code, result.stdout) == (0, "Low.\n")
    assert result.stderr.startswith("warning: this call is not settled in the spend store: ")


# --- budgets


def spend(home: Home, usd: float) -> None:
    """Book a call of this cost today, as another program would have left it."""
    from mrt.domain import Cost
    from mrt.ledger import Booking, Settlement, open_store, reserve, settle

    store = open_store(store_path(home))
    booking = Booking("o", 0, "ask", "cloud", "cloud", "m", False, round(usd * 1e9))
    settle(store, reserve(store, booking), Settlement("accepted", cost=Cost("priced", round(usd * 1e9))))
    store.close()


def test_over_the_budget_nothing_is_sent(store_home: Home, high: ScriptedServer) -> None:
    configure(store_home, paid(high))
    spend(store_home, 0.999)
    result = run_here(store_home, "ask", "hi")
    assert (result.exit_code, result.stdout) == (5, "")
    first, hint = result.stderr.splitlines()
    assert first.startswith("error: cloud/m: ")
    assert "daily" in first
    assert hint.startswith("hint: ")
    assert high.requests == []


@pytest.mark.parametrize("limit", ["daily_usd", "monthly_usd"])
def test_a_budget_of_zero_blocks(store_home: Home, high: ScriptedServer, limit: str) -> None:
    tables = paid(high)
    tables["budget"] = {"daily_usd": "none", "monthly_usd": "none", limit: 0}
    configure(store_home, tables)
    assert run_here(store_home, "ask", "hi").exit_code == 5
    assert high.requests == []


def test_over_the_budget_a_hard_prompt_stays_local(store_home: Home, low: ScriptedServer, high: ScriptedServer) -> None:
    tables = _mixed(low, high)
    tables["tiers.low"]["max_complexity"] = 4
    configure(store_home, tables)
    spend(store_home, 0.999)
    result = run_here(store_home, "ask", "--session", "s", HARD)
    assert (result.exit_code, result.stdout) == (0, "Low.\n"), result.stderr
    note = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(note) == 1
    assert note[0].startswith("cloud (cloud/m) is not asked: ")
    assert note[0].endswith("; staying local: asking low")
    assert high.requests == []
    assert rows(store_home, "SELECT sticky_tier FROM conversations") == [{"sticky_tier": None}]
    assert run_here(store_home, "ask", "--tier", "cloud", HARD).exit_code == 5
    assert run_here(store_home, "ask", "-m", "cloud", HARD).exit_code == 5
    lines = [json.loads(line) for line in run_here(store_home, "ask", "--stream-json", HARD).stdout.splitlines()]
    (refused,) = [line for line in lines if line["event"] == "refused"]
    assert (refused["tier"], refused["code"], refused["instead"]) == ("cloud", "budget", "low")


HAND_OVER = {
    "tool_calls": [{"index": 0, "id": "c", "function": {"name": "escalate", "arguments": '{"reason": "hard"}'}}]
}


@pytest.mark.parametrize("stubborn", [False, True], ids=["answers-then", "hands-on-all-the-same"])
def test_over_the_budget_a_model_that_handed_on_is_asked_again(
    store_home: Home, low: ScriptedServer, high: ScriptedServer, stubborn: bool
) -> None:
    def answer(request: Any) -> Any:
        handed = stubborn or "tools" in request.json()
        return sse([chunk(HAND_OVER), chunk({}, "tool_calls"), DONE]) if handed else says("Low.")

    low.routes["*"] = answer
    tables = _mixed(low, high)
    tables["tiers.low"]["tools"] = True
    configure(store_home, tables)
    spend(store_home, 0.999)
    result = run_here(store_home, "ask", "hi")
    assert (result.exit_code, result.stdout) == ((5, "") if stubborn else (0, "Low.\n")), result.stderr
    assert ["tools" in request.json() for request in low.requests] == [True, False]
    assert high.requests == []
    notes = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    assert notes[0] == "escalated to cloud from low: handoff: the model hands off: hard"
    assert notes[1].startswith("cloud (cloud/m) is not asked: the daily budget of ")
    assert notes[1].endswith("; staying local: asking low")


def test_over_the_budget_an_escalation_is_refused(store_home: Home, low: ScriptedServer, high: ScriptedServer) -> None:
    low.routes["*"] = says("Lo", finish="length")
    configure(store_home, _mixed(low, high))
    spend(store_home, 0.999)
    result = run_here(store_home, "ask", "hi")
    assert (result.exit_code, result.stdout) == (6, "Lo\n")
    assert high.requests == []
    last = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(last) == 1
    assert last[0].startswith(
        "error: no tier could answer: low (low/m): cut at the token limit (max_tokens); cloud (cloud/m): "
    )


def _mixed(low: ScriptedServer, high: ScriptedServer) -> Tables:
    """A local tier below a paid one."""
    cloud = paid(high)
    local = ladder(low=low.url)
    return {"tiers.low": local["tiers.low"], "endpoints.low": local["endpoints.low"], **cloud}


def test_an_escalation_reserves_when_it_comes(store_home: Home, low: ScriptedServer, high: ScriptedServer) -> None:
    low.routes["*"] = says("Lo", finish="length")
    seen: list[list[dict[str, Any]]] = []

    def answer(_: Any) -> Any:
        seen.append(calls(store_home))
        return says("High.")

    high.routes["*"] = answer
    configure(store_home, _mixed(low, high))
    assert run_here(store_home, "ask", "hi").stdout == "High.\n"
    ((local, cloud),) = seen
    assert (local["state"], local["reserved_nano"], local["cost_nano"]) == ("partial", 0, 0)
    assert (cloud["state"], cloud["cost_nano"]) == ("reserved", None)
    # 1000 output tokens at 2 dollars a million, and twice the estimate of the prompt plus 64 at 1 dollar.
    assert 2_000_000 < cloud["reserved_nano"] < 2_100_000
    after = calls(store_home)[1]
    assert (after["state"], after["cost_state"], after["cost_nano"]) == ("settled", "priced", 18_000)


def test_a_reservation_counts_against_the_budget(mrt: Command, store_home: Home, high: ScriptedServer) -> None:
    configure(store_home, paid(high, daily=0.003))
    high.routes["*"] = [*beginning("Hi"), Action.HOLD]
    with mrt.start("ask", "hi", stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"Hi"
        assert run_here(store_home, "ask", "hi").exit_code == 5
        process.terminate()
        process.wait(20)
    (call,) = calls(store_home)
    assert (call["state"], call["cost_state"]) == ("partial", "estimated")
    assert 0 < call["cost_nano"] < 100_000
    high.routes["*"] = says("High.")
    assert run_here(store_home, "ask", "hi").exit_code == 0


def test_what_an_answer_cost_is_said(store_home: Home, high: ScriptedServer) -> None:
    configure(store_home, paid(high))
    assert ", $0.000018, " in run_here(store_home, "ask", "-u", "hi").stderr
    high.routes["*"] = sse(say("Hi"))
    assert ", about $0.0000" in run_here(store_home, "ask", "-u", "hi").stderr
    high.routes["*"] = json_response(401, {"error": "no"})
    assert "cloud (cloud/m): ? tokens in, ? tokens out, $0, " in run_here(store_home, "ask", "-u", "hi").stderr


def test_a_model_without_a_price_is_refused(store_home: Home, high: ScriptedServer) -> None:
    tables = paid(high)
    del tables['prices."cloud/m"']
    configure(store_home, tables)
    refused = run_here(store_home, "ask", "hi")
    assert refused.exit_code == 5
    assert "price" in refused.stderr
    assert high.requests == []
    allowed = run_here(store_home, "ask", "--allow-unpriced", "-u", "hi")
    assert (allowed.exit_code, allowed.stdout) == (0, "High.\n")
    assert "cost unknown" in allowed.stderr
    (call,) = calls(store_home)
    assert (call["cost_state"], call["cost_nano"]) == ("unknown", None)


def test_without_a_budget_no_price_is_needed(store_home: Home, high: ScriptedServer) -> None:
    tables = paid(high, daily="none")
    del tables['prices."cloud/m"']
    configure(store_home, tables)
    assert run_here(store_home, "ask", "hi").exit_code == 0


def test_nearly_spent_is_a_warning(store_home: Home, high: ScriptedServer) -> None:
    configure(store_home, paid(high))
    spend(store_home, 0.9)
    result = run_here(store_home, "ask", "hi")
    assert (result.exit_code, result.stdout) == (0, "High.\n")
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: ")
    assert "daily" in line


def test_a_rejected_request_costs_nothing_and_a_lost_one_its_bound(store_home: Home, high: ScriptedServer) -> None:
    configure(store_home, paid(high))
    high.routes["*"] = json_response(400, {"error": "no"})
    run_here(store_home, "ask", "hi")
    high.routes["*"] = [Action.RESET]
    run_here(store_home, "ask", "hi")
    first, second = calls(store_home)
    assert (first["cost_state"], first["cost_nano"]) == ("priced", 0)
    assert (second["cost_state"], second["cost_nano"]) == ("estimated", second["reserved_nano"])


def test_days_are_counted_where_the_user_lives(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url) | {"budget": {"timezone": "Pacific/Kiritimati"}})
    run_here(store_home, "ask", "hi")
    (call,) = calls(store_home)
    started = datetime.fromtimestamp(call["started_us"] / 1e6, UTC)
    assert call["timezone"] == "Pacific/Kiritimati"
    assert (datetime.fromisoformat(call["day"]).replace(tzinfo=UTC) - started).total_seconds() < 14 * 3600
