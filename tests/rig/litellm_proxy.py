"""A real LiteLLM proxy, one for all test processes of a run: the first that needs it starts it, the last one to leave ends it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.availability import unavailable
from rig.litellm_environment import EnvironmentFailure, cache_folder, litellm_command, locked
from rig.llama_server import without_coverage

HOST = Path(__file__).with_name("litellm_host.py")


@dataclass(frozen=True)
class LiteLLMProxy:
    """A running proxy. `pid` is the proxy's own; `upstream` is the URL of the llama.cpp server behind its model `local`."""

    url: str
    key: str
    pid: int
    upstream: str


@contextlib.contextmanager
def litellm_proxy(folder: Path) -> Iterator[LiteLLMProxy]:
    """The proxy of this test run, whose processes share `folder`; its models are those of `litellm_host.configuration`.

    Skips (in CI: fails) when LiteLLM cannot be installed or llama.cpp does not work here. RuntimeError when it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = installed_command()
    with contextlib.ExitStack() as stack:
        # Released in reverse: the host sees that nobody uses the proxy any more, ends it, and only then is it waited for.
        host = stack.enter_context(_host_if_needed())
        stack.enter_context(locked(folder / "users.lock", shared=True))
        with locked(folder / "start.lock"):
            state = _state(folder) or _start(host, command, folder)
        if "unavailable" in state:
            unavailable(state["unavailable"])
        yield LiteLLMProxy(**state)


def installed_command() -> Path:
    """The `litellm` command; skips (in CI: fails) where it cannot be installed."""
    try:
        return litellm_command(cache_folder())
    except ImportError:
        unavailable("sharing one LiteLLM proxy needs POSIX file locks")
    except EnvironmentFailure as error:
        unavailable(f"LiteLLM could not be installed: {error}")


@contextlib.contextmanager
def _host_if_needed() -> Iterator[list[subprocess.Popen[bytes]]]:
    """A place for the host process, should this process be the one to start it."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.wait()


def _state(folder: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((folder / "ready.json").read_text())
    except FileNotFoundError:
        return None
    return state


def _start(started: list[subprocess.Popen[bytes]], command: Path, folder: Path) -> dict[str, Any]:
    """Start the host, wait until its proxy answers, and return what it says about it."""
    log = folder / "host.log"
    with log.open("wb") as log_file:
        process = subprocess.Popen(
            [sys.executable, str(HOST), str(command), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log_file,
            env=without_coverage(),
            start_new_session=True,
        )
    started.append(process)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.read()
    state = _state(folder)
    if state is None:
        logs = "\n".join(
            path.read_text(errors="replace")[-2000:] for path in (log, folder / "proxy.log") if path.exists()
        )
        raise RuntimeError(f"the LiteLLM proxy did not start:\n{logs}")
    return state
