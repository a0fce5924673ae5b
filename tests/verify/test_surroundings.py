"""What a page shows around a counterexample: the cut and the cells, from real checks."""

import numpy as np
import pytest

from autodiff import Function
from symbolic.graph import Graph
from symbolic.values import Condition
from verify import check
from verify.regions import together


class Huber(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.where(np.abs(x) <= 1, 0.5 * x**2, np.abs(x) - 0.5)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.where(np.abs(x) <= 1, x, 1)


@pytest.fixture(scope="module")
def wrong():
    return check(Huber, examples=[((2,),)])


def test_the_cut_goes_through_the_counterexample(wrong):
    cut, found = wrong.cut, wrong.counterexample
    (i,) = found.index
    assert cut.name == f"x[{i}]"
    assert cut.at == found.inputs["x"][i]
    (row,) = (row for row in cut.rows if row[0] == cut.at)
    assert row[2] == found.actual
    assert row[3] == pytest.approx(found.expected, abs=1e-6)


def test_the_curves_are_forward_its_slope_and_what_backward_gives(wrong):
    others = np.delete(wrong.counterexample.inputs["x"], wrong.counterexample.index[0])
    rest = Huber.forward(Context(), others).sum()
    for x, value, given, slope in wrong.cut.rows:
        assert value == pytest.approx(Huber.forward(Context(), np.array(x)) + rest)
        assert given == (x if abs(x) <= 1 else 1)
        if abs(abs(x) - 1) > 1e-4:
            assert slope == pytest.approx(np.clip(x, -1, 1), abs=1e-5)


def test_the_boundary_is_where_the_code_branches(wrong):
    assert any(abs(abs(x) - 1) < 1e-9 and "1" in text for x, text in wrong.cut.boundaries)
    assert all(min(abs(x), abs(abs(x) - 1)) < 1e-9 for x, _ in wrong.cut.boundaries)


def test_cells_that_differ_elsewhere_are_one_row(wrong):
    (i,) = wrong.counterexample.index
    assert [r.here for r in wrong.regions].count(True) == 1
    assert wrong.regions[0].status == "wrong"
    assert all(f"x[{i}]" in c or c.startswith("and ") for r in wrong.regions for c in r.conditions)
    assert max(r.count for r in wrong.regions) > 1
    right = {tuple(r.conditions): r.derivative for r in wrong.regions if r.derivative}
    assert set(right.values()) == {
        f"-grad_output[{i}]", f"grad_output[{i}]", f"grad_output[{i}]*x[{i}]",
    }  # fmt: skip


def test_a_pass_lists_its_cells():
    report = check(lambda x: np.abs(x), vjp=lambda x, g: g * np.sign(x), examples=[((),)])
    proved = [r for r in report.regions if r.status == "proved"]
    assert {r.derivative for r in proved} == {"1", "-1"}
    for region in proved:
        assert ("x > 0" if region.derivative == "1" else "x < 0") in region.conditions


@pytest.mark.parametrize(
    ("decisions", "sign"),
    [
        ([("<=", True), ("==", False)], "<"),
        ([("<", False), ("<=", False)], ">"),
        ([("<", False), ("<=", True)], "=="),
        ([("==", False)], "!="),
        ([("<", False)], ">="),
    ],
)
def test_conditions_on_one_difference_are_told_as_one(decisions, sign):
    gap = Graph().variable("x")
    [condition] = together([Condition(gap, *decision) for decision in decisions])
    assert condition.sign == sign


def test_what_cannot_be_traced_has_a_cut_alone():
    def f(x):
        return np.array([float(str(v)) ** 2 for v in x]).sum()

    def wrong(x):
        return 3 * np.array([float(str(v)) for v in x])

    report = check(f, grad=wrong, examples=[((2,),)])
    assert report.verdict == "refuted"
    assert report.regions == []
    assert report.cut.boundaries == []
    assert all(
        given == pytest.approx(1.5 * slope, abs=1e-4) for _, _, given, slope in report.cut.rows
    )


class Context:
    def save_for_backward(self, *arrays):
        pass
