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
    rest = {
        "at a kink": kinks,
        "too small to tell": len(comparisons) - len(told) - kinks,
        f"more not checked within {CHECK_SECONDS:g} s": len(parameters) - len(comparisons),
    }
    worst = max((comparison.relative_error for comparison in told), default=0.0)
    return (
        f"check: {len(told)} of {len(comparisons)} partial derivatives of the mean loss agree with "
        f"central differences over {len(examples)} examples, relative error {worst:.0e} at most"
        + "".join(f", {count} {what}" for what, count in rest.items() if count)
    )
