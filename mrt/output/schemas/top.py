"""What `mrt top` prints for scripts: everything at once, or a line for each event."""

from __future__ import annotations

from typing import get_args

from mrt.domain import CostState
from mrt.live.snapshot import Health, Kind, Phase
from mrt.output.schemas.form import (
    COUNT,
    ERROR_KEYS,
    FLAG,
    MOMENT,
    MONEY,
    NUMBER,
    TEXT,
    Form,
    described,
    known_or_null,
    record,
    several,
    words,
    words_of,
)
from mrt.output.schemas.spend import BUDGET, SUMS

_REQUEST = record(
    id=TEXT,
    operation=TEXT,
    attempt=COUNT,
    purpose=TEXT,
    tier=TEXT,
    model=TEXT,
    local=FLAG,
    state=words_of(Phase),
    reason=known_or_null(TEXT),
    started_at=MOMENT,
    age_s=NUMBER,
    output_tokens_estimate=known_or_null(COUNT),
    tokens_per_second=known_or_null(NUMBER),
    quiet_s=described(known_or_null(NUMBER), "since the last token"),
)
_ENDPOINT = record(
    name=TEXT,
    kind=known_or_null(TEXT),
    url=known_or_null(TEXT),
    state=words_of(Health),
    requests=described(known_or_null(COUNT), "under way from this store"),
    busy=known_or_null(COUNT),
    slots=known_or_null(COUNT),
    queue=known_or_null(COUNT),
    loaded=known_or_null(several(TEXT)),
    latency_ms=known_or_null(COUNT),
    tokens_per_second=known_or_null(NUMBER),
    message=known_or_null(TEXT),
    checked_at=known_or_null(MOMENT),
)
_COST = record(state=words(*get_args(CostState)), usd=known_or_null(MONEY))
EVENT = record(
    event=words_of(Kind),
    at=MOMENT,
    tier=known_or_null(TEXT),
    model=known_or_null(TEXT),
    endpoint=known_or_null(TEXT),
    purpose=TEXT,
    check=known_or_null(TEXT),
    reason=known_or_null(TEXT),
    seconds=known_or_null(NUMBER),
    output_tokens=known_or_null(COUNT),
    tokens_per_second=known_or_null(NUMBER),
    cost=described(known_or_null(_COST), "null while nothing has a cost yet"),
    operation=known_or_null(TEXT),
)
TOP = record(
    at=MOMENT,
    timezone=TEXT,
    stuck_after_s=NUMBER,
    tokens_per_second=known_or_null(NUMBER),
    requests=described(known_or_null(several(_REQUEST)), "null where the store cannot be read"),
    endpoints=described(known_or_null(several(_ENDPOINT)), "null where the config cannot be read"),
    events=described(several(EVENT), "newest first"),
    today=known_or_null(record(**SUMS)),
    month=known_or_null(record(**SUMS)),
    last_hour=known_or_null(record(usd=known_or_null(MONEY), at_least_usd=MONEY, unpriced_calls=COUNT)),
    burn_usd_per_day=known_or_null(MONEY),
    burn_at_least_usd_per_day=known_or_null(MONEY),
    budgets=described(known_or_null(several(BUDGET)), "null where the store or the config cannot be read"),
    notes=several(TEXT),
)
LINES: dict[str, Form] = {"event": EVENT, "error": record(event=words("error"), **ERROR_KEYS)}
