"""One answer of a model to one task, as it is kept: enough to grade it again without asking again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from mrt.bench.grading import Status
from mrt.bench.shapes import checked
from mrt.frozen import frozen

# A rate over fewer tokens than these is mostly noise.
FEWEST_TOKENS = 32
# Of the hard suite; the usual one ends a band earlier.
LAST_BAND = 6


@frozen
class Heard:
    """What one question brought. `error` is the code of the failure, None for a whole answer.

    `seconds` is the time in all, `tokens_per_second` that of the decode phase as the client saw it; `cost_nano` None is unknown.
    """

    text: str
    reasoned: bool = False
    error: str | None = None
    message: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_state: str = "unknown"
    cost_nano: int | None = None
    seconds: float = 0.0
    ttft_ms: int | None = None
    tokens_per_second: float | None = None
    served_model: str | None = None

    @property
    def decode_rate(self) -> float | None:
        """Tokens per second, where the answer is long enough to tell."""
        enough = self.output_tokens is not None and self.output_tokens >= FEWEST_TOKENS
        return self.tokens_per_second if enough else None


@frozen
class Answer:
    """A task's answer: which task, which of several samples, how many tokens it might have, and what was heard."""

    task: str
    band: int
    sample: int
    max_tokens: int
    heard: Heard


@frozen
class Graded:
    """An answer with its verdict; `extraction` says where in the answer the code was found."""

    answer: Answer
    status: Status
    detail: str = ""
    rule: str | None = None
    extraction: str = ""

    @property
    def passed(self) -> bool:
        """Whether it passed all cases."""
        return self.status == "pass"


# Asks the model under test one prompt, with at most so many tokens and seconds, and with a seed to sample by or without one.
Ask = Callable[[str, int, float, int | None], Heard]

_STATUS_OF_ERROR: dict[str, Status] = {
    "max_tokens": "truncated",
    "timeout": "gen_timeout",
    "filtered": "no_code",
    "refusal": "no_code",
    "tool_calls": "no_code",
    "quality": "no_code",
}


def status_without_code(heard: Heard) -> Status | None:
    """The verdict over an answer that is not whole, None for one whose code can be looked at.

    What the endpoint or the network did says nothing about the model and is not scored.
    """
    if heard.error is None:
        return None
    if heard.error == "empty":
        return "empty_after_reasoning" if heard.reasoned else "no_code"
    return _STATUS_OF_ERROR.get(heard.error, "endpoint_error")


def to_record(graded: Graded) -> dict[str, Any]:
    """Plain values for a journal."""
    return asdict(graded)


def from_record(record: Mapping[str, Any]) -> Graded:
    """The reverse. Raises KeyError, TypeError, ValueError where it is no such record; keys of later versions are passed over."""
    given = dict(record["answer"])
    heard = Heard(**checked(Heard, dict(given["heard"])))
    answer = Answer(**checked(Answer, {**given, "heard": heard}))
    if not 1 <= answer.band <= LAST_BAND:
        raise ValueError(f"no band {answer.band}")
    return Graded(**checked(Graded, {**record, "answer": answer}))
