"""Whether the brackets of C-like code balance."""

from __future__ import annotations

import re

from mrt.quality.vocabulary import words

BRACE_LANGUAGES = words(
    """c h cpp c++ cc cxx hpp cs c# csharp java kotlin kt scala swift dart go golang rust rs js jsx javascript mjs ts tsx
    typescript php"""
)
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
# Comments, then literals. A quote that finds no partner on its line is an apostrophe or a lifetime, so it stays.
_HIDDEN = r"""(?xs)//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)
    |\"\"\".{0,9999}?\"\"\"
    |r(\#+)".{0,9999}?"\1
    |R"\(.{0,9999}?\)"
    |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`
    |(?<=[=(,:!&|?;])[ ]*/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/"""


def bracket_problem(code: str) -> str | None:
    """Which brackets are clearly unbalanced, with the counts, or None.

    Clearly: literals and comments left out, and also with them, for no simple reader gets every literal of every
    language right.
    """
    if re.search(r"(?m)^\s*#\s*if", code):
        return None  # the branches of a preprocessor may each open what is closed once
    bare = re.sub(_HIDDEN, " ", code)
    for opening, closing in _PAIRS:
        missing = bare.count(opening) - bare.count(closing)
        if missing and missing * (code.count(opening) - code.count(closing)) > 0:
            return f"{bare.count(opening)} {opening} and {bare.count(closing)} {closing}"
    return None
