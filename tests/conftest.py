"""Fixtures of the whole suite: a home, the real command, and real servers that start when a test first asks for them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import readme_world
from rig.cast import FAST_MODEL, HEAVY_MODEL, SLOW_MODEL
from rig.command import Command, Home, make_home
from rig.home_setup import configure, ladder, says
from rig.litellm_proxy import LiteLLMProxy, litellm_proxy
from rig.llama_server import LlamaServer, llama_server
from rig.loopback import ScriptedServer
from rig.scripted_model import write_model

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that puts this run into the background has it ignore Ctrl-C, and every command under test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def store_home(tmp_path: Path) -> Home:
    """An empty home folder with an environment that holds no key, no base URL and no setting."""
    return make_home(tmp_path / "home")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """Answers "Paris." to everything, in two chunks."""
    with ScriptedServer({"*": says("Par", "is.")}) as server:
        yield server


@pytest.fixture
def low() -> Iterator[ScriptedServer]:
    """The server of the first tier."""
    with ScriptedServer({"*": says("Low.")}) as server:
        yield server


@pytest.fixture
def high() -> Iterator[ScriptedServer]:
    """The server of the second tier."""
    with ScriptedServer({"*": says("High.")}) as server:
        yield server


@pytest.fixture
def home(store_home: Home, server: ScriptedServer) -> Home:
    """A home whose only tier is `server`; its text streams at once."""
    tables = ladder(only=server.url)
    tables["tiers.only"]["think"] = "off"
    configure(store_home, tables)
    return store_home


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes this text into a config file, and gives its path."""

    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def mrt(store_home: Home) -> Command:
    """The real command in `store_home`: `mrt("ask", "hi", stdin="...", env={...}, tty=True) -> Result`."""
    return Command(store_home)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder that all processes of this run share; pytest-xdist's workers have theirs in a common one."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def models_folder(shared_folder: Path) -> Path:
    """Where scripted models are written; each one is written once a run."""
    return shared_folder / "models"


@pytest.fixture(scope="session")
def llama_fast(models_folder: Path) -> Iterator[LlamaServer]:
    """llama.cpp's server with the model `fast` of `rig.cast`, two slots."""
    with llama_server(write_model(FAST_MODEL, models_folder), alias="fast", n_ctx=16384, n_parallel=2) as server:
        yield server


@pytest.fixture(scope="session")
def llama_heavy(models_folder: Path) -> Iterator[LlamaServer]:
    """llama.cpp's server with the model `heavy` of `rig.cast`, two slots."""
    with llama_server(write_model(HEAVY_MODEL, models_folder), alias="heavy", n_ctx=16384, n_parallel=2) as server:
        yield server


@pytest.fixture(scope="session")
def llama_slow(models_folder: Path) -> Iterator[LlamaServer]:
    """llama.cpp's server with the model `slow` of `rig.cast`, which never stops by itself."""
    with llama_server(write_model(SLOW_MODEL, models_folder), alias="slow", n_parallel=2) as server:
        yield server


@pytest.fixture(scope="session")
def litellm(shared_folder: Path) -> Iterator[LiteLLMProxy]:
    """The LiteLLM proxy of this run, one for all workers; its models are those of `rig.litellm_host.configuration`."""
    with litellm_proxy(shared_folder / "litellm") as proxy:
        yield proxy


@pytest.fixture(scope="session")
def readme_engines(models_folder: Path) -> Iterator[tuple[str, str]]:
    """The addresses of the two llama.cpp servers of the README's machine."""
    with readme_world.engines(models_folder) as urls:
        yield urls


@pytest.fixture
def readme_machine(store_home: Home, readme_engines: tuple[str, str]) -> Iterator[readme_world.Machine]:
    """A machine as the README describes it, in `store_home`."""
    with readme_world.machine(store_home, *readme_engines) as machine:
        yield machine
