"""A run of `mrt bench` as scripts read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mrt.domain import usd
from mrt.output.bench_speed_data import run_data

if TYPE_CHECKING:
    from mrt.bench.report import Band, Bill, Report, Speed, TaskResult
    from mrt.bench.speed import Speed as Speeds
    from mrt.bench.threshold import Level


def report_data(report: Report, measured: Speeds | None = None) -> dict[str, Any]:
    """The keys of the contract, and more; money is a decimal string, unknown is null. `measured` is the speed taken apart."""
    run = report.run
    return {
        "run_id": run.id,
        "model": run.model,
        "suite": run.suite,
        "variant": run.variant,
        "samples": run.samples,
        "complete": report.complete,
        "planned": report.planned,
        "overall": _band(report.overall),
        "bands": [{"band": band.band, **_band(band)} for band in report.bands],
        "tasks": [_task(task) for task in report.tasks],
        "truncated": report.truncated,
        "reasoned": report.reasoned,
        "served_models": list(report.served),
        "all_pass": report.all_pass,
        "memorisation_gap": None if report.gap is None else _rounded(report.gap.points),
        "speed": {**_speed(report.speed), "measured": None if measured is None else run_data(measured)},
        "cost": cost_data(report.bill),
        "thresholds": {
            "safe": report.thresholds.safe,
            "bold": report.thresholds.bold,
            "trials": report.thresholds.trials,
            "levels": [_level(level) for level in report.thresholds.levels],
        },
        "environment": dict(run.environment),
        "started": run.started,
        "digest": run.digest,
    }


def cost_data(bill: Bill) -> dict[str, Any]:
    """What is known; `usd` null when a part is unknown, with the known part beside it."""
    known = usd(bill.nano)
    return {
        "state": bill.state,
        "usd": None if bill.unknown else known,
        "known_usd": known,
        "unpriced_answers": bill.unknown,
    }


def _band(band: Band) -> dict[str, Any]:
    return {
        "passed": band.passed,
        "graded": band.graded,
        "rate": _rounded(band.rate.value),
        "low": _rounded(band.rate.low),
        "high": _rounded(band.rate.high),
    }


def _task(task: TaskResult) -> dict[str, Any]:
    return {
        "id": task.task,
        "band": task.band,
        "status": task.status,
        "statuses": list(task.statuses),
        "passed": task.passed,
        "graded": task.graded,
        "seconds": _rounded(task.seconds),
        "rule": task.worst.rule,
        "detail": task.worst.detail,
        "extraction": task.worst.extraction,
    }


def _speed(speed: Speed) -> dict[str, Any]:
    return {
        "tokens_per_second": _rounded(speed.tokens_per_second),
        "ttft_ms": _rounded(speed.ttft_ms),
        "seconds": _rounded(speed.seconds),
        "output_tokens": speed.output_tokens,
        "drift": _rounded(speed.drift),
    }


def _level(level: Level) -> dict[str, Any]:
    rounded = {name: _rounded(getattr(level, name)) for name in ("mean", "low", "high", "chance")}
    return {"complexity": level.complexity, **rounded}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
