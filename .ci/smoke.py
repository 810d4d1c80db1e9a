"""Try an installed `mrt`: with no server, and against a small loopback server. Uses nothing but the standard library."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = "Paris."


class Chat(BaseHTTPRequestHandler):
    """Streams one answer, whatever is asked."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        chunks = [{"delta": {"content": ANSWER}}, {"delta": {}, "finish_reason": "stop"}]
        lines = [f"data: {json.dumps({'choices': [{'index': 0, **chunk}]})}\n\n" for chunk in chunks]
        body = "".join([*lines, "data: [DONE]\n\n"]).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def expect(command, environment, code, stdout=None, stderr=None):
    """Run a command and compare what comes of it."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    wrong = done.returncode != code or (stdout is not None and done.stdout != stdout)
    if wrong or (stderr is not None and stderr not in done.stderr):
        sys.exit(f"{command} gave {done.returncode}\nstdout: {done.stdout}\nstderr: {done.stderr}")
    print("ok:", *command[1:])


def main(mrt):
    """The smoke test."""
    with tempfile.TemporaryDirectory() as home, ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {"PATH": os.environ["PATH"], "HOME": home, "OLLAMA_BASE_URL": "http://127.0.0.1:9"}
        expect([mrt, "--version"], environment, 0)
        expect([mrt, "--help"], environment, 0)
        expect([mrt, "config", "check"], environment, 0)
        expect([mrt, "modles"], environment, 2, stdout="")
        expect([mrt, "ask", "--dry-run", "implement an LRU cache"], environment, 0)
        expect([mrt, "ask", "hi"], environment, 3, stdout="", stderr="no tier could answer")
        local = environment | {"LLAMACPP_BASE_URL": f"http://127.0.0.1:{server.server_port}"}
        expect([mrt, "ask", "-m", "llamacpp/any", "capital of France"], local, 0, stdout=ANSWER + "\n")
        server.shutdown()


main(sys.argv[1])
