"""The machine below: GPUs and their driver, the spend store, the clock."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from mrt.config import Config, store_path
from mrt.endpoints.checkup.finding import Finding, Level
from mrt.errors import MrtError, StoreError
from mrt.memory.hardware import Machine

GIB = 2**30
# No run of this program can be earlier; a clock that says so is wrong.
NOT_BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
SKEW_S = 60


def gpu_findings(read: Callable[[], Machine]) -> Iterator[Finding]:
    """The GPUs and the RAM as `mrt fit` sees them, and what stood in the way of a reading."""
    try:
        machine = read()
    except Exception as error:  # a broken driver must not take the other findings away
        yield Finding("GPU", "warning", f"the machine cannot be read: {type(error).__name__}: {error}", "mrt fit -v")
        return
    for gpu in machine.gpus:
        free = "" if gpu.free_bytes is None else f", {gpu.free_bytes / GIB:.1f} GiB free"
        yield Finding("GPU", "ok", f"{gpu.name} ({gpu.backend}): {gpu.total_bytes / GIB:.1f} GiB{free}")
    for note in machine.notes:
        level: Level = "ok" if note.startswith("no GPU was found") else "warning"
        yield Finding("GPU", level, note)
    if machine.ram_total_bytes is not None:
        free = "" if machine.ram_free_bytes is None else f", {machine.ram_free_bytes / GIB:.1f} GiB free"
        yield Finding("RAM", "ok", f"{machine.ram_total_bytes / GIB:.1f} GiB{free}")


def store_findings(environment: Mapping[str, str], now: float) -> Iterator[Finding]:
    """Whether the spend store can be written, is sound, and is nobody else's to read. Makes none where there is none."""
    path = store_path(environment)
    if not path.exists():
        yield _future_store(path)
        return
    from mrt.ledger.doctor import examine
    from mrt.ledger.store import open_store, reading

    try:
        with closing(open_store(path, busy_timeout_s=2.0)) as store:
            wrong = [found for found in examine(store) if found.problem]
            for found in wrong:
                yield Finding("store", "problem", f"{found.what}: {found.problem}", found.mend)
            with reading(store) as connection:
                calls, last_us = connection.execute("SELECT count(*), max(started_us) FROM calls").fetchone()
    except StoreError as error:
        yield Finding("store", "problem", error.message, error.hint or "mrt spend doctor")
        return
    if not wrong:
        yield Finding("store", "ok", f"{path}: {calls} call" + ("" if calls == 1 else "s"))
    if last_us is not None and last_us / 1e6 > now + SKEW_S:
        late = round(last_us / 1e6 - now)
        detail = f"the last booked call lies {late} s in the future"
        yield Finding("clock", "problem", detail, "set the clock: sudo timedatectl set-ntp true")


def _future_store(path: Path) -> Finding:
    """Whether a store could be made there."""
    parent = next(folder for folder in path.absolute().parents if folder.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return Finding("store", "ok", f"{path} will be made by the first call")
    return Finding(
        "store",
        "problem",
        f"{path} cannot be made: {parent} cannot be written",
        f"chmod u+wx {shlex.quote(str(parent))}",
    )


def clock_finding(config: Config, environment: Mapping[str, str], now: float) -> Finding:
    """What time it is here and in which zone days are counted; a clock before this release is wrong."""
    from mrt.ledger.zones import timezone_name

    moment = datetime.fromtimestamp(now, UTC)
    if moment < NOT_BEFORE:
        return Finding(
            "clock", "problem", f"the clock says {moment:%Y-%m-%d}, which is over", "sudo timedatectl set-ntp true"
        )
    try:
        zone = timezone_name(config.budget.timezone, environment)
    except MrtError as error:
        return Finding("clock", "problem", error.message, error.hint)
    return Finding("clock", "ok", f"{moment:%Y-%m-%d %H:%M} UTC; budgets count days in {zone}")
