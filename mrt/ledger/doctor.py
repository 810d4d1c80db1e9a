"""Examine the store: what is wrong with it, and the command that mends it."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mrt.errors import StoreError
from mrt.ledger.filesystem import MOUNTS, remote_kind
from mrt.ledger.reservations import abandoned, sweep
from mrt.ledger.rollup import GROUPED, METRICS, rebuild
from mrt.ledger.store import Store, reading, writing

FIX = "mrt spend doctor --fix"
_FIRST_SAFE = (3, 51, 3)


class Finding(NamedTuple):
    """One thing examined. `problem` is None when it is well; `mend` is the next command."""

    what: str
    problem: str | None = None
    mend: str | None = None


def examine(store: Store, mounts: Path = MOUNTS) -> list[Finding]:
    """Everything there is to examine, in a fixed order. Raises StoreError when the store cannot even be read."""
    return [*_content(store), *_place(store, mounts)]


def fix(store: Store) -> None:
    """Close orphaned reservations, sum the roll-up anew, and take the file away from other readers.

    A damaged store stays as it is: what can still be read of it is not to be overwritten.
    """
    if not _damage(store, "quick_check"):
        sweep(store)
        with writing(store) as connection:
            rebuild(connection)
    if store.path is not None:
        for file in _files(store.path):
            file.chmod(0o600)


def note(version: tuple[int, int, int]) -> str | None:
    """What is to be known of this SQLite; no problem of this store."""
    if version >= _FIRST_SAFE:
        return None
    number = ".".join(map(str, version))
    return (
        f"SQLite {number} can, very rarely, damage a store that two processes write at the same moment (mended in 3.51.3): "
        "`mrt spend backup` keeps a copy"
    )


def _content(store: Store) -> Iterator[Finding]:
    problem = _damage(store)
    copy = None if store.path is None else f"sqlite3 {_quoted(store.path)} .recover | sqlite3 {_quoted(store.path)}.new"
    yield Finding("integrity", problem and " ".join(problem.split()), copy)
    if problem:
        return
    differing = _differing_sums(store)
    yield Finding("roll-up", f"{differing} sums differ from the calls" if differing else None, FIX)
    with reading(store) as connection:
        orphans = len(abandoned(connection, store.now_us()))
    yield Finding("reservations", f"{orphans} belong to no living process" if orphans else None, FIX)


def _damage(store: Store, check: str = "integrity_check") -> str | None:
    try:
        with reading(store) as connection:
            damage = [row[0] for row in connection.execute(f"PRAGMA {check}(3)")]
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    except StoreError as error:
        return error.message
    if damage != ["ok"]:
        return str(damage[0])
    return "a reference leads nowhere" if broken else None


def _differing_sums(store: Store) -> int:
    """Groups in which the roll-up and the rows disagree; a group of zeros is no group."""
    some = " OR ".join(f"{name} != 0" for name in METRICS)
    kept = f"SELECT * FROM rollup WHERE {some}"  # noqa: S608
    query = f"SELECT count(*) FROM (SELECT * FROM ({kept} EXCEPT {GROUPED}) UNION ALL SELECT * FROM ({GROUPED} EXCEPT {kept}))"  # noqa: S608
    with reading(store) as connection:
        return int(connection.execute(query).fetchone()[0])


def _place(store: Store, mounts: Path) -> Iterator[Finding]:
    if store.path is None:
        return
    kind = remote_kind(store.path, mounts)
    elsewhere = f"move it to a local disk: export MRT_DB=$HOME/.local/share/mrt/{store.path.name}"
    with reading(store) as connection:
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    # Opening a store sets it, unless that fails; one that can only be read may show another.
    slow = journal != "wal" and store.writable
    yield Finding(
        "journal",
        f"{journal} in place of wal: reading and writing wait for each other" if slow else None,
        "close the programs that use the store, then look again: mrt spend doctor",
    )
    yield Finding(
        "file system", f"{kind} is shared between machines, which SQLite's log cannot be" if kind else None, elsewhere
    )
    open_to_others = [file for file in _files(store.path) if os.name == "posix" and file.stat().st_mode & 0o077]
    mode = stat.filemode(open_to_others[0].stat().st_mode) if open_to_others else ""
    names = " ".join(map(_quoted, open_to_others))
    yield Finding("file mode", f"others can read it ({mode})" if open_to_others else None, f"chmod 600 {names}")


def _files(path: Path) -> list[Path]:
    return [file for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if file.exists()]


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
