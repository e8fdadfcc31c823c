"""The playground: what its page computes, beside `fit`; what it says, shows and holds back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import autograd as ag
from autograd.__main__ import main
from autograd.playground import Playground

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


def line() -> tuple[Any, ...]:
    """A model that is a function of Values, on plain numbers, with momentum."""
    a, b = ag.Value(0.3, HOSTILE), ag.Value(-1.0, "b")
    X = [i / 10 for i in range(20)]
    stepper = ag.GradientDescent([a, b], 0.02, momentum=0.9, nesterov=True)
    return (lambda x: a * x + b), ag.mean_squared_error, X, [2 * x + 1 for x in X], stepper


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """A function that opens a playground; fails if a script fails or asks for anything."""
    errors: list[str] = []
    contexts: list[Any] = []

    def open_page(content: Playground, **options: Any) -> Any:
        path = content.save(tmp_path / "page.html")
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text))
        page.on(
            "request",
            lambda request: (
                None
                if request.url == path.as_uri() or request.url.startswith("blob:")
                else errors.append(request.url)
            ),
        )
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


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


# --- its controls ---------------------------------------------------------------------------------


def test_train_pause_step_reset_and_new_weights(open_page: Open) -> None:
    model, *others = moons()
    page = open_page(ag.playground(model, *others))
    say = page.locator(".say")
    assert say.inner_text().startswith("Nothing is learnt yet.")
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
    assert "the objective changes by" in told.inner_text()


def test_the_weights_come_out_as_a_file_of_the_model(open_page: Open, tmp_path: Path) -> None:
    page = open_page(ag.playground(*flowers()))
    _, numbers = steps(page, 3)
    with page.expect_download() as download:
        press(page, "Save weights (JSON)")
    download.value.save_as(tmp_path / "model.json")
    model = ag.MLP.load(tmp_path / "model.json")
    assert [p.data for p in model.parameters()] == numbers


# --- how it looks, and what it is called ----------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("setting", [moons, flowers, line])
def test_nothing_overflows_and_everything_has_a_name(
    open_page: Open, setting: Any, scheme: str
) -> None:
    page = open_page(ag.playground(*setting()), color_scheme=scheme, reduced_motion="reduce")
    steps(page, 3)
    for width in (320, 360, 390, 480, 640, 768, 820, 1024, 1200, 1440, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    for role in "button", "slider", "radio", "combobox", "img":
        nameless = page.get_by_role(role, name="").filter(visible=True)
        named = page.get_by_role(role).evaluate_all(
            "all => all.every(e => e.ariaLabel || e.labels?.length || e.textContent.trim())"
        )
        assert named, (role, nameless.count())


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


# --- what it refuses, and the command -------------------------------------------------------------


def test_what_a_page_cannot_hold_is_refused() -> None:
    model, loss, X, Y, optimizer = moons()
    with pytest.raises(ValueError, match=r"row 1 has the shapes .* all examples have to be alike"):
        ag.playground(model, loss, [X[0], [1.0, 2.0, 3.0]], Y[:2], optimizer)
    with pytest.raises(ValueError, match=r"row 1 holds .* not finite"):
        ag.playground(model, loss, [X[0], [1.0, float("nan")]], Y[:2], optimizer)
    with pytest.raises(ValueError, match="more than a page holds"):
        ag.playground(model, loss, [X[0]] * 5001, [1] * 5001, optimizer)
    with pytest.raises(ValueError, match=r"expected targets -1 and \+1"):
        ag.playground(model, loss, X[:2], [0, 1], optimizer)


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
