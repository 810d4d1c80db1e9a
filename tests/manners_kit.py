"""A home in which every command of mrt has something to do, and the ways to run them all as a shell does."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from rig.bench import model, solves, suite_folder
from rig.command import Command, Result
from rig.home_setup import beginning, configure, ladder, run_here, says
from rig.inside import inside
from rig.json_contract import commands
from rig.loopback import Action, Request, Response, ScriptedServer
from rig.responses import chunk as http_chunk
from rig.responses import json_response, sse, sse_event
from rig.wire_chat import DONE, RAIN, STOP, chunk, say

from mrt.bench.sandbox.executor import UNSAFE_FLAG, UNSAFE_VARIABLE
from mrt.cli import run
from mrt.output import Console

KEY = "sk-canary-manners-0123456789"
# A name longer than any terminal is wide: a table that cuts it shows.
LONG_MODEL = "a-model-whose-name-is-longer-than-eighty-columns-" + "x" * 60
EVERY = commands()
# What each command is given so that it has something to do; one that is not here is run alone.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "ask": ("hi",),
    "route": ("--explain", "hi"),
    "route feedback": ("good",),
    "fit": ("llama3.1:8b", "--vram", "16GiB", "--explain"),
    "probe models": ("--cached",),
    "spend backup": ("copy.db", "--force"),
    "spend import": ("calls.jsonl",),
    "spend prices": ("openai/gpt-4o",),
    "spend reprice": ("--dry-run",),
    "spend why": ("CALL",),
    "bench": ("--speed-only", "--prompt-tokens", "16", "--repetitions", "1", "only"),
    "bench compare": ("one", "two"),
    "bench diff": ("one", "two"),
    "bench grade": ("--suite", "own", "answers.jsonl"),
    "bench lint": ("own",),
    "bench proof": ("--suite", "own"),
    "bench replay": ("one", "two"),
    "bench report": ("one",),
    "bench rescore": ("one",),
    "bench tasks": ("--suite", "own"),
    "config get": ("tiers.only.model",),
    "config init": ("--config", "new.toml", "--force"),
    "config set": ("ask.retries", "0"),
    "completion": ("bash",),
    "help": ("json",),
    "export ollama-modelfile": ("only",),
    "mcp config": ("claude-code",),
    "top": ("--once",),
}
# They speak a protocol, not to people, or do nothing without a command of theirs but show help.
PROTOCOLS = ("mcp",)
SHOWN_AS_HELP = ("config", "export")
PRINTS_NO_JSON = (*PROTOCOLS, *SHOWN_AS_HELP)
# They take a second or more, and are tried by tests of their own.
SLOW = ("demo", "mcp")


class Screen(io.StringIO):
    """A terminal that keeps all that it was shown."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Manners:
    """The command in its home, and the server that answers there."""

    mrt: Command
    server: ScriptedServer
    call: str
    every: tuple[str, ...] = tuple(name for name in EVERY if name not in SLOW)

    def __call__(self, *arguments: str | Path, **options: Any) -> Result:
        """Run mrt as the rig does."""
        return self.mrt(*arguments, **options)

    def here(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Result:
        """The same in this process, which takes a tenth of the time: for what is tried on every command."""
        helped = io.StringIO()  # help goes past the console
        with chdir(self.mrt.home.path), redirect_stdout(helped):
            result = run_here(self.mrt.home, *arguments, env=env)
        return replace(result, stdout_bytes=helped.getvalue().encode() + result.stdout_bytes)

    def writing_to(self, stdout: TextIO, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        """In this process, too, with a standard output of one's own; the result has what else was said."""
        stderr = Screen() if stdout.isatty() else io.StringIO()
        with chdir(self.mrt.home.path), redirect_stdout(stdout):
            console = Console(None, stdout, stderr, {**self.mrt.home.environment, **(env or {})})
            code = run(arguments, console)
        return Result(b"", stderr.getvalue().encode(), code)

    def words(self, name: str) -> list[str]:
        """A command with its usual arguments."""
        return [*name.split(), *(self.call if word == "CALL" else word for word in ARGUMENTS.get(name, ()))]

    def shell(self, script: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a script in bash, in which `mrt` is the command."""
        prelude = f'mrt() {{ "{sys.executable}" -m mrt "$@"; }}\n'
        environment = {**self.mrt.home.environment, **(env or {})}
        return subprocess.run(
            ["bash", "-c", prelude + script],
            env=environment,
            cwd=self.mrt.home.path,
            capture_output=True,
            text=True,
            timeout=60,
        )


def answer(request: Request) -> Response:
    """Paris, or the solution of a task of the bench."""
    if "def add_" in request.body.decode():
        response: Response = model(solves)["/v1/chat/completions"](request)
        return response
    return says("Par", "is.")


@contextmanager
def manners(mrt: Command) -> Iterator[Manners]:
    """A home with a tier that has a key, a call, two runs of the bench, and files for what reads files."""
    listing = json_response(200, {"object": "list", "data": [{"id": "m"}, {"id": LONG_MODEL}]})
    with ScriptedServer({"/v1/models": listing, "*": answer}) as server:
        tables = ladder(only=server.url)
        tables["tiers.only"] |= {"think": "off"}
        tables["endpoints.only"]["key_file"] = "key"
        path = configure(mrt.home, tables)
        (path.parent / "key").write_text(KEY + "\n")
        (path.parent / "key").chmod(0o600)
        yield Manners(mrt, server, _fill(mrt))


def _fill(mrt: Command) -> str:
    """Gives the id of the first call."""
    home = mrt.home
    first = json.loads(run_here(home, "ask", "--json", "hi").stdout)["data"]["id"]
    assert run_here(home, "ask", "-m", f"only/{LONG_MODEL}", "hi").exit_code == 0
    assert run_here(home, "probe", "--endpoint", "only").exit_code == 0
    (home.path / "broken.toml").write_text("[tiers.x]\nmodell = 1\n")
    (home.path / "down.toml").write_text(
        '[tiers.x]\nmodel = "box/m"\n[endpoints.box]\nkind = "vllm"\nurl = "http://127.0.0.1:9"\n[ask]\nretries = 0\n'
    )
    (home.path / "calls.jsonl").write_bytes(run_here(home, "spend", "export").stdout_bytes)
    folder = suite_folder(home.path / "own", {1: 1, 2: 2})
    (home.path / "answers.jsonl").write_text(json.dumps({"task": "add-1", "answer": "def add_1(n): return n + 1"}))
    for name in ("one", "two"):
        # The answers are the tests' own: where there is no sandbox, they are graded all the same.
        run = run_here(
            home,
            "bench",
            "--quality-only",
            "--tasks",
            folder,
            "only",
            "--json",
            UNSAFE_FLAG,
            env={UNSAFE_VARIABLE: "1"},
        )
        assert run.exit_code == 0, run.stderr
        runs = home.data / "mrt" / "bench"
        journal = runs / f"{json.loads(run.stdout)['data']['run_id']}.jsonl"
        journal.write_text(journal.read_text().replace(journal.stem, name))
        journal.rename(runs / f"{name}.jsonl")
    return str(first)


def booked(found: Manners) -> list[dict[str, Any]]:
    """The calls of the store, newest first."""
    rows: list[dict[str, Any]] = json.loads(found("spend", "log", "--json").stdout)["data"]["calls"]
    return rows


def processes_with(text: bytes) -> list[bytes]:
    """Command lines of this machine's processes that hold this text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        found += [line] if text in line else []
    return found


def watched(folder: Path, log: Path) -> dict[str, str]:
    """Environment under which every address that Python connects to, or looks up, is written to `log`."""
    return inside(folder, _WATCH.format(log=str(log)))


_WATCH = """
import sys

def hook(event, values):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        with open({log!r}, "a") as log:
            print(event, repr(values[1:] if event == "socket.connect" else values), file=log)

sys.addaudithook(hook)
"""


def on_screen(mrt: Command, line: list[str], env: dict[str, str]) -> tuple[int, str]:
    """The exit code and the text of a command with a terminal of 24 lines for all three streams."""
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown: list[bytes] = []
    with mrt.start(*line, env=env, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        with suppress(OSError):
            while data := os.read(screen, 65536):
                shown.append(data)
        code = process.wait(20)
    os.close(screen)
    return code, b"".join(shown).decode()


def said(word: str) -> list[bytes]:
    """The piece of a stream that says this."""
    return [http_chunk(sse_event(say(word)[-1]))]


END = [http_chunk(sse_event(STOP) + sse_event(DONE)), b"0\r\n\r\n"]
# Every way a server is known to fail without saying so.
SILENT: dict[str, Any] = {
    "cut": sse(RAIN),
    "empty": says(),
    "length": says("It rains", finish="length"),
    "filter": says("It rains", finish="content_filter"),
    "error in the stream": sse([*RAIN, {"error": {"message": "worker died"}}]),
    "no delta": sse([STOP, DONE]),
    "dropped": [*beginning("It rains."), Action.CLOSE],
    "error with 200": json_response(200, {"error": {"message": "no slot is left"}}),
    "tool calls": sse([chunk({"tool_calls": [{"index": 0, "function": {"name": "dig"}}]}, "tool_calls"), DONE]),
}
# What people get wrong; none of it is a failure of mrt.
MISTAKES: tuple[list[str], ...] = (
    ["ask", "--config", "down.toml", "hi"],
    ["ask", "--config", "broken.toml", "hi"],
    ["ask", "--config", "none.toml", "hi"],
    ["ask", "-f", "none.txt", "hi"],
    ["route", "--tier", "onyl", "hi"],
    ["fit", "no-such-model:1b", "--vram", "8GiB"],
    ["fit", "none.gguf"],
    ["probe", "--endpoint", "onyl"],
    ["probe", "--wait", "--timeout", "0.3", "--config", "down.toml"],
    ["spend", "--since", "yesterday"],
    ["spend", "why", "none"],
    ["spend", "import", "none.jsonl"],
    ["bench", "report", "none"],
    ["bench", "lint", "none"],
    ["bench", "onyl"],
    ["config", "get", "ask.max_token"],
    ["config", "set", "ask.max_tokens", "many"],
    ["completion", "tcsh"],
    ["help", "exit-code"],
)
