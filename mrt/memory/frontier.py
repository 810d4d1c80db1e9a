"""What would fit: the largest context per KV type, the largest quantization, slots, layers and experts, each with its plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Literal

from mrt.frozen import frozen
from mrt.memory.plan import plan
from mrt.memory.speed import Speed, estimate
from mrt.memory.together import together, without
from mrt.memory.traffic import Read, reads
from mrt.memory.verdict import Judgement, judge
from mrt.memory.weights import Weights, weights

if TYPE_CHECKING:
    from mrt.memory.hardware import Machine
    from mrt.memory.plan import Plan
    from mrt.memory.settings import RunSettings
    from mrt.memory.shape import ModelShape

EndedBy = Literal["memory", "model", "limit"]
Kind = Literal["context", "quantization", "slots", "layers", "experts"]
# llama.cpp rounds contexts up to this.
CONTEXT_STEP = 256
KV_TYPES = ("F16", "Q8_0", "Q4_0")
# File types that people publish, the largest first, with their bits per weight (llama.cpp, quantize README, Llama 3.1 8B).
LADDER = {
    "F16": 16.0,
    "Q8_0": 8.5,
    "Q6_K": 6.56,
    "Q5_K_M": 5.7,
    "Q4_K_M": 4.89,
    "Q4_K_S": 4.67,
    "Q3_K_M": 4.0,
    "IQ3_XXS": 3.25,
    "Q2_K": 3.16,
    "IQ2_XXS": 2.38,
}
# Part of the weights that surely lies on GPUs: input tables stay on the host.
_SURE = 0.75
_MOST_SLOTS = 64
# Published at one quantization only, which was part of their training.
_NATIVE = frozenset(("MXFP4", "MXFP4_MOE", "NVFP4"))


@frozen
class Option:
    """The largest `value` of one setting that still fits, with its plan. `ended_by` says what keeps it from being larger."""

    kind: Kind
    value: int | str
    plan: Plan
    judgement: Judgement
    ended_by: EndedBy
    speed: Speed


Found = tuple["Plan", Judgement]


@frozen
class Case:
    """A model, settings and a machine, to be varied; `beside` is the plan of what shares the devices with it."""

    shape: ModelShape
    settings: RunSettings
    machine: Machine
    beside: Plan | None = None
    # What was planned already, so that questions that overlap cost nothing.
    known: dict[object, Found] = field(default_factory=dict, compare=False, repr=False)
    held: dict[str, Weights] = field(default_factory=dict, compare=False, repr=False)

    def planned(self, shape: ModelShape | None = None, **changes: object) -> Found:
        """The plan and its judgement with some settings changed."""
        settings = replace(self.settings, **changes)  # type: ignore[arg-type]
        key = (shape.quantization if shape else None, settings)
        if key not in self.known:
            self.known[key] = self._planned(shape, settings)
        return self.known[key]

    def _planned(self, shape: ModelShape | None, settings: RunSettings) -> Found:
        shape = shape or self.shape
        known = self.weights_of(shape)
        if self.beside is None:
            made = plan(shape, settings, self.machine, known)
        else:
            made = together(plan(shape, settings, without(self.machine, self.beside), known), self.beside)
        return made, judge(made, self.machine)

    def whole(self, shape: ModelShape | None = None, **changes: object) -> Found:
        """The same with everything on the GPUs, whether that fits or not."""
        if self.machine.gpus:
            changes |= {"gpu_layers": len(self.shape.layers) + 1, "cpu_moe": 0}
        return self.planned(shape, **changes)

    def option(self, kind: Kind, value: int | str, found: Found, ended_by: EndedBy) -> Option:
        """A point of the frontier, with its speed."""
        made, judgement = found
        return Option(kind, value, made, judgement, ended_by, estimate(made, self.machine, self.reads(made)))

    def reads(self, made: Plan) -> tuple[Read, ...]:
        """What a token reads on each device."""
        return reads(made, self.weights_of(made.shape))

    def weights_of(self, shape: ModelShape) -> Weights:
        """The weights of the model in the file type of `shape`, summed once."""
        key = shape.quantization
        if key not in self.held:
            self.held[key] = weights(shape, key)
        return self.held[key]

    def good(self, judgement: Judgement) -> bool:
        """Whether it fits as well as this machine can: on its GPUs, or in RAM where there are none."""
        return judgement.fits or (not self.machine.gpus and judgement.roomy)


def frontier(case: Case) -> tuple[Option, ...]:
    """All options for a model on a machine, in the order of `Kind`; what does not fit at any value is left out."""
    kinds = _kv_types(case)
    # Where the weights alone are too much, no context and no number of slots has to be tried.
    least = case.whole(context=CONTEXT_STEP, type_k=kinds[-1], type_v=kinds[-1], parallel=1)
    hopeless = not case.good(least[1])
    found = [] if hopeless else [_context(case, kv) for kv in kinds]
    found += [_quantization(case), None if hopeless else _slots(case), _layers(case), _experts(case)]
    return tuple(option for option in found if option is not None)


def _kv_types(case: Case) -> Sequence[str]:
    """KV types to try: plain ones need nothing, the others flash attention; none is asked of a model that keeps no KV cache."""
    if case.shape.embeds or not any(layer.kv_heads for layer in case.shape.layers):
        return ("F16",)
    if case.settings.engine == "vllm":
        return KV_TYPES[:2]
    return KV_TYPES if case.settings.flash_attention else ("F16",)


def _context(case: Case, kv: str) -> Option | None:
    """The largest context in steps of llama.cpp's own, up to what the model was trained for."""
    trained = case.shape.context_trained
    most = max(1, (trained or 2**20) // CONTEXT_STEP)

    def at(steps: int) -> Found:
        tokens = trained if trained and steps == most else steps * CONTEXT_STEP
        return case.whole(context=tokens, type_k=kv, type_v=kv)

    best = largest(at, most, case)
    if best is None:
        return None
    steps, found = best
    return case.option("context", found[0].settings.context, found, "model" if steps == most else "memory")


def largest(at: Callable[[int], Found], most: int, case: Case) -> tuple[int, Found] | None:
    """The largest number from 1 to `most` whose plan is good; None when 1 is not. Needs grow with the number.

    They grow almost in a straight line, so a line through the ends is tried first, and halving where that does not help.
    """
    last = at(most)
    if case.good(last[1]) or most == 1:
        return (most, last) if case.good(last[1]) else None
    first = at(1)
    if not case.good(first[1]):
        return None
    low, high, best, straight = 1, most, first, True
    spare, short = _spare(first[0]), _spare(last[0])
    while high - low > 1:
        guess = low + int((high - low) * spare / (spare - short)) if straight and spare > short else (low + high) // 2
        guess, width = min(max(guess, low + 1), high - 1), high - low
        tried = at(guess)
        if case.good(tried[1]):
            low, best, spare = guess, tried, _spare(tried[0])
        else:
            high, short = guess, _spare(tried[0])
        straight = high - low <= width // 2
    return low, best


def _spare(made: Plan) -> int:
    """Bytes left on the device that is shortest of them, negative where it does not fit."""
    left = [device.total_bytes - device.needed_high for device in made.devices if device.total_bytes is not None]
    return min(left, default=0)


def _quantization(case: Case) -> Option | None:
    """The largest file type that fits with everything else as asked."""
    if case.shape.quantization.upper() in _NATIVE:
        return None
    capacity = sum(gpu.total_bytes for gpu in case.machine.gpus) or case.machine.ram_total_bytes or 0
    for number, (name, bits) in enumerate(LADDER.items()):
        if (case.shape.parameters or 0) * bits / 8 * _SURE > capacity:
            continue
        found = case.whole(requantized(case.shape, name))
        if case.good(found[1]):
            return case.option("quantization", name, found, "limit" if number == 0 else "memory")
    return None


def requantized(shape: ModelShape, quantization: str) -> ModelShape:
    """The same model in another file type, its tensors and size computed anew."""
    if quantization == shape.quantization:
        return shape
    return replace(shape, quantization=quantization, tensors=None, file_bytes=None, type_overrides=())


def _slots(case: Case) -> Option | None:
    """How many can be served at once, each with the whole context asked for."""
    if case.shape.embeds:
        return None
    per_slot = bool(case.settings.outputs)
    best = largest(lambda slots: case.whole(parallel=slots, outputs=slots if per_slot else 0), _MOST_SLOTS, case)
    if best is None:
        return None
    slots, found = best
    return case.option("slots", slots, found, "limit" if slots == _MOST_SLOTS else "memory")


def _layers(case: Case) -> Option | None:
    """The most layers that the GPUs take, where they do not take all; a plan by itself leaves the headroom free."""
    if not case.machine.gpus or case.whole()[1].fits:
        return None
    least = case.planned(gpu_layers=None)[0].gpu_layers
    best = most_that_runs(lambda layers: case.planned(gpu_layers=layers), len(case.shape.layers), least)
    return case.option("layers", best[0], best[1], "memory") if best and best[0] else None


def most_that_runs(at: Callable[[int], Found], most: int, least: int = 0) -> tuple[int, Found] | None:
    """The largest number from `least` to `most` whose plan runs at all, by halving; None when the least does not."""
    low, high, best = least, most + 1, at(least)
    if best[1].verdict == "no":
        return None
    while high - low > 1:
        middle = (low + high) // 2
        tried = at(middle)
        if tried[1].verdict == "no":
            high = middle
        else:
            low, best = middle, tried
    return low, best


def _experts(case: Case) -> Option | None:
    """The fewest layers whose experts the CPU must keep so that all the rest is on GPUs."""
    if case.shape.experts is None or not case.machine.gpus or case.whole()[1].fits:
        return None
    count = len(case.shape.layers)
    best = most_that_runs(lambda kept: case.planned(gpu_layers=count + 1, cpu_moe=count - kept), count - 1)
    return case.option("experts", count - best[0], best[1], "memory") if best else None
