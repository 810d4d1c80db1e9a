"""The LiteLLM proxy: one API over models that may be anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from mrt.endpoints.line import Line, is_refusal
from mrt.endpoints.reading import at, first_number, flag, rows, text
from mrt.endpoints.report import ModelReport
from mrt.endpoints.sighting import Sighting
from mrt.providers import is_loopback

KIND = "litellm"
ALIVE = "I'm alive!"


def recognise(line: Line) -> Sighting | None:
    """By the words of `/health/liveliness`, which is open to all. `/health` itself would ask, and pay for, every model."""
    if line.json("/health/liveliness") != ALIVE:
        return None
    answer = line.ask("/v1/models")
    listed = rows(answer.json, "data") if answer is not None and answer.status == 200 else None
    version = _version(line)
    if answer is not None and is_refusal(answer):
        return Sighting(KIND, "auth", version)
    if listed is None:
        return Sighting(KIND, "unknown", version, message="it lives, but does not list its models")
    details = _details(line)
    models = tuple(_model(row, details.get(text(row.get("id")) or "", {})) for row in listed)
    return Sighting(KIND, version=version, models=models)


def _version(line: Line) -> str | None:
    ready = line.more("/health/readiness", KIND)
    told = text(at(ready.json, "litellm_version")) if ready else None
    return told or (text(line.first.headers.get("x-litellm-version")) if line.first else None)


def _details(line: Line) -> dict[str, dict[str, Any]]:
    """What the proxy knows of its models by name; of several behind one name the first that can be reached counts."""
    answer = line.more("/v1/model/info", KIND)
    found = rows(answer.json, "data") if answer else None
    return {name: row for row in reversed(found or []) if (name := text(row.get("model_name")))}


def _model(row: Mapping[str, Any], details: Mapping[str, Any]) -> ModelReport:
    known = details.get("model_info")
    mode = text(row.get("mode")) or text(at(known, "mode"))
    return ModelReport(
        id=text(row.get("id")) or "unnamed",
        context_served=first_number(row, "max_input_tokens")
        or (first_number(known, "max_input_tokens") if isinstance(known, dict) else None),
        remote=_is_remote(details),
        tools=flag(at(known, "supports_function_calling")),
        vision=flag(at(known, "supports_vision")),
        reasoning=flag(at(known, "supports_reasoning")),
        embedding=None if mode is None else mode == "embedding",
    )


def _is_remote(details: Mapping[str, Any]) -> bool | None:
    """Known only where the proxy names the server behind a model, or where the model has a price."""
    base = text(at(details, "litellm_params", "api_base"))
    if base is not None:
        return not _is_at_home(base)
    known = details.get("model_info")
    return True if isinstance(known, dict) and known.get("input_cost_per_token") else None


def _is_at_home(url: str) -> bool:
    """This machine, a private network, or a name without a domain, which only a private network has."""
    if is_loopback(url):
        return True
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".lan", ".internal", ".home.arpa"))
