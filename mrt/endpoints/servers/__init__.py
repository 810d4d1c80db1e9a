"""How to recognise each kind of server by a field only it has, and what that kind tells of its models."""

from __future__ import annotations

from collections.abc import Callable

from mrt.endpoints.line import Line
from mrt.endpoints.servers import listing, litellm, llama_swap, llamacpp, lm_studio, ollama, vllm
from mrt.endpoints.sighting import Sighting

Recognise = Callable[[Line], Sighting | None]

# In the order in which a stranger is asked. llama.cpp and llama-swap come before Ollama, some of whose paths they serve too.
RECOGNISERS: dict[str, Recognise] = {
    "llamacpp": llamacpp.recognise,
    "llama_swap": llama_swap.recognise,
    "litellm": litellm.recognise,
    "ollama": ollama.recognise,
    "vllm": vllm.recognise,
    "lm_studio": lm_studio.recognise,
    "openai": listing.recognise,
}

__all__ = ["RECOGNISERS", "Recognise"]
