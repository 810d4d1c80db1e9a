"""What `mrt spend` and its commands print for scripts."""

from __future__ import annotations

from typing import get_args

from mrt.domain import CostState, UsageSource
from mrt.output.schemas.form import (
    COUNT,
    DAY,
    FLAG,
    MOMENT,
    MONEY,
    NUMBER,
    OPEN,
    OUTCOME,
    TEXT,
    Form,
    described,
    known_or_null,
    mapping,
    record,
    several,
    words,
    words_of,
)

SUMS = {
    "cost": record(state=words_of(CostState), usd=known_or_null(MONEY), at_least_usd=MONEY),
    "unpriced_calls": COUNT,
    "calls": COUNT,
    "answers": COUNT,
    "local_answers": COUNT,
    "escalations": COUNT,
    "input_tokens": known_or_null(COUNT),
    "output_tokens": known_or_null(COUNT),
    "cached_tokens": known_or_null(COUNT),
    "reasoning_tokens": known_or_null(COUNT),
    "uncounted_calls": described(COUNT, "calls whose tokens are in none of these sums"),
}
_GROUP = record(key=known_or_null(TEXT), keys=mapping(known_or_null(TEXT)), **SUMS)
BUDGET = record(
    scope=TEXT,
    period=TEXT,
    limit_usd=MONEY,
    used_usd=known_or_null(MONEY),
    used_at_least_usd=MONEY,
    reserved_usd=known_or_null(MONEY),
    left_usd=described(known_or_null(MONEY), "negative after an overrun"),
    left_at_most_usd=MONEY,
    unpriced_calls=COUNT,
)
_FORECAST = record(
    low=known_or_null(MONEY),
    expected=known_or_null(MONEY),
    high=known_or_null(MONEY),
    at_least=MONEY,
    unpriced_calls=COUNT,
    until=DAY,
    limit_reached_on=known_or_null(DAY),
)
_SAVINGS = record(
    low=known_or_null(MONEY),
    high=MONEY,
    baseline_model=known_or_null(TEXT),
    baseline_models=several(TEXT),
    missing_answers=COUNT,
)
REPORT = record(
    period=record(**{"from": known_or_null(DAY)}, to=DAY, timezone=TEXT),
    by=several(TEXT),
    total=record(**SUMS),
    groups=several(_GROUP),
    budgets=several(BUDGET),
    burn_usd_per_day=known_or_null(MONEY),
    burn_at_least_usd_per_day=known_or_null(MONEY),
    forecast=known_or_null(_FORECAST),
    savings=known_or_null(_SAVINGS),
    outcomes=several(
        record(
            outcome=OUTCOME,
            check=known_or_null(TEXT),
            calls=COUNT,
            cost_usd=known_or_null(MONEY),
            at_least_usd=MONEY,
            unpriced_calls=COUNT,
            last_reason=known_or_null(TEXT),
        )
    ),
    known=described(record(**dict.fromkeys(get_args(CostState), COUNT)), "calls by how their cost is known"),
    tips=several(TEXT),
)
SUMMARY = record(
    date=DAY,
    timezone=TEXT,
    status=words("within", "near", "over"),
    today=record(**SUMS),
    month=record(**SUMS),
    tiers=several(_GROUP),
    models=several(_GROUP),
    budgets=several(BUDGET),
)
CHECK = record(within=FLAG, warn_at=COUNT, budgets=several(BUDGET))
DOCTOR = record(findings=several(record(what=TEXT, ok=FLAG, problem=known_or_null(TEXT))))

# A call under way has no cost yet; one of unknown cost has null, never 0.
_CALL_COST: Form = {
    "anyOf": [
        record(state=words(*(state for state in get_args(CostState) if state != "unknown")), usd=MONEY),
        record(state={"enum": ["unknown", None]}, usd={"type": "null"}),
    ]
}
CALL = record(
    id=TEXT,
    operation=described(TEXT, "shared by all attempts at one prompt"),
    attempt=COUNT,
    purpose=TEXT,
    state=words("reserved", "settled", "partial", "failed", "void"),
    started_at=MOMENT,
    tier=TEXT,
    model=TEXT,
    served_model=known_or_null(TEXT),
    outcome=known_or_null(OUTCOME),
    check=known_or_null(TEXT),
    reason=known_or_null(TEXT),
    decision=known_or_null(OPEN),
    usage=record(
        input_tokens=known_or_null(COUNT),
        output_tokens=known_or_null(COUNT),
        cached_tokens=known_or_null(COUNT),
        cache_write_tokens=known_or_null(COUNT),
        reasoning_tokens=known_or_null(COUNT),
        source=words_of(UsageSource),
    ),
    cost=_CALL_COST,
    rates=known_or_null(OPEN),
    price_reference=known_or_null(TEXT),
    reserved_usd=known_or_null(MONEY),
    reserved_until=known_or_null(MOMENT),
    settled_at=known_or_null(MOMENT),
    swept_at=known_or_null(MOMENT),
    imported_at=known_or_null(MOMENT),
    baseline=known_or_null(record(model=known_or_null(TEXT), low=MONEY, high=MONEY, rates=known_or_null(OPEN))),
    timing=record(ttft_ms=known_or_null(COUNT), total_ms=known_or_null(COUNT), tokens_per_second=known_or_null(NUMBER)),
    tag=known_or_null(TEXT),
    project=known_or_null(TEXT),
    session=known_or_null(TEXT),
    host=TEXT,
)
LOG = record(calls=several(CALL))
WHY = record(operation=TEXT, calls=several(CALL))
BACKUP = record(path=TEXT, bytes=COUNT)
IMPORT = record(file=TEXT, added=COUNT, updated=COUNT, known=COUNT, unpriced=COUNT)
REPRICE = record(
    dry_run={"const": True},
    differences=several(
        record(model=TEXT, calls=COUNT, booked_usd=known_or_null(MONEY), unpriced_calls=COUNT, now_usd=MONEY)
    ),
)
_AMOUNTS = {
    name: described(known_or_null(MONEY), "US dollars per million tokens")
    for name in ("input", "output", "cached_input", "cache_write", "cache_write_1h")
}
_RATES_ABOVE = {"type": "array", "items": OPEN, "description": "the same rates from more than `over` input tokens on"}
_RATES = record(**_AMOUNTS, above=_RATES_ABOVE)
_MORE_RATES = {**_AMOUNTS, "above": _RATES_ABOVE}
PRICES = described(
    record(
        model=TEXT,
        free=FLAG,
        rates=known_or_null(_RATES),
        id=known_or_null(TEXT),
        source=known_or_null(TEXT),
        processing=mapping(_RATES),
        history=several(record(when=TEXT, **_MORE_RATES)),
        max_output=known_or_null(COUNT),
        context=known_or_null(COUNT),
        retires=known_or_null(TEXT),
        sources=several(
            record(source=TEXT, id=TEXT, verdict=words("used", "agree", "disagree", "unchecked"), **_MORE_RATES)
        ),
        doubt=known_or_null(TEXT),
    ),
    "a model's rates",
)
_CHANGES = record(added=COUNT, removed=COUNT, changed=COUNT)
UPDATE = described(record(source=TEXT, date=TEXT, folder=TEXT, changes=mapping(_CHANGES)), "--update")
PRICED = (PRICES, UPDATE)
EXPORT = record(format=TEXT, calls=described(several(OPEN), "as the lines of the export have them"))
