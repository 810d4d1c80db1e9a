"""What a reader must find in an answer: the shape that replays and wire cases share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mrt.domain import Reply, usd


@dataclass(frozen=True)
class Expectation:
    """What the bytes say.

    Token counts are the server's own, as in `mrt.domain.Usage`: input includes cached tokens, None is what the server did not
    say; the Messages API leaves out cached tokens where there are none, which says 0. `failure` is the code of the failure (see
    `mrt.errors`), None for a whole answer; each of `words` occurs in its message, whatever the case. White space around
    `reasoning` does not count. `cost_usd` is the cost that the server itself reports, `served_model` None where any name will do.
    """

    text: str = ""
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning: str = ""
    tool_calls: tuple[str, ...] = ()
    failure: str | None = None
    words: tuple[str, ...] = ()
    cost_usd: str | None = None
    served_model: str | None = None
    mean_logprob: float | None = None

    @property
    def complete(self) -> bool:
        """True when the bytes hold a whole answer."""
        return self.failure is None


def fails(failure: str, *words: str) -> Expectation:
    """No answer began: the status or the body says why."""
    return Expectation(failure=failure, words=words)


def differences(reply: Reply, expected: Expectation) -> dict[str, tuple[Any, Any]]:
    """Where a reply differs from what was expected, as field -> (expected, found); empty when it is right.

    Counts that a reader estimated are not compared, except with what the server did say.
    """
    usage, failure = reply.usage, reply.failure
    found: dict[str, Any] = {
        "text": reply.text,
        "finish_reason": reply.finish_reason,
        "reasoning": reply.reasoning.strip(),
        "tool_calls": tuple(call.name for call in reply.tool_calls),
        "failure": failure.code if failure else None,
        "cost_usd": None if reply.reported_nano is None else usd(reply.reported_nano),
        "served_model": reply.served_model if expected.served_model else None,
        "mean_logprob": reply.mean_logprob,
    }
    for name in ("input_tokens", "output_tokens", "cached_tokens"):
        if usage.source == "reported" or getattr(expected, name) is not None:
            found[name] = getattr(usage, name)
    wrong = {
        name: (getattr(expected, name), value)
        for name, value in found.items()
        if not _same(getattr(expected, name), value)
    }
    message = failure.message.lower() if failure else ""
    return wrong | {f"words {word!r}": (word, message) for word in expected.words if word.lower() not in message}


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(expected, found, rel_tol=1e-6)
    return bool(expected == found)
