"""Code blocks are found where CommonMark sees them, and come out exactly."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrt.quality import CodeBlock, code_blocks, extract_code
from mrt.quality.extract import without_blocks

BLOCKS = {
    "none": ("just words, and `inline` code", ()),
    "backticks": ("a\n```python\nx = 1\n```\nb", (CodeBlock("python", "x = 1", True),)),
    "tildes": ("~~~js\nf()\n~~~\n", (CodeBlock("js", "f()", True),)),
    "no language": ("```\nx\n```", (CodeBlock("", "x", True),)),
    "two": ("```a\n1\n```\nand\n```b\n2\n```", (CodeBlock("a", "1", True), CodeBlock("b", "2", True))),
    "empty": ("```\n```", (CodeBlock("", "", True),)),
    "blank lines stay": ("```\n\nx\n\n```", (CodeBlock("", "\nx\n", True),)),
    "unclosed": ("```py\nx = 1\n", (CodeBlock("py", "x = 1", False),)),
    "unclosed without a final newline": ("```py\nx = 1", (CodeBlock("py", "x = 1", False),)),
    "unclosed and empty": ("text\n```", (CodeBlock("", "", False),)),
    "first closed, last not": ("```\n1\n```\n```\n2", (CodeBlock("", "1", True), CodeBlock("", "2", False))),
    "longer fence holds a shorter one": (
        "````md\n```py\nx\n```\n````",
        (CodeBlock("md", "```py\nx\n```", True),),
    ),
    "a longer fence closes": ("```\nx\n`````", (CodeBlock("", "x", True),)),
    "a shorter fence does not close": ("````\nx\n```", (CodeBlock("", "x\n```", False),)),
    "tildes do not close backticks": ("```\n~~~\n```", (CodeBlock("", "~~~", True),)),
    "backticks do not close tildes": ("~~~\n```\n~~~", (CodeBlock("", "```", True),)),
    "a fence with words does not close": ("```\nx\n``` y\n```", (CodeBlock("", "x\n``` y", True),)),
    "spaces after the closing fence": ("```\nx\n```  \nb", (CodeBlock("", "x", True),)),
    "indented": ("  ```py\n  if x:\n      y\n  ```", (CodeBlock("py", "if x:\n    y", True),)),
    "in a list": ("1. do\n\n   ```sh\n   ls\n   ```\n2. done", (CodeBlock("sh", "ls", True),)),
    "on the item's line": ("- ```sh\n  ls\n  ```\n", (CodeBlock("sh", "ls", True),)),
    "on the item's line, numbered": ("2. ```sh\n   ls\n   ```", (CodeBlock("sh", "ls", True),)),
    "less indented line keeps its text": ("    ```\n  x\n    ```", (CodeBlock("", "x", True),)),
    "closing fence less indented": ("   ```\n   x\n```", (CodeBlock("", "x", True),)),
    "fence in a docstring does not close": (
        '```python\ndef f():\n    """\n    ```\n    f()\n    ```\n    """\n```',
        (CodeBlock("python", 'def f():\n    """\n    ```\n    f()\n    ```\n    """', True),),
    ),
    "document with fences as long": (
        "```markdown\n# T\n```python\nx\n```\nend\n```\nafter",
        (CodeBlock("markdown", "# T\n```python\nx\n```\nend", True),),
    ),
    "document whose inner fence stays open": (
        "```markdown\n# T\n```python\nx\n```\nafter",
        (CodeBlock("markdown", "# T\n```python\nx", True),),
    ),
    "documents are told apart after one stayed open": (
        "```md\n```a\n```\n```md\nx\n```",
        (CodeBlock("md", "```a", True), CodeBlock("md", "x", True)),
    ),
    "CRLF": ("a\r\n```python\r\nx = 1\r\ny = 2\r\n```\r\nb", (CodeBlock("python", "x = 1\ny = 2", True),)),
    "lone carriage return is code": ("```\na\rb\n```", (CodeBlock("", "a\rb", True),)),
    "line separator is code": ("```\na\u2028b\x0c\n```", (CodeBlock("", "a\u2028b\x0c", True),)),
    "inline triple backticks": ("```x = 1```\nwords", ()),
    "two backticks": ("``\nx\n``", ()),
    "upper case": ("```Python\nx\n```", (CodeBlock("python", "x", True),)),
    "words after the language": ("```python title=a.py {1,2}\nx\n```", (CodeBlock("python", "x", True),)),
    "only a title": ('```title="a.py"\nx\n```', (CodeBlock("", "x", True),)),
    "file after the language": ("```python:a/b.py\nx\n```", (CodeBlock("python", "x", True),)),
    "attribute list": ("```{.python .numberLines}\nx\n```", (CodeBlock("python", "x", True),)),
    "comma": ("```rust,ignore\nx\n```", (CodeBlock("rust", "x", True),)),
    "signs in the name": ("```c++\nx\n```\n```c#\ny\n```", (CodeBlock("c++", "x", True), CodeBlock("c#", "y", True))),
    "space before the language": ("``` py\nx\n```", (CodeBlock("py", "x", True),)),
}


@pytest.mark.parametrize(("text", "blocks"), BLOCKS.values(), ids=BLOCKS)
def test_blocks(text: str, blocks: tuple[CodeBlock, ...]) -> None:
    assert code_blocks(text) == blocks


EXTRACTS = {
    "whole text without a block": ("echo hi\n", "echo hi\n", "echo hi\n"),
    "one": ("run\n```sh\nls -l\n```\n", "ls -l", "ls -l"),
    "first and last": ("```\n1\n```\n```\n2\n```", "1", "2"),
    "empty blocks do not count": ("```\n```\n```\nx\n```\n```\n\n```", "x", "x"),
    "unclosed": ("```\nx\ny\n", "x\ny", "x\ny"),
    "nothing": ("", "", ""),
    "CRLF": ("```\r\na\r\n```\r\n", "a", "a"),
}


@pytest.mark.parametrize(("text", "first", "last"), EXTRACTS.values(), ids=EXTRACTS)
def test_extract(text: str, first: str, last: str) -> None:
    assert extract_code(text) == first
    assert extract_code(text, last=True) == last


OUTSIDE = {
    "no block": ("a\nb", "a\nb"),
    "between": ("a\n```\nx\n```\nb", "a\nb"),
    "unclosed": ("a\n```\nx\ny", "a"),
    "two": ("```\nx\n```\nm\n~~~\ny\n~~~\nz", "m\nz"),
}


@pytest.mark.parametrize(("text", "rest"), OUTSIDE.values(), ids=OUTSIDE)
def test_outside(text: str, rest: str) -> None:
    assert without_blocks(text) == rest


LINES = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=30)
CODE = st.lists(LINES.filter(lambda line: "```" not in line), min_size=1, max_size=8).map("\n".join)


@given(CODE.filter(str.strip), st.sampled_from(["```", "````", "``````"]), st.sampled_from(["", "python", "c++"]))
def test_what_is_fenced_comes_out_unchanged(code: str, fence: str, language: str) -> None:
    text = f"Here:\n\n{fence}{language}\n{code}\n{fence}\n\nDone."
    assert code_blocks(text) == (CodeBlock(language, code, True),)
    assert extract_code(text) == extract_code(text, last=True) == code


@given(CODE.filter(str.strip))
def test_line_ends_do_not_matter(code: str) -> None:
    text = f"a\n```py\n{code}\n```\nb"
    assert code_blocks(text.replace("\n", "\r\n")) == code_blocks(text)


FENCES = st.sampled_from(["```", "````", "~~~", "```md", "```py", "  ```", "- ```", "x", "", "    ```", "`", "```\r"])


@given(st.lists(FENCES, max_size=12).map("\n".join))
def test_any_heap_of_fences_splits_into_blocks_and_rest(text: str) -> None:
    blocks = code_blocks(text)
    assert all(block.closed for block in blocks[:-1])
    assert extract_code(text) in {text, *(block.code for block in blocks)}
    kept = len(without_blocks(text)) + sum(len(block.code) for block in blocks)
    assert kept <= len(text)


def calls(text: str) -> int:
    """How many calls, of Python and of C functions, finding the blocks takes."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        code_blocks(text)
    finally:
        sys.setprofile(None)
    return count


WORST = {
    "plain": "word\n",
    "blocks": "```\nx\n```\n",
    "documents": "```md\n```x\n```\n",
    "openings": "```a\n",
    "items": "- ```\n",
}


@pytest.mark.parametrize("piece", WORST.values(), ids=WORST)
def test_the_work_grows_with_the_text_and_not_faster(piece: str) -> None:
    assert calls(piece * 800) < 2.2 * calls(piece * 400)
