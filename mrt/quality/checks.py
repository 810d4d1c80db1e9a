"""The cascade's quality gate: a reply passes every check, or the first that fails says why."""

from __future__ import annotations

import math
from collections.abc import Callable

from mrt.domain import Reply
from mrt.frozen import frozen
from mrt.quality.check_names import ALWAYS_ON, own_checks
from mrt.quality.code_check import code_problem
from mrt.quality.emptiness import emptiness
from mrt.quality.intent import intent
from mrt.quality.json_text import json_problem, json_text
from mrt.quality.loops import looped
from mrt.quality.refusals import refusal

SchemaError = Callable[[str], str | None]


@frozen
class Verdict:
    """Whether the reply will do; if not, the name of the check that says no, and its reason with the figures."""

    accepted: bool
    check: str | None = None
    reason: str | None = None


@frozen
class JudgeContext:
    """What a reply is measured against. `checks` as parse_checks takes them; `schema_error` says what is wrong with a
    JSON text, None when nothing is."""

    prompt: str
    checks: tuple[str, ...]
    schema_error: SchemaError | None = None


def judge(reply: Reply, context: JudgeContext) -> Verdict:
    """The verdict of the first check that fails: the two that are always on, the listed ones, the schema if one is given.

    Checks that need the world (verify, agree) are left to the caller. Raises UsageError for a list that is none.
    """
    always = tuple((name, "") for name in ALWAYS_ON)
    for name, argument in dict.fromkeys((*always, *own_checks(context.checks), ("schema", ""))):
        reason = _CHECKS[name](reply, context, argument)
        if reason is not None:
            return Verdict(False, name, reason)
    return Verdict(True)


def _finish(reply: Reply, _context: JudgeContext, _argument: str) -> str | None:
    return None if reply.failure is None else reply.failure.code


def _empty(reply: Reply, _context: JudgeContext, _argument: str) -> str | None:
    return emptiness(reply)


def _refusal(reply: Reply, context: JudgeContext, _argument: str) -> str | None:
    words = refusal(reply.text, context.prompt)
    return None if words is None else f'the answer refuses: "{words}"'


def _repetition(reply: Reply, _context: JudgeContext, _argument: str) -> str | None:
    return looped(reply.text)


def _code(reply: Reply, context: JudgeContext, _argument: str) -> str | None:
    return code_problem(reply.text, context.prompt, intent(context.prompt))


def _json(reply: Reply, context: JudgeContext, _argument: str) -> str | None:
    return _not_json(reply.text) if intent(context.prompt).json else None


def _schema(reply: Reply, context: JudgeContext, _argument: str) -> str | None:
    if context.schema_error is None:
        return None
    return _not_json(reply.text) or context.schema_error(json_text(reply.text))


def _not_json(answer: str) -> str | None:
    problem = json_problem(json_text(answer))
    return None if problem is None else f"not JSON: {problem}"


def _confidence(reply: Reply, _context: JudgeContext, argument: str) -> str | None:
    if reply.mean_logprob is None:
        return None
    least, mean = float(argument), math.exp(min(reply.mean_logprob, 0.0))
    if not mean < least:
        return None
    digits = 2 if f"{mean:.2f}" != f"{least:.2f}" else 4
    return f"mean token confidence {mean:.{digits}f} is below {argument}"


_CHECKS: dict[str, Callable[[Reply, JudgeContext, str], str | None]] = {
    "finish": _finish,
    "empty": _empty,
    "refusal": _refusal,
    "repetition": _repetition,
    "code": _code,
    "json": _json,
    "schema": _schema,
    "confidence": _confidence,
}
