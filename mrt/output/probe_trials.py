"""What the tiny questions of a deep probe showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mrt.cascade.trial import Trial
from mrt.domain import Cost, usd
from mrt.endpoints.abilities import Abilities
from mrt.output.columns import columns
from mrt.output.console import error_data
from mrt.output.probe import trouble
from mrt.output.probe_data import moment

_FLAGS = ("streaming", "usage", "stream_options", "reasoning", "logprobs", "json_schema", "tools", "max_tokens")
_HEADERS = ("model", *(name.replace("_", " ") for name in _FLAGS), "context", "TTFT", "tokens/s")
_WORDS = {True: "yes", False: "no", None: "-"}


def trials_text(trials: Sequence[Trial]) -> str:
    """One line per model that answered, and what was wrong with the others."""
    rows = [_row(trial) for trial in trials if trial.abilities.tried_at]
    table = columns(_HEADERS, rows, [False] * (len(_HEADERS) - 3) + [True] * 3) if rows else []
    troubles = [line for trial in trials for line in _troubles(trial)]
    return "\n\n".join("\n".join(block) for block in (table, troubles) if block)


def _troubles(trial: Trial) -> list[str]:
    if trial.error is None:
        return []
    name = trial.target.name
    return trouble(name, trial.error.message.removeprefix(f"{name}: "), trial.error.hint)


def trial_data(trial: Trial) -> dict[str, Any]:
    """One model's trial as scripts read it."""
    seen = asdict(trial.abilities)
    seen.pop("tried_at")
    return {
        "tier": trial.tier,
        "model": trial.target.name,
        **seen,
        "tried_at": moment(trial.abilities.tried_at) if trial.abilities.tried_at else None,
        "calls": [_call(attempt.outcome, attempt.cost) for attempt in trial.attempts],
        "error": error_data(trial.error) if trial.error else None,
    }


def _call(outcome: str, cost: Cost) -> dict[str, Any]:
    return {"outcome": outcome, "cost": {"state": cost.state, "usd": None if cost.nano is None else usd(cost.nano)}}


def _row(trial: Trial) -> tuple[str, ...]:
    seen = trial.abilities
    flags = (_WORDS[getattr(seen, name)] for name in _FLAGS)
    return (trial.target.name, *flags, *_figures(seen))


def _figures(seen: Abilities) -> tuple[str, str, str]:
    return (
        "-" if seen.context is None else f"{seen.context:,}",
        "-" if seen.ttft_ms is None else f"{seen.ttft_ms} ms",
        "-" if seen.tokens_per_second is None else f"{seen.tokens_per_second:.1f}",
    )
