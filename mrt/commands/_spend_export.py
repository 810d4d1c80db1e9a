"""`mrt spend export`: the calls themselves, for other machines and other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from mrt.commands._shared import ExamplesFirst, common_options, console
from mrt.errors import UsageError
from mrt.ledger.store import Store

EXAMPLES = """
mrt spend export > "$(hostname).jsonl"
mrt spend export --since 2026-01-01 --format csv > calls.csv
mrt spend export --format otlp | curl -d @- -H 'content-type: application/json' http://localhost:4318/v1/traces
"""
FORMATS = ("jsonl", "csv", "otlp")


@click.command("export", cls=ExamplesFirst, examples=EXAMPLES)
@click.option("--since", metavar="DATE", help="Only calls that began on this day or later.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="jsonl", help="How to write them (jsonl).")
@common_options
def command(since: str | None, form: str) -> None:
    """Write every call that has ended to stdout, without any prompt or answer.

    jsonl has a line per call and goes back in with `mrt spend import`; csv has the same columns; otlp has OpenTelemetry spans
    as OTLP JSON, a thousand a line. Amounts are nano-dollars, times microseconds since 1970; what is not known is null or empty.
    """
    from mrt.commands._spend_period import parse_day
    from mrt.commands._spend_store import opened
    from mrt.ledger.queries import Span, bounds_us

    as_json = console().mode == "json"
    if as_json and form != "jsonl":
        raise UsageError(f"--json and --format {form} contradict each other", "leave one of them out")
    day = None if since is None else parse_day(since, "--since")
    with opened(console()) as at:
        start_us = 0 if day is None else bounds_us(Span(day, day), at.timezone)[0]
        for line in _enveloped(at.store, start_us) if as_json else _lines(at.store, start_us, form):
            console().stdout.write(line + "\n")


def _enveloped(store: Store, start_us: int) -> Iterator[str]:
    """The one object of `--json`, a call to a line: there may be more of them than memory holds twice."""
    from mrt.ledger.transfer import FORMAT
    from mrt.output.console import SCHEMA_VERSION

    yield f'{{"schema_version": {SCHEMA_VERSION}, "command": "spend", "data": {{"format": "{FORMAT}", "calls": ['
    before = ""
    for line in _lines(store, start_us, "jsonl"):
        if before:
            yield f"{before},"
        before = line
    yield f'{before}]}}, "errors": []}}'


def _lines(store: Store, start_us: int, form: str) -> Iterator[str]:
    from mrt.ledger.transfer import COLUMNS, FORMAT, ended_calls

    rows = ended_calls(store, start_us)
    if form == "jsonl":
        yield from (json.dumps({"format": FORMAT, **row}, ensure_ascii=False) for row in rows)
    elif form == "otlp":
        from mrt.output.spend_spans import traces

        yield from (json.dumps(document, ensure_ascii=False) for document in traces(rows))
    else:
        from mrt.output.csv_text import csv_line

        yield csv_line(COLUMNS)
        yield from (csv_line(row.values()) for row in rows)
