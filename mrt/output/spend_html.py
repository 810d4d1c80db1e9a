"""The spend report as one page with charts, which needs no script and no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from mrt import __version__
from mrt.ledger.detail import USUAL, Detail
from mrt.ledger.queries import Totals
from mrt.ledger.report import Report
from mrt.output.page import Html, document, element, exact
from mrt.output.spend_charts import (
    Palette,
    calls_chart,
    cost_chart,
    forecast_drawing,
    palette,
)
from mrt.output.spend_data import totals_data
from mrt.output.spend_money import amount, at_least, cost, count
from mrt.output.spend_money import percent as share_of
from mrt.output.spend_style import STYLE
from mrt.output.spend_tables import budget_table, course_table, ending_table, group_table, known_table, number, tokens
from mrt.output.spend_words import MONTHS, burn, forecast, savings


def page(detail: Detail, made: datetime) -> str:
    """The whole page; `made` is the moment of the figures, in the report's zone."""
    report = detail.report
    title = f"Spend, {period(report)}"
    head = element(
        "p", f"{_days(report)} · days of {report.wanted.timezone} · as of {made:%Y-%m-%d %H:%M}", class_="dim"
    )
    return document(
        title,
        STYLE,
        element("header", element("h1", title), head),
        element("main", *_sections(detail, made.date())),
        element("footer", element("p", f"mrt {__version__} · mrt spend --html", class_="dim")),
    )


def period(report: Report) -> str:
    """The period in words: March 2026, 2 March 2026, 2 March 2026 to 8 March 2026."""
    first, last = report.wanted.span
    if first is None:
        return f"everything to {_spoken(last)}"
    if first == last:
        return _spoken(first)
    if first.day == 1 and (last.year, last.month) == (first.year, first.month) and _is_last(last):
        return f"{MONTHS[first.month - 1]} {first.year}"
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return str(first.year)
    return f"{_spoken(first)} to {_spoken(last)}"


def _is_last(day: date) -> bool:
    return date.fromordinal(day.toordinal() + 1).month != day.month


def _spoken(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _days(report: Report) -> str:
    first, last = report.wanted.span
    return f"{'the first call' if first is None else first.isoformat()} to {last.isoformat()}"


def _sections(detail: Detail, today: date) -> Iterator[Html]:
    report = detail.report
    yield _figures(report)
    if report.budgets:
        yield _section(
            "Budgets", f"As they stand today, {today.isoformat()}, whatever the period.", budget_table(report)
        )
    yield from _heading(report)
    if not report.total.calls:
        yield _section(
            "No call is booked in this period", "Nothing was spent on any model, as far as this store knows."
        )
        return
    colors = palette([group.keys[0] for group in detail.by["tier"]])
    yield from _course(detail, colors)
    yield from _groups(detail, colors)
    yield _section("How the calls ended", "", ending_table(detail))
    yield _section("How the costs are known", "", known_table(report.total))
    if report.tips:
        yield _section("Tips", "", element("ul", *(element("li", tip) for tip in report.tips)))


def _section(title: str, note: str, *parts: str) -> Html:
    said = [element("p", note, class_="dim")] if note else []
    return element("section", element("h2", title), *said, *parts)


def _figures(report: Report) -> Html:
    total = report.total
    unknown = f"{count(total.unpriced_calls, 'call')} unpriced" if total.unpriced_calls else _state(total)
    cards = [
        _card("cost", _money(total), unknown, "main"),
        _card("calls", number(total.calls), count(total.escalations, "escalation")),
        _card("answers", number(total.answers), _local(total)),
        _card("tokens in", tokens("input_tokens", total), _of(total.cached_tokens, "cached", total)),
        _card("tokens out", tokens("output_tokens", total), _of(total.reasoning_tokens, "reasoning", total)),
    ]
    for title, words in (
        ("burn rate", burn(report.burn)),
        ("forecast", forecast(report)),
        ("savings", savings(report.savings)),
    ):
        if words is not None:
            cards.append(_card(title, words.value.removesuffix(":"), words.note))
    return element("dl", *cards, class_="cards")


def _card(title: str, value: str, note: str, kind: str = "") -> Html:
    told = [element("dd", note, class_="dim")] if note else []
    return element(
        "div", element("dt", title), element("dd", value, class_="figure"), *told, class_=f"card {kind}".strip()
    )


def _state(total: Totals) -> str:
    return {
        "reported": "as the servers reported",
        "priced": "priced from tokens",
        "estimated": "partly estimated",
        "free": "all from the user's own endpoints" if total.calls else "",
    }.get(total.state, "")


def _local(total: Totals) -> str:
    return f"{share_of(total.local_answers, total.answers)} of them local" if total.answers else ""


def _of(number: int, what: str, total: Totals) -> str:
    missing = f"{count(total.uncounted_calls, 'call')} did not say how many" if total.uncounted_calls else ""
    return "; ".join(part for part in (f"{number:,} {what}" if number else "", missing) if part)


def _money(total: Totals) -> Html:
    """The cost alone, exact for programs; the known part of it where some is unknown."""
    data = totals_data(total)["cost"]
    shown = at_least(total.cost_nano, total.unpriced_calls) if total.unpriced_calls else cost(total)
    return exact(data["at_least_usd"] if total.cost_nano else data["usd"], shown)


def _heading(report: Report) -> Iterator[Html]:
    """Where the month is heading, in a picture."""
    found = report.forecast
    words = forecast(report)
    if found is None or words is None:
        return
    monthly = next((line for line in report.budgets if (line.scope, line.period) == ("all", "monthly")), None)
    said = f"{words.value} {words.note}."
    if found.unpriced_calls:
        keys = [("range", f"what the known costs lead to, or more: {words.value}")]
    else:
        keys = [("range", f"range in which eight of ten such months end: {words.value}")]
        keys.append(("expected", f"expected {amount(found.expected_nano)}"))
    if monthly:
        keys = [("used", f"used {at_least(monthly.used_nano, monthly.unpriced_calls)}"), *keys]
        keys.append(("limit", f"monthly budget {amount(monthly.limit_nano)}"))
    used = monthly.used_nano if monthly else 0
    drawn = forecast_drawing(found, used, monthly.limit_nano if monthly else None, said)
    yield _section("Where the month is heading", "", drawn, _keys(keys))


def _keys(keys: Sequence[tuple[str, str]]) -> Html:
    return element(
        "p",
        *(element("span", element("span", "", class_=f"key {color}"), text) for color, text in keys),
        class_="legend",
    )


def _course(detail: Detail, colors: Palette) -> Iterator[Html]:
    course, total = detail.course, detail.report.total
    if total.cost_nano or total.unpriced_calls:
        note = "A bar with “?” is a lower bound: calls of unknown cost are not in it." if total.unpriced_calls else ""
        yield _section(f"Cost per {course.unit}", note, cost_chart(course, colors))
    yield _section(f"Calls per {course.unit}", "", calls_chart(course, colors), course_table(detail))


def _groups(detail: Detail, colors: Palette) -> Iterator[Html]:
    report = detail.report
    for key in USUAL:
        found = detail.by[key]
        if key in ("tier", "model") or any(group.keys[0] for group in found):
            yield _section(f"By {key}", "", group_table((key,), found, colors))
    if report.wanted.by and (len(report.wanted.by) > 1 or report.wanted.by[0] not in USUAL):
        title = " and ".join(report.wanted.by)
        yield _section(f"By {title}", "", group_table(report.wanted.by, report.groups, colors))
