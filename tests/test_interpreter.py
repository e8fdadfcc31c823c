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
from autograd.compiler.lowering import Tape
from autograd.compiler.trace import trace
from autograd.primitives import Primitive
from tests.loops import Loops
from tests.numerics import SMOOTH, ordinary_points, same

HAS_LLVM = importlib.util.find_spec("llvmlite") is not None


@pytest.fixture
def never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("it was compiled")

    monkeypatch.setattr(calls, "executable", refuse)


@pytest.mark.parametrize("primitive", SMOOTH, ids=lambda row: row.name)
@pytest.mark.usefixtures("never_compiled")
def test_each_primitive_has_its_value_and_slopes(primitive: Primitive) -> None:
    def compared(xs: list[Value]) -> None:
        z = primitive(*xs)
        z.backward()
        slopes = [x.grad for x in xs]
        for x in xs:
            x.grad = None
        found = ag.jit(lambda: primitive(*xs)).backward()
        assert same([found, *[x.grad for x in xs]], [z.data, *slopes]), xs
        at_one_point = ag.jit(lambda x: primitive(*x), in_axes=None)
        assert same([at_one_point([x.data for x in xs])], [z.data]), xs

    for point in ordinary_points(primitive):
        compared([Value(x) for x in point])


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


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The back ends that something was compiled by."""
    found: list[str] = []

    def executable(tape: Any, backend: str) -> Any:
        found.append(backend)
        return by(tape, backend)

    by = calls.executable
    monkeypatch.setattr(calls, "executable", executable)
    return found


def test_it_is_replaced_when_it_has_been_called_often(compiled: list[str]) -> None:
    def value_and_exp(x: Any, y: Any) -> Any:
        return [x * y, ag.exp(x)]

    f = ag.jit(value_and_exp, in_axes=None)
    expected = f(0.3, 2.0)
    recorded = trace(value_and_exp, [(), ()])
    n = most_calls(Tape(recorded.inputs, recorded.outputs, is_batch=False))
    for _ in range(n - 1):
        assert f(0.3, 2.0) == expected
    assert not compiled
    for _ in range(3):
        assert f(0.3, 2.0) == expected
    assert compiled == ["auto"]


def test_many_examples_are_compiled_at_once(compiled: list[str]) -> None:
    assert ag.jit(lambda x: x * x)([1.0, 2.0]) == [1.0, 4.0]
    assert compiled == ["auto"]


@pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed (extra jit)")
def test_a_backend_that_was_asked_for_is_used_at_once(compiled: list[str]) -> None:
    assert ag.jit(lambda x: x * x, "llvm", in_axes=None)(3.0) == 9.0
    assert compiled == ["llvm"]
