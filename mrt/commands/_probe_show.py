"""`mrt probe` itself: one look, a wait until all is ready, or look after look."""

from __future__ import annotations

from mrt.commands._probe_scope import Scope, View, look_at, only_tiers, scope_of
from mrt.endpoints.report import SAID, EndpointReport
from mrt.endpoints.tiers import TierState
from mrt.errors import AuthError, ExitCode, MrtError, Overloaded, TimedOut, Unreachable, UpstreamError, UsageError
from mrt.frozen import frozen
from mrt.output import Console
from mrt.output.console import is_terminal
from mrt.output.probe import probe_text
from mrt.output.probe_data import probe_data

WAIT_S = 300.0
INTERVAL_S = 2.0
# Between two looks of a wait: short at first, since small models load in a moment.
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
CLEAR = "\x1b[H\x1b[2J"
_FAILURES: dict[str, type[MrtError]] = {"down": Unreachable, "loading": Overloaded, "auth": AuthError}


@frozen
class Options:
    """The command line of `mrt probe`, as parsed."""

    endpoint: str | None
    tier: str | None
    wait: bool
    timeout: float | None
    watch: bool
    interval: float | None
    deep: str | None
    yes: bool


LOOKING = "looking at the servers ..."


def show(console: Console, options: Options) -> int:
    """Look, and end with 0 when all that was asked for is ready. Raises UsageError and ConfigError."""
    _refuse_contradictions(options)
    scope = scope_of(console, options.endpoint, options.tier)
    if options.deep is not None:
        from mrt.commands._probe_deep import deep

        return deep(console, scope, options.deep or None, options.timeout, agreed=options.yes)
    if options.wait:
        return wait(console, only_tiers(scope), WAIT_S if options.timeout is None else options.timeout)
    if options.watch:
        return watch(console, scope, options)
    with console.waiting(LOOKING):
        view = look_at(scope, options.timeout)
    show_view(console, scope, view)
    return exit_code(scope, view)


def _refuse_contradictions(options: Options) -> None:
    modes = {"--wait": options.wait, "--watch": options.watch, "--deep": options.deep is not None}
    given = [name for name, is_given in modes.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} contradict each other", "leave one of them out")
    if options.interval is not None and not options.watch:
        raise UsageError("--interval belongs to --watch", "add --watch")
    if options.yes and options.deep is None:
        raise UsageError("--yes belongs to --deep", "add --deep")


def exit_code(scope: Scope, view: View) -> int:
    """0 when all that was asked for is ready, else 3."""
    return ExitCode.OK if view.ready(scope) else ExitCode.UPSTREAM


def show_view(console: Console, scope: Scope, view: View) -> None:
    """One look as a table or as JSON."""
    if console.mode == "json":
        console.envelope("probe", probe_data(view.reports, view.tiers), failures(scope, view))
    else:
        console.result(probe_text(view.reports, view.tiers, scope.named))


def failures(scope: Scope, view: View) -> list[MrtError]:
    """Why this is not exit code 0: one failure for each tier, or endpoint, that is not ready."""
    if scope.endpoint is not None:
        return [_failure(report.name, report) for report in view.reports if report.state != "ready"]
    return [_failure(f"tier {tier.tier}", tier) for tier in view.tiers if not tier.ready]


def _failure(name: str, found: TierState | EndpointReport) -> MrtError:
    failure = _FAILURES.get(found.state, UpstreamError)(f"{name} {SAID[found.state]}: {found.message}", found.hint)
    failure.exit_code = ExitCode.UPSTREAM
    return failure


def wait(console: Console, scope: Scope, seconds: float) -> int:
    """Look until everything is ready. A server that loads its model is not ready, and neither is a tier whose model is missing.

    Ends with 124 when the time is over, and at once when waiting cannot help: a key that is refused, a tier that leads nowhere.
    """
    wire = scope.wire
    end, pause, told = wire.clock() + seconds, FIRST_PAUSE_S, ""
    while True:
        with console.waiting("" if told else LOOKING):
            view = look_at(scope, max(0.1, min(end - wire.clock(), 5.0)))
        missing = _missing(scope, view)
        if not missing:
            show_view(console, scope, view)
            return ExitCode.OK
        failure = _hopeless(scope, view)
        if failure is None and wire.clock() + pause >= end:
            failure = TimedOut(
                f"not ready after {seconds:g} s: {missing}", "raise --timeout, or see `mrt probe doctor`"
            )
        if failure is not None:
            return _give_up(console, view, failure)
        if missing != told and is_terminal(console.stderr):
            console.note(f"waiting: {missing}")
            told = missing
        wire.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)


def _missing(scope: Scope, view: View) -> str:
    """What is waited for, in a line; empty when there is nothing left."""
    if scope.endpoint is not None:
        found = [(report.name, report.message) for report in view.reports if report.state != "ready"]
    else:
        found = [(tier.tier, tier.message) for tier in view.tiers if not tier.complete]
    return "; ".join(f"{name}: {message}" for name, message in found)


def _hopeless(scope: Scope, view: View) -> MrtError | None:
    """What no waiting mends."""
    found = view.reports if scope.endpoint is not None else view.tiers
    refused = next((one for one in found if one.state == "auth"), None)
    if refused is not None:
        return AuthError(f"{_name(refused)}: {refused.message}", refused.hint)
    lost = next((tier for tier in view.tiers if tier.endpoint is None), None)
    return None if lost is None else UsageError(f"{lost.tier}: {lost.message}", lost.hint)


def _name(found: TierState | EndpointReport) -> str:
    return found.tier if isinstance(found, TierState) else found.name


def _give_up(console: Console, view: View, failure: MrtError) -> int:
    if console.mode == "json":
        console.envelope("probe", probe_data(view.reports, view.tiers), [failure])
    console.failure(failure)
    return int(failure.exit_code)


def watch(console: Console, scope: Scope, options: Options) -> int:
    """Look after look until somebody ends it: on a terminal in place of the one before, else one after the other."""
    pause = INTERVAL_S if options.interval is None else options.interval
    redraw = is_terminal(console.stdout) and console.color(console.stdout) and console.mode != "json"
    first = True
    while True:
        with console.waiting(LOOKING if first else ""):  # a look at others in between would flicker
            view = look_at(scope, options.timeout)
        if redraw:
            console.stdout.write(CLEAR)
        elif not first and console.mode != "json":
            console.result("")
        show_view(console, scope, view)
        first = False
        scope.wire.sleep(pause)
