"""Finds the program in a model's answer. The code is taken as it is: nothing is repaired, renamed or cut out of it."""

from __future__ import annotations

import ast
import builtins
import itertools
import json
import re
import symtable
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from mrt.frozen import frozen

Method = Literal["fenced", "fenced with helpers", "unfenced", "none"]

_FENCED: Method = "fenced"
_LOOSE: Method = "unfenced"
_TAG = r"(?:think|thinking|thought|reasoning)"
_CLOSED_THOUGHT = re.compile(rf"<({_TAG})>(?:(?!<{_TAG}>).)*?</\1>", re.DOTALL)
_CLOSING, _OPENING = re.compile(rf"</{_TAG}>"), re.compile(rf"<{_TAG}>")
_TAGS = re.compile(rf"</?{_TAG}>")
_FENCE = re.compile(r"((?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t])))*[ \t]*)(`{3,}|~{3,})([^\n]*)")
_MASK = "\ue000"  # of a private-use area: no model writes it
# A program that begins on the line of its fence, where only the name of the language may stand.
_GLUED = re.compile(
    r"^([^\n`~]*(?:`{3,}|~{3,})[ \t]*(?:(?:python3?|py)(?=[ \t]))?)[ \t]*"
    r"((?:(?:async[ \t]+)?def|class|import)[ \t]+\w[^\n`]*|from[ \t]+[\w.]+[ \t]+import\b[^\n`]*|@\w[^\n`]*)$",
    re.MULTILINE | re.IGNORECASE,
)
_MARKED = re.compile(r"(?<!`)`{1,3}([^`\n]+)`{1,3}(?!`)")
_MARKUP = re.compile(r"</?(?:pre|code|python|answer|solution)\b[^<>\n]*>", re.IGNORECASE)
_BUILTINS = frozenset(dir(builtins))
_STATEMENT = re.compile(r"(?:async def|def|class|import|from|@)\b|@\w")
# In one answer, bodies that do not parse are tried against this many later closing fences in all, and so many starts of loose
# code are tried: answers are small.
_MOST_TRIES = 200


@frozen
class Extracted:
    """The program found, how, and why not another; `defines` says whether it defines the name that was asked for."""

    code: str
    method: Method
    reason: str
    defines: bool


@frozen
class _Block:
    code: str
    made: frozenset[str]
    defined: frozenset[str]
    used: frozenset[str]


def extract(answer: str, entry: str) -> Extracted:
    """The code of `answer` that defines `entry`: the last block that does, with the others whose names it needs."""
    text = without_thoughts(answer.replace("\r\n", "\n").replace("\r", "\n"))
    fenced = [block for _, code in _fenced(text) if (block := _block(code)) is not None]
    found = _chosen(fenced, entry)
    if found is not None:
        return _put_together(fenced, found, _FENCED, entry)
    loose = [block for code in _unfenced(text) if (block := _block(code)) is not None]
    found = _chosen(loose, entry)
    if found is not None:
        return _put_together(loose, found, _LOOSE, entry)
    wrapped = [block for code in _wrapped(text) if entry in code and (block := _block(code)) is not None]
    found = _chosen(wrapped, entry)
    if found is not None:
        return _put_together(wrapped, found, _LOOSE, entry)
    glued = [block for _, code in _fenced(_GLUED.sub(r"\1\n\2", text)) if (block := _block(code)) is not None]
    found = _chosen(glued, entry)
    if found is not None:
        return _put_together(glued, found, _FENCED, entry)
    for blocks, method in ((fenced, _FENCED), (loose, _LOOSE)):
        found = _last(blocks, lambda block: bool(block.defined))
        if found is not None:
            return _put_together(blocks, found, method, entry)
    return Extracted("", "none", "nothing in the answer is Python that defines anything", False)


def _chosen(blocks: Sequence[_Block], entry: str) -> int | None:
    """The last block that makes the name; one that only imports it, or has a stub of it, where there is no other."""
    made = _last(blocks, lambda block: entry in block.made)
    return made if made is not None else _last(blocks, lambda block: entry in block.defined)


def _put_together(blocks: Sequence[_Block], chosen: int, method: Method, entry: str) -> Extracted:
    helpers = _helpers(blocks, chosen)
    code = _joined([blocks[at].code for at in (*helpers, chosen)])
    reason = "no fenced block" if method == _LOOSE else f"block {chosen + 1} of {len(blocks)} that parse"
    if helpers:
        reason += f", with {len(helpers)} other{'s' * (len(helpers) > 1)} that it needs"
        method = "fenced with helpers" if method == _FENCED else method
    return Extracted(code, method, reason, entry in blocks[chosen].defined)


def _joined(pieces: Sequence[str]) -> str:
    """The pieces as one program: imports from `__future__` must stand before all else, so those of later pieces go first."""
    if len(pieces) == 1:
        return pieces[0]
    futures: dict[str, None] = {}
    rest = []
    for piece in pieces:
        lines = piece.split("\n")
        for node in tree.body if (tree := _parsed(piece)) else ():
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                span = slice(node.lineno - 1, node.end_lineno)
                futures["\n".join(lines[span])] = None
                lines[span] = [""] * len(lines[span])
        rest.append("\n".join(lines))
    return "\n\n".join([*futures, *rest])


def _last(blocks: Sequence[_Block], fits: Callable[[_Block], bool]) -> int | None:
    return next((at for at in reversed(range(len(blocks))) if fits(blocks[at])), None)


def without_thoughts(text: str) -> str:
    """The text without reasoning: closed blocks, all before a closing tag without an opening one, all after an unclosed one.

    A tag within a program that parses, in a string or a comment, begins and ends no thought.
    """
    if _TAGS.search(text) is None or _parsed(text) is not None:
        return text
    return _outside_thoughts(_masked(text)).replace(_MASK, "")


def _masked(text: str) -> str:
    lines = text.split("\n")
    for span, code in _fenced(text):
        if _TAGS.search(code) and _parsed(code) is not None:
            for at in span:
                lines[at] = _TAGS.sub(lambda tag: f"<{_MASK}{tag[0][1:]}", lines[at])
    return "\n".join(lines)


def _outside_thoughts(text: str) -> str:
    while (shorter := _CLOSED_THOUGHT.sub("", text)) != text:
        text = shorter
    closings = list(_CLOSING.finditer(text))
    if closings:
        text = text[closings[-1].end() :]
    opening = _OPENING.search(text)
    return text[: opening.start()] if opening else text


def _fenced(text: str) -> Iterator[tuple[range, str]]:
    """The lines and the code of every fenced block."""
    lines = text.split("\n")
    tries = iter(range(_MOST_TRIES))
    at = 0
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        at += 1
        if opening is None or (opening[2][0] == "`" and "`" in opening[3]):
            continue
        code, end = _body(lines, at, opening, tries)
        yield range(at, end), code
        at = end + 1


def _body(lines: Sequence[str], start: int, opening: re.Match[str], tries: Iterator[int]) -> tuple[str, int]:
    """The code from `start` to the first closing fence with which it parses, and the line of that fence."""
    quotes = opening[1].count(">")
    closers = (at for at in range(start, len(lines)) if _closes(lines[at], opening[2]))
    end = next(closers, None)
    if end is None:
        return _open_body(lines, start, opening), len(lines)
    first = _dedented(lines[start:end], quotes)
    if _parsed(first) is None:
        for _, later in zip(tries, itertools.chain(closers, (len(lines),)), strict=False):
            code = _dedented(lines[start:later], quotes)
            if _parsed(code) is not None:
                return code, later
    return first, end


def _open_body(lines: Sequence[str], start: int, opening: re.Match[str]) -> str:
    """The code of a block without a closing line: up to a fence at the end of a line of code, else as far as it parses."""
    fence, quotes = opening[2], opening[1].count(">")
    for at in range(start, len(lines)):
        if lines[at].rstrip().endswith(fence):
            code = _dedented([*lines[start:at], lines[at].rstrip().rstrip(fence[0])], quotes)
            if _parsed(code) is not None:
                return code
            break
    return _longest(_dedented(lines[start:], quotes).split("\n"))


def _closes(line: str, fence: str) -> bool:
    mark = line.strip(" \t\r>")
    return len(mark) >= len(fence) and not mark.strip(fence[0])


def _dedented(lines: Sequence[str], quotes: int) -> str:
    if quotes:
        lines = [re.sub(rf"^(?:[ \t]*>){{0,{quotes}}}[ \t]?", "", line) for line in lines]
    return textwrap.dedent("\n".join(lines))


def _unfenced(text: str) -> Iterator[str]:
    """Pieces of code in the text, each from a line that begins a statement as far as it parses."""
    lines = text.split("\n")
    after = tries = 0
    for start, line in enumerate(lines):
        if start < after or tries == _MOST_TRIES or not _STATEMENT.match(line.strip()):
            continue
        tries += 1
        code = _longest(textwrap.dedent("\n".join(_as_deep(lines[start:]))).split("\n"))
        if code:
            yield code
            after = start + code.count("\n") + 1


def _wrapped(text: str) -> Iterator[str]:
    """What may be code where no block is: strings of JSON, text between tags of a page, marked words in a line."""
    bodies = [text, *(code for _, code in _fenced(text)), *_MARKUP.split(text)[1:-1]]
    for body in bodies[:_MOST_TRIES]:
        yield from _strings(body.strip())
        yield textwrap.dedent(body)
    yield from (found[1].strip() for found in itertools.islice(_MARKED.finditer(text), _MOST_TRIES))


def _strings(text: str) -> Iterator[str]:
    start = text.find("{")
    try:
        left = [json.JSONDecoder().raw_decode(text, start)[0]] if start >= 0 else []
    except (ValueError, RecursionError):
        return
    while left:
        value = left.pop(0)
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value


def _as_deep(lines: Sequence[str]) -> Iterator[str]:
    """The lines up to the first that is indented less than the first one."""
    margin = len(lines[0]) - len(lines[0].lstrip())
    return itertools.takewhile(lambda line: not line[:margin].strip(), lines)


def _longest(lines: Sequence[str]) -> str:
    """As many of the lines, from the first, as are Python: a line that is none ends it."""
    end = len(lines)
    while end > 0:
        code = "\n".join(lines[:end])
        fault = _fault(code)
        if fault is None:
            return code
        end = min(fault, end) - 1
    return ""


def _parsed(code: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return None if _fault(code) is not None else ast.parse(code)


def _fault(code: str) -> int | None:
    """The line, from 1, at which the code stops being Python; None where it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in a string is the model's own business
        try:
            ast.parse(code)
        except SyntaxError as error:
            return max(error.lineno or 1, 1)
        except (ValueError, RecursionError, MemoryError):
            return 1
    return None


def _block(code: str) -> _Block | None:
    code = code.removeprefix("\ufeff")
    tree = _parsed(code) if code.strip() else None
    if tree is None:
        return None
    strong = [node for node in tree.body if not (_is_stub(node) or isinstance(node, ast.Import | ast.ImportFrom))]
    return _Block(code, frozenset(_bound(strong)), frozenset(_bound(tree.body)), frozenset(_free(code)))


def _is_stub(node: ast.stmt) -> bool:
    """Whether a definition has no body but a docstring, `...`, `pass` or `raise NotImplementedError`; of a class, all methods."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    body = [
        statement
        for statement in node.body
        if not (
            isinstance(statement, ast.Pass)
            or (isinstance(statement, ast.Raise) and ast.unparse(statement).startswith("raise NotImplementedError"))
            or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        )
    ]
    return all(map(_is_stub, body)) if isinstance(node, ast.ClassDef) else not body


def _bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Names that these statements define in the module, also beneath `try`, `if` and `with`."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from ((name.asname or name.name).partition(".")[0] for name in statement.names)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))
        else:
            for part in ("body", "orelse", "finalbody"):
                yield from _bound(getattr(statement, part, ()))
            for handler in getattr(statement, "handlers", ()):
                yield from _bound(handler.body)


def _free(code: str) -> Iterator[str]:
    """Names that the program takes from its module, not from a function of its own."""
    try:
        tables = [symtable.symtable(code, "<answer>", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # it parses, but cannot run: `return` outside of a function, for one
    while tables:
        table = tables.pop()
        tables += table.get_children()
        top = table.get_type() == "module"
        yield from (
            name.get_name() for name in table.get_symbols() if name.is_referenced() and (top or name.is_global())
        )


def _helpers(blocks: Sequence[_Block], chosen: int) -> tuple[int, ...]:
    """The other blocks that define what the chosen one lacks: the latest before it, else the first behind it."""
    needed = blocks[chosen].used - blocks[chosen].defined
    found: set[int] = set()
    for at in (*range(chosen - 1, -1, -1), *range(chosen + 1, len(blocks))):
        gives = blocks[at].defined & needed
        if gives or ("*" in blocks[at].defined and needed - _BUILTINS):
            found.add(at)
            needed = (needed - gives) | (blocks[at].used - blocks[at].defined)
    return tuple(sorted(found))
