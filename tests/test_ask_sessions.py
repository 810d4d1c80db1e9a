"""What outlasts one `mrt ask`: conversations, and the tier they escalated to."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from rig.command import Command, Home
from rig.home_setup import calls, configure, ladder, rows, run_here, says, store_path
from rig.loopback import ScriptedServer
from rig.responses import json_response, sse
from rig.wire_chat import say

HARD = "Refactor the architecture of the whole system end to end"
Tables = dict[str, dict[str, Any]]


def two_tiers(low: ScriptedServer, high: ScriptedServer) -> Tables:
    """Two local tiers; hard prompts start on the second."""
    tables = ladder(low=low.url, high=high.url)
    tables["tiers.low"] |= {"max_complexity": 4}
    return tables


def talk(server: ScriptedServer) -> list[str]:
    """What the last request said, all turns."""
    return [message["content"] for message in server.requests[-1].json()["messages"]]


# --- conversations


def test_the_last_conversation_goes_on(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    run_here(store_home, "ask", "one")
    run_here(store_home, "ask", "two")
    assert talk(low) == ["two"]
    run_here(store_home, "ask", "-c", "three")
    assert talk(low) == ["two", "Low.", "three"]
    run_here(store_home, "ask", "-c", "four")
    assert talk(low) == ["two", "Low.", "three", "Low.", "four"]


def test_conversations_have_names(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    for name in ("work", "play"):
        run_here(store_home, "ask", "--session", name, f"about {name}")
    shown = json.loads(run_here(store_home, "ask", "--json", "--session", "work", "more").stdout)
    assert shown["data"]["session"] == "work"
    assert talk(low) == ["about work", "Low.", "more"]
    assert {call["session"] for call in calls(store_home)} == {"work", "play"}


def test_clearing_forgets(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    run_here(store_home, "ask", "--session", "work", "one")
    cleared = run_here(store_home, "ask", "--session", "work", "--clear")
    assert (cleared.exit_code, cleared.stdout, cleared.stderr) == (0, "", "cleared conversation work\n")
    again = run_here(store_home, "ask", "--session", "work", "--clear", "--json")
    assert json.loads(again.stdout)["data"] == {"cleared": None}
    run_here(store_home, "ask", "--session", "work", "two")
    assert talk(low) == ["two"]
    run_here(store_home, "ask", "--session", "work", "--clear", "three")
    assert talk(low) == ["three"]
    assert len(low.requests) == 3


@pytest.mark.skipif(os.name != "posix", reason="whether a pipe holds anything cannot be told here")
@pytest.mark.parametrize(
    ("stdin", "options", "said"),
    [
        ("piped\n", [], ["piped\n"]),
        ("piped\n", ["--no-stdin"], []),
        ("", [], []),
        (None, [], []),
    ],
    ids=["text", "text that is not to be looked at", "an empty pipe", "nothing"],
)
def test_clearing_and_piped_text(
    mrt: Command, store_home: Home, low: ScriptedServer, stdin: str | None, options: list[str], said: list[str]
) -> None:
    configure(store_home, ladder(low=low.url))
    run_here(store_home, "ask", "--session", "work", "old")
    result = mrt("ask", "--session", "work", "--clear", *options, stdin=stdin)
    assert (result.stdout, result.exit_code) == ("Low.\n" if said else "", 0)
    assert ("cleared conversation work" in result.stderr) == (not said)
    assert talk(low) == (said or ["old"])


def test_clearing_does_not_wait_for_a_pipe_that_stays_silent(
    mrt: Command, store_home: Home, low: ScriptedServer
) -> None:
    configure(store_home, ladder(low=low.url))
    run_here(store_home, "ask", "--session", "work", "old")
    with mrt.start("ask", "--session", "work", "--clear", "--stdin-timeout", "0.1") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == b""
        assert process.stderr.read() == b"cleared conversation work\n"
        assert process.wait() == 0


def test_clear_and_continue_starts_over(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    run_here(store_home, "ask", "old")
    run_here(store_home, "ask", "newer")
    assert run_here(store_home, "ask", "-c", "--clear", "fresh").exit_code == 0
    assert talk(low) == ["fresh"]
    run_here(store_home, "ask", "-c", "more")
    assert talk(low) == ["fresh", "Low.", "more"]


def test_no_text_is_kept_with_n(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    run_here(store_home, "ask", "-n", "a secret thought")
    assert run_here(store_home, "ask", "-c", "more").exit_code == 2
    (call,) = calls(store_home)
    assert (call["outcome"], call["output_tokens"]) == ("accepted", 3)
    assert b"secret thought" not in store_path(store_home).read_bytes()


def test_a_failed_answer_is_no_turn(store_home: Home, low: ScriptedServer) -> None:
    configure(store_home, ladder(low=low.url))
    run_here(store_home, "ask", "--session", "s", "one")
    low.routes["*"] = sse(say("Half"))
    assert run_here(store_home, "ask", "--session", "s", "two").exit_code == 6
    low.routes["*"] = says("Low.")
    run_here(store_home, "ask", "--session", "s", "three")
    assert talk(low) == ["one", "Low.", "three"]


# --- the tier of a conversation


def test_a_conversation_that_escalated_stays_up(store_home: Home, low: ScriptedServer, high: ScriptedServer) -> None:
    configure(store_home, two_tiers(low, high))
    low.routes["*"] = json_response(500, {"error": "out of order"})
    assert run_here(store_home, "ask", "--session", "s", "one").stdout == "High.\n"
    low.routes["*"] = says("Low.")
    stuck = run_here(store_home, "ask", "-v", "--session", "s", "two")
    assert stuck.stdout == "High.\n"
    assert stuck.stderr == "routed to high (high/m): the conversation escalated there (--clear starts over)\n"
    assert run_here(store_home, "ask", "other").stdout == "Low.\n"
    assert run_here(store_home, "ask", "--session", "s", "--tier", "low", "two").stdout == "Low.\n"
    assert run_here(store_home, "ask", "--session", "s", "--clear", "three").stdout == "Low.\n"
    assert run_here(store_home, "ask", "--session", "s", "four").stdout == "Low.\n"


def test_a_hard_prompt_is_up_front_for_once(store_home: Home, low: ScriptedServer, high: ScriptedServer) -> None:
    configure(store_home, two_tiers(low, high))
    assert run_here(store_home, "ask", "--session", "s", HARD).stdout == "High.\n"
    assert run_here(store_home, "ask", "--session", "s", "thanks").stdout == "Low.\n"


def test_a_hard_prompt_still_starts_above_the_sticky_tier(
    store_home: Home, low: ScriptedServer, high: ScriptedServer
) -> None:
    tables = ladder(low=low.url, middle=low.url, high=high.url)
    tables["tiers.low"] |= {"max_complexity": 4, "max_tokens": 5}
    tables["tiers.middle"] |= {"max_complexity": 5, "max_tokens": 6}
    low.routes["*"] = lambda request: says("Low.", finish="length" if request.json()["max_tokens"] == 5 else "stop")
    configure(store_home, tables)
    assert run_here(store_home, "ask", "--session", "s", "one").stdout == "Low.\n"
    assert rows(store_home, "SELECT sticky_tier FROM conversations") == [{"sticky_tier": "middle"}]
    assert run_here(store_home, "ask", "--session", "s", HARD).stdout == "High.\n"


def test_with_n_no_tier_sticks(store_home: Home, low: ScriptedServer, high: ScriptedServer) -> None:
    configure(store_home, two_tiers(low, high))
    low.routes["*"] = json_response(500, {"error": "out of order"})
    run_here(store_home, "ask", "-n", "--session", "s", "one")
    low.routes["*"] = says("Low.")
    assert run_here(store_home, "ask", "--session", "s", "two").stdout == "Low.\n"
