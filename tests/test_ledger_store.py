"""Opening the store: what is created, what is refused, and how failures read."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ledger_kit import BEGIN_US, END_US, Clock, allowance, booking, priced, rows

from mrt.errors import BudgetError, ExitCode, StoreError
from mrt.ledger import (
    Store,
    append_exchange,
    last_conversation_name,
    load_conversation,
    memory_store,
    open_store,
    reserve,
    settle,
    used,
)

APPLICATION_ID = 0x6D727431


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "mrt" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(path, Clock())) as opened:
        yield opened


def pragma(store: Store, name: str) -> object:
    return store.connection.execute(f"PRAGMA {name}").fetchone()[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_it(path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with closing(open_store(path)) as store:
            settle(store, reserve(store, booking()), priced(1))
            files = {file.name: mode(file) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert files == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    assert mode(path.parent) == 0o700


def test_an_empty_file_becomes_a_store_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch(0o644)
    with closing(open_store(path)) as store:
        assert rows(store) == []
    assert mode(path) == 0o600


def test_settings(store: Store) -> None:
    names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys", "application_id")
    assert [pragma(store, name) for name in names] == ["wal", 2, 30_000, 1, APPLICATION_ID]
    assert store.durable


def test_what_was_written_is_there_the_next_time(path: Path) -> None:
    for turn in range(3):
        with closing(open_store(path)) as store:
            assert used(store, BEGIN_US, END_US).calls == turn
            settle(store, reserve(store, booking()), priced(5))


def test_a_relative_path_and_a_name_that_means_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store(Path(":memory:")).close()
    assert (tmp_path / ":memory:").is_file()


def test_closing_twice(store: Store) -> None:
    store.close()
    store.close()


def folder_in_the_way(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def file_in_the_way(path: Path) -> Path:
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("a file where a folder should be")
    return path


def file_above(path: Path) -> Path:
    path.parent.parent.write_text("a file where a folder should be")
    return path


def long_name(path: Path) -> Path:
    return path.with_name("x" * 300)


def device(path: Path) -> Path:
    return Path("/dev/null")


def dangling(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.symlink_to("nowhere/at/all")
    return path


def garbage(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(range(256)) * 64)
    return path


def half_a_header(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    return path


def foreign_database(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    return path


def foreign_and_empty(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")
    return path


def newer(path: Path) -> Path:
    with closing(open_store(path)) as store:
        store.connection.execute("PRAGMA user_version = 99")
    return path


@pytest.mark.parametrize(
    ("prepare", "message", "hint"),
    [
        (folder_in_the_way, "no regular file", "MRT_DB"),
        (file_in_the_way, "folder .* cannot be created", "MRT_DB"),
        (file_above, "folder .* cannot be created", "MRT_DB"),
        (long_name, "cannot be created", "MRT_DB"),
        (device, "no regular file", "MRT_DB"),
        (dangling, "cannot be written", "permissions"),
        (garbage, "damaged or no database", "move it away"),
        (half_a_header, "damaged or no database", "move it away"),
        (foreign_database, "database of another program", "MRT_DB"),
        (foreign_and_empty, "database of another program", "MRT_DB"),
        (newer, "newer mrt", "update mrt"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_places_that_cannot_be_a_store(path: Path, prepare: Callable[[Path], Path], message: str, hint: str) -> None:
    place = prepare(path)
    with pytest.raises(StoreError, match=message) as caught:
        open_store(place)
    assert hint in str(caught.value.hint)
    assert "\n" not in caught.value.message
    assert caught.value.exit_code is ExitCode.BUDGET


def test_another_programs_database_stays_as_it_was(path: Path) -> None:
    before = foreign_database(path).read_bytes()
    with pytest.raises(StoreError):
        open_store(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@pytest.mark.parametrize("narrow", ["folder", "file"])
def test_a_place_without_permission(path: Path, narrow: str) -> None:
    open_store(path).close()
    (path if narrow == "file" else path.parent).chmod(0o500)
    try:
        with pytest.raises(StoreError, match="cannot be written"):
            open_store(path)
    finally:
        path.parent.chmod(0o700)


def test_a_damaged_page_is_told_when_it_is_read(path: Path) -> None:
    with closing(open_store(path)) as store:
        size = int(str(pragma(store, "page_size")))
        (page,) = store.connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'calls_by_start'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    with closing(open_store(path)) as store, pytest.raises(StoreError, match="damaged"):
        used(store, BEGIN_US, END_US)


@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "existing"])
def test_a_store_locked_for_too_long(path: Path, fresh: bool) -> None:
    if fresh:
        path.parent.mkdir(parents=True)
    else:
        open_store(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match="locked by another program"):
            reserve(open_store(path, busy_timeout_s=0.01), booking())


def test_a_lock_that_is_let_go_in_time_is_waited_for(path: Path) -> None:
    open_store(path).close()
    with closing(open_store(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        booked: list[str] = []
        waiting = threading.Thread(target=lambda: booked.append(reserve(store, booking())))
        waiting.start()
        other.execute("INSERT INTO learned VALUES ('u', 'm', 'f', 'v', 0)")
        other.execute("COMMIT")
        waiting.join()
        assert len(booked) == 1


def test_a_full_disk(store: Store) -> None:
    reserve(store, booking())
    pages = pragma(store, "page_count")
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full") as caught:
        append_exchange(store, "talk", "question", "x" * 1_000_000, "op")
    assert "free some space" in str(caught.value.hint)
    assert load_conversation(store, "talk") is None
    assert used(store, BEGIN_US, END_US).reserved_nano == 1_000


def test_a_store_that_turns_read_only(store: Store) -> None:
    identifier = reserve(store, booking())
    store.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="cannot be written"):
        settle(store, identifier, priced(1))
    store.connection.execute("PRAGMA query_only = OFF")
    settle(store, identifier, priced(1))


def test_any_other_failure_is_one_line_too(store: Store) -> None:
    store.connection.execute("DROP TABLE conversations")
    with pytest.raises(StoreError, match="no such table: conversations"):
        last_conversation_name(store)


def test_a_broken_constraint_is_a_defect_and_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        reserve(store, booking(attempt=-1))
    assert rows(store) == []


def test_an_interrupt_in_a_transaction_undoes_it(path: Path) -> None:
    def interrupted() -> float:
        raise KeyboardInterrupt

    with closing(open_store(path, interrupted)) as store:
        with pytest.raises(KeyboardInterrupt):
            append_exchange(store, "talk", "question", "answer", "op")
        assert not store.connection.in_transaction
        assert load_conversation(store, "talk") is None


def test_a_store_in_memory_works_but_does_not_last() -> None:
    with closing(memory_store(Clock())) as store:
        assert not store.durable
        settle(store, reserve(store, booking(700), allowance(1_000)), priced(600))
        with pytest.raises(BudgetError):
            reserve(store, booking(700), allowance(1_000))
        assert used(store, BEGIN_US, END_US).settled_nano == 600


def test_a_failure_in_memory_names_no_file() -> None:
    with closing(memory_store(Clock())) as store:
        store.connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreError, match="the spend store in memory cannot be written"):
            reserve(store, booking())


def test_threads_share_one_store(store: Store) -> None:
    limit = allowance(20_000)
    refused: list[str] = []

    def spend() -> None:
        for _ in range(5):
            try:
                settle(store, reserve(store, booking(1_000), limit), priced(1_000))
            except BudgetError as error:
                refused.append(error.code)

    threads = [threading.Thread(target=spend) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used(store, BEGIN_US, END_US).settled_nano == 20_000
    assert refused == ["budget"] * 10


def test_opening_a_store_that_is_up_to_date_is_quick(path: Path) -> None:
    open_store(path).close()
    seconds = []
    for _ in range(20):
        start = time.process_time()
        store = open_store(path)
        seconds.append(time.process_time() - start)
        store.close()
    assert min(seconds) < 0.002


IMPORTS = """
import sys
from pathlib import Path
before = set(sys.modules)  # a coverage run has loaded some of them already
import mrt.ledger
early = {"sqlite3", "zoneinfo", "threading", "subprocess", "sqlite_utils", "click"} & (set(sys.modules) - before)
store = mrt.ledger.open_store(Path(sys.argv[1]))
mrt.ledger.sweep(store)
store.close()
print(sorted(early), "sqlite_utils" in sys.modules)
"""


def test_heavy_packages_wait_until_they_are_needed(path: Path) -> None:
    shown = [
        subprocess.run([sys.executable, "-c", IMPORTS, str(path)], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert shown == ["[] True\n", "[] False\n"]
