"""Mend a request that a server rejects for one of its fields, once per field; what was learned can be kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HEALABLE_STATUS = frozenset({400, 404, 422, 500, 501})
# Without these there is no request. Token limits are renamed, never dropped: a request without one has no upper price.
_ESSENTIAL = frozenset({"model", "messages", "stream", "system", "options"})
_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_UNSUPPORTED = (
    r"unsupported|not supported|does not support|doesn't support|unrecognized|unknown|unexpected|not permitted|extra_forbidden"
    r"|extra inputs|additional propert|not allowed|invalid (?:field|parameter|argument)|only the default|instead|is deprecated"
    r"|requires --|cannot be used|incompatible"
)
_LARGE = r"too large|too big|cannot be greater|exceeds?|at most|maximum|less than or equal"
_TOOLS = r"\btools?\b|tool choice|function calling"
# Longer runs of digits count no tokens.
_NUMBER = r"(?<![0-9])[0-9]{1,12}(?![0-9])"
SMALLEST_LIMIT = 16
ONLY_NOW = "now"

Quirks = Mapping[str, str]


def heal(status: int, evidence: str, body: Mapping[str, Any], quirks: Quirks) -> dict[str, str] | None:
    """What to change, as facts to remember ("drop:stream_options"), or None when the rejection has another cause.

    `evidence` is the raw error body, `body` the request as sent. A fact already in `quirks` is never proposed again, which
    bounds the retries.
    """
    if status not in HEALABLE_STATUS:
        return None
    for proposal in (_limit(evidence, body), _tools(evidence, body), _field(status, evidence, body)):
        if proposal and not set(proposal) <= set(quirks):
            return proposal
    return None


def _limit(evidence: str, body: Mapping[str, Any]) -> dict[str, str] | None:
    sent = next((name for name in _LIMITS if name in body), None)
    if sent is None or not _names(sent, evidence):
        return None
    if re.search(_LARGE, evidence, re.IGNORECASE):
        return _smaller(int(body[sent]), evidence)
    unsupported = re.search(_UNSUPPORTED, evidence, re.IGNORECASE)
    return {"rename:max_tokens": _LIMITS[sent]} if unsupported else None


def _smaller(limit: int, evidence: str) -> dict[str, str] | None:
    """A limit that the message allows: the bound it names less the prompt, or half of it when the prompt is not counted."""
    bound = max((number for number in map(int, re.findall(_NUMBER, evidence)) if number < limit), default=0)
    prompt = _prompt_tokens(evidence)
    room = bound // 2 if prompt is None else bound - prompt
    return {"cap:max_tokens": str(room)} if room >= SMALLEST_LIMIT else None


def _prompt_tokens(evidence: str) -> int | None:
    found = re.search(
        rf"({_NUMBER}) (?:input tokens|in the messages|tokens? in the (?:messages|prompt|input)|of text input)",
        evidence,
    )
    found = found or re.search(
        rf"(?:request has|prompt contains(?: at least)?|messages resulted in) ({_NUMBER})", evidence
    )
    return int(found[1]) if found else None


def _tools(evidence: str, body: Mapping[str, Any]) -> dict[str, str] | None:
    if "tools" in body and re.search(_TOOLS, evidence, re.IGNORECASE):
        # llama.cpp cannot give probabilities beside streamed tool calls; the probabilities are the smaller loss.
        if "logprobs" in body and "logprobs" in evidence:
            return {"drop:logprobs": "1"}
        return {"drop:tools": "1"}
    return None


def _field(status: int, evidence: str, body: Mapping[str, Any]) -> dict[str, str] | None:
    for name in body:
        if name in _ESSENTIAL or name in _LIMITS or not _names(name, evidence):
            continue
        if re.search(_UNSUPPORTED, evidence, re.IGNORECASE):
            return {f"drop:{name}": "1"}
        if status in (400, 422):
            # Perhaps only this value is wrong: worth a try without, not worth remembering. Other errors merely quote the request.
            return {f"drop:{name}": ONLY_NOW}
    return None


def _names(field: str, evidence: str) -> bool:
    return re.search(rf"(?<![A-Za-z_]){re.escape(field)}(?![A-Za-z_])", evidence) is not None


def apply(body: dict[str, Any], quirks: Quirks) -> dict[str, Any]:
    """The request body as this endpoint and model want it."""
    changed = {name: value for name, value in body.items() if f"drop:{name}" not in quirks}
    for sent in _LIMITS:
        if sent in changed and "cap:max_tokens" in quirks:
            changed[sent] = min(changed[sent], int(quirks["cap:max_tokens"]))
        if sent in changed and "rename:max_tokens" in quirks:
            changed[quirks["rename:max_tokens"]] = changed.pop(sent)
            break
    return changed
