"""Every kind of server: its protocol, its usual address, the names of its environment variables."""

from __future__ import annotations

from typing import NamedTuple

from mrt.domain import Protocol


class Provider(NamedTuple):
    """A prefix of model ids. `variables` is the stem of its environment names: <STEM>_BASE_URL and <STEM>_API_KEY."""

    kind: str
    protocol: Protocol
    url: str
    variables: str
    local: bool = False
    needs_key: bool = True


# Local addresses and names as the mission's provider table has them; cloud addresses from each provider's API reference, 2026.
PROVIDERS: dict[str, Provider] = {
    "ollama": Provider("ollama", "ollama", "http://localhost:11434", "OLLAMA", local=True),
    "vllm": Provider("vllm", "chat", "http://localhost:8000", "VLLM", local=True),
    "lm_studio": Provider("lm_studio", "chat", "http://127.0.0.1:1234", "LMSTUDIO", local=True),
    "llamacpp": Provider("llamacpp", "chat", "http://localhost:8080", "LLAMACPP", local=True),
    "llama_swap": Provider("llama_swap", "chat", "http://localhost:8080", "LLAMA_SWAP", local=True),
    "litellm": Provider("litellm", "chat", "http://localhost:4000", "LITELLM", needs_key=False),
    "openai": Provider("openai", "chat", "https://api.openai.com/v1", "OPENAI"),
    "anthropic": Provider("anthropic", "anthropic", "https://api.anthropic.com", "ANTHROPIC"),
    "openrouter": Provider("openai", "chat", "https://openrouter.ai/api/v1", "OPENROUTER"),
    "groq": Provider("openai", "chat", "https://api.groq.com/openai/v1", "GROQ"),
    "deepseek": Provider("openai", "chat", "https://api.deepseek.com/v1", "DEEPSEEK"),
    "gemini": Provider("openai", "chat", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI"),
    "xai": Provider("openai", "chat", "https://api.x.ai/v1", "XAI"),
    "mistral": Provider("openai", "chat", "https://api.mistral.ai/v1", "MISTRAL"),
}
# Local servers share a second set of names, so that one variable can point all of them somewhere.
LOCAL_VARIABLES = "LOCAL_LLM"
# Some servers demand an Authorization header and accept anything in it.
PLACEHOLDER_KEY = "mrt"
RESERVED = "openai-compat"
# Kinds that answer only the models they list. llama.cpp answers any name with the model it has; a gateway may hide names.
LISTS_ALL = frozenset({"ollama", "vllm", "llama_swap"})
