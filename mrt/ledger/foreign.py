"""Calls that other programs logged, as rows of ours: llm's logs.db, and LiteLLM's SpendLogs as JSON.

An amount that the other program does not state stays unknown. LiteLLM writes 0 for models it has no price for, so its zero
is believed only where its cache answered.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from mrt.budget import microseconds
from mrt.errors import UsageError
from mrt.ledger.transfer import COLUMNS, checked
from mrt.pricing import parse_reported

_NEEDED = ("id", "model", "datetime_utc", "duration_ms", "input_tokens", "output_tokens")


def llm_calls(path: Path, name: str, host: str) -> Iterator[dict[str, Any]]:
    """The responses in a logs.db of the `llm` command; messages call it `name`. Raises UsageError when it is none."""
    import sqlite3
    from contextlib import closing

    try:
        path.open("rb").close()  # SQLite does not say why it cannot
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            names = [row[1] for row in connection.execute("PRAGMA table_info(responses)")]
            missing = [name for name in _NEEDED if name not in names]
            if missing:
                raise UsageError(
                    f"{name} is no log of llm: its responses have no {missing[0]}", "`llm logs path` names it"
                )
            more = [name for name in ("conversation_id", "resolved_model", "token_details") if name in names]
            wanted = (*_NEEDED, *more)
            for row in connection.execute(f"SELECT {', '.join(wanted)} FROM responses ORDER BY rowid"):  # noqa: S608
                yield _llm_call(dict(zip(wanted, row, strict=True)), host, name)
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}", "`llm logs path` names it") from None
    except sqlite3.Error as error:
        raise UsageError(f"{name} cannot be read as a log of llm: {error}", "`llm logs path` names it") from error


def _llm_call(row: Mapping[str, Any], host: str, where: str) -> dict[str, Any]:
    started_us = _moment(row["datetime_utc"], f"{where}: response {row['id']}")
    counts = (whole(row["input_tokens"]), whole(row["output_tokens"]))
    details = _object(row.get("token_details"))
    return _call(
        f"{where}: response {row['id']}",
        id=f"llm:{row['id']}",
        tier="llm",
        endpoint="llm",
        model=str(row["model"]),
        served_model=row.get("resolved_model"),
        session=row.get("conversation_id"),
        started_us=started_us,
        settled_us=started_us + 1000 * (whole(row["duration_ms"]) or 0),
        total_ms=whole(row["duration_ms"]),
        host=host,
        input_tokens=_with_cache(counts[0], details),
        output_tokens=counts[1],
        **parts(details),
        usage_source="unknown" if None in counts else "reported",
    )


def litellm_calls(documents: Iterable[tuple[str, Any]], host: str) -> Iterator[dict[str, Any]]:
    """Rows of LiteLLM's SpendLogs, each with the place it stands at, for messages. Raises UsageError."""
    for where, document in _entries(documents):
        if not isinstance(document, Mapping) or not document.get("request_id"):
            raise UsageError(f"{where}: this is no entry of LiteLLM's SpendLogs", "each needs a request_id")
        yield _litellm_call(document, host, where)


def _entries(documents: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Rows, also those of whole pages: {"data": [...], "page": 1, ...}."""
    for where, document in documents:
        rows = document.get("data") if isinstance(document, Mapping) and "request_id" not in document else None
        if isinstance(rows, list):
            yield from ((f"{where}, data {number}", row) for number, row in enumerate(rows, 1))
        else:
            yield where, document


def _litellm_details(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the row keeps of the provider's own counts."""
    metadata = _object(entry.get("metadata"))
    return {**_object(metadata.get("additional_usage_values")), **_object(metadata.get("usage_object"))}


def _litellm_call(entry: Mapping[str, Any], host: str, where: str) -> dict[str, Any]:
    started_us = _moment(entry.get("startTime"), where)
    ended_us = _moment(entry.get("endTime"), where) if entry.get("endTime") else started_us
    failed = entry.get("status") == "failure"
    nano = _litellm_cost(entry)
    provider = str(entry.get("custom_llm_provider") or "litellm")
    return _call(
        where,
        id=f"litellm:{entry['request_id']}",
        tier="litellm",
        endpoint=provider,
        model=str(entry.get("model") or "unknown").removeprefix(f"{provider}/"),
        session=entry.get("session_id"),
        tag=_first_tag(entry.get("request_tags")),
        project=entry.get("team_id") or None,
        started_us=started_us,
        settled_us=max(started_us, ended_us),
        total_ms=max(0, ended_us - started_us) // 1000,
        host=host,
        state="failed" if failed else "settled",
        outcome="failed" if failed else "accepted",
        # Beside a failure or a zero total it writes zeros where it knows nothing.
        input_tokens=whole(entry.get("prompt_tokens")) or None,
        output_tokens=whole(entry.get("completion_tokens")) or None,
        **parts(_litellm_details(entry)),
        usage_source="reported" if entry.get("total_tokens") else "unknown",
        cost_state="unknown" if nano is None else "reported",
        cost_nano=nano,
        price_reference=None if nano is None else "litellm",
    )


def _litellm_cost(entry: Mapping[str, Any]) -> int | None:
    nano = parse_reported(entry.get("spend"))
    cached = str(entry.get("cache_hit")).lower() == "true"
    return nano if nano or cached else None


def _first_tag(tags: Any) -> str | None:
    if isinstance(tags, str):
        try:
            tags = json.loads(tags)
        except ValueError:
            return None
    return str(tags[0]) if isinstance(tags, list) and tags else None


def _object(value: Any) -> Mapping[str, Any]:
    """A JSON object, also one kept as text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = exactly(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def whole(count: Any) -> Any:
    """12 for 12.0, which some programs write; anything else as it is."""
    return (
        int(count) if isinstance(count, float | Decimal) and -(2**53) < count < 2**53 and count == int(count) else count
    )


def parts(details: Mapping[str, Any]) -> dict[str, int | None]:
    """Cached, written and reasoning tokens from a provider's details: OpenAI's, Anthropic's and Google's names for them."""
    read = _object(details.get("prompt_tokens_details") or details.get("input_tokens_details"))
    written = _object(details.get("completion_tokens_details") or details.get("output_tokens_details"))
    return {
        "cached_tokens": _first_count(
            details.get("cache_read_input_tokens"), read.get("cached_tokens"), details.get("cachedContentTokenCount")
        ),
        "cache_write_tokens": _first_count(
            details.get("cache_creation_input_tokens"), read.get("cache_creation_tokens")
        ),
        "reasoning_tokens": _first_count(written.get("reasoning_tokens"), details.get("thoughtsTokenCount")),
    }


def _first_count(*counts: Any) -> int | None:
    found = (whole(count) for count in counts)
    return next(
        (count for count in found if isinstance(count, int) and not isinstance(count, bool) and count >= 0), None
    )


def _with_cache(count: Any, details: Mapping[str, Any]) -> Any:
    """Input tokens with the cached ones: Anthropic's count leaves them out, and only it has details by these names."""
    if not isinstance(count, int):
        return count
    beside = (details.get("cache_read_input_tokens"), details.get("cache_creation_input_tokens"))
    return count + sum(_first_count(number) or 0 for number in beside)


def _call(where: str, **known: Any) -> dict[str, Any]:
    usual = {
        "operation_id": known["id"],
        "attempt": 0,
        "purpose": "imported",
        "state": "settled",
        "outcome": "accepted",
        "local": 0,
        "input_tokens_estimate": 0,
        "cost_state": "unknown",
    }
    return checked({**dict.fromkeys(COLUMNS), **usual, **known}, where)


def _moment(text: Any, where: str) -> int:
    """Microseconds since 1970 of a time in ISO 8601, taken for UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        found = microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise UsageError(f"{where}: {text!r:.60} is no time", "it must be written as in ISO 8601") from None
    return found


def exactly(text: str) -> Any:
    """JSON whose amounts keep every digit. Raises ValueError, for NaN and Infinity too, which JSON does not know."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_number)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
