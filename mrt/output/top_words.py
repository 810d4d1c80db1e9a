"""Figures of the live view in few letters; what is not known is a question mark or nothing, never 0."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from mrt.live.snapshot import EndpointNow, Flight, Happening
from mrt.output.spend_money import amount
from mrt.output.top_table import Span

_STYLES = {
    "accepted": "good",
    "writing": "good",
    "working": "good",
    "idle": "",
    "waiting": "notice",
    "silent": "notice",
    "escalated": "notice",
    "rejected": "notice",
    "loading": "notice",
    "auth": "bad",
    "failed": "bad",
    "refused": "bad",
    "interrupted": "bad",
    "stuck": "bad",
    "lost": "bad",
    "down": "bad",
    "unknown": "bad",
    "started": "dim",
    "unseen": "dim",
}


def said(word: str) -> Span:
    """A state in its colour."""
    return Span(word, _STYLES.get(word, ""))


def duration(seconds: float) -> str:
    """1.2 s, 45 s, 12 min 5 s, 3 h 20 min, 2 d 4 h."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def speed(tokens_per_second: float | None) -> str:
    """Tokens per second to three digits; nothing when it is not known."""
    if tokens_per_second is None:
        return ""
    return f"{tokens_per_second:.1f}" if tokens_per_second < 100 else f"{tokens_per_second:,.0f}"


def clock_time(at: float, place: tzinfo) -> str:
    """The time of day in that zone."""
    return datetime.fromtimestamp(at, UTC).astimezone(place).strftime("%H:%M:%S")


def log_time(at: float, now: float, place: tzinfo) -> str:
    """The time of day; for another day than that of `now`, the day and the minute: 11-20 17:05."""
    when, today = (datetime.fromtimestamp(each, UTC).astimezone(place) for each in (at, now))
    return when.strftime("%H:%M:%S" if when.date() == today.date() else "%m-%d %H:%M")


def flight_state(flight: Flight) -> Span:
    """What a request under way is at."""
    words = {
        "waiting": "waits for an answer",
        "writing": "writes",
        "silent": flight.course,
        "stuck": f"stuck, {flight.course}",
        "lost": f"lost: {flight.why}",
    }
    return Span(words[flight.phase], _STYLES[flight.phase])


def load(endpoint: EndpointNow) -> str:
    """Who works there: by the server's own counts, else by what is known of one's own requests."""
    parts = []
    if endpoint.busy is not None:
        of = "" if endpoint.slots is None else f" of {endpoint.slots}"
        parts.append(f"{endpoint.busy}{of} busy")
    if endpoint.queue:
        parts.append(f"{endpoint.queue} waiting")
    if endpoint.own and endpoint.busy != endpoint.own:
        parts.append(f"{endpoint.own} of ours")
    return ", ".join(parts)


def tokens(happening: Happening) -> str:
    """The tokens of an answer, ~ before an estimate."""
    if happening.tokens is None:
        return ""
    return f"{'~' if happening.estimated else ''}{happening.tokens:,}"


def money(happening: Happening) -> str:
    """The cost of an ended call: free, an amount, or ?."""
    if happening.cost_state is None:
        return ""
    if happening.cost_state == "free":
        return "free"
    if happening.cost_nano is None:
        return "?"
    return f"{'~' if happening.cost_state == 'estimated' else ''}{amount(happening.cost_nano)}"


def why(happening: Happening) -> str:
    """Why it ended so: the check that failed and its words."""
    purpose = "" if happening.purpose == "ask" else f"[{happening.purpose}] "
    reason = happening.reason or ""
    check = happening.check or ""
    if happening.kind == "endpoint":
        return reason
    if check and not reason.startswith(f"{check}:"):
        reason = f"{check}: {reason}" if reason else check
    return f"{purpose}{reason}".strip()
