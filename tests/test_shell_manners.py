"""What a shell and its users expect of a command, by command: a test for each row of the checklist, over every verb there is.

Where a row says "every", it means every: the commands are read from the program, so a new one is held to it at once.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from manners_kit import (
    END,
    EVERY,
    KEY,
    LONG_MODEL,
    MISTAKES,
    PRINTS_NO_JSON,
    PROTOCOLS,
    SHOWN_AS_HELP,
    SILENT,
    Manners,
    Screen,
    booked,
    manners,
    on_screen,
    processes_with,
    said,
    watched,
)
from rig.bench import right, suite_folder
from rig.command import Command, Home, Result, make_home
from rig.home_setup import beginning, configure, ladder, says, store_path
from rig.loopback import Action, ScriptedServer, Wait
from rig.responses import chunk as http_chunk
from rig.responses import json_response, ndjson, sse
from rig.wire_chat import RAIN

from mrt.bench.sandbox.executor import UNSAFE_FLAG, UNSAFE_VARIABLE
from mrt.errors import ExitCode

ESCAPE = b"\x1b"
AGE = re.compile(r"checked \d+ s ago")
QUESTION_OF_USAGE = re.compile(r"\Aerror: .+\nhint: .+\n\Z")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manners]:
    """A home in which every command has something to do; all tests here share it."""
    with manners(Command(make_home(tmp_path_factory.mktemp("manners") / "home"))) as found:
        yield found


@pytest.fixture(scope="module")
def plain(found: Manners, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Every command, piped, with an eye on its connections: they are in `connections` of the home."""
    eye = watched(tmp_path_factory.mktemp("eye") / "site", found.mrt.home.path / "connections")
    env = {**eye, "ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": ""}
    return {name: found(*found.words(name), env=env) for name in found.every}


@pytest.fixture(scope="module")
def as_json(found: Manners) -> dict[str, Result]:
    """Every command that prints JSON; the rig holds each to its schema."""
    return {name: found.here(*found.words(name), "--json") for name in found.every if name not in PRINTS_NO_JSON}


def test_01_results_on_stdout_all_else_on_stderr(found: Manners, plain: dict[str, Result]) -> None:
    assert found.shell("mrt ask -v hi 2>/dev/null </dev/null").stdout == "Paris.\n"
    for name, result in plain.items():
        assert not re.search(r"^(error|hint|warning|routed to|escalated to)\b", result.stdout, re.MULTILINE), name
        assert result.stdout or result.stderr or name in PROTOCOLS, f"{name} says nothing at all"
        assert "Traceback" not in result.stderr, name


def test_02_zero_only_when_the_answer_is_complete(store_home: object, mrt: Command) -> None:
    for name, route in SILENT.items():
        with ScriptedServer({"*": route}) as server:
            configure(mrt.home, ladder(only=server.url))
            assert mrt("ask", "hi").exit_code in (ExitCode.UPSTREAM, ExitCode.INCOMPLETE), name


def test_03_usage_errors_are_two_lines_and_a_guess(found: Manners) -> None:
    missed = found("spned")
    assert (missed.exit_code, missed.stdout) == (2, "")
    assert missed.stderr.startswith("error: No such command 'spned'. Did you mean 'spend'?\nhint: ")
    for name in EVERY:
        wrong = found.here(*name.split(), "--hepl")
        assert (wrong.exit_code, wrong.stdout) == (2, ""), name
        assert re.search("Did you mean .*'--help'", wrong.stderr), name
        assert QUESTION_OF_USAGE.match(wrong.stderr), wrong.stderr


def test_04_no_word_is_taken_for_a_prompt(found: Manners) -> None:
    asked = len(found.server.requests)
    for line in (["modles"], ["what is this"], ["--version?"], ["asks", "hi"]):
        assert found(*line).exit_code == 2
    assert len(found.server.requests) == asked


def test_05_help_everywhere_with_examples_first(found: Manners) -> None:
    for name in ("", *EVERY):
        short = found.here(*name.split(), "-h")
        assert (short.exit_code, short.stderr) == (0, ""), name
        assert " " in name or short.stdout == found.here(*name.split(), "--help").stdout, name
        assert short.stdout.startswith("Examples:\n  "), name
        assert f"Usage: mrt {name}".strip() in short.stdout, name


def test_06_alone_it_helps_and_a_terminal_is_not_waited_for(found: Manners) -> None:
    alone = found()
    assert (alone.exit_code, alone.stdout) == (0, found("--help").stdout)
    for line in (["ask"], ["route"], ["route", "-f", "calls.jsonl"], ["spend", "import"], ["bench", "grade"]):
        controller, terminal = pty.openpty()
        with found.mrt.start(*line, stdin=terminal) as process:
            _, told = process.communicate(timeout=20)
        os.close(controller)
        os.close(terminal)
        assert process.returncode in (0, 2), line
        assert process.returncode == 0 or QUESTION_OF_USAGE.match(told.decode()), told


def test_07_json_everywhere_also_for_errors(found: Manners, as_json: dict[str, Result]) -> None:
    for name, result in as_json.items():
        document = json.loads(result.stdout)
        assert list(document) == ["schema_version", "command", "data", "errors"], name
        assert document["schema_version"] == 1, name
        assert document["data"] is not None or document["errors"], name
        assert (result.exit_code == 0) or document["errors"] or name == "fit", name
    for name in EVERY:  # held to its schema by the rig, too
        wrong = found.here(*name.split(), "--json", "--no-such-flag")
        (error,) = json.loads(wrong.stdout)["errors"]
        assert (wrong.exit_code, error["code"], error["exit_code"]) == (2, "usage", 2), name


def test_08_json_lines_of_a_stream(found: Manners, mrt: Command) -> None:
    lines = [json.loads(line) for line in found("ask", "--stream-json", "hi").stdout.splitlines()]
    assert [line["event"] for line in lines] == ["route", "start", "delta", "delta", "usage", "result"]
    with ScriptedServer({"*": json_response(401, {})}) as low, ScriptedServer({"*": sse(RAIN)}) as high:
        configure(mrt.home, ladder(low=low.url, high=high.url))
        lines = [json.loads(line) for line in mrt("ask", "--stream-json", "hi").stdout.splitlines()]
    assert [line["event"] for line in lines] == ["route", "start", "escalate", "start", "delta", "usage", "error"]
    assert (lines[-1]["code"], lines[-1]["data"]["answer"]) == ("truncated", "It rains.")


@pytest.mark.parametrize(
    ("flags", "env"),
    [
        ((), {"NO_COLOR": "1"}),
        ((), {"TERM": "dumb"}),
        (("--no-color",), {}),
        ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"}),
    ],
    ids=["NO_COLOR", "dumb", "flag", "NO_COLOR-wins"],
)
def test_09_no_escape_where_none_is_wanted(found: Manners, flags: tuple[str, ...], env: dict[str, str]) -> None:
    for name in found.every:
        takes = flags if name not in SHOWN_AS_HELP else ()
        screen = Screen()
        told = found.writing_to(screen, *found.words(name), *takes, env=env).stderr
        assert ESCAPE not in (screen.getvalue() + told).encode(), (name, screen.getvalue(), told)


def test_09_nothing_but_text_in_a_pipe_and_colour_when_forced(found: Manners, plain: dict[str, Result]) -> None:
    for name, result in plain.items():
        assert ESCAPE not in result.stdout_bytes + result.stderr_bytes, name
        assert b"\r" not in result.stdout_bytes + result.stderr_bytes or name == "completion", name
    for variable in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        assert ESCAPE in found("ask", env={variable: "1"}).stderr_bytes
        assert ESCAPE in found("fit", "llama3.1:8b", "--vram", "16GiB", env={variable: "1"}).stdout_bytes
    assert ESCAPE in found("fit", "llama3.1:8b", "--vram", "16GiB", tty=True).stdout_bytes


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        (["ask", "hi"], b"routed to only"),
        (["ask", "-m", "only/m", "hi"], b"looking for only/m"),
        (["probe", "--endpoint", "only"], b"looking at the servers"),
        (["route", "--probe", "hi"], b"looking at the servers"),
        (["doctor"], b"examining"),
        (["bench", "--speed-only", "only"], b"looking for only/m"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_10_a_sign_of_life_before_any_server_answers(mrt: Command, line: list[str], sign: bytes) -> None:
    answering = threading.Event()
    with ScriptedServer({"*": [Wait(answering), *says("Paris.")]}) as server:
        configure(mrt.home, ladder(only=server.url))
        screen, terminal = pty.openpty()
        with mrt.start(*line, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal):
            os.close(terminal)
            shown = b""
            while sign not in shown:  # nothing but the sign ends this: the server says no word before it is here
                shown += os.read(screen, 4096)
            answering.set()
        os.close(screen)


@pytest.mark.parametrize("route", [[*beginning(), Action.HOLD], [Action.HOLD]], ids=["stalls", "says-nothing"])
def test_11_everything_ends_by_itself(mrt: Command, route: list[object]) -> None:
    with ScriptedServer({"*": route}) as server:
        configure(mrt.home, ladder(only=server.url))
        began = time.monotonic()
        for arguments in (["--timeout", "0.4"], ["--idle-timeout", "0.4"]):
            result = mrt("ask", *arguments, "hi")
            assert (result.exit_code, result.stdout) == (ExitCode.TIMEOUT, "")
            assert result.stderr.startswith("error: only/m: ")
        assert mrt("probe", "--timeout", "0.4", "--endpoint", "only").exit_code == ExitCode.UPSTREAM
        assert mrt("ask", "hi", env={"MRT_ASK_FIRST_TOKEN_TIMEOUT": "0.4"}).exit_code == ExitCode.TIMEOUT
        assert time.monotonic() - began < 20


def test_11_keep_alives_do_not_hide_a_dead_upstream(mrt: Command) -> None:
    pings = [http_chunk(b": keep-alive\n\n"), Wait(threading.Event(), 0.1)] * 100
    with ScriptedServer({"*": [*beginning("It"), *pings]}) as server:
        configure(mrt.home, ladder(only=server.url))
        result = mrt("ask", "--idle-timeout", "0.5", "hi")
    assert (result.exit_code, result.stdout) == (ExitCode.TIMEOUT, "It\n")


def test_12_ctrl_c_stops_closes_books_and_dies_by_the_signal(mrt: Command) -> None:
    with ScriptedServer({"*": [*beginning("It rains, and"), Action.HOLD]}) as server:
        tables = ladder(only=server.url)
        tables["tiers.only"] |= {"think": "off"}
        configure(mrt.home, tables)
        screen, terminal = pty.openpty()
        with mrt.start("ask", "hi", stdin=terminal, stdout=terminal, stderr=subprocess.PIPE) as process:
            shown = b""
            while b"and" not in shown:
                shown += os.read(screen, 4096)
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            assert process.stderr.read() == b"error: interrupted\n"
            assert process.wait(20) == -signal.SIGINT  # a shell reports 130, and a loop around it stops
        os.close(screen)
        os.close(terminal)
        assert server.requests[0].disconnected.wait(20)
    (call,) = json.loads(mrt("spend", "log", "--json").stdout)["data"]["calls"]
    assert (call["state"], call["outcome"]) == ("partial", "interrupted")
    assert call["usage"]["output_tokens"] > 0


def test_13_a_reader_that_leaves_is_no_failure(found: Manners, plain: dict[str, Result], mrt: Command) -> None:
    noise = "Traceback|Broken ?pipe|Exception ignored|internal error"
    for name in found.every:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as closed:
            done = found.writing_to(closed, *found.words(name))
        assert not re.search(noise, done.stderr, re.IGNORECASE), name
        assert done.exit_code in (0, plain[name].exit_code), (name, done.stderr)
    for line in ("ask hi", "help json", "spend log"):
        left = found.shell(f"mrt {line} </dev/null | true; echo ${{PIPESTATUS[0]}}")
        assert (left.stdout, left.stderr) == ("0\n", ""), line
    held = [*beginning("one\n"), Wait(threading.Event(), 0.5), *said("two"), Action.HOLD]
    with ScriptedServer({"*": held}) as server:
        tables = ladder(only=server.url)
        tables["tiers.only"] |= {"think": "off"}
        configure(mrt.home, tables)
        assert Manners(mrt, server, "").shell("mrt ask hi </dev/null | head -1").stdout == "one\n"
        assert server.requests[0].disconnected.wait(20)
    (call,) = json.loads(mrt("spend", "log", "--json").stdout)["data"]["calls"]
    assert call["state"] == "partial"


def test_14_a_full_disk_is_said_and_no_success(found: Manners, plain: dict[str, Result]) -> None:
    said_once = "error: cannot write: No space left on device\n"
    for name in (name for name in found.every if plain[name].stdout):
        full = Path("/dev/full").open("w")  # noqa: SIM115 - what is left in its buffer fails once more as it is closed
        done = found.writing_to(full, *found.words(name))
        with suppress(OSError):
            full.close()
        assert done.exit_code != 0, name
        assert done.stderr.count(said_once) == 1, (name, done.stderr)
        assert "Traceback" not in done.stderr, name
    for line in ("ask hi", "help json", "spend log"):
        ended = found.shell(f"mrt {line} </dev/null >/dev/full")
        assert ended.returncode != 0, line
        assert ended.stderr.count(said_once) == 1, line
        assert "Traceback" not in ended.stderr, line


def test_15_stdin_is_read_where_there_is_some_and_never_waited_for(found: Manners) -> None:
    def prompt() -> str:
        content: str = found.server.requests[-1].json()["messages"][-1]["content"]
        return content

    cases = {
        "printf text | mrt ask": "text",
        "printf text | mrt ask sum": "sum\n\n<stdin>\ntext\n</stdin>",
        "printf text | mrt ask -": "text",
        "mrt ask hi <&-": "hi",
        "printf text | mrt ask hi --no-stdin": "hi",
    }
    for script, wanted in cases.items():
        assert found.shell(script).stdout == "Paris.\n", script
        assert prompt() == wanted
    for verb, sign in (("ask", "Paris."), ("route", "only")):
        with found.mrt.start(verb, "hi") as process:  # the pipe stays open, and nothing comes, as from `sleep 99 |`
            assert process.stdout is not None
            assert process.stderr is not None
            assert sign in process.stdout.read().decode()
            assert process.stderr.read().startswith(b"nothing came on stdin within 1 s: going on without it")
    with found.mrt.start("ask", "--stdin-timeout", "0.1", "hi") as process:
        assert process.stderr is not None
        assert b"within 0.1 s" in process.stderr.read()
    for verb in ("ask", "route"):
        for wrong in ("nan", "0", "-1", "inf"):
            assert found.here(verb, "--stdin-timeout", wrong, "hi").exit_code == 2, (verb, wrong)


def test_16_what_is_no_text_is_said_so(found: Manners) -> None:
    readers = ("ask x", "route x", "route --batch -", "route --eval -", "bench grade --suite own -", "spend import -")
    for line in readers:
        done = found.shell(rf"printf '\xff\xfe\x00' | mrt {line}")
        assert done.returncode == 2, (line, done.stderr)
        assert QUESTION_OF_USAGE.match(done.stderr.splitlines(keepends=True)[0] + "hint: x\n"), (line, done.stderr)
        assert "Traceback" not in done.stderr, line
    assert found.shell(r"printf '\xe9' | mrt ask --encoding latin-1 x").returncode == 0


def test_17_every_token_at_once_and_one_newline_at_the_end(mrt: Command) -> None:
    seen = [threading.Event() for _ in range(3)]
    parts = [
        step for event, word in zip(seen, ("one ", "two ", "three"), strict=True) for step in (Wait(event), *said(word))
    ]
    with ScriptedServer({"*": [*beginning(), *parts, *END]}) as server:
        tables = ladder(only=server.url)
        tables["tiers.only"] |= {"think": "off"}
        configure(mrt.home, tables)
        with mrt.start("ask", "hi", stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            for event, word in zip(seen, (b"one ", b"two ", b"three"), strict=True):
                event.set()
                assert os.read(process.stdout.fileno(), 100) == word  # before the next one is even sent
            assert process.stdout.read() == b"\n"


def test_18_configuration_has_its_places_and_its_order(mrt: Command) -> None:
    home = mrt.home
    path = configure(home, {"ask": {"max_tokens": 11}})
    assert mrt("config", "path").stdout == f"{home.config}/mrt/config.toml\n" == f"{path}\n"
    assert mrt("config", "path", env={"XDG_CONFIG_HOME": ""}).stdout == f"{home.path}/.config/mrt/config.toml\n"
    named = home.path / "named.toml"
    named.write_text("[ask]\nmax_tokens = 22\n")
    folder = home.path / "project"
    folder.mkdir()
    (folder / ".mrt.toml").write_text("[ask]\nmax_tokens = 9\n")
    there = Command(Home(folder, home.environment))
    order = [
        (mrt, (), {}, "11"),
        (there, (), {}, "9"),
        (there, (), {"MRT_PROJECT_CONFIG": "off"}, "11"),
        (there, (), {"MRT_ASK_MAX_TOKENS": "33"}, "33"),
        (mrt, (), {"MRT_CONFIG": str(named)}, "22"),
        (mrt, ("--config", str(named)), {"MRT_CONFIG": str(path)}, "22"),
        (there, ("--config", str(named)), {"MRT_ASK_MAX_TOKENS": "33"}, "33"),
    ]
    for run, flags, env, wanted in order:
        assert run("config", "get", "ask.max_tokens", *flags, env=env).stdout == f"{wanted}\n"
    assert mrt("config", "get", "ask.retries").stdout == "2\n"
    with ScriptedServer({"*": says("Paris.")}) as server:
        configure(home, ladder(only=server.url) | {"ask": {"max_tokens": 11}})
        there("ask", "--max-tokens", "44", "hi", env={"MRT_ASK_MAX_TOKENS": "33"})
        assert server.requests[-1].json()["max_tokens"] == 44
    listed = mrt("config", "list", "--origin", env={"MRT_ASK_RETRIES": "1"}).stdout
    assert re.search(rf"^ask\.max_tokens = 11 +# {re.escape(str(path))}:\d+$", listed, re.MULTILINE)
    of_project = there("config", "list", "--origin").stdout
    assert f"# project ({folder}/.mrt.toml:2)\n" in of_project
    assert re.search(r"^ask\.retries = 1 +# MRT_ASK_RETRIES$", listed, re.MULTILINE)
    assert re.search(r"^ask\.stream = \"auto\" +# default$", listed, re.MULTILINE)
    assert mrt("config", "set", "ask.max_tokens", "55").exit_code == 0
    assert mrt("config", "get", "ask.max_tokens").stdout == "55\n"
    assert store_path(home).is_file()


def test_19_a_key_is_seen_nowhere(found: Manners, plain: dict[str, Result], as_json: dict[str, Result]) -> None:
    assert any(request.headers.get("authorization") == f"Bearer {KEY}" for request in found.server.requests)
    loud = [found("ask", "-vv", "--debug", "--debug-http", "-u", "hi"), found("ask", "--dry-run", "-v", "hi")]
    for name, result in [*plain.items(), *as_json.items(), *((" ".join(["ask"]), one) for one in loud)]:
        assert KEY not in result.stdout + result.stderr, name
    for path in found.mrt.home.path.rglob("*"):
        if path.is_file() and path.name != "key":
            assert KEY.encode() not in path.read_bytes(), path
    for name in EVERY:
        assert not re.search(r"--\S*(key|secret|password)\b", found.here(*name.split(), "--help").stdout), name
    held = [*beginning("It"), Action.HOLD]
    with ScriptedServer({"*": held}) as server:
        usual = (found.mrt.home.config / "mrt" / "config.toml").read_text()
        held_back = usual.replace(found.server.url, server.url)
        held_back = held_back.replace('key_file = "key"', f'key_cmd = "cat {found.mrt.home.config}/mrt/key"')
        (found.mrt.home.path / "held.toml").write_text(held_back)
        with found.mrt.start("ask", "--config", "held.toml", "hi", stdin=subprocess.DEVNULL) as process:
            assert process.stdout is not None
            assert process.stdout.read(2) == b"It"
            assert processes_with(KEY.encode()) == []
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_20_a_proxy_is_for_others_never_for_this_machine(mrt: Command) -> None:
    nobody = dict.fromkeys(
        ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
    )
    listing = json_response(200, {"object": "list", "data": [{"id": "m"}]})
    with ScriptedServer({"/v1/models": listing, "*": says("Paris.")}) as server:
        configure(mrt.home, ladder(only=server.url))
        assert mrt("probe", "--endpoint", "only", env=nobody).exit_code == 0
        assert mrt("ask", "hi", env=nobody).stdout == "Paris.\n"
    with ScriptedServer({"*": says("Paris.")}) as proxy:
        configure(mrt.home, ladder(far="http://far.example"))
        assert mrt("ask", "hi", env={"HTTP_PROXY": proxy.url, "http_proxy": proxy.url}).stdout == "Paris.\n"
        assert proxy.requests[0].path.startswith("http://far.example/")


def test_21_nobody_is_asked_where_nobody_can_answer(found: Manners) -> None:
    paid = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": found.server.url}
    for line in (["probe", "--deep", "openai/gpt-4o"], ["bench", "report", "one", "--apply"]):
        for flags, tty in (((), False), (("--no-input",), True)):
            result = found(*line, *flags, env=paid, tty=tty)
            assert result.exit_code == (2 if line[0] == "probe" else 0), (line, result.stdout)
            assert "--yes" in result.stdout + result.stderr or line[0] == "bench", line
            assert "[y/N]" not in result.stdout + result.stderr, line


def test_22_completion_of_every_shell_is_fast_and_silent(found: Manners, tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish", "powershell"):
        assert "_MRT_COMPLETE" in found("completion", shell).stdout
    log = tmp_path / "connections"
    eye = watched(tmp_path / "site", log)
    asked = len(found.server.requests)
    for line, word in {
        "mrt sp": "spend",
        "mrt ask --tier ": "only",
        "mrt ask -m only/": "only/m",
        "mrt fit llama3.1:": "llama3.1:8b",
    }.items():
        at = str(len(line.split(" ")) - 1)
        done = found(env={**eye, "_MRT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": at})
        assert (done.exit_code, done.stderr) == (0, "")
        assert word in done.stdout, (line, done.stdout)
    assert len(found.server.requests) == asked
    assert not log.exists()


def test_23_topics_and_man_pages(found: Manners) -> None:
    topics = [line.split()[0] for line in found("help").stdout.splitlines()]
    assert {"exit-codes", "environment", "config", "json", "tiers", "budgets", "privacy"} <= set(topics)
    for topic in topics:
        assert len(found("help", topic).stdout) > 100, topic
    for name in ("", *(name for name in EVERY if " " not in name)):
        page = found("help", "--man", *name.split()).stdout
        assert "\n.TH " in page, name
        if shutil.which("man"):
            shown = subprocess.run(
                ["man", "-l", "-"], input=page, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"}
            )
            assert "SYNOPSIS" in shown.stdout, name


def test_24_a_dry_run_shows_the_request_that_then_leaves(mrt: Command, tmp_path: Path) -> None:
    log = tmp_path / "connections"
    eye = watched(tmp_path / "site", log)
    with ScriptedServer({"*": says("Paris.")}) as server:
        configure(
            mrt.home,
            ladder(only=server.url, local=False)
            | {'prices."only/m"': {"input_usd_per_mtok": 1, "output_usd_per_mtok": 2}},
        )
        dry = json.loads(mrt("ask", "--dry-run", "--json", "--seed", "7", "hi", env=eye).stdout)["data"]
        assert server.requests == []
        assert not log.exists()
        assert mrt("ask", "--seed", "7", "hi").exit_code == 0
        (request,) = server.requests
    assert (dry["method"], dry["url"], dry["body"]) == (request.method, server.url + request.path, request.json())
    assert float(dry["bound"]["usd"]) > 0
    (call,) = json.loads(mrt("spend", "log", "--json").stdout)["data"]["calls"]
    assert call["reserved_usd"] == dry["bound"]["usd"]


def test_25_quiet_verbose_and_the_traffic(found: Manners) -> None:
    assert found("ask", "-q", "hi").stderr == ""
    assert found("ask", "-q", "hi", tty=True).stdout == "Paris.\n"
    assert found("ask", "-v", "hi").stderr.startswith("routed to only (only/m): complexity ")
    assert len(found("ask", "-vv", "hi").stderr) >= len(found("ask", "-v", "hi").stderr)
    traffic = found("ask", "--debug-http", "hi").stderr
    assert "/v1/chat/completions" in traffic
    assert "authorization: ***" in traffic.lower()


def test_26_a_pager_only_for_what_no_screen_holds(found: Manners) -> None:
    calls = ["spend", "log", "-n", "100"]
    pager = found.mrt.home.path / "pager"
    pager.write_text("#!/bin/sh\ntouch paged\nexec head -n 2\n")
    pager.chmod(0o755)
    paged = found.mrt.home.path / "paged"
    for line, env, wanted in (
        (["help", "budgets"], {"MRT_PAGER": str(pager)}, True),
        (["help", "budgets"], {"PAGER": f"{pager} --some-option"}, True),
        (["help", "budgets"], {"MRT_PAGER": "", "PAGER": str(pager)}, False),
        (["help", "budgets", "--no-pager"], {"PAGER": str(pager)}, False),
        (["help", "budgets", "--no-input"], {"PAGER": str(pager)}, False),
        (["help", "budgets"], {"PAGER": str(pager), "TERM": "dumb"}, False),
        (["help", "budgets"], {"PAGER": "no-such-pager"}, False),
        (["help"], {"PAGER": str(pager)}, False),
        (calls, {"PAGER": str(pager)}, True),
        (["fit", "--ram", "64GiB"], {"PAGER": str(pager)}, True),
    ):
        paged.unlink(missing_ok=True)
        code, shown = on_screen(found.mrt, line, env)
        assert code == 0, (line, env, shown)
        assert paged.exists() == wanted, (line, env, shown)
        assert (len(shown.splitlines()) <= 2) == wanted or line == ["help"], (line, env, shown)
        assert "Broken" not in shown
    paged.unlink(missing_ok=True)
    assert len(found("help", "budgets", env={"PAGER": str(pager)}).stdout.splitlines()) > 10
    assert not paged.exists()


def test_27_nothing_is_sent_but_to_the_servers_that_are_set_up(found: Manners, plain: dict[str, Result]) -> None:
    lines = (found.mrt.home.path / "connections").read_text().splitlines()
    assert any("socket.connect" in line and str(found.server.port) in line for line in lines)
    others = [line for line in lines if not re.search(r"127\.0\.0\.1|'localhost'|'::1'|api\.anthropic\.com", line)]
    assert others == []


def test_28_doctor_looks_at_all_of_it(found: Manners) -> None:
    findings = json.loads(found("doctor", "--json").stdout)["data"]["findings"]
    areas = {finding["area"] for finding in findings}
    assert {"python", "config", "key", "endpoint", "tier", "GPU", "store", "file mode", "clock", "terminal"} <= areas
    assert all(finding["hint"] for finding in findings if finding["level"] == "problem")
    assert found("probe", "doctor").stdout == found("doctor").stdout


def test_29_errors_say_what_happened_and_what_to_do_next(found: Manners) -> None:
    for line in MISTAKES:
        result = found(*line)
        assert result.exit_code not in (0, 1), line
        assert QUESTION_OF_USAGE.match(result.stderr), (line, result.stderr)


def test_30_no_table_is_cut(found: Manners) -> None:
    tables = (
        ["spend"],
        ["spend", "--by", "model", "--csv"],
        ["spend", "log", "-n", "1000"],
        ["probe", "models", "--cached"],
        ["top", "--once"],
    )
    for line in tables:
        wide, narrow = (found(*line, env={"COLUMNS": columns}).stdout for columns in ("300", "20"))
        if line != ["top", "--once"]:  # which tells the time, and of the last calls alone
            assert LONG_MODEL in narrow, (line, narrow)
            assert narrow == wide, line
        assert "…" not in narrow, line
    long = [call["id"] for call in booked(found)]
    assert all(identifier in found("spend", "log", "-n", "1000").stdout for identifier in long)
    for line in (["fit", "--ram", "64GiB"], ["bench", "report"], ["route", "--explain", "hi"], ["config", "show"]):
        narrow, wide = (found(*line, env={"COLUMNS": columns}).stdout for columns in ("20", "300"))
        assert AGE.sub("", narrow) == AGE.sub("", wide), line


@pytest.mark.parametrize("kind", ["openai", "ollama", "anthropic"])
def test_31_an_answer_can_be_repeated(mrt: Command, kind: str) -> None:
    with ScriptedServer(
        {"*": json_response(200, {"message": {"content": "Hi."}, "done": True, "done_reason": "stop"})}
    ) as server:
        # What is said on the command line goes before what the tier is set to.
        configure(mrt.home, ladder(kind, only=server.url) | {"tiers.only.options": {"seed": 1}})
        told = mrt("ask", "--seed", "7", "hi").stderr
        body = server.requests[0].json()
    assert {"openai": body.get("seed"), "ollama": body.get("options", {}).get("seed"), "anthropic": 7}[kind] == 7
    assert ("only/m takes no seed: asked again, it may answer otherwise" in told) == (kind == "anthropic")
    assert kind != "anthropic" or "seed" not in json.dumps(body)


def test_31_a_measurement_tells_model_and_seed(mrt: Command) -> None:
    digest = "94ccf6d34e7c045a5579d76c1e81972262cfc8f4d3a5cee92e0324a18d5b51e1"
    tags = json_response(200, {"models": [{"name": "m:latest", "model": "m:latest", "digest": digest}]})
    answer = [{"message": {"content": right(1)}, "done": False}, {"done": True, "done_reason": "stop"}]
    routes = {"/api/tags": tags, "/api/version": json_response(200, {"version": "0.33.0"}), "/api/chat": ndjson(answer)}
    suite = suite_folder(mrt.home.path / "own", {1: 1})
    measure = [
        "bench",
        "--quality-only",
        "--tasks",
        suite,
        "--samples",
        "2",
        "--seed",
        "5",
        UNSAFE_FLAG,
        "only",
        "--json",
    ]
    with ScriptedServer(routes) as server:
        configure(mrt.home, ladder("ollama", only=server.url))
        (found,) = json.loads(mrt("probe", "--endpoint", "only", "--json").stdout)["data"]["endpoints"]
        run = json.loads(mrt(*measure, env={UNSAFE_VARIABLE: "1"}).stdout)["data"]
        asked = [request.json() for request in server.requests if request.path == "/api/chat"]
    assert [model["digest"] for model in found["models"]] == [digest]
    assert (run["environment"]["model_digest"], run["environment"]["seed"]) == (digest, 5)
    assert [body["options"]["seed"] for body in asked] == [5, 6]


def test_every_row_has_its_test() -> None:
    rows = {int(found[1]) for name in globals() if (found := re.match(r"test_(\d\d)_", name))}
    assert rows == set(range(1, 32))
