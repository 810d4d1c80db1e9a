"""The user's asserts as a check of an answer's code: what is called runs in the sandbox, what can be compared is so outside.

A value inside may claim to equal everything; the pipe carries what it holds, and that is compared with what the file wants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mrt.bench.expectations import Expectation
from mrt.bench.sandbox.messages import results_of
from mrt.bench.sandbox.process import Ended
from mrt.bench.sandbox.values import Other, decode
from mrt.errors import SandboxError

_LONGEST_VALUE, _LONGEST_MESSAGE = 120, 300


def objection(code: str, expected: Sequence[Expectation], run: Callable[[Mapping[str, Any]], Ended]) -> str | None:
    """Why the code does not pass, None when it does. Raises SandboxError when the sandbox does not stand."""
    ended = run({"code": code, "cases": [[expectation.step] for expectation in expected]})
    if not results_of(ended.messages, "walls"):
        raise SandboxError("the sandbox did not start", "`mrt bench doctor` shows its layers")
    loading = results_of(ended.messages, "load_error")
    if loading:
        return f"the code does not load: {_raised(loading[0])}"
    if not results_of(ended.messages, "defines"):
        return f"the code does not load: {_stopped(ended)}"
    outcomes = {message["case"]: message.get("outcomes") for message in ended.messages if "case" in message}
    for number, expectation in enumerate(expected):
        complaint = _complaint(expectation, outcomes.get(number), ended)
        if complaint is not None:
            return complaint
    return None


def _complaint(expectation: Expectation, outcomes: Any, ended: Ended) -> str | None:
    """What is wrong with one line. The outcomes come from the candidate's side: they may be anything at all."""
    if not isinstance(outcomes, list) or len(outcomes) != 1 or not isinstance(outcomes[0], dict):
        return f"{_stopped(ended)} at: {expectation.text}"
    if "raised" in outcomes[0]:
        return f"{expectation.text}: raised {_raised(outcomes[0])}"
    if expectation.holds is None:
        return None
    value = decode(outcomes[0].get("value"))
    try:
        holds = expectation.holds(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        holds = False
    return None if holds else f"{expectation.text}: {expectation.found(_short, value)}"


def _stopped(ended: Ended) -> str:
    if ended.flooded:
        return "it takes more than one run may"
    return "no end" if ended.timed_out else "the program ended by itself"


def _raised(error: Mapping[str, Any]) -> str:
    """The error in words; the program chose them, so only what can be printed is shown."""
    names = error.get("raised")
    name = str(names[0]) if isinstance(names, list) and names else "an exception"
    message = str(error.get("message") or "")
    return _printable(f"{name}: {message}" if message else name)[:_LONGEST_MESSAGE]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _short(value: Any) -> str:
    try:
        text = f"a {_printable(value.type_name)}" if isinstance(value, Other) else repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits has no text
        return "a number too large to show"
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."
