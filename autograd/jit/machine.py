"""LLVM IR to machine code, by llvmlite, which is loaded when it is first needed."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, cast

LIBM = {
    **dict.fromkeys(("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos"), 1),
    **dict.fromkeys(("atan", "sinh", "cosh", "tanh", "erf", "erfc"), 1),
    **dict.fromkeys(("pow", "atan2"), 2),
}
"""The functions of the C library that programs call, and how many arguments each takes."""


@cache
def lanes() -> int:
    """How many float64s a vector of this machine holds."""
    features = _llvm().get_host_cpu_features()
    return 8 if features.get("avx512f") else 4 if features.get("avx") else 2


def compiled(ir: str, function: str, n_arguments: int) -> Callable[..., None]:
    """A function of the module `ir`, which takes integers and addresses and returns nothing.

    It runs without Python's lock, so that threads run side by side.
    """
    llvm = _llvm()
    machine = _target_machine()
    module = llvm.parse_assembly(ir)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * n_arguments)
    call: Any = prototype(engine.get_function_address(function))
    call.engine = engine  # the machine code lives as long as its engine
    return cast(Callable[..., None], call)


def address(function: Callable[..., None]) -> int:
    """Where the machine code of a compiled function stands."""
    return ctypes.cast(cast(Any, function), ctypes.c_void_p).value or 0


def _target_machine() -> Any:
    llvm = _llvm()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=1, jit=True
    )


@cache
def _llvm() -> Any:
    """llvmlite's binding, ready for this machine, which knows the C library under our names."""
    try:
        from llvmlite import binding as llvm
    except ImportError:
        raise ImportError(
            "machine code needs llvmlite: pip install 'scalar-autograd[jit]'"
        ) from None
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    library = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    for name in LIBM:
        address = ctypes.cast(library[name], ctypes.c_void_p).value
        llvm.add_symbol(f"libm.{name}.f64", address)
    return llvm
