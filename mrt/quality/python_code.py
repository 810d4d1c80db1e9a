"""Whether Python in an answer parses, with leave for what people write in snippets."""

from __future__ import annotations

import re

PYTHON_NAMES = frozenset({"python", "py", "python3", "py3"})
_START = (
    r"(?:async def|def|class|import|from|try|with|for|while|if|@\w|#|\"\"\"|\'\'\'|print\(|"
    r"[A-Za-z_][\w., ]*(?:: ?\w+)? ?=[^=])"
)
_LINE = (
    r"\s*(?:$|#|@\w|[)\]}]|\"\"\"|\'\'\'|(?:async )?(?:def|class) \w|"
    r"(?:async )?(?:for\b(?=[^\n]* in )|while\b|if\b|elif\b|else\b|try\b|except\b|finally\b|with\b|match\b|case\b)[^:\n]*:|"
    r"(?:return|raise|assert|yield|del|global|nonlocal|await)\b(?! (?:the|an?)\b)|(?:pass|break|continue)\s*$|"
    r"import [\w., ]+$|from [\w.]+ import\b|[\w.\[\]\'\", *:|]+ ?[-+*/|&%]?=|[\w.]+\()|\s{4}"
)


def python_problem(code: str) -> str | None:
    """Why a block is not Python, with its line, or None. Interpreter sessions and cells of other languages pass."""
    import textwrap

    code = textwrap.dedent(code)
    if re.search(r"^(?:>>>|In \[\d+\]:)", code, re.MULTILINE) or code.lstrip().startswith("%%"):
        return None
    problem = _syntax_problem(code)
    return problem if problem is not None and _syntax_problem(_completed(code)) is not None else None


def looks_like_python(text: str) -> bool:
    """Whether unfenced or unlabelled text can be nothing but Python: every line has the form of a statement."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines or not re.match(_START, lines[0].lstrip()):
        return False
    return all(re.match(_LINE, line) for line in lines)


def _syntax_problem(code: str) -> str | None:
    import ast
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in a string is the model's own business
        try:
            compile(code, "<answer>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        except SyntaxError as error:
            return f"line {error.lineno}: {error.msg}"
        except (ValueError, RecursionError, MemoryError) as error:
            return str(error) or "nested too deeply"
    return None


def _completed(code: str) -> str:
    """The same with notebook commands and "..." for left-out parts turned into Python that parses."""
    code = re.sub(r"^([ \t]*)[%!?][^\n]*", r"\1pass", code.replace("…", "..."), flags=re.MULTILINE)
    code = re.sub(r"^([ \t]*)\.\.\.[^\n]+", r"\1...", code, flags=re.MULTILINE)
    code = re.sub(r",\s*\.\.\.\s*(?=[}\])])", "", code)
    return re.sub(r"(?<=[\s(,])\.\.\.(?=[\s),:])", "_", code)
