"""The scripted servers, one for each protocol: llama.cpp's chat completions, Ollama's own API, Anthropic's Messages.

They are told by what `mrt probe` looks at, call themselves "simulated" where a server names its version, and know one model each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from mrt.demo.answers import TOOL, Reply, answer
from mrt.demo.script import ModelScript
from mrt.demo.server import Answer, Question, Service, json_answer

VERSION = "simulated"
# What the scripted cloud wants to see. It opens nothing anywhere else.
KEY = "simulated-key"
_EVENTS = "text/event-stream"
_MOMENT = "2026-01-01T00:00:00Z"


def llamacpp(model: ModelScript) -> Service:
    """Chat completions, as llama.cpp's server has them."""
    props = {
        "default_generation_settings": {"n_ctx": model.context_length},
        "total_slots": 1,
        "model_alias": model.name,
        "build_info": VERSION,
        "chat_template_caps": {"supports_tools": True},
        "is_sleeping": False,
    }
    listed = {
        "id": model.name,
        "object": "model",
        "owned_by": "llamacpp",
        "meta": {"n_ctx_train": model.context_length},
    }
    known = {"/props": props, "/v1/models": {"object": "list", "data": [listed]}, "/health": {"status": "ok"}}

    def service(question: Question) -> Answer:
        if question.method == "GET" and question.path in known:
            return json_answer(known[question.path])
        if question.path != "/v1/chat/completions" or not isinstance(question.document, Mapping):
            return _not_found(question)
        document = question.document
        reply = answer(model, *_asked(document), document.get("max_tokens"))
        return _streamed(document, _chat(model.name, reply, document), _EVENTS)

    return service


def ollama(model: ModelScript) -> Service:
    """Ollama's native API."""
    details = {"format": "gguf", "context_length": model.context_length}
    listed = {"name": model.name, "model": model.name, "details": details, "capabilities": ["completion", "tools"]}
    running = {"name": model.name, "model": model.name, "details": details, "context_length": model.context_length}
    known = {"/api/version": {"version": VERSION}, "/api/tags": {"models": [listed]}, "/api/ps": {"models": [running]}}

    def service(question: Question) -> Answer:
        if question.method == "GET" and question.path in known:
            return json_answer(known[question.path])
        document = question.document
        if question.path not in ("/api/chat", "/api/show") or not isinstance(document, Mapping):
            return _not_found(question)
        if document.get("model") != model.name:
            return json_answer({"error": f"model {document.get('model')!r} not found"}, 404)
        if question.path == "/api/show":
            return json_answer({"details": details, "capabilities": listed["capabilities"]})
        options = document.get("options")
        limit = options.get("num_predict") if isinstance(options, Mapping) else None
        reply = answer(model, *_asked(document), limit)
        return _streamed(document, _ollama(model.name, reply, document), "application/x-ndjson")

    return service


def anthropic(model: ModelScript) -> Service:
    """Anthropic's Messages; it wants `KEY`."""
    listed: dict[str, Any] = {"type": "model", "id": model.name, "max_input_tokens": model.context_length}
    listed |= {"display_name": f"{model.name} ({VERSION})", "created_at": _MOMENT}

    def service(question: Question) -> Answer:
        if question.headers.get("x-api-key") != KEY:
            error = {"type": "authentication_error", "message": "invalid x-api-key"}
            return json_answer({"type": "error", "error": error}, 401)
        if question.method == "GET" and question.path == "/v1/models":
            return json_answer({"data": [listed], "has_more": False, "first_id": model.name, "last_id": model.name})
        document = question.document
        if question.path != "/v1/messages" or not isinstance(document, Mapping):
            return _not_found(question)
        if document.get("model") != model.name:
            error = {"type": "not_found_error", "message": f"model: {document.get('model')}"}
            return json_answer({"type": "error", "error": error}, 404)
        messages, tools = _asked(document)
        system = [{"role": "system", "content": document["system"]}] if document.get("system") else []
        reply = answer(model, [*system, *messages], tools, document.get("max_tokens"))
        return _streamed(document, _messages(model.name, reply), _EVENTS)

    return service


def _asked(document: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """The messages and the tools of a request."""
    messages, tools = document.get("messages"), document.get("tools")
    return messages if isinstance(messages, list) else [], tools if isinstance(tools, list) else []


def _not_found(question: Question) -> Answer:
    error = {"type": "not_found_error", "message": f"nothing at {question.method} {question.path}"}
    return json_answer({"error": error}, 404)


def _streamed(document: Mapping[str, Any], pieces: Iterator[bytes], kind: str) -> Answer:
    if document.get("stream") is False:
        error = {"type": "invalid_request_error", "message": "a simulated server only streams"}
        return json_answer({"error": error}, 400)
    return Answer(pieces, kind)


def _event(document: Mapping[str, Any], name: str = "") -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(document).encode() + b"\n\n"


def _chat(name: str, reply: Reply, document: Mapping[str, Any]) -> Iterator[bytes]:
    chunk = {"id": "chatcmpl-simulated", "object": "chat.completion.chunk", "model": name}

    def choice(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
        return _event({**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **more}]})

    if reply.reason:
        function = {"name": TOOL, "arguments": json.dumps({"reason": reply.reason})}
        yield choice({"tool_calls": [{"index": 0, "id": "call_simulated", "type": "function", "function": function}]})
    for piece in reply.pieces:
        sure: dict[str, Any] = (
            {"logprobs": {"content": [_probability(piece, reply)]}} if document.get("logprobs") else {}
        )
        yield choice({"content": piece}, **sure)
    yield choice({}, reply.finish)
    wanted = document.get("stream_options")
    if isinstance(wanted, Mapping) and wanted.get("include_usage"):
        total = reply.input_tokens + reply.output_tokens
        usage = {"prompt_tokens": reply.input_tokens, "completion_tokens": reply.output_tokens, "total_tokens": total}
        yield _event({**chunk, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _ollama(name: str, reply: Reply, document: Mapping[str, Any]) -> Iterator[bytes]:
    def line(message: Mapping[str, Any], **more: Any) -> bytes:
        said = {"role": "assistant", "content": "", **message}
        return (
            json.dumps({"model": name, "created_at": _MOMENT, "message": said, "done": False, **more}).encode() + b"\n"
        )

    if reply.reason:
        yield line({"tool_calls": [{"function": {"name": TOOL, "arguments": {"reason": reply.reason}}}]})
    for piece in reply.pieces:
        sure = {"logprobs": [_probability(piece, reply)]} if document.get("logprobs") else {}
        yield line({"content": piece}, **sure)
    # Ollama has no word of its own for the end of a call.
    reason = "length" if reply.finish == "length" else "stop"
    yield line({}, done=True, done_reason=reason, prompt_eval_count=reply.input_tokens, eval_count=reply.output_tokens)


def _messages(name: str, reply: Reply) -> Iterator[bytes]:
    usage = {"input_tokens": reply.input_tokens, "output_tokens": 1}
    message = {"id": "msg_simulated", "type": "message", "role": "assistant", "model": name, "content": []}
    yield _event({"type": "message_start", "message": {**message, "usage": usage}}, "message_start")
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield _event(block, "content_block_start")
    for piece in reply.pieces:
        delta = {"type": "text_delta", "text": piece}
        yield _event({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")
    yield _event({"type": "content_block_stop", "index": 0}, "content_block_stop")
    reason = "max_tokens" if reply.finish == "length" else "end_turn"
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": reply.output_tokens}}
    yield _event(end, "message_delta")
    yield _event({"type": "message_stop"}, "message_stop")


def _probability(piece: str, reply: Reply) -> dict[str, Any]:
    return {"token": piece, "logprob": math.log(reply.confidence)}
