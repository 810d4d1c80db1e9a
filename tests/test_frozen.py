"""Frozen dataclasses without generated code, and packages whose names load when they are used."""

from __future__ import annotations

import ast
import copy
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from rig.llama_server import without_coverage

from mrt.frozen import frozen


@frozen
class Point:
    """Two numbers, and a note that takes no part in comparisons."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list, hash=False)
    note: str = field(default="", compare=False, repr=False)

    @property
    def sum(self) -> int:
        """Methods and properties work as ever."""
        return self.x + self.y


@frozen
class Named(Point):
    """A field more."""

    name: str = "?"


@dataclass(frozen=True)
class Usual:
    """What dataclasses themselves make of the same fields."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list, hash=False)
    note: str = field(default="", compare=False, repr=False)


@pytest.mark.parametrize("values", [(1,), (1, 5), (1, 5, ["a"]), (1, 5, ["a"], "n")], ids=len)
def test_it_behaves_as_a_usual_dataclass(values: tuple[Any, ...]) -> None:
    ours, usual = Point(*values), Usual(*values)
    assert repr(ours) == repr(usual).replace("Usual", "Point")
    assert asdict(ours) == asdict(usual)
    assert [one.name for one in fields(ours)] == [one.name for one in fields(usual)]
    assert is_dataclass(ours)
    assert hash(ours) == hash(usual)


def test_equality_is_by_fields_and_kind() -> None:
    assert Point(1) == Point(1, 2, [], "another note")
    assert Point(1) != Point(2)
    assert Point(1) != Usual(1)
    assert Named(1) != Point(1)
    assert Named(1, name="a").sum == 3
    assert len({Point(1), Point(1), Point(2)}) == 2


def test_copies_keep_everything_else() -> None:
    point = Point(1, names=["a"])
    assert replace(point, y=9) == Point(1, 9, ["a"])
    assert copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point
    assert Point(1).names is not Point(1).names


@pytest.mark.parametrize(
    "make",
    [Point, lambda: Point(1, 2, [], "", 5), lambda: Point(1, x=1), lambda: Point(1, z=1)],
    ids=["missing", "too-many", "twice", "unknown"],
)
def test_wrong_values_are_refused(make: Any) -> None:
    with pytest.raises(TypeError):
        make()


def test_nothing_changes_afterwards() -> None:
    point = Point(1)
    for change in (lambda: setattr(point, "x", 2), lambda: setattr(point, "new", 2), lambda: delattr(point, "x")):
        with pytest.raises(FrozenInstanceError):
            change()
    assert point == Point(1)


@pytest.mark.parametrize("package", ["cascade", "endpoints", "ledger", "providers"])
def test_a_package_gives_all_its_names_and_loads_none_before(package: str) -> None:
    code = (
        f"import sys, types, mrt.{package} as package\n"
        "early = {'httpx', 'sqlite3'} & set(sys.modules)\n"
        "wrong = [name for name in package.__all__ if isinstance(getattr(package, name), types.ModuleType)]\n"
        "print(early, wrong, hasattr(package, 'nonsense'))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=without_coverage(), capture_output=True, text=True)
    assert done.stdout == "set() [] False\n"


@pytest.mark.parametrize("package", ["cascade", "ledger", "providers"])
def test_no_module_bears_a_name_that_its_package_exports_late(package: str) -> None:
    # Imported by itself, the module would take the place of what it exports.
    modules = {path.stem for path in (Path(__file__).parents[1] / "mrt" / package).glob("*.py")}
    assert not modules & set(import_module(f"mrt.{package}").__all__)


def compiled(path: Path) -> list[str]:
    """The classes of a module whose methods are generated for nothing."""
    return [
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any("frozen=True" in ast.unparse(mark) for mark in node.decorator_list)
    ]


def test_values_that_do_not_change_are_frozen_without_generated_code(tmp_path: Path) -> None:
    package = Path(__file__).parents[1] / "mrt"
    assert {str(path): found for path in package.rglob("*.py") if (found := compiled(path))} == {}
    module = tmp_path / "module.py"
    module.write_text("@dataclasses.dataclass(slots=True, frozen = True)\nclass A: pass\n@frozen\nclass B: pass\n")
    assert compiled(module) == ["A"]
