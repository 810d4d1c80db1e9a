"""`mrt top --once` and `--json` on stores and configurations of all kinds, and what asking leaves in the store for it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from rig.command import Home
from rig.home_setup import configure, run_here, says
from rig.loopback import ScriptedServer
from rig.responses import json_response
from top_kit import NOWHERE, Work, boxes, store_file

from mrt.ledger import Progress, note_progress


def test_once_as_json_has_these_keys(store_home: Home) -> None:
    with ScriptedServer({"/v1/models": json_response(200, {"data": [{"id": "m"}]}), "*": says("Paris.")}) as server:
        configure(store_home, boxes(box=server.url))
        run_here(store_home, "ask", "capital?")
        result = run_here(store_home, "top", "--json", env=NOWHERE)
    found = json.loads(result.stdout)
    assert (result.exit_code, result.stderr, found["command"], found["errors"]) == (0, "", "top", [])
    data = found["data"]
    assert list(data) == [
        "at",
        "timezone",
        "stuck_after_s",
        "tokens_per_second",
        "requests",
        "endpoints",
        "events",
        "today",
        "month",
        "last_hour",
        "burn_usd_per_day",
        "burn_at_least_usd_per_day",
        "budgets",
        "notes",
    ]
    assert (data["tokens_per_second"], data["requests"], data["stuck_after_s"]) == (None, [], 600)
    (event,) = data["events"]
    assert event | {"at": "", "seconds": 0, "tokens_per_second": 0, "operation": ""} == {
        "event": "accepted",
        "at": "",
        "tier": "box",
        "model": "box/m",
        "endpoint": None,
        "purpose": "ask",
        "check": None,
        "reason": None,
        "seconds": 0,
        "output_tokens": 3,
        "tokens_per_second": 0,
        "cost": {"state": "free", "usd": "0"},
        "operation": "",
    }
    (box,) = data["endpoints"]
    assert (box["name"], box["state"], box["requests"], box["busy"], box["loaded"]) == ("box", "idle", 0, None, None)
    assert (data["today"]["calls"], data["last_hour"]["usd"]) == (1, "0")


def test_a_broken_configuration_takes_only_the_endpoints_and_budgets_away(home: Home) -> None:
    run_here(home, "ask", "hi")
    (home.config / "mrt" / "config.toml").write_text("[budget]\ndaily_usd = -1\n")
    result = run_here(home, "top", "--once", env=NOWHERE)
    assert result.exit_code == 2
    assert "today   no API cost, 1 call, 12 tokens in, 3 out" in result.stdout
    assert "accepted" in result.stdout
    assert "\nendpoints unknown\n" in result.stdout
    assert "daily_usd" in result.stderr
    data = json.loads(run_here(home, "top", "--json", env=NOWHERE).stdout)
    assert (data["data"]["today"]["calls"], data["errors"][0]["code"]) == (1, "config")
    assert (data["data"]["endpoints"], data["data"]["budgets"]) == (None, None)


@pytest.mark.parametrize("kind", ["another-program", "newer", "folder"])
def test_a_store_that_cannot_be_read_is_said(home: Home, kind: str) -> None:
    path = store_file(home)
    path.parent.mkdir(parents=True)
    if kind == "folder":
        path.mkdir()
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA application_id = {0x6D727431 if kind == 'newer' else 7}")
            connection.execute("PRAGMA user_version = 999")
    result = run_here(home, "top", "--once", env=NOWHERE)
    assert result.exit_code == 5
    assert "only" in result.stdout  # the endpoint
    assert result.stderr.startswith("error: ")
    assert "hint: " in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_store_that_cannot_be_written_is_watched_as_it_is(home: Home) -> None:
    run_here(home, "ask", "hi")
    folder = store_file(home).parent
    for path in folder.iterdir():
        path.chmod(0o400)
    folder.chmod(0o500)
    try:
        result = run_here(home, "top", "--once", env=NOWHERE)
    finally:
        folder.chmod(0o700)
    assert (result.exit_code, "1 call" in result.stdout) == (0, True)


def test_a_store_of_an_older_mrt_is_brought_up_to_date_as_every_verb_does(home: Home, tmp_path: Path) -> None:
    run_here(home, "ask", "hi")
    path = store_file(home)
    with closing(sqlite3.connect(path)) as connection:
        for column in ("first_token_us", "heard_us", "heard_tokens"):
            connection.execute(f"ALTER TABLE calls DROP COLUMN {column}")
        connection.execute("DROP TABLE refusals")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'live'")
        connection.execute("PRAGMA user_version = 3")
        connection.commit()
    result = run_here(home, "top", "--once", env=NOWHERE)
    assert (result.exit_code, "1 call" in result.stdout) == (0, True)


def test_it_reads_while_others_hold_the_write_lock(home: Home) -> None:
    run_here(home, "ask", "hi")
    with closing(sqlite3.connect(store_file(home), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE calls SET tag = 'x'")
        result = run_here(home, "top", "--once", env=NOWHERE)
        writer.execute("ROLLBACK")
    assert (result.exit_code, "1 call" in result.stdout) == (0, True)


def test_an_answer_does_not_wait_for_those_who_write(tmp_path: Path) -> None:
    work = Work(tmp_path / "spend.db")
    identifier = work.begin()
    with closing(sqlite3.connect(work.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert not note_progress(work.store, identifier, Progress(1, 1, 1))
    assert note_progress(work.store, identifier, Progress(2, 1, 2))
    settings = [
        work.store.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "busy_timeout")
    ]
    assert settings == [2, 30_000]  # as the bookings need them
    work.store.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--interval", "0"), "Invalid value for '--interval'"),
        (("--interval", "nan"), "Invalid value for '--interval'"),
        (("--stuck", "0"), "Invalid value for '--stuck'"),
        (("--once", "--stream-json"), "--once and --stream-json contradict each other"),
        (("--json", "--stream-json"), "--json and --stream-json contradict each other"),
    ],
)
def test_what_makes_no_sense_is_refused(store_home: Home, arguments: Sequence[str], message: str) -> None:
    result = run_here(store_home, "top", *arguments, env=NOWHERE)
    assert result.exit_code == 2
    assert message in result.stderr + result.stdout
