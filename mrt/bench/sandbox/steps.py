"""What a case does, step by step; the same code runs the candidate inside the sandbox and the reference outside of it.

A step is a dict: `do` is "call" (a function), "new" (an object of a class), "method" or "get" (on that object), "clock" (set the
clock it was made with), "exec" or "eval" (a line of tests); `name` and `arguments` (decoded) where they apply. `loosely` gives
a value of a subclass of a built-in type as what it holds.
"""

from __future__ import annotations

import builtins
from typing import Any

from mrt.bench.sandbox.values import Clock

Step = dict[str, Any]


def take(step: Step, arguments: list[Any], names: dict[str, Any], held: dict[str, Any]) -> Any:
    """The value of one step; `held` keeps the object and the clock between the steps of a case."""
    kind = step["do"]
    if kind == "call":
        return names[step["name"]](*arguments)
    if kind == "new":
        held["clock"] = next((argument for argument in arguments if type(argument) is Clock), None)
        held["object"] = names[step["name"]](*arguments)
        return None
    if kind == "method":
        return getattr(held["object"], step["name"])(*arguments)
    if kind == "get":
        return getattr(held["object"], step["name"])
    if kind == "clock":
        held["clock"].now = arguments[0]
        return None
    if kind == "exec":
        exec(compile(step["code"], "<tests>", "exec", dont_inherit=True), names)  # noqa: S102 - inside the sandbox
        return None
    return eval(compile(step["code"], "<tests>", "eval", dont_inherit=True), names)  # noqa: S307 - inside the sandbox


def failure(error: BaseException) -> dict[str, Any]:
    """The names of the exception's classes, the nearest first, and the start of its message.

    Only a built-in class goes by its bare name: one that a program defines itself and calls ValueError is no ValueError.
    """
    try:
        message = str(error)[:300]
    except BaseException:
        message = ""
    return {"raised": [_class_name(kind) for kind in type(error).__mro__][:20], "message": message}


def _class_name(kind: type) -> str:
    return kind.__name__ if getattr(builtins, kind.__name__, None) is kind else f"{kind.__module__}.{kind.__name__}"
