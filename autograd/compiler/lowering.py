"""Lowering: the recorded graph as a tape, columns of integers with one entry for each operation.

Only what the results depend on is lowered, in the order in which it was recorded. Composite
primitives are expanded to the operations that their value is made of, and some operations are
brought to a canonical form: `x ** 2` to `x · x`, a sum of two terms to an addition.

Functions and long sums are computed once if they are applied to equal operands (value numbering).
Arithmetic is not merged: it costs less than to keep its result, and steps of a loop that share
results with some other steps are no longer alike, so that no loop would be found.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple, cast

import numpy as np

from autograd import recording
from autograd.compiler.ragged import Integers, distinct, offsets, ranges
from autograd.compiler.reverse import Columns, ReverseSweep, mark_dependents
from autograd.compiler.trace import Traced
from autograd.derivatives.graph import in_recorded_order
from autograd.locks import cached
from autograd.primitives import TABLE, Primitive, own_names
from autograd.recording import Selection
from autograd.value import Operand, Value

ONCE, EACH, MEAN, AFTER = range(4)

KNOWN = [
    *("k", "w", "x", "add", "sub", "sum", "mul", "dot", "mean", "copy"),
    *("pow", "where", "stop_gradient"),
]
"""The names of the first operation codes; "k" is a constant, "w" a leaf, "x" an input."""
CONSTANT, LEAF, INPUT, ADD, SUB, SUM, MUL, DOT, MEAN_OF, COPY, POW, WHERE, STOP = range(len(KNOWN))

ARITHMETIC = frozenset("add sub mul div neg abs where lt le gt ge".split())  # noqa: SIM905
"""The operations that are cheaper than memory: rather computed again than kept."""

COMPARED_DEPTH = 3
"""Operands are equal if they are one node, or the same arithmetic on such, nested so deep. With 0
the gradient of a soft alignment has 153 groups in place of 88; with 1 a layer of sigmoids computes
two exponentials a unit in place of one, with 2 so does log_sigmoid; 6 merges nothing more."""


class Template(NamedTuple):
    """The operations by which a composite primitive is defined, for a given number of operands.

    Attributes:
        codes, counts: of each operation, the result last, its code and the number of its operands.
        places: the operands of all operations: an operand of the composite, counted from 0, then
            the operations before; a constant if it is negative.
    """

    codes: list[int]
    counts: list[int]
    places: list[int]


class Tape:
    """The operations to compute. A node is an index, larger than those of its operands.

    Constants come first, then the inputs, the leaves, and what is computed.

    Args:
        outputs: the results for each example, or if `is_batch` those of which to take the means
            over the batch.
        leaves: the first of the leaves; others follow in the order of their creation.
        blocks: Values that are computed elsewhere: for each of some spaces the addresses in it.
        found: all nodes that the outputs depend on (see `in_recorded_order`), if known.
        variables: leaves or inputs; the derivative of the first output with respect to each is one
            more output, which is computed as `grad` does it.
        with_value: whether the first output is an output itself, beside its derivatives.

    Attributes:
        inputs: the labels of the inputs of one example.
        leaves: the Values whose numbers are read at each call.
        is_batch: whether the results are those of the batch, or of each example.
        names: the meaning of each operation code: the name of a primitive, or one of `KNOWN`.
        numbers: the constants.
        op: the operation code of each node.
        arg, start: the operands of all nodes, and where those of each begin (as in CSR).
        section: where a node is computed: ONCE a call (constants and leaves too), for EACH example
            (inputs too), as a MEAN over the examples, or AFTER the means.
        labels: the labels of the nodes that have one.
        results: the nodes that are returned, no two the same; none is a constant, leaf or input.
        blocks: nodes that are computed elsewhere: the name of a space for them, the nodes, and the
            address of each.
        rows: the user-defined primitives to call back, which have to stay alive.
        selection: how unselected branches can affect the gradient, where one was asked for.
    """

    def __init__(
        self,
        inputs: Sequence[Traced],
        outputs: Sequence[Operand],
        is_batch: bool,
        leaves: Iterable[Value] = (),
        blocks: Mapping[str, Mapping[Value, int]] | None = None,
        found: Sequence[Value] | None = None,
        variables: Sequence[Value] = (),
        with_value: bool = True,
    ) -> None:
        self.inputs, self.is_batch = [x.label for x in inputs], is_batch
        self.names = KNOWN[:]
        self.rows: list[Primitive] = []
        self.row_of: dict[int, Primitive] = {}
        self.codes: dict[Any, int] = {name: code for code, name in enumerate(KNOWN)}
        self.templates: dict[int, Template] = {}
        self.floats = [0.0]  # the constants
        given = dict.fromkeys([*inputs, *leaves, *variables])
        elsewhere = {x for block in (blocks or {}).values() for x in block}
        if found is None:
            found = in_recorded_order(outputs, elsewhere)
        placed = [x for x in found if x in elsewhere] if elsewhere else []
        nodes = [x for x in found if x.primitive is not None and x not in elsewhere]
        others = other_leaves(found, elsewhere.union(given))
        self.leaves: list[Value] = [*given, *others][len(inputs) :]
        sources = [*given, *others, *placed]
        index: dict[Any, int] = {x: i for i, x in enumerate(chain(sources, nodes))}

        widths = [len(x.args) for x in nodes]
        flat: list[Any] = [*(operand for x in nodes for operand in x.args), *outputs]
        rows = (cast(Primitive, x.primitive) for x in nodes)
        codes = list(map(cache(self.code), rows, widths))
        args, results = np.split(self._numbers_of(flat, index), [sum(widths)])
        op, count = np.array(codes, np.int64), np.array(widths, np.int64)

        self.selection = Selection.NONE
        if variables:
            columns = Columns(
                len(sources),
                codes,
                widths,
                args.tolist(),
                self.floats,
                self.code,
                self.row_of,
            )
            sweep = ReverseSweep(columns, int(results[0]), [index[x] for x in variables])
            self.selection = sweep.selection
            op, count = np.concatenate([op, sweep.op]), np.concatenate([count, sweep.count])
            args = np.concatenate([args, sweep.args])
            results = np.append(results[not with_value :], sweep.adjoints)

        bits = np.array(self.floats).view(np.int64)
        first, self.node_of_constant = distinct(bits)
        self.numbers = bits[first].view(np.float64)
        n = len(self.numbers)
        self.arg, self.results = (
            np.where(x < 0, self.node_of_constant[~np.minimum(x, -1)], n + x)
            for x in (args, results)
        )
        given_op = [CONSTANT] * n + [INPUT] * len(inputs) + [LEAF] * len(self.leaves)
        given_op += [INPUT if type(x) is Traced else LEAF for x in placed]
        self.op = np.concatenate([np.array(given_op, np.int64), op])
        self.start = offsets(np.concatenate([np.zeros(len(given_op), np.int64), count]))
        varies: list[bool] = (self.op == INPUT)[: len(given_op)].tolist()
        if any(varies):
            mark_dependents(varies, self.arg.tolist(), count.tolist())
        self.section = np.full(len(self.op), ONCE)
        self.section[: len(varies)][varies] = EACH
        self.blocks = {
            name: _placed(block, placed, index, n) for name, block in (blocks or {}).items()
        }
        self.labels = {n + index[x]: str(x.label) for x in nodes if x.label}
        self._lower()

    @cached
    def key(self) -> str:
        """A hash, the same for tapes that differ in nothing but the leaves and their labels."""
        users = [name for name in self.names if name.startswith("row.")]
        rows = [id(TABLE.get(name.removeprefix("row."))) for name in users]  # another, if made anew
        parts = [len(self.inputs), len(self.leaves), self.is_batch, self.names, self.labels, rows]
        parts.append([(name, *map(bytes, block)) for name, block in self.blocks.items()])
        digest = hashlib.blake2b(marshal.dumps(parts, 2), digest_size=16)
        for column in (self.numbers, self.op, self.arg, self.start, self.results):
            digest.update(len(column).to_bytes(8, "little") + column.tobytes())
        return digest.hexdigest()

    def _lower(self) -> None:
        """Run the passes, each over the columns that the one before has left."""
        self._expand_composites()
        self._canonicalize()
        self._merge_functions()
        if self.is_batch:
            self._find_means()
        self._copy_results()
        for name in ("codes", "templates", "row_of", "floats", "node_of_constant"):
            delattr(self, name)  # of no further use

    def _numbers_of(self, values: Sequence[Any], index: Mapping[Any, int]) -> Integers:
        """The index of each Value, and the number of each constant (see `Columns`)."""
        # constants by their bits: 0.0 is not -0.0, and nan is nan
        bits = np.array([x for x in values if type(x) is float], np.float64).view(np.int64)
        first, place = distinct(bits)
        numbers = np.array([-1 if type(x) is float else index[x] for x in values], np.int64)
        numbers[numbers < 0] = ~(len(self.floats) + place)
        self.floats += bits[first].view(np.float64).tolist()
        return numbers

    def constant(self, x: float) -> int:
        """The number of a new constant (see `Columns`)."""
        self.floats.append(x)
        return -len(self.floats)

    def code(self, row: Primitive, width: int) -> int:
        """The code of an operation on so many operands.

        A row that a user made is called "row.NAME" on the tape, whatever its name.
        """
        key = row.name if row.name in own_names else f"row.{row.name}"
        if row.definition is not None:
            key = f"{width} operands of {key}"
        if key not in self.codes:
            self.codes[key] = code = len(self.names)
            self.names.append(key)
            if row.name not in own_names:
                self.rows.append(row)
            if row.definition is not None:
                self.templates[code] = self._template(row, width)
        self.row_of[self.codes[key]] = row
        return self.codes[key]

    def _template(self, row: Primitive, width: int) -> Template:
        """The operations by which a composite primitive on so many operands is defined."""
        found = Template([], [], [])

        def add(code: int, args: list[int]) -> int:
            found.codes.append(code)
            found.counts.append(len(args))
            found.places.extend(args)
            return width + len(found.codes) - 1

        def expand(row: Primitive, args: list[int]) -> int:
            """Add what a primitive is defined by; returns the place of the result."""
            if row.definition is None:
                return add(self.code(row, len(args)), args)
            operands = [Traced() for _ in args]
            with recording.tracing():
                result = row.definition(*operands)
            places: dict[Any, int] = dict(zip(operands, args, strict=True))

            def place(x: Any) -> int:
                return places[x] if isinstance(x, Value) else self.constant(float(x))

            for x in in_recorded_order([result]):
                if x.primitive is not None:
                    places[x] = expand(x.primitive, list(map(place, x.args)))
            return place(result)

        result = expand(row, list(range(width)))
        if result != width + len(found.codes) - 1:  # an operand, or a constant
            add(STOP, [result])
        return found

    def _expand_composites(self) -> None:
        """Replace each composite by the operations of its template."""
        if not self.templates:
            return
        lengths = np.ones(len(self.names), np.int64)
        for code, template in self.templates.items():
            lengths[code] = len(template.codes)
        op, arg, start, length = self.op, self.arg, self.start, lengths[self.op]
        end = np.cumsum(length)
        result, begin = end - 1, end - length
        self.op, self.section = np.repeat(op, length), np.repeat(self.section, length)
        count = np.repeat(np.diff(start), length)
        found = []
        for code, template in self.templates.items():
            nodes = np.flatnonzero(op == code)
            steps = begin[nodes][:, None] + np.arange(len(template.codes))
            self.op[steps], count[steps] = template.codes, template.counts
            found.append((nodes, steps, np.array(template.places, np.int64)))
        self.start = offsets(count)
        new = np.empty(self.start[-1], np.int64)
        owner = np.repeat(np.arange(len(op)), np.diff(start))
        kept = np.flatnonzero(~np.isin(op, list(self.templates))[owner])
        new[self.start[result[owner[kept]]] + kept - start[owner[kept]]] = result[arg[kept]]
        for nodes, steps, places in found:
            width = int(start[nodes[0] + 1] - start[nodes[0]]) if len(nodes) else 0
            own = result[arg[start[nodes][:, None] + np.arange(width)]]
            values = np.concatenate([own, steps], axis=1)[:, np.maximum(places, 0)]
            at = self.start[begin[nodes]][:, None] + np.arange(len(places))
            new[at] = np.where(places < 0, self.node_of_constant[~np.minimum(places, -1)], values)
        self.arg, self.results = new, result[self.results]
        self.labels = {int(result[node]): label for node, label in self.labels.items()}

    def _canonicalize(self) -> None:
        """Replace operations by simpler ones, such as x² by x·x, and skip those without effect."""
        op, arg, count = self.op, self.arg, np.diff(self.start)
        first = np.append(arg, 0)[self.start[:-1]]  # the first operand
        same = np.arange(len(op))  # what a node stands for
        number = np.full(len(op), np.nan)
        number[: len(self.numbers)] = self.numbers

        power = np.flatnonzero(op == POW)
        exponent = number[arg[self.start[power] + 1]]
        same[power[exponent == 1.0]] = first[power[exponent == 1.0]]
        square = power[exponent == 2.0]  # as its value is defined
        op[square] = MUL
        arg[self.start[square] + 1] = first[square]
        where = np.flatnonzero(op == WHERE)
        where = where[op[first[where]] == CONSTANT]  # the condition is known
        same[where] = arg[self.start[where] + np.where(number[first[where]] != 0.0, 1, 2)]
        stop = op == STOP
        same[stop] = first[stop]
        is_sum = (op == SUM) | (op == DOT)
        same[is_sum & (count == 0)] = self.node_of_constant[0]
        one = (op == SUM) & (count == 1)
        same[one] = first[one]
        op[(op == SUM) & (count == 2)] = ADD
        op[(op == DOT) & (count == 2)] = MUL
        x = self.start[:-1][op == MUL]  # x · 2 becomes 2 · x
        kind = np.minimum(op, INPUT + 1)
        x = x[kind[arg[x]] > kind[arg[x + 1]]]
        arg[x], arg[x + 1] = arg[x + 1], arg[x]
        self._replace(same)

    def _replace(self, same: Integers) -> None:
        """Replace each node by `same[node]`, which is known to be equal."""
        while (same != (further := same[same])).any():
            same = further
        self.arg, self.results = same[self.arg], same[self.results]
        for node in [node for node in self.labels if same[node] != node]:
            self.labels.setdefault(int(same[node]), self.labels.pop(node))

    def _merge_functions(self) -> None:
        """Merge equal functions, dot products and long sums, so that each is computed once."""
        is_cheap = np.array([name in ARITHMETIC for name in self.names])
        is_left_out = (self.op == SUM) & (np.diff(self.start) < 3)
        functions = np.flatnonzero((self.op > INPUT) & ~is_cheap[self.op] & ~is_left_out)
        if not len(functions):
            return
        op, start, section = self.op.data, self.start.data, self.section.data
        cheap, arg, same = is_cheap.tolist(), self.arg, np.arange(len(op))
        found, known = same.data, dict[Any, int]()

        def description(node: int, depth: int) -> Any:
            if not depth or not cheap[op[node]]:
                return found[node]
            operands = arg[start[node] : start[node + 1]].tolist()
            return op[node], *[description(x, depth - 1) for x in operands]

        for node in functions.tolist():
            operands = arg[start[node] : start[node + 1]]
            if op[node] in (SUM, DOT):
                compared: Any = same[operands].tobytes()
            else:
                compared = tuple([description(x, COMPARED_DEPTH) for x in operands.tolist()])
            found[node] = known.setdefault((op[node], section[node], compared), node)
        self._replace(same)

    def _find_means(self) -> None:
        """Replace each output by its mean over the examples; what does not vary is its own mean.

        The mean of a sum in which one term varies is the mean of that term, plus the sum of the
        terms before, plus those after it. Additions are swapped, never regrouped, so that the mean
        over one example has the bits of that example.
        """
        nodes = self.results[np.sort(np.unique(self.results, return_index=True)[1])]
        nodes = nodes[self.section[nodes] == EACH]
        count = np.diff(self.start)[nodes] * np.isin(self.op[nodes], [ADD, SUM])
        terms, owner = self.arg[ranges(self.start[nodes], count)], np.repeat(nodes, count)
        varies = self.section[terms] == EACH
        kept = (np.bincount(owner[varies], minlength=len(self.op)) == 1)[owner]
        terms, owner, varies = terms[kept], owner[kept], varies[kept]
        at, begin = np.flatnonzero(varies), np.flatnonzero(np.diff(owner, prepend=-1))
        split, n_before, before = owner[at], at - begin, terms[begin]
        body, same = np.arange(len(self.op)), np.arange(len(self.op))
        body[split] = terms[at]
        same[nodes] = self._append(MEAN_OF, body[nodes], np.ones_like(nodes), MEAN)
        several = n_before > 1
        before[several] = self._append(
            SUM, terms[ranges(begin[several], n_before[several])], n_before[several], ONCE
        )
        kept = np.ones(len(terms), bool)
        kept[ranges(begin + 2, n_before - (n_before > 0))] = False
        terms[begin], terms[begin[n_before > 0] + 1] = same[split], before[n_before > 0]
        counts = np.bincount(owner[kept], minlength=len(same))[split]
        same[split] = self._append(SUM, terms[kept], counts, AFTER)
        self.results = same[self.results]

    def _copy_results(self) -> None:
        """Copy results that are computed in other sections, or occur twice."""
        results = self.results
        is_copied = np.ones(len(results), bool)
        is_copied[np.unique(results, return_index=True)[1]] = False
        is_copied |= self.op[results] <= INPUT
        if not self.is_batch:
            is_copied |= self.section[results] == ONCE
        copied = results[is_copied]
        results[is_copied] = self._append(
            COPY, copied, np.ones(len(copied), np.int64), AFTER if self.is_batch else EACH
        )

    def _append(self, code: int, args: Integers, counts: Integers, section: int) -> Integers:
        """Append operations of one code; returns their nodes."""
        n, more = len(self.op), len(counts)
        self.op = np.append(self.op, np.full(more, code))
        self.section = np.append(self.section, np.full(more, section))
        self.arg = np.append(self.arg, args)
        self.start = np.append(self.start, self.start[-1] + np.cumsum(counts))
        return np.arange(n, n + more)


def _placed(
    block: Mapping[Value, int], nodes: Iterable[Value], index: Mapping[Value, int], first: int
) -> tuple[Integers, Integers]:
    """The indices of the nodes that are in a block, and their addresses in it."""
    mine = [x for x in nodes if x in block]
    found, addresses = np.array([[index[x] for x in mine], [block[x] for x in mine]], np.int64)
    return first + found, addresses


def other_leaves(nodes: Iterable[Value], given: Collection[Value]) -> list[Value]:
    """The leaves that are not given. Raises RuntimeError for one without a number."""
    leaves = [x for x in nodes if x.primitive is None and x not in given]
    for leaf in leaves:
        if isinstance(leaf, Traced):
            raise RuntimeError(
                f"jit: the graph holds {leaf!r} of another recording; a function to compile must "
                f"not keep Values for its next call, nor the step of a scan for later"
            )
    return leaves
