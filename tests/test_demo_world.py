"""Where the commands of mrt demo run: what they get of the environment, and how a command that goes wrong ends the demo."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mrt.config import load
from mrt.demo.play import command_line, failure, play
from mrt.demo.stage import staged
from mrt.demo.steps import STEPS, Step
from mrt.demo.world import World, inherited
from mrt.endpoints.place import places
from mrt.errors import ExitCode, TimedOut


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world of a demo that is set up in this process."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with staged(os.environ) as world:
        yield world
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "name",
    [
        "ANTHROPIC_API_KEY",
        "OLLAMA_BASE_URL",
        "LOCAL_LLM_API_KEY",
        "HTTP_PROXY",
        "MRT_ASK_MAX_TOKENS",
        "XDG_CONFIG_HOME",
        "HOME",
        "SSL_CERT_FILE",
        "PYTHONSTARTUP",
        "PYTHONWARNINGS",
    ],
)
def test_keys_settings_and_proxies_stay_outside(name: str) -> None:
    assert name not in inherited({name: "mine", "PATH": "/bin"})


def test_modules_are_found_from_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    here = str(Path.cwd())
    monkeypatch.setattr(sys, "path", ["/elsewhere", *sys.path])
    assert "PYTHONPATH" not in inherited({})
    paths = os.pathsep.join(["lib", "", "/srv/lib"])
    assert inherited({"PYTHONPATH": paths})["PYTHONPATH"] == os.pathsep.join([f"{here}{os.sep}lib", "/srv/lib"])
    monkeypatch.setattr(sys, "path", [here])  # as `python -m mrt` sets it
    assert inherited({})["PYTHONPATH"] == here


def test_a_folder_that_is_gone_is_no_place_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert inherited({"PYTHONPATH": os.pathsep.join(["lib", "/srv/lib"])})["PYTHONPATH"] == "/srv/lib"


@pytest.mark.parametrize(("enabled", "expected"), [(True, "/home/me/.local"), (False, None), (None, None)])
def test_packages_of_the_users_own_are_found(
    enabled: bool | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("site.ENABLE_USER_SITE", enabled)
    monkeypatch.setattr("site.USER_BASE", "/home/me/.local")
    assert inherited({}).get("PYTHONUSERBASE") == expected


def test_everything_named_in_the_environment_lies_in_the_folder(world: World) -> None:
    places = (
        "HOME",
        "USERPROFILE",
        "MRT_CONFIG",
        "MRT_DB",
        *(name for name in world.environment if name.startswith("XDG_")),
    )
    assert len(places) == 8
    assert [name for name in places if not Path(world.environment[name]).is_relative_to(world.folder)] == []


def test_no_server_but_those_of_the_demo_is_looked_at(world: World) -> None:
    config = load(world.environment)
    looked_at = {place.target.url for place in places(config, world.environment)}
    assert looked_at == {endpoint.url for endpoint in config.endpoints.values()}


def test_the_demo_ends_with_the_first_step_that_goes_wrong(world: World) -> None:
    wrong = replace(STEPS[1], code=ExitCode.OK)
    played = list(play([wrong, STEPS[0]], world, merged=False))
    assert [one.exit_code for one in played] == [9]
    error = failure(played[0])
    assert error is not None
    assert error.message == f"`{command_line(wrong)}` ended with exit code 9 instead of 0"


def test_streams_apart_or_as_they_come(world: World) -> None:
    step = Step("A wrong word.", ("modles",), ExitCode.USAGE)
    (apart,), (merged,) = (list(play([step], world, merged=merged)) for merged in (False, True))
    assert (apart.stdout, merged.stderr) == ("", "")
    assert merged.stdout == apart.stderr
    assert apart.stderr.startswith("error: ")
    assert failure(apart) is None


def test_a_command_that_hangs_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrt.demo.play.LONGEST_S", 0.0)
    with pytest.raises(TimedOut, match="`mrt probe` took longer than 0 s"):
        list(play(STEPS[:1], world, merged=True))


@pytest.mark.parametrize("step", STEPS, ids=command_line)
def test_commands_are_typed_alike_in_every_shell(step: Step) -> None:
    import shlex

    line, _, source = command_line(step).partition(" < ")
    assert shlex.split(line) == ["mrt", *step.words]
    assert source == (step.stdin or "")
    assert not set(line) & set("'`$\\!")


def test_the_file_that_is_piped_in_is_there(world: World) -> None:
    assert [step.stdin for step in STEPS if step.stdin and not (world.folder / step.stdin).is_file()] == []
    assert any(step.stdin for step in STEPS)
