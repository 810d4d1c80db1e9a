"""The embedded catalog: one line a model, of which only those are read that can be the one asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mrt.memory.shape import ModelShape
from mrt.models.rows import shape_of_row

FILE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data", "catalog.jsonl")  # noqa: PTH118, PTH120 - spares pathlib


class Catalog:
    """The lines of a catalog. Raises ValueError where the content is none."""

    def __init__(self, content: bytes) -> None:
        first, _, self._rows = content.partition(b"\n")
        self.about: Mapping[str, Any] = json.loads(first)
        if self.about.get("catalog") != "models":
            raise ValueError("no catalog of models")

    def find(self, name: str) -> ModelShape | None:
        """The model of exactly that name: a tag, a repository; case does not matter."""
        row = self._find(json.dumps(name.lower(), ensure_ascii=False), lambda row: name.lower() in row["names"])
        return None if row is None else shape_of_row(row)

    def find_repository(self, name: str) -> ModelShape | None:
        """The model whose repository has that name after the slash, as file names and served names give it."""
        ending = "/" + name.lower()
        row = self._find(ending + '"', lambda row: any(other.endswith(ending) for other in row["names"]))
        return None if row is None else shape_of_row(row)

    def names(self) -> list[str]:
        """Every tag and repository, one a model, as they are shown. Fast: completion asks for it."""
        return [_between(line, b'"name":"') for line in self._rows.splitlines()]

    def repositories(self) -> list[str]:
        """The repository of every model, in the same order."""
        return [_between(line, b'"hf":"') for line in self._rows.splitlines()]

    def shapes(self) -> list[ModelShape]:
        """All models."""
        return [shape_of_row(json.loads(line)) for line in self._rows.splitlines()]

    def family(self, family: str) -> list[ModelShape]:
        """The models whose tags begin with `FAMILY:`, in the catalog's order, the smallest first as a rule."""
        start = f'{{"names":["{family.lower()}:'.encode()
        return [shape_of_row(json.loads(line)) for line in self._rows.splitlines() if line.startswith(start)]

    def _find(self, needle: str, is_it: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any] | None:
        wanted = needle.encode("utf-8", "replace")
        at = self._rows.find(wanted)
        while at >= 0:
            end = self._rows.find(b"\n", at)
            end = len(self._rows) if end < 0 else end
            row: Mapping[str, Any] = json.loads(self._rows[self._rows.rfind(b"\n", 0, at) + 1 : end])
            if is_it(row):
                return row
            at = self._rows.find(wanted, end)
        return None


def packaged(file: str = FILE) -> Catalog:
    """The catalog that is part of this package."""
    with open(file, "rb") as stream:  # noqa: PTH123 - as above
        return Catalog(stream.read())


def names() -> list[str]:
    """Every tag and repository of the packaged catalog."""
    return packaged().names()


def all_shapes() -> list[ModelShape]:
    """Every model of the packaged catalog, at its published quantization."""
    return packaged().shapes()


def siblings(shape: ModelShape) -> list[ModelShape]:
    """Models of the same family in other sizes, the largest first; empty where the family is not known."""
    from mrt.models.names import find_name

    catalog = packaged()
    found = find_name(shape.name, catalog)
    known = found.model if found else _twin(shape, catalog.shapes())
    if known is None or ":" not in known.name:
        return []
    family = catalog.family(known.name.partition(":")[0])
    others = [other for other in family if other.name != known.name and other.parameters != known.parameters]
    return sorted(others, key=lambda other: other.parameters or 0, reverse=True)


def _twin(shape: ModelShape, shapes: Sequence[ModelShape]) -> ModelShape | None:
    """The catalog's model of the same build, for one that was read from a file or a server."""
    return next((other for other in shapes if _build(other) == _build(shape)), None)


def _build(shape: ModelShape) -> tuple[Any, ...]:
    first = shape.layers[0]
    return shape.architecture, shape.embedding, shape.vocabulary, len(shape.layers), first.heads, first.feed_forward


def _between(line: bytes, start: bytes) -> str:
    begin = line.index(start) + len(start)
    return line[begin : line.index(b'"', begin)].decode()
