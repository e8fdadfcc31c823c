"""`train --check`: compares the gradient of the trained network with finite differences."""

from __future__ import annotations

import random
import time

from autograd import functions
from autograd.cli.learner import Learner
from autograd.gradcheck import Comparison, GradientCheckError, check_gradient
from autograd.value import Value

CHECK_SECONDS = 2.0
CHECK_EXAMPLES = 5

TOO_SMALL_TO_TELL = 1e-4
"""Beyond this relative error a derivative passes only because it is close to 0, where rounding
leaves a difference no digit that counts."""


def checked(learner: Learner, which: str) -> str:
    """How the gradient of the mean loss compares with central differences.

    All parameters and examples, or as many parameters as there is time for, and a few examples.
    """
    from tqdm import tqdm

    rng = random.Random(learner.settings.seed)
    examples = list(zip(learner.X, learner.Y, strict=True))
    parameters = learner.model.parameters()
    if which == "sample":
        examples = rng.sample(examples, min(CHECK_EXAMPLES, len(examples)))
        parameters = rng.sample(parameters, len(parameters))

    def mean_loss() -> Value:
        return functions.mean([learner.loss(learner.model(x), y) for x, y in examples])

    comparisons: list[Comparison] = []
    began = time.monotonic()
    batch = 4 if which == "sample" else 16
    with tqdm(total=len(parameters), desc="checking", unit="derivative", leave=False) as bar:
        for i in range(0, len(parameters), batch):
            try:
                comparisons += check_gradient(mean_loss, parameters[i : i + batch]).comparisons
            except GradientCheckError as error:
                return str(error)
            bar.update(batch)
            if which == "sample" and time.monotonic() > began + 0.9 * CHECK_SECONDS:
                break
    told = [c for c in comparisons if c.verdict == "ok" and c.relative_error <= TOO_SMALL_TO_TELL]
    kinks = sum(comparison.verdict == "kink" for comparison in comparisons)
    small = len(comparisons) - len(told) - kinks
    n = len(parameters)
    n_checked = min(i + batch, n)
    agree = f"all {n}" if len(told) == n else f"{len(told) or 'none'} of the {n}"
    share = f"{agree} partial derivatives of the mean loss agree"
    if n_checked < n:  # there was no more time
        agree = "all" if len(told) == n_checked else f"{len(told) or 'none'} of them"
        share = (
            f"{n_checked} of the {n} partial derivatives of the mean loss were checked in "
            f"{CHECK_SECONDS:g} s, and {agree} agree"
        )
    worst = max((comparison.relative_error for comparison in told), default=0.0)
    return (
        f"check: {share} with central differences over {len(examples)} examples, "
        f"relative error {worst:.0e} at most"
        f"{f', {kinks} at a kink' if kinks else ''}"
        f"{f', {small} too small to tell' if small else ''}"
    )
