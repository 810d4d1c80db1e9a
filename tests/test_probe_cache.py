"""What the last probes saw: kept privately, replaced as a whole, and never trusted blindly."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.endpoints.cache import FRESH_FOR_S, KEPT_FOR_S, LARGEST_FILE, cache_path, load_cache, save_cache
from mrt.endpoints.report import EndpointReport, ModelReport

NOW = 1_800_000_000.0


def report(name: str = "box", at: float = NOW, **fields: object) -> EndpointReport:
    """A report of one endpoint."""
    values = {"kind": "ollama", "url": "http://localhost:11434", "state": "ready", "checked_at": at, **fields}
    return EndpointReport(name, **values)  # type: ignore[arg-type]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_what_is_kept_comes_back_with_its_age(environment: dict[str, str]) -> None:
    model = ModelReport("m", loaded=True, context_served=4096, quantization="Q4_K_M", remote=False, tools=True)
    kept = report(models=(model, ModelReport("n")), version="1.2", latency_ms=3, slots=2, busy=0, queue=1, hint="x")
    save_cache(environment, [kept], NOW)
    (cached,) = load_cache(environment, NOW + 60)
    assert (cached.report, cached.age_s, cached.fresh) == (kept, 60.0, True)
    assert not load_cache(environment, NOW + FRESH_FOR_S + 1)[0].fresh


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_its_place_holds_nobody_up(environment: dict[str, str]) -> None:
    cache_path(environment).parent.mkdir(parents=True)
    os.mkfifo(cache_path(environment))
    assert load_cache(environment, NOW) == ()
    save_cache(environment, [report()], NOW)
    assert len(load_cache(environment, NOW)) == 1


def test_it_is_the_owner_s_alone_and_nothing_else_is_left_behind(environment: dict[str, str]) -> None:
    save_cache(environment, [report()], NOW)
    path = cache_path(environment)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["probe.json"]


def test_a_look_at_one_endpoint_keeps_what_is_known_of_the_others(environment: dict[str, str]) -> None:
    save_cache(environment, [report("a"), report("b", NOW - 5)], NOW)
    save_cache(environment, [report("a", NOW + 10, state="down")], NOW + 10)
    found = load_cache(environment, NOW + 10)
    assert [(one.report.name, one.report.state) for one in found] == [("a", "down"), ("b", "ready")]


@pytest.mark.parametrize("age", [-1.0, KEPT_FOR_S + 1.0], ids=["from-the-future", "too-old"])
def test_a_report_of_a_wrong_time_is_none(environment: dict[str, str], age: float) -> None:
    save_cache(environment, [report(at=NOW)], NOW)
    assert load_cache(environment, NOW + age) == ()


GOOD = {"name": "a", "kind": "ollama", "url": "u", "state": "ready", "models": [], "checked_at": NOW}
BROKEN = {
    "empty": "",
    "no-json": "{",
    "not-an-object": "[]",
    "other-version": json.dumps({"version": 99, "reports": [GOOD]}),
    "no-version": json.dumps({"reports": [GOOD]}),
    "no-list": json.dumps({"version": 1, "reports": {}}),
    "no-objects": json.dumps({"version": 1, "reports": [1, None, "x"]}),
    "missing-field": json.dumps({"version": 1, "reports": [{**GOOD, "kind": None}]}),
    "wrong-state": json.dumps({"version": 1, "reports": [{**GOOD, "state": "splendid"}]}),
    "wrong-time": json.dumps({"version": 1, "reports": [{**GOOD, "checked_at": "today"}]}),
    "no-time": json.dumps({"version": 1, "reports": [{**GOOD, "checked_at": float("nan")}]}),
    "models-of-nothing": json.dumps({"version": 1, "reports": [{**GOOD, "models": None}]}),
    "too-deep": "[" * 200_000,
    "bytes": "\udcff",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_that_makes_no_sense_is_no_file(environment: dict[str, str], text: str) -> None:
    path = cache_path(environment)
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    assert load_cache(environment, NOW) == ()
    save_cache(environment, [report()], NOW)
    assert len(load_cache(environment, NOW)) == 1


def test_one_bad_row_does_not_take_the_others_away(environment: dict[str, str]) -> None:
    path = cache_path(environment)
    path.parent.mkdir(parents=True)
    rows = [GOOD, {**GOOD, "name": 7}, {**GOOD, "name": "c", "models": [{"id": "m"}, {"id": 5}, "x"], "new": 1}]
    path.write_text(json.dumps({"version": 1, "reports": rows}))
    found = load_cache(environment, NOW)
    assert [(one.report.name, [model.id for model in one.report.models]) for one in found] == [("a", []), ("c", ["m"])]


def test_a_place_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environment = {"XDG_CACHE_HOME": str(tmp_path / "file")}
    save_cache(environment, [report()], NOW)
    assert load_cache(environment, NOW) == ()


def test_it_stays_small_and_the_newest_goes_first(environment: dict[str, str]) -> None:
    many = tuple(ModelReport(f"model-{number:06}" + "x" * 280) for number in range(3000))
    save_cache(environment, [report(f"e{number}", models=many) for number in range(200)], NOW)
    assert cache_path(environment).stat().st_size <= LARGEST_FILE
    assert [len(one.report.models) for one in load_cache(environment, NOW)] == [3000, 1000, *[0] * 98]


@given(st.lists(st.text(max_size=20), max_size=5), st.text(max_size=10))
def test_any_text_survives(names: list[str], version: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        kept = report(models=tuple(map(ModelReport, names)), version=version)
        save_cache({"XDG_CACHE_HOME": folder}, [kept], NOW)
        assert [one.report for one in load_cache({"XDG_CACHE_HOME": folder}, NOW)] == [kept]
