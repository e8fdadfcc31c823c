"""Random programs with loops have the bits of eager code, values and gradients."""

from __future__ import annotations

from typing import Any

import pytest

import autograd as ag
from autograd.compiler.backends import python
from autograd.compiler.columns import read_columns
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Loop
from autograd.compiler.trace import leaves_of, trace
from tests.loops import Loops
from tests.numerics import same

pytestmark = pytest.mark.slow


def program_of(loops: Loops) -> Any:
    """The program of the value and of its gradient with respect to the leaves."""
    recorded = trace(loops, [(len(loops.row),)] if loops.row else [])
    (output,) = recorded.outputs
    leaves = leaves_of(output)
    return roll(lower(recorded.inputs, [output], True, leaves, leaves))


@pytest.mark.parametrize("block", range(16))
def test_a_random_program_with_loops_has_the_bits_of_eager_code(block: int) -> None:
    n_with_loops = 0
    for seed in range(10 * block, 10 * block + 10):
        loops = Loops(seed)
        program = program_of(loops)
        value = loops([ag.Value(x) for x in loops.row])
        value.backward()
        expected = [value.data, *(leaf.grad for leaf in program.leaves)]
        columns = read_columns([[loops.row]]) if loops.row else []
        numbers = [leaf.data for leaf in program.leaves]
        computed = python.compile_program(program)(numbers, columns)
        assert same(computed, expected), f"seed {seed}"
        items = [item for section in program.sections.values() for item in section]
        n_with_loops += any(isinstance(item, Loop) for item in items)
    assert n_with_loops >= 5, "most of them have loops"
