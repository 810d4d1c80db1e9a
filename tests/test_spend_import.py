"""`mrt spend import` of what other programs wrote, and through pipes: nothing lost, nothing made up."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ledger_kit import booking, rows
from rig.command import Command, Home, make_home
from spend_kit import CENT, at, march, spend, store_file

from mrt.ledger import open_store, reserve
from mrt.ledger.merge import BATCH, merge
from mrt.ledger.transfer import ended_calls

MARCH = ("--since", "2026-03-01", "--until", "2026-03-31")
HINT = "hint: `mrt spend import --help` says what can be imported\n"


@pytest.fixture
def other(tmp_path: Path) -> Home:
    """Another machine."""
    return make_home(tmp_path / "other")


def llm_log(path: Path, *, without: str = "") -> Path:
    """A log as the `llm` command keeps it: one whole response, one without counts."""
    names = [
        "id",
        "model",
        "conversation_id",
        "duration_ms",
        "datetime_utc",
        "input_tokens",
        "output_tokens",
        "resolved_model",
    ]
    names = [name for name in names if name != without]
    responses = [
        ("01a", "gpt-4o-mini", "talk", 800, "2026-03-03T10:00:00.5+00:00", 12, 3, "gpt-4o-mini-2024-07-18"),
        ("01b", "llama3.2:latest", "talk", None, "2026-03-03T11:00:00", None, None, None),
    ]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE responses ({', '.join(names)})")
        for response in responses:
            values = [value for name, value in zip(_LLM, response, strict=True) if name != without]
            connection.execute(f"INSERT INTO responses VALUES ({', '.join('?' * len(values))})", values)
        connection.commit()
    return path


_LLM = (
    "id",
    "model",
    "conversation_id",
    "duration_ms",
    "datetime_utc",
    "input_tokens",
    "output_tokens",
    "resolved_model",
)


def imported(home: Home) -> list[dict[str, Any]]:
    """The rows of a store."""
    with closing(open_store(store_file(home))) as store:
        return rows(store)


def test_the_log_of_llm(other: Home, tmp_path: Path) -> None:
    log = llm_log(tmp_path / "logs.db")
    assert spend(other, "import", log).stdout == "2 calls added, 0 updated, 0 known already\n"
    assert spend(other, "import", log).stdout == "0 calls added, 0 updated, 2 known already\n"
    first, second = imported(other)
    assert (first["id"], first["model"], first["served_model"], first["session"]) == (
        "llm:01a",
        "gpt-4o-mini",
        "gpt-4o-mini-2024-07-18",
        "talk",
    )
    assert first["started_us"] == round(at("2026-03-03T10:00:00.5") * 1e6)
    assert (first["input_tokens"], first["usage_source"], second["usage_source"]) == (12, "reported", "unknown")
    assert [row["cost_state"] for row in (first, second)] == ["unknown", "unknown"]
    assert spend(other, *MARCH).stdout.splitlines()[1] == "cost       unknown (2 calls unpriced)"


def foreign(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    return path


def torn(path: Path) -> Path:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(foreign, "{file} is no log of llm: its responses have no id", id="foreign"),
        pytest.param(torn, "{file} cannot be read as a log of llm: file is not a database", id="torn"),
        pytest.param(
            lambda path: llm_log(path, without="duration_ms"),
            "{file} is no log of llm: its responses have no duration_ms",
            id="old",
        ),
    ],
)
def test_databases_that_are_no_log(other: Home, tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    file = make(tmp_path / "some.db")
    text = f"error: {message.format(file=file)}\nhint: `llm logs path` names it\n"
    assert spend(other, "import", file) == ("", text, 2)


def entry(**fields: Any) -> dict[str, Any]:
    """A row of LiteLLM's table."""
    return {
        "request_id": "r1",
        "startTime": "2026-03-03T10:00:00Z",
        "endTime": "2026-03-03T10:00:02Z",
        "model": "openai/gpt-4o",
        "custom_llm_provider": "openai",
        "spend": 0.0123,
        "total_tokens": 15,
        "prompt_tokens": 12,
        "completion_tokens": 3,
        "request_tags": '["nightly"]',
        "status": "success",
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, ("reported", 12_300_000), id="stated"),
        pytest.param({"spend": "0.1"}, ("reported", 10 * CENT), id="text"),
        pytest.param({"spend": 0}, ("unknown", None), id="its zero for models without a price"),
        pytest.param({"spend": 0.0, "cache_hit": "True"}, ("reported", 0), id="its cache answered"),
        pytest.param({"spend": None}, ("unknown", None), id="nothing"),
        pytest.param({"spend": -1}, ("unknown", None), id="impossible"),
    ],
)
def test_costs_of_litellm(
    other: Home, tmp_path: Path, fields: dict[str, Any], expected: tuple[str, int | None]
) -> None:
    file = tmp_path / "spend.json"
    file.write_text(json.dumps([entry(**fields)]))
    assert spend(other, "import", file).exit_code == 0
    (row,) = imported(other)
    assert (row["cost_state"], row["cost_nano"]) == expected
    assert (row["endpoint"], row["model"], row["tag"], row["total_ms"]) == ("openai", "gpt-4o", "nightly", 2000)


@pytest.mark.parametrize("tags", [None, "no json", [], ["nightly"]])
def test_failed_calls_of_litellm_as_lines(other: Home, tmp_path: Path, tags: Any) -> None:
    file = tmp_path / "spend.jsonl"
    failure = entry(status="failure", spend=0, prompt_tokens=0, completion_tokens=0, total_tokens=0, endTime=None)
    file.write_text("\n".join(json.dumps(one) for one in (failure | {"request_tags": tags}, entry(request_id="r2"))))
    assert spend(other, "import", file, "--format", "litellm").exit_code == 0
    row = imported(other)[0]
    assert (row["state"], row["outcome"], row["input_tokens"], row["usage_source"]) == (
        "failed",
        "failed",
        None,
        "unknown",
    )
    assert (row["cost_nano"], row["tag"]) == (None, "nightly" if tags == ["nightly"] else None)


@pytest.mark.parametrize(
    ("document", "message", "hint"),
    [
        ({"model": "x"}, "{file}: item 1: this is no entry of LiteLLM's SpendLogs", "each needs a request_id"),
        (entry(startTime="noon"), "{file}: item 1: 'noon' is no time", "it must be written as in ISO 8601"),
        (entry(startTime="0001-01-01T00:00:00+23:59"), "{file}: item 1: started_us cannot be -62135683140000000",
         "export it again where it comes from"),
    ],
)  # fmt: skip
def test_entries_that_are_none(other: Home, tmp_path: Path, document: Any, message: str, hint: str) -> None:
    file = tmp_path / "spend.json"
    file.write_text(json.dumps([document]))
    text = f"error: {message.format(file=file)}\nhint: {hint}\n"
    assert spend(other, "import", file, "--format", "litellm") == ("", text, 2)


def test_a_page_of_litellm(other: Home, tmp_path: Path) -> None:
    rows_of_page = [entry(), entry(request_id="r2", prompt_tokens=12.0, completion_tokens=3.0)]
    page = {"data": rows_of_page, "total": 2, "page": 1, "page_size": 50, "total_pages": 1}
    for number, text in enumerate((json.dumps(page), json.dumps(page, indent=2), '{"data":\n[]}')):
        file = tmp_path / f"page{number}.json"
        file.write_text(text)
        assert spend(other, "import", file).exit_code == 0
    assert [(row["id"], row["input_tokens"], row["output_tokens"]) for row in imported(other)] == [
        ("litellm:r1", 12, 3),
        ("litellm:r2", 12, 3),
    ]


USED = {
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 2},
    "cache_creation_input_tokens": 1.0,
}


@pytest.mark.parametrize(
    "metadata",
    [{"usage_object": USED}, json.dumps({"usage_object": USED}), {"additional_usage_values": USED}],
    ids=["object", "text", "additional"],
)
def test_details_of_litellm(other: Home, tmp_path: Path, metadata: Any) -> None:
    file = tmp_path / "spend.json"
    file.write_text(json.dumps([entry(metadata=metadata), entry(request_id="r2", metadata="none")]))
    assert spend(other, "import", file).exit_code == 0
    assert [details(row) for row in imported(other)] == [(12, 8, 1, 2), (12, None, None, None)]


def details(row: dict[str, Any]) -> tuple[int | None, ...]:
    names = ("input_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
    return tuple(row[name] for name in names)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        pytest.param(None, (12, None, None, None), id="nothing"),
        pytest.param("{", (12, None, None, None), id="no JSON"),
        pytest.param('{"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": '
                     '{"reasoning_tokens": 1}}', (12, 4, None, 1), id="openai"),
        pytest.param('{"cache_read_input_tokens": 100, "cache_creation_input_tokens": 30}', (142, 100, 30, None),
                     id="anthropic counts them apart"),
        pytest.param('{"cachedContentTokenCount": 5, "thoughtsTokenCount": 2}', (12, 5, None, 2), id="google"),
        pytest.param('{"prompt_tokens_details": {"cached_tokens": -4}}', (12, None, None, None), id="impossible"),
    ],
)  # fmt: skip
def test_details_of_llm(other: Home, tmp_path: Path, kept: str | None, expected: tuple[int | None, ...]) -> None:
    log = llm_log(tmp_path / "logs.db")
    with closing(sqlite3.connect(log)) as connection:
        connection.execute("ALTER TABLE responses ADD COLUMN token_details TEXT")
        connection.execute("UPDATE responses SET token_details = ?, input_tokens = 12.0 WHERE id = '01a'", (kept,))
        connection.commit()
    assert spend(other, "import", log).exit_code == 0
    assert details(imported(other)[0]) == expected


@pytest.fixture
def lines(store_home: Home) -> str:
    """What another machine exports."""
    march(store_file(store_home))
    return spend(store_home, "export").stdout


def test_through_standard_input(other: Home, mrt: Command, lines: str) -> None:
    shown = mrt("spend", "import", "-", stdin=lines, env={"MRT_DB": str(store_file(other))})
    assert shown.stdout == "4 calls added, 0 updated, 0 known already\n"
    assert spend(other, "export").stdout == lines
    text = f"error: there is no standard input to import\n{HINT}"
    assert spend(other, "import", "-") == ("", text, 2)


def test_a_bad_line_of_standard_input_has_its_number(other: Home, mrt: Command, lines: str) -> None:
    shown = mrt("spend", "import", "-", stdin=lines + "{}\n", env={"MRT_DB": str(store_file(other))})
    assert shown.stderr.startswith("error: standard input:5: this is no call as `mrt spend export` writes it\n")
    assert spend(other, "export").stdout == ""


def test_through_a_pipe(other: Home, tmp_path: Path, lines: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(lines,))
    writer.start()
    assert spend(other, "import", pipe).stdout == "4 calls added, 0 updated, 0 known already\n"
    writer.join()


@pytest.mark.parametrize("place", ["/dev/null", "/"])
def test_what_is_neither_a_file_nor_a_pipe(other: Home, place: str) -> None:
    assert spend(other, "import", place) == ("", f"error: {place} is neither a file nor a pipe\n{HINT}", 2)


def test_a_byte_order_mark(other: Home, tmp_path: Path, lines: str) -> None:
    for number, text in enumerate((lines, json.dumps([entry()]), json.dumps(entry(request_id="r2")))):
        file = tmp_path / f"calls{number}"
        file.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert spend(other, "import", file).exit_code == 0
    assert len(imported(other)) == 6


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("NaN", "{file}:1: this is no JSON"),
        ("-Infinity", "{file}:1: this is no JSON"),
        ("1e999", "{file}:1: tokens_per_second cannot be inf"),
        ("-1", "{file}:1: tokens_per_second cannot be -1.0"),
    ],
)
def test_numbers_that_are_none(other: Home, tmp_path: Path, lines: str, number: str, message: str) -> None:
    file = tmp_path / "calls.jsonl"
    first, *rest = lines.splitlines(keepends=True)
    document = json.loads(first) | {"tokens_per_second": 4321}
    file.write_text("".join([json.dumps(document).replace("4321", number) + "\n", *rest]))
    shown = spend(other, "import", file)
    assert shown.stderr.splitlines()[0] == f"error: {message.format(file=file)}"
    assert (shown.exit_code, imported(other)) == (2, [])


def test_booking_goes_on_after_an_import(other: Home, tmp_path: Path) -> None:
    assert spend(other, "import", llm_log(tmp_path / "logs.db")).exit_code == 0
    with closing(open_store(store_file(other))) as store:
        first, second = (reserve(store, booking(1)) for _ in range(2))
    assert first < second


def test_huge_numbers_of_litellm(other: Home, tmp_path: Path) -> None:
    file = tmp_path / "spend.json"
    file.write_text(json.dumps(entry(spend=0.125)).replace("0.125", "1e999999999"))
    assert spend(other, "import", file).exit_code == 0
    assert imported(other)[0]["cost_nano"] is None
    file.write_text(json.dumps(entry(prompt_tokens=0.125)).replace("0.125", "1e999999999"))
    shown = spend(other, "import", file)
    assert (shown.exit_code, shown.stderr.splitlines()[0]) == (
        2,
        f"error: {file}:1: input_tokens cannot be Decimal('1E+999999999')",
    )


def test_halves_of_a_character(other: Home, tmp_path: Path, lines: str) -> None:
    file = tmp_path / "calls.jsonl"
    document = json.loads(lines.splitlines()[0])
    file.write_text(json.dumps(document | {"tag": "a\ud800"}))
    assert spend(other, "import", file).exit_code == 0
    assert [row["tag"] for row in imported(other)] == ["a?"]
    file.write_text(json.dumps(document | {"id": "a\ud800"}))
    assert spend(other, "import", file).stderr.startswith(f"error: {file}:1: 'a\\ud800' is no id\n")


def test_others_can_book_while_an_import_is_read(other: Home, tmp_path: Path) -> None:
    source = make_home(tmp_path / "source")
    march(store_file(source))
    with closing(open_store(store_file(source))) as store:
        (row, *_) = list(ended_calls(store))
    with (
        closing(open_store(store_file(other))) as store,
        closing(open_store(store_file(other), busy_timeout_s=0.1)) as neighbour,
    ):

        def slow() -> Any:
            for number in range(BATCH + 1):
                if number in (0, BATCH):
                    reserve(neighbour, booking(1))
                yield row | {"id": f"call-{number}"}

        assert merge(store, slow(), "UTC").added == BATCH + 1
    assert len(imported(other)) == BATCH + 3
