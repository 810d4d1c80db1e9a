"""Runs of `mrt bench` as one page that needs no script and no network; what models wrote is text on it, never markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mrt.output.bench import COMPLEXITIES, bill_line, interval, percent, speed_line, suite_name, trust_line
from mrt.output.bench_svg import curve, scatter
from mrt.output.page import Html, document, escaped

if TYPE_CHECKING:
    from mrt.bench.report import Report, TaskResult

Prompts = Mapping[tuple[str, int, str], str]
Answers = Mapping[tuple[str, str], str]
_LONGEST = 20_000
_GROUPS = {
    "pass": "ok",
    "wrong": "bad",
    "exception": "bad",
    "load_error": "bad",
    "name_mismatch": "bad",
    "no_code": "none",
    "truncated": "cut",
    "empty_after_reasoning": "cut",
    "gen_timeout": "slow",
    "exec_timeout": "slow",
    "exec_memory": "slow",
    "output_flood": "slow",
}
_MARKS = {"ok": "✓", "bad": "✗", "none": "∅", "cut": "✂", "slow": "◷", "out": "–"}
_STYLE = """
.ok { color: var(--ok); } .bad { color: var(--bad); } .cut { color: var(--cut); } .slow { color: var(--slow); }
.none, .out { color: var(--none); } .banner { border-left: 4px solid var(--bad); padding: .3rem .8rem; }
svg { max-width: 44rem; height: auto; min-width: 34rem; } svg text { fill: var(--ink); }
h4 { margin: .8rem 0 .2rem; } td details { min-width: 9rem; }
"""


def page(reports: Sequence[Report], prompts: Prompts, answers: Answers) -> str:
    """The whole page."""
    title = "mrt bench: " + ", ".join(report.run.model for report in reports)
    return document(title, _STYLE, Html("\n".join(_body(reports, prompts, answers))))


def _body(reports: Sequence[Report], prompts: Prompts, answers: Answers) -> Iterator[str]:
    yield "<h1>mrt bench</h1>"
    for report in reports:
        yield from _model(report)
    if len(reports) > 1:
        yield "<h2>Pass rate against time and cost</h2>"
        yield scatter(reports)
    yield "<h2>Every task</h2>"
    yield _legend()
    yield from _grid(reports, prompts, answers)
    yield "<h2>How it was measured</h2>"
    yield from _provenance(reports)


def _model(report: Report) -> Iterator[str]:
    yield f"<h2>{escaped(report.run.model)}</h2>"
    yield from (f'<p class="banner">{escaped(text)}</p>' for text in _banners(report))
    yield f"<p><strong>{escaped(trust_line(report.thresholds))}</strong><br>{escaped(speed_line(report.speed))}<br>"
    yield f"{escaped(bill_line(report.bill, len(report.tasks)))}</p>"
    yield '<table><tr><th>band</th><th class="n">passed</th><th class="n">rate</th><th class="n">95 % interval</th></tr>'
    for band in (*report.bands, report.overall):
        name = COMPLEXITIES.get(band.band, "all")
        cells = (f"{band.passed} of {band.graded}", percent(band.rate.value), interval(band.rate))
        yield f"<tr><td>{name}</td>" + "".join(f'<td class="n">{cell}</td>' for cell in cells) + "</tr>"
    yield "</table>"
    yield curve(report)


def _banners(report: Report) -> Iterator[str]:
    from mrt.output.bench import banners

    yield from (line.removeprefix("!! ") for line in banners(report))


def _legend() -> str:
    words = {
        "ok": "pass",
        "bad": "wrong, exception, not loaded, other name",
        "none": "no code",
        "cut": "cut off",
        "slow": "too slow, too much memory or output",
        "out": "not graded",
    }
    return (
        "<p>" + " ".join(f'<span class="{name}">{_MARKS[name]} {text}</span>' for name, text in words.items()) + "</p>"
    )


def _grid(reports: Sequence[Report], prompts: Prompts, answers: Answers) -> Iterator[str]:
    tasks = {(task.band, task.task) for report in reports for task in report.tasks}
    yield '<div class="wide"><table><tr><th>task</th>'
    yield "".join(f"<th>{escaped(report.run.model)}</th>" for report in reports) + "</tr>"
    for band, name in sorted(tasks):
        yield f'<tr><td>{escaped(name)} <span class="dim">{COMPLEXITIES[band]}</span></td>'
        for report in reports:
            found = next((task for task in report.tasks if task.task == name), None)
            yield f"<td>{_cell(report, found, prompts, answers) if found else ''}</td>"
        yield "</tr>"
    yield "</table></div>"


def _cell(report: Report, task: TaskResult, prompts: Prompts, answers: Answers) -> str:
    group = _GROUPS.get(task.status, "out")
    share = f" {task.passed} of {task.graded}" if task.graded > 1 else ""
    rule = f"<p>breaks rule {escaped(task.worst.rule)}</p>" if task.worst.rule else ""
    prompt = prompts.get((report.run.suite, report.run.variant, task.task), "the task is not here any more")
    parts = (
        ("what was wrong", task.worst.detail),
        ("answer", answers.get((report.run.id, task.task), "")),
        ("prompt", prompt),
    )
    shown = "".join(f"<h4>{title}</h4><pre>{escaped(text[:_LONGEST])}</pre>" for title, text in parts if text)
    return f'<details><summary class="{group}">{_MARKS[group]} {task.status}{share}</summary>{rule}{shown}</details>'


def _provenance(reports: Sequence[Report]) -> Iterator[str]:
    for report in reports:
        run, around = report.run, report.run.environment
        facts = {
            "run": run.id,
            "started": run.started,
            "suite": f"{suite_name(run.suite)}, variant {run.variant}, {run.digest}",
            "samples": f"{run.samples} at temperature {around.get('temperature', '?')}",
            "server": f"{around.get('kind', '?')} ({around.get('endpoint', '?')})",
            "machine": f"{around.get('system', '?')}, Python {around.get('python', '?')}, mrt {around.get('mrt', '?')}",
            "sandbox": ", ".join(around.get("layers", ())) or "unknown",
        }
        rows = "".join(f"<tr><td>{name}</td><td>{escaped(str(value))}</td></tr>" for name, value in facts.items())
        yield f"<h3>{escaped(run.model)}</h3><table>{rows}</table>"
