"""Answers that real servers gave say what they say, however the bytes arrive."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from rig.asking import World, canned, finish, target
from rig.expectation import differences
from rig.loopback import ScriptedServer
from rig.replay import Replay, replay_bytes, replays
from rig.replay_expectations import EXPECTATIONS
from rig.responses import pieces

REPLAYS = pytest.mark.parametrize("replay", replays().values(), ids=list(replays()))


def endpoint(url: str, replay: Replay) -> Any:
    """The endpoint that gave the answer, as far as reading depends on it."""
    return target(url, replay.protocol, local=not replay.id.startswith("litellm"))


def read(replay: Replay, parts: list[bytes]) -> dict[str, Any]:
    """How the reply differs from what is expected, when its body arrives in these parts."""
    world = World(canned(parts, replay.headers, replay.status, cut=replay.cut))
    return differences(finish(world.call(endpoint("http://localhost", replay))), EXPECTATIONS[replay.id])


@REPLAYS
def test_a_replay_over_http(replay: Replay) -> None:
    with ScriptedServer({"*": [replay_bytes(replay.id)]}) as server:
        reply = finish(World().call(endpoint(server.url, replay)))
    assert differences(reply, EXPECTATIONS[replay.id]) == {}


@REPLAYS
@pytest.mark.parametrize("size", [1, 5, 4096])
def test_a_replay_in_pieces_of_one_size(replay: Replay, size: int) -> None:
    assert read(replay, pieces(replay.body.encode(), size)) == {}


@REPLAYS
def test_a_replay_in_pieces_of_any_size(replay: Replay) -> None:
    body, dice = replay.body.encode(), random.Random(replay.id)
    for longest in (3, 30, 300):
        cuts = [0]
        while cuts[-1] < len(body):
            cuts.append(cuts[-1] + dice.randint(0, longest))
        assert read(replay, [body[start:end] for start, end in pairwise(cuts)]) == {}, cuts


STREAMS = [
    replay
    for replay in replays().values()
    if replay.headers["content-type"].startswith(("text/event-stream", "application/x-ndjson"))
    and EXPECTATIONS[replay.id].complete
]


@pytest.mark.parametrize("replay", STREAMS, ids=[replay.id for replay in STREAMS])
def test_a_stream_broken_off_anywhere_is_no_whole_answer_with_less_text(replay: Replay) -> None:
    whole, body = EXPECTATIONS[replay.id], replay.body.encode()
    for end in range(0, len(body), 97):
        world = World(canned([body[:end]], replay.headers, cut=True))
        reply = finish(world.call(endpoint("http://localhost", replay)))
        assert not reply.complete or reply.text == whole.text, body[:end]
