"""Single calls for people and for scripts: `mrt spend why` and `mrt spend log`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from mrt.domain import usd
from mrt.output.columns import columns
from mrt.output.spend_money import amount

Row = Mapping[str, Any]
SHORT_ID = 18
# How a request was to be served, which stands beside its rates.
_WAYS = {"processing": "served as", "cache_ttl": "cache entries of"}
_TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")


def call_data(row: Row) -> dict[str, Any]:
    """One call by the JSON contract; unknown is null."""
    return {
        "id": row["id"],
        "operation": row["operation_id"],
        "attempt": row["attempt"],
        "purpose": row["purpose"],
        "state": row["state"],
        "started_at": moment(row["started_us"], UTC),
        "tier": row["tier"],
        "model": f"{row['endpoint']}/{row['model']}",
        "served_model": row["served_model"],
        "outcome": row["outcome"],
        "check": row["check_name"],
        "reason": row["reason"],
        "decision": _loaded(row["decision"]),
        "usage": {name: row[name] for name in _TOKENS} | {"source": row["usage_source"] or "unknown"},
        "cost": {"state": row["cost_state"], "usd": _usd(row["cost_nano"])},
        "rates": _loaded(row["rates"]),
        "price_reference": row["price_reference"],
        "reserved_usd": _usd(row["reserved_nano"]),
        "reserved_until": moment(row["expires_us"], UTC) if row["state"] == "reserved" else None,
        "settled_at": moment(row["settled_us"], UTC),
        "swept_at": moment(row["swept_us"], UTC),
        "imported_at": moment(row["imported_us"], UTC),
        "baseline": _baseline(row),
        "timing": {name: row[name] for name in ("ttft_ms", "total_ms", "tokens_per_second")},
        "tag": row["tag"],
        "project": row["project"],
        "session": row["session"],
        "host": row["host"],
    }


def why_text(rows: Sequence[Row], place: tzinfo) -> str:
    """The steps of one operation, each with its tokens, rates, reservation and settlement."""
    first = rows[0]
    decision = _loaded(first["decision"]) or {}
    head = [f"operation  {first['operation_id']}"]
    if decision:
        head.append(
            f"routed     complexity {decision.get('complexity', '?')}: {decision.get('reason', 'no reason kept')}"
        )
    return "\n\n".join(["\n".join(head), *("\n".join(_step(row, place)) for row in rows)])


def _step(row: Row, place: tzinfo) -> list[str]:
    name = f"{row['tier']} ({row['endpoint']}/{row['model']})"
    lines = [
        f"{row['attempt'] + 1}. {name}, {row['purpose']}, {_shown(row['started_us'], place)}",
        f"   id          {row['id']}",
        f"   outcome     {_outcome(row)}",
        f"   tokens      {_tokens(row)}",
        f"   cost        {cost_text(row)}",
        f"   rates       {_rates(row)}",
        f"   reserved    {_reserved(row)}",
        f"   settled     {_settled(row, place)}",
    ]
    if row["served_model"] and row["served_model"] != row["model"]:
        lines.insert(2, f"   served by   {row['served_model']}")
    return lines


def _outcome(row: Row) -> str:
    if row["state"] == "reserved":
        return "under way"
    cut = ", cut off" if row["state"] == "partial" else ""
    check = f" by {row['check_name']}" if row["check_name"] else ""
    reason = f": {row['reason']}" if row["reason"] else ""
    return f"{row['outcome']}{check}{cut}{reason}"


def _tokens(row: Row) -> str:
    if row["usage_source"] is None or (row["input_tokens"] is None and row["output_tokens"] is None):
        return "unknown"
    counts = [
        f"{'?' if row[name] is None else format(row[name], ',')} {label}"
        for name, label in (("input_tokens", "in"), ("output_tokens", "out"))
    ]
    more = [
        f"{row[name]:,} {label}"
        for name, label in zip(_TOKENS[2:], ("cached", "written to the cache", "reasoning"), strict=True)
        if row[name]
    ]
    details = f" ({', '.join(more)})" if more else ""
    return f"{', '.join(counts)}{details}, {row['usage_source']}"


def cost_text(row: Row) -> str:
    """The cost of one call, to the nano-dollar, and how it is known."""
    state, nano = row["cost_state"], row["cost_nano"]
    if state is None:
        return "not settled yet"
    if state == "free":
        return "no API cost"
    if nano is None:
        return "unknown"
    return f"${usd(nano)}, {state}"


def _rates(row: Row) -> str:
    rates = _loaded(row["rates"]) or {}
    names = [name for name in rates if name not in ("id", "source", *_WAYS)]
    if not names:
        return "the server's own amount" if row["cost_state"] == "reported" else "none"
    listed = ", ".join(f"{name.replace('_', ' ')} ${rates[name]}" for name in names)
    ways = "".join(f", {label} {rates[name]}" for name, label in _WAYS.items() if name in rates)
    return f"{listed} per million tokens ({row['price_reference'] or rates.get('source', 'source not kept')}{ways})"


def _reserved(row: Row) -> str:
    if row["reserved_nano"] is None:
        return "without a bound: the price was not known"
    return f"at most ${usd(row['reserved_nano'])}" if row["reserved_nano"] else "nothing: it cannot cost anything"


def _settled(row: Row, place: tzinfo) -> str:
    if row["settled_us"] is not None:
        late = ", after it had been given up" if row["swept_us"] is not None else ""
        return f"{_shown(row['settled_us'], place)}{late}"
    if row["swept_us"] is not None:
        return f"never; closed at its upper bound {_shown(row['swept_us'], place)}"
    return "imported as it was" if row["imported_us"] is not None else "not yet"


def _baseline(row: Row) -> dict[str, Any] | None:
    if row["baseline_low_nano"] is None:
        return None
    return {
        "model": row["baseline_model"],
        "low": usd(row["baseline_low_nano"]),
        "high": usd(row["baseline_high_nano"]),
        "rates": _loaded(row["baseline_rates"]),
    }


def log_text(rows: Sequence[Row], place: tzinfo, *, short: bool) -> str:
    """A table of calls, one a line; on a screen an id is `short`, as much of it as tells it from others."""
    headers = ("when", "id", "tier", "model", "outcome", "in", "out", "cost", "ms", "decision")
    right = (False, False, False, False, False, True, True, True, True, False)
    return "\n".join(columns(headers, [_line(row, place, short=short) for row in rows], right))


def _line(row: Row, place: tzinfo, *, short: bool) -> list[str]:
    decision = _loaded(row["decision"]) or {}
    why = f"complexity {decision['complexity']}: {decision.get('reason', '')}" if "complexity" in decision else ""
    check = f" ({row['check_name']})" if row["check_name"] else ""
    return [
        _shown(row["started_us"], place),
        row["id"][:SHORT_ID] if short else row["id"],
        row["tier"],
        f"{row['endpoint']}/{row['model']}",
        f"{row['outcome'] or 'under way'}{check}",
        *("?" if row[name] is None else f"{row[name]:,}" for name in ("input_tokens", "output_tokens")),
        _short_cost(row),
        "?" if row["total_ms"] is None else f"{row['total_ms']:,}",
        why,
    ]


def _short_cost(row: Row) -> str:
    if row["cost_state"] == "free":
        return "free"
    if row["cost_nano"] is None:
        return "unknown" if row["cost_state"] else "?"
    return ("about " if row["cost_state"] == "estimated" else "") + amount(row["cost_nano"])


def moment(moment_us: int | None, place: tzinfo) -> str | None:
    """Microseconds since 1970 as a time of that zone, to the second."""
    if moment_us is None:
        return None
    return datetime.fromtimestamp(moment_us // 1_000_000, place).isoformat()


def _shown(moment_us: int | None, place: tzinfo) -> str:
    return (moment(moment_us, place) or "?").replace("T", " ")


def _usd(nano: int | None) -> str | None:
    return None if nano is None else usd(nano)


def _loaded(text: str | None) -> dict[str, Any] | None:
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
