"""Runs GradBench's own evals against this tool, and prints a line for each evaluation.

    python -m tests.gradbench.drive CHECKOUT "lse -n 2500" saddle

CHECKOUT is a working tree of github.com/gradbench/gradbench, whose evals need the packages numpy,
scipy, pydantic and dataclasses-json. Most evals compare with the tool `manual` in C++, which has to
be compiled first (`make -C tools/manual`, with nlohmann's json.hpp). A line says whether the eval
found the output valid, the time of the first run, and the best of the others.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import readable

ROOT = Path(__file__).parents[2]


def started(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    paths = [str(ROOT), str(folder / "python" / "gradbench")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes)


def answer(tool: subprocess.Popen[str], message: str, limit: float) -> str:
    """The tool's reply, or "" if it is late, for which it is ended."""
    assert tool.stdin is not None
    assert tool.stdout is not None
    timer = threading.Timer(limit, tool.kill)
    timer.start()
    tool.stdin.write(message)
    tool.stdin.flush()
    line = tool.stdout.readline()
    timer.cancel()
    return line


def drive(checkout: Path, name: str, options: list[str], limit: float) -> int:
    """How many evaluations of an eval failed."""
    script = f"python/gradbench/gradbench/evals/{name}/run.py"
    tool, judge = (
        started(["-m", "tests.gradbench"], checkout),
        started([script, *options], checkout),
    )
    assert judge.stdin is not None
    assert judge.stdout is not None
    failed, told = 0, ""
    try:
        for line in judge.stdout:
            message = json.loads(line)
            began = time.monotonic()
            reply = answer(tool, line, limit)
            if not reply:
                print(f"{title(name, message)}: ended after {time.monotonic() - began:.0f} s")
                return failed + 1
            found = json.loads(reply)
            if message["kind"] == "evaluate":
                told = f"{title(name, message)}: {summary(found)}"
                failed += not found["success"]
                if not found["success"]:
                    print(told)
            elif message["kind"] == "analysis":
                failed += not message["valid"]
                print(told, "VALID" if message["valid"] else f"INVALID {message['error']:.300}")
            sys.stdout.flush()
            judge.stdin.write(reply)
            judge.stdin.flush()
    finally:
        tool.kill()
        judge.kill()
    return failed


def title(name: str, message: dict[str, Any]) -> str:
    parts = (name, message.get("function"), message.get("description"))
    return " ".join(filter(None, parts))


def summary(reply: dict[str, Any]) -> str:
    if not reply["success"]:
        return "error: " + reply["error"].strip().splitlines()[-1]
    first, *others = (timing["nanoseconds"] / 1e9 for timing in reply["timings"])
    best = readable(min(others)) if others else "–"
    return f"first {readable(first)}, best {best}"


def main() -> int:
    """Drive the evals named in the command line; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.gradbench.drive", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a working tree of GradBench")
    parser.add_argument("evals", nargs="+", help='an eval, with options of its own: "lse -n 2500"')
    parser.add_argument("--limit", type=float, default=200.0, help="seconds for one evaluation")
    arguments = parser.parse_args()
    commands = [shlex.split(command) for command in arguments.evals]
    failed = [drive(arguments.checkout, *split(command), arguments.limit) for command in commands]
    return int(any(failed))


def split(command: list[str]) -> tuple[str, list[str]]:
    name, *options = command
    return name, options


if __name__ == "__main__":
    sys.exit(main())
