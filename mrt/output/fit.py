"""One model on one machine for people: the verdict, a table of buffers, what would fit, how to run it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mrt.memory.advice import needed_bytes
from mrt.memory.recipes import llama_server_arguments, ollama_environment, ollama_options, vllm_arguments
from mrt.output.columns import columns
from mrt.output.fit_words import gib, kv_types, mib, parameters, speed_range

if TYPE_CHECKING:
    from mrt.memory.answer import Answer
    from mrt.memory.frontier import Option
    from mrt.memory.plan import DevicePlan, Plan

COLORS = {"fits": "green", "tight": "yellow", "partial": "yellow", "ram": "yellow", "no": "red"}
# llama.cpp lets the vocabularies of a model and its draft differ by so many tokens (SPEC_VOCAB_MAX_SIZE_DIFFERENCE).
_PADDED_TOKENS = 128
_TITLES = {
    "context": "context, KV {}",
    "quantization": "quantization",
    "slots": "slots of {} tokens",
    "layers": "layers on GPUs",
    "experts": "experts on the CPU",
}


def fit_text(answer: Answer, origin: str) -> str:
    """Everything but the verdict line, which is coloured; `origin` says where the context length comes from."""
    runs = answer.judgement.verdict != "no"
    parts = [
        [*_about(answer, origin)],
        _table(answer.plan),
        _speed(answer) if runs else [],
        _frontier(answer.options),
        _recipes(answer) if runs else [],
        _listed("advice", answer.advice),
        _listed("notes", notes(answer)),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def notes(answer: Answer) -> tuple[str, ...]:
    """What had to be assumed or could not be read, each once."""
    said = f"{answer.plan.gpu_layers} of {answer.plan.layers} layers"  # as the verdict says already
    every = (*answer.plan.shape.notes, *answer.plan.notes, *answer.machine.notes)
    return tuple(note for note in dict.fromkeys((*every, *_other_words(answer))) if not note.startswith(said))


def _other_words(answer: Answer) -> list[str]:
    """What comes of a draft model that has other tokens."""
    own, drafted = answer.plan.shape.vocabulary, answer.draft.shape.vocabulary if answer.draft else 0
    # Makers pad the same vocabulary to different lengths (Qwen2.5 0.5B 151,936, 7B 152,064).
    if not drafted or abs(own - drafted) <= _PADDED_TOKENS:
        return []
    return [
        f"the draft has another vocabulary ({drafted:,} tokens, not {own:,}): an engine refuses the pair or translates"
    ]


def verdict_line(answer: Answer) -> str:
    """What comes of it in one line."""
    plan, verdict = answer.plan, answer.judgement.verdict
    gpus = [device for device in plan.devices if device.kind == "gpu"]
    needed, capacity = sum(gpu.needed_high for gpu in gpus), sum(gpu.total_bytes or 0 for gpu in gpus)
    speed = speed_range(answer.speed.decode)
    tail = f"; decode {speed}" if speed and not plan.shape.embeds else ""
    where = "the GPU" if len(gpus) == 1 else f"{len(gpus)} GPUs"
    if verdict == "fits":
        return f"fits: {gib(needed)} of {gib(capacity)} on {where}{tail}"
    if verdict == "tight":
        spare = f"less than {100 * plan.settings.headroom:g} % to spare"
        return f"tight: {gib(needed)} of {gib(capacity)} on {where}, {spare}{tail}"
    if verdict == "partial":
        whole = speed_range(answer.if_whole) if _costs(answer) else None
        cost = f" instead of {whole.removesuffix(' tokens/s')}" if whole and speed else ""
        return f"partial: {_split(plan)} on {where}, the rest in RAM{tail}{cost}"
    if verdict == "ram":
        host = plan.devices[-1]
        room = f" of {gib(host.total_bytes)}" if host.total_bytes is not None else ""
        used = "no layer is on a GPU" if any(gpu.buffers_bytes for gpu in gpus) else "no GPU is used"
        return f"RAM only: {gib(host.needed_high)}{room}, {used}{tail}"
    return f"does not fit: {_shortage(answer)}"


def _costs(answer: Answer) -> bool:
    """Whether it would decode faster if the GPU held all of it; where both share one memory, it would not."""
    return (answer.if_whole.high or 0) > (answer.speed.decode.high or 0)


def _split(plan: Plan) -> str:
    if plan.gpu_layers >= plan.layers:
        return f"all but the experts of {plan.settings.cpu_moe} layers"
    experts = f" without the experts of {plan.settings.cpu_moe}" if plan.settings.cpu_moe else ""
    return f"{plan.gpu_layers} of {plan.layers} layers{experts}"


def _shortage(answer: Answer) -> str:
    short = answer.judgement.short
    first = next((device for device in short if device.kind == "gpu"), short[0])
    if any(gpu.unified for gpu in answer.machine.gpus):
        needed = sum(device.needed_high for device in answer.plan.devices)
        return f"{gib(needed)} in all, {gib(answer.machine.ram_total_bytes or first.total_bytes or 0)} there"
    name = "RAM" if first.kind == "cpu" else first.name
    return f"{name} would have to hold {gib(first.needed_high)} and has {gib(first.total_bytes or 0)}"


def _about(answer: Answer, origin: str) -> list[str]:
    plan, settings = answer.plan, answer.plan.settings
    shape = plan.shape
    trained = f"; trained for {shape.context_trained:,}" if shape.context_trained and origin != "trained" else ""
    why = "all it was trained for" if origin == "trained" else origin
    slots = "1 slot" if settings.parallel == 1 else f"{settings.parallel} slots of this each"
    flash = "flash attention" if settings.flash_attention else "no flash attention"
    kv = f"KV {kv_types(settings.type_k, settings.type_v)}"
    draft = f" with {answer.draft.shape.name} as draft" if answer.draft else ""
    engine = settings.engine + (f" of {settings.build}" if settings.build else "")
    return [
        f"{shape.name}  {shape.quantization}, {parameters(shape.parameters)}, {shape.architecture}{draft} ({shape.confidence})",
        f"context {settings.context:,} ({why}{trained}), {kv}, {slots}, {flash}, {engine}",
    ]


def _table(plan: Plan) -> list[str]:
    """A row per buffer, a column per device; rows in which all is zero are left out."""
    rows: list[list[str]] = []
    for label, sizes in _buffers(plan.devices):
        if any(sizes):
            rows.append([label, *(mib(size) if size else "" for size in sizes)])
    if any(device.overhead_high for device in plan.devices):
        rows.append(["overhead", *(_overhead(device) for device in plan.devices)])
    rows.append(["total", *(_total(device) for device in plan.devices)])
    rows.append(["free now", *(_known(device.free_bytes) for device in plan.devices)])
    rows.append(["capacity", *(_known(device.total_bytes) for device in plan.devices)])
    rows.append(["margin", *(_known(device.margin_bytes) for device in plan.devices)])
    if all(device.free_bytes == device.total_bytes for device in plan.devices):
        rows = [row for row in rows if row[0] != "free now"]
    names = ["RAM" if device.kind == "cpu" else device.name for device in plan.devices]
    return columns(["MiB", *names], rows, [False, *(True for _ in names)])


def _buffers(devices: Sequence[DevicePlan]) -> list[tuple[str, list[int]]]:
    windows = any(device.kv_window_bytes for device in devices)
    return [
        ("weights", [device.weights_bytes for device in devices]),
        ("KV cache, full" if windows else "KV cache", [device.kv_full_bytes for device in devices]),
        ("KV cache, window", [device.kv_window_bytes for device in devices]),
        ("recurrent state", [device.recurrent_bytes for device in devices]),
        ("compute buffer", [device.compute_bytes for device in devices]),
    ]


def _overhead(device: DevicePlan) -> str:
    if not device.overhead_high:
        return ""
    return f"{mib(device.overhead_low)}–{mib(device.overhead_high)}"


def _total(device: DevicePlan) -> str:
    low, high = mib(device.needed_low), mib(device.needed_high)
    return low if low == high else f"{low}–{high}"


def _known(size: int | None) -> str:
    return "unknown" if size is None else mib(size)


def _speed(answer: Answer) -> list[str]:
    speed = answer.speed
    decode, prompt = speed_range(speed.decode), speed_range(speed.prompt)
    lines = []
    if not answer.plan.shape.embeds:
        lines.append(f"decode  {decode or 'unknown: the bandwidth of the GPU is not known; --gpu names one'}")
    lines += [f"prompt  {prompt}"] if prompt else []
    lines += [f"        by {'; '.join((speed.source, *speed.assumptions))}"] if decode or prompt else []
    return lines


def _frontier(options: Sequence[Option]) -> list[str]:
    if not options:
        return []
    rows = []
    for option in options:
        plan = option.plan
        taken = gib(needed_bytes(plan))
        speed = "" if plan.shape.embeds else speed_range(option.speed.decode) or "unknown"
        rows.append([_title(option), _value(option), taken, speed, _limit(option)])
    return columns(["largest that fits", "", "takes", "decode", "ended by"], rows, [False, True, True, True, False])


def _title(option: Option) -> str:
    settings = option.plan.settings
    if option.kind == "context" and option.plan.shape.embeds:
        return "context"
    detail = kv_types(settings.type_k, settings.type_v)
    if option.kind == "slots":
        detail = f"{settings.context:,}"
    return _TITLES[option.kind].format(detail)


def _value(option: Option) -> str:
    if option.kind == "layers":
        return f"{option.value} of {option.plan.layers}"
    if option.kind == "experts":
        return f"of {option.value} layers"
    return f"{option.value:,}" if isinstance(option.value, int) else option.value


def _limit(option: Option) -> str:
    if option.ended_by == "model":
        return "training"
    return "memory" if option.ended_by == "memory" else "more was not tried"


def _recipes(answer: Answer) -> list[str]:
    plan = answer.plan
    if plan.settings.engine == "vllm":
        return [f"vLLM          vllm serve MODEL {' '.join(vllm_arguments(plan))}"]
    draft = " -md DRAFT.gguf" if answer.draft else ""
    lines = [f"llama-server  -m MODEL.gguf{draft} {' '.join(llama_server_arguments(plan))}"]
    environment = None if answer.draft else ollama_environment(plan)
    if environment is not None:
        options = ", ".join(f"{name} {value}" for name, value in ollama_options(plan).items())
        lines.insert(
            0, f"Ollama        {options}; {' '.join(f'{name}={value}' for name, value in environment.items())}"
        )
    return lines


def _listed(title: str, sentences: Sequence[str]) -> list[str]:
    return [title, *(f"- {sentence}" for sentence in sentences)] if sentences else []
