"""Arguments of a tool: checked against its schema, and failures told in their names instead of those of flags."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from mrt.cascade.verify import schema_checker
from mrt.errors import MrtError, UsageError

# Flags that have another name as an argument; the others are called the same.
_ARGUMENTS = {"ctx": "context", "kv": "kv_cache_type", "quant": "quantization", "timeout": "timeout_seconds"}
_FLAG = re.compile(r"--([a-z][a-z-]*)")


def checked(tool: str, takes: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments; 5.0 is a whole number where one is due. Raises UsageError for what the schema does not allow."""
    hint = f"{tool} takes {_names(takes)}"
    try:
        text = json.dumps(given, allow_nan=False)
    except ValueError:
        raise UsageError(f"{tool}: numbers must be finite", hint) from None
    objection = schema_checker(takes)(text)
    if objection is not None:
        words = objection.removeprefix("data.").replace("data must", "the arguments must")
        raise UsageError(f"{tool}: {words}", hint)
    whole = {name for name, about in takes.get("properties", {}).items() if about["type"] == "integer"}
    return {name: int(value) if name in whole else value for name, value in given.items()}


def _names(takes: Mapping[str, Any]) -> str:
    required = takes.get("required", ())
    names = [f"{name} (required)" if name in required else name for name in takes.get("properties", {})]
    return ", ".join(names) or "no arguments"


def in_arguments(error: MrtError, takes: Mapping[str, Any]) -> None:
    """Reword a failure for who has no command line: flags by the names of arguments, without hints at those that are none."""
    names = takes.get("properties", {})

    def renamed(flag: re.Match[str]) -> str:
        name = _ARGUMENTS.get(flag[1], flag[1].replace("-", "_"))
        return name if name in names else flag[0]

    error.message = _FLAG.sub(renamed, error.message)
    is_command = "mrt " in (error.hint or "").partition("--")[0]  # for the user, who has its flags
    if error.hint and (not is_command or "--help" in error.hint):
        steps = (_FLAG.sub(renamed, step) for step in error.hint.split("; "))
        error.hint = "; ".join(step for step in steps if not _FLAG.search(step)) or None
