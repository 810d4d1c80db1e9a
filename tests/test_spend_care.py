"""`mrt spend backup`, `doctor` and `reprice`, and stores that cannot be used."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from ledger_kit import Clock, booking, rows
from rig.command import Home
from spend_kit import CENT, PAID, at, march, paid_answer, spend, store_file

from mrt.errors import StoreError
from mrt.ledger import memory_store, open_store, reserve, settle
from mrt.ledger.backup import backup
from mrt.ledger.doctor import examine, note
from mrt.ledger.filesystem import remote_kind

ELSEWHERE = "choose another file with the environment variable MRT_DB"
WELL = "integrity: well\nroll-up: well\nreservations: well\njournal: well\nfile system: well\nfile mode: well\n"
AGAIN = "name another file: mrt spend backup FILE"


@pytest.fixture
def home(store_home: Home) -> Home:
    march(store_file(store_home))
    return store_home


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_backup(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "copies" / "copy.db"
    assert spend(home, "backup", copy) == (f"{copy}\n", "", 0)
    assert mode(copy) == 0o600
    before = spend(home, "export").stdout
    shutil.move(copy, store_file(home))
    for left in ("-wal", "-shm"):
        Path(f"{store_file(home)}{left}").unlink(missing_ok=True)
    assert spend(home, "export").stdout == before
    assert spend(home, "doctor").stdout == WELL


def test_backup_without_a_name(home: Home) -> None:
    data = spend(home, "backup", "--json").data
    path = Path(data["path"])
    assert path.parent == home.data / "mrt" / "backups"
    assert data["bytes"] == path.stat().st_size


def test_backup_onto_a_file(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    text = f"error: {copy} exists\nhint: replace it with --force, or {AGAIN}\n"
    assert spend(home, "backup", copy) == ("", text, 2)
    assert copy.read_text() == "precious"
    assert spend(home, "backup", copy, "--force").exit_code == 0
    assert copy.read_bytes().startswith(b"SQLite")
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("copy")] == ["copy.db"]


def test_backup_onto_the_store(home: Home) -> None:
    path = store_file(home)
    assert spend(home, "backup", path, "--force") == ("", f"error: {path} is the store itself\nhint: {AGAIN}\n", 2)
    beside = f"{path}-wal"
    with closing(open_store(path)):
        Path(beside).touch()
        refused = spend(home, "backup", beside, "--force")
    assert refused == ("", f"error: {beside} is the store itself\nhint: {AGAIN}\n", 2)
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    assert spend(home, "backup", pipe, "--force") == ("", f"error: {pipe} is no regular file\nhint: {AGAIN}\n", 2)
    assert spend(home, "doctor").exit_code == 0


def test_backup_to_a_place_that_cannot_be_written(home: Home) -> None:
    text = f"error: the backup /proc/none/copy.db cannot be written: No such file or directory\nhint: {AGAIN}\n"
    assert spend(home, "backup", "/proc/none/copy.db") == ("", text, 5)


def test_a_backup_that_fails_midway_leaves_nothing(home: Home, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("the copy of yesterday")
    with closing(open_store(store_file(home))) as store:
        store.connection.execute("BEGIN IMMEDIATE")  # SQLite copies nothing inside a transaction
        with pytest.raises(StoreError, match=r"the backup .* failed"):
            backup(store, copy, replace=True)
        store.connection.execute("ROLLBACK")
    assert copy.read_text() == "the copy of yesterday"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "home"]


def test_doctor_of_a_sound_store(home: Home) -> None:
    assert spend(home, "doctor") == (WELL, "", 0)


def test_doctor_finds_sums_that_differ(home: Home) -> None:
    with closing(open_store(store_file(home))) as store:
        store.connection.execute("UPDATE rollup SET cost_nano = cost_nano + 1 WHERE tier = 'cloud'")
    shown = spend(home, "doctor")
    assert shown.exit_code == 5
    assert "roll-up: 4 sums differ from the calls\n  hint: mrt spend doctor --fix\n" in shown.stdout
    assert spend(home, "doctor", "--fix").stdout == WELL


def test_doctor_finds_orphans(home: Home) -> None:
    with closing(open_store(store_file(home))) as store:
        reserve(store, booking(5, **PAID))
        alive = reserve(store, booking(5, **PAID))
        store.connection.execute(
            "UPDATE calls SET pid_started = pid_started + 1 WHERE state = 'reserved' AND id != ?", (alive,)
        )
    shown = spend(home, "doctor", "--json")
    document = json.loads(shown.stdout)
    assert shown.exit_code == 5
    assert {"what": "reservations", "ok": False, "problem": "1 belong to no living process"} in document["data"][
        "findings"
    ]
    assert document["errors"] == [
        {
            "code": "store",
            "message": "reservations: 1 belong to no living process",
            "hint": "mrt spend doctor --fix",
            "exit_code": 5,
        }
    ]
    assert spend(home, "doctor", "--fix").exit_code == 0
    with closing(open_store(store_file(home))) as store:
        assert [row["state"] for row in rows(store)][-2:] == ["failed", "reserved"]


def test_doctor_finds_a_file_that_others_can_read(home: Home) -> None:
    path = store_file(home)
    path.chmod(0o644)
    shown = spend(home, "doctor")
    assert shown.exit_code == 5
    assert "file mode: others can read it (-rw-r--r--)\n  hint: chmod 600 " in shown.stdout
    spend(home, "doctor", "--fix")
    assert mode(path) == 0o600


def test_doctor_finds_damage(home: Home) -> None:
    path = store_file(home)
    with closing(open_store(path)) as store:
        (size,) = store.connection.execute("PRAGMA page_size").fetchone()
        (page,) = store.connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'calls_by_session'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    shown = spend(home, "doctor")
    assert shown.exit_code == 5
    assert shown.stdout.startswith("integrity: ")
    assert f"hint: sqlite3 {path} .recover | sqlite3 {path}.new\n" in shown.stdout
    assert "roll-up" not in shown.stdout


def test_doctor_finds_a_reference_that_leads_nowhere(home: Home) -> None:
    with closing(sqlite3.connect(store_file(home))) as connection:
        connection.execute(
            "INSERT INTO messages (conversation, role, content, created_us) VALUES ('gone', 'user', 'x', 0)"
        )
        connection.commit()
    assert spend(home, "doctor").stdout.startswith("integrity: a reference leads nowhere\n")


def test_doctor_looks_where_the_file_is(home: Home, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"proc /proc proc rw 0 0\nserver:/home {home.path} nfs4 rw 0 0\n")
    with closing(open_store(store_file(home))) as store:
        (finding,) = (one for one in examine(store, mounts) if one.what == "file system")
    assert finding.problem == "nfs4 is shared between machines, which SQLite's log cannot be"
    assert finding.mend == "move it to a local disk: export MRT_DB=$HOME/.local/share/mrt/spend.db"


def test_doctor_of_a_store_in_memory() -> None:
    with closing(memory_store()) as store:
        assert [one.what for one in examine(store)] == ["integrity", "roll-up", "reservations"]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["/dev/sda / ext4 rw 0 0"], None),
        (["server:/ / nfs rw 0 0"], "nfs"),
        (["/dev/sda / ext4 rw 0 0", "host:/x /data fuse.sshfs rw 0 0"], "fuse.sshfs"),
        (["host:/x /data nfs rw 0 0", "/dev/sdb /data/mine ext4 rw 0 0"], None),
        (["host:/x /data nfs rw 0 0", "/dev/sdb /data ext4 rw 0 0"], None),
        (["//box/share /data/mine\\040own cifs rw 0 0"], None),
        (["//box/share /dat cifs rw 0 0"], None),
        (["nonsense", ""], None),
    ],
)
def test_kinds_of_file_systems(tmp_path: Path, lines: list[str], kind: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("\n".join(lines))
    assert remote_kind(Path("/data/mine/spend.db"), mounts) == kind
    assert remote_kind(Path("/data/mine/spend.db"), tmp_path / "none") is None


def test_a_mount_with_a_blank(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("//box/share /data/my\\040own cifs rw 0 0")
    assert remote_kind(Path("/data/my own/spend.db"), mounts) == "cifs"


def test_a_word_on_sqlite_itself(home: Home) -> None:
    assert note((3, 51, 3)) is None
    text = note((3, 40, 1))
    assert text is not None
    assert text.startswith("SQLite 3.40.1 can, very rarely, damage a store")
    known = note(sqlite3.sqlite_version_info)
    assert spend(home, "doctor", "-v").stderr == (f"{known}\n" if known else "")


def repriced(home: Home, config: str) -> Home:
    path = home.config / "mrt" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(config)
    return home


PRICED = """
[endpoints.koala]
kind = "litellm"
url = "http://koala.invalid:4000"
[prices."anthropic/claude-haiku-4-5"]
input_usd_per_mtok = 10
output_usd_per_mtok = 20
[prices."koala/gpt-x"]
input_usd_per_mtok = 1
output_usd_per_mtok = 1
"""


def test_reprice(home: Home) -> None:
    with closing(open_store(store_file(home), Clock(at("2026-03-10T00:00:00")))) as store:
        from mrt.domain import Usage
        from mrt.ledger import Settlement

        unpriced = Settlement("accepted", usage=Usage(1_000_000, 0, source="reported"))
        settle(store, reserve(store, booking(None, **{**PAID, "endpoint": "koala", "model": "gpt-x"})), unpriced)
        settle(store, reserve(store, booking(None, **{**PAID, "endpoint": "gone"})), unpriced)
        settle(store, reserve(store, booking(5 * CENT, **PAID)), paid_answer(3))
    repriced(home, PRICED)
    before = spend(home, "export").stdout
    assert spend(home, "reprice", "--dry-run").stdout == (
        "model                       calls           booked   today\n"
        "--------------------------  -----  ---------------  ------\n"
        "koala/gpt-x                     1  1 call unpriced   $1.00\n"
        "anthropic/claude-haiku-4-5      2            $0.06  $0.028\n"
    )
    data = spend(home, "reprice", "--dry-run", "--json").data
    assert data == {
        "dry_run": True,
        "differences": [
            {"model": "koala/gpt-x", "calls": 1, "booked_usd": None, "unpriced_calls": 1, "now_usd": "1"},
            {
                "model": "anthropic/claude-haiku-4-5",
                "calls": 2,
                "booked_usd": "0.06",
                "unpriced_calls": 0,
                "now_usd": "0.028",
            },
        ],
    }
    assert spend(home, "export").stdout == before


def test_reprice_needs_to_be_told_that_it_changes_nothing(home: Home) -> None:
    text = "error: booked calls keep their cost\nhint: `mrt spend reprice --dry-run` shows what would differ\n"
    assert spend(home, "reprice") == ("", text, 2)


def test_reprice_of_what_stays(store_home: Home) -> None:
    assert spend(store_home, "reprice", "--dry-run", "--since", "2026-03-01") == (
        "no call would cost anything else\n",
        "",
        0,
    )


def test_reprice_leaves_out_what_costs_the_same(home: Home) -> None:
    # 1,000 tokens in at $10 and 200 out at $100 a million: the 3 cents it was booked at.
    repriced(home, PRICED.replace("output_usd_per_mtok = 20", "output_usd_per_mtok = 100"))
    assert spend(home, "reprice", "--dry-run").stdout == "no call would cost anything else\n"
