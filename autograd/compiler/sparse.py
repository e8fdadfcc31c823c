"""`sparse_jacobian` and `sparse_hessian`: compiled functions that return sparse matrices.

    >>> J = sparse_jacobian(lambda x: [x[0] * x[1], x[2] ** 2])
    >>> J.structure([1.0, 2.0, 3.0])
    (array([0, 0, 1], dtype=int32), array([0, 1, 2], dtype=int32))
    >>> J.values([1.0, 2.0, 3.0])
    array([2., 1., 6.])

The function is recorded once for each structure of its arguments. Only the structural nonzeros of
the matrix become graph (see `derivatives.elimination` and `derivatives.edge_pushing`), and that is
compiled like any other.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from autograd import recording
from autograd.compiler.arguments import Arguments, key_of
from autograd.compiler.jit import BackendName, Cache, _Recording, checked_backend
from autograd.compiler.program import Program
from autograd.derivatives.graph import as_value
from autograd.derivatives.sparse import Sparse, sparse_of
from autograd.derivatives.structures import Nested, flat, rebuilt
from autograd.derivatives.transformations import Argnums
from autograd.value import Value

if TYPE_CHECKING:
    import numpy as np

    Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
    Integers: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]

MOST_RECORDINGS = 32
"""How many recordings, of different structures and constants, a function keeps."""


def sparse_jacobian(
    f: Callable[..., Nested], argnums: Argnums = 0, *, backend: BackendName = "auto"
) -> SparseFunction:
    """The function that returns the sparse matrix of all first derivatives of `f`.

        >>> J = sparse_jacobian(lambda x: [x[0] * x[1], x[2] ** 2])
        >>> J(np.array([1.0, 2.0, 3.0])).toarray()
        array([[2., 1., 0.],
               [0., 0., 6.]])

    Args:
        f: takes numbers, lists, tuples, dictionaries or arrays of them, and returns any structure
            of numbers, by operations on Values. As for `jit`, it must not branch on a number; it is
            recorded once for each structure of its arguments.
        argnums: the position of the argument to differentiate with respect to, or a sequence of
            positions, or None for all; the first by default.
        backend: as for `jit`.

    Returns:
        A function of f's arguments. `J(x)` is a `scipy.sparse.csr_array` with a row for each number
        that f returns and a column for each number of x, in order. `J.structure(x)` returns the
        rows and the columns of the structural nonzeros, sorted by row and then by column, which
        depend on the structure of x alone; `J.values(x)` returns their values in that order. These
        two need no SciPy. A structural nonzero is an entry that the recorded
        operations allow to be nonzero for some x; at this x it may be 0.

        f gets each argument in the structure given: a list as a list, an array as an array. Other
        positional arguments are numbers too, and may change from call to call at no cost; those
        given by name are passed to f unchanged; for different ones f is recorded again.

        **A batch of points:** an array of more than one axis holds a point in each entry along the
        first. Further arguments that are arrays then have one entry for each point; lists and
        numbers are the same for all. `J.values` returns an array with a row for each point, and
        `J` a list of matrices. (A single point of more than one axis is given as nested lists.)

        **Values:** a Value among the arguments makes `J.values` a list of Values, a graph to be
        differentiated again, also inside of `jit`. At numbers it returns numbers; leaves that f
        closes over are read at each call, as those of a compiled function are. Inside of another
        transformation that differentiates with respect to one of them, the result is Values.

    Raises:
        TypeError: if `f` cannot be called; from the returned function, if an argument or a result
            of f holds anything but real numbers and Values, or if f cannot be compiled; from a call
            with Values, which a SciPy matrix cannot hold.
        ValueError: from the returned function, for arguments that hold no numbers, or batches of
            different length.
        ImportError: from a call, without SciPy.
    """
    return SparseFunction("sparse_jacobian", f, argnums, backend)


def sparse_hessian(
    f: Callable[..., Any], argnums: Argnums = 0, *, backend: BackendName = "auto"
) -> SparseFunction:
    """The function that returns the sparse matrix of all second derivatives of `f`.

        >>> H = sparse_hessian(lambda x: x[0] * x[1] + x[2] ** 2)
        >>> H(np.array([1.0, 2.0, 3.0])).toarray()
        array([[0., 1., 0.],
               [1., 0., 0.],
               [0., 0., 2.]])

    `f` returns one number. `H(x)` is the whole symmetric matrix; `H.structure(x)` and `H.values(x)`
    are those of its lower half, the diagonal included, as solvers such as Ipopt take them. Every
    other part is as for `sparse_jacobian`. The Hessian of a Lagrangian, as `NonlinearConstraint` of
    SciPy takes it, is `sparse_hessian(lambda x, v: ag.dot(v, g(x)))`, a function of x and v.

    It is found by edge pushing (R. M. Gower and M. P. Mello, A new framework for the computation of
    Hessians, Optimization Methods and Software 27(2), 2012), so it needs no coloring.
    """
    return SparseFunction("sparse_hessian", f, argnums, backend)


class SparseFunction:
    """A compiled function whose result is a sparse matrix (see `sparse_jacobian`)."""

    def __init__(
        self, operation: str, f: Callable[..., Any], argnums: Argnums, backend: BackendName
    ) -> None:
        if not callable(f):
            raise TypeError(f"{operation}: expected a function, got {f!r}")
        functools.update_wrapper(self, f, updated=())
        self.operation = operation
        self.function = f
        self.argnums = argnums
        self.backend: BackendName = backend
        checked_backend(backend, self.operation)
        self._recordings = Cache(MOST_RECORDINGS)

    def __reduce__(self) -> tuple[Any, ...]:
        """For copy and pickle: a copy is recorded and compiled anew."""
        return type(self), (self.operation, self.function, self.argnums, self.backend)

    def __repr__(self) -> str:
        return f"<{self.operation} of {self.function!r}, backend {self.backend!r}>"

    def structure(self, *xs: Nested, **constants: Any) -> tuple[Integers, Integers]:
        """The row and column indices of the structural nonzeros for arguments of this structure."""
        matrix = self._recorded(Arguments(self.operation, xs, self.argnums), constants)
        return matrix.rows.copy(), matrix.columns.copy()

    def shape(self, *xs: Nested, **constants: Any) -> tuple[int, int]:
        """How many rows and columns the matrix has."""
        return self._recorded(Arguments(self.operation, xs, self.argnums), constants).shape

    def values(self, *xs: Nested, **constants: Any) -> Any:
        """The values of the structural nonzeros, in the order of `structure`.

        An array, with a row for each point of a batch; a list of Values, if an argument is one.
        """
        _, _, found = self._evaluated(xs, constants)
        return found

    def __call__(self, *xs: Nested, **constants: Any) -> Any:
        """The matrix as a `scipy.sparse.csr_array`; for a batch of points, a list of them."""
        try:
            from scipy.sparse import csr_array
        except ImportError:
            raise ImportError(
                f"{self.operation}: a call returns a matrix of SciPy, which is not installed: "
                f"pip install scipy; `.structure(…)` and `.values(…)` need none"
            ) from None
        arguments, matrix, found = self._evaluated(xs, constants)
        if isinstance(found, list):
            raise TypeError(
                f"{self.operation}: there is no SciPy matrix of Values, but an argument is one, or "
                f"a transformation differentiates with respect to a Value that f depends on; use "
                f"`.values(…)`, a list of Values, and `.structure(…)`, their rows and columns"
            )
        is_symmetric = self.operation == "sparse_hessian"
        indices, starts, source = matrix.compressed(is_symmetric)
        points = found if arguments.is_batch else [found]
        matrices = [
            csr_array((x[source], indices.copy(), starts.copy()), shape=matrix.shape)
            for x in points  # each has its own, since SciPy may change a matrix in place
        ]
        return matrices if arguments.is_batch else matrices[0]

    def _evaluated(self, xs: tuple[Nested, ...], constants: Mapping[str, Any]) -> tuple[Any, ...]:
        """The arguments as they were read, the recording, and the values: an array, or a list."""
        arguments = Arguments(self.operation, xs, self.argnums)
        if recording.is_tracing():  # where a 0 that is given must not remove an entry
            xs = tuple([rebuilt(x, map(as_value, flat(x))) for x in xs])
            return arguments, None, self._graph(xs, constants).values
        matrix = self._recorded(arguments, constants)
        variables = recording.variables()
        if not arguments.has_values and not (variables and matrix.depends_on(variables)):
            return arguments, matrix, matrix.numbers(arguments)
        found = self._graph(xs, constants)
        by_place = dict(zip(zip(found.rows, found.columns, strict=True), found.values, strict=True))
        is_graph = any(isinstance(x, Value) for x in found.values)
        zero: Any = (lambda: Value(0.0)) if is_graph else float
        places = zip(matrix.rows.tolist(), matrix.columns.tolist(), strict=True)
        values = [by_place[place] if place in by_place else zero() for place in places]
        return arguments, matrix, values

    @property
    def program(self) -> Program:
        """The program for the structure of the latest call."""
        return cast(_Matrix, self._recordings.latest(self)).recording.main.printed

    def _graph(self, xs: tuple[Nested, ...], constants: Mapping[str, Any]) -> Sparse:
        return sparse_of(self.operation, self.function, xs, self.argnums, constants)

    def _recorded(self, arguments: Arguments, constants: Mapping[str, Any]) -> _Matrix:
        key = arguments.form, key_of(constants) if constants else ()
        found: _Matrix = self._recordings.get(
            key, lambda: _Matrix(self, arguments, dict(constants))
        )
        return found


class _Matrix:
    """A recording of a sparse derivative for one structure of arguments.

    Attributes:
        rows, columns: the indices of the structural nonzeros.
        shape: the shape of the matrix.
        constants: the keyword arguments, kept alive so that no other object gets their identity.
    """

    def __init__(
        self, function: SparseFunction, arguments: Arguments, constants: dict[str, Any]
    ) -> None:
        import numpy as np

        self.constants = constants
        example = arguments.example()
        found: list[Sparse] = []

        def record(*columns: list[Value]) -> list[Any]:
            xs = tuple([rebuilt(x, iter(own)) for x, own in zip(example, columns, strict=True)])
            found.append(function._graph(xs, constants))
            return found[-1].values

        self.recording = _Recording(record, arguments.columns(), function.backend)
        self.shape = found[0].shape
        self.rows = np.array(found[0].rows, np.int32)
        self.columns = np.array(found[0].columns, np.int32)
        self._compressed: Any = None

    def depends_on(self, variables: Iterable[Value]) -> bool:
        """Whether the values depend on one of these, which are no arguments."""
        return any(x in self.recording.nodes for x in variables)

    def numbers(self, arguments: Arguments) -> Floats:
        """The values of the nonzeros; of a batch, a row for each point."""
        import numpy as np

        values: Floats = self.recording.values(arguments.columns())
        if not arguments.is_batch:
            return values
        return np.ascontiguousarray(values.reshape(len(self.rows), arguments.count).T)

    def compressed(self, is_symmetric: bool) -> tuple[Integers, Integers, Any]:
        """The matrix in CSR form, both halves: columns, starts of the rows, index of each value."""
        import numpy as np

        if self._compressed is None:
            rows, columns = self.rows, self.columns
            source = np.arange(len(rows))
            if is_symmetric:
                off = np.flatnonzero(rows != columns)
                rows, columns = np.append(rows, columns[off]), np.append(columns, rows[off])
                source = np.append(source, off)
                order = np.lexsort((columns, rows))
                rows, columns, source = rows[order], columns[order], source[order]
            starts = np.searchsorted(rows, np.arange(self.shape[0] + 1)).astype(np.int32)
            self._compressed = columns, starts, source
        found: tuple[Integers, Integers, Any] = self._compressed
        return found
