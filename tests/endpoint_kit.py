"""What the tests of endpoints share."""

from __future__ import annotations

from typing import Any

from mrt.config import Config, EndpointSettings

EMPTY = Config(tiers=())

LOCAL = ["ollama", "vllm", "lm_studio", "llamacpp"]
NAMES = {
    "ollama": "OLLAMA",
    "vllm": "VLLM",
    "lm_studio": "LMSTUDIO",
    "llamacpp": "LLAMACPP",
    "llama_swap": "LLAMA_SWAP",
}

CLOUD = ["openai", "anthropic", "openrouter", "groq", "deepseek", "gemini", "xai", "mistral"]


def named(name: str = "koala", kind: Any = "litellm", url: str = "http://koala:4000", **fields: Any) -> Config:
    """A config with one endpoint."""
    return Config(tiers=(), endpoints={name: EndpointSettings(name, kind, url, **fields)})
