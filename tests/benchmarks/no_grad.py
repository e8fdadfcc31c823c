"""What it costs an operation that `no_grad` exists: the engine beside itself without the question.

The engine's source is compiled a second time with the lines taken out that ask whether this thread
records. Also shown: what is saved inside the block.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import autograd as ag
from autograd import value
from tests.benchmarks.measure import in_turns, print_table, readable, repeated

QUESTION = re.compile(
    r"^ +if recording\.open_pauses and recording\.is_paused\(\):\n +return Value\(z\)\n", re.M
)
OPERATIONS = 2_000


def engine_without_the_question() -> ModuleType:
    """The module `value` as it would be if there were no `no_grad`."""
    source, count = QUESTION.subn("", Path(value.__file__).read_text(encoding="utf-8"))
    if count < 3:
        raise RuntimeError("no_grad: the engine asks in another way now; update QUESTION")
    module = ModuleType("value_without_no_grad")
    exec(compile(source, "value_without_no_grad", "exec"), module.__dict__)
    return module


def forward(leaf: Any, operations: int = OPERATIONS) -> Any:
    """A chain of products and sums."""
    node = leaf
    for _ in range(operations // 2):
        node = node * leaf + leaf
    return node


def run(title: str) -> None:
    """Measure and print."""
    ours, bare = value.Value(0.5), engine_without_the_question().Value(0.5)

    def in_the_block(count: int) -> None:
        with ag.no_grad():
            for _ in range(count):
                forward(ours)

    medians = in_turns(
        {
            "without support of no_grad": repeated(lambda: forward(bare)),
            "recorded": repeated(lambda: forward(ours)),
            "inside no_grad": in_the_block,
        },
        rounds=15,
        clock=time.process_time,
    )
    base = medians["without support of no_grad"]
    rows = [
        (name, readable(s / OPERATIONS), f"{100.0 * (s / base - 1.0):+.1f} %")
        for name, s in medians.items()
    ]
    print_table(title, ("", "CPU time of an operation", "difference"), rows)
