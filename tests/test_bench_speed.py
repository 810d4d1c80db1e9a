"""`mrt bench --speed-only` as people run it: what is asked, what is booked, and what servers that fail leave to say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from rig.command import Home
from rig.home_setup import calls, configure, run_here
from rig.llama_server import LlamaServer
from rig.loopback import Action, Request, Response, ScriptedServer
from rig.responses import json_response, sse
from rig.wire_chat import DONE, chunk, counts, say
from speed_kit import Pace, TimedServer, as_ollama_answer, settle, speed, with_timings, with_usage, without_usage

QUICK = Pace(first=0.01, between=0.001, role_after=0.0, end=with_usage)
NOWHERE = {"LOCAL_LLM_BASE_URL": "http://127.0.0.1:9"}
LISTED = json_response(200, {"data": [{"id": "m"}]})
FEW = ("--repetitions", "1")


def prompts(server: TimedServer) -> list[str]:
    """What was asked."""
    return [run.body["messages"][-1]["content"] for run in server.sent]


def test_one_request_may_load_the_model_one_warms_up_then_the_lengths_take_turns(store_home: Home) -> None:
    with TimedServer(QUICK) as server:
        settle(store_home, server.url)
        found = speed(store_home, "--prompt-tokens", "256,64", "--repetitions", "2")["speed"]
    # The server says that each prompt has 150 tokens: the lengths after the first request go by that.
    first, *others = map(len, prompts(server))
    assert first == pytest.approx(256, abs=20)
    wanted = [64, 64, 256, 64, 256]
    assert others == pytest.approx([first * tokens / 150 for tokens in wanted], abs=20)
    assert [(row["wanted_prompt_tokens"], row["runs"]) for row in found["lengths"]] == [(64, 2), (256, 2)]
    assert [run.body["max_tokens"] for run in server.sent] == [128] * 6
    assert {run.body["temperature"] for run in server.sent} == {0.0}


def test_no_prompt_begins_like_another(store_home: Home) -> None:
    with TimedServer(QUICK) as server:
        settle(store_home, server.url)
        speed(store_home, *FEW, "--concurrency", "1,2", "--ctx-sweep", "300")
        speed(store_home, *FEW)
    asked = prompts(server)
    assert len(asked) == 3 + 2 + 2 * (1 + 2) + 3
    assert len({prompt[:8] for prompt in asked}) == len(asked)


def test_a_seed_asks_the_same_again(store_home: Home) -> None:
    with TimedServer(QUICK) as server:
        settle(store_home, server.url)
        speed(store_home, *FEW, "--seed", "7")
        speed(store_home, *FEW, "--seed", "7")
    asked = prompts(server)
    assert asked[:3] == asked[3:]


def test_every_call_is_booked_for_bench(store_home: Home) -> None:
    price = {"input_usd_per_mtok": 2.0, "output_usd_per_mtok": 10.0}
    with TimedServer(QUICK) as server:
        settle(store_home, server.url, "openai", **{'prices."box/m"': price})
        data = speed(store_home, "--repetitions", "2", "--tag", "nightly", "--project", "web")
    rows = calls(store_home)
    assert {(row["purpose"], row["tag"], row["project"], row["cost_state"]) for row in rows} == {
        ("bench", "nightly", "web", "priced")
    }
    each = 150 * 2_000 + 120 * 10_000
    assert [row["cost_nano"] for row in rows] == [each] * 4
    assert data["cost"] == {
        "state": "priced",
        "usd": "0.006",
        "known_usd": "0.006",
        "unpriced_calls": 0,
        "calls": 4,
    }


def test_a_budget_ends_it_and_what_was_measured_stays(store_home: Home) -> None:
    price = {"input_usd_per_mtok": 2.0, "output_usd_per_mtok": 10.0}
    with TimedServer(QUICK) as server:
        tables = {'prices."box/m"': price, "budget": {"daily_usd": 0.007}}
        settle(store_home, server.url, "openai", **tables)
        data = speed(store_home, code=5)
    assert data["complete"] is False
    assert 0 < data["speed"]["lengths"][0]["runs"] < 5
    assert data["cost"]["calls"] == len(server.sent) == len(calls(store_home))


def test_an_unpriced_model_under_a_budget_is_not_asked(store_home: Home) -> None:
    with TimedServer(QUICK) as server:
        settle(store_home, server.url, "openai", budget={"daily_usd": 1.0})
        result = run_here(store_home, "bench", "--speed-only", env=NOWHERE)
    assert (result.exit_code, server.sent) == (5, [])
    assert result.stdout == (
        "box/m  speed: median (min-max) of 5, at most 128 tokens each\n"
        "!! not measured: the price of box/m is not known, so no budget can be held\n"
    )


# The pace by the number of the request, then: exit code, runs, failed, short, and what is said.
BAD: dict[str, tuple[Any, int, tuple[int, int, int], str | None]] = {
    "no token at all": (lambda _: replace(QUICK, chunks=0), 6, (2, 2, 0), "sends no token"),
    "short answers": (lambda _: replace(QUICK, chunks=10), 0, (5, 0, 5), None),
    "one answer breaks off": (
        lambda number: replace(QUICK, cut_after=20 if number == 4 else None),
        0,
        (5, 1, 0),
        "the connection broke in mid-answer",
    ),
    "it dies on the way": (
        lambda number: replace(QUICK, cut_after=20 if number > 3 else None),
        6,
        (5, 3, 0),
        "the connection broke in mid-answer",
    ),
}


@pytest.mark.parametrize(("pace", "code", "numbers", "problem"), BAD.values(), ids=BAD)
def test_bad_answers_are_counted_apart(
    store_home: Home, pace: Any, code: int, numbers: tuple[int, int, int], problem: str | None
) -> None:
    with TimedServer(pace) as server:
        settle(store_home, server.url)
        data = speed(store_home, code=code)
    (row,) = data["speed"]["lengths"]
    assert (row["runs"], row["failed"], row["short"]) == numbers
    assert problem in (row["problem"] or "") if problem else row["problem"] is None
    good = row["runs"] - row["failed"] - row["short"]
    assert (row["decode_tps"] or {"count": 0})["count"] == good
    assert data["complete"] is (code == 0)


def test_nobody_there_is_said_with_the_name_and_the_other_model_is_measured(store_home: Home) -> None:
    with TimedServer(QUICK) as server:
        gone = {"endpoints.gone": {"kind": "vllm", "url": "http://127.0.0.1:9"}, "tiers.two": {"model": "gone/m"}}
        settle(store_home, server.url, **gone)
        arguments = ("bench", "--speed-only", "gone/m", "one", *FEW, "--prompt-tokens", "64", "--json")
        result = run_here(store_home, *arguments, env=NOWHERE)
    document = json.loads(result.stdout)
    assert result.exit_code == 3
    assert [(run["model"], run["complete"]) for run in document["data"]["runs"]] == [("gone/m", False), ("box/m", True)]
    assert [error["message"] for error in document["errors"]] == [
        "gone/m: cannot connect to http://127.0.0.1:9 (connection refused)"
    ]


def fits(limit: int) -> Any:
    """A server with a context of so many characters."""

    def answer(request: Request) -> Response:
        if len(request.json()["messages"][-1]["content"]) > limit:
            message = "This model's maximum context length is 512 tokens"
            return json_response(400, {"error": {"message": message, "code": "context_length_exceeded"}})
        return sse([*say(*(["one "] * 40)), chunk({}, "length"), {"choices": [], "usage": counts(32, 40)}, DONE])

    return answer


def test_a_length_that_does_not_fit_is_asked_once_and_the_others_go_on(store_home: Home) -> None:
    with ScriptedServer({"/v1/models": LISTED, "/v1/chat/completions": fits(2000)}) as server:
        settle(store_home, server.url)
        data = speed(store_home, "--prompt-tokens", "64,800", "--ctx-sweep", "100,900,1000", "--repetitions", "3")
    found = data["speed"]
    assert [(row["runs"], row["failed"]) for row in found["lengths"]] == [(3, 0), (1, 1)]
    assert [(row["wanted_prompt_tokens"], row["failed"]) for row in found["context_sweep"]] == [(100, 0), (900, 1)]
    assert "maximum context length" in found["lengths"][1]["problem"]


def test_what_the_server_rejects_is_left_out_and_not_measured(store_home: Home) -> None:
    """The request that was turned down took time, too; the clock starts with the one that is answered."""

    def picky(request: Request) -> Response:
        if "stream_options" in request.json():
            return json_response(400, {"error": {"message": "unknown field stream_options"}})
        return sse([*say(*(["one "] * 40)), chunk({}, "length"), DONE])

    with ScriptedServer({"/v1/models": LISTED, "/v1/chat/completions": picky}) as server:
        settle(store_home, server.url)
        data = speed(store_home, *FEW)
    assert data["speed"]["decode_source"] == "chunks~"
    assert data["speed"]["lengths"][0]["failed"] == 0


def test_a_server_that_takes_no_connection_twice(store_home: Home) -> None:
    whole = sse([*say(*(["one "] * 40)), chunk({}, "length"), DONE])
    with ScriptedServer({"/v1/models": [Action.RESET], "/v1/chat/completions": whole}) as server:
        settle(store_home, server.url)
        result = run_here(store_home, "bench", "--speed-only", *FEW, "--prompt-tokens", "64", "--json", env=NOWHERE)
    assert result.exit_code in (0, 3)
    assert json.loads(result.stdout)["data"]["complete"] is (result.exit_code == 0)


@pytest.mark.parametrize("said", [None, {}], ids=["counts the prompt", "does not"])
def test_ollama_loads_once_for_all_lengths(store_home: Home, said: dict[str, int] | None) -> None:
    with TimedServer(as_ollama_answer(QUICK, said)) as server:
        settle(store_home, server.url, "ollama")
        found = speed(store_home, "--prompt-tokens", "64,6000", *FEW, "--ctx-sweep", "9000")["speed"]
    assert {run.body["options"]["num_ctx"] for run in server.sent} == {12288}
    assert found["first_request"]["load_s"] == 1.5
    rates = [row["prompt_tps"] and row["prompt_tps"]["median"] for row in found["lengths"]]
    assert rates == ([3000.0, 3000.0] if said is None else [None, None])
    assert found["prompt_source"] == ("native" if said is None else None)


def test_an_engine_that_says_otherwise_is_contradicted(store_home: Home) -> None:
    def boasting(tokens: int, sent: Any) -> list[Any]:
        end, usage = with_timings(tokens, sent)
        end["timings"]["predicted_ms"] /= 2
        return [end, usage]

    with TimedServer(replace(QUICK, end=boasting, between=0.003)) as server:
        settle(store_home, server.url, "llamacpp")
        found = speed(store_home)["speed"]
    assert any("the server says" in remark for remark in found["remarks"])
    with TimedServer(replace(QUICK, end=with_timings, between=0.003)) as server:
        settle(store_home, server.url, "llamacpp")
        found = speed(store_home)["speed"]
    assert not any("the server says" in remark for remark in found["remarks"])


def test_a_real_engine_counts_and_times_itself(store_home: Home, llama_slow: LlamaServer) -> None:
    settle(store_home, llama_slow.url, "llamacpp")
    arguments = ("--prompt-tokens", "100,400", "--repetitions", "2", "--max-tokens", "64")
    data = speed(store_home, *arguments)
    found = data["speed"]
    assert (found["decode_source"], found["prompt_source"], data["complete"]) == ("native", "native", True)
    for row in found["lengths"]:
        assert (row["failed"], row["short"], row["decode_tps"]["count"], row["prompt_tps"]["count"]) == (0, 0, 2, 2)
        # A scripted model has a token a byte, which the first answer tells; its template adds some.
        assert row["prompt_tokens"] == pytest.approx(row["wanted_prompt_tokens"], abs=60)
        assert row["server_decode_tps"]["count"] == 2
    assert [(row["purpose"], row["output_tokens"]) for row in calls(store_home)] == [("bench", 64)] * 6


WRONG = {
    "no number": (
        ("--prompt-tokens", "a"),
        "'a' is no list of prompt tokens from 1 to 1000000",
        "write it like 128,1024,4096",
    ),
    "none": (
        ("--prompt-tokens", ""),
        "'' is no list of prompt tokens from 1 to 1000000",
        "write it like 128,1024,4096",
    ),
    "zero": (
        ("--ctx-sweep", "0,5"),
        "'0,5' is no list of prompt tokens from 1 to 1000000",
        "write it like 128,1024,4096",
    ),
    "too many": (("--concurrency", "1,65"), "'1,65' is no list of concurrency from 1 to 64", "write it like 1,2,4,8"),
    "a report of tasks": (
        ("--html", "a.html"),
        "--speed-only asks no tasks: --html would change nothing",
        "leave out --html",
    ),
    "tasks too": (
        ("--quality-only",),
        "--speed-only asks no tasks: --quality-only would change nothing",
        "leave out --quality-only",
    ),
}


@pytest.mark.parametrize(("arguments", "message", "hint"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_measured(store_home: Home, arguments: tuple[str, ...], message: str, hint: str) -> None:
    configure(
        store_home, {"tiers.one": {"model": "box/m"}, "endpoints.box": {"kind": "vllm", "url": "http://127.0.0.1:9"}}
    )
    result = run_here(store_home, "bench", "--speed-only", *arguments, env=NOWHERE)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"error: {message}\nhint: {hint}\n")


def test_options_of_speed_without_it(store_home: Home) -> None:
    result = run_here(store_home, "bench", "--quick", "--concurrency", env=NOWHERE)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: --quick measures no speed: --concurrency would change nothing\nhint: leave out --concurrency\n"
    )


def test_a_kept_connection_that_falls_silent_ends_by_the_timer(store_home: Home) -> None:
    with TimedServer(replace(QUICK, first=60.0, role_after=0.01)) as server:
        settle(store_home, server.url, ask={"retries": 0, "first_token_timeout": 0.2})
        data = speed(store_home, code=124)
        assert server.sent[0].connection in server.greeted
    assert data["speed"]["lengths"][0]["problem"].startswith("timeout: no token for 0.2 s")


def test_without_usage_nothing_is_said_of_the_prompt(store_home: Home) -> None:
    with TimedServer(replace(QUICK, end=without_usage)) as server:
        settle(store_home, server.url)
        result = run_here(store_home, "bench", "--speed-only", "--prompt-tokens", "64", *FEW, env=NOWHERE)
    header, rule, row = result.stdout.splitlines()[2:5]
    assert header.split("  ")[0] == "prompt"
    assert "decode tok/s (chunks~)" in header
    assert row.split()[0] == "~64"
    assert "n/a" in row
    assert set(rule) == {"-", " "}
