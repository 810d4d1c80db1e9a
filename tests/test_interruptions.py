"""A signal is heard whenever it comes: before mrt is there, and where Python lets no exception out."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from rig.command import Command
from rig.home_setup import configure, ladder
from rig.inside import inside
from rig.loopback import Action, ScriptedServer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX has them")

# Sends the signal the first time that Python does this with that; in a finalizer, whose exceptions go nowhere, or directly.
SENDS = """
import signal, sys

class Last:
    def __del__(self):
        signal.raise_signal({number})

done = []

def hook(event, values):
    if event == {event!r} and {name!r} in (values[0], "") and not done:
        done.append(1)
        if {lost}:
            Last()
        else:
            signal.raise_signal({number})

sys.addaudithook(hook)
"""


def sends(folder: Path, number: int, event: str, name: str = "", lost: bool = False) -> dict[str, str]:
    """Environment under which mrt sends itself a signal."""
    return inside(folder / "site", SENDS.format(number=int(number), event=event, name=name, lost=lost))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("lost", [True, False], ids=["in-a-finalizer", "directly"])
def test_a_signal_just_before_the_request_ends_the_wait(
    mrt: Command, tmp_path: Path, number: int, code: int, lost: bool
) -> None:
    with ScriptedServer({"*": [Action.HOLD]}) as server:  # who does not hear the signal waits for ever
        configure(mrt.home, ladder(only=server.url))
        result = mrt("ask", "hi", env=sends(tmp_path, number, "socket.connect", lost=lost))
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.splitlines()[-1] == "error: interrupted"
    assert "ignored" not in result.stderr
    (call,) = json.loads(mrt("spend", "log", "--json").stdout)["data"]["calls"]
    assert call["outcome"] == "interrupted"


def test_other_failures_of_finalizers_are_still_told(mrt: Command, tmp_path: Path) -> None:
    code = "class Last:\n    def __del__(self): raise ValueError('told')\nimport atexit\natexit.register(Last)\n"
    result = mrt("--version", env=inside(tmp_path / "site", code))
    assert result.exit_code == 0
    assert "ValueError: told" in result.stderr


def test_ctrl_c_while_the_first_modules_load_leaves_no_traceback(mrt: Command, tmp_path: Path) -> None:
    result = mrt("ask", "hi", env=sends(tmp_path, signal.SIGINT, "import", "click"))
    assert (result.exit_code, result.stdout, result.stderr) == (-signal.SIGINT, "", "")


def test_a_signal_that_the_caller_ignores_stays_ignored(mrt: Command, tmp_path: Path) -> None:
    ignoring = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    env = inside(tmp_path / "site", ignoring + SENDS.format(number=2, event="socket.connect", name="", lost=False))
    with ScriptedServer({"*": [Action.HOLD]}) as server:
        configure(mrt.home, ladder(only=server.url))
        assert mrt("ask", "--timeout", "0.5", "hi", env=env).exit_code == 124
