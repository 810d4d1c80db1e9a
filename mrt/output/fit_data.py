"""`mrt fit --json`: the same answer for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mrt.memory.recipes import llama_server_arguments, ollama_environment, ollama_options
from mrt.output.fit import notes, verdict_line

if TYPE_CHECKING:
    from mrt.memory.answer import Answer
    from mrt.memory.frontier import Option
    from mrt.memory.plan import DevicePlan, Line, Plan
    from mrt.memory.shape import ModelShape
    from mrt.memory.speed import Range, Speed


def fit_data(answer: Answer, origin: str, explain: bool = False) -> dict[str, Any]:
    """The `data` of one model; every key is always there."""
    plan = answer.plan
    data: dict[str, Any] = {
        "model": model_data(plan.shape),
        "settings": settings_data(plan) | {"context_origin": origin},
        "devices": [device_data(device) for device in plan.devices],
        "total_bytes": plan.total_bytes,
        "verdict": answer.judgement.verdict,
        "summary": verdict_line(answer),
        "fits_now": answer.judgement.fits_now,
        "fits_when_idle": answer.judgement.fits,
        "frontier": [option_data(option) for option in answer.options],
        "smaller": None,
        "speed": speed_data(answer.speed),
        "advice": list(answer.advice),
        "notes": list(notes(answer)),
        "commands": {
            "ollama": {"options": ollama_options(plan), "environment": ollama_environment(plan)},
            "llama_server": llama_server_arguments(plan),
        },
        "draft": model_data(answer.draft.shape) if answer.draft else None,
        "simulated": answer.machine.simulated,
    }
    if answer.smaller is not None:
        data["smaller"] = {
            "model": model_data(answer.smaller.plan.shape),
            "verdict": answer.smaller.judgement.verdict,
            "total_bytes": answer.smaller.plan.total_bytes,
        }
    if explain:
        data["buffers"] = [line_data(line) for line in plan.lines]
    return data


def model_data(shape: ModelShape) -> dict[str, Any]:
    """What is known of the model."""
    return {
        "name": shape.name,
        "source": shape.source,
        "confidence": shape.confidence,
        "architecture": shape.architecture,
        "parameters": shape.parameters,
        "active_parameters": shape.active_parameters,
        "file_bytes": shape.file_bytes,
        "quantization": shape.quantization,
        "context_trained": shape.context_trained,
        "tools": shape.tools,
        "vision": shape.vision,
        "thinking": shape.thinking,
        "embedding": shape.embeds,
    }


def settings_data(plan: Plan) -> dict[str, Any]:
    """The settings of the run."""
    settings = plan.settings
    return {
        "quantization": plan.shape.quantization,
        "context_length": settings.context,
        "kv_type_k": settings.type_k.lower(),
        "kv_type_v": settings.type_v.lower(),
        "parallel": settings.parallel,
        "batch": settings.batch,
        "ubatch": settings.ubatch,
        "flash_attention": settings.flash_attention,
        "gpu_layers": plan.gpu_layers,
        "layers": plan.layers,
        "cpu_moe": settings.cpu_moe,
        "tensor_split": list(settings.tensor_split),
        "engine": settings.engine,
        "build": settings.build or None,
        "headroom": settings.headroom,
    }


def device_data(device: DevicePlan) -> dict[str, Any]:
    """One device; bytes."""
    return {
        "name": device.name,
        "kind": device.kind,
        "total_bytes": device.total_bytes,
        "free_bytes": device.free_bytes,
        "weights_bytes": device.weights_bytes,
        "kv_cache_bytes": device.kv_cache_bytes,
        "kv_full_bytes": device.kv_full_bytes,
        "kv_window_bytes": device.kv_window_bytes,
        "recurrent_bytes": device.recurrent_bytes,
        "compute_bytes": device.compute_bytes,
        "overhead_bytes": {"low": device.overhead_low, "high": device.overhead_high},
        "needed_bytes": {"low": device.needed_low, "high": device.needed_high},
        "margin_bytes": device.margin_bytes,
        "layers": device.layers,
    }


def option_data(option: Option) -> dict[str, Any]:
    """One point of the frontier."""
    plan = option.plan
    return {
        "setting": option.kind,
        "value": option.value,
        "ended_by": option.ended_by,
        "verdict": option.judgement.verdict,
        "total_bytes": plan.total_bytes,
        "quantization": plan.shape.quantization,
        "context_length": plan.settings.context,
        "kv_type_k": plan.settings.type_k.lower(),
        "kv_type_v": plan.settings.type_v.lower(),
        "parallel": plan.settings.parallel,
        "gpu_layers": plan.gpu_layers,
        "cpu_moe": plan.settings.cpu_moe,
        "speed": speed_data(option.speed),
    }


def speed_data(speed: Speed) -> dict[str, Any]:
    """Tokens per second; an end that is not known is null."""
    return {
        "decode": _range(speed.decode),
        "prompt": _range(speed.prompt),
        "source": speed.source,
        "assumptions": list(speed.assumptions),
    }


def _range(speed: Range) -> dict[str, float | None]:
    low, high = (None if end is None else float(f"{end:.3g}") for end in speed)
    return {"low": low, "high": high}


def line_data(line: Line) -> dict[str, Any]:
    """One buffer explained."""
    return {
        "label": line.label,
        "device": line.device,
        "bytes": line.bytes,
        "formula": line.formula,
        "inputs": dict(line.inputs),
        "source": line.source,
    }
