"""A server that answers by the clock, writes down when it really sent what, and keeps its connections open."""

from __future__ import annotations

import json
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from rig.command import Home
from rig.home_setup import configure, run_here
from rig.loopback import Request, parse_request
from rig.responses import LAST_CHUNK, chunk

PATIENCE_SECONDS = 20.0
EMPTY: dict[str, Any] = {}
ROLE = {"role": "assistant", "content": ""}


@dataclass(frozen=True)
class Pace:
    """What a run looks like: seconds to the first token and between chunks, chunks, and tokens in each.

    A chunk without content comes at `role_after`, then `alive` comments; the first `thoughts` chunks are reasoning; `end` gives
    what follows the content. The connection breaks before chunk `cut_after`.
    """

    first: float = 0.1
    between: float = 0.005
    chunks: int = 40
    tokens_each: int = 3
    role_after: float = 0.01
    alive: int = 0
    thoughts: int = 0
    end: Callable[[int, Sent], list[Any]] = lambda tokens, sent: []
    ollama: bool = False
    cut_after: int | None = None


@dataclass
class Sent:
    """When a request was here, and when each chunk of content left, by the server's own clock."""

    asked: float = 0.0
    chunks: list[float] = field(default_factory=list)
    tokens: int = 0
    body: Any = None
    connection: int = 0

    @property
    def ttft(self) -> float:
        """Seconds to the first chunk with content."""
        return self.chunks[0] - self.asked

    @property
    def rate(self) -> float:
        """Tokens per second after the first."""
        return (self.tokens - 1) / (self.chunks[-1] - self.chunks[0])

    @property
    def between(self) -> float:
        """The median between two chunks."""
        return statistics.median(later - sooner for sooner, later in zip(self.chunks, self.chunks[1:], strict=False))


class TimedServer:
    """Serves chat answers at a pace, each of its connections in a thread of its own."""

    def __init__(self, pace: Pace | Callable[[int], Pace], *, lanes: int = 64) -> None:
        self.pace_of = pace if callable(pace) else (lambda _: pace)
        self.sent: list[Sent] = []
        self.greeted: list[int] = []
        self.connections = 0
        self._lanes = threading.BoundedSemaphore(lanes)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.settimeout(0.05)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept)

    def __enter__(self) -> TimedServer:
        self._acceptor.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        self._acceptor.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection, self.connections))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(0.05)
            while (request := self._read(connection)) is not None:
                asked = time.monotonic()
                if request.method == "GET":
                    self.greeted.append(number)
                    connection.sendall(_document({"data": [{"id": "m"}], "models": [{"name": "m"}]}))
                    continue
                sent = Sent(asked, body=request.json(), connection=number)
                with self._lock:
                    pace = self.pace_of(len(self.sent))
                    self.sent.append(sent)
                with self._lanes:
                    if not self._answer(connection, pace, sent):
                        return

    def _read(self, connection: socket.socket) -> Request | None:
        received = b""
        while (request := parse_request(received) if received else None) is None:
            if self._stop.is_set():
                return None
            with suppress(TimeoutError):
                data = connection.recv(65536)
                if not data:
                    return None
                received += data
        return request

    def _answer(self, connection: socket.socket, pace: Pace, sent: Sent) -> bool:
        kind = "application/x-ndjson" if pace.ollama else "text/event-stream"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        # From when it is free: a request that waits in a queue has its time counted all the same.
        begin = time.monotonic()
        connection.sendall(head)
        if pace.role_after and not pace.ollama:
            self._until(begin + pace.role_after)
            connection.sendall(chunk(_event(pace, ROLE)))
        for _ in range(pace.alive):
            connection.sendall(chunk(b": keep-alive\n\n"))
        for number in range(pace.chunks):
            if pace.cut_after == number:
                return False
            self._until(begin + pace.first + number * pace.between)
            data = chunk(_event(pace, _delta(pace, number)))
            sent.chunks.append(time.monotonic())
            connection.sendall(data)
        sent.tokens = pace.chunks * pace.tokens_each
        tail = b"".join(chunk(_line(pace, document)) for document in pace.end(sent.tokens, sent))
        connection.sendall(tail + (b"" if pace.ollama else chunk(b"data: [DONE]\n\n")) + LAST_CHUNK)
        return True

    def _until(self, moment: float) -> None:
        self._stop.wait(max(0.0, moment - time.monotonic()))


def _document(document: Any) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _delta(pace: Pace, number: int) -> dict[str, str]:
    name = "reasoning_content" if number < pace.thoughts else "content"
    return {name: "one " * pace.tokens_each}


def _event(pace: Pace, delta: dict[str, str]) -> bytes:
    if pace.ollama:
        return _line(pace, {"model": "m", "message": {"role": "assistant", **delta}, "done": False})
    return _line(pace, {"choices": [{"index": 0, "delta": delta}], "model": "m"})


def _line(pace: Pace, document: Any) -> bytes:
    text = json.dumps(document).encode()
    return text + b"\n" if pace.ollama else b"data: " + text + b"\n\n"


def stop(reason: str = "length") -> dict[str, Any]:
    """The chunk that ends an answer."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def without_usage(tokens: int, sent: Sent) -> list[Any]:
    """Nothing is counted."""
    return [stop()]


def with_usage(tokens: int, sent: Sent) -> list[Any]:
    """The API's own count."""
    return [stop(), {"choices": [], "usage": {"prompt_tokens": 150, "completion_tokens": tokens}}]


def with_timings(tokens: int, sent: Sent) -> list[Any]:
    """As llama.cpp: the engine's own clock, and a usage that a proxy on the way got wrong."""
    seconds = sent.chunks[-1] - sent.chunks[0]
    timings = {"prompt_n": 120, "prompt_ms": 60.0, "cache_n": 30, "predicted_n": tokens, "predicted_ms": 1000 * seconds}
    return [stop() | {"timings": timings}, {"choices": [], "usage": {"prompt_tokens": 150, "completion_tokens": 7}}]


def as_ollama(prompt: dict[str, int] | None = None) -> Callable[[int, Sent], list[Any]]:
    """Ollama's last line, with or without what it says of the prompt."""
    said = {"prompt_eval_count": 150, "prompt_eval_duration": 50_000_000} if prompt is None else prompt

    def end(tokens: int, sent: Sent) -> list[Any]:
        seconds = sent.chunks[-1] - sent.chunks[0]
        last = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "length"}
        counted = {"eval_count": tokens, "eval_duration": round(1e9 * seconds), "load_duration": 1_500_000_000}
        return [last | counted | said]

    return end


def as_ollama_answer(pace: Pace, prompt: dict[str, int] | None = None) -> Pace:
    """The same answer in Ollama's own protocol."""
    return replace(pace, ollama=True, alive=0, end=as_ollama(prompt))


def settle(home: Home, url: str, kind: str = "vllm", **more: Any) -> Path:
    """One tier at that address."""
    return configure(
        home,
        {"tiers.one": {"model": "box/m"}, "endpoints.box": {"kind": kind, "url": url}, "ask": {"retries": 0}} | more,
    )


def speed(home: Home, *arguments: str, code: int = 0) -> dict[str, Any]:
    """`mrt bench --speed-only --json` with the shortest prompts: its data."""
    given = ("--prompt-tokens", "128") if "--prompt-tokens" not in arguments else ()
    result = run_here(
        home, "bench", "--speed-only", *given, *arguments, "--json", env={"LOCAL_LLM_BASE_URL": "http://127.0.0.1:9"}
    )
    assert result.exit_code == code, result.stderr
    data: dict[str, Any] = json.loads(result.stdout)["data"]
    return data


def measured(server: TimedServer, skip: int = 2) -> Iterator[Sent]:
    """The requests that count: not the first, nor the one that warms up."""
    yield from server.sent[skip:]
