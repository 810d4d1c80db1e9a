"""Parameters of Ollama's engine, by the names that its API and its Modelfiles share (api.Options, 0.33), and what they hold."""

from __future__ import annotations

from typing import Any

WHOLE_NUMBERS = frozenset(
    {"main_gpu", "num_batch", "num_ctx", "num_gpu", "num_keep", "num_predict", "num_thread", "repeat_last_n"}
    | {"seed", "top_k"}
)
_NUMBERS = frozenset(
    {"frequency_penalty", "min_p", "presence_penalty", "repeat_penalty", "temperature", "top_p", "typical_p"}
)
PARAMETERS = WHOLE_NUMBERS | _NUMBERS | {"stop", "use_mmap"}


def fits(name: str, value: Any) -> bool:
    """Whether a parameter can have this value; JSON does not tell 40 from 40.0."""
    if name == "stop":
        return all(isinstance(text, str) for text in (value if isinstance(value, list) else [value]))
    if isinstance(value, bool) or name == "use_mmap":
        return isinstance(value, bool) and name == "use_mmap"
    return isinstance(value, int) or (isinstance(value, float) and (name in _NUMBERS or value.is_integer()))
