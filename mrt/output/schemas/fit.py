"""What `mrt fit` prints for scripts. Sizes are bytes, rates tokens per second."""

from __future__ import annotations

from mrt.memory.frontier import EndedBy
from mrt.memory.frontier import Kind as Setting
from mrt.memory.plan import Kind
from mrt.memory.settings import Engine
from mrt.memory.shape import Confidence
from mrt.memory.verdict import Verdict
from mrt.output.schemas.form import (
    COUNT,
    DAY,
    FLAG,
    NUMBER,
    OPEN,
    SHARE,
    TEXT,
    WHOLE,
    Form,
    described,
    known_or_null,
    mapping,
    record,
    several,
    sometimes,
    words,
    words_of,
)

MODEL = record(
    name=TEXT,
    source=TEXT,
    confidence=words_of(Confidence),
    architecture=TEXT,
    parameters=COUNT,
    active_parameters=COUNT,
    file_bytes=known_or_null(COUNT),
    quantization=TEXT,
    context_trained=known_or_null(COUNT),
    tools=known_or_null(FLAG),
    vision=known_or_null(FLAG),
    thinking=known_or_null(FLAG),
    embedding=known_or_null(FLAG),
)
_SETTINGS = record(
    quantization=TEXT,
    context_length=COUNT,
    context_origin=words("asked", "trained", "default"),
    kv_type_k=TEXT,
    kv_type_v=TEXT,
    parallel=COUNT,
    batch=COUNT,
    ubatch=COUNT,
    flash_attention=FLAG,
    gpu_layers=COUNT,
    layers=COUNT,
    cpu_moe=described(COUNT, "layers whose experts stay on the CPU"),
    tensor_split=several(NUMBER),
    engine=words_of(Engine),
    build=known_or_null(TEXT),
    headroom=SHARE,
)
_RANGE = record(low=COUNT, high=COUNT)
_RATES = record(low=known_or_null(NUMBER), high=known_or_null(NUMBER))
SPEED = record(decode=_RATES, prompt=_RATES, source=TEXT, assumptions=several(TEXT))
DEVICE = record(
    name=TEXT,
    kind=words_of(Kind),
    total_bytes=known_or_null(COUNT),
    free_bytes=known_or_null(COUNT),
    weights_bytes=COUNT,
    kv_cache_bytes=COUNT,
    kv_full_bytes=COUNT,
    kv_window_bytes=COUNT,
    recurrent_bytes=COUNT,
    compute_bytes=COUNT,
    overhead_bytes=_RANGE,
    needed_bytes=_RANGE,
    margin_bytes=described(known_or_null(WHOLE), "what is left; negative where it is too little"),
    layers=COUNT,
)
_OPTION = record(
    setting=words_of(Setting),
    value={"type": ["string", "integer"]},
    ended_by=words_of(EndedBy),
    verdict=words_of(Verdict),
    total_bytes=COUNT,
    quantization=TEXT,
    context_length=COUNT,
    kv_type_k=TEXT,
    kv_type_v=TEXT,
    parallel=COUNT,
    gpu_layers=COUNT,
    cpu_moe=COUNT,
    speed=SPEED,
)
_BUFFER = record(
    label=TEXT,
    device=TEXT,
    bytes=COUNT,
    formula=TEXT,
    inputs=OPEN,
    source=TEXT,
)
ANSWER = record(
    model=MODEL,
    settings=_SETTINGS,
    devices=several(DEVICE),
    total_bytes=COUNT,
    verdict=words_of(Verdict),
    summary=TEXT,
    fits_now=described(known_or_null(FLAG), "beside what others hold; null where that is not known"),
    fits_when_idle=FLAG,
    frontier=several(_OPTION),
    smaller=known_or_null(record(model=MODEL, verdict=words_of(Verdict), total_bytes=COUNT)),
    speed=SPEED,
    advice=several(TEXT),
    notes=several(TEXT),
    commands=record(ollama=record(options=OPEN, environment=known_or_null(mapping(TEXT))), llama_server=several(TEXT)),
    draft=known_or_null(MODEL),
    simulated=FLAG,
    buffers=sometimes(described(several(_BUFFER), "with --explain")),
)
COMPARISON = record(models=several(ANSWER))
_MACHINE = record(
    gpus=several(record(name=TEXT, total_bytes=known_or_null(COUNT), free_bytes=known_or_null(COUNT))),
    ram_total_bytes=known_or_null(COUNT),
    ram_free_bytes=known_or_null(COUNT),
    simulated=FLAG,
    notes=several(TEXT),
)
RANKING = record(
    machine=_MACHINE,
    settings=record(context_length=COUNT, kv_type_k=TEXT, kv_type_v=TEXT, parallel=COUNT, headroom=SHARE),
    models=several(
        record(
            rank=COUNT,
            model=MODEL,
            verdict=words_of(Verdict),
            context_length=COUNT,
            total_bytes=COUNT,
            devices=several(DEVICE),
            speed=SPEED,
        )
    ),
)
VERIFIED = record(
    model=TEXT,
    against=TEXT,
    buffers=several(
        record(
            device=TEXT,
            label=TEXT,
            planned_bytes=COUNT,
            found_bytes=COUNT,
            difference_percent=described(known_or_null(NUMBER), "null where nothing was found"),
        )
    ),
)
_BUFFERS = words("weights", "cache", "compute", "weights_host", "compute_host", "total")
SELFTEST = record(
    engine=TEXT,
    date=DAY,
    cases=COUNT,
    buffers=several(
        record(
            buffer=_BUFFERS,
            cases=COUNT,
            exact=COUNT,
            within_1_percent=COUNT,
            within_3_percent=COUNT,
            worst_percent=NUMBER,
        )
    ),
    compared=several(record(case=TEXT, buffer=_BUFFERS, planned_bytes=COUNT, measured_bytes=COUNT)),
)
FORMS: tuple[Form, ...] = (
    described(ANSWER, "one model"),
    described(RANKING, "without a model"),
    described(COMPARISON, "--compare"),
    described(VERIFIED, "--verify"),
    described(SELFTEST, "--selftest"),
)
