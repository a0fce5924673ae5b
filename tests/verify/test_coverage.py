"""Coverage: proved only where the cells fill the domain; and combinations of branches are seen."""

import numpy as np
import pytest

import verify


def report_of(f, grad, *shapes, **options):
    return verify.check(f, grad=grad, examples=[shapes], **options)


def test_orders_are_covered_though_no_line_leads_from_one_to_the_other():
    def top_two(x):
        return np.sort(x)[-2:].sum()

    def grad(x):
        gradient = np.zeros_like(x)
        gradient[np.argsort(x, kind="stable")[-2:]] = 1
        return gradient

    report = report_of(top_two, grad, (4,))
    assert report.verdict == "proved", str(report)
    assert not report.not_covered


def test_the_zero_of_a_norm_is_found():
    def f(x):
        r = np.sqrt((x[0] - 1) ** 2 + (x[1] + 0.5) ** 2)
        return r**3

    def wrong_at_zero(x):
        d = x - np.array([1, -0.5])
        r = np.sqrt((d**2).sum())
        return 3 * r * d if r > 0 else np.ones(2)

    def right(x):
        d = x - np.array([1, -0.5])
        return 3 * np.sqrt((d**2).sum()) * d

    assert report_of(f, wrong_at_zero, (2,)).verdict == "refuted"
    assert report_of(f, right, (2,)).ok


def hinge_pair(x):
    return np.maximum(x[0], 0) + np.maximum(x[1], 0) + np.maximum(x[2], 0)


def hinge_grad(x):
    return (x > 0).astype(float)


@pytest.mark.parametrize("signs", [(1, 1, 1), (1, -1, 1), (-1, -1, 1), (-1, -1, -1)])
def test_a_combination_of_independent_branches(signs):
    def wrong(x):
        gradient = hinge_grad(x)
        if np.all(np.sign(x) == signs):
            gradient[1] += 1e-3
        return gradient

    assert report_of(hinge_pair, wrong, (3,)).verdict == "refuted"
    assert report_of(hinge_pair, hinge_grad, (3,)).verdict == "proved"


def test_errors_that_cancel_in_the_combinations_visited_are_no_proof():
    # Each branch adds to the gradient of w what the other takes away, unless they are mixed.
    def f(x, w):
        return (np.abs(x) * w).sum()

    def wrong(x, w):
        both = 1.0 if x[0] > 0 else 0.0
        both -= 1.0 if x[1] > 0 else 0.0
        return np.sign(x) * w, np.abs(x) + both

    def right(x, w):
        return np.sign(x) * w, np.abs(x)

    assert report_of(f, wrong, (2,), (2,)).verdict == "refuted"
    assert report_of(f, right, (2,), (2,)).verdict == "proved"


def test_many_independent_branches_are_covered_one_by_one():
    knots = np.array([0.0, 1.0, 2.0, 4.0])

    def f(x, values):
        return np.interp(x, knots, values).sum()

    def grad(x, values):
        i = np.clip(np.searchsorted(knots, x) - 1, 0, 2)
        t = (x - knots[i]) / (knots[i + 1] - knots[i])
        inside = (x > 0) & (x < 4)
        t = np.clip(t, 0, 1)
        by_value = np.zeros_like(values)
        np.add.at(by_value, i, 1 - t)
        np.add.at(by_value, i + 1, t)
        return inside * (values[i + 1] - values[i]) / (knots[i + 1] - knots[i]), by_value

    report = report_of(f, grad, (3,), (4,))
    assert report.verdict == "proved", str(report)
    assert report.cells["explored"] < 200
