"""Training without coming back to Python: gradient, update, gradient, update, in machine code.

Two programs are compiled, and neither knows of the other. One finds the mean gradient of a batch,
as everywhere in this package. The other is the stepper's rule, which maps over the parameters as
any compiled function maps over examples. Only the loop that joins them is written here, once for
all of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, cast

from autograd.compiler.columns import read_columns
from autograd.compiler.jit import executable
from autograd.compiler.machine import LINE, Machine, MachineCode, address, describe
from autograd.compiler.rolling import lower
from autograd.compiler.trace import gradient_of, leaves_of, trace, trace_rule
from autograd.optim import Stepper
from autograd.value import Operand, Value

if TYPE_CHECKING:
    from llvmlite import ir


class CompiledTraining:
    """Steps of a stepper on a set of examples, taken in machine code.

    Args:
        objective: takes one example, an argument for each column, and returns a list: first what
            is to be lowered in the mean, then what else is to be measured in passing.
        columns: the examples.
        stepper: moves those of its parameters that the objective reaches, and leaves the others.

    Attributes:
        moved: the indices of the parameters that are moved.

    Raises:
        TypeError: if the rule does not return a weight and as many numbers of state as it is given.
    """

    def __init__(
        self,
        objective: Callable[..., list[Operand]],
        columns: Sequence[object],
        stepper: Stepper,
    ) -> None:
        self._stepper = stepper
        self._columns = read_columns(columns)
        recorded = trace(objective, [column.shape for column in self._columns])
        reached = set(leaves_of(recorded.outputs[0]))
        self.moved = [i for i, p in enumerate(stepper.parameters) if p in reached]
        parameters = [cast(Value, stepper.parameters[i]) for i in self.moved]
        slopes, _ = gradient_of(recorded.outputs[0], parameters)
        outputs = [*recorded.outputs, *slopes]
        gradient = lower(recorded.inputs, outputs, is_batch=True, leaves=parameters)
        update, settings = trace_rule(stepper)
        new_weight, *new_state = update.outputs
        rule = lower(update.inputs, [*new_state, new_weight], is_batch=False)
        self._used = [settings.index(leaf) for leaf in rule.leaves]
        self._other_leaves = gradient.leaves[len(parameters) :]
        self._n_measures = len(recorded.outputs)
        self._gradient = cast(Machine, executable(gradient, "llvm"))
        self._update = cast(Machine, executable(rule, "llvm"))
        # The numbers of state of all parameters, each row one after the other, then their weights,
        # then what else the gradient depends on: before a step, and after it.
        n, self._width = len(parameters), len(stepper.states[0]) + 1
        length = n * self._width + len(self._other_leaves)
        self._tables = [array("d", bytes(8 * length)) for _ in range(2)]
        self._inputs = describe(self._columns)

    def steps(
        self,
        counts: Sequence[int],
        order: Sequence[int] | None,
        coefficients: Sequence[Sequence[float]],
    ) -> list[list[float]]:
        """Take a step for each count, on that many examples, starting from the stepper's weights.

        It ends before a step in which a gradient, a measure, a new weight or its state would not
        be finite; and takes none if the objective reaches no parameter.

        Args:
            counts: how many examples each step takes.
            order: the examples of the first step, those of the second, and so on; None if every
                step takes all of them as they are.
            coefficients: those of the stepper for each step, or once for all of them.

        Returns:
            for each number that the objective returns, its means over the batches of the steps
            that were taken.
        """
        if not self.moved:
            return [[] for _ in range(self._n_measures)]
        self._load()
        rows = array("d", bytes(8 * self._n_measures * len(counts)))
        settings = array("d", [row[i] for row in coefficients for i in self._used])
        settings *= len(counts) if len(coefficients) == 1 else 1
        sizes, ordered = array("q", counts), array("q", order or ())
        n, first_weight = len(self.moved), len(self.moved) * (self._width - 1)
        with self._gradient.memory(max(counts)) as gradient, self._update.memory(n) as update:
            gradient.prepare(0, self._inputs, 0, 0, 0)
            tables = [address(table) for table in self._tables]
            slopes = gradient.results + 8 * self._n_measures
            columns = [_inputs(table, self._width, n, slopes) for table in tables]
            update.prepare(0, columns[0], 0, n, 0)
            frame = array("q", bytes(8 * len(FRAME)))
            given = {
                "run_gradient": gradient.code.address,
                "gradient": address(gradient.frame),
                "run_update": update.code.address,
                "update": address(update.frame),
                "n_steps": len(counts),
                "counts": address(sizes),
                "order": address(ordered) if order is not None else 0,
                "stays": order is None and max(counts) <= gradient.layout.chunk,
                "coefficients": address(settings),
                "n_coefficients": len(self._used),
                "rows": address(rows),
                "n_measures": self._n_measures,
                "results": gradient.results,
                "n_parameters": n,
                "n_state": first_weight,
                "table": tables[0],
                "columns": address(columns[0]),
                "new_table": tables[1],
                "new_columns": address(columns[1]),
            }
            for i, name in enumerate(FRAME):
                frame[i] = int(given.get(name, 0))
            _loop()(frame)
            n_taken = frame[FRAME.index("n_taken")]
            slopes_found = gradient.totals()[self._n_measures :]
        table = self._tables[n_taken % 2]
        try:
            self._store(table, slopes_found)
        except KeyboardInterrupt:
            self._store(table, slopes_found)  # from the start: no step is ever half taken
            raise
        end = n_taken * self._n_measures
        return [rows[i : end : self._n_measures].tolist() for i in range(self._n_measures)]

    def _load(self) -> None:
        parameters, states = self._stepper.parameters, self._stepper.states
        by_state = zip(*[states[i] for i in self.moved], strict=True)
        numbers = [number for row in by_state for number in row]
        numbers += [parameters[i].data for i in self.moved]
        numbers += [leaf.data for leaf in self._other_leaves]
        for table in self._tables:
            table[:] = array("d", numbers)

    def _store(self, table: array[float], slopes: array[float]) -> None:
        n = len(self.moved)
        *states, weights = (table[i * n : (i + 1) * n] for i in range(self._width))
        rows = zip(*states, strict=True) if states else [()] * n
        stepper = self._stepper
        for i, slope, weight, state in zip(self.moved, slopes, weights, rows, strict=True):
            stepper.parameters[i].data = weight
            stepper.parameters[i].grad = slope
            stepper.states[i] = state


def _inputs(table: int, width: int, n: int, slopes: int) -> array[int]:
    """The columns of the rule: weights, state and gradient of n parameters; see `describe`."""
    *state, weights = range(table, table + 8 * n * width, 8 * n)
    return array("q", [x for i, at in enumerate([weights, *state, slopes]) for x in (at, 1, i)])


# --- the loop in machine code ---------------------------------------------------------------------

FRAME = (
    *("run_gradient", "gradient", "run_update", "update"),  # functions and their frames
    *("n_steps", "n_taken", "counts", "order", "stays", "coefficients", "n_coefficients"),
    *("rows", "n_measures", "results", "n_parameters", "n_state"),
    *("table", "columns", "new_table", "new_columns"),
)
"""What the loop is given, and where it is: each step moves `order`, `coefficients` and `rows` on.
It goes from `table` to `new_table` and back, so that a step which is refused has changed nothing.
`columns` are the inputs of the rule in each of the two. It `stays` with the inputs that it has if
every step takes all examples as they are, and they fit into a chunk.
"""


@cache
def _loop() -> MachineCode:  # noqa: PLR0915 - it is written in one go
    """The loop over steps, in machine code."""
    from llvmlite import ir

    from autograd.compiler import kernels
    from autograd.compiler.instructions import (
        DOUBLE,
        I64,
        POINTER,
        Code,
        Index,
        constant,
        vector,
    )

    code = Code(ir.Module("training"), "run", {"frame": POINTER})
    write, frame = code.write, code.arguments["frame"]
    slots = {name: i for i, name in enumerate((*kernels.FRAME, *kernels.COUNTS))}
    begin, end = (code.function.append_basic_block() for _ in range(2))

    def number(name: str) -> ir.Value:
        return write.load(code.address(frame, FRAME.index(name)), typ=I64, align=8)

    def pointer(name: str) -> ir.Value:
        return write.load(code.address(frame, FRAME.index(name)), typ=POINTER, align=8)

    def put(**slots: ir.Value) -> None:
        for name, x in slots.items():
            code.store(x, code.address(frame, FRAME.index(name)))

    def end_unless(holds: ir.Value) -> None:
        following = code.function.append_basic_block()
        write.cbranch(holds, following, end)
        write.position_at_end(following)

    def run(name: str, **given: ir.Value) -> None:
        its_frame = pointer(name)
        for field, x in given.items():
            code.store(x, code.address(its_frame, slots[field]))
        kind = ir.PointerType(ir.FunctionType(ir.VoidType(), [POINTER]))
        function = code.address(frame, FRAME.index(f"run_{name}"))
        write.call(write.load(function, typ=kind, align=8), [its_frame])

    def copy(to: ir.Value, source: ir.Value, count: Index) -> None:
        def number(i: Index) -> tuple[()]:
            code.store(code.load(DOUBLE, code.address(source, i)), code.address(to, i))
            return ()

        code.loop(0, count, 1, number, may_be_empty=True)

    def are_finite(numbers: ir.Value, count: Index) -> ir.Value:
        """x - x is 0 for a finite x, and nan otherwise."""

        def add(kind: ir.Type, i: Index, total: ir.Value) -> list[ir.Value]:
            x = code.load(kind, code.address(numbers, i))
            return [write.fadd(total, write.fsub(x, x))]

        full = code.minus(count, write.urem(count, code.integer(LINE)))
        line, zero = vector(DOUBLE, LINE), constant(DOUBLE, "0.0")
        zeros = constant(DOUBLE, "0.0", LINE)
        (sums,) = code.loop(0, full, LINE, partial(add, line), [zeros], may_be_empty=True)
        (rest,) = code.loop(full, count, 1, partial(add, DOUBLE), [zero], may_be_empty=True)
        for lane in range(LINE):
            rest = write.fadd(rest, write.extract_element(sums, code.integer(lane)))
        return write.fcmp_ordered("ord", rest, rest)

    write.branch(begin)
    write.position_at_end(begin)
    step, n, n_state = number("n_taken"), number("n_parameters"), number("n_state")
    n_measures, results = number("n_measures"), pointer("results")
    end_unless(code.less(step, number("n_steps")))
    order, coefficients, rows = pointer("order"), pointer("coefficients"), pointer("rows")
    table, columns = pointer("table"), pointer("columns")
    count = code.load(I64, code.address(pointer("counts"), step))
    keep = write.select(code.less(0, step), number("stays"), code.integer(0))
    run("gradient", w=code.address(table, n_state), order=order, count=count, keep=keep)
    end_unless(are_finite(results, code.plus(n_measures, n)))
    new_table, new_columns = pointer("new_table"), pointer("new_columns")
    run("update", w=coefficients, columns=columns, rows=new_table)
    end_unless(are_finite(new_table, code.plus(n_state, n)))
    copy(rows, results, n_measures)
    has_order = write.icmp_unsigned("!=", write.ptrtoint(order, I64), code.integer(0))
    put(
        n_taken=code.plus(step, 1),
        order=write.select(has_order, code.address(order, count), order),
        coefficients=code.address(coefficients, number("n_coefficients")),
        rows=code.address(rows, n_measures),
        table=new_table,
        columns=new_columns,
        new_table=table,
        new_columns=columns,
    )
    write.branch(begin)
    write.position_at_end(end)
    write.ret_void()
    return MachineCode(code.function.module)
