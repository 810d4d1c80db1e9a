"""The drawings of the spend page: cost and calls in time, budgets, the month's range, how costs are known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import NamedTuple

from mrt.domain import NANO_PER_USD
from mrt.ledger.detail import Course
from mrt.ledger.forecast import Forecast
from mrt.ledger.queries import Totals
from mrt.ledger.report import BudgetLine, add
from mrt.output.page import Html, element, joined, name
from mrt.output.spend_money import amount, cost, count
from mrt.output.spend_words import MONTHS
from mrt.output.svg import Bars, Series, bars, drawing, percent, strip
from mrt.output.terminal import one_line

# So many tiers have a colour of their own; the cheaper ones beyond share one.
_COLORS = ("s1", "s2", "s3", "s4", "s5", "s6")
OTHERS = "others"
_LONGEST = 60


class Palette(NamedTuple):
    """The tiers that have a colour of their own, the dearest first, and whether there are more."""

    tiers: tuple[str, ...]
    more: bool

    def color(self, tier: str) -> str:
        """The class that colours a tier."""
        return _COLORS[self.tiers.index(tier)] if tier in self.tiers else "s0"

    def legend(self, shown: Collection[str]) -> Html:
        """Names of the colours of the tiers that a chart shows."""
        names = [tier for tier in self.tiers if tier in shown]
        if set(shown) - set(self.tiers):
            names.append(OTHERS)
        keys = (
            element("span", element("span", "", class_=f"key {self.color(tier)}"), name(tier or "(none)", _LONGEST))
            for tier in names
        )
        return element("p", *keys, class_="legend")


def palette(tiers: Sequence[str]) -> Palette:
    """Colours for tiers in the order of what they cost."""
    most = len(_COLORS)
    return Palette(tuple(tiers[:most]), len(tiers) > most)


class _Slots(NamedTuple):
    """The course by slot: the sums of each, in all and by tier."""

    names: tuple[str, ...]
    totals: tuple[Totals, ...]
    by_tier: tuple[dict[str, Totals], ...]


def slots(course: Course) -> _Slots:
    """Every slot with its sums, those without a call too."""
    by_tier: dict[str, dict[str, Totals]] = {name: {} for name in course.slots}
    for group in course.groups:
        by_tier[group.keys[0]][group.keys[1]] = group.totals
    tiers = tuple(by_tier.values())
    return _Slots(tuple(by_tier), tuple(add(one.values()) for one in tiers), tiers)


def cost_chart(course: Course, colors: Palette) -> Html:
    """Known cost by slot and tier; a bar that is only a lower bound has a "?" on top."""
    found = slots(course)
    unknown = frozenset(place for place, total in enumerate(found.totals) if total.unpriced_calls)
    title = f"Cost per {course.unit} by tier, in US dollars"
    return _chart(course, title, colors, lambda total: total.cost_nano, dollars, unknown)


def calls_chart(course: Course, colors: Palette) -> Html:
    """Calls by slot and tier, the free ones included."""
    return _chart(course, f"Calls per {course.unit} by tier", colors, lambda total: total.calls, short)


def _chart(
    course: Course,
    title: str,
    colors: Palette,
    value: Callable[[Totals], int],
    scale: Callable[[int], str],
    unknown: frozenset[int] = frozenset(),
) -> Html:
    found = slots(course)
    series = [Series(tier, colors.color(tier), _values(found, (tier,), value)) for tier in colors.tiers]
    if colors.more:
        rest = tuple({tier for one in found.by_tier for tier in one} - set(colors.tiers))
        series.append(Series(OTHERS, "s0", _values(found, rest, value)))
    chart = bars(
        Bars(
            title=title,
            description=_description(found),
            names=[slot_label(slot) for slot in found.names],
            notes=[_note(course.unit, *each) for each in zip(found.names, found.totals, found.by_tier, strict=True)],
            series=[one for one in series if any(one.values)],
            scale=scale,
            at_least=unknown,
        )
    )
    shown = {tier for one in found.by_tier for tier, sums in one.items() if value(sums)}
    return joined([chart, colors.legend(shown)])


def _values(found: _Slots, tiers: Sequence[str], value: Callable[[Totals], int]) -> list[int]:
    return [sum(value(one[tier]) for tier in tiers if tier in one) for one in found.by_tier]


def _description(found: _Slots) -> str:
    total = add(found.totals)
    span = f"{found.names[0]} to {found.names[-1]}"
    return f"{span}: {cost(total)} in {count(total.calls, 'call')}; the table below has every figure."


def _note(unit: str, slot: str, total: Totals, by_tier: dict[str, Totals]) -> str:
    lines = [f"{'week of ' if unit == 'week' else ''}{slot}: {cost(total)}, {count(total.calls, 'call')}"]
    dearest = sorted(by_tier.items(), key=lambda item: (-item[1].cost_nano, -item[1].calls))
    lines += [
        f"{one_line(tier, _LONGEST) or '(none)'}: {cost(sums)}, {count(sums.calls, 'call')}" for tier, sums in dearest
    ]
    return "\n".join(lines)


def slot_label(slot: str) -> str:
    """2026-03-02 as 2 Mar; months and years as they are."""
    if len(slot) < len("2026-03-02"):
        return slot
    day = date.fromisoformat(slot)
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def dollars(nano: int) -> str:
    """A round amount beside a scale."""
    return f"${short(nano // NANO_PER_USD)}" if nano >= 1000 * NANO_PER_USD else amount(nano)


def short(number: int) -> str:
    """A round number beside a scale: 800, 1.5k, 20M."""
    for size, sign in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.3g}{sign}"
    return str(number)


def budget_strip(line: BudgetLine) -> Html:
    """Used, then reserved, of the limit; all of it where it is overrun."""
    if line.left_nano < 0 or not line.limit_nano:
        return strip([("over", 1.0)])
    return strip([("used", line.used_nano / line.limit_nano), ("reserved", line.reserved_nano / line.limit_nano)])


def share_strip(color: str, part: int, whole: int) -> Html:
    """One part of a whole."""
    return strip([(color, part / whole if whole else 0.0)], class_="share strip")


def parts_strip(parts: Sequence[tuple[str, int]], words: str) -> Html:
    """The parts of a whole, side by side: the class that colours each, and its size."""
    whole = sum(size for _, size in parts)
    return strip([(color, size / whole) for color, size in parts if whole], words)


def forecast_drawing(found: Forecast, used_nano: int, limit_nano: int | None, words: str) -> Html:
    """What is used, the range in which the month will end, and the limit, on one scale."""
    most = 1.06 * max(found.high_nano, used_nano, limit_nano or 0, 1)

    def place(nano: int) -> float:
        return min(1.0, nano / most)

    parts = [_block(0.0, 1.0, "track")]
    if found.unpriced_calls:
        parts.append(_block(place(found.low_nano), 1.0, "range"))
    else:
        parts.append(_block(place(found.low_nano), place(found.high_nano), "range"))
        parts.append(_mark(place(found.expected_nano), "expected"))
    parts.append(_block(0.0, place(min(used_nano, found.low_nano)), "used"))
    if limit_nano:
        parts.append(_mark(place(limit_nano), "limit"))
    return drawing("Where the month is heading", words, 34, joined(parts))


def _block(start: float, end: float, color: str) -> Html:
    width = percent(max(0.0, end - start))
    return element("rect", x=percent(start), y=8, width=width, height=18, class_=color)


def _mark(at: float, color: str) -> Html:
    return element("line", x1=percent(at), x2=percent(at), y1=2, y2=32, class_=color)
