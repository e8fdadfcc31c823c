"""How exact every rule is: the bounds of the published table, at fewer points and unsearched."""

from __future__ import annotations

import math

import pytest

from autograd.primitives import TABLE

pytest.importorskip("mpmath", reason="mpmath, the oracle of these tests, is not installed")

from tests.benchmarks import rules

COUNT = 150
SLOW_TO_MEASURE = ("digamma", "polygamma", "lgamma")  # mpmath takes milliseconds a point
TABLE_AT_FIRST = set(TABLE)  # higher derivatives of the gamma function make rows of their own


def test_every_row_with_a_derivative_is_measured() -> None:
    assert set(rules.ROWS) | set(rules.WITHOUT_DERIVATIVE) == TABLE_AT_FIRST


@pytest.mark.slow
@pytest.mark.parametrize("name", rules.ROWS)
def test_the_goals_are_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SEARCHES", 0)
    count = COUNT // 3 if name.startswith(SLOW_TO_MEASURE) else COUNT
    worst = rules.measured(name, count)["ours"]
    printed = dict(zip(rules.HEADER, rules.rows_of_the_page()[name], strict=True))
    for kind, goal in rules.GOALS.items():
        assert worst[kind].ulps <= goal, worst[kind]
        # The page has the worst of many more points, of which these are the first.
        assert worst[kind].ulps <= 1.1 * float(printed[kind]) + 0.1, "measure again"


def test_new_measurements_are_printed_beside_those_of_the_page() -> None:
    tanh = rules.rows_of_the_page()["tanh"]
    header, known, new = rules.beside_the_page([[*tanh[:2], "7", "8", *tanh[4:]], ["new"] * 10])
    printed = dict(zip(header, known, strict=True))
    assert (printed["first"], printed["second"]) == ("7", "8")
    assert [printed["first before"], printed["second before"]] == tanh[2:4]
    assert new[4:6] == ["–", "–"]


def test_the_page_is_of_this_table() -> None:
    lines = rules.rows_of_the_page()
    assert list(lines) == list(rules.ROWS)
    assert rules.page(list(lines.values())) == rules.table()
    for name, line in lines.items():
        printed = dict(zip(rules.HEADER, line, strict=True))
        for kind, goal in rules.GOALS.items():
            assert float(printed[kind]) <= goal, name


def test_a_wrong_digit_is_seen() -> None:
    point = [2.0]
    value, (slope,), curvatures = rules.ours("tanh", point)
    reference = rules.exact("tanh", point)
    assert max(rules.errors((value, [slope], curvatures), reference).values()) < 4.0
    for wrong in (slope * (1.0 + 8.0 * 2.0**-52), 1.0 - math.tanh(20.0) ** 2, math.nan, math.inf):
        assert rules.errors((value, [wrong], curvatures), reference)["first"] > 4.0
    assert rules.errors((value, [slope], [[0.0]]), reference)["second"] > 1e15


@pytest.mark.slow
def test_the_peers_are_measured_alike() -> None:
    pytest.importorskip("torch", reason="PyTorch, the peer of this test, is not installed")
    found = rules.measured("tanh", 200, peers=True)
    assert found["PyTorch"]["first"].ulps > 1e6  # 1 - z² cancels
    exp = rules.measured("exp", 200, peers=True)
    assert exp["PyTorch"]["first"].ulps <= 2.0
