"""The exercises of notebook 1b, where readers build an engine: checks of its parts.

Each check builds small graphs with the reader's own class and functions and looks at the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd.exercises.grading import Mistake, called, exercise, number

Node = Any
"""An instance of the class that the reader writes."""

EXACT = 1e-9


def are_same(given: Sequence[Node], right: Sequence[Node]) -> bool:
    """Whether the operands given are the very objects that they should be."""
    return list(map(id, given)) == list(map(id, right))


@exercise("1b.1")
def remembers(kind: Callable[..., Node]) -> str:
    """Check that a number of the student's class keeps its operands and local derivatives."""
    a, b = called(kind, 2.0), called(kind, -3.0)
    c = called(kind, -6.0, (a, b), (-3.0, 2.0))
    needed = {
        "data": "It is the number itself.",
        "operands": "Without them, nothing can find the way back from c to a and b.",
        "partials": "Without them, the backward pass has nothing to multiply by.",
        "grad": "It is where the backward pass adds up contributions.",
    }
    for name, why in needed.items():
        if not hasattr(c, name):
            raise Mistake(f"It has no `{name}`. {why}")
    number("`data` of a number made of -6.0", c.data, -6.0, {}, EXACT)
    if not are_same(c.operands, (a, b)):
        raise Mistake("`operands` are not the objects that it was given. Keep them, not a copy.")
    if list(c.partials) != [-3.0, 2.0]:
        raise Mistake(f"`partials` are {c.partials!r}, but it was given (-3.0, 2.0).")
    if len(a.operands) or len(a.partials):
        raise Mistake("A number that was not computed has no operands: let () be the default.")
    if c.grad != 0.0:
        raise Mistake(f"`grad` starts at {c.grad!r}. Contributions are added to it: start at 0.0.")
    return "c knows that it came from a and b, and how it changes with each."


@exercise("1b.2")
def operates(kind: Callable[..., Node]) -> str:
    """Check sums and products of the student's class, with their local derivatives."""
    a, b = kind(2.0), kind(-3.0)
    total = called(lambda: a + b)
    product = called(lambda: a * b)
    for name, node, right in (("a + b", total, -1.0), ("a * b", product, -6.0)):
        if not hasattr(node, "operands"):
            raise Mistake(f"{name} is a {type(node).__name__}: it forgot where it came from.")
        number(f"{name} for a = 2, b = -3", node.data, right, {}, EXACT)
        if not are_same(node.operands, (a, b)):
            raise Mistake(f"The operands of {name} are not a and b.")
    for name, node, partials, reason in (
        ("a + b", total, [1.0, 1.0], "If a grows by 1, a + b grows by 1."),
        ("a * b", product, [-3.0, 2.0], "Each factor's derivative is the *other* factor."),
    ):
        if list(node.partials) != partials:
            raise Mistake(f"The partials of {name} are {node.partials!r}. {reason}")
    return "Each result knows how it changes with each operand."


@exercise("1b.3")
def orders(order: Callable[[Node], Sequence[Node]], kind: Callable[..., Node]) -> str:
    """A topological order: every node once, after its operands."""
    a = kind(1.0)
    b = a + a
    c = b * b
    d = b * c  # b is used directly, and through c
    names = {id(a): "a", id(b): "b", id(c): "c", id(d): "d"}
    found = list(called(order, d))
    shown = " ".join(names.get(id(node), "?") for node in found)
    if missing := [name for node, name in names.items() if node not in map(id, found)]:
        raise Mistake(f"For d = b·c, c = b·b, b = a + a it gave {shown}: {missing[0]} is missing.")
    if len(found) > len(names):
        twice = next(n for n in names if [id(node) for node in found].count(n) > 1)
        raise Mistake(
            f"It gave {shown}: {names[twice]} comes more than once. It would pass its gradient on "
            f"more than once, and sixty doublings would take 2⁶⁰ steps. Skip what was visited."
        )
    at = {id(node): i for i, node in enumerate(found)}
    for node in found:
        for operand in node.operands:
            if at[id(operand)] > at[id(node)]:
                raise Mistake(
                    f"It gave {shown}: {names[id(node)]} comes before its operand "
                    f"{names[id(operand)]}. Append a node only after all of its operands."
                )
    return f"{shown}: every node comes after its operands."


@exercise("1b.4")
def sweeps(backward: Callable[[Node], object], kind: Callable[..., Node]) -> str:
    """The backward pass: contributions multiplied along edges and added at nodes."""
    a, b, c = kind(2.0), kind(-3.0), kind(10.0)
    e = a * b
    d = e + c
    called(backward, d * d)
    if a.grad == 0.0:
        raise Mistake(
            "All gradients are still 0. Nothing starts unless the output's own gradient is 1."
            if e.grad == 0.0 and d.grad == 0.0
            else "Nothing arrived at a. Walk from the output to the leaves: in *reversed* order."
        )
    twice = (
        "d is used twice in d * d: the second contribution replaced the first. Add (`+=`), don't "
        "assign (`=`)."
    )
    alone = (
        "a received its local derivative, -3, alone. Multiply it by the gradient of the node that "
        "uses a."
    )
    what = "For (a·b + c)² at 2, -3, 10, the gradient of "
    number(what + "a", a.grad, -24.0, {-3.0: alone, -12.0: twice}, EXACT)
    number(what + "b", b.grad, 16.0, {}, EXACT)
    number(what + "c", c.grad, 8.0, {}, EXACT)
    a = kind(1.0)
    b = a + a
    c = b * kind(3.0)
    called(backward, b * c)
    if a.grad != 24.0:
        raise Mistake(
            f"For b·3b with b = a + a it finds {a.grad:g} where 24 is right: b passed its gradient "
            f"on before everything that uses b had contributed. Is the order right?"
        )
    return "(a·b + c)² has the gradients -24, 16, 8, and b·3b with b = a + a has 24."


@exercise("1b.5")
def descends(step: Callable[[Sequence[Node], float], object], kind: Callable[..., Node]) -> str:
    """One step of gradient descent, which then sets the gradients to 0."""
    w, b = kind(1.0), kind(-2.0)
    w.grad, b.grad = 4.0, -8.0
    called(step, [w, b], 0.25)
    mistakes = {
        1.0: "No parameter has moved: change `data`.",
        2.0: "w moved *up* the slope: the loss would grow. Subtract.",
        -3.0: "w moved by the whole gradient. Multiply it by the rate.",
    }
    number("w, after a step of rate 0.25 from 1 with gradient 4,", w.data, 0.0, mistakes, EXACT)
    number("b, after a step of rate 0.25 from -2 with gradient -8,", b.data, 0.0, {}, EXACT)
    if w.grad != 0.0 or b.grad != 0.0:
        raise Mistake(
            "The gradients are still there, and the next backward pass would add to them. Set them "
            "to 0 once they are used."
        )
    return "The parameters moved downhill, and their gradients start anew."


@exercise("1b.6")
def tangent(tanh: Callable[[Any], Any], kind: Callable[..., Node]) -> str:
    """tanh as a third operation of the reader's engine."""
    x = kind(0.5)
    y = called(tanh, x)
    t = math.tanh(0.5)
    if y is None:
        raise Mistake("It returns nothing yet.")
    if not hasattr(y, "operands"):
        raise Mistake(f"tanh returns a {type(y).__name__}: it forgot where it came from.")
    number("The value of tanh at 0.5", y.data, t, {math.tan(0.5): "That is tan, not tanh."}, EXACT)
    if not are_same(y.operands, (x,)) or len(y.partials) != 1:
        raise Mistake("It has one operand, x, and one partial: write (x,), with the comma.")
    mistakes = {
        1 - 0.25: "1 - x² is not the derivative; it is 1 - tanh², with the result squared.",
        1 - t: "The result is squared: 1 - tanh².",
        t: "That is the value. The derivative is 1 - tanh².",
    }
    number("The partial of tanh at 0.5", y.partials[0], 1 - t * t, mistakes, EXACT)
    return "Any operation can be added: its value, its operands, its partials."


@exercise("1b.7")
def forgotten_zero(factor: float) -> None:
    """What three backward passes add up to in a leaf whose `grad` is never reset to zero."""
    reason = "Each pass adds the same contribution again."
    number("The factor", factor, 3.0, {1.0: reason, 8.0: reason, 2.0: "That is after two passes."})
