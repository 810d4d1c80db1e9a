"""Wire cases: server-sent events, from bytes in any pieces."""

from __future__ import annotations

from rig.wire_case import SseEvent, SseExpectation, WireCase


def _case(
    name: str, chunks: list[bytes], *events: str | SseEvent, why: str = "", cut: bool = False, retry: int | None = None
) -> WireCase:
    whole = tuple(event if isinstance(event, SseEvent) else SseEvent(event) for event in events)
    return WireCase(f"sse/{name}", "sse", tuple(chunks), SseExpectation(whole, cut, retry), why)


def _bytewise(text: str) -> list[bytes]:
    return [bytes([byte]) for byte in text.encode()]


_FRAMING = (
    _case("one-event", [b'data: {"n": 1}\n\n'], '{"n": 1}'),
    _case("two-events-in-one-chunk", [b"data: north\n\ndata: south\n\n"], "north", "south"),
    _case("no-space-after-the-colon", [b"data:east\n\n"], "east"),
    _case("only-one-space-is-taken", [b"data:   west \n\n"], "  west "),
    _case("colons-in-the-value", [b"data: a:b: c\n\n"], "a:b: c"),
    _case("several-data-lines", [b"data: first\ndata: second\ndata:\ndata: fourth\n\n"], "first\nsecond\n\nfourth"),
    _case(
        "json-over-several-lines",
        [b'data: {\ndata:  "n":\ndata:  1}\n\n'],
        '{\n "n":\n 1}',
        why="two lines, but one document",
    ),
    _case("field-without-a-colon", [b"data\ndata\n\n"], "\n"),
    _case("blank-data", [b"data:\n\ndata: {}\n\n"], "", "{}", why="some proxies send it as a keep-alive"),
    _case("blank-lines-between", [b"\n\n\ndata: a\n\n\n\ndata: b\n\n\n"], "a", "b"),
    _case("unknown-fields", [b"price: 3\nx\n data: indented\ndata: kept\n\n"], "kept"),
    _case("event-without-data", [b"event: nothing\n\ndata: plain\n\n"], "plain", why="the name does not carry over"),
    _case("done", [b"data: [DONE]\n\n"], "[DONE]"),
    _case("done-without-a-space", [b"data:[DONE]\n\n"], "[DONE]"),
    _case("one-long-line", [b"data: " + b"x" * 50_000, b"x" * 50_000 + b"\n\n"], "x" * 100_000),
)
_NAMES = (
    _case("named", [b"event: ping\ndata: {}\n\n"], SseEvent("{}", "ping")),
    _case("name-after-the-data", [b"data: {}\nevent: late\n\n"], SseEvent("{}", "late")),
    _case("empty-name", [b"event:\ndata: x\n\n"], "x"),
    _case(
        "id-stays-until-the-next",
        [b"id: 7\ndata: a\n\ndata: b\n\nid: 8\ndata: c\n\n"],
        SseEvent("a", None, "7"),
        SseEvent("b", None, "7"),
        SseEvent("c", None, "8"),
    ),
    _case("id-reset", [b"id: 7\ndata: a\n\nid\ndata: b\n\n"], SseEvent("a", None, "7"), SseEvent("b", None, "")),
    _case("id-with-nul", [b"id: 7\0\ndata: a\n\n"], "a"),
    _case("retry", [b"retry: 2500\ndata: a\n\n"], "a", retry=2500),
    _case(
        "retry-that-is-no-number",
        [b"retry: 10\nretry: 2.5\nretry: -1\nretry: soon\nretry:\ndata: a\n\n"],
        "a",
        retry=10,
    ),
    _case("messages-api-error", [b'event: error\ndata: {"type":"error"}\n\n'], SseEvent('{"type":"error"}', "error")),
    _case(
        "openrouter-after-message-stop",
        [b'event: message_stop\ndata: {"type":"message_stop"}\n\nevent: data\ndata: [DONE]\n\n'],
        SseEvent('{"type":"message_stop"}', "message_stop"),
        SseEvent("[DONE]", "data"),
    ),
)
_LINE_ENDS = (
    _case("crlf", [b"data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n"], "a\nb", "c"),
    _case("cr", [b"data: a\rdata: b\r\rdata: c\r\r"], "a\nb", "c"),
    _case("mixed", [b"data: a\r\ndata: b\rdata: c\n\r\ndata: d\n\r"], "a\nb\nc", "d"),
    _case(
        "crlf-cut-in-half",
        [b"data: a\r", b"\n\r", b"\ndata: b\r", b"\n", b"\r\n"],
        "a",
        "b",
        why="the LF must not count as a line of its own",
    ),
    _case("cr-at-the-end-of-a-chunk", [b"data: a\r", b"\rdata: b\r", b"\r"], "a", "b"),
    _case(
        "other-separators-are-text",
        ["data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n".encode()],
        "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg",
        why="str.splitlines would split at each",
    ),
)
_COMMENTS = (
    _case("openrouter", [b": OPENROUTER PROCESSING\n\n", b": OPENROUTER PROCESSING\n\n", b"data: {}\n\n"], "{}"),
    _case("deepseek", [b": keep-alive\n\ndata: {}\n\n: keep-alive\n\n"], "{}"),
    _case(
        "bare-colons", [b":\n\n:\n\n:\n\ndata: {}\n\n:\n\n"], "{}", why="llama.cpp, every 30 s while it reads a prompt"
    ),
    _case("inside-an-event", [b"data: a\n: wait\ndata: b\n\n"], "a\nb"),
    _case("nothing-else", [b": one\n\n: two\n\n"], why="a dead upstream hides behind these"),
    _case("unfinished", [b"data: {}\n\n: not yet"], "{}", why="nothing of value is lost"),
    _case("longer-than-a-chunk", [b": " + b"-" * 9_000, b"-" * 9_000 + b"\ndata: {}\n\n"], "{}"),
)
_BYTES = (
    _case("one-byte-per-chunk", _bytewise("id: 1\r\ndata: Größe 🎯\r\n\r\n"), SseEvent("Größe 🎯", None, "1")),
    _case("empty-chunks", [b"", b"data: a", b"", b"\n", b"", b"\n", b""], "a"),
    _case("character-cut-in-three", [b"data: \xe2", b"\x82", b"\xac\n\n"], "€"),
    _case(
        "invalid-utf-8",
        [b"data: a\xc3(b\xff\n\n"],
        "a\ufffd(b\ufffd",
        why="strict decoders raise in the middle of an answer",
    ),
    _case("utf-8-broken-off", [b"data: {}\n\ndata: \xf0\x9f"], "{}", cut=True),
    _case("bom", [b"\xef\xbb\xbfdata: a\n\ndata: b\n\n"], "a", "b"),
    _case("bom-in-pieces", [b"\xef", b"\xbb", b"\xbf", b"data: a\n\n"], "a"),
    _case("bom-later-is-text", [b"data: \xef\xbb\xbfa\n\n"], "\ufeffa"),
    _case("nul", [b"data: a\0b\n\n"], "a\0b"),
)
_ENDS = (
    _case(
        "json-without-any-line-end",
        [b'data: {"n": 1}\n\ndata: {"n": 2}'],
        '{"n": 1}',
        '{"n": 2}',
        why="text or usage would be lost",
    ),
    _case("json-with-one-line-end", [b'data: {"n": 1}\n'], '{"n": 1}'),
    _case("json-over-several-lines-at-the-end", [b'data: {"n":\ndata: 2}'], '{"n":\n2}'),
    _case("done-without-a-line-end", [b"data: {}\n\ndata: [DONE]"], "{}", "[DONE]"),
    _case("named-at-the-end", [b'event: error\ndata: {"type":"error"}'], SseEvent('{"type":"error"}', "error")),
    _case("inside-json", [b'data: {"n": 1}\n\ndata: {"n"'], '{"n": 1}', cut=True),
    _case("inside-the-field-name", [b'data: {"n": 1}\n\nda'], '{"n": 1}', why="no value was lost"),
    _case("nothing-at-all", []),
    _case("only-line-ends", [b"\r\n\r\n\n"]),
)
_CARELESS = (
    _case(
        "one-line-end-between-events",
        [b'data: {"n": 1}\ndata: {"n": 2}\ndata: {"n": 3}\ndata: [DONE]\n'],
        '{"n": 1}',
        '{"n": 2}',
        '{"n": 3}',
        "[DONE]",
        why="proxies that drop blank lines",
    ),
    _case("one-line-end-then-a-blank-line", [b'data: {"n": 1}\ndata: [DONE]\n\n'], '{"n": 1}', "[DONE]"),
    _case(
        "error-field",
        [b'data: {"n": 1}\n\nerror: {"code":500,"message":"slot lost"}\n\n'],
        '{"n": 1}',
        SseEvent('{"code":500,"message":"slot lost"}', "error"),
        why="llama.cpp before September 2025",
    ),
    _case(
        "bare-json-line",
        [b'data: {"n": 1}\n\n{"error":"worker died"}\n'],
        '{"n": 1}',
        SseEvent('{"error":"worker died"}', "error"),
        why="gateways that fail after their 200",
    ),
)

SSE_CASES: tuple[WireCase, ...] = (*_FRAMING, *_NAMES, *_LINE_ENDS, *_COMMENTS, *_BYTES, *_ENDS, *_CARELESS)
