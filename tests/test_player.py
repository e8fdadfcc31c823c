"""The player: what its HTML holds, and in a browser, what its buttons and keys show."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import autograd as ag
from autograd import Value, drawing
from autograd.formula import short_number
from autograd.stepping import Player, play
from autograd.value import adjoints, topological_order


def labelled(value: Value, label: str) -> Value:
    value.label = label
    return value


def example() -> Value:
    """A graph with a fan-out, a product of a node with itself, and nodes without a label."""
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    c = labelled(a * b + a, "c")
    return labelled(c * c * 0.1 + b.tanh(), "L")


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
    return labelled(ag.sum([leaf * leaf for leaf in leaves]), HOSTILE[0])


def json_part(html: str) -> list[dict[str, Any]]:
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    frames: list[dict[str, Any]] = json.loads(text)
    return frames


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
    for i, (node, adjoint) in enumerate(adjoints(value).items()):
        part = svg.find(f".//*[@id='node{i}']")
        assert part is not None
        texts = {text.get("class"): text.text for text in part.iter() if text.get("class")}
        assert texts["data"] == short_number(node.data)
        assert texts["grad"] == short_number(adjoint)


def test_every_part_that_a_step_names_is_in_the_picture() -> None:
    html = play(hostile()).html
    ids = {part.get("id") for part in svg_part(html).iter()}
    for frame in json_part(html):
        named = [*frame["nodes"], *frame["edges"], *frame["computed"], *frame["complete"]]
        assert ids.issuperset([*named, *frame["gradients"]])


def test_steps_follow_both_passes() -> None:
    value = example()
    frames = json_part(play(value).html)
    forward = [str(step) for step in ag.forward_steps(value)]
    backward = [str(step) for step in ag.backward_steps(value)]
    assert [frame["line"] for frame in frames] == [
        "a = 2, b = -3",
        *forward,
        "∂L/∂L = 1",
        *backward,
        "∂L/∂a = 1.600, ∂L/∂b = -1.590",
    ]
    complete = [node for frame in frames for node in frame["complete"]]
    assert sorted(complete) == sorted(f"node{i}" for i in range(len(topological_order(value))))


def test_words_say_why() -> None:
    frames = json_part(play(labelled(Value(3.0, "x") * Value(2.0, "y"), "L")).html)
    words = {frame["phase"]: frame["words"] for frame in frames}
    assert words["Forward 1 of 1"] == "Kept for the way back: ∂L/∂x = y = 2, ∂L/∂y = x = 3."
    assert words["Backward 1 of 2"] == (
        "L = x · y, so ∂L/∂x = y = 2. Times the gradient of L, which is 1, that makes 2 for x."
    )


def test_words_count_the_uses_of_a_node() -> None:
    x = Value(3.0, "x")
    words = [frame["words"] for frame in json_part(play(labelled(x * x, "L")).html)]
    assert words[-3].endswith(
        "that makes 3 for x. x is used 2 times; after 1 of them its sum is 3."
    )
    assert words[-2].endswith("that makes 3 for x. x is used 2 times; this completes the sum: 6.")


def test_a_leaf_can_be_played() -> None:
    phases = [frame["phase"] for frame in json_part(play(Value(3.0, "x")).html)]
    assert phases == ["Start", "Backward pass", "Done"]


def test_no_label_reaches_the_page_as_markup() -> None:
    html = play(hostile()).html
    assert re.findall(r"<(/?\w+)", _without_code(html)) == [
        *("div", "style", "/style", "img", "script", "/script", "script", "/script", "/div")
    ]
    assert "<!--" not in html
    assert "\u2028" not in html
    html.encode()  # half a surrogate pair would not


def _without_code(html: str) -> str:
    """The page without what our own style sheet and script hold, which may have any character."""
    html = re.sub(r"<style>.*?</style>", "<style></style>", html, flags=re.DOTALL)
    return re.sub(r"<script>\n//.*?</script>", "<script></script>", html, flags=re.DOTALL)


def test_a_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = play(example()).save(tmp_path / "backprop.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    links = re.findall(r"https?://[^\s\"']*", page)
    assert set(links) <= {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"<link|@import|url\(", page)


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
    assert bundle["text/plain"] == "Player of 19 steps: .save('backprop.html') writes a page"


def test_without_graphviz_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "_programs", lambda: iter(()))
    player = play(example())
    assert "pip install graphviz-pure" in player._repr_mimebundle_()["text/plain"]
    with pytest.raises(RuntimeError, match="pip install graphviz-pure"):
        _ = player.html


def test_a_graph_too_large_to_draw_is_refused() -> None:
    y = Value(1.0)
    for _ in range(100_000):
        y = y + 1.0
    with pytest.raises(ValueError, match=r"100,001 nodes are more than the limit of 300"):
        play(y)


@pytest.mark.parametrize("wrong", [3.0, None, "L"])
def test_anything_but_a_value_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="play: expected a Value, got"):
        play(wrong)


# --- in a browser ---------------------------------------------------------------------------------

OPTIONS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    programs = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    program = next(filter(None, programs), None)
    if program is None:
        pytest.skip("no chromium, chromium-browser or google-chrome is on the PATH")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """A function that opens a player, or some HTML, as a file; fails if a script of it fails."""
    errors: list[str] = []
    context = None

    def open_page(content: Player | str, **options: Any) -> Any:
        nonlocal context
        path = tmp_path / "page.html"
        if isinstance(content, Player):
            content.save(path)
        else:
            path.write_text(f'<!DOCTYPE html><meta charset="utf-8">{content}', encoding="utf-8")
        context = browser.new_context(offline=True, **options)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.goto(path.as_uri())
        return page

    yield open_page
    if context is not None:
        context.close()
    assert errors == []


def numbers(player: Any, kind: str) -> list[str]:
    """What the nodes of a player show as data or grad, in topological order."""
    nodes = player.locator("g.node").evaluate_all(
        """(nodes, kind) => nodes.map((node) => [
            Number(node.id.match(/node(\\d+)$/)[1]), node.querySelector(`.${kind}`).textContent
        ])""",
        kind,
    )
    return [text for _, text in sorted(nodes)]


def expected_gradients(value: Value, n_steps: int) -> list[str]:
    """What the nodes show as grad when the output has its 1 and `n_steps` steps are done."""
    totals: dict[Value, float] = {value: 1.0}
    for step, _ in zip(ag.backward_steps(value), range(n_steps), strict=False):
        totals[step.arg] = step.total
    return [short_number(totals.get(node)) for node in topological_order(value)]


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_buttons_show_each_step(open_page: Open) -> None:
    value = example()
    forward = list(ag.forward_steps(value))
    backward = [str(step) for step in ag.backward_steps(value)]
    order = topological_order(value)
    known = [not node.args for node in order]
    page = open_page(play(value))

    def shown_data() -> list[str]:
        return [short_number(x.data) if k else "" for x, k in zip(order, known, strict=True)]

    assert numbers(page, "data") == shown_data()
    assert numbers(page, "grad") == ["–"] * len(order)
    for step in forward:
        press(page, "Next")
        known[order.index(step.node)] = True
        assert numbers(page, "data") == shown_data()
        assert page.locator(".line").inner_text() == str(step)
    for n_steps in range(len(backward) + 1):
        press(page, "Next")
        assert numbers(page, "grad") == expected_gradients(value, n_steps)
        if n_steps:
            assert page.locator(".line").inner_text() == backward[n_steps - 1]
    press(page, "Next")
    assert page.locator(".phase").inner_text() == "Done"
    assert page.get_by_role("button", name="Next").is_disabled()
    press(page, "Previous")
    press(page, "Previous")
    assert numbers(page, "grad") == expected_gradients(value, len(backward) - 1)
    press(page, "First")
    assert numbers(page, "data") == [short_number(x.data) if not x.args else "" for x in order]
    assert page.get_by_role("button", name="Previous").is_disabled()
    press(page, "Last")
    assert numbers(page, "grad") == expected_gradients(value, len(backward))


def test_the_edge_at_work_is_highlighted(open_page: Open) -> None:
    value = example()
    step = next(iter(ag.backward_steps(value)))
    order = topological_order(value)
    page = open_page(play(value))
    for _ in range(len(list(ag.forward_steps(value))) + 2):
        press(page, "Next")
    active = page.locator(".active").evaluate_all("parts => parts.map((part) => part.id)")
    node, arg = order.index(step.node), order.index(step.arg)
    assert sorted(active) == sorted(
        f"player1-{part}" for part in (f"edge{node}_{step.index}", f"node{node}", f"node{arg}")
    )


def test_keys_step_wherever_the_focus_is(open_page: Open) -> None:
    page = open_page(play(example()))
    player = page.locator(".autograd-player")

    def step() -> int:
        return int(player.get_attribute("data-step"))

    last = int(page.get_by_role("slider").get_attribute("max"))
    for place in (page.locator(".stage"), page.get_by_role("slider")):
        place.focus()
        for key, expected in [
            ("Home", 0),
            ("ArrowRight", 1),
            ("ArrowRight", 2),
            ("ArrowLeft", 1),
            ("End", last),
            ("ArrowRight", last),
            ("Home", 0),
            ("ArrowLeft", 0),
        ]:
            page.keyboard.press(key)
            assert step() == expected
    assert page.get_by_role("slider").input_value() == "0"


def test_keys_still_work_after_the_last_step(open_page: Open) -> None:
    page = open_page(play(Value(3.0, "x").tanh()))
    page.get_by_role("button", name="Next").focus()
    for _ in range(10):
        page.keyboard.press("Enter")
    assert page.locator(".phase").inner_text() == "Done"
    page.keyboard.press("ArrowLeft")
    assert page.locator(".phase").inner_text() == "Backward 1 of 1"


def test_everything_is_reached_by_tab_and_has_a_name(open_page: Open) -> None:
    page = open_page(play(example()))
    page.get_by_role("button", name="First").focus()
    reached = []
    for _ in range(7):
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        page.keyboard.press("Tab")
    picture = "The graph; arrow keys step through it"
    assert reached == ["First", "Previous", "Play", "Next", "Last", "Step", picture]
    assert page.locator("[aria-live=polite] .line").count() == 1
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "Start"


def test_the_slider_goes_to_any_step(open_page: Open) -> None:
    value = example()
    page = open_page(play(value))
    n_forward = len(list(ag.forward_steps(value)))
    page.get_by_role("slider").fill(str(n_forward + 1 + 4))
    assert numbers(page, "grad") == expected_gradients(value, 4)


def test_play_runs_to_the_end_and_can_be_paused(open_page: Open) -> None:
    page = open_page(play(Value(3.0, "x").tanh()))
    page.clock.install()
    player = page.locator(".autograd-player")
    press(page, "Play")
    page.clock.run_for(4000)
    assert player.get_attribute("data-step") == "2"
    press(page, "Pause")
    page.clock.run_for(4000)
    assert player.get_attribute("data-step") == "2"
    press(page, "Play")
    page.clock.run_for(20_000)
    assert page.locator(".phase").inner_text() == "Done"
    press(page, "Play")  # from the start again
    assert player.get_attribute("data-step") == "0"


def test_two_players_on_a_page_do_not_meet(open_page: Open) -> None:
    value = example()
    page = open_page(play(value).html + play(value).html + play(Value(1.0, "other")).html)
    players = page.locator(".autograd-player")
    press(players.nth(1), "Last")
    order = topological_order(value)
    assert numbers(players.nth(0), "grad") == ["–"] * len(order)
    assert numbers(players.nth(1), "grad") == [short_number(g) for g in adjoints(value).values()]
    assert numbers(players.nth(2), "grad") == ["–"]
    ids = page.locator("[id]").evaluate_all("parts => parts.map((part) => part.id)")
    assert len(set(ids)) == len(ids) > 2 * len(order)


def test_labels_execute_nothing_and_create_nothing(open_page: Open) -> None:
    value = hostile()
    player = play(value)
    page = open_page(player)
    harmless = open_page(play(ag.sum([Value(1.0) * Value(1.0)])))
    for _ in range(len(json_part(player.html))):
        assert page.evaluate("typeof pwned") == "undefined"
        page.locator(".stage").focus()
        page.keyboard.press("ArrowRight")
    kinds = "[...new Set([...document.querySelectorAll('*')].map((e) => e.tagName))].sort()"
    assert page.evaluate(kinds) == harmless.evaluate(kinds)
    assert "</script>" in page.title()
    press(page, "First")
    press(page, "Next")
    assert page.locator(".line").inner_text().startswith("v1 = </script>")


def test_without_scripts_the_final_picture_shows(open_page: Open) -> None:
    page = open_page(play(example()), java_script_enabled=False)
    picture = page.get_by_role("img", name="The graph of L with its values and gradients")
    assert picture.is_visible()
    assert picture.bounding_box()["width"] > 100
    assert page.get_by_role("button").count() == 0


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


def test_a_large_picture_is_scrolled_to_the_work_or_shown_whole(open_page: Open) -> None:
    y = Value(1.0, "x")
    for _ in range(40):
        y = y.tanh()
    page = open_page(play(y), reduced_motion="reduce")
    stage = page.locator(".stage")
    press(page, "Last")
    press(page, "Previous")
    assert stage.evaluate("stage => stage.scrollLeft") == 0
    press(page, "First")
    for _ in range(40):
        press(page, "Next")
    assert stage.evaluate("stage => stage.scrollLeft") > 0
    press(page, "Whole picture")
    assert stage.evaluate("stage => stage.scrollWidth <= stage.clientWidth")
