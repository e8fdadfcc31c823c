"""Compiles LLVM IR by llvmlite, and holds the memory that the machine code works on."""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import sys
import threading
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, TypeAlias

from autograd.compiler.backends.llvm.codegen import Layout
from autograd.compiler.backends.llvm.module import FRAME, Training, module
from autograd.compiler.columns import Column
from autograd.compiler.locks import fork_safe_lock, loading
from autograd.compiler.program import Program
from autograd.primitives import TABLE

Frame: TypeAlias = "array[int]"
"""What a function in machine code is given (see `module.FRAME`)."""


# --- code -----------------------------------------------------------------------------------------


@cache
def _llvm() -> Any:
    """llvmlite's binding, ready for this machine."""
    with loading:
        try:
            from llvmlite import binding
        except ImportError:
            raise ImportError(
                "machine code needs llvmlite: pip install 'scalar-autograd[jit]'"
            ) from None
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
    return binding


_forking = ExitStack()


def _before_fork() -> None:
    """Wait until no thread is inside of LLVM: a child could not open its lock."""
    if binding := sys.modules.get("llvmlite.binding.ffi"):
        _forking.enter_context(binding.lib._lock)


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(
        before=_before_fork, after_in_parent=_forking.close, after_in_child=_forking.close
    )


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


class MachineCode:
    """The functions of a module, as long as this lives.

    Args:
        text: the module in LLVM IR.
        symbols: what it imports (see `Externals`).
        function: the one that is run when this is called.
    """

    def __init__(self, text: str, symbols: Sequence[str], function: str = "run") -> None:
        builder = _llvm().JITLibraryBuilder().add_ir(text).export_symbol(function)
        self._callbacks = [_external(symbol) for symbol in symbols]
        for symbol, called in zip(symbols, self._callbacks, strict=True):
            builder.import_symbol(symbol, ctypes.cast(called, ctypes.c_void_p).value)
        self._library = builder.link(_compiler(), f"program{next(_numbers)}")
        self._call = _FUNCTION(self._library[function])

    def __call__(self, frame: Frame) -> None:
        """Run it, without Python's lock, so that threads run side by side."""
        self._call(address(frame))
        if error := _failed.__dict__.pop("error", None):
            raise error


_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_VALUE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.POINTER(ctypes.c_double))


@cache
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)


def _external(symbol: str) -> Any:
    """A function that machine code may call."""
    kind, _, name = symbol.partition(".")
    if kind == "libm":
        return getattr(_c_library(), name)
    n_arguments, _, row = name.partition(".")
    primitive, n = TABLE[row], int(n_arguments)

    def value(numbers: Any) -> float:
        try:
            return primitive.at(numbers[:n])
        except BaseException as error:  # which machine code cannot hand on
            _failed.error = error
            return math.nan

    return _VALUE(value)


_failed = threading.local()
"""Where a primitive that is called back leaves the error that it raised."""


# --- memory ---------------------------------------------------------------------------------------


def address(numbers: array[Any]) -> int:
    """Where in memory an array's numbers stand."""
    return numbers.buffer_info()[0]


def describe(columns: Sequence[Column]) -> array[int]:
    """Three integers for each column: its address, its width and the index of its first input."""
    firsts = itertools.accumulate((column.width for column in columns), initial=0)
    rows = ((x.address, x.width, first) for x, first in zip(columns, firsts, strict=False))
    return array("q", itertools.chain.from_iterable(rows))


CHUNK = 104
"""How many examples go through a program together: a multiple of the lanes of any machine. It is
an odd number of cache lines, so that the numbers of an example do not meet in the same few sets."""

LINE = 8
"""How many float64s a line of the cache holds, and the longest vector."""


def chunk_of(count: int) -> int:
    """The chunk that a program is compiled for, to compute so many examples a call."""
    return 1 if count == 1 else CHUNK


class Memory:
    """What one call of a program works on; threads have one each, and run side by side.

    Attributes:
        frame: what `code` is given.
    """

    def __init__(self, layout: Layout, code: MachineCode) -> None:
        self.layout = layout
        self.code = code
        self.frame: Frame = array("q", bytes(8 * len(FRAME)))
        self._n_results = layout.program.sizes.get("y", 0) if layout.program.is_batch else 0
        self._numbers, numbers = _room(layout.size(varies=False))
        self._first_result = layout.place("y")[1] + (numbers - address(self._numbers)) // 8
        self._vectors, vectors = _room(layout.size(varies=True) * layout.chunk)
        self._sums = array("d")
        constants, table = layout.program.constants, layout.program.table
        self.set(s=numbers, v=vectors, k=address(constants), table=address(table))

    def set(self, **given: int) -> None:
        """Write integers and addresses into the frame."""
        for name, x in given.items():
            self.frame[_SLOTS[name]] = x

    def get(self, name: str) -> int:
        """An integer of the frame."""
        return self.frame[_SLOTS[name]]

    def prepare(self, leaves: int, columns: array[int], order: int, count: int, rows: int) -> None:
        """Fill in what a call works on."""
        if count > self.layout.chunk and not self._sums:
            self._sums, sums = _room(self.layout.size(varies=False) * self.layout.lanes)
            self.set(sums=sums)
        self.set(w=leaves, columns=address(columns), order=order, rows=rows)
        self.set(n_columns=len(columns) // 3, count=count)

    def totals(self) -> array[float]:
        """The results of a batch."""
        return self._numbers[self._first_result : self._first_result + self._n_results]


_SLOTS = {name: i for i, name in enumerate(FRAME)}


def _room(n: int) -> tuple[array[float], int]:
    """Zeros, and where the first whole line of them begins; there is room for n."""
    numbers = array("d", bytes(8 * (n + LINE)))
    return numbers, -(-address(numbers) // (8 * LINE)) * 8 * LINE


class Machine:
    """A program in machine code: takes leaves and columns, returns the results.

    It is compiled for one example and for many, each when it is first needed.

    Args:
        training: what the results are, if the program is a step of training; the function is then
            `train`.
    """

    def __init__(self, program: Program, training: Training | None = None) -> None:
        self._program = replace(program, leaves=(), inputs=())
        self._training = training
        self._lock = fork_safe_lock()
        self._codes: dict[int, tuple[Layout, MachineCode]] = {}
        self._idle: dict[int, list[Memory]] = {}

    @contextmanager
    def memory(self, count: int) -> Iterator[Memory]:
        """Memory and code for so many examples a call; nobody else uses it meanwhile."""
        memory, idle = self._taken(count)
        yield memory
        idle.append(memory)

    def _taken(self, count: int) -> tuple[Memory, list[Memory]]:
        """Memory that is idle, or new; and where it belongs afterwards."""
        chunk = chunk_of(count)
        idle = self._idle.get(chunk)
        if idle is None:
            with self._lock:
                if chunk not in self._codes:
                    layout = Layout(self._program, lanes(), chunk)
                    text, symbols = module(layout, self._training)
                    function = "run" if self._training is None else "train"
                    self._codes[chunk] = layout, MachineCode(text, symbols, function)
                idle = self._idle.setdefault(chunk, [])
        try:
            return idle.pop(), idle
        except IndexError:
            return Memory(*self._codes[chunk]), idle

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
