"""`draw`: what is in the picture, that labels stay text, and that it can be rendered anywhere."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

import autograd as ag
from autograd import Value
from autograd.value import topological_order
from autograd.viz import dot, drawing
from autograd.viz.notation import LONGEST_TEXT, short_number, visible
from tests.graphs import Program, programs

pytest.importorskip("graphviz", reason="the DOT text is built with it")
SVG = "{http://www.w3.org/2000/svg}"
NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))


def groups(svg: str, css_class: str) -> dict[str, ElementTree.Element]:
    """The groups of that class by their id; a part of a model by its name."""
    found = (g for g in ElementTree.fromstring(svg).iter(f"{SVG}g"))
    return {
        re.sub(r"^part\d+-", "", g.get("id")): g
        for g in found
        if css_class in g.get("class").split()
    }


def texts(group: ElementTree.Element) -> dict[str, str]:
    """The first text of each class in a group."""
    found: dict[str, str] = {}
    for text in group.iter(f"{SVG}text"):
        found.setdefault(text.get("class", ""), "".join(text.itertext()))
    return found


def title(group: ElementTree.Element) -> str:
    return group.findtext(f"{SVG}title") or ""


def nodes(picture: drawing.Drawing) -> dict[str, dict[str, str]]:
    return {name: texts(group) for name, group in groups(picture.svg, "node").items()}


def edges(picture: drawing.Drawing) -> dict[str, str]:
    return {
        name: texts(group).get("partial", "") for name, group in groups(picture.svg, "edge").items()
    }


def ends(picture: drawing.Drawing) -> set[tuple[str, str]]:
    end = r'"?(?:part\d+-)?([\w-]+)"?'
    found = re.findall(rf"^\t{end}(?::\w)? -> {end}", picture.dot, re.MULTILINE)
    return set(found)


def lecture_neuron() -> Value:
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2, b = Value(-3.0, "w1"), Value(1.0, "w2"), Value(6.8813735870195432, "b")
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.label = "o"
    return o


def network_loss() -> Value:
    model = ag.MLP(2, [16, 16, 1], seed=1)
    loss: Value = ag.hinge(model([Value(0.5, "x0"), Value(-1.0, "x1")]), 1)
    loss.backward()
    return loss


# --- nodes and edges ------------------------------------------------------------------------------


def test_a_node_per_value_shows_name_data_and_grad_in_this_order() -> None:
    o = lecture_neuron()
    o.backward()
    picture = ag.draw(o)
    order = topological_order(o)
    shown = nodes(picture)
    assert list(shown) == [f"node{i}" for i in range(len(order))]
    for node, text in zip(order, shown.values(), strict=True):
        assert list(text)[:3] == ["name", "data", "grad"]
        assert text["name"].startswith(node.label)
        assert text["data"] == short_number(node.data)
        assert text["grad"] == short_number(node.grad)
    assert shown["node9"] == {
        "name": "otanh", "data": "0.7071", "grad": "1", "caption": "data"
    }  # fmt: skip


def test_grad_is_a_dash_before_any_pass_and_a_drawing_stays_as_it_was() -> None:
    o = lecture_neuron()
    before = ag.draw(o)
    o.backward()
    assert {text["grad"] for text in nodes(before).values()} == {"–"}
    assert "–" not in {text["grad"] for text in nodes(ag.draw(o)).values()}


def test_an_edge_per_operand_is_labeled_with_the_local_derivative() -> None:
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    assert edges(ag.draw(a * b + a)) == {
        "edge2_0": "-3", "edge2_1": "2", "edge3_0": "1", "edge3_1": "1"
    }  # fmt: skip


def test_a_square_has_two_edges() -> None:
    x = Value(3.0, "x")
    assert edges(ag.draw(x * x)) == {"edge1_0": "3", "edge1_1": "3"}


def test_a_leaf_alone_is_the_output() -> None:
    picture = ag.draw(Value(1.0, "a"))
    assert groups(picture.svg, "output").keys() == {"node0"}
    assert edges(picture) == {}


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        (lambda x: x * 3.0, "· 3"),
        (lambda x: 3.0 * x, "3 ·"),
        (lambda x: 10.0 / x, "10 /"),
        (lambda x: x - 1.0, "- 1"),
        (lambda x: x**2, "** 2"),
        (lambda x: 2.0**x, "2 **"),
        (lambda x: -x, "−"),
        (lambda x: x + x, "+"),
        (lambda x: x.tanh(), "tanh"),
        (lambda x: ag.maximum(x, 0.0), "max(_, 0)"),
        (lambda x: ag.sum([x, 1.0, x, 2.5]), "Σ + 1 + 2.5"),
        (lambda x: ag.dot([x, x], [1.0, 2.0]), "dot"),
        (lambda x: x < 2.0, "< 2"),
    ],
)
def test_plain_numbers_and_conditions_stand_in_the_operation(
    expression: Callable[[Value], Value], name: str
) -> None:
    shown = nodes(ag.draw(expression(Value(0.5, "x"))))
    assert shown["node1"]["name"] == name


def test_leaves_parameters_operations_and_the_output_are_told_apart() -> None:
    neuron = ag.Neuron(1, "tanh", seed=0)
    picture = ag.draw(neuron([Value(1.0, "x")]), model=neuron)
    kinds = {texts(g)["name"]: g.get("class") for g in groups(picture.svg, "node").values()}
    assert kinds == {
        "weight0": "node parameter",
        "x": "node leaf",
        "dot": "node operation",
        "bias": "node parameter",
        "+": "node operation",
        "tanh": "node operation output",
    }
    for look in ("filled]", "filled,bold", "filled,rounded", "peripheries=2"):
        assert look in re.sub('[" ]+(?=])|"', "", picture.dot), "in DOT, too"


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(programs())
def test_any_graph_is_drawn_whole(program: Program) -> None:
    output = program(*(Value(x) for x in (0.5, -1.0, 2.0)))
    if not isinstance(output, Value):
        return
    output.backward()
    order = topological_order(output)
    picture = ag.draw(output)
    assert nodes(picture).keys() == {f"node{i}" for i in range(len(order))}
    assert edges(picture) == {
        f"edge{i}_{k}": "" if partial is None else short_number(partial)
        for i, node in enumerate(order)
        for k, (arg, partial) in enumerate(zip(node.args, node.partials, strict=True))
        if isinstance(arg, Value)
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (1.0, "1"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.3000"),
        (0.99999, "1.000"),
        (-0.0, "0"),
        (138.8338, "138.8"),
        (1234.5, "1234"),
        (24.7041, "24.70"),
        (1e-300, "1e-300"),
        (5e-324, "4.941e-324"),
        (-1234567.0, "-1.235e+06"),
        (1e16, "1e+16"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
    ],
)
def test_numbers_have_four_digits_and_show_whether_they_are_rounded(
    number: float | None, text: str
) -> None:
    assert short_number(number) == text


# --- labels ---------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "</text></svg>",
    "a & b &lt; &amp;lt; &#60;",
    "\"double\" and 'single'",
    "{braces|pipe}",
    r"\N \G \E \l \r \\ \ ",
    "ends with a backslash\\",
    "<b>",
    "<",
    "]]><!-- -->",
    "数据 données Ω∂ł",
    "مرحبا",
    "👩\u200d🚀",
    "10\xa0m",
    "%s {0} $x",
    "node",
    "-> a; b",
    "two  spaces",
    ".dotted",
]


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_comes_out_as_itself(label: str) -> None:
    picture = ag.draw(Value(1.0, label).exp())
    assert nodes(picture)["node0"]["name"] == label
    assert not list(ElementTree.fromstring(picture.svg).iter(f"{SVG}script"))


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_comes_out_of_the_dot_text_as_itself(label: str) -> None:
    drawn = drawing.rendered(ag.draw(Value(1.0, label).exp()).dot, "svg").decode()
    lines = [text.text for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    shown = [line.replace("\xa0", " ").strip() for line in lines if line]
    assert label.replace("\xa0", " ").strip() in shown


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("a\nb", r"a\nb"),
        ("\x00\x1b\t", r"\x00\x1b\t"),
        ("\x7f\x85\u2028", r"\x7f\x85\u2028"),
        ("\ud800 half", r"\ud800 half"),
        ("\ufffe\uffff", r"\ufffe\uffff"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
    ],
)
def test_characters_that_cannot_be_shown_are_escaped(label: str, text: str) -> None:
    assert visible(label) == text
    assert nodes(ag.draw(Value(1.0, label)))["node0"]["name"] == text


@pytest.mark.parametrize(
    "label",
    [
        "1\N{NARROW NO-BREAK SPACE}000 km",
        "\u8ddd\u96e2\N{IDEOGRAPHIC SPACE}m",
        "hyphen\N{SOFT HYPHEN}ated",
        "\u05d0\N{RIGHT-TO-LEFT MARK}",
        "\N{WAVING BLACK FLAG}\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
    ids=ascii,
)
def test_blanks_and_what_joins_or_varies_characters_are_shown_as_they_are(label: str) -> None:
    assert nodes(ag.draw(Value(1.0, label)))["node0"]["name"] == visible(label) == label


def test_a_long_label_is_shortened_and_whole_in_the_tooltip() -> None:
    label = "long " * 2_000
    (group,) = groups(ag.draw(Value(1.0, label)).svg, "node").values()
    name = texts(group)["name"]
    assert name.endswith("…")
    assert label.startswith(name[:-1])
    assert len(name) <= LONGEST_TEXT
    assert label.strip() in title(group)


def test_a_label_of_several_lines_is_one_line() -> None:
    (group,) = groups(ag.draw(Value(1.0, "two\nlines")).svg, "node").values()
    assert title(group).startswith(r"two\nlines" "\n")


def test_before_any_pass_an_edge_contributes_nothing_yet() -> None:
    (group,) = groups(ag.draw(Value(2.0).exp()).svg, "edge").values()
    assert title(group).endswith("contributes –")


def test_a_node_without_a_label_has_an_empty_name() -> None:
    assert nodes(ag.draw(Value(1.0)))["node0"]["name"] == ""


# --- the texts ------------------------------------------------------------------------------------

PROGRAM = """
import autograd as ag
model = ag.MLP(2, [3, 1], seed=1)
loss = ag.hinge(model([0.5, -1.0]), 1)
loss.backward()
for options in ({}, {"expand": True}, {"collapse": "neurons"}, {"only": ["layer0", loss]}):
    print(ag.draw(loss, **options).dot)
"""


@pytest.mark.slow
def test_the_dot_text_depends_on_the_program_alone() -> None:
    def run(seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PROGRAM]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout

    first = run("1")
    assert first.count("digraph") == 4
    assert first == run("2")
    assert not re.search(r"0x[0-9a-f]{6}|\d{9,}", re.sub(r"\d\.\d+", "", first))


def test_a_prefix_keeps_two_pictures_on_a_page_apart() -> None:
    o = lecture_neuron()
    ids = re.compile(r'\bid="([^"]*)"')
    one, other = (set(ids.findall(ag.draw(o, prefix=p).svg)) for p in ("a-", "b-"))
    assert one == {f"a-{name}" for name in ids.findall(ag.draw(o).svg)}
    assert not one & other


@pytest.mark.parametrize(("rankdir", "axis"), [("LR", 0), ("TB", 1)])
def test_operands_stand_before_what_is_made_of_them(
    rankdir: Literal["LR", "TB"], axis: int
) -> None:
    svg = ag.draw(Value(1.0, "a").exp(), rankdir=rankdir).svg
    places = [
        float(group.find(f"{SVG}rect").get("xy"[axis])) for group in groups(svg, "node").values()
    ]
    assert places[0] < places[1]


def test_the_drawing_prints_what_to_do_with_it() -> None:
    assert repr(ag.draw(Value(1.0).exp())) == (
        "Drawing(nodes=2, edges=1): write it with .save('graph.svg'), "
        "or take its text, .svg or .dot"
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"value": 3.0}, TypeError, "expected a Value, got 3.0 of type float"),
        ({"rankdir": "up"}, ValueError, '"LR" or "TB", got \'up\''),
        ({"collapse": "all"}, ValueError, '"neurons", "layers" or None, got \'all\''),
        ({"prefix": '"><script>'}, ValueError, "a prefix is made of letters"),
        ({"only": 3}, TypeError, "only= takes Values and labels, got 3"),
        ({"only": "nowhere"}, ValueError, "only='nowhere' is no node, label"),
        ({"only": Value(1.0)}, ValueError, "is no node, label"),
        ({"only": [3]}, TypeError, "takes Values and labels, got 3"),
        ({"only": []}, ValueError, "selects nothing"),
    ],
)
def test_wrong_arguments_are_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        ag.draw(**{"value": Value(1.0, "a").exp(), **arguments})


# --- size -----------------------------------------------------------------------------------------


def chain(n_nodes: int) -> Value:
    value = Value(1.0)
    for _ in range(n_nodes - 1):
        value = value + 1.0
    return value


def test_a_graph_beyond_the_limit_is_refused_with_the_ways_out() -> None:
    assert len(nodes(ag.draw(chain(300)))) == 300
    with pytest.raises(ValueError, match=r"301 nodes .* limit of 300.*only=.*limit=.*\.dot"):
        ag.draw(chain(301))
    assert ag.draw(chain(301), limit=301).dot.count(" -> ") == 300


@pytest.mark.slow
def test_a_large_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="100,000 nodes"):
        ag.draw(chain(100_000))


def test_too_many_edges_and_too_many_parts_are_refused() -> None:
    xs = [Value(1.0)] * 10_000
    with pytest.raises(ValueError, match="10,000 edges"):
        ag.draw(ag.sum(xs))
    with pytest.raises(ValueError, match="nodes are more"):
        ag.draw(ag.sum(xs), expand=True)


# --- gradients as colours -------------------------------------------------------------------------


def paint(group: ElementTree.Element, attribute: str) -> str:
    shape = next(g for g in group if g.get(attribute) not in (None, "none"))
    return shape.get(attribute, "")


def test_colours_tell_the_sign_and_the_size_of_gradients() -> None:
    factors = {"large": 10.0, "small": 0.1, "zero": 0.0, "negative": -10.0}
    output = ag.sum([Value(1.0, label) * factor for label, factor in factors.items()])
    output.backward()
    svg = ag.draw(output).svg
    fills = {texts(g)["name"]: paint(g, "fill") for g in groups(svg, "node").values()}
    reds_less_blues = [
        red - blue for red, _, blue in (bytes.fromhex(fills[x][1:]) for x in factors)
    ]
    assert reds_less_blues == sorted(reds_less_blues)
    assert reds_less_blues[2] == 0
    drawn = groups(svg, "edge")
    widths = [float(paint(drawn[f"edge{i}_0"], "stroke-width")) for i in (1, 3, 5)]
    assert widths == sorted(widths, reverse=True)


def test_what_is_not_finite_stands_out() -> None:
    x = Value(0.0, "x")
    output = x.log().exp()
    output.backward()
    fills = {
        texts(g)["name"]: paint(g, "fill") for g in groups(ag.draw(output).svg, "node").values()
    }
    assert fills["log"] == fills["x"] == dot.NOT_FINITE != fills["exp"]


# --- dot and sum written out ----------------------------------------------------------------------


def test_dot_is_written_out_as_products_and_additions() -> None:
    w = [Value(x, f"w{x:g}") for x in (1.0, 2.0, 3.0)]
    v = [Value(x, f"v{x:g}") for x in (4.0, 5.0, 6.0)]
    output = ag.dot(w, v)
    output.backward()
    picture = ag.draw(output, expand=True)
    shown = {name: (text["name"], text["data"]) for name, text in nodes(picture).items()}
    assert list(shown.items())[6:] == [
        ("node6_0", ("×", "4")),
        ("node6_1", ("×", "10")),
        ("node6_2", ("×", "18")),
        ("node6_3", ("+", "14")),
        ("node6", ("+", "32")),
    ]
    assert {text["grad"] for name, text in nodes(picture).items() if "node6" in name} == {"1"}
    labels = edges(picture)
    for k, partial in enumerate(output.partials):
        assert labels[f"edge6_{k}"] == short_number(partial)
    assert {("node0", "node6_0"), ("node3", "node6_0"), ("node6_3", "node6")} <= ends(picture)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        (lambda x: ag.dot([x], [3.0]), ["· 3"]),
        (lambda x: ag.dot([2.0, x], [x, 3.0]), ["2 ·", "· 3", "+"]),
        (lambda x: ag.dot([2.0, x], [5.0, 3.0]), ["· 3", "10 +"]),
        (lambda x: ag.dot([x, 2.0], [x, 5.0]), ["×", "+ 10"]),
        (lambda x: ag.sum([x, x, x]), ["+", "+"]),
        (lambda x: ag.sum([1.0, 2.0, x]), ["3 +"]),
        (lambda x: ag.sum([x, 1.0]), ["+ 1"]),
        (lambda x: ag.sum([x]), ["Σ"]),
    ],
)
def test_numbers_among_the_terms_need_no_nodes(
    expression: Callable[[Value], Value], names: list[str]
) -> None:
    output = expression(Value(7.0, "x"))
    shown = nodes(ag.draw(output, expand=True))
    assert [text["name"] for text in shown.values()][1:] == names
    assert list(shown)[-1] == "node1"
    assert shown["node1"]["data"] == short_number(output.data)


# --- neurons and layers ---------------------------------------------------------------------------


def test_a_network_folds_to_its_neurons_with_the_weights_between_them() -> None:
    picture = ag.draw(network_loss(), collapse="neurons")
    folded = groups(picture.svg, "folded")
    assert len(folded) == 33
    assert len(nodes(picture)) == 33 + 2 + 3, "two inputs, and the loss: 1·y, 1 - y, relu"
    assert len(edges(picture)) == 2 * 16 + 16 * 16 + 16 + 3
    assert {texts(g)["name"] for g in groups(picture.svg, "frame").values()} == {
        "layer0", "layer1", "layer2"
    }  # fmt: skip
    assert "data" in texts(folded["layer1-neuron7"])


def test_an_edge_between_neurons_is_the_weight() -> None:
    model = ag.MLP(2, [2, 1], seed=1)
    output = model([Value(0.5, "x0"), Value(-1.0, "x1")])
    picture = ag.draw(output, collapse="neurons")
    (last,) = model.layers[1].neurons
    weights = {short_number(weight.data) for weight in last.weights}
    assert weights <= set(edges(picture).values())
    assert ("layer0-neuron0", "layer1-neuron0") in ends(picture)


@pytest.mark.parametrize(("widths", "labeled"), [([4, 1], True), ([4, 4, 1], False)])
def test_more_edges_between_neurons_than_a_dozen_are_bare_lines(
    widths: list[int], labeled: bool
) -> None:
    svg = ag.draw(ag.MLP(2, widths, seed=0)([0.5, -1.0]), collapse="neurons").svg
    for group in groups(svg, "edge").values():
        assert bool(group.findall(f"{SVG}text")) == labeled
        assert bool(group.findall(f"{SVG}polygon")) == labeled  # the tip


def test_neurons_stand_in_their_order() -> None:
    folded = groups(ag.draw(network_loss(), collapse="neurons").svg, "folded")
    for layer in (0, 1):
        tops = [
            float(folded[f"layer{layer}-neuron{i}"].find(f"{SVG}rect").get("y")) for i in range(16)
        ]
        assert tops == sorted(tops)


def test_a_network_folds_to_its_layers() -> None:
    picture = ag.draw(network_loss(), collapse="layers")
    shown = nodes(picture)
    assert shown["layer1"]["parameters"] == "272"
    assert shown["layer1"]["outputs"] == "16"
    assert shown["layer2"]["grad"] == "-1", "one output, so its numbers"
    assert "256 operands" in edges(picture).values()


@pytest.mark.parametrize(
    "loss",
    [
        lambda y: ag.hinge(y, -1),
        lambda y: ag.mean_squared_error(y, 0.3),
        lambda y: ag.binary_cross_entropy(y, 0.3),
        lambda y: ag.sum([y, y * y]),
    ],
)
def test_a_loss_is_no_part_of_the_neuron_it_starts_from(loss: Callable[[Value], Value]) -> None:
    model = ag.MLP(2, [2, 1], output="tanh", seed=1)
    y = model([0.5, -1.0])
    n_network = len(topological_order(y))
    output = loss(y)
    shown = nodes(ag.draw(output, collapse="neurons"))
    assert len(shown) == 2 + 3 + len(topological_order(output)) - n_network, "two inputs, too"


def test_several_examples_and_weight_decay_fold_too() -> None:
    model = ag.MLP(2, [3, 1], activation="tanh", seed=1)
    losses = [ag.mean_squared_error(model([float(i), 1.0]), 1.0) for i in range(3)]
    loss = ag.mean(losses) + ag.sum([w * w for w in model.parameters()])
    shown = nodes(ag.draw(loss, collapse="neurons"))
    assert shown["layer0-neuron1"]["outputs"] == "6", "three activations, and three parameters"
    assert len(shown) == 2 + 4 + 3 * 2 + 2 + 13 + 2


def test_a_neuron_written_by_hand_folds_too() -> None:
    w0, w1 = Value(1.0, "neuron0.weight0"), Value(2.0, "neuron0.weight1")
    b = Value(0.5, "neuron0.bias")
    output = (w0 * 3.0 + w1 * 4.0 + b).relu() * 2.0
    assert nodes(ag.draw(output, collapse="neurons")).keys() == {"neuron0", "node8"}


def test_the_nodes_of_a_neuron_stand_in_its_frame_with_short_names() -> None:
    model = ag.MLP(1, [2, 1], seed=1)
    svg = ag.draw(model([Value(1.0, "x")])).svg
    frames = {texts(g)["name"] for g in groups(svg, "frame").values()}
    assert frames == {"layer0.neuron0", "layer0.neuron1", "layer1.neuron0"}
    named = [g for g in groups(svg, "node").values() if title(g).startswith("layer0.neuron1.bias")]
    assert [texts(g)["name"] for g in named] == ["bias"]


# --- a part of a graph ----------------------------------------------------------------------------


def test_only_some_nodes_with_the_cut_shown() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    product = a * b
    product.label = "product"
    output = (product + a).exp() * product
    picture = ag.draw(output, only=["product", b])
    assert {name: text["name"] for name, text in nodes(picture).items()} == {
        "node1": "b",
        "node2": "product×",
        "before-node2": "…",
        "after-node2": "…",
    }
    labels = edges(picture)
    assert labels["edge2_0"] == "3"
    assert labels["edge2_1"] == "2"
    assert "2 operands" in labels.values(), "product is used twice outside"


class TwoLayers(ag.Module):
    """Two layers whose neurons have the same labels, and a leaf called after a parameter."""

    def __init__(self) -> None:
        self.first, self.second = ag.Layer(1, 2, seed=1), ag.Layer(2, 1, seed=2)

    def parameters(self) -> list[Value]:
        return [*self.first.parameters(), *self.second.parameters()]

    def named_parameters(self) -> list[tuple[str, Value]]:
        parts = {"first": self.first, "second": self.second}
        return [(f"{name}.{p.label}", p) for name, part in parts.items() for p in part.parameters()]

    def __call__(self, x: Value) -> Value:
        output: Value = self.second(self.first([x]))
        return output


def test_groups_come_from_the_model() -> None:
    model = TwoLayers()
    bias = Value(0.5, "bias")
    output = model(Value(1.0, "x")) + bias
    picture = ag.draw(output, model=model, collapse="neurons")
    assert nodes(picture).keys() >= {"first-neuron0", "first-neuron1", "second-neuron0"}
    kinds = {texts(g)["name"]: g.get("class") for g in groups(picture.svg, "node").values()}
    assert kinds["bias"] == "node leaf"
    layers = nodes(ag.draw(output, model=model, collapse="layers"))
    assert layers.keys() >= {"first", "second"}
    frames = groups(ag.draw(output, model=model).svg, "frame")
    assert {texts(g)["name"] for g in frames.values()} >= {"first.neuron0", "second.neuron0"}


def test_names_of_a_model_s_parts_stay_text() -> None:
    neuron = ag.Neuron(1, seed=1)

    class Hostile(ag.Module):
        def named_parameters(self) -> list[tuple[str, Value]]:
            part = '"><script>pwned=1</script>&lt;\\N'
            return [(f"{part}.neuron0.{p.label}", p) for p in neuron.parameters()]

    for collapse in (None, "neurons", "layers"):
        svg = ag.draw(neuron([Value(1.0, "x")]), model=Hostile(), collapse=collapse).svg
        assert not list(ElementTree.fromstring(svg).iter(f"{SVG}script"))
        assert "pwned=1" in "".join(ElementTree.fromstring(svg).itertext())


def test_a_node_whose_operand_has_changed_is_marked_and_keeps_what_was_recorded() -> None:
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    output = a * b + a
    a.data = 2.02
    picture = ag.draw(output)
    outdated = groups(picture.svg, "outdated")
    assert outdated.keys() == {"node2", "node3"}
    assert texts(outdated["node2"])["data"] == "-6"
    assert texts(outdated["node2"])["caption"] == "recorded"
    assert title(outdated["node2"]).endswith("an operand has changed since this was recorded")
    assert nodes(picture)["node0"]["data"] == "2.02"
    assert edges(picture)["edge2_1"] == "2"
    assert "recorded  -6" in picture.dot


def test_a_comparison_is_a_node_whose_edges_carry_no_derivative() -> None:
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    picture = ag.draw(ag.where(a > b, a, 0.0))
    assert nodes(picture)["node2"] == nodes(picture)["node2"] | {"name": ">", "data": "1"}
    drawn = groups(picture.svg, "edge")
    dashed = {name for name, g in drawn.items() if g[1].get("stroke-dasharray")}
    assert dashed == {"edge2_0", "edge2_1", "edge3_0"}
    assert edges(picture) == {"edge2_0": "", "edge2_1": "", "edge3_0": "", "edge3_1": "1"}
    assert picture.dot.count("style=dashed") == 3


def test_only_a_layer_or_a_neuron_by_name() -> None:
    loss = network_loss()
    neuron = nodes(ag.draw(loss, only="layer1.neuron3"))
    assert len([name for name in neuron if name.startswith("node")]) == 16 + 1 + 3
    folded = nodes(ag.draw(loss, only="layer1", collapse="neurons"))
    assert len([name for name in folded if name.startswith("layer1")]) == 16
    assert not [name for name in folded if name.startswith("layer0")]


def test_only_a_single_node_of_a_large_graph() -> None:
    output = chain(5_000)
    assert nodes(ag.draw(output, only=output)).keys() == {"node4999", "before-node4999"}


# --- rendering ------------------------------------------------------------------------------------


def executable(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_without_a_program_there_is_still_the_dot_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "layout_programs", lambda: iter(()))
    picture = ag.draw(Value(1.0, "a").exp())
    assert picture.dot.startswith("digraph")
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        _ = picture.svg
    bundle = picture._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert "pip install graphviz-pure" in bundle["text/plain"]


def test_the_wheel_s_program_is_found_off_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    try:
        metadata.distribution("graphviz-pure")
    except metadata.PackageNotFoundError:
        pytest.skip("graphviz-pure is not installed, or has no wheel for this platform")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ag.draw(Value(1.0, "a")).svg.startswith("<svg")


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for `dot` is a shell script")
def test_dot_on_the_path_comes_first_and_a_broken_one_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    *_, program = drawing.layout_programs()
    monkeypatch.setenv("PATH", str(tmp_path))
    executable(tmp_path / "dot", f'echo used > "{tmp_path}/log"; exec "{program}" "$@"')
    assert ag.draw(Value(1.0, "a")).svg.startswith("<svg")
    assert (tmp_path / "log").exists()
    executable(tmp_path / "dot", "echo broken >&2; exit 1")
    assert ag.draw(Value(1.0, "a")).svg.startswith("<svg")
    monkeypatch.setattr(drawing, "layout_programs", lambda: iter([str(tmp_path / "dot")]))
    with pytest.raises(RuntimeError, match="failed: broken"):
        _ = ag.draw(Value(1.0, "a")).svg


def test_a_notebook_gets_html_with_alternative_text_and_a_png_beside_it() -> None:
    image_module = pytest.importorskip("PIL.Image")
    picture = ag.draw(lecture_neuron())
    bundle = picture._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"text/html", "text/plain", "image/png"}
    image = ElementTree.fromstring(bundle["text/html"].replace(">", "/>"))
    assert image.tag == "img"
    assert image.get("alt") == "Graph of 10 nodes, from 5 leaves, up to o: data 0.7071, grad –"
    kind, _, data = image.get("src", "").partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == picture.svg
    with image_module.open(io.BytesIO(base64.b64decode(bundle["image/png"]))) as png:
        assert 800 < png.width < 1060
        dark = sum(png.convert("L").histogram()[:80])
    assert dark > 1000, "there is text in it"


def test_a_wide_picture_is_reduced_for_a_notebook() -> None:
    image_module = pytest.importorskip("PIL.Image")
    x = Value(0.5, "x")
    for _ in range(12):
        x = x.tanh()
    bundle = ag.draw(x)._repr_mimebundle_()
    with image_module.open(io.BytesIO(base64.b64decode(bundle["image/png"]))) as png:
        assert 1040 < png.width < 1060


def test_where_only_the_layout_is_replaced_a_notebook_gets_the_html_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = drawing.layout(ag.draw(lecture_neuron()).dot)
    monkeypatch.setattr(drawing, "layout", lambda dot: found)
    monkeypatch.setattr(drawing, "layout_programs", lambda: iter(()))
    bundle = ag.draw(lecture_neuron())._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}


MARIMO = """
import marimo

app = marimo.App()

@app.cell
def graph():
    import autograd as ag
    a = ag.Value(2.0, "a")
    return a, ag

@app.cell
def picture(a, ag):
    ag.draw(a * a)

@app.cell
def page(a, ag):
    ag.play(a * a)

@app.cell
def formulas(a, ag):
    ag.explain(a * a)
"""


@pytest.mark.slow
def test_marimo_shows_pictures_pages_and_formulas(tmp_path: Path) -> None:
    pytest.importorskip("marimo")
    notebook, page = tmp_path / "notebook.py", tmp_path / "notebook.html"
    notebook.write_text(MARIMO)
    command = [sys.executable, "-m", "marimo", "export", "html", str(notebook), "-o", str(page)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run(command, env=environment, capture_output=True, check=True)
    html = page.read_text(encoding="utf-8")
    cells, _ = json.JSONDecoder().raw_decode(html.partition('"session":')[2].lstrip())
    _, picture, player, formulas = (
        output["data"] for cell in cells["cells"] for output in cell["outputs"]
    )
    shown = picture["application/vnd.marimo+mimebundle"]
    assert shown["text/html"].startswith('<img alt="Graph of 2 nodes, up to ×: data 4, grad')
    assert shown["image/png"].startswith("data:image/png;base64,")
    assert player["text/html"].startswith('<iframe title="Backpropagation through ')
    assert r"\begin{aligned}" in formulas["text/html"]


def test_no_label_leaves_the_alternative_text() -> None:
    label = '"><script>pwned=1</script>'
    image = ag.draw(Value(1.0, label)).image
    assert image.count("<") == 1
    assert image.count(">") == 1


def test_one_hook_finds_every_place(monkeypatch: pytest.MonkeyPatch) -> None:
    output = lecture_neuron()
    usual = ag.draw(output).svg
    found = drawing.layout
    asked: list[str] = []

    def elsewhere(dot: str) -> dict[str, Any]:
        asked.append(dot)
        monkeypatch.undo()
        return found(dot)

    monkeypatch.setattr(drawing, "layout_programs", lambda: iter(()))
    monkeypatch.setattr(drawing, "layout", elsewhere)
    assert ag.draw(output).svg == usual
    assert asked == [ag.draw(output).dot]


@pytest.mark.parametrize(
    ("ending", "start"),
    [
        (".svg", b"<svg "),
        (".SVG", b"<svg "),
        (".png", b"\x89PNG"),
        (".dot", b"digraph"),
        (".gv", b"d"),
    ],
)
def test_save_writes_by_the_ending(tmp_path: Path, ending: str, start: bytes) -> None:
    path = tmp_path / f"graph{ending}"
    assert ag.draw(Value(1.0, "ä")).save(str(path)) == path
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_save_refuses_another_ending(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.dot or \.gv, got '\.pdf'"):
        ag.draw(Value(1.0)).save(tmp_path / "graph.pdf")


def test_an_interrupted_save_leaves_what_was_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "graph.svg"
    path.write_text("earlier")

    def interrupted(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    picture = ag.draw(Value(1.0))
    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        picture.save(path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def is_input(group: Any) -> bool:
    return group.get("class") == "node input"


def test_a_folded_network_shows_the_plain_numbers_that_it_takes() -> None:
    model = ag.MLP(2, [3, 1], seed=1)
    drawing = ag.draw(model([0.5, -1.0]), collapse="neurons")
    drawn = groups(drawing.svg, "node")
    inputs = {texts(g)["name"]: texts(g)["data"] for g in drawn.values() if is_input(g)}
    assert inputs == {"x0": "0.5", "x1": "-1"}
    labels = [texts(g)["partial"] for g in groups(drawing.svg, "edge").values()]
    for neuron in model.layers[0].neurons:
        for weight in neuron.weights:
            assert short_number(weight.data) in labels
    several = ag.sum([model([0.5, -1.0]), model([0.5, 2.0])])
    drawn = groups(ag.draw(several, collapse="layers").svg, "node")
    rows = [texts(g) for g in drawn.values() if is_input(g)]
    assert [(row["name"], row.get("data"), row.get("numbers")) for row in rows] == [
        ("x0", "0.5", None),
        ("x1", None, "2"),
    ]
