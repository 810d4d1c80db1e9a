"""genai-prices' table -> our tables: what can be priced by text tokens alone, with its history and all its names.

Left out are models whose price hangs on something a chat reply does not count (images, audio, pages), those without a rate
for input or output, and those that the provider's own endpoint does not serve.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

# Our names of providers -> theirs.
THEIR_IDS = {
    "anthropic": "anthropic",
    "openai": "openai",
    "gemini": "google",
    "xai": "x-ai",
    "groq": "groq",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "openrouter": "openrouter",
}
DOUBTS = {
    "deepseek": "DeepSeek's tariff changes by the hour and by announcement; static tables disagree on it",
    "openrouter": "OpenRouter's prices follow its hosts; the amount it reports with each answer is the true one",
}
# Listed there, but served elsewhere: Claude on Vertex, and weights that OpenAI gives away.
_ELSEWHERE = {"gemini": "claude", "openai": "gpt-oss"}
_TEXT_KEYS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_hour",
}
_OTHER_OUTPUT = ("output_audio_mtok", "output_image_mtok", "output_video_mtok", "requests_kcount")
_HALF_A_DATE = re.compile(r"-20\d\d$")
_PROCESSING = ("batch", "flex", "priority", "fast")


def convert(providers: Iterable[Any], source: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The lines of each provider's table; `source` has the `source`, `version` and `date` that their first ones state."""
    by_id = {provider.id: provider for provider in providers}
    return {ours: _lines(ours, by_id[theirs], source) for ours, theirs in THEIR_IDS.items() if theirs in by_id}


def content_of(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """A table as it is stored."""
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode() + b"\n"


def _lines(name: str, provider: Any, source: Mapping[str, str]) -> list[dict[str, Any]]:
    doubt = {"doubt": DOUBTS[name]} if name in DOUBTS else {}
    lines: list[dict[str, Any]] = [{"provider": name, **source, **doubt}]
    for model in provider.models:
        names = [found for found in _names(model) if provider.find_model(found) is model]
        entry = _entry(model) if names and _is_ours(name, model) else None
        if entry is not None:
            aliases = {"aliases": names[1:]} if names[1:] else {}
            lines.append({"id": names[0], **aliases, **entry})
    return lines


def _is_ours(name: str, model: Any) -> bool:
    return name not in _ELSEWHERE or not model.id.startswith(_ELSEWHERE[name])


def _entry(model: Any) -> dict[str, Any] | None:
    prices = [_priced(part.prices, part.constraint, model.id) for part in _parts(model)]
    if not all(prices):
        return None
    entry: dict[str, Any] = {"prices": prices}
    processing = {name: found for name in _PROCESSING if (found := _processing(model, name))}
    if processing:
        entry["processing"] = processing
    if model.context_window:
        entry["context"] = model.context_window
    return entry


def _parts(model: Any) -> list[Any]:
    if isinstance(model.prices, list):
        return list(model.prices)
    return [_Part(model.prices)]


class _Part:
    """A price that always holds."""

    constraint = None

    def __init__(self, prices: Any) -> None:
        self.prices = prices


def _priced(prices: Any, constraint: Any, model_id: str) -> dict[str, Any] | None:
    """Rates and when they hold, None when text tokens alone do not tell the price."""
    stated = {key: value for key, value in prices.__dict__.items() if value is not None}
    if not stated and model_id.endswith(":free"):
        return {"input": "0", "output": "0"}
    if not {"input_mtok", "output_mtok"} <= set(stated) or any(key in stated for key in _OTHER_OUTPUT):
        return None
    rates = {ours: stated[theirs] for theirs, ours in _TEXT_KEYS.items() if theirs in stated}
    thresholds = sorted({tier.start for rate in rates.values() for tier in getattr(rate, "tiers", ())})
    above = [{"over": over, **_rates_over(rates, over)} for over in thresholds]
    return {**_when(constraint), **_rates_over(rates, -1), **({"above": above} if above else {})}


def _when(constraint: Any) -> dict[str, Any]:
    if constraint is None:
        return {}
    if hasattr(constraint, "start_date"):
        return {"from": constraint.start_date.isoformat()}
    return {"daily": [_utc(constraint.start_time), _utc(constraint.end_time)]}


def _utc(moment: time) -> str:
    day = datetime(1970, 1, 2, tzinfo=moment.tzinfo or UTC)
    return day.replace(hour=moment.hour, minute=moment.minute).astimezone(UTC).strftime("%H:%M")


def _rates_over(rates: Mapping[str, Any], over: int) -> dict[str, str]:
    """The rates of a request just above that many input tokens, as text."""
    return {name: _text(_rate_over(rate, over)) for name, rate in rates.items()}


def _rate_over(rate: Any, over: int) -> Decimal:
    if isinstance(rate, Decimal):
        return rate
    exceeded = [tier.price for tier in rate.tiers if tier.start <= over]
    return Decimal(exceeded[-1] if exceeded else rate.base)


def _text(rate: Decimal) -> str:
    text = format(rate, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _processing(model: Any, name: str) -> list[dict[str, Any]]:
    """The whole history under another way of being served; empty where there is none."""
    variants = [variant for variant in model.price_variants or () if name in variant.when.values()]
    if not variants or any(hasattr(part.constraint, "start_time") for part in _parts(model)):
        return []
    context = dict(variants[0].when)
    dates = [part.constraint.start_date for part in (*_parts(model), *variants) if part.constraint is not None]
    moments = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in sorted(set(dates))]
    first = moments[0] - timedelta(days=1) if moments else datetime(2020, 1, 1, tzinfo=UTC)
    history = [_priced(model.get_prices(moment, context), None, model.id) for moment in (first, *moments)]
    since = [{}, *({"from": moment.date().isoformat()} for moment in moments)]
    return [{**start, **rates} for start, rates in zip(since, history, strict=True) if rates]


def _names(model: Any) -> Iterator[str]:
    """The id, then every name that is spelled out; a beginning of names counts as one where it ends like a name."""
    yield from dict.fromkeys([model.id, *_spelled_out(model.match)])


def _spelled_out(clause: Any) -> Iterator[str]:
    for part in getattr(clause, "or_", None) or [clause]:
        name = getattr(part, "equals", None) or getattr(part, "starts_with", None)
        if name and name[-1].isalnum() and not _HALF_A_DATE.search(name):
            yield name
