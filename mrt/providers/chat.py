"""The OpenAI chat-completions protocol, as the many servers that claim it really speak it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mrt.domain import Request, Target, Usage
from mrt.errors import ProtocolFailure
from mrt.providers.assembly import Assembly, count, string
from mrt.providers.failure import error_text, in_stream
from mrt.providers.jsontext import dump, parse
from mrt.providers.sse import DONE, ServerEvent
from mrt.providers.tools import ESCALATE_TOOL

FRAMES = "sse"
_VERSIONED = ("/openai", "/v1beta", "/v2", "/v3", "/v4", "/compatible-mode")


def url(target: Target) -> str:
    """Where chat completions live below this base; bases with and without `/v1` work, and versioned ones stay as they are."""
    base = target.url.rstrip("/").removesuffix("/chat/completions")
    if base.endswith("/v1") or base.endswith(_VERSIONED):
        return f"{base}/chat/completions"
    return f"{base}/v1/chat/completions"


def headers(target: Target) -> dict[str, str]:
    """Authentication, where there is a key."""
    return {"authorization": f"Bearer {target.key.reveal()}"} if target.key else {}


def body(request: Request, target: Target) -> dict[str, Any]:
    """The smallest request that says what is wanted: strict servers reject fields they do not know."""
    document: dict[str, Any] = {
        "model": target.model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": request.max_tokens,
    }
    if request.temperature is not None:
        document["temperature"] = request.temperature
    if request.seed is not None:
        document["seed"] = request.seed
    if request.effort is not None:
        document["reasoning_effort"] = request.effort
    if request.logprobs:
        document["logprobs"] = True
    if request.offer_escalation:
        document["tools"] = [ESCALATE_TOOL]
    if request.schema is not None:
        document["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": dict(request.schema), "strict": True},
        }
    return document | dict(request.options)


def read_event(assembly: Assembly, event: ServerEvent) -> None:
    """One event of the stream."""
    if not event.data.strip() or assembly.settled:
        return
    if event.data == DONE:
        assembly.ended = True
        return
    try:
        payload = parse(event.data)
    except ValueError:
        # After the finish reason nothing is lost; before it, text may be.
        if event.event == "error":
            assembly.failure = in_stream(None, event.data)
        elif assembly.finish_reason is None:
            assembly.failure = ProtocolFailure("protocol: broken JSON in the stream")
        return
    if event.event == "error" and isinstance(payload, dict) and not error_text(payload):
        payload = {"error": payload}
    read_chunk(assembly, payload)


def read_chunk(assembly: Assembly, payload: Any) -> None:
    """One chunk of the stream, or a whole non-streamed answer."""
    choices = payload.get("choices") if isinstance(payload, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and not choice.get("index"):
            _read_choice(assembly, choice)
    message = error_text(payload)
    if message:
        assembly.failure = in_stream(payload, message)
    if isinstance(payload, dict):
        _read_usage(assembly, payload)
        assembly.served_model = string(payload.get("model")) or assembly.served_model
        assembly.service_tier = string(payload.get("service_tier")) or assembly.service_tier


def _read_choice(assembly: Assembly, choice: dict[str, Any]) -> None:
    part = choice.get("delta") or choice.get("message") or {}
    if isinstance(part, dict):
        _read_part(assembly, part)
    if isinstance(choice.get("text"), str):
        assembly.add_text(choice["text"])
    _read_logprobs(assembly, choice.get("logprobs"))
    finish = choice.get("finish_reason") or choice.get("finishReason")
    if isinstance(finish, str):
        assembly.finish_reason = finish


def _read_part(assembly: Assembly, part: dict[str, Any]) -> None:
    # Both names of the reasoning field may carry the same text: it counts once.
    reasoning = part.get("reasoning_content") or part.get("reasoning")
    if isinstance(reasoning, str):
        assembly.add_reasoning(reasoning)
    elif not reasoning:
        _read_reasoning_details(assembly, part.get("reasoning_details"))
    content = part.get("content")
    if isinstance(content, str):
        assembly.add_text(content)
    elif isinstance(content, list):
        _read_content_parts(assembly, content)
    if isinstance(part.get("refusal"), str):
        assembly.refusal += part["refusal"]
    _read_tool_calls(assembly, part)


def _read_reasoning_details(assembly: Assembly, details: Any) -> None:
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and isinstance(detail.get("text"), str):
            assembly.add_reasoning(detail["text"])


def _read_content_parts(assembly: Assembly, parts: list[Any]) -> None:
    """Content as a list of typed parts; Mistral's reasoning models nest their thinking in it."""
    for part in parts:
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("text"), str):
            assembly.add_text(part["text"])
        for thought in part["thinking"] if isinstance(part.get("thinking"), list) else ():
            if isinstance(thought, dict) and isinstance(thought.get("text"), str):
                assembly.add_reasoning(thought["text"])


def _read_tool_calls(assembly: Assembly, part: dict[str, Any]) -> None:
    calls = part.get("tool_calls")
    for position, call in enumerate(calls if isinstance(calls, list) else ()):
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            index = count(call.get("index"))
            assembly.add_tool_call(
                position if index is None else index, string(function.get("name")), _arguments(function)
            )
    legacy = part.get("function_call")
    if isinstance(legacy, dict):
        assembly.add_tool_call(0, string(legacy.get("name")), _arguments(legacy))


def _arguments(function: dict[str, Any]) -> str:
    arguments = function.get("arguments")
    return arguments if isinstance(arguments, str) else dump(arguments) if arguments else ""


def _read_logprobs(assembly: Assembly, logprobs: Any) -> None:
    entries = logprobs.get("content") if isinstance(logprobs, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            assembly.add_logprob(entry.get("logprob"))


def _read_usage(assembly: Assembly, payload: dict[str, Any]) -> None:
    candidates: Iterable[Any] = (payload.get("usage"), _nested(payload, "x_groq", "usage"))
    usage = next((candidate for candidate in candidates if isinstance(candidate, dict)), None)
    if usage is not None:
        # The last one wins: some servers repeat it on every chunk, and it is cumulative.
        stated = usage_of(usage)
        assembly.usage = stated or assembly.usage
        assembly.usage_stated = assembly.usage_stated or stated is not None
        _read_cost(assembly, usage)
    elif isinstance(payload.get("timings"), dict) and not assembly.usage_stated:
        assembly.usage = _usage_of_timings(payload["timings"])


def _read_cost(assembly: Assembly, usage: dict[str, Any]) -> None:
    """What the server charged. With a key of the user's own (BYOK) OpenRouter charges a fee; the provider charges the rest."""
    assembly.read_cost(usage.get("cost"))
    if usage.get("is_byok") is True:
        assembly.add_cost(_nested(usage, "cost_details", "upstream_inference_cost"))


def usage_of(usage: dict[str, Any]) -> Usage | None:
    """Counts by the names of the OpenAI API; None when it states no token at all, as a placeholder does."""
    incoming, outgoing = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    if not incoming and not outgoing:
        return None
    cached = count(_nested(usage, "prompt_tokens_details", "cached_tokens"))
    stated = Usage(
        input_tokens=incoming or None,
        output_tokens=outgoing,
        cached_tokens=count(usage.get("prompt_cache_hit_tokens")) if cached is None else cached,
        cache_write_tokens=_written(usage),
        reasoning_tokens=count(_nested(usage, "completion_tokens_details", "reasoning_tokens")),
        source="reported",
    )
    return _whole(stated, count(usage.get("total_tokens")))


def _written(usage: dict[str, Any]) -> int | None:
    """Tokens written to a cache, by the names that LiteLLM, OpenRouter and Anthropic's own API give them."""
    details = usage.get("prompt_tokens_details")
    stated = (_nested(details, "cache_creation_tokens"), _nested(details, "cache_write_tokens"))
    counts = map(count, (*stated, usage.get("cache_creation_input_tokens")))
    return next((found for found in counts if found is not None), None)


def _whole(usage: Usage, total: int | None) -> Usage:
    """The usage with all that the total holds: what stands outside of prompt and completion is paid for too.

    OpenAI counts reasoning inside the completion. xAI counts it beside it, and Gemini's compatible endpoint does so without
    even naming it: both show in the total alone. Some gateways count cached input beside the prompt.
    """
    incoming, outgoing, reasoning = usage.input_tokens, usage.output_tokens, usage.reasoning_tokens or 0
    if incoming is None or outgoing is None:
        return usage
    outside = 0 if total is None else max(0, total - incoming - outgoing)
    cached = (usage.cached_tokens or 0) + (usage.cache_write_tokens or 0)
    if outside and outside == cached != reasoning:
        return replace(usage, input_tokens=incoming + outside)
    if reasoning > outgoing:  # it cannot be a part of the completion
        outside = max(outside, reasoning)
    return replace(usage, output_tokens=outgoing + outside)


def _usage_of_timings(timings: dict[str, Any]) -> Usage | None:
    """llama.cpp without a usage chunk still says how many tokens it handled; `prompt_n` leaves out the cached ones."""
    fresh, cached, outgoing = (count(timings.get(name)) for name in ("prompt_n", "cache_n", "predicted_n"))
    if fresh is None or outgoing is None:
        return None
    return Usage(fresh + (cached or 0), outgoing, cached, source="reported")


def _nested(document: Any, *path: str) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
