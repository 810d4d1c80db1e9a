"""The tables of the spend page: every figure with its exact value, the unknown without one."""

from __future__ import annotations

from collections.abc import Sequence

from mrt.domain import usd
from mrt.ledger.detail import Detail
from mrt.ledger.queries import Group, Totals
from mrt.ledger.report import Report, add
from mrt.output.page import Column, Html, element, exact, joined, name, table
from mrt.output.spend_charts import (
    Palette,
    budget_strip,
    parts_strip,
    share_strip,
    slots,
)
from mrt.output.spend_data import budget_data, known_data, totals_data, with_accepted
from mrt.output.spend_money import amount, at_least, cost
from mrt.output.spend_money import percent as share_of
from mrt.output.spend_words import budget_name, counted, left

# A table with more rows than this tells nobody anything, and slows the page down.
_ROWS = 200
_KNOWN = {"reported": "s3", "priced": "s1", "estimated": "s2", "unknown": "s5", "free": "s0"}
_OUTCOMES = {"accepted": "ok-part", "rejected": "s2", "failed": "over"}
_MEANING = {
    "reported": "the server said what the call cost",
    "priced": "tokens that the server reported, at the price that is configured or shipped",
    "estimated": "tokens that were estimated, or a call that was cut off, at most that much",
    "unknown": "no price is known, or nothing tells the tokens: in no sum, and never taken for nothing",
    "free": "the endpoint is the user's own",
}


def tokens(kind: str, totals: Totals) -> Html:
    """Tokens of one kind: a field of Totals."""
    return exact(totals_data(totals)[kind], counted(getattr(totals, kind), totals))


def number(value: int) -> Html:
    """A count."""
    return exact(value, f"{value:,}")


def _numbers(*titles: str) -> list[Column]:
    return [Column(title, number=True) for title in titles]


def budget_table(report: Report) -> Html:
    """Every budget: a bar, then its figures."""
    columns = [Column("budget"), Column(""), *_numbers("limit", "used", "reserved", "left", "taken")]
    rows = []
    for line in report.budgets:
        data = budget_data(line)
        taken = f"{'≥ ' if line.unpriced_calls else ''}{line.percent} %"
        rows.append(
            [
                name(budget_name(line)),
                budget_strip(line),
                exact(data["limit_usd"], amount(line.limit_nano)),
                exact(data["used_usd"], at_least(line.used_nano, line.unpriced_calls)),
                exact(data["reserved_usd"], at_least(line.reserved_nano, line.unbounded_calls)),
                exact(data["left_usd"], left(line)),
                taken,
            ]
        )
    return table(columns, rows, "Budgets")


def course_table(detail: Detail) -> Html:
    """The figures behind the two charts."""
    unit = detail.course.unit
    columns = [
        Column("week of" if unit == "week" else unit),
        Column("tier"),
        Column("cost", True),
        Column("calls", True),
    ]
    found = slots(detail.course)
    rows = []
    for slot, total, by_tier in zip(found.names, found.totals, found.by_tier, strict=True):
        if total.calls:
            rows.append([slot, "all", _whole_cost(total), number(total.calls)])
            rows += [[slot, name(tier), _whole_cost(sums), number(sums.calls)] for tier, sums in by_tier.items()]
    label = f"Cost and calls per {unit} and tier"
    return element("details", element("summary", "The figures of both charts"), table(columns, rows, label))


def _whole_cost(total: Totals) -> Html:
    data = totals_data(total)["cost"]
    return exact(data["at_least_usd"] if total.cost_nano else data["usd"], cost(total))


def group_table(by: Sequence[str], found: Sequence[Group], colors: Palette) -> Html:
    """Sums by key with a bar each; beyond the first rows the rest is summed up in one."""
    shown, rest = found[:_ROWS], found[_ROWS:]
    most = max((group.totals.cost_nano for group in found), default=0)
    calls = max((group.totals.calls for group in found), default=0)
    rows = [_group_row(by, group, colors, (most, calls)) for group in shown]
    if rest:
        total = add(group.totals for group in rest)
        rows.append([f"{len(rest):,} others", *[""] * len(by), *_sums(total)])
    columns = [
        *(Column("week of" if key == "week" else key) for key in by),
        Column(""),
        *_numbers("cost", "calls", "answers", "in", "cached", "out", "reasoning"),
    ]
    return table(columns, rows, f"Sums by {' and '.join(by)}")


def _group_row(by: Sequence[str], group: Group, colors: Palette, most: tuple[int, int]) -> list[str]:
    totals = group.totals
    color = colors.color(group.keys[0]) if by[0] == "tier" else "bar"
    part, whole = (totals.cost_nano, most[0]) if most[0] else (totals.calls, most[1])
    return [*(name(key or "(none)") for key in group.keys), share_strip(color, part, whole), *_sums(totals)]


def _sums(totals: Totals) -> list[str]:
    counts = (tokens(f"{kind}_tokens", totals) for kind in ("input", "cached", "output", "reasoning"))
    return [_whole_cost(totals), number(totals.calls), number(totals.answers), *counts]


def ending_table(detail: Detail) -> Html:
    """Accepted, and what spoke against the others."""
    total = detail.report.total
    columns = [
        *map(Column, ("outcome", "check", "")),
        *_numbers("calls", "cost"),
        Column("what the last one said"),
    ]
    rows = []
    for one in with_accepted(total, detail.endings):
        bar = share_strip(_OUTCOMES.get(one.outcome, "s0"), one.calls, total.calls)
        spent = exact(usd(one.cost_nano), at_least(one.cost_nano, one.unpriced_calls))
        rows.append([one.outcome, name(one.check), bar, number(one.calls), spent, name(one.reason or "", 300)])
    return table(columns, rows, "How the calls ended")


def known_table(total: Totals) -> Html:
    """Of how many calls the cost is known in which way, as a bar and as figures."""
    parts = [(_KNOWN[title], title, size) for title, size in known_data(total).items() if size]
    said = ", ".join(f"{title} {share_of(size, total.calls)}" for _, title, size in parts)
    drawn = parts_strip([(color, size) for color, _, size in parts], f"How the costs of the calls are known: {said}")
    rows = [
        [
            joined([element("span", "", class_=f"key {color}"), title]),
            number(size),
            share_of(size, total.calls),
            _MEANING[title],
        ]
        for color, title, size in parts
    ]
    columns = [Column("cost"), Column("calls", True), Column("share", True), Column("meaning")]
    return joined([drawn, table(columns, rows, "How the costs are known")])
