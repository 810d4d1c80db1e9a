"""The JSON contract as schemas: one for each command that prints JSON, and what they allow; the help names no key besides.

That every run of the whole suite is held to them is `rig.json_contract`'s doing.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import fastjsonschema
import pytest
from rig import json_contract
from rig.command import Home
from rig.home_setup import configure, ladder, run_here, says
from rig.loopback import ScriptedServer

from mrt.commands._topic_json import JSON_TEXT
from mrt.output.schemas import LINES, names, schema

# They speak a protocol, or are nothing but the roof over their commands.
WITHOUT_JSON = {"mcp", "config", "export"}


def test_every_command_has_a_schema_and_nothing_else_has() -> None:
    assert set(json_contract.commands()) - WITHOUT_JSON == set(names()) - set(LINES)


@pytest.mark.parametrize("name", names())
def test_a_schema_is_shown_and_is_one(store_home: Home, name: str) -> None:
    shown = run_here(store_home, "help", "json", *name.split())
    assert (shown.exit_code, shown.stderr) == (0, "")
    document = json.loads(shown.stdout)
    assert document == schema(name)
    assert document["$schema"] == "http://json-schema.org/draft-07/schema#"
    valid = fastjsonschema.compile(document)
    failure = {"code": "usage", "message": "no", "hint": None, "exit_code": 2}
    if name in LINES:
        return
    whole = {
        "schema_version": 1,
        "command": document["properties"]["command"]["const"],
        "data": None,
        "errors": [failure],
    }
    valid(whole)
    for wrong in ({"errors": []}, {"data": {}}, {"command": "mrt"}, {"schema_version": 2}, {"errors": [{}]}):
        with pytest.raises(fastjsonschema.JsonSchemaValueException):
            valid(whole | wrong)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("aks",), "`mrt aks` prints no JSON (did you mean ask?)"),
        (("mcp",), "`mrt mcp` prints no JSON"),
        (("spend", "loog"), "`mrt spend loog` prints no JSON (did you mean spend log?)"),
    ],
)
def test_what_has_no_schema_is_said_so(store_home: Home, words: tuple[str, ...], line: str) -> None:
    result = run_here(store_home, "help", "json", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {line}")


def answer(home: Home) -> Any:
    """A real document."""
    with ScriptedServer({"*": says("Paris.")}) as server:
        configure(home, ladder(only=server.url))
        return json.loads(run_here(home, "ask", "--json", "hi").stdout)


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key of a document, and every key below it."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        if isinstance(value, dict):
            yield (*above, key)
        yield from paths(child, (*above, key))


def test_each_key_is_held_to_what_it_is(store_home: Home) -> None:
    whole = answer(store_home)
    arguments = ("ask", "--json", "hi")
    json_contract.check(arguments, json.dumps(whole))
    for path in list(paths(whole)):
        *before, last = path
        for change in ("missing", "another type", "a new key beside it"):
            changed = copy.deepcopy(whole)
            place = changed
            for key in before:
                place = place[key]
            if change == "missing":
                del place[last]
            elif change == "another type":
                place[last] = {"an": "object"} if not isinstance(place[last], dict) else 1.5
            else:
                place["a_new_key"] = 1
            with pytest.raises(AssertionError, match="not as the schema of `mrt ask` says"):
                json_contract.check(arguments, json.dumps(changed))


def test_unknown_is_null_and_never_zero(store_home: Home) -> None:
    whole = answer(store_home)
    for cost in ({"state": "unknown", "usd": "0"}, {"state": "priced", "usd": None}, {"state": "free", "usd": 0}):
        whole["data"]["cost"] = cost
        with pytest.raises(AssertionError, match=r"data\.cost"):
            json_contract.check(("ask", "--json"), json.dumps(whole))


def test_readers_may_meet_new_keys(store_home: Home) -> None:
    whole = answer(store_home)
    whole["data"]["a_new_key"] = whole["data"]["usage"]["another"] = 1
    fastjsonschema.compile(schema("ask"))(whole)


def test_a_run_that_prints_another_shape_fails(store_home: Home) -> None:
    for arguments, stdout in (
        (("ask", "--json", "hi"), ""),
        (
            ("spend", "log", "--json"),
            '{"schema_version": 1, "command": "spend", "data": {"calls": [{}]}, "errors": []}',
        ),
        (("ask", "--stream-json", "hi"), '{"event": "delta", "text": 1}\n'),
        (("route", "--batch", "-"), '{"id": 1, "complexity": 11, "score": 1.0, "tier": "x"}\n'),
        (("spned", "--json"), '{"schema_version": 1, "command": "mrt", "data": {}, "errors": []}'),
    ):
        with pytest.raises(AssertionError):
            json_contract.check(arguments, stdout)


def keys(form: Any) -> set[str]:
    """Every key and every word of an enumeration that a schema names."""
    if isinstance(form, list):
        return set().union(*map(keys, form))
    if not isinstance(form, dict):
        return set()
    own = {*form.get("properties", {}), *(word for word in form.get("enum", ()) if isinstance(word, str))}
    return own.union(*map(keys, form.values()))


def test_the_help_names_no_key_that_is_not_there() -> None:
    known = keys([schema(name) for name in names()])
    stated = re.findall(r"[a-z]+(?:_[a-z0-9]+)+", JSON_TEXT)
    assert len(stated) > 60
    assert {word for word in stated if word not in known} == set()
    for verb in ("ask", "route", "spend", "probe", "fit"):
        first = re.search(rf"^{verb}: ([a-z_]+)", JSON_TEXT, re.MULTILINE)
        assert first is not None
        assert first[1] in keys(schema(verb))
