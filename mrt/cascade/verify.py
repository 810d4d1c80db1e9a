"""Checks that need more than the reply: a command of the user's, a JSON schema."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from mrt.errors import UsageError

LONGEST_CHECK_S = 120.0
# How often a command that someone may stop is looked at.
_TICK_S = 0.1


def run_check(command: str, answer: str, seconds: float, stopped: Callable[[], bool] | None = None) -> str | None:
    """Run the user's command with the answer on its standard input; None when it ends with 0, else why it objects.

    The answer is never part of the command line. The command runs in a process group of its own, which ends with it, and as soon
    as `stopped` says so.
    """
    import subprocess
    import tempfile

    # Its complaints go to a file, not a pipe: what it leaves in the background would keep a pipe open.
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(  # noqa: S602 - the user's own command, as they wrote it for their shell
            command,
            shell=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=os.name == "posix",
        )
        try:
            _hear_out(process, answer.encode("utf-8", "replace"), min(seconds, LONGEST_CHECK_S), stopped)
        except subprocess.TimeoutExpired:
            return f"`{command}` did not end in time"
        finally:
            _end(process)
        complaints.seek(0)
        words = complaints.read(4096).decode("utf-8", "replace").split()
    if process.returncode == 0:
        return None
    return f"`{command}` ended with {process.returncode}" + (f": {' '.join(words)[:200]}" if words else "")


def _hear_out(process: Any, answer: bytes, seconds: float, stopped: Callable[[], bool] | None) -> None:
    """Give the command its input and wait for its end. Raises subprocess.TimeoutExpired when it does not come."""
    import subprocess

    if stopped is None:
        process.communicate(answer, timeout=seconds)
        return
    data: bytes | None = answer
    for _ in range(int(seconds / _TICK_S)):
        try:
            process.communicate(data, timeout=_TICK_S)
        except subprocess.TimeoutExpired:
            data = None  # it goes on with what it was given
            if stopped():
                raise
        else:
            return
    raise subprocess.TimeoutExpired(process.args, seconds)


def _end(process: Any) -> None:
    """End the command and everything it started."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        process.kill()
    process.wait()


def schema_checker(schema: Mapping[str, Any]) -> Callable[[str], str | None]:
    """A function that says what in a JSON text is against the schema, or None. Raises UsageError for a schema that is none."""
    import json

    import fastjsonschema

    try:
        validate = fastjsonschema.compile(dict(schema), handlers=dict.fromkeys(("http", "https", "file"), _not_fetched))
    except UsageError:
        raise
    except Exception as error:  # the library trips over a wrong schema in every way: bad patterns, lists for objects
        raise UsageError(f"the schema is not usable: {error}", "give a JSON schema of draft 4, 6 or 7") from None

    def check(text: str) -> str | None:
        try:
            validate(json.loads(text))
        except fastjsonschema.JsonSchemaValueException as error:
            return str(error.message)
        except ValueError as error:
            return f"not JSON: {error}"
        return None

    return check


def _not_fetched(address: str) -> Any:
    raise UsageError(f"the schema refers to {address}, which is not fetched", "put the definition into the schema")
