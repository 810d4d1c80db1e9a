"""What `mrt top` says of a store: requests under way, what became of others, money, and what happened between two looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from top_kit import NOON, Work, look_at

from mrt.config import Budget, Config
from mrt.domain import Cost, Usage
from mrt.endpoints.report import EndpointReport, ModelReport
from mrt.ledger import note_refusal
from mrt.ledger.progress import REFUSALS_KEPT
from mrt.live.snapshot import Happening
from mrt.output.top import top_text
from mrt.output.top_data import top_data
from mrt.output.top_lines import event_line

CENT = 10_000_000
PAID = {"tier": "cloud", "endpoint": "anthropic", "model": "claude-haiku-4-5", "local": False, "bound_nano": 4 * CENT}


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """An empty store at noon."""
    work = Work(tmp_path / "spend.db")
    yield work
    work.store.close()


def lines(happenings: tuple[Happening, ...]) -> list[str]:
    """As they are logged, without the date."""
    from datetime import UTC

    return [event_line(one, UTC).removeprefix("2027-01-15 ") for one in happenings]


def refuse(work: Work, **changes: object) -> None:
    """A budget stops a call of the paid tier."""
    from mrt.ledger import Booking

    booking = Booking(operation_id="op", attempt=1, purpose="ask", **{**PAID, **changes})  # type: ignore[arg-type]
    note_refusal(work.store, booking, "budget", "the daily budget of $0.05 does not allow this call")


def test_everything_at_once(work: Work) -> None:
    first = work.begin()
    work.clock.now = NOON + 1
    work.end(first, outcome="rejected", check="empty", reason="empty: no text in it")
    paid = work.begin(**PAID, attempt=1)
    work.clock.now = NOON + 3
    work.end(paid, cost=Cost("priced", 2 * CENT), usage=Usage(1000, 200, source="reported"))
    work.clock.now = NOON + 4
    refuse(work)
    work.begin(tier="local-heavy", model="llama3.3:70b")
    work.clock.now = NOON + 5
    busy = work.begin(operation_id="01920000-0000-7000-8000-000000000002")
    work.clock.now = NOON + 16
    work.hear(busy, 101, 6, 16)
    reports = (
        EndpointReport(
            "ollama",
            "ollama",
            "http://127.0.0.1:11434",
            "ready",
            latency_ms=3,
            models=(ModelReport("llama3.1:8b", loaded=True), ModelReport("llama3.3:70b", loaded=False)),
        ),
        EndpointReport("koala", "litellm", "http://koala:4000", "down", message="no route to it"),
        EndpointReport("vllm", "vllm", "http://127.0.0.1:8000", "down", message="cannot connect"),
    )
    config = Config(budget=Budget(daily_usd=Decimal("0.05"), monthly_usd=Decimal("1")))
    found = work.look(reports=reports, named=frozenset({"ollama", "koala"}), config=config)
    assert top_text(found.snapshot).splitlines() == [
        "mrt top  08:00:16 UTC  2 under way, ~10.0 tok/s",
        "",
        "today   $0.02, 2 calls, 1,012 tokens in, 240 out",
        "month   $0.02, 2 calls, 1,012 tokens in, 240 out",
        "burn    $0.02 in the last hour",
        "daily    ████████············   40 %  $0.03 left of $0.05, $0.02 used",
        "monthly  █···················    2 %  $0.98 left of $1.00, $0.02 used",
        "",
        "under way    model                 age  tokens  tok/s  state                operation",
        "local-heavy  ollama/llama3.3:70b  12 s                 waits for an answer  01920000-0000-7000",
        "local-fast   ollama/llama3.1:8b   11 s    ~101  ~10.0  writes               01920000-0000-7000",
        "",
        "endpoint  health   load       tok/s  loaded       latency  kind",
        "ollama    working  2 of ours  ~10.0  llama3.1:8b     3 ms  ollama",
        "koala     down                                             litellm  no route to it",
    ]
    assert lines(found.before) == [
        "08:00:01  rejected     local-fast ollama/llama3.1:8b  empty: no text in it  (1.2 s, 40 tokens, 40.0 tok/s, free)",
        "08:00:01  escalated    cloud anthropic/claude-haiku-4-5",
        "08:00:03  accepted     cloud anthropic/claude-haiku-4-5  (1.2 s, 200 tokens, 40.0 tok/s, $0.02)",
        "08:00:04  refused      cloud anthropic/claude-haiku-4-5  budget: the daily budget of $0.05 does not allow this call",
    ]
    assert found.fresh == ()


def test_before_the_first_call(tmp_path: Path) -> None:
    found = look_at(tmp_path / "none" / "spend.db", NOON)
    assert top_text(found.snapshot).splitlines() == [
        "mrt top  08:00:00 UTC  nothing under way",
        "nothing is recorded yet",
        "",
        "no endpoint answers: `mrt probe` says more",
    ]
    assert not (tmp_path / "none").exists()
    data = top_data(found.snapshot)
    assert (data["today"], data["burn_usd_per_day"], data["budgets"]) == (None, None, None)
    # What is booked from then on is new.
    work = Work(tmp_path / "none" / "spend.db")
    work.begin()
    assert lines(work.look(found.seen).fresh) == ["08:00:00  started      local-fast ollama/llama3.1:8b"]
    work.store.close()


@pytest.mark.parametrize(
    ("age", "heard", "phase", "state", "speed"),
    [
        (3, None, "waiting", "waits for an answer", None),
        (3, (21, 1.0, 3.0), "writing", "writes", 10.0),
        (3, (1, 1.0, 1.0), "writing", "writes", None),
        (30, (21, 1.0, 3.0), "silent", "no token for 27 s", None),
        (599.9, None, "waiting", "waits for an answer", None),
        (600, None, "stuck", "stuck, no answer yet", None),
        (700, (21, 1.0, 3.0), "stuck", "stuck, no token for 697 s", None),
        (700, (6991, 1.0, 700.0), "stuck", "stuck, still writes", 10.0),
        (-5, None, "waiting", "waits for an answer", None),
    ],
    ids=[
        "new",
        "writes",
        "one-token",
        "silent",
        "nearly-stuck",
        "stuck",
        "stuck-silent",
        "stuck-writing",
        "clock-back",
    ],
)
def test_the_phases_of_a_request(
    work: Work, age: float, heard: tuple[int, float, float] | None, phase: str, state: str, speed: float | None
) -> None:
    identifier = work.begin()
    if heard is not None:
        work.hear(identifier, *heard)
    work.clock.now = NOON + age
    found = work.look().snapshot
    (flight,) = found.flights
    assert (flight.phase, flight.age_s) == (phase, pytest.approx(max(0, age)))
    assert flight.tokens_per_second == (None if speed is None else pytest.approx(speed))
    assert state in top_text(found)
    assert top_data(found)["requests"][0]["state"] == phase


def test_whose_process_is_gone_is_lost_and_closed_by_the_next_call(work: Work) -> None:
    identifier = work.begin()
    work.orphan(identifier)
    found = work.look()
    assert [flight.phase for flight in found.snapshot.flights] == ["lost"]
    assert "lost: its process " in top_text(found.snapshot)
    assert "1 lost" in top_text(found.snapshot).splitlines()[0]
    assert [one.kind for one in found.fresh] == ["lost"]
    assert work.look(found.seen).fresh == ()
    other = work.begin(operation_id="op2")
    after = work.look(found.seen)
    assert lines(after.fresh) == [
        "08:00:00  started      local-fast ollama/llama3.1:8b",
        "08:00:00  interrupted  local-fast ollama/llama3.1:8b  not settled: its process ended, or it took too long  (free)",
    ]
    assert [flight.id for flight in after.snapshot.flights] == [other]


def test_a_request_of_another_machine_is_lost_when_its_time_is_over(work: Work) -> None:
    identifier = work.begin()
    work.store.connection.execute("UPDATE calls SET host = 'koala', pid = 1 WHERE id = ?", (identifier,))
    assert work.look().snapshot.flights[0].phase == "waiting"
    work.clock.now = NOON + 3601
    (flight,) = work.look().snapshot.flights
    assert (flight.phase, flight.why) == ("lost", "not heard of since, from koala")


def test_what_happened_between_two_looks_is_told_once_and_in_order(work: Work) -> None:
    old = work.begin()
    look = work.look()
    work.clock.now = NOON + 1
    brief = work.begin(operation_id="op2", tier="other")
    work.clock.now = NOON + 2
    work.end(brief, outcome="failed", check="timeout", reason="timeout: no token for 120 s", usage=Usage())
    work.clock.now = NOON + 3
    work.end(old)
    work.clock.now = NOON + 4
    work.begin(operation_id="op2", attempt=1, **PAID)
    look = work.look(look.seen)
    assert lines(look.fresh) == [
        "08:00:01  started      other ollama/llama3.1:8b",
        "08:00:02  failed       other ollama/llama3.1:8b  timeout: no token for 120 s  (1.2 s, 40.0 tok/s, free)",
        "08:00:03  accepted     local-fast ollama/llama3.1:8b  (1.2 s, 40 tokens, 40.0 tok/s, free)",
        "08:00:04  escalated    cloud anthropic/claude-haiku-4-5",
    ]
    assert work.look(look.seen).fresh == ()


def test_stuck_is_told_once(work: Work) -> None:
    work.begin()
    before = work.look()
    work.clock.now = NOON + 601
    found = work.look(before.seen)
    assert lines(found.fresh) == ["08:10:01  stuck        local-fast ollama/llama3.1:8b  no answer yet  (10 min 1 s)"]
    assert found.fresh[0].alarming
    work.clock.now = NOON + 700
    assert work.look(found.seen).fresh == ()


def test_unknown_costs_and_counts_are_never_zero(work: Work) -> None:
    identifier = work.begin(**{**PAID, "bound_nano": None})
    work.end(identifier, usage=Usage(), cost=Cost("unknown"))
    config = Config(budget=Budget(daily_usd=Decimal("0.05")))
    found = work.look(config=config)
    text = top_text(found.snapshot)
    assert "today   unknown (1 call unpriced), 1 call, ? tokens in, ? out" in text
    assert "burn    unknown in the last hour" in text
    assert "daily    ····················  ≥ 0 %  ≤ $0.05 left of $0.05, unknown used, unknown reserved" in text
    assert "cost unknown" in lines(found.before)[0]
    data = top_data(found.snapshot)
    assert (data["today"]["cost"]["usd"], data["last_hour"]["usd"], data["today"]["input_tokens"]) == (None, None, None)
    assert (data["budgets"][0]["left_usd"], data["budgets"][0]["left_at_most_usd"]) == (None, "0.05")


def test_what_is_reserved_shows_in_the_bar(work: Work) -> None:
    work.begin(**PAID)
    config = Config(budget=Budget(daily_usd=Decimal("0.1"), monthly_usd=Decimal("0.04")))
    text = top_text(work.look(config=config).snapshot)
    assert "daily    ▒▒▒▒▒▒▒▒············   40 %  $0.06 left of $0.10, $0 used, $0.04 reserved" in text
    assert "monthly  ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒  100 %  $0 left of $0.04, $0 used, $0.04 reserved" in text


def test_only_the_newest_refusals_are_kept(work: Work) -> None:
    for number in range(REFUSALS_KEPT + 5):
        refuse(work, tier=f"t{number}")
    rows = work.store.connection.execute("SELECT tier FROM refusals ORDER BY id").fetchall()
    assert [rows[0], rows[-1], len(rows)] == [("t5",), (f"t{REFUSALS_KEPT + 4}",), REFUSALS_KEPT]


def test_another_store_in_its_place_begins_anew(work: Work, tmp_path: Path) -> None:
    for number in range(3):
        work.end(work.begin(operation_id=f"op{number}"))
    seen = work.look().seen
    other = Work(tmp_path / "other.db")
    other.end(other.begin(tier="elsewhere"))
    found = other.look(seen)
    assert (found.fresh, [one.tier for one in found.before]) == ((), ["elsewhere"])
    other.store.close()


def test_a_refusal_in_another_store_is_told_whatever_their_numbers(work: Work, tmp_path: Path) -> None:
    work.end(work.begin())
    refuse(work)
    work.end(work.begin(operation_id="another"))
    seen = work.look().seen
    other = Work(tmp_path / "other.db")
    refuse(other, tier="elsewhere")
    assert [one.tier for one in other.look(seen).before] == ["elsewhere"]
    other.store.close()


def test_a_store_that_was_away_has_nothing_new_when_it_is_back(work: Work, tmp_path: Path) -> None:
    work.begin()
    refuse(work)
    seen = work.look().seen
    away = look_at(tmp_path / "away.db", NOON, seen).seen
    back = work.look(away)
    assert (back.before, back.fresh) == ((), ())


def test_nobody_knows_what_is_under_way_in_a_store_that_cannot_be_read(work: Work, tmp_path: Path) -> None:
    work.begin()
    work.clock.now += 600
    stuck = work.look(work.look().seen)
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database" * 999)
    report = EndpointReport("ollama", "ollama", "http://127.0.0.1:9", "ready")
    found = look_at(broken, work.clock.now, stuck.seen, reports=(report,))
    assert top_text(found.snapshot).splitlines()[0] == "mrt top  08:10:00 UTC  requests unknown"
    data = top_data(found.snapshot)
    assert (data["requests"], data["endpoints"][0]["requests"], data["today"]) == (None, None, None)
    # What was stuck before is no news when the store can be read again.
    assert work.look(found.seen).fresh == ()


def test_the_log_has_the_day_of_what_happened_on_another(work: Work) -> None:
    work.end(work.begin())
    work.clock.now += 16 * 3600 - 1
    work.end(work.begin())
    work.clock.now += 1
    work.end(work.begin())
    found = work.look()
    text = top_text(replace(found.snapshot, last=found.before[::-1]))
    assert [line[:11] for line in text.splitlines() if "accepted" in line] == [
        "00:00:00   ",
        "01-15 23:59",
        "01-15 08:00",
    ]


@pytest.mark.parametrize(
    ("state", "busy", "queue", "begun", "health"),
    [
        ("ready", None, None, False, "idle"),
        ("ready", 0, 0, False, "idle"),
        ("ready", 2, 0, False, "working"),
        ("ready", 0, 3, False, "working"),
        ("ready", None, None, True, "working"),
        ("down", None, None, True, "down"),
        ("loading", None, None, True, "loading"),
        ("auth", None, None, False, "auth"),
    ],
)
def test_the_health_of_an_endpoint(
    work: Work, state: str, busy: int | None, queue: int | None, begun: bool, health: str
) -> None:
    if begun:
        work.begin()
    report = EndpointReport("ollama", "ollama", "http://127.0.0.1:1", state, busy=busy, queue=queue)  # type: ignore[arg-type]
    (one,) = work.look(reports=(report,), named=frozenset({"ollama"})).snapshot.endpoints
    assert one.health == health


def test_who_writes_is_working_whatever_it_says_and_who_is_stuck_is_stuck(work: Work) -> None:
    identifier = work.begin()
    work.hear(identifier, 11, 0.0, 1.0)
    work.clock.now = NOON + 2
    report = EndpointReport("ollama", "ollama", "http://127.0.0.1:1", "down", message="gave no answer within 2 s")
    assert work.look(reports=(report,)).snapshot.endpoints[0].health == "working"
    assert work.look(reports=(report,), stuck_after_s=1.0).snapshot.endpoints[0].health == "stuck"


def test_an_endpoint_that_comes_and_goes_is_told(work: Work) -> None:
    def seen_as(state: str, at: float, message: str | None = None) -> tuple[EndpointReport, ...]:
        return (EndpointReport("box", "vllm", "http://b:1", state, message=message, checked_at=at),)  # type: ignore[arg-type]

    first = work.look(reports=seen_as("ready", NOON))
    gone = work.look(first.seen, reports=seen_as("down", NOON + 5, "connection refused"))
    assert lines(gone.fresh) == ["08:00:05  endpoint     box  ready, now down: connection refused"]
    back = work.look(gone.seen, reports=seen_as("ready", NOON + 9))
    assert lines(back.fresh) == ["08:00:09  endpoint     box  down, now ready"]


def test_looking_changes_nothing(work: Work) -> None:
    work.begin()
    work.orphan(work.begin(operation_id="op2"))
    before = {name: (work.path.parent / name).stat().st_mtime_ns for name in ("spend.db", "spend.db-wal")}
    seen = work.look().seen
    work.look(seen)
    assert {name: (work.path.parent / name).stat().st_mtime_ns for name in before} == before
