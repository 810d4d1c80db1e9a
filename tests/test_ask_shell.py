"""The shell around mrt ask: what it reads, and the streams it is given."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from ask_kit import PARIS, prompt_of
from rig.command import Command, Home
from rig.home_setup import calls
from rig.loopback import ScriptedServer


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
            "check the name, and that you may read it",
        ),
        (("-f", ".", "hi"), None, ". cannot be read: Is a directory", "check the name, and that you may read it"),
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
