"""Try what a model can do by a few tiny questions, each booked like any other call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mrt.cascade.cost import price_of
from mrt.cascade.events import Finished
from mrt.cascade.job import Job, Step, Wish, World, request_for
from mrt.cascade.turns import run, total_cost
from mrt.config import Tier
from mrt.domain import Attempt, Cost, Reply, Target
from mrt.endpoints.abilities import Abilities
from mrt.errors import IncompleteError, MrtError, QualityError, StoreError
from mrt.frozen import frozen
from mrt.ledger import learned
from mrt.providers.tools import ESCALATE, ESCALATE_TOOL
from mrt.router import Decision, assess_prompt

PURPOSE = "probe"
FEW_TOKENS = 24
# Enough for a short document, and for a model that thinks before it answers with one.
MORE_TOKENS = 256
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PLAIN_PROMPT = "Count from one to fifty in words."
SCHEMA_PROMPT = "Which city is the capital of France? Answer as json."
TOOLS_PROMPT = "This is too hard for you. Call the tool `escalate` with the reason `too hard`, and say nothing else."
_SCHEMA_FIELDS = ("response_format", "format")


@frozen
class Trial:
    """One model's trial. `error` is why it could not be tried; `attempts` are what was booked."""

    tier: str
    target: Target
    abilities: Abilities
    attempts: tuple[Attempt, ...] = ()
    error: MrtError | None = None


@frozen
class _Answer:
    reply: Reply
    headers: Mapping[str, str]
    body: str


def highest_cost(tier: Tier, target: Target, world: World) -> int | None:
    """The most that a trial of this model can cost, in nano-dollars; None when its price is not known."""
    bounds = []
    for job in _jobs(tier, target):
        request = request_for(job, job.steps[0], world.config, wants_code=False, confidence=False, tools=False)
        bounds.append(price_of(request, target, world).bound)
    known = [bound for bound in bounds if bound is not None]
    return sum(known) if len(known) == len(bounds) else None


def try_model(tier: Tier, target: Target, world: World, new_operation: Callable[[], str]) -> Trial:
    """Ask the questions in turn; the first one that is turned down ends it. Never raises an MrtError."""
    answers: list[_Answer] = []
    attempts: list[Attempt] = []
    error = None
    for job in _jobs(tier, target):
        answer, made, error = _ask(job, replace(world, operation=new_operation()))
        attempts += made
        if answer is not None:
            answers.append(answer)
        if error is not None:
            break
    seen = _seen(target, answers, _facts(target, world), world.wire.now()) if answers else Abilities()
    return Trial(tier.name, target, seen, tuple(attempts), error)


def spent(trials: Sequence[Trial]) -> Cost:
    """What all trials cost together."""
    return total_cost([attempt for trial in trials for attempt in trial.attempts])


def _jobs(tier: Tier, target: Target) -> tuple[Job, ...]:
    plain = {} if target.protocol == "anthropic" else {"logprobs": True}
    return (
        _job(tier, target, PLAIN_PROMPT, Wish(max_tokens=FEW_TOKENS, options=plain)),
        _job(tier, target, SCHEMA_PROMPT, Wish(max_tokens=MORE_TOKENS, schema=SCHEMA)),
        _job(tier, target, TOOLS_PROMPT, Wish(max_tokens=MORE_TOKENS, options={"tools": [_tool(target)]})),
    )


def _job(tier: Tier, target: Target, prompt: str, wish: Wish) -> Job:
    # Nothing is judged, and no persona costs tokens; the tier's own request fields stay, since asks are sent with them.
    bare = replace(tier, system=None, examples=(), checks=(), tools=False, max_tokens=None)
    assessed = assess_prompt(prompt)
    decision = Decision(assessed.value, (tier.name,), (), "asked by the probe", assessed)
    return Job(prompt, (Step(bare, target),), decision, wish=wish, purpose=PURPOSE)


def _tool(target: Target) -> dict[str, Any]:
    if target.protocol != "anthropic":
        return ESCALATE_TOOL
    function = ESCALATE_TOOL["function"]
    return {"name": ESCALATE, "description": function["description"], "input_schema": function["parameters"]}


def _ask(job: Job, world: World) -> tuple[_Answer | None, tuple[Attempt, ...], MrtError | None]:
    """The answer as far as one came, what was booked, and why there is no use in going on."""
    lines: list[str] = []
    result = None
    for event in run(job, replace(world, wire=replace(world.wire, trace=lines.append))):
        if isinstance(event, Finished):
            result = event.result
    if result is None:
        raise RuntimeError("a cascade ended without a result")
    answer = None if result.reply is None else _Answer(result.reply, _headers(lines), _body(lines))
    # Cut at the limit, a tool call, an empty or a poor answer: all of them tell something.
    told = isinstance(result.error, IncompleteError | QualityError) and answer is not None
    return answer, result.attempts, None if told else result.error


def _headers(lines: list[str]) -> dict[str, str]:
    """The headers of the last response on the wire."""
    starts = [number for number, line in enumerate(lines) if line.startswith("< HTTP ")]
    rest = lines[starts[-1] + 1 :] if starts else []
    pairs = (line.removeprefix("< ").partition(": ") for line in rest if line.startswith("< "))
    return {name.lower(): value for name, _, value in pairs}


def _body(lines: list[str]) -> str:
    """The body of the last request on the wire."""
    return next((line for line in reversed(lines) if line.startswith("> {")), "")


def _facts(target: Target, world: World) -> dict[str, str]:
    try:
        return learned(world.store, target.url, target.model)
    except StoreError:
        return {}


def _seen(target: Target, answers: list[_Answer], facts: Mapping[str, str], now: float) -> Abilities:
    first = answers[0]
    usage = any(answer.reply.usage.source == "reported" for answer in answers)
    speeds = [answer.reply.timing.tokens_per_second for answer in answers]
    waits = [answer.reply.timing.ttft_ms for answer in answers]
    return Abilities(
        streaming=first.headers.get("content-type", "").startswith(("text/event-stream", "application/x-ndjson")),
        usage=usage,
        stream_options=_stream_options(target, first, usage),
        reasoning=any(answer.reply.reasoning for answer in answers) or None,
        logprobs=None if target.protocol == "anthropic" else first.reply.mean_logprob is not None,
        json_schema=_follows_schema(answers[1].reply, facts) if len(answers) > 1 else None,
        tools=_calls_tools(answers[2].reply, facts) if len(answers) > 2 else None,
        max_tokens=_keeps_limit(first.reply),
        ttft_ms=min((wait for wait in waits if wait is not None), default=None),
        tokens_per_second=next((speed for speed in speeds if speed is not None), None),
        tried_at=now,
    )


def _stream_options(target: Target, first: _Answer, usage: bool) -> bool | None:
    """Whether the field was taken and did what it is for; other protocols have none."""
    if target.protocol != "chat":
        return None
    return '"stream_options"' in first.body and usage


def _follows_schema(reply: Reply, facts: Mapping[str, str]) -> bool | None:
    """By what came; an answer that was cut tells nothing."""
    if any(f"drop:{name}" in facts for name in _SCHEMA_FIELDS):
        return False
    if not reply.complete:
        return None
    from mrt.cascade.verify import schema_checker

    return schema_checker(SCHEMA)(reply.text.strip()) is None


def _calls_tools(reply: Reply, facts: Mapping[str, str]) -> bool | None:
    """A model that answers in words may only not have wanted to; a server that rejects tools is clear."""
    if "drop:tools" in facts:
        return False
    return True if any(call.name == ESCALATE for call in reply.tool_calls) else None


def _keeps_limit(reply: Reply) -> bool | None:
    """Whether the answer ended at the limit; one that is shorter by itself tells nothing."""
    tokens = reply.usage.output_tokens if reply.usage.source == "reported" else None
    if tokens is not None and tokens > FEW_TOKENS:
        return False
    cut = reply.failure is not None and reply.failure.code == "max_tokens"
    return True if cut or tokens == FEW_TOKENS else None
