"""From received bytes to times and counts: what counts as a token, who counted it, and what is not known."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig.wire_chat import chunk

from mrt.bench.speed_read import SOURCES, Timed, timed
from mrt.bench.speed_sums import length_of, prompt_tps, remarks, sources_of
from mrt.bench.speed_trace import Piece, Trace, unpacker
from mrt.domain import Target
from mrt.errors import EmptyAnswer, LengthLimit, Unreachable

CHAT = Target("box", "m", "vllm", "chat", "http://127.0.0.1:9", local=True)
OLLAMA = Target("box", "m", "ollama", "ollama", "http://127.0.0.1:9", local=True)
CUT = LengthLimit("cut at the token limit (max_tokens)")


def trace(*parts: tuple[float, Any], error: Any = CUT, busy: float = 0.0, kind: str = "text/event-stream") -> Trace:
    """Documents as events, each received so many seconds after the request was sent."""
    pieces = tuple(Piece(100.0 + at, data if isinstance(data, bytes) else _sse(data), busy) for at, data in parts)
    return Trace(100.0, pieces, kind, error, "free", 0)


def _sse(document: Any) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def say(text: str) -> dict[str, Any]:
    return chunk({"content": text})


def think(text: str) -> dict[str, Any]:
    return chunk({"reasoning_content": text})


def usage(**counts: Any) -> dict[str, Any]:
    return {"choices": [], "usage": counts}


CALL = chunk({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]})
# The parts, then: first chunk with content, first of the answer, last, how many.
TIMES: dict[str, tuple[Sequence[tuple[float, Any]], tuple[float | None, float | None, float | None, int]]] = {
    "a role chunk is no token": (
        [(0.01, chunk({"role": "assistant", "content": ""})), (0.1, say("a")), (0.3, say("b"))],
        (0.1, 0.1, 0.3, 2),
    ),
    "a role chunk without content": (
        [(0.01, chunk({"role": "assistant", "content": None})), (0.1, say("a"))],
        (0.1, 0.1, 0.1, 1),
    ),
    "keep-alives are none": (
        [(0.05, b": ping\n\n"), (0.1, say("a")), (0.2, b": ping\n\n"), (0.3, say("b"))],
        (0.1, 0.1, 0.3, 2),
    ),
    "what follows the content is none": (
        [(0.1, say("a")), (0.2, chunk({}, "stop")), (0.3, usage(prompt_tokens=1, completion_tokens=1))],
        (0.1, 0.1, 0.1, 1),
    ),
    "reasoning is a token, not the answer": (
        [(0.1, think("hm")), (0.2, think("hm")), (0.4, say("a"))],
        (0.1, 0.4, 0.4, 3),
    ),
    "reasoning only": ([(0.1, think("hm")), (0.2, think("hm"))], (0.1, None, 0.2, 2)),
    "think tags in the content": (
        [(0.1, say("<think>")), (0.2, say("hm")), (0.3, say("</think>")), (0.4, say("a"))],
        (0.1, 0.4, 0.4, 4),
    ),
    "a closing tag alone turns all into reasoning": (
        [(0.1, say("hm\n")), (0.2, say("</think>\n")), (0.4, say("a"))],
        (0.1, 0.4, 0.4, 3),
    ),
    "a tool call is a token": ([(0.1, CALL), (0.2, say("a"))], (0.1, 0.2, 0.2, 2)),
    "several events in one read": ([(0.1, _sse(say("a")) + _sse(say("b"))), (0.2, say("c"))], (0.1, 0.1, 0.2, 3)),
    "an event cut in two counts when it is whole": (
        [(0.1, _sse(say("a"))[:20]), (0.2, _sse(say("a"))[20:])],
        (0.2, 0.2, 0.2, 1),
    ),
    "nothing": ([(0.1, b"data: [DONE]\n\n")], (None, None, None, 0)),
}


@pytest.mark.parametrize(("parts", "expected"), TIMES.values(), ids=TIMES)
def test_times(parts: Sequence[tuple[float, Any]], expected: tuple[float | None, ...]) -> None:
    found = timed(trace(*parts), CHAT)
    assert (found.first, found.answer, found.last, found.chunks) == pytest.approx(expected)


LLAMA = {"predicted_n": 40, "predicted_ms": 2000.0, "prompt_n": 100, "prompt_ms": 50.0}
# The parts after forty chunks of content, then: the counts, prompt tokens, fresh prompt tokens by the engine.
COUNTS: dict[str, tuple[Sequence[Any], dict[str, int], int | None, int | None]] = {
    "nobody counts": ([], {"chunks~": 40}, None, None),
    "the API counts": ([usage(prompt_tokens=9, completion_tokens=80)], {"usage": 80, "chunks~": 40}, 9, None),
    "a count of nothing is none": ([usage(prompt_tokens=0, completion_tokens=0)], {"chunks~": 40}, None, None),
    "llama.cpp": (
        [chunk({}, "length") | {"timings": LLAMA}, usage(prompt_tokens=110, completion_tokens=80)],
        {"native": 40, "usage": 80, "chunks~": 40},
        110,
        100,
    ),
    "reasoning that was not sent": (
        [usage(prompt_tokens=9, completion_tokens=140, completion_tokens_details={"reasoning_tokens": 100})],
        {"usage": 40, "chunks~": 40},
        9,
        None,
    ),
    "broken timings": (
        [{"choices": [], "timings": {"predicted_n": "many", "predicted_ms": None}}],
        {"chunks~": 40},
        None,
        None,
    ),
}


@pytest.mark.parametrize(("end", "tokens", "prompt", "fresh"), COUNTS.values(), ids=COUNTS)
def test_counts(end: Sequence[Any], tokens: dict[str, int], prompt: int | None, fresh: int | None) -> None:
    parts = [(0.1 + 0.05 * number, say("a")) for number in range(40)]
    found = timed(trace(*parts, *((3.0, part) for part in end)), CHAT)
    assert found.tokens == tokens
    assert (found.prompt_tokens, found.native.prompt_tokens) == (prompt, fresh)
    # Before its first chunk such a model did more than read the prompt.
    assert (found.prompt_tps_seen is None) is (prompt is None or found.hidden > 0)


# What Ollama's last line says of the prompt, then: prompt tokens per second.
OLLAMA_PROMPTS: dict[str, tuple[dict[str, Any], float | None]] = {
    "counted": ({"prompt_eval_count": 100, "prompt_eval_duration": 500_000_000}, 200.0),
    "the cached part is not evaluated": (
        {"prompt_eval_count": 100, "prompt_eval_cached_count": 60, "prompt_eval_duration": 500_000_000},
        80.0,
    ),
    "not counted": ({"prompt_eval_duration": 500_000_000}, None),
    "counted as none": ({"prompt_eval_count": 0, "prompt_eval_duration": 500_000_000}, None),
    "all of it cached": ({"prompt_eval_count": 60, "prompt_eval_cached_count": 60, "prompt_eval_duration": 9}, None),
    "no time but the client's": ({"prompt_eval_count": 100, "prompt_eval_duration": 0}, 1000.0),
}


@pytest.mark.parametrize(("said", "rate"), OLLAMA_PROMPTS.values(), ids=OLLAMA_PROMPTS)
def test_ollama_says_how_fast_it_read_the_prompt_or_nobody_does(said: dict[str, Any], rate: float | None) -> None:
    lines: list[Any] = [{"message": {"content": "a"}, "done": False}] * 40
    last = {"message": {"content": ""}, "done": True, "done_reason": "length", "eval_count": 80}
    lines.append(last | {"eval_duration": 4_000_000_000, "load_duration": 2_500_000_000} | said)
    parts = [(0.1 * number, json.dumps(line).encode() + b"\n") for number, line in enumerate(lines, 1)]
    found = timed(trace(*parts, kind="application/x-ndjson"), OLLAMA)
    sources = sources_of([found])
    assert prompt_tps(found, sources.prompt) == (None if rate is None else pytest.approx(rate))
    assert (found.native.decode_tps, found.native.load_seconds) == (20.0, 2.5)
    assert found.tokens == {"native": 80, "chunks~": 40}


def test_the_messages_api_counts_too() -> None:
    target = replace(CHAT, kind="anthropic", protocol="anthropic")
    events: list[tuple[float, Any]] = [
        (0.01, {"type": "message_start", "message": {"usage": {"input_tokens": 120, "output_tokens": 1}}}),
        (0.02, {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        (0.1, {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        (0.2, {"type": "ping"}),
        (0.3, {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "a"}}),
        (0.5, {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "b"}}),
        (0.6, {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 81}}),
        (0.7, {"type": "message_stop"}),
    ]
    found = timed(trace(*events), target)
    assert (found.first, found.answer, found.last) == pytest.approx((0.1, 0.3, 0.5))
    assert (found.tokens, found.prompt_tokens) == ({"usage": 81, "chunks~": 3}, 120)
    assert found.decode_tps("usage") == pytest.approx(80 / 0.4)


def test_an_answer_in_one_piece_has_no_first_token() -> None:
    document = {
        "choices": [{"message": {"content": "a b c"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 64},
    }
    found = timed(trace((2.0, json.dumps(document).encode()), error=None, kind="application/json"), CHAT)
    assert (found.first, found.answer, found.decode_tps("usage"), found.prompt_tps_seen) == (None, None, None, None)
    assert (found.tokens, found.prompt_tokens, found.streamed) == ({"usage": 64}, 9, False)
    assert remarks([found], [], None) == (
        "the server does not stream: there is no first token to wait for, and no rate but its own",
    )


def test_a_token_limit_is_no_failure_unless_nothing_came() -> None:
    assert timed(trace((0.1, say("a"))), CHAT).error is None
    assert isinstance(timed(trace((0.1, b"data: [DONE]\n\n")), CHAT).error, EmptyAnswer)
    gone = Unreachable("nobody there")
    assert timed(Trace(error=gone), CHAT).error is gone


def many(tokens: int = 80, seconds: float = 4.0, **more: Any) -> Timed:
    """An answer of so many tokens in so many seconds, half as many chunks."""
    return Timed(
        0.0, 1.0, 1.0, 1.0 + seconds, chunks=tokens // 2, tokens={"usage": tokens, "chunks~": tokens // 2}, **more
    )


def test_the_best_count_that_all_runs_have_is_the_column() -> None:
    counted, seen = many(), Timed(0.0, 1.0, 1.0, 5.0, chunks=40, tokens={"chunks~": 40})
    assert sources_of([counted, counted]).decode == "usage"
    assert sources_of([counted, seen]).decode == "chunks~"
    row = length_of(128, [counted, seen], sources_of([counted, seen]))
    assert row.decode_tps is not None
    assert row.decode_tps[:3] == pytest.approx((39 / 4,) * 3)


def test_short_answers_and_failures_are_left_out_and_counted() -> None:
    runs = [many(), many(tokens=31), many(error=Unreachable("gone"))]
    row = length_of(128, runs, sources_of(runs))
    assert (row.runs, row.failed, row.short, row.problem) == (3, 1, 1, "gone")
    assert row.decode_tps is not None
    assert (row.decode_tps.runs, row.decode_tps.median) == (1, 79 / 4)
    assert row.ttft is not None
    assert row.ttft.runs == 2


def test_no_percentiles_of_a_few_gaps() -> None:
    few, enough = (many(gaps=tuple(0.001 * k for k in range(count))) for count in (19, 20))
    assert (
        length_of(1, [few], sources_of([few])).inter_chunk_p50,
        length_of(1, [few], sources_of([few])).inter_chunk_p99,
    ) == (None, None)
    row = length_of(1, [enough], sources_of([enough]))
    assert (row.inter_chunk_p50, row.inter_chunk_p99) == pytest.approx((0.0095, 0.01881))


@given(st.integers(32, 4000), st.floats(0.01, 1000), st.floats(0, 100), st.sampled_from(SOURCES))
def test_the_rate_is_that_of_the_tokens_after_the_first(tokens: int, seconds: float, first: float, source: Any) -> None:
    run = Timed(0.0, first, first, first + seconds, tokens={source: tokens})
    assert run.decode_tps(source) == pytest.approx((tokens - 1) / seconds, rel=1e-3)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_compressed_pieces_are_read(encoding: str) -> None:
    data = gzip.compress(b"data: x\n\n")
    unpack = unpacker(encoding)
    assert unpack(data[:12]) + unpack(data[12:]) == b"data: x\n\n"
    assert unpacker("br")(b"\x00") == b""
    assert unpacker("identity")(b"a") == b"a"
