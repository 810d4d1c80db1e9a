"""Ollama's native chat protocol: one JSON object a line. Its own API is used because errors in mid-stream survive there."""

from __future__ import annotations

from typing import Any

from mrt.domain import OLLAMA_CONTEXT, Request, Target, Usage
from mrt.errors import ProtocolFailure
from mrt.providers.assembly import Assembly, count, string
from mrt.providers.failure import error_text, in_stream
from mrt.providers.jsontext import dump, parse
from mrt.providers.sse import ServerEvent
from mrt.providers.tools import ESCALATE_TOOL

FRAMES = "ndjson"
# Changing num_ctx reloads the model, so small prompts all ask for the same window, and larger ones for the next power of two.
SMALLEST_CONTEXT = OLLAMA_CONTEXT
KEEP_ALIVE = "5m"
_TOP_LEVEL = frozenset({"keep_alive", "think", "format", "truncate", "shift", "logprobs", "top_logprobs", "tools"})


def url(target: Target) -> str:
    """Where native chat lives below this base."""
    return target.url.rstrip("/").removesuffix("/v1").removesuffix("/api") + "/api/chat"


def headers(target: Target) -> dict[str, str]:
    """Authentication, where there is a key: Ollama itself needs none, a proxy before it may."""
    return {"authorization": f"Bearer {target.key.reveal()}"} if target.key else {}


def body(request: Request, target: Target) -> dict[str, Any]:
    """A chat request that fails, instead of silently dropping old messages, when the prompt does not fit."""
    options: dict[str, Any] = {"num_predict": request.max_tokens, "num_ctx": request.context_length or SMALLEST_CONTEXT}
    if request.temperature is not None:
        options["temperature"] = request.temperature
    if request.seed is not None:
        options["seed"] = request.seed
    document: dict[str, Any] = {
        "model": target.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "stream": True,
        "truncate": False,
        "shift": False,
        "keep_alive": KEEP_ALIVE,
    }
    if request.schema is not None:
        document["format"] = dict(request.schema)
    if request.logprobs:
        document["logprobs"] = True
    if request.offer_escalation:
        document["tools"] = [ESCALATE_TOOL]
    for name, value in request.options.items():
        (document if name in _TOP_LEVEL else options)[name] = value
    return document | {"options": options}


def read_event(assembly: Assembly, event: ServerEvent) -> None:
    """One line of the stream."""
    if not event.data.strip() or assembly.settled:
        return
    try:
        payload = parse(event.data)
    except ValueError:
        assembly.failure = ProtocolFailure("protocol: broken JSON in the stream")
        return
    read_chunk(assembly, payload)


def read_chunk(assembly: Assembly, payload: Any) -> None:
    """One object of the stream, or a whole non-streamed answer: both have the same shape."""
    message = error_text(payload)
    if message:
        assembly.failure = in_stream(payload, message)
        return
    if not isinstance(payload, dict):
        return
    part = payload.get("message")
    if isinstance(part, dict):
        _read_message(assembly, part)
    for entry in payload["logprobs"] if isinstance(payload.get("logprobs"), list) else ():
        if isinstance(entry, dict):
            assembly.add_logprob(entry.get("logprob"))
    assembly.served_model = string(payload.get("model")) or assembly.served_model
    # A model may be a name for one at Ollama's paid service, under whatever name it was pulled or copied.
    assembly.remote = assembly.remote or bool(payload.get("remote_host") or payload.get("remote_model"))
    if payload.get("done") is True:
        _read_end(assembly, payload)


def _read_message(assembly: Assembly, part: dict[str, Any]) -> None:
    assembly.add_reasoning(string(part.get("thinking")))
    assembly.add_text(string(part.get("content")))
    calls = part.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else ()):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            arguments = function.get("arguments")
            text = arguments if isinstance(arguments, str) else dump(arguments or {})
            assembly.add_tool_call(index, string(function.get("name")), text)


def _read_end(assembly: Assembly, payload: dict[str, Any]) -> None:
    assembly.ended = True
    reason = payload.get("done_reason")
    # "load" and "unload" end a request that generated nothing: the empty text says so by itself.
    assembly.finish_reason = reason if isinstance(reason, str) and reason not in ("", "load", "unload") else None
    incoming, outgoing = count(payload.get("prompt_eval_count")), count(payload.get("eval_count"))
    if incoming is not None or outgoing is not None:
        # A prompt that is wholly cached is not counted: unknown then, not zero.
        assembly.usage = Usage(incoming or None, outgoing, source="reported")
