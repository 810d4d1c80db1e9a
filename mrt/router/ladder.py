"""From complexity and open gates to the order in which tiers are tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mrt.frozen import frozen
from mrt.router.climb import Climb
from mrt.router.complexity import Complexity, assess_prompt
from mrt.router.decision import Blocked, Decision
from mrt.router.facts import Facts, Prompt, Rung, Unknown, Wanted
from mrt.router.rating import rated

# In one line: the three things that raise the complexity most, by a tenth at least.
_NAMED, _WORTH_NAMING = 3, 0.1


@frozen
class Choice:
    """Where to start and go on, as places on the ladder; `why` adds to the reason, `blocked` says that nothing is open."""

    order: tuple[int, ...]
    why: str = ""
    blocked: Blocked | None = None


@frozen
class Ladder:
    """The engine: the first tier whose threshold reaches the complexity and whose gates are open starts."""

    wanted: Wanted = Wanted()

    def decide(self, prompt: Prompt, rungs: Sequence[Rung], facts: Facts) -> Decision:
        """The decision for a prompt over tiers in rising order; at least one."""
        assessed = rated(
            assess_prompt(prompt.ask, prompt.pasted, prompt.inherited), prompt.rating, prompt.ask + prompt.pasted
        )
        climb = Climb(tuple(rungs), facts, assessed.value, self.wanted)
        choice = self._choice(climb)
        tier = choice.order[0]
        names = tuple(rungs[place].name for place in choice.order)
        abstains = _abstains(climb, assessed, choice)
        decision = Decision(
            complexity=assessed.value,
            order=names,
            contributions=assessed.contributions,
            reason=self._reason(assessed, prompt, choice),
            assessed=assessed,
            rows=climb.rows(choice.order, abstains),
            blocked=choice.blocked,
            obstacle=choice.why if choice.blocked else "",
            abstains=abstains,
            check=rungs[tier].checks,
        )
        if not self.wanted.whole:
            return decision
        from mrt.router.counterfactual import counterfactuals, escalation_note

        return replace(
            decision,
            escalation=escalation_note(decision),
            counterfactuals=counterfactuals(decision, prompt, tuple(rungs), facts, self.wanted),
        )

    def _choice(self, climb: Climb) -> Choice:
        last = climb.place(self.wanted.highest) if self.wanted.highest else len(climb.rungs) - 1
        if self.wanted.start is not None:
            return _from(climb, climb.place(self.wanted.start), last)
        able = first_able(climb.complexity, climb.rungs)
        # A prompt that would start above the limit starts at it: the limit is the user's word.
        candidates = range(min(able, last), last + 1)
        start = next((place for place in self._ranked(climb, candidates) if climb.is_open(place)), None)
        if start is not None:
            return Choice((start, *_above(climb, start, last)), self._passed_over(climb, candidates[0], start))
        below = [
            place for place in range(candidates[0] - 1, -1, -1) if climb.rungs[place].local and climb.is_open(place)
        ]
        if below:
            return Choice(tuple(below), f"{_closed(climb, candidates)}; staying local")
        return Choice(tuple(candidates), _closed(climb, candidates), _blocked(climb, candidates))

    def _ranked(self, climb: Climb, candidates: Iterable[int]) -> list[int]:
        """The places that may start, the best first: in order, by risk, or by what they are expected to cost."""
        places = list(candidates)
        wanted = self.wanted
        if wanted.max_risk is None and wanted.policy == "capability":
            return places
        places = [place for place in places if climb.is_open(place)]
        limit = wanted.max_risk
        if limit is not None:
            safe = [place for place in places if climb.risk(place).mean <= limit]
            places = safe or sorted(places, key=lambda place: climb.risk(place).mean)[:1]
        cost = climb.cascade_cost if wanted.policy == "min_cost" else climb.expected_cost
        return sorted(places, key=lambda place: (cost(place), place))

    def _passed_over(self, climb: Climb, first: int, start: int) -> str:
        """Why the tiers from the first able one on did not start."""
        words = []
        for place in range(first, start):
            name = climb.rungs[place].name
            if not climb.is_open(place):
                words.append(f"{name} is closed: {climb.closed_by(place)}")
            elif self.wanted.max_risk is not None and climb.risk(place).mean > self.wanted.max_risk:
                words.append(f"P(fail) {climb.risk(place).mean:.2f} of {name} is above {self.wanted.max_risk:g}")
            else:
                words.append(f"{name} is expected to cost more")
        return "; ".join(words)

    def _reason(self, assessed: Complexity, prompt: Prompt, choice: Choice) -> str:
        if self.wanted.start is not None:
            return self.wanted.why
        rating = prompt.rating
        silent = f"rules alone: {rating.problem}" if rating and rating.value is None else ""
        return "; ".join(filter(None, (explain(assessed), silent, choice.why)))


def first_able(complexity: float, rungs: Sequence[Rung]) -> int:
    """The place of the first tier whose threshold reaches the complexity, else of the last."""
    able = (
        place for place, rung in enumerate(rungs) if rung.max_complexity is None or complexity <= rung.max_complexity
    )
    return next(able, len(rungs) - 1)


def explain(assessed: Complexity) -> str:
    """The complexity and what raised it most."""
    raising = (part for part in assessed.contributions if part.weight >= _WORTH_NAMING)
    found = sorted(raising, key=lambda part: -part.weight)[:_NAMED]
    parts = "; ".join(f"{part.feature}: {part.value}" for part in found)
    return f"complexity {assessed.value:g}" + (f" ({parts})" if parts else "")


def _from(climb: Climb, start: int, last: int) -> Choice:
    """A tier that was named starts, whatever its gates say; they are shown."""
    start = min(start, last)
    order = (start, *_above(climb, start, last))
    if climb.is_open(start):
        return Choice(order)
    return Choice(order, _closed(climb, (start,)), _blocked(climb, (start,)))


def _above(climb: Climb, start: int, last: int) -> list[int]:
    return [place for place in range(start + 1, last + 1) if climb.in_reach(place)]


def _abstains(climb: Climb, assessed: Complexity, choice: Choice) -> bool:
    """Whether the prompt says too little: then a cheap answer is only a first try, checked before it counts."""
    start = choice.order[0]
    if choice.blocked or len(choice.order) < 2 or not climb.rungs[start].local:
        return False
    if assessed.prior_only:
        return True
    risk = climb.risk(start)
    return risk.low < 0.5 < risk.high


def _closed(climb: Climb, places: Iterable[int]) -> str:
    return "; ".join(f"{climb.rungs[place].name} is closed: {climb.closed_by(place)}" for place in places)


def _blocked(climb: Climb, places: Iterable[int]) -> Blocked:
    """A budget, where it is the only thing that closes some tier."""
    by_money = any(climb.closing(place) and climb.in_reach(place) for place in places)
    return "budget" if by_money else "unreachable"


def decide(prompt: str, rungs: Sequence[Rung], start: str | None = None, why: str = "") -> Decision:
    """The decision by complexity alone; `start` overrides where to begin, for the reason `why`."""
    return Ladder(Wanted(start=start, why=why)).decide(Prompt(prompt), rungs, Unknown())
