"""One notation: numbers, labels and operations as text, and text as a graph."""

from __future__ import annotations

import math

import pytest

import autograd as ag
from autograd.viz.formula import parse
from autograd.viz.notation import LATEX, TEXT, in_a_line


def test_an_operator_of_more_than_two_is_written_as_a_function() -> None:
    rules = [lambda o, x, y, z: y, lambda o, x, y, z: x, lambda o, x, y, z: 1.0]
    fused = ag.Primitive("fused", "⊕", lambda x, y, z: x * y + z, *rules)
    every = ag.Primitive("every", "⊗", lambda *x: sum(x, 0.0), lambda z, *x: x, variadic=True)
    a, b = ag.Value(2.0, "a"), ag.Value(5.0, "b")
    written = [TEXT.formula(node, {}) for node in (fused(a, b, 3.0), every(a, b), every(a))]
    assert written == ["⊕(a, b, 3)", "a ⊗ b", "⊗a"]
    assert TEXT.applied(fused(a, 4.0, b)) == "⊕(_, 4, _)"
    assert "⊕" in ag.draw(fused(a, b, 3.0)).dot


def test_a_formula_is_recorded_with_labeled_leaves() -> None:
    output = parse("tanh(a*b + c)", a=2, b=-3, c=10)
    assert output.data == math.tanh(4.0)
    assert output.label == "tanh(a*b + c)"
    total = output.args[0]
    assert (output.op, total.op) == ("tanh", "add")
    product, c = total.args
    assert [leaf.label for leaf in (*product.args, c)] == ["a", "b", "c"]


def test_a_variable_used_twice_is_one_leaf() -> None:
    output = parse("x * x", x=3)
    assert output.args[0] is output.args[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 - 2 - 3", -4.0),
        ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0),
        ("8 / 4 / 2", 1.0),
        ("2 * (3 + 4)", 14.0),
        ("maximum(1, minimum(5, 3))", 3.0),
        ("1 / 0", math.inf),
        ("-x", -1.5),
        ("10**400", math.inf),
    ],
)
def test_precedence_and_values_are_those_of_arithmetic(text: str, expected: float) -> None:
    numbers = {"x": 1.5} if "x" in text.replace("max", "") else {}
    assert parse(text, **numbers).data == expected


@pytest.mark.parametrize("name", ["text", "self", "µ", "exp", "naïve"])
def test_a_variable_may_have_any_name(name: str) -> None:
    assert parse(f"{name} * 2", **{name: 3}).data == 6.0


def test_what_cannot_be_read_is_shown_as_typed() -> None:
    with pytest.raises(ValueError, match=r"cannot read 'a\^2'"):
        parse(" a^2 ", a=1.0)


@pytest.mark.parametrize(("sign", "value"), [("+", 2000.0), ("*", 1.0), ("-", -1998.0), ("/", 1.0)])
def test_many_terms_are_not_deep(sign: str, value: float) -> None:
    assert parse(sign.join(["a"] * 2000), a=1.0).data == value
    assert parse(f"exp(0 * ({sign.join(['a'] * 2000)}))", a=1.0).data == 1.0


def test_what_cannot_be_read_may_be_deep() -> None:
    with pytest.raises(ValueError, match=r"cannot read|nested too deeply"):
        parse("(" + "+".join(["a"] * 2500) + ") % 2", a=1.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no formula"),
        ("a +", "no formula"),
        ("a b", "no formula"),
        ("a\0", "no formula"),
        ("a\udcff", "no formula"),
        ("b", "the variable b has no number"),
        ("__import__('os').system('true')", "cannot read"),
        ("(lambda: 1)()", "cannot read"),
        ("a.data", "cannot read"),
        ("a[0]", "cannot read"),
        ("'text'", "cannot read"),
        ("True", "cannot read"),
        ("1j", "cannot read"),
        ("a if a else a", "cannot read"),
        ("a < 1", "cannot read"),
        ("a % 2", "cannot read"),
        ("[a]", "cannot read"),
        ("exp(*a)", "cannot read"),
        ("exp(x=a)", "cannot read"),
        ("exp(a, a)", "takes 1 arguments, not 2"),
        ("sum(a)", "cannot read"),
        ("(" * 500 + "a" + ")" * 500, "no formula"),
        ("1", "there is no variable a"),
    ],
)
def test_anything_else_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse(text, a=1.0)
    assert "\n" not in str(caught.value)


def test_a_function_is_no_use_of_a_variable_of_its_name() -> None:
    with pytest.raises(ValueError, match="there is no variable exp"):
        parse("exp(x)", x=1.0, exp=2.0)
    assert parse("exp(x) * exp", x=0.0, exp=2.0).data == 2.0


def test_pi_and_e_are_known_unless_they_are_given() -> None:
    assert parse("sin(pi/2) + log(e)").data == pytest.approx(2.0)
    assert parse("2*π").data == 2.0 * math.pi
    assert parse("e + 1", e=1.0).data == 2.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a^2", r"a power is written with \*\*"),
        ("max(a, 1)", "max is called maximum here"),
        ("2a + 1", r"a product is written with \*"),
        ("ln(a)", "ln is called log here"),
        ("np.tanh(a)", r"write tanh\(…\) alone"),
        ("math.max(a, a)", r"write maximum\(…\) alone"),
    ],
)
def test_what_is_written_otherwise_elsewhere_gets_a_hint(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(text, a=1.0)


@pytest.mark.parametrize("end", ["+ b", "^ 2", "+", "+ max(a, a)", "+ sin(a, a)"])
def test_a_long_formula_is_not_echoed_whole(end: str) -> None:
    with pytest.raises(ValueError, match="a") as refused:
        parse("a + " * 2000 + "a" + end, a=1.0)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("label", ["\u05e9\u05dc\u05d5\u05dd", "\u0633 2", "w \u0661"])
def test_a_name_read_from_right_to_left_turns_nothing_beside_it(label: str) -> None:
    name = in_a_line(label)
    assert name == f"\u2068{label}\u2069"
    a, b = ag.Value(2.0, label), ag.Value(3.0, "b")
    L = a * b
    L.label = "L"
    assert f"dL/d{name} += ∂L/∂{name} = 3" in map(str, ag.backward_steps(L))
    assert LATEX.name(name) == rf"\mathrm{{{label}}}".replace(" ", r"\ ")


def test_marks_of_direction_that_a_label_brings_are_shown() -> None:
    assert in_a_line("a\u2067b") == r"a\u2067b"
    assert in_a_line("\u2068a\u202eb\u2069") == "\u2068a\\u202eb\u2069"
    assert in_a_line("plain") == "plain"
