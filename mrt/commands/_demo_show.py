"""The demo as people see it, step by step, and as scripts read it."""

from __future__ import annotations

import time
from typing import Any

import click

from mrt.demo.play import Played, command_line, failure, play
from mrt.demo.stage import staged
from mrt.demo.steps import STEPS, Step
from mrt.demo.world import PRICED_AS
from mrt.errors import EXIT_CODE_MEANINGS, ExitCode, MrtError, UsageError
from mrt.output import Console

_OPENING = "mrt demo: the real commands of mrt, asking SIMULATED models."
_SCRIPTED = f"""\
Every server below is a script on 127.0.0.1 that came with mrt: sim-ollama
(small, local), sim-llamacpp (large, local) and sim-anthropic (paid). Their
answers are canned, their tokens counted; the money is what {PRICED_AS[1]}
would have cost.
"""
_ENGINE = f"""\
llamacpp-1 and llamacpp-2 are llama.cpp's own engine, with tiny models that were
made just now and say canned lines; sim-anthropic (paid) is a script that came
with mrt. The money is what {PRICED_AS[1]} would have cost.
"""
_NEXT = """
Next, with servers of your own:
  mrt probe                 which model servers run here
  mrt config init           write a config with every setting explained
  mrt doctor                examine everything, and say what mends it
"""


def show(console: Console, engine: bool) -> int:
    """Play the demo, and give its exit code. Raises MrtError where it cannot begin."""
    if console.config_path is not None:
        raise UsageError("the demo has a configuration of its own", "leave out --config")
    return _as_json(console, engine) if console.mode == "json" else _as_text(console, engine)


def _as_json(console: Console, engine: bool) -> int:
    start = time.monotonic()
    with staged(console.environment, engine=engine) as world:
        played = list(play(STEPS, world, merged=False))
    error = failure(played[-1])
    data = {"engine": engine, "steps": list(map(_data, played)), "seconds": round(time.monotonic() - start, 3)}
    console.envelope("demo", data, [error] if error else [])
    return _ended(console, error)


def _data(played: Played) -> dict[str, Any]:
    return {
        "title": played.step.title,
        "command": command_line(played.step),
        "exit_code": played.exit_code,
        "stdout": played.stdout,
        "stderr": played.stderr,
        "seconds": round(played.seconds, 3),
    }


def _as_text(console: Console, engine: bool) -> int:
    start = time.monotonic()
    error = None
    with staged(console.environment, engine=engine) as world:
        if not console.quiet:
            console.write(f"{_OPENING}\n{_ENGINE if engine else _SCRIPTED}")
        for number, step in enumerate(STEPS, start=1):
            _announce(console, number, step)
            (played,) = play([step], world, merged=True)
            _show(console, played)
            error = failure(played)
            if error is not None:
                break
    if error is None and not console.quiet:
        _close(console, time.monotonic() - start, engine)
    return _ended(console, error)


def _announce(console: Console, number: int, step: Step) -> None:
    """Before the command runs, so that there is something to read from the first moment."""
    if not console.quiet:
        console.write("\n")
        _styled(console, f"{number}/{len(STEPS)}  {step.title}", fg="cyan", bold=True)
    _styled(console, f"$ {command_line(step)}", bold=True)


def _show(console: Console, played: Played) -> None:
    console.write(played.stdout)
    if played.exit_code:
        meaning = next((f": {text}" for code, text in EXIT_CODE_MEANINGS.items() if code == played.exit_code), "")
        _styled(console, f"exit code {played.exit_code}{meaning}", fg="yellow")


def _styled(console: Console, text: str, **style: Any) -> None:
    """A line of the demo's own, with colours where they are wanted."""
    console.stdout.write((click.style(text, **style) if console.color(console.stdout) else text) + "\n")
    console.stdout.flush()


def _close(console: Console, seconds: float, engine: bool) -> None:
    from mrt.demo.engine import available

    console.write(
        f"\n{len(STEPS)} commands in {seconds:.1f} s. Nothing left this machine, nothing was paid, nothing is left behind.\n"
    )
    console.write(_NEXT)
    if not engine and available():
        console.write("  mrt demo --engine         the same, with llama.cpp answering for the local tiers\n")


def _ended(console: Console, error: MrtError | None) -> int:
    if error is None:
        return ExitCode.OK
    console.failure(error)
    return int(error.exit_code)
