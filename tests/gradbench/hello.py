"""`hello`: x² and its derivative, to see that the protocol works."""

from __future__ import annotations

from typing import Any

import autograd as ag
from tests.gradbench.function import Function


def of_square(x: Any) -> Any:
    return x * x


square = Function(lambda x: lambda: of_square(x))
double = Function(lambda x: lambda: ag.gradient(of_square)(x))
