"""The spend report for people."""

from __future__ import annotations

from mrt.ledger.report import BudgetLine, Report
from mrt.output.columns import columns, width
from mrt.output.spend_money import amount, at_least, cost, count
from mrt.output.spend_words import Words, budget_name, burn, counted, forecast, left, local_share, savings, tokens
from mrt.output.terminal import one_line

_BAR = 24
_HEADERS = ("calls", "escalations", "in", "cached", "out", "reasoning", "cost")


def report_text(report: Report, terminal: bool) -> str:
    """Lines for people; bars only where a terminal shows them."""
    blocks = [_head(report), _budgets(report.budgets, terminal), _groups(report)]
    if terminal:
        blocks.append(_chart(report))
    blocks.append([f"tip: {tip}" for tip in report.tips])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(report: Report) -> list[str]:
    total, wanted = report.total, report.wanted
    first = "the first call" if wanted.span.first is None else wanted.span.first.isoformat()
    facts = [
        ("period", f"{first} to {wanted.span.last.isoformat()} ({wanted.timezone})"),
        ("cost", cost(total)),
        ("calls", f"{count(total.calls, 'call')}, {count(total.escalations, 'escalation')}"),
        ("answers", f"{count(total.answers, 'answer')}{local_share(total)}"),
        ("tokens", tokens(total)),
        ("burn rate", _said(burn(report.burn))),
        ("forecast", _said(forecast(report))),
        ("savings", _said(savings(report.savings))),
    ]
    return [f"{name:<10} {text}" for name, text in facts if text]


def _said(words: Words | None) -> str:
    return "" if words is None else " ".join(part for part in words if part)


def _budgets(lines: tuple[BudgetLine, ...], terminal: bool) -> list[str]:
    if not lines:
        return []
    headers = ["budget", "limit", "used", "reserved", "left", "taken"]
    rows = []
    for line in lines:
        used = at_least(line.used_nano, line.unpriced_calls)
        cells = [amount(line.limit_nano), used, at_least(line.reserved_nano, line.unbounded_calls), left(line)]
        bar = [_bar(line.used_nano, line.reserved_nano, line.limit_nano)] if terminal else []
        rows.append([budget_name(line), *cells, f"{'≥ ' if line.unpriced_calls else ''}{line.percent} %", *bar])
    return columns([*headers, ""] if terminal else headers, rows, [False, *[True] * 5, *[False] * terminal])


def _bar(used: int, reserved: int, limit: int) -> str:
    """Used, reserved and left, in that order."""
    if limit <= 0:
        return "█" * _BAR
    solid = min(_BAR, -(-used * _BAR // limit))
    shaded = min(_BAR - solid, -(-reserved * _BAR // limit))
    return "█" * solid + "▒" * shaded + "·" * (_BAR - solid - shaded)


def _groups(report: Report) -> list[str]:
    by = report.wanted.by
    if not (by and report.groups):
        return []
    rows = []
    for group in report.groups:
        totals = group.totals
        calls = [f"{totals.calls:,}", f"{totals.escalations:,}"]
        counts = [totals.input_tokens, totals.cached_tokens, totals.output_tokens, totals.reasoning_tokens]
        keys = [key or "(none)" for key in group.keys]
        rows.append([*keys, *calls, *(counted(tokens, totals) for tokens in counts), cost(totals)])
    return columns([*by, *_HEADERS], rows, [*[False] * len(by), *[True] * len(_HEADERS)])


def _chart(report: Report) -> list[str]:
    """Cost by the key, where there is one."""
    by = report.wanted.by
    dearest = max((group.totals.cost_nano for group in report.groups), default=0)
    if len(by) != 1 or not dearest:
        return []
    names = [one_line(group.keys[0] or "(none)", 10_000) for group in report.groups]
    size = max(map(width, names))
    lines = []
    for name, group in zip(names, report.groups, strict=True):
        bar = "█" * -(-group.totals.cost_nano * _BAR // dearest)
        lines.append(f"{name}{' ' * (size - width(name))}  {bar}{' ' * bool(bar)}{cost(group.totals)}")
    return lines
