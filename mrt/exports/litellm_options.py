"""A tier's own request fields where LiteLLM passes them on: beside its own names, or in `extra_body`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mrt.exports.ollama_parameters import PARAMETERS
from mrt.exports.report import Lost
from mrt.exports.secret_values import holds_secret, texts

# What LiteLLM itself knows of chat completions and hands to every such server under the same name.
_CHAT = frozenset(
    {"frequency_penalty", "logit_bias", "max_tokens", "presence_penalty", "reasoning_effort", "seed", "stop"}
    | {"temperature", "top_p"}
)
_MESSAGES = frozenset({"max_tokens", "stop_sequences", "temperature", "thinking", "top_k", "top_p"})
# It makes another parameter of Ollama's frequency_penalty.
_NATIVE = (PARAMETERS - {"frequency_penalty"}) | {"format", "keep_alive", "think"}
_DIRECT = {"ollama_chat": _NATIVE, "anthropic": _MESSAGES, "gemini": _CHAT - {"logit_bias"}}
# As mrt asks Ollama: a prompt that is too long fails, instead of losing its beginning.
_WHOLE = {"truncate": False, "shift": False}
# Clients that have no `extra_body`, or not for whatever one likes; all others send it as it is.
_BODY = {"ollama_chat": frozenset(_WHOLE), "anthropic": frozenset[str](), "gemini": frozenset[str]()}
# What it leaves out, without a word, for some clients and for models that it does not know, unless it is told not to.
_LEFT_OUT = frozenset({"frequency_penalty", "logit_bias", "presence_penalty", "reasoning_effort", "stop", "thinking"})
# It turns these into Gemini's own; told not to leave them out, it would send them a second time.
_TRANSLATING = "gemini"
_TAKEN = frozenset({"messages", "model", "n", "stream", "stream_options"})
_ENVIRONMENT = "os.environ/"
_RENAMED = {"num_predict": "max_tokens"}


def options(tier: str, given: Mapping[str, Any], client: str, lost: list[Lost]) -> dict[str, Any]:
    """The fields as parameters of LiteLLM; what it would keep for itself is added to `lost`."""
    passed: dict[str, Any] = {}
    body: dict[str, Any] = dict(_WHOLE) if client == "ollama_chat" else {}
    for name, value in given.items():
        reason = _why_not(name, value, client)
        if reason:
            lost.append(Lost(f"tiers.{tier}.options.{name}", reason))
        elif _is_direct(name, client):
            passed[_RENAMED.get(name, name) if client == "ollama_chat" else name] = value
        else:
            body[name] = value
    kept = [name for name in passed if name in _LEFT_OUT and client != _TRANSLATING]
    more = {"allowed_openai_params": kept, "extra_body": body}
    return passed | {name: value for name, value in more.items() if value}


def _is_direct(name: str, client: str) -> bool:
    return name in _DIRECT.get(client, _CHAT)


def _why_not(name: str, value: Any, client: str) -> str | None:
    if name in _TAKEN:
        return "the proxy decides this itself for every request"
    if holds_secret({name: value}):
        return "it looks like a key, which no file should hold"
    if any(text.startswith(_ENVIRONMENT) for text in texts(value)):
        return f"LiteLLM takes a text that begins with {_ENVIRONMENT} for the name of a variable"
    if not _is_direct(name, client) and name not in _BODY.get(client, {name}):
        return f"LiteLLM's client {client} has no way to pass it on"
    return None
