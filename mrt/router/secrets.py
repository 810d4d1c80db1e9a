"""What in a prompt looks like a secret, so that it can be kept on this side."""

from __future__ import annotations

import re

from mrt.config.secrets import looks_secret

_ASSIGNED = (
    r"(?i)\b[\w.-]*(?:passw(?:or)?d|secret|token|api[_-]?key)[\w.-]*[\"']?\s*[:=]\s*[\"']?(?![\"'${<])"
    r"(?=[^\s\"',;]*\d)[^\s\"',;]{8,}"
)
_MORE = (
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    ("an AWS access key", r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    ("a Slack token", r"(?<![A-Za-z0-9])xox[abpors]-[A-Za-z0-9-]{10,}"),
    ("a password or token", _ASSIGNED),
)


def secret_in(text: str) -> str | None:
    """What was found, in words that do not show it; None when nothing was."""
    if looks_secret(text):
        return "what looks like a key"
    return next((name for name, pattern in _MORE if re.search(pattern, text)), None)
