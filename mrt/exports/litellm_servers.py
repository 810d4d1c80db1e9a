"""Which of LiteLLM's clients speaks to a target, at which address."""

from __future__ import annotations

from mrt.domain import Target
from mrt.endpoints import PROVIDERS
from mrt.frozen import frozen
from mrt.providers import anthropic, chat, ollama

# LiteLLM's clients by the kind of server. `llamafile` is its client for llama.cpp: plain chat completions, and without a key
# of its own it sends none of another's, as `openai` does.
_CLIENTS = {
    "ollama": "ollama_chat",
    "vllm": "hosted_vllm",
    "lm_studio": "lm_studio",
    "llamacpp": "llamafile",
    "llama_swap": "llamafile",
    "litellm": "litellm_proxy",
    "anthropic": "anthropic",
    "openai": "openai",
}
# Clouds that LiteLLM knows by the same names.
_CLOUDS = frozenset({"openai", "anthropic", "openrouter", "groq", "deepseek", "gemini", "xai", "mistral"})
# These send a key that is there for somebody else where the one of an endpoint is missing.
_LENDS = {
    "openai": "OPENAI_API_KEY",
    "litellm_proxy": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "ollama_chat": "OLLAMA_API_KEY",
}


@frozen
class Server:
    """LiteLLM's name of the client, and the address it needs; None where it knows it."""

    client: str
    base: str | None

    @property
    def lends(self) -> str | None:
        """The variable whose key it sends to an address of the user's when the key of that address is missing."""
        return None if self.base is None else _LENDS.get(self.client)


def server_of(target: Target, own: bool) -> Server:
    """Where LiteLLM finds a target; `own` says that it is an endpoint of the user's, whatever its name."""
    if own or target.endpoint not in _CLOUDS:
        return Server(_client(target), _base(target))
    if target.url == PROVIDERS[target.endpoint].url:
        return Server(target.endpoint, None)
    # At another address Gemini is its compatible one, which LiteLLM's own client for it does not speak.
    return Server("openai" if target.endpoint == "gemini" else target.endpoint, _base(target))


def _client(target: Target) -> str:
    return "llamafile" if target.local and target.kind == "openai" else _CLIENTS[target.kind]


def _base(target: Target) -> str:
    """The address as LiteLLM's clients want it, which add the rest: the version stands in that of chat completions alone."""
    if target.protocol == "ollama":
        return ollama.url(target).removesuffix("/api/chat")
    if target.protocol == "anthropic":
        return anthropic.url(target).removesuffix("/v1/messages")
    return chat.url(target).removesuffix("/chat/completions")
