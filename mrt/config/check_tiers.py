"""What can be wrong with tiers and model ids though each value is a good one by itself."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from mrt.config.keys import format_key
from mrt.config.model import PROVIDER_PREFIXES
from mrt.config.resolution import Finding, Resolution
from mrt.config.settings import ALIASES, Key
from mrt.config.values import MODEL, shown
from mrt.near import did_you_mean, nearest

LEAST_COMPLEXITY = 1


def tier_findings(resolution: Resolution) -> Iterator[Finding]:
    """Tiers that no prompt starts on: an earlier tier takes all that they could take."""
    covered, by = 0.0, ""
    for name in resolution.names["tiers"]:
        key = ("tiers", name, "max_complexity")
        own = resolution.get(*key)
        limit = math.inf if own is None else own
        if limit < LEAST_COMPLEXITY:
            message = f"no prompt starts on {format_key(key[:2])}: complexity begins at {LEAST_COMPLEXITY}"
            yield Finding("warning", resolution.where(key), message, "raise its max_complexity")
        elif limit <= covered:
            message = f"no prompt starts on {format_key(key[:2])}: {by} comes first and takes {_extent(covered)}"
            hint = "let max_complexity rise from tier to tier; the last tier needs none"
            yield Finding("warning", resolution.where(key), message, hint)
        if limit > covered:
            covered, by = limit, format_key(key[:2])


def _extent(covered: float) -> str:
    return "every prompt" if covered == math.inf else f"all up to {covered:g}"


def model_findings(resolution: Resolution) -> Iterator[Finding]:
    """Model ids and prices whose first part is neither a provider nor an endpoint."""
    known = (*resolution.names["endpoints"], *PROVIDER_PREFIXES)
    for key, setting in resolution.settings():
        model = resolution.get(*key)
        if setting.kind is MODEL and model is not None and model not in _names_allowed(key, resolution):
            hint = _prefix_hint(model, known)
            if hint:
                message = f"{format_key(key)} names no provider or endpoint: {shown(model)}"
                yield Finding("error", resolution.where(key), message, hint)
    for name in resolution.names["prices"]:
        hint = _prefix_hint(name, known)
        if hint:
            key = ("prices", name)
            yield Finding("warning", resolution.where(key), f"{format_key(key)} names no provider or endpoint", hint)


def _names_allowed(key: Key, resolution: Resolution) -> Collection[str]:
    """Names that may stand for a model id here: a tier may name an alias, an alias nothing, the others a tier as well."""
    if key[0] == ALIASES:
        return ()
    aliases = resolution.names[ALIASES]
    return aliases if key[0] == "tiers" else (*aliases, *resolution.names["tiers"])


def _prefix_hint(model: str, known: Collection[str]) -> str | None:
    """What to write instead; None when the id is a good one."""
    prefix, slash, rest = model.partition("/")
    if not slash:
        return f"write PROVIDER/MODEL, for example ollama/{model}"
    if prefix in known:
        return None
    near = [f"{name}/{rest}" for name in nearest(prefix, known)]
    return did_you_mean(near, f"add [endpoints.{prefix}], or use one of {', '.join(known)}")
