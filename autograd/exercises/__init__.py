"""Exercises that check themselves: `check` says whether an answer is right, and if not, why.

    >>> check("1.1", dz_dx=4, dz_dy=3)
    Not yet. 4 is the contribution of one path. x is used more than once; add all paths.

An exercise is known by the number of its notebook and its own. Its answers are computed, mostly by
the engine itself; the usual mistakes are computed as well, so that the reply names the mistake.
"""

from autograd.exercises import questions, thirty_lines  # noqa: F401 - each registers its exercises
from autograd.exercises.grading import Reply, check

__all__ = ["Reply", "check"]
