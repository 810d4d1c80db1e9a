"""Drawings as inline SVG: widths in percent of the page, so that they fit any screen while their text keeps its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import floor, log10
from typing import NamedTuple

from mrt.output.page import Html, element, joined

HEIGHT, TOP, FOOT = 190, 14, 22
_TICKS = 4
_LABELS = 8
_GAP = 0.14


class Series(NamedTuple):
    """One part of every bar: its name, the class that colours it, and a value for each bar, 0 or more."""

    name: str
    color: str
    values: Sequence[int]


class Bars(NamedTuple):
    """A chart of stacked bars: what is said of it and of each bar, the bars' names, and those that are only a lower bound."""

    title: str
    description: str
    names: Sequence[str]
    notes: Sequence[str]
    series: Sequence[Series]
    scale: Callable[[int], str]
    at_least: frozenset[int] = frozenset()


def bars(chart: Bars) -> Html:
    """The chart: a scale on the left, the bars on the rest of the width."""
    most = max(map(sum, zip(*(one.values for one in chart.series), strict=True)), default=0)
    ticks = nice_ticks(most)
    top = max(ticks[-1], most)
    scale = (
        element("text", chart.scale(tick), x="100%", dx=-8, y=_y(tick, top) + 4, text_anchor="end") for tick in ticks
    )
    lines = (element("line", x1=0, x2="100%", y1=_y(tick, top), y2=_y(tick, top), class_="grid") for tick in ticks)
    drawn = (_bar(chart, number, top) for number in range(len(chart.names)))
    plot = drawing(
        chart.title, chart.description, HEIGHT, joined(lines), joined(drawn), joined(_labels(chart)), class_="plot"
    )
    axis = element("svg", *scale, width="100%", height=HEIGHT, aria_hidden="true", class_="axis")
    return element("div", axis, plot, class_="chart")


def drawing(title: str, description: str, height: int, *parts: str, class_: str | None = None) -> Html:
    """An SVG as wide as there is room, which says what it shows to those who do not see it."""
    return element(
        "svg",
        element("title", title),
        *([element("desc", description)] if description else []),
        *parts,
        width="100%",
        height=height,
        role="img",
        aria_label=f"{title}. {description}".removesuffix(". "),
        class_=class_,
    )


def strip(parts: Sequence[tuple[str, float]], title: str | None = None, class_: str = "strip") -> Html:
    """One bar on a track, of parts one after the other: the class that colours each, and its share of the width from 0 to 1.

    Without a title it only repeats the figures beside it, and is no news to those who do not see it.
    """
    drawn, start = [element("rect", x=0, y=1, width="100%", height=10, rx=2, class_="track")], 0.0
    for color, share in parts:
        width = max(0.0, min(share, 1.0 - start))
        if width > 0:
            drawn.append(element("rect", x=percent(start), y=1, width=percent(width), height=10, class_=color))
            start += width
    if title is not None:
        return drawing(title, "", 12, *drawn, class_=f"whole {class_}")
    return element("svg", *drawn, height=12, aria_hidden="true", class_=class_)


def nice_ticks(most: int) -> list[int]:
    """0 and up to four round figures that reach `most`."""
    if most <= 0:
        return [0]
    rough = most / _TICKS
    power = 10 ** floor(log10(rough)) if rough >= 1 else 1
    step = next(int(power * factor) for factor in (1, 2, 5, 10) if int(power * factor) * _TICKS >= most)
    return list(range(0, -(-most // step) * step + 1, step))


def percent(share: float) -> str:
    """A share of the width."""
    return f"{100 * share:.4f}".rstrip("0").rstrip(".") + "%"


def _bar(chart: Bars, number: int, top: int) -> Html:
    """A bar with its note, which shows wherever one points in its column."""
    count = len(chart.names)
    x, width = percent((number + _GAP / 2) / count), percent((1 - _GAP) / count)
    column = element(
        "rect", x=percent(number / count), y=0, width=percent(1 / count), height=HEIGHT - FOOT, class_="hit"
    )
    parts, below = [], 0
    for one in chart.series:
        value = one.values[number]
        if value:
            lower, upper = _y(below, top), _y(below + value, top)
            height = max(lower - upper, 0.75)
            parts.append(element("rect", x=x, y=lower - height, width=width, height=height, class_=one.color))
            below += value
    if number in chart.at_least:
        middle = percent((number + 0.5) / count)
        parts.append(element("text", "?", x=middle, y=_y(below, top) - 4, text_anchor="middle", class_="unknown"))
    return element("g", element("title", chart.notes[number]), column, *parts, class_="slot")


def _labels(chart: Bars) -> Iterator[Html]:
    """Names of some bars beneath; every second one gives way on a narrow screen."""
    count = len(chart.names)
    step = -(-count // _LABELS)
    for place, number in enumerate(range(0, count, step)):
        yield element(
            "text",
            chart.names[number],
            x=percent((number + 0.5) / count),
            y=HEIGHT - 5,
            text_anchor="middle",
            class_="odd" if place % 2 else None,
        )


def _y(value: float, top: int) -> float:
    room = HEIGHT - TOP - FOOT
    return HEIGHT - FOOT - (room * value / top if top else 0.0)
