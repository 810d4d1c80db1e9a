"""`mrt spend export` and `import`: calls travel between stores, each counted once, nothing taken for zero."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import Clock, booking
from rig.command import Home, make_home
from spend_kit import CENT, PAID, at, march, paid_answer, spend, store_file

from mrt.ledger import open_store, reserve, settle, sweep
from mrt.ledger.transfer import COLUMNS

MARCH = ("--since", "2026-03-01", "--until", "2026-03-31")


@pytest.fixture
def home(store_home: Home) -> Home:
    march(store_file(store_home))
    return store_home


@pytest.fixture
def other(tmp_path: Path) -> Home:
    """Another machine."""
    return make_home(tmp_path / "other")


def exported(home: Home, path: Path, *arguments: str) -> Path:
    """The calls of a home in a file."""
    shown = spend(home, "export", *arguments)
    assert shown.exit_code == 0, shown.stderr
    path.write_text(shown.stdout, encoding="utf-8")
    return path


def changed(path: Path, **fields: Any) -> Path:
    """The file with its first call changed."""
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | fields), *rest]), encoding="utf-8")
    return path


def test_there_and_back(home: Home, other: Home, tmp_path: Path) -> None:
    file = exported(home, tmp_path / "calls.jsonl")
    assert spend(other, "import", file) == (
        "4 calls added, 0 updated, 0 known already\n",
        "1 call of them came without a cost: it stays unknown\n",
        0,
    )
    assert spend(other, "import", file).stdout == "0 calls added, 0 updated, 4 calls known already\n".replace(
        "4 calls known", "4 known"
    )
    assert spend(other, "export").stdout == file.read_text(encoding="utf-8")
    assert spend(home, "import", file).stdout == "0 calls added, 0 updated, 4 known already\n"
    here, there = (spend(each, *MARCH, "--json").data for each in (home, other))
    assert here == there
    assert spend(other, "doctor").exit_code == 0


def test_an_import_from_two_machines_adds_up(home: Home, other: Home, tmp_path: Path) -> None:
    mine = exported(home, tmp_path / "a.jsonl")
    with closing(open_store(store_file(other), Clock(at("2026-03-05T00:00:00")))) as store:
        settle(store, reserve(store, booking(9 * CENT, **PAID)), paid_answer(7))
    spend(other, "import", mine)
    assert spend(other, *MARCH, "--json").data["total"]["cost"]["at_least_usd"] == "0.1"


def test_imported_calls_leave_this_machines_budgets_alone(other: Home, tmp_path: Path) -> None:
    import time

    source = make_home(tmp_path / "source")
    with closing(open_store(store_file(source), time.time)) as store:
        settle(store, reserve(store, booking(9 * CENT, **PAID)), paid_answer(7))
    spend(other, "import", exported(source, tmp_path / "today.jsonl"))
    assert spend(other, "--today", "--json").data["total"]["cost"]["usd"] == "0.07"
    assert spend(other, "check").stdout == "within: daily $0 of $5.00 (0 %), monthly $0 of $50.00 (0 %)\n"
    assert spend(other, "log").stderr == "no call is booked\n"
    assert "imported as it was" not in spend(other, "why", "op-").stdout


def test_a_late_settlement_takes_the_place_of_the_upper_bound(other: Home, tmp_path: Path) -> None:
    source = make_home(tmp_path / "source")
    clock = Clock(at("2026-03-02T10:00:00"))
    with closing(open_store(store_file(source), clock)) as store:
        late = reserve(store, booking(9 * CENT, **PAID))
        clock.now += 7200
        sweep(store)
        early = exported(source, tmp_path / "early.jsonl")
        settle(store, late, paid_answer(2))
    final = exported(source, tmp_path / "final.jsonl")
    for file, cost in ((early, "0.09"), (final, "0.02"), (early, "0.02")):
        spend(other, "import", file)
        assert spend(other, *MARCH, "--json").data["total"]["cost"]["usd"] == cost
    assert spend(other, "doctor").exit_code == 0
    assert spend(other, "import", final, "--json").data == {
        "file": str(final),
        "added": 0,
        "updated": 0,
        "known": 1,
        "unpriced": 0,
    }


def test_calls_under_way_stay_at_home(home: Home) -> None:
    with closing(open_store(store_file(home))) as store:
        reserve(store, booking(1))
    assert len(spend(home, "export").stdout.splitlines()) == 4


def test_export_since(home: Home) -> None:
    (line,) = spend(home, "export", "--since", "2026-03-09").stdout.splitlines()
    assert json.loads(line)["model"] == "gpt-x"


def test_export_as_csv(home: Home) -> None:
    table = list(csv.DictReader(io.StringIO(spend(home, "export", "--format", "csv").stdout)))
    assert list(table[0]) == list(COLUMNS)
    assert [row["cost_nano"] for row in table] == ["0", "0", str(3 * CENT), ""]
    assert table[3]["input_tokens"] == ""


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    """Attribute values by their names."""
    return {item["key"]: next(iter(item["value"].values())) for item in span["attributes"]}


def test_export_as_spans(home: Home) -> None:
    with closing(open_store(store_file(home), Clock(at("2026-03-20T00:00:00")))) as store:
        from mrt.ledger import Settlement

        end = Settlement("failed", reason="timeout", finish_reason="length")
        settle(store, reserve(store, booking(1, **PAID)), end)
    (document,) = map(json.loads, spend(home, "export", "--format", "otlp").stdout.splitlines())
    (resource,) = document["resourceSpans"]
    assert [item["key"] for item in resource["resource"]["attributes"]] == ["service.name", "host.name"]
    spans = resource["scopeSpans"][0]["spans"]
    local, rejected, paid, unknown, failed = spans
    assert rejected["traceId"] == paid["traceId"] != local["traceId"]
    assert {len(span["traceId"]) for span in spans} == {32}
    assert len({span["spanId"] for span in spans}) == 5
    assert paid["name"] == "chat claude-haiku-4-5"
    assert paid["startTimeUnixNano"] == "1772449205000000000"
    assert paid["endTimeUnixNano"] == "1772449207000000000"
    told = attributes(paid)
    assert told["gen_ai.usage.input_tokens"] == "1000"
    assert told["gen_ai.usage.cache_read.input_tokens"] == "400"
    assert told["gen_ai.usage.cost"] == 0.03
    assert told["mrt.cost.state"] == "priced"
    assert "gen_ai.usage.cost" not in attributes(unknown)
    assert "gen_ai.usage.input_tokens" not in attributes(unknown)
    assert failed["status"] == {"code": 2, "message": "timeout"}
    assert attributes(failed)["gen_ai.response.finish_reasons"] == {"values": [{"stringValue": "length"}]}


def test_spans_come_a_thousand_a_line(home: Home) -> None:
    from mrt.ledger.transfer import ended_calls
    from mrt.output.spend_spans import SPANS_PER_LINE, traces

    with closing(open_store(store_file(home))) as store:
        row = next(ended_calls(store))
    sizes = [
        len(document["resourceSpans"][0]["scopeSpans"][0]["spans"]) for document in traces([row] * (SPANS_PER_LINE + 1))
    ]
    assert sizes == [SPANS_PER_LINE, 1]


def test_an_export_in_one_object_has_the_calls_of_the_lines(home: Home) -> None:
    lines = [json.loads(line) for line in spend(home, "export").stdout.splitlines()]
    data = json.loads(spend(home, "export", "--json").stdout)["data"]
    assert (data["format"], data["calls"]) == (lines[0]["format"], lines)
    shown = spend(home, "export", "--json", "--format", "csv")
    assert shown.exit_code == 2
    assert json.loads(shown.stdout)["errors"][0]["message"] == "--json and --format csv contradict each other"


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"id": None}, "id cannot be None"),
    ({"id": ""}, "'' is no id"),
    ({"id": "a\nb"}, "'a\\nb' is no id"),
    ({"attempt": -1}, "attempt cannot be -1"),
    ({"attempt": True}, "attempt cannot be True"),
    ({"started_us": 2**63}, "started_us cannot be 9223372036854775808"),
    ({"state": "reserved"}, "state cannot be 'reserved'"),
    ({"tier": "a\x00"}, "tier cannot be 'a\\x00'"),
    ({"cost_nano": 1.5}, "cost_nano cannot be Decimal('1.5')"),
    ({"cost_nano": 10**16}, "cost_nano cannot be 10000000000000000"),
    ({"cost_state": "cheap"}, "cost_state cannot be 'cheap'"),
    ({"cost_state": "free", "cost_nano": 5}, "a cost that is free cannot be 5 nano-dollars"),
    ({"cost_state": "unknown", "cost_nano": 0}, "a cost that is unknown cannot be 0 nano-dollars"),
    ({"cost_state": "priced", "cost_nano": None}, "a cost that is priced cannot be None nano-dollars"),
    ({"state": "void", "cost_state": "priced", "cost_nano": 5}, "a cost that is priced cannot be 5 nano-dollars"),
    ({"tokens_per_second": "fast"}, "tokens_per_second cannot be 'fast'"),
    ({"local": 2}, "local cannot be 2"),
    ({"mood": "good"}, "unknown field 'mood'"),
]


@pytest.mark.parametrize(("fields", "message"), BAD_FIELDS, ids=[text for _, text in BAD_FIELDS])
def test_one_bad_call_and_nothing_is_added(
    home: Home, other: Home, tmp_path: Path, fields: dict[str, Any], message: str
) -> None:
    lines = exported(home, tmp_path / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    bad = json.dumps(json.loads(lines[3]) | fields)
    file = tmp_path / "bad.jsonl"
    file.write_text("\n".join([*lines[:3], "", bad]), encoding="utf-8")
    shown = spend(other, "import", file)
    assert (shown.stdout, shown.exit_code) == ("", 2)
    assert shown.stderr.startswith(f"error: {file}:5: {message}\nhint: ")
    assert spend(other, "export").stdout == ""


HINT = "hint: `mrt spend import --help` says what can be imported\n"


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        pytest.param(b"{", [], "{file}: this is no JSON", id="half"),
        pytest.param(b'{"a": 1}\n', [], "{file}:1: this is no call as `mrt spend export` writes it", id="foreign"),
        pytest.param(b"[1]", [], "{file}: item 1: this is no call as `mrt spend export` writes it", id="array"),
        pytest.param(b"[" * 100_000, [], "{file}: this is no JSON", id="deep"),
        pytest.param(b"\xff\xfe\n", [], "{file} is no text in UTF-8", id="binary"),
    ],
)
def test_files_that_hold_no_calls(
    other: Home, tmp_path: Path, content: bytes, arguments: list[str], message: str
) -> None:
    file = tmp_path / "calls"
    file.write_bytes(content)
    assert spend(other, "import", file, *arguments) == ("", f"error: {message.format(file=file)}\n{HINT}", 2)


@pytest.mark.parametrize("content", ["", "\n\n", "[]"])
def test_an_empty_file_adds_nothing(other: Home, tmp_path: Path, content: str) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_text(content)
    assert spend(other, "import", file).stdout == "0 calls added, 0 updated, 0 known already\n"


def test_a_file_that_is_not_there(other: Home, tmp_path: Path) -> None:
    for kind in ("auto", "mrt", "litellm"):
        shown = spend(other, "import", tmp_path / "none", "--format", kind)
        assert shown == ("", f"error: {tmp_path}/none cannot be read: No such file or directory\n{HINT}", 2)
