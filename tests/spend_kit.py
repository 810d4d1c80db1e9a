"""What the tests of `mrt spend` share: stores with known calls, and the verb in this process."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ledger_kit import Clock, booking, priced
from rig.command import Home

from mrt.cli import run
from mrt.domain import Cost, Timing, Usage
from mrt.ledger import Baseline, Settlement, open_store, reserve, settle
from mrt.output import Console

CENT = 10_000_000


class Shown(NamedTuple):
    """What a run printed, and its exit code."""

    stdout: str
    stderr: str
    exit_code: int

    @property
    def data(self) -> Any:
        """The `data` of `--json`."""
        return json.loads(self.stdout)["data"]


def spend(home: Home, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Shown:
    """`mrt spend ...` in this process, with pipes for streams."""
    stdout, stderr = io.StringIO(), io.StringIO()
    words = ["spend", *map(str, arguments)]
    code = run(words, Console(None, stdout, stderr, {**home.environment, **(env or {})}))
    return Shown(stdout.getvalue(), stderr.getvalue(), int(code))


def store_file(home: Home) -> Path:
    """Where the store of a home is."""
    return home.data / "mrt" / "spend.db"


def at(text: str) -> float:
    """Seconds since 1970 of a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def local_answer(**changes: Any) -> Settlement:
    """A free, accepted answer with a baseline of 2 to 6 cents."""
    fields: dict[str, Any] = {
        "outcome": "accepted",
        "usage": Usage(100, 50, source="reported"),
        "cost": Cost("free", 0),
        "timing": Timing(100, 900, 55.5),
        "baseline": Baseline("anthropic/claude-haiku-4-5", 2 * CENT, 6 * CENT, {"input": "1", "output": "5"}),
    }
    return Settlement(**fields | changes)


def paid_answer(cents: int = 3, **changes: Any) -> Settlement:
    """An accepted answer of the paid tier, which is its own baseline."""
    fields: dict[str, Any] = {
        "outcome": "accepted",
        "usage": Usage(1000, 200, 400, 0, 80, "reported"),
        "cost": Cost("priced", cents * CENT),
        "timing": Timing(300, 2000, 110.0),
        "rates": {"id": "claude-haiku-4-5", "source": "table 1", "input": "1", "output": "5"},
        "price_reference": "table 1: anthropic/claude-haiku-4-5",
        "baseline": Baseline("anthropic/claude-haiku-4-5", cents * CENT, cents * CENT, {"input": "1"}),
    }
    return Settlement(**fields | changes)


LOCAL = {"tier": "local", "endpoint": "ollama", "model": "llama3.1:8b", "local": True, "attempt": 0}
PAID = {"tier": "cloud", "endpoint": "anthropic", "model": "claude-haiku-4-5", "local": False, "attempt": 0}
DECISION = {"complexity": 3, "order": ["local", "cloud"], "reason": "short prompt"}


def march(path: Path) -> list[str]:
    """Four calls in March 2026: a local answer, a rejected local one that escalated, one of unknown price. Their ids."""
    clock = Clock()
    calls: list[tuple[str, dict[str, Any], Settlement]] = [
        ("2026-03-02T10:00:00", {**LOCAL, "operation_id": "aaaa-one", "decision": DECISION}, local_answer()),
        (
            "2026-03-02T11:00:00",
            {**LOCAL, "operation_id": "bbbb-two", "project": "web", "tag": "nightly"},
            local_answer(outcome="rejected", check="json", reason="json: no JSON at all", baseline=None),
        ),
        (
            "2026-03-02T11:00:05",
            {**PAID, "operation_id": "bbbb-two", "attempt": 1, "project": "web", "tag": "nightly"},
            paid_answer(),
        ),
        (
            "2026-03-09T12:00:00",
            {**PAID, "operation_id": "cccc-three", "endpoint": "koala", "model": "gpt-x", "session": "talk"},
            Settlement("accepted", usage=Usage(source="unknown")),
        ),
    ]
    with closing(open_store(path, clock)) as store:
        identifiers = []
        for moment, fields, settlement in calls:
            clock.now = at(moment)
            bound = None if fields["endpoint"] == "koala" else 0 if fields["local"] else 5 * CENT
            identifiers.append(reserve(store, booking(bound, **fields)))
            clock.now += 2
            settle(store, identifiers[-1], settlement)
    return identifiers


__all__ = [
    "CENT",
    "LOCAL",
    "PAID",
    "Shown",
    "at",
    "local_answer",
    "march",
    "paid_answer",
    "priced",
    "spend",
    "store_file",
]
