"""How alike two pieces of code are, whatever their names and comments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_COMMENT = r"//[^\n]*|/\*.*?(?:\*/|\Z)|(?<!\S)#[^\n]*"
_RUN = 3  # tokens looked at together, so that their order counts


def code_likeness(first: str, second: str) -> float:
    """0 to 1: 1.0 for the same program under other names, else the share of short token runs in common."""
    from mrt.quality.python_tree import tree_tokens

    one, other = tree_tokens(first), tree_tokens(second)
    if not one or not other:
        one, other = _tokens(first), _tokens(second)
    return 1.0 if one == other else _shared(_runs(one), _runs(other))


def _tokens(code: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", re.sub(_COMMENT, " ", code, flags=re.DOTALL))


def _runs(tokens: Sequence[str]) -> Counter[tuple[str, ...]]:
    width = max(1, min(_RUN, len(tokens)))
    return Counter(tuple(tokens[index : index + width]) for index in range(len(tokens) - width + 1))


def _shared(first: Counter[tuple[str, ...]], second: Counter[tuple[str, ...]]) -> float:
    return 2 * (first & second).total() / (first.total() + second.total())
