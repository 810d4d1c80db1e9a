"""How fast a model answers, for people: a table by prompt length, what the first request took, several streams at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mrt.output.columns import columns
from mrt.output.console import Console
from mrt.output.spend_money import amount, at_least, count

if TYPE_CHECKING:
    from mrt.bench.energy import Energy
    from mrt.bench.speed import Speed
    from mrt.bench.speed_load import Load, Step
    from mrt.bench.speed_sums import Length, Sources, Spread
    from mrt.errors import MrtError

NOT_KNOWN = "n/a"


def show_speeds(console: Console, speeds: Sequence[Speed], problems: Sequence[MrtError] = ()) -> None:
    """All of them on stdout; as JSON one is an object of its own, several are under "runs"."""
    if console.mode == "json":
        from mrt.output.bench_speed_data import run_data

        data = [run_data(speed) for speed in speeds]
        console.envelope("bench", data[0] if len(data) == 1 else {"runs": data}, problems)
        return
    for number, speed in enumerate(speeds):
        console.result(("\n" if number else "") + "\n".join(speed_lines(speed)))


def speed_lines(speed: Speed) -> Iterator[str]:
    """Line by line, without colour."""
    yield f"{speed.model}  speed: median (min-max) of {speed.repetitions}, at most {speed.max_tokens} tokens each"
    if not speed.calls and speed.failure is not None:
        yield f"!! not measured: {speed.failure.message}"
        return
    if speed.failure is not None:
        yield f"!! incomplete: {speed.failure.message}"
    if speed.lengths:
        yield ""
        yield from table(speed.lengths, speed.sources, speed.reasoned)
        yield from _left_out(speed.lengths)
        yield ""
    yield from _first(speed)
    yield from _drift(speed)
    if speed.sweep:
        yield ""
        yield "context sweep"
        yield from table(speed.sweep, speed.sources, speed.reasoned)
        yield from _left_out(speed.sweep)
    yield from _load(speed.load) if speed.load else ()
    yield from (f"note: {remark}" for remark in speed.remarks)
    if speed.energy is not None:
        yield energy_line(speed.energy)
    yield cost_line(speed)


def table(lengths: Sequence[Length], sources: Sources, reasoned: bool) -> list[str]:
    """One line a prompt length; each rate's column says who counted its tokens."""
    prompt = f"prompt tok/s ({sources.prompt})" if sources.prompt else "prompt tok/s"
    decode = f"decode tok/s ({sources.decode})" if sources.decode else "decode tok/s"
    headers = ["prompt", "ttft", "ttfa", decode, prompt, "inter-chunk p50", "p99"]
    rows = [
        [
            f"{length.prompt_tokens or f'~{length.wanted}'}",
            seconds(length.ttft),
            seconds(length.ttfa),
            rate(length.decode_tps),
            rate(length.prompt_tps),
            milliseconds(length.inter_chunk_p50),
            milliseconds(length.inter_chunk_p99),
        ]
        for length in lengths
    ]
    if not reasoned:  # the first token is the answer's then
        del headers[2]
        rows = [[*row[:2], *row[3:]] for row in rows]
    lines = columns(headers, rows, [True] * len(headers))
    return [*lines, "~ prompt tokens over ttft: includes queue and network"] if sources.prompt == "~" else lines


def seconds(value: Spread | None) -> str:
    """`0.101 s (0.100-0.103)`; milliseconds below a second, as people say them."""
    if value is None:
        return NOT_KNOWN
    if value.high < 1:
        low, middle, high = (f"{1000 * part:.0f}" for part in (value.low, value.median, value.high))
        return f"{middle} ms ({low}-{high})"
    return f"{value.median:.2f} s ({value.low:.2f}-{value.high:.2f})"


def rate(value: Spread | None) -> str:
    """`52.3 (51.0-53.1)`."""
    if value is None:
        return NOT_KNOWN
    digits = 0 if value.median >= 1000 else 1
    return f"{value.median:.{digits}f} ({value.low:.{digits}f}-{value.high:.{digits}f})"


def milliseconds(value: float | None) -> str:
    """`12.3 ms`."""
    return NOT_KNOWN if value is None else f"{1000 * value:.1f} ms"


def _left_out(lengths: Sequence[Length]) -> Iterator[str]:
    for length in lengths:
        at = f"at {length.wanted} prompt tokens"
        if length.failed:
            yield f"{at} {length.failed} of {length.runs} failed: {length.problem}"
        if length.short:
            yield f"{at} {length.short} of {length.runs} answers ended before 32 tokens: no rate of them"


def _first(speed: Speed) -> Iterator[str]:
    if speed.first is None:
        return
    ttft = "gave no token" if speed.first.ttft is None else f"first token after {speed.first.ttft:.2f} s"
    load = (
        ""
        if speed.first.load_seconds is None
        else f"; by the server {speed.first.load_seconds:.2f} s to load the model"
    )
    yield f"first request: {ttft}{load or ' (it may have waited for the model to load)'}"


def _drift(speed: Speed) -> Iterator[str]:
    from mrt.bench.speed_sums import MOST_DRIFT

    if speed.drift is None:
        return
    change = f"drift: last third at {round(100 * speed.drift)} % of the first third's speed"
    slower = speed.drift < 1 - MOST_DRIFT
    yield f"{change}; it slows down as it works (heat, or other work on the machine): try --rest" if slower else change


def _load(load: Load) -> Iterator[str]:
    source = f" ({load.source})" if load.source else ""
    yield ""
    yield f"concurrency, closed loop: each stream asks {load.requests_each} times, again as soon as it is answered"
    headers = ("streams", f"all tok/s{source}", "gain", f"each tok/s{source}", "ttft", "")
    rows = [_step(step, step.streams == load.knee) for step in load.steps]
    yield from columns(headers, rows, (True, True, True, True, True, False))
    yield from (
        f"at {step.streams} streams {step.failed} of {step.runs} failed: {step.problem}"
        for step in load.steps
        if step.failed
    )
    if load.knee is not None:
        yield f"knee: {count(load.knee, 'stream')}; more of them gain less than 15 %"


def _step(step: Step, is_knee: bool) -> tuple[str, ...]:
    return (
        str(step.streams),
        NOT_KNOWN if step.aggregate_tps is None else f"{step.aggregate_tps:.1f}",
        "" if step.gain is None else f"{round(100 * step.gain):+d} %",
        rate(step.stream_tps),
        seconds(step.ttft),
        "<- knee" if is_knee else "",
    )


def energy_line(energy: Energy) -> str:
    """Energy of the whole GPUs per output token."""
    each = "" if energy.per_token is None else f", {energy.per_token:.2f} J a token"
    return f"energy: {energy.joules:.0f} J in {energy.seconds:.1f} s, {energy.watts:.0f} W{each} (all GPUs, all their work)"


def cost_line(speed: Speed) -> str:
    """What the measurement cost."""
    calls = count(speed.calls, "call")
    if speed.cost_state == "free":
        return f"cost: no API cost ({calls})"
    if speed.unpriced_calls:
        return (
            f"cost: {at_least(speed.cost_nano, speed.unpriced_calls)} ({calls}, {speed.unpriced_calls} of unknown cost)"
        )
    return f"cost: {amount(speed.cost_nano)} ({calls}, {speed.cost_state})"
