"""LLVM IR to machine code, by llvmlite, and the memory that it works on."""

from __future__ import annotations

import ctypes
import itertools
import math
import sys
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd.compiler.columns import Column
from autograd.compiler.program import Program
from autograd.primitives import TABLE, Primitive

if TYPE_CHECKING:
    from autograd.compiler.kernels import Layout

Frame: TypeAlias = "array[int]"
"""What a function in machine code is given: integers and addresses (see `llvm.FRAME`)."""


# --- code -----------------------------------------------------------------------------------------


@cache
def _llvm() -> Any:
    """llvmlite's binding, ready for this machine."""
    try:
        from llvmlite import binding
    except ImportError:
        raise ImportError(
            "machine code needs llvmlite: pip install 'scalar-autograd[jit]'"
        ) from None
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


@cache
def lanes() -> int:
    """How many float64s a vector of this machine holds."""
    features = _llvm().get_host_cpu_features()
    return 8 if features.get("avx512f") else 4 if features.get("avx") else 2


@cache
def _compiler() -> Any:
    llvm = _llvm()
    features = llvm.get_host_cpu_features().flatten() + ",-prefer-256-bit"
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=1, jit=True
    )
    return llvm.create_lljit_compiler(machine, suppress_errors=False)


_numbers = itertools.count()
_one_at_a_time = threading.Lock()


class MachineCode:
    """The functions of a module of LLVM IR, as long as this lives.

    Args:
        module: an `ir.Module`. The functions that it declares are the C library's `libm.…`, and
            `row.NAME.n`, the value of a primitive on n numbers at an address.
        function: the name of the one to call.
    """

    def __init__(self, module: Any, function: str = "run") -> None:
        builder = _llvm().JITLibraryBuilder().add_ir(str(module)).export_symbol(function)
        self._callbacks = []
        for declared in module.functions:
            if declared.is_declaration and not declared.name.startswith("llvm."):
                called = _called(declared.name)
                self._callbacks.append(called)
                builder.import_symbol(declared.name, ctypes.cast(called, ctypes.c_void_p).value)
        with _one_at_a_time:
            self._library = builder.link(_compiler(), f"program{next(_numbers)}")
        self.address: int = self._library[function]
        self._call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address)

    def __call__(self, frame: Frame) -> None:
        """Run it, without Python's lock, so that threads run side by side."""
        self._call(address(frame))
        if error := _failed.__dict__.pop("error", None):
            raise error


def _called(name: str) -> Any:
    """A function that machine code may call."""
    kind, _, row = name.partition(".")
    if kind == "libm":
        return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)[row]
    row, _, n_arguments = row.rpartition(".")
    return _callback(TABLE[row], int(n_arguments))


@cache
def _callback(primitive: Primitive, n_arguments: int) -> Any:
    def value(numbers: Any) -> float:
        try:
            return primitive.at(numbers[:n_arguments])
        except BaseException as error:  # which machine code cannot hand on
            _failed.error = error
            return math.nan

    return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.POINTER(ctypes.c_double))(value)


_failed = threading.local()
"""Where a row that is called back leaves the error that it raised."""


# --- memory ---------------------------------------------------------------------------------------


def address(numbers: array[Any]) -> int:
    """Where in memory an array's numbers stand."""
    return numbers.buffer_info()[0]


def describe(columns: Sequence[Column]) -> array[int]:
    """Three integers for each column: its address, its width and the index of its first input."""
    described = array("q")
    first = 0
    for column in columns:
        described.extend((column.address, column.width, first))
        first += column.width
    return described


SIZES = (1, False), (32, False), (112, False)
MANY = (112, True)
"""What a program is compiled for: how many examples go through it together, and whether there may
be more than these."""

LINE = 8
"""How many float64s a line of the cache holds, and the longest vector."""


class Memory:
    """What one call of a program works on; threads have one each, and run side by side.

    Attributes:
        frame: what `code` is given (see `kernels.FRAME`).
        results: where the results of a batch are.
    """

    def __init__(self, layout: Layout, code: MachineCode) -> None:
        self.layout = layout
        self.code = code
        self._n_results = layout.size("y") if layout.program.is_batch else 0
        self._scalars, s = _room(layout.n_scalars)
        self._vectors, v = _room(layout.n_vectors * layout.stride)
        self._sums, sums = _room(layout.n_scalars * layout.lanes if layout.is_many else 0)
        self.results = s + 8 * (layout.n_scalars - self._n_results)
        constants, table = layout.program.constants, layout.program.table
        self.frame: Frame = array(
            "q", [0, address(constants), s, v, address(table), sums, *[0] * 6]
        )

    def prepare(self, leaves: int, columns: array[int], order: int, count: int, rows: int) -> None:
        """Fill in the addresses of what a call works on."""
        self.frame[0] = leaves
        self.frame[6:] = array("q", [address(columns), order, rows, len(columns) // 3, count, 0])

    def totals(self) -> array[float]:
        """The results of a batch."""
        start = (self.results - address(self._scalars)) // 8
        return self._scalars[start : start + self._n_results]


def _room(n: int) -> tuple[array[float], int]:
    """Zeros, and where the first whole line of them begins; there is room for n."""
    numbers = array("d", bytes(8 * (n + LINE)))
    return numbers, -(-address(numbers) // (8 * LINE)) * 8 * LINE


class Machine:
    """A program in machine code: takes leaves and columns, returns the results.

    It is compiled for one example, for a few and for many, each when it is first needed.
    """

    def __init__(self, program: Program) -> None:
        self._program = replace(program, leaves=(), inputs=())
        self._lock = threading.Lock()
        self._codes: dict[object, tuple[Layout, MachineCode]] = {}
        self._idle: dict[object, list[Memory]] = {}

    @contextmanager
    def memory(self, count: int) -> Iterator[Memory]:
        """Memory and code for up to so many examples a call; nobody else uses it meanwhile."""
        memory, idle = self._taken(count)
        yield memory
        idle.append(memory)

    def _taken(self, count: int) -> tuple[Memory, list[Memory]]:
        """Memory that is idle, or new; and where it belongs afterwards."""
        chunk, is_many = size = next((size for size in SIZES if count <= size[0]), MANY)
        idle = self._idle.get(size)
        if idle is None:
            with self._lock:
                if size not in self._codes:
                    _llvm()  # or else it says what to install
                    from autograd.compiler.kernels import Layout, module

                    layout = Layout(self._program, lanes(), chunk, is_many)
                    self._codes[size] = layout, MachineCode(module(layout))
                idle = self._idle.setdefault(size, [])
        try:
            return idle.pop(), idle
        except IndexError:
            return Memory(*self._codes[size]), idle

    def __call__(self, leaves: Sequence[float], columns: Sequence[Column]) -> array[float]:
        """The results of the batch; or the first result of all examples, then the second, …"""
        count = columns[0].count if columns else 1
        numbers = array("d", leaves)
        described = describe(columns)
        is_batch = self._program.is_batch
        rows = array("d", bytes(0 if is_batch else 8 * count * self._program.sizes["y"]))
        memory, idle = self._taken(count)
        memory.prepare(address(numbers), described, 0, count, address(rows))
        memory.code(memory.frame)
        if is_batch:
            rows = memory.totals()
        idle.append(memory)
        return rows
