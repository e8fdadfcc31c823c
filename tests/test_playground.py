"""The playground: what its page computes, beside `fit`; what it says, shows and holds back."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograd as ag
from autograd.__main__ import main
from autograd.datasets import Standardization
from autograd.nn import Layer
from autograd.optim import Stepper

HOSTILE = "</script><script>pwned=1</script><img src=x onerror='pwned=1'>"

Open = Callable[..., Any]
LEARNS = "document.querySelector('.autograd-playground').playground"


def iris() -> tuple[list[list[float]], list[int]]:
    X, Y = ag.datasets.iris()[:2]
    return [list(x) for x in X][::3], list(Y)[::3]


def decay(parameters: Any) -> Any:
    return 1e-4 * ag.sum(w * w for w in parameters)


def moons(rate: float = 0.1) -> tuple[Any, ...]:
    X, labels = ag.datasets.moons(n=60, seed=3)
    model = ag.MLP(2, [8, 8, 1], seed=1)
    Y = [2 * y - 1 for y in labels]
    return model, ag.hinge, X, Y, ag.GradientDescent(model.parameters(), rate)


def flowers() -> tuple[Any, ...]:
    model = ag.MLP(4, [6, 3], activation="tanh", seed=2)
    return model, ag.cross_entropy, *iris(), ag.Adam(model.parameters(), 0.02)


def houses() -> list[list[float]]:
    """Rows of area, rooms, a column that never varies, and price."""
    rng = random.Random(4)
    rows = [[rng.uniform(40.0, 200.0), float(rng.randint(1, 6)), 7.0] for _ in range(48)]
    return [[*x, 2000.0 * x[0] + 9000.0 * x[1] + rng.gauss(0.0, 5000.0)] for x in rows]


def line() -> tuple[Any, ...]:
    """A model that is a function of Values, on plain numbers, with momentum."""
    a, b = ag.Value(0.3, HOSTILE), ag.Value(-1.0, "b")
    X = [i / 10 for i in range(20)]
    stepper = ag.GradientDescent([a, b], 0.02, momentum=0.9, nesterov=True)
    return (lambda x: a * x + b), ag.mean_squared_error, X, [2 * x + 1 for x in X], stepper


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def steps(page: Any, n: int) -> tuple[list[float], list[float]]:
    """The losses of so many steps, and all numbers after them."""
    found: list[list[float]] = page.evaluate(
        f"n => {{ for (let i = 0; i < n; i++) {LEARNS}.step();"
        f" return [{LEARNS}.losses, Array.from({LEARNS}.numbers)]; }}",
        n,
    )
    return found[0], found[1]


# --- the same training as in Python ---------------------------------------------------------------


@pytest.mark.parametrize("setting", [moons, flowers, line])
def test_fifty_steps_have_the_losses_of_fit(open_page: Open, setting: Any) -> None:
    model, loss, X, Y, optimizer = setting()
    penalty = decay if setting is moons else None
    page = open_page(ag.playground(model, loss, X, Y, optimizer, penalty=penalty))
    losses, numbers = steps(page, 50)
    history = ag.fit(model, loss, X, Y, optimizer, epochs=50, penalty=penalty, progress=False)
    assert losses == pytest.approx([row.loss for row in history], rel=1e-9, abs=1e-12)
    assert numbers == pytest.approx([p.data for p in optimizer.parameters], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("setting", "size"), [(moons, 7), (flowers, 16), (line, 19)])
def test_batches_come_in_the_order_of_fit(open_page: Open, setting: Any, size: int) -> None:
    model, loss, X, Y, optimizer = setting()
    page = open_page(ag.playground(model, loss, X, Y, optimizer, batch_size=size, seed=5))
    per_epoch = -(-len(X) // size)
    _, numbers = steps(page, 6 * per_epoch)
    ag.fit(model, loss, X, Y, optimizer, epochs=6, batch_size=size, seed=5, progress=False)
    assert numbers == pytest.approx([p.data for p in optimizer.parameters], rel=1e-9, abs=1e-12)


def test_a_stepper_that_has_moved_goes_on_from_its_state(open_page: Open) -> None:
    model, loss, X, Y, optimizer = flowers()
    ag.fit(model, loss, X, Y, optimizer, epochs=3, progress=False)
    losses, _ = steps(open_page(ag.playground(model, loss, X, Y, optimizer)), 5)
    history = ag.fit(model, loss, X, Y, optimizer, epochs=5, progress=False)
    assert losses == pytest.approx([row.loss for row in history], rel=1e-9)


def test_the_page_changes_nothing_in_python() -> None:
    model, loss, X, Y, optimizer = moons()
    before = [(p.data, p.grad) for p in model.parameters()]
    first = ag.playground(model, loss, X, Y, optimizer).html
    assert [(p.data, p.grad) for p in model.parameters()] == before
    assert ag.playground(model, loss, X, Y, optimizer).html == first


class SmoothLion(Stepper):
    """A stepper of one's own."""

    initial_state = (0.0,)

    def update(self, weight: Any, gradient: Any, state: Any, coefficients: Any, sqrt: Any) -> Any:
        m = 0.9 * state[0] + 0.1 * gradient
        return weight - coefficients[0] * m / sqrt(m * m + 1e-12), (m,)


STEPPERS: dict[str, Callable[[Any], Stepper]] = {
    "momentum": lambda p: ag.GradientDescent(p, 0.05, momentum=0.8),
    "Nesterov": lambda p: ag.GradientDescent(p, 0.05, momentum=0.9, nesterov=True),
    "Adam": lambda p: ag.Adam(p, 0.03, betas=(0.8, 0.95)),
    "AdamW": lambda p: ag.AdamW(p, 0.03, weight_decay=0.1),
    "RMSprop": lambda p: ag.RMSprop(p, 0.02, alpha=0.9),
    "own": lambda p: SmoothLion(p, 0.01),
}


@pytest.mark.parametrize("make", STEPPERS.values(), ids=STEPPERS)
def test_each_stepper_moves_as_in_python(open_page: Open, make: Any) -> None:
    model, loss, X, Y, _ = moons()
    optimizer = make(model.parameters())
    _, numbers = steps(open_page(ag.playground(model, loss, X, Y, optimizer)), 12)
    ag.fit(model, loss, X, Y, optimizer, epochs=12, progress=False)
    assert numbers == pytest.approx([p.data for p in optimizer.parameters], rel=1e-9, abs=1e-12)


def signed_root(prediction: Any, target: Any) -> Any:
    """The slope of the root of a negative number is nan, and that branch is not taken there."""
    root = ag.where(prediction > 0.0, ag.sqrt(prediction), prediction)
    return (root - target) ** 2


def test_a_branch_not_taken_stops_no_step(open_page: Open) -> None:
    a, b = ag.Value(0.7, "a"), ag.Value(-0.4, "b")
    X = [i / 10 for i in range(-5, 15)]
    optimizer = ag.GradientDescent([a, b], 0.05)
    page = open_page(ag.playground(lambda x: a * x + b, signed_root, X, X, optimizer))
    losses, numbers = steps(page, 50)
    history = ag.fit(lambda x: a * x + b, signed_root, X, X, optimizer, epochs=50, progress=False)
    assert losses == pytest.approx([row.loss for row in history], rel=1e-9)
    assert numbers == pytest.approx([a.data, b.data], rel=1e-9)


def test_the_program_that_follows_branches_is_there_for_those_who_choose() -> None:
    assert "const gradient1" in ag.playground(*moons()).html  # relu chooses
    assert "const gradient1" not in ag.playground(*line()).html
    assert "const forward1" not in ag.playground(*moons()).html


# --- its controls ---------------------------------------------------------------------------------


def test_train_pause_step_reset_and_new_weights(open_page: Open) -> None:
    model, *others = moons()
    page = open_page(ag.playground(model, *others))
    say = page.locator(".say")
    assert say.inner_text().startswith("Before the first step the loss is ")
    press(page, "Train")
    page.wait_for_function(f"{LEARNS}.steps > 3")
    press(page, "Pause")
    count = page.evaluate(f"{LEARNS}.steps")
    page.wait_for_timeout(100)
    assert page.evaluate(f"{LEARNS}.steps") == count
    assert say.inner_text().startswith(f"After {count} steps the loss is ")
    press(page, "Step")
    assert page.evaluate(f"{LEARNS}.steps") == count + 1
    press(page, "Reset")
    own = [p.data for p in model.parameters()]
    assert page.evaluate(f"Array.from({LEARNS}.numbers)") == own
    press(page, "New weights")
    new = page.evaluate(f"Array.from({LEARNS}.numbers)")
    assert sum(a != b for a, b in zip(new, own, strict=True)) > len(own) / 2
    assert page.evaluate(f"{LEARNS}.steps") == 0


def test_a_page_that_was_hidden_does_not_make_up_for_it(open_page: Open) -> None:
    page = open_page(ag.playground(*moons()))
    page.get_by_text("one by one", exact=True).click()
    press(page, "Train")
    page.wait_for_function(f"{LEARNS}.steps > 0")
    missed = page.evaluate(
        f"""() => new Promise(done => {{
          const began = performance.now(), before = {LEARNS}.steps;
          while (performance.now() - began < 2500);
          document.dispatchEvent(new Event("visibilitychange"));
          requestAnimationFrame(() => requestAnimationFrame(() => done({LEARNS}.steps - before)));
        }})"""
    )
    assert missed < 10  # in that time it would have taken 20


def test_a_step_that_would_not_stay_finite_is_refused(open_page: Open) -> None:
    _, loss, X, Y, _ = line()
    w = ag.Value(1e200, "w")
    page = open_page(
        ag.playground(lambda x: w * x * w, loss, X, Y, ag.GradientDescent([w], learning_rate=1.0))
    )
    press(page, "Step")
    assert "Step 1 was refused" in page.locator(".say").inner_text()
    assert page.evaluate(f"Array.from({LEARNS}.numbers)") == [1e200]


def test_the_learning_rate_is_told(open_page: Open) -> None:
    page = open_page(ag.playground(*moons()))
    rate = page.get_by_role("slider", name="Learning rate")
    assert rate.get_attribute("aria-valuetext") == "0.1"
    rate.press("End")
    assert rate.get_attribute("aria-valuetext") == "10"


def test_weights_are_told_by_keyboard_and_pointer(open_page: Open) -> None:
    model, *others = moons()
    page = open_page(ag.playground(model, *others))
    told = page.locator(".told")
    page.locator(".map").press("ArrowRight")
    assert told.inner_text().startswith("layer0.neuron0.weight1, on x2, is ")
    box = page.locator(".map").bounding_box()
    page.mouse.move(box["x"] + 4, box["y"] + 24)
    assert told.inner_text().startswith("layer0.neuron0.weight0, on x1, is ")
    assert "The derivative of the loss with respect to it is " in told.inner_text()


def test_the_weights_come_out_as_a_file_of_the_model(open_page: Open, tmp_path: Path) -> None:
    page = open_page(ag.playground(*flowers()))
    _, numbers = steps(page, 3)
    with page.expect_download() as download:
        press(page, "Save weights (JSON)")
    download.value.save_as(tmp_path / "model.json")
    model = ag.MLP.load(tmp_path / "model.json")
    assert [p.data for p in model.parameters()] == numbers


class Two(ag.Module):
    """A model of one's own: two layers on scaled inputs, and a number."""

    def __init__(self) -> None:
        self.first = Layer(2, 5, "tanh", seed=1)
        self.second = Layer(5, 1, "linear", seed=2)
        self.gain = ag.Value(1.5)

    def __call__(self, x: Any) -> Any:
        return self.gain * self.second(self.first([(number - 0.5) / 2.0 for number in x]))


def test_a_model_of_ones_own_has_its_network_and_its_file(open_page: Open, tmp_path: Path) -> None:
    _, loss, X, Y, _ = moons()
    model, other = Two(), ag.Value(2.0, "other")
    stepper = ag.Adam([*model.parameters(), other], 0.02)
    page = open_page(ag.playground(model, lambda z, y: loss(other * z, y), X, Y, stepper))
    _, numbers = steps(page, 3)
    units = [b.get_attribute("aria-label") for b in page.locator(".net button").all()]
    assert units == ["x1", "x2", *(f"first.neuron{i}" for i in range(5)), "second.neuron0"]
    page.locator(".map").press("Home")
    assert page.locator(".told").inner_text().startswith("first.neuron0.weight0, on x1, is ")
    with page.expect_download() as download:
        press(page, "Save weights (JSON)")
    download.value.save_as(tmp_path / "model.json")
    assert [p.data for p in Two.load(tmp_path / "model.json").parameters()] == numbers[:-1]


def test_the_network_shows_what_each_neuron_says(open_page: Open) -> None:
    model = ag.MLP(2, [2, 1], seed=0)
    right, low = model.layers[0].neurons
    right.weights[0].data, right.weights[1].data = 1.0, 0.0  # relu(x1)
    low.weights[0].data, low.weights[1].data = 0.0, -1.0  # relu(-x2)
    X = [[x, y] for x in (-1.0, 1.0) for y in (-1.0, 1.0)]
    stepper = ag.GradientDescent(model.parameters(), 0.1)
    page = open_page(ag.playground(model, ag.hinge, X, [1, -1, 1, -1], stepper))
    colours = page.evaluate(
        """() => [...document.querySelectorAll('.net button')].slice(2, 4).map(button => {
          const wires = document.querySelector('.wires'), copy = wires.cloneNode();
          const x = copy.getContext('2d', { willReadFrequently: true });
          x.drawImage(wires, 0, 0);
          const { offsetLeft: X, offsetTop: Y, offsetWidth: n } = button;
          const at = (a, b) => [...x.getImageData(X + a * n, Y + b * n, 1, 1).data].slice(0, 3);
          return [at(.25, .25), at(.75, .25), at(.25, .75), at(.75, .75)];
        })"""
    )
    is_blue = [[blue - red > 60 for red, _, blue in corners] for corners in colours]
    assert is_blue == [[False, True, False, True], [False, False, True, True]]


def test_neurons_are_told_by_keyboard_and_pointer(open_page: Open) -> None:
    page = open_page(ag.playground(*moons()))
    told, plane = page.locator(".told"), page.locator(".plane")
    before = plane.bounding_box()
    page.get_by_role("button", name="x1").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.ariaLabel")
    assert focused.startswith("layer0.neuron")
    assert told.inner_text().startswith(f"{focused} has the bias 0.")
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name=focused, exact=True)
    assert button.get_attribute("aria-pressed") == "true"
    page.mouse.move(5, 5)
    assert told.inner_text().startswith(focused)
    page.keyboard.press("Escape")
    assert button.get_attribute("aria-pressed") == "false"
    assert told.inner_text().startswith("layer0.neuron0.weight0, on x1, is ")
    page.get_by_role("button", name="layer1.neuron3").hover()
    assert told.inner_text().startswith("layer1.neuron3 has the bias 0.")
    assert plane.bounding_box() == before  # what is told moves nothing


def test_a_neuron_without_a_say_is_told(open_page: Open) -> None:
    model, *others = moons()
    for neuron in model.layers[1].neurons[:6] + model.layers[0].neurons[:2]:
        neuron.bias.data = -100.0
    page = open_page(ag.playground(model, *others))
    assert "8 of 16 neurons are dead: 0 at every example" in page.locator(".say").inner_text()
    page.get_by_role("button", name="layer1.neuron3").hover()
    assert "Its output is 0 at every example" in page.locator(".told").inner_text()


def test_only_a_unit_that_cuts_off_at_zero_dies(open_page: Open) -> None:
    _, *others = moons()
    model = ag.MLP(2, [4, 1], activation="tanh", seed=0)
    for weight in model.layers[0].parameters():
        weight.data = 0.0
    others[-1] = ag.GradientDescent(model.parameters(), 0.1)
    page = open_page(ag.playground(model, *others))
    assert "dead" not in page.locator(".say").inner_text()
    page.get_by_role("button", name="layer0.neuron3").hover()
    assert page.locator(".told").inner_text().endswith(" Its output is 0.")


def test_what_is_learned_wholly_needs_no_new_weights(open_page: Open) -> None:
    model, loss, X, _, optimizer = moons()
    page = open_page(ag.playground(model, loss, X, [1] * len(X), optimizer))
    steps(page, 100)
    press(page, "Step")
    assert page.locator(".say").inner_text() == (
        "After 101 steps the loss is 0. All 60 predictions are right. "
        "The minimum is reached: every derivative is 0, too."
    )


def test_new_weights_of_a_model_of_zeros_are_not_zero(open_page: Open) -> None:
    model, *others = moons()
    for parameter in model.parameters():
        parameter.data = 0.0
    page = open_page(ag.playground(model, *others))
    assert "try new weights" in page.locator(".say").inner_text()
    press(page, "New weights")
    numbers = page.evaluate(f"Array.from({LEARNS}.numbers)")
    assert numbers.count(0) == sum(len(layer.neurons) for layer in model.layers), "the biases"
    assert "try new weights" not in page.locator(".say").inner_text()


def test_new_weights_without_a_picture_of_the_network_are_as_large_each_time(
    open_page: Open,
) -> None:
    model = ag.MLP(2, [65, 1])
    _, loss, X, Y, _ = moons()
    page = open_page(ag.playground(model, loss, X, Y, ag.Adam(model.parameters())))
    weights = [abs(x.data) for x in model.layers[0].parameters() if x.data]
    for _ in range(12):
        press(page, "New weights")
    numbers = page.evaluate(f"Array.from({LEARNS}.numbers)")
    assert numbers.count(0) == 66, "the biases"
    assert 0.8 < max(map(abs, numbers)) / max(weights) < 1.25


def test_a_model_that_starts_beyond_the_largest_number_says_what_to_do(open_page: Open) -> None:
    model, _, X, Y, optimizer = moons()
    Y = [1e200 * y for y in Y]
    page = open_page(ag.playground(model, ag.mean_squared_error, X, Y, optimizer))
    press(page, "Step")
    said = page.locator(".say").inner_text()
    assert said.startswith("Step 1 was refused: the loss is not finite.")
    assert said.endswith("or rescale the examples.")


def test_the_curve_of_the_cost_follows_the_training_however_long_it_takes(open_page: Open) -> None:
    X, labels = ag.datasets.moons(n=3000, seed=3)
    model = ag.MLP(2, [8, 8, 1], seed=1)
    optimizer = ag.GradientDescent(model.parameters(), 0.1)
    page = open_page(
        ag.playground(model, ag.hinge, X, [2 * y - 1 for y in labels], optimizer, batch_size=32)
    )
    drawn = "document.querySelector('.cost').toDataURL()"
    press(page, "Train")
    for _ in range(3):
        before = page.evaluate(drawn)
        page.wait_for_function(f"before => {drawn} !== before", arg=before, timeout=120_000)
    assert page.get_by_role("button", name="Pause", exact=True).is_visible(), "while it trains"


def test_the_number_whose_cost_is_drawn_belongs_to_what_is_chosen(open_page: Open) -> None:
    page = open_page(ag.playground(*moons()))
    said = page.locator(".detail figcaption")
    assert said.inner_text() == "The loss as a function of layer0.neuron0.weight0 alone."
    page.get_by_role("button", name="layer1.neuron3").click()
    assert "layer1.neuron3.weight" in said.inner_text()
    page.get_by_role("button", name="x2", exact=True).click()
    assert re.search(r"layer0\.neuron\d\.weight1 alone", said.inner_text())


def test_loss_penalty_and_objective_are_told_apart(open_page: Open) -> None:
    model, *others = moons()
    page = open_page(ag.playground(model, *others, penalty=lambda ps: 100.0 * decay(ps)))
    press(page, "Step")
    said = page.locator(".say").inner_text()
    pattern = (
        r"After 1 step the loss is (.*), the penalty (.*), and their sum, the objective, (.*?)\. "
    )
    (found,) = re.findall(pattern, said)
    loss, penalty, objective = map(float, found)
    assert penalty > 0.0
    assert loss + penalty == pytest.approx(objective, rel=0.01)
    assert page.locator(".chart figcaption").first.inner_text().endswith("Thin: the objective.")
    assert "The derivative of the objective" in page.locator(".told").inner_text()


# --- how it looks, and what it is called ----------------------------------------------------------


@pytest.mark.parametrize("setting", [moons, flowers, line])
def test_nothing_overflows_and_everything_has_a_name(open_page: Open, setting: Any) -> None:
    page = open_page(ag.playground(*setting()), reduced_motion="reduce")
    steps(page, 3)
    for width in (320, 360, 390, 480, 640, 768, 820, 1024, 1200, 1440, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width >= 390:
            tops = page.locator(".go button").evaluate_all("all => all.map(b => b.offsetTop)")
            assert len(set(tops)) == 1, width
    for role in "button", "slider", "radio", "combobox", "img":
        nameless = page.get_by_role(role, name="").filter(visible=True)
        named = page.get_by_role(role).evaluate_all(
            "all => all.every(e => e.ariaLabel || e.labels?.length || e.textContent.trim())"
        )
        assert named, (role, nameless.count())


CONTRASTS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= 10.31475 ? v / 3294.6 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + .05) / (y + .05);
  };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const root = document.querySelector('.autograd-playground'), found = [];
  for (const e of document.querySelectorAll('main, main *')) {
    const text = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('');
    if (!text || !e.checkVisibility() || e.closest('script, style')) continue;
    found.push([text.slice(0, 40), ratio(parse(getComputedStyle(e).color), ground(e))]);
  }
  const probe = root.appendChild(document.createElement('i'));
  for (const name of ['ink', 'quiet', 'work']) { // what the canvases write with
    probe.style.color = `var(--${name})`;
    found.push([name, ratio(parse(getComputedStyle(probe).color), ground(root))]);
  }
  probe.remove();
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("setting", [moons, flowers])
def test_all_text_has_the_contrast_of_aa(open_page: Open, setting: Any, scheme: str) -> None:
    page = open_page(ag.playground(*setting()), color_scheme=scheme)
    page.get_by_role("slider", name="Learning rate").press("End")
    steps(page, 20)
    page.locator("summary").click()
    press(page, "Step")
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 25
    assert [(text, ratio) for text, ratio in contrasts if ratio < 4.5] == []


@pytest.mark.parametrize(("n", "n_inputs"), [(1, 1), (1000, 1), (1, 2), (1000, 13)])
def test_few_and_many_examples_and_inputs(open_page: Open, n_inputs: int, n: int) -> None:
    X = [[math.sin(7.0 * i + k) for k in range(n_inputs - 1)] + [3.0] for i in range(n)]
    model = ag.MLP(n_inputs, [5, 1], activation="tanh", seed=1)
    stepper = ag.Adam(model.parameters(), 0.01)
    Y = [x[0] for x in X]
    page = open_page(ag.playground(model, ag.mean_squared_error, X, Y, stepper, batch_size=50))
    press(page, "Train")
    page.wait_for_function(f"{LEARNS}.steps > 2")
    press(page, "Pause")
    assert page.locator(".say").inner_text().startswith("After ")


def test_hostile_names_are_inert(open_page: Open) -> None:
    model, loss, X, Y, optimizer = flowers()
    page = open_page(
        ag.playground(
            *(model, loss, X, Y, optimizer),
            features=[HOSTILE] * 4,
            classes=[HOSTILE, "b", "c"],
            title=HOSTILE,
        )
    )
    press(page, "Step")
    assert page.evaluate("typeof pwned") == "undefined"
    assert page.locator("h1").inner_text() == HOSTILE
    page = open_page(ag.playground(*line()))  # a label
    assert page.evaluate("typeof pwned") == "undefined"


def test_on_paper_the_pictures_are_those_of_its_width_and_colours(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page(ag.playground(*moons()), viewport={"width": 1200, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.evaluate(
        """() => matchMedia("print").addEventListener("change", ({ matches }) => {
          const canvas = document.querySelector(".losses");
          const width = Math.round(canvas.getBoundingClientRect().width * devicePixelRatio);
          if (matches) window.printed = [canvas.width, width, canvas.getContext("2d").fillStyle];
        })"""
    )
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    drawn, there, ink = page.evaluate("printed")
    assert drawn == there
    assert ink == "#1f2328"  # dark on white


def test_numbers_on_an_axis_differ_however_close_they_are(open_page: Open) -> None:
    model, _, X, Y, optimizer = moons()

    def loss(prediction: Any, y: float) -> Any:
        return 131.0 + 1e-6 * (prediction - y) ** 2

    page = open_page(ag.playground(model, loss, X, Y, optimizer))
    page.evaluate(
        """() => { const draw = CanvasRenderingContext2D.prototype.fillText;
          window.drawn = [];
          CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            if (this.canvas.className === "cost") window.drawn.push(text);
            draw.call(this, text, ...place);
          } }"""
    )
    press(page, "Step")
    upward = [text for text in page.evaluate("window.drawn") if text.startswith("131")]
    assert len(upward) == len(set(upward)) > 1


def test_numbers_whose_squares_are_too_large_are_told(open_page: Open) -> None:
    model = ag.MLP(1, [1])
    for parameter in model.parameters():
        parameter.data = 0.0
    stepper = ag.GradientDescent(model.parameters(), 0.1)
    units = Standardization([0.0], [1e300])
    page = open_page(
        ag.playground(
            *(model, ag.mean_squared_error, [[1.0], [2.0]], [1.0, -1.0], stepper),
            target_scale=units,
        )
    )
    assert "The root mean squared error is 1e+300." in page.locator(".say").inner_text()


def test_names_that_are_empty_long_or_from_right_to_left(open_page: Open) -> None:
    model, loss, X, Y, optimizer = flowers()
    hebrew = "\u05e9\u05dc\u05d5\u05dd"
    page = open_page(
        ag.playground(
            *(model, loss, X, Y, optimizer),
            features=["", hebrew, "x" * 10_000, "d"],
            classes=["y" * 10_000, "", "c"],
            title="t" * 10_000,
        ),
        viewport={"width": 800, "height": 600},
    )
    names = page.get_by_label("Across").locator("option").all_inner_texts()
    assert names == ["x1", f"\u2068{hebrew}\u2069", "x" * 59 + "…", "d"]
    first, second, _ = page.locator(".legend > span").all_inner_texts()
    assert first.endswith("y" * 59 + "…")
    assert second.endswith("class 1")
    assert page.locator("h1").inner_text() == "t" * 199 + "…"


# --- what it refuses, and the command -------------------------------------------------------------


def test_what_a_page_cannot_hold_is_refused() -> None:
    model, loss, X, Y, optimizer = moons()
    with pytest.raises(ValueError, match=r"row 1 has the shapes .* all examples have to be alike"):
        ag.playground(model, loss, [X[0], [1.0, 2.0, 3.0]], Y[:2], optimizer)
    with pytest.raises(ValueError, match=r"X is nan in row 1, column 1; give finite"):
        ag.playground(model, loss, [X[0], [1.0, float("nan")]], Y[:2], optimizer)
    with pytest.raises(ValueError, match="more than a page holds"):
        ag.playground(model, loss, [X[0]] * 5001, [1] * 5001, optimizer)
    with pytest.raises(TypeError, match="a scale is for an MLP"):
        ag.playground(Two(), loss, X, Y, optimizer, scale=Standardization.of(X))
    scale = Standardization.of([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])
    with pytest.raises(ValueError, match="playground: scale is of 3 numbers, got MLP"):
        ag.playground(model, loss, X, Y, optimizer, scale=scale)
    with pytest.raises(ValueError, match="target_scale is of 3 numbers, got MLP"):
        ag.playground(model, loss, X, Y, optimizer, target_scale=scale)
    with pytest.raises(ValueError, match="expected names of 2 features, got 1: 'a'"):
        ag.playground(model, loss, X, Y, optimizer, features=["a"])
    with pytest.raises(ValueError, match=r"^playground: the target of row 1 is 'no', and the"):
        ag.playground(
            model,
            ag.binary_cross_entropy,
            X[:2],
            ["yes", "no"],
            optimizer,
            classes=["yes", "nope"],
        )
    with pytest.raises(ValueError, match="expected names of 2 classes, got 1: 'a'"):
        ag.playground(model, loss, X, Y, optimizer, classes=["a"])
    with pytest.raises(ValueError, match="held_out: the target of row 0 is 'c', and the classes"):
        ag.playground(model, loss, X[:2], ["a", "b"], optimizer, held_out=([X[0]], ["c"]))
    infinite = ag.Value(math.inf, "w")
    with pytest.raises(ValueError, match="is not finite; give it a number to start from"):
        ag.playground(lambda x: infinite * x, loss, [1.0], [1], ag.Adam([infinite]))
    with pytest.raises(ValueError, match=r"expected targets -1 and \+1"):
        ag.playground(model, loss, X[:2], [0, 1], optimizer)


@pytest.mark.parametrize("widths", [[6, 2], [1]])
def test_a_table_keeps_its_units(open_page: Open, tmp_path: Path, widths: list[int]) -> None:
    """The page learns in standard units, and speaks and saves in those of the table."""
    table = houses()
    X, Y = [row[:3] for row in table], [[row[3], row[3] + row[0]][: widths[-1]] for row in table]
    scale, target_scale = Standardization.of(X), Standardization.of(Y)
    model = ag.MLP(3, widths, activation="tanh", seed=0)
    stepper = ag.GradientDescent(model.parameters(), 0.1)
    given = model, ag.mean_squared_error, scale(X), target_scale(Y), stepper
    page = open_page(
        ag.playground(
            *given, features=["area", "rooms", "floors"], scale=scale, target_scale=target_scale
        )
    )
    steps(page, 40)
    press(page, "Step")
    ag.fit(*given, epochs=41, progress=False)
    outputs = [model(x) for x in scale(X)]
    predictions = [
        [m + d * z.data for z, m, d in zip(row, *target_scale, strict=True)]
        for row in ([z] if isinstance(z, ag.Value) else z for z in outputs)
    ]
    page.get_by_role("button", name="area", exact=True).hover()
    low, high = (f"{x:.3g}" for x in (min(row[0] for row in X), max(row[0] for row in X)))
    assert f"it ranges from {low} to {high}." in page.locator(".told").inner_text()
    squares = [(p[0] - y[0]) ** 2 for p, y in zip(predictions, Y, strict=True)]
    error = float(f"{math.sqrt(sum(squares) / len(Y)):.3g}")
    assert f"The root mean squared error is {error:,.0f}." in page.locator(".say").inner_text()
    with page.expect_download() as download:
        press(page, "Save weights (JSON)")
    download.value.save_as(tmp_path / "model.json")
    loaded = ag.MLP.load(tmp_path / "model.json")
    found = [row if isinstance(row, list) else [row] for row in loaded.predict(X)]
    assert found == [pytest.approx(row, rel=1e-9) for row in predictions]


def test_a_page_of_the_command_saves_what_predict_reads(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{i % 7},{'big' if i % 5 > 2 else 'small'},{'yes' if i % 7 > 3 else 'no'}"
        for i in range(40)
    ]
    Path("table.csv").write_text("\n".join(["a,b,label", *rows]), encoding="utf-8")
    assert main(["playground", "table.csv", "--one-hot", "--output", "page.html"]) == 0
    page = open_page(Path("page.html"))
    steps(page, 300)
    press(page, "Step")
    with page.expect_download() as download:
        press(page, "Save weights (JSON)")
    download.value.save_as("model.json")
    capsys.readouterr()
    assert main(["predict", "model.json", "table.csv"]) == 0
    answers = capsys.readouterr().out.split()
    right = sum(row.endswith(f",{answer}") for row, answer in zip(rows, answers, strict=True))
    assert right >= 39


@pytest.mark.slow
@pytest.mark.parametrize("data", ["moons", "xor", "table.csv"])
def test_the_command_writes_a_page(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [f"{i % 7},{i % 5},{'yes' if i % 7 > 3 else 'no'}" for i in range(40)]
    Path("table.csv").write_text("\n".join(["a,b,label", *rows]), encoding="utf-8")
    assert main(["playground", data, "--output", "page.html"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert ("yes" in page) == (data == "table.csv")
