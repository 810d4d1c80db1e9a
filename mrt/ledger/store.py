"""Open the store: one connection, checked to be ours and up to date."""

from __future__ import annotations

import os
import time
from _thread import LockType, allocate_lock
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from mrt.errors import StoreError
from mrt.frozen import frozen
from mrt.ledger.failures import ELSEWHERE, translated
from mrt.ledger.schema import APPLICATION_ID, VERSION, migrate

if TYPE_CHECKING:
    import sqlite3

# Waiting writers get their turn by luck, not in order: with 64 of them on two busy cores some wait beyond 5 seconds.
BUSY_TIMEOUT_S = 30.0


@frozen
class Store:
    """An open store; threads may share it, and take turns.

    `clock` gives seconds since 1970. Without `durable` it lives in memory: other processes do not see it, so it cannot hold
    a budget, and it ends with this process. One that is not `writable` can only be read.
    """

    connection: sqlite3.Connection
    clock: Callable[[], float]
    path: Path | None
    durable: bool
    writable: bool = True
    lock: LockType = field(default_factory=allocate_lock, repr=False, compare=False)

    def close(self) -> None:
        """Close it; a second time does nothing."""
        self.connection.close()

    def now_us(self) -> int:
        """Microseconds since 1970 by the store's clock."""
        return round(self.clock() * 1_000_000)


def open_store(path: Path, clock: Callable[[], float] = time.time, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Store:
    """The store at `path`, created with its folder where there is none, readable by its owner only.

    Raises StoreError when the place cannot be written, the file is damaged, another program's or made by a newer mrt, or
    another program holds it for longer than `busy_timeout_s` seconds.
    """
    path = path.absolute()  # keeps SQLite from reading a meaning into names such as ":memory:"
    _prepare(path)
    with translated(path):
        connection = connect(str(path), busy_timeout_s)
        try:
            _configure(connection)
            _bring_up_to_date(connection, path)
        except BaseException:
            connection.close()
            raise
    return Store(connection, clock, path, durable=True)


def memory_store(clock: Callable[[], float] = time.time) -> Store:
    """A store in memory, for when the file cannot be opened: local work goes on."""
    connection = connect(":memory:", BUSY_TIMEOUT_S)
    _configure(connection)
    with transaction(connection):
        migrate(connection)
    return Store(connection, clock, None, durable=False)


@contextmanager
def writing(store: Store) -> Iterator[sqlite3.Connection]:
    """A transaction that holds the write lock from its start; undone when the block raises. Raises StoreError.

    A deferred one would read first and then fail at once, whatever the timeout, when another process has written since.
    """
    with store.lock, translated(store.path), transaction(store.connection):
        yield store.connection


@contextmanager
def reading(store: Store) -> Iterator[sqlite3.Connection]:
    """The connection, for one query. Raises StoreError."""
    with store.lock, translated(store.path):
        yield store.connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK when the block raises."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def storable(text: str | None) -> str | None:
    """Text without the stray surrogates that undecodable bytes leave behind, which SQLite refuses."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def _prepare(path: Path) -> None:
    """Make the folder and the file, so that SQLite gives its own files (-wal, -shm) the same narrow mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {path.parent} cannot be created: {error.strerror}", ELSEWHERE) from error
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        _check_existing(path)
    except OSError as error:
        raise StoreError(f"the spend store {path} cannot be created: {error.strerror}", ELSEWHERE) from error


def _check_existing(path: Path) -> None:
    """Look at the file without opening it: closing any handle of a file drops all locks this process has on it."""
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK | os.X_OK):
        raise StoreError(f"the spend store {path} cannot be written", f"check its permissions, or {ELSEWHERE}")
    if not path.is_file():
        raise StoreError(f"the spend store cannot be {path}: it is no regular file", ELSEWHERE)


def connect(name: str, busy_timeout_s: float, *, uri: bool = False) -> sqlite3.Connection:
    """A connection without implicit transactions: each is opened by `transaction`."""
    import sqlite3

    # The lock of the store makes sharing between threads safe.
    return sqlite3.connect(name, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False, uri=uri)


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")  # what is acknowledged survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    import sqlite3

    behind, journal = examined(connection, path)
    if journal != "wal":  # a new store, or a copy put back in its place
        # Where the file system does not take to it, or somebody is using the file right now, the other way works as well.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
    if not behind:
        return
    with suppress(OSError):
        path.chmod(0o600)
    with transaction(connection):
        if examined(connection, path)[0]:  # another process may have done it while we waited for the lock
            migrate(connection)


def examined(connection: sqlite3.Connection, path: Path) -> tuple[bool, str]:
    """Whether the store is empty or older than this mrt, and its journal; StoreError when it is not ours to change."""
    application, version, journal = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("application_id", "user_version", "journal_mode")
    )
    if application != APPLICATION_ID and (application or version or _has_tables(connection)):
        raise StoreError(f"{path} is the database of another program", ELSEWHERE)
    if version > VERSION:
        raise StoreError(f"the spend store {path} was made by a newer mrt", f"update mrt, or {ELSEWHERE}")
    return version < VERSION, journal


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
