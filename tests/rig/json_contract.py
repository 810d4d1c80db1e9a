"""Holds everything that mrt prints for scripts to the schemas it ships: a run that prints another shape fails its test.

The schemas allow keys to be added. Here they do not: a key that no schema names fails too, so that none is forgotten.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
import fastjsonschema

from mrt.cli import VERBS, group
from mrt.output.schemas import DOCUMENTS, LINES, schema

FAILURE = "mrt"
_EXPLAINED = {"-h", "--help", "--version"}


def check(arguments: Sequence[str | Path], stdout: str) -> None:
    """Raise AssertionError where `stdout` of a run with these arguments is not what the schema of its command allows."""
    flags = list(takewhile(lambda word: word != "--", map(str, arguments)))
    if _EXPLAINED & set(flags):
        return
    name, lines = _names(flags)
    if lines is not None:
        for line in stdout.splitlines():
            document = json.loads(line)
            _hold(lines if "schema_version" not in document else name, document, flags)
    elif "--json" in flags:
        documents = list(_documents(stdout))
        assert documents, f"{flags} printed no JSON"
        for document in documents:
            _hold(name, document, flags)


def _names(flags: Sequence[str]) -> tuple[str, str | None]:
    """The schema of a run's document, and that of its lines where it prints such."""
    name = command_of(flags)
    lines = "route lines" if name == "route" and "--batch" in flags else None
    if lines and "--diff" in flags and "--json" not in flags:
        return name, None
    if "--stream-json" in flags and "--json" not in flags:
        lines = f"{name} lines" if f"{name} lines" in LINES else "ask lines"
    return name, lines


def command_of(words: Sequence[str]) -> str:
    """The words of the command that is meant, such as "spend log"; "mrt" where there is none."""
    place = next((place for place, word in enumerate(words) if word in VERBS), None)
    if place is None:
        return FAILURE
    verb, rest = words[place], words[place + 1 :]
    below = subcommands(verb)
    found = [word for word in (rest if isinstance(_command(verb), click.Group) else rest[:1]) if word in below]
    return f"{verb} {found[0]}" if found else verb


@functools.cache
def _command(verb: str) -> click.Command:
    command = group.get_command(click.Context(group), verb)
    assert command is not None
    return command


@functools.cache
def subcommands(verb: str) -> tuple[str, ...]:
    """The commands of a verb."""
    command = _command(verb)
    if isinstance(command, click.Group):
        return tuple(command.list_commands(click.Context(command)))
    return tuple(getattr(command, "lazy", ()))


def commands() -> tuple[str, ...]:
    """Every verb, and every command of one, as it is typed."""
    return tuple(name for verb in VERBS for name in (verb, *(f"{verb} {sub}" for sub in subcommands(verb))))


def _documents(text: str) -> Iterator[Any]:
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        document, place = decoder.raw_decode(text, place)
        yield document
        place += len(text[place:]) - len(text[place:].lstrip())


def _hold(name: str, document: Any, flags: Sequence[str]) -> None:
    try:
        _validator(name if name in DOCUMENTS or name in LINES else FAILURE)(document)
    except fastjsonschema.JsonSchemaValueException as error:
        raise AssertionError(f"{flags}: {_why(name, document, error)}") from None


def _why(name: str, document: Any, error: fastjsonschema.JsonSchemaValueException) -> str:
    """What is wrong, for each of the forms that the data may have."""
    wrong = [error.message]
    for form in error.rule_definition if error.rule == "anyOf" else ():
        try:
            _compiled(json.dumps(form))(error.value)
        except fastjsonschema.JsonSchemaValueException as one:
            wrong.append(f"{form.get('description', form.get('type'))}: {one.message}")
    return f"not as the schema of `mrt {name}` says: {'; '.join(wrong)}; it is {json.dumps(document)[:2000]}"


@functools.cache
def _validator(name: str) -> Callable[[Any], Any]:
    return _compiled(json.dumps(closed(_failure() if name == FAILURE else schema(name))))


@functools.cache
def _compiled(text: str) -> Callable[[Any], Any]:
    compiled: Callable[[Any], Any] = fastjsonschema.compile(json.loads(text))
    return compiled


def _failure() -> dict[str, Any]:
    """Of a run that came to no command, or to one that prints no JSON but its failures."""
    found = schema("help")
    found["properties"] |= {"command": {"enum": [FAILURE, *VERBS]}, "data": {"type": "null"}}
    return found


def closed(form: Any) -> Any:
    """The same schema without room for keys that it does not name."""
    if isinstance(form, list):
        return [closed(one) for one in form]
    if not isinstance(form, dict):
        return form
    tight = {key: closed(value) for key, value in form.items()}
    if "object" in tight.get("type", ()) and "properties" in tight and isinstance(tight["properties"], dict):
        tight.setdefault("additionalProperties", False)
    return tight
