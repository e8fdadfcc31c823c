"""A program as LLVM IR, and that as machine code: the back end for speed.

`ops` has how each primitive is written, `builder` writes instructions, `codegen` the loops around
them, `module` the functions that are called. `runtime` compiles that and runs it, and `training`
makes a program of a step of training. llvmlite and NumPy are loaded when they are first needed.
"""

from __future__ import annotations

from autograd.compiler.backends.llvm.codegen import Layout
from autograd.compiler.backends.llvm.module import module
from autograd.compiler.backends.llvm.ops import OPS
from autograd.compiler.locks import loading
from autograd.compiler.program import Backend, Executable, Program


def source(program: Program) -> str:
    """The program as a module of LLVM IR for this machine, for many examples a call."""
    with loading:
        from autograd.compiler.backends.llvm.runtime import CHUNK, lanes

    return module(Layout(program, lanes(), CHUNK))[0]


def compile_program(program: Program) -> Executable:
    """The program in machine code."""
    with loading:
        from autograd.compiler.backends.llvm.runtime import Machine

    return Machine(program)


BACKEND = Backend("llvm", OPS, source, compile_program, ("llvmlite", "jit"))
