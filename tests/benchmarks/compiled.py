"""The demo's training step, full batch, by everyone: ours compiled, its peers, and C as the limit.

Before anything is timed, all have to agree on the gradient at the first weights.
"""

from __future__ import annotations

import importlib

from tests import micrograd_demo as demo
from tests.benchmarks.measure import in_turns, print_table, readable, without_startup
from tests.benchmarks.peers import Contestant, PeerMissingError, Problem

PEERS = ("micrograd", "ours", "numpy_by_hand", "pytorch", "jax", "casadi", "c_by_hand")
STEPS_AFTER_STARTUP = 20_000


def run(title: str) -> None:
    """Measure and print."""
    X, Y = demo.moons()
    problem = Problem(X, Y, demo.initial_weights())
    contestants: dict[str, Contestant] = {}
    missing: dict[str, str] = {}
    for peer in PEERS:
        try:
            module = importlib.import_module(f"tests.benchmarks.peers.{peer}")
            contestants.update(module.contestants(problem))
        except (ImportError, PeerMissingError) as reason:
            missing[peer] = str(reason)

    gradients = {name: contestant.gradient() for name, contestant in contestants.items()}
    reference = gradients["autograd eager"]
    errors = {
        name: max(abs(g - r) for g, r in zip(gradient, reference, strict=True))
        for name, gradient in gradients.items()
    }
    disagreeing = [name for name, error in errors.items() if not error < 1e-12]
    if disagreeing:
        raise RuntimeError(f"{title}: {disagreeing} compute another gradient: {errors}")

    steady = {name: c.steps for name, c in contestants.items() if not c.has_startup}
    medians = in_turns(steady, rounds=7)
    for name, contestant in contestants.items():
        if contestant.has_startup:
            medians[name] = without_startup(contestant.steps, STEPS_AFTER_STARTUP)
    limit = min(medians.values())
    rows = [
        (name, readable(s), f"{s / limit:,.1f}", f"{errors[name]:.0e}")
        for name, s in sorted(medians.items(), key=lambda item: -item[1])
    ]
    rows += [(peer, "missing", "", reason) for peer, reason in missing.items()]
    print_table(title, ("", "time of a step", "times the limit", "gradient off by"), rows)
