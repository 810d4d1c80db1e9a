"""`mrt top` as a user runs it: on a terminal, through a pipe, for scripts, with real asks under way."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from rig.cast import FAST_MODEL
from rig.command import Command
from rig.home_setup import beginning, configure, ladder
from rig.llama_server import LlamaServer, llama_server
from rig.loopback import Action, Request, ScriptedServer, Wait
from rig.responses import json_response, sse
from rig.scripted_model import write_model
from rig.wire_chat import say
from top_kit import (
    ENTER,
    LEAVE,
    NOWHERE,
    PATIENCE_S,
    Terminal,
    boxes,
    interrupt,
    read_lines,
    shown,
    terminal,
    until_heard,
)

QUICK = ("--interval", "0.1")


@pytest.fixture
def stalled() -> Iterator[ScriptedServer]:
    """Lists one model, begins every answer, and never goes on."""
    models = json_response(200, {"data": [{"id": "m"}]})
    with ScriptedServer({"/v1/models": models, "*": [*beginning("well "), Action.HOLD]}) as server:
        yield server


def money(**tables: Mapping[str, Any]) -> dict[str, Any]:
    """A budget that allows no call to the endpoint `cloud`."""
    return {
        "budget": {"daily_usd": 0.0001},
        'prices."cloud/m"': {"input_usd_per_mtok": 10.0, "output_usd_per_mtok": 50.0},
        **tables,
    }


def picture_with(*words: str) -> Any:
    """Whether the last picture has all these words."""

    def done(received: bytes) -> bool:
        last = shown(received.rpartition(b"\x1b[?2026h")[2])
        return all(word in last for word in words)

    return done


def test_an_ask_is_seen_while_it_is_under_way_and_when_it_has_ended(mrt: Command, stalled: ScriptedServer) -> None:
    configure(mrt.home, boxes(box=stalled.url))
    with terminal(mrt, "top", *QUICK, **NOWHERE) as top:
        top.read_until(picture_with("nothing is recorded yet"))
        with mrt.start("ask", "hi", "--no-stdin") as ask:
            top.read_until(picture_with("1 under way", "box/m", "~2 ", "writes"))
            first = _age(top)
            top.read_until(lambda _: _age(top) > first)
            interrupt(ask)
        top.read_until(picture_with("nothing under way", "interrupted"))
        assert interrupt(top.process) in (130, -signal.SIGINT)


def _age(top: Terminal) -> float:
    """The age of the only request, as the last picture has it; 0 while there is none."""
    line = next((line for line in top.picture().splitlines() if "box/m" in line and "writes" in line), "")
    words = line.split()
    return float(words[words.index("s") - 1]) if "s" in words else 0.0


def test_the_speed_is_told_while_tokens_come(mrt: Command) -> None:
    go_on = threading.Event()

    def answer(_: Request) -> Iterator[Any]:
        yield from beginning("one")
        for number in range(100_000):
            yield Wait(go_on, 0.02)
            yield sse(say(f" word{number}"), finish=False)[-1]

    routes: dict[str, Any] = {"/v1/models": json_response(200, {"data": [{"id": "m"}]}), "*": answer}
    with ScriptedServer(routes) as server:
        configure(mrt.home, boxes(box=server.url))
        with (
            mrt.start("ask", "hi", "--no-stdin", "--stream", stdout=subprocess.DEVNULL),
            terminal(mrt, "top", *QUICK, **NOWHERE) as top,
        ):
            top.read_until(lambda received: b"tok/s" in received and "writes" in top.picture())
            top.read_until(lambda _: any("~" in line and "box/m" in line for line in top.picture().splitlines()))
            data = json.loads(mrt("top", "--json", env=NOWHERE).stdout)["data"]
            (request,) = data["requests"]
    assert request["state"] == "writing"
    # At most one word in 20 ms, of two tokens each as estimates go.
    assert 1 < request["tokens_per_second"] < 120
    assert data["endpoints"][0] | {"url": ""} == data["endpoints"][0] | {"url": "", "state": "working", "requests": 1}


@pytest.mark.parametrize("ending", ["q", "SIGINT", "SIGTERM", "SIGHUP"])
def test_the_terminal_is_given_back_however_it_ends(mrt: Command, ending: str) -> None:
    with terminal(mrt, "top", *QUICK, **NOWHERE) as top:
        before = top.settings()
        top.read_until(picture_with("mrt top"))
        assert top.settings()[3] & termios.ECHO == 0
        if ending == "q":
            top.press(b"q")
        else:
            top.process.send_signal(getattr(signal, ending))
        code = top.end()
        assert top.settings() == before
    assert top.received.startswith(ENTER)
    after = shown(top.received.rpartition(LEAVE)[2])
    assert top.received.count(LEAVE) == 1
    assert code in {"q": (0,), "SIGINT": (130, -2), "SIGTERM": (143,), "SIGHUP": (129,)}[ending]
    assert after == ("" if ending in ("q", "SIGINT") else "error: interrupted\r\n")


def test_ctrl_z_gives_the_terminal_back_until_work_goes_on(mrt: Command) -> None:
    with terminal(mrt, "top", *QUICK, session=False, **NOWHERE) as top:
        before = top.settings()
        top.read_until(picture_with("mrt top"))
        top.process.send_signal(signal.SIGTSTP)
        os.waitid(os.P_PID, top.process.pid, os.WSTOPPED | os.WNOWAIT)
        top.read_until(lambda received: received.endswith(LEAVE))
        assert top.settings()[3] & termios.ECHO == before[3] & termios.ECHO
        top.process.send_signal(signal.SIGCONT)
        top.read_until(lambda received: received.count(ENTER) == 2 and picture_with("mrt top")(received))
        top.press(b"q")
        assert top.end() == 0


def test_ctrl_z_stops_nothing_where_nobody_could_wake_it(mrt: Command) -> None:
    with terminal(mrt, "top", *QUICK, **NOWHERE) as top:
        top.read_until(picture_with("mrt top"))
        top.process.send_signal(signal.SIGTSTP)
        top.read_until(lambda received: received.count(ENTER) == 2 and picture_with("mrt top")(received))
        top.press(b"q")
        assert top.end() == 0


# The shell of a terminal, which starts a command behind itself, and says whether it stopped.
BEHIND = """
import fcntl, os, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
with subprocess.Popen(sys.argv[1:], process_group=0) as behind:
    print(os.WIFSTOPPED(os.waitpid(behind.pid, os.WUNTRACED)[1]), flush=True)
    behind.kill()
"""


def test_in_the_background_it_leaves_the_screen_alone(mrt: Command) -> None:
    screen, inner = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-c", BEHIND, sys.executable, "-m", "mrt", "top"],
            env={**mrt.home.environment, **NOWHERE},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
            timeout=PATIENCE_S,
            check=True,
        )
        assert os.read(screen, 65536) == b"True\r\n"
    finally:
        os.close(inner)
        os.close(screen)


def test_a_new_size_is_drawn_at_once(mrt: Command) -> None:
    configure(mrt.home, ladder(box="http://127.0.0.1:9"))
    with terminal(mrt, "top", "--interval", "600", **NOWHERE) as top:
        top.read_until(picture_with("nothing is recorded yet"))
        top.resize(12, 5)
        top.read_until(lambda received: "nothing is r" not in top.picture() and "nothing is…" in top.picture())
        top.press(b"q")
        assert top.end() == 0


@pytest.mark.parametrize(("variables", "arguments"), [({"NO_COLOR": "1"}, ()), ({}, ("--no-color",))])
def test_without_colour_the_screen_is_drawn_without_any(
    mrt: Command, variables: dict[str, str], arguments: Sequence[str]
) -> None:
    with terminal(mrt, "top", *QUICK, *arguments, **NOWHERE, **variables) as top:
        top.read_until(picture_with("mrt top"))
        top.press(b"q")
        assert top.end() == 0
    assert b"m" not in {part[-1:] for part in re.findall(rb"\x1b\[[0-9;]*[a-zA-Z]", top.received)}


def test_a_dumb_terminal_gets_lines(mrt: Command, stalled: ScriptedServer) -> None:
    configure(mrt.home, boxes(box=stalled.url))
    with terminal(mrt, "top", *QUICK, TERM="dumb", **NOWHERE) as top, mrt.start("ask", "hi", "--no-stdin"):
        top.read_until(lambda received: b"started      box box/m" in received)
        assert b"\x1b" not in top.received
        interrupt(top.process)


def test_through_a_pipe_each_event_is_a_line(mrt: Command, stalled: ScriptedServer) -> None:
    tables = boxes(fast=stalled.url, cloud=stalled.url) | money()
    tables["endpoints.cloud"]["local"] = False
    configure(mrt.home, tables)
    with mrt.start("ask", "hi", "--no-stdin", "--tier", "fast") as ask, mrt.start("top", *QUICK, env=NOWHERE) as top:
        begun = read_lines(top, lambda lines: len(lines) == 1)
        until_heard(mrt.home)
        interrupt(ask)
        over = read_lines(top, lambda lines: len(lines) == 1)
        refused = mrt("ask", "hi", "--no-stdin", "--tier", "cloud")
        lines = read_lines(top, lambda lines: len(lines) == 1)
        interrupt(top)
    assert begun[0][19:] == "  started      fast fast/m"
    assert over[0][19:].startswith("  interrupted  fast fast/m  (")
    assert refused.exit_code == 5
    assert lines[0][19:].startswith(
        "  refused      cloud cloud/m  budget: the daily budget of $0.0001 does not allow this call: $0 used, $0 reserved, "
    )


def test_events_as_json_lines(mrt: Command, stalled: ScriptedServer) -> None:
    configure(mrt.home, boxes(box=stalled.url))
    with mrt.start("top", "--stream-json", *QUICK, env=NOWHERE) as top, mrt.start("ask", "hi", "--no-stdin") as ask:
        begun = json.loads(read_lines(top, lambda lines: len(lines) == 1)[0])
        until_heard(mrt.home)
        interrupt(ask)
        over = json.loads(read_lines(top, lambda lines: len(lines) == 1)[0])
    assert (begun["event"], begun["tier"], begun["model"], begun["cost"]) == ("started", "box", "box/m", None)
    assert (over["event"], over["operation"], over["cost"]) == (
        "interrupted",
        begun["operation"],
        {"state": "free", "usd": "0"},
    )


def test_a_reader_who_leaves_ends_it_quietly_though_nothing_happens(mrt: Command) -> None:
    with mrt.start("top", *QUICK, env=NOWHERE) as top:
        assert top.stdout is not None
        assert top.stderr is not None
        top.stdout.close()
        assert top.wait(PATIENCE_S) == 0
        assert top.stderr.read() == b""


def test_the_bell_rings_once_for_a_refusal_and_once_for_what_is_stuck(mrt: Command, stalled: ScriptedServer) -> None:
    tables = boxes(fast=stalled.url, cloud=stalled.url) | money()
    tables["endpoints.cloud"]["local"] = False
    configure(mrt.home, tables)
    with terminal(mrt, "top", *QUICK, "--bell", "--stuck", "0.001", **NOWHERE) as top:
        top.read_until(picture_with("nothing is recorded yet"))
        with mrt.start("ask", "hi", "--no-stdin", "--tier", "fast"):
            top.read_until(picture_with("1 stuck", "stuck,"))
            pictures = top.received.count(b"\x1b[?2026h")
            top.read_until(lambda received: received.count(b"\x1b[?2026h") > pictures + 3)
            assert top.received.count(b"\x07") == 1
            assert mrt("ask", "hi", "--no-stdin", "--tier", "cloud").exit_code == 5
            top.read_until(picture_with("refused"))
            pictures = top.received.count(b"\x1b[?2026h")
            top.read_until(lambda received: received.count(b"\x1b[?2026h") > pictures + 3)
            assert top.received.count(b"\x07") == 2
        top.press(b"q")
        assert top.end() == 0


def test_nothing_rings_without_the_flag_nor_into_a_pipe(mrt: Command, stalled: ScriptedServer) -> None:
    configure(mrt.home, boxes(box=stalled.url))
    with (
        terminal(mrt, "top", *QUICK, "--stuck", "0.001", **NOWHERE) as top,
        mrt.start("top", *QUICK, "--stuck", "0.001", "--bell", env=NOWHERE) as piped,
        mrt.start("ask", "hi", "--no-stdin"),
    ):
        top.read_until(picture_with("1 stuck"))
        lines = read_lines(piped, lambda lines: any("  stuck  " in line for line in lines))
        assert b"\x07" not in top.received
        assert "\x07" not in "".join(lines)


# --- a server that nobody here wrote


def test_a_real_server_works_and_rests(mrt: Command, llama_slow: LlamaServer) -> None:
    configure(mrt.home, ladder("llamacpp", box=llama_slow.url) | {"tiers.box": {"model": "box/slow", "checks": []}})
    idle = json.loads(mrt("top", "--json", env=NOWHERE).stdout)["data"]["endpoints"][0]
    assert (idle["state"], idle["busy"], idle["loaded"]) == ("idle", 0, ["slow"])
    with (
        mrt.start("ask", "go", "--no-stdin", "--stream", stdout=subprocess.DEVNULL) as ask,
        terminal(mrt, "top", *QUICK, **NOWHERE) as top,
    ):
        top.read_until(picture_with("working", "writes", "1 of "))
        top.read_until(lambda _: "tok/s" in top.picture().splitlines()[0])
        interrupt(ask)
        top.read_until(picture_with("interrupted", "idle", "0 of "))
        top.press(b"q")
        assert top.end() == 0


def test_looking_neither_wakes_a_sleeping_server_nor_keeps_it_awake(mrt: Command, models_folder: Path) -> None:
    model = write_model(FAST_MODEL, models_folder)
    with llama_server(model, alias="fast", sleep_idle_seconds=1) as server:
        configure(mrt.home, ladder("llamacpp", box=server.url))
        assert mrt("ask", "hi", "--no-stdin").exit_code == 0
        looks = (json.loads(mrt("top", "--json", env=NOWHERE).stdout)["data"]["endpoints"][0] for _ in range(50))
        asleep = next(box for box in looks if box["loaded"] == [])
        again = json.loads(mrt("top", "--json", env=NOWHERE).stdout)["data"]["endpoints"][0]
    assert (asleep["state"], again["state"], again["loaded"]) == ("idle", "idle", [])
