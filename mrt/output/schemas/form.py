"""What JSON schemas are put together from: records, lists, and the values that every verb has in common.

A record lists keys that are always there. More keys may be added to it in a later version; those that are there keep their
meaning. What is not known is null, which `known_or_null` allows; an amount of money is a decimal string in US dollars.
"""

from __future__ import annotations

from typing import Any, get_args

from mrt.domain import CostState, Outcome, UsageSource

Form = dict[str, Any]

# The key of a record's value says so where it is not always there. It stands in no schema that is shown.
SOMETIMES = "sometimes"

TEXT: Form = {"type": "string"}
FLAG: Form = {"type": "boolean"}
COUNT: Form = {"type": "integer", "minimum": 0}
WHOLE: Form = {"type": "integer"}
NUMBER: Form = {"type": "number"}
SHARE: Form = {"type": "number", "minimum": 0, "maximum": 1}
# Any value, and an object whose keys are not mrt's to name.
ANYTHING: Form = {}
OPEN: Form = {"type": "object"}
MONEY: Form = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "description": "US dollars, exact"}
MOMENT: Form = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9:]+)$",
}
DAY: Form = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


def record(**keys: Form) -> Form:
    """An object that has these keys."""
    wanted = [key for key, form in keys.items() if SOMETIMES not in form]
    shown = {key: {name: value for name, value in form.items() if name != SOMETIMES} for key, form in keys.items()}
    return {"type": "object", "required": wanted, "properties": shown}


def sometimes(form: Form) -> Form:
    """A value whose key is left out where it does not belong."""
    return {**form, SOMETIMES: True}


def described(form: Form, words: str) -> Form:
    """The form, with what it says in a few words."""
    return {**form, "description": words}


def several(form: Form) -> Form:
    """A list."""
    return {"type": "array", "items": form}


def words(*allowed: str) -> Form:
    """One of these words."""
    return {"type": "string", "enum": list(allowed)}


def words_of(literal: Any) -> Form:
    """One of the words of a `Literal`."""
    return words(*get_args(literal))


def known_or_null(form: Form) -> Form:
    """The value, or null where it is not known or there is none."""
    if isinstance(form.get("type"), str) and "enum" not in form:
        return {**form, "type": [form["type"], "null"]}
    return {"anyOf": [form, {"type": "null"}]}


def mapping(form: Form) -> Form:
    """An object whose values have this form, whatever its keys."""
    return {"type": "object", "additionalProperties": form}


_PRICED = [state for state in get_args(CostState) if state != "unknown"]
COST: Form = {
    "description": "what is known of a cost, and how it is known; unknown is null, never 0",
    "anyOf": [
        record(state=words(*_PRICED), usd=MONEY),
        record(state=words("unknown"), usd={"type": "null"}),
    ],
}
USAGE: Form = record(
    input_tokens=known_or_null(COUNT),
    output_tokens=known_or_null(COUNT),
    cached_tokens=known_or_null(COUNT),
    reasoning_tokens=known_or_null(COUNT),
    source=words_of(UsageSource),
)
TIMING: Form = record(
    ttft_ms=described(known_or_null(COUNT), "from the request to the first token"),
    total_ms=COUNT,
    tokens_per_second=known_or_null(NUMBER),
)
OUTCOME: Form = words_of(Outcome)
RISK: Form = described(
    record(mean=SHARE, low=SHARE, high=SHARE, n=COUNT), "a probability with its 90 % interval, from n outcomes"
)
COUNTED: Form = record(passed=COUNT, graded=COUNT, low=SHARE, high=SHARE)
ERROR_KEYS: dict[str, Form] = {
    "code": described(TEXT, "what kind of failure, for scripts"),
    "message": TEXT,
    "hint": described(known_or_null(TEXT), "the next command"),
    "exit_code": {"type": "integer", "minimum": 1, "maximum": 255},
}
ERROR: Form = record(**ERROR_KEYS)
