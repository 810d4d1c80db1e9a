"""Small changes of a program, one at a time: what a careless author might have written instead. Tests have to tell each apart."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

from mrt.frozen import frozen

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitAnd,),
}
_NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "lower": "upper",
    "upper": "lower",
    "append": "extend",
}
_METHODS = {"lstrip": "strip", "rstrip": "strip", "strip": "lstrip", "popleft": "pop", "startswith": "endswith"}

MOST_TURNS = 20_000
_COUNTER = f"""
turns_left = [{MOST_TURNS}]

def _turn():
    turns_left[0] -= 1
    if turns_left[0] < 0:
        raise TimeoutError("endless")

"""


@frozen
class Mutant:
    """A changed program, and the change as `old line => new line`."""

    change: str
    code: str


def mutants_of(code: str) -> tuple[Mutant, ...]:
    """Every single change of `code` that makes another program."""
    original = ast.unparse(ast.parse(code))
    found: dict[str, Mutant] = {}
    for tree in _changed_trees(ast.parse(code)):
        changed = ast.unparse(ast.fix_missing_locations(tree))
        if changed != original and changed not in found:
            found[changed] = Mutant(_difference(original, changed), changed)
    return tuple(found.values())


def bounded(code: str) -> str:
    """The same program, but its loops raise TimeoutError when the count in its list `turns_left` is used up.

    A change that never ends is seen at once, and the same way on every machine.
    """
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.For | ast.While):
            node.body.insert(0, ast.Expr(ast.Call(ast.Name("_turn", ast.Load()), [], [])))
    return f"{_COUNTER}{ast.unparse(ast.fix_missing_locations(tree))}"


def _changed_trees(tree: ast.Module) -> Iterator[ast.Module]:
    spoken = (ast.Raise, ast.Expr)
    messages = {id(part) for node in ast.walk(tree) if isinstance(node, spoken) for part in _said(node)}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in messages and isinstance(node, ast.Constant):
            continue  # what an exception or a docstring says is nobody's contract
        for variant in range(_variants(node)):
            changed = copy.deepcopy(tree)
            twin = next(found for at, found in enumerate(ast.walk(changed)) if at == number)
            _change(twin, variant)
            yield changed


def _said(node: ast.Raise | ast.Expr) -> Iterator[ast.AST]:
    return ast.walk(node) if isinstance(node, ast.Raise) else iter((node.value,))


def _variants(node: ast.AST) -> int:
    """How many changes there are of this node itself."""
    return len(list(_changes(node)))


def _change(node: ast.AST, variant: int) -> None:
    list(_changes(node))[variant]()


def _changes(node: ast.AST) -> Iterator[Callable[[], None]]:
    """One function per change of this node itself; each makes it."""
    for kinds, changes in _BY_KIND:
        if isinstance(node, kinds):
            yield from changes(node)
    for part in ("body", "orelse", "finalbody"):
        body = getattr(node, part, None)
        if isinstance(body, list):
            yield from (_setter(body, at, other) for at, one in enumerate(body) for other in _instead_of(one))


def _of_comparison(node: ast.Compare) -> Iterator[Callable[[], None]]:
    return (
        _setter(node.ops, at, other()) for at, operator in enumerate(node.ops) for other in _COMPARISONS[type(operator)]
    )


def _of_operation(node: ast.BinOp | ast.AugAssign) -> Iterator[Callable[[], None]]:
    return (_attribute(node, "op", other()) for other in _OPERATORS.get(type(node.op), ()))


def _of_conjunction(node: ast.BoolOp) -> Iterator[Callable[[], None]]:
    yield _attribute(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for at in range(len(node.values)):
        yield _attribute(node, "values", node.values[:at] + node.values[at + 1 :])


def _of_constant(node: ast.Constant) -> Iterator[Callable[[], None]]:
    return (_attribute(node, "value", value) for value in _other_constants(node.value))


def _of_name(node: ast.Name | ast.Attribute) -> Iterator[Callable[[], None]]:
    field, name = ("id", node.id) if isinstance(node, ast.Name) else ("attr", node.attr)
    other = _NAMES.get(name) or (_METHODS.get(name) if field == "attr" else None)
    if other is not None:
        yield _attribute(node, field, other)


def _of_sign(node: ast.UnaryOp) -> Iterator[Callable[[], None]]:
    if isinstance(node.op, ast.USub):
        yield _attribute(node, "op", ast.UAdd())
    elif isinstance(node.op, ast.Not):
        # The opposite of `not x` that keeps a truth value: `not not x`.
        yield _attribute(node, "operand", ast.UnaryOp(op=ast.Not(), operand=node.operand))


def _of_condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[Callable[[], None]]:
    yield _attribute(node, "test", ast.Constant(value=False))
    if not isinstance(node, ast.While):
        yield _attribute(node, "test", ast.Constant(value=True))


def _of_return(node: ast.Return) -> Iterator[Callable[[], None]]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield _attribute(node, "value", None)


def _of_slice(node: ast.Slice) -> Iterator[Callable[[], None]]:
    return (_attribute(node, part, None) for part in ("lower", "upper", "step") if getattr(node, part) is not None)


_BY_KIND: tuple[tuple[Any, Callable[[Any], Iterator[Callable[[], None]]]], ...] = (
    (ast.Compare, _of_comparison),
    ((ast.BinOp, ast.AugAssign), _of_operation),
    (ast.BoolOp, _of_conjunction),
    (ast.Constant, _of_constant),
    ((ast.Name, ast.Attribute), _of_name),
    (ast.UnaryOp, _of_sign),
    ((ast.If, ast.IfExp, ast.While), _of_condition),
    (ast.Return, _of_return),
    (ast.Slice, _of_slice),
)


def _instead_of(statement: ast.AST) -> Iterator[ast.stmt]:
    """What may stand in a statement's place: nothing, or the other way of leaving a loop."""
    if isinstance(statement, ast.Break):
        yield ast.Continue()
    elif isinstance(statement, ast.Continue):
        yield ast.Break()
    elif isinstance(statement, ast.Assign | ast.AugAssign | ast.Delete | ast.Raise) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    ):
        yield ast.Pass()


def _other_constants(value: object) -> tuple[object, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1, value - 1)
    if isinstance(value, float):
        return (value + 1.0,)
    if isinstance(value, str):
        return ("", f"{value}?") if value else ("?",)
    return ()


def _attribute(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _setter(items: list[ast.cmpop] | list[ast.stmt], at: int, value: ast.AST) -> Callable[[], None]:
    return lambda: items.__setitem__(at, value)  # type: ignore[call-overload]


def _difference(original: str, changed: str) -> str:
    """The first line that differs, before and after."""
    before, after = original.split("\n"), changed.split("\n")
    differing = (at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
    at = next(differing, min(len(before), len(after)) - 1)
    return f"{before[at].strip()} => {after[at].strip()}"
