"""What an ask makes of prices and limits, end to end."""

from __future__ import annotations

import json
from decimal import Decimal

from rig.command import Command, Home
from rig.home_setup import calls
from rig.loopback import ScriptedServer, in_turn
from rig.responses import sse
from rig.wire_chat import DONE, chunk, counts

ANSWER = sse([chunk({"content": "It rains."}), chunk({}, "stop"), {"choices": [], "usage": counts(12, 3)}, DONE])


def config(home: Home, text: str) -> None:
    (home.config / "mrt").mkdir(parents=True, exist_ok=True)
    (home.config / "mrt" / "config.toml").write_text(text, encoding="utf-8")


def environment(server: ScriptedServer) -> dict[str, str]:
    return {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "sk-none"}


ASK = ("ask", "weather?", "--no-probe", "--no-stdin", "-m")


def test_a_call_is_priced_and_booked_under_its_tag(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": in_turn(ANSWER)}) as server:
        done = mrt(*ASK, "openai/gpt-4o", "--tag", "nightly", env={**environment(server), "MRT_ASK_PROJECT": "web"})
    assert (done.exit_code, done.stdout) == (0, "It rains.\n")
    (row,) = calls(store_home)
    assert (row["tag"], row["project"], row["cost_nano"]) == ("nightly", "web", 12 * 2_500 + 3 * 10_000)
    assert row["price_reference"] == "genai-prices 0.2.3 (2026-11-10): openai/gpt-4o"


def test_a_dearer_way_to_be_served_is_priced_as_such(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": in_turn(ANSWER)}) as server:
        mrt(*ASK, "openai/gpt-4o", "-o", "service_tier=priority", env=environment(server))
    (row,) = calls(store_home)
    assert row["cost_nano"] == 12 * 4_250 + 3 * 17_000


def test_a_fallback_is_priced_by_the_model_that_served(mrt: Command, store_home: Home) -> None:
    answer = sse(
        [
            chunk({"content": "It rains."}, model="gpt-4o-mini-2024-07-18"),
            chunk({}, "stop", model="gpt-4o-mini-2024-07-18"),
            {"choices": [], "usage": counts(100, 10), "model": "gpt-4o-mini-2024-07-18"},
            DONE,
        ]
    )
    with ScriptedServer({"*": in_turn(answer)}) as server:
        mrt(*ASK, "openai/gpt-4o", env=environment(server))
    (row,) = calls(store_home)
    assert row["cost_nano"] == 100 * 150 + 10 * 600
    assert json.loads(row["rates"])["id"] == "openai/gpt-4o-mini"
    assert row["price_reference"].endswith("openai/gpt-4o-mini")


LIMITED = """
[budget]
per_session_usd = 100
[limits.nightly]
tag = "night*"
per_call_usd = 0.000001
"""


def test_a_limit_refuses_before_a_byte_is_sent(mrt: Command, store_home: Home) -> None:
    config(store_home, LIMITED)
    with ScriptedServer({"*": in_turn(ANSWER)}) as server:
        refused = mrt(*ASK, "openai/gpt-4o", "--tag", "nightly", env=environment(server))
        assert (refused.exit_code, server.requests) == (5, [])
        assert "the per-call limit nightly of $0.000001 does not allow this call" in refused.stderr
        assert "mrt config set limits.nightly.per_call_usd AMOUNT" in refused.stderr
        assert mrt(*ASK, "openai/gpt-4o", "--tag", "other", env=environment(server)).exit_code == 0


def test_an_unknown_price_names_those_that_were_meant(mrt: Command) -> None:
    with ScriptedServer({"*": in_turn(ANSWER)}) as server:
        done = mrt(*ASK, "openai/gpt-5.9", env=environment(server))
        assert (done.exit_code, server.requests) == (5, [])
    assert "the price of openai/gpt-5.9 is not known, so no budget can be held (close to openai/gpt-5" in done.stderr
    assert "mrt spend prices openai/gpt-5.9" in done.stderr


def test_a_nearly_used_limit_warns(mrt: Command, store_home: Home) -> None:
    config(store_home, '[limits.day]\nmodel = "openai/*"\ndaily_usd = 0.05\n[ask]\nmax_tokens = 4096\n')
    with ScriptedServer({"*": in_turn(ANSWER)}) as server:
        done = mrt(*ASK, "openai/gpt-4o", env=environment(server))
    assert done.exit_code == 0
    assert "% of the daily limit day of $0.05 is used or reserved: $0 used, $0.04" in done.stderr


def test_cache_entries_of_an_hour_are_priced_as_such(mrt: Command) -> None:
    bounds = []
    for more in ((), ("-o", 'cache_control={"type": "ephemeral", "ttl": "1h"}')):
        done = mrt(*ASK, "anthropic/claude-haiku-4-5", "--dry-run", "--json", *more, env={"ANTHROPIC_API_KEY": "sk-x"})
        bounds.append(Decimal(json.loads(done.stdout)["data"]["bound"]["usd"]))
    doubled_input = 2 * 2 + 64  # "weather?" is 2 tokens by estimate
    assert bounds[1] - bounds[0] >= doubled_input * Decimal("0.75") / 10**6
