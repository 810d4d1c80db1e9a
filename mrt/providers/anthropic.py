"""The Anthropic Messages protocol (version 2023-06-01)."""

from __future__ import annotations

from typing import Any

from mrt.domain import Request, Target, Usage
from mrt.errors import IncompleteError, ProtocolFailure, Refused
from mrt.providers.assembly import Assembly, count, string
from mrt.providers.failure import error_text, in_stream
from mrt.providers.jsontext import dump, parse
from mrt.providers.sse import ServerEvent

FRAMES = "sse"
VERSION = "2023-06-01"
_THINKING_BUDGET = {"low": 1024, "medium": 4096, "high": 16384}
_INPUT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def url(target: Target) -> str:
    """Where messages live below this base."""
    return target.url.rstrip("/").removesuffix("/messages").removesuffix("/v1") + "/v1/messages"


def headers(target: Target) -> dict[str, str]:
    """The version, and the key where there is one."""
    version = {"anthropic-version": VERSION}
    return version | {"x-api-key": target.key.reveal()} if target.key else version


def body(request: Request, target: Target) -> dict[str, Any]:
    """A Messages request; system text has a field of its own, `max_tokens` is required, and a seed there is none."""
    system = "\n\n".join(message.content for message in request.messages if message.role == "system")
    if request.schema is not None:
        # The protocol has no field for a schema, so the model is told in words; the answer is checked either way.
        schema = dump(dict(request.schema))
        order = "Answer with one JSON document that is valid under this JSON schema, and nothing else:"
        system = f"{system}\n\n{order}\n{schema}".strip()
    document: dict[str, Any] = {
        "model": target.model,
        "messages": [
            {"role": message.role, "content": message.content}
            for message in request.messages
            if message.role != "system"
        ],
        "stream": True,
        "max_tokens": request.max_tokens,
    }
    if system:
        document["system"] = system
    thinking = _thinking(request)
    if thinking:
        document["thinking"] = thinking
    elif request.temperature is not None:
        document["temperature"] = min(request.temperature, 1.0)
    return document | dict(request.options)


def _thinking(request: Request) -> dict[str, Any] | None:
    """Effort as a thinking budget, which must lie below the token limit and cannot go with a temperature."""
    budget = min(_THINKING_BUDGET.get(request.effort or "", 0), request.max_tokens - 1)
    return {"type": "enabled", "budget_tokens": budget} if budget >= _THINKING_BUDGET["low"] else None


def read_event(assembly: Assembly, event: ServerEvent) -> None:
    """One event of the stream; unknown events and deltas are ignored, as the protocol demands."""
    if not event.data.strip() or assembly.settled or event.data == "[DONE]":
        return
    try:
        payload = parse(event.data)
    except ValueError:
        assembly.failure = ProtocolFailure("protocol: broken JSON in the stream")
        return
    read_chunk(assembly, payload, whole=False)


def read_chunk(assembly: Assembly, payload: Any, whole: bool = True) -> None:
    """A parsed event, or a whole non-streamed message."""
    message = error_text(payload)
    if message:
        assembly.failure = in_stream(payload, message)
        return
    kind = payload.get("type") if isinstance(payload, dict) else None
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is not None and (whole or kind != "message"):
        reader(assembly, payload)


def _read_start(assembly: Assembly, payload: dict[str, Any]) -> None:
    message = payload.get("message")
    if isinstance(message, dict):
        assembly.served_model = string(message.get("model")) or assembly.served_model
        # output_tokens here is a placeholder: the truth comes with message_delta.
        _merge_usage(assembly, message.get("usage"), outgoing=False)


def _read_block_start(assembly: Assembly, payload: dict[str, Any]) -> None:
    block = payload.get("content_block")
    if isinstance(block, dict):
        _read_block(assembly, block, count(payload.get("index")) or 0)


def _read_block(assembly: Assembly, block: dict[str, Any], index: int) -> None:
    kind = block.get("type")
    if kind == "text":
        assembly.add_text(string(block.get("text")))
    elif kind == "thinking":
        assembly.add_reasoning(string(block.get("thinking")))
    elif kind == "tool_use":
        assembly.add_tool_call(index, string(block.get("name")), dump(block["input"]) if block.get("input") else "")
    elif kind == "fallback":
        # Another model took over: it is the one to name and to price.
        successor = block.get("to")
        if isinstance(successor, dict):
            assembly.served_model = string(successor.get("model")) or assembly.served_model


def _read_delta(assembly: Assembly, payload: dict[str, Any]) -> None:
    delta = payload.get("delta")
    if not isinstance(delta, dict):
        return
    kind = delta.get("type")
    if kind == "text_delta":
        assembly.add_text(string(delta.get("text")))
    elif kind == "thinking_delta":
        assembly.add_reasoning(string(delta.get("thinking")))
    elif kind == "input_json_delta":
        assembly.add_tool_call(count(payload.get("index")) or 0, "", string(delta.get("partial_json")))


def _read_message_delta(assembly: Assembly, payload: dict[str, Any]) -> None:
    delta = payload.get("delta")
    if isinstance(delta, dict):
        _stop(assembly, delta)
    _merge_usage(assembly, payload.get("usage"), outgoing=True)


def _read_stop(assembly: Assembly, _: dict[str, Any]) -> None:
    # A stop without a reason before it would be an end that nobody explained.
    assembly.ended = assembly.finish_reason is not None


def _read_message(assembly: Assembly, payload: dict[str, Any]) -> None:
    assembly.served_model = string(payload.get("model")) or assembly.served_model
    content = payload.get("content")
    for index, block in enumerate(content if isinstance(content, list) else ()):
        if isinstance(block, dict):
            _read_block(assembly, block, index)
    _stop(assembly, payload)
    _merge_usage(assembly, payload.get("usage"), outgoing=True)


def _stop(assembly: Assembly, document: dict[str, Any]) -> None:
    reason = document.get("stop_reason")
    if not isinstance(reason, str) or not reason:
        return
    assembly.finish_reason = reason
    if reason == "pause_turn":
        assembly.failure = IncompleteError("the model paused its turn (pause_turn) before the answer was whole")
    elif reason == "refusal":
        details = document.get("stop_details")
        why = (details.get("explanation") or details.get("category")) if isinstance(details, dict) else None
        assembly.failure = Refused(f"refusal: {why}" if why else "the model refused (refusal)")


def _merge_usage(assembly: Assembly, usage: Any, outgoing: bool) -> None:
    """Counts are cumulative: a later one replaces an earlier one. Input is fresh + cache writes + cache reads."""
    if not isinstance(usage, dict):
        return
    known = assembly.usage or Usage()
    fresh, written, read = (count(usage.get(name)) for name in _INPUT_COUNTS)
    before_written, before_read = known.cache_write_tokens or 0, known.cached_tokens or 0
    written = before_written if written is None else written
    read = before_read if read is None else read
    if fresh is None and known.input_tokens is not None:
        fresh = known.input_tokens - before_written - before_read
    total = None if fresh is None else (fresh + written + read) or None
    output = count(usage.get("output_tokens")) if outgoing else None
    assembly.read_cost(usage.get("cost"))
    if total is not None or output is not None:
        assembly.usage = Usage(
            total, known.output_tokens if output is None else output, read, written, None, "reported"
        )


_READERS = {
    "message_start": _read_start,
    "content_block_start": _read_block_start,
    "content_block_delta": _read_delta,
    "message_delta": _read_message_delta,
    "message_stop": _read_stop,
    "message": _read_message,
}
