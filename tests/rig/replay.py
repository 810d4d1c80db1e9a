"""Answers that real servers gave, as bytes to serve again: `data/replays.json`, made by `condense_captures`.

What they say is written down by hand in `replay_expectations`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from rig.responses import LAST_CHUNK, chunk, head

TABLE = Path(__file__).parents[1] / "data" / "replays.json"
STREAM_TYPES = ("text/event-stream", "application/x-ndjson")


@dataclass(frozen=True)
class Replay:
    """One captured answer. `streamed` says what the request asked for; `cut` that the transfer broke off after the body."""

    id: str
    protocol: Literal["chat", "anthropic", "ollama"]
    streamed: bool
    source: str
    status: int
    headers: Mapping[str, str]
    cut: bool
    body: str


@cache
def replays() -> Mapping[str, Replay]:
    """All replays by their id, in the table's order."""
    return {entry["id"]: Replay(**entry) for entry in json.loads(TABLE.read_text(encoding="utf-8"))}


def replay_bytes(identity: str) -> bytes:
    """The whole HTTP response of one replay. Streams are chunked, one chunk per event; a cut one has no last chunk."""
    replay = replays()[identity]
    body = replay.body.encode()
    if not replay.headers["content-type"].startswith(STREAM_TYPES):
        return head(replay.status, {**replay.headers, "content-length": str(len(body))}) + body
    separator = b"\n\n" if "event-stream" in replay.headers["content-type"] else b"\n"
    events = [event + separator for event in body.removesuffix(separator).split(separator)]
    stream = b"".join(map(chunk, events)) + (b"" if replay.cut else LAST_CHUNK)
    return head(replay.status, {**replay.headers, "transfer-encoding": "chunked"}) + stream
