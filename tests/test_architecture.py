"""The house: who may import whom, the two walls, and what loads when.

A room is a file or folder of `autograd/`. It imports from lower floors only; a new room fails here
until it has been given its floor.
"""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograd as ag
from autograd.primitives import TABLE

HOUSE = Path(ag.__file__).parent

FLOORS = (
    ("checks", "recording", "copying"),
    ("operators", "optim", "data", "files"),
    ("primitives", "datasets"),
    ("special",),
    ("value",),
    ("functions",),
    ("derivatives", "losses"),
    ("gradcheck",),
    ("compiler",),
    ("nn",),
    ("training",),
    ("viz",),
    ("plotting", "interop", "exercises"),
    ("commands",),
    ("__main__",),
)
"""From the ground up. Rooms of one floor do not import one another."""

LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
ENGINE = ("operators", "primitives", "special", "recording", "value", "functions", "derivatives")
LOADED_WHEN_NEEDED = (
    *("graphviz", "tqdm", "matplotlib", "llvmlite", "numpy"),
    *("sklearn", "torch", "keras", "jax"),
)

MIDDLE = (
    *(
        "lowering.py",
        "ragged.py",
        "expressions.py",
        "schedule.py",
        "access.py",
        "reroll.py",
        "assembly.py",
    ),
)
"""The compiler's passes over arrays."""

FILES = sorted(HOUSE.rglob("*.py"))
ROOMS = sorted({file.relative_to(HOUSE).parts[0].removesuffix(".py") for file in FILES})


def room_of(file: Path) -> str:
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported_modules(tree: ast.AST, package: list[str]) -> Iterator[str]:
    """The full name of everything imported anywhere in the tree, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def rooms_imported_by(file: Path) -> set[str]:
    """The rooms that a file imports; "autograd" stands for the package, which reaches them all."""
    package = ["autograd", *file.relative_to(HOUSE).parts[:-1]]
    found = set()
    for name in imported_modules(tree_of(file), package):
        first, _, rest = name.partition(".")
        if first == "autograd":
            room = rest.split(".")[0]
            found.add(room if room in ROOMS else "autograd")
    return found


def test_imports_are_found() -> None:
    imported = {"copying", "operators", "primitives", "recording", "special"}
    assert rooms_imported_by(HOUSE / "value.py") == imported
    assert {"value", "nn"} <= rooms_imported_by(HOUSE / "viz" / "drawing.py")
    assert list(imported_modules(ast.parse("def f(): from ..a import b"), ["x", "y"])) == ["x.a.b"]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_floor(room: str) -> None:
    assert room in LEVEL or room == "__init__", f"give {room} a floor in FLOORS"


def test_every_room_is_there() -> None:
    assert set(LEVEL) <= set(ROOMS)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(HOUSE)))
def test_a_room_imports_only_from_lower_floors(file: Path) -> None:
    room = room_of(file)
    for imported in rooms_imported_by(file) - {room}:
        if room == "__init__" or (room == "__main__" and imported == "autograd"):
            continue  # the package's face hands the rooms on, and the command line is its user
        assert imported != "autograd", f"{file.name} imports the whole house; name the room"
        assert LEVEL[imported] < LEVEL[room], f"{room} must not import {imported}"


def test_the_files_within_a_room_import_one_another_without_a_circle() -> None:
    imports: dict[str, set[str]] = {}
    for file in FILES:
        path = file.relative_to(HOUSE).with_suffix("").parts
        name = ".".join(["autograd", *(part for part in path if part != "__init__")])
        package = ["autograd", *path[:-1]]
        imports[name] = set(imported_modules(tree_of(file), package))
    for name, modules in imports.items():
        prefixes = (module.rpartition(".")[0] for module in modules.copy())
        imports[name] = {
            m for m in (*modules, *prefixes) if m in imports and not name.startswith(m)
        }
    list(graphlib.TopologicalSorter(imports).static_order())  # raises CycleError


# --- the walls ------------------------------------------------------------------------------------


def test_the_steppers_do_not_know_the_engine() -> None:
    assert rooms_imported_by(HOUSE / "optim.py") == set()


@pytest.mark.parametrize("file", sorted((HOUSE / "data").glob("*.py")), ids=lambda f: f.name)
def test_the_reader_of_tables_needs_nothing_else_of_the_package(file: Path) -> None:
    assert rooms_imported_by(file) <= {"data"}


@pytest.mark.parametrize("room", ENGINE)
def test_the_engine_does_not_know_the_steppers(room: str) -> None:
    for file in [file for file in FILES if room_of(file) == room]:
        assert "optim" not in rooms_imported_by(file)
        names = {node.id for node in ast.walk(tree_of(file)) if isinstance(node, ast.Name)}
        assert not {name for name in names if "learning_rate" in name}


@pytest.mark.parametrize("file", sorted((HOUSE / "compiler").rglob("*.py")), ids=lambda f: f.name)
def test_the_compiler_states_no_derivative(file: Path) -> None:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            assert node.attr not in ("partials", "partials_at"), f"line {node.lineno}"
        if isinstance(node, ast.Call):
            assert getattr(node.func, "id", "") != "Primitive", f"line {node.lineno}"


def test_the_table_alone_knows_calculus() -> None:
    """A rule branches by the table's own operations, as it says."""
    trees = [tree_of(HOUSE / "primitives.py"), tree_of(HOUSE / "special.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    entries = [
        node
        for node in nodes
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Primitive"
    ]
    functions = {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}
    assert len(entries) == len([name for name in TABLE if "polygamma" not in name])
    for entry in entries:
        for rule in entry.args[3:]:
            body = functions[rule.id] if isinstance(rule, ast.Name) else rule
            for node in ast.walk(body):
                assert not isinstance(node, ast.If | ast.IfExp | ast.BoolOp), ast.unparse(body)


# --- what loads when ------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(HOUSE)))
def test_other_packages_are_imported_inside_functions(file: Path) -> None:
    at_the_top = [
        node
        for node in tree_of(file).body
        if not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
    ]
    for statement in at_the_top:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        for name in imported_modules(statement, ["autograd"]):
            package = name.split(".")[0]
            if file.name in ("sklearn.py", "sine.py") and package in ("numpy", "sklearn", "torch"):
                continue  # classes that derive from another library's, loaded when asked for
            if file.name in MIDDLE and package == "numpy":
                continue  # loaded with the first program
            if file.name == "jax_arrays.py" and package in ("jax", "numpy"):
                continue  # loaded when a program is run by JAX
            assert package == "autograd" or package in sys.stdlib_module_names, name


def modules_after(program: str) -> set[str]:
    """The top-level modules that are loaded once a fresh interpreter has run the program."""
    printed = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name.split(".")[0] for name in printed.split()}


@pytest.mark.parametrize(
    "program",
    [
        "import autograd",
        "from autograd import *",
        "import autograd as ag\n"
        "model = ag.MLP(2, [3, 1], seed=0)\n"
        "loss = ag.hinge(model([1.0, 2.0]), 1) + ag.mean([ag.Value(1.0)])\n"
        "ag.grad(loss, model.parameters()); loss.backward()\n"
        "ag.GradientDescent(model.parameters(), 0.1).step()",
    ],
    ids=["import", "star import", "training"],
)
def test_the_engine_needs_none_of_the_heavy_packages(program: str) -> None:
    assert modules_after(program).isdisjoint(LOADED_WHEN_NEEDED)
