"""Values of GGUF metadata, by the key without its architecture, whatever type a file gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from mrt.frozen import frozen
from mrt.memory.shape import Tensor

# Ollama's own converters name these otherwise than llama.cpp does.
ALSO_CALLED = {"gptoss": "gpt-oss"}


@frozen
class Values:
    """Metadata and tensors of one model. `notes` collects what could not be read as it should."""

    architecture: str
    metadata: Mapping[str, Any]
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def rules(self) -> str:
        """The architecture whose rules hold, by llama.cpp's name; the keys keep the file's own."""
        return ALSO_CALLED.get(self.architecture, self.architecture)

    def get(self, key: str) -> Any:
        """The value of `ARCHITECTURE.key`, None where there is none."""
        return self.metadata.get(f"{self.architecture}.{key}")

    def whole(self, key: str) -> int:
        """A whole number that is not negative, the largest of a list; 0 where there is none."""
        value = self.get(key)
        found = [number for number in (value if isinstance(value, list) else [value]) if _is_whole(number)]
        return max(found, default=0)

    def per_layer(self, key: str, count: int) -> list[int] | None:
        """One number a layer, from a list or a single value; None where it is absent or was not told."""
        value = self.get(key)
        if isinstance(value, list) and len(value) >= count and all(_is_whole(number) for number in value):
            return [int(number) for number in value[:count]]
        return [int(value)] * count if _is_whole(value) else None

    def length(self, key: str) -> int:
        """How long a list under the full `key` is."""
        value = self.metadata.get(key)
        return len(value) if isinstance(value, list) else getattr(value, "length", 0)

    def dimension(self, name: str, index: int, any_layer: bool = False) -> int:
        """A dimension of a tensor, 0 where there is none; with `any_layer` of the first block that has such a tensor."""
        tensor = self.tensors.get(name)
        if any_layer:
            tensor = next((other for full, other in self.tensors.items() if full.endswith("." + name)), None)
        return tensor.shape[index] if tensor is not None and len(tensor.shape) > index else 0


def _is_whole(value: Any) -> bool:
    """Truth values count: patterns are lists of them in some files and of numbers in others."""
    return isinstance(value, int) and 0 <= value < 1 << 62
