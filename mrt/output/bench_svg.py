"""Drawings for the page of `mrt bench`, as inline SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mrt.output.bench import percent
from mrt.output.page import Html, element, escaped

if TYPE_CHECKING:
    from mrt.bench.report import Report

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 280, 50, 40, 15, 20
_TARGET = 0.8


def curve(report: Report) -> str:
    """The chance to pass against complexity, with the 95 % band, the measured bands as dots, the target, and both thresholds."""
    levels = report.thresholds.levels
    above = [(_x(level.complexity), _y(level.high)) for level in levels]
    below = [(_x(level.complexity), _y(level.low)) for level in reversed(levels)]
    line = " ".join(f"{_x(level.complexity):.1f},{_y(level.mean):.1f}" for level in levels)
    parts = [
        *_axes("complexity", "chance to pass"),
        f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in above + below)}" fill="var(--band)"/>',
        f'<polyline points="{line}" fill="none" stroke="var(--bar)" stroke-width="2"/>',
        *_dots(report),
        _dashed(LEFT, _y(_TARGET), WIDTH - RIGHT, _y(_TARGET), "var(--dim)"),
        *_cuts(report),
    ]
    return _svg(parts, f"pass probability of {report.run.model} by complexity")


def _dots(report: Report) -> Iterator[str]:
    from mrt.bench.threshold import complexity_of

    for band in report.bands:
        if band.rate.value is None:
            continue
        x = _x(complexity_of(band.band))
        yield f'<line x1="{x:.1f}" y1="{_y(band.rate.low):.1f}" x2="{x:.1f}" y2="{_y(band.rate.high):.1f}" stroke="var(--dim)"/>'
        title = f"<title>{band.passed} of {band.graded}</title>"
        yield f'<circle cx="{x:.1f}" cy="{_y(band.rate.value):.1f}" r="4" fill="var(--ink)">{title}</circle>'


def _cuts(report: Report) -> Iterator[str]:
    safe, bold = report.thresholds.safe, report.thresholds.bold
    marks = {"safe and bold": safe} if safe == bold else {"safe": safe, "bold": bold}
    for number, (name, level) in enumerate(marks.items()):
        if level is not None:
            yield _dashed(_x(level), TOP, _x(level), HEIGHT - BOTTOM, "var(--ok)")
            yield f'<text x="{_x(level) + 4:.1f}" y="{TOP + 12 + 14 * number}">{name}: {level}</text>'


def scatter(reports: Sequence[Report]) -> str:
    """Pass rate with its interval against the seconds of an answer; the cost stands beside each name."""
    times = [report.speed.seconds or 0.0 for report in reports]
    most = max(times) * 1.15 or 1.0
    parts = [*_axes("seconds of an answer (median)", "passed", f"{most:.3g}")]
    for report, seconds in zip(reports, times, strict=True):
        rate = report.overall.rate
        if rate.value is None:
            continue
        x = LEFT + (WIDTH - LEFT - RIGHT) * seconds / most
        parts.append(
            f'<line x1="{x:.1f}" y1="{_y(rate.low):.1f}" x2="{x:.1f}" y2="{_y(rate.high):.1f}" stroke="var(--dim)"/>'
        )
        parts.append(f'<circle cx="{x:.1f}" cy="{_y(rate.value):.1f}" r="5" fill="var(--bar)"/>')
        anchor = "end" if x > WIDTH * 0.6 else "start"
        shift = -8 if anchor == "end" else 8
        text = f"{report.run.model}: {percent(rate.value)}, {_cost(report)}"
        parts.append(
            f'<text x="{x + shift:.1f}" y="{_y(rate.value) - 6:.1f}" text-anchor="{anchor}">{escaped(text)}</text>'
        )
    return _svg(parts, "pass rate against time")


def _cost(report: Report) -> str:
    from mrt.output.bench import bill_line

    return bill_line(report.bill, 0).removeprefix("cost: ")


def _axes(across: str, up: str, last: str | None = None) -> Iterator[str]:
    yield _line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM)
    yield _line(LEFT, TOP, LEFT, HEIGHT - BOTTOM)
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        yield f'<text x="{LEFT - 6}" y="{_y(share) + 4:.1f}" text-anchor="end">{round(100 * share)} %</text>'
    if last is None:
        for complexity in range(1, 11):
            yield f'<text x="{_x(complexity):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{complexity}</text>'
    else:
        yield f'<text x="{LEFT}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">0</text>'
        yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - BOTTOM + 16}" text-anchor="end">{last}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">{across}</text>'
    yield f'<text x="{LEFT + 8}" y="{TOP - 3}">{up}</text>'


def _x(complexity: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (complexity - 0.5) / 10


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="var(--line)"/>'


def _dashed(x1: float, y1: float, x2: float, y2: float, color: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-dasharray="5 4"/>'


def _svg(parts: Sequence[str], label: str) -> str:
    """The drawing, in a frame that scrolls where it is too wide to be read."""
    drawing = element(
        "svg",
        element("title", label),
        Html("".join(parts)),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        role="img",
        aria_label=label,
    )
    return element("div", drawing, class_="wide", tabindex="0", role="region", aria_label=label)
