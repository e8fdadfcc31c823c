"""The player: what its HTML holds, and what it computes, says and shows in a browser."""

from __future__ import annotations

import base64
import itertools
import json
import math
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import autograd as ag
from autograd import Value
from autograd.__main__ import main
from autograd.value import adjoints, topological_order
from autograd.viz import drawing, play
from autograd.viz.formula import parse
from autograd.viz.graphview import passed_over, picture
from autograd.viz.html import scripts
from autograd.viz.notation import short_number
from autograd.viz.player import player as player_module
from tests import pages
from tests.pages import named


def example() -> Value:
    """A graph with a fan-out, a product of a node with itself, and nodes without a label."""
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    c = named(a * b + a, "c")
    return named(c * c * 0.1 + b.tanh(), "L")


HOSTILE = [
    "</script><script>pwned=1</script>",
    '"><img src=x onerror="pwned=1">',
    "<!--<script>",
    "<svg/onload=pwned=1>",
    "'); pwned=1; //",
    "${pwned=1}",
    "]]><b>&lt;&amp;",
    "\u2028\u2029\x00\ud800",
]


def hostile() -> Value:
    leaves = [Value(float(i + 1), label) for i, label in enumerate(HOSTILE)]
    return named(ag.sum([leaf * leaf for leaf in leaves]), HOSTILE[0])


def json_part(html: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    told: dict[str, Any] = json.loads(text)
    return told


def svg_part(html: str) -> ElementTree.Element:
    (text,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', html)
    return ElementTree.fromstring(base64.b64decode(text))


# --- the piece of HTML ----------------------------------------------------------------------------


def test_playing_changes_nothing_and_is_deterministic() -> None:
    value = example()
    first = play(value).html
    assert all(node.grad is None for node in topological_order(value))
    assert play(value).html == first
    value.backward()
    before = [node.grad for node in topological_order(value)]
    assert play(value).html == first  # one pass, whatever earlier passes left behind
    assert [node.grad for node in topological_order(value)] == before


def test_the_picture_that_shows_without_scripts_is_the_final_one() -> None:
    value = example()
    svg = svg_part(play(value).html)
    gradients = adjoints(value)
    for i, node in enumerate(topological_order(value)):
        part = svg.find(f".//*[@id='node{i}']")
        assert part is not None
        texts = {text.get("class"): text.text for text in part.iter() if text.get("class")}
        assert texts["data"] == short_number(node.data)
        assert texts["grad"] == short_number(gradients[node])


def test_a_page_knows_every_operand_in_the_order_of_the_backward_pass() -> None:
    value = example()
    told = json_part(play(value).html)
    order = topological_order(value)
    steps = list(ag.backward_steps(value))
    assert [(order[e["to"]], order[e["from"]]) for e in told["edges"]] == [
        (step.node, step.arg) for step in steps
    ]
    assert [e["partial"] for e in told["edges"]] == [step.partial for step in steps]
    assert sorted(e for link in told["links"] for e in link["edges"]) == list(range(len(steps)))


def test_local_derivatives_are_told_by_their_rule() -> None:
    x, y = Value(3.0, "x"), Value(2.0, "y")
    told = json_part(play(named(x * y, "L")).html)
    assert [link["local"] for link in told["links"]] == ["∂L/∂x", "∂L/∂y"]
    assert [link["rule"] for link in told["links"]] == [["", 1, ""], ["", 0, ""]]


def test_what_is_compared_is_shown_and_takes_no_part() -> None:
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    told = json_part(play(ag.where(a > b, a, b)).html)
    assert [link["edges"] for link in told["links"]].count([]) == 3
    assert len(told["edges"]) == 2


def test_every_sentence_has_the_places_that_the_page_fills() -> None:
    messages = scripts(player_module.HERE, ["messages.js"])
    script = scripts(player_module.HERE, set(player_module.SCRIPTS) - {"messages.js"})
    places = set(re.findall(r"\{(\w+)\}", messages))
    assert len(places) > 30
    for place in places:
        assert re.search(rf"\b{place}\b", script), place


def test_the_page_s_own_script_states_no_derivative() -> None:
    """It multiplies and adds what the printed program computed; functions it leaves to that."""
    script = scripts(player_module.HERE, player_module.SCRIPTS)
    functions = set(re.findall(r"\bMath\.(\w+)", script))
    layout, ids = {"abs", "max", "min", "ceil", "round", "sign", "log10"}, {"random"}
    assert functions <= layout | ids


def test_a_network_folds_with_its_numbers_inside() -> None:
    model = ag.MLP(2, [16, 16, 1], seed=1)
    loss = ag.hinge(model([Value(0.5, "x0"), Value(-1.0, "x1")]), 1.0)
    for collapse, n_cards in (("neurons", 33 + 5), ("layers", 3 + 5)):
        told = json_part(play(loss, model=model, collapse=collapse).html)
        assert len(told["cards"]) == n_cards
        assert len(told["moved"]) == len(model.parameters())
        assert {i for card in told["cards"] for i in card["values"]} == set(
            range(len(told["nodes"]))
        )
    with pytest.raises(ValueError, match=r"play: 440 nodes .*collapse='neurons'"):
        play(loss, model=model)


def test_a_dense_network_fits_a_page_of_1200_pixels() -> None:
    model = ag.MLP(2, [16, 16, 1], seed=1)
    loss = ag.hinge(model([Value(0.5, "x0"), Value(-1.0, "x1")]), 1.0)
    width, _ = json_part(play(loss, model=model, collapse="neurons").html)["layouts"]["wide"][
        "size"
    ]
    assert width * 0.8 < 1140, "text of 13 pixels is shown in 10 or more"


def test_no_label_reaches_the_page_as_markup() -> None:
    html = play(hostile()).html
    assert re.findall(r"<(/?\w+)", _without_code(html)) == [
        *("div", "style", "/style", "img", "p", "/p"),
        *("script", "/script", "script", "/script", "/div"),
    ]
    assert "<!--" not in html
    assert "\u2028" not in html
    html.encode()  # half a surrogate pair would not


def _without_code(html: str) -> str:
    """The page without what our own style sheet and script hold, which may have any character."""
    html = re.sub(r"<style>.*?</style>", "<style></style>", html, flags=re.DOTALL)
    return re.sub(r"<script>\n//.*?</script>", "<script></script>", html, flags=re.DOTALL)


def test_a_page_needs_nothing_from_elsewhere_and_has_its_landmarks(tmp_path: Path) -> None:
    page = play(example()).save(tmp_path / "backprop.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    links = re.findall(r"https?://[^\s\"']*", page)
    assert set(links) <= {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"<link|@import|url\(", page)
    assert page.count("<main ") == page.count("<h1>") == 1


@pytest.mark.parametrize("name", ["page.pdf", "page"])
def test_a_page_is_written_as_html_alone(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a page is HTML; name a file that ends in \.html"):
        play(example()).save(tmp_path / name)
    with pytest.raises(ValueError, match=r"a page is HTML.*, got ''"):
        play(example()).save("")
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_the_built_pages_are_current(tmp_path: Path) -> None:
    def without_places(path: Path) -> list[Any]:
        """The page but for where Graphviz, which differs from version to version, puts things."""
        page = path.read_text(encoding="utf-8")
        if '<script type="application/json">' not in page:
            return [page]
        told = json_part(page)
        told.pop("layouts", None)
        page = re.sub(r"base64,[^\"]*", "", page)
        return [told, re.sub(r"json\">.*?</script>", "", page, flags=re.DOTALL)]

    built = pages.build(tmp_path)
    assert sorted(path.name for path in built) == sorted(x.name for x in pages.FOLDER.iterdir())
    for path in built:
        old = without_places(pages.FOLDER / path.name)
        assert old == without_places(path), "python -m tests.pages"


def test_the_gallery_links_its_pages_and_they_work_beside_their_script(
    browser: Any, tmp_path: Path
) -> None:
    pages.build(tmp_path)
    context = browser.new_context(offline=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.goto((tmp_path / "index.html").as_uri())
    links = page.locator("li a").evaluate_all("links => links.map((link) => link.href)")
    assert len(links) == len(list(pages.entries())) == 6
    for name, (player, title, _) in pages.players().items():
        page.goto(next(link for link in links if link.endswith(name)))
        assert page.locator("h1").text_content() == title
        at_once(page)
        order = player.order
        for i, gradient in shown(page, "total").items():
            assert math.isclose(gradient, adjoints(order[-1])[order[i]], rel_tol=1e-12)
        page.get_by_role("link", name="All pages").click()
        assert page.locator("h1").text_content() == pages.TITLE
        assert (tmp_path / name).stat().st_size < 60_000
    context.close()
    assert errors == []


def test_a_page_appears_complete_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = play(example())
    path = player.save(tmp_path / "backprop.html")
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        player.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_jupyter_gets_html_and_a_terminal_gets_text() -> None:
    bundle = play(example())._repr_mimebundle_()
    assert bundle["text/html"].startswith('<div class="autograd-player"')
    assert bundle["text/plain"] == (
        "Player(nodes=8, edges=10): .save('backprop.html') writes a page"
    )


def test_without_graphviz_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "layout_programs", lambda: iter(()))
    player = play(example())
    assert "pip install graphviz-pure" in player._repr_mimebundle_()["text/plain"]
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        _ = player.html


def test_the_layout_comes_through_the_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    found = drawing.layout
    asked = []
    monkeypatch.setattr(drawing, "layout", lambda dot: asked.append(dot) or found(dot))
    _ = play(example()).html
    assert len(asked) == 3, "the picture, the wide page and the tall one"


def test_a_graph_too_large_to_draw_is_refused() -> None:
    y = Value(1.0)
    for _ in range(100_000):
        y = y + 1.0
    with pytest.raises(ValueError, match=r"100,001 nodes are more than the limit of 300"):
        play(y)


def recurrent(n_steps: int) -> Value:
    """A weight that every step uses, from the first column of the picture to the last."""
    w, h = Value(0.5, "w"), Value(1.0, "h")
    for _ in range(n_steps):
        h = (w * h + 0.1).tanh()
    return h


@pytest.mark.slow
def test_edges_that_pass_over_many_nodes_are_laid_out_with_less_search(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def passed(n_steps: int) -> int:
        return passed_over(picture("play", topological_order(recurrent(n_steps))).edges)

    # w stands before its first user; three columns further, each step, is the next.
    assert [passed(n) for n in (1, 2, 3, 10)] == [0, 3, 9, 3 * 45]
    asked: list[str] = []
    found = drawing.layout
    monkeypatch.setattr(drawing, "layout", lambda dot: asked.append(dot) or found(dot))
    for n_steps, is_in_a_hurry in ((10, False), (40, True)):
        asked.clear()
        _ = play(recurrent(n_steps)).html
        assert ["nslimit" in dot for dot in asked] == [is_in_a_hurry] * 3


def test_a_graph_that_no_layout_could_untangle_is_refused() -> None:
    draw = random.Random(1)
    values = [Value(float(i)) for i in range(14)]
    while len(values) < 299:
        values.append(ag.sum(draw.sample(values, 14)))
    with pytest.raises(ValueError, match=r"play: .* columns passed over by edges .*collapse="):
        play(ag.sum(values[-14:]))


@pytest.mark.parametrize("wrong", [3.0, None, "L"])
def test_anything_but_a_value_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="play: expected a Value, got"):
        play(wrong)


# --- in a browser ---------------------------------------------------------------------------------

Open = Callable[..., Any]


def shown(page: Any, kind: str) -> dict[int, float]:
    """What the cards hold as their values or totals, to the last bit, by the nodes' places."""
    found = page.locator(".card[data-node]").evaluate_all(
        "(cards, kind) => cards.map((card) => [Number(card.dataset.node), card.dataset[kind]])",
        kind,
    )
    return {i: float(x.replace("Infinity", "inf")) for i, x in found if x}


def press(page: Any, name: str) -> None:
    # Step can be pressed, and says so, while it is aria-disabled: Playwright would wait for it.
    page.get_by_role("button", name=name, exact=True).click(force=True)


def at_once(page: Any) -> None:
    page.get_by_label("all at once").check()
    press(page, "Backward")


def field(page: Any, name: str) -> Any:
    return page.get_by_role("spinbutton", name=name, exact=True)


def said(page: Any) -> str:
    text = page.locator(".talk").inner_text()
    assert "{" not in text
    assert "undefined" not in text
    assert "NaN" not in text
    return str(text)


def demo() -> Value:
    """L = (a·b + c)·a, in which L depends on a along two paths."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    d = named(named(a * b, "e") + c, "d")
    return named(d * a, "L")


def arithmetic() -> Value:
    x, y, z = Value(0.5, "x"), Value(-1.25, "y"), Value(3.0, "z")
    u = ag.maximum(x * y - z, x / (1.0 + y * y)) ** 2
    v = ag.where(x > y, u * x, z - u).relu() + abs(y)
    return named(ag.sum([u, v, ag.dot([x, y, z], [v, 2.0, u])]) + (z * z + 1.0).sqrt(), "L")


def transcendental() -> Value:
    x, y, z = Value(0.5, "x"), Value(1.25, "y"), Value(-0.75, "z")
    u = (x * y).tanh() + (-z).exp() * y.sin()
    v = (1.0 + u * u).log() + z.sigmoid() * x.softplus()
    return named(v * u.cos() - (2.0**z) * x.tan(), "L")


@pytest.mark.parametrize(
    ("make", "tolerance"), [(demo, 0.0), (arithmetic, 0.0), (transcendental, 1e-12)]
)
def test_edited_at_random_the_page_computes_what_python_does(
    open_page: Open, make: Callable[[], Value], tolerance: float
) -> None:
    page = open_page(play(make()))
    draw = random.Random(1)
    numbers = {node.label: node.data for node in topological_order(make()) if not node.op}
    page.get_by_label("all at once").check()
    for _ in range(12):
        label = draw.choice(list(numbers))
        numbers[label] = round(draw.uniform(-2.0, 2.0), draw.choice((0, 1, 17)))
        field(page, label).fill(repr(numbers[label]))
        value = recomputed(make(), numbers)
        order = topological_order(value)
        press(page, "Backward")
        assert shown(page, "value") == close({i: x.data for i, x in enumerate(order)}, tolerance)
        expected = adjoints(value)
        found = {i: expected[x] for i, x in enumerate(order) if x in expected}
        assert shown(page, "total") == close(found, tolerance)
        said(page)


def close(expected: dict[int, float], tolerance: float) -> Any:
    return pytest.approx(expected, rel=tolerance, abs=tolerance, nan_ok=True)


def recomputed(value: Value, numbers: dict[str, float]) -> Value:
    """The same graph at other numbers, recorded by Python."""
    at: dict[Any, Value] = {}
    for node in topological_order(value):
        if node.primitive is None:
            at[node] = Value(numbers[node.label], node.label)
        else:
            args = [at[x] if isinstance(x, Value) else x for x in node.args]
            at[node] = node.primitive(*args)
    return at[value]


def test_a_branch_not_taken_has_no_say_on_the_page_either(open_page: Open) -> None:
    x = Value(2.0, "x")
    value = named(ag.where(x > 0.0, x * 3.0, x.log() * x.sqrt()), "L")
    page = open_page(play(value))
    at_once(page)
    assert shown(page, "total")[0] == 3.0
    field(page, "x").fill("0")
    press(page, "Backward")
    order = topological_order(recomputed(value, {"x": 0.0}))
    assert shown(page, "total")[0] == pytest.approx(adjoints(order[-1])[order[0]], nan_ok=True)


def test_steps_are_those_of_the_stepper(open_page: Open) -> None:
    value = demo()
    page = open_page(play(value))
    leaves = {node.label: node for node in topological_order(value) if not node.op}
    optimizer = ag.GradientDescent(leaves.values(), learning_rate=0.01)
    page.get_by_label("all at once").check()
    for _ in range(12):
        optimizer.zero_grad()
        recorded = (leaves["a"] * leaves["b"] + leaves["c"]) * leaves["a"]
        recorded.backward()
        optimizer.step()
        press(page, "Backward")
        press(page, "Step")
    found = shown(page, "value")
    for i, node in enumerate(topological_order(value)):
        if not node.op:
            assert found[i] == pytest.approx(node.data, abs=1e-15)


def test_edge_by_edge_it_goes_as_the_steps_go(open_page: Open) -> None:
    value = demo()
    page = open_page(play(value))
    order = topological_order(value)
    press(page, "Backward")
    totals = {len(order) - 1: 1.0}
    assert shown(page, "total") == totals
    for step in ag.backward_steps(value):
        press(page, "Next edge")
        totals[order.index(step.arg)] = step.total
        assert shown(page, "total") == totals
        numbers = short_number(step.contribution).replace("-", "−")
        assert page.locator(".line").inner_text().endswith(f"= {numbers}")
    assert "That was the last edge" in said(page)
    assert (
        page.get_by_role("button", name="Step", exact=True).get_attribute("aria-disabled")
        == "false"
    )


def test_the_sentences_of_an_edge(open_page: Open) -> None:
    page = open_page(play(demo()))
    press(page, "Backward")
    for _ in range(5):
        press(page, "Next edge")
    assert page.locator(".line").inner_text() == "dL/da receives dL/de · ∂e/∂a = 2 · (−3) = −6"
    assert page.locator(".words").inner_text() == (
        "Per unit of a, e = a · b changes by b = −3, and per unit of e, L changes by 2. "
        "This path contributes −6. Added to the 4 from before: 4 − 6 = −2."
    )
    card = page.get_by_role("group", name="a, a leaf: value 2, dL/da −2")
    assert card.locator(".total").inner_text().split("\n") == ["dL/da = −2", "4 − 6"]


def test_step_waits_for_backward_and_compares_with_the_prediction(open_page: Open) -> None:
    page = open_page(play(demo()))
    press(page, "Step")
    assert "Press Backward first." in said(page)
    at_once(page)
    press(page, "Step")
    assert page.locator(".line").inner_text() == "a := a − 0.01 · dL/da = 2 − 0.01 · (−2) = 2.02"
    assert page.locator(".words").inner_text() == (
        "L went from 8 to 7.755. The derivatives predicted a change of −0.24; it was −0.2448. "
        "For a step this small, the prediction is close."
    )
    assert page.locator(".pill.old").count() == 6
    press(page, "Step")
    assert "belong to the values before the step" in said(page)
    press(page, "Start again")
    assert field(page, "a").input_value() == "2"
    page.get_by_role("slider", name="Learning rate").focus()
    page.keyboard.press("End")
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "10"
    told = set()
    for _ in range(12):  # diverges, until a step is refused
        press(page, "Backward")
        press(page, "Step")
        told.add(said(page).rpartition("; ")[2])
    assert any("The step was far too large" in text for text in told)
    leaves = [x for i, x in shown(page, "value").items() if i < 3]
    assert max(map(abs, leaves)) > 1e9
    assert all(map(math.isfinite, leaves))


def test_the_step_that_is_written_out_is_of_a_leaf_that_moves(open_page: Open) -> None:
    a, b, c = Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "c")
    page = open_page(play(named(ag.where(a > 0.0, b, c), "L")))
    at_once(page)
    press(page, "Step")
    assert page.locator(".line").inner_text() == "b := b − 0.01 · dL/db = 2 − 0.01 · 1 = 1.99"


def test_a_prediction_is_answered_by_the_kind_of_mistake(open_page: Open) -> None:
    page = open_page(play(demo()))
    page.get_by_label("I predict").check()
    press(page, "Backward")

    def reply(text: str) -> str:
        assert page.evaluate("document.activeElement.tagName") == "INPUT"
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        return str(page.locator(".feedback").inner_text())

    assert page.locator(".tag").all_inner_texts().count("∂e/∂a = ?") == 1
    assert reply("x") == "A number, please: 4, −0.5, 1/3 or 2·3."
    page.locator("form input").fill("")
    assert reply("2").startswith("Yes, 2")
    assert reply("4").startswith("Yes, 4")
    assert reply("2") == "Yes: 2 · 1 = 2."
    assert reply("2,0") == "Yes: 2 · 1 = 2."
    assert reply("-3").startswith("−3 is the local derivative, ∂e/∂a: the effect on e. For the")
    assert reply("−2").startswith("−2 is the sum of dL/da so far")
    assert reply("6").startswith("The magnitude is right")
    assert reply("-1").startswith("Along one path, derivatives are multiplied")
    assert reply("5").startswith("Not yet. The local derivative is b = −3")
    assert reply("-12/2") == "Yes: 2 · (−3) = −6. Together with the 4 from before, dL/da = −2."
    reply("2·2")
    assert "You found 5 of 6 at the first try." in said(page)
    assert page.evaluate("document.activeElement.textContent") == "Step"


def test_what_was_not_found_can_be_shown(open_page: Open) -> None:
    page = open_page(play(demo()))
    page.get_by_label("I predict").check()
    press(page, "Backward")
    for _ in range(6):
        press(page, "Show me")
    assert "You found 0 of 6 at the first try." in said(page)


def test_a_field_keeps_its_number_until_there_is_another(open_page: Open) -> None:
    page = open_page(play(demo()))
    a = field(page, "a")
    for text, words in {
        "": "a is empty.",
        "x": "“x” is not a number.",
        "1e999": "“1e999” is too large for a float64",
        "1/0": "“1/0” is not a number.",
        "1e308/0.01": "“1e308/0.01” is too large",
        "1,000,000": "“1,000,000” is not a number.",
        "x" * 1000: f"“{'x' * 39}…” is not a number.",
    }.items():
        a.fill(text)
        assert a.get_attribute("aria-invalid") == "true"
        assert words in said(page)
        assert shown(page, "value")[5] == 8.0
    a.blur()
    assert a.input_value() == "2"
    assert a.get_attribute("aria-invalid") == "false"
    a.focus()
    page.keyboard.press("ArrowUp")
    assert a.input_value() == "2.1"
    a.fill("−1,5")
    assert a.get_attribute("aria-valuenow") == "-1.5"
    for text, number in {"3/4": 0.75, "2·(−3)": -6.0, "1e-310": 1e-310}.items():
        a.fill(text)
        assert shown(page, "value")[0] == number
    at_once(page)
    box = page.locator(".card:has(input[aria-label='b']) .grip").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 45, box["y"] + 5)
    page.mouse.up()
    assert field(page, "b").input_value() == "−2"
    assert page.locator(".autograd-player").get_attribute("data-state") == "fresh"
    assert "are gone" in said(page)


def test_what_is_not_finite_is_told_in_words(open_page: Open) -> None:
    a, b = Value(2.0, "a"), Value(1.0, "b")
    page = open_page(play(named(a / b, "L")))
    field(page, "b").fill("0")
    assert "b is 0, so a / b has no value." in said(page)
    press(page, "Backward")
    page.get_by_label("all at once").check()
    press(page, "Backward")
    press(page, "Step")
    assert "there is no direction to step in" in said(page)
    page = open_page(play(named(a.log(), "L")))
    field(page, "a").fill("-1")
    assert "a is below 0, where log(a) has no value." in said(page)


def test_a_graph_that_has_changed_since_says_so_until_it_is_computed_anew(open_page: Open) -> None:
    value = demo()
    leaf = topological_order(value)[0]
    leaf.data = 3.0
    page = open_page(play(value))
    assert "An operand of e has changed since e was recorded" in said(page)
    assert shown(page, "value")[5] == 8.0
    assert page.locator(".card.outdated").count() == 2
    assert page.get_by_role("group", name="changed since").count() == 2
    at_once(page)
    assert shown(page, "total")[0] == adjoints(value)[leaf] == -2.0
    field(page, "c").fill("11")
    assert shown(page, "value")[5] == (3.0 * -3.0 + 11.0) * 3.0
    assert page.locator(".card.outdated").count() == 0


def test_an_operation_of_one_s_own_is_shown_as_it_was_recorded(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    cube = ag.Primitive("cube", "cube", lambda x: x * x * x, lambda z, x: 3.0 * x * x)
    value = named(cube(Value(2.0, "x")) + 1.0, "L")
    page = open_page(play(value))
    assert "Only Python can compute cube" in said(page)
    at_once(page)
    assert shown(page, "total")[0] == 12.0
    assert field(page, "x").get_attribute("readonly") is not None
    assert page.locator(".grip").count() == 0
    assert page.get_by_role("button", name="Step").get_attribute("aria-disabled") == "true"
    assert "Step moves" not in said(page)


def test_a_folded_network_is_edited_inside_and_learns(open_page: Open) -> None:
    model = ag.MLP(2, [16, 16, 1], seed=1)
    loss = named(ag.hinge(model([Value(0.5, "x0"), Value(-1.0, "x1")]), 1.0), "loss")
    page = open_page(play(loss, model=model, collapse="neurons"))
    press(page, "Numbers of layer1.neuron3")
    assert page.locator(".inner").count() == 17
    field(page, "layer1.neuron3.weight5").fill("0.25")
    model.layers[1].neurons[3].weights[5].data = 0.25
    again = ag.hinge(model([Value(0.5, "x0"), Value(-1.0, "x1")]), 1.0)
    order = topological_order(again)
    at_once(page)
    expected = adjoints(again)
    for kind, numbers in (("value", {x: x.data for x in order}), ("total", expected)):
        for i, x in shown(page, kind).items():
            assert x == numbers[order[i]]
    again.backward()
    ag.GradientDescent(model.parameters(), learning_rate=0.01).step()
    press(page, "Step")
    found = shown(page, "value")
    stepped = topological_order(ag.hinge(model([Value(0.5, "x0"), Value(-1.0, "x1")]), 1.0))
    assert found[len(stepped) - 1] == pytest.approx(stepped[-1].data, abs=1e-15)
    page.keyboard.press("Escape")
    assert page.locator(".inner").count() == 0


@pytest.mark.parametrize("collapse", ["neurons", "layers"])
def test_a_folded_network_is_stepped_through(open_page: Open, collapse: Any) -> None:
    model = ag.MLP(2, [2, 2, 1], activation="tanh", seed=1)
    loss = named(ag.mean_squared_error(model([Value(0.5, "x0"), Value(-1.0, "x1")]), 1.0), "loss")
    page = open_page(play(loss, model=model, collapse=collapse))
    press(page, "Backward")
    order, expected = topological_order(loss), adjoints(loss)
    while page.locator(".autograd-player[data-state=going]").count():
        press(page, "Next edge")
        said(page)
    for i, x in shown(page, "total").items():
        assert x == expected[order[i]]


def test_two_players_on_a_page_do_not_meet(open_page: Open) -> None:
    page = open_page(play(demo()).html + play(demo()).html + play(Value(1.0, "other")).html)
    players = page.locator(".autograd-player")
    at_once(players.nth(1))
    assert shown(players.nth(0), "total") == {}
    assert len(shown(players.nth(1), "total")) == 6
    ids = page.locator("[id]").evaluate_all("parts => parts.map((part) => part.id)")
    assert len(set(ids)) == len(ids) > 0


def test_labels_execute_nothing_and_create_nothing(open_page: Open) -> None:
    page = open_page(play(hostile()))
    harmless = open_page(play(ag.sum([Value(1.0, str(i)) * Value(1.0) for i in range(8)])))
    press(page, "Backward")
    while page.locator(".autograd-player[data-state=going]").count():
        press(page, "Next edge")
        assert page.evaluate("typeof pwned") == "undefined"
    press(page, "Step")
    assert page.evaluate("typeof pwned") == "undefined"
    kinds = "[...new Set([...document.querySelectorAll('*')].map((e) => e.tagName))].sort()"
    press(harmless, "Backward")
    press(harmless, "Next edge")
    assert set(page.evaluate(kinds)) - {"SMALL", "polyline"} <= set(harmless.evaluate(kinds))
    assert "</script>" in page.title()


def test_without_scripts_the_final_picture_shows_and_says_why_it_stands_still(
    open_page: Open,
) -> None:
    page = open_page(play(example()), java_script_enabled=False)
    picture = page.get_by_role("img", name="L with its values and gradients")
    assert picture.is_visible()
    assert picture.bounding_box()["width"] > 100
    assert page.get_by_role("button").count() == 0
    assert page.get_by_text("run the cell, or trust the notebook").is_visible()
    page = open_page(play(example()))
    assert page.get_by_text("run the cell, or trust the notebook").count() == 0


def test_colours_follow_the_system_and_then_the_notebook(open_page: Open) -> None:
    html = play(example()).html
    themes = "".join(
        f'<div data-jp-theme-light="{light}">{html}</div>' for light in ("true", "false")
    )
    page = open_page(html + themes, color_scheme="dark")
    ink = page.locator(".autograd-player").evaluate_all(
        "players => players.map((player) => getComputedStyle(player).color)"
    )
    light, dark = "rgb(31, 35, 40)", "rgb(230, 233, 237)"
    assert ink == [dark, light, dark]


CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = channels(getComputedStyle(e).backgroundColor);
      if (c[3] === 255) return c;
    }
    return [255, 255, 255, 255];
  };
  const low = [];
  for (const e of document.querySelectorAll(".autograd-player *")) {
    const own = [...e.childNodes].filter((n) => n.nodeType === 3);
    const text = own.map((n) => n.data.trim()).join("");
    if (!text || !e.getClientRects().length || ["STYLE", "SCRIPT"].includes(e.tagName)) continue;
    const style = getComputedStyle(e);
    const [one, other] = [channels(e.closest("svg") ? style.fill : style.color), behind(e)]
      .map(light).sort((x, y) => y - x);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) low.push([e.className?.baseVal ?? e.className, text, ratio]);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(open_page: Open, scheme: str) -> None:
    page = open_page(play(demo()), color_scheme=scheme)
    page.get_by_label("I predict").check()
    press(page, "Backward")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    assert page.evaluate(CONTRASTS) == []
    press(page, "To the end")
    assert page.evaluate(CONTRASTS) == []
    press(page, "Step")
    assert page.evaluate(CONTRASTS) == []


def test_nothing_overflows_and_every_control_has_a_name(open_page: Open) -> None:
    page = open_page(play(demo()), viewport={"width": 1200, "height": 900})
    for width in (320, 360, 390, 480, 560, 680, 780, 900, 1024, 1200, 1440, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        talk = page.locator(".talk").bounding_box()
        assert talk["height"] <= 230, "a quarter of the height"
    names = page.evaluate(
        """[...document.querySelectorAll("button, input, [tabindex]")]
          .filter((e) => e.getClientRects().length)
          .map((e) => e.getAttribute("aria-label") || (e.labels?.[0] ?? e).textContent)"""
    )
    assert all(name.strip() for name in names)
    assert page.get_by_role("main").count() == page.get_by_role("heading", level=1).count() == 1


LONG_NAMES = (
    *("the mean squared error of the whole training set", "a name\nin two lines"),
    *("another_very_long_name_without_any_blank_in_it_at_all", "x" * 10_000),
    "\u202eright to left\u202c, as an attack would have it, and then \u05e9\u05dc\u05d5\u05dd",
)


def long_names() -> Value:
    output, *names = LONG_NAMES
    return named(ag.sum([Value(2.0, name) * Value(3.0, name) for name in names]), output)


def test_long_names_are_shortened_where_they_stand_and_full_where_there_is_room(
    open_page: Open,
) -> None:
    page = open_page(play(long_names()), viewport={"width": 1200, "height": 900})
    for width in (320, 390, 768, 1200, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        press(page, "Start again")
        for button in ("Backward", "Next edge", "Next edge", "Next edge"):
            press(page, button)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        page.get_by_label("all at once").check()
        press(page, "Backward")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        page.get_by_label("edge by edge").check()
        # The number is what must be seen; its name is in the title.
        for pill in page.locator(".card .pill").all():
            inside = "pill => pill.getBoundingClientRect().right <= "
            assert pill.evaluate(inside + "pill.closest('.card').getBoundingClientRect().right")
    titles = page.locator(".card b").evaluate_all("names => names.map((name) => name.title)")
    assert {LONG_NAMES[0], LONG_NAMES[2], "x" * 199 + "…"} <= set(titles)
    assert field(page, LONG_NAMES[2]).count() == 2, "two leaves of one name"


def test_a_folded_network_fits_every_width(open_page: Open) -> None:
    model = ag.MLP(2, [16, 16, 1], seed=1)
    loss = named(ag.hinge(model([Value(0.5, "x0"), Value(-1.0, "x1")]), 1.0), "loss")
    page = open_page(play(loss, model=model, collapse="neurons"))
    page.get_by_label("all at once").check()
    for width in (320, 390, 768, 1024, 1200, 1600):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_timeout(50)
        press(page, "Start again")
        for button in ("Backward", "Step"):
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
            output = page.locator(".card.output").bounding_box()
            assert 0 <= output["x"] <= output["x"] + output["width"] <= width, "the end is in view"
            press(page, button)
            if width >= 390:
                talk = page.locator(".talk [role=status]").first.bounding_box()
                assert talk["height"] <= 844 / 4, (width, button)
        assert page.locator(".stage").evaluate(
            "stage => stage.scrollWidth > stage.clientWidth"
        ) == (width < 1024), "the graph is moved within its box, not the page"


def test_the_keyboard_does_all(open_page: Open) -> None:
    page = open_page(play(demo()))

    def focused() -> str:
        return str(
            page.evaluate(
                "(({ ariaLabel, labels, textContent }) => ariaLabel ??"
                " labels?.[0]?.textContent ?? textContent)(document.activeElement)"
            )
        )

    def tab_to(name: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            if focused().startswith(name):
                return
        raise AssertionError(f"{name!r} is not reached")

    tab_to("Backward")
    for _ in range(7):
        page.keyboard.press("Enter")
    assert "That was the last edge" in said(page)
    tab_to("Step")
    page.keyboard.press("Enter")
    assert "L went from 8 to 7.755" in said(page)
    tab_to("edge by edge")
    page.keyboard.press("ArrowRight")
    tab_to("Learning rate")
    page.keyboard.press("Home")
    tab_to("Start again")
    page.keyboard.press("Enter")
    tab_to("The graph of L")
    tab_to("a")
    page.keyboard.type("3")
    assert "New values" in said(page)
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "0.001"
    assert page.get_by_label("I predict").is_checked()


def odd_graphs() -> dict[str, Value]:
    x, y = Value(2.0, "x"), Value(3.0, "y")
    s = named(x + y, "s")
    return {
        "a leaf": Value(1.0, "only"),
        "a leaf without a name": Value(1.0),
        "nan": Value(math.nan, "n") * x,
        "infinity": Value(math.inf, "i") * x + y,
        "too large": Value(1e308, "b") * 10.0,
        "a comparison": x > y,
        "a choice": ag.where(x > y, x, y * 2.0),
        "shared": s * s + s,
        "second order": ag.grad(x**3 * y, [x])[0],
        "many leaves": ag.sum([Value(float(i), f"s{i}") for i in range(12)]),
    }


def test_a_button_may_be_pressed_before_the_size_of_the_page_is_reported(open_page: Open) -> None:
    silent = "<script>window.ResizeObserver = class { observe() {} };</script>"
    page = open_page(silent + play(example()).html)
    page.get_by_label("edge by edge").check()
    press(page, "Backward")
    assert page.locator(".autograd-player[data-state=going]").count() == 1


@pytest.mark.parametrize("kind", odd_graphs())
def test_every_graph_is_stepped_through_and_told(open_page: Open, kind: str) -> None:
    value = odd_graphs()[kind]
    page = open_page(play(value), viewport={"width": 320, "height": 800})
    order, expected = topological_order(value), adjoints(value)
    for mode, button in (("edge by edge", "Next edge"), ("I predict", "Show me")):
        page.get_by_label(mode).check()
        press(page, "Backward")
        while page.locator(".autograd-player[data-state=going]").count():
            press(page, button)
            said(page)
        found = {i: expected[x] for i, x in enumerate(order) if x in expected}
        assert shown(page, "total") == close(found, 0.0)
        press(page, "Step")
        said(page)
        press(page, "Start again")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if not all(math.isfinite(x.data) for x in order):
        assert "A value is not finite" in said(page)
        page.get_by_label("all at once").check()
        press(page, "Backward")
        press(page, "Step")
        assert "there is no direction to step in" in said(page)
        assert " nan" not in said(page)


def test_on_a_phone_the_graph_runs_from_top_to_bottom(open_page: Open) -> None:
    page = open_page(play(demo()), viewport={"width": 390, "height": 844})
    first, last = (page.locator(f".card[data-node='{i}']").bounding_box() for i in (0, 5))
    assert first["y"] + first["height"] <= last["y"]
    assert set(page.locator(".tag").all_inner_texts()) <= {"4", "2", "1", "−3"}
    wide = open_page(play(demo()), viewport={"width": 1200, "height": 844})
    first, last = (wide.locator(f".card[data-node='{i}']").bounding_box() for i in (0, 5))
    assert first["x"] + first["width"] <= last["x"]
    assert "∂e/∂a = −3" in wide.locator(".tag").all_inner_texts()


def test_the_graph_keeps_its_place_while_sentences_change(open_page: Open) -> None:
    page = open_page(play(demo()), viewport={"width": 1200, "height": 900})
    press(page, "Backward")
    tops = []
    for _ in range(6):
        press(page, "Next edge")
        tops.append(page.locator(".stage").bounding_box()["y"])
    assert tops == sorted(tops), "it may give way to a longer sentence, but never jumps back"
    assert tops[-1] - tops[0] < 60


def test_a_page_holds_three_hundred_nodes(open_page: Open) -> None:
    x = [Value(0.1 * i, f"x{i}") for i in range(100)]
    y = ag.sum([a * a + b for a, b in itertools.pairwise(x)])
    assert 290 < len(topological_order(y)) <= 300
    page = open_page(play(y))
    at_once(page)
    field(page, "x3").fill("2")
    press(page, "Backward")
    assert shown(page, "total")[_place(y, "x3")] == 5.0


def _place(value: Value, label: str) -> int:
    return [node.label for node in topological_order(value)].index(label)


def test_on_a_phone_what_is_said_takes_a_quarter_of_the_height(open_page: Open) -> None:
    page = open_page(play(demo()), viewport={"width": 390, "height": 844})
    press(page, "Backward")
    for _ in range(6):
        press(page, "Next edge")
        assert page.locator(".talk [role=status]").first.bounding_box()["height"] <= 844 / 4


def test_a_graph_too_wide_is_scrolled_to_the_work_or_shown_whole(open_page: Open) -> None:
    y = Value(1.0, "x")
    for _ in range(30):
        y = y.tanh()
    page = open_page(play(y), reduced_motion="reduce")
    stage = page.locator(".stage")
    press(page, "Backward")
    press(page, "Next edge")
    assert stage.evaluate("stage => stage.scrollLeft") > 0
    press(page, "Whole picture")
    assert stage.evaluate("stage => stage.scrollWidth <= stage.clientWidth")
    seen = page.locator(".band .card").evaluate_all(
        """cards => cards.filter((card) => {
          const own = card.getBoundingClientRect();
          const band = card.closest(".band").getBoundingClientRect();
          return own.left >= band.left && own.right <= band.right;
        }).map((card) => card.dataset.node)"""
    )
    assert sorted(map(int, seen)) == list(range(31)), "each card is whole in one of the bands"
    width = page.locator(".band .card").first.bounding_box()["width"]
    assert width > 90, "and readable"


def test_a_number_with_an_exponent_is_not_cut_off(open_page: Open) -> None:
    a, b, c = Value(-5.905e167, "a"), Value(-1.151e-100, "b"), Value(-3.393e50, "c")
    shown_numbers = """() => [...document.querySelectorAll(".card")].flatMap((card) =>
      [...card.querySelectorAll("input, .pill, .value:not(:has(input))")].filter((part) =>
        part.scrollWidth > part.clientWidth + 1 && part.matches("input")
          || part.getBoundingClientRect().right > card.getBoundingClientRect().right)
      .map((part) => part.value || part.textContent))"""
    for width in (390, 1200):
        page = open_page(
            play(named(named(a * b + c, "d") * a, "L")),
            viewport={"width": width, "height": 800},
        )
        at_once(page)
        assert page.evaluate(shown_numbers) == []
        assert "−1.151e−100" in page.locator(".tag").all_inner_texts()  # alone
        curve = page.locator(".curve svg")
        low = curve.locator("text").first
        assert low.bounding_box()["x"] >= curve.bounding_box()["x"]


def test_the_numbers_on_edges_leave_the_tips_to_be_seen(open_page: Open) -> None:
    x = Value(3.0, "x")
    page = open_page(
        play(named(x.cos().sin().tanh().cos(), "L")), viewport={"width": 1600, "height": 800}
    )
    tags = page.locator(".tag").all_inner_texts()
    assert tags[0] == "∂v1/∂x = −0.1411"  # as long as most get
    covered = page.evaluate(
        """() => {
          const [tags, tips] = [".tag", ".links polygon"].map((kind) =>
            [...document.querySelectorAll(kind)].map((part) => part.getBoundingClientRect()));
          return tags.filter((tag, k) => tag.right > (tips[k].left + tips[k].right) / 2).length;
        }"""
    )
    assert covered == 0


def test_on_paper_the_graph_is_whole(open_page: Open, tmp_path: Path) -> None:
    page = open_page(play(arithmetic()), viewport={"width": 1200, "height": 800})
    page.evaluate(
        """() => matchMedia("print").addEventListener("change", ({ matches }) => {
          const [card, stage] = [".card.output", ".stage"]
            .map((part) => document.querySelector(part).getBoundingClientRect());
          if (matches) window.printed = card.right - stage.right;
        })"""
    )
    scale = "document.querySelector('.scene').style.transform"
    before = page.evaluate(scale)
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert page.evaluate("printed") <= 0
    assert page.evaluate(scale) == before  # with a bar to scroll it by


def test_numbers_are_written_as_python_writes_them(open_page: Open) -> None:
    page = open_page(play(named(Value(1.0, "x") * 1.0, "L")))
    for number in [
        *(0.1, 0.99999, 0.30000000000000004, 138.8338, 1234.5, 1235.5, 24.7041, 1e-300, 5e-324),
        *(-1234567.0, 1e16, 2.0625, 2.0635, 0.00012345, 9999.5, 12345.0, 1000.0, -0.5, 1e-5),
    ]:
        field(page, "x").fill(repr(number))
        if number > 1e-300:
            text = page.locator(".card.output .value").inner_text()
            assert text == short_number(number).replace("-", "−")


# --- on a wall, on a phone, in a frame ------------------------------------------------------------


def deep() -> Value:
    """Three layers, one neuron each: too long for a phone, and too wide for a laptop."""
    h = Value(0.5, "x")
    for k in range(3):
        z = named(Value(0.7, f"w{k}") * h + Value(0.1, f"b{k}"), f"z{k}")
        h = named(z.sigmoid(), f"h{k}")
    return named((h - 1.0) ** 2, "L")


IN_VIEW = """() => [".acts button", ".title", ".line", ".words", ".card.active"]
  .flatMap((kind) => [...document.querySelectorAll(kind)])
  .filter((part) => {
    const box = part.getBoundingClientRect();
    const room = (part.closest(".stage") ?? document.documentElement).getBoundingClientRect();
    const low = Math.max(0, room.top), high = Math.min(innerHeight, room.bottom);
    return part.getClientRects().length && part.textContent.trim()
      && (box.top < low - 1 || box.bottom > (part.closest(".stage") ? high : innerHeight) + 1);
  })
  .map((part) => part.className || part.textContent)"""


@pytest.mark.parametrize(
    ("width", "height"),
    [(853, 480), (800, 600), (390, 844), (1280, 720), (1600, 900)],
)
def test_the_edge_at_work_is_in_view_with_the_text_and_the_buttons(
    open_page: Open, width: int, height: int
) -> None:
    page = open_page(
        play(deep()), viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    for _ in range(2):
        press(page, "Backward")
        output = page.locator(".card.output").bounding_box()
        assert 0 <= output["y"] <= output["y"] + output["height"] <= height
        while page.locator(".autograd-player[data-state=going]").count():
            press(page, "Next edge")
            assert page.evaluate(IN_VIEW) == []
        assert page.evaluate("scrollY") == 0
        press(page, "Step")


def test_what_a_player_stands_in_is_not_scrolled(open_page: Open) -> None:
    """The button would move away from under the pointer."""
    page = open_page("<p>text</p>" * 30 + play(deep())._repr_html_() + "<p>text</p>" * 30)
    page.evaluate("scrollTo(0, document.querySelector('iframe').offsetTop - 500)")
    before = page.evaluate("scrollY")
    press(page.frames[1], "Backward")
    for _ in range(5):
        press(page.frames[1], "Next edge")
    assert page.frames[1].locator(".stage").evaluate("stage => stage.scrollLeft") > 0
    assert page.evaluate("scrollY") == before


def test_a_presentation_has_larger_text_and_no_header(open_page: Open, tmp_path: Path) -> None:
    size = "document.querySelector('.line').getBoundingClientRect().height"
    page = open_page(play(demo()), viewport={"width": 1280, "height": 720})
    plain = page.evaluate(size)
    press(page, "Present")
    assert page.evaluate(size) > 1.3 * plain
    assert not page.get_by_role("heading", level=1).is_visible()
    press(page, "End presentation")
    assert page.evaluate(size) == plain
    assert page.get_by_role("heading", level=1).is_visible()
    page.goto(f"{(tmp_path / 'page.html').as_uri()}?present")
    assert page.get_by_role("button", name="End presentation").is_visible()
    assert page.evaluate("document.documentElement.scrollHeight") <= 720


def test_it_lives_in_a_frame(open_page: Open) -> None:
    page = open_page(play(demo())._repr_html_(), viewport={"width": 900, "height": 700})
    frame = page.frame_locator("iframe")
    frame.get_by_label("all at once").check()
    frame.get_by_role("button", name="Backward", exact=True).click()
    assert frame.locator(".card.output").get_attribute("data-total") == "1"
    assert frame.locator(".card.output").is_visible()


def test_a_long_graph_is_printed_in_readable_bands(open_page: Open, tmp_path: Path) -> None:
    y = Value(1.0, "x")
    for _ in range(30):
        y = y.tanh()
    page = open_page(play(y), viewport={"width": 1200, "height": 800})
    page.evaluate(
        """() => matchMedia("print").addEventListener("change", ({ matches }) => {
          const cards = [...document.querySelectorAll(".band .card")];
          if (matches) window.printed = [cards.length, cards[0].getBoundingClientRect().width];
        })"""
    )
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    n, width = page.evaluate("printed")
    assert n >= 31
    assert width > 90
    assert page.locator(".band").count() == 0, "on the screen it is as it was"


# --- options --------------------------------------------------------------------------------------


def test_a_player_has_the_title_the_mode_and_the_direction_that_it_is_given(
    open_page: Open,
) -> None:
    player = play(demo(), title="Two <paths>", mode="predict", rankdir="TB")
    page = open_page(player, viewport={"width": 1200, "height": 900})
    assert page.get_by_role("heading", level=1).inner_text() == page.title() == "Two <paths>"
    assert page.get_by_label("I predict").is_checked()
    first, last = (page.locator(f".card[data-node='{i}']").bounding_box() for i in (0, 5))
    assert first["y"] + first["height"] <= last["y"]
    press(page, "Backward")
    assert page.evaluate("document.activeElement.tagName") == "INPUT"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "slowly"}, 'mode is "once", "edges" or "predict", got \'slowly\''),
        ({"collapse": "all"}, 'collapse is "neurons", "layers" or None, got \'all\''),
        ({"rankdir": "BT"}, 'rankdir is "LR", "TB" or None, got \'BT\''),
    ],
)
def test_options_that_there_are_not_are_refused(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        play(demo(), **options)


def test_the_command_writes_a_player(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["tanh(a*b + c)", "a=2", "b=-3", "c=6.5", "--mode", "once", "--title", "Mine"]
    assert main(["play", *given]) == 0
    assert capsys.readouterr().out == "wrote backpropagation.html: open it in a browser\n"
    page = open_page(Path("backpropagation.html").read_text(encoding="utf-8"))
    press(page, "Backward")
    value = parse("tanh(a*b + c)", a=2, b=-3, c=6.5)
    expected = adjoints(value)
    order = topological_order(value)
    assert shown(page, "total") == close({i: expected[x] for i, x in enumerate(order)}, 1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda a, b: a.relu(), "1: a is positive, and relu(x) = x there"),
        (lambda a, b: b.relu(), "0: b is not positive, and relu(x) = 0 there"),
        (lambda a, b: abs(b), "−1: b is negative"),
        (ag.maximum, "0: b is the smaller one"),
        (lambda a, b: ag.minimum(a, 5.0), "1: a is the smaller one"),
        (lambda a, b: ag.maximum(a, 2.0), "0.5: both are equal, and each gets half"),
        (lambda a, b: ag.where(a < b, a, b), "1: b is the one selected"),
    ],
)
def test_a_choice_is_told_in_words(open_page: Open, make: Any, words: str) -> None:
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    page = open_page(play(named(make(a, b), "y")))
    press(page, "Backward")
    while page.get_by_role("button", name="Next edge").count():
        press(page, "Next edge")
    assert f"changes by {words}." in page.locator(".words").inner_text()


def test_sigmoid_and_tanh_are_explained_as_in_textbooks(open_page: Open) -> None:
    x = Value(0.3, "x")
    for value, rule in ((x.sigmoid(), "y · (1 − y)"), (x.tanh(), "1 − y ** 2")):
        page = open_page(play(named(value, "y")))
        press(page, "Backward")
        press(page, "Next edge")
        (partial,) = (p for p in value.partials if p is not None)
        words = page.locator(".words").inner_text()
        assert f"changes by {rule} = {short_number(partial)}" in words
        (exactly,) = re.findall(r"\(Computed as ∂y/∂x = (.*), which", words)
        assert exactly != rule


def test_a_folded_network_shows_the_plain_numbers_that_it_takes(open_page: Open) -> None:
    model = ag.MLP(2, [3, 1], seed=1)
    page = open_page(play(named(model([0.5, -1.0]), "y"), model=model, collapse="neurons"))
    texts = page.locator(".card.input").all_inner_texts()
    assert [text.split() for text in texts] == [["x0", "0.5"], ["x1", "−1"]]
    at_once(page)
    assert page.locator(".card.output").get_attribute("data-total") == "1"


# --- the widget -----------------------------------------------------------------------------------

MODEL = """
const told = {state};
const hearers = [];
window.model = {{
  get: (name) => told[name],
  set: (name, x) => (told[name] = x),
  save_changes: () => toPython(JSON.stringify(told)),
  on: (name, hear) => hearers.push(hear),
  off: () => (hearers.length = 0),
  fromPython(numbers) {{ told.numbers = numbers; hearers.forEach((hear) => hear()); }},
}};
"""


def open_widget(widget: Any, open_page: Open) -> Any:
    """The page of a widget, joined to it as a notebook would."""
    state = {name: getattr(widget, name) for name in ("_markup", "numbers", "gradients", "value")}
    module = widget._esm.replace("export default", "window.widget =")
    told = json.dumps(state).replace("<", "\\u003c")
    page = open_page('<div id="el"></div>', locale="en-US")  # a page of its own, to expose to
    shared = ("numbers", "gradients", "value")
    page.expose_function(
        "toPython",
        lambda text: widget.set_state({name: json.loads(text)[name] for name in shared}),
    )
    page.evaluate(f"() => {{ {MODEL.format(state=told)} {module} }}")
    page.evaluate("() => { widget.render({ model, el: document.querySelector('#el') }) }")
    return page


def test_a_widget_shares_its_numbers_with_python_both_ways(open_page: Open) -> None:
    pytest.importorskip("anywidget")
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    loss = named((a * b + c) * a, "L")
    widget = play(loss, widget=True)
    page = open_widget(widget, open_page)
    assert widget.leaves == [a, b, c]

    field(page, "b").fill("-4")  # from the page to Python
    page.wait_for_timeout(50)
    assert b.data == -4.0
    assert widget.value == (2.0 * -4.0 + 10.0) * 2.0
    at_once(page)
    page.wait_for_timeout(50)
    assert [x.grad for x in (a, b, c)] == [-6.0, 4.0, 2.0]

    ag.GradientDescent([a, b, c], learning_rate=0.5).step()  # from Python to the page
    widget.update()
    page.evaluate("numbers => model.fromPython(numbers)", widget.numbers)
    page.wait_for_timeout(50)
    assert [a.data, b.data, c.data] == [5.0, -6.0, 9.0]
    assert shown(page, "value")[0] == 5.0
    assert widget.value == (5.0 * -6.0 + 9.0) * 5.0
    assert [x.grad for x in (a, b, c)] == [None, None, None]  # those of other numbers

    at_once(page)
    press(page, "Step")
    page.wait_for_timeout(50)
    assert a.grad is not None
    assert a.data == 5.0 - 0.01 * a.grad
    assert widget.numbers == [a.data, b.data, c.data]


def test_a_widget_follows_python_at_the_end_of_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("anywidget")
    ipython = pytest.importorskip("IPython")
    hooks: dict[str, Any] = {}

    class Shell:
        events = type("Events", (), {"register": staticmethod(hooks.__setitem__)})

    monkeypatch.setattr(ipython, "get_ipython", Shell)
    a = Value(2.0, "a")
    widget = play(named(a * a, "L"), widget=True)
    assert repr(widget).startswith("PlayerWidget(leaves 'a')")
    a.data = 5.0
    assert widget.numbers == [2.0]
    hooks["post_run_cell"](None)
    assert widget.numbers == [5.0]


def test_a_widget_takes_numbers_that_json_does_not_have() -> None:
    pytest.importorskip("anywidget")
    x = Value(math.inf, "x")
    widget = play(named(x * 2.0, "y"), widget=True)
    assert widget.numbers == ["Infinity"]
    for text, number in [("-Infinity", -math.inf), ("-0", -0.0), (1.5, 1.5)]:
        widget.set_state({"numbers": [text]})
        assert math.copysign(1.0, x.data) == math.copysign(1.0, number)
        assert x.data == number


def test_a_widget_tells_negative_zero_from_zero() -> None:
    pytest.importorskip("anywidget")
    x = Value(0.0, "x")
    widget = play(named(1.0 / x, "y"), widget=True)
    told: list[Any] = []
    widget.observe(lambda change: told.append(change["new"]), "numbers")
    for number in (-0.0, 0.0):
        x.data = number
        widget.update()
    assert told == [["-0"], [0.0]]


def test_without_anywidget_a_widget_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "autograd.viz.player.widget", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'scalar-autograd\[widget\]'"):
        play(Value(1.0), widget=True)
