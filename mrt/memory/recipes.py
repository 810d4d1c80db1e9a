"""A plan as the settings of an engine: what to say to Ollama, llama-server and vLLM."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mrt.memory.plan import Plan

# KV types that Ollama knows; it has one for K and V.
_OLLAMA_KV = ("F16", "Q8_0", "Q4_0")


def ollama_options(plan: Plan) -> dict[str, int]:
    """Request options, or parameters of a Modelfile."""
    options = {"num_ctx": plan.settings.context, "num_gpu": plan.gpu_layers}
    if plan.settings.ubatch != 512:
        options["num_batch"] = plan.settings.ubatch
    return options


def ollama_environment(plan: Plan) -> dict[str, str] | None:
    """The server's environment; None where Ollama has no setting that means the same (K and V apart, experts on the CPU)."""
    settings = plan.settings
    if (
        settings.type_k != settings.type_v
        or settings.type_k not in _OLLAMA_KV
        or settings.cpu_moe
        or settings.tensor_split
    ):
        return None
    environment = {"OLLAMA_FLASH_ATTENTION": "1" if settings.flash_attention else "0"}
    if settings.type_k != "F16":
        environment["OLLAMA_KV_CACHE_TYPE"] = settings.type_k.lower()
    if settings.parallel > 1:
        environment["OLLAMA_NUM_PARALLEL"] = str(settings.parallel)
    return environment


def llama_server_arguments(plan: Plan) -> list[str]:
    """Arguments of llama-server; what is its default is left out, but for the context and the layers."""
    settings = plan.settings
    # llama-server divides its context among the slots.
    words = ["-c", str(settings.context * max(1, settings.parallel)), "-ngl", str(plan.gpu_layers)]
    words += ["-fa", "on" if settings.flash_attention else "off"]
    for flag, kind in (("-ctk", settings.type_k), ("-ctv", settings.type_v)):
        words += [flag, kind.lower()] if kind != "F16" else []
    words += ["-np", str(settings.parallel)]
    words += ["-b", str(settings.batch)] if settings.batch != 2048 else []
    words += ["-ub", str(settings.ubatch)] if settings.ubatch != 512 else []
    words += ["--n-cpu-moe", str(settings.cpu_moe)] if settings.cpu_moe else []
    if settings.tensor_split:
        words += ["-ts", ",".join(f"{share:g}" for share in settings.tensor_split)]
    return words


def vllm_arguments(plan: Plan) -> list[str]:
    """Arguments of `vllm serve`, which always keeps everything on GPUs."""
    settings = plan.settings
    words = ["--max-model-len", str(settings.context), "--max-num-seqs", str(settings.parallel)]
    if settings.type_k == "Q8_0":
        words += ["--kv-cache-dtype", "fp8"]
    gpus = sum(device.kind == "gpu" for device in plan.devices)
    words += ["--tensor-parallel-size", str(gpus)] if gpus > 1 else []
    return [*words, "--gpu-memory-utilization", f"{1 - settings.headroom / 2:.2g}"]
