"""Forms in index notation: what the normal form makes equal, and that it keeps the value."""

import functools
import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from symbolic.index_calculus import derivative, evaluate, is_zero, vjp
from symbolic.index_form import FIRST, Form, delta, entry, fresh, renamed, size
from symbolic.index_functions import apply, exponential, logarithm, number, power
from symbolic.index_sums import greatest, summed
from symbolic.values import TraceError

I, J, K = ("i", "n"), ("j", "m"), ("k", "n")
SIZES = {"n": 3, "m": 2}
HALF = Fraction(1, 2)


def x(i=I):
    return entry("x", [i])


def a(i=I, j=J):
    return entry("a", [i, j])


def total(form, *indices):
    return summed(form, indices or [I])


def share(i):
    return exponential(x(i)) * power(total(exponential(x(K)), K), -1)


# What becomes equal

EQUAL = {
    "sums distribute": (total(x() + a(I, FIRST)), total(x()) + total(a(I, FIRST))),
    "constants leave sums": (total(size("m") * x()), size("m") * total(x())),
    "a sum of ones is the size": (total(number(1)), size("n")),
    "bound indices have no names": (total(x(I)), total(x(K), K)),
    "sums commute": (total(total(a() * x(I), I), J), total(total(a() * x(I), J), I)),
    "a product of sums": (total(x(I) * x(K), I, K), total(x()) * total(x())),
    "sums in sums are one": (
        total(a() * total(a(K, J) * x(K), K), I, J),
        total(a(K, J) * x(K) * a(), K, I, J),
    ),
    "squares of sums in sums": (
        total(power(total(a() * x(), I), 2), J),
        total(a() * a(K, J) * x() * x(K), I, K, J),
    ),
    "deltas collapse": (total(delta(I, K) * x(I), I), x(K)),
    "a delta is its square": (delta(I, K) * delta(I, K), delta(I, K)),
    "a delta joins indices": (delta(I, K) * x(I) * x(K), delta(I, K) * x(K) * x(K)),
    "exp of a sum": (exponential(x() + total(x())), exponential(x()) * exponential(total(x()))),
    "log of a product": (logarithm(exponential(x()) * size("n")), x() + logarithm(size("n"))),
    "exp of a log": (exponential(-logarithm(size("n"))), power(size("n"), -1)),
    "roots of squares": (power(x() * x(), HALF), power(power(x(), 4), Fraction(1, 4))),
    "roots multiply": (power(size("n"), HALF) * power(size("n"), HALF), size("n")),
    "numbers": (power(number(12), HALF), number(2) * power(number(3), HALF)),
    "closed forms": (number(np.sqrt(2 / np.pi)), power(number(2) * power(number(np.pi), -1), HALF)),
    "sine and cosine": (power(apply("sin", x()), 2) + power(apply("cos", x()), 2), number(1)),
    "a shift by the maximum": (
        total(exponential(x() - greatest(x(K), [K]))) * exponential(greatest(x(K), [K])),
        total(exponential(x())),
    ),
}


@pytest.mark.parametrize(("left", "right"), EQUAL.values(), ids=EQUAL.keys())
def test_equal_by_form(left, right):
    assert left == right


BY_DENOMINATORS = {
    "shares sum to one": (total(share(I)), number(1)),
    "a common denominator": (
        x() * power(x() + size("n"), -1),
        number(1) - size("n") * power(x() + size("n"), -1),
    ),
    "a root over its square": (
        power(x() * x() + number(1), HALF) * power(x() * x() + number(1), -1),
        power(x() * x() + number(1), -HALF),
    ),
    "two denominators": (
        power(x() + number(1), -1) - power(x() + number(2), -1),
        power((x() + number(1)) * (x() + number(2)), -1),
    ),
    "inside a sum": (
        total(exponential(x()) * power(number(1) + exponential(x()), -1)),
        total(power(number(1) + exponential(-x()), -1)),
    ),
}


@pytest.mark.parametrize(("left", "right"), BY_DENOMINATORS.values(), ids=BY_DENOMINATORS.keys())
def test_equal_once_denominators_are_cleared(left, right):
    assert is_zero(left - right)


UNEQUAL = {
    "the index counts": (x(I), x(K)),
    "axes count": (total(a(), I), total(a(), J)),
    "sizes count": (total(number(1)), total(number(1), J)),
    "a size is no number": (size("n"), number(3)),
    "a sum of squares is no square of a sum": (total(x() * x()), total(x()) * total(x())),
    "a transpose": (entry("b", [I, K]), entry("b", [K, I])),
    "the root of a square is no identity": (power(x() * x(), HALF), x()),
    "the maximum of what": (greatest(x(), [I]), greatest(-x(), [I])),
    "one delta too few": (total(delta(I, K) * x(K), I), total(x(K), I)),
    "the same name over other sizes": (total(entry("b", [I])), total(entry("b", [J]), J)),
}


@pytest.mark.parametrize(("left", "right"), UNEQUAL.values(), ids=UNEQUAL.keys())
def test_different_forms_stay_different(left, right):
    assert left != right
    assert not is_zero(left - right)


def test_what_no_form_can_be():
    for impossible in (
        lambda: power(Form(), -1),
        lambda: power(delta(I, K), -1),
        lambda: logarithm(Form()),
        lambda: number(float("nan")),
        lambda: derivative(greatest(x(), [I]), "x", [K]),
        lambda: power(x() + number(1), 40),
    ):
        with pytest.raises(TraceError):
            impossible()


def test_an_expression_that_grows_too_large_is_given_up():
    factors = [entry(name, ()) + number(1) for name in "abcdefghijkl"]
    with pytest.raises(TraceError, match="too large"):
        functools.reduce(operator.mul, factors)


# Random expressions, beside the same computation in NumPy

RNG = np.random.default_rng(5)
ARRAYS = {"x": RNG.uniform(0.5, 1.5, 3), "a": RNG.uniform(0.5, 1.5, (3, 2))}


class Both:
    """A form in the indices i and j, and its values for all i and j by NumPy."""

    def __init__(self, form, values):
        self.form, self.values = form, np.broadcast_to(values, (3, 2))


LEAVES = [
    lambda v: Both(x(), v["x"][:, None]),
    lambda v: Both(x(FIRST), v["x"][0]),
    lambda v: Both(a(), v["a"]),
    lambda v: Both(a(I, FIRST), v["a"][:, :1]),
    lambda v: Both(size("n"), 3.0),
    lambda v: Both(number(0.5), 0.5),
    lambda v: Both(number(-2), -2.0),
    lambda v: Both(total(delta(I, K) * a(K, J) * x(K), K), v["a"] * v["x"][:, None]),
]
STEPS = {
    "add": lambda p, q: Both(p.form + q.form, p.values + q.values),
    "subtract": lambda p, q: Both(p.form - q.form, p.values - q.values),
    "multiply": lambda p, q: Both(p.form * q.form, p.values * q.values),
    "square": lambda p, q: Both(power(p.form, 2), p.values**2),
    "divide": lambda p, q: Both(
        p.form * power(q.form * q.form + number(1), -1), p.values / (q.values**2 + 1)
    ),
    "root": lambda p, q: Both(power(p.form * p.form + number(2), HALF), np.sqrt(p.values**2 + 2)),
    "exp": lambda p, q: Both(exponential(number(0.125) * p.form), np.exp(p.values / 8)),
    "log": lambda p, q: Both(logarithm(number(3) + p.form * p.form), np.log(3 + p.values**2)),
    "sin": lambda p, q: Both(apply("sin", p.form), np.sin(p.values)),
    "sum over i": lambda p, q: Both(summed(p.form, [I]), p.values.sum(0, keepdims=True)),
    "sum over j": lambda p, q: Both(summed(p.form, [J]), p.values.sum(1, keepdims=True)),
    "sum over both": lambda p, q: Both(summed(p.form, [I, J]), p.values.sum()),
    "greatest": lambda p, q: Both(greatest(p.form, [J]), p.values.max(1, keepdims=True)),
}
recipes = st.recursive(
    st.integers(0, len(LEAVES) - 1),
    lambda inner: st.tuples(st.sampled_from(sorted(STEPS)), inner, inner),
    max_leaves=6,
)


def made(recipe, arrays):
    """The expression of a recipe, or None where it grows too large."""
    if isinstance(recipe, int):
        return LEAVES[recipe](arrays)
    name, *inner = recipe
    return STEPS[name](*(made(r, arrays) for r in inner))


def tried(recipe, arrays=ARRAYS):
    try:
        with np.errstate(all="ignore"):
            found = made(recipe, arrays)
    except TraceError:
        assume(False)
    assume(np.all(np.isfinite(found.values)) and np.max(np.abs(found.values)) < 1e6)
    return found


@given(recipes)
def test_a_normal_form_keeps_the_value(recipe):
    found = tried(recipe)
    values = evaluate(found.form, [I, J], ARRAYS, SIZES)
    np.testing.assert_allclose(values, found.values, rtol=1e-8, atol=1e-8)


@given(recipes, recipes)
def test_forms_that_count_as_equal_have_the_same_values(left, right):
    p, q = tried(left), tried(right)
    try:
        same = is_zero(p.form - q.form)
    except TraceError:
        assume(False)
    if same:
        np.testing.assert_allclose(p.values, q.values, rtol=1e-8, atol=1e-8)


@given(recipes)
def test_a_derivative_is_the_slope_of_the_values(recipe):
    found = tried(recipe)
    try:
        slope = derivative(found.form, "x", [K])
    except TraceError:
        assume(False)
    h = 1e-5
    for k in range(3):
        high, low = ARRAYS["x"].copy(), ARRAYS["x"].copy()
        high[k] += h
        low[k] -= h
        up, down = (tried(recipe, {**ARRAYS, "x": v}).values for v in (high, low))
        expected = (up - down) / (2 * h)
        values = evaluate(slope, [I, J, K], ARRAYS, SIZES)[:, :, k]
        scale = 1 + np.max(np.abs(found.values))
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6 * scale)


@given(recipes)
def test_renaming_is_undone_by_renaming(recipe):
    form = tried(recipe).form
    new = fresh("n")
    try:
        assert renamed(renamed(form, {I: new}), {new: I}) == form
    except TraceError:
        assume(False)


def test_the_vector_jacobian_product_of_a_matrix_product():
    y = total(a() * entry("w", [J]), J)  # y_i = sum_j a_ij w_j
    by_w = vjp([(y, entry("g", [I]), [I])], "w", [J])
    assert by_w == total(a() * entry("g", [I]), I)
    by_a = vjp([(y, entry("g", [I]), [I])], "a", [I, J])
    assert by_a == entry("g", [I]) * entry("w", [J])


def test_the_same_name_over_another_size_is_another_entry():
    assert evaluate(total(entry("b", [J]), J), [], {"b": np.ones(2)}, SIZES) == 2
    assert evaluate(total(entry("b", [I])), [], {"b": np.ones(3)}, SIZES) == 3
