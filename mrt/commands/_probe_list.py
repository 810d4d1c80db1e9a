"""From the options of `mrt probe models` to its table, names or JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

from mrt.commands._probe_scope import look_at, scope_of
from mrt.endpoints.cache import load_cache
from mrt.endpoints.report import SAID, EndpointReport
from mrt.errors import ExitCode, Unreachable
from mrt.output import Console, one_line
from mrt.output.probe import model_table
from mrt.output.probe_data import moment


class Options(NamedTuple):
    """The command line, as parsed."""

    endpoint: str | None
    names: bool
    cached: bool


def list_models(console: Console, options: Options) -> int:
    """Print the models. Raises Unreachable when there is no endpoint to have any."""
    scope = scope_of(console, options.endpoint)
    if options.cached:
        seen = [cached.report for cached in load_cache(console.environment)]
        reports = [report for report in seen if options.endpoint in (None, report.name)]
    else:
        with console.waiting("looking at the servers ..."):
            reports = list(look_at(scope).reports)
    ready = [report for report in reports if report.state == "ready"]
    if not ready:
        raise _nobody(reports, options)
    _show(console, ready, options)
    return ExitCode.OK


def _nobody(reports: list[EndpointReport], options: Options) -> Unreachable:
    if options.endpoint is None or not reports:
        return Unreachable("no endpoint is ready", "see which there are: mrt probe")
    report = reports[0]
    return Unreachable(f"{report.name} {SAID[report.state]}: {report.message}", report.hint)


def _show(console: Console, reports: list[EndpointReport], options: Options) -> None:
    models = [(f"{report.name}/{model.id}", model) for report in reports for model in report.models]
    if console.mode == "json":
        console.envelope("probe", {"models": [row for report in reports for row in model_rows(report)]})
    elif options.names:
        console.write("".join(f"{one_line(name, 600)}\n" for name, _ in models))
    elif models:
        console.report("\n".join(model_table(models)))
    else:
        console.note("the endpoints that are ready list no models")


def model_rows(report: EndpointReport) -> list[dict[str, Any]]:
    """The models of one endpoint as scripts read them."""
    about = {"endpoint": report.name, "kind": report.kind, "checked_at": moment(report.checked_at)}
    return [{"name": f"{report.name}/{model.id}", **about, **asdict(model)} for model in report.models]
