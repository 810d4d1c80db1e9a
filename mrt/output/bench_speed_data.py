"""How fast a model answers, as scripts read it: seconds, tokens per second, null for what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mrt.domain import usd

if TYPE_CHECKING:
    from mrt.bench.energy import Energy
    from mrt.bench.speed import Speed
    from mrt.bench.speed_load import Load, Step
    from mrt.bench.speed_sums import Length, Spread


def run_data(speed: Speed) -> dict[str, Any]:
    """A measurement of speed alone: the model, its speed, what it cost."""
    return {
        "model": speed.model,
        "complete": speed.failure is None,
        "speed": speed_data(speed),
        "cost": {
            "state": speed.cost_state,
            "usd": None if speed.unpriced_calls else usd(speed.cost_nano),
            "known_usd": usd(speed.cost_nano),
            "unpriced_calls": speed.unpriced_calls,
            "calls": speed.calls,
        },
    }


def speed_data(speed: Speed) -> dict[str, Any]:
    """The value of `speed`."""
    first = speed.first
    return {
        "repetitions": speed.repetitions,
        "max_tokens": speed.max_tokens,
        "decode_source": speed.sources.decode,
        "prompt_source": speed.sources.prompt,
        "reasoning_seen": speed.reasoned,
        "lengths": [_length(length) for length in speed.lengths],
        "context_sweep": [_length(length) for length in speed.sweep],
        "first_request": {
            "ttft_s": _rounded(first.ttft) if first else None,
            "load_s": _rounded(first.load_seconds) if first else None,
        },
        "drift": _rounded(speed.drift),
        "client_cpu": _rounded(speed.cpu),
        "concurrency": _load(speed.load) if speed.load else None,
        "energy": _energy(speed.energy) if speed.energy else None,
        "remarks": list(speed.remarks),
    }


def _length(length: Length) -> dict[str, Any]:
    return {
        "wanted_prompt_tokens": length.wanted,
        "prompt_tokens": length.prompt_tokens,
        "runs": length.runs,
        "failed": length.failed,
        "short": length.short,
        "problem": length.problem,
        "ttft_s": _spread(length.ttft),
        "ttfa_s": _spread(length.ttfa),
        "e2e_s": _spread(length.e2e),
        "decode_tps": _spread(length.decode_tps),
        "server_decode_tps": _spread(length.native_tps),
        "prompt_tps": _spread(length.prompt_tps),
        "inter_chunk_s": {"p50": _rounded(length.inter_chunk_p50), "p99": _rounded(length.inter_chunk_p99)},
        "tokens_per_chunk": _rounded(length.tokens_per_chunk),
    }


def _load(load: Load) -> dict[str, Any]:
    return {
        "loop": "closed",
        "requests_each": load.requests_each,
        "source": load.source,
        "knee": load.knee,
        "steps": [_step(step) for step in load.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "streams": step.streams,
        "runs": step.runs,
        "failed": step.failed,
        "problem": step.problem,
        "aggregate_tps": _rounded(step.aggregate_tps),
        "stream_tps": _spread(step.stream_tps),
        "ttft_s": _spread(step.ttft),
        "gain": _rounded(step.gain),
    }


def _energy(energy: Energy) -> dict[str, Any]:
    return {
        "joules": _rounded(energy.joules),
        "seconds": _rounded(energy.seconds),
        "watts": _rounded(energy.watts),
        "joules_per_token": _rounded(energy.per_token),
        "source": energy.source,
    }


def _spread(value: Spread | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {
        "median": _rounded(value.median),
        "low": _rounded(value.low),
        "high": _rounded(value.high),
        "count": value.runs,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
