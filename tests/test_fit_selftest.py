"""`mrt fit --selftest`: the accuracy that the package claims of itself, over cases it ships."""

from __future__ import annotations

import json

import pytest
from fit_kit import data_of, fit
from rig.command import Home

from mrt.commands._fit_selftest import CASES
from mrt.memory.accuracy import BUFFERS, Compared, compare
from mrt.models.catalog import all_shapes


@pytest.fixture(scope="module")
def found() -> list[Compared]:
    document = json.loads(CASES.read_text(encoding="utf-8"))
    return compare(document["cases"], {shape.name: shape for shape in all_shapes()}, document["build"])


def test_the_cache_is_exact_and_weights_nearly(found: list[Compared]) -> None:
    assert [one for one in found if one.buffer == "cache" and one.error > 0] == []
    assert [one for one in found if one.buffer.startswith("weights") and one.error > 0.1] == []


def test_compute_buffers_and_totals_are_near(found: list[Compared]) -> None:
    compute, totals = ([one.error for one in found if one.buffer == kind] for kind in ("compute", "total"))
    assert sum(error <= 3 for error in compute) >= 0.95 * len(compute)
    assert sum(error <= 1 for error in totals) >= 0.95 * len(totals)
    assert max(totals) <= 3


def test_a_wrong_plan_would_be_seen() -> None:
    document = json.loads(CASES.read_text(encoding="utf-8"))
    case = document["cases"][0]
    wrong = {**case, "measured": {**case["measured"], "cache": case["measured"]["cache"] * 2}}
    shapes = {shape.name: shape for shape in all_shapes()}
    [cache] = [one for one in compare([wrong], shapes, document["build"]) if one.buffer == "cache"]
    assert cache.error == 50
    assert Compared("x", "cache", 5, 0).error == 500


def test_the_table(store_home: Home, found: list[Compared]) -> None:
    result = fit(store_home, "--selftest")
    lines = result.stdout.splitlines()
    cases = len(found) // (len(BUFFERS) + 1)
    assert lines[0].startswith(f"{cases} cases measured with llama.cpp ")
    assert lines[2].split() == ["buffer", "cases", "exact", "within", "1", "%", "within", "3", "%", "worst"]
    assert lines[5].split()[-6:] == [str(cases)] * 4 + ["0.00", "%"]
    assert (result.stderr, result.exit_code) == ("", 0)


def test_the_table_in_json(store_home: Home, found: list[Compared]) -> None:
    data = data_of(fit(store_home, "--selftest", "--json"))
    assert [row["buffer"] for row in data["buffers"]] == [*BUFFERS, "total"]
    assert len(data["compared"]) == len(found)
