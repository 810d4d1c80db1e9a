"""Measure what mrt costs beside what it is compared with, in one run: `python -m tests.benchmarks`.

CPU time of a command and its children, user and system, median of many alternating runs, so that a noisy machine slows both
sides alike.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROUNDS = int(os.environ.get("MRT_BENCHMARK_ROUNDS", "15"))
HERE = Path(__file__).parent
TOKENS = 1_000_000


class InstantChat(BaseHTTPRequestHandler):
    """Streams an answer at once; `/stream/N` in the path sends N tokens."""

    protocol_version = "HTTP/1.0"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for start in range(0, self._tokens(), 1000):
            words = [f"w{number} " for number in range(start, min(start + 1000, self._tokens()))]
            self.wfile.write(b"".join(_event({"delta": {"content": word}}) for word in words))
        usage = {"usage": {"prompt_tokens": 3, "completion_tokens": 2}, "choices": []}
        self.wfile.write(
            _event({"delta": {}, "finish_reason": "stop"}) + b"data: " + json.dumps(usage).encode() + b"\n\n"
        )
        self.wfile.write(b"data: [DONE]\n\n")

    def _tokens(self) -> int:
        _, stream, rest = self.path.partition("/stream/")
        return int(rest.partition("/")[0]) if stream else 2

    def log_message(self, *_: object) -> None:
        pass


def _event(choice: dict[str, object]) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n"


@contextmanager
def served() -> Iterator[tuple[str, dict[str, str]]]:
    """A zero-latency server's address, and an environment with a home of its own."""
    with tempfile.TemporaryDirectory() as home, ThreadingHTTPServer(("127.0.0.1", 0), InstantChat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"}
        server.shutdown()


def cpu_ms(command: list[str], environment: dict[str, str]) -> float:
    """CPU time of one run in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def compare(name: str, ours: list[str], theirs: list[str], environment: dict[str, str], bound: float) -> None:
    """Print the ratio of two commands' CPU times, run in turn."""
    for command in (ours, theirs):
        cpu_ms(command, environment)
    pairs = [(cpu_ms(ours, environment), cpu_ms(theirs, environment)) for _ in range(ROUNDS)]
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(mine / other for mine, other in pairs)
    print(f"{name:<28} {mine:7.1f} ms  beside {other:7.1f} ms  ratio {ratio:.2f}  (bound {bound:g})")


def peak_mib(command: list[str], environment: dict[str, str]) -> float:
    """Peak resident memory of one run in MiB."""
    measure = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
    measure += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run(
        [sys.executable, "-c", measure, *command], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout) / 1024


def main() -> None:
    """Run all comparisons."""
    mrt = [sys.executable, "-m", "mrt"]
    click = [sys.executable, "-c", "import click"]
    with served() as (url, environment):
        compare("mrt --help", [*mrt, "--help"], click, environment, 2)
        compare("mrt route", [*mrt, "route", "implement an LRU cache"], click, environment, 2)
        completion = environment | {"_MRT_COMPLETE": "bash_complete", "COMP_WORDS": "mrt a", "COMP_CWORD": "1"}
        compare("completion", mrt, click, completion, 2)
        compare("mrt fit TAG", [*mrt, "fit", "llama3.1:8b", "--vram", "12GiB"], click, environment, 2.5)
        ranking = cpu_ms([*mrt, "fit", "--vram", "24GiB"], environment)
        print(f"{'mrt fit':<28} {ranking:7.1f} ms  (bound 500)")
        config = Path(environment["HOME"]) / "config.toml"
        config.write_text(_config(url))
        asking = environment | {"MRT_CONFIG": str(config)}
        script = [sys.executable, str(HERE / "plain_script.py"), url, str(Path(environment["HOME"]) / "plain.db"), "hi"]
        compare("mrt ask", [*mrt, "ask", "hi"], script, asking, 1.25)
        config.write_text(_config(f"{url}/stream/1000"))
        few = peak_mib([*mrt, "ask", "hi"], asking)
        config.write_text(_config(f"{url}/stream/{TOKENS}"))
        many = peak_mib([*mrt, "ask", "hi"], asking)
        print(
            f"peak memory: {few:.1f} MiB for 1,000 tokens, {many:.1f} MiB for {TOKENS:,} ({(TOKENS * 7) / 2**20:.0f} MiB of text)"
        )


def _config(url: str) -> str:
    return f'[tiers.only]\nmodel = "here/model"\n[endpoints.here]\nkind = "vllm"\nurl = "{url}"\n'


if __name__ == "__main__":
    main()
