"""What every back end promises of the numbers it computes, for all of them in one place."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from autograd.compiler.jit import BACKENDS, jit
from autograd.compiler.program import Program, primitives_used
from tests.numerics import same
from tests.runners import CC, EXACT, NODE, compiled_c, eager, in_node, program_of
from tests.shapes import SHAPES

pytestmark = pytest.mark.slow

ERROR = {"python": 0.0, "llvm": 0.0, "c": 0.0, "javascript": 1e-12, "jax": 1e-12}
"""The relative error that one example may have beside eager code; 0 is the same bits.

JavaScript and XLA have functions such as exp of their own. What JavaScript computes with arithmetic
alone has the same bits too.
"""


def by_jit(backend: Any, f: Callable[[], Any], program: Program) -> list[float]:
    for leaf in program.leaves:
        leaf.grad = None
    value: Any = jit(f, backend).backward()
    return [value, *(leaf.grad or 0.0 for leaf in program.leaves)]


def computed(backend: str, f: Callable[[], Any], program: Program, folder: Path) -> list[float]:
    """The value of a function without arguments, and its gradient."""
    numbers = [leaf.data for leaf in program.leaves]
    if backend == "c":
        if CC is None:
            pytest.skip("there is no C compiler here")
        return compiled_c(program, folder)(numbers)
    if backend == "javascript":
        if NODE is None:
            pytest.skip("node is not installed")
        return in_node([(program, numbers, [[]])])[0]
    module, _ = BACKENDS[backend].needs or ("math", "")
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    return by_jit(backend, f, program)


def test_every_back_end_makes_a_promise() -> None:
    assert ERROR.keys() == BACKENDS.keys()


@functools.cache
def small_and_large(name: str) -> Sequence[tuple[Callable[[], Any], Program, Sequence[Any]]]:
    """A function, its program, and its value and gradient in eager code; of two sizes."""
    shape, n = SHAPES[name]
    found = []
    for size in (n // 8 * 2 + 1, n):  # odd: else the option's middle price is at the kink
        f, leaves = shape(size)
        program = program_of(f)
        assert set(leaves) == set(program.leaves)
        found.append((f, program, eager(f, program)))
    return found


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SHAPES)
def test_one_example_has_the_numbers_of_eager_code(name: str, backend: str, tmp_path: Path) -> None:
    f, program, expected = small_and_large(name)[ERROR[backend] == 0.0]
    found = computed(backend, f, program, tmp_path)
    is_exact = set(primitives_used(program)) <= {*EXACT, "sum", "dot"}
    if ERROR[backend] == 0.0 or (backend == "javascript" and is_exact):
        assert same(found, expected)
    else:
        assert found == pytest.approx(expected, rel=ERROR[backend], abs=1e-14)
