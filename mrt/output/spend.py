"""The spend report for people."""

from __future__ import annotations

from mrt.ledger.forecast import Forecast
from mrt.ledger.queries import Totals
from mrt.ledger.report import BudgetLine, Report
from mrt.output.columns import columns, width
from mrt.output.spend_money import amount, at_least, cost, count, percent
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
        ("answers", f"{count(total.answers, 'answer')}{_local(report)}"),
        ("tokens", _tokens(report)),
        ("burn rate", _burn(report)),
        ("forecast", _forecast(report)),
        ("savings", _savings(report)),
    ]
    return [f"{name:<10} {text}" for name, text in facts if text]


def _local(report: Report) -> str:
    total = report.total
    return f", {percent(total.local_answers, total.answers)} of them local" if total.answers else ""


def _tokens(report: Report) -> str:
    total = report.total
    known = "at least " if total.uncounted_calls else ""
    missing = f"; {count(total.uncounted_calls, 'call')} did not say how many" if total.uncounted_calls else ""
    cached = f" ({total.cached_tokens:,} cached)" if total.cached_tokens else ""
    reasoning = f" ({total.reasoning_tokens:,} reasoning)" if total.reasoning_tokens else ""
    read, written = (
        "?" if total.uncounted_calls and not tokens else f"{tokens:,}"
        for tokens in (total.input_tokens, total.output_tokens)
    )
    return f"{known if (read, written) != ('?', '?') else ''}{read} in{cached}, {written} out{reasoning}{missing}"


def _burn(report: Report) -> str:
    found = report.burn
    if found is None:
        return ""
    if found.nano is None:
        return f"unknown: the calls of the last {count(found.days, 'day')} were imported"
    rate = at_least(found.nano, found.unpriced_calls)
    when = "so far today" if found.days == 1 else f"over the last {found.days} days"
    each = " a day" if found.days > 1 and rate != "unknown" else ""
    return f"{rate}{each} {when}{_unpriced(found.unpriced_calls)}"


def _unpriced(calls: int) -> str:
    return f" ({count(calls, 'call')} unpriced)" if calls else ""


def _forecast(report: Report) -> str:
    found = report.forecast
    if found is None:
        return ""
    if found.unpriced_calls:
        text = f"{at_least(found.low_nano, found.unpriced_calls)}{_unpriced(found.unpriced_calls)} by {found.until.isoformat()}"
    else:
        text = f"{amount(found.low_nano)} to {amount(found.high_nano)} by {found.until.isoformat()}"
    return text + _reached(report, found)


def _reached(report: Report, found: Forecast) -> str:
    if any(line.scope == "all" and line.period == "monthly" and line.left_nano <= 0 for line in report.budgets):
        return "; the monthly budget is reached"
    if found.limit_reached_on is None:
        return ""
    today = found.limit_reached_on <= report.wanted.today
    day = "today" if today else f"on {found.limit_reached_on.isoformat()}"
    return f"; the monthly budget would be reached {day}{' or earlier' if found.unpriced_calls and not today else ''}"


def _savings(report: Report) -> str:
    saved = report.savings
    if saved is None:
        return ""
    low = "unknown" if saved.low_nano is None else amount(saved.low_nano)
    model = saved.models[0] if len(saved.models) == 1 else f"the strongest paid tier ({', '.join(saved.models)})"
    missing = f"; {count(saved.missing, 'answer')} could not be compared" if saved.missing else ""
    return f"{low} to {amount(saved.high_nano)} against {model} for every answer{missing}"


def _budgets(lines: tuple[BudgetLine, ...], terminal: bool) -> list[str]:
    if not lines:
        return []
    headers = ["budget", "limit", "used", "reserved", "left", "taken"]
    rows = []
    for line in lines:
        used = at_least(line.used_nano, line.unpriced_calls)
        cells = [amount(line.limit_nano), used, at_least(line.reserved_nano, line.unbounded_calls), _left(line)]
        name = line.period if line.scope == "all" else f"{line.period} {line.scope}"
        bar = [_bar(line.used_nano, line.reserved_nano, line.limit_nano)] if terminal else []
        rows.append([name, *cells, f"{'≥ ' if line.unpriced_calls else ''}{line.percent} %", *bar])
    return columns([*headers, ""] if terminal else headers, rows, [False, *[True] * 5, *[False] * terminal])


def _left(line: BudgetLine) -> str:
    return f"{'≤ ' if line.unbounded_calls else ''}{amount(line.left_nano)}"


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
        rows.append([*keys, *calls, *(_counted(tokens, totals) for tokens in counts), cost(totals)])
    return columns([*by, *_HEADERS], rows, [*[False] * len(by), *[True] * len(_HEADERS)])


def _counted(tokens: int, totals: Totals) -> str:
    """Tokens, never a zero that is none."""
    if not totals.uncounted_calls:
        return f"{tokens:,}"
    return f"≥ {tokens:,}" if tokens else "?"


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
