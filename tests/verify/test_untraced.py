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


@pytest.mark.parametrize("rate", [300.0, 3e4])
def test_a_function_that_varies_within_the_steps(rate):
    """Large steps take a sine of many periods for a flat line, and are sure of it."""

    def waves(x):
        return np.sum(np.sin(rate * opaque(x)))

    assert check(waves, grad=lambda x: rate * np.cos(rate * x), examples=[((2,),)]).ok
    wrong = check(waves, grad=lambda x: 1.01 * rate * np.cos(rate * x), examples=[((2,),)])
    assert wrong.verdict.value == "refuted"


def test_at_a_jump_nothing_is_judged_and_beside_it_everything():
    def stairs(x):
        return np.sum(np.floor(opaque(x)) + opaque(x) ** 2)

    assert check(stairs, grad=lambda x: 2 * x, examples=[((2,),)]).ok
    wrong = check(stairs, grad=lambda x: 2 * x + (x > 0), examples=[((2,),)])
    assert wrong.verdict.value == "refuted"


def test_slopes_that_differ_by_curvature_alone_are_no_kink():
    """Within the slopes of a neighbourhood, and wrong: only a kink keeps them apart up close."""

    def bowl(x):
        return np.sum(1e6 * opaque(x) ** 2)

    assert check(bowl, grad=lambda x: 2e6 * x, examples=[((2,),)]).ok
    wrong = check(bowl, grad=lambda x: 2e6 * x + 0.1 * (np.abs(x) < 1e-3), examples=[((2,),)])
    assert wrong.verdict.value == "refuted"


def lengths(x):
    return float(np.sum(opaque(np.sqrt(1 + x * x))))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: (x > 12) & (x < 14),
        lambda x: np.all(np.abs(x) > 2) and np.ptp(np.sign(x)) > 0,
        lambda x: x.size == 1,
    ],
    ids=["in a band", "of mixed signs", "alone"],
)
def test_a_place_where_untraced_code_is_wrong(wrong):
    def slope(x, factor=0.8):
        x = opaque(x)
        return np.where(wrong(x), factor, 1.0) * x / np.sqrt(1 + x * x)

    assert not check(lengths, grad=slope, examples=[((3,),)]).ok
    assert check(lengths, grad=lambda x: slope(x, 1.0), examples=[((3,),)]).ok
