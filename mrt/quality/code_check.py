"""Whether code in an answer is whole: fences closed, Python and JSON parse, brackets balance."""

from __future__ import annotations

import re

from mrt.quality.brackets import BRACE_LANGUAGES, bracket_problem
from mrt.quality.extract import CodeBlock, code_blocks, without_blocks
from mrt.quality.intent import Intent, names_only_python
from mrt.quality.json_text import json_problem
from mrt.quality.python_code import PYTHON_NAMES, looks_like_python, python_problem

# Whatever might be code: declarations, SQL, shell commands, ends of statements, calls (not big O), operators, markup.
_CODE_LINE = (
    r"(?m)^\s*(?:(?:async )?(?:def|func|fn|function) \w|class \w+ ?[:({]|import \w+$|from \S+ import\b|package \w+$|#include|#!|"
    r"select\b.+\bfrom\b|insert into|update \w+ set|delete from|create (?:table|index|view|function)|"
    r"(?:sudo|npm|pip3?|git|echo|ls|grep|awk|sed|curl|docker|\$) \S)|"
    r"[;{}]\s*$|\w(?<!\bo)\((?!s\))[^)\n]{0,200}\)|[=!<>]=|->|=>|::|&&|\|\||:=|\S = \S|\S \| \S|\s--?\w|"
    r"\\[wdsb.]|\][+*?{]|`[^`\n]+`|</?\w[^>\n]{0,200}>"
)
_LEFT_OUT = r"\.\.\.|…|//|/\*"
_SHORT_FRAGMENT = 3  # lines; an explanation may show a piece of a block


def code_problem(answer: str, prompt: str, wanted: Intent) -> str | None:
    """What is broken about the answer's code, or that code was ordered and none came; None when nothing is."""
    if not wanted.code:
        return None
    python = names_only_python(prompt)
    if python and looks_like_python(answer) and python_problem(answer) is None:
        return None  # unfenced Python: fences inside it belong to its docstrings
    blocks = code_blocks(answer)
    if not blocks:
        return _unfenced_problem(answer, python, wanted)
    labelled = any(block.language in PYTHON_NAMES for block in blocks)
    for number, block in enumerate(blocks, start=1):
        problem = _block_problem(block, python and not labelled, wanted.strong_code)
        if problem is not None:
            return f"code block {number} of {len(blocks)}{problem}"
    empty = not any(block.code.strip() for block in blocks)
    return _unfenced_problem(without_blocks(answer), False, wanted) if empty else None


def _unfenced_problem(text: str, python: bool, wanted: Intent) -> str | None:
    if python and looks_like_python(text):
        problem = python_problem(text)
        return None if problem is None else f"the Python does not parse: {problem}"
    missing = wanted.strong_code and not re.search(_CODE_LINE, text.lower())
    return "no code in the answer" if missing else None


def _block_problem(block: CodeBlock, python: bool, strong: bool) -> str | None:
    if not block.closed:
        stray = not block.code.strip() and not block.language
        return None if stray else " is not closed"
    if not block.code.strip():
        return None
    problem = _syntax_problem(block, python, strong)
    return None if problem is None else f" ({block.language or 'Python'}) {problem}"


def _syntax_problem(block: CodeBlock, python: bool, strong: bool) -> str | None:
    if block.language in PYTHON_NAMES or (python and not block.language and looks_like_python(block.code)):
        return _prefixed("does not parse: ", python_problem(block.code))
    if block.language == "json" and not re.search(_LEFT_OUT, block.code):  # what leaves parts out is an illustration
        return _prefixed("does not parse: ", json_problem(block.code))
    if block.language in BRACE_LANGUAGES and block.code.count("\n") >= (1 if strong else _SHORT_FRAGMENT):
        return _prefixed("is unbalanced: ", bracket_problem(block.code))
    return None


def _prefixed(prefix: str, problem: str | None) -> str | None:
    return None if problem is None else prefix + problem
