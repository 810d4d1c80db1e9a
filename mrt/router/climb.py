"""One prompt at one ladder: gates, risk and money of each tier, looked up once and only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING

from mrt.router.decision import Row
from mrt.router.facts import Facts, Known, Money, Rung, Wanted
from mrt.router.gates import Gate, money_gates, reach_gates

if TYPE_CHECKING:
    from mrt.router.risk import Risk


class Climb:
    """Tiers go by their place, from 0; `complexity` is the prompt's."""

    def __init__(self, rungs: tuple[Rung, ...], facts: Facts, complexity: float, wanted: Wanted) -> None:
        self.rungs = rungs
        self.complexity = complexity
        self._facts = facts
        self._wanted = wanted
        self._known: dict[int, Known] = {}
        self._money: dict[int, Money] = {}

    def place(self, name: str) -> int:
        """Where the tier of that name stands."""
        return next(place for place, rung in enumerate(self.rungs) if rung.name == name)

    def known(self, place: int) -> Known:
        """What is known of a tier, money aside."""
        if place not in self._known:
            self._known[place] = self._facts.known(self.rungs[place].name)
        return self._known[place]

    def money(self, place: int) -> Money:
        """What a tier's answer costs."""
        if place not in self._money:
            self._money[place] = self._facts.money(self.rungs[place].name, self.complexity)
        return self._money[place]

    def risk(self, place: int) -> Risk:
        """How likely a tier fails."""
        strength = place / (len(self.rungs) - 1) if len(self.rungs) > 1 else 1.0
        return self._facts.risk(self.rungs[place].name, self.complexity, strength)

    def in_reach(self, place: int) -> bool:
        """Whether nothing but money may close it."""
        return all(gate.state != "closed" for gate in reach_gates(self.known(place)))

    def closing(self, place: int) -> list[Gate]:
        """The gates that are closed; money is looked at where nothing else is."""
        closed = [gate for gate in reach_gates(self.known(place)) if gate.state == "closed"]
        if closed or not self._wanted.budgets:
            return closed
        return [gate for gate in money_gates(self.money(place)) if gate.state == "closed"]

    def is_open(self, place: int) -> bool:
        """Whether no gate is closed."""
        return not self.closing(place)

    def closed_by(self, place: int) -> str:
        """The first closed gate with its figure."""
        return next((f"{gate.name}: {gate.figure}" for gate in self.closing(place)), "")

    def expected_cost(self, place: int) -> float:
        """Nano-dollars of an answer; what is not known is the dearest."""
        nano = self.money(place).expected.nano
        return inf if nano is None else nano

    def cascade_cost(self, place: int) -> float:
        """Nano-dollars to expect when it starts there and goes up as often as tiers fail."""
        cost = 0.0
        for higher in range(len(self.rungs) - 1, place - 1, -1):
            if higher == place or self.is_open(higher):
                share = self.risk(higher).mean if cost else 0.0
                cost = self.expected_cost(higher) + (share * cost if share else 0.0)
        return cost

    def rows(self, order: Sequence[int], abstains: bool) -> tuple[Row, ...]:
        """A row for every tier where the decision is to be whole, else for the one that starts, or none."""
        wanted = self._wanted
        places = range(len(self.rungs)) if wanted.whole else order[:1] if wanted.budgets else ()
        return tuple(self.row(place, order, abstains) for place in places)

    def row(self, place: int, order: Sequence[int], abstains: bool) -> Row:
        """Everything about one tier."""
        known, money, rung = self.known(place), self.money(place), self.rungs[place]
        closed = self.closed_by(place)
        verdict = self._verdict(place, order, closed, abstains)
        return Row(
            tier=rung.name,
            model=rung.model,
            local=rung.local,
            open=not closed,
            verdict=verdict,
            reason=closed or verdict,
            gates=(*reach_gates(known), *money_gates(money)),
            risk=self.risk(place) if self._wanted.whole else None,
            input_tokens=known.input_tokens,
            output_tokens=money.expected_tokens,
            money=money,
            seconds=self._seconds(place, known, money),
        )

    def _verdict(self, place: int, order: Sequence[int], closed: str, abstains: bool) -> str:
        limit = self.rungs[place].max_complexity
        if place == order[0] and not closed:
            return "local first, verify, then up" if abstains else "starts"
        if closed:
            return "closed"
        if limit is not None and self.complexity > limit:
            return f"complexity {self.complexity:g} is above {limit:g}"
        return "next" if place in order else "passed over"

    def _seconds(self, place: int, known: Known, money: Money) -> float | None:
        pace = self._facts.pace(self.rungs[place].name)
        if pace is None:
            return None
        load = (known.load_seconds or 0.0) if known.loaded is False else 0.0
        return load + pace.ttft_ms / 1000 + money.expected_tokens / pace.tokens_per_second
