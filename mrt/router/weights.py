"""The shipped coefficients, read once when they are first needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import Any, NamedTuple

SHIPPED = Path(__file__).parent.parent / "data" / "router_weights.json"
# Beyond so many logits a probability is 0 or 1 for all purposes.
_FLAT = 30.0


class Prior(NamedTuple):
    """What short asks are usually worth: points by word (its first letters), by opening, by pair of dense characters."""

    base: float
    words: Mapping[str, float]
    structure: Mapping[str, float]


class Weights(NamedTuple):
    """Points per feature for texts that speak for themselves, the prior for short ones, and score -> P(weak model fails)."""

    base: float
    features: Mapping[str, float]
    prior: Prior
    slope: float
    intercept: float
    about: Mapping[str, Any]

    def probability(self, score: float) -> float:
        """P(a weak model fails) by the shipped curve, from 0 to 1."""
        return 1 / (1 + exp(-max(-_FLAT, min(_FLAT, self.slope * score + self.intercept))))


@lru_cache(maxsize=1)
def shipped() -> Weights:
    """The coefficients of this release."""
    import json

    return read(json.loads(SHIPPED.read_text(encoding="utf-8")))


def read(data: Mapping[str, Any]) -> Weights:
    """The coefficients from the data of a weights file."""
    prior = Prior(data["prior"]["base"], data["prior"]["words"], data["prior"]["structure"])
    chance = data["probability"]
    model = data["model"]
    return Weights(model["base"], model["features"], prior, chance["slope"], chance["intercept"], data["about"])
