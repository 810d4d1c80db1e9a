"""What tests of completion share: a home with something of every kind to complete, and real shells to type into."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from rig.command import Command, Home
from rig.home_setup import store_path

from mrt.ledger import append_exchange, open_store

ROOT = Path(__file__).parents[1]
# Shells that edit lines want their terminal to be the one that controls them.
OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
# A name that a server might give its model, and that no shell may ever see.
NASTY = (
    "$(touch pwned)",
    "`touch pwned`",
    "a;touch pwned",
    "x|touch pwned",
    "a b",
    "tab\there",
    "new\nline",
    "it's",
    "*",
    "cost\uff04",
    "un\u200bseen",
)
CONFIG = """
[tiers.local-fast]
model = "box/qwen2.5-coder:7b"
max_complexity = 4
[tiers."big.2"]
model = "box/qwen2.5-coder:14b"
[tiers.cloud]
model = "anthropic/claude-haiku-4-5"
[endpoints.box]
kind = "llamacpp"
url = "http://127.0.0.1:9"
key_cmd = "touch asked-for-a-key"
[aliases]
quick = "box/qwen2.5-coder:7b"
"has a space" = "box/other"
[templates.review]
prompt = "Review this: {input}"
[limits.nightly]
tag = "nightly*"
daily_usd = 0.5
"""


def furnish(home: Home) -> None:
    """A config, a probe cache with models of all sorts of names, a conversation and two runs of bench."""
    folder = home.config / "mrt"
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    names = ["qwen2.5-coder:7b", "qwen2.5-coder:14b", "hf.co/org/model-GGUF:Q4_K_M", *NASTY]
    remember(home, {"box": names, "shop": ["gpt-4o@2024", "m+x=1,2"]})
    (home.data / "mrt" / "bench").mkdir(parents=True)
    for run in ("20261120-090000-ab12", "20261121-153000-cd34"):
        (home.data / "mrt" / "bench" / f"{run}.jsonl").touch()
    with closing(open_store(store_path(home))) as store:
        for name in ("refactor-plan", "übung"):
            append_exchange(store, name, "the secret question", "the secret answer", "op")


def remember(home: Home, seen: Mapping[str, list[str]]) -> None:
    """A probe cache of ready endpoints with these models."""
    reports = [
        {
            "name": name,
            "kind": "llamacpp",
            "url": "http://127.0.0.1:9",
            "state": "ready",
            "models": [{"id": model} for model in models],
            "checked_at": time.time() - number,
        }
        for number, (name, models) in enumerate(seen.items(), 1)
    ]
    path = home.path / "cache" / "mrt" / "probe.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"version": 1, "reports": reports}))


def asked(line: str, shell: str = "bash", **more: str) -> dict[str, str]:
    """The environment in which mrt is asked what can follow this line."""
    return {"_MRT_COMPLETE": f"{shell}_complete", "COMP_LINE": line, **more}


def offered(home: Home, line: str, **more: str) -> list[str]:
    """What mrt offers bash for this line; it must end well and say nothing else."""
    done = Command(home)(env=asked(line, **more))
    assert (done.exit_code, done.stderr) == (0, "")
    return [value for value in (one.partition(",")[2] for one in done.stdout.splitlines()) if value]


def install(home: Home) -> dict[str, str]:
    """Put a command `mrt` onto the path of a shell that starts in this home; its environment."""
    folder = home.path / "bin"
    folder.mkdir(exist_ok=True)
    command = folder / "mrt"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mrt "$@"\n')
    command.chmod(0o755)
    path = f"{folder}{os.pathsep}{home.environment['PATH']}"
    return {**home.environment, "PATH": path, "PYTHONPATH": str(ROOT), "TERM": "xterm", "HOME": str(home.path)}


def type_into(command: list[str], setup: str, line: str, environment: Mapping[str, str], folder: Path) -> list[str]:
    """The words that an interactive shell has after `line` and TAB: its command `show` prints them in angle brackets."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 400, 0, 0))
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, *command], env=environment, cwd=folder, start_new_session=True, **streams
    ) as shell:
        os.close(theirs)
        try:
            os.write(ours, f"{setup}; show REA''DY\r".encode())
            _read_until(ours, "<READY>")
            # Ctrl-A is the beginning of the line in all of them: the words become those of a command that shows them.
            os.write(ours, f"{line}\t\x05 END\x01show \r".encode())
            screen = _read_until(ours, "<END>")
        finally:
            shell.kill()
            os.close(ours)
    printed = re.findall(r"<([^<>\n]*)>", screen)
    return printed[: printed.index("END")]


def _read_until(terminal: int, wanted: str, patience_s: float = 30.0) -> str:
    screen = ""
    until = time.monotonic() + patience_s
    while wanted not in screen:
        ready, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
        assert ready, f"{wanted} did not appear:\n{screen}"
        screen += os.read(terminal, 65536).decode("utf-8", "replace").replace("\r", "")
    return screen
