"""Which settings LiteLLM has no place for, and why; every setting is either carried over or named here."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mrt.config import Config
from mrt.config.keys import format_key
from mrt.exports.report import Lost
from mrt.exports.told import Told, told

_PERSONA = (
    "a proxy adds no persona: the client sends it (mrt does), or `mrt export ollama-modelfile` puts it into a model"
)
_QUALITY = "LiteLLM falls back on failures alone and does not judge answers"
_RATING = "LiteLLM does not rate prompts as mrt does: the client names the group it wants"
_CALENDAR = "LiteLLM's spans begin with the first call, not with the calendar's day or month"
_ONE_CALL = "without a database LiteLLM has no limit on one call or one conversation"
_LABELS = "without a database LiteLLM knows no tag, project or session of a call"
_TIMES = "LiteLLM knows one time limit for a whole answer and one between two pieces of a stream"
_OWN = "it is about mrt itself, which can ask the proxy as a `litellm` endpoint"
_UNUSED = "no tier uses it"

_SETTINGS = {
    "tiers.NAME.max_complexity": _RATING,
    "tiers.NAME.system": _PERSONA,
    "tiers.NAME.examples": _PERSONA,
    "tiers.NAME.checks": _QUALITY,
    "tiers.NAME.think": "LiteLLM separates thinking from answers in its own way",
    "tiers.NAME.tools": _QUALITY,
    "budget.timezone": _CALENDAR,
    "budget.soft_pct": "without a database LiteLLM warns of no limit",
    "budget.on_store_failure": "LiteLLM counts in memory and forgets when it is started anew",
    "budget.per_session_usd": _ONE_CALL,
    "budget.per_call_usd": _ONE_CALL,
    "limits.NAME.per_session_usd": _ONE_CALL,
    "limits.NAME.per_call_usd": _ONE_CALL,
    "ask.connect_timeout": _TIMES,
    "ask.idle_timeout": _TIMES,
    "ask.escalate": _QUALITY,
    "route.secrets": "LiteLLM does not look for keys in prompts: it sends them to any tier",
}
_SECTIONS = {"route": _RATING, "assessor": _RATING, "planner": _RATING}
_CARRIED = frozenset({"tiers", "endpoints", "prices", "limits", "budget"})
_CARRIED_ASK = frozenset({"max_tokens", "timeout", "first_token_timeout", "retries"})


def reason(pattern: str) -> str | None:
    """Why a setting is not carried over, by its pattern (`tiers.NAME.system`); None where it is."""
    section, _, key = pattern.partition(".")
    if pattern in _SETTINGS:
        return _SETTINGS[pattern]
    carried = section in _CARRIED or (section == "ask" and key in _CARRIED_ASK)
    return None if carried else _SECTIONS.get(section, _OWN)


def lost_settings(config: Config, endpoints: Collection[str], models: Collection[str]) -> Iterator[Lost]:
    """The settings that are left out; `endpoints` are those that tiers use, `models` the names whose prices they go by."""
    whole = dict(_whole(config, endpoints, models))
    yield from (Lost(format_key(table), why) for table, why in whole.items())
    for one in told(config):
        if one.key[:2] in whole or _is_used_alias(one, config):
            continue
        why = reason(one.setting.pattern)
        if why is not None:
            yield Lost(one.dotted, why)


def _whole(
    config: Config, endpoints: Collection[str], models: Collection[str]
) -> Iterator[tuple[tuple[str, str], str]]:
    """Tables that are left out as a whole."""
    yield from ((("endpoints", name), _UNUSED) for name in config.endpoints if name not in endpoints)
    yield from ((("prices", name), _UNUSED) for name in config.prices if name not in models)
    for name, limit in config.limits.items():
        if any(text is not None for text in (limit.tag, limit.project, limit.session)):
            yield ("limits", name), _LABELS


def _is_used_alias(one: Told, config: Config) -> bool:
    return one.key[0] == "aliases" and any(tier.model == one.key[1] for tier in config.tiers)
