"""One call of a tool: what it gets, what it gives, and the thread it runs in."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mrt.commands._mcp_arguments import checked, in_arguments
from mrt.commands._mcp_stop import Stop
from mrt.config.secrets import mask
from mrt.errors import MrtError
from mrt.frozen import frozen
from mrt.output import Console, error_data
from mrt.output.terminal import safe

Schema = Mapping[str, Any]


class Update(NamedTuple):
    """What to tell of a call on its way."""

    message: str


@frozen
class Call:
    """What a tool gets. Notes on `console` are told with the result; `session` is under what the calls are booked."""

    arguments: Mapping[str, Any]
    console: Console
    stop: Stop
    tell: Callable[[Update], None]
    session: str


@frozen
class Outcome:
    """What a tool gives: the same for people, in parts, and for programs; `error` when it failed or was not accepted."""

    texts: tuple[str, ...]
    data: Mapping[str, Any]
    error: MrtError | None = None


@frozen
class Tool:
    """A tool as it is offered. `asks` says that a model is asked, which costs money where that is allowed."""

    name: str
    title: str
    description: str
    takes: Schema
    gives: Schema
    run: Callable[[Call], Outcome]
    asks: bool = False


@frozen
class Answered:
    """A result as the protocol has it."""

    texts: list[str]
    data: dict[str, Any]
    failed: bool


def quiet_console(console: Console) -> Console:
    """A console of one call: nothing to read, and notes are collected."""
    return Console(
        None, io.StringIO(), io.StringIO(), console.environment, no_color=True, config_path=console.config_path
    )


def answered(tool: Tool, call: Call, debug: Callable[[str], None] = lambda _: None) -> Answered:
    """Run the tool; every failure becomes a result that says what happened. Raises Stopped."""
    try:
        arguments = checked(tool.name, tool.takes, call.arguments)
        outcome = tool.run(replace(call, arguments=arguments))
    except MrtError as error:
        in_arguments(error, tool.takes)
        outcome = Outcome(failure_texts(error), {}, error)
    except Exception as error:
        debug(mask(traceback.format_exc()))
        unforeseen = MrtError(f"internal error: {type(error).__name__}: {error}", "`mrt mcp --debug` shows where")
        outcome = Outcome(failure_texts(unforeseen), {}, unforeseen)
    notes = _notes(call.console)
    texts = [*outcome.texts, *(["\n".join(notes)] if notes else [])]
    failure = None if outcome.error is None else _masked(error_data(outcome.error))
    data = {**outcome.data, "error": failure, "warnings": notes}
    return Answered([well_formed(safe(text)) for text in texts], well_formed(data), outcome.error is not None)


def failure_texts(error: MrtError) -> tuple[str, ...]:
    """What happened, and what to do next."""
    hint = f"\nhint: {error.hint}" if error.hint else ""
    return (mask(f"error: {error.message}{hint}"),)


def _notes(console: Console) -> list[str]:
    written = console.stderr
    return written.getvalue().splitlines() if isinstance(written, io.StringIO) else []


def _masked(failure: dict[str, Any]) -> dict[str, Any]:
    return {name: mask(value) if isinstance(value, str) else value for name, value in failure.items()}


def well_formed(value: Any) -> Any:
    """The value without halves of characters, which text cut by a model or a client may have and UTF-8 has not."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {well_formed(name): well_formed(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [well_formed(one) for one in value]
    return value
