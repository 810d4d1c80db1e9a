"""What `mrt route` and its commands print for scripts."""

from __future__ import annotations

from mrt.output.schemas.form import (
    COST,
    COUNT,
    COUNTED,
    FLAG,
    MOMENT,
    MONEY,
    NUMBER,
    OUTCOME,
    RISK,
    SHARE,
    TEXT,
    Form,
    described,
    known_or_null,
    record,
    several,
    sometimes,
    words,
    words_of,
)
from mrt.router.gates import State

COMPLEXITY: Form = {"type": "number", "minimum": 1, "maximum": 10}
_TIER = record(
    tier=TEXT,
    model=TEXT,
    open=FLAG,
    verdict=described(TEXT, "starts, next, passed over, closed, or why not"),
    reason=TEXT,
    p_fail=described(known_or_null(RISK), "that its answer is not accepted"),
    measured=known_or_null(
        record(
            run=TEXT,
            all=COUNTED,
            near=record(complexity=COMPLEXITY, passed=COUNT, graded=COUNT, low=SHARE, high=SHARE),
        )
    ),
    cost=described(COST, "expected"),
    cost_bound=described(COST, "the most"),
    seconds=known_or_null(NUMBER),
    input_tokens=known_or_null(COUNT),
    output_tokens=known_or_null(COUNT),
    budget_left_usd=described(known_or_null(MONEY), "of the tightest budget, once it is paid"),
    gates=several(record(gate=TEXT, state=words_of(State), figure=TEXT)),
)
_PART = record(
    task=TEXT, complexity=COMPLEXITY, tier=TEXT, model=TEXT, review=described(FLAG, "the planner's own review")
)
DECISION = described(
    record(
        complexity=COMPLEXITY,
        score=described(NUMBER, "the raw ranking, higher is harder"),
        parts=record(component=NUMBER, coordinative=NUMBER, dynamic=NUMBER),
        prior_only=FLAG,
        tier=described(known_or_null(TEXT), "null when no tier is open"),
        model=known_or_null(TEXT),
        order=several(TEXT),
        reason=TEXT,
        abstains=described(FLAG, "the prompt tells too little"),
        tiers=several(_TIER),
        contributions=several(record(feature=TEXT, value=TEXT, weight=NUMBER)),
        cleaned=described(several(TEXT), "what was left out of the prompt before it was read"),
        counterfactuals=described(several(TEXT), "what would change the tier"),
        check=described(TEXT, "what an answer has to pass"),
        escalations=known_or_null(RISK),
        escalation=TEXT,
        assessor_unasked=described(known_or_null(TEXT), "the model that ask lets rate the prompt, and route did not"),
        plan=sometimes(described(several(_PART), "with --plan")),
    ),
    "a decision",
)
DIFFERENCE = described(record(complexity=COMPLEXITY, tier=TEXT, other=TEXT, changed=FLAG), "--diff")
_FIGURE = record(value=known_or_null(NUMBER), low=known_or_null(NUMBER), high=known_or_null(NUMBER))
_RANKING = record(apgr=_FIGURE, cpt50=_FIGURE, cpt80=_FIGURE, auroc=_FIGURE, ece=_FIGURE)
EVALUATION = described(
    record(
        sets=several(
            record(
                set=known_or_null(TEXT),
                prompts=COUNT,
                weak=SHARE,
                strong=SHARE,
                router=_RANKING,
                length=_RANKING,
                random=_RANKING,
                best_fixed=record(model=TEXT, quality=SHARE, strong_share=SHARE),
            )
        )
    ),
    "--eval",
)
FORMS = (DECISION, DIFFERENCE, EVALUATION)

_ID: Form = described({}, "as it came, null without one")
LINES: dict[str, Form] = {
    "routed": record(id=_ID, complexity=COMPLEXITY, score=NUMBER, tier=TEXT),
    "unreadable": record(id=_ID, error=TEXT),
    "changed (--diff)": record(id=_ID, complexity=COMPLEXITY, tier=TEXT, other=TEXT),
}

FEEDBACK = record(
    id=TEXT,
    call=TEXT,
    tier=TEXT,
    model=TEXT,
    feedback=words("good", "bad"),
    outcome=described(OUTCOME, "what the checks made of it"),
    complexity=COMPLEXITY,
)
_LESSON = record(
    model=TEXT,
    tiers=several(TEXT),
    outcomes=record(ask=COUNT, feedback=COUNT, bench=COUNT),
    n=COUNT,
    p_fail_at_5=record(prior=RISK, now=RISK),
    calibration_error=known_or_null(record(prior=NUMBER, learned=NUMBER, over=COUNT)),
    newest=known_or_null(MOMENT),
)
LESSONS = record(learning=FLAG, enough=COUNT, ignored_before=known_or_null(MOMENT), models=several(_LESSON))
ROLLBACK = described(record(ignored_before=known_or_null(MOMENT)), "--rollback and --resume")
LEARN = (LESSONS, ROLLBACK)
