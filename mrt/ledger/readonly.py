"""Read a store that cannot be written: a read-only folder or disk, or a full one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.errors import StoreError
from mrt.ledger.failures import ELSEWHERE
from mrt.ledger.store import Store, connect, examined, open_store

if TYPE_CHECKING:
    import sqlite3

_BUSY_TIMEOUT_S = 5.0


def open_to_read(path: Path, clock: Callable[[], float] = time.time) -> Store:
    """The store for reports: as `open_store` has it, or else, where it can only be read, as it is. Raises StoreError."""
    try:
        return open_store(path, clock)
    except StoreError:
        connection = _as_it_is(path.absolute())
        if connection is None:
            raise
    return Store(connection, clock, path.absolute(), durable=True, writable=False)


def open_untouched(path: Path, clock: Callable[[], float] = time.time) -> Store | None:
    """The store for those who only look on, and leave it as it is; None where there is none. Raises StoreError.

    Only one made by an older mrt is opened as `open_store` does, which brings it up to date.
    """
    path = path.absolute()
    try:
        if not path.exists():
            return None
        connection = _as_it_is(path)
    except OSError as error:
        raise StoreError(f"the spend store {path} cannot be read: {error.strerror}", ELSEWHERE) from error
    if connection is None:
        return open_store(path, clock)
    return Store(connection, clock, path, durable=True, writable=False)


def _as_it_is(path: Path) -> sqlite3.Connection | None:
    """A connection that changes nothing; None where there is no whole and current store to read."""
    import sqlite3

    if not path.is_file():
        return None
    for connection in _connections(path):
        try:
            if not examined(connection, path)[0]:
                return connection
        except (sqlite3.Error, StoreError):
            pass
        connection.close()
    return None


def _connections(path: Path) -> Iterator[sqlite3.Connection]:
    """Ways to read, the best first: with others who may write, without files beside it, and from a copy.

    SQLite reads a store with a log (-wal) only where it may write an index of it (-shm) beside it.
    """
    import shutil
    import tempfile

    yield connect(f"{path.as_uri()}?mode=ro", _BUSY_TIMEOUT_S, uri=True)
    log = Path(f"{path}-wal")
    with suppress(OSError):
        if not log.exists() or not log.stat().st_size:
            yield connect(f"{path.as_uri()}?immutable=1", _BUSY_TIMEOUT_S, uri=True)
            return
        with tempfile.TemporaryDirectory(prefix="mrt-") as folder:
            copy = Path(folder) / path.name
            shutil.copyfile(path, copy)
            shutil.copyfile(log, f"{copy}-wal")
            # The connection keeps what it has opened when the folder goes.
            yield connect(str(copy), _BUSY_TIMEOUT_S)
