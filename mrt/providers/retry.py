"""How long to wait before the same request goes out again, and whether it may."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

# Above this a server asks for more patience than a shell user has (the limit of the official OpenAI client, 2026).
LONGEST_WAIT_S = 120.0
FIRST_WAIT_S = 0.5
LONGEST_BACKOFF_S = 8.0
RETRYABLE_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
NEVER = math.inf
_WEEKDAYS = ("Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,")


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the server asks to wait; None when it does not say, `NEVER` when it must not be asked again.

    `now` is the time in seconds since the epoch. Header names are lower case.
    """
    if headers.get("x-should-retry", "").strip().lower() == "false":
        return NEVER
    wait = _seconds(headers.get("retry-after-ms"), 0.001)
    for name in ("retry-after", "llm_provider-retry-after"):
        if wait is None:
            wait = _seconds(headers.get(name), 1.0)
        if wait is None:
            wait = _until(headers.get(name), now)
    if wait is None:
        return None
    return wait if wait <= LONGEST_WAIT_S else NEVER


def backoff(attempt: int, jitter: Callable[[], float]) -> float:
    """Seconds before try number `attempt` (from 1): doubling, with up to a quarter less by chance (`jitter` in 0..1)."""
    wait: float = min(FIRST_WAIT_S * 2 ** (attempt - 1), LONGEST_BACKOFF_S)
    return wait * (1 - 0.25 * jitter())


def _seconds(text: str | None, unit: float) -> float | None:
    try:
        value = float(text or "") * unit
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _until(text: str | None, now: float) -> float | None:
    if not text or text[:4] not in _WEEKDAYS:
        return None
    from email.utils import parsedate_to_datetime

    try:
        wait = parsedate_to_datetime(text).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return None
    return wait if wait > 0 else None
