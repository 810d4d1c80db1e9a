"""Many prompts by complexity alone: JSON lines in, JSON lines out, one line in memory at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from mrt.commands._settings import configured
from mrt.config import Config, load
from mrt.errors import ExitCode, UsageError
from mrt.output import Console, one_line
from mrt.router.complexity import Complexity, assess_prompt
from mrt.router.facts import Rung
from mrt.router.ladder import first_able

# A longer line is no prompt; its rest is skipped piece by piece.
LONGEST_LINE = 64 * 1024 * 1024
_COLUMNS = ("id", "complexity", "tier now", "tier there")


class Line(NamedTuple):
    """One line of a batch: a prompt and its id, or what is wrong with it."""

    number: int
    prompt: str = ""
    id: Any = None
    problem: str = ""


def batch(console: Console, name: str, other: Path | None) -> int:
    """Route the lines of a file, or of stdin for `-`; 2 when some of them could not be read, after all others."""
    config = configured(console)
    there = None if other is None else _rungs(load(console.environment, other))
    with _opened(console, name) as stream:
        if there is None:
            bad, total = _routed(console, stream, _rungs(config))
        else:
            bad, total = _compared(console, stream, _rungs(config), there)
    if not bad:
        return ExitCode.OK
    console.failure(
        UsageError(f"{bad} of {total} lines could not be read", 'each line is {"prompt": "...", "id": ...}')
    )
    return ExitCode.USAGE


def diff_one(console: Console, config: Config, other: Path, ask: str, pasted: str) -> int:
    """The tier of one prompt under both configurations."""
    now, there = _rungs(config), _rungs(load(console.environment, other))
    value = assess_prompt(ask, pasted).value
    names = (now[first_able(value, now)].name, there[first_able(value, there)].name)
    if console.mode == "json":
        data = {"complexity": value, "tier": names[0], "other": names[1], "changed": names[0] != names[1]}
        console.envelope("route", data)
    else:
        verdict = f"{names[0]} now, {names[1]} there" if names[0] != names[1] else f"{names[0]} under both"
        console.result(f"complexity {value:g}: {verdict}")
    return ExitCode.OK


def _rungs(config: Config) -> tuple[Rung, ...]:
    return tuple(Rung(tier.name, tier.max_complexity) for tier in config.tiers)


def _routed(console: Console, stream: BinaryIO, rungs: tuple[Rung, ...]) -> tuple[int, int]:
    """How many lines were wrong, of how many."""
    bad = total = 0
    write = console.stdout.write
    for line in lines(stream):
        total = line.number
        if line.problem:
            bad += 1
            write(json.dumps({"id": line.id, "error": f"line {line.number} {line.problem}"}) + "\n")
            continue
        found = assess_prompt(line.prompt)
        write(json.dumps(_data(line, found, rungs)) + "\n")
    console.stdout.flush()
    return bad, total


def _data(line: Line, found: Complexity, rungs: tuple[Rung, ...]) -> dict[str, Any]:
    tier = rungs[first_able(found.value, rungs)].name
    return {"id": line.id, "complexity": found.value, "score": found.score, "tier": tier}


def _compared(console: Console, stream: BinaryIO, now: tuple[Rung, ...], there: tuple[Rung, ...]) -> tuple[int, int]:
    """Print the prompts whose tier changes, as they come; then how many of how many."""
    bad = total = changed = 0
    for line in lines(stream):
        total = line.number
        if line.problem:
            bad += 1
            continue
        value = assess_prompt(line.prompt).value
        names = (now[first_able(value, now)].name, there[first_able(value, there)].name)
        if names[0] == names[1]:
            continue
        changed += 1
        name = line.number if line.id is None else line.id
        if console.mode == "json":
            row = {"id": name, "complexity": value, "tier": names[0], "other": names[1]}
            console.stdout.write(json.dumps(row) + "\n")
        else:
            console.result(f"{one_line(str(name), 40)}  complexity {value:g}  {names[0]} -> {names[1]}")
    if console.mode != "json":
        console.result(f"{changed} of {total - bad} prompts change tier")
    return bad, total


def lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of a batch, each read when it is its turn; blank ones are left out."""
    number = 0
    while raw := stream.readline(LONGEST_LINE):
        number += 1
        if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
            _skip(stream)
            yield Line(number, problem="is too long")
        elif raw.strip():
            yield _parsed(number, raw)


def _skip(stream: BinaryIO) -> None:
    while (piece := stream.readline(1 << 20)) and not piece.endswith(b"\n"):
        pass


def _parsed(number: int, raw: bytes) -> Line:
    try:
        row = json.loads(raw, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        return Line(number, problem="is no JSON")
    if not isinstance(row, dict):
        return Line(number, problem="is no JSON object")
    prompt, name = row.get("prompt"), row.get("id")
    if not isinstance(prompt, str):
        return Line(number, id=name, problem="has no text under prompt")
    if not prompt.strip():
        return Line(number, id=name, problem="has an empty prompt")
    return Line(number, prompt, name)


def _no_number(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are no JSON, and would come back out as none


def _finite(digits: str) -> float:
    number = float(digits)
    return number if isfinite(number) else _no_number(digits)


@contextmanager
def _opened(console: Console, name: str) -> Iterator[BinaryIO]:
    if name == "-":
        stdin = console.stdin
        if stdin is None:
            raise UsageError("stdin is closed", "name a file after --batch")
        yield stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below, and what goes wrong there is no failure of this
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", "check the name after --batch") from None
    with file:
        yield file
