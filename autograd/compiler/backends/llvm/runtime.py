"""Compiles LLVM IR by llvmlite, and holds the memory that the machine code works on."""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import struct
import sys
import threading
import time
from array import array
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from autograd.compiler.backends.llvm.codegen import Layout
from autograd.compiler.backends.llvm.module import FRAME, module
from autograd.compiler.columns import Column, Numbers
from autograd.compiler.linking import unnested
from autograd.compiler.program import Program
from autograd.locks import fork_safe_lock, loading
from autograd.primitives import TABLE

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
    """Wait until no thread is inside LLVM: a forked child could not release its lock."""
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
def _compiler(opt: int) -> Any:
    """LLVM's compiler at an optimization level: 0 takes a third to an eighth of the time of 1."""
    llvm = _llvm()
    features = llvm.get_host_cpu_features().flatten() + ",-prefer-256-bit"
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=opt, jit=True
    )
    return llvm.create_lljit_compiler(machine, suppress_errors=False)


_numbers = itertools.count()


LONG_TEXT = 1_000
"""Of so many lines on, a module is compiled quickly first, to code that takes 1.2 to 2.9 times as
long: 1,000 lines in 10 ms in place of 35. The Hessian of a power flow with 14 buses, 3,500 lines,
takes 36 ms in place of 90, and runs in 1.9 µs in place of 1.5; the gradient of 500 steps without a
loop, 43,000 lines, takes 0.27 s in place of 1.4."""

PRICE = 4
"""How many times as long it takes to compile the faster code: 2.5 (power flow) to 4.7 (irregular
steps), 3 to 4 for a GPT, a soft alignment and a Gaussian process."""


class MachineCode:
    """The function `run` of an LLVM module; the code is freed together with this object.

    A long module is first compiled quickly. Once running it has taken as long as optimizing would,
    it is compiled again, to faster code with the same bits.

    Args:
        text: the module in LLVM IR.
        symbols: the external functions that it calls (see `Vectors`).
    """

    def __init__(self, text: str, symbols: Sequence[str]) -> None:
        self._text, self._symbols = text, symbols
        self._callbacks = [_external(symbol) for symbol in symbols]
        self._may_fail = any(symbol.startswith("row.") for symbol in symbols)
        self._libraries: list[Any] = []  # a thread may be in the first while the second is made
        self._lock = fork_safe_lock()
        self._credit = math.inf  # for so many seconds it may run before it is compiled again
        is_long = text.count("\n") > LONG_TEXT
        start = time.perf_counter()
        self._compile(0 if is_long else 1)
        if is_long:
            self._credit = PRICE * (time.perf_counter() - start)

    def _compile(self, opt: int) -> None:
        builder = _llvm().JITLibraryBuilder().add_ir(self._text).export_symbol("run")
        for symbol, called in zip(self._symbols, self._callbacks, strict=True):
            builder.import_symbol(symbol, ctypes.cast(called, ctypes.c_void_p).value)
        library = builder.link(_compiler(opt), f"program{next(_numbers)}")
        self._libraries.append(library)
        self.address: int = library["run"]
        self._call = _FUNCTION(self.address)

    def optimize(self) -> None:
        """Compile it to the fastest code, if it was compiled quickly."""
        with self._lock:
            if self._credit < math.inf:
                self._compile(1)
                self._credit = math.inf

    def __call__(self, frame: int) -> None:
        """Run it on the frame at this address, without Python's lock: threads run side by side."""
        if self._credit == math.inf and not self._may_fail:
            self._call(frame)
        else:
            start = time.perf_counter()
            self._call(frame)
            self.has_run(start)

    def has_run(self, start: float) -> None:
        """Compile the code again if it has run for long enough; called after each run.

        Raises:
            BaseException: what a primitive that was called back has raised.
        """
        if self._credit < math.inf:
            self._credit -= time.perf_counter() - start
            if self._credit < 0.0:
                self.optimize()
        if self._may_fail and (error := _failed.__dict__.pop("error", None)):
            raise error


_FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


@cache
def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)


def _external(symbol: str) -> Any:
    """The function that machine code calls for an imported symbol."""
    kind, _, name = symbol.partition(".")
    if kind == "libm":
        return getattr(_c_library(), name)
    n_arguments, _, row = name.partition(".")
    primitive, n = TABLE[row], int(n_arguments)
    if n > 1024:  # as many as ctypes can pass
        raise TypeError(
            f"{row}: machine code calls a Python function with at most 1024 operands, got {n}; "
            f"compile with backend='python'"
        )

    def value(*numbers: float) -> float:
        try:
            return primitive.at(numbers)
        except BaseException as error:  # which cannot pass through machine code
            _failed.error = error
            return math.nan

    return ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * n)(value)


_failed = threading.local()
"""Holds the error that a primitive raised when machine code called it."""


# --- memory ---------------------------------------------------------------------------------------


def address(numbers: Any) -> int:
    """The address of the first number of an array, of Python's or of NumPy's."""
    if type(numbers) is array:
        return numbers.buffer_info()[0]
    try:  # in a quarter of the time that NumPy takes to tell it
        return ctypes.addressof(ctypes.c_char.from_buffer(numbers)) if len(numbers) else 0
    except TypeError:  # it is read-only
        return int(numbers.ctypes.data)


def pack(numbers: Sequence[float], to: Numbers, start: int = 0) -> None:
    """Write floats into an array, in a fifth of the time that NumPy takes."""
    struct.pack_into(f"{len(numbers)}d", to.data, 8 * start, *numbers)


CHUNK = 104
"""How many examples go through a program together: a multiple of the lanes of any machine. It is
an odd number of cache lines, so that the numbers of an example do not meet in the same few sets:
with 64, 128 or 200 the classifiers take up to 1.25 times as long, with 32 0.88 to 1.05 times."""

LINE = 8
"""How many float64s a line of the cache holds, and the longest vector. With memory that begins
anywhere, the demo and the classifiers take 1.1 times as long, 1,000 examples 1.25 times."""


def chunk_of(count: int) -> int:
    """The chunk size to compile for: 1 for a single example, otherwise `CHUNK`."""
    return 1 if count == 1 else CHUNK


class Memory:
    """The memory of one call of a program. Each thread has its own, so that they run in parallel.

    Attributes:
        leaves: room for the numbers of the leaves.
        results: the results of a batch, or of a single example.
        frame: the address of the frame.
    """

    def __init__(self, layout: Layout, code: MachineCode) -> None:
        self.layout, self.code = layout, code
        self._frame: Any = _Frame()
        self.frame = ctypes.addressof(self._frame)
        program, chunk, sizes = layout.program, layout.chunk, layout.program.sizes
        self.leaves = np.zeros(sizes.get("w", 0))  # which machine code reads
        self._room = {
            space: aligned_zeros(sizes.get(space, 0) * (chunk if program.varies(space) else 1))
            for space in "cmyxv"
        }
        n_means = sizes.get("m", 0) + (sizes["y"] if program.is_batch else 0)
        self._room["sums"] = aligned_zeros(n_means * layout.lanes if chunk > 1 else 0)
        self.results = self._room["y"]
        own = {"w": self.leaves, "k": program.constants, "table": program.table, **self._room}
        for name, numbers in own.items():
            setattr(self._frame, name, address(numbers))

    def run(self, rows: Numbers | None = None) -> None:
        """Run the program on what is in the frame; results of many examples go to `rows`."""
        if rows is not None:
            self._frame.rows = address(rows)
        self.code(self.frame)

    def fill(self, leaves: Sequence[float], shared: Sequence[Column]) -> None:
        """Write the numbers of the leaves, after those of the arguments that all examples share."""
        start = 0
        for column in shared:
            end = start + len(column.numbers)
            self.leaves[start:end] = column.numbers
            start = end
        if leaves:
            pack(leaves, self.leaves, start)

    def prepare(
        self, columns: Sequence[Column], count: int, order: array[int] | None = None
    ) -> None:
        """Fill in what a call works on: examples in their order, and how many."""
        frame, start = self._frame, 0
        if self.layout.chunk == 1 and order is None:
            frame.n_columns = 0
            for column in columns:  # in memory as for a single example
                end = start + column.width
                self._room["x"][start:end] = column.numbers[: end - start]
                start = end
        else:
            self._described = array("q")
            for column in columns:
                self._described.extend((address(column.numbers), column.width, start))
                start += column.width
            frame.columns, frame.n_columns = address(self._described), len(columns)
        frame.count, frame.order = count, 0 if order is None else address(order)


class _Frame(ctypes.Structure):
    """The arguments of a program (see `module`)."""

    _fields_ = [(name, ctypes.c_int64) for name in FRAME]


def aligned_zeros(n: int) -> Numbers:
    """An array of n zeros that starts at a cache line, with two lines of zeros before it."""
    numbers = np.zeros(n + 3 * LINE)
    start = 2 * LINE + -(address(numbers) // 8) % LINE
    return numbers[start : start + n]


class Machine:
    """A program in machine code: takes leaves and columns, returns the results.

    It is compiled separately for one example and for many, each on first use.
    """

    def __init__(self, program: Program) -> None:
        self._program = replace(unnested(program), leaves=(), inputs=())
        self._lock = fork_safe_lock()
        self._codes: dict[int, tuple[Layout, MachineCode, list[Memory]]] = {}

    def memory(self, count: int) -> tuple[Memory, list[Memory]]:
        """Memory and code for a call with `count` examples, and the list of idle memory.

        The caller has the memory to itself until it appends it to that list.
        """
        chunk = chunk_of(count)
        if chunk not in self._codes:
            with self._lock:
                if chunk not in self._codes:
                    layout = Layout(self._program, lanes(), chunk)
                    self._codes[chunk] = layout, MachineCode(*module(layout)), []
        layout, code, idle = self._codes[chunk]
        try:
            return idle.pop(), idle
        except IndexError:
            return Memory(layout, code), idle

    def __call__(self, leaves: Sequence[float], columns: Sequence[Column]) -> Numbers:
        """The results of the batch; or the first result of all examples, then the second, …"""
        shared = [column for column in columns if column.is_constant]
        varying = [column for column in columns if not column.is_constant] if shared else columns
        count = varying[0].count if varying else 1
        memory, idle = self.memory(count)
        memory.fill(leaves, shared)
        memory.prepare(varying, count)
        if self._program.is_batch or memory.layout.chunk == 1:
            memory.run()
            results = memory.results.copy()
        else:
            results = np.empty(self._program.sizes["y"] * count)
            memory.run(results)
        idle.append(memory)
        return results
