"""A real HTTP server on the loopback interface, in threads of this process, that answers as a function says."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from mrt.errors import MrtError
from mrt.frozen import frozen

JSON = "application/json; charset=utf-8"
# How soon a server that is told to stop does so.
_LOOK_S = 0.02
# An idle connection is given up after so long, so that no thread waits for ever.
_IDLE_S = 10.0
_LARGEST_BODY = 4 * 2**20


@frozen
class Question:
    """A request: `headers` have names in lower case, `document` is its JSON body, None without one that can be read."""

    method: str
    path: str
    headers: Mapping[str, str]
    document: Any


@frozen
class Answer:
    """A response whose pieces are sent as they come."""

    pieces: Iterable[bytes]
    kind: str = JSON
    status: int = 200


Service = Callable[[Question], Answer]


def json_answer(document: Any, status: int = 200) -> Answer:
    """One JSON document."""
    return Answer([json.dumps(document).encode()], status=status)


@contextlib.contextmanager
def serving(service: Service) -> Iterator[str]:
    """The address of a server that answers as `service` says while the block runs. Raises MrtError when no port is to be had."""
    handler = type("Handler", (_Handler,), {"service": staticmethod(service)})
    try:
        server = _Server(("127.0.0.1", 0), handler)
    except OSError as error:
        raise MrtError(
            f"cannot listen on 127.0.0.1: {error.strerror}", "the demo needs loopback connections"
        ) from error
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(_LOOK_S,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    # Not http.server's own, which looks up the name of its host when it starts.
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle of an answer is none of the reader's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "mrt-demo", ""
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    service: Service

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            self._send(json_answer({"error": "a body of a known length is wanted"}, 411))
            return
        try:
            document = json.loads(self.rfile.read(int(length)))
        except ValueError:
            self._send(json_answer({"error": "the body is no JSON"}, 400))
            return
        self._answer(document)

    def _answer(self, document: Any) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.service(Question(self.command, self.path.partition("?")[0], headers, document)))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", answer.kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in answer.pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: Any) -> None:
        """Nothing: the demo shows what mrt says, not what its servers do."""
