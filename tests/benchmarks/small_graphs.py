"""The expression of micrograd's README at a million inputs: nanoseconds for a gradient."""

from __future__ import annotations

from typing import Any

import autograd as ag
from autograd import Value
from tests.benchmarks.measure import Steps, in_turns, print_table, readable, repeated

COUNT = 1_000_000
FEW = 2_000
PUBLISHED = "64 ns"
"""BurTorch in C++ on its tiny graph, its order precomputed, as measured for this comparison."""


def expression(a: Any, b: Any, relu: Any) -> Any:
    """What micrograd's README computes."""
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + relu(b + a)
    d = d + 3 * d + relu(b - a)
    e = c - d
    f = e**2
    return f / 2.0 + 10.0 / f


def run(title: str) -> None:
    """Measure and print."""
    import numpy as np

    A, B = np.linspace(-4.0, -3.0, COUNT), np.linspace(2.0, 3.0, COUNT)
    pairs = list(zip(A[:FEW].tolist(), B[:FEW].tolist(), strict=True))

    @ag.jit
    def slopes(a: Value, b: Value) -> list[Value]:
        return ag.grad(expression(a, b, ag.relu), [a, b])

    found = {"autograd jit": np.asarray(slopes(A, B))}
    sizes = {"autograd jit": COUNT}
    steps: dict[str, Steps] = {"autograd jit": repeated(lambda: slopes(A, B))}

    def eager(value: Any, relu: Any) -> Any:
        def step() -> list[tuple[float, float]]:
            gradients = []
            for a, b in pairs:
                x, y = value(a), value(b)
                expression(x, y, relu).backward()
                gradients.append((x.grad, y.grad))
            return gradients

        return step

    engines = {"autograd eager": eager(Value, ag.relu)}
    try:
        from micrograd.engine import Value as TheirValue

        engines["micrograd"] = eager(TheirValue, TheirValue.relu)
    except ImportError:
        pass
    for name, step in engines.items():
        found[name], sizes[name], steps[name] = np.array(step()), FEW, repeated(step)
    try:
        import jax

        jax.config.update("jax_enable_x64", True)
        one = jax.grad(lambda a, b: expression(a, b, jax.nn.relu), argnums=(0, 1))
        mapped = jax.jit(jax.vmap(one))
        found["JAX vmap"] = np.column_stack(mapped(A, B))
        sizes["JAX vmap"] = COUNT
        steps["JAX vmap"] = repeated(lambda: jax.block_until_ready(mapped(A, B)))
    except ImportError:
        pass

    errors = {
        name: float(np.max(np.abs(slopes[:FEW] / found["autograd eager"] - 1.0)))
        for name, slopes in found.items()
    }
    if not max(errors.values()) < 1e-12:
        raise RuntimeError(f"{title}: they do not compute the same gradient: {errors}")
    medians = in_turns(steps, rounds=5)
    rows = [
        (
            name,
            readable(s / sizes[name]),
            f"{errors[name]:.0e}",
        )
        for name, s in sorted(medians.items(), key=lambda item: -item[1] / sizes[item[0]])
    ]
    rows += [(name, "missing", "") for name in ("micrograd", "JAX vmap") if name not in steps]
    rows.append(("BurTorch, published", PUBLISHED, ""))
    print_table(title, ("", "time of a gradient", "relative error"), rows)
