"""Laws of the wire: no bytes and no JSON of a server crash a reader, and where bytes are cut changes nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rig.asking import World, canned, finish, target
from rig.wire_cases import ANSWER_CASES

from mrt.domain import Reply, ToolCall
from mrt.endpoints.probe import model_names
from mrt.errors import MrtError, ProtocolFailure
from mrt.providers import anthropic, chat, escalation, ollama
from mrt.providers.assembly import Assembly
from mrt.providers.failure import classify, error_text, in_stream
from mrt.providers.heal import heal
from mrt.providers.http import error_message
from mrt.providers.ndjson import NdjsonDecoder
from mrt.providers.sse import ServerEvent, SseDecoder
from mrt.providers.think import ThinkSplitter

PROTOCOLS: dict[str, Any] = {"chat": chat, "anthropic": anthropic, "ollama": ollama}
KEYS = """
arguments cached_tokens choices code completion_tokens content content_block cost delta detail done done_reason error errors
error_message error_type eval_count explanation finishReason finish_reason function function_call index input input_tokens loc
logprob logprobs message model msg name object output_tokens partial_json predicted_n prompt_eval_count prompt_n prompt_tokens
reason reasoning reasoning_content reasoning_details refusal stop_details stop_reason text thinking timings to tool_calls type
usage x_groq
"""
KINDS = """
stop length error text thinking tool_use fallback message message_start message_delta message_stop content_block_start
content_block_delta text_delta thinking_delta input_json_delta refusal <think> </think> {"error": {"error":{"message":"x"}} NaN
"""
NAMES = st.sampled_from(KEYS.split())
WORDS = st.sampled_from(["", "²", "9" * 5000, "\ud800", *KINDS.split()])
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([10**400, -(10**400), 2**63, 1.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf")]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS, st.text(max_size=5))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


def check_reply(reply: Reply) -> None:
    """A reply has the types that it says, and can be written as strict JSON."""
    usage = reply.usage
    counts = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
    )
    assert all(count is None or (type(count) is int and 0 <= count < 2**63) for count in counts)
    assert type(reply.text) is type(reply.reasoning) is str
    assert reply.finish_reason is None or type(reply.finish_reason) is str
    assert reply.served_model is None or type(reply.served_model) is str
    assert all(type(call.name) is type(call.arguments) is str for call in reply.tool_calls)
    assert reply.failure is None or (type(reply.failure.message) is str and reply.failure.message)
    json.dumps([reply.mean_logprob, reply.reported_nano, counts], allow_nan=False)


def read(speaker: Any, payloads: list[Any]) -> None:
    """Read these documents as the events of one stream, and each as an answer of its own."""
    stream = Assembly(ThinkSplitter("auto", 5))
    for payload in payloads:
        whole = Assembly(ThinkSplitter("auto", 5))
        speaker.read_chunk(whole, payload)
        whole.close()
        check_reply(whole.reply())
        speaker.read_event(stream, ServerEvent(json.dumps(payload)))
    stream.close()
    check_reply(stream.reply())
    escalation(stream.reply().tool_calls)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every position in a document."""
    yield path
    rows = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, value in rows:
        yield from places(value, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at one position."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def documents(case: Any) -> list[Any]:
    """The JSON documents of a streamed case."""
    if case.layer == "ollama":
        return [
            json.loads(line) for line in b"".join(case.given).split(b"\n") if line.endswith(b"}") and line[:1] == b"{"
        ]
    return [event for event in case.given if isinstance(event, dict)]


SEEDS = {
    layer: [document for case in ANSWER_CASES if case.layer == layer for document in documents(case)]
    for layer in PROTOCOLS
}


@pytest.mark.parametrize("layer", PROTOCOLS)
@pytest.mark.parametrize(
    "value", [None, True, 10**400, -1.5, float("nan"), "", "²", [], [[]], [None], {}, {"text": 1}], ids=repr
)
def test_any_value_in_any_place_is_survived(layer: str, value: Any) -> None:
    for document in SEEDS[layer]:
        for path in places(document):
            read(PROTOCOLS[layer], [replaced(document, path, value)])


@pytest.mark.parametrize("layer", PROTOCOLS)
@settings(deadline=None)
@given(payloads=st.lists(JSON, max_size=3))
def test_any_json_is_survived(layer: str, payloads: list[Any]) -> None:
    read(PROTOCOLS[layer], payloads)


@pytest.mark.parametrize("layer", PROTOCOLS)
@settings(deadline=None)
@given(data=st.data())
def test_known_documents_with_odd_values_are_survived(layer: str, data: st.DataObject) -> None:
    payloads = data.draw(st.lists(st.sampled_from(SEEDS[layer]), min_size=1, max_size=3))
    changed = [replaced(each, data.draw(st.sampled_from(list(places(each)))), data.draw(JSON)) for each in payloads]
    read(PROTOCOLS[layer], changed)


@pytest.mark.parametrize("layer", PROTOCOLS)
@settings(deadline=None)
@given(text=st.text(max_size=30), name=st.none() | st.just("error"))
def test_any_event_is_survived(layer: str, text: str, name: str | None) -> None:
    assembly = Assembly(ThinkSplitter("auto", 5))
    PROTOCOLS[layer].read_event(assembly, ServerEvent(text, name))
    assembly.close()
    check_reply(assembly.reply())


@settings(deadline=None)
@given(payload=JSON, status=st.sampled_from([0, 200, 400, 401, 404, 422, 429, 500, 503]))
def test_any_error_has_a_message(payload: Any, status: int) -> None:
    text = json.dumps(payload)
    message = error_message(text)
    failure = classify(status, message, text)
    assert isinstance(failure, MrtError)
    assert failure.message
    found = error_text(payload)
    assert found is None or (isinstance(found, str) and found)
    assert isinstance(in_stream(payload, found or "x"), MrtError)
    heal(status, text, {"max_tokens": 5, "tools": [], "temperature": 0, "logprobs": True}, {})
    names = model_names(payload)
    assert names is None or all(isinstance(name, str) for name in names)


DEEP = 900


@pytest.mark.parametrize("layer", PROTOCOLS)
@pytest.mark.parametrize(
    "text",
    [
        '{"error":' * DEEP + '"x"' + "}" * DEEP,
        '{"error":' + "[" * DEEP + "]" * DEEP + "}",
        '{"error":' + '{"message":' * DEEP + "1" + "}" * DEEP + "}",
        '{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":' + "[" * DEEP + "]" * DEEP + "}}]}}]}",
        '{"type":"content_block_start","content_block":{"type":"tool_use","input":' + "[" * DEEP + "]" * DEEP + "}}",
        '{"message":{"tool_calls":[{"function":{"arguments":' + "[" * DEEP + "]" * DEEP + "}}]}}",
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
    ],
    ids=["errors", "list", "messages", "chat-arguments", "input", "ollama-arguments", "open", "closed"],
)
def test_deep_json_is_survived(layer: str, text: str) -> None:
    for kind in ("application/json", "text/event-stream", "application/x-ndjson"):
        framed = f"data: {text}\n\n" if kind == "text/event-stream" else text + "\n"
        world = World(canned([framed.encode()], {"content-type": kind}))
        check_reply(finish(world.call(target("http://localhost", layer))))
    failed = finish(World(canned([text.encode()], {}, 400)).call(target("http://localhost", layer)))
    assert failed.failure is not None


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"error": '{"error": broken'}, '{"error": broken'),
        ({"error": '{"fine": 1}'}, '{"fine": 1}'),
        ({"error": '{"error": {"message": "inner"}}'}, "inner"),
        ({"error": [{"msg": "required", "loc": ["body", 0]}, "too long"]}, "required (body.0); too long"),
        (
            {"error": {"message": {"message": {"message": {"message": {"message": {"message": "x"}}}}}}},
            '{"message": "x"}',
        ),
        ([[[[[[{"error": "x"}]]]]]], None),
        ({"error": None, "detail": "gone", "choices": []}, None),
        ({"error": False}, None),
        ("error", None),
    ],
)
def test_the_message_of_an_error(payload: Any, text: str | None) -> None:
    assert error_text(payload) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"message": "Not Found"}', "Not Found"),
        ('{"message": 5}', '{"message": 5}'),
        (" <html>", "an HTML page, not an API response"),
        ("  plain  ", "plain"),
        ("x" * 1000, "x" * 500),
        ("", ""),
    ],
)
def test_the_message_of_a_body(text: str, message: str) -> None:
    assert error_message(text) == message


def test_an_error_is_never_overlooked() -> None:
    for error in ([""], [[]], [{}], {"message": [""]}, {"message": {}}, " "):
        assert error_text({"error": error}), error


@settings(deadline=None)
@given(
    st.lists(
        st.binary(max_size=8)
        | st.sampled_from([b"data:", b"\n", b"\r", b"\r\n", b"{}", b"id:", b"retry:9", b"\xef\xbb\xbf"])
    )
)
def test_cutting_bytes_elsewhere_gives_the_same_events(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    results = []
    for pieces in ([whole], parts, [whole[place : place + 1] for place in range(len(whole))]):
        decoder = SseDecoder()
        events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.finish()
        results.append((events, decoder.cut, decoder.retry_ms))
    assert results[0] == results[1] == results[2]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=8) | st.sampled_from([b"{", b"}", b"\n", b"\r\n", b"1", b"\xef\xbb\xbf"])))
def test_cutting_bytes_elsewhere_gives_the_same_lines(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    results = []
    for pieces in ([whole], parts, [whole[place : place + 1] for place in range(len(whole))]):
        decoder = NdjsonDecoder()
        results.append(([event for piece in pieces for event in decoder.feed(piece)] + decoder.finish(), decoder.cut))
    assert results[0] == results[1] == results[2]


TAGS = st.sampled_from(
    ["<think>", "</think>", "<reasoning>", "</reasoning>", "`", "```", "\n", " ", "<", "word", "</", ">"]
)


def split(parts: list[str], mode: Any, hold: int) -> tuple[str, str, bool]:
    """Text, reasoning, and whether the opening tag was implied."""
    splitter = ThinkSplitter(mode, hold)
    text = reasoning = ""
    for kind, piece in [piece for part in parts for piece in splitter.feed(part)] + splitter.finish():
        if kind == "retract":
            text, reasoning = "", reasoning + text
        elif kind == "text":
            text += piece
        else:
            reasoning += piece
    return text, reasoning.strip(), splitter.implicit


@settings(deadline=None)
@given(parts=st.lists(TAGS, max_size=12), mode=st.sampled_from(["auto", "implicit", "off"]))
def test_cutting_text_elsewhere_gives_the_same_answer(parts: list[str], mode: Any) -> None:
    whole = "".join(parts)
    assert split([whole], mode, 4000) == split(parts, mode, 4000) == split(list(whole), mode, 4000)


@pytest.mark.parametrize(
    ("parts", "text", "reasoning"),
    [
        (["It ends", " here.\n", "</think>", "\n", "Sun."], "Sun.", "It ends here."),
        (["It ends", " here.\n", "</think>", " ", "\n", "Sun."], "Sun.", "It ends here."),
        (["It ends", " here.\n", "</think>"], "", "It ends here."),
        (["It ends", " here.\n", "</think>", " closes", " it."], "It ends here.\n</think> closes it.", ""),
        (["It ends", " here. ", "</think>", "\n", "Sun."], "It ends here. </think>\nSun.", ""),
        (["```\n", "x\n", "</think>", "\n", "```\n", "Sun."], "```\nx\n</think>\n```\nSun.", ""),
        (["```\n", "x\n", "</think>\n", "```\nHm.", "\n</think>\n", "Sun."], "Sun.", "```\nx\n</think>\n```\nHm."),
        (["Say ", "<think>", " and ", "\n</think>\n", "too."], "Say <think> and \n</think>\ntoo.", ""),
    ],
    ids=["alone", "white-space", "at-the-end", "prose", "mid-line", "fenced", "fenced-and-not", "opened-before"],
)
def test_text_already_shown_is_taken_back_only_for_a_tag_alone(parts: list[str], text: str, reasoning: str) -> None:
    assert split(parts, "auto", 0)[:2] == (text, reasoning)


@settings(deadline=None)
@given(parts=st.lists(TAGS, max_size=12), mode=st.sampled_from(["auto", "implicit", "off"]), hold=st.integers(0, 10))
def test_splitting_loses_no_word(parts: list[str], mode: Any, hold: int) -> None:
    text, reasoning, _ = split(parts, mode, hold)
    assert (text + reasoning).count("word") == parts.count("word")
    if mode == "off":
        assert text == "".join(parts)


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ((), None),
        ((ToolCall("other", "{}"),), None),
        ((ToolCall("escalate", '{"reason": "too hard"}'),), "too hard"),
        ((ToolCall("other", "{}"), ToolCall("escalate", "")), "the model gave no reason"),
        ((ToolCall("escalate", '{"reason": " "}'),), "the model gave no reason"),
        ((ToolCall("escalate", '{"reason": 5}'),), "the model gave no reason"),
        ((ToolCall("escalate", "[1]"),), "the model gave no reason"),
        ((ToolCall("escalate", "no json"),), "the model gave no reason"),
        ((ToolCall("escalate", "[" * 100_000),), "the model gave no reason"),
    ],
)
def test_the_reason_of_a_hand_off(calls: tuple[ToolCall, ...], reason: str | None) -> None:
    assert escalation(calls) == reason


def test_a_line_that_never_ends_is_refused() -> None:
    decoder = SseDecoder()
    with pytest.raises(ProtocolFailure):
        for _ in range(20):
            decoder.feed(b"x" * 2**20)
