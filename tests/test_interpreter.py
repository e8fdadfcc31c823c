"""The interpreter of tapes: the first calls have the bits of eager code, and compile nothing."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import pytest

import autograd as ag
from autograd import Value
from autograd.compiler import jit as calls
from autograd.compiler.interpreter import most_calls
from autograd.primitives import Primitive
from tests.loops import Loops
from tests.numerics import every_primitive_at_ordinary_points, same

HAS_LLVM = importlib.util.find_spec("llvmlite") is not None


@pytest.fixture
def never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("it was compiled")

    monkeypatch.setattr(calls, "executable", refuse)


@pytest.mark.parametrize(("primitive", "point"), every_primitive_at_ordinary_points())
@pytest.mark.usefixtures("never_compiled")
def test_each_primitive_has_its_value_and_slopes(
    primitive: Primitive, point: tuple[float, ...]
) -> None:
    xs = [Value(x) for x in point]
    z = primitive(*xs)
    z.backward()
    expected = [z.data, *[x.grad for x in xs]]
    for x in xs:
        x.grad = None
    found = ag.jit(lambda: primitive(*xs)).backward()
    assert same([found, *[x.grad for x in xs]], expected)
    assert same([ag.jit(lambda x: primitive(*x), in_axes=None)(list(point))], [z.data])


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.usefixtures("never_compiled")
def test_random_loops_have_the_bits_of_eager_code(seed: int) -> None:
    loops = Loops(seed)
    value = loops([Value(x) for x in loops.row])
    value.backward()
    expected = [value.data, *(leaf.grad for leaf in loops.leaves)]
    for leaf in loops.leaves:
        leaf.grad = None
    f = ag.jit(loops if loops.row else functools.partial(loops, ()))
    found = f.backward(*[[loops.row]] if loops.row else [])
    assert same([found, *(leaf.grad for leaf in loops.leaves)], expected)


@pytest.mark.usefixtures("never_compiled")
def test_unselected_branches_give_no_nan() -> None:
    x = Value(-1.0)
    f = ag.jit(lambda: ag.where(x > 0.0, ag.sqrt(x), x * x))
    assert f.backward() == 1.0
    assert x.grad == -2.0


def test_it_is_replaced_when_it_has_been_called_often() -> None:
    f = ag.jit(lambda x, y: [x * y, ag.exp(x)], in_axes=None)
    expected = f(0.3, 2.0)
    runner = f.recorded(0.3, 2.0).values
    assert runner._run is None
    for _ in range(most_calls(runner._listing)):  # type: ignore[arg-type]
        assert f(0.3, 2.0) == expected
    assert runner._run is not None
    assert f(0.3, 2.0) == expected


def test_many_examples_are_compiled_at_once() -> None:
    f = ag.jit(lambda x: x * x)
    assert f([1.0, 2.0]) == [1.0, 4.0]
    assert f.recorded([1.0, 2.0]).values._run is not None


@pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed (extra jit)")
def test_a_backend_that_was_asked_for_is_used_at_once() -> None:
    f = ag.jit(lambda x: x * x, "llvm", in_axes=None)
    assert f(3.0) == 9.0
    assert f.recorded(3.0).values._run is not None
