"""The LLVM back end: a program as LLVM IR, compiled to machine code.

`runtime` compiles a program and runs it. It takes the text from `module` (the function that is
called), which takes the loops from `codegen`, the instructions from `builder`, and each primitive
from `ops`. `training` runs whole training steps in machine code. llvmlite and NumPy are imported
when they are first needed.
"""

from __future__ import annotations

from autograd.compiler.backends.llvm.codegen import Layout
from autograd.compiler.backends.llvm.module import module
from autograd.compiler.backends.llvm.ops import OPS
from autograd.compiler.linking import unnested
from autograd.compiler.program import Backend, Executable, Program
from autograd.locks import loading


def source(program: Program) -> str:
    """The program as a module of LLVM IR for this machine, for many examples a call."""
    with loading:
        from autograd.compiler.backends.llvm.runtime import CHUNK, lanes

    return module(Layout(unnested(program), lanes(), CHUNK))[0]


def compile_program(program: Program) -> Executable:
    """Compile the program to machine code."""
    with loading:
        from autograd.compiler.backends.llvm.runtime import Machine

    return Machine(program)


BACKEND = Backend("llvm", OPS, source, compile_program, ("llvmlite", "jit"))
