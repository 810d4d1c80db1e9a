"""Messages from lines and lines from messages: what is none is answered as such, and what was asked last is still answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from mrt.commands._mcp_call import well_formed
from mrt.commands._mcp_pipes import Ends, LinesIn, LinesOut

# How long what was asked may take once the client has closed its end, as a shell does that pipes requests in; a client that
# leaves waits for two seconds before it kills.
GRACE_S = 1.0
Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]


class NoMessage(Exception):
    """A line that is no message; `answer` says so to who sent it."""

    def __init__(self, code: int, message: str, about: Any = None) -> None:
        super().__init__(message)
        self.answer = types.JSONRPCError(
            jsonrpc="2.0", id=_id_of(about), error=types.ErrorData(code=code, message=message)
        )


def _id_of(about: Any, name: str = "id") -> str | int | None:
    found = about.get(name) if isinstance(about, dict) else None
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def read_message(line: str) -> types.JSONRPCMessage:
    """The message of a line. Halves of characters, which clients send of text they have cut, are replaced. Raises NoMessage."""
    with suppress(ValueError):
        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
        if isinstance(message, types.JSONRPCNotification) and "id" in json.loads(line):
            raise NoMessage(types.INVALID_REQUEST, "an id is a string or a whole number")
        return message
    try:  # what is wrong with it, or only looks so
        said = well_formed(json.loads(line, parse_constant=_refuse))
    except (ValueError, RecursionError):
        raise NoMessage(types.PARSE_ERROR, "the line is no JSON") from None
    try:
        return types.jsonrpc_message_adapter.validate_python(said, by_name=False)
    except ValueError:
        words = "one message a line, no batches" if isinstance(said, list) else "the line is no JSON-RPC message"
        raise NoMessage(types.INVALID_REQUEST, words, said) from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


class Messages:
    """The conversation with a client. `ended` is called when the client has left, or `end` was."""

    def __init__(self, ends: Ends, ended: Callable[[], None]) -> None:
        self._lines, self._out, self._ended = LinesIn(ends.incoming), LinesOut(ends.outgoing, self.end), ended
        self._open: set[str | int | None] = set()
        self._closing = False
        self._grace = anyio.CancelScope()

    def end(self) -> None:
        """As if the other side had left, and read nothing any more."""
        self._lines.end()
        self._grace.cancel()
        self._ended()

    @asynccontextmanager
    async def streams(self) -> AsyncIterator[tuple[Incoming, Outgoing]]:
        """What comes in, and where to put what goes out."""
        to_read, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        write, to_write = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as group:
            group.start_soon(self._receive, to_read)
            group.start_soon(self._send, to_write)
            yield read, write

    async def _receive(self, to: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
        async with to:
            async for line in self._lines:
                try:
                    message = read_message(line)
                except NoMessage as error:
                    self._out.put(_line(error.answer))
                    continue
                self._note(message)
                try:
                    await to.send(SessionMessage(message))
                except anyio.BrokenResourceError:
                    return
            await self._settle()
        self._ended()

    def _note(self, message: types.JSONRPCMessage) -> None:
        if isinstance(message, types.JSONRPCRequest):
            self._open.add(message.id)
        elif isinstance(message, types.JSONRPCNotification) and message.method == "notifications/cancelled":
            self._open.discard(_id_of(message.params, "requestId"))  # it gets no answer

    async def _settle(self) -> None:
        """Leave a moment for what is on its way, if there is anybody to read it."""
        self._closing = True
        if self._open and self._out.is_read():
            self._grace.deadline = anyio.current_time() + GRACE_S
            with self._grace:
                await anyio.sleep_forever()

    async def _send(self, messages: MemoryObjectReceiveStream[SessionMessage]) -> None:
        async with messages:
            async for one in messages:
                await self._out.put(_line(one.message))
                if isinstance(one.message, types.JSONRPCResponse | types.JSONRPCError):
                    self._open.discard(one.message.id)
                    if self._closing and not self._open:
                        self._grace.cancel()


def _line(message: types.JSONRPCMessage) -> str:
    return message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
