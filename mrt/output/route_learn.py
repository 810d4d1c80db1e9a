"""What was learned from past outcomes, and what the user said of an answer, for people and for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Any

from mrt.output.columns import columns
from mrt.output.console import Console
from mrt.output.spend_call import moment

if TYPE_CHECKING:
    from mrt.cascade.lessons import Lesson, Lessons
    from mrt.router.risk import Risk

KINDS = ("ask", "feedback", "bench")
_HEADERS = ("model", "tiers", "asks", "feedback", "bench", "counted", "P(fail) at 5", "calibration error", "newest")
_RIGHT = (False, False, True, True, True, True, False, False, False)


def show_lessons(console: Console, found: Lessons, enough: int) -> None:
    """All models; `enough` is how many outcomes a model needs before they count."""
    if console.mode == "json":
        console.envelope("route", lessons_data(found, enough))
        return
    lines = columns(_HEADERS, [_line(lesson) for lesson in found.models], _RIGHT)
    console.result("\n".join([*lines, "", *_remarks(found, enough)]))


def show_rollback(console: Console, ignored_before_us: int | None, said: str) -> None:
    """That outcomes up to a moment no longer count, or that all do again."""
    if console.mode == "json":
        console.envelope("route", {"ignored_before": moment(ignored_before_us, UTC)})
    else:
        console.result(said)


def show_feedback(console: Console, call: Mapping[str, Any], *, failed: bool) -> None:
    """Which answer was judged, and what it was before."""
    model = f"{call['endpoint']}/{call['model']}"
    said = "bad" if failed else "good"
    if console.mode == "json":
        data = {"id": call["operation_id"], "call": call["id"], "tier": call["tier"], "model": model, "feedback": said}
        console.envelope("route", {**data, "outcome": call["outcome"], "complexity": call["complexity"]})
        return
    was = "" if failed == (call["outcome"] != "accepted") else f", though the checks {_checks_said(call)}"
    console.result(f"{said}: {call['operation_id']}, answered by {call['tier']} ({model}){was}")


def lessons_data(found: Lessons, enough: int) -> dict[str, Any]:
    """Everything by the JSON contract; unknown is null."""
    return {
        "learning": found.learning,
        "enough": enough,
        "ignored_before": moment(found.ignored_before_us, UTC),
        "models": [_lesson_data(lesson) for lesson in found.models],
    }


def _lesson_data(lesson: Lesson) -> dict[str, Any]:
    error = lesson.hindsight
    return {
        "model": lesson.model,
        "tiers": list(lesson.tiers),
        "outcomes": {kind: lesson.kinds.get(kind, 0) for kind in KINDS},
        "n": lesson.n,
        "p_fail_at_5": {"prior": _risk_data(lesson.prior), "now": _risk_data(lesson.now)},
        "calibration_error": None
        if error is None
        else {"prior": round(error.prior, 4), "learned": round(error.learned, 4), "over": error.over},
        "newest": moment(lesson.newest_us, UTC),
    }


def _risk_data(risk: Risk) -> dict[str, Any]:
    return {"mean": round(risk.mean, 4), "low": round(risk.low, 4), "high": round(risk.high, 4), "n": risk.n}


def _line(lesson: Lesson) -> tuple[str, ...]:
    prior, now, error = lesson.prior, lesson.now, lesson.hindsight
    risk = f"{prior.mean:.2f} (prior)"
    if lesson.n:
        risk = f"{prior.mean:.2f} -> {now.mean:.2f} ({now.low:.2f} to {now.high:.2f})"
    return (
        lesson.model,
        ", ".join(lesson.tiers) or "-",
        *(str(lesson.kinds.get(kind, 0)) for kind in KINDS),
        str(lesson.n),
        risk,
        "-" if error is None else f"{error.prior:.2f} -> {error.learned:.2f} over {error.over}",
        (moment(lesson.newest_us, UTC) or "-")[:10],
    )


def _remarks(found: Lessons, enough: int) -> list[str]:
    lines = [f"a model's outcomes count from {enough} on; until then the shipped prior speaks alone"]
    if found.ignored_before_us is not None:
        moment_text = moment(found.ignored_before_us, UTC)
        lines.append(f"outcomes up to {moment_text} are ignored; to let them count again: mrt route learn --resume")
    if not found.learning:
        lines.append("learning is off; to switch it on: mrt config set route.learn true")
    return lines


def _checks_said(call: Mapping[str, Any]) -> str:
    return "accepted it" if call["outcome"] == "accepted" else f"turned it down ({call['check_name']})"
