"""Visit many places at the same time, each within its own time, and report what is there."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from mrt.config.secrets import MASK, mask
from mrt.domain import Target
from mrt.endpoints.identify import identify, with_names
from mrt.endpoints.line import Line
from mrt.endpoints.place import Place
from mrt.endpoints.report import EndpointReport
from mrt.endpoints.resolve import warnings
from mrt.endpoints.sighting import Sighting
from mrt.errors import ConfigError, MrtError, TimedOut, Unreachable
from mrt.providers import Wire, shown
from mrt.providers.http import import_httpx
from mrt.providers.tls import speaks_tls
from mrt.providers.visit import Visit

LOCAL_S = 2.0
REMOTE_S = 5.0
# A password manager may have to be unlocked; that is no fault of the server's.
KEY_COMMAND_S = 10.0
# What a thread needs to end by itself once its time is over. One that hangs in name resolution is left behind.
GRACE_S = 0.1
SHORTEST_KEY = 8
# Of a server that was not silent until now.
LONGEST_HANDSHAKE_S = 0.5
STUCK_HINT = "it runs, but is busy or stuck: restart it, or give it more time: mrt probe --timeout 30"


def survey(places: Sequence[Place], wire: Wire, seconds: float | None = None) -> tuple[EndpointReport, ...]:
    """One report per place, in their order.

    `seconds` is the most that each place may take; without it two on this machine and five elsewhere. Nothing is asked that
    loads, unloads, wakes or runs a model, or that costs money.
    """
    start = wire.clock()
    import_httpx()  # once, before the threads all want it
    found: dict[int, EndpointReport] = {}

    def visit(number: int, place: Place) -> None:
        found[number] = look(place, wire, _Time(start, _seconds(place, seconds), _key_seconds(place, seconds)))

    threads = [threading.Thread(target=visit, args=one, daemon=True) for one in enumerate(places)]
    for thread in threads:
        thread.start()
    for thread, place in zip(threads, places, strict=True):
        limit = _seconds(place, seconds) + _key_seconds(place, seconds) + GRACE_S
        thread.join(max(0.0, start + limit - wire.clock()))
    return tuple(
        found.get(number) or _too_late(place, wire, _seconds(place, seconds)) for number, place in enumerate(places)
    )


def _seconds(place: Place, seconds: float | None) -> float:
    return seconds if seconds is not None else REMOTE_S if place.remote else LOCAL_S


class _Time(NamedTuple):
    """From when on, for how many seconds a place may be visited, and how many more its key may take to come."""

    start: float
    seconds: float
    key_seconds: float


def _key_seconds(place: Place, seconds: float | None) -> float:
    if not place.runs_key_command:
        return 0.0
    return KEY_COMMAND_S if seconds is None else seconds


def look(place: Place, wire: Wire, time: _Time) -> EndpointReport:
    """One place. Never raises: what goes wrong is in the report."""
    target, missing = place.keyed(time.key_seconds)
    if time.key_seconds:
        time = time._replace(start=wire.clock())
    if missing is not None and (isinstance(missing, ConfigError) or _needs_key(place)):
        return _masked(_report(place, _keyless(Sighting(place.target.kind), missing), wire, None), target)
    sighting, latency = _sight(place, target, wire, time)
    if sighting.state in ("ready", "auth") and missing is not None:
        sighting = _keyless(sighting, missing)
    elif sighting.state == "auth":
        sighting = _refused(sighting, target)
    elif sighting.message is None:
        sighting = replace(sighting, message=next(iter(warnings(target)), None))
    return _masked(_report(place, sighting, wire, latency), target)


def _sight(place: Place, target: Target, wire: Wire, time: _Time) -> tuple[Sighting, int | None]:
    """What is there, and in how many milliseconds it began to answer."""
    line = None
    try:
        with Visit(target, time.seconds, wire, time.start) as visit:
            line = Line(target, visit, hold_key=not place.named)
            sighting = with_names(identify(place, line), place)
            if sighting.state == "ready":
                sighting = replace(sighting, access="accepted" if line.sent_key else "open")
    except MrtError as error:
        sighting = _failed(place, error)
    except Exception as error:  # a stranger's answer must not take the other reports away
        sighting = Sighting(
            place.target.kind, "unknown", message=f"cannot be examined: {type(error).__name__}: {error}"
        )
    if sighting.state == "unknown" and (line is None or line.first is None):
        sighting = _in_tls(sighting, target.url, time.start + time.seconds - wire.clock())
    return sighting, None if line is None or line.first is None else round(line.first.seconds * 1000)


def _in_tls(sighting: Sighting, url: str, seconds: float) -> Sighting:
    """The better words for a port that waits for TLS and got plain text."""
    puzzling = re.search("closed the connection|does not speak HTTP", sighting.message or "")
    if not puzzling or not url.lower().startswith("http:") or seconds <= 0:
        return sighting
    if not speaks_tls(url, min(seconds, LONGEST_HANDSHAKE_S)):
        return sighting
    return replace(sighting, message="it speaks TLS, not plain HTTP", hint="write https:// in its url")


def _needs_key(place: Place) -> bool:
    """Without its key nothing is asked of a cloud provider."""
    return not place.target.local and place.target.kind in ("openai", "anthropic")


def _keyless(sighting: Sighting, missing: MrtError) -> Sighting:
    return replace(sighting, state="auth", access="missing", message=missing.message, hint=missing.hint)


def _failed(place: Place, error: MrtError) -> Sighting:
    kind = place.target.kind
    if place.target.url.lower().startswith("https:") and isinstance(error, Unreachable):
        if re.search("wrong version number|record layer|packet length", error.message):
            return Sighting(kind, "unknown", message="it speaks plain HTTP, not TLS", hint="write http:// in its url")
        if "certificate" in error.message:
            hint = "export SSL_CERT_FILE=FILE, with the certificate that vouches for it"
            return Sighting(kind, "unknown", message=error.message, hint=hint)
    if isinstance(error, TimedOut):
        return Sighting(kind, "down", message=error.message.removeprefix("timeout: "), hint=STUCK_HINT)
    if isinstance(error, Unreachable):
        return Sighting(kind, "down", message=error.message, hint=start_hint(place))
    return Sighting(kind, "unknown", message=error.message, hint=error.hint)


def _refused(sighting: Sighting, target: Target) -> Sighting:
    message = "it wants a key" if target.key is None else "it refuses the key"
    return replace(
        sighting,
        access="missing" if target.key is None else "refused",
        message=sighting.message or message,
        hint=sighting.hint or target.key_hint,
    )


def start_hint(place: Place) -> str | None:
    """How to get a server of this kind to run on this machine; for one elsewhere, where to look."""
    if place.remote:
        return f"see whether {shown(place.target.url)} is right and its machine runs"
    commands = {
        "ollama": "ollama serve",
        "vllm": "vllm serve MODEL",
        "lm_studio": "lms server start",
        "llamacpp": "llama-server -m MODEL.gguf",
        "llama_swap": "llama-swap --config FILE",
        "litellm": "litellm --config FILE",
    }
    command = commands.get(place.target.kind)
    return f"start it: {command}" if command else f"start it, or check the url of {place.name}"


def _too_late(place: Place, wire: Wire, seconds: float) -> EndpointReport:
    message = f"{shown(place.target.url)} gave no answer within {seconds:g} s"
    return _report(place, Sighting(place.target.kind, "down", message=message, hint=start_hint(place)), wire, None)


def _report(place: Place, sighting: Sighting, wire: Wire, latency: int | None) -> EndpointReport:
    values = {field.name: getattr(sighting, field.name) for field in fields(sighting)}
    name = place.names.get(sighting.kind, place.name)
    return EndpointReport(name=name, url=shown(place.target.url), latency_ms=latency, checked_at=wire.now(), **values)


def _masked(report: EndpointReport, target: Target) -> EndpointReport:
    """The report without the key, which a server may send back in any text."""
    value = target.key.reveal() if target.key is not None else ""

    def clean(text: str) -> str:
        return mask(text.replace(value, MASK) if len(value) >= SHORTEST_KEY else text)

    models = tuple(replace(model, **_cleaned(model, clean)) for model in report.models)
    return replace(
        report, models=models, **{k: v for k, v in _cleaned(report, clean).items() if k not in ("name", "state")}
    )


def _cleaned(record: Any, clean: Callable[[str], str]) -> dict[str, Any]:
    texts = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: clean(text) for name, text in texts.items() if isinstance(text, str)}
