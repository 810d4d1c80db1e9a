"""What the tests of HTTP share."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from rig.responses import json_response, sse
from rig.wire_chat import DONE, RAIN, ROLE, STOP, USAGE

from mrt.domain import Reply

ANSWER = [ROLE, *RAIN, STOP, USAGE, DONE]
TEXT = "It rains."
KEY = "sk-very-secret"


def error(status: int, message: str = "not now", **headers: str) -> list[bytes]:
    """A failure of the OpenAI kind."""
    return json_response(status, {"error": {"message": message}}, headers)


def failure(reply: Reply) -> tuple[str, str]:
    """Code and message of the failure."""
    assert reply.failure is not None
    return reply.failure.code, reply.failure.message


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port on which nobody listens, as long as the block runs."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


STREAM = sse(ANSWER, chunked=False)[1:]
