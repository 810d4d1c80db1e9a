"""`mrt fit --compare`: several models on one machine, a column each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mrt.memory.advice import needed_words
from mrt.output.columns import columns
from mrt.output.fit_words import parameters, speed_range

if TYPE_CHECKING:
    from mrt.memory.answer import Answer

_YES = {True: "yes", False: "no", None: "unknown"}


def compare_text(answers: Sequence[Answer]) -> str:
    """A table with a column per model."""
    rows = [[label, *(value(answer) for answer in answers)] for label, value in _ROWS]
    names = [answer.plan.shape.name for answer in answers]
    return "\n".join(columns(["", *names], rows, [False, *(True for _ in names)]))


def _context(answer: Answer) -> str:
    """The largest context that fits with the KV cache asked for."""
    kind = answer.plan.settings.type_k
    found = (option for option in answer.options if option.kind == "context" and option.plan.settings.type_k == kind)
    return next((f"{option.value:,}" for option in found if isinstance(option.value, int)), "none")


_ROWS: tuple[tuple[str, Callable[[Answer], str]], ...] = (
    ("verdict", lambda answer: answer.judgement.verdict),
    ("size", lambda answer: parameters(answer.plan.shape.parameters)),
    ("quantization", lambda answer: answer.plan.shape.quantization),
    ("context", lambda answer: f"{answer.plan.settings.context:,}"),
    ("takes", lambda answer: needed_words(answer.plan)),
    ("layers on GPUs", lambda answer: f"{answer.plan.gpu_layers} of {answer.plan.layers}"),
    ("largest context", _context),
    ("decode", lambda answer: "" if answer.plan.shape.embeds else speed_range(answer.speed.decode) or "unknown"),
    ("tools", lambda answer: _YES[answer.plan.shape.tools]),
    ("vision", lambda answer: _YES[answer.plan.shape.vision]),
)
