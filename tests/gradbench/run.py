"""GradBench's protocol: a JSON message a line comes in, a reply a line goes out."""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from tests.gradbench.function import Function

EVALS = (
    *("hello", "llsq", "lse", "ode", "kmeans", "gmm"),
    *("ba", "ht", "lstm", "det", "saddle", "particle"),
)
"""The evals that this tool has a module for."""


def module_of(name: str) -> ModuleType:
    """The module of an eval. Raises LookupError if there is none."""
    if name not in EVALS:
        raise LookupError(f"no module {name!r}; there are {', '.join(EVALS)}")
    return importlib.import_module(f"tests.gradbench.{name}")


def function_of(module: str, name: str) -> Function:
    """A function of an eval. Raises LookupError if there is none."""
    found = vars(module_of(module)).get(name)
    if not isinstance(found, Function):
        raise LookupError(f"module {module!r} has no function {name!r}")
    return found


def reply(message: dict[str, Any]) -> dict[str, Any]:
    """What the tool says to one message; an error is told, and does not end the tool."""
    answer: dict[str, Any] = {"id": message["id"]}
    try:
        match message["kind"]:
            case "start":
                answer |= {"tool": "scalar-autograd"}
            case "define":
                module_of(message["module"])
                answer |= {"success": True}
            case "evaluate":
                function = function_of(message["module"], message["function"])
                answer |= {"success": True} | function.evaluate(message["input"])
    except Exception as error:
        answer |= {"success": False, "error": "".join(traceback.format_exception(error))}
    return answer


def serve(lines: Iterable[str]) -> Iterator[str]:
    """A reply for each message, until there are no more or one says that it is the last."""
    for line in lines:
        message = json.loads(line)
        if message["kind"] == "end":
            return
        yield json.dumps(reply(message))


def main() -> None:
    """Serve standard input until it ends."""
    for line in serve(sys.stdin):
        print(line, flush=True)
