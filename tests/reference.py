"""The reference: every public name with its signature, its first line and an example that was run.

`python -m tests.reference` writes `notebooks/reference.md`; a test holds that it is current. The
signatures are read from the running package and not from its text, for the functions of the table
of primitives are made as it loads.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import autograd as ag
from autograd.operators import Symbol, statements
from autograd.primitives import TABLE, Primitive

PAGE = Path(__file__).parents[1] / "notebooks" / "reference.md"

BAR = "\\|"  # a bar within a cell

ROWS = list(TABLE.values())  # before an example adds one

MODULES = ("datasets", "plotting", "exercises", "interop")
"""Public names that hold names themselves."""

GROUPS = {
    "The node": "Value Condition Primitive no_grad stop_gradient first_nonfinite",
    "Derivatives": "grad gradient value_and_gradient jacobian hessian hessian_vector_product jvp "
    "vjp sparse_jacobian sparse_hessian custom check_gradient GradientCheckError",
    "Functions": "abs sign floor ceil round trunc sqrt cbrt square exp expm1 log log1p log2 log10 "
    "sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh sigmoid log_sigmoid relu "
    "softplus erf erfc norm_cdf log_norm_cdf lgamma digamma polygamma xlogy hypot maximum minimum "
    "clip where sum dot mean softmax logsumexp logaddexp take",
    "Models": "Module Neuron Layer MLP",
    "Losses": "mean_squared_error binary_cross_entropy cross_entropy hinge",
    "Descent": "Stepper GradientDescent Adam AdamW RMSprop",
    "Training": "fit batches History Recording",
    "Seeing": "draw Drawing play explain forward_steps backward_steps Step playground",
    "Compiling": "jit jit_step scan to_jax",
    "Solving": "minimize root ConvergenceError",
}

MODEL = """
model = ag.MLP(1, [2, 1], "tanh", seed=0)
X, Y = [[0.0], [1.0]], [0.0, 1.0]
optimizer = ag.Adam(model.parameters(), 0.1)
"""

EXAMPLES = {
    "Value": "x = ag.Value(3.0, 'x')\ny = x * x + 1\ny.backward()\ny.data, x.grad",
    "Condition": "bool(ag.Value(1.0) < 2.0)",
    "Primitive": "import math\n"
    "cube = ag.Primitive('cube', 'cube', lambda x: x * x * x, lambda z, x: 3.0 * x * x)\n"
    "x = ag.Value(2.0)\ncube(x).backward()\nx.grad",
    "no_grad": "with ag.no_grad():\n    y = ag.Value(3.0) * 2.0\n\ny.args",
    "stop_gradient": "x = ag.Value(3.0)\n(x * ag.stop_gradient(x)).backward()\nx.grad",
    "first_nonfinite": "x = ag.Value(0.0)\ny = x.log() + 1.0\nag.first_nonfinite(y).op",
    "grad": "x = ag.Value(2.0)\n(slope,) = ag.grad(x**3, [x])\n(curvature,) = ag.grad(slope, [x])\n"
    "slope.data, curvature.data",
    "gradient": "ag.gradient(lambda x, y: x * y)(2.0, 3.0)",
    "value_and_gradient": "ag.value_and_gradient(lambda p: p[0] * p[1])([2.0, 3.0])",
    "jacobian": "ag.jacobian(lambda p: [p[0] * p[1], p[0]])([2.0, 3.0])",
    "hessian": "ag.hessian(lambda p: p[0] * p[0] * p[1])([2.0, 3.0])",
    "hessian_vector_product": "f = lambda p: p[0] * p[0] * p[1]\n"
    "ag.hessian_vector_product(f)([2.0, 3.0], [1.0, 0.0])",
    "vjp": "value, pull_back = ag.vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)\n"
    "value, pull_back([1.0, 10.0])",
    "jvp": "ag.jvp(lambda p: p[0] * p[1])([2.0, 3.0], [1.0, 0.0])",
    "custom": "x = ag.Value(0.3)\n"
    "step = ag.custom(ag.where(x > 0.0, 1.0, 0.0), [x], [ag.exp(-x * x)])\n"
    "step.backward()\nstep.data, x.grad",
    "minimize": "disk = (lambda x: x[0] ** 2 + x[1] ** 2, None, 1.0)\n"
    "result = ag.minimize(lambda x: (x[0] - 2.0) ** 2 + x[1] ** 2, [0.0, 0.5], constraints=disk)\n"
    "result.reason, round(result.fun, 6)",
    "root": "a = ag.Value(2.0)\nx = ag.root(lambda x, a: x * x - a, 1.0, a)\nx.backward()\n"
    "x.data, a.grad",
    "ConvergenceError": "try:\n    ag.root(lambda x: x * x + 1.0, 1.0)\n"
    "except ag.ConvergenceError as error:\n    print(error.residual)",
    "sparse_jacobian": "J = ag.sparse_jacobian(lambda x: [x[0] * x[1], x[2] ** 2])\n"
    "J.values([1.0, 2.0, 3.0])",
    "sparse_hessian": "H = ag.sparse_hessian(lambda x: x[0] * x[1] + x[2] ** 2)\n"
    "H.structure([1.0, 2.0, 3.0])",
    "check_gradient": "report = ag.check_gradient(lambda x, y: x * y, [0.5, 2.0])\n"
    "[c.verdict for c in report.comparisons]",
    "GradientCheckError": "issubclass(ag.GradientCheckError, AssertionError)",
    "acosh": "ag.acosh(1.5)",
    "logaddexp": "ag.logaddexp(1000.0, 1000.0)",
    "polygamma": "ag.polygamma(1, 0.5)",
    "square": "ag.square(3.0)",
    "xlogy": "ag.xlogy(0.0, 0.0)",
    "where": "x = ag.Value(3.0)\nag.where(x > 0.0, x, 0.0).data",
    "sum": "ag.sum([ag.Value(1.0), 2.0]).data",
    "dot": "ag.dot([1.0, 2.0], [3.0, 4.0])",
    "mean": "ag.mean([1.0, 2.0])",
    "softmax": "ag.softmax([0.0, 0.0])",
    "logsumexp": "ag.logsumexp([0.0, 0.0])",
    "clip": "ag.clip(3.0, 0.0, 1.0)",
    "atan2": "ag.atan2(1.0, 1.0)",
    "hypot": "ag.hypot(3.0, 4.0)",
    "maximum": "ag.maximum(2.0, 3.0)",
    "minimum": "ag.minimum(2.0, 3.0)",
    "Module": "class Line(ag.Module):\n    def __init__(self):\n"
    "        self.slope, self.height = ag.Value(2.0), ag.Value(1.0)\n\n"
    "    def __call__(self, x):\n        return self.slope * x + self.height\n\n"
    "Line().named_parameters()\nLine().predict([1.0, 2.0])",
    "Neuron": "ag.Neuron(2, 'tanh', seed=0)",
    "Layer": "layer = ag.Layer(2, 3, seed=0)\nlen(layer([0.5, -1.0]))",
    "MLP": "model = ag.MLP(2, [16, 16, 1], seed=0)\nmodel\nmodel([0.5, -1.0]).data\n"
    "model.named_parameters()[-1][0]",
    "mean_squared_error": "ag.mean_squared_error([1.0, 2.0], [1.0, 4.0]).data",
    "binary_cross_entropy": "ag.binary_cross_entropy(0.0, 1).data",
    "cross_entropy": "ag.cross_entropy([2.0, 0.0, 0.0], 0).data",
    "hinge": "ag.hinge(0.5, -1).data",
    "Stepper": "from autograd.optim import positive, setting\n\n"
    "class Adagrad(ag.Stepper):\n    initial_state = (0.0,)\n"
    "    learning_rate: float = setting(check=positive, default=0.1)\n"
    "    eps: float = setting(check=positive, default=1e-10)\n\n"
    "    def update(self, weight, gradient, state, coefficients, sqrt):\n"
    "        (total,), (learning_rate, eps) = state, coefficients\n"
    "        total = total + gradient * gradient\n"
    "        return weight - learning_rate * gradient / (sqrt(total) + eps), (total,)\n\n"
    "w = ag.Value(1.0)\n(w * w).backward()\nAdagrad([w]).step()\nround(w.data, 6)",
    "GradientDescent": "w = ag.Value(1.0)\n(w * w).backward()\n"
    "ag.GradientDescent([w], learning_rate=0.25).step()\nw.data",
    "Adam": MODEL + "optimizer",
    "AdamW": MODEL + "ag.AdamW(model.parameters(), 0.1)",
    "RMSprop": MODEL + "ag.RMSprop(model.parameters(), 0.1)",
    "fit": MODEL + "history = ag.fit(model, ag.mean_squared_error, X, Y, optimizer, epochs=50, "
    "progress=False)\nround(history[-1].loss, 6)",
    "batches": "list(ag.batches([[0.0], [1.0], [2.0]], [0, 1, 0], size=2, seed=0))",
    "History": MODEL
    + "history = ag.fit(model, ag.mean_squared_error, X, Y, optimizer, 2, progress=False)\n"
    "history\nhistory[-1].epoch, round(history[-1].loss, 6)",
    "Recording": MODEL
    + "recording = ag.Recording(model)\nhistory = ag.fit(model, ag.mean_squared_error, X, Y, "
    "optimizer, 3, progress=False, callback=recording)\n"
    "[round(weights[0], 6) for weights in recording.snapshots]",
    "draw": "a, b = ag.Value(2.0, 'a'), ag.Value(-3.0, 'b')\nag.draw(a * b)",
    "Drawing": "drawing = ag.draw(ag.Value(2.0, 'a') * 3.0)\ndrawing.dot.splitlines()[0]",
    "play": "a, b = ag.Value(2.0, 'a'), ag.Value(-3.0, 'b')\nag.play(a * b)",
    "explain": "a, b = ag.Value(2.0, 'a'), ag.Value(-3.0, 'b')\nL = a * b\nL.label = 'L'\n"
    "L.backward()\nprint(ag.explain(L, a))",
    "forward_steps": "a = ag.Value(2.0, 'a')\n"
    "for step in ag.forward_steps(a * 3.0):\n    print(step)\n",
    "backward_steps": "a = ag.Value(2.0, 'a')\n"
    "for step in ag.backward_steps(a * 3.0):\n    print(step)\n",
    "Step": "a = ag.Value(2.0, 'a')\n(step,) = ag.backward_steps(a * 3.0)\n"
    "step.arg, step.upstream, step.partial, step.total",
    "playground": MODEL + "ag.playground(model, ag.mean_squared_error, X, Y, optimizer)",
    "take": "rows = [[1.0, 2.0], [3.0, 4.0]]\nag.take(rows, 1)",
    "to_jax": "ag.to_jax.__name__",
    "jit_step": "w = ag.Value(1.0, 'w')\noptimizer = ag.GradientDescent([w], learning_rate=0.25)\n"
    "step = ag.jit_step(lambda x, y: (w * x - y) ** 2, optimizer)\n"
    "step([1.0, 2.0], [2.0, 4.0]), w.data, w.grad",
    "scan": "decay = ag.Value(0.5, 'decay')\n\n"
    "def step(total, x):\n    total = decay * total + x\n    return total, total\n\n"
    "last = ag.jit(lambda xs: ag.scan(step, 0.0, xs)[0])\n"
    "last.backward([[1.0, 2.0, 3.0]]), decay.grad\n"
    "state, totals = ag.scan(step, 0.0, [1.0, 2.0, 3.0])\n[total.data for total in totals]",
    "jit": "square = ag.jit(lambda x: x * x, backend='python')\nsquare([1.0, 2.0, 3.0])",
}


def main() -> None:
    """Write the page."""
    Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).write_text(page(), "utf-8")


def page() -> str:
    """The reference as Markdown."""
    names = [*ag.__all__, "abs", "sum"]
    groups = {
        title: [n for n in members.split() if n in names] for title, members in GROUPS.items()
    }
    placed = {name for members in groups.values() for name in members} | set(MODULES)
    groups["Others"] = [name for name in sorted(names) if name not in placed]
    parts = [
        "# Reference\n\nEvery public name of `import autograd as ag`, with what it is and an "
        "example as it was run. (Written by `python -m tests.reference`.)",
        "\n".join(_index(title, members) for title, members in groups.items() if members)
        + "\n"
        + _index("Modules", [name for name in MODULES if name in names])
        + "\n- [The table of rules](#the-table-of-rules)",
    ]
    for title, members in groups.items():
        if members:
            parts += [f"## {title}", *(_entry(f"ag.{name}", getattr(ag, name)) for name in members)]
    parts += [_module(name) for name in MODULES if name in names]
    parts.append(rules())
    return "\n\n".join(parts) + "\n"


def rules() -> str:
    """The section on the table of primitives."""
    errors = _worst_errors()
    cells = [
        [
            f"`{row.name}`",
            row.symbol,
            _first_line(row),
            _derivatives(row),
            *errors.get(row.name, "––"),
        ]
        for row in ROWS
    ]
    rows = "\n".join(f"| {' | '.join(x.replace('|', BAR) for x in row)} |" for row in cells)
    return f"{RULES}\n{rows}"


RULES = """## The table of rules

Each rule is read with names: z is the result, x and y are the operands (of many, x is one of them).
The last two columns are the worst errors of the first and of the second derivatives in units in the
last place; [rules](rules.md) says where, and how PyTorch and JAX do.

| row | sign | value | derivatives | 1st | 2nd |
|---|---|---|---|---|---|"""

LONGEST_RULE = 60


DIVISION = SimpleNamespace(name="div", key="div", template="{0} / {1}")
"""A quotient as it is written where nobody asks for division by 0."""


class Written(Symbol):
    """A symbol that writes a composite row by its name, and a quotient as a quotient."""

    __slots__ = ()

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Symbol:
        """The operation, whatever it is made of."""
        return Written("", DIVISION if primitive.name == "div" else primitive, args)


def _derivatives(row: Primitive) -> str:
    if row.variadic:
        return {"sum": "`1.0`", "dot": "the other factor"}.get(row.name, "`x / z`")
    shown = []
    for rule in row.partials:
        names = inspect.signature(rule).parameters if rule else ()
        lines, text = statements(rule(*map(Written, names))) if rule else ([], "")
        is_short = not lines and 0 < len(text) <= LONGEST_RULE
        shown.append(f"`{text}`" if is_short else "…" if text else "–")
    return ", ".join(shown)


def _worst_errors() -> dict[str, tuple[str, str]]:
    lines = (PAGE.parent / "rules.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    return {row[0]: (row[2], row[3]) for row in cells if len(row) > 3}


def _index(title: str, names: list[str]) -> str:
    links = ", ".join(f"[`{name}`](#ag{name.lower()})" for name in names)
    return f"- {title}: {links}"


def _entry(name: str, thing: Any) -> str:
    lines = [f"### `{name}`", f"```python\n{name}{_signature(thing)}\n```", _first_line(thing)]
    if inspect.isclass(thing):
        lines.append("\n".join(_members(thing)))
    short = name.removeprefix("ag.")
    example = EXAMPLES.get(short) or _usual_example(short)
    return "\n\n".join(line for line in [*lines, f"```pycon\n{run(example)}```"] if line)


def _usual_example(name: str) -> str:
    if name in TABLE and not TABLE[name].variadic and len(TABLE[name].partials) == 1:
        return f"ag.{name}(0.5)"
    raise LookupError(f"tests/reference.py: give {name} an example in EXAMPLES")


def _members(kind: type) -> Iterator[str]:
    """A line for each attribute, method and property that no public base class has as well."""
    public_bases = [base for base in kind.__mro__[1:] if base.__name__ in dir(ag)]
    attributes = dict(_attributes(kind))
    yield from (f"- `.{name}`: {meaning}" for name, meaning in attributes.items())
    for key in sorted(set(dir(kind)) - set(attributes)):
        member = inspect.getattr_static(kind, key)
        owner = next(base for base in kind.__mro__ if key in vars(base))
        if key.startswith("_") or not owner.__module__.startswith("autograd"):
            continue
        if any(owner in base.__mro__ for base in public_bases):
            continue
        if isinstance(member, property):
            yield f"- `.{key}`: {_first_line(member)}"
        elif isinstance(member, staticmethod):
            yield f"- `.{key}{_signature(member.__func__)}`: {_first_line(member)}"
        elif callable(getattr(kind, key)):
            function = member.__func__ if isinstance(member, classmethod) else member
            yield f"- `.{key}{_signature(function, skip=1)}`: {_first_line(member)}"
    if public_bases:
        yield f"- and what `{public_bases[0].__name__}` has"


def _attributes(kind: type) -> Iterator[tuple[str, str]]:
    """The attributes that the class's description has in a section, and what it says of each."""
    section = re.search(
        r"^Attributes:\n((?:    .*\n?|\n)+)", inspect.cleandoc(kind.__doc__ or ""), re.M
    )
    for names, meaning in re.findall(
        r"^    (\w[\w, ]*): ((?:.+\n?(?:     .*\n?)*))", section[1] if section else "", re.M
    ):
        yield names, " ".join(meaning.split())


def _module(name: str) -> str:
    package = getattr(ag, name)
    entries = [
        f"- `ag.{name}.{key}{_signature(thing)}`: {_first_line(thing)}"
        for key, thing in _public(package)
    ]
    return "\n\n".join([f"## `ag.{name}`", _first_line(package), "\n".join(entries)])


def _public(package: Any) -> Iterator[tuple[str, Any]]:
    """The public things of a module, and those of the modules among them."""
    for key in sorted(getattr(package, "__all__", [])):
        thing = getattr(package, key)
        if inspect.ismodule(thing):
            yield from ((f"{key}.{inner}", member) for inner, member in _public(thing))
        else:
            yield key, thing


def _signature(thing: Any, skip: int = 0) -> str:
    if not callable(thing):
        return ""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(…)"
    parameters = []
    star = False
    for name, p in list(signature.parameters.items())[skip:]:
        if p.kind is p.KEYWORD_ONLY and not star:
            parameters.append("*")
        star = star or p.kind in (p.KEYWORD_ONLY, p.VAR_POSITIONAL)
        sign = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        text = sign + name
        if p.annotation is not p.empty:
            text += f": {_type(p.annotation)}"
        if p.default is not p.empty:
            default = p.default if isinstance(p.default, str | int | float | bool | tuple) else None
            text += f" = {default!r}" if p.annotation is not p.empty else f"={default!r}"
        parameters.append(text)
    returned = signature.return_annotation
    is_plain = returned in (signature.empty, None, "None") or inspect.isclass(thing)
    return f"({', '.join(parameters)})" + ("" if is_plain else f" -> {_type(returned)}")


def _type(annotation: Any) -> str:
    annotation = getattr(annotation, "__forward_arg__", annotation)  # as of a NamedTuple's field
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:typing|collections\.abc|autograd(?:\.\w+)*)\.(?=\w)", "", text)


def _first_line(thing: Any) -> str:
    doc = inspect.getdoc(thing) or ""
    return " ".join(doc.partition("\n\n")[0].split())


def run(program: str) -> str:
    """The program as it would stand in an interactive session, with what it prints."""
    names: dict[str, Any] = {"ag": ag}
    session = []
    program = program.strip()
    for statement in ast.parse(program).body:
        first, *others = (ast.get_source_segment(program, statement) or "").splitlines()
        source = "\n".join([f">>> {first}", *(f"... {line}".rstrip() for line in others)])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(ast.Interactive([statement]), "<example>", "single"), names)
        end = "\n..." if others else ""
        session.append(f"{source}{end}\n{printed.getvalue()}")
    return "".join(session)


if __name__ == "__main__":
    main()
