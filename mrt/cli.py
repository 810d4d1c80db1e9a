"""The `mrt` command: verbs that load on demand, and the one place where failures become exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NoReturn

import click

from mrt import __version__
from mrt.commands._lazy_commands import LazyGroup
from mrt.errors import ExitCode, Interrupted, MrtError, UsageError
from mrt.output import Console, error_data

# The help of every verb stands here so that help, errors and completion need no verb's module.
VERBS: dict[str, str] = {
    "probe": "Find and check model servers.",
    "fit": "Say what memory a model takes here.",
    "route": "Show which tier would answer, and why; send nothing.",
    "ask": "Answer a prompt through a cascade of tiers.",
    "spend": "Show what was spent and what is left.",
    "top": "Watch requests, endpoints and money as they go.",
    "bench": "Measure models, until the tiers' thresholds are evidence.",
    "mcp": "Serve local models to agents as tools.",
    "config": "Show, change and check the configuration.",
    "demo": "Show what mrt does in seconds, with simulated servers.",
    "doctor": "Examine everything mrt needs, and say what mends it.",
    "export": "Write the configuration for LiteLLM, Ollama or a shell.",
    "completion": "Print the completion script of a shell.",
    "help": "Explain a verb or a topic: exit-codes, environment, config, json, tiers, checks, budgets, privacy, sandbox.",
}
EXAMPLES = """
mrt ask "what does EAGAIN mean?"
git diff | mrt ask "write a commit message"
mrt config check
"""
COMPLETION_VARIABLE = "_MRT_COMPLETE"
_AGAIN_S = 0.01
REPORT_HINT = "run it again with --debug and report the traceback together with `mrt --version`"


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP: the same clean-up as Ctrl-C, with the signal's own exit code."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@click.group(
    cls=LazyGroup,
    lazy={verb: (verb, text) for verb, text in VERBS.items()},
    examples=EXAMPLES,
    heading="Verbs",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="mrt", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show the traceback of an internal error.")
@click.pass_context
def group(context: click.Context, debug: bool) -> None:
    """Model operations from the shell: local models first, paid ones when they are needed."""
    console = context.find_object(Console)
    if console is not None and debug:
        console.debug = True
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(arguments: Sequence[str], console: Console) -> int:
    """One run of mrt; every failure ends here as a line, a hint and an exit code."""
    flags = list(takewhile(lambda word: word != "--", arguments))
    if "--json" in flags or "--stream-json" in flags:
        # Usage errors happen before the options are read, and scripts want those in JSON too.
        console.mode = "json" if "--json" in flags else "stream-json"
    try:
        code = int(_invoke(arguments, console) or 0)
        console.stdout.flush()
    except click.exceptions.Exit as exit_request:
        return exit_request.exit_code
    except (KeyboardInterrupt, click.Abort) as interruption:
        return _interrupted(interruption, arguments, console)
    except BrokenPipeError:
        # The reader of stdout has what it wanted (`| head -1`): that is no failure of ours.
        _silence(console.stdout)
        return ExitCode.OK
    except Exception as error:
        return _failed(error, arguments, console)
    return code


def _invoke(arguments: Sequence[str], console: Console) -> Any:
    if instruction := console.environment.get(COMPLETION_VARIABLE):
        from mrt.commands._complete_shells import complete

        return complete(instruction, group, console)
    # Not by `main`, which would end a closed pipe with exit code 1 and take SIGTERM for Ctrl-C.
    with group.make_context("mrt", list(arguments), obj=console) as context:
        return group.invoke(context)


def _failed(error: Exception, arguments: Sequence[str], console: Console) -> int:
    from mrt.config.secrets import mask

    failure = as_mrt_error(error)
    failure.message = mask(failure.message)  # addresses may hold a password, and foreign messages anything
    if console.debug and failure.exit_code is ExitCode.INTERNAL:
        import traceback

        console.aside(mask("".join(traceback.format_exception(error))))
    _report(failure, arguments, console)
    return int(failure.exit_code)


def _report(failure: MrtError, arguments: Sequence[str], console: Console) -> None:
    command = next((word for word in arguments if word in VERBS), "mrt")
    try:
        if console.mode == "json":
            console.envelope(command, None, [failure])
        elif console.mode == "stream-json":
            console.event("error", error_data(failure))
    except OSError:
        _silence(console.stdout)
    console.failure(failure)


def as_mrt_error(error: Exception) -> MrtError:
    """Any exception as one of ours."""
    if isinstance(error, MrtError):
        return error
    if isinstance(error, click.ClickException):
        from mrt.commands._suggest import hint_of, message_of

        return UsageError(message_of(error), hint_of(error))
    if isinstance(error, OSError) and error.errno is not None and error.filename is None:
        return MrtError(f"cannot write: {error.strerror}", "free the disk or the pipe that stdout goes to")
    return MrtError(f"internal error: {type(error).__name__}: {error}", REPORT_HINT)


def _interrupted(interruption: BaseException, arguments: Sequence[str], console: Console) -> int:
    failure = Interrupted("interrupted")
    failure.exit_code = 128 + _number_of(interruption)
    _report(failure, arguments, console)
    return failure.exit_code


def _number_of(interruption: BaseException) -> int:
    return interruption.number if isinstance(interruption, Terminated) else signal.SIGINT


def _silence(stream: Any) -> None:
    """Send what is still buffered nowhere, so that the interpreter's last flush says nothing."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _hear_signals() -> None:
    """Make each signal that ends a process one interruption; what the caller had ignored stays ignored (`nohup`, `&`)."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), _on_signal)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as `__main__` left it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.unraisablehook = _come_again


def _on_signal(number: int, _: Any) -> NoReturn:
    raise Terminated(number)


def _come_again(lost: Any) -> None:
    """`sys.unraisablehook`: a signal that came where Python lets no exception out is sent once more, a moment later.

    A finalizer or the callback of a weak reference (every import has one) would swallow it, and mrt would go on as if nothing had
    been said: until its timeout, with a reservation open.
    """
    if not isinstance(lost.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(lost)
        return
    from _thread import get_ident, start_new_thread

    # Handlers run in the main thread alone, so this is it. Sent from here at once, the signal would end in this hook.
    start_new_thread(_send_later, (get_ident(), _number_of(lost.exc_value)))


def _send_later(thread: int, number: int) -> None:
    import time

    time.sleep(_AGAIN_S)
    if os.name == "posix":
        signal.pthread_kill(thread, number)  # unlike `raise_signal` it ends what that thread waits for
    else:
        signal.raise_signal(number)


def _standard_console() -> Console:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A model may write any character; a terminal that cannot show one must not end the answer.
            stream.reconfigure(encoding="utf-8", errors="replace")
    # A stream that the caller closed is None in Python. Notes can go nowhere; a result that goes nowhere is a failure.
    return Console(sys.stdin, sys.stdout or ClosedOutput(), sys.stderr or _nowhere(), os.environ)


class ClosedOutput(io.StringIO):
    """A standard output that is not there."""

    def write(self, _: str) -> int:
        raise OSError(errno.EBADF, "stdout is closed")


def _nowhere() -> Any:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - lives as long as the process


def main() -> NoReturn:
    """The console script."""
    _hear_signals()
    console = _standard_console()
    code = run(sys.argv[1:], console)
    for stream in (console.stdout, console.stderr):
        try:
            stream.flush()
        except OSError:
            _silence(stream)
    if code == ExitCode.INTERRUPTED and _on_a_terminal():
        # Die by the signal itself: a shell loop around mrt stops too, and the shell still reports 130.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(code)


def _on_a_terminal() -> bool:
    return os.name == "posix" and any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
