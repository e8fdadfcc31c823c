"""The playground in which data and network are chosen: every choice trains as `fit` does."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import autograd as ag
from autograd.__main__ import main
from autograd.viz.playground import Choices, choices
from tests.test_playground import LEARNS, press, steps

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Choices().save(tmp_path_factory.mktemp("choices") / "page.html")


def choose(page: Any, **wanted: Any) -> None:
    for name, value in wanted.items():
        page.get_by_label(name.replace("_", " "), exact=True).select_option(str(value))


def sow(page: Any, seed: int) -> None:
    field = page.get_by_label("Seed", exact=True)
    field.fill(str(seed))
    field.press("Tab")


def network_of(widths: tuple[int, ...], activation: str, seed: int) -> ag.MLP:
    return ag.MLP(2, [*widths, 1], activation=activation, seed=seed)


def trained(
    model: ag.MLP, X: Any, Y: Any, penalty: str, n_epochs: int, batch_size: int | None, seed: int
) -> list[float]:
    """The losses of the epochs in Python."""
    l1, l2 = choices.PENALTIES[penalty]
    history = ag.fit(
        *(model, ag.binary_cross_entropy, X, Y, ag.Adam(model.parameters(), 0.03)),
        epochs=n_epochs,
        batch_size=batch_size,
        penalty=lambda parameters: choices.penalty(parameters, l1, l2),
        seed=seed,
        compiled=True,
        progress=False,
    )
    return [row.loss for row in history]


CHOSEN: list[tuple[Any, ...]] = [
    (network, activation, *others)
    for (network, activation), *others in zip(
        itertools.product(choices.NETWORKS, choices.ACTIVATIONS),
        itertools.cycle(choices.DATA),
        itertools.cycle(choices.NOISES),
        itertools.cycle(choices.PENALTIES),
        itertools.cycle((10, 30, 50)),
    )
]


def test_every_network_and_activation_trains_as_in_python(open_page: Open, built: Path) -> None:
    pytest.importorskip("llvmlite")
    page = open_page(built)
    for seed, (widths, activation, data, noise, penalty, held) in enumerate(CHOSEN):
        wanted = {"data": data, "noise": f"{noise:g}", "held": held, "penalty": penalty}
        wanted |= {"network": choices.NETWORKS.index(widths), "activation": activation}
        page.goto(f"{built.as_uri()}?{urlencode(wanted | {'seed': seed})}")
        X, Y = choices.examples(data, noise)
        n = choices.N_EXAMPLES * (100 - held) // 100
        model = network_of(widths, activation, seed)
        start = [p.data for p in model.parameters()]
        numbers = page.evaluate(f"Array.from({LEARNS}.numbers)")
        assert sorted(numbers[:-2] + numbers[-2:]) == sorted(
            [*start, *choices.PENALTIES[penalty]]
        ), "the weights of the seed, to the last bit"
        losses, _ = steps(page, 8)
        expected = trained(model, X[:n], Y[:n], penalty, 8, None, seed)
        assert losses == pytest.approx(expected, rel=1e-9), (widths, activation, data)


@pytest.mark.parametrize("penalty", choices.PENALTIES)
def test_every_penalty_and_the_batches_are_those_of_python(
    open_page: Open, built: Path, penalty: str
) -> None:
    pytest.importorskip("llvmlite")
    page = open_page(built)
    choose(page, Network=1, Held_out=50)
    page.get_by_text("32", exact=True).click()
    sow(page, 5)
    choose(page, Regularization=penalty)
    X, Y = choices.examples("moons", 0.1)
    model = network_of((4,), "tanh", 5)
    _, numbers = steps(page, 4 * 30)
    trained(model, X[:100], Y[:100], penalty, 30, 32, 5)
    found = [p.data for p in model.parameters()]
    strengths = choices.PENALTIES[penalty]
    assert sorted(numbers) == pytest.approx(sorted([*found, *strengths]), rel=1e-9, abs=1e-12)


@pytest.mark.slow
def test_the_data_are_those_of_python_and_the_page_is_small(built: Path) -> None:
    html = built.read_text(encoding="utf-8")
    assert len(html.encode()) < 400_000
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    told = json.loads(text)
    for name, noise in itertools.product(choices.DATA, choices.NOISES):
        X, Y = choices.examples(name, noise)
        assert told["data"][name][f"{noise:g}"] == [
            z for x, y in zip(X, Y, strict=True) for z in (*x, y)
        ]
    X, Y = ag.datasets.moons(choices.N_EXAMPLES, 0.1)
    rounded = sorted(([round(z, 3) for z in x], y) for x, y in zip(X, Y, strict=True))
    assert sorted(zip(*choices.examples("moons", 0.1), strict=True)) == rounded


def test_numbers_are_drawn_as_python_draws_them(open_page: Open, built: Path) -> None:
    page = open_page(built)
    for seed in (0, 1, 2**31, 2**32 - 1):
        sow(page, seed)
        weights = page.evaluate(f"Array.from({LEARNS}.numbers)")
        assert set(weights) >= {p.data for p in network_of((8, 8), "tanh", seed).parameters()}
    press(page, "New weights")
    assert page.get_by_label("Seed", exact=True).input_value() == str(2**32)


def test_settings_are_kept_when_another_model_is_opened(open_page: Open, built: Path) -> None:
    page = open_page(built)
    page.get_by_text("Momentum 0.9", exact=True).click()
    page.get_by_role("slider", name="Learning rate").press("End")
    page.get_by_text("fast", exact=True).click()
    press(page, "Train")
    choose(page, Data="spirals", Network=5)
    page.wait_for_function(f"{LEARNS}.steps > 3")
    press(page, "Pause")
    assert page.get_by_label("Momentum 0.9").is_checked()
    assert page.get_by_label("fast").is_checked()
    assert page.get_by_role("slider", name="Learning rate").get_attribute("aria-valuetext") == "10"
    assert page.locator(".work").count() == 1
    assert page.locator(".net button").count() == 2 + 6 + 6 + 6 + 1


def test_regularization_changes_the_objective_while_training(open_page: Open, built: Path) -> None:
    page = open_page(built)
    say = page.locator(".say")
    steps(page, 20)
    press(page, "Step")
    assert "penalty" not in say.inner_text()
    choose(page, Regularization="L2 0.1")
    loss, penalty, objective = (float(x) for x in re.findall(r"\d\.\d+", say.inner_text())[:3])
    assert penalty > 0.0
    assert loss + penalty == pytest.approx(objective, rel=0.01)
    assert "The objective as a function of" in page.locator(".detail").inner_text()
    assert page.evaluate(f"{LEARNS}.steps") == 21


def test_examples_of_ones_own_are_typed_and_clicked(open_page: Open, built: Path) -> None:
    page = open_page(built)
    choose(page, Data="own", Held_out=0)
    field = page.get_by_label("Your examples: x, y, class")
    rows = [(0.5, 0.25, 1), (-0.5, 0.0, 0), (0.75, -1.0, 1)]
    field.fill("\n".join(f"{x}, {y}, {k}" for x, y, k in rows))
    field.press("Tab")
    losses, _ = steps(page, 6)
    model = network_of((8, 8), "tanh", 0)
    X, Y = [[x, y] for x, y, _ in rows], [k for *_, k in rows]
    assert losses == pytest.approx(trained(model, X, Y, "none", 6, None, 0), rel=1e-9)
    field.fill("0.5, nonsense, 1")
    field.press("Tab")
    assert (
        "Example 1 is “0.5, nonsense, 1”; expected x, y, class" in page.locator(".own").inner_text()
    )
    page.locator(".plane").click()  # in the middle
    assert len(field.input_value().split("\n")) == 4
    assert field.input_value().endswith(", 1")
    x, y, _ = map(float, field.input_value().split("\n")[-1].split(","))
    assert abs(x) < 0.3
    assert abs(y) < 0.3


def test_nothing_overflows(open_page: Open, built: Path) -> None:
    page = open_page(built, color_scheme="dark")
    choose(page, Data="own")
    for width in (320, 390, 640, 800, 1024, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_the_command_without_data_writes_this_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["playground", "--output", "mine.html"]) == 0
    assert "Regularization" in Path("mine.html").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["playground", "--hidden", "4"])
    assert "--hidden needs a data set" in capsys.readouterr().err
