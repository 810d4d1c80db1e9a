"""Serve the tools over standard input and output, with the protocol's own SDK, until the client leaves or a signal comes."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from mrt import __version__
from mrt.commands._mcp_call import Answered, Call, Tool, Update, answered, quiet_console
from mrt.commands._mcp_messages import Messages
from mrt.commands._mcp_pipes import Ends, claimed
from mrt.commands._mcp_stop import Stop, Stopped
from mrt.commands._mcp_tools import INSTRUCTIONS, TOOLS
from mrt.config import load
from mrt.errors import MrtError
from mrt.ledger import new_id
from mrt.output import Console

# How long what was stopped may take to book what it used, and how long a client may take to read what is left: less than clients
# wait before they kill.
PATIENCE_S = 1.5
# A model that loads, or reads a long prompt, gives no sign of life for minutes.
BEAT_S = 10.0
Progress = Callable[[float, float | None, str | None], Awaitable[None]]
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def serve(console: Console) -> int:
    """Serve until the client leaves. A signal ends it in the same way, and then has its usual effect."""
    logging.getLogger("mcp").addHandler(logging.NullHandler())
    before = {number: signal.getsignal(number) for name in _SIGNALS if (number := getattr(signal, name, None))}
    gc.freeze()  # the SDK's many classes stay to the end: to look through them again and again costs time, most of all on leaving
    with claimed() as ends:
        number = asyncio.run(_serve(console, ends))
    for one, handler in before.items():
        signal.signal(one, handler)  # the event loop has put its own default in the place of ours
    if number is not None:
        signal.raise_signal(number)
    return 0


async def _serve(console: Console, ends: Ends) -> int | None:
    """Gives the signal that ended it, None when the client left."""
    server = _Server(console)
    with anyio.CancelScope() as scope:

        def leave_soon() -> None:
            scope.deadline = min(scope.deadline, anyio.current_time() + 2 * PATIENCE_S)

        messages = Messages(ends, leave_soon)
        # The SDK's own streams wait for a line even when it is time to end, and leave unanswered what they cannot read.
        with _ended_by_signals(messages.end) as received:
            async with messages.streams() as (read, write):
                await server.made.run(read, write, server.made.create_initialization_options())
    return received[0] if received else None


@contextmanager
def _ended_by_signals(end: Callable[[], None]) -> Iterator[list[int]]:
    """The signals that came meanwhile; the first ends the serving."""
    loop, received = asyncio.get_running_loop(), list[int]()

    def note(number: int) -> None:
        received.append(number)
        end()

    numbers = [number for name in _SIGNALS if (number := getattr(signal, name, None)) and _is_heard(number)]
    for number in numbers:
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, note, number)
    try:
        yield received
    finally:
        for number in numbers:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)


def _is_heard(number: int) -> bool:
    # What runs under `nohup` was told to ignore the hang-up.
    return signal.getsignal(number) != signal.SIG_IGN


class _Server:
    """The handlers. All calls of one run are booked under one session, so that a limit per session holds for an agent's."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tools = {tool.name: tool for tool in TOOLS}
        self._session = f"mcp-{new_id(time.time())}"
        self.made: Server[Any] = Server(
            "mrt",
            version=__version__,
            title="mrt: local models",
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    async def _list(self, _: Any, __: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=offered(self._console))

    async def _call(self, context: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
        tool = self._tools.get(asked.name)
        if tool is None:
            raise MCPError(
                types.INVALID_PARAMS, f"there is no tool {asked.name!r:.100}; there are {', '.join(self._tools)}"
            )
        self._console.detail(f"{tool.name}: called")
        work = Work(tool, asked.arguments or {}, self._console, self._session)
        result = await work.finished(context.session.report_progress)
        failure = result.data["error"]
        self._console.detail(f"{tool.name}: {failure['message'].removeprefix(f'{tool.name}: ') if failure else 'done'}")
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text) for text in result.texts],
            structured_content=result.data,
            is_error=result.failed,
        )


class Work:
    """A call in a thread of its own, since the cascade waits for servers; what it tells comes back in order."""

    def __init__(self, tool: Tool, arguments: Mapping[str, Any], console: Console, session: str) -> None:
        self._tool, self._console = tool, console
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Queue[Update | Answered | None] = asyncio.Queue()
        self._stop = Stop()
        self._call = Call(arguments, quiet_console(console), self._stop, self._tell, session)
        threading.Thread(target=self._run, name=f"mcp-{tool.name}", daemon=True).start()

    async def finished(self, progress: Progress, beat_s: float = BEAT_S) -> Answered:
        """The result; until then its progress is passed on. Cancelled, it stops the engine and waits until that is booked."""
        count, last = 0, Update(self._tool.name)
        try:
            while not isinstance(told := await self._next(beat_s, last), Answered):
                if told is None:
                    raise MCPError(types.INTERNAL_ERROR, "the call was stopped")
                count, last = count + 1, told
                await progress(count, None, told.message)
        except anyio.get_cancelled_exc_class():
            self._stop.set()
            with anyio.move_on_after(PATIENCE_S, shield=True):
                while isinstance(await self._told.get(), Update):
                    pass
            raise
        return told

    async def _next(self, beat_s: float, last: Update) -> Update | Answered | None:
        """What is told next; after some silence the last once more, since clients give up on what says nothing for long."""
        with anyio.move_on_after(beat_s):
            return await self._told.get()
        return last

    def _run(self) -> None:
        try:
            self._tell(answered(self._tool, self._call, self._debug))
        except Stopped:
            self._tell(None)

    def _tell(self, what: Update | Answered | None) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._told.put_nowait, what)

    def _debug(self, trace: str) -> None:
        if self._console.debug:
            self._console.aside(trace)


def offered(console: Console) -> list[types.Tool]:
    """The tools as the protocol describes them."""
    try:
        paid = load(console.environment, console.config_path).mcp.allow_paid
    except MrtError:
        paid = True  # each call says what is wrong; until that is mended, more is not promised than is known
    return [_described(tool, may_pay=paid and tool.asks) for tool in TOOLS]


def _described(tool: Tool, may_pay: bool) -> types.Tool:
    paid = " The user allows paid tiers here: a call may cost money, within the budget." if may_pay else ""
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description + paid,
        input_schema=dict(tool.takes),
        output_schema=dict(tool.gives),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=not may_pay,
            destructive_hint=False,
            idempotent_hint=not tool.asks,
            open_world_hint=may_pay,
        ),
    )
