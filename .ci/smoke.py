"""Try an installed `mrt`: with no server, and against a small loopback server. Uses nothing but the standard library."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

ANSWER = "Paris."
SOURCE = Path(__file__).parents[1] / "mrt"


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
    """Run a command, compare what comes of it, and return what it prints; `code` may be several."""
    codes = code if isinstance(code, tuple) else (code,)
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    wrong = done.returncode not in codes or (stdout is not None and done.stdout != stdout)
    if wrong or (stderr is not None and stderr not in done.stderr):
        sys.exit(f"{command} gave {done.returncode}\nstdout: {done.stdout}\nstderr: {done.stderr}")
    print("ok:", *command[1:])
    return done.stdout


def expect_data():
    """Compare the package data that is installed with what the source tree has."""
    installed = files("mrt")
    wanted = [path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("data/**/*")) if path.is_file()]
    missing = [str(path) for path in wanted if not installed.joinpath(*path.parts).is_file()]
    if missing or not wanted:
        sys.exit(f"not in the wheel: {', '.join(missing) or 'any data'}")
    print("ok:", len(wanted), "data files")


def expect_offline(mrt, environment):
    """What works with no network and no server: every table of the package data is read."""
    expect([mrt, "fit", "qwen2.5-coder:7b", "--vram", "8GiB"], environment, 0)
    found = json.loads(expect([mrt, "fit", "gemma3:27b", "--gpu", "RTX 4090", "--json"], environment, 0))
    if found["data"]["devices"][0]["name"] != "GeForce RTX 4090":
        sys.exit(f"another GPU than was asked for: {found['data']['devices']}")
    expect([mrt, "fit", "--selftest"], environment, 0)
    tier = json.loads(expect([mrt, "route", "--json", "implement LRU cache"], environment, 0))["data"]["tier"]
    if tier not in expect([mrt, "route", "implement LRU cache"], environment, 0):
        sys.exit(f"the tier is {tier} in JSON alone")
    expect([mrt, "spend", "prices", "anthropic/claude-haiku-4-5"], environment, 0)
    expect([mrt, "bench", "tasks"], environment, 0)
    # No server has to run here, and whether one does is no matter of the wheel's.
    json.loads(expect([mrt, "probe", "--json"], environment, (0, 3)))


def expect_demo(mrt, environment):
    """The demo checks itself; here that nothing but the wheel is needed, and that nothing stays behind."""
    with tempfile.TemporaryDirectory() as temporary:
        environment = environment | {"TMPDIR": temporary}
        shown = expect([mrt, "demo"], environment, 0)
        steps = json.loads(expect([mrt, "demo", "--json"], environment, 0))["data"]["steps"]
        if "SIMULATED" not in shown or not all(f"$ {step['command']}\n" in shown for step in steps):
            sys.exit(f"the demo shows something else:\n{shown}")
        if left := [*Path(temporary).iterdir()]:
            sys.exit(f"the demo leaves {left}")
    expect([mrt, "demo", "--engine"], environment, 2, stdout="", stderr="hint: pip install 'mrt[engine]'")


def main(mrt):
    """The smoke test."""
    with tempfile.TemporaryDirectory() as home, ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {"PATH": os.environ["PATH"], "HOME": home, "OLLAMA_BASE_URL": "http://127.0.0.1:9"}
        expect([mrt, "--version"], environment, 0)
        expect([mrt, "--help"], environment, 0)
        expect([mrt, "config", "check"], environment, 0)
        expect([mrt, "modles"], environment, 2, stdout="")
        expect_data()
        expect_offline(mrt, environment)
        expect_demo(mrt, environment)
        expect([mrt, "ask", "--dry-run", "implement an LRU cache"], environment, 0)
        expect([mrt, "ask", "hi"], environment, 3, stdout="", stderr="no tier could answer")
        local = environment | {"LLAMACPP_BASE_URL": f"http://127.0.0.1:{server.server_port}"}
        expect([mrt, "ask", "-m", "llamacpp/any", "capital of France"], local, 0, stdout=ANSWER + "\n")
        server.shutdown()


main(sys.argv[1])
