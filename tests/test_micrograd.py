"""Someone who knows micrograd changes the import, and gets the published numbers."""

from __future__ import annotations

import pytest

import autograd as ag
from autograd import Value
from tests import micrograd_demo as demo


def test_the_example_of_its_readme() -> None:
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_the_neuron_of_its_lecture() -> None:
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2 = Value(-3.0, "w1"), Value(1.0, "w2")
    b = Value(6.8813735870195432, "b")
    n = x1 * w1 + x2 * w2 + b
    o = n.tanh()
    o.backward()
    assert o.data == pytest.approx(0.7071067811865476, rel=1e-15)
    grads = [v.grad for v in (n, b, x1, w1, x2, w2)]
    assert grads == pytest.approx([0.5, 0.5, -1.5, 1.0, 0.5, 0.0], rel=1e-15)


def test_the_lectures_tanh_taken_apart() -> None:
    n = Value(0.8813735870195432)
    e = (2 * n).exp()
    o = (e - 1) / (e + 1)
    o.backward()
    assert o.data == pytest.approx(0.7071067811865476, rel=1e-15)
    assert n.grad == pytest.approx(0.5, rel=1e-15)


@pytest.mark.slow
def test_its_demo_ends_at_the_published_loss() -> None:
    pytest.importorskip("numpy", reason="NumPy draws the demo's moons")
    X, Y = demo.moons()
    model = ag.MLP(2, [16, 16, 1])
    for p, weight in zip(model.parameters(), demo.initial_weights(), strict=True):
        p.data = weight
    assert demo.accuracy(model, X, Y) == demo.FIRST_ACCURACY
    losses = [demo.step(Value, model, X, Y, k) for k in range(demo.STEPS)]
    assert losses[0] == pytest.approx(demo.FIRST_LOSS, rel=1e-15)
    assert f"{losses[-1]:.15g}" == str(demo.LAST_LOSS)
    assert demo.accuracy(model, X, Y) == demo.LAST_ACCURACY


def test_the_demo_starts_where_micrograd_does() -> None:
    nn = pytest.importorskip("micrograd.nn", reason="micrograd (extra `bench`) is not installed")
    sklearn = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed")
    import random

    random.seed(demo.SEED)
    numpy.random.seed(demo.SEED)
    X, Y = sklearn.make_moons(n_samples=100, noise=0.1)
    assert (X.tolist(), (Y * 2 - 1).tolist()) == demo.moons()
    model = nn.MLP(2, [16, 16, 1])
    assert [p.data for p in model.parameters()] == demo.initial_weights()
