"""Programs run outside of this process: C by `cc`, JavaScript by node; and the same eagerly."""

from __future__ import annotations

import base64
import ctypes
import itertools
import json
import shutil
import subprocess
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autograd.compiler.backends import c, javascript
from autograd.compiler.linking import unnested
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Program, groups
from autograd.compiler.trace import leaves_of, trace

CC = shutil.which("cc")
NODE = shutil.which("node")


def program_of(f: Callable[[], Any]) -> Program:
    """The program of the value and the gradient of a function without arguments."""
    recorded = trace(f, [])
    (output,) = recorded.outputs
    leaves = leaves_of(output)
    return roll(lower([], [output], True, leaves, leaves))


def n_groups(program: Program) -> int:
    """How many groups a program has, those in loops among them."""
    return sum(1 for items in program.sections.values() for _ in groups(items))


def eager(f: Callable[[], Any], program: Program) -> list[float | None]:
    for leaf in program.leaves:
        leaf.grad = None
    value = f()
    value.backward()
    return [value.data, *(leaf.grad for leaf in program.leaves)]


def compiled_c(program: Program, folder: Path) -> Callable[[Sequence[float]], list[float]]:
    """The program as `cc` compiles it, for one example without inputs."""
    program = unnested(program)  # whose memory has room for all steps of scans
    (folder / "program.c").write_text(c.source(program), encoding="utf-8")
    command = [str(CC), "-std=c99", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "program.c"]
    subprocess.run([*command, "-o", "program.so", "-lm"], cwd=folder, check=True)
    function = ctypes.CDLL(str(folder / "program.so")).program

    def run(leaves: Sequence[float]) -> list[float]:
        w, y = array("d", [*leaves, 0.0]), array("d", bytes(8 * program.sizes["y"]))
        memory = array("d", bytes(8 * (1 + sum(program.sizes.values()))))
        w_at, y_at, memory_at = (ctypes.c_void_p(x.buffer_info()[0]) for x in (w, y, memory))
        function(w_at, None, 1, y_at, memory_at)
        return y.tolist()

    return run


RUN = """
const numbers = text => new Float64Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);
for (const [source, leaves, examples, rows] of JSON.parse(require('fs').readFileSync(0))) {
  const module = new Function(source + '; return it;')();
  const memory = module.memory();
  memory.w.set(numbers(leaves));
  const results = module.program(memory, numbers(examples), rows ?? undefined);
  const { buffer, byteOffset, byteLength } = results;
  console.log(Buffer.from(buffer, byteOffset, byteLength).toString('base64'));
}
"""

EXACT = ("add", "sub", "mul", "div", "neg", "abs", "sqrt", "relu", "maximum", "minimum", "where")
"""What JavaScript and Python compute to the same bits; `sum` and `dot` are among them."""

Case = tuple[Program, Sequence[float], Sequence[Sequence[float]]]


def text_of(numbers: Sequence[float]) -> str:
    return base64.b64encode(array("d", numbers).tobytes()).decode()


def in_node(cases: Sequence[Case], rows: Sequence[int] | None = None) -> list[list[float]]:
    """The results of the programs, each on its leaves and examples, in one run of node."""
    jobs = [
        (
            javascript.source(program, "it"),
            text_of(leaves),
            text_of(list(itertools.chain.from_iterable(examples))),
            rows,
        )
        for program, leaves, examples in cases
    ]
    done = subprocess.run(
        [str(NODE), "-e", RUN], input=json.dumps(jobs), text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [array("d", base64.b64decode(line)).tolist() for line in done.stdout.split("\n")[:-1]]
