"""The router's measures beside prompt length, chance and the best fixed model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mrt.output.columns import columns
from mrt.router.evaluate import Evaluation
from mrt.router.ranking import Figure, Ranking

_MEASURES = ("apgr", "cpt50", "cpt80", "auroc", "ece")
_HEADERS = ("set", "ranked by", "APGR", "CPT50", "CPT80", "AUROC", "ECE")
_NOTE = (
    "APGR and AUROC: higher is better; CPT50 and CPT80, the share of strong calls for that much of the gap, and ECE: lower is.\n"
    "In brackets 95 % intervals by bootstrap."
)


def evaluation_text(found: Sequence[Evaluation]) -> str:
    """A table of all sets."""
    rows = [row for one in found for row in _rows(one)]
    fixed = [
        f"{_name(one)}: {one.prompts} prompts, weak right {100 * one.weak:.0f} %, strong {100 * one.strong:.0f} %; "
        f"best fixed model: {one.best_fixed.model}, {100 * one.best_fixed.quality:.0f} % with "
        f"{100 * one.best_fixed.strong_share:.0f} % strong calls"
        for one in found
    ]
    return "\n".join((*columns(_HEADERS, rows, (False,) * len(_HEADERS)), "", *fixed, "", _NOTE))


def evaluation_data(found: Sequence[Evaluation]) -> dict[str, Any]:
    """The same for scripts; unknown is null."""
    return {
        "sets": [
            {
                "set": one.group or None,
                "prompts": one.prompts,
                "weak": one.weak,
                "strong": one.strong,
                "router": _data(one.router),
                "length": _data(one.length),
                "random": _data(one.random),
                "best_fixed": one.best_fixed._asdict(),
            }
            for one in found
        ]
    }


def _rows(one: Evaluation) -> list[tuple[str, ...]]:
    rankings = (("router", one.router), ("length", one.length), ("random", one.random))
    return [
        (_name(one) if place == 0 else "", name, *(_text(getattr(ranking, measure)) for measure in _MEASURES))
        for place, (name, ranking) in enumerate(rankings)
    ]


def _name(one: Evaluation) -> str:
    return one.group or "all"


def _text(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _data(ranking: Ranking) -> dict[str, Any]:
    return {measure: getattr(ranking, measure)._asdict() for measure in _MEASURES}
