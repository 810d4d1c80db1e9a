"""The command around the verbs: lazy loading, exit codes, the error boundary, completion."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from rig.command import Command, Home
from rig.home_setup import configure, ladder, run_here, says
from rig.loopback import ScriptedServer

from mrt import __version__
from mrt.cli import EXAMPLES, VERBS, run
from mrt.errors import EXIT_CODE_MEANINGS, ExitCode, MrtError
from mrt.output import Console

ROOT = Path(__file__).parents[1]


# --- start-up


FRAME = {
    "mrt",
    "mrt.cli",
    "mrt.commands",
    "mrt.commands._lazy_commands",
    "mrt.commands._shared",
    "mrt.errors",
    "mrt.output",
    "mrt.output.console",
    "mrt.output.terminal",
}
LOADED = """
import sys
from mrt.cli import main
try:
    main()
finally:
    print("LOADED", *sorted(sys.modules), file=sys.stderr)
"""


def modules(home: Home, *arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """Every module that one run of mrt has loaded when it ends."""
    environment = {name: value for name, value in home.environment.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        env={**environment, **(env or {})},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return set(done.stderr.rpartition("LOADED ")[2].split())


def ours(loaded: set[str]) -> set[str]:
    """The modules of mrt among them."""
    return {name for name in loaded if name.partition(".")[0] == "mrt"}


def foreign(loaded: set[str]) -> set[str]:
    """The packages among them that do not come with Python."""
    bare = subprocess.run([sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True)
    top = {name.partition(".")[0] for name in loaded - set(bare.stdout.split())}
    return {name for name in top if name not in sys.stdlib_module_names and not name.startswith("_sysconfigdata")} - {
        "mrt"
    }


@pytest.mark.parametrize(
    ("arguments", "env", "verb"),
    [
        (("--help",), {}, set()),
        (("--version",), {}, set()),
        ((), {}, set()),
        (("ask", "--help"), {}, {"mrt.commands.ask", "mrt.commands._options"}),
    ],
    ids=["help", "version", "alone", "help-of-a-verb"],
)
def test_little_is_loaded_to_explain(
    store_home: Home, arguments: Sequence[str], env: dict[str, str], verb: set[str]
) -> None:
    loaded = modules(store_home, *arguments, env=env)
    assert ours(loaded) == FRAME | verb
    assert foreign(loaded) == {"click"}
    assert not loaded & {"asyncio", "importlib.metadata", "sqlite3", "subprocess", "socket", "ssl", "logging"}


def test_a_request_loads_no_more_than_it_needs(store_home: Home) -> None:
    with ScriptedServer({"*": says("Paris.")}) as server:
        configure(store_home, ladder(only=server.url))
        run_here(store_home, "ask", "hi")  # the first run makes the store, which takes sqlite-utils
        loaded = modules(store_home, "ask", "hi")
        assert len(server.requests) == 2
    assert foreign(loaded) <= {"click", "httpx", "httpcore", "h11", "anyio", "certifi", "idna", "typing_extensions"}
    assert not loaded & {"asyncio", "importlib.metadata", "subprocess"}
    assert not ours(loaded) & {"mrt.providers.anthropic", "mrt.providers.ollama", "mrt.commands.config"}


# --- the frame


def test_alone_it_shows_its_help(mrt: Command) -> None:
    alone, asked = mrt(), mrt("--help")
    assert (alone.exit_code, alone.stdout, alone.stderr) == (0, asked.stdout, "")
    assert mrt("-h").stdout == asked.stdout
    lines = asked.stdout.splitlines()
    assert lines[:2] == ["Examples:", f"  {EXAMPLES.strip().splitlines()[0]}"]
    assert all(any(line.startswith(f"  {verb} ") for line in lines) for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_examples_first(store_home: Home, verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(store_home, verb, "-h").exit_code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Examples:\n  ")
    assert f"Usage: mrt {verb}" in shown


def test_the_version_is_said(mrt: Command) -> None:
    result = mrt("--version")
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"mrt {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (
            ("spned",),
            "error: No such command 'spned'. Did you mean 'spend'?\nhint: `mrt --help` shows how it is used\n",
        ),
        (
            ("confg",),
            "error: No such command 'confg'. Did you mean 'config'?\nhint: `mrt --help` shows how it is used\n",
        ),
        (("--no-such",), "error: No such option '--no-such'.\nhint: `mrt --help` shows how it is used\n"),
        (("help", "exit-code"), "error: no topic and no verb 'exit-code' (did you mean exit-codes?)"),
        (
            ("completion", "tcsh"),
            "error: Invalid value for 'SHELL': 'tcsh' is not one of 'bash', 'zsh', 'fish', 'powershell'.",
        ),
    ],
    ids=["verb", "near-verb", "option", "topic", "shell"],
)
def test_a_wrong_word_is_a_usage_error(mrt: Command, arguments: Sequence[str], stderr: str) -> None:
    result = mrt(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(stderr)


def test_an_unknown_verb_sends_no_prompt(store_home: Home) -> None:
    with ScriptedServer({"*": says("never")}) as server:
        configure(store_home, ladder(only=server.url))
        assert run_here(store_home, "modles").exit_code == 2
        assert server.requests == []


def test_an_unknown_verb_in_json(store_home: Home) -> None:
    document = json.loads(run_here(store_home, "modles", "--json").stdout)
    assert (document["command"], document["data"], document["errors"][0]["code"]) == ("mrt", None, "usage")


def test_exit_codes_are_documented(mrt: Command) -> None:
    lines = mrt("help", "exit-codes").stdout.splitlines()
    *codes, signals = lines
    assert [int(line.split()[0]) for line in codes] == [int(code) for code in ExitCode]
    assert signals == "128 + N  ended by signal N (129: hang-up, 143: terminated)"
    assert EXIT_CODE_MEANINGS.keys() == set(ExitCode)
    assert "130  interrupted" in lines


def test_topics_in_json(store_home: Home) -> None:
    topics = json.loads(run_here(store_home, "help", "--json").stdout)["data"]
    assert topics["topic"] is None
    for line in topics["text"].splitlines():
        topic = json.loads(run_here(store_home, "help", line.split()[0], "--json").stdout)
        assert (topic["command"], topic["errors"]) == ("help", [])
        assert len(topic["data"]["text"]) > 100


# --- the error boundary


class Unforeseen(io.StringIO):
    """A stdout that fails as nobody expected."""

    def write(self, text: str) -> int:
        raise ZeroDivisionError("of all things")


@pytest.mark.parametrize("debug", [False, True])
def test_an_internal_error_is_one_line_and_where_to_report_it(store_home: Home, debug: bool) -> None:
    stderr = io.StringIO()
    console = Console(None, Unforeseen(), stderr, store_home.environment)
    assert run(["help", *(["--debug"] if debug else []), "exit-codes"], console) == 1
    *trace, line, hint = stderr.getvalue().splitlines()
    assert line == "error: internal error: ZeroDivisionError: of all things"
    assert hint == "hint: run it again with --debug and report the traceback together with `mrt --version`"
    assert trace[:1] == (["Traceback (most recent call last):"] if debug else [])


def test_debug_may_stand_before_the_verb(store_home: Home) -> None:
    stderr = io.StringIO()
    assert run(["--debug", "help", "json"], Console(None, Unforeseen(), stderr, store_home.environment)) == 1
    assert stderr.getvalue().startswith("Traceback")


def test_every_failure_has_a_code_of_its_own() -> None:
    def below(kind: type[MrtError]) -> list[type[MrtError]]:
        return [kind, *(narrower for child in kind.__subclasses__() for narrower in below(child))]

    kinds = [kind for kind in below(MrtError) if kind.__module__ == MrtError.__module__]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert {kind.exit_code for kind in kinds} <= set(ExitCode)


def test_a_closed_pipe_is_no_failure(mrt: Command) -> None:
    with mrt.start("help", "config") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(20) == 0
