"""Assignments of environment variables in the words of each shell, safe for every text that a variable can hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# PowerShell takes each of these for the end of a text in single quotes.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


class Shell(NamedTuple):
    """How one shell, or reader of files, writes `NAME=value`; `remark` is how a comment begins, empty where there is none.

    `refuses` says why a value cannot be written so, None where it can.
    """

    assign: Callable[[str, str], str]
    remark: str = "# "
    refuses: Callable[[str], str | None] = lambda _: None


def posix(text: str) -> str:
    """A word of sh: in single quotes, which end and begin again around each single quote."""
    return text if _SAFE.fullmatch(text) else "'" + text.replace("'", "'\"'\"'") + "'"


def fish(text: str) -> str:
    """A word of fish, where backslashes count in single quotes."""
    return text if _SAFE.fullmatch(text) else "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def powershell(text: str) -> str:
    """A text of PowerShell in single quotes, which are doubled within."""
    return "'" + _POWERSHELL_QUOTES.sub(r"\1\1", text) + "'"


def dotenv(text: str) -> str:
    """A value of a .env file in the one form of it that sh and python-dotenv read alike."""
    if _SAFE.fullmatch(text):
        return text
    if not set("'\\") & set(text):
        return f"'{text}'"
    return '"' + re.sub(r'([\\"])', r"\\\1", text) + '"'


def _in_dotenv(text: str) -> str | None:
    """In single quotes readers disagree on backslashes and on ${, in double ones on dollars."""
    apart = "${" in text or (set("'\\") & set(text) and set("$`") & set(text))
    return "readers of .env files disagree on ${, and on a $ or ` beside a ' or \\" if apart else None


def _in_docker(text: str) -> str | None:
    return "this form has one line for a value" if set("\n\r") & set(text) else None


SHELLS: dict[str, Shell] = {
    "sh": Shell(lambda name, value: f"export {name}={posix(value)}"),
    "fish": Shell(lambda name, value: f"set -gx {name} {fish(value)}"),
    "powershell": Shell(lambda name, value: f"$env:{name} = {powershell(value)}"),
    "dotenv": Shell(lambda name, value: f"{name}={dotenv(value)}", refuses=_in_dotenv),
    # What `docker run --env-file` and `env` take: nothing is quoted, so a value is one line, and a remark would be a variable.
    "docker": Shell(lambda name, value: f"{name}={value}", remark="", refuses=_in_docker),
}
