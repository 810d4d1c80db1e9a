"""What tests of `mrt mcp` share: the SDK's own client over pipes, and a raw conversation line by line."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from rig.command import Command, Home

Given = TypeVar("Given")
PATIENCE_S = 60.0
VERSION = "2025-06-18"


@asynccontextmanager
async def connected(
    home: Home, *arguments: str, env: Mapping[str, str] | None = None, mode: str = "legacy"
) -> AsyncIterator[Client]:
    """The SDK's client, talking to a real `mrt mcp` of this home; what it says on stderr is in `stderr(home)`."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mrt", "mcp", *arguments],
        env={**home.environment, **(env or {})},
        cwd=home.path,
    )
    with stderr_file(home).open("w") as errors:
        async with Client(stdio_client(server, errlog=errors), mode=mode) as client:
            yield client


def stderr_file(home: Home) -> Path:
    """Where the server's stderr goes."""
    return home.path / "mcp-stderr.txt"


def talk(
    home: Home,
    say: Callable[[Client], Awaitable[Given]],
    *arguments: str,
    env: Mapping[str, str] | None = None,
    mode: str = "legacy",
) -> Given:
    """What `say` gives when it talks to a server of its own."""

    async def run() -> Given:
        with anyio.fail_after(PATIENCE_S):
            async with connected(home, *arguments, env=env, mode=mode) as client:
                return await say(client)

    return anyio.run(run)


def ask(home: Home, tool: str, *arguments: str, **given: Any) -> Any:
    """The result of one call, by a server of its own."""

    async def say(client: Client) -> Any:
        return await client.call_tool(tool, given)

    return talk(home, say, *arguments)


def text(result: Any) -> str:
    """All of a result's text."""
    return "\n".join(block.text for block in result.content)


async def until(event: threading.Event) -> None:
    """Wait for what another thread sees, without keeping the event loop from its work."""
    assert await anyio.to_thread.run_sync(event.wait, PATIENCE_S)


class Raw:
    """A conversation by hand. Every line that comes back must be JSON-RPC; all are kept in `received`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.received: list[dict[str, Any]] = []

    def send(self, **message: Any) -> None:
        """One message."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def line(self) -> dict[str, Any] | None:
        """The next message, None at the end."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            return None
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0", message
        assert message.keys() & {"id", "method"}
        self.received.append(message)
        return message

    def answer(self, number: int) -> dict[str, Any]:
        """The response to a request; what comes before it is read too."""
        while True:
            for message in self.received:
                if message.get("id") == number:
                    return message
            assert self.line() is not None, f"no answer to {number}: {self.received}"

    def progress(self, words: str) -> None:
        """Read on until a progress notification says these words."""
        while (message := self.line()) is not None:
            if words in str(message.get("params", {}).get("message")):
                return
        raise AssertionError(f"no progress: {self.received}")

    def begin(self, version: str = VERSION) -> dict[str, Any]:
        """The handshake."""
        about = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
        self.send(id=0, method="initialize", params=about)
        answer = self.answer(0)
        self.send(method="notifications/initialized")
        return answer

    def call(self, number: int, tool: str, *, token: str | None = None, **arguments: Any) -> None:
        """Begin a call."""
        meta = {"_meta": {"progressToken": token}} if token else {}
        self.send(id=number, method="tools/call", params={"name": tool, "arguments": arguments, **meta})


@contextmanager
def raw(mrt: Command, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Raw]:
    """A running `mrt mcp` to talk to by hand."""
    with mrt.start("mcp", *arguments, env=env) as process:
        guard = threading.Timer(PATIENCE_S, process.kill)
        guard.start()
        try:
            yield Raw(process)
        finally:
            guard.cancel()
            guard.join()
