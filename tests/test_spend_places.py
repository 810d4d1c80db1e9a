"""Stores that cannot be used, or only read; full disks; copies that were put back."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ledger_kit import Clock, booking
from rig.command import Command, Home, make_home
from spend_kit import CENT, PAID, at, march, paid_answer, spend, store_file

from mrt.errors import StoreError
from mrt.ledger import open_store, reserve, settle
from mrt.ledger.doctor import examine

ELSEWHERE = "choose another file with the environment variable MRT_DB"
MARCH = ("--since", "2026-03-01", "--until", "2026-03-31")
NOBODY = 65534


@pytest.fixture
def home(store_home: Home) -> Home:
    march(store_file(store_home))
    return store_home


def folder(path: Path) -> None:
    path.mkdir(parents=True)


def garbage(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"garbage" * 1000)


def foreign(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")


def newer(path: Path) -> None:
    march(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "error", "hint"),
    [
        (folder, "the spend store cannot be {path}: it is no regular file", ELSEWHERE),
        (garbage, "the spend store {path} is damaged or no database: file is not a database",
         f"move it away, and mrt begins a new one; or {ELSEWHERE}"),
        (foreign, "{path} is the database of another program", ELSEWHERE),
        (newer, "the spend store {path} was made by a newer mrt", f"update mrt, or {ELSEWHERE}"),
    ],
    ids=["folder", "garbage", "foreign", "newer"],
)  # fmt: skip
@pytest.mark.parametrize("command", [(), ("check",), ("log",), ("doctor",), ("export",), ("backup",), ("summary",)])
def test_stores_that_cannot_be_used(
    store_home: Home, tmp_path: Path, make: Callable[[Path], None], error: str, hint: str, command: tuple[str, ...]
) -> None:
    path = tmp_path / "place" / "spend.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    shown = spend(store_home, *command, env={"MRT_DB": str(path)})
    assert shown == ("", f"error: {error.format(path=path)}\nhint: {hint}\n", 5)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_folder_that_cannot_be_written(store_home: Home) -> None:
    # /proc takes no new files, whoever asks.
    shown = spend(store_home, env={"MRT_DB": "/proc/none/spend.db"})
    text = f"error: the folder /proc/none cannot be created: No such file or directory\nhint: {ELSEWHERE}\n"
    assert shown == ("", text, 5)


@contextmanager
def unprivileged(path: Path) -> Iterator[None]:
    """As the owner of `path` and of nothing else: root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    for file in (path, *path.rglob("*")):
        os.chown(file, NOBODY, -1)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def reachable() -> Iterator[Home]:
    """A home with the calls of March in a folder that other users can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = make_home(Path(folder) / "home")
        march(store_file(home))
        spend(home, "doctor")  # loads what it needs while it may
        yield home
        store_file(home).parent.chmod(0o700)


READERS = [
    MARCH,
    ("check",),
    ("log",),
    ("summary",),
    ("export",),
    ("why", "bbbb"),
    ("doctor",),
    ("reprice", "--dry-run"),
]


@pytest.mark.parametrize("command", READERS, ids=[command[0] for command in READERS])
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_cannot_be_written_is_read(reachable: Home, what: str, command: tuple[str, ...]) -> None:
    path = store_file(reachable)
    before, content = spend(reachable, *command), path.read_bytes()
    with unprivileged(reachable.path):
        place, mode = (path.parent, 0o500) if what == "folder" else (path, 0o400)
        place.chmod(mode)
        shown = spend(reachable, *command)
    note = f"the spend store {path} cannot be written: it is read as it is\n"
    assert shown == (before.stdout, note, before.exit_code)
    assert path.read_bytes() == content


@pytest.mark.parametrize("command", [("import", "/dev/stdin"), ("doctor", "--fix")], ids=["import", "doctor --fix"])
def test_what_cannot_be_written_is_not_changed(reachable: Home, command: tuple[str, ...]) -> None:
    path = store_file(reachable)
    spend(reachable, *command)
    with unprivileged(reachable.path):
        path.parent.chmod(0o500)
        shown = spend(reachable, *command)
    text = f"error: the spend store {path} cannot be written\nhint: check its permissions, or {ELSEWHERE}\n"
    assert shown == ("", text, 5)


def test_calls_that_are_only_in_the_log_of_a_store_that_cannot_be_written(reachable: Home) -> None:
    path = store_file(reachable)
    with closing(open_store(path, Clock(at("2026-03-20T00:00:00")))) as store:
        settle(store, reserve(store, booking(9 * CENT, **PAID)), paid_answer(7))
        log = Path(f"{path}-wal").read_bytes()
        content = path.read_bytes()
    path.write_bytes(content)
    Path(f"{path}-wal").write_bytes(log)  # as a process that was killed leaves it
    with unprivileged(reachable.path):
        path.parent.chmod(0o500)
        assert spend(reachable, *MARCH, "--json").data["total"]["calls"] == 5


def test_an_older_store_that_cannot_be_written(reachable: Home) -> None:
    path = store_file(reachable)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    with unprivileged(reachable.path):
        path.parent.chmod(0o500)
        text = f"error: the spend store {path} cannot be written\nhint: check its permissions, or {ELSEWHERE}\n"
        assert spend(reachable) == ("", text, 5)


def test_the_days_of_a_store_that_cannot_be_written(reachable: Home) -> None:
    path = store_file(reachable)
    with unprivileged(reachable.path):
        path.parent.chmod(0o500)
        shown = spend(reachable, *MARCH, "--json", env={"MRT_BUDGET_TIMEZONE": "Asia/Tokyo"})
    note = f"the spend store {path} cannot be written: it is read as it is; its days stay those of UTC\n"
    assert (shown.stderr, shown.data["period"]["timezone"]) == (note, "UTC")


def journal(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def test_a_backup_put_back_has_its_log_again(home: Home) -> None:
    path = store_file(home)
    copy = path.with_name("copy.db")
    spend(home, "backup", copy)
    copy.replace(path)
    assert journal(path) == "delete"
    assert spend(home, *MARCH).exit_code == 0
    assert journal(path) == "wal"


def test_doctor_finds_another_journal(home: Home) -> None:
    path = store_file(home)
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("PRAGMA journal_mode = DELETE")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM calls").fetchone()  # keeps the mode as it is
        with closing(open_store(path, busy_timeout_s=0.05)) as store:
            (finding,) = (one for one in examine(store) if one.what == "journal")
    assert finding.problem == "delete in place of wal: reading and writing wait for each other"
    assert spend(home, "doctor").exit_code == 0


def test_doctor_mends_nothing_over_damage(home: Home) -> None:
    path = store_file(home)
    with closing(open_store(path)) as store:
        store.connection.execute("UPDATE rollup SET calls = calls + 1")
        (size,) = store.connection.execute("PRAGMA page_size").fetchone()
        (page,) = store.connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'calls'").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    content = path.read_bytes()
    shown = spend(home, "doctor", "--fix")
    assert (shown.stderr, shown.exit_code) == ("", 5)
    assert [line.partition(":")[0].strip() for line in shown.stdout.splitlines()] == [
        "integrity",
        "hint",
        "journal",
        "file system",
        "file mode",
    ]
    assert path.read_bytes() == content


def test_check_tells_a_broken_store_from_a_used_up_budget(home: Home) -> None:
    store_file(home).write_bytes(b"garbage" * 1000)
    shown = spend(home, "check", "--json")
    document = json.loads(shown.stdout)
    assert (shown.exit_code, document["data"], document["errors"][0]["code"]) == (5, None, "store")
    over = spend(home, "check", "--json", env={"MRT_BUDGET_DAILY_USD": "0", "MRT_DB": str(home.path / "new.db")})
    document = json.loads(over.stdout)
    assert (over.exit_code, document["data"]["within"], document["errors"][0]["code"]) == (5, False, "budget")


def test_a_full_disk_under_the_store(home: Home, tmp_path: Path) -> None:
    with closing(open_store(store_file(home), Clock(at("2026-03-10T00:00:00")))) as store:
        (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
        store.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="the disk is full"):
            for _ in range(1000):
                reserve(store, booking(1, session="x" * 1000))
    assert spend(home, "doctor").exit_code in (0, 5)
    assert spend(home, "--since", "2026-03-01", "--until", "2026-03-09", "--json").data["total"]["calls"] == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("spend",), ("spend", "export"), ("spend", "--csv")])
def test_a_full_disk_under_the_output(home: Home, mrt: Command, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full, mrt.start(*arguments, stdout=full) as process:
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.decode().splitlines()[0] == "error: cannot write: No space left on device"
    assert "Traceback" not in stderr.decode()
