"""How a model is run: everything a user can choose that changes the memory it takes."""

from __future__ import annotations

from typing import Literal

from mrt.frozen import frozen

Engine = Literal["llama.cpp", "ollama", "vllm"]


@frozen
class RunSettings:
    """Settings of a run. `context` is what each of the `parallel` slots holds; `type_k` and `type_v` are ggml types as llama.cpp
    writes them. `gpu_layers` None means: as many as fit; `cpu_moe` counts the layers whose experts stay on the CPU.
    """

    context: int
    type_k: str = "F16"
    type_v: str = "F16"
    parallel: int = 1
    batch: int = 2048
    ubatch: int = 512
    flash_attention: bool = True
    gpu_layers: int | None = None
    cpu_moe: int = 0
    tensor_split: tuple[float, ...] = ()
    engine: Engine = "llama.cpp"
    # The date of the engine's build as YYYY-MM-DD: rules that changed are switched by it. "" is the release the rules were
    # taken from (llama.cpp v0.5.0); builds from 2026-10 on also mix embeddings into the inputs.
    build: str = ""
    headroom: float = 0.2
    # One cache for all slots instead of one each; sliding windows cached at full length; tokens drafted ahead (MTP).
    unified: bool = False
    full_window: bool = False
    draft_tokens: int = 0
    # Rows of logits in a micro-batch: 0 every token's, as libraries, command-line tools and older servers reserve; newer
    # servers reserve one per slot.
    outputs: int = 0
