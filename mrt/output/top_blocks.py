"""The parts of the live view, each a list of lines: head, money, budgets, requests, endpoints, the log."""

from __future__ import annotations

from datetime import tzinfo

from mrt.budget import zone
from mrt.ledger.queries import Totals
from mrt.ledger.report import BudgetLine
from mrt.live.snapshot import EndpointNow, Flight, Happening, Money, Snapshot
from mrt.output.columns import width
from mrt.output.spend_money import amount, at_least, cost, count
from mrt.output.top_table import Column, Line, Span, clean, cut, cut_line, table
from mrt.output.top_words import clock_time, duration, flight_state, load, log_time, said, speed, tokens, why
from mrt.output.top_words import money as cost_of

_BAR = 20
_FLIGHTS = (
    Column("under way", rank=5, soft=12),
    Column("model", soft=20),
    Column("age", right=True),
    Column("tokens", right=True, rank=6),
    Column("tok/s", right=True, rank=4),
    Column("state", soft=26),
    Column("purpose", rank=7),
    Column("operation", rank=9),
)
_ENDPOINTS = (
    Column("endpoint", soft=12),
    Column("health"),
    Column("load", rank=2, soft=14),
    Column("tok/s", right=True, rank=3),
    Column("loaded", rank=5, soft=16),
    Column("latency", right=True, rank=6),
    Column("kind", rank=7),
    Column("", rank=4, soft=20),
)
_LOG = (
    Column("last"),
    Column("event"),
    Column("tier", rank=6, soft=12),
    Column("model", rank=1, soft=18),
    Column("took", right=True, rank=7),
    Column("tokens", right=True, rank=9),
    Column("tok/s", right=True, rank=8),
    Column("cost", right=True, rank=5),
    Column("why", rank=2, soft=30),
)
SHORT_ID = 18


def head(snapshot: Snapshot, size: int | None) -> list[Line]:
    """The time, and the whole in one line; then what could not be looked at."""
    place = zone(snapshot.timezone)
    left = (
        Span("mrt top", "strong"),
        Span(f"  {clock_time(snapshot.at, place)}"),
        Span(f" {snapshot.timezone}", "dim"),
    )
    line = (*left, Span("  "), *_summary(snapshot))
    if size is not None and width("".join(span.text for span in line)) > size:
        line = (left[0], left[1], Span("  "), *_summary(snapshot))
    return [cut_line(line, size), *(cut_line((Span(clean(note), "notice"),), size) for note in snapshot.notes)]


def _summary(snapshot: Snapshot) -> Line:
    if snapshot.flights is None:
        return (Span("requests unknown", "bad"),)
    phases = [flight.phase for flight in snapshot.flights]
    going = sum(phase not in ("stuck", "lost") for phase in phases)
    words = [(f"{going} under way", "good")] if going else [] if phases else [("nothing under way", "dim")]
    words += [(f"{phases.count(phase)} {phase}", "bad") for phase in ("stuck", "lost") if phase in phases]
    spans = [Span(f"{', ' if number else ''}{text}", style) for number, (text, style) in enumerate(words)]
    if snapshot.tokens_per_second is not None:
        spans.append(Span(f", ~{speed(snapshot.tokens_per_second)} tok/s"))
    return tuple(spans)


def money(found: Money | None, size: int | None) -> list[Line]:
    """Today, the month and the rate."""
    if found is None:
        return []
    facts = [("today", _sums(found.today)), ("month", _sums(found.month)), ("burn", _burn(found))]
    return [cut_line((Span(f"{name:<8}", "dim"), Span(text)), size) for name, text in facts]


def _sums(totals: Totals) -> str:
    read, written = (_counted(each, totals) for each in (totals.input_tokens, totals.output_tokens))
    counted = f", {read} tokens in, {written} out" if totals.calls else ""
    return f"{cost(totals)}, {count(totals.calls, 'call')}{counted}"


def _counted(number: int, totals: Totals) -> str:
    if not totals.uncounted_calls:
        return f"{number:,}"
    return f"≥ {number:,}" if number else "?"


def _burn(found: Money) -> str:
    hour = f"{at_least(found.hour_nano, found.hour_unpriced)} in the last hour"
    if found.burn is None or found.burn.nano is None:
        return hour
    rate = at_least(found.burn.nano, found.burn.unpriced_calls)
    days = found.burn.days
    return f"{hour}, {rate} a day over the last {days} days" if days > 1 else hour


def budgets(found: Money | None, size: int | None) -> list[Line]:
    """A bar for each: used, reserved, left."""
    if found is None or not found.budgets:
        return []
    names = [clean(line.period if line.scope == "all" else f"{line.period} {line.scope}") for line in found.budgets]
    longest = max(8, *(min(20, width(name)) for name in names))
    return [_budget(name, line, longest, size, found.soft_pct) for name, line in zip(names, found.budgets, strict=True)]


def _budget(name: str, line: BudgetLine, longest: int, size: int | None, soft_pct: int) -> Line:
    style = "bad" if line.percent >= 100 else "notice" if line.percent >= soft_pct else "good"
    share = f"{'≥ ' if line.unpriced_calls or line.unbounded_calls else ''}{line.percent} %"
    name = cut(name, longest)
    label = Span(name + " " * (longest - width(name)), "dim")
    cells = _BAR if size is None or size >= 60 else 10
    solid, shaded = _shares(line, cells)
    bar = (Span("█" * solid, style), Span("▒" * shaded, style), Span("·" * (cells - solid - shaded), "dim"))
    left = f"{'≤ ' if line.unbounded_calls else ''}{amount(line.left_nano)} left"
    more = [f" of {amount(line.limit_nano)}, {at_least(line.used_nano, line.unpriced_calls)} used"]
    if line.reserved_nano or line.unbounded_calls:
        more.append(f", {at_least(line.reserved_nano, line.unbounded_calls)} reserved")
    return cut_line((label, Span(" "), *bar, Span(f" {share:>6}  {left}{''.join(more)}")), size)


def _shares(line: BudgetLine, cells: int) -> tuple[int, int]:
    if line.limit_nano <= 0:
        return cells, 0
    solid = min(cells, -(-max(0, line.used_nano) * cells // line.limit_nano))
    return solid, min(cells - solid, -(-max(0, line.reserved_nano) * cells // line.limit_nano))


def flights(snapshot: Snapshot, size: int | None) -> list[Line]:
    """One line per request under way, the oldest first; nothing when there is none."""
    rows = [_flight(flight) for flight in snapshot.flights or ()]
    return table(_FLIGHTS, rows, size) if rows else []


def _flight(flight: Flight) -> list[Span | str]:
    return [
        flight.tier,
        flight.name,
        duration(flight.age_s),
        "" if flight.tokens is None else f"~{flight.tokens:,}",
        "" if flight.tokens_per_second is None else f"~{speed(flight.tokens_per_second)}",
        flight_state(flight),
        "" if flight.purpose == "ask" else flight.purpose,
        Span(flight.operation[:SHORT_ID], "dim"),
    ]


def endpoints(snapshot: Snapshot, size: int | None) -> list[Line]:
    """One line per endpoint."""
    if snapshot.endpoints is None:
        return [cut_line((Span("endpoints unknown", "bad"),), size)]
    if not snapshot.endpoints:
        words = "no endpoint answers: `mrt probe` says more" if snapshot.surveyed else "looking for endpoints ..."
        return [cut_line((Span(words, "dim"),), size)]
    return table(_ENDPOINTS, [_endpoint(one) for one in snapshot.endpoints], size)


def _endpoint(one: EndpointNow) -> list[Span | str]:
    return [
        one.name,
        said(one.health),
        load(one),
        "" if one.tokens_per_second is None else f"~{speed(one.tokens_per_second)}",
        "" if one.loaded is None else ", ".join(one.loaded) or "nothing",
        "" if one.latency_ms is None else f"{one.latency_ms} ms",
        one.kind or "",
        one.message or "",
    ]


def log(snapshot: Snapshot, size: int | None) -> list[Line]:
    """One line per event, the newest first; nothing when there is none."""
    place = zone(snapshot.timezone)
    rows = [_log_row(one, snapshot.at, place) for one in snapshot.last]
    return table(_LOG, rows, size) if rows else []


def _log_row(one: Happening, now: float, place: tzinfo) -> list[Span | str]:
    return [
        Span(log_time(one.at, now, place), "dim"),
        said(one.kind),
        one.tier,
        one.name,
        "" if one.seconds is None else duration(one.seconds),
        tokens(one),
        speed(one.tokens_per_second),
        cost_of(one),
        why(one),
    ]
