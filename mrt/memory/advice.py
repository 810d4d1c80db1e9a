"""What to say beside the figures: what would fit better, and what to expect of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mrt.frozen import frozen

if TYPE_CHECKING:
    from mrt.memory.frontier import Option
    from mrt.memory.hardware import Machine
    from mrt.memory.plan import Plan
    from mrt.memory.shape import ModelShape
    from mrt.memory.speed import Range, Speed
    from mrt.memory.verdict import Judgement

GIB = 2**30
# Models of this size and less call tools unreliably.
TOOLS_UNRELIABLE_PARAMETERS = 3_400_000_000
# A sibling so many times smaller answers other questions.
_FAR = 8
_QUANTIZED_KV = frozenset(("Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "IQ4_NL"))


@frozen
class Advised:
    """What advice is about."""

    plan: Plan
    judgement: Judgement
    speed: Speed
    options: Sequence[Option]
    smaller: Smaller | None


@frozen
class Smaller:
    """A smaller model of the same family that fits where the other does not."""

    plan: Plan
    judgement: Judgement
    decode: Range


def advise(case: Advised, machine: Machine) -> tuple[str, ...]:
    """All that is worth a sentence, the most useful first."""
    plan, judgement, options, smaller = case.plan, case.judgement, case.options, case.smaller
    said = [
        *(_smaller(case, smaller) if smaller else ()),
        *_would_fit(plan, judgement, options),
        *_layers(judgement, options),
        *_experts(judgement, case.speed, options),
        *_hidden(plan, judgement),
        *_ram(plan, judgement, machine),
        *_now(judgement, machine),
        *_context(plan),
        *_kv_cache(plan),
        *_vision(plan.shape),
        *_kind(plan.shape),
        *tools_advice(plan.shape),
    ]
    return tuple(said)


def rate(tokens: float) -> str:
    """Tokens per second with two digits that mean something."""
    return f"{tokens:.2g}" if tokens < 10 else f"{float(f'{tokens:.2g}'):,.0f}"


def _smaller(case: Advised, smaller: Smaller) -> list[str]:
    """The smaller model, and how it compares: fit matters more than size, among sizes that are near and where it is faster."""
    low, high = smaller.decode
    speed = f" and decodes {rate(low)}–{rate(high)} tokens/s" if low is not None and high is not None else ""
    how = "wholly" if smaller.judgement.verdict == "fits" else "wholly, if narrowly"
    own, tokens = case.plan.shape.name, smaller.plan.settings.context
    less = f", context {tokens:,}" if tokens < case.plan.settings.context else ""
    name = f"{smaller.plan.shape.name} ({smaller.plan.shape.quantization}, {needed_words(smaller.plan)}{less})"
    if low is not None and high is not None and _with_experts_apart(case) >= low + high:
        return [f"{name} fits {how}{speed}: no faster than {own} with experts on the CPU, a larger model"]
    if (smaller.plan.shape.parameters or 0) * _FAR < (case.plan.shape.parameters or 0):
        return [f"{name} fits {how}{speed}: the largest of this family that does, far smaller though than {own}"]
    why = "does not fit" if case.judgement.verdict == "no" else "spills into RAM"
    return [f"{name} fits {how}{speed}: a smaller model that fits beats {own}, which {why}"]


def _with_experts_apart(case: Advised) -> float:
    """Both ends, added, of how fast this model decodes with experts on the CPU, where that runs; 0 where it is not known."""
    found = next((option.speed.decode for option in case.options if option.kind == "experts"), None)
    return found.low + found.high if found and found.low is not None and found.high is not None else 0.0


def needed_words(plan: Plan) -> str:
    """What the GPUs have to hold, or the RAM where none is used, in GiB."""
    return f"{needed_bytes(plan) / GIB:.1f} GiB"


def needed_bytes(plan: Plan) -> int:
    """The same in bytes, the overhead at its most."""
    devices = [device for device in plan.devices if device.kind == "gpu" and device.buffers_bytes] or plan.devices[-1:]
    return sum(device.needed_high for device in devices)


def _would_fit(plan: Plan, judgement: Judgement, options: Sequence[Option]) -> list[str]:
    """What changes of the settings make it fit, the gentlest first."""
    if judgement.verdict in ("fits", "tight"):
        return []
    fitting = [option for option in options if option.judgement.fits]
    contexts = [option for option in fitting if option.kind == "context"]
    own = next((option for option in contexts if option.plan.settings.type_k == plan.settings.type_k), None)
    if own is not None and _reaches(own, plan):
        return ["all of it fits: leave out --ngl and --n-cpu-moe"]
    other = next((option for option in contexts if option is not own and _reaches(option, plan)), None)
    said = [f"with a KV cache of {other.plan.settings.type_k.lower()} it fits at this context"] if other else []
    said += [f"with a context of {own.value:,} it fits"] if own else []
    found = next((option for option in fitting if option.kind == "quantization"), None)
    return said or ([f"as {found.value} it fits, with what that costs in quality"] if found else [])


def _reaches(option: Option, plan: Plan) -> bool:
    return isinstance(option.value, int) and option.value >= plan.settings.context


def _layers(judgement: Judgement, options: Sequence[Option]) -> list[str]:
    """How many layers would run, where too many were asked for."""
    found = next((option for option in options if option.kind == "layers"), None)
    return (
        [f"with {found.value} layers on GPUs it runs: --ngl {found.value}"]
        if found and judgement.verdict == "no"
        else []
    )


def _experts(judgement: Judgement, speed: Speed, options: Sequence[Option]) -> list[str]:
    """Experts on the CPU instead of whole layers, where that is faster, or runs at all."""
    found = next((option for option in options if option.kind == "experts"), None)
    low, high = found.speed.decode if found else (None, None)
    slower = judgement.verdict != "no" and high is not None and high <= (speed.decode.high or 0)
    if found is None or low is None or high is None or slower:
        return []
    reached = f"{rate(low)}–{rate(high)} tokens/s"
    return [f"with the experts of {found.value} layers on the CPU it decodes {reached}: --n-cpu-moe {found.value}"]


def _hidden(plan: Plan, judgement: Judgement) -> list[str]:
    """llama.cpp uses a GPU for large batches even when no layer lies on it."""
    short = [
        device for device in plan.devices if device.kind == "gpu" and device.needed_high > (device.total_bytes or 0)
    ]
    if judgement.verdict != "ram" or not short:
        return []
    return [
        f"hide the GPU (--device none): without a layer on it, it would still hold {short[0].needed_high / GIB:.1f} GiB"
    ]


def _ram(plan: Plan, judgement: Judgement, machine: Machine) -> list[str]:
    if any(gpu.unified for gpu in machine.gpus):
        return ["GPU and CPU share one memory: what the GPU takes is missing in RAM"]
    if machine.ram_total_bytes is not None or judgement.verdict not in ("partial", "ram"):
        return []
    beside = f"{plan.devices[-1].needed_high / GIB:.1f} GiB"
    return [f"how much RAM there is was not said: the part beside the GPU takes {beside} of it (--ram)"]


def _vision(shape: ModelShape) -> list[str]:
    size = shape.projector_bytes or shape.tower_bytes
    return (
        [f"{size / GIB:.1f} GiB of its weights are for seeing; images take compute buffers beyond these (--mmproj off)"]
        if size
        else []
    )


def _now(judgement: Judgement, machine: Machine) -> list[str]:
    if judgement.fits_now is not False or not judgement.fits:
        return []
    holders = [holder for gpu in machine.gpus for holder in gpu.held_by]
    who = f": {', '.join(holders[:3])}" if holders else ""
    return [f"it fits when the machine is idle, not now{who}"]


def _context(plan: Plan) -> list[str]:
    trained, context = plan.shape.context_trained, plan.settings.context
    if trained and context > trained:
        return [
            f"a context of {context:,} is more than the {trained:,} it was trained for: what it writes beyond gets worse"
        ]
    return []


def _kv_cache(plan: Plan) -> list[str]:
    kinds = {plan.settings.type_k, plan.settings.type_v} & _QUANTIZED_KV
    if plan.settings.type_v in _QUANTIZED_KV and plan.settings.engine != "vllm":
        return [
            f"a KV cache of {'/'.join(sorted(kinds)).lower()} needs flash attention, in Ollama OLLAMA_FLASH_ATTENTION=1"
        ]
    return []


def _kind(shape: ModelShape) -> list[str]:
    said = []
    if shape.embeds:
        said.append("an embedding model: it makes vectors and answers no prompts")
    if shape.confidence == "approximate":
        said.append("approximate: not all of this model's shape is known")
    return said


def tools_advice(shape: ModelShape) -> list[str]:
    """What to expect of tool calls; nothing for embedding models, which are never asked for any."""
    if shape.embeds:
        return []
    if shape.tools is False:
        return ["it is not known to take tool calls"]
    if shape.parameters is not None and shape.parameters <= TOOLS_UNRELIABLE_PARAMETERS:
        return ["models of 3B and less call tools unreliably"]
    return []
