"""`mrt demo --engine`: the same demo with llama.cpp's own engine, and without its packages."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from demo_kit import Place, make_place, with_diary
from rig.availability import unavailable

from mrt.demo.engine import PACKAGES, available, engines
from mrt.demo.play import command_line
from mrt.demo.script import script
from mrt.demo.steps import STEPS
from mrt.errors import MrtError

MISSING = "import sys\nsys.modules['xllamacpp'] = None\n"
BROKEN = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "xllamacpp" and "engine_child" in sys.argv[0]:
            raise ImportError("no such\\ninstruction")
sys.meta_path.insert(0, Broken())
"""
CRASHING = """
import os, signal, sys
class Crashing:
    def find_spec(self, name, path=None, target=None):
        if name == "xllamacpp" and "engine_child" in sys.argv[0]:
            os.kill(os.getpid(), signal.{signal})
sys.meta_path.insert(0, Crashing())
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A user's home that the demo has to leave alone."""
    return make_place(tmp_path)


@pytest.fixture
def engine() -> None:
    """Skips where the engine does not run."""
    if not available():
        unavailable("xllamacpp is not installed")


@pytest.mark.usefixtures("engine")
def test_the_engine_plays_the_same_demo(place: Place) -> None:
    before = place.fingerprint()
    result = place.mrt("demo", "--engine", env=place.environment, timeout=120)
    assert (result.exit_code, result.stderr, place.left(), place.fingerprint()) == (0, "", [], before)
    shown = result.stdout
    assert [line[2:] for line in shown.splitlines() if line.startswith("$ ")] == list(map(command_line, STEPS))
    assert "sim-ollama" not in shown
    for expected in (
        r"^llamacpp-1 +llamacpp +ready ",
        r"^local-fast \(llamacpp-1/tiny-small\): \d+ tokens in, \d+ tokens out, no API cost",
        r"^escalated to local-heavy from local-fast: code: .*does not parse",
        r"^escalated to cloud from local-heavy: handoff: ",
        r"^cloud \(sim-anthropic/paid\): .*\$0\.000",
        r"^local-heavy \(llamacpp-2/tiny-large\): .*no API cost",
    ):
        assert re.search(expected, shown, re.MULTILINE), expected
    assert "mrt demo --engine" not in shown


@pytest.mark.usefixtures("engine")
def test_a_signal_ends_the_engines_too(place: Place) -> None:
    with place.mrt.start("demo", "--engine", env=place.environment, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert (process.returncode, place.left()) == (143, [])
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, 0)


@pytest.mark.parametrize("package", PACKAGES)
def test_it_is_available_with_all_its_packages_alone(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert not available()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("module", "code", "stderr"),
    [
        (MISSING, 2, "error: --engine needs xllamacpp\nhint: pip install 'mrt[engine]'\n"),
        (
            BROKEN,
            2,
            "error: xllamacpp does not work here: no such instruction\nhint: pip install 'mrt[engine]'\n",
        ),
        (
            CRASHING.format(signal="SIGILL"),
            2,
            "error: xllamacpp needs a processor with AVX2, FMA, F16C and BMI2\nhint: mrt demo runs without it\n",
        ),
        (
            CRASHING.format(signal="SIGKILL"),
            1,
            "error: llama.cpp's server did not start (exit code -9)\nhint: mrt demo runs without it\n",
        ),
    ],
    ids=["missing", "broken", "old-processor", "killed"],
)
def test_where_the_engine_does_not_run_it_says_why(
    place: Place, tmp_path: Path, module: str, code: int, stderr: str
) -> None:
    environment, _ = with_diary(tmp_path, module)
    result = place.mrt("demo", "--engine", env=place.environment | environment)
    assert (result.exit_code, result.stdout, result.stderr, place.left()) == (code, "", stderr, [])


@pytest.mark.usefixtures("engine")
def test_a_server_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrt.demo.engine.START_S", 0.0)
    with (
        pytest.raises(MrtError, match="did not start"),
        engines([script("hi")], tmp_path, {"PATH": os.environ["PATH"]}),
    ):
        raise AssertionError("never here")
