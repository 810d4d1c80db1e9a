"""What `mrt ask` prints for scripts: an answer, the request of a dry run, the lines of a stream."""

from __future__ import annotations

from mrt.output.schemas.form import (
    COST,
    ERROR_KEYS,
    FLAG,
    MONEY,
    OPEN,
    OUTCOME,
    TEXT,
    TIMING,
    USAGE,
    Form,
    described,
    known_or_null,
    mapping,
    record,
    several,
    sometimes,
    words,
)

ATTEMPT = record(
    tier=TEXT,
    model=TEXT,
    outcome=OUTCOME,
    check=described(known_or_null(TEXT), "the check or the failure that ended it"),
    reason=known_or_null(TEXT),
    usage=USAGE,
    cost=COST,
    timing=TIMING,
)
_ANSWER = {
    "answer": described(known_or_null(TEXT), "as far as it came; null when nothing came"),
    "reasoning": known_or_null(TEXT),
    "tier": TEXT,
    "model": described(TEXT, "ENDPOINT/MODEL"),
    "served_model": described(known_or_null(TEXT), "what the server says that it served"),
    "finish_reason": known_or_null(TEXT),
    "complete": FLAG,
    "usage": USAGE,
    "cost": described(COST, "of all attempts and side calls together"),
    "timing": TIMING,
    "attempts": several(ATTEMPT),
    "session": known_or_null(TEXT),
    "id": TEXT,
}
ANSWER = described(record(**_ANSWER), "an answer")
_REQUEST = {
    "tier": TEXT,
    "model": TEXT,
    "tiers": several(TEXT),
    "reason": TEXT,
    "method": words("POST"),
    "url": TEXT,
    "headers": mapping(TEXT),
    "body": OPEN,
    "bound": described(
        record(state=words("free", "estimated", "unknown"), usd=known_or_null(MONEY)), "the most it can cost"
    ),
}
REQUEST = described(record(**_REQUEST), "--dry-run: the request that would leave")
_CLEARED = {"cleared": described(known_or_null(TEXT), "the conversation that was forgotten")}
CLEARED = described(record(**_CLEARED), "--clear alone")


def _line(name: str, **keys: Form) -> Form:
    return record(event=words(name), **keys)


LINES: dict[str, Form] = {
    "route": _line("route", tier=TEXT, model=TEXT, reason=TEXT),
    "start": _line("start", tier=TEXT, model=TEXT, final=described(FLAG, "no tier is left after this one")),
    "delta": _line("delta", text=TEXT),
    "reasoning": _line("reasoning", text=TEXT),
    "retract": described(_line("retract"), "the text so far was reasoning"),
    "escalate": record(
        event=words("escalate"), **{"from": TEXT}, to=TEXT, check=described(TEXT, "what it failed"), reason=TEXT
    ),
    "refused": _line(
        "refused", tier=TEXT, model=TEXT, instead=described(known_or_null(TEXT), "asked in its place"), **ERROR_KEYS
    ),
    "usage": _line("usage", usage=USAGE, cost=COST),
    "result": _line("result", **_ANSWER),
    "result (--dry-run)": _line("result", **_REQUEST),
    "result (--clear)": _line("result", **_CLEARED),
    "error": _line("error", **ERROR_KEYS, data=sometimes(described(ANSWER, "what there is of an answer"))),
}

FORMS = (ANSWER, REQUEST, CLEARED)
