"""Gather the findings of the doctor and show them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence

from mrt.commands._probe_scope import Scope, look_at, scope_of
from mrt.endpoints.checkup import Finding, problems
from mrt.endpoints.checkup.machine import clock_finding, gpu_findings, store_findings
from mrt.endpoints.checkup.servers import endpoint_findings, tier_findings
from mrt.endpoints.checkup.setup import (
    config_finding,
    config_problems,
    key_findings,
    mode_findings,
    origin_findings,
    python_finding,
)
from mrt.errors import ConfigError, ExitCode, UpstreamError
from mrt.output import Console
from mrt.output.checkup import checkup_data, checkup_text
from mrt.output.console import is_terminal


def examine(console: Console, verb: str) -> int:
    """All findings in a fixed order, under the verb that was typed; 0 when there is no problem among them, else 3."""
    with console.waiting("examining ..."):
        found = [python_finding(), *_of_config(console), *_of_machine(console), terminal_finding(console)]
    wrong = problems(found)
    if console.mode == "json":
        failures = [UpstreamError(f"{one.area}: {one.detail}", one.hint) for one in wrong]
        console.envelope(verb, checkup_data(found), failures)
    else:
        shown = [one for one in found if one.area != "setting" or console.verbosity]
        console.result(checkup_text(shown))
    return ExitCode.UPSTREAM if wrong else ExitCode.OK


def _of_config(console: Console) -> Iterator[Finding]:
    """The configuration, and all that hangs on it; of a broken one only what is wrong with it."""
    yield from config_problems(console.environment, console.config_path)
    try:
        scope = scope_of(console)
    except ConfigError:
        return
    yield config_finding(scope.config, console.environment)
    yield from origin_findings(scope.config)
    yield from mode_findings(scope.config, console.environment)
    yield from key_findings(scope.places)
    yield from _of_servers(scope)
    yield clock_finding(scope.config, console.environment, time.time())


def _of_servers(scope: Scope) -> Iterator[Finding]:
    view = look_at(scope)
    yield from endpoint_findings(view.reports, scope.named)
    yield from tier_findings(view.tiers)


def _of_machine(console: Console) -> Sequence[Finding]:
    from mrt.machine import read

    return [*gpu_findings(read), *store_findings(console.environment, time.time())]


def terminal_finding(console: Console) -> Finding:
    """What the results are written to, and whether it can show them."""
    encoding = getattr(console.stdout, "encoding", None) or "utf-8"
    if encoding.lower().replace("-", "") != "utf8":
        return Finding("terminal", "warning", f"it shows {encoding}, not UTF-8", "export LANG=C.UTF-8")
    if not is_terminal(console.stdout):
        return Finding("terminal", "ok", "output goes to a file or a pipe, plain")
    size = shutil.get_terminal_size()
    term = console.environment.get("TERM") or "unknown"
    colors = "colours" if console.color(console.stdout) else "no colours"
    return Finding("terminal", "ok", f"{term}, {size.columns} x {size.lines}, {colors}")
