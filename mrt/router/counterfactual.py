"""What would have to change for another tier to start, and what a step up costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mrt.domain import usd
from mrt.router.complexity import assess_prompt
from mrt.router.facts import Facts, Prompt, Rung, Wanted

if TYPE_CHECKING:
    from mrt.router.decision import Decision, Row

# Longer prompts are not taken apart word by word: the answer would come late and say little.
_LONGEST_TAKEN_APART = 20_000
_MOST = 5
_LONGEST_TRIED = 200_000
_FILLER = "The report names the figures of the quarter and says where each of them was taken from.\n"
_CHARACTERS_PER_TOKEN = 4


def escalation_note(decision: Decision) -> str:
    """What the next tier costs beside the first one."""
    rows = {row.tier: row for row in decision.rows}
    if len(decision.order) < 2 or not rows:
        return "there is no tier to escalate to"
    first, following = (rows[name] for name in decision.order[:2])
    one, other = (row.money.expected.nano if row.money else None for row in (first, following))
    if other is None:
        return f"escalating to {following.tier}: cost unknown"
    if not other:
        return f"escalating to {following.tier}: no API cost"
    if one is None or not one:
        return f"escalating to {following.tier} adds about ${usd(other)} ({first.tier}: {_base(one)})"
    return f"escalating to {following.tier} adds about ${usd(other)}, {other / one:.1f} times what {first.tier} costs"


def _base(nano: int | None) -> str:
    return "cost unknown" if nano is None else "no API cost"


def counterfactuals(
    decision: Decision, prompt: Prompt, rungs: tuple[Rung, ...], facts: Facts, wanted: Wanted
) -> tuple[str, ...]:
    """Up to five sentences, the nearest change first."""
    if wanted.start is not None:
        return ()
    from mrt.router.ladder import first_able

    here = first_able(decision.complexity, rungs)
    found = (
        *_without_words(decision, prompt, rungs, here),
        *_longer(decision, prompt, rungs, facts),
        *_threshold(decision, rungs, here),
        *(_budget(row) for row in decision.rows if row.money and row.money.refusal),
    )
    return tuple(dict.fromkeys(found))[:_MOST]


def _without_words(decision: Decision, prompt: Prompt, rungs: tuple[Rung, ...], here: int) -> Iterator[str]:
    """Signals without which it would start on a lower tier."""
    from mrt.router.ladder import first_able

    if len(prompt.ask) > _LONGEST_TAKEN_APART or prompt.rating is not None:
        return
    for part in sorted(decision.contributions, key=lambda part: -part.weight):
        words = _words_of(part.value, prompt.ask)
        if part.weight <= 0 or not words:
            continue
        less = assess_prompt(_without(prompt.ask, words), prompt.pasted, prompt.inherited).value
        there = first_able(less, rungs)
        if there < here:
            quoted = ", ".join(f"'{word}'" for word in words)
            stays = "stays local" if rungs[there].local and not rungs[here].local else f"starts on {rungs[there].name}"
            yield f"without {quoted} it {stays} (complexity {less:g})"


def _words_of(value: str, text: str) -> list[str]:
    """The parts of a contribution's value that stand in the prompt."""
    lowered = text.lower()
    parts = re.split(r", | \+ ", value)
    return [part for part in parts if len(part) > 2 and part.lower() in lowered]


def _without(text: str, words: list[str]) -> str:
    for word in words:
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", " ", text, flags=re.IGNORECASE)
    return " ".join(text.split()) if text.strip() else ""


def _longer(decision: Decision, prompt: Prompt, rungs: tuple[Rung, ...], facts: Facts) -> Iterator[str]:
    """How long the prompt may grow before it starts further up."""
    here = next(place for place, rung in enumerate(rungs) if rung.name == decision.tier)
    if decision.blocked or here == len(rungs) - 1:
        return
    known = facts.known(decision.tier)
    by_context = None if known.context is None else max(0, known.context - known.output_tokens)
    by_length = _length_room(prompt, rungs, here)
    nearest = min((tokens for tokens in (by_context, by_length) if tokens is not None), default=None)
    if nearest is not None:
        following = decision.order[1] if len(decision.order) > 1 else rungs[here + 1].name
        yield f"would go to {following} above {thousands(nearest)} tokens"


def _length_room(prompt: Prompt, rungs: tuple[Rung, ...], here: int) -> int | None:
    """Tokens from which the length alone lifts it over the threshold; None where it does not within reason."""
    from mrt.router.ladder import first_able

    def lifted(size: int) -> bool:
        more = prompt.pasted + (_FILLER * (size // len(_FILLER) + 1))[:size]
        return first_able(assess_prompt(prompt.ask, more, prompt.inherited).value, rungs) > here

    low, high = 0, _LONGEST_TRIED
    if len(prompt.ask) + len(prompt.pasted) > _LONGEST_TRIED or not lifted(high):
        return None
    while high - low > 200:
        middle = (low + high) // 2
        low, high = (low, middle) if lifted(middle) else (middle, high)
    return (len(prompt.ask) + len(prompt.pasted) + high) // _CHARACTERS_PER_TOKEN


def _threshold(decision: Decision, rungs: tuple[Rung, ...], here: int) -> Iterator[str]:
    limit = rungs[here].max_complexity
    if limit is not None and here < len(rungs) - 1:
        more = limit - decision.complexity
        yield f"starts on {rungs[here + 1].name} above complexity {limit:g}, {more:.1f} from here"


def _budget(row: Row) -> str:
    return f"with more budget {row.tier} would be open: {row.money.refusal if row.money else ''}"


def thousands(count: int) -> str:
    """Tokens as people say them: 850, 2.1k."""
    return str(count) if count < 1000 else f"{count / 1000:.1f}".removesuffix(".0") + "k"
