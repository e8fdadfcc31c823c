"""`python -m tests.benchmarks` runs every section, `python -m tests.benchmarks NAME …` some."""

from __future__ import annotations

import argparse
import importlib

from tests.benchmarks.measure import machine

SECTIONS = {
    "demo_step": "one training step of micrograd's demo, eager, beside micrograd",
    "large_graph": "a graph of 10⁴, 10⁵, 10⁶ operations: time and memory of a node",
    "eager": "recording and backward pass, beside the smallest Value there is",
    "programs": "programs of many sizes compiled and run, beside JAX by hand",
    "gpt_training": "a scalar GPT trained on a thousand names, compiled and eager",
    "rules": "the worst error of every rule in ulp, beside PyTorch and JAX",
    "finite_differences": "the demo's gradient by central differences, beside one backward pass",
    "nested": "a gradient through a path with a gradient at every step; jvp beside gradient",
    "scan": "long loops recorded once, beside the same unrolled and lax.scan of JAX",
    "no_grad": "what the support of no_grad costs an operation",
    "compiled": "the demo's training step compiled, beside NumPy, PyTorch, JAX, CasADi and C",
    "compile_time": "how long a graph takes to compile",
    "digits": "the handwritten digits trained to 96 %, beside PyTorch",
    "tables": "public tables learned with the defaults of `train`, beside scikit-learn",
    "sparse": "sparse Jacobians and Hessians of models, beside CasADi and dense JAX",
    "gradbench": "the twelve problems of GradBench: first call and best time",
    "small_graphs": "micrograd's README expression at a million inputs",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    chosen = parser.parse_args().sections or list(SECTIONS)
    if unknown := [name for name in chosen if name not in SECTIONS]:
        parser.error(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    print(machine())
    for name in chosen:
        importlib.import_module(f"tests.benchmarks.{name}").run(SECTIONS[name])


if __name__ == "__main__":
    main()
