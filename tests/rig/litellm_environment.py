"""The LiteLLM proxy's own virtual environment: made once per machine, never mixed with the one the tests run in."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# prisma is not needed to answer, but without it a request with a missing key ends in a 500 instead of a 401.
REQUIREMENTS = ("litellm[proxy]==1.106.2", "prisma==0.15.0")
INSTALL_SECONDS = 900


class EnvironmentFailure(RuntimeError):
    """The environment could not be made; the message holds the end of the installer's output."""


def cache_folder() -> Path:
    """Where environments are kept between runs: `MRT_TEST_CACHE`, else a folder under the user's cache."""
    return Path(os.environ.get("MRT_TEST_CACHE") or Path.home() / ".cache" / "mrt-tests")


def litellm_command(cache: Path) -> Path:
    """Path of the `litellm` command in its environment under `cache`, which is made now if it is not there yet.

    Several processes may ask at once: one installs, the others wait. Raises EnvironmentFailure.
    """
    identity = repr((REQUIREMENTS, sys.version_info[:2], sys.platform))
    folder = cache / f"litellm-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    command = folder / ("Scripts" if os.name == "nt" else "bin") / "litellm"
    finished = folder / "finished"
    cache.mkdir(parents=True, exist_ok=True)
    with locked(cache / f"{folder.name}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder)
            finished.touch()
    return command


def _install(folder: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder)])
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    _run([str(python), "-m", "pip", "install", "--quiet", "--no-input", *REQUIREMENTS])


def _run(command: list[str]) -> None:
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        raise EnvironmentFailure(f"{command[:4]} failed:\n{(error.stdout + error.stderr)[-2000:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFailure(f"{command[:4]} failed: {error}") from error


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold an advisory lock on `path`; the system gives it back even when this process is killed."""
    import fcntl

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
