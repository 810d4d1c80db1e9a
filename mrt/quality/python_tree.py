"""Turns Python into tokens that do not depend on its names, comments or layout; loads ast, so import it where needed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator


def tree_tokens(code: str) -> list[str]:
    """The syntax tree in reading order, docstrings left out, the program's own names numbered; [] if it does not parse."""
    tree = _parsed(code)
    if tree is None:
        return []
    nodes = list(_in_order(tree))
    own = {name for node in nodes for name in _given_names(node)}
    numbers: dict[str, int] = {}
    tokens = []
    for node in nodes:
        tokens.append(type(node).__name__)
        tokens += (f"name {numbers.setdefault(leaf, len(numbers))}" if leaf in own else leaf for leaf in _leaves(node))
    return tokens


def _parsed(code: str) -> ast.AST | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if not _is_docstring(node):
            yield node
            stack += reversed(list(ast.iter_child_nodes(node)))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _given_names(node: ast.AST) -> tuple[str, ...]:
    """Names the program gives itself. Those of builtins, imports and attributes carry meaning and stay."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
            return (name,)
    return ()


def _leaves(node: ast.AST) -> Iterator[str]:
    """What a node says by itself: names and constants."""
    for _, value in ast.iter_fields(node):
        if isinstance(value, str):
            yield value
        elif isinstance(node, ast.Constant) and value is not None:
            yield repr(value)
