"""What a file of tests expects, line by line: plain asserts, functions and classes named as pytest does, unittest's classes.

`assert f(2) == [1, 2]` evaluates `f(2)` inside and keeps `[1, 2]` outside; where both sides are computed, both come out and are
compared outside. Any other assert must come out as exactly True.
"""

from __future__ import annotations

import ast
import operator
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from mrt.bench.sandbox.steps import Step
from mrt.bench.sandbox.values import Other
from mrt.errors import UsageError
from mrt.frozen import frozen

Compare = Callable[[Any, Any], Any]
_SIGNS: dict[type[ast.cmpop], tuple[str, Compare]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Is: ("is", lambda found, expected: type(found) is type(expected) and found == expected),
    ast.IsNot: ("is not", lambda found, expected: type(found) is not type(expected) or found != expected),
    ast.In: ("in", lambda found, expected: found in expected),
    ast.NotIn: ("not in", lambda found, expected: found not in expected),
}
_EXAMPLE = "write plain asserts, for example: assert add(1, 2) == 3"
_ANSWER = "answer"


@frozen
class Expectation:
    """One line of the file: the step that runs inside, its text, and what its value must fulfil; None for set-up.

    `pair` says that the value is [left, right, what Python itself says of the two].
    """

    step: Step
    text: str
    holds: Callable[[Any], bool] | None = None
    pair: bool = False

    def found(self, short: Callable[[Any], str], value: Any) -> str:
        """What came out, in words, for a value that does not fulfil it."""
        if self.pair and type(value) is tuple and len(value) == 3:
            return f"the left is {short(value[0])}, the right {short(value[1])}"
        return f"it is {short(value)}"


def read_asserts(text: str, name: str) -> tuple[Expectation, ...]:
    """What a file of tests expects. Raises UsageError for one that is no Python, asserts nothing, or needs what is not there."""
    try:
        tree = ast.parse(text)
        found = tuple(expectation for statement in tree.body for expectation in _of_statement(statement, name))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{name} is no Python: {error}", _EXAMPLE) from None
    for statement in tree.body:
        _refuse_foreign_imports(statement, name)
    if not any(expectation.holds for expectation in found):
        raise UsageError(f"{name} asserts nothing", _EXAMPLE)
    return found


def _refuse_foreign_imports(node: ast.AST, name: str) -> None:
    """Only the standard library is there, and the answer itself. What lies in a `try` may fail: it is left alone."""
    if isinstance(node, ast.Try):
        return
    modules: Sequence[str] = ()
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        modules = [node.module or "."]
    for module in modules:
        if module.partition(".")[0] not in {*sys.stdlib_module_names, _ANSWER}:
            raise UsageError(
                f"{name} imports {module!r}, which the tests cannot have: only the standard library is there",
                f"leave the import out: the names of the answer's code are there already (as the module `{_ANSWER}`, too)",
            )
    for inner in ast.iter_child_nodes(node):
        _refuse_foreign_imports(inner, name)


def _of_statement(statement: ast.stmt, name: str) -> list[Expectation]:
    text = ast.unparse(statement)
    if isinstance(statement, ast.Assert):
        return [_of_assert(statement.test, text)]
    first = text.splitlines()[0].rstrip(":")
    # A loop, a `with` or a `try` that asserts is itself what must come to its end.
    definition = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    asserts = not definition and any(isinstance(node, ast.Assert) for node in ast.walk(statement))
    ran = Expectation({"do": "exec", "code": text}, first, _anything if asserts else None)
    return [ran, *_called(statement, name)]


def _called(statement: ast.stmt, name: str) -> Iterator[Expectation]:
    """The calls that a test function or class stands for."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name.startswith("test_"):
        yield _call(_awaited(statement, f"{statement.name}()", name, own=0), f"{statement.name}()")
    elif isinstance(statement, ast.ClassDef):
        methods = [node for node in statement.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        call = _caller(statement, {method.name for method in methods})
        for method in methods:
            if call is not None and method.name.startswith("test"):
                yield _call(_awaited(method, call(method.name), name, own=1), f"{statement.name}.{method.name}()")


def _caller(statement: ast.ClassDef, methods: Collection[str]) -> Callable[[str], str] | None:
    """How a method of a test class is called, each on an object of its own; None for a class that is none."""
    if any(ast.unparse(base).endswith("TestCase") for base in statement.bases):
        return lambda method: f"{statement.name}({method!r}).debug()"
    if not statement.name.startswith("Test"):
        return None
    prepare = "made.setup_method(), " if "setup_method" in methods else ""
    return lambda method: f"(lambda made: ({prepare}made.{method}(),)[-1])({statement.name}())"


def _awaited(function: ast.FunctionDef | ast.AsyncFunctionDef, call: str, name: str, own: int) -> str:
    """The call, run to its end where it is asynchronous. Raises UsageError for a test that wants arguments."""
    arguments = function.args
    wanted = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults) - own
    if wanted > 0:
        raise UsageError(f"{name}: {function.name} takes arguments, and there are no fixtures here", _EXAMPLE)
    return f"__import__('asyncio').run({call})" if isinstance(function, ast.AsyncFunctionDef) else call


def _call(code: str, text: str) -> Expectation:
    # The call's own value is of no interest, and may be anything.
    return Expectation({"do": "eval", "code": f"({code}, True)[1]"}, text, lambda found: found is True)


def _of_assert(test: ast.expr, text: str) -> Expectation:
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and type(test.ops[0]) in _SIGNS:
        sign, compare = _SIGNS[type(test.ops[0])]
        left, right = test.left, test.comparators[0]
        on_the_right, on_the_left = _literal(right), _literal(left)
        if on_the_right is not None:
            wanted = on_the_right[0]
            return Expectation(_evaluate(left), text, lambda found: _compared(compare, found, wanted))
        if on_the_left is not None:
            given = on_the_left[0]
            return Expectation(_evaluate(right), text, lambda found: _compared(compare, given, found))
        if sign not in ("is", "is not"):
            both = f"(lambda left, right: (left, right, not not (left {sign} right)))({ast.unparse(left)}, {ast.unparse(right)})"
            step = {"do": "eval", "code": both, "loosely": True}
            return Expectation(step, text, lambda found: _both(compare, found), pair=True)
    return Expectation({"do": "eval", "code": f"not not ({ast.unparse(test)})"}, text, lambda found: found is True)


def _evaluate(expression: ast.expr) -> Step:
    return {"do": "eval", "code": ast.unparse(expression), "loosely": True}


def _literal(node: ast.expr) -> tuple[Any] | None:
    """The value of a literal, in a tuple since None is one."""
    try:
        return (ast.literal_eval(node),)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _compared(compare: Compare, left: Any, right: Any) -> bool:
    return not isinstance(left, Other) and not isinstance(right, Other) and bool(compare(left, right))


def _both(compare: Compare, found: Any) -> bool:
    """Compared out here where both values could come out; else as Python said inside."""
    if type(found) is not tuple or len(found) != 3:
        return False
    left, right, inside = found
    if isinstance(left, Other) != isinstance(right, Other):
        return False  # an object that claims to equal a plain value
    if _whole(left) and _whole(right):
        return bool(compare(left, right))
    return inside is True


def _whole(value: Any) -> bool:
    if isinstance(value, Other):
        return False
    if isinstance(value, dict):
        return all(_whole(key) and _whole(item) for key, item in value.items())
    return all(map(_whole, value)) if isinstance(value, list | tuple | set | frozenset) else True


def _anything(_: Any) -> bool:
    return True
