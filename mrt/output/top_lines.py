"""One line for each event, for a log."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from mrt.live.snapshot import Happening
from mrt.output.top_table import clean
from mrt.output.top_words import duration, money, speed, tokens, why


def event_line(one: Happening, place: tzinfo) -> str:
    """When, what, where; why; and in parentheses what is known of its time, tokens and cost."""
    when = datetime.fromtimestamp(one.at, UTC).astimezone(place).strftime("%Y-%m-%d %H:%M:%S")
    where = clean(" ".join(part for part in (one.tier, one.name) if part))
    reason = clean(why(one))
    figures = [
        "" if one.seconds is None else duration(one.seconds),
        "" if one.tokens is None else f"{tokens(one)} tokens",
        "" if one.tokens_per_second is None else f"{speed(one.tokens_per_second)} tok/s",
        {"": "", "?": "cost unknown"}.get(money(one), money(one)),
    ]
    known = ", ".join(figure for figure in figures if figure)
    return f"{when}  {one.kind:<11}  {where}{f'  {reason}' if reason else ''}{f'  ({known})' if known else ''}"
