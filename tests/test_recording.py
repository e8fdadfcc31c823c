"""`no_grad`: nothing is recorded in its block, in its thread, and nowhere else."""

from __future__ import annotations

import asyncio
import threading

import pytest

import autograd as ag
from autograd import Value, recording


def is_recording() -> bool:
    a = Value(2.0)
    nodes = (a * 3.0, -a, ag.maximum(a, 1.0), ag.dot([a], [a]), ag.where(a > 1.0, a, 0.0))
    recorded = {bool(node.args) for node in nodes}
    assert len(recorded) == 1, "some operations record and others do not"
    return recorded.pop()


def test_nothing_is_recorded() -> None:
    a = Value(2.0)
    with ag.no_grad():
        b = (a * 3.0).exp() + ag.sum([a, a])
    assert (b.op, b.args, b.partials, b.grad) == ("", (), (), None)
    assert b.data == ((a * 3.0).exp() + ag.sum([a, a])).data
    b.backward()
    assert a.grad is None
    assert is_recording()


def test_blocks_nest() -> None:
    with ag.no_grad():
        with ag.no_grad():
            assert not is_recording()
        assert not is_recording()
    assert is_recording()


def test_an_exception_ends_the_block() -> None:
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        raise ZeroDivisionError
    assert is_recording()
    assert not recording.open_pauses


def test_it_decorates_a_function() -> None:
    @ag.no_grad()
    def predict(x: Value) -> Value:
        return x * 2.0

    for _ in range(2):
        assert predict(Value(3.0)).args == ()
    assert is_recording()


def test_another_thread_goes_on_recording() -> None:
    answers: dict[str, bool] = {}
    inside, answered = threading.Event(), threading.Event()

    def pause() -> None:
        with ag.no_grad():
            inside.set()
            answered.wait(10)
            answers["paused thread"] = is_recording()

    thread = threading.Thread(target=pause)
    thread.start()
    assert inside.wait(10)
    answers["this thread"] = is_recording()
    answered.set()
    thread.join(10)
    assert answers == {"this thread": True, "paused thread": False}


def test_a_new_thread_records_though_its_parent_is_paused() -> None:
    answers: list[bool] = []
    with ag.no_grad():
        thread = threading.Thread(target=lambda: answers.append(is_recording()))
        thread.start()
        thread.join(10)
        assert not is_recording()
    assert answers == [True]


def test_many_threads_differentiate_at_once() -> None:
    def work(k: int) -> None:
        for _ in range(200):
            x = Value(float(k))
            (x * x * x).backward()
            with ag.no_grad():
                silent = x * x
            slopes[k] = (x.grad, silent.args)

    slopes: dict[int, tuple[float | None, tuple[object, ...]]] = {}
    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert slopes == {k: (3.0 * k * k, ()) for k in range(8)}
    assert not recording.open_pauses


def test_a_graph_recorded_before_the_block_can_be_differentiated_in_it() -> None:
    a = Value(2.0)
    b = a * a * a
    with ag.no_grad():
        b.backward()
        (slope,) = ag.grad(b, [a])
    assert a.grad == slope.data == 12.0


def test_derivatives_of_functions_do_not_depend_on_the_block() -> None:
    with ag.no_grad():
        assert ag.gradient(lambda x: x * x)(3.0) == 6.0
        assert ag.jacobian(lambda x: [x * x])(3.0) == [6.0]
        assert ag.hessian(lambda x: x * x)(3.0) == 2.0
        assert ag.hessian_vector_product(lambda x: x * x)(3.0, 2.0) == 4.0
        assert not is_recording()


def test_no_grad_belongs_to_the_task() -> None:
    opened, closed = asyncio.Event(), asyncio.Event()

    async def first() -> bool:
        with ag.no_grad():
            opened.set()
            await closed.wait()
            return bool((ag.Value(1.0) * 2.0).args)

    async def second() -> list[bool]:
        await opened.wait()
        found = [bool((ag.Value(1.0) * 2.0).args)]
        with ag.no_grad():
            found.append(bool((ag.Value(1.0) * 2.0).args))
            closed.set()
            await asyncio.sleep(0)  # the first closes its block inside of this one
        found.append(bool((ag.Value(1.0) * 2.0).args))
        return found

    async def both() -> tuple[bool, list[bool]]:
        return tuple(await asyncio.gather(first(), second()))  # type: ignore[return-value]

    assert asyncio.run(both()) == (False, [True, False, True])
    assert not recording.open_pauses
    assert (ag.Value(1.0) * 2.0).args
