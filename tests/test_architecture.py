"""The architecture: which module imports which, which must not, and what loads when.

A module here is a file or folder directly in `autograd/`. It imports from lower layers only; a new
one fails until it has been given its layer.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograd as ag
from autograd.primitives import TABLE

PACKAGE = Path(ag.__file__).parent

LAYERS = (
    ("checks", "recording", "copying", "gc_pause", "locks", "optional"),
    ("operators", "optim", "data", "files"),
    ("primitives", "datasets"),
    ("special",),
    ("value",),
    ("functions",),
    ("derivatives", "losses"),
    ("gradcheck",),
    ("compiler",),
    ("nn", "solve"),
    ("training",),
    ("viz",),
    ("plotting", "interop", "exercises"),
    ("cli",),
    ("__main__",),
)
"""From the lowest up. Modules of one layer do not import one another."""

LAYER = {module: layer for layer, modules in enumerate(LAYERS) for module in modules}
ENGINE = ("operators", "primitives", "special", "recording", "value", "functions", "derivatives")
LOADED_WHEN_NEEDED = (
    *("graphviz", "tqdm", "matplotlib", "llvmlite", "numpy"),
    *("sklearn", "torch", "keras", "jax"),
)

LOADED_LATE = {
    "sklearn.py": ("numpy", "sklearn"),  # classes that derive from another library's
    "torch_modules.py": ("torch",),
    "widget.py": ("anywidget", "traitlets"),
    **dict.fromkeys(("classifiers.py", "costs.py", "curves.py"), ("matplotlib", "numpy")),
    "style.py": ("matplotlib", "PIL"),
    "jax_arrays.py": ("jax", "numpy"),
    **dict.fromkeys(
        # The compiler's passes over arrays.
        (
            *("lowering.py", "reverse.py", "ragged.py", "expressions.py", "schedule.py"),
            *("access.py", "reroll.py", "assembly.py", "runtime.py", "training.py"),
        ),
        ("numpy",),
    ),
}
"""Files that import other packages at the top, and are loaded when they are first needed."""

FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


MODULES = sorted(set(map(module_of, FILES)))


@functools.cache
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


@functools.cache
def modules_imported_by(file: Path) -> set[str]:
    """The modules that a file imports; "autograd" stands for the package, which has them all."""
    package = ["autograd", *file.relative_to(PACKAGE).parts[:-1]]
    found = set()
    for name in imported_modules(tree_of(file), package):
        first, _, rest = name.partition(".")
        if first == "autograd":
            module = rest.split(".")[0]
            found.add(module if module in MODULES else "autograd")
    return found


def test_imports_are_found() -> None:
    imported = {"checks", "copying", "locks", "operators", "primitives", "recording", "special"}
    assert modules_imported_by(PACKAGE / "value.py") == imported
    assert {"value", "nn"} <= modules_imported_by(PACKAGE / "viz" / "drawing.py")
    assert list(imported_modules(ast.parse("def f(): from ..a import b"), ["x", "y"])) == ["x.a.b"]


def test_every_module_has_a_layer() -> None:
    assert {*LAYER, "__init__"} == set(MODULES), "give each module a layer in LAYERS"


def test_a_module_imports_only_from_lower_layers() -> None:
    for file in FILES:
        module = module_of(file)
        for imported in modules_imported_by(file) - {module}:
            if module == "__init__" or (module == "__main__" and imported == "autograd"):
                continue  # the package exports all, and the command line asks for its version
            assert imported != "autograd", f"{file} imports the whole package; name the module"
            assert LAYER[imported] < LAYER[module], f"{file} must not import {imported}"


def test_no_imports_are_circular() -> None:
    imports: dict[str, set[str]] = {}
    for file in FILES:
        path = file.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(["autograd", *(part for part in path if part != "__init__")])
        package = ["autograd", *path[:-1]]
        imports[name] = set(imported_modules(tree_of(file), package))
    for name, modules in imports.items():
        prefixes = (module.rpartition(".")[0] for module in modules.copy())
        imports[name] = {
            m for m in (*modules, *prefixes) if m in imports and not name.startswith(m)
        }
    list(graphlib.TopologicalSorter(imports).static_order())  # raises CycleError


# --- what must not be known -----------------------------------------------------------------------


def test_the_optimizers_do_not_know_the_engine() -> None:
    assert modules_imported_by(PACKAGE / "optim.py") == {"checks"}  # of arguments


def test_the_reader_of_tables_needs_nothing_else_of_the_package() -> None:
    for file in (PACKAGE / "data").glob("*.py"):
        assert modules_imported_by(file) <= {"data"}, file


def test_the_engine_does_not_know_the_optimizers() -> None:
    for file in [file for file in FILES if module_of(file) in ENGINE]:
        assert "optim" not in modules_imported_by(file), file
        names = {node.id for node in ast.walk(tree_of(file)) if isinstance(node, ast.Name)}
        assert not {name for name in names if "learning_rate" in name}, file


def test_the_compiler_states_no_derivative() -> None:
    for file in (PACKAGE / "compiler").rglob("*.py"):
        for node in ast.walk(tree_of(file)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                assert node.attr not in ("partials", "partials_at"), f"{file}:{node.lineno}"
            if isinstance(node, ast.Call):
                assert getattr(node.func, "id", "") != "Primitive", f"{file}:{node.lineno}"


def test_the_table_alone_knows_calculus() -> None:
    """A rule branches by the table's own operations, as it says."""
    trees = [tree_of(PACKAGE / "primitives.py"), tree_of(PACKAGE / "special.py")]
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


def test_other_packages_are_imported_inside_functions() -> None:
    for file in FILES:
        allowed = {"autograd", *sys.stdlib_module_names, *LOADED_LATE.get(file.name, ())}
        for statement in tree_of(file).body:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef) or (
                isinstance(statement, ast.If)
                and ast.unparse(statement.test).endswith("TYPE_CHECKING")
            ):
                continue
            packages = {x.split(".")[0] for x in imported_modules(statement, ["autograd"])}
            assert packages <= allowed, f"{file}:{statement.lineno}"


def modules_after(program: str) -> set[str]:
    """The top-level modules that are loaded once a fresh interpreter has run the program."""
    printed = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {name.split(".")[0] for name in printed.split()}


@pytest.mark.slow
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
