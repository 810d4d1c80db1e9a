"""`mrt route --eval`: how well complexity ranks prompts whose outcomes are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mrt.errors import ExitCode, UsageError
from mrt.output import Console
from mrt.output.route_eval import evaluation_data, evaluation_text
from mrt.router.evaluate import Tried, evaluate, tried

_EXAMPLE = 'each line is {"prompt", "weak_ok", "strong_ok", "set"?}'


def show_evaluation(console: Console, name: str) -> int:
    """Print the measures over a file of outcomes, or over stdin for `-`. Raises UsageError for a line that is none."""
    with console.waiting("ranking ..."):
        found = evaluate(_rows(console, name))
    if not found:
        raise UsageError(f"{name} holds no prompts", _EXAMPLE)
    if console.mode == "json":
        console.envelope("route", evaluation_data(found))
    else:
        console.result(evaluation_text(found))
    return ExitCode.OK


def _rows(console: Console, name: str) -> Iterator[Tried]:
    for number, line in enumerate(_text(console, name).split("\n"), 1):
        if line.strip():
            try:
                yield tried(json.loads(line))
            except json.JSONDecodeError:
                raise UsageError(f"{name}:{number} is no JSON", _EXAMPLE) from None
            except (ValueError, RecursionError) as error:
                raise UsageError(f"{name}:{number} {error}", _EXAMPLE) from None


def _text(console: Console, name: str) -> str:
    try:
        if name == "-":
            return "" if console.stdin is None else console.stdin.read().removeprefix("\ufeff")
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", "check the name after --eval") from None
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8 text", _EXAMPLE) from None
