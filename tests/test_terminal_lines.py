"""What a terminal alone is shown: the line that is written over while something takes its time, and the pager."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest
from rig.command import Command
from rig.home_setup import configure, ladder, says
from rig.inside import inside
from rig.loopback import ScriptedServer

from mrt.output import Console
from mrt.output.pager import is_long, pager_of

ERASED = "\r\x1b[K"


@contextmanager
def terminal(rows: int, columns: int) -> Iterator[tuple[int, TextIO]]:
    """A terminal of this size: the end that shows, and the one that is written to."""
    screen, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with os.fdopen(end, "w") as stream:
        yield screen, stream
    os.close(screen)


def seen(screen: int, wanted: str) -> str:
    """As much as is wanted of what the terminal shows next."""
    shown = b""
    while len(shown) < len(wanted.encode()):
        shown += os.read(screen, 4096)
    return shown.decode()


@pytest.mark.parametrize(("columns", "cells"), [(200, 79), (80, 79), (40, 39), (0, 79)])
def test_the_line_is_never_broken_and_leaves_nothing_behind(columns: int, cells: int) -> None:
    with terminal(24, columns) as (screen, stream):
        console = Console(None, stream, stream, {"TERM": "xterm"})
        for text, wanted in (("\x1b[31m" + "x" * 100, "x" * cells), ("字" * 100, "字" * (cells // 2))):
            with console.waiting(text):
                assert seen(screen, ERASED + wanted) == ERASED + wanted
                console.note("first")
                assert seen(screen, wanted := f"{ERASED}first\r\n") == wanted
        console.progress("more")
        console.progress("")
        assert seen(screen, wanted := f"{ERASED}more{ERASED}") == wanted


@pytest.mark.parametrize(
    ("console_settings", "environment"),
    [({"quiet": True}, {}), ({"no_color": True}, {}), ({}, {"NO_COLOR": "1"}), ({}, {"TERM": "dumb"})],
)
def test_the_line_is_not_shown_where_plain_text_is_wanted(
    console_settings: dict[str, bool], environment: dict[str, str]
) -> None:
    with terminal(24, 80) as (screen, stream):
        console = Console(None, stream, stream, environment, **console_settings)  # type: ignore[arg-type]
        with console.waiting("asking ..."):
            pass
        console.write("end")
        assert seen(screen, "end") == "end"


def test_nothing_of_it_stands_in_the_answer(mrt: Command) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server:
        configure(mrt.home, ladder(only=server.url))
        shown = mrt("ask", "hi", tty=True).stdout
        as_json = mrt("ask", "--json", "hi", tty=True).stdout
    before, erased, after = shown.rpartition(ERASED)
    assert (erased, "..." in before, "..." in after) == (ERASED, True, False)
    assert as_json.rpartition(ERASED)[2].startswith("{")


LOADS = """
import os, sys

def hook(event, values):
    if event == "import" and values[0] in ("mrt.cascade", "mrt.endpoints", "mrt.bench.run", "mrt.ledger", "httpx", "sqlite3"):
        os.write(2, b"<loads>")

sys.addaudithook(hook)
"""


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        (["ask", "hi"], "deciding who answers"),
        (["bench", "--quick", "only"], "getting ready"),
        (["bench", "--speed-only", "only"], "getting ready"),
        (["probe"], "looking at the servers"),
        (["probe", "--watch", "--endpoint", "nobody"], "looking at the servers"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_a_sign_of_life_comes_before_what_takes_time_to_load(
    mrt: Command, tmp_path: Path, line: list[str], sign: str
) -> None:
    configure(mrt.home, ladder(only="http://127.0.0.1:9") | {"ask": {"retries": 0}})
    shown = mrt(*line, tty=True, env=inside(tmp_path / "site", LOADS)).stdout
    before, loads, _ = shown.partition("<loads>")
    assert loads
    assert sign in before


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, ["less"]),
        ({"PAGER": "more"}, ["more"]),
        ({"PAGER": "less -R '--prompt=a b'"}, ["sh", "-c", "less -R '--prompt=a b'"]),
        ({"PAGER": "'/opt/my pager' -x"}, ["/opt/my pager", "-x"]),
        ({"PAGER": "LESS=R less"}, ["sh", "-c", "LESS=R less"]),
        ({"PAGER": "col -b | less"}, ["sh", "-c", "col -b | less"]),
        ({"PAGER": "more", "MRT_PAGER": "less -S"}, ["less", "-S"]),
        ({"PAGER": "more", "MRT_PAGER": ""}, []),
        ({"PAGER": "cat"}, []),
        ({"PAGER": " "}, []),
        ({"PAGER": "less '"}, []),
        ({"PAGER": "less", "TERM": "dumb"}, []),
        ({"PAGER": "less", "TERM": ""}, []),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_which_pager(environment: dict[str, str], words: list[str]) -> None:
    assert pager_of({"TERM": "xterm", **environment}) == words
    assert pager_of({"PAGER": "less"}) == []  # no terminal that anybody knows


@pytest.mark.parametrize(
    ("rows", "columns", "text", "long"),
    [
        (3, 10, "a\nb", False),
        (3, 10, "a\nb\nc", True),
        (3, 10, "x" * 20, False),
        (3, 10, "x" * 21, True),
        (0, 0, "a\n" * 99, False),
    ],
    ids=["fits", "one-too-many", "fits-broken", "too-long-broken", "size-unknown"],
)
def test_what_is_too_long_for_a_screen(rows: int, columns: int, text: str, long: bool) -> None:
    with terminal(rows, columns) as (_, stream):
        assert is_long(text, stream) == long
