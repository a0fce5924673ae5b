"""Kinks and the cells around them: what is accepted there, and what is not."""

import numpy as np
import pytest

import verify
from symbolic.values import Trace
from verify.check import check
from verify.kinks import separating


def two_maxima(x):
    return x[:4].max() + x[4:].max()


def two_maxima_first(x):
    """The first of the tied entries gets the gradient, in each half."""
    gradient = np.zeros(8)
    gradient[np.argmax(x[:4])] = 1.0
    gradient[4 + np.argmax(x[4:])] = 1.0
    return gradient


def two_maxima_every(x):
    """Each of the tied entries gets the whole gradient: outside of the generalised gradient."""
    return np.concatenate([x[:4] == x[:4].max(), x[4:] == x[4:].max()]).astype(float)


def two_maxima_crossed(x):
    """The gradient of the first half's maximum, twice the second's where all entries tie."""
    gradient = two_maxima_first(x)
    if np.all(x == x[0]):
        gradient[4:] *= 2
    return gradient


def test_the_hull_of_many_cells_is_searched_before_a_gradient_is_refused():
    report = verify.check(two_maxima, grad=two_maxima_first, examples=[((8,),)])
    assert report.ok, str(report)


@pytest.mark.parametrize("wrong", [two_maxima_every, two_maxima_crossed])
def test_what_lies_outside_of_the_hull_is_refuted(wrong):
    assert verify.check(two_maxima, grad=wrong, examples=[((8,),)]).verdict == "refuted"


def test_the_separating_direction():
    corners = [np.array([1.0, 0.0]), np.array([0.0, 1.0])]
    assert separating(np.array([0.5, 0.5]), corners, 1e-9, []) is None
    away = separating(np.array([1.0, 1.0]), corners, 1e-9, [])
    assert away[0] == pytest.approx(away[1])
    assert away[0] > 0
    assert np.all(separating(np.array([np.nan, 0.0]), corners, 1e-9, []) == 0)


def test_a_decision_on_nan_is_no_condition_and_is_remembered():
    trace = Trace()
    x = trace.symbol("x", 0.0)
    with np.errstate(all="ignore"):
        assert not (x / x > 1)
    assert trace.conditions == []
    assert trace.loose


def mape(y, t):
    return np.mean(np.abs((t - y) / t))


def test_a_cell_beyond_the_domain_says_nothing_of_the_points_inside():
    # At t = 0 the quotient is NaN, and no condition tells which branch of abs was taken.
    def grad(y, t):
        sign = np.sign((t - y) / t)
        return -sign / t / y.size, sign * y / t**2 / y.size

    def wrong(y, t):
        sign = np.sign(t - y)
        return -sign / t / y.size, sign * y / t**2 / y.size

    examples = [((3,), (3,))]
    assert verify.check(mape, grad=grad, examples=examples).ok
    assert verify.check(mape, grad=wrong, examples=examples).verdict == "refuted"


def test_length_one_of_a_function_whose_entries_interact():
    # 1/r - x^2/r^3 cancels at length 1: what is lost there is no loss of the function's.
    def rms(x):
        return x / np.sqrt(np.mean(x * x) + 1e-6)

    def vjp(x, grad_output):
        r = np.sqrt(np.mean(x * x) + 1e-6)
        return grad_output / r - x * np.sum(grad_output * x) / (x.size * r**3)

    assert verify.check(rms, vjp=vjp, examples=[((1,),), ((4,),)]).ok


def test_a_floor_under_a_logarithms_slope_is_seen_next_to_zero():
    def slope(x):
        return 1 / np.maximum(x, 1e-7)

    report = verify.check(lambda x: np.log(x).sum(), grad=slope, domain=(0, np.inf))
    assert report.verdict == "refuted"


def test_a_corner_that_no_side_has_is_refused_though_corners_go_on_for_ever():
    def at_origin(value):
        def vjp(x, y, g):
            r = np.hypot(x, y)
            safe = np.where(r == 0, 1, r)
            return g * np.where(r == 0, value, x / safe), g * np.where(r == 0, value, y / safe)

        return vjp

    examples = [((), ())]
    assert verify.check(np.hypot, vjp=at_origin(0.5), examples=examples).ok
    assert verify.check(np.hypot, vjp=at_origin(1.0), examples=examples).verdict == "refuted"


def test_a_zero_has_a_sign():
    def grad(x, at_minus_zero=1.0):
        slope = np.cos(x) - x * np.sin(x)
        return np.where((x == 0) & np.signbit(x), at_minus_zero, slope)

    def subject(x):
        return np.sum(np.cos(x) * x)

    assert check(subject, grad=grad, examples=[((2,),)]).ok
    assert not check(subject, grad=lambda x: grad(x, -1.0), examples=[((2,),)]).ok


def gap_of_scores(x):
    scores = np.sort(SCORES @ x)
    return scores[-1] - scores[-2]


SCORES = np.array([[1.2, 0.0], [0.3, -0.1], [1.25, 0.0], [0.2, 0.2], [-0.5, 0.6]])


def test_where_many_orders_meet_each_limit_is_right():
    def grad(x, factor=1.0):
        order = np.argsort(SCORES @ x, kind="stable")
        return SCORES[order[-1]] - factor * SCORES[order[-2]]

    assert check(gap_of_scores, grad=grad, examples=[((2,),)]).ok
    assert not check(gap_of_scores, grad=lambda x: grad(x, 1.01), examples=[((2,),)]).ok


def test_a_pole_within_the_rounding_of_the_inputs():
    def rim(x, y):
        return np.sqrt(1 - x * x - y * y)

    def grad(x, y, factor=1.0):
        return -factor * x / rim(x, y), -y / rim(x, y)

    assert check(rim, grad=grad, examples=[((), ())]).ok
    assert not check(rim, grad=lambda x, y: grad(x, y, 1.001), examples=[((), ())]).ok


def test_values_that_are_equal_in_floats_alone():
    """``sqrt(1 + x**2)`` is 1 up to 1e-8: a maximum of two of them is decided by rounding."""

    def grad(x, factor=1.0):
        values = np.sqrt(1 + x * x)
        first = values == values.max()
        return factor * first / first.sum() * x / values

    def subject(x):
        return np.max(np.sqrt(1 + x * x))

    assert check(subject, grad=grad, examples=[((2,),)]).ok
    assert not check(subject, grad=lambda x: grad(x, 1.001), examples=[((2,),)]).ok
