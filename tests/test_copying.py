"""Graphs are copied and pickled without recursion, each node once, in the order of creation."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

import autograd as ag
from autograd import Value
from autograd.value import Condition, adjoints, topological_order
from tests.graphs import Program, any_float, inputs, programs
from tests.numerics import same

pytestmark = pytest.mark.slow


def in_python(x: Any) -> Any:
    """A copy by the pickler that is written in Python, as cloudpickle and dill use it."""
    file = io.BytesIO()
    pickle._Pickler(file).dump(x)
    return pickle.loads(file.getvalue())


WAYS: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "pickle in Python": in_python,
}
each_way = pytest.mark.parametrize("duplicate", WAYS.values(), ids=WAYS)


def chain(length: int) -> Value:
    x = Value(0.5, "x")
    node = x
    for _ in range(length // 2):
        node = node * 0.999 + x
    return node


@each_way
def test_a_deep_graph(duplicate: Callable[[Any], Any]) -> None:
    node = chain(10_000)
    twin = duplicate(node)
    order, others = topological_order(node), topological_order(twin)
    assert len(order) == len(others) == 10_001
    assert others[0].label == "x"
    assert same(list(adjoints(twin).values()), list(adjoints(node).values()))


@given(programs(constants=any_float), inputs(any_float))
def test_a_copy_is_the_same_graph_anew(program: Program, numbers: list[float]) -> None:
    leaves = [Value(x, f"x{i}") for i, x in enumerate(numbers)]
    output = program(*leaves)
    output.backward()
    order = topological_order(output)
    for duplicate in WAYS.values():
        others = topological_order(duplicate(output))
        assert [x.op for x in others if x.args] == [x.op for x in order if x.args]
        place = dict(zip([x for x in others if x.args], [x for x in order if x.args], strict=True))
        for twin, node in place.items():
            assert type(twin) is type(node)
            assert twin is not node
            assert same([twin.data, twin.grad], [node.data, node.grad])
            assert same(twin.partials, node.partials)
            for arg, original in zip(twin.args, node.args, strict=True):
                if type(original) is float or not original.args:
                    assert (type(arg), str(arg)) == (type(original), str(original))
                else:
                    assert place[arg] is original
        both = topological_order(output + others[-1])  # by creation
        assert [id(x) for x in both[:-1]] == [id(x) for x in [*order, *others]]


@each_way
def test_what_is_shared_stays_shared(duplicate: Callable[[Any], Any]) -> None:
    a = Value(2.0, "a")
    h = a * 3.0
    loss = (h + a).exp() * h
    is_larger = a > 1.0
    for given_ in ([h, loss], [loss, h], [a, loss, h], [loss, a, {"h": h}, is_larger]):
        twins = duplicate(given_)
        twin = twins[given_.index(loss)]
        twin_h = twin.args[1]
        assert twin.args[0].args[0].args == (twin_h, twin_h.args[0])
        if h in given_:
            assert twins[given_.index(h)] is twin_h
        if a in given_:
            assert twins[given_.index(a)] is twin_h.args[0]
        if is_larger in given_:
            assert twins[2]["h"] is twin_h
            assert type(twins[3]) is Condition
            assert twins[3].args == (twin_h.args[0], 1.0)
        twin.backward()
        assert twin_h.args[0].grad == adjoints(loss)[a]


def test_losses_that_share_nodes_take_linear_space() -> None:
    shared = chain(10_000)
    losses = [shared * float(k) for k in range(200)]
    alone = len(pickle.dumps(shared))
    assert len(pickle.dumps(losses)) < 2 * alone
    path = [shared]
    for _ in range(500):
        path.append(path[-1] * 2.0 + shared)
    twins = pickle.loads(pickle.dumps(path))
    assert twins[1].args[0].args[0] is twins[0]
    assert len(pickle.dumps(path)) < 2 * alone


def test_what_was_pickled_before_makes_no_difference() -> None:
    small = Value(2.0) * 3.0
    big = small * small
    for _ in range(1_000):
        big = big + small
    before = pickle.dumps(small)
    pickle.dumps(big)
    copy.copy(big)
    assert pickle.dumps(small) == before


def test_one_pickler_for_two_files_refers_to_what_it_wrote() -> None:
    h = Value(2.0) * 3.0
    loss = h.exp()
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    pickler.dump(loss)
    pickler.dump(h)
    file.seek(0)
    reader = pickle.Unpickler(file)
    assert reader.load().args == (reader.load(),)


def test_a_shallow_copy_has_the_same_operands() -> None:
    a = Value(2.0)
    node = a * 3.0
    node.backward()
    twin = copy.copy(node)
    assert twin is not node
    assert (twin.args, twin.partials, twin.data, twin.grad) == ((a, 3.0), (3.0, None), 6.0, 1.0)
    assert copy.copy(a).data == 2.0
    twin.backward()
    assert a.grad == 6.0


def test_new_nodes_on_a_copy_come_after_it() -> None:
    twin = pickle.loads(pickle.dumps(chain(100)))
    loss = (twin * twin).tanh()
    loss.backward()
    (x,) = (node for node in topological_order(loss) if node.label)
    assert x.grad == ag.grad(loss, [x])[0].data
