"""A program as LLVM IR, and that as machine code: the back end for speed.

`spelling` has how each primitive is written, `kernels` writes the loops around them, and `machine`
runs what LLVM makes of it. llvmlite is loaded when it is first needed.
"""

from __future__ import annotations

from autograd.compiler.machine import MANY, Machine, lanes
from autograd.compiler.program import Backend, Program
from autograd.compiler.spelling import SPELLING


def source(program: Program) -> str:
    """The program as a module of LLVM IR for this machine, for many examples a call."""
    from autograd.compiler import kernels

    return str(kernels.module(kernels.Layout(program, lanes(), *MANY)))


BACKEND = Backend("llvm", SPELLING, source, Machine, ("llvmlite", "jit"))
