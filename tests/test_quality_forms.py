"""Repetition, code, JSON and schemas in replies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quality_kit import ASKS_JSON, JAVASCRIPT, PYTHON, TALK, verdict

from mrt.domain import Reply
from mrt.quality import DEFAULT_CHECKS, JudgeContext, Verdict, judge


def fenced(code: str, language: str = "python") -> str:
    return f"Here you go:\n\n```{language}\n{code}\n```\n\nThat is all."


def test_repetition() -> None:
    found = verdict("It is Paris. " * 200)
    assert (found.accepted, found.check) == (False, "repetition")
    assert found.reason is not None
    assert found.reason.startswith("the last 13 characters came ")


WHOLE_CODE = {
    "python": (PYTHON, fenced("def add(a, b):\n    return a + b")),
    "python3": (PYTHON, fenced("print(1)", "python3")),
    "two blocks": (PYTHON, fenced("x = 1") + fenced("y = 2")),
    "indented as a whole": (PYTHON, fenced("    def add(a, b):\n        return a + b")),
    "in a list": (PYTHON, "1. so:\n\n   ```python\n   if x:\n       y()\n   ```\n"),
    "return outside": (PYTHON, fenced("return a + b")),
    "await outside": (PYTHON, fenced("result = await add(1, 2)")),
    "odd escape": (PYTHON, fenced('print("\\d")')),
    "doctest": (PYTHON, fenced(">>> add(1, 2)\n3\n>>> add('a')\nTraceback (most recent call last):\n  ...")),
    "ipython": (PYTHON, fenced("In [1]: add(1, 2)\nOut[1]: 3")),
    "ellipsis as body": (PYTHON, fenced("def add(a, b):\n    ...")),
    "ellipsis as argument": (PYTHON, fenced("def add(a, ...):\n    pass")),
    "ellipsis in a dict": (PYTHON, fenced('x = {"a": 1, ...}')),
    "ellipsis with words": (PYTHON, fenced("def add(a, b):\n    ... rest of the code ...\n")),
    "ellipsis sign": (PYTHON, fenced("x = [1, 2, …]")),
    "magic": (PYTHON, fenced("%matplotlib inline\nimport numpy")),
    "shell line": (PYTHON, fenced("!pip install numpy\nimport numpy")),
    "magic in a branch": (PYTHON, fenced("if colab:\n    %cd /content\nx = 1")),
    "cell of another language": (PYTHON, fenced("%%bash\nfor f in *; do echo $f; done")),
    "empty block beside code": (PYTHON, fenced("x = 1") + "```python\n```"),
    "output beside python": (PYTHON, fenced("print(1)") + fenced("Sum = 1 done\n", "")),
    "unlabelled output": (PYTHON, fenced("Hello, World!", "")),
    "unlabelled shell": (PYTHON, fenced("pip install numpy\npython add.py", "")),
    "unlabelled python": (PYTHON, fenced("def add(a, b):\n    return a + b", "")),
    "stray fence at the end": (PYTHON, fenced("x = 1") + "\n```"),
    "raw python": (PYTHON, "def add(a, b):\n    return a + b\n"),
    "raw python with a fence in its docstring": (
        PYTHON,
        'def add(a, b):\n    """Adds.\n\n    ```\n    add(1,\n    ```\n    """\n    return a + b\n',
    ),
    "raw python and words": (PYTHON, "def add(a, b):\n  return a + b\n\nThis adds two numbers, as you asked."),
    "inline code": (PYTHON, "Use `operator.add`, which does exactly this."),
    "one call": ("write a regex for digits", "Just ^[0-9]+$ will do."),
    "shell line alone": ("bash one-liner to count lines", "wc -l *.py | tail -n 1"),
    "sql line alone": ("SQL query that finds adults", "SELECT name FROM people WHERE age > 17"),
    "json": (PYTHON, fenced('{"a": [1, 2]}', "json")),
    "json with parts left out": (PYTHON, fenced('{"a": 1, ...}', "json")),
    "json with comments": (PYTHON, fenced('{"a": 1 // one\n}', "json")),
    "jsonc": (PYTHON, fenced('{"a": 1,}', "jsonc")),
    "javascript": (JAVASCRIPT, fenced("function add(a, b) {\n  return a + b;\n}", "js")),
    "brackets in strings": (JAVASCRIPT, fenced("const a = \"{\";\nconst b = ')';\nconst c = `[${a}`;", "js")),
    "brackets in comments": (JAVASCRIPT, fenced("// a {\n/* ( \n [ */\nf();", "ts")),
    "brackets in a regex": (JAVASCRIPT, fenced("const open = /[({]/;\nif (/\\(/.test(x)) f();\ns.split(/[[]/);", "js")),
    "quote in markup": (JAVASCRIPT, fenced("return (\n  <p>Don't {name}</p>\n);", "jsx")),
    "nested templates": (JAVASCRIPT, fenced("const s = `a ${b ? `c ${d}` : ``}`;\nf(s);\n", "js")),
    "lifetimes": (PYTHON, fenced("fn f<'a>(x: &'a str) -> &'a str {\n    x\n}", "rust")),
    "raw string of Rust": (PYTHON, fenced('fn f() {\n    g(r#"{ "a": ( "#);\n}', "rust")),
    "character": (PYTHON, fenced("int f(char c) {\n  return c == '{' || c == '\\'';\n}", "c")),
    "branches of a preprocessor": (PYTHON, fenced("#ifdef A\nvoid f(int a) {\n#else\nvoid f(void) {\n#endif\n}", "c")),
    "text block": (PYTHON, fenced('String s = """\n  { "a": (\n  """;\nf(s);', "java")),
    "raw string of C++": (PYTHON, fenced('auto s = R"({ [ ")";\nf(s);', "cpp")),
    "one line of a block": (JAVASCRIPT, fenced("if (ready) {", "js")),
    "other language": (PYTHON, fenced("case $x in a) echo ;; esac", "bash")),
    "explained fragment": ("what does this loop do?\n```js\nfor (;;) {\n```", fenced("for (;;) {\n  f();", "js")),
    "broken example in talk": (TALK, fenced("def f(:")),
    "open fence in talk": (TALK, "See:\n```\nParis"),
}


@pytest.mark.parametrize(("prompt", "text"), WHOLE_CODE.values(), ids=WHOLE_CODE)
def test_whole_code_is_accepted(prompt: str, text: str) -> None:
    assert verdict(text, prompt) == Verdict(True)


BROKEN_CODE = {
    "open fence": (PYTHON, "```python\ndef add(a, b):\n    return", "code block 1 of 1 is not closed"),
    "second fence open": (PYTHON, fenced("x = 1") + "\n```python\ny =", "code block 2 of 2 is not closed"),
    "python": (PYTHON, fenced("def add(a, b:\n    return a"), "code block 1 of 1 (python) does not parse: line 1: "),
    "python with its line": (PYTHON, fenced("x = 1\ny = (2"), "code block 1 of 1 (python) does not parse: line 2: "),
    "body missing": (PYTHON, fenced("def add(a, b):\n    # your code"), "code block 1 of 1 (python) does not parse: "),
    "null byte": (PYTHON, fenced("x = '\0'"), "code block 1 of 1 (python) does not parse: "),
    "nested too deeply": (PYTHON, fenced("x = " + "-" * 200_000 + "1"), "code block 1 of 1 (python) does not parse: "),
    "huge number": (PYTHON, fenced("x = " + "9" * 5000), "code block 1 of 1 (python) does not parse: "),
    "second block": (PYTHON, fenced("x = 1") + fenced("y = = 2"), "code block 2 of 2 (python) does not parse: "),
    "unlabelled python": (
        PYTHON,
        fenced("def add(a, b)\n    return a", ""),
        "code block 1 of 1 (Python) does not parse: ",
    ),
    "raw python": (PYTHON, "def add(a, b:\n    return a + b\n", "the Python does not parse: line 1: "),
    "json": (PYTHON, fenced('{"a": 1,}', "json"), "code block 1 of 1 (json) does not parse: line 1, column "),
    "javascript": (
        JAVASCRIPT,
        fenced("function add(a, b) {\n  return a + b;", "js"),
        "code block 1 of 1 (js) is unbalanced: 1 { and 0 }",
    ),
    "bracket too many": (JAVASCRIPT, fenced("f(1));\ng();", "ts"), "code block 1 of 1 (ts) is unbalanced: 2 ( and 3 )"),
    "rust": (
        PYTHON,
        fenced("fn main() {\n    let v = vec![1, 2;\n}", "rust"),
        "code block 1 of 1 (rust) is unbalanced: 1 [",
    ),
    "long fragment in talk about code": (
        "what does this code do? `f`",
        fenced("function f() {\n  a();\n  b();\n  c();", "js"),
        "code block 1 of 1 (js) is unbalanced: 1 { and 0 }",
    ),
    "no code": (PYTHON, "To add two numbers, take the first and add the second.", "no code in the answer"),
    "no code but big O": (PYTHON, "It runs in O(n) time (see the book).", "no code in the answer"),
    "empty block alone": (PYTHON, "Here it is, as you asked:\n```python\n```\n", "no code in the answer"),
    "plan instead of code": (
        "implement LRU cache",
        "An LRU cache drops what was used least recently.\n\n- keep a map\n- keep a list\n\nWith both, it is fast.",
        "no code in the answer",
    ),
}


@pytest.mark.parametrize(("prompt", "text", "reason"), BROKEN_CODE.values(), ids=BROKEN_CODE)
def test_broken_code(prompt: str, text: str, reason: str) -> None:
    found = verdict(text, prompt, ("code",))
    assert (found.accepted, found.check) == (False, "code")
    assert found.reason is not None
    assert found.reason.startswith(reason)


GOOD_JSON = {
    "whole": '{"colours": ["red"]}',
    "spaces around": '\n ["red"]\n',
    "byte order mark": '\ufeff["red"]',
    "labelled block": 'Here:\n```json\n["red"]\n```\nDone.',
    "plain block": '```\n["red"]\n```',
    "last block": '```\nred\n```\n```\n["red"]\n```',
    "labelled one of several": '```json\n["red"]\n```\nprints\n```\nred\n```',
    "block inside a string": '{"text": "\\n```\\nx\\n```"}',
}


@pytest.mark.parametrize("text", GOOD_JSON.values(), ids=GOOD_JSON)
def test_json_is_accepted(text: str) -> None:
    assert verdict(text, ASKS_JSON) == Verdict(True)


BAD_JSON = {
    "words": ("red, green", "not JSON: line 1, column 1: "),
    "words around": ('Sure: ["red"]', "not JSON: line 1, column 1: "),
    "comma": ('["red",]', "not JSON: line 1, column "),
    "quotes": ("['red']", "not JSON: line 1, column 2: "),
    "second line": ('[\n"red"', "not JSON: line 2, column "),
    "NaN": ("[NaN]", "not JSON: NaN is no JSON value"),
    "too deep": ('{"a":' * 200_000, "not JSON: nested too deeply"),
    "huge number": ("9" * 5000, "not JSON: Exceeds the limit"),
    "block": ("```json\n[red]\n```", "not JSON: line 1, column 2: "),
}


@pytest.mark.parametrize(("text", "reason"), BAD_JSON.values(), ids=BAD_JSON)
def test_bad_json(text: str, reason: str) -> None:
    found = verdict(text, ASKS_JSON, ("json",))
    assert (found.accepted, found.check) == (False, "json")
    assert found.reason is not None
    assert found.reason.startswith(reason)


def test_json_is_checked_only_where_it_is_wanted() -> None:
    assert verdict("JSON is a data format.", "what is JSON?") == Verdict(True)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.lists(JSON_VALUES),
    st.sampled_from(["{}", "```json\n{}\n```", "```\n{}\n```\n", "Sure.\n\n~~~json\n{}\n~~~\nDone."]),
)
def test_all_json_passes_bare_or_fenced(value: list[object], frame: str) -> None:
    assert verdict(frame.format(json.dumps(value, indent=1)), ASKS_JSON, ("json",)) == Verdict(True)


def schema_error(text: str) -> str | None:
    return None if json.loads(text).get("name") else "data must have name"


SCHEMA = {
    "fits": ('{"name": "a"}', Verdict(True)),
    "fits in a block": ('```json\n{"name": "a"}\n```', Verdict(True)),
    "does not fit": ('{"age": 1}', Verdict(False, "schema", "data must have name")),
    "not JSON": ("a", Verdict(False, "schema", "not JSON: line 1, column 1: Expecting value")),
}


@pytest.mark.parametrize(("text", "expected"), SCHEMA.values(), ids=SCHEMA)
@pytest.mark.parametrize("checks", [(), ("schema",), DEFAULT_CHECKS], ids=["unlisted", "listed", "defaults"])
def test_schema(text: str, expected: Verdict, checks: tuple[str, ...]) -> None:
    assert judge(Reply(text=text), JudgeContext(TALK, checks, schema_error)) == expected


def test_schema_without_one_passes() -> None:
    assert verdict("words", checks=("schema",)) == Verdict(True)
