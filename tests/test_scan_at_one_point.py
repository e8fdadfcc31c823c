"""A scan in functions of one point and in equations."""

from collections.abc import Callable
from typing import Any

import pytest

import autograd as ag


def loop(x: Any) -> Any:
    return ag.scan(lambda s, u: (s * u + x[1] * s * s, s), x[0], [x[2], 0.2, 0.3])[0]


def equation(x: Any) -> Any:
    return ag.root(lambda z: z**3 + z + loop([z, x[1], x[2]]) - x[0], 0.3)


@pytest.mark.parametrize("backend", ["python", "llvm"])
@pytest.mark.parametrize("f", [loop, ag.gradient(loop), equation, ag.gradient(equation)])
def test_a_scan_at_one_point_is_that_of_eager_code(f: Callable[..., Any], backend: Any) -> None:
    x = [0.4, 0.7, 0.55]
    assert ag.jit(f, backend, in_axes=None)(x) == pytest.approx(f(x), rel=1e-12)


@pytest.mark.parametrize("derive", [ag.sparse_jacobian, ag.sparse_hessian])
def test_a_sparse_derivative_of_a_scan_says_what_to_write(derive: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="Python loop"):
        derive(loop).values([0.4, 0.7, 0.55])
