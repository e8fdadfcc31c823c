"""Random programs of transformations nested in each other, as source for this package and PyTorch.

A program is an expression in `m`, the library, and in the variables around it. `OURS` and `torch()`
are two libraries that evaluate it; they share no code.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import autograd as ag
from autograd import Value
from autograd.derivatives.graph import number_of
from autograd.derivatives.structures import flat


def constant(f: Callable[[], Any]) -> Any:
    """f() under `no_grad`."""
    with ag.no_grad():
        return f()


def an_array(*items: Any) -> Any:
    import numpy as np

    return np.array(items, object if any(isinstance(x, Value) for x in items) else float)


OURS = SimpleNamespace(
    **{name: getattr(ag, name) for name in ("sin", "cos", "tanh", "exp", "sigmoid", "where")},
    **{name: getattr(ag, name) for name in ("gradient", "value_and_gradient", "jacobian")},
    **{name: getattr(ag, name) for name in ("hessian", "hessian_vector_product", "jvp", "vjp")},
    take=ag.take,
    constant=constant,
    array=an_array,
    flat=lambda x: [number_of(number) for number in flat(x)],
)


def torch() -> SimpleNamespace:
    """The same operations by PyTorch, in double precision."""
    import torch as t
    from torch.utils import _pytree as trees

    def tensors(structure: Any) -> Any:
        return trees.tree_map(lambda x: t.as_tensor(x, dtype=t.float64), structure)

    def of_tensors(f: Callable[..., Any], **constants: Any) -> Callable[..., Any]:
        return lambda *xs: tensors(f(*xs, **constants))

    def lifted(transform: Any) -> Any:
        def transformed(f: Any, argnums: Any = None) -> Any:
            def call(*xs: Any, **constants: Any) -> Any:
                every = 0 if len(xs) == 1 else tuple(range(len(xs)))
                chosen = every if argnums is None else argnums
                return transform(of_tensors(f, **constants), argnums=chosen)(*tensors(xs))

            return call

        return transformed

    def with_value(f: Any, argnums: Any) -> Any:
        def call(*xs: Any) -> Any:
            slope, value = t.func.grad_and_value(f, argnums=argnums)(*xs)
            return value, slope

        return call

    def along(f: Any, given: tuple[Any, ...]) -> Any:
        *xs, v = tensors(given)
        return t.func.jvp(f, tuple(xs), (v,) if len(xs) == 1 else tuple(v))[1]

    def jvp(f: Any) -> Any:
        return lambda *given, **constants: along(of_tensors(f, **constants), given)

    def product(f: Any) -> Any:
        def call(*given: Any, **constants: Any) -> Any:
            every = 0 if len(given) == 2 else tuple(range(len(given) - 1))
            return along(t.func.grad(of_tensors(f, **constants), argnums=every), given)

        return call

    def vjp(f: Any, *xs: Any, **constants: Any) -> Any:
        value, pull_back, *_ = t.func.vjp(of_tensors(f, **constants), *tensors(xs))
        return value, lambda u: pull_back(tensors(u))

    def unary(function: Any) -> Any:
        return lambda x: function(tensors(x))

    return SimpleNamespace(
        **{name: unary(getattr(t, name)) for name in ("sin", "cos", "tanh", "exp", "sigmoid")},
        where=lambda c, x, y: t.where(t.as_tensor(c), *tensors((x, y))),
        gradient=lifted(t.func.grad),
        value_and_gradient=lifted(with_value),
        jacobian=lifted(t.func.jacrev),
        hessian=lifted(lambda f, argnums: t.func.jacrev(t.func.jacrev(f, argnums), argnums)),
        hessian_vector_product=product,
        jvp=jvp,
        vjp=vjp,
        take=lambda rows, index: rows[int(index)],
        constant=lambda f: tensors(f()).detach(),
        array=lambda *items: t.stack(tensors(list(items))),
        flat=lambda x: [float(number) for number in trees.tree_leaves(x)],
    )


class Writer:
    """Writes random expressions."""

    def __init__(self, seed: int, orders: int, with_no_grad: bool) -> None:
        self.source = random.Random(seed)
        self.orders = orders
        self.with_no_grad = with_no_grad
        self.names: Iterator[str] = (f"t{i}" for i in range(1_000))
        self.transformations = 0

    def program(self) -> str:
        """A function of two numbers with at least one transformation at a plain number in it."""
        while True:
            text = self.expression(["x", "y"], 4, self.orders)
            if self.transformations:
                return f"lambda x, y: {text}"

    def number(self) -> str:
        return repr(round(self.source.uniform(-1.2, 1.2), 3))

    def atom(self, scope: list[str]) -> str:
        recent = scope[-3:]
        return self.source.choice([*scope, *recent, *recent, self.number()])

    def point(self, scope: list[str]) -> str:
        """Where a transformation is taken: mostly a plain number, or what depends on others."""
        choice = self.source.random()
        if choice < 0.6:
            return self.number()
        return self.atom(scope) if choice < 0.8 else f"m.sin({self.expression(scope, 1, 0)})"

    def expression(self, scope: list[str], depth: int, orders: int) -> str:
        source = self.source
        if depth <= 0:
            return self.atom(scope)
        if orders > 0 and source.random() < 0.55:
            self.transformations += 1
            return self.transformation(scope, depth - 1, orders)

        def part(less: int = 1) -> str:
            return self.expression(scope, depth - less, orders)

        kind = source.randrange(11)
        if kind < 3:
            return f"({part()} {source.choice('+-*')} {part()})"
        if kind < 6:
            name = source.choice(["sin", "cos", "tanh", "sigmoid"])
            return f"m.{name}({part()})"
        if kind == 6:
            return f"({part()} / (2.0 + m.tanh({part(2)})))"
        if kind == 7:
            return f"m.exp(0.5 * m.sin({part()})) * {self.atom(scope)}"
        if kind == 8:
            return f"m.where({self.atom(scope)} + 0.0017 * x > {self.number()}, {part()}, {part()})"
        if kind == 9:
            rows = ", ".join(part(2) for _ in range(3))
            return f"m.take([{rows}], {source.randrange(3)}.0)"
        if self.with_no_grad and source.random() < 0.7:
            return f"(m.constant(lambda: 1.0 * ({part()})) * {part()})"
        return f"({part()})**{source.choice([2, 3])}"

    def transformation(self, scope: list[str], depth: int, orders: int) -> str:
        t, u = next(self.names), next(self.names)
        a, b, c = self.number(), self.number(), self.number()
        p, q = self.point(scope), self.point(scope)

        def body(names: list[str], cost: int = 1, of: list[str] | None = None) -> str:
            inner = [*scope, *(of or names)]
            return (
                f"{' * '.join(self.source.sample(names, 1))}"
                f" * {self.expression(inner, depth, orders - cost)}"
                f" + {self.expression(inner, 1, 0)} * {self.source.choice(of or names)}**2"
            )

        kinds = ["gradient", "pair", "value", "list", "array", "dict", "jacobian", "jvp", "jvps"]
        kinds += ["vjp", "named", "argnums", "two"]
        kinds += ["hessian", "hessians", "product", "products"] if orders >= 2 else []
        kind = self.source.choice(kinds)
        two = f"lambda {t}, {u}: {body([t, u])}"
        items = [f"{t}[0]", f"{t}[1]"]
        keys = [f"{t}['b'][0]", f"{t}['a']"]
        if kind == "gradient":
            return f"m.gradient(lambda {t}: {body([t])})({p})"
        if kind == "pair":
            return f"(lambda r: {a} * r[0] + r[1])(m.gradient({two})({p}, {q}))"
        if kind == "value":
            return (
                f"(lambda r: {a} * r[0] + r[1])(m.value_and_gradient(lambda {t}: {body([t])})({p}))"
            )
        if kind in ("list", "array"):
            point = f"[{p}, {q}]" if kind == "list" else f"m.array({p}, {q})"
            text = body(items)
            return f"(lambda r: {a} * r[0] + r[1])(m.gradient(lambda {t}: {text})({point}))"
        if kind == "dict":
            point = f"{{'b': [{p}], 'a': {q}}}"
            text = body(keys)
            return f"(lambda r: {a}*r['b'][0] + r['a'])(m.gradient(lambda {t}: {text})({point}))"
        if kind == "jacobian":
            text = f"lambda {t}: {{'u': [{body([t])}, {body([t])}]}}"
            return f"(lambda r: {a} * r['u'][0] + r['u'][1])(m.jacobian({text})({p}))"
        if kind == "jvp":
            return f"m.jvp(lambda {t}: {body([t])})({p}, {q})"
        if kind == "jvps":
            text = f"lambda {t}, {u}: [{body([t, u])}, {body([u])}]"
            v = self.point(scope)
            return f"(lambda r: {a} * r[0] + r[1])(m.jvp({text})({p}, {q}, ({v}, {b})))"
        if kind == "vjp":
            text = f"lambda {t}, {u}: [{body([t, u])}, {body([u])}]"
            v = self.point(scope)
            return (
                f"(lambda r: {a} * r[0][0] + r[1]([{b}, {v}])[0] + r[1]([{v}, {c}])[1])"
                f"(m.vjp({text}, {p}, {q}))"
            )
        if kind == "named":
            return f"m.gradient(lambda {t}, {u}: {body([t], of=[t, u])})({p}, {u}={q})"
        if kind == "argnums":
            return f"m.gradient({two}, argnums={self.source.choice([0, 1])})({p}, {q})"
        if kind == "two":
            return f"(lambda r: {a} * r[0])(m.gradient({two}, argnums=(1,))({p}, {q}))"
        if kind == "hessian":
            return f"m.hessian(lambda {t}: {body([t], 2)})({p})"
        if kind == "hessians":
            text = body(items, 2)
            r = f"(lambda r: {a} * r[0][1] + r[1][1])"
            return f"{r}(m.hessian(lambda {t}: {text})([{p}, {q}]))"
        if kind == "product":
            return f"m.hessian_vector_product(lambda {t}: {body([t], 2)})({p}, {q})"
        text = f"lambda {t}, {u}: {body([t, u], 2)}"
        product = f"m.hessian_vector_product({text})({p}, {q}, ({b}, {self.point(scope)}))"
        return f"(lambda r: {a} * r[0] + r[1])({product})"


def program(seed: int, orders: int = 3, with_no_grad: bool = False) -> str:
    """The source of a function of x and y."""
    return Writer(seed, orders, with_no_grad).program()


def evaluated(text: str, m: SimpleNamespace) -> Callable[[Any, Any], Any]:
    """The function that a source means with a library."""
    function: Callable[[Any, Any], Any] = eval(text, {"m": m})
    return function
