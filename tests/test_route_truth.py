"""The table says what `mrt spend` and the servers themselves say: prices, budgets, context, what is loaded."""

from __future__ import annotations

import json
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from ledger_kit import booking
from rig.command import Home
from rig.home_setup import configure, run_here, says, store_path
from rig.llama_server import LlamaServer
from rig.loopback import ScriptedServer
from rig.probe_servers import lm_studio, routes
from route_kit import EASY, HARD, Shown, route
from spend_kit import LOCAL, PAID, local_answer, paid_answer, spend

from mrt.cascade.room import Room, room_for
from mrt.cascade.sighted import Sighted
from mrt.domain import Cost, Target, Timing, Usage
from mrt.ledger import open_store, reserve, settle

MODELS = ["anthropic/claude-haiku-4-5", "openai/gpt-4o", "xai/grok-4", "deepseek/deepseek-chat"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prompt", [EASY, HARD * 200], ids=["short", "long"])
def test_costs_are_those_of_the_price_table(store_home: Home, model: str, prompt: str) -> None:
    configure(store_home, {"tiers.only": {"model": model}})
    row = route(store_home, prompt, "--json").tier("only")
    rates = spend(store_home, "prices", model, "--json").data["rates"]
    exact = row["input_tokens"] * Decimal(rates["input"]) + row["output_tokens"] * Decimal(rates["output"])
    assert row["cost"]["state"] == "estimated"
    assert abs(Decimal(row["cost"]["usd"]) - exact / 1_000_000) <= Decimal("1e-9")


def test_the_bound_is_the_one_that_ask_reserves(store_home: Home) -> None:
    configure(store_home, {"tiers.only": {"model": "anthropic/claude-haiku-4-5"}})
    shown = route(store_home, HARD, "--json").tier("only")
    asked = json.loads(run_here(store_home, "ask", "--dry-run", "--json", HARD).stdout)["data"]
    assert shown["cost_bound"] == asked["bound"]


def spent(home: Home, cents: int) -> None:
    """A settled call of so many cents, now."""
    with closing(open_store(store_path(home))) as store:
        identifier = reserve(store, booking(50_000_000, **PAID, operation_id="spent"))
        settle(store, identifier, paid_answer(cents))
        reserve(store, booking(20_000_000, **PAID, operation_id="held"))


def test_the_budget_left_is_that_of_spend_check(store_home: Home) -> None:
    spent(store_home, 3)
    row = route(store_home, EASY, "--json").tier("cloud")
    budgets = spend(store_home, "check", "--json").data["budgets"]
    left = min(Decimal(one["left_usd"]) for one in budgets)
    assert left == Decimal("4.95")
    assert Decimal(row["budget_left_usd"]) == left - Decimal(row["cost"]["usd"])


def test_a_used_up_budget_closes_what_spend_check_calls_over(store_home: Home) -> None:
    configure(store_home, {"budget": {"daily_usd": 0.05, "monthly_usd": "none"}})
    spent(store_home, 3)
    assert spend(store_home, "check").exit_code == 5
    shown = route(store_home, EASY, "--json", "--tier", "cloud")
    assert (shown.exit_code, shown.data["tier"]) == (5, None)
    assert shown.tier("cloud")["reason"].startswith("budget: daily budget has $0 left, this may cost $")
    assert route(store_home, EASY, "--json").data["tier"] == "local-fast"


def test_a_limit_on_one_tier_holds_for_that_tier(store_home: Home) -> None:
    configure(store_home, {"limits.tight": {"tier": "cloud", "per_call_usd": 0.0001}})
    shown = route(store_home, EASY, "--json")
    assert shown.tier("cloud")["reason"].startswith("budget: per-call limit tight has $0.0001 left")


def test_a_store_that_does_not_work_closes_paid_tiers_alone(store_home: Home) -> None:
    store_path(store_home).parent.mkdir(parents=True)
    store_path(store_home).write_text("no database")
    shown = route(store_home, EASY, "--json")
    assert shown.tier("local-fast")["open"]
    assert shown.tier("cloud")["reason"].startswith("budget: the spend store does not work: ")


def test_seconds_and_length_are_those_of_past_answers(store_home: Home) -> None:
    fields: dict[str, Any] = LOCAL | {"purpose": "ask"}
    with closing(open_store(store_path(store_home))) as store:
        for number in range(30):
            identifier = reserve(store, booking(0, **fields, operation_id=f"past-{number}"))
            past = local_answer(usage=Usage(100, 400, source="reported"), timing=Timing(500, 9000, 50.0))
            settle(store, identifier, past)
    row = route(store_home, EASY, "--json").tier("local-fast")
    assert (row["output_tokens"], row["seconds"]) == (400, 8.5)  # 0.5 s to the first token, 400 tokens at 50 tokens/s
    assert route(store_home, EASY, "--json").tier("local-heavy")["seconds"] is None


def probed(home: Home, server: ScriptedServer | LlamaServer, kind: str, model: str, *more: str) -> Shown:
    """One tier at a server that was just looked at."""
    box = {"kind": kind, "url": server.url, "local": True}
    configure(home, {"tiers.only": {"model": f"box/{model}"}, "endpoints.box": box})
    return route(home, EASY, "--json", "--probe", *more)


SERVERS: dict[str, tuple[str, str, str, str]] = {
    # what it serves, and how the gates of model and context say so
    "vllm": ("vllm", "tiny", "loaded", "do not fit 2048 served"),
    "litellm": ("litellm", "mock-cloud", "there", "of 128000 served"),
    "llamacpp": ("llamacpp", "anything", "loaded", "do not fit 2048 served"),
    "ollama": ("ollama", "gotools", "cold, about 0 s to load", "do not fit 2048 asked of Ollama"),
    "lm_studio": ("lm_studio", "qwen/qwen3-8b", "loaded", "of 8192 served"),
}


@pytest.mark.parametrize(("kind", "model", "state", "context"), SERVERS.values(), ids=SERVERS)
def test_context_and_load_state_are_what_the_server_says(
    store_home: Home, kind: str, model: str, state: str, context: str
) -> None:
    answers = lm_studio() if kind == "lm_studio" else routes(kind)
    with ScriptedServer(answers) as server:
        shown = probed(store_home, server, kind, model)
    assert shown.gate("only", "model")["figure"] == state
    assert shown.gate("only", "context")["figure"].endswith(context)
    assert shown.gate("only", "endpoint")["figure"].startswith("up, checked ")
    assert shown.exit_code == (3 if "not fit" in context else 0)


@pytest.mark.parametrize("kind", ["ollama", "vllm", "llama_swap"])
def test_a_model_that_is_not_there_closes_its_tier(store_home: Home, kind: str) -> None:
    with ScriptedServer(routes(kind)) as server:
        shown = probed(store_home, server, kind, "nobody-has-this")
    assert shown.exit_code == 3
    assert shown.tier("only")["reason"] == "model: the server does not have this model"


def test_what_the_prompt_needs_closes_models_without_it(store_home: Home) -> None:
    with ScriptedServer(routes("ollama")) as server:
        assert (
            probed(store_home, server, "ollama", "gotmpl", "--needs", "tools")
            .tier("only")["reason"]
            .startswith("context")
        )
        gate = route(store_home, EASY, "--json", "--needs", "tools").gate("only", "needs")
    assert gate == {"gate": "needs", "state": "closed", "figure": "the model has no tools"}


def test_a_real_llama_server_says_what_one_slot_has(store_home: Home, llama_fast: LlamaServer) -> None:
    shown = probed(store_home, llama_fast, "llamacpp", "fast")
    assert shown.exit_code == 0
    assert shown.gate("only", "context")["figure"].endswith(" of 8192 served")  # 16384 tokens for two slots
    assert shown.gate("only", "model")["figure"] == "loaded"
    too_long = route(store_home, "word " * 5000, "--json")
    assert too_long.exit_code == 3
    assert too_long.tier("only")["reason"].endswith("do not fit 8192 served")


def test_ask_looks_again_before_it_passes_a_tier_over(store_home: Home) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server:
        url = server.url
    tables = {f"tiers.{name}": {"model": f"{name}/m"} for name in ("low", "high")}
    tables |= {f"endpoints.{name}": {"kind": "openai", "url": url, "local": True} for name in ("low", "high")}
    with ScriptedServer({"*": says("Lyon.")}) as other:
        tables["endpoints.high"]["url"] = other.url
        configure(store_home, tables)
        assert route(store_home, EASY, "--probe", "--json").data["tier"] == "high"
        data = json.loads(run_here(store_home, "ask", "--json", EASY).stdout)["data"]
        assert (data["tier"], [one["tier"] for one in data["attempts"]]) == ("high", ["high"])


def sighting(**fields: Any) -> Sighted:
    """A cold model of an Ollama on this machine."""
    usual: dict[str, Any] = {
        "kind": "ollama",
        "state": "ready",
        "age_s": 1.0,
        "trouble": "",
        "listed": True,
        "loaded": False,
        "load_seconds": 5.0,
        "context": None,
        "context_trained": None,
        "size_bytes": 5_000_000_000,
        "quantization": "Q4_K_M",
        "remote": False,
        "reclaimable_bytes": 0,
        "able": {},
    }
    return Sighted(**usual | fields)


def room(model: str, context: int) -> Room:
    """What loading a model of the catalog would take here."""
    target = Target("ollama", model, "ollama", "ollama", "http://127.0.0.1:11434", local=True)
    found = room_for(target, context, sighting())
    assert found is not None
    return found


def test_the_memory_gate_counts_weights_and_this_context() -> None:
    small, large = room("llama3.1:8b", 8192), room("llama3.1:8b", 131072)
    # 32 layers of 8 KV heads with 128 elements in F16, for keys and values: 128 KiB a token.
    assert large.needed_bytes - small.needed_bytes >= (131072 - 8192) * 128 * 1024
    assert "1.0 GiB of KV cache for 8192 tokens" in small.what
    assert small.free_bytes is not None


def test_a_model_that_nobody_knows_has_no_memory_gate() -> None:
    target = Target("ollama", "no-such-model-anywhere", "ollama", "ollama", "http://127.0.0.1:11434", local=True)
    assert room_for(target, 8192, sighting()) is None


def test_costs_of_local_tiers_are_free_and_said_so(store_home: Home) -> None:
    row = route(store_home, EASY, "--json").tier("local-heavy")
    assert (row["cost"], row["cost_bound"]) == ({"state": "free", "usd": "0"}, {"state": "free", "usd": "0"})
    assert Cost("free", 0).nano == 0


def test_a_server_that_was_started_since_the_last_look_is_asked(store_home: Home) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server, ScriptedServer({"*": says("Lyon.")}) as other:
        tables = {f"tiers.{name}": {"model": f"{name}/m"} for name in ("low", "high")}
        tables |= {"endpoints.low": {"kind": "openai", "url": "http://127.0.0.1:9", "local": True}}
        tables |= {"endpoints.high": {"kind": "openai", "url": other.url, "local": True}}
        configure(store_home, tables)
        assert route(store_home, EASY, "--probe", "--json").data["tier"] == "high"
        cache = store_home.path / "cache" / "mrt" / "probe.json"
        cache.write_text(cache.read_text().replace("http://127.0.0.1:9", server.url))
        tables["endpoints.low"]["url"] = server.url
        configure(store_home, tables)
        assert route(store_home, EASY, "--json").data["tier"] == "high"  # as the last look had it
        data = json.loads(run_here(store_home, "ask", "--json", EASY).stdout)["data"]
        assert (data["tier"], data["answer"]) == ("low", "Paris.")
        assert route(store_home, EASY, "--json").data["tier"] == "low"
