"""What `mrt bench` and its commands print for scripts."""

from __future__ import annotations

from mrt.bench.grading import Status
from mrt.bench.speed_read import Source
from mrt.bench.speed_sums import PromptSource
from mrt.domain import CostState
from mrt.output.schemas.form import (
    COUNT,
    FLAG,
    MOMENT,
    MONEY,
    NUMBER,
    OPEN,
    SHARE,
    TEXT,
    Form,
    described,
    known_or_null,
    record,
    several,
    words,
    words_of,
)

_SPREAD = known_or_null(record(median=NUMBER, low=NUMBER, high=NUMBER, count=COUNT))
_LENGTH = record(
    wanted_prompt_tokens=COUNT,
    prompt_tokens=known_or_null(COUNT),
    runs=COUNT,
    failed=COUNT,
    short=COUNT,
    problem=known_or_null(TEXT),
    ttft_s=_SPREAD,
    ttfa_s=_SPREAD,
    e2e_s=_SPREAD,
    decode_tps=_SPREAD,
    server_decode_tps=_SPREAD,
    prompt_tps=_SPREAD,
    inter_chunk_s=record(p50=known_or_null(NUMBER), p99=known_or_null(NUMBER)),
    tokens_per_chunk=known_or_null(NUMBER),
)
_STEP = record(
    streams=COUNT,
    runs=COUNT,
    failed=COUNT,
    problem=known_or_null(TEXT),
    aggregate_tps=known_or_null(NUMBER),
    stream_tps=_SPREAD,
    ttft_s=_SPREAD,
    gain=known_or_null(NUMBER),
)
_LOAD = record(
    loop=words("closed"),
    requests_each=COUNT,
    source=known_or_null(words_of(Source)),
    knee=described(known_or_null(COUNT), "the last number of streams that gained"),
    steps=several(_STEP),
)
_ENERGY = record(
    joules=NUMBER,
    seconds=NUMBER,
    watts=NUMBER,
    joules_per_token=known_or_null(NUMBER),
    source=words("counter", "samples"),
)
_SPEEDS = record(
    repetitions=COUNT,
    max_tokens=COUNT,
    decode_source=known_or_null(words_of(Source)),
    prompt_source=known_or_null(words_of(PromptSource)),
    reasoning_seen=FLAG,
    lengths=several(_LENGTH),
    context_sweep=several(_LENGTH),
    first_request=record(ttft_s=known_or_null(NUMBER), load_s=known_or_null(NUMBER)),
    drift=known_or_null(NUMBER),
    client_cpu=known_or_null(NUMBER),
    concurrency=known_or_null(_LOAD),
    energy=known_or_null(_ENERGY),
    remarks=several(TEXT),
)
SPEED = record(
    model=TEXT,
    complete=FLAG,
    speed=_SPEEDS,
    cost=record(
        state=words_of(CostState), usd=known_or_null(MONEY), known_usd=MONEY, unpriced_calls=COUNT, calls=COUNT
    ),
)
_RATE = {"passed": COUNT, "graded": COUNT, "rate": known_or_null(SHARE), "low": SHARE, "high": SHARE}
_TASK = record(
    id=TEXT,
    band=COUNT,
    status=words_of(Status),
    statuses=several(words_of(Status)),
    passed=COUNT,
    graded=COUNT,
    seconds=NUMBER,
    rule=known_or_null(TEXT),
    detail=TEXT,
    extraction=TEXT,
)
_THRESHOLDS = record(
    safe=described(known_or_null(COUNT), "complexity up to which it is surely good enough; null for none"),
    bold=known_or_null(COUNT),
    trials=COUNT,
    levels=several(record(complexity=COUNT, mean=SHARE, low=SHARE, high=SHARE, chance=SHARE)),
)
_ENTRY: dict[str, Form] = {
    "run_id": TEXT,
    "model": TEXT,
    "suite": TEXT,
    "variant": COUNT,
    "samples": COUNT,
    "started": MOMENT,
    "complete": FLAG,
    "overall": record(**_RATE),
    "thresholds": _THRESHOLDS,
}
REPORT = record(
    **_ENTRY,
    planned=known_or_null(COUNT),
    bands=several(record(band=COUNT, **_RATE)),
    tasks=several(_TASK),
    truncated=COUNT,
    reasoned=COUNT,
    served_models=several(TEXT),
    all_pass=known_or_null(SHARE),
    memorisation_gap=known_or_null(NUMBER),
    speed=record(
        tokens_per_second=known_or_null(NUMBER),
        ttft_ms=known_or_null(NUMBER),
        seconds=known_or_null(NUMBER),
        output_tokens=known_or_null(NUMBER),
        drift=known_or_null(NUMBER),
        measured=known_or_null(SPEED),
    ),
    cost=record(state=words_of(CostState), usd=known_or_null(MONEY), known_usd=MONEY, unpriced_answers=COUNT),
    environment=described(OPEN, "what it ran on and with: versions, settings, seed, the model's digest"),
    digest=described(TEXT, "of the tasks"),
)
BENCH = (
    described(REPORT, "one model"),
    described(record(runs=several(REPORT)), "several models"),
    described(SPEED, "--speed-only"),
    described(record(runs=several(SPEED)), "--speed-only, several models"),
)
_RUNS = several(record(**_ENTRY))
REPORTS = (described(REPORT, "a run"), described(record(runs=_RUNS), "without a run: all of them"))
PAIRS = record(
    runs=_RUNS,
    pairs=several(
        record(
            first=TEXT,
            second=TEXT,
            only_first=several(TEXT),
            only_second=several(TEXT),
            both=COUNT,
            neither=COUNT,
            p=SHARE,
            mid_p=SHARE,
            p_corrected=SHARE,
            verdict=TEXT,
        )
    ),
)
LAYERS = record(tight=FLAG, layers=several(record(name=TEXT, stands=known_or_null(FLAG), detail=TEXT)))
GRADES = record(
    tasks=several(record(id=TEXT, band=COUNT, status=words_of(Status), rule=known_or_null(TEXT), detail=TEXT)),
    passed=COUNT,
    graded=COUNT,
)
FAULTS = record(tasks=COUNT, faults=several(record(file=TEXT, fault=TEXT)))
_PROOF = dict.fromkeys(("cases", "right", "mutants", "killed", "equivalent", "bugs", "controls"), COUNT)
PROOF = record(
    tasks=COUNT,
    **_PROOF,
    faults=several(TEXT),
    kill_rate=known_or_null(SHARE),
    by_task=several(record(task=TEXT, band=COUNT, **_PROOF, faults=several(TEXT))),
)
REPLAY = record(
    models=several(TEXT),
    outcomes=several(
        record(
            thresholds=several(COUNT),
            passed=COUNT,
            graded=COUNT,
            low=SHARE,
            high=SHARE,
            escalations=COUNT,
            usd=known_or_null(MONEY),
            seconds=NUMBER,
            started_at=described(several(COUNT), "tasks that begin at each model"),
        )
    ),
    gate=several(record(model=TEXT, good=COUNT, false_escalations=COUNT, bad=COUNT, false_accepts=COUNT)),
)
TASKS = record(tasks=several(record(id=TEXT, band=COUNT, kind=TEXT, entry=TEXT, prompt=TEXT)))
