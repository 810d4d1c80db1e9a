"""What was learned of each model from past outcomes, and whether it helped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from mrt.cascade.facts import steps_of
from mrt.config import Config
from mrt.ledger import Store
from mrt.ledger.outcomes import judged_models, outcomes_of, rolled_back_at
from mrt.router.hindsight import Hindsight, hindsight
from mrt.router.risk import Risk, learned, risk_by, strength_of

# Where the curves are compared: a prompt of middling complexity.
MIDDLING = 5.0


class Lesson(NamedTuple):
    """One model. `kinds` counts its outcomes by kind, `n` how many of them are in `now`, its P(fail) at complexity 5.

    `prior` is the same before anything was learned. `newest_us` is when the newest outcome came.
    """

    model: str
    tiers: tuple[str, ...]
    kinds: Mapping[str, int]
    n: int
    prior: Risk
    now: Risk
    hindsight: Hindsight | None
    newest_us: int | None


class Lessons(NamedTuple):
    """`learning` as configured; `ignored_before_us` is when the user rolled back."""

    learning: bool
    ignored_before_us: int | None
    models: tuple[Lesson, ...]


class _Model(NamedTuple):
    endpoint: str
    model: str
    strength: float
    tiers: tuple[str, ...]


def lessons(store: Store | None, config: Config, environment: Mapping[str, str]) -> Lessons:
    """The models of the tiers in their order, then others that have outcomes. Raises UsageError, StoreError."""
    models = _models(store, config, environment)
    ignored = None if store is None else rolled_back_at(store)
    return Lessons(config.route.learn, ignored, tuple(_lesson(store, model) for model in models))


def _models(store: Store | None, config: Config, environment: Mapping[str, str]) -> list[_Model]:
    found: dict[tuple[str, str], _Model] = {}
    steps = steps_of(config, environment)
    for place, (name, step) in enumerate(steps.items()):
        target = step.target
        key = (target.endpoint, target.model)
        share = place / (len(steps) - 1) if len(steps) > 1 else 1.0
        known = found.get(key, _Model(*key, strength_of(target.model, target.local, share), ()))
        found[key] = known._replace(tiers=(*known.tiers, name))
    for endpoint, model, local in judged_models(store) if store else ():
        found.setdefault((endpoint, model), _Model(endpoint, model, strength_of(model, local), ()))
    return list(found.values())


def _lesson(store: Store | None, model: _Model) -> Lesson:
    seen = outcomes_of(store, model.endpoint, model.model) if store else []
    judged = [one.judged for one in seen]
    now = risk_by(learned(model.strength, judged), MIDDLING)
    return Lesson(
        model=f"{model.endpoint}/{model.model}",
        tiers=model.tiers,
        kinds=Counter(one.kind for one in seen),
        n=now.n,
        prior=risk_by(learned(model.strength), MIDDLING),
        now=now,
        hindsight=hindsight(model.strength, judged),
        newest_us=seen[0].at_us if seen else None,
    )
