"""Taking turns, medians, and a table to print."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

Clock = Callable[[], float]

Steps = Callable[[int], object]
"""Does a workload the given number of times in a row."""


def seconds(steps: Steps, count: int, clock: Clock = time.perf_counter) -> float:
    """What the clock says of `count` steps, after one that is not counted.

    So everybody meets the garbage that its own steps leave behind, as in a long run, and nobody
    that of the contestant before.
    """
    gc.collect()
    steps(1)
    start = clock()
    steps(count)
    return clock() - start


def in_turns(
    contestants: Mapping[str, Steps],
    *,
    rounds: int = 7,
    budget: float = 0.1,
    clock: Clock = time.perf_counter,
) -> dict[str, float]:
    """The median seconds per step of each contestant.

    Every round gives each of them a turn of about `budget` seconds, so that whatever else the
    machine does meanwhile meets all alike. The first, calibrating turns also warm them up. Where
    all are plain Python, `time.process_time` as the clock leaves the machine's other work out.
    """
    counts = {name: _calibrated(steps, budget) for name, steps in contestants.items()}
    turns: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, steps in contestants.items():
            turns[name].append(seconds(steps, counts[name], clock) / counts[name])
    return {name: statistics.median(times) for name, times in turns.items()}


def _calibrated(steps: Steps, budget: float) -> int:
    count = 1
    while (taken := seconds(steps, count)) < budget / 10.0:
        count *= 4
    return max(1, round(count * budget / taken))


def repeated(step: Callable[[], object]) -> Steps:
    """A loop of Python around a single step."""

    def steps(count: int) -> None:
        for _ in range(count):
            step()

    return steps


def without_startup(steps: Steps, count: int) -> float:
    """Seconds per step of something that first has to compile: the slope between two lengths."""
    shorter, longer = (seconds(steps, n) for n in (count, 5 * count))
    return (longer - shorter) / (4 * count)


def peak_memory() -> int:
    """The most memory that this process has ever had resident, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` would be that of the parent process, where it was larger
        lines = status.read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def readable(duration: float) -> str:
    """A duration with three digits and its unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if duration >= size:
            return f"{duration / size:.3g} {unit}"
    return f"{duration / 1e-9:.3g} ns"


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as they need, the first to the left and the others to the right."""
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\n{title}\n")
    for i, line in enumerate(lines):
        first, *others = (
            cell.ljust(w) if k == 0 else cell.rjust(w)
            for k, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        print("  " + "   ".join([first, *others]))
        if i == 0:
            print("  " + "   ".join("-" * width for width in widths))
    sys.stdout.flush()


def machine() -> str:
    """One line on what the numbers were measured with."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(": ")[2] if names else cpu
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}"


def version(package: str) -> str:
    """The installed version of a package, for the table."""
    return importlib.metadata.version(package)
