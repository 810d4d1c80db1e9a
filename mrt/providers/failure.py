"""Read a server's error in any of the shapes that servers use, and say which failure it is."""

from __future__ import annotations

import re
from typing import Any

from mrt.errors import (
    AuthError,
    BadRequest,
    ContextOverflow,
    Filtered,
    ModelNotFound,
    MrtError,
    NotAnApi,
    Overloaded,
    QuotaExceeded,
    RateLimited,
    UpstreamError,
)
from mrt.providers.jsontext import dump, parse

_CONTEXT = (
    r"context[ _]?(?:length|window|size|limit)|maximum context|max_model_len|exceed_context|prompt is too long"
    r"|too many (?:input )?tokens|input (?:is|was) too long"
    r"|exceeds? the (?:available|maximum|model'?s?) (?:context|number of tokens)"
    r"|maximum number of tokens|longer than the (?:model|context)|n_ctx"
)
_QUOTA = (
    r"insufficient_quota|exceeded your (?:current )?quota|quota (?:has been )?exceeded|billing"
    r"|insufficient (?:credit|balance|funds)"
    r"|credit balance|out of credits|payment required|budget has been exceeded|budget_exceeded|crossed budget"
    r"|requires more credits"
)
_AUTH = (
    r"no_db_connection|authentication_error|auth_error|invalid[ _]api[ _]?key|incorrect api key|api key not valid|unauthori[sz]ed"
    r"|permission_error|permission_denied|invalid x-api-key|no api key"
)
_MODEL = (
    r"model_not_found|not_found_error.*model|model .{0,200}(?:not found|does not exist|is not loaded|not available)"
    r"|invalid model name|no such model|unknown model|could not find suitable inference handler|no models loaded"
)
_FILTER = r"content_filter|content[ _]management[ _]policy|content_policy_violation|responsibleai"
_BUSY = r"overloaded|loading model|server busy|unavailable_error|no slot available|capacity|try again"
_RATE = r"rate[ _-]?limit|throttl|too many requests|resource_exhausted"


DEEPEST_ERROR = 4
LONGEST_MESSAGE = 2000
# Codes and names stand at the beginning; patterns over a megabyte of somebody's log would take minutes.
LONGEST_EVIDENCE = 8000
_LONGEST_CODE = 4  # digits


def error_text(payload: Any, depth: int = 0) -> str | None:
    """The message of an error payload, or None when the payload is no error."""
    if depth > DEEPEST_ERROR:
        return None
    if isinstance(payload, list):
        return next((text for item in payload if (text := error_text(item, depth + 1))), None)
    if not isinstance(payload, dict):
        return None
    if payload.get("error"):
        return _message(payload["error"], depth)
    if payload.get("error_message") or payload.get("error_type"):
        return _message(payload.get("error_message") or payload["error_type"], depth)
    if payload.get("object") == "error" or payload.get("type") == "error":
        return _message(payload.get("message") or payload, depth)
    for key in ("detail", "errors"):
        if payload.get(key) and "choices" not in payload:
            return _message(payload[key], depth)
    return None


def _message(error: Any, depth: int) -> str:
    if isinstance(error, str):
        return _unwrap(error, depth)
    if depth > DEEPEST_ERROR:
        return dump(error)
    if isinstance(error, list):
        return "; ".join(_message(item, depth + 1) for item in error[:5]) or dump(error)
    if isinstance(error, dict):
        for key in ("message", "msg", "detail", "error", "error_message", "reason", "type", "code"):
            if error.get(key):
                return _located(_message(error[key], depth + 1), error)
    return dump(error)


def _located(text: str, error: dict[str, Any]) -> str:
    """FastAPI says in `loc` which field it means; without it "field required" helps nobody."""
    location = error.get("loc")
    return f"{text} ({'.'.join(map(str, location))})" if isinstance(location, list) else text


def _unwrap(text: str, depth: int) -> str:
    """Ollama passes llama.cpp's error on as JSON inside the string."""
    if depth < DEEPEST_ERROR and text.lstrip().startswith("{"):
        try:
            return error_text(parse(text), depth + 1) or text
        except ValueError:
            return text
    return text


def in_stream(payload: Any, text: str) -> MrtError:
    """The failure that an error inside a 200 stream stands for; its numeric code counts like a status."""
    error = payload.get("error") if isinstance(payload, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return classify(_status(code), text, dump(payload))


def _status(code: Any) -> int:
    if isinstance(code, str):
        return int(code) if re.fullmatch(rf"[0-9]{{1,{_LONGEST_CODE}}}", code) else 0
    return code if isinstance(code, int) and not isinstance(code, bool) else 0


def classify(status: int, text: str, evidence: str = "") -> MrtError:
    """The failure for an HTTP status and a message; `evidence` is the raw body, whose codes tell more than the status."""
    words = f"{text[:LONGEST_EVIDENCE]} {evidence[:LONGEST_EVIDENCE]}"
    message = text[:LONGEST_MESSAGE] or f"HTTP {status}"
    for matches, kind in _RULES:
        if matches(status, words):
            return kind(message)
    return UpstreamError(message)


def _says(pattern: str, words: str) -> bool:
    # The patterns stay text until an error comes: most runs never need them compiled.
    return re.search(pattern, words, re.IGNORECASE | re.DOTALL) is not None


def _is_quota(status: int, words: str) -> bool:
    return status == 402 or (status in (0, 400, 403, 429) and _says(_QUOTA, words))


def _is_auth(status: int, words: str) -> bool:
    return status in (401, 403) or (status in (0, 400) and _says(_AUTH, words))


def _is_overloaded(status: int, words: str) -> bool:
    return status in (409, 425, 503, 529) or (status == 0 and _says(_BUSY, words))


# The first rule that holds names the failure; the order goes from the specific to the general.
_RULES: tuple[tuple[Any, type[MrtError]], ...] = (
    (_is_quota, QuotaExceeded),
    (lambda status, words: status == 429 or (status == 0 and _says(_RATE, words)), RateLimited),
    (lambda status, words: status in (0, 400, 413, 422, 500) and _says(_CONTEXT, words), ContextOverflow),
    (lambda status, words: status in (0, 400, 403) and _says(_FILTER, words), Filtered),
    (_is_auth, AuthError),
    (lambda status, words: status in (0, 400, 404, 500) and _says(_MODEL, words), ModelNotFound),
    (_is_overloaded, Overloaded),
    (lambda status, words: status in (404, 405) and "<html" in words.lower(), NotAnApi),
    (lambda status, words: 400 <= status < 500, BadRequest),
)
