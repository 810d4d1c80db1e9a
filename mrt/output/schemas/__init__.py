"""The JSON contract as JSON schemas (draft 7): one for each command, and one for each kind of JSON lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

DIALECT = "http://json-schema.org/draft-07/schema#"

# By the words of the command: what `command` says in its JSON object, the module here, and the name of the forms of `data`.
DOCUMENTS: Mapping[str, tuple[str, str, str]] = {
    "probe": ("probe", "probe", "FORMS"),
    "probe doctor": ("probe", "probe", "CHECKUP"),
    "probe models": ("probe", "probe", "MODELS"),
    "fit": ("fit", "fit", "FORMS"),
    "route": ("route", "route", "FORMS"),
    "route feedback": ("route", "route", "FEEDBACK"),
    "route learn": ("route", "route", "LEARN"),
    "ask": ("ask", "ask", "FORMS"),
    "spend": ("spend", "spend", "REPORT"),
    "spend backup": ("spend", "spend", "BACKUP"),
    "spend check": ("spend", "spend", "CHECK"),
    "spend doctor": ("spend", "spend", "DOCTOR"),
    "spend export": ("spend", "spend", "EXPORT"),
    "spend import": ("spend", "spend", "IMPORT"),
    "spend log": ("spend", "spend", "LOG"),
    "spend prices": ("spend", "spend", "PRICED"),
    "spend reprice": ("spend", "spend", "REPRICE"),
    "spend summary": ("spend", "spend", "SUMMARY"),
    "spend why": ("spend", "spend", "WHY"),
    "top": ("top", "top", "TOP"),
    "bench": ("bench", "bench", "BENCH"),
    "bench compare": ("bench", "bench", "PAIRS"),
    "bench diff": ("bench", "bench", "PAIRS"),
    "bench doctor": ("bench", "bench", "LAYERS"),
    "bench grade": ("bench", "bench", "GRADES"),
    "bench lint": ("bench", "bench", "FAULTS"),
    "bench proof": ("bench", "bench", "PROOF"),
    "bench replay": ("bench", "bench", "REPLAY"),
    "bench report": ("bench", "bench", "REPORTS"),
    "bench rescore": ("bench", "bench", "REPORT"),
    "bench tasks": ("bench", "bench", "TASKS"),
    "mcp config": ("mcp", "exchange", "CLIENT"),
    "mcp tools": ("mcp", "exchange", "TOOLS"),
    "config check": ("config", "config", "CHECK"),
    "config get": ("config", "config", "SETTING"),
    "config init": ("config", "config", "INIT"),
    "config list": ("config", "config", "SHOW"),
    "config path": ("config", "config", "PATH"),
    "config set": ("config", "config", "SET"),
    "config show": ("config", "config", "SHOW"),
    "demo": ("demo", "exchange", "DEMO"),
    "doctor": ("doctor", "probe", "CHECKUP"),
    "completion": ("completion", "config", "COMPLETION"),
    "help": ("help", "config", "HELP"),
    "export env": ("export", "export", "EXPORT"),
    "export litellm": ("export", "export", "EXPORT"),
    "export ollama-modelfile": ("export", "export", "EXPORT"),
}
# What prints one JSON object a line: with which option, and the module here that has `LINES`.
LINES: Mapping[str, tuple[str, str]] = {
    "ask lines": ("ask --stream-json", "ask"),
    "route lines": ("route --batch", "route"),
    "top lines": ("top --stream-json", "top"),
}


def names() -> tuple[str, ...]:
    """Everything that has a schema, as it is typed."""
    return (*DOCUMENTS, *LINES)


def schema(name: str) -> dict[str, Any]:
    """The schema of one of `names()`. Raises KeyError for any other."""
    found = _lines(name) if name in LINES else _document(name)
    return {"$schema": DIALECT, "title": f"mrt {name}", **found}


def _module(name: str) -> Any:
    return import_module(f"mrt.output.schemas.{name}")


def _lines(name: str) -> dict[str, Any]:
    option, module = LINES[name]
    return {"description": f"each line of mrt {option}", "anyOf": list(_module(module).LINES.values())}


def _document(name: str) -> dict[str, Any]:
    from mrt.output.console import SCHEMA_VERSION
    from mrt.output.schemas.form import ERROR, several

    command, module, forms_name = DOCUMENTS[name]
    found = getattr(_module(module), forms_name)
    forms: Sequence[dict[str, Any]] = found if isinstance(found, tuple) else (found,)
    data = {"description": "null when there is nothing but errors", "anyOf": [*forms, {"type": "null"}]}
    keys = {
        "schema_version": {"const": SCHEMA_VERSION},
        "command": {"const": command},
        "data": data,
        "errors": several(ERROR),
    }
    return {
        "type": "object",
        "required": list(keys),
        "properties": keys,
        "anyOf": [
            {"properties": {"data": {"type": "object"}}},
            {"properties": {"data": {"type": "null"}, "errors": {"minItems": 1}}},
        ],
    }
