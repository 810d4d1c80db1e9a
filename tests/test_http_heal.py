"""A request that a server rejects for one of its fields is mended, once per field, and what was learned is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from rig.asking import PATIENT, PROMPT, World, finish, target
from rig.loopback import Request, Response, ScriptedServer
from rig.responses import json_response, sse
from rig.wire_chat import DONE, RAIN, STOP

from mrt.providers import heal

ANSWER = sse([*RAIN, STOP, DONE])
RICH = replace(
    PROMPT,
    temperature=0.2,
    effort="low",
    logprobs=True,
    offer_escalation=True,
    schema={"type": "object"},
    options={"top_k": 5},
)
FIELDS = ("stream_options", "temperature", "reasoning_effort", "logprobs", "response_format", "top_k", "tools")


def unknown(name: str) -> Response:
    """What OpenAI's API says about a field it does not know."""
    return json_response(400, {"error": {"message": f"Unrecognized request argument supplied: {name}"}})


def rejecting(*names: str, reject: Callable[[str], Response] = unknown) -> Callable[[Request], Response]:
    """A server that rejects one field after the other, as long as they come."""

    def answer(request: Request) -> Response:
        return next((reject(name) for name in names if name in request.json()), ANSWER)

    return answer


@pytest.mark.parametrize("name", FIELDS)
def test_a_rejected_field_is_left_out_and_remembered(name: str) -> None:
    world, quirks = World(), dict[str, str]()
    with ScriptedServer({"*": rejecting(name)}) as server:
        for _ in range(2):
            reply = finish(world.call(target(server.url), RICH, quirks=quirks))
            assert (reply.text, reply.failure) == ("It rains.", None)
        sent = [request.json() for request in server.requests]
    assert len(sent) == 3, "one rejection, two answers"
    assert sent[1] == sent[2] == {field: value for field, value in sent[0].items() if field != name}
    assert world.learned == quirks == {f"drop:{name}": "1"}
    assert world.notes == [f"near/m rejects {name}: asking again without"]
    assert world.slept == []


def test_several_fields_are_left_out_one_by_one() -> None:
    world = World()
    with ScriptedServer({"*": rejecting(*FIELDS)}) as server:
        assert finish(world.call(target(server.url), RICH)).text == "It rains."
        assert len(server.requests) == len(FIELDS) + 1
        assert set(server.requests[-1].json()) == {"model", "messages", "stream", "max_tokens"}
    assert set(world.learned) == {f"drop:{name}" for name in FIELDS}


NEW = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
OLD = "Unrecognized request argument supplied: max_completion_tokens"


def test_a_token_limit_is_renamed_and_never_dropped() -> None:
    world, quirks = World(), dict[str, str]()

    def reject(_: str) -> Response:
        return json_response(400, {"error": {"message": NEW, "param": "max_tokens"}})

    with ScriptedServer({"*": rejecting("max_tokens", reject=reject)}) as server:
        finish(world.call(target(server.url), quirks=quirks))
        finish(world.call(target(server.url), quirks=quirks))
        sent = [request.json() for request in server.requests]
    assert [document.get("max_completion_tokens") for document in sent] == [None, 100, 100]
    assert ["max_tokens" in document for document in sent] == [True, False, False]
    assert world.learned == {"rename:max_tokens": "max_completion_tokens"}
    assert world.notes == ["near/m rejects max_tokens (now max_completion_tokens): asking again without"]


def test_a_token_limit_under_its_new_name_is_renamed_back() -> None:
    request = replace(PROMPT, options={"max_completion_tokens": 50})

    def reject(_: str) -> Response:
        return json_response(400, {"error": {"message": OLD}})

    body = heal.apply({"max_completion_tokens": 50}, {"rename:max_tokens": "max_tokens"})
    assert body == {"max_tokens": 50}
    with ScriptedServer({"*": rejecting("max_completion_tokens", reject=reject)}) as server:
        finish(World().call(target(server.url), request))
        assert len(server.requests) <= 3


TOO_LARGE = (
    "'max_tokens' is too large: 5000. This model's maximum context length is 2048 tokens and your request has 48 input "
    "tokens (5000 > 2048 - 48)."
)


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("max_tokens=5000 cannot be greater than max_model_len=2048. Please request fewer output tokens.", 1024),
        (
            TOO_LARGE,
            2000,
        ),
        ("max_tokens: 5000 > 4096, which is the maximum allowed number of output tokens for this model", 2048),
        (
            "max_tokens is too large: your messages resulted in 48 tokens, the maximum is 2048 (request "
            + "7" * 5000
            + ")",
            2000,
        ),
    ],
    ids=["half", "less-the-prompt", "anthropic", "absurd-number"],
)
def test_a_token_limit_that_is_too_large_is_lowered_for_this_prompt_only(message: str, limit: int) -> None:
    world = World()

    def answer(request: Request) -> Response:
        too_many = request.json()["max_tokens"] > limit
        return json_response(400, {"error": {"message": message}}) if too_many else ANSWER

    with ScriptedServer({"*": answer}) as server:
        assert finish(world.call(target(server.url), replace(PROMPT, max_tokens=5000))).text == "It rains."
        assert [request.json()["max_tokens"] for request in server.requests] == [5000, limit]
    assert world.learned == {}


def test_a_bound_too_small_for_an_answer_is_not_asked_for() -> None:
    answer = json_response(400, {"error": {"message": "max_tokens is too large, at most 20 are allowed"}})
    with ScriptedServer({"*": answer}) as server:
        reply = finish(World().call(target(server.url)))
        assert len(server.requests) == 1
    assert reply.failure is not None
    assert reply.failure.code == "bad_request"


def test_probabilities_go_before_tools() -> None:
    world = World()

    def answer(request: Request) -> Response:
        both = {"tools", "logprobs"} <= set(request.json())
        message = "logprobs is not supported with tools + stream"
        return json_response(400, {"error": {"message": message}}) if both else ANSWER

    with ScriptedServer({"*": answer}) as server:
        assert finish(world.call(target(server.url), RICH)).text == "It rains."
        assert "tools" in server.requests[-1].json()
    assert world.learned == {"drop:logprobs": "1"}


@pytest.mark.parametrize("protocol", ["chat", "anthropic", "ollama"])
@pytest.mark.parametrize("status", [400, 404, 422, 500, 501])
def test_a_server_that_rejects_everything_ends(status: int, protocol: str) -> None:
    world = World()

    def answer(request: Request) -> Response:
        everything = " ".join(f"'{name}'" for name in request.json())
        return json_response(status, {"error": {"message": f"unsupported, too large, at most 99: {everything} 50"}})

    with ScriptedServer({"*": answer}) as server:
        reply = finish(world.call(target(server.url, protocol), RICH, PATIENT))
        assert 1 < len(server.requests) <= 20
        last = server.requests[-1].json()
    assert reply.failure is not None
    assert {"model", "messages", "stream"} <= set(last)
    assert world.learned == {}, "nothing was learned from a request that never worked"


def test_what_is_known_is_left_out_at_once() -> None:
    with ScriptedServer({"*": rejecting("stream_options")}) as server:
        finish(World().call(target(server.url), quirks={"drop:stream_options": "1", "tools": "yes"}))
        assert len(server.requests) == 1


def test_after_mending_a_busy_server_is_tried_again() -> None:
    world, steps = World(), iter([unknown("stream_options"), json_response(503, {"error": "busy"}), ANSWER])
    with ScriptedServer({"*": lambda _: next(steps)}) as server:
        reply = finish(world.call(target(server.url), timers=replace(PATIENT, retries=1)))
        assert ["stream_options" in request.json() for request in server.requests] == [True, False, False]
    assert reply.text == "It rains."
    assert world.slept == [0.5]
    assert world.learned == {"drop:stream_options": "1"}


@pytest.mark.parametrize(
    ("status", "evidence", "sent"),
    [
        (500, 'prompt {"temperature": 0.2} crashed the worker', {"temperature": 0.2}),
        (400, "my_temperature is unknown", {"temperature": 0.2}),
        (400, "unknown field", {"temperature": 0.2}),
        (401, "temperature", {"temperature": 0.2}),
        (400, "messages and model are unknown", {"model": "m", "messages": []}),
        (400, "max_tokens must be positive", {"max_tokens": 5}),
    ],
)
def test_what_is_no_verdict_on_a_field(status: int, evidence: str, sent: Mapping[str, Any]) -> None:
    assert heal.heal(status, evidence, sent, {}) is None


def test_evidence_of_digits_is_read_in_time() -> None:
    evidence = json.dumps({"error": "max_tokens too large " + "1 2 " * 2000 + "9" * 100_000})
    assert heal.heal(400, evidence, {"max_tokens": 5}, {}) is None
