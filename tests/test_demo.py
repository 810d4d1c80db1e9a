"""`mrt demo`: what it shows, that it checks itself, and that it touches nothing but its own."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from demo_kit import CANARY, Place, entries, make_place, with_diary
from rig.denied import python_without

from mrt.demo.engine import available
from mrt.demo.play import command_line
from mrt.demo.steps import STEPS
from mrt.errors import EXIT_CODE_MEANINGS
from mrt.ledger import load_snapshot
from mrt.pricing import find_rates

BIND, CONNECT = 49, 42
by_numbers = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="the numbers of system calls are those of x86-64"
)
HEADING = re.compile(r"^(\d+)/(\d+)  (.+)$", re.MULTILINE)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A user's home that the demo has to leave alone."""
    return make_place(tmp_path)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a demo prints."""
    place = make_place(tmp_path_factory.mktemp("shown"))
    result = place.mrt("demo", env=place.environment)
    assert (result.exit_code, result.stderr, place.left()) == (0, "", [])
    return result.stdout


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a demo tells scripts."""
    place = make_place(tmp_path_factory.mktemp("document"))
    result = place.mrt("demo", "--json", env=place.environment)
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


# --- what it shows


def block(shown: str, number: int) -> str:
    """One step, without its heading."""
    parts = re.split(r"^\d+/\d+  .+\n", shown, flags=re.MULTILINE)
    return parts[number].partition(f"\n{len(STEPS)} commands in ")[0].strip("\n")


def test_every_step_has_a_heading_and_its_command(shown: str) -> None:
    headings = [(int(number), int(of), title) for number, of, title in HEADING.findall(shown)]
    assert headings == [(number, len(STEPS), step.title) for number, step in enumerate(STEPS, start=1)]
    for number, step in enumerate(STEPS, start=1):
        lines = block(shown, number).splitlines()
        assert lines[0] == f"$ {command_line(step)}"
        assert len(lines) > 1
        told = [line for line in lines if line.startswith("exit code ")]
        assert told == ([f"exit code {int(step.code)}: {EXIT_CODE_MEANINGS[step.code]}"] if step.code else [])
        assert not told or lines[-1] == told[0]


def test_it_says_first_what_is_simulated(shown: str) -> None:
    opening, _, _ = shown.partition("\n\n")
    first, *about = opening.splitlines()
    assert "SIMULATED" in first
    assert [name for name in ("sim-ollama", "sim-llamacpp", "sim-anthropic") if name not in "".join(about)] == []
    own = [line for line in shown.splitlines() if HEADING.match(line)] + [first, *about]
    assert [line for line in own if len(line) > 80] == []


def test_it_ends_with_what_to_do_next(shown: str) -> None:
    closing = shown.partition(f"\n{len(STEPS)} commands in ")[2]
    further = ["mrt demo --engine"] if available() else []
    assert re.findall(r"^  (mrt [a-z -]*?)  ", closing, re.MULTILINE) == [
        "mrt probe",
        "mrt config init",
        "mrt doctor",
        *further,
    ]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, r"sim-ollama +ollama +ready +simulated .*1 \(1 loaded\)"),
        (1, r"sim-llamacpp +llamacpp +ready +simulated .*1 slot"),
        (1, r"sim-anthropic +anthropic +ready"),
        (1, r"local-fast +sim-ollama/small +sim-ollama +ready +yes"),
        (1, r"cloud +sim-anthropic/paid +sim-anthropic +ready +yes, runs elsewhere"),
        (2, r"verdict +fits +partial"),
        (3, r"^local-fast \(sim-ollama/small\): complexity"),
        (3, r"cloud +sim-anthropic/paid .*about \$0\.00"),
        (4, r"^local-fast \(sim-ollama/small\): \d+ tokens in, \d+ tokens out, no API cost"),
        (5, r"\AClose the cursor when a query fails\Z"),
        (6, r"\Aescalated to local-heavy from local-fast: code: .*does not parse"),
        (6, r"^local-heavy \(sim-llamacpp/large\): .*no API cost"),
        (7, r"\Aescalated to cloud from local-heavy: handoff: "),
        (7, r"^cloud \(sim-anthropic/paid\): \d+ tokens in, \d+ tokens out, \$0\.000"),
        (8, r"^daily +\$1\.00 +\$0\.000"),
        (8, r"^sim-ollama/small .*no API cost$"),
        (9, r"\Aset budget.daily_usd = 0\.01 in "),
        (10, r"^error: .*the daily budget of \$0\.01 does not allow this call"),
        (11, r"^local-heavy \(sim-llamacpp/large\): .*no API cost"),
    ],
)
def test_the_verbs_say_what_happened(shown: str, number: int, expected: str) -> None:
    _, _, output = block(shown, number).partition("\n")
    assert re.search(expected, output, re.MULTILINE)


def test_no_step_warns_and_the_users_key_is_nowhere(shown: str) -> None:
    assert "warning:" not in shown
    assert CANARY not in shown


def test_json_has_every_step(document: Any) -> None:
    assert (document["command"], document["errors"]) == ("demo", [])
    steps = document["data"]["steps"]
    assert [step["command"] for step in steps] == [command_line(step) for step in STEPS]
    assert [step["title"] for step in steps] == [step.title for step in STEPS]
    assert [step["exit_code"] for step in steps] == [int(step.code) for step in STEPS]
    assert all(step.keys() == {"title", "command", "exit_code", "stdout", "stderr", "seconds"} for step in steps)
    assert sum(step["seconds"] for step in steps) <= document["data"]["seconds"]
    assert steps[4]["stdout"] == "Close the cursor when a query fails\n"
    assert steps[9]["stdout"] == ""
    assert steps[9]["stderr"].startswith(
        "error: sim-anthropic/paid: the daily budget of $0.01 does not allow this call: "
    )
    assert "; staying local: asking local-heavy\n" in steps[10]["stderr"]


def test_the_money_is_what_the_price_table_says(document: Any) -> None:
    told = document["data"]["steps"][6]["stderr"]
    incoming, outgoing, cost = re.search(r"(\d+) tokens in, (\d+) tokens out, \$([0-9.]+)", told).groups()  # type: ignore[union-attr]
    rates = find_rates("anthropic", "claude-haiku-4-5", {}, load_snapshot())
    assert rates is not None
    assert Decimal(cost) == (int(incoming) * rates.input + int(outgoing) * rates.output) / 1_000_000
    assert f"${cost}" in document["data"]["steps"][7]["stdout"]


def test_quiet_leaves_the_commands_and_what_they_print(place: Place) -> None:
    shown = place.mrt("demo", "-q", "--no-color", env=place.environment, tty=True).stdout
    assert [line[2:] for line in shown.splitlines() if line.startswith("$ ")] == list(map(command_line, STEPS))
    assert not HEADING.search(shown)
    assert shown.startswith("$ mrt probe\n")
    assert "commands in" not in shown
    assert "\x1b" not in shown


def test_a_terminal_shows_headings_in_colour(place: Place, shown: str) -> None:
    coloured = place.mrt("demo", env=place.environment, tty=True).stdout
    assert "\x1b" not in shown
    styled = [line for line in coloured.splitlines() if "\x1b" in line]
    assert [line for line in styled if not re.search(r"m\d+/11  |m\$ mrt |mexit code \d", line)] == []
    assert coloured.count("\x1b[0m") == 2 * len(STEPS) + sum(step.code != 0 for step in STEPS)


def test_it_has_a_config_of_its_own(place: Place) -> None:
    result = place.mrt("demo", "--config", "mine.toml", env=place.environment)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: the demo has a configuration of its own\nhint: leave out --config\n"


# --- what it touches


def test_it_touches_nothing_but_its_own(place: Place, tmp_path: Path) -> None:
    environment, diary = with_diary(tmp_path)
    before = place.fingerprint()
    result = place.mrt("demo", env=place.environment | environment)
    assert (result.exit_code, place.left(), place.fingerprint()) == (0, [], before)
    found = entries(diary)
    opened = [(where, wrote) for event, where, wrote in found if event in ("open", "sqlite3.connect")]
    assert [where for where, _ in opened if str(place.home.path) in where] == []
    written = {
        where for where, wrote in opened if wrote and not re.search(r"__pycache__|/dev/null|/\.coverage|^\d+$", where)
    }
    assert any("spend.db" in where for where in written)
    assert [where for where in written if str(place.temporary) not in where] == []
    spoken = [where for event, where, _ in found if event in ("socket.connect", "socket.bind")]
    assert len(spoken) > len(STEPS)
    assert [where for where in spoken if "'127.0.0.1'" not in where and "'::1'" not in where] == []
    asked = {where for event, where, _ in found if event == "socket.getaddrinfo"}
    assert asked <= {"'127.0.0.1'", "'localhost'", "b'127.0.0.1'", "b'localhost'"}


def test_it_runs_in_a_folder_that_has_other_modules_of_the_same_names(place: Place) -> None:
    for name in ("mrt", "json", "click"):
        (place.home.path / f"{name}.py").write_text("raise SystemExit('the wrong one')")
    code = "import sys; sys.path.remove(''); from mrt.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "-q"],
        env={**place.home.environment, **place.environment},
        cwd=place.home.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def wait_for_step(process: subprocess.Popen[bytes], number: int) -> None:
    """Read until the heading of this step."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"{number}/".encode()):
            return
    raise AssertionError("the demo ended too early")


@pytest.mark.parametrize(
    ("number", "to_group", "code"),
    [(signal.SIGINT, True, 130), (signal.SIGINT, False, 130), (signal.SIGTERM, False, 143), (signal.SIGHUP, True, 129)],
    ids=["ctrl-c", "interrupt", "terminate", "hang-up"],
)
def test_a_signal_leaves_nothing(place: Place, number: signal.Signals, to_group: bool, code: int) -> None:
    with place.mrt.start("demo", env=place.environment, stdin=subprocess.DEVNULL) as process:
        wait_for_step(process, 3)
        (os.killpg if to_group else os.kill)(process.pid, number)
        _, stderr = process.communicate(timeout=30)
        assert (process.returncode, stderr, place.left()) == (code, b"error: interrupted\n", [])
        with pytest.raises(ProcessLookupError):  # nobody of its group is left
            os.killpg(process.pid, 0)


@pytest.mark.parametrize(
    ("line", "code", "stderr"),
    [
        ("$MRT demo | head -n 3 >/dev/null; exit ${PIPESTATUS[0]}", 0, ""),
        (
            "$MRT demo >/dev/full",
            1,
            "error: cannot write: No space left on device\nhint: free the disk or the pipe that stdout goes to\n",
        ),
        ("$MRT demo <&- >&- 2>&-", 1, ""),
    ],
    ids=["head", "full", "all-closed"],
)
def test_the_end_of_stdout_leaves_nothing(place: Place, line: str, code: int, stderr: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'MRT="{sys.executable} -m mrt"; {line}'],
        env={**place.home.environment, **place.environment},
        cwd=place.home.path,
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr.decode(), place.left()) == (code, stderr, [])


# --- that it checks itself


def denied(place: Place, number: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo on a machine that forbids one system call."""
    return subprocess.run(
        python_without(number, "-m", "mrt", "demo", *arguments),
        env={**place.home.environment, **place.environment},
        cwd=place.home.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@by_numbers
def test_a_step_that_ends_otherwise_fails_the_demo(place: Place) -> None:
    done = denied(place, CONNECT)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("$ ")] == ["$ mrt probe"]
    assert "exit code 3: " in done.stdout
    assert "commands in" not in done.stdout
    first, hint = done.stderr.splitlines()
    assert first == "error: `mrt probe` ended with exit code 3 instead of 0"
    assert hint.startswith("hint: mrt doctor ")
    assert place.left() == []


@by_numbers
def test_json_says_which_step_failed(place: Place) -> None:
    done = denied(place, CONNECT, "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert [step["exit_code"] for step in document["data"]["steps"]] == [3]
    (error,) = document["errors"]
    assert (error["code"], error["exit_code"]) == ("internal", 1)


@by_numbers
def test_without_loopback_it_says_so(place: Place) -> None:
    done = denied(place, BIND)
    assert (done.returncode, done.stdout, place.left()) == (1, "", [])
    assert done.stderr.startswith("error: cannot listen on 127.0.0.1: ")
