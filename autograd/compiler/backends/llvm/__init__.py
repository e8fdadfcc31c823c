"""A program as LLVM IR, and that as machine code: the back end for speed.

`ops` has how each primitive is written, `builder` writes instructions, `codegen` the loops around
them, `module` the functions that are called. `runtime` compiles that and runs it, and `training`
makes a program of a step of training. llvmlite is loaded when it is first needed.
"""

from __future__ import annotations

from autograd.compiler.backends.llvm.codegen import Layout
from autograd.compiler.backends.llvm.module import module
from autograd.compiler.backends.llvm.ops import OPS
from autograd.compiler.backends.llvm.runtime import CHUNK, Machine, lanes
from autograd.compiler.program import Backend, Program


def source(program: Program) -> str:
    """The program as a module of LLVM IR for this machine, for many examples a call."""
    return module(Layout(program, lanes(), CHUNK))[0]


BACKEND = Backend("llvm", OPS, source, Machine, ("llvmlite", "jit"))
