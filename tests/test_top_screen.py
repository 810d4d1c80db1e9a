"""The screen of `mrt top`: it fits any terminal, says what it leaves out, and lets nothing through that moves a cursor."""

from __future__ import annotations

import re
from datetime import UTC, date
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrt.ledger.forecast import Burn
from mrt.ledger.queries import Totals
from mrt.ledger.report import BudgetLine
from mrt.live.snapshot import EndpointNow, Flight, Happening, Money, Snapshot
from mrt.output.columns import width
from mrt.output.top import screen, top_text
from mrt.output.top_lines import event_line
from mrt.output.top_paint import painted
from mrt.output.top_table import Column, Span, clean, cut, plain, table
from mrt.output.top_words import duration

NOON = 1_800_000_000.0
CENT = 10_000_000
FOREIGN = st.text(max_size=40) | st.sampled_from(
    [
        "\x1b[2J\x1b]0;owned\x07",
        "日本語のモデル名前",
        "👩‍👩‍👧 family",
        "\u202etxt.exe",
        "a\nb\tc",
        "\x9b31m",
        "",
        "e\u0301" * 9,
    ]
)
KNOWN = st.none() | st.floats(0, 1e7)
COUNTS = st.none() | st.integers(0, 2**53)


def flight(**changes: object) -> Flight:
    fields: dict[str, object] = {
        "id": "id",
        "operation": "01920000-0000-7000-8000-000000000001",
        "attempt": 0,
        "purpose": "ask",
        "tier": "local-fast",
        "endpoint": "ollama",
        "model": "llama3.1:8b",
        "local": True,
        "phase": "writing",
        "age_s": 12.0,
        "started_at": NOON - 12,
        "tokens": 512,
        "tokens_per_second": 48.25,
        "quiet_s": 0.4,
    }
    return Flight(**fields | changes)  # type: ignore[arg-type]


FLIGHTS = st.builds(
    flight,
    tier=FOREIGN,
    endpoint=FOREIGN,
    model=FOREIGN,
    purpose=FOREIGN,
    operation=FOREIGN,
    phase=st.sampled_from(["waiting", "writing", "silent", "stuck", "lost"]),
    age_s=st.floats(0, 1e9),
    tokens=COUNTS,
    tokens_per_second=KNOWN,
    quiet_s=KNOWN,
    why=st.none() | FOREIGN,
)
ENDPOINTS = st.builds(
    EndpointNow,
    name=FOREIGN,
    health=st.sampled_from(["idle", "working", "stuck", "loading", "auth", "down", "unknown", "unseen"]),
    kind=st.none() | FOREIGN,
    own=st.integers(0, 99),
    busy=COUNTS,
    slots=COUNTS,
    queue=COUNTS,
    loaded=st.none() | st.lists(FOREIGN, max_size=3).map(tuple),
    latency_ms=COUNTS,
    tokens_per_second=KNOWN,
    message=st.none() | FOREIGN,
)
HAPPENINGS = st.builds(
    Happening,
    at=st.floats(NOON, NOON + 1e6),
    kind=st.sampled_from(
        [
            "started",
            "escalated",
            "accepted",
            "rejected",
            "failed",
            "interrupted",
            "refused",
            "stuck",
            "lost",
            "endpoint",
        ]
    ),
    tier=FOREIGN,
    name=FOREIGN,
    purpose=FOREIGN,
    check=st.none() | FOREIGN,
    reason=st.none() | FOREIGN,
    seconds=KNOWN,
    tokens=COUNTS,
    estimated=st.booleans(),
    tokens_per_second=KNOWN,
    cost_state=st.sampled_from([None, "free", "priced", "estimated", "unknown"]),
    cost_nano=COUNTS,
)
AMOUNTS = st.integers(0, 10**15)
BUDGETS = st.builds(
    BudgetLine,
    scope=FOREIGN,
    period=st.sampled_from(["daily", "monthly"]),
    limit_nano=AMOUNTS,
    used_nano=AMOUNTS,
    reserved_nano=AMOUNTS,
    unpriced_calls=st.integers(0, 3),
    unbounded_calls=st.integers(0, 3),
)
TOTALS = st.builds(
    Totals, calls=st.integers(0, 10**7), input_tokens=AMOUNTS, cost_nano=AMOUNTS, unpriced_calls=st.integers(0, 3)
)
MONEY = st.builds(
    Money,
    date=st.just(date(2027, 1, 15)),
    timezone=st.just("UTC"),
    today=TOTALS,
    month=TOTALS,
    hour_nano=AMOUNTS,
    hour_unpriced=st.integers(0, 3),
    burn=st.none() | st.builds(Burn, nano=st.none() | AMOUNTS, days=st.integers(1, 7)),
    budgets=st.lists(BUDGETS, max_size=4).map(tuple),
    soft_pct=st.integers(1, 100),
)
SNAPSHOTS = st.builds(
    Snapshot,
    at=st.just(NOON),
    timezone=st.just("UTC"),
    flights=st.lists(FLIGHTS, max_size=6).map(tuple),
    endpoints=st.lists(ENDPOINTS, max_size=6).map(tuple),
    last=st.lists(HAPPENINGS, max_size=6).map(tuple),
    money=st.none() | MONEY,
    surveyed=st.booleans(),
    notes=st.lists(FOREIGN, max_size=2).map(tuple),
)
SIZES = st.tuples(st.integers(1, 200), st.integers(1, 60))


@settings(max_examples=300, deadline=None)
@given(SNAPSHOTS, SIZES)
def test_whatever_there_is_to_show_fits_the_terminal(snapshot: Snapshot, size: tuple[int, int]) -> None:
    lines = screen(snapshot, *size)
    assert len(lines) <= size[1]
    for line in lines:
        text = "".join(span.text for span in line)
        assert width(text.rstrip()) <= size[0]
        assert not [mark for mark in text if category(mark) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@settings(max_examples=100, deadline=None)
@given(SNAPSHOTS, SIZES, st.booleans())
def test_only_the_sequences_of_the_picture_itself_reach_the_terminal(
    snapshot: Snapshot, size: tuple[int, int], color: bool
) -> None:
    sent = painted(screen(snapshot, *size), size, color)
    rest = re.sub(r"\x1b\[(\?2026[hl]|H|K|J|0m|1m|3[1-3]m|90m)", "", sent)
    assert not [mark for mark in rest.replace("\r\n", "") if category(mark) == "Cc"]
    assert sent.count("\r\n") < size[1]
    assert color or "m" not in re.findall(r"\x1b\[\??[0-9]*([A-Za-z])", sent)


@settings(max_examples=100, deadline=None)
@given(SNAPSHOTS)
def test_the_text_is_never_cut_and_no_event_takes_two_lines(snapshot: Snapshot) -> None:
    text = top_text(snapshot)
    for one in (*snapshot.flights, *snapshot.last):
        assert clean(one.name) in text
    assert all("\n" not in event_line(one, UTC) for one in snapshot.last)


MANY = Snapshot(
    at=NOON,
    timezone="Europe/Berlin",
    flights=(
        flight(
            tier="heavy", model="llama3.3:70b-instruct-q4_K_M", phase="stuck", age_s=700.0, quiet_s=None, tokens=None
        ),
        *(flight(tier=f"tier-{number}", age_s=60.0 - number) for number in range(8)),
    ),
    endpoints=tuple(
        EndpointNow(name, "idle", kind="ollama", busy=0, slots=2, loaded=("llama3.1:8b",), latency_ms=3)
        for name in ("ollama", "koala", "gpu")
    ),
    last=tuple(
        Happening(NOON - number, "rejected", "local-fast", "ollama/llama3.1:8b", check="empty", reason="empty: no text")
        for number in range(9)
    ),
    money=Money(
        date(2027, 1, 15),
        "Europe/Berlin",
        Totals(calls=3, input_tokens=1200, output_tokens=340, cost_nano=5 * CENT, priced_calls=3),
        Totals(calls=300, input_tokens=120_000, output_tokens=34_000, cost_nano=500 * CENT, priced_calls=300),
        5 * CENT,
        0,
        Burn(40 * CENT, 7),
        (BudgetLine("all", "daily", 100 * CENT, 85 * CENT, 5 * CENT, 0), BudgetLine("team", "monthly", 100, 120, 0, 0)),
        80,
    ),
)


def test_on_80_by_24() -> None:
    assert [plain(line) for line in screen(MANY, 80, 24)] == [
        "mrt top  09:00:00 Europe/Berlin  8 under way, 1 stuck, ~434 tok/s",
        "",
        "today   $0.05, 3 calls, 1,200 tokens in, 340 out",
        "month   $5.00, 300 calls, 120,000 tokens in, 34,000 out",
        "burn    $0.05 in the last hour, $0.40 a day over the last 7 days",
        "daily        █████████████████▒··   90 %  $0.10 left of $1.00, $0.85 used, $0.0…",
        "monthly team ████████████████████  120 %  -$0.00000002 left of $0.0000001, $0.0…",
        "",
        "under way  model                                age  tok/s  state",
        "heavy      ollama/llama3.3:70b-instru…  11 min 40 s  ~48.2  stuck, no answer yet",
        "tier-0     ollama/llama3.1:8b             1 min 0 s  ~48.2  writes",
        "tier-1     ollama/llama3.1:8b                  59 s  ~48.2  writes",
        "… 6 more",
        "",
        "endpoint  health  load         loaded       latency  kind",
        "ollama    idle    0 of 2 busy  llama3.1:8b     3 ms  ollama",
        "koala     idle    0 of 2 busy  llama3.1:8b     3 ms  ollama",
        "gpu       idle    0 of 2 busy  llama3.1:8b     3 ms  ollama",
        "",
        "last      event     tier        model               why",
        "09:00:00  rejected  local-fast  ollama/llama3.1:8b  empty: no text",
        "08:59:59  rejected  local-fast  ollama/llama3.1:8b  empty: no text",
        "08:59:58  rejected  local-fast  ollama/llama3.1:8b  empty: no text",
        "… 6 more",
    ]


def test_on_40_by_10() -> None:
    assert [plain(line) for line in screen(MANY, 40, 10)] == [
        "mrt top  09:00:00  8 under way, 1 stuck…",
        "today   $0.05, 3 calls, 1,200 tokens in…",
        "daily        █████████▒   90 %  $0.10 l…",
        "model                 age  state",
        "ollama/llam…  11 min 40 s  stuck, no an…",
        "… 8 more",
        "endpoint  health  load",
        "ollama    idle    0 of 2 busy",
        "last      event     model",
        "09:00:00  rejected  ollama/llama3.1:8b",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "size", "kept"),
    [
        ("model", 5, "model"),
        ("model", 4, "mod…"),
        ("model", 1, "…"),
        ("model", 0, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
    ],
)
def test_a_text_that_is_cut_says_so(text: str, size: int, kept: str) -> None:
    assert cut(text, size) == kept


def test_columns_give_way_before_words_become_unreadable() -> None:
    columns = (
        Column("model", soft=8),
        Column("age", right=True),
        Column("id", rank=2),
        Column("note", rank=1, soft=10),
    )
    rows = [["a-long-model", "5 s", "123456", Span("a note that is long")]]
    shown = {size: plain(table(columns, rows, size)[1]) for size in (60, 40, 30, 16, 9)}
    assert shown == {
        60: "a-long-model  5 s  123456  a note that is long",
        40: "a-long-mod…  5 s  123456  a note that i…",
        30: "a-long-mo…  5 s  a note that…",
        16: "a-long-mod…  5 s",
        9: "a-lon…  …",
    }
