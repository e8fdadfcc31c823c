"""PyTorch as oracle: the edges, and the derivatives of random graphs, both in float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import assume, given

from autograd import Value, gradient, hessian
from autograd.primitives import TABLE
from tests.graphs import COMPARISONS, Program, any_float, inputs, ordinary, programs
from tests.numerics import same
from tests.test_primitives import EDGES

torch = pytest.importorskip("torch", reason="PyTorch, the oracle of these tests, is not installed")


def tensor(x: float) -> Any:
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def as_tensor(x: Any) -> Any:
    return x if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64)


def of_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: function(*map(as_tensor, args))


def dot(*factors: Any) -> Any:
    half = len(factors) // 2
    return torch.dot(torch.stack(factors[:half]), torch.stack(factors[half:]))


def in_numbers(comparison: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: comparison(x, y).double()


IN_TORCH: dict[str, Callable[..., Any]] = {
    name: of_tensors(function)
    for name, function in {
        **{name: getattr(torch, name) for name in TABLE if hasattr(torch, name)},
        **{name: in_numbers(getattr(torch, name)) for name in COMPARISONS},
        "softplus": torch.nn.functional.softplus,
        "sech2": lambda x: 1.0 - torch.tanh(x) ** 2,
        "hypot": lambda *xs: torch.linalg.vector_norm(torch.stack(xs)),
        "stop_gradient": lambda x: x.detach(),
        "where": lambda c, x, y: torch.where(c.bool(), x, y),
        "sum": lambda *terms: torch.stack(terms).sum(),
        "dot": dot,
        "mod": torch.remainder,
        "log_sigmoid": torch.nn.functional.logsigmoid,
        "norm_cdf": torch.special.ndtr,
    }.items()
}
WITHOUT_PEER = {
    *("logical_and", "logical_or", "logical_not", "clip", "fmod", "floordiv", "difference_error"),
    *("logistic_pdf", "bell", "norm_pdf", "cbrt", "polygamma1", "polygamma2", "polygamma3"),
    *("sign", "acosh", "xlogy", "log_norm_cdf", "given_partial"),
}
"""The rows that PyTorch has not, has with other arguments, or answers otherwise at many edges."""

for _name in WITHOUT_PEER & set(IN_TORCH):
    del IN_TORCH[_name]


ON_PURPOSE = {
    ("hypot", (3.0 * 2.0**1020, 0.0, -(2.0**1022))): "its squares overflow",
    ("hypot", (5e-324, 0.0)): "its squares underflow",
    ("hypot", (math.nan, math.inf)): "inf, whatever the other is (IEEE 754-2019, 9.2.1)",
}
"""The edges at which PyTorch answers otherwise. Ours, the right answers, are those of EDGES."""


def test_the_differences_are_edges_and_are_differences() -> None:
    for name, args in ON_PURPOSE:
        ((value, partials),) = [(v, p) for at, v, p in EDGES[name] if same(at, args)]
        tensors = [tensor(x) for x in args]
        output = IN_TORCH[name](*tensors)
        theirs = [output.item(), *(slope.item() for slope in slopes(output, tensors))]
        assert not all(agree(x, y, 1e-15) for x, y in zip((value, *partials), theirs, strict=True))


def agree(ours: float, theirs: float, tolerance: float) -> bool:
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    return ours == theirs or abs(ours - theirs) <= tolerance * max(1.0, abs(ours))


def slopes(output: Any, tensors: list[Any]) -> Sequence[Any]:
    """The gradient, with None for what PyTorch finds no path to."""
    if not output.requires_grad:
        return [None] * len(tensors)
    found: Sequence[Any] = torch.autograd.grad(output, tensors, allow_unused=True)
    return found


def test_every_primitive_is_compared() -> None:
    assert set(IN_TORCH) | WITHOUT_PEER == set(TABLE)


@pytest.mark.parametrize("name", IN_TORCH)
def test_edges_as_in_torch(name: str) -> None:
    for args, value, partials in EDGES[name]:
        if not args or any(name == n and same(args, at) for n, at in ON_PURPOSE):
            continue
        tensors = [tensor(x) for x in args]
        output = IN_TORCH[name](*tensors)
        assert agree(value, output.item(), 1e-15), args
        for ours, theirs in zip(partials, slopes(output, tensors), strict=True):
            if ours is None:
                assert theirs is None, args
            else:
                assert agree(ours, theirs.item(), 1e-15), args


@pytest.mark.slow
@given(programs(names=IN_TORCH), inputs(ordinary))
def test_first_and_second_derivatives_of_random_graphs(program: Program, xs: list[float]) -> None:
    def in_torch(*tensors: Any) -> Any:
        return as_tensor(program(*tensors, table=IN_TORCH))

    tensors = [tensor(x) for x in xs]
    value = program(*(Value(x) for x in xs)).data
    slopes = torch.autograd.functional.jacobian(in_torch, tuple(tensors))
    curvatures = torch.autograd.functional.hessian(in_torch, tuple(tensors))
    flat = [in_torch(*tensors), *slopes, *(c for row in curvatures for c in row)]
    theirs = [t.item() for t in flat]
    ours = [value, *gradient(program)(*xs), *(c for row in hessian(program)(*xs) for c in row)]
    assume(all(map(math.isfinite, ours + theirs)))  # the edges say what the others must be
    scale = max(1.0, *map(abs, ours))
    for x, y in zip(ours, theirs, strict=True):
        assert agree(x / scale, y / scale, 1e-7)


@pytest.mark.slow
@given(programs(max_operations=1, names=IN_TORCH, constants=any_float), inputs(any_float))
def test_one_operation_on_any_floats(program: Program, xs: list[float]) -> None:
    tensors = [tensor(x) for x in xs]
    leaves = [Value(x) for x in xs]
    output, in_torch = program(*leaves), program(*tensors, table=IN_TORCH)
    assert agree(output.data, in_torch.item(), 1e-8)
    operation = program.operations[-1]  # before a `where` stands its condition
    if operation.name == "pow":
        exponent = operation.operands[1]
        exponent = xs[exponent] if isinstance(exponent, int) else exponent
        if (exponent - 1.0) + 1.0 != exponent:
            return  # PyTorch's slope has the power n - 1, rounded: of a negative base, wrong
    output.backward()
    for leaf, slope in zip(leaves, slopes(in_torch, tensors), strict=True):
        if leaf.grad is not None:
            assert agree(leaf.grad, slope.item(), 1e-8)
