"""Programs as JavaScript: under node, the numbers of the Python back end."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import optim
from autograd.compiler.backends import javascript, python
from autograd.compiler.columns import read_columns
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Program
from autograd.compiler.trace import leaves_of, trace
from autograd.primitives import TABLE, Primitive
from tests.graphs import Program as Graph
from tests.graphs import any_float, inputs, programs
from tests.numerics import SPECIAL, same
from tests.runners import EXACT, NODE, Case, in_node

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def in_python(case: Case) -> list[float]:
    """What the Python back end finds, in JavaScript's order: one example after another."""
    program, leaves, examples = case
    columns = read_columns(list(map(list, zip(*examples, strict=True)))) if examples[0] else []
    results = list(python.compile_program(program)(leaves, columns))
    if program.is_batch:
        return results
    return [x for i in range(len(examples)) for x in results[i :: len(examples)]]


def values(f: Callable[..., Any], n_inputs: int) -> Program:
    recorded = trace(f, [()] * n_inputs)
    return roll(lower(recorded.inputs, recorded.outputs, False))


def gradients(f: Callable[..., Any], shapes: Sequence[tuple[int, ...]]) -> Program:
    recorded = trace(f, shapes)
    leaves = leaves_of(recorded.outputs[0])
    return roll(lower(recorded.inputs, [recorded.outputs[0]], True, leaves, leaves))


def ulps(x: float, y: float) -> float:
    """How many units in the last place of y lie between them; 0 where both are the same."""
    if x == y or (math.isnan(x) and math.isnan(y)):
        return 0.0
    return abs(x - y) / math.ulp(y) if math.isfinite(x) and math.isfinite(y) else math.inf


# --- the same numbers -----------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cases=st.lists(
        st.tuples(
            programs(names=[*EXACT, "sum", "dot"], constants=any_float),
            st.lists(inputs(any_float, 1), min_size=1, max_size=3),
            inputs(any_float, 2),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_random_graphs_have_the_bits_of_python(
    cases: list[tuple[Graph, list[Sequence[float]], list[float]]],
) -> None:
    """Value and gradient of a batch, and value and slope of each of its examples."""
    jobs: list[Case] = []
    for graph, examples, point in cases:
        leaves = [ag.Value(x) for x in point]

        def function(x: Any, graph: Any = graph, leaves: Any = leaves) -> Any:
            return graph(x, *leaves)

        def slopes(x: Any, function: Any = function) -> list[Any]:
            y = function(x)
            return [y, *ag.grad(y, [x])] if isinstance(y, ag.Value) else [y]

        recorded = trace(function, [()])
        if not isinstance(recorded.outputs[0], ag.Value):
            continue
        for program in (gradients(function, [()]), values(slopes, 1)):
            jobs.append((program, [leaf.data for leaf in program.leaves], examples))
    for job, computed in zip(jobs, in_node(jobs), strict=True):
        assert same(computed, in_python(job)), javascript.source(job[0])


def points_of(primitive: Primitive) -> list[tuple[float, ...]]:
    """Special ones, and random ones over many magnitudes."""
    n = 4 if primitive.variadic else len(primitive.partials)
    rng = random.Random(primitive.name)
    special = list(itertools.product(SPECIAL[:: max(1, n - 1)], repeat=n))
    ordinary = [
        tuple(rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-6, 3) for _ in range(n))
        for _ in range(1000)
    ]
    near = [tuple(rng.uniform(-6.0, 6.0) for _ in range(n)) for _ in range(3000)]
    return [*rng.sample(special, min(400, len(special))), *ordinary, *near]


@pytest.mark.slow
def test_every_primitive_is_within_two_ulps_of_python() -> None:
    """The exact ones have the same bits, a nan where Python's is one.

    What is made of several functions loses more; where a value crosses 0, no bound holds.
    """
    names = [name for name in TABLE if name not in ("where", "take")]
    jobs: list[Case] = []
    for name in names:
        points = points_of(TABLE[name])
        jobs.append((values(TABLE[name], len(points[0])), [], points))
    worst: dict[str, tuple[float, tuple[float, ...]]] = {}
    for name, job, computed in zip(names, jobs, in_node(jobs), strict=True):
        expected = in_python(job)
        errors = list(map(ulps, computed, expected))
        i = max(range(len(errors)), key=errors.__getitem__)
        worst[name] = (errors[i], tuple(job[2][i]))
        if name in EXACT or name in ("sum", "dot", "hypot", "lt", "le", "gt", "ge"):
            assert same(computed, expected), name
    bounds = {"erfc": 4.0, "sech2": 4.0, "log_norm_cdf": 4.0}
    bounds |= {name: math.inf for name in names if "gamma" in name}  # see test_special
    assert {name: x for name, x in worst.items() if x[0] > bounds.get(name, 2.0)} == {}


def test_a_model_trains_alike() -> None:
    """A rolled program with loops: its gradient on some rows of the data."""
    model = ag.MLP(2, [8, 8, 1], seed=1)
    parameters = model.parameters()
    rng = random.Random(0)
    examples = [[rng.gauss(0, 1), rng.gauss(0, 1), rng.choice((-1.0, 1.0))] for _ in range(20)]

    def loss(x: list[ag.Value], y: ag.Value) -> ag.Value:
        return (1.0 - y * model(x)).relu() + 1e-4 * ag.dot(parameters, parameters)

    program = gradients(loss, [(2,), ()])
    leaves = [leaf.data for leaf in program.leaves]
    rows = [3, 1, 4, 15, 9]
    (computed,) = in_node([(program, leaves, examples)], rows)
    chosen = [examples[row] for row in rows]
    columns = read_columns([[x[:2] for x in chosen], [x[2] for x in chosen]])
    assert same(computed, list(python.compile_program(program)(leaves, columns)))
    assert "for (let i = 0; i < 8; i++)" in javascript.source(program)


STEPPERS: list[Callable[[list[ag.Value]], ag.optim.Stepper]] = [
    lambda ps: ag.GradientDescent(ps, 0.1, momentum=0.9),
    lambda ps: ag.Adam(ps, 0.1),
]


@pytest.mark.slow
@pytest.mark.parametrize("make", STEPPERS)
def test_a_steppers_rule_is_a_program(make: Callable[..., optim.Stepper]) -> None:
    rng = random.Random(0)
    parameters = [ag.Value(rng.gauss(0, 1)) for _ in range(5)]
    stepper = make(parameters)
    numbers = [[p.data, *state] for p, state in zip(parameters, stepper.states, strict=True)]
    rule = javascript.update_rule(stepper)
    for _ in range(3):
        for parameter in parameters:
            parameter.grad = rng.gauss(0, 1)
        stepper.step()
        rows = [[*row, p.grad] for row, p in zip(numbers, parameters, strict=True)]
        (computed,) = in_node([(rule, list(stepper.coefficients()), rows)])
        width = len(numbers[0])
        numbers = [computed[i : i + width] for i in range(0, len(computed), width)]
        expected = [[p.data, *state] for p, state in zip(parameters, stepper.states, strict=True)]
        assert all(map(same, numbers, expected))


# --- the module -----------------------------------------------------------------------------------


def test_the_text_is_a_module(tmp_path: Path) -> None:
    """It imports as one, and takes all examples unless told otherwise."""
    w = ag.Value(3.0, "w")
    program = gradients(lambda x: w * x * x, [()])
    file = tmp_path / "program.mjs"
    file.write_text(javascript.source(program))
    script = (
        f"import {{ sizes, memory, program }} from {json.dumps(file.as_uri())};"
        "const here = memory(); here.w[0] = 3;"
        "console.log(sizes.y, ...program(here, Float64Array.of(1, 3)))"
    )
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "15", "5"]


def test_labels_are_inert() -> None:
    hostile = "*/ alert(1) </script>\n evil(); \u2028 evil()"
    w = ag.Value(1.0, hostile)
    text = javascript.source(gradients(lambda x: w * x, [()]))
    assert "</script>" not in text
    assert text.isascii()
    assert all("evil" not in line.partition("//")[0] for line in text.splitlines())


def test_a_row_without_a_spelling_is_refused_by_name() -> None:
    name = "cube_root_here"
    cube_root = TABLE.get(name) or Primitive(name, "∛", math.cbrt, lambda z, x: 1.0 / (3.0 * z * z))
    try:
        program = values(cube_root, 1)
        with pytest.raises(ValueError, match=name):
            javascript.source(program)
        javascript.HELPERS[name] = "Math.cbrt"
        assert in_node([(program, [], [[27.0]])]) == [[3.0]]
    finally:
        TABLE.pop(name)
        javascript.HELPERS.pop(name, None)


def test_a_helper_is_printed_only_where_it_is_used() -> None:
    text = javascript.source(values(lambda x: ag.erfc(x) + 1.0, 1))
    assert re.findall(r"const (\w+) = \(?\w*\)? =>", text) == ["memory", "erf", "erfc", "erfc_tail"]
