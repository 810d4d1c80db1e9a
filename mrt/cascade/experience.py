"""What own outcomes tell of the models behind the tiers, looked up once for a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mrt.router.risk import Learned, Risk, learned, risk_by, strength_of

if TYPE_CHECKING:
    from mrt.cascade.facts import Circumstances
    from mrt.domain import Target
    from mrt.ledger import Store
    from mrt.ledger.curves import KeptCurves


class Experience:
    """P(fail) by the outcomes in the store; without learning, or without a store that works, the shipped prior."""

    def __init__(self, around: Circumstances) -> None:
        self._around = around
        self._curves: dict[str, Learned] = {}
        self._kept = _kept(around)

    def risk(self, target: Target, place: float, quantization: str | None, complexity: float) -> Risk:
        """How likely a model, whose tier stands at that place on the ladder from 0 to 1, fails a prompt of that complexity."""
        strength = strength_of(target.model, target.local, place)
        name = f"{target.name} {quantization or ''} {strength!r}"
        if name not in self._curves:
            self._curves[name] = self._curve(name, target, quantization, strength)
        return risk_by(self._curves[name], complexity)

    def _curve(self, name: str, target: Target, quantization: str | None, strength: float) -> Learned:
        ready = self._kept.get(name) if self._kept else None
        if ready is not None:
            return ready
        store = self._around.store()[0] if self._around.learn else None
        curve = None if store is None else _from_store(store, target, quantization, strength)
        if curve is not None and self._kept:
            self._kept.put(name, curve)
        return curve or learned(strength)


def _kept(around: Circumstances) -> KeptCurves | None:
    if not around.learn or around.store_file is None or not around.store_file.exists():
        return None
    from mrt.ledger.curves import KeptCurves

    return KeptCurves(around.store_file, around.now)


def _from_store(store: Store, target: Target, quantization: str | None, strength: float) -> Learned | None:
    """None where the store cannot be read."""
    from mrt.errors import StoreError
    from mrt.ledger.outcomes import outcomes_of

    try:
        seen = outcomes_of(store, target.endpoint, target.model, quantization)
    except StoreError:
        return None
    return learned(strength, [one.judged for one in seen])
