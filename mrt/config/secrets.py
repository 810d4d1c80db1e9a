"""What looks like a key, so that none is shown and none stays in a file where it does not belong."""

from __future__ import annotations

import re

MASK = "***"
_WORD_START = r"(?<![A-Za-z0-9])"
_KEY_SHAPES = re.compile(
    _WORD_START + r"(?:"
    # OpenAI, Anthropic, OpenRouter, DeepSeek, LiteLLM. A digit or some length, since "sk-learn" is no key.
    r"sk-(?=[A-Za-z_-]*\d|[A-Za-z_-]{20})[A-Za-z0-9_-]{4,}"
    r"|(?:gsk_|xai-|hf_|gh[opsru]_|github_pat_|glpat-)[A-Za-z0-9_-]{16,}"
    r"|AIza[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)?"
    r")"
)
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)")
_USER_IN_URL = re.compile(r"(?<=//)[^/?#]*@")
_KEY_NAMES = frozenset(
    {"key", "apikey", "api_key", "x_api_key", "api_token", "auth_token", "access_token", "token", "secret", "password"}
    | {"authorization", "bearer"}
)


def looks_secret(text: str) -> bool:
    """Whether a key of a known shape, or a password inside a URL, stands anywhere in the text."""
    return bool(_KEY_SHAPES.search(text) or _PASSWORD_IN_URL.search(text))


def mask(text: str) -> str:
    """The text with everything that looks like a key replaced."""
    return _PASSWORD_IN_URL.sub(MASK, _KEY_SHAPES.sub(MASK, text))


def shown(url: str) -> str:
    """A URL as messages and stores may have it: without a user's name and password, and without a query, which may hold a key."""
    return _USER_IN_URL.sub("", url).partition("?")[0].partition("#")[0]


def names_secret(key: str) -> bool:
    """Whether a key of this name would hold a secret itself, as `api_key` does and `key_env` does not."""
    return key.lower().replace("-", "_") in _KEY_NAMES
