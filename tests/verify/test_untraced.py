"""Code that leaves the world of symbols: finite differences alone, far out, at ties, at zero."""

import numpy as np
import pytest

from verify.check import check


def opaque(x):
    """The same array, by a way that nothing traces."""
    return np.frombuffer(np.asarray(x, dtype=float).tobytes()).reshape(np.shape(x))


A = np.array([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8], [1.0, 0.0, 0.0]])


def capped(x):
    return np.clip(A @ opaque(x), 0, 6)


def capped_vjp(x, grad_output):
    z = A @ x
    return A.T @ (grad_output * ((z > 0) & (z < 6)))


def without_the_cap(x, grad_output):
    return A.T @ (grad_output * (A @ x > 0))


def hinge(x):
    return np.sum(np.maximum(opaque(x), -30.0))


@pytest.mark.parametrize(
    ("subject", "right", "wrong", "example"),
    [
        (capped, {"vjp": capped_vjp}, {"vjp": without_the_cap}, (3,)),
        (hinge, {"grad": lambda x: 1.0 * (x > -30)}, {"grad": np.ones_like}, (2,)),
    ],
)
def test_what_is_wrong_far_out_alone(subject, right, wrong, example):
    report = check(subject, **right, examples=[(example,)])
    assert report.verdict.value == "verified", report
    assert "cells: the code could not be traced" in report.not_covered
    assert check(subject, **wrong, examples=[(example,)]).verdict.value == "refuted"


def largest_two(x):
    return np.sort(opaque(x))[-2:].sum()


def by_order(x):
    out = np.zeros_like(x)
    out[np.argsort(x, kind="stable")[-2:]] = 1.0
    return out


def test_at_a_tie_every_side_counts():
    """At three equal entries the slopes along the axes are between 0 and 1 of different pairs."""
    assert check(largest_two, grad=by_order, examples=[((3,),)]).ok

    def shared(x):
        return 2.5 * by_order(x) if np.ptp(x) == 0 else by_order(x)

    assert check(largest_two, grad=shared, examples=[((3,),)]).verdict.value == "refuted"


def test_rounding_of_slopes_that_cancel_is_none():
    """At equal arguments the gradient is zero but for rounding, in differences and in floats."""

    def distance(a, b):
        return np.sum(np.log1p((opaque(a) - opaque(b)) ** 2))

    def grad(a, b):
        slope = 2 * (a - b) / (1 + (a - b) ** 2) + 1e-17
        return slope, -slope

    assert check(distance, grad=grad, examples=[((2,), (2,))]).ok
