"""What the tests of mrt demo share: a home that must stay as it is, and a diary of what every process touches."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.command import Command, Home, make_home

CANARY = "sk-canary-0123456789abcdef"
# Python runs this module at start, in the command and in all its children.
_DIARY = """
import json, os, sys
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_diary = os.open({path!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def _note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.bind", "open", "sqlite3.connect"):
        where = arguments[1] if event in ("socket.connect", "socket.bind") else arguments[0]
        wrote = event == "sqlite3.connect" or event == "open" and bool((arguments[2] or 0) & _WRITES)
        os.write(_diary, json.dumps([event, repr(where), wrote]).encode() + b"\\n")
sys.addaudithook(_note)
"""


@dataclass(frozen=True)
class Place:
    """A home with a user's things in it, and a temporary folder that is to be empty in the end."""

    mrt: Command
    home: Home
    temporary: Path
    environment: dict[str, str]

    def left(self) -> list[str]:
        """What is in the temporary folder."""
        return sorted(path.name for path in self.temporary.iterdir())

    def fingerprint(self) -> str:
        """A hash over every file of the home, with its name and time of change."""
        found = hashlib.sha256()
        for path in sorted(self.home.path.rglob("*")):
            status = path.stat()
            content = path.read_bytes() if path.is_file() else b""
            found.update(repr((str(path), status.st_mtime_ns, content)).encode())
        return found.hexdigest()


def make_place(folder: Path) -> Place:
    """A user with a broken config, keys, a proxy, and a store of their own: a demo that reads any of it would show."""
    home = make_home(folder / "home")
    config = home.config / "mrt" / "config.toml"
    config.parent.mkdir()
    config.write_text("this is no TOML")
    store = home.data / "mrt" / "spend.db"
    store.parent.mkdir()
    store.write_bytes(b"this is no store")
    temporary = folder / "tmp"
    temporary.mkdir()
    environment = {
        "TMPDIR": str(temporary),
        "MRT_CONFIG": str(config),
        "MRT_DB": str(store),
        "ANTHROPIC_API_KEY": CANARY,
        "OPENAI_API_KEY": CANARY,
        "OLLAMA_BASE_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "MRT_BUDGET_DAILY_USD": "0",
        "MRT_TIERS_LOCAL_FAST_MODEL": "nowhere/at-all",
    }
    return Place(Command(home), home, temporary, environment)


def with_diary(folder: Path, more: str = "") -> tuple[dict[str, str], Path]:
    """Environment under which every Python process writes down what it opens and connects to, and the file it goes to."""
    modules, diary = folder / "modules", folder / "diary.jsonl"
    modules.mkdir()
    (modules / "sitecustomize.py").write_text(_DIARY.format(path=str(diary)) + more)
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(modules), os.environ.get("PYTHONPATH"))))}, diary


def entries(diary: Path) -> list[tuple[str, Any, bool]]:
    """Event, what it was about, and whether a file was opened to write."""
    return [tuple(json.loads(line)) for line in diary.read_text().splitlines()]
