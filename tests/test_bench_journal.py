"""A run's journal: whole after a crash, found by its id, and answers that come back as they were kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig.bench import heard

from mrt.bench.answers import Answer, Graded, Heard, from_record, to_record
from mrt.bench.journal import Journal, Run, path_of, read
from mrt.errors import UsageError

RUN = Run("20260101-000000-000-box-m", "box/m", "coding", "d" * 16, 0, 1, "2026-01-01T00:00:00Z", {"seed": 1})


def graded(task: str = "t", **fields: Any) -> Graded:
    return Graded(
        Answer(task, 2, 0, 100, heard("text \x00 \ud800 \U0001f600", **fields)), "wrong", "said", "rule", "block"
    )


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    kept = Journal(tmp_path / "bench" / f"{RUN.id}.jsonl")
    kept.begin(RUN)
    return kept


def test_what_is_kept_comes_back(journal: Journal) -> None:
    journal.add(graded())
    journal.add(graded("u", cost_nano=None, cost_state="unknown"))
    assert read(journal.path) == (RUN, (graded(), graded("u", cost_nano=None, cost_state="unknown")))


def test_a_journal_is_for_nobody_else(journal: Journal) -> None:
    assert journal.path.stat().st_mode & 0o777 == 0o600


@given(
    st.builds(
        Heard,
        text=st.text(),
        reasoned=st.booleans(),
        error=st.none() | st.text(),
        output_tokens=st.none() | st.integers(),
        cost_nano=st.none() | st.integers(),
        seconds=st.floats(0, 1e6),
    )
)
def test_every_answer_survives_json(one: Heard) -> None:
    kept = Graded(Answer("t", 1, 0, 10, one), "pass")
    assert from_record(json.loads(json.dumps(to_record(kept)))) == kept


def test_a_line_that_was_cut_off_is_left_out_and_what_follows_is_not_lost(journal: Journal) -> None:
    journal.add(graded("first"))
    with journal.path.open("a") as file:
        file.write('{"answer": {"task": "cut')
    journal.go_on()
    journal.add(graded("second"))
    assert [one.answer.task for one in read(journal.path)[1]] == ["first", "second"]


def test_going_on_adds_nothing_to_a_whole_journal(journal: Journal) -> None:
    before = journal.path.read_bytes()
    journal.go_on()
    assert journal.path.read_bytes() == before


def test_keys_of_a_later_version_are_passed_over(journal: Journal) -> None:
    record = to_record(graded())
    record["answer"]["heard"]["new"] = 1
    with journal.path.open("a") as file:
        file.write(json.dumps({**record, "newer": {}}) + "\n")
    assert read(journal.path)[1] == (graded(),)


def test_a_run_is_not_begun_twice(journal: Journal) -> None:
    with pytest.raises(UsageError, match="File exists"):
        journal.begin(RUN)


@pytest.mark.parametrize("text", ["", "x", "{}", '{"run": 3}', '{"run": {"id": "a"}}', "[]", '{"run": "x"}'], ids=repr)
def test_what_is_no_journal_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match="is no run of mrt bench"):
        read(path)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"answer": {"heard": None}}, id="no answer"),
        pytest.param({"status": "perfect"}, id="no status"),
        pytest.param({"answer": {"band": "x"}}, id="a band that is no number"),
        pytest.param({"answer": {"band": 7}}, id="a band that is not there"),
        pytest.param({"answer": {"task": []}}, id="a task that is no name"),
        pytest.param({"answer": {"heard": {"cost_nano": "5"}}}, id="a cost that is text"),
    ],
)
def test_a_damaged_line_is_left_out(journal: Journal, damage: dict[str, Any]) -> None:
    record = to_record(graded())
    for key, value in damage.items():
        record[key] = {**record[key], **value} if isinstance(value, dict) else value
    if isinstance(record["answer"]["heard"], dict):
        record["answer"]["heard"] = {**to_record(graded())["answer"]["heard"], **record["answer"]["heard"]}
    with journal.path.open("a") as file:
        file.write(json.dumps(record) + "\n")
    journal.add(graded("next"))
    assert [one.answer.task for one in read(journal.path)[1]] == ["next"]


@pytest.mark.parametrize("damage", [{"samples": "1"}, {"samples": 0}, {"suite": []}, {"environment": "x"}], ids=repr)
def test_a_damaged_head_is_refused(tmp_path: Path, damage: dict[str, Any]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"version": 1, "run": {**asdict(RUN), **damage}}) + "\n")
    with pytest.raises(UsageError, match="is no run of mrt bench"):
        read(path)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("20260102-000000-000-b", "20260102-000000-000-b", id="whole id"),
        pytest.param("20260101", "20260101-000000-000-a", id="its beginning"),
        pytest.param("last", "20260102-000000-000-b", id="last"),
    ],
)
def test_a_run_is_found(tmp_path: Path, name: str, found: str) -> None:
    for stem in ("20260101-000000-000-a", "20260102-000000-000-b"):
        (tmp_path / f"{stem}.jsonl").touch()
    assert path_of(tmp_path, name).stem == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("2026", "'2026' is the beginning of 2 runs", id="two"),
        pytest.param("1999", "no run '1999'", id="none"),
    ],
)
def test_a_run_that_is_not_clear_is_refused(tmp_path: Path, name: str, message: str) -> None:
    for stem in ("20260101-000000-000-a", "20260102-000000-000-b"):
        (tmp_path / f"{stem}.jsonl").touch()
    with pytest.raises(UsageError) as caught:
        path_of(tmp_path, name)
    assert caught.value.message == message


def test_no_last_run_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run 'last'"):
        path_of(tmp_path / "nothing", "last")
