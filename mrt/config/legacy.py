"""Model ids as the older environment names write them: without a provider."""

from __future__ import annotations

from collections.abc import Collection

from mrt.config.model import PROVIDER_PREFIXES

_LOCAL = "TIER_LOCAL_"
_CLOUD = "TIER_CLOUD_MODEL"
_CLOUD_FAMILIES = (
    ("claude", "anthropic"),
    ("gpt", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("grok", "xai"),
    ("gemini", "gemini"),
)


def with_provider(variable: str, model: str, endpoints: Collection[str]) -> str:
    """The model id with the provider that the variable implies; unchanged when it names one, or when none is known."""
    prefix, slash, _ = model.partition("/")
    if not model or (
        slash and (prefix in endpoints or prefix in PROVIDER_PREFIXES or prefix.lower() == "openai-compat")
    ):
        return model
    if variable.startswith(_LOCAL):
        return f"ollama/{model}"
    if variable == _CLOUD and not slash:
        family = next((provider for start, provider in _CLOUD_FAMILIES if model.lower().startswith(start)), None)
        return f"{family}/{model}" if family else model
    return model
