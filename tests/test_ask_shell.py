"""Shell manners of `mrt ask`: what it reads, what it prints where, and how its options change that."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from rig.command import Command, Home
from rig.home_setup import beginning, calls, configure, ladder, run_here, says
from rig.loopback import Action, ScriptedServer, Wait, in_turn
from rig.responses import json_response, sse
from rig.wire_chat import DONE, STOP, chunk, say

PARIS = "Paris.\n"
CODE = "First:\n```python\nx = 1\n```\nthen\n```python\ny = 2\n```\n"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Answers "Paris." to everything."""
    with ScriptedServer({"*": says("Par", "is.")}) as server:
        yield server


@pytest.fixture
def home(store_home: Home, server: ScriptedServer) -> Home:
    """A home whose only tier is `server`; its text streams at once."""
    tables = ladder(only=server.url)
    tables["tiers.only"]["think"] = "off"
    configure(store_home, tables)
    return store_home


def two_tiers(home: Home, first: str, second: str, **first_settings: Any) -> None:
    """A config of two local tiers."""
    tables = ladder(low=first, high=second)
    for name in ("low", "high"):
        tables[f"tiers.{name}"] |= {"think": "off", "checks": []}
    tables["tiers.low"] |= first_settings
    configure(home, tables)


def prompt_of(server: ScriptedServer) -> str:
    """The last message of the last request."""
    content: str = server.requests[-1].json()["messages"][-1]["content"]
    return content


# --- what it reads


@pytest.mark.parametrize(
    ("arguments", "stdin", "prompt"),
    [
        (("hi", "there"), None, "hi there"),
        ((), "hi\n", "hi\n"),
        (("sum it up",), "one\ntwo", "sum it up\n\n<stdin>\none\ntwo\n</stdin>"),
        (("sum it up", "-"), "one\n", "sum it up\n\n<stdin>\none\n</stdin>"),
        (("-",), "one\n", "one\n"),
        (("hi", "--no-stdin"), "ignored", "hi"),
        (("hi",), "", "hi"),
        (("hi",), "\ufeffmark", "hi\n\n<stdin>\nmark\n</stdin>"),
        (
            ("-f", "a.txt", "-f", "b.txt", "compare"),
            None,
            'compare\n\n<file name="a.txt">\nA\n</file>\n\n<file name="b.txt">\nB\n</file>',
        ),
        (("-f", "a.txt"), None, '<file name="a.txt">\nA\n</file>'),
        (("--encoding", "latin-1", "hi"), "é".encode("latin-1"), "hi\n\n<stdin>\né\n</stdin>"),
        (("--", "--json"), None, "--json"),
    ],
    ids=[
        "words",
        "pipe-alone",
        "prompt-and-pipe",
        "dash",
        "dash-alone",
        "no-stdin",
        "empty-pipe",
        "bom",
        "files",
        "file-alone",
        "latin-1",
        "after-two-dashes",
    ],
)
def test_what_is_sent(
    mrt: Command, home: Home, server: ScriptedServer, arguments: Sequence[str], stdin: Any, prompt: str
) -> None:
    (home.path / "a.txt").write_text("A\n")
    (home.path / "b.txt").write_text("B")
    result = mrt("ask", *arguments, stdin=stdin)
    assert (result.exit_code, result.stdout, result.stderr) == (0, PARIS, "")
    assert prompt_of(server) == prompt


@pytest.mark.parametrize(
    ("arguments", "stdin", "line", "hint"),
    [
        ((), None, "there is no prompt", 'mrt ask "your question", or pipe one in'),
        ((), " \n", "there is no prompt", 'mrt ask "your question", or pipe one in'),
        (("",), None, "there is no prompt", 'mrt ask "your question", or pipe one in'),
        (
            ("hi",),
            b"\xff",
            "stdin is not utf-8 text (byte 0xff at offset 0)",
            "name the right one, for example --encoding latin-1",
        ),
        (
            ("hi",),
            b"\0\1\2",
            "stdin looks binary (it holds a NUL character)",
            "send text, for example what `strings` prints",
        ),
        (
            ("hi", "--encoding", "klingon"),
            "x",
            "unknown encoding 'klingon'",
            "for example utf-8, latin-1, cp1252, utf-16",
        ),
        (
            ("-f", "none.txt", "hi"),
            None,
            "none.txt cannot be read: No such file or directory",
            "check the name after -f",
        ),
        (("-f", ".", "hi"), None, ". cannot be read: Is a directory", "check the name after -f"),
        (
            ("-t", "sumary", "hi"),
            None,
            "no template 'sumary' (did you mean summary?)",
            "write [templates.sumary] with a prompt into the config",
        ),
        (
            ("-m", "nicee", "hi"),
            None,
            "'nicee' is no tier, alias or PROVIDER/MODEL (did you mean nice?)",
            "`mrt config show` lists the tiers",
        ),
        (
            ("-m", "olama/m", "hi"),
            None,
            "unknown provider or endpoint 'olama' (did you mean ollama or llamacpp?)",
            "`mrt help config` shows how to name a server",
        ),
        (("--tier", "onyl", "hi"), None, "no tier 'onyl' (did you mean only?)", "the tiers are only"),
        (("--max-tier", "onyl", "hi"), None, "no tier 'onyl' (did you mean only?)", "the tiers are only"),
        (("-o", "top_p", "hi"), None, "-o takes KEY=VALUE, not 'top_p'", "for example -o top_p=0.9"),
        (("-o", "max_tokens=5", "hi"), None, "-o cannot set max_tokens", "use --max-tokens"),
        (
            ("--schema", "no.json", "hi"),
            None,
            "the schema no.json cannot be read: No such file or directory",
            "give a file or the JSON itself",
        ),
        (
            ("--schema", "{", "hi"),
            None,
            "the schema is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            "give a file or the JSON itself",
        ),
        (
            ("--schema", '{"type": "nonsense"}', "hi"),
            None,
            "the schema is not usable: Unknown type",
            "give a JSON schema of draft 4, 6 or 7",
        ),
        (
            ("--schema", '{"$ref": "http://127.0.0.1:9/s"}', "hi"),
            None,
            "the schema refers to http://127.0.0.1:9/s, which is not fetched",
            "put the definition into the schema",
        ),
        (
            ("--schema", '{"pattern": "("}', "hi"),
            None,
            "the schema is not usable: missing ), unterminated subpattern at position 0",
            "give a JSON schema of draft 4, 6 or 7",
        ),
        (
            ("--schema", '{"$ref": "file:///etc/passwd"}', "hi"),
            None,
            "the schema refers to file:///etc/passwd, which is not fetched",
            "put the definition into the schema",
        ),
        (
            ("--strict", "--effort", "high", "hi"),
            None,
            "only/m is local and takes no reasoning effort",
            "leave out --effort or --strict",
        ),
        (
            ("--max-tokens", "0", "hi"),
            None,
            "Invalid value for '--max-tokens': 0 is not in the range x>=1.",
            "`mrt ask --help` shows how it is used",
        ),
        (
            ("--jsn", "hi"),
            None,
            "No such option '--jsn'. Did you mean '--json'?",
            "`mrt ask --help` shows how it is used",
        ),
        (("-c", "hi"), None, "there is no conversation to continue", "leave out -c, or name one with --session"),
        (
            ("--session", "a\nb", "hi"),
            None,
            "'a\\nb' is no name for a conversation",
            "take 1 to 200 printable characters on one line",
        ),
    ],
)
@pytest.mark.usefixtures("home")
def test_wrong_usage_is_said_in_a_line_and_a_hint(
    mrt: Command, server: ScriptedServer, arguments: Sequence[str], stdin: Any, line: str, hint: str
) -> None:
    with (mrt.home.config / "mrt" / "config.toml").open("a") as config:
        config.write('[templates.summary]\nprompt = "Sum up:"\n[aliases]\nnice = "only/m"\n')
    result = mrt("ask", *arguments, stdin=stdin)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {line}\nhint: {hint}\n"
    assert server.requests == []


def test_a_terminal_is_not_waited_for(mrt: Command, home: Home) -> None:
    screen, terminal = os.openpty()
    try:
        with mrt.start("ask", stdin=terminal) as process:
            _, stderr = process.communicate(timeout=20)
    finally:
        os.close(screen)
        os.close(terminal)
    assert (process.returncode, stderr.decode()) == (
        2,
        'error: there is no prompt: mrt ask "your question"\nhint: `mrt ask --help` shows how it is used\n',
    )


def test_an_idle_pipe_is_left_after_a_while(mrt: Command, home: Home, server: ScriptedServer) -> None:
    with mrt.start("ask", "hi", env={"MRT_ASK_STDIN_TIMEOUT": "0.1"}) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"Paris.\n"
        assert process.stderr is not None
        assert (
            process.stderr.read()
            == b"nothing came on stdin within 0.1 s: going on without it (`-` waits for it, --no-stdin never does)\n"
        )
        assert process.wait(20) == 0
    assert prompt_of(server) == "hi"


def shell(mrt: Command, script: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which $MRT stands for the command."""
    environment = {**mrt.home.environment, "MRT": f"{sys.executable} -m mrt"}
    return subprocess.run(
        ["bash", "-c", script], env=environment, cwd=mrt.home.path, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("script", "exit_code", "stdout", "stderr"),
    [
        ("$MRT ask hi <&-", 0, PARIS, ""),
        (
            "$MRT ask <&-",
            2,
            "",
            'error: there is no prompt: mrt ask "your question"\nhint: `mrt ask --help` shows how it is used\n',
        ),
        ("$MRT ask hi 0>/dev/null", 0, PARIS, ""),
        (
            "truncate -s 65M big; $MRT ask hi <big",
            2,
            "",
            "error: stdin is larger than 64 MiB\nhint: send a part of it\n",
        ),
        (
            "truncate -s 65M big; $MRT ask hi --no-stdin -f big",
            2,
            "",
            "error: big is larger than 64 MiB\nhint: send a part of it\n",
        ),
        ("$MRT ask hi </dev/null 2>&-", 0, PARIS, ""),
        (
            "$MRT ask hi </dev/null >&-",
            1,
            "",
            "error: cannot write: stdout is closed\nhint: free the disk or the pipe that stdout goes to\n",
        ),
        (
            "$MRT ask hi </dev/null >/dev/full",
            1,
            "",
            "error: cannot write: No space left on device\nhint: free the disk or the pipe that stdout goes to\n",
        ),
        ("$MRT ask hi </dev/null 2>/dev/full", 0, PARIS, ""),
        ("$MRT ask -v hi </dev/null 2>/dev/full", 0, PARIS, ""),
        (
            "$MRT ask --json hi </dev/null >/dev/full",
            1,
            "",
            "error: cannot write: No space left on device\nhint: free the disk or the pipe that stdout goes to\n",
        ),
        (
            "$MRT --help >/dev/full",
            1,
            "",
            "error: cannot write: No space left on device\nhint: free the disk or the pipe that stdout goes to\n",
        ),
        ("$MRT ask hi </dev/null | head -c 1; echo ${PIPESTATUS[0]}", 0, "P0\n", ""),
        ("$MRT ask hi </dev/null | true; echo ${PIPESTATUS[0]}", 0, "0\n", ""),
        ("echo one | $MRT ask - | $MRT ask 'and then' -", 0, PARIS, ""),
        ("for i in 1 2; do $MRT ask $i </dev/null || exit; done", 0, PARIS * 2, ""),
    ],
)
def test_streams_of_every_condition(
    mrt: Command, home: Home, script: str, exit_code: int, stdout: str, stderr: str
) -> None:
    result = shell(mrt, script)
    assert (result.returncode, result.stdout, result.stderr) == (exit_code, stdout, stderr)


def test_an_answer_that_cannot_be_written_is_booked(mrt: Command, home: Home) -> None:
    shell(mrt, "$MRT ask hi </dev/null >/dev/full")
    (call,) = calls(home)
    assert call["state"] != "reserved"


# --- what it prints


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


ROUTED = "routed to low (low/m): complexity 2"
HANDED = "escalated to high from low: low/m is no good"


def test_two_answers_on_a_terminal_are_kept_apart(mrt: Command, store_home: Home) -> None:
    with ScriptedServer({"*": sse(say("Lyon"))}) as low, ScriptedServer({"*": says("Paris.")}) as high:
        two_tiers(store_home, low.url, high.url)
        cut = "escalated to high from low: truncated: the stream ended without a finish reason"
        shown = mrt("ask", "--no-color", "hi", tty=True).stdout
        assert shown == f"routed to low (low/m): complexity 2\nLyon\n── {cut} ──\nParis.\n"
        assert mrt("ask", "-q", "hi", tty=True).stdout == f"Lyon\n── {cut} ──\nParis.\n"
        piped = mrt("ask", "hi")
        assert (piped.stdout, piped.stderr) == (PARIS, f"{cut}\n")
        streamed = mrt("ask", "--stream", "hi")
        assert streamed.stdout == f"Lyon\n── {cut} ──\nParis.\n"
        held = mrt("ask", "--no-stream", "--no-color", "hi", tty=True).stdout
        assert held == f"routed to low (low/m): complexity 2\n{cut}\nParis.\n"


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
    assert run_here(home, "ask", "-v", "hi").stderr == "routed to only (only/m): complexity 2\n"
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


# --- JSON


USAGE = {"input_tokens": 12, "output_tokens": 3, "cached_tokens": None, "reasoning_tokens": None, "source": "reported"}
FREE = {"state": "free", "usd": "0"}
TIMING_KEYS = {"ttft_ms", "total_ms", "tokens_per_second"}


def test_one_object_with_every_key(home: Home) -> None:
    result = run_here(home, "ask", "--json", "hi")
    assert (result.exit_code, result.stderr) == (0, "")
    document = json.loads(result.stdout)
    assert document.keys() == {"schema_version", "command", "data", "errors"}
    assert (document["schema_version"], document["command"], document["errors"]) == (1, "ask", [])
    data = document["data"]
    (attempt,) = data.pop("attempts")
    assert (data.pop("timing").keys(), attempt.pop("timing").keys()) == (TIMING_KEYS, TIMING_KEYS)
    assert attempt == {
        "tier": "only",
        "model": "only/m",
        "outcome": "accepted",
        "check": None,
        "reason": None,
        "usage": USAGE,
        "cost": FREE,
    }
    identifier = data.pop("id")
    assert data.pop("session").startswith("ask-")
    assert data == {
        "answer": "Paris.",
        "reasoning": None,
        "tier": "only",
        "model": "only/m",
        "served_model": None,
        "finish_reason": "stop",
        "complete": True,
        "usage": USAGE,
        "cost": FREE,
    }
    assert calls(home)[0]["operation_id"] == identifier


def test_a_failure_in_json_still_holds_what_there_is(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = says("Par", finish="length")
    result = run_here(home, "ask", "--json", "hi")
    document = json.loads(result.stdout)
    message, hint = "only/m: cut at the token limit (max_tokens)", "raise it with --max-tokens"
    assert result.exit_code == 6
    assert document["errors"] == [{"code": "max_tokens", "message": message, "hint": hint, "exit_code": 6}]
    assert (document["data"]["answer"], document["data"]["complete"]) == ("Par", False)
    assert document["data"]["attempts"][0]["outcome"] == "failed"
    assert result.stderr == f"error: {message}\nhint: {hint}\n"


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("--nope",), "usage", 2),
        (("-m", "nope", "hi"), "usage", 2),
        ((), "usage", 2),
        (("--max-tokens", "x"), "usage", 2),
    ],
)
def test_errors_before_the_request_are_json_too(
    home: Home, arguments: Sequence[str], code: str, exit_code: int
) -> None:
    whole = run_here(home, "ask", "--json", *arguments)
    document = json.loads(whole.stdout)
    assert (whole.exit_code, document["command"], document["data"]) == (exit_code, "ask", None)
    assert [error["code"] for error in document["errors"]] == [code]
    lines = run_here(home, "ask", "--stream-json", *arguments)
    event = json.loads(lines.stdout)
    assert (lines.exit_code, event["event"], event["code"]) == (exit_code, "error", code)


def events(text: str) -> list[dict[str, Any]]:
    """The lines of --stream-json."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_for_every_event(store_home: Home) -> None:
    thinking = sse([chunk({"reasoning_content": "Hm."}), *say("Par", "is."), STOP, DONE])
    with ScriptedServer({"*": sse(say("Lyon"))}) as low, ScriptedServer({"*": thinking}) as high:
        two_tiers(store_home, low.url, high.url)
        lines = events(run_here(store_home, "ask", "--stream-json", "hi").stdout)
    assert [line["event"] for line in lines] == [
        "route",
        "start",
        "delta",
        "escalate",
        "start",
        "reasoning",
        "delta",
        "delta",
        "usage",
        "result",
    ]
    assert lines[0] == {"event": "route", "tier": "low", "model": "low/m", "reason": "complexity 2"}
    assert lines[1] == {"event": "start", "tier": "low", "model": "low/m", "final": False}
    assert lines[2] == {"event": "delta", "text": "Lyon"}
    reason = "truncated: the stream ended without a finish reason"
    assert lines[3] == {"event": "escalate", "from": "low", "to": "high", "check": "truncated", "reason": reason}
    assert lines[5] == {"event": "reasoning", "text": "Hm."}
    assert lines[8]["usage"]["source"] == "estimated"
    whole = json.loads(run_here(store_home, "ask", "--json", "hi").stdout)["data"]
    assert lines[9].keys() == {"event", *whole}
    assert (lines[9]["answer"], lines[9]["reasoning"], len(lines[9]["attempts"])) == ("Paris.", "Hm.", 2)


def test_the_last_line_says_what_went_wrong(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = sse(say("Par"))
    result = run_here(home, "ask", "--stream-json", "hi")
    *_, last = events(result.stdout)
    assert (result.exit_code, last["event"], last["code"], last["exit_code"]) == (6, "error", "truncated", 6)
    assert last["data"]["answer"] == "Par"


def test_an_interruption_in_json(mrt: Command, home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = [*beginning("Par"), Action.HOLD]
    with mrt.start("ask", "--stream-json", "hi", stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert json.loads(lines[2]) == {"event": "delta", "text": "Par"}
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().decode()
        assert process.wait(20) == 130
    assert events(rest)[-1]["code"] == "interrupted"


def test_an_interruption_on_a_terminal(mrt: Command, home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = [*beginning("Par"), Action.HOLD]
    screen, terminal = os.openpty()
    try:
        with mrt.start(
            "ask", "-q", "--no-color", "hi", stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal
        ) as process:
            assert os.read(screen, 100) == b"Par"
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == -signal.SIGINT
        assert os.read(screen, 100) == b"\r\nerror: interrupted\r\n"
    finally:
        os.close(screen)
        os.close(terminal)


# --- the request


def test_a_dry_run_shows_the_tool_that_a_tier_is_given(store_home: Home) -> None:
    two_tiers(store_home, "http://127.0.0.1:9", "http://127.0.0.1:9", tools=True)
    body = json.loads(run_here(store_home, "ask", "--dry-run", "--json", "hi").stdout)["data"]["body"]
    assert [tool["function"]["name"] for tool in body["tools"]] == ["escalate"]
    assert body["temperature"] == 0.0


def test_a_dry_run_sends_nothing(home: Home, server: ScriptedServer) -> None:
    result = run_here(home, "ask", "--dry-run", "--max-tokens", "7", "-s", "Be brief.", "-o", "top_p=0.5", "hi")
    head, _, body = result.stdout.partition("{")
    assert (result.exit_code, result.stderr) == (0, "")
    assert head == (
        "routed to only (only/m): complexity 2\nno tier above it\ncost: no API cost\n"
        f"POST {server.url}/v1/chat/completions\nauthorization: ***\n"
    )
    assert json.loads("{" + body) == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 7,
        "top_p": 0.5,
    }
    for mode in ("--json", "--stream-json"):
        data = json.loads(run_here(home, "ask", "--dry-run", mode, "hi").stdout)
        data = data["data"] if mode == "--json" else data
        assert (data["tier"], data["bound"], data["body"]["model"]) == ("only", FREE, "m")
    assert server.requests == []
    assert calls(home) == []


def test_a_dry_run_shows_what_leaves(home: Home, server: ScriptedServer) -> None:
    options = ("--max-tokens", "7", "--temperature", "0.5", "hi")
    shown = json.loads(run_here(home, "ask", "--dry-run", "--json", *options).stdout)["data"]["body"]
    run_here(home, "ask", *options)
    assert server.requests[0].json() == shown


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("top_p=0.5", "top_p", 0.5),
        ("stop=END", "stop", "END"),
        ('stop=["a"]', "stop", ["a"]),
        ("x=true", "x", True),
        ("x=", "x", ""),
        ("a=b=c", "a", "b=c"),
    ],
)
def test_options_become_fields(home: Home, server: ScriptedServer, option: str, field: str, value: Any) -> None:
    assert run_here(home, "ask", "-o", option, "hi").exit_code == 0
    assert server.requests[0].json()[field] == value


def test_effort_is_for_the_cloud(store_home: Home, server: ScriptedServer) -> None:
    for local, sent in ((True, None), (False, "high")):
        configure(
            store_home, ladder(only=server.url, local=local) | {"budget": {"daily_usd": "none", "monthly_usd": "none"}}
        )
        result = run_here(store_home, "ask", "--effort", "high", "hi")
        assert result.exit_code == 0, result.stderr
        assert server.requests[-1].json().get("reasoning_effort") == sent


def test_templates(home: Home, server: ScriptedServer) -> None:
    with (home.config / "mrt" / "config.toml").open("a") as config:
        config.write('[templates.sum]\nprompt = "Sum up:"\nsystem = "Be brief."\n')
        config.write('[templates.around]\nprompt = "<{input}>"\nmodel = "only"\n')
    for options, messages in (
        (("-t", "sum", "this"), ["Be brief.", "Sum up:\n\nthis"]),
        (("-t", "sum"), ["Be brief.", "Sum up:"]),
        (("-t", "around", "this"), ["<this>"]),
        (("-t", "sum", "-s", "Own.", "this"), ["Own.", "Sum up:\n\nthis"]),
    ):
        assert run_here(home, "ask", *options).exit_code == 0
        assert [message["content"] for message in server.requests[-1].json()["messages"]] == messages


def test_personas_and_examples(store_home: Home, server: ScriptedServer) -> None:
    tables = ladder(only=server.url)
    tables["tiers.only"] |= {"system": "You add.", "examples": [{"user": "2 + 2", "assistant": "4"}]}
    configure(store_home, tables)
    run_here(store_home, "ask", "3 + 3")
    assert [(one["role"], one["content"]) for one in server.requests[0].json()["messages"]] == [
        ("system", "You add."),
        ("user", "2 + 2"),
        ("assistant", "4"),
        ("user", "3 + 3"),
    ]


# --- judging


SCHEMA = '{"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}'


@pytest.mark.parametrize(
    ("text", "exit_code", "reason"),
    [
        ('{"n": 1}', 0, ""),
        ('```json\n{"n": 1}\n```', 0, ""),
        ('{"n": "one"}', 7, "error: only/m: schema: data.n must be integer\n"),
        ("one", 7, "error: only/m: schema: not JSON: line 1, column 1: Expecting value\n"),
    ],
    ids=["ok", "in-a-fence", "violated", "no-json"],
)
def test_a_schema_is_checked(home: Home, server: ScriptedServer, text: str, exit_code: int, reason: str) -> None:
    server.routes["*"] = says(text)
    (home.path / "s.json").write_text(SCHEMA)
    for schema in (SCHEMA, str(home.path / "s.json")):
        result = run_here(home, "ask", "--schema", schema, "hi")
        assert result.exit_code == exit_code, result.stderr
        assert result.stderr.startswith(reason)
        assert server.requests[-1].json()["response_format"]["json_schema"]["schema"] == json.loads(SCHEMA)


@pytest.mark.parametrize(
    ("command", "exit_code", "line"),
    [
        ("grep -q Paris", 0, ""),
        ("true", 0, ""),
        ("grep -q Rome", 7, "error: only/m: verify: `grep -q Rome` ended with 1"),
        (
            "echo wrong city >&2; exit 3",
            7,
            "error: only/m: verify: `echo wrong city >&2; exit 3` ended with 3: wrong city",
        ),
        (
            "no-such-command-here 2>/dev/null",
            7,
            "error: only/m: verify: `no-such-command-here 2>/dev/null` ended with 127",
        ),
    ],
)
def test_a_command_of_the_user_judges(home: Home, command: str, exit_code: int, line: str) -> None:
    result = run_here(home, "ask", "--verify", command, "hi")
    assert (result.exit_code, (result.stderr.splitlines() or [""])[0], result.stdout) == (exit_code, line, PARIS)


def test_the_answer_is_never_part_of_a_command(mrt: Command, home: Home, server: ScriptedServer) -> None:
    hostile = "$(touch owned); `touch owned`"
    server.routes["*"] = says(hostile)
    assert mrt("ask", "--verify", "cat >seen", "hi").exit_code == 0
    assert (home.path / "seen").read_text() == hostile
    assert not (home.path / "owned").exists()


def test_a_command_that_hangs_ends_with_the_timeout(mrt: Command, home: Home) -> None:
    result = mrt("ask", "--timeout", "1", "--verify", "sleep 99", "hi")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        124,
        "error: only/m: timeout: `sleep 99` did not end before --timeout",
    )


@pytest.mark.parametrize(
    ("second", "exit_code"), [("It is Paris.", 0), ("Rome, without any doubt.", 7)], ids=["agrees", "differs"]
)
def test_a_second_opinion(store_home: Home, second: str, exit_code: int) -> None:
    with ScriptedServer({"*": says("Paris.")}) as low, ScriptedServer({"*": says(second)}) as high:
        two_tiers(store_home, low.url, high.url)
        result = run_here(store_home, "ask", "--agree", "--no-escalate", "the capital of France?")
        assert (result.exit_code, result.stdout) == (exit_code, PARIS), result.stderr
        assert (len(low.requests), len(high.requests)) == (1, 1)
    assert [(call["purpose"], call["tier"]) for call in calls(store_home)] == [("ask", "low"), ("agreement", "high")]
    if exit_code:
        assert result.stderr.startswith("error: low/m: agree: ")
        assert "(second opinion of high/m)" in result.stderr


def test_no_second_opinion_is_no_agreement(store_home: Home) -> None:
    with ScriptedServer({"*": in_turn(says("Paris."))}) as low, ScriptedServer({"*": sse([])}) as high:
        two_tiers(store_home, low.url, high.url)
        result = run_here(store_home, "ask", "--agree", "--no-escalate", "hi")
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        7,
        "error: low/m: agree: no second opinion could be had",
    )


@pytest.mark.parametrize(
    ("model", "exit_code"), [("high/m", 0), ("high", 0), ("hihg/m", 2)], ids=["model", "tier", "wrong"]
)
def test_a_second_opinion_may_be_named(store_home: Home, model: str, exit_code: int) -> None:
    with ScriptedServer({"*": says("Paris.")}) as low, ScriptedServer({"*": says("Paris")}) as high:
        two_tiers(store_home, low.url, high.url, checks=[f"agree={model}"])
        assert run_here(store_home, "ask", "hi").exit_code == exit_code
        assert (len(low.requests), len(high.requests)) == ((1, 1) if exit_code == 0 else (0, 0))


def test_a_second_sample_where_there_is_one_model(home: Home, server: ScriptedServer) -> None:
    assert run_here(home, "ask", "--agree", "hi").exit_code == 0
    assert [request.json().get("temperature") for request in server.requests] == [None, 0.7]


# --- time


@pytest.mark.parametrize(
    ("route", "options", "stdout", "line"),
    [
        ([*beginning("Par"), Action.HOLD], ("--idle-timeout", "0.2"), "Par\n", "timeout: no token for 0.2 s"),
        ([*beginning("Par"), Action.HOLD], ("--timeout", "0.5"), "Par\n", "timeout"),
        ([*beginning(), Action.HOLD], ("--idle-timeout", "0.2"), "", "timeout: no token for 0.2 s"),
        ([Action.HOLD], ("--idle-timeout", "0.2"), "", "timeout: "),
        ([Action.HOLD], ("--timeout", "0.3"), "", "timeout: "),
    ],
    ids=["idle", "total", "first-token", "no-head", "no-head-total"],
)
def test_silence_ends_with_124(
    home: Home, server: ScriptedServer, route: Any, options: Sequence[str], stdout: str, line: str
) -> None:
    server.routes["*"] = route
    result = run_here(home, "ask", *options, "hi")
    assert (result.exit_code, result.stdout) == (124, stdout), result.stderr
    assert result.stderr.startswith(f"error: only/m: {line}")


def test_the_timeout_is_for_all_tiers_together(store_home: Home) -> None:
    with ScriptedServer({"*": says("Lyon", finish="length")}) as low, ScriptedServer({"*": [Action.HOLD]}) as high:
        two_tiers(store_home, low.url, high.url)
        result = run_here(store_home, "ask", "--timeout", "0.5", "hi")
    assert result.exit_code == 124
    assert result.stderr.splitlines()[-2].startswith("error: no tier could answer: low (low/m): cut at the token limit")


def test_a_tier_has_a_time_of_its_own(store_home: Home) -> None:
    with ScriptedServer({"*": [Action.HOLD]}) as low, ScriptedServer({"*": says("Paris.")}) as high:
        two_tiers(store_home, low.url, high.url, timeout=0.3)
        result = run_here(store_home, "ask", "hi")
    assert (result.exit_code, result.stdout) == (0, PARIS)


# --- which tier


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--tier", "high", "--max-tier", "low"), "--tier high is above --max-tier low"),
        (("-m", "good", "--tier", "low"), "a model named alone takes no --tier"),
        (("--timeout", "nan"), "'nan' is not a number"),
        (("-o", "models=[1]"), "-o cannot set models"),
    ],
    ids=["tiers", "model-and-tier", "nan", "other-models"],
)
def test_contradictions_are_refused(store_home: Home, options: Sequence[str], words: str) -> None:
    two_tiers(store_home, "http://127.0.0.1:9", "http://127.0.0.1:9")
    result = run_here(store_home, "ask", *options, "hi")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), ["low", "high"]),
        (("--no-escalate",), ["low"]),
        (("--max-tier", "low"), ["low"]),
        (("--tier", "high"), ["high"]),
        (("-m", "low"), ["low"]),
        (("-m", "good"), ["high"]),
        (("-m", "high/other", "--no-probe"), ["high"]),
    ],
)
def test_the_user_bounds_the_ladder(store_home: Home, options: Sequence[str], asked: list[str]) -> None:
    with ScriptedServer({"*": sse([])}) as low, ScriptedServer({"*": sse([])}) as high:
        two_tiers(store_home, low.url, high.url)
        with (store_home.config / "mrt" / "config.toml").open("a") as config:
            config.write('[aliases]\ngood = "high/best"\n')
        run_here(store_home, "ask", *options, "--no-probe", "hi")
    assert [call["endpoint"] for call in calls(store_home)] == asked


def test_a_hard_prompt_starts_higher(store_home: Home) -> None:
    with ScriptedServer({"*": says("Low.")}) as low, ScriptedServer({"*": says("High.")}) as high:
        two_tiers(store_home, low.url, high.url, max_complexity=4)
        assert run_here(store_home, "ask", "Walk to the next room").stdout == "Low.\n"
        hard = run_here(store_home, "ask", "-v", "Plan the optimal path to become Hortator")
    assert hard.stdout == "High.\n"
    assert hard.stderr.startswith("routed to high (high/m): complexity ")


def test_after_an_overflow_only_more_context_helps(store_home: Home) -> None:
    overflow = json_response(400, {"error": {"message": "maximum context length is 512 tokens"}})
    with ScriptedServer({"*": overflow}) as small, ScriptedServer({"*": says("Paris.")}) as large:
        tables = ladder(first=small.url, second=small.url, third=large.url)
        for name, context in (("first", 512), ("second", 512), ("third", 4096)):
            tables[f"tiers.{name}"]["context"] = context
        configure(store_home, tables)
        result = run_here(store_home, "ask", "hi")
        assert (len(small.requests), result.stdout) == (1, PARIS)
    assert result.stderr.startswith("escalated to third from first: maximum context length is 512 tokens")


def models(*names: str) -> Any:
    """A list of models as OpenAI has it."""
    return json_response(200, {"object": "list", "data": [{"id": name} for name in names]})


def test_a_model_named_by_hand_is_checked_first(store_home: Home, server: ScriptedServer) -> None:
    server.routes["/v1/models"] = models("qwen-coder")
    env = {"VLLM_BASE_URL": server.url}
    wrong = run_here(store_home, "ask", "-m", "vllm/qwen-codr", "hi", env=env)
    assert (wrong.exit_code, wrong.stdout) == (3, "")
    assert wrong.stderr.startswith(f"error: {server.url} has no model 'qwen-codr'; it has qwen-coder\nhint: ")
    assert [request.path for request in server.requests] == ["/v1/models"]
    assert run_here(store_home, "ask", "-m", "vllm/qwen-coder", "hi", env=env).stdout == PARIS
    assert run_here(store_home, "ask", "-m", "vllm/qwen-codr", "--no-probe", "hi", env=env).stdout == PARIS


@pytest.mark.parametrize(
    ("route", "exit_code", "words"),
    [
        (json_response(503, {"error": "loading model"}), 3, "loading"),
        (json_response(401, {"error": "no"}), 4, "refuses the key"),
        ([Action.RESET], 3, "closed the connection"),
    ],
    ids=["loading", "unauthorized", "reset"],
)
def test_a_local_model_must_pass_its_check(
    store_home: Home, server: ScriptedServer, route: Any, exit_code: int, words: str
) -> None:
    server.routes["/v1/models"] = route
    result = run_here(store_home, "ask", "-m", "vllm/m", "hi", env={"VLLM_BASE_URL": server.url})
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert words in result.stderr
    assert len(server.requests) == 1


def test_a_passing_trouble_of_the_cloud_is_a_warning(store_home: Home, server: ScriptedServer) -> None:
    server.routes["/v1/models"] = json_response(503, {"error": "busy"})
    env = {
        "OPENAI_BASE_URL": server.url,
        "OPENAI_API_KEY": "sk-x",
        "MRT_BUDGET_DAILY_USD": "none",
        "MRT_BUDGET_MONTHLY_USD": "none",
    }
    result = run_here(store_home, "ask", "-m", "openai/m", "hi", env=env)
    assert (result.exit_code, result.stdout) == (0, PARIS), result.stderr
    assert result.stderr == "warning: openai could not be checked: HTTP 503\n"


def test_proxies_are_never_used_for_loopback(home: Home) -> None:
    dead = "http://127.0.0.1:9"
    assert run_here(home, "ask", "hi", env={"HTTP_PROXY": dead, "http_proxy": dead, "ALL_PROXY": dead}).stdout == PARIS


def test_a_retry_is_told_with_v(home: Home, server: ScriptedServer) -> None:
    server.routes["*"] = in_turn(json_response(503, {"error": "warming up"}, {"retry-after-ms": "1"}), says("Paris."))
    result = run_here(home, "ask", "-v", "hi", env={"MRT_ASK_RETRIES": "1"})
    assert (result.exit_code, result.stdout) == (0, PARIS)
    assert "only/m: warming up (HTTP 503); trying again in 0.0 s\n" in result.stderr
