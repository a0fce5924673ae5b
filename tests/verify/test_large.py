"""Large arrays: slopes along directions, and what is wrong at a few entries found there first."""

import numpy as np
import pytest
from scipy import special

import verify

LABELS = np.random.default_rng(1).integers(0, 50, size=30)


def cross_entropy(z):
    rows = np.arange(len(z))
    return (special.logsumexp(z, axis=1) - z[rows, LABELS]).mean()


def gradient(error=0.0, entry=None):
    def grad(z):
        p = special.softmax(z, axis=1)
        p[np.arange(len(z)), LABELS] -= 1
        p /= len(z)
        if entry is None:
            return p * (1 + error)
        p[entry] *= 1 + error
        return p

    return grad


def report_of(grad, **options):
    z = np.random.default_rng(0).normal(size=(30, 50))
    return verify.check(cross_entropy, grad=grad, examples=[(z,)], **options)


def test_a_right_gradient_is_verified_with_a_fine_resolution():
    report = report_of(gradient())
    assert report.verdict == "verified", str(report)
    assert report.resolution <= 1e-13
    assert "random directions" in report.not_covered[0]


@pytest.mark.parametrize("quick", [False, True])
def test_a_small_factor_is_seen(quick):
    assert report_of(gradient(1e-12), quick=quick).verdict == "refuted"


def test_one_wrong_entry_is_found():
    report = report_of(gradient(1e-6, (17, 33)))
    assert report.verdict == "refuted"
    assert report.counterexample.index == (17, 33)
    assert report.counterexample.actual / report.counterexample.expected == pytest.approx(1 + 1e-6)


def test_a_mistake_of_every_shape_is_shown_at_a_small_one():
    def wrong(x):
        return 3 * x

    report = verify.check(lambda x: (x * x).sum(), grad=wrong, examples=[((100, 100),)])
    assert report.verdict == "refuted"
    assert report.counterexample.inputs["x"].size <= 12


def test_code_that_does_not_run_on_balls_is_compared_by_differences():
    def f(x):
        return sum(special.jv(0, float(v)) for v in x)

    def right(x):
        return -special.jv(1, x)

    def wrong(x):
        return -special.jv(1, x) * np.where(np.arange(x.size) == 5, 1.001, 1)

    x = np.linspace(0.1, 5, 700)
    assert verify.check(f, grad=right, examples=[(x,)]).verdict == "verified"
    assert verify.check(f, grad=wrong, examples=[(x,)]).verdict == "refuted"
