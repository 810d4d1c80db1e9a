"""What mrt ask prints: on a terminal, in a pipe, in colour, and what it says of thoughts."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from ask_kit import HI, PARIS, events, two_tiers
from rig.command import Command, Home
from rig.home_setup import beginning, configure, ladder, run_here, says
from rig.loopback import ScriptedServer, Wait
from rig.responses import json_response, sse
from rig.wire_chat import DONE, STOP, chunk, say

CODE = "First:\n```python\nx = 1\n```\nthen\n```python\ny = 2\n```\n"


@pytest.mark.parametrize(
    ("words", "stdout"),
    [(("a",), "a\n"), (("a", "\n"), "a\n"), (("a\n\n",), "a\n\n"), (("a\r\nb",), "a\r\nb\n")],
    ids=["none", "one", "two", "crlf"],
)
@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_a_pipe_gets_the_bytes_and_one_newline(
    store_home: Home, words: Sequence[str], stdout: str, stream: str
) -> None:
    with ScriptedServer({"*": says(*words)}) as server:
        configure(store_home, ladder(only=server.url))
        assert run_here(store_home, "ask", stream, "hi").stdout == stdout


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m \x9b31mC1 \u202eevil\r\x08\n"


@pytest.mark.parametrize("stream", ["--stream", "--no-stream"])
def test_control_sequences_never_reach_a_terminal(mrt: Command, store_home: Home, stream: str) -> None:
    with ScriptedServer({"*": says(*HOSTILE)}) as server:
        configure(store_home, ladder(only=server.url))
        assert mrt("ask", stream, "hi").stdout == HOSTILE
        shown = mrt("ask", "-q", stream, "hi", tty=True).stdout
        assert shown == "red C1 evil\n"


def test_a_sequence_without_an_end_does_not_swallow_the_answer(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": says("\x1b]0;", "title that never ends, then the answer")}) as server:
        configure(store_home, ladder(only=server.url))
        assert mrt("ask", "-q", "hi", tty=True).stdout == "]0;title that never ends, then the answer\n"


def test_a_hostile_error_message_is_harmless(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": json_response(500, {"error": {"message": "bad\x1b[2J\nerror: fake\u202e"}})}) as server:
        configure(store_home, ladder(only=server.url))
        assert mrt("ask", "hi").stderr == "error: only/m: bad error: fake (HTTP 500)\n"


def test_a_terminal_shows_tokens_as_they_come(mrt: Command, home: Home, server: ScriptedServer) -> None:
    go_on = threading.Event()
    server.routes["*"] = [*sse(say("Par"), finish=False), Wait(go_on), *sse([*say("is."), STOP, DONE])[1:]]
    with mrt.start("ask", "hi", stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == b"Par"
        go_on.set()
        assert process.stdout.read() == b"is.\n"
        assert process.wait(20) == 0


def test_two_answers_on_a_terminal_are_kept_apart(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": sse(say("Lyon"))}) as low, ScriptedServer({"*": says("Paris.")}) as high:
        two_tiers(store_home, low.url, high.url)
        cut = "escalated to high from low: truncated: the stream ended without a finish reason"
        shown = mrt("ask", "--no-color", "hi", tty=True).stdout
        assert shown == f"routed to low (low/m): {HI}\nLyon\n── {cut} ──\nParis.\n"
        assert mrt("ask", "-q", "hi", tty=True).stdout == f"Lyon\n── {cut} ──\nParis.\n"
        piped = mrt("ask", "hi")
        assert (piped.stdout, piped.stderr) == (PARIS, f"{cut}\n")
        streamed = mrt("ask", "--stream", "hi")
        assert streamed.stdout == f"Lyon\n── {cut} ──\nParis.\n"
        held = mrt("ask", "--no-stream", "--no-color", "hi", tty=True).stdout
        assert held == f"routed to low (low/m): {HI}\n{cut}\nParis.\n"


@pytest.mark.parametrize(
    ("env", "options", "coloured"),
    [
        ({}, (), True),
        ({"NO_COLOR": "1"}, (), False),
        ({"NO_COLOR": ""}, (), True),
        ({"TERM": "dumb"}, (), False),
        ({}, ("--no-color",), False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, (), False),
    ],
)
def test_colour_on_a_terminal(
    mrt: Command, home: Home, env: dict[str, str], options: Sequence[str], coloured: bool
) -> None:
    assert ("\x1b[" in mrt("ask", *options, "hi", env=env, tty=True).stdout) == coloured


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": ""}, False),
    ],
)
def test_colour_in_a_pipe(home: Home, env: dict[str, str], coloured: bool) -> None:
    result = run_here(home, "ask", "-v", "hi", env=env)
    assert ("\x1b[" in result.stderr) == coloured
    assert result.stdout == PARIS


@pytest.mark.parametrize(
    ("options", "text", "stdout"),
    [
        (("-x",), CODE, "x = 1\n"),
        (("--xl",), CODE, "y = 2\n"),
        (("-x",), "no code here", "no code here\n"),
        (("-x", "--stream"), CODE, "x = 1\n"),
    ],
)
def test_extraction(home: Home, server: ScriptedServer, options: Sequence[str], text: str, stdout: str) -> None:
    server.routes["*"] = says(*text)
    assert run_here(home, "ask", *options, "hi").stdout == stdout


def test_what_goes_to_stderr(home: Home) -> None:
    assert run_here(home, "ask", "hi").stderr == ""
    assert run_here(home, "ask", "-v", "hi").stderr == f"routed to only (only/m): {HI}\n"
    assert run_here(home, "ask", "-v", "-q", "hi").stderr == ""
    used = run_here(home, "ask", "-u", "hi").stderr
    assert re.fullmatch(r"only \(only/m\): 12 tokens in, 3 tokens out, no API cost, \d\.\d s\n", used)


def test_reasoning_goes_nowhere_unless_asked_for(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = sse([chunk({"reasoning_content": "Hm\x1b[2J."}), *say("Paris."), STOP, DONE])
    assert (run_here(home, "ask", "hi").stdout, run_here(home, "ask", "hi").stderr) == (PARIS, "")
    shown = run_here(home, "ask", "--reasoning", "stderr", "hi")
    assert (shown.stdout, shown.stderr) == (PARIS, "Hm.")


def test_what_nobody_counted_is_said_to_be_about_right(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = sse([*say("Paris."), STOP, DONE])
    used = run_here(home, "ask", "-u", "hi").stderr
    assert re.fullmatch(r"only \(only/m\): about \d+ tokens in, about \d+ tokens out, no API cost, \d\.\d s\n", used)


def thinking_aloud() -> Any:
    """Thoughts without an opening tag, which take longer than a reader is kept waiting."""
    moment = Wait(threading.Event(), 0.3)
    return [
        *beginning("Let me"),
        moment,
        *beginning(" see.")[1:],
        *sse([*say("\n</think>\n\n", "Paris."), STOP, DONE])[1:],
    ]


def test_thoughts_that_were_printed_as_an_answer(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": thinking_aloud()}) as server:
        configure(store_home, ladder(only=server.url))
        first = run_here(store_home, "ask", "hi")
        again = run_here(store_home, "ask", "hi")
    mark = "── what came before this line was reasoning, not the answer ──"
    assert (first.exit_code, first.stdout) == (6, f"Let me see.\n{mark}\nParis.\n")
    assert first.stderr == (
        f"{mark}\nerror: reasoning reached stdout before it was known as such\n"
        "hint: ask again: it is known now for this model\n"
    )
    assert (again.exit_code, again.stdout, again.stderr) == (0, PARIS, "")


def test_thoughts_are_taken_back_in_lines(store_home: Home) -> None:
    with ScriptedServer({"*": thinking_aloud()}) as server:
        configure(store_home, ladder(only=server.url))
        result = run_here(store_home, "ask", "--stream-json", "hi")
    lines = events(result.stdout)
    assert (result.exit_code, lines[-1]["answer"]) == (0, "Paris.")
    assert {"event": "retract"} in lines


def test_debug_http_shows_the_traffic(home: Home, server: ScriptedServer) -> None:
    told = run_here(home, "ask", "--debug-http", "hi").stderr
    assert f"> POST {server.url}/v1/chat/completions\n" in told
    assert "< HTTP 200\n" in told
