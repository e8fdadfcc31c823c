"""A scan in functions of one point and in equations."""

from collections.abc import Callable
from typing import Any

import numpy as np
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


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_gradient_goes_through_an_equation_with_a_scan(backend: Any) -> None:
    w = ag.Value(0.7)
    solution = lambda x: ag.root(lambda z: z**3 + z + loop([z, w, 0.55]) - x, 0.3)  # noqa: E731
    solution(0.4).backward()
    expected, w.grad = w.grad, None
    ag.jit(solution, backend).backward([0.4])
    assert w.grad == pytest.approx(expected, rel=1e-12)


def test_sparse_derivatives_take_a_scan_apart() -> None:
    x = [0.4, 0.7, 0.55]
    for f in (loop, equation, ag.gradient(loop)):
        J = ag.sparse_jacobian(f)
        rows, columns = J.structure(x)
        dense = np.reshape(ag.jacobian(f)(x), (-1, 3))
        np.testing.assert_allclose(J.values(x), dense[rows, columns], rtol=1e-12)
    for f in (loop, equation):
        H = ag.sparse_hessian(f)
        expected = np.array(ag.hessian(f)(x))[H.structure(x)]
        np.testing.assert_allclose(H.values(x), expected, rtol=1e-11)
        compiled = ag.jit(ag.sparse_hessian(f).values, in_axes=None)
        np.testing.assert_allclose(compiled(x), expected, rtol=1e-11)
    many = ag.sparse_jacobian(lambda x: ag.scan(lambda s, u: (s + u * u, s), x[0], x[1:])[1])
    rows, columns = many.structure([0.5] * 5)
    assert list(zip(rows, columns, strict=True)) == [(t, j) for t in range(4) for j in range(t + 1)]


def test_minimize_takes_a_scan() -> None:
    """A body that is to be at rest at 1 after 20 steps."""
    pytest.importorskip("scipy")

    def end(forces: Any) -> Any:
        def step(state: Any, force: Any) -> Any:
            x, v = state
            return (x + 0.1 * v, v + 0.1 * force), None

        return ag.scan(step, (0.0, 0.0), forces)[0]

    found = ag.minimize(
        lambda u: ag.dot(u, u), [0.0] * 20, constraints=(end, [1.0, 0.0], [1.0, 0.0])
    )
    assert found.success
    assert end(found.x) == pytest.approx((1.0, 0.0), abs=1e-7)
    slopes = np.array(ag.jacobian(end)([0.0] * 20))
    assert found.x == pytest.approx(np.linalg.lstsq(slopes, [1.0, 0.0])[0], abs=1e-6)
