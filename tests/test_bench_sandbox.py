"""The sandbox of the bench: what code in it can do, what it cannot, and that nothing runs where it does not hold."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rig.denied import LANDLOCK, PRCTL, python_without

from mrt.bench.sandbox import container
from mrt.bench.sandbox.executor import layers, open_sandbox, unsafe_sandbox
from mrt.bench.sandbox.process import Ended, Limits, Walls, readable_paths, results_of, run_child
from mrt.bench.sandbox.selftest import self_test
from mrt.errors import SandboxError
from tests.sandbox_attacks import ATTACKS, program
from tests.sandbox_attacks_more import CALLS

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Landlock and seccomp are Linux' own")


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text("key")
    (folder / "secret").chmod(0o666)
    folder.chmod(0o777)
    unix, abstract = str(folder / "socket"), f"\0mrt-test-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_UNIX) as named,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nameless,
    ):
        receiver.bind(("127.0.0.1", 0))
        named.bind(unix)
        named.listen()
        nameless.bind(abstract)
        victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        yield {
            "secret": str(folder / "secret"),
            "folder": str(folder),
            "port": listener.getsockname()[1],
            "udp": receiver.getsockname()[1],
            "unix": unix,
            "abstract": abstract,
            "victim": victim.pid,
            "environ": f"/proc/{os.getpid()}/environ",
        }
        victim.kill()
        victim.wait()


WALLS, LIMITS = Walls(), Limits(cpu_seconds=3)


def call(code: str, walls: Walls = WALLS, limits: Limits = LIMITS) -> Ended:
    return run_child({"code": code, "cases": [[{"do": "call", "name": "attack", "arguments": []}]]}, walls, limits)


def value(ended: Ended) -> Any:
    cases = results_of(ended.messages, "outcomes")
    return cases[0][0].get("value") if cases else None


# A refused call is refused whatever Landlock knows: those are tried once.
VERSIONS = {"newest Landlock": None, "Landlock 1": 1, "Landlock 3": 3}
TRIED = [
    pytest.param(name, version, id=f"{name}, {shown}")
    for name in ATTACKS
    for shown, version in VERSIONS.items()
    if version is None or name not in CALLS
]


@pytest.mark.parametrize(("name", "version"), TRIED)
def test_an_attack_gets_nowhere(name: str, version: int | None, places: dict[str, Any]) -> None:
    ended = call(program(name, places), Walls(landlock_at_most=version))
    assert results_of(ended.messages, "walls"), "the walls stood before the attack"
    assert value(ended) != ["bool", True]
    assert Path(places["secret"]).read_text() == "key"
    assert Path(places["secret"]).stat().st_mode & 0o777 == 0o666
    assert sorted(path.name for path in Path(places["folder"]).iterdir()) == ["secret", "socket"]


@pytest.mark.parametrize(
    "name",
    [
        *("reads a file at home", "sends a datagram", "forks", "runs a program", "signals a process"),
        *("asks for a key ring", "opens a file system", "makes a signal descriptor", "watches files by inotify"),
        *("opens without reading, then through its descriptor", "lists the processes", "widens a socket"),
    ],
)
def test_the_attacks_are_real(name: str, places: dict[str, Any]) -> None:
    """Without walls they get through: a test of the walls that could not fail would prove nothing."""
    assert value(call(program(name, places), unsafe_sandbox().walls)) == ["bool", True]


WORKS = {
    "threads": "import threading\n    t = threading.Thread(target=lambda: None); t.start(); t.join(); return 1",
    "asyncio": "import asyncio\n    async def one(): await asyncio.sleep(0.01); return 1\n    return asyncio.run(one())",
    "a thread pool": "from concurrent.futures import ThreadPoolExecutor as P\n    return list(P().map(abs, [-1]))[0]",
    "sqlite in memory": "import sqlite3\n    return sqlite3.connect(':memory:').execute('select 1').fetchone()[0]",
    "hashes": "import hashlib\n    return 1 if hashlib.sha256(b'x').hexdigest().startswith('2d71') else 0",
    "temporary files": "import tempfile\n    with tempfile.TemporaryFile() as f: f.write(b'x')\n    return 1",
    "a temporary folder": "import tempfile\n    with tempfile.TemporaryDirectory() as d: open(d + '/a', 'w')\n    return 1",
    "random numbers of the system": "import secrets\n    return 1 if secrets.token_bytes(3) else 0",
    "time and sleep": "import time\n    time.sleep(0.01); return 1",
    "big numbers": "return 1 if len(str(2 ** 4000)) == 1205 else 0",
    "deep recursion": "def f(n): return 0 if n == 0 else 1 + f(n - 1)\n    return f(500) - 499",
    "data classes and enums": "import dataclasses, enum, decimal, fractions, heapq, re, json, itertools\n    return 1",
}


@pytest.mark.parametrize("name", WORKS)
def test_what_computing_needs_works(name: str) -> None:
    assert value(call(f"def attack():\n    {WORKS[name]}\n")) == ["int", "0x1"]


def test_a_loop_ends_with_the_cpu_limit_and_a_sleep_with_the_wall_clock() -> None:
    loop = call("def attack():\n    while True: pass", limits=Limits(cpu_seconds=1, wall_seconds=20))
    assert loop.exit_code != 0
    assert value(loop) is None
    sleep = call("import time\ndef attack():\n    time.sleep(60)", limits=Limits(wall_seconds=0.7))
    assert sleep.timed_out
    assert sleep.seconds < 5


def test_signals_do_not_keep_a_child_alive() -> None:
    code = (
        "import signal, time\n"
        "for s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
        "def attack():\n    time.sleep(60)"
    )
    assert call(code, limits=Limits(wall_seconds=0.7)).timed_out


def test_a_flood_of_results_is_cut() -> None:
    ended = call("def attack():\n    return 'x' * 30_000_000", limits=Limits(result_bytes=1_000_000))
    assert ended.flooded


def test_what_a_candidate_prints_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    call("import sys, os\nprint('shown')\nos.write(1, b'raw')\nos.write(2, b'raw')\ndef attack():\n    return 1")
    assert capfd.readouterr() == ("", "")


def test_the_self_test_names_every_hole_of_a_weaker_sandbox() -> None:
    assert self_test(Walls()).tight
    without_files = self_test(Walls(landlock=False))
    assert "read a file outside" in without_files.holes
    without_calls = self_test(Walls(seccomp=False))
    assert {"send a datagram", "change a file's mode", "start a process"} <= set(without_calls.holes)


WRITES = (
    "import json, os\nfor number in range(3, 64):\n"
    "    try: os.write(number, {line!r} + b'\\n')\n    except OSError: pass\nos._exit(0)\n"
)


@pytest.mark.parametrize(
    "line",
    [
        b'{"no_walls": "the kernel has none"}',
        b'{"walls": {}}',
        b'{"case": [0], "outcomes": []}',
        b'{"case": 0, "outcomes": "x"}',
        b'{"case": true, "outcomes": []}',
        b'{"case": NaN, "outcomes": []}',
        b'{"defines": {"x": 1}}',
        b'{"load_error": 5}',
        b'{"done": 1}',
        b"{}",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 5000,
        b'{"case": 0, "outcomes": [], "walls": {}}',
    ],
    ids=lambda line: line[:30].decode("latin-1"),
)
def test_what_a_program_writes_to_the_pipe_is_no_word_about_the_walls(line: bytes) -> None:
    ended = call(WRITES.format(line=line))
    assert [list(message) for message in ended.messages] == [["walls"]]


def test_a_folder_is_removed_however_deep_and_whatever_its_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    code = (
        "import os\n"
        "def attack():\n"
        "    open('a\\nb', 'w'); open(b'\\xff\\xfe', 'w'); os.mkdir('shut', 0o000)\n"
        "    os.mkdir('blind', 0o300); open('blind/x', 'w')\n"
        "    for n in range(60):\n        os.mkdir('d' * 200); os.chdir('d' * 200); open('x', 'w'); os.mkdir('e', 0o500)\n"
        "    return 1\n"
    )
    ended = call(code)
    assert ended.flooded or value(ended) == ["int", "0x1"], "too deep to be looked into is too much"
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_write_in_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(**_: object) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.mkdtemp", nowhere)
    with pytest.raises(SandboxError, match="no folder for a run: No usable temporary directory found"):
        call("def attack():\n    return 1")


def test_runs_leave_no_descriptor_open_whether_they_end_or_cannot_start() -> None:
    def opened() -> list[str]:
        return sorted(path.name for path in Path("/proc/self/fd").iterdir())

    before = opened()
    call("def attack():\n    return 1")
    call("import os\nfor d in range(3, 64):\n    try: os.close(d)\n    except OSError: pass\nwhile True: pass")
    with pytest.raises(SandboxError, match="no child can be started"):
        call("", Walls(wrapper=("/nonexistent/wrapper",)))
    assert opened() == before


def test_a_run_works_with_many_descriptors_open() -> None:
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert value(call("def attack():\n    return 1")) == ["int", "0x1"]
    finally:
        for descriptor in held:
            os.close(descriptor)


OPEN = "from mrt.bench.sandbox.executor import open_sandbox; print(open_sandbox().layers)"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers below are those of x86-64")
@pytest.mark.parametrize(
    ("number", "layer"), [(LANDLOCK, "Landlock"), (PRCTL, "no_new_privs")], ids=["Landlock", "prctl"]
)
def test_a_machine_without_a_layer_is_refused(number: int, layer: str) -> None:
    ran = subprocess.run(python_without(number, "-c", OPEN), capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert "SandboxError: no sandbox: " in ran.stderr
    assert layer in ran.stderr


def test_as_an_ordinary_user(places: dict[str, Any]) -> None:
    """Root may do what others may not, and the walls have to hold for both."""
    become = shutil.which("setpriv")
    if os.geteuid() != 0 or become is None:
        pytest.skip("only root can become another user, by setpriv")
    script = (
        "import json, os, sys\nassert os.geteuid() == 65534\n"
        "from mrt.bench.sandbox.executor import open_sandbox\n"
        "from tests.sandbox_attacks import ATTACKS, program\n"
        "places = json.loads(sys.argv[1]); sandbox = open_sandbox(); through = []\n"
        "for name in ATTACKS:\n"
        "    orders = {'code': program(name, places), 'cases': [[{'do': 'call', 'name': 'attack', 'arguments': []}]]}\n"
        "    ended = sandbox.run(orders)\n"
        "    through += [name for m in ended.messages if m.get('outcomes') and m['outcomes'][0].get('value') == ['bool', True]]\n"
        "print(through, len(ATTACKS))\n"
    )
    # The interpreter may lie in root's home: the right to read everything stays, which makes the attacks no weaker.
    user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
    rights = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
    known = json.dumps({**places, "abstract": places["unix"]})
    ran = subprocess.run(
        [become, *user, *rights, sys.executable, "-c", script, known], capture_output=True, text=True, timeout=300
    )
    assert ran.stdout == f"[] {len(ATTACKS)}\n", ran.stderr


def test_nothing_of_a_run_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    call("open('left', 'w').write('x')\ndef attack():\n    return 1")
    assert list(tmp_path.iterdir()) == []


# A container engine as far as the sandbox can tell: `info` answers, `run` runs what follows the image, right here.
ENGINE = """#!{python}
import os, sys
if sys.argv[1] == "info":
    sys.exit(0)
volume = next(word for word in sys.argv if word.endswith(":/package/mrt/bench/sandbox:ro"))
words = sys.argv[sys.argv.index("{image}") + 1 :]
assert words[:3] == ["timeout", "-s", "KILL"], "a container ends by itself"
root = volume.split(":")[0].removesuffix("/mrt/bench/sandbox")
os.execv({python!r}, [{python!r}, *words[5:-1], root])
"""


def test_a_container_engine_is_spoken_to_over_its_standard_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = tmp_path / "docker"
    engine.write_text(ENGINE.format(image=container.IMAGE, python=sys.executable))
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert container.works("docker")
    walls = container.walls("docker", Limits())
    assert value(call("def attack():\n    return 1", walls)) == ["int", "0x1"]
    # This engine contains nothing, and the self-test says so.
    with pytest.raises(SandboxError, match="the sandbox leaks: code in it can connect to a port on loopback"):
        open_sandbox("docker")


def test_an_engine_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxError, match="podman is not installed"):
        open_sandbox("podman")


def test_an_engine_without_its_service_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\nexit 1\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {layer.name: (layer.stands, layer.silent) for layer in layers()}
    assert (found["docker"], found["podman"]) == ((False, True), (False, False))
    with pytest.raises(SandboxError, match="docker does not answer"):
        open_sandbox("docker")


def test_the_layers_of_this_machine() -> None:
    stands = {layer.name: layer.stands for layer in layers()}
    assert stands["landlock"] and stands["seccomp"] and stands["self-test"]


def test_a_run_costs_little() -> None:
    started = time.process_time()
    call("def attack():\n    return 1")
    assert time.process_time() - started < 1


def test_the_package_itself_cannot_be_read_wherever_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tasks' answers lie in it: installed beneath the interpreter's own library, it is left out of what can be read."""
    library = tmp_path / "lib" / "python3"
    for name in ("json", "site-packages/mrt"):
        (library / name).mkdir(parents=True)
    (library / "os.py").touch()
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_exec_prefix", str(tmp_path))
    assert readable_paths()[0] == f"{tmp_path}/lib"
    beside = readable_paths(str(library / "site-packages"))
    assert beside[:2] == [f"{library}/json", f"{library}/os.py"]
    assert f"{tmp_path}/lib" not in beside
    assert not any("site-packages" in path for path in beside)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_bubblewrap_goes_around_the_others_where_it_works() -> None:
    working = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True)
    if working.returncode != 0:
        pytest.skip("namespaces are forbidden here")
    sandbox = open_sandbox()
    assert sandbox.layers == ("landlock", "seccomp", "limits", "bubblewrap")
    code = "import tempfile\ndef attack():\n    with tempfile.TemporaryFile() as file: file.write(b'x')\n    return 1"
    assert value(call(code, sandbox.walls)) == ["int", "0x1"]
