"""The JAX back end, and `to_jax`: a program as a JAX function, for accelerators and many devices.

The function is pure, of one flat array of leaves and the inputs of all examples (an array with a
row for each), so that `jax.jit`, `jax.vmap`, `jax.grad` and shardings apply to it.

XLA regroups additions and takes subnormal numbers for 0, and results agree with other back ends but
for that: of two computed numbers that are equal there, rounding may make one the `maximum`.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd.compiler.backends.codegen import COMPARISONS, OPERATORS
from autograd.compiler.columns import Column, Numbers, joined_leaves
from autograd.compiler.pipeline import Lowered, lower, roll
from autograd.compiler.program import Backend, Executable, Program
from autograd.compiler.trace import leaves_of, trace
from autograd.primitives import TABLE
from autograd.recording import Selection
from autograd.value import Value

if TYPE_CHECKING:
    import numpy as np

Array: TypeAlias = Any
"""An array of JAX: an axis for the examples, if it differs between them, and one for each index."""

Function: TypeAlias = Callable[[Array, Array], Array]
"""Takes the leaves and the inputs of the examples; see `function`."""

LIBRARY = "abs sqrt exp expm1 log log1p log2 log10 sin cos tan sinh cosh tanh floor fmod"
"""Primitives that `jax.numpy` calls as the table does."""

SPELLING: dict[str, str] = {
    **OPERATORS,
    "div": "{} / {}",
    **{name: f"jnp.where({text}, 1.0, 0.0)" for name, text in COMPARISONS.items()},
    "where": "jnp.where({} != 0.0, {}, {})",
    "stop_gradient": "jax.lax.stop_gradient",
    "pow": "jnp.power",
    **{name: f"jnp.{name}" for name in LIBRARY.split()},
    **{
        f"a{name}": f"jnp.arc{name}"
        for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")
    },
    **{name: f"jax.scipy.special.{name}" for name in ("erf", "erfc")},
}
"""How each elementary row is written. Those of users that are not here are called back."""


def function(program: Program) -> Function:
    """The program as a pure function of JAX, in the float type of the leaves.

    It takes the numbers of the leaves in a flat array, and an array of the inputs with a row for
    each example; and returns the results of the batch in a flat array, or a row for each example.
    """

    from autograd.compiler.backends.jax_arrays import Evaluation

    return lambda leaves, examples: Evaluation(program, _function, leaves, examples).results()


def source(program: Program) -> str:
    """The jaxpr of the program for one example, in float64; nothing is compiled."""
    import jax

    sizes = program.sizes
    with _float64():
        shapes = (sizes["w"],), (1, sizes["x"])
        return str(jax.make_jaxpr(function(program))(*map(jax.numpy.zeros, shapes)))


def compile_program(program: Program) -> Executable:
    """The program as a function of leaves and columns, compiled by XLA in float64."""
    import jax
    import numpy as np

    compiled = jax.jit(function(program))

    def run(leaves: Sequence[float], columns: Sequence[Column]) -> Numbers:
        numbers, columns = joined_leaves(leaves, columns)
        count = columns[0].count if columns else 1
        parts = [np.asarray(column.numbers).reshape(count, column.width) for column in columns]
        examples = np.concatenate(parts, axis=1) if parts else np.zeros((count, 0))
        with _float64():
            results = np.asarray(compiled(numbers, examples))
        return results.T.ravel()

    return run


def _float64() -> AbstractContextManager[Any]:
    """A block in which JAX computes in float64."""
    import jax

    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)  # type: ignore[no-any-return]
    from jax import experimental

    return experimental.enable_x64()  # type: ignore


def to_jax(f: Callable[..., Any], *example: Any) -> JaxFunction:
    """A function of Values as a pure function of JAX, to be run on whatever XLA runs on.

        >>> loss = ag.to_jax(lambda x, y: ag.binary_cross_entropy(model(x), y), X[0], Y[0])
        >>> step = jax.jit(loss.value_and_gradient)
        >>> value, gradient = step(loss.numbers(), X, Y)

    It is recorded once, as by `jit`, for arguments of the shapes of `example`.

    Args:
        f: takes one example and returns a Value, or lists and tuples of them.
        example: the arguments of `f` for one example: a number, or nested lists or an array, each.

    Raises:
        TypeError: if `f` cannot be compiled (see `jit`), or the example holds no real numbers.
        ImportError: without JAX.
    """
    if importlib.util.find_spec("jax") is None:
        raise ImportError("to_jax needs jax; pip install 'scalar-autograd[jax]'")
    import numpy as np

    for i, argument in enumerate(example):
        if np.asarray(argument).dtype.kind not in "biuf":
            raise TypeError(f"to_jax: argument {i}: expected real numbers, got {argument!r}")
    return JaxFunction(f, [np.shape(argument) for argument in example])


class JaxFunction:
    """A function of Values as a pure function of JAX; made by `to_jax`.

    Both ways to call it take the leaves (the Values that the function reads, such as the parameters
    of a model) as one flat array, and for each argument an array with the examples along its first
    axis, or a single example. `jax.jit`, `jax.vmap`, `jax.grad` and shardings apply to them. They
    compute in the float type of the leaves: in float64 if `jax_enable_x64` is set, and otherwise,
    as all of JAX does, in float32.

    The gradient of `value_and_gradient` is derived by this library, not by JAX. It ignores
    unselected branches, unless a number overflows there (gradients by JAX do not ignore them).

    Attributes:
        leaves: the Values whose numbers the flat array holds, in order.
    """

    def __init__(self, f: Callable[..., Any], shapes: list[tuple[int, ...]]) -> None:
        self._f = f
        self._shapes = shapes
        self._trace = trace(f, shapes)
        if self._trace.selection is Selection.NAN:
            self._trace = trace(f, shapes, follows_branches=True)
        found = [leaves_of(output) for output in self._trace.outputs]
        self.leaves = tuple(dict.fromkeys(leaf for leaves in found for leaf in leaves))
        self._each = function(roll(self._lowered(is_batch=False)))

    def __repr__(self) -> str:
        return f"<to_jax of {self._f!r}, {len(self.leaves)} leaves>"

    def __call__(self, leaves: Array, *columns: Array) -> Any:
        """The value of each example, in the lists and tuples that the function returns."""
        examples, is_single = self._examples(columns)
        results = self._each(leaves, examples)
        numbers = iter(results[0] if is_single else results.T)

        def filled(form: Any) -> Any:
            return next(numbers) if form is None else type(form)(map(filled, form))

        return filled(self._trace.form)

    def value_and_gradient(self, leaves: Array, *columns: Array) -> tuple[Array, Array]:
        """The mean of the values over the examples, and its gradient with respect to the leaves.

        Raises:
            TypeError: if the function returns a list.
        """
        results = self._gradient(leaves, self._examples(columns)[0])
        return results[0], results[1:]

    def numbers(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The numbers of the leaves as they are now."""
        import numpy as np

        return np.array([leaf.data for leaf in self.leaves])

    @cached_property
    def _gradient(self) -> Function:
        if self._trace.form is not None:
            raise TypeError(
                "value_and_gradient: the function returns a list; it needs one Value to follow"
            )
        lowered = self._lowered(True, self.leaves)
        if lowered.selection is Selection.NAN:
            lowered = self._lowered(True, self.leaves, follows_branches=True)
        return function(roll(lowered))

    def _lowered(
        self, is_batch: bool, variables: Sequence[Value] = (), follows_branches: bool = False
    ) -> Lowered:
        recorded = self._trace
        return lower(
            recorded.inputs, recorded.outputs, is_batch, self.leaves, variables, follows_branches
        )

    def _examples(self, columns: Sequence[Array]) -> tuple[Array, bool]:
        """The inputs, a row for each example, and whether one was given without that axis."""
        from jax import numpy as jnp

        if len(columns) != len(self._shapes):
            raise TypeError(f"{self!r} takes {len(self._shapes)} columns, got {len(columns)}")
        arrays = list(map(jnp.asarray, columns))
        if is_single := [x.shape for x in arrays] == self._shapes:
            arrays = [x[None] for x in arrays]
        count = arrays[0].shape[:1] if arrays else (1,)
        for i, (x, own) in enumerate(zip(arrays, self._shapes, strict=True)):
            if x.ndim == 0 or x.shape != (*count, *own):
                raise ValueError(
                    f"{self!r}: column {i} has the shape {x.shape}; expected (examples, "
                    f"{', '.join(map(str, own))}), equally many examples in all columns"
                )
        rows = [
            x.reshape(*count, math.prod(own)) for x, own in zip(arrays, self._shapes, strict=True)
        ]
        return jnp.concatenate([jnp.zeros((*count, 0)), *rows], axis=1), is_single


def _function(name: str) -> Callable[..., Array]:
    """The JAX function of a primitive."""
    import jax

    if name not in SPELLING:
        return _called_back(name)
    spelled = SPELLING[name]
    if "{" in spelled:
        names = [f"x{i}" for i in range(spelled.count("{"))]
        spelled = f"lambda {', '.join(names)}: {spelled.format(*names)}"
    found: Callable[..., Array] = eval(spelled, {"jax": jax, "jnp": jax.numpy})
    return found


def _called_back(name: str) -> Callable[..., Array]:
    """A user's primitive as a function of arrays that calls back to Python for each number."""
    import jax
    import numpy as np

    row = TABLE[name]
    value = np.vectorize(lambda *numbers: row.at(numbers), otypes=[float])

    def call(*args: Array) -> Array:
        arrays = jax.numpy.broadcast_arrays(*map(jax.numpy.asarray, args))
        kind: Any = jax.ShapeDtypeStruct(arrays[0].shape, arrays[0].dtype)  # type: ignore[no-untyped-call]
        return jax.pure_callback(
            lambda *xs: value(*xs).astype(kind.dtype), kind, *arrays, vmap_method="expand_dims"
        )

    return call


BACKEND = Backend("jax", SPELLING, source, compile_program, needs=("jax", "jax"))
