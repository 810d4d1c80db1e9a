"""What tests of `mrt ask` share: a config from tables, answers of the chat protocol, runs in this process, the store's rows."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mrt.cli import run
from mrt.output import Console
from rig import json_contract
from rig.command import Home, Result
from rig.loopback import Response
from rig.responses import sse
from rig.wire_chat import DONE, STOP, chunk, counts, say

Tables = Mapping[str, Mapping[str, Any]]


def configure(home: Home, tables: Tables) -> Path:
    """Write the user's config: {"tiers.fast": {"model": "box/m"}, ...}."""
    path = home.config / "mrt" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(f"[{name}]\n{_lines(settings)}" for name, settings in tables.items()))
    return path


def _lines(settings: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in settings.items())


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def ladder(kind: str = "openai", local: bool = True, **urls: str) -> dict[str, dict[str, Any]]:
    """Tables for one tier per URL, in this order, each with an endpoint of its own name; no request is tried twice."""
    tables: dict[str, dict[str, Any]] = {f"tiers.{name}": {"model": f"{name}/m"} for name in urls}
    tables |= {f"endpoints.{name}": {"kind": kind, "url": url, "local": local} for name, url in urls.items()}
    return tables | {"ask": {"retries": 0}}


def says(*words: str, finish: str = "stop", incoming: int = 12, outgoing: int = 3) -> Response:
    """A whole streamed answer in these pieces."""
    end = STOP if finish == "stop" else chunk({}, finish)
    return sse([*say(*words), end, {"choices": [], "usage": counts(incoming, outgoing)}, DONE])


def beginning(*words: str) -> list[Any]:
    """The pieces of an answer whose end is still to come."""
    return sse(say(*words), finish=False)


def run_here(home: Home, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Result:
    """`mrt` in this process, with closed standard input and both outputs in memory."""
    stdout, stderr = io.StringIO(), io.StringIO()
    code = run([*map(str, arguments)], Console(None, stdout, stderr, {**home.environment, **(env or {})}))
    result = Result(_bytes(stdout), _bytes(stderr), int(code))
    json_contract.check(arguments, result.stdout)
    return result


def _bytes(stream: io.StringIO) -> bytes:
    return stream.getvalue().encode("utf-8", "replace")


def store_path(home: Home) -> Path:
    """Where the spend store of this home is."""
    return home.data / "mrt" / "spend.db"


def calls(home: Home) -> list[dict[str, Any]]:
    """The booked attempts, oldest first."""
    return rows(home, "SELECT * FROM calls ORDER BY started_us, id")


def rows(home: Home, query: str) -> list[dict[str, Any]]:
    """What a query over the store gives."""
    with closing(sqlite3.connect(store_path(home))) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]
