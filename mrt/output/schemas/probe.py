"""What `mrt probe`, `mrt doctor` and their like print for scripts."""

from __future__ import annotations

from mrt.endpoints.checkup.finding import Level
from mrt.endpoints.report import Access, State
from mrt.output.schemas.form import (
    COST,
    COUNT,
    ERROR,
    FLAG,
    MOMENT,
    NUMBER,
    OUTCOME,
    TEXT,
    described,
    known_or_null,
    record,
    several,
    words_of,
)

_MODEL = {
    "id": TEXT,
    "loaded": known_or_null(FLAG),
    "context_served": known_or_null(COUNT),
    "context_trained": known_or_null(COUNT),
    "quantization": known_or_null(TEXT),
    "size_bytes": known_or_null(COUNT),
    "vram_bytes": known_or_null(COUNT),
    "remote": described(known_or_null(FLAG), "the endpoint passes prompts on to another machine"),
    "remote_host": known_or_null(TEXT),
    "tools": known_or_null(FLAG),
    "vision": known_or_null(FLAG),
    "reasoning": known_or_null(FLAG),
    "embedding": known_or_null(FLAG),
    "digest": described(known_or_null(TEXT), "of this state of the model, where the server tells it"),
}
_ENDPOINT = record(
    name=TEXT,
    kind=TEXT,
    url=TEXT,
    state=words_of(State),
    version=known_or_null(TEXT),
    latency_ms=known_or_null(COUNT),
    access=known_or_null(words_of(Access)),
    router=FLAG,
    slots=known_or_null(COUNT),
    busy=known_or_null(COUNT),
    queue=known_or_null(COUNT),
    models=several(record(**_MODEL)),
    message=known_or_null(TEXT),
    hint=known_or_null(TEXT),
    checked_at=MOMENT,
)
_TIER = record(
    tier=TEXT,
    model=TEXT,
    endpoint=known_or_null(TEXT),
    state=words_of(State),
    ready=FLAG,
    listed=described(known_or_null(FLAG), "the endpoint lists the model"),
    remote=known_or_null(FLAG),
    message=known_or_null(TEXT),
    hint=known_or_null(TEXT),
)
PROBE = described(record(endpoints=several(_ENDPOINT), tiers=several(_TIER)), "endpoints and tiers")
_TRIAL = record(
    tier=TEXT,
    model=TEXT,
    streaming=known_or_null(FLAG),
    usage=known_or_null(FLAG),
    stream_options=known_or_null(FLAG),
    reasoning=known_or_null(FLAG),
    logprobs=known_or_null(FLAG),
    json_schema=known_or_null(FLAG),
    tools=known_or_null(FLAG),
    max_tokens=known_or_null(FLAG),
    context=known_or_null(COUNT),
    ttft_ms=known_or_null(COUNT),
    tokens_per_second=known_or_null(NUMBER),
    tried_at=known_or_null(MOMENT),
    calls=several(record(outcome=OUTCOME, cost=COST)),
    error=known_or_null(ERROR),
)
DEEP = described(record(trials=several(_TRIAL)), "--deep")
FORMS = (PROBE, DEEP)
MODELS = record(models=several(record(name=TEXT, endpoint=TEXT, kind=TEXT, checked_at=MOMENT, **_MODEL)))
CHECKUP = record(findings=several(record(area=TEXT, level=words_of(Level), detail=TEXT, hint=known_or_null(TEXT))))
