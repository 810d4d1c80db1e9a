"""Wire cases: whole HTTP answers to a request that asked for a stream."""

from __future__ import annotations

import gzip
import json
from typing import Any

from rig.expectation import Expectation, fails
from rig.wire_case import HttpAnswer, WireCase

SSE = (
    'data: {"choices":[{"delta":{"content":"Fog lifts."}}]}\n\n'
    'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)
NDJSON = (
    '{"message":{"content":"Fog"},"done":false}\n{"message":{"content":" lifts."},"done":true,"done_reason":"stop"}\n'
)
TOLD = Expectation("Fog lifts.", "stop")
STREAM = "text/event-stream"


def _case(name: str, body: Any, expect: Expectation, why: str = "", **answer: Any) -> WireCase:
    """A case whose body is bytes, text, or a document to send as JSON."""
    text = body if isinstance(body, bytes | str) else json.dumps(body, ensure_ascii=False)
    data = text.encode() if isinstance(text, str) else text
    return WireCase(f"http/{name}", "http", HttpAnswer(data, **answer), expect, why)


def _whole(content: str | None = "Fog lifts.", finish: str = "stop", **fields: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return {"object": "chat.completion", "choices": [choice], **fields}


def _error(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


_SUCCESS_THAT_IS_NONE = (
    _case(
        "page-with-200",
        "<html><body>Sign in to the hotel network</body></html>",
        fails("not_an_api"),
        content_type="text/html",
    ),
    _case("page-labelled-as-json", "<!doctype html><title>Router</title>", fails("not_an_api")),
    _case("page-labelled-as-text", "\n <html></html>", fails("not_an_api"), content_type="text/plain"),
    _case("error-with-200", _error("no slots are left"), fails("upstream", "no slots are left")),
    _case(
        "error-text-with-200",
        {"error": "Unexpected endpoint or method. (POST /v1/chat/completions)"},
        fails("upstream", "unexpected endpoint"),
        "LM Studio answers unknown paths like this",
    ),
    _case("detail-with-200", {"detail": "gone fishing"}, fails("upstream", "gone fishing")),
    _case(
        "empty-choices",
        {"object": "chat.completion", "choices": []},
        fails("protocol"),
        "an envelope with nothing in it",
    ),
    _case("empty-text", _whole(""), Expectation("", "stop", failure="empty")),
    _case("null-text", _whole(None), Expectation("", "stop", failure="empty")),
    _case("cut-at-the-limit", _whole(finish="length"), Expectation("Fog lifts.", "length", failure="max_tokens")),
    _case("stream-without-a-byte", b"", fails("truncated"), content_type=STREAM),
    _case("stream-of-comments", b": wait\n\n: wait\n\n", fails("truncated"), content_type=STREAM),
)
_WHOLE = (
    _case(
        "json-instead-of-a-stream",
        _whole(usage={"prompt_tokens": 6, "completion_tokens": 2}),
        Expectation("Fog lifts.", "stop", 6, 2),
    ),
    _case("json-with-null-error", _whole(error=None), TOLD),
    _case("json-after-a-bom", b"\xef\xbb\xbf" + json.dumps(_whole()).encode(), TOLD),
    _case("json-with-a-charset", _whole(), TOLD, content_type="application/json; charset=utf-8"),
    _case(
        "json-with-thinking-in-tags",
        _whole("<think>Dew?</think>Fog lifts."),
        Expectation("Fog lifts.", "stop", reasoning="Dew?"),
    ),
    _case(
        "json-with-reasoning",
        {"choices": [{"message": {"content": "Fog lifts.", "reasoning_content": "Dew?"}, "finish_reason": "stop"}]},
        Expectation("Fog lifts.", "stop", reasoning="Dew?"),
    ),
    _case("stream-labelled-as-text", SSE, TOLD, content_type="text/plain; charset=utf-8"),
    _case("stream-labelled-as-json", SSE, TOLD),
    _case("stream-in-capitals", SSE, TOLD, content_type="Text/Event-Stream"),
    _case(
        "stream-compressed",
        gzip.compress(SSE.encode()),
        TOLD,
        content_type=STREAM,
        headers={"content-encoding": "gzip"},
    ),
    _case("ollama-lines-labelled-as-json", NDJSON, TOLD, protocol="ollama"),
    _case(
        "ollama-one-object",
        {"message": {"content": "Fog lifts."}, "done": True, "done_reason": "stop"},
        TOLD,
        protocol="ollama",
    ),
    _case(
        "message-instead-of-a-stream",
        {
            "type": "message",
            "content": [{"type": "text", "text": "Fog lifts."}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 6, "output_tokens": 2},
        },
        Expectation("Fog lifts.", "end_turn", 6, 2, 0),
        "LiteLLM's mock answers",
        protocol="anthropic",
    ),
    _case(
        "cost-in-a-header",
        _whole(),
        Expectation("Fog lifts.", "stop", cost_usd="0.0021"),
        headers={"x-litellm-response-cost": "0.0021"},
    ),
    _case(
        "no-cost-is-not-zero",
        SSE,
        TOLD,
        content_type=STREAM,
        headers={"x-litellm-response-cost-original": "0.0", "x-litellm-key-spend": "0.0"},
    ),
    _case(
        "fallback-in-a-header",
        _whole(model="asked"),
        Expectation("Fog lifts.", "stop", served_model="spare"),
        headers={"x-litellm-attempted-fallbacks": "1", "x-litellm-model-group": "spare"},
    ),
)
_STATUS = (
    _case("401-error-is-text", {"error": "Unauthorized"}, fails("auth", "unauthorized"), "vLLM", status=401),
    _case("403", _error("Your key may not use this model"), fails("auth", "may not use"), status=403),
    _case(
        "400-that-means-the-key",
        _error("No connected db.", type="no_db_connection", code="400"),
        fails("auth"),
        "LiteLLM without a database",
        status=400,
    ),
    _case("402", _error("This request requires more credits", code=402), fails("quota"), "OpenRouter", status=402),
    _case(
        "404-model",
        _error("The model `gpt-none` does not exist", code="model_not_found"),
        fails("model_not_found", "gpt-none"),
        status=404,
    ),
    _case(
        "404-model-in-ollama",
        {"error": "model 'none' not found"},
        fails("model_not_found", "none"),
        status=404,
        protocol="ollama",
    ),
    _case(
        "400-model",
        "could not find suitable inference handler for none",
        fails("model_not_found"),
        "llama-swap",
        status=400,
        content_type="text/plain",
    ),
    _case("404-page", "<html><h1>404 Not Found</h1></html>", fails("not_an_api"), status=404, content_type="text/html"),
    _case("400-context-code", _error("too long", code="context_length_exceeded"), fails("context"), status=400),
    _case(
        "400-context-words",
        _error("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
        fails("context", "4096"),
        status=400,
    ),
    _case(
        "400-context-type",
        _error(
            "request (700 tokens) exceeds the available context size (512 tokens)", type="exceed_context_size_error"
        ),
        fails("context"),
        status=400,
    ),
    _case(
        "413-context",
        {
            "type": "error",
            "error": {"type": "request_too_large", "message": "prompt is too long: 300000 tokens > 200000 maximum"},
        },
        fails("context"),
        status=413,
        protocol="anthropic",
    ),
    _case(
        "400-filter",
        _error("The response was filtered due to Azure's content management policy", code="content_filter"),
        fails("filtered"),
        status=400,
    ),
    _case(
        "422-list",
        {"detail": [{"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}]},
        fails("bad_request", "field required", "messages"),
        "FastAPI",
        status=422,
    ),
    _case(
        "400-list",
        [{"error": {"code": 400, "message": "contents is not specified", "status": "INVALID_ARGUMENT"}}],
        fails("bad_request", "contents is not specified"),
        "Gemini",
        status=400,
    ),
    _case(
        "400-object",
        {"object": "error", "message": "n must be at least 1", "type": "BadRequestError", "code": 400},
        fails("bad_request", "n must be"),
        "old vLLM",
        status=400,
    ),
    _case(
        "429-rate",
        _error("slow down", type="rate_limit_error"),
        fails("rate_limit", "slow down"),
        status=429,
        headers={"retry-after": "1"},
    ),
    _case(
        "429-quota",
        _error(
            "You exceeded your current quota, please check your plan",
            type="insufficient_quota",
            code="insufficient_quota",
        ),
        fails("quota"),
        "waiting does not help",
        status=429,
    ),
    _case("429-without-a-body", b"", fails("rate_limit"), status=429),
    _case(
        "500-text",
        "Internal Server Error",
        fails("upstream", "internal server error"),
        status=500,
        content_type="text/plain",
    ),
    _case("500-without-a-body", b"", fails("upstream", "500"), status=500),
    _case(
        "502-page",
        "<html><h1>502 Bad Gateway</h1></html>",
        fails("upstream"),
        "a reverse proxy before a dead server",
        status=502,
        content_type="text/html",
    ),
    _case(
        "503-loading",
        _error("Loading model", type="unavailable_error", code=503),
        fails("overloaded", "loading model"),
        status=503,
    ),
    _case(
        "503-busy",
        {"error": "server busy, please try again.  maximum pending requests exceeded"},
        fails("overloaded", "server busy"),
        status=503,
        protocol="ollama",
    ),
    _case(
        "529",
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        fails("overloaded"),
        status=529,
        protocol="anthropic",
    ),
)
_BROKEN = (
    _case("json-broken-off", json.dumps(_whole())[:-9], fails("truncated")),
    _case("json-of-another-kind", "[1, 2, 3]", fails("protocol"), "valid JSON, and no answer"),
    _case(
        "not-compressed-after-all",
        b"plain text",
        fails("protocol"),
        content_type=STREAM,
        headers={"content-encoding": "gzip"},
    ),
)

HTTP_CASES: tuple[WireCase, ...] = (*_SUCCESS_THAT_IS_NONE, *_WHOLE, *_STATUS, *_BROKEN)
