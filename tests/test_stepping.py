"""Steps, paths and chains, against `backward()` and against brute force."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.primitives import TABLE
from autograd.value import adjoints, topological_order
from autograd.viz import Chain, Explanation, explain
from autograd.viz.explanation import (
    FACTORS_SHOWN,
    LINKS_SHOWN,
    MERGED,
    PATHS_SHOWN,
)
from autograd.viz.notation import LATEX, TEXT, TOTAL_AND_LOCAL, names
from tests.graphs import Program, any_float, inputs, ordinary, programs
from tests.numerics import ordinary_points, same
from tests.pages import named

any_programs = programs(constants=any_float)


def leaves(**numbers: float) -> list[Value]:
    return [Value(number, label) for label, number in numbers.items()]


def example() -> tuple[Value, list[Value]]:
    """L = (a·b + c)·f with a label on every node, and its leaves."""
    a, b, c, f = leaves(a=2.0, b=-3.0, c=10.0, f=-2.0)
    e = named(a * b, "e")
    d = named(e + c, "d")
    return named(d * f, "L"), [a, b, c, f]


def worked_network() -> tuple[Value, dict[str, Value]]:
    """Three layers of one unit, and a cross entropy spelled out on its output ŷ."""
    parameters = {"W1": 0.5, "b1": 0.1, "W2": -0.7, "b2": 0.9, "W3": 0.8, "b3": -0.2}
    at = {label: Value(number, label) for label, number in parameters.items()}
    at["z1"] = at["W1"] * 1.5 + at["b1"]
    at["a1"] = at["z1"].relu()
    at["z2"] = at["W2"] * at["a1"] + at["b2"]
    at["a2"] = at["z2"].relu()
    at["z3"] = at["W3"] * at["a2"] + at["b3"]
    at["ŷ"] = at["z3"].sigmoid()
    y = 1.0
    at["L"] = -(y * at["ŷ"].log() + (1 - y) * (1 - at["ŷ"]).log())
    for label, value in at.items():
        value.label = label
    return at["L"], at


# --- steps ----------------------------------------------------------------------------------------


def test_the_backward_pass_reads_line_by_line() -> None:
    assert [str(step) for step in ag.backward_steps(example()[0])] == [
        "dL/dd += ∂L/∂d = -2",
        "dL/df += ∂L/∂f = 4",
        "dL/de += dL/dd · ∂d/∂e = -2 · 1 = -2",
        "dL/dc += dL/dd · ∂d/∂c = -2 · 1 = -2",
        "dL/da += dL/de · ∂e/∂a = -2 · (-3) = 6",
        "dL/db += dL/de · ∂e/∂b = -2 · 2 = -4",
    ]


def test_the_forward_pass_reads_line_by_line() -> None:
    assert [str(step) for step in ag.forward_steps(example()[0])] == [
        "e = a · b = 2 · (-3) = -6",
        "d = e + c = -6 + 10 = 4",
        "L = d · f = 4 · (-2) = -8",
    ]


def test_a_step_carries_what_its_line_says() -> None:
    output, (a, *_) = example()
    step = list(ag.backward_steps(output))[4]
    assert (step.node.label, step.arg) == ("e", a)
    assert (step.upstream, step.partial, step.contribution, step.total) == (-2.0, -3.0, 6.0, 6.0)


def test_an_operand_used_twice_shows_its_running_total() -> None:
    (x,) = leaves(x=3.0)
    y = named(x * x, "y")
    assert [str(step) for step in ag.backward_steps(y)] == [
        "dy/dx += ∂y/∂(1st x) = 3",
        "dy/dx += ∂y/∂(2nd x) = 3 (total 6)",
    ]


@pytest.mark.slow
@given(any_programs, inputs(any_float))
def test_exhausted_it_has_done_what_backward_does(program: Program, xs: list[float]) -> None:
    graphs = []
    for run in (lambda output: list(ag.backward_steps(output)), Value.backward):
        inputs = [Value(x) for x in xs]
        inputs[0].grad = 0.25  # leaves accumulate
        output = program(*inputs)
        run(output)
        run(output)
        graphs.append([node.grad for node in topological_order(output)])
    assert same(*graphs)


@pytest.mark.slow
@given(any_programs, inputs(any_float))
def test_steps_are_those_of_the_sweep(program: Program, xs: list[float]) -> None:
    output = program(*map(Value, xs))
    expected = adjoints(output)
    totals = {output: 1.0}
    edges = []
    for step in ag.backward_steps(output):
        assert same([step.upstream], [totals[step.node]])
        product = step.upstream * step.partial
        has_no_say = math.isnan(product) and step.contribution == 0.0
        assert has_no_say or same([step.contribution], [product])
        assert step.node.args[step.index] is step.arg
        totals[step.arg] = step.total
        edges.append((step.node, step.index))
    assert same([totals[node] for node in expected], list(expected.values()))
    every_edge = [
        (node, index)
        for node in reversed(topological_order(output))
        for index, partial in enumerate(node.partials)
        if partial is not None and node in expected
    ]
    assert edges == every_edge


@pytest.mark.slow
@given(any_programs, inputs(ordinary), st.integers(0, 30))
def test_abandoned_it_has_changed_nothing(program: Program, xs: list[float], n: int) -> None:
    output = program(*map(Value, xs))
    output.backward()
    nodes = topological_order(output)
    before = [node.grad for node in nodes]
    n_steps = sum(p is not None for node in adjoints(output) for p in node.partials)
    list(itertools.islice(ag.backward_steps(output), min(n, n_steps)))
    assert same([node.grad for node in nodes], before)


def test_what_is_only_compared_takes_no_part_in_the_steps() -> None:
    a, b = leaves(a=1.0, b=2.0)
    squared = named(a * a, "squared")
    chosen = named(ag.where(squared < b, b, 5.0), "w")
    assert [str(step) for step in ag.backward_steps(chosen)] == ["dw/db += ∂w/∂b = 1"]
    assert str(explain(chosen, a)) == "dw/da = 0, because no path leads there"
    assert "squared" not in str(explain(chosen))


def test_one_sentence_says_why_there_are_two_signs() -> None:
    output, (a, *_) = example()
    for found in (explain(output), explain(output, a)):
        assert str(found).count(TOTAL_AND_LOCAL) == 1
        assert found._repr_latex_().count(TOTAL_AND_LOCAL) == 1


def test_a_sign_that_leads_through_what_has_no_label_is_said_to() -> None:
    a, b = leaves(a=2.0, b=-3.0)
    unlabeled = named(ag.tanh(a * b) + a, "L")
    assert str(explain(unlabeled)).endswith(TOTAL_AND_LOCAL + MERGED)
    assert MERGED in explain(unlabeled)._repr_latex_()
    every_one = named(named(a * b, "d") + a, "L")
    assert str(explain(every_one)).endswith(TOTAL_AND_LOCAL)


def test_the_two_signs_never_name_one_number_twice() -> None:
    (a,) = leaves(a=2.0)
    output = named(a * 3.0 + a, "L")
    text = str(explain(named(output * 1.0, "M"), a))
    assert "∂L/∂a\n  = 1 · 1 = 1" in text.replace("∂M/∂L · ", "")
    assert "dM/da = dM/dL · (∂L/∂a + …) = 1 · 4 = 4" in text


def test_what_has_changed_since_is_said() -> None:
    output, (a, *_) = example()
    before = str(explain(output, a))
    a.data = 100.0
    assert str(explain(output, a)).startswith(before)
    assert "An operand of e has changed since" in str(explain(output, a))
    assert "has changed since" in explain(output)._repr_latex_()


def test_the_nodes_of_a_model_are_called_after_it() -> None:
    model = ag.MLP(1, [1, 1], activation="tanh", seed=1)
    lines = [str(step) for step in ag.forward_steps(model([Value(0.5, "x")]))]
    assert [line.split(" = ")[0] for line in lines] == [
        f"layer{i}.neuron0.{part}"
        for i, part in [(0, "wx"), (0, "z"), (0, "a"), (1, "wx"), (1, "z")]
    ]


def test_a_leaf_has_no_steps_and_its_own_gradient_is_one() -> None:
    (x,) = leaves(x=3.0)
    assert list(ag.forward_steps(x)) == []
    assert list(ag.backward_steps(x)) == []
    assert x.grad == 1.0


def test_nothing_is_recorded_about_a_step_that_has_no_derivative() -> None:
    a, b = leaves(a=1.0, b=2.0)
    chosen = named(ag.where(a < b, a, 5.0), "w")
    assert [str(step) for step in ag.backward_steps(chosen)] == ["dw/da += ∂w/∂a = 1"]


@pytest.mark.slow
def test_a_deep_graph_is_stepped_through() -> None:
    (x,) = leaves(x=1.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    *_, last = ag.backward_steps(y)
    assert str(last) == "dv20000/dx += dv20000/dv1 · ∂v1/∂x = 1 · 1 = 1"
    assert x.grad == 1.0


@pytest.mark.parametrize("function", [ag.backward_steps, ag.forward_steps, explain])
@pytest.mark.parametrize("wrong", [3.0, None, "L", [Value(1.0)]])
def test_anything_but_a_value_is_refused_at_once(function: Any, wrong: object) -> None:
    with pytest.raises(TypeError, match=re.escape(f"{function.__name__}: expected a Value, got")):
        function(wrong)


def test_explain_refuses_a_leaf_that_is_no_value() -> None:
    with pytest.raises(TypeError, match=r"explain: expected a Value, got 2\.0 of type float"):
        explain(Value(1.0), 2.0)  # type: ignore[call-overload]


# --- how operations are written -------------------------------------------------------------------

WRITTEN = {
    "a + b = 2 + (-3) = -1": lambda a, b: a + b,
    "a - b = 2 - (-3) = 5": lambda a, b: a - b,
    "a / 4 = 2 / 4 = 0.5": lambda a, b: a / 4,
    "b ** 2 = (-3) ** 2 = 9": lambda a, b: b**2,
    "2 ** a = 2 ** 2 = 4": lambda a, b: 2**a,
    "-b = -(-3) = 3": lambda a, b: -b,
    "abs(b) = abs(-3) = 3": lambda a, b: abs(b),
    "tanh(a) = tanh(2) = 0.9640": lambda a, b: a.tanh(),
    "max(a, b) = max(2, -3) = 2": ag.maximum,
    "Σ(a, b, 1) = Σ(2, -3, 1) = 0": lambda a, b: ag.sum([a, b, 1.0]),
    "a·b + b·5 = 2·(-3) + (-3)·5 = -21": lambda a, b: ag.dot([a, b], [b, 5.0]),
    "a > b = 2 > -3 = 1": lambda a, b: a > b,
    "Σ(a, a, a, a, a, …, b) = Σ(2, 2, 2, 2, 2, …, -3) = 13": lambda a, b: ag.sum([a] * 8 + [b]),
}


@pytest.mark.parametrize(("text", "operation"), WRITTEN.items(), ids=WRITTEN)
def test_operations_are_written_readably(text: str, operation: Any) -> None:
    (step,) = ag.forward_steps(named(operation(*leaves(a=2.0, b=-3.0)), "z"))
    assert str(step) == f"z = {text}"


def test_a_line_does_not_pretend_that_a_changed_leaf_gave_the_result() -> None:
    output, (a, *_) = example()
    a.data = 100.0
    first, *_ = ag.forward_steps(output)
    assert str(first) == "e = a · b = -6 (an operand has changed since)"


def test_nor_that_a_condition_holds_which_has_changed() -> None:
    a, b, c = leaves(a=2.0, b=-3.0, c=0.0)
    output = named(ag.where(c < 1.0, a, b), "z")
    c.data = 5.0
    compared, chosen = ag.forward_steps(output)
    assert str(compared) == "v3 = c < 1 = 1 (an operand has changed since)"
    assert str(chosen) == "z = where(v3, a, b) = where(1, 2, -3) = 2"


SHOWN = [
    name for name in TABLE if name not in ("where", "polygamma3") and not name.startswith("logical")
]


@pytest.mark.parametrize("name", SHOWN)
def test_a_formula_and_its_local_derivatives_compute_what_they_name(name: str) -> None:
    functions = {p.symbol: p for p in TABLE.values() if p.symbol.isidentifier()}
    functions["sech2"] = TABLE["sech2"]
    for point in ordinary_points(TABLE[name]):
        args = [Value(number, label) for number, label in zip(point, "abcd", strict=False)]
        z = named(TABLE[name](*args), "z")
        called = names([*args, z])
        nodes = {node.label: node for node in (*args, z)}

        def number(text: str, nodes: dict[str, Value] = nodes) -> float:
            result = eval(text.replace("·", "*").replace("²", "2"), {**functions, **nodes})
            return result.data if isinstance(result, Value) else float(result)

        assert number(TEXT.formula(z, called)) == z.data
        for index, recorded in enumerate(z.partials):
            if recorded is not None:  # with the constants in it to four digits
                text = TEXT.local_derivative(z, index, called)
                assert number(text) == pytest.approx(recorded, rel=1e-3)


def test_local_derivatives_keep_their_parentheses() -> None:
    x, y = leaves(x=0.5, y=2.0)
    cases = {
        "1 + o · o": x.tan(),
        "0.5 / o": x.sqrt(),
        "3 · x ** 2": x**3,
        "y · x ** (y - 1)": x**y,
        "1 / x": x.log(),
        "y": x * y,
    }
    for text, node in cases.items():
        node.label = "o"
        assert TEXT.local_derivative(node, 0, names(topological_order(node))) == text
    assert TEXT.local_derivative(named(x / y, "o"), 1, {x: "x", y: "y"}) == "-o / y"


def test_a_power_of_a_power_keeps_its_parentheses() -> None:
    rules = [lambda _, x, y: (x**y) ** 3.0, lambda _, x, y: x ** (y**3.0)]
    towers = ag.Primitive("towers", "towers", lambda x, y: 0.0 * x * y, *rules)
    x, y = leaves(x=0.5, y=2.0)
    node, called = named(towers(x, y), "z"), {x: "x", y: "y"}
    assert TEXT.local_derivative(node, 0, called) == "(x ** y) ** 3"
    assert TEXT.local_derivative(node, 1, called) == "x ** (y ** 3)"


# --- names ----------------------------------------------------------------------------------------


def test_nodes_without_a_label_go_by_their_place() -> None:
    a, b = leaves(a=1.0, b=2.0)
    order = topological_order((a + b) * a)
    assert list(names(order).values()) == ["a", "b", "v2", "v3"]


def test_two_nodes_never_share_a_name() -> None:
    labels = ["x", "x", "x#2", "v4", "", "v4", "", "x"]
    found = list(names([Value(1.0, label) for label in labels]).values())
    assert len(set(found)) == len(labels)
    assert found[:4] == ["x", "x#2", "x#2#2", "v4"]


def test_a_label_stays_in_its_line() -> None:
    label = "two\nlines\x00 \u2028" + "x" * 1000
    (name,) = names([Value(1.0, label)]).values()
    assert name.isprintable()
    assert len(name) <= 40


# --- paths ----------------------------------------------------------------------------------------


def every_path(value: Value, leaf: Value) -> list[float]:
    """The product along every path, by brute force."""
    if value is leaf:
        return [1.0]
    return [
        product
        for arg, partial in zip(value.args, value.partials, strict=True)
        if isinstance(arg, Value) and partial is not None
        for product in _times(partial, every_path(arg, leaf))
    ]


def _times(partial: float, products: Sequence[float]) -> list[float]:
    return [partial * product for product in products]


few_paths = programs(max_operations=6)


@pytest.mark.slow
@given(few_paths, inputs(ordinary))
def test_the_gradient_is_the_sum_over_all_paths(program: Program, xs: list[float]) -> None:
    leaf, *others = map(Value, xs)
    output = program(leaf, *others)
    expected = every_path(output, leaf)
    if not all(map(math.isfinite, expected)):
        return
    found = explain(output, leaf)
    size = math.fsum(map(abs, expected)) or 1.0
    assert found.count == len(expected)
    assert same([found.gradient], [adjoints(output).get(leaf, 0.0)])
    assert found.sum_over_paths == pytest.approx(math.fsum(expected), abs=1e-12 * size)
    largest = sorted(map(abs, expected), reverse=True)
    assert [abs(p.product) for p in found.paths] == pytest.approx(
        largest[:PATHS_SHOWN], rel=1e-12, abs=1e-300
    )
    shown = math.fsum(path.product for path in found.paths)
    assert found.left_out_sum == pytest.approx(math.fsum(expected) - shown, abs=1e-12 * size)
    assert found.left_out == max(0, len(expected) - PATHS_SHOWN)


@pytest.mark.slow
@given(any_programs, inputs(any_float))
def test_any_graph_can_be_explained(program: Program, xs: list[float]) -> None:
    output = program(*map(Value, xs))
    for node in topological_order(output):
        found = explain(output, node)
        assert same([found.gradient], [adjoints(output).get(node, 0.0)])
        for path in found.paths:
            assert path.nodes[0] is output
            assert path.nodes[-1] is node
            product = 1.0
            for at, index, partial, to in zip(
                path.nodes, path.indices, path.partials, path.nodes[1:], strict=False
            ):
                assert at.args[index] is to
                assert same([at.partials[index]], [partial])
                product *= partial
            assert same([path.product], [product])
        assert str(found)
        assert found._repr_latex_()
    assert all(node.grad is None for node in topological_order(output))


def test_one_path_is_written_out() -> None:
    output, (a, *_) = example()
    head, symbols, *_ = str(explain(output, a)).split("\n\n")
    assert head == "dL/da = 6, the product along the only path:"
    assert symbols == "  ∂L/∂d · ∂d/∂e · ∂e/∂a\n  = -2 · 1 · (-3) = 6"


def test_two_paths_are_added_up() -> None:
    (a,) = leaves(a=1.0)
    b = named(a + a, "b")
    d = named(b * (3.0 * b), "d")
    text = str(explain(d, a))
    assert text.startswith("dd/da = 24, the sum over 4 paths:")
    assert "∂d/∂v2 · ∂v2/∂b · ∂b/∂(2nd a)\n  = 2 · 3 · 1 = 6" in text
    assert "where v2 = 3 · b" in text


def test_two_to_the_sixty_paths() -> None:
    (x,) = leaves(x=1.0)
    y = x
    for _ in range(60):
        y = y + y
    found = explain(y, x)
    assert (found.count, found.gradient) == (2**60, 2.0**60)
    assert len(found.paths) == PATHS_SHOWN
    assert found.left_out_sum == pytest.approx(2.0**60)
    assert "and 1,152,921,504,606,846,968 other paths: 1.153e+18" in str(found)


@pytest.mark.slow
def test_more_paths_than_anyone_could_print() -> None:
    (x,) = leaves(x=1.0)
    y = x
    for _ in range(5_000):
        y = y + y
    found = explain(y, x)
    assert found.count == 2**5_000
    assert "about 1.412e+1505 paths" in str(found)


@pytest.mark.slow
def test_a_long_path_is_shortened() -> None:
    (x,) = leaves(x=2.0)
    y = x
    for _ in range(20_000):
        y = y * 1.0
    found = explain(y, x)
    assert len(found.paths[0].partials) == 20_000
    factors = str(found).split("\n\n")[1]
    assert factors.count("∂v") == 2 * FACTORS_SHOWN - 1  # the last is by x
    assert "· … · ∂v1/∂x" in factors


def test_the_others_are_counted_even_where_they_cancel() -> None:
    (x,) = leaves(x=1.0)
    y = ag.dot([x] * 10, [5.0, -5.0, 4.0, -4.0, 3.0, -3.0, 2.0, -2.0, 1.0, -1.0])
    assert "and 2 other paths: 0" in str(explain(y, x))


def test_an_order_of_rounding_is_owned_up_to() -> None:
    (x,) = leaves(x=1.0)
    y = ag.sum([x * 0.3, x * 0.2, x * 0.1])
    found = explain(y, x)
    assert found.sum_over_paths != found.gradient
    assert "(off by 1e-16, because it is rounded in another order)" in str(found)


@pytest.mark.parametrize("slope", [math.inf, math.nan])
def test_a_gradient_without_a_number_is_no_matter_of_rounding(slope: float) -> None:
    (x,) = leaves(x=1.0)
    y = ag.sum([x * slope, x])
    assert f"dv2/dx = {slope}, the sum over 2 paths:" in str(explain(y, x))


def test_a_path_through_nan_is_shown_first() -> None:
    (x,) = leaves(x=-1.0)
    y = ag.sum([x * 5.0] * 20) + x.sqrt()
    assert math.isnan(explain(y, x).paths[0].product)


def test_what_does_not_depend_says_so() -> None:
    output, _ = example()
    (x,) = leaves(x=1.0)
    assert str(explain(output, x)) == "dL/dx = 0, because no path leads there"
    x.label = "a"  # as another in the graph
    assert str(explain(output, x)) == "dL/da#2 = 0, because no path leads there"


def test_a_value_explains_itself() -> None:
    (x,) = leaves(x=1.0)
    assert explain(x, x).gradient == 1.0
    assert str(explain(x, x)).endswith("only path:\n\n  dx/dx\n  = 1")


# --- from label to label --------------------------------------------------------------------------


def test_the_worked_network_layer_by_layer() -> None:
    loss, at = worked_network()
    chain = explain(loss)
    assert isinstance(chain, Chain)
    order = [link.node.label for link in chain.links]
    assert order == ["ŷ", "z3", "a2", "b3", "W3", "z2", "a1", "b2", "W2", "z1", "b1", "W1"]
    lines = str(chain).split("\n")
    assert lines[1] == (
        "dL/dz3 = dL/dŷ · ∂ŷ/∂z3 = -1.957 · 0.2499 = -0.4890      backward(): -0.4890"
    )
    assert all(node.grad is None for node in at.values())
    loss.backward()
    for link in chain.links:
        assert link.gradient == link.node.grad
        assert math.fsum(u * local for _, u, local in link.terms) == pytest.approx(link.gradient)


def test_explain_shows_the_chain_on_the_way_to_the_leaf() -> None:
    loss, at = worked_network()
    found = explain(loss, at["W1"])
    assert isinstance(found, Explanation)
    assert [link.node.label for link in found.chain.links] == [
        "ŷ",
        "z3",
        "a2",
        "z2",
        "a1",
        "z1",
        "W1",
    ]
    assert "dL/dW1 = dL/dz1 · ∂z1/∂W1 = 0.2738 · 1.5 = 0.4108" in str(found)


@pytest.mark.slow
@given(programs(max_operations=8), inputs(ordinary), st.sets(st.integers(0, 12)))
def test_a_chain_adds_up_wherever_the_labels_are(
    program: Program, xs: list[float], places: set[int]
) -> None:
    output = program(*map(Value, xs))
    order = topological_order(output)
    for place in places & set(range(len(order))):
        order[place].label = f"x{place}"
    gradients = adjoints(output)
    links = explain(output).links
    assert {link.node for link in links} == {
        node for node in gradients if (node.label or not node.args) and node is not output
    }
    for link in links:
        terms = [u * local for _, u, local in link.terms]
        if all(map(math.isfinite, terms)):
            size = math.fsum(map(abs, every_path(output, link.node)))
            assert math.fsum(terms) == pytest.approx(link.gradient, abs=1e-9 * size, nan_ok=True)
        assert all(same([u], [gradients[user]]) for user, u, _ in link.terms)


def test_the_chain_of_a_leaf_is_one() -> None:
    (x,) = leaves(x=3.0)
    assert str(explain(x)) == "dx/dx = 1"
    assert explain(x)._repr_latex_() == (
        r"$$\begin{aligned} &\frac{\mathrm{d} x}{\mathrm{d} x} = 1 \end{aligned}$$"
    )


def test_a_long_chain_says_how_much_is_left_out() -> None:
    xs = [Value(1.0, f"x{i}") for i in range(LINKS_SHOWN + 1000)]
    assert str(explain(ag.sum(xs))).split("\n\n")[0].endswith("\nand 1,000 more")


# --- LaTeX ----------------------------------------------------------------------------------------


def test_formulas_for_a_notebook() -> None:
    output, (a, *_) = example()
    latex = explain(output, a)._repr_latex_()
    assert latex.startswith(r"$$\begin{aligned}")
    assert latex.endswith(r"\end{aligned}$$")
    assert r"\frac{\partial L}{\partial d} \cdot \frac{\partial d}{\partial e}" in latex
    assert r"= -2 \cdot 1 \cdot (-3) = 6" in latex


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("a", "a"),
        ("W1", "W_{1}"),
        ("z_12", "z_{12}"),
        ("loss", r"\mathrm{loss}"),
        ("x#2", r"\mathrm{x\#2}"),
        ("layer0.weight1", r"\mathrm{layer0.weight1}"),
        (r"\href{x}", r"\mathrm{\backslash{}href\{x\}}"),
        ("a & b", r"\mathrm{a\ \&\ b}"),
        ("%", r"\%"),
        ("<b>", r"\mathrm{\lt{}b\gt{}}"),
    ],
)
def test_names_in_latex(name: str, latex: str) -> None:
    assert LATEX.name(name) == latex


@given(st.text(alphabet=r"\{}$&#%_^~<>'` ax1/script", min_size=1))
def test_no_label_can_leave_its_place_in_a_formula(label: str) -> None:
    (x,) = [Value(2.0, label)]
    latex = explain(named(x * 3.0, label + "!") * 1.0, x)._repr_latex_()
    inside = latex.removeprefix("$$").removesuffix("$$")
    without_escapes = re.sub(r"\\[{}$&#%_\\ ]|\\[a-zA-Z]+", "", inside)
    assert not set(without_escapes) & set("$#%~<>'\\")
    assert re.fullmatch(r"[^_^]*(?:_\{\d+\}[^_^]*)*", without_escapes)
    depth = list(itertools.accumulate({"{": 1, "}": -1}.get(c, 0) for c in without_escapes))
    assert min(depth) >= 0
    assert depth[-1] == 0
    commands = set(re.findall(r"\\([a-zA-Z]+)", re.sub(r"\\[^a-zA-Z]", "", inside)))
    assert commands <= {
        *("begin", "end", "frac", "partial", "cdot", "text", "quad", "mathrm", "phantom"),
        *("backslash", "wedge", "sim", "lt", "gt", "prime"),
    }


@pytest.mark.parametrize(
    ("number", "latex"),
    [
        (-3.0, "-3"),
        (1e-7, r"1 \times 10^{-7}"),
        (math.inf, r"\infty"),
        (-math.inf, r"-\infty"),
        (math.nan, r"\mathrm{nan}"),
    ],
)
def test_numbers_in_latex(number: float, latex: str) -> None:
    assert LATEX.number(number) == latex


def test_operations_in_latex() -> None:
    x, y = leaves(x=2.0, y=3.0)
    named = {x: "x", y: "y1"}
    cases = {
        r"x \cdot y_{1}": x * y,
        "{x}^{2}": x**2,
        r"\mathrm{tanh}(x)": x.tanh(),
        r"x \lt y_{1}": x < y,
        r"x \ge 2": x >= 2.0,
        r"x \cdot y_{1} + y_{1} \cdot x": ag.dot([x, y], [y, x]),
    }
    for latex, node in cases.items():
        assert LATEX.formula(node, named) == latex


def test_nodes_are_called_after_the_model_they_are_part_of() -> None:
    class Two(ag.Module):
        def __init__(self) -> None:
            self.first = ag.Layer(1, 1, seed=1)
            self.second = ag.Layer(1, 1, seed=2)

    model = Two()
    loss = model.second([model.first([Value(0.5, "x")])])
    weight = model.first.parameters()[0]
    assert "dsecond.neuron0.a/dfirst.neuron0.weight0" in str(explain(loss, model=model))
    assert "where second.neuron0.a = relu(second.neuron0.z)" in str(
        explain(loss, weight, model=model)
    )
    assert "second.neuron0.a" not in str(explain(loss, weight))
