"""What is known of a model: from a GGUF header, from a server, from a Hugging Face config, from the catalog, from its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.lazy import exports

if TYPE_CHECKING:
    from mrt.models.quantization import check_quantization
    from mrt.models.resolve import resolve_model, resolve_running
    from mrt.models.sources import Sources

__getattr__ = exports(
    __name__, quantization="check_quantization", resolve="resolve_model resolve_running", sources="Sources"
)
__all__ = ["Sources", "check_quantization", "resolve_model", "resolve_running"]
