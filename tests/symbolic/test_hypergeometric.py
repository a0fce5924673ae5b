"""Hypergeometric functions in closed form, and what is proved with them."""

import numpy as np
import pytest
from flint import acb, arb, ctx
from scipy import special

from autodiff import Function
from symbolic import hypergeometric
from symbolic.decide import equal
from symbolic.graph import Graph
from verify import check

HALVES = [-1.5, -0.5, 0.5, 1.5, 2.5]


def _in_balls(op, *args):
    at = acb(args[-1])
    return {
        "exp": lambda: at.exp(),
        "log": lambda: at.log(),
        "besseli": lambda: at.bessel_i(acb(args[0])),
        "ellipk": lambda: at.elliptic_k(),
        "ellipe": lambda: at.elliptic_e(),
        "gammaln": lambda: at.lgamma(),
        "polygamma": lambda: at.digamma(),
    }[op]()


def _in_arb(op, *args):
    return _in_balls(op, *args).real


@pytest.fixture
def precise(monkeypatch):
    monkeypatch.setattr(ctx, "prec", 256)


def _same(found, wanted):
    return found.real.overlaps(wanted.real) and found.real.rad() < 1e-20


@pytest.mark.parametrize("z", [0.75, -3.25])
def test_the_confluent_function_has_its_closed_form_at_all_shifts(precise, z):
    for a in [0.5, 1.5, 2.5, 1, 2, 3, 4]:
        for c in [1, 2, 3, 4]:
            found = hypergeometric.confluent(_in_balls, arb.pi(), a, c, acb(z))
            assert _same(found, acb(arb(z).hypgeom([arb(a)], [arb(c)]))), (a, c)


@pytest.mark.parametrize("z", [0.25, -3.25])
@pytest.mark.parametrize("family", [HALVES, [1, 2, 3, 4]])
def test_gauss_function_has_its_closed_form_at_all_shifts(precise, family, z):
    for a in family:
        for b in family:
            for c in [1, 2, 3, 4]:
                found = hypergeometric.gauss(_in_balls, arb.pi(), a, b, c, acb(z))
                wanted = acb(z).hypgeom_2f1(acb(a), acb(b), acb(c))
                assert _same(found, wanted), (a, b, c)


@pytest.mark.parametrize("c", [0.75, 3.5, 41.0])
@pytest.mark.parametrize(("a", "b"), [(-0.5, -0.5), (0.25, -2.75), (-1, 0.5)])
def test_at_one_it_is_a_ratio_of_gamma_functions(precise, a, b, c):
    found = hypergeometric.gauss(_in_arb, arb.pi(), a, b, arb(c), 1.0)
    assert _same(acb(found), acb(1).hypgeom_2f1(acb(a), acb(b), acb(c)))


@pytest.mark.parametrize("c", [2.25, 3.5, 41.0])
@pytest.mark.parametrize(("a", "b"), [(1, 1), (1, 2), (2, 1)])
def test_at_one_half_it_is_a_difference_of_digammas(precise, a, b, c):
    found = hypergeometric.gauss(_in_arb, arb.pi(), a, b, arb(c), 0.5)
    assert _same(acb(found), acb(0.5).hypgeom_2f1(acb(a), acb(b), acb(c)))


@pytest.mark.parametrize(("a", "b", "c", "z"), [(1, 1, 2, 1.0), (1, 1, 1, 0.5), (1, 2, 2, 0.5)])
def test_where_a_gamma_function_has_a_pole_there_is_no_special_value(precise, a, b, c, z):
    assert hypergeometric.gauss(_in_arb, arb.pi(), arb(a), b, arb(c), z) is None


@pytest.mark.parametrize(
    "parameters", [(0.25, 1), (-1, 1), (1, 0), (1, 0.5), (100, 1), (np.nan, 1), ("a", 1)]
)
def test_other_parameters_have_none(parameters):
    assert hypergeometric.confluent(_in_balls, np.pi, *parameters, acb(1)) is None
    assert hypergeometric.gauss(_in_balls, np.pi, *parameters, 1, acb(0.5)) is None or (
        parameters == (1, 0.5)
    )


@pytest.mark.parametrize("order", [0.5, 1.5, 2.5, -0.5, -1.5])
@pytest.mark.parametrize("op", ["besselj", "bessely", "besseli", "besselk"])
def test_bessel_functions_of_half_odd_orders_are_elementary(op, order):
    """The order 1/2 by its formula (K is even in its order), the others by the recurrence."""
    g = Graph()
    x, pi, two = g.variable("x"), g.make("pi"), g.number(2.0)
    f = g.apply(op, g.number(order), x)
    size = g.pow(g.div(two, g.mul(pi, x)), g.number(0.5))
    half = {
        "besselj": g.mul(size, g.apply("sin", x)),
        "bessely": g.neg(g.mul(size, g.apply("cos", x))),
        "besseli": g.mul(size, g.apply("sinh", x)),
        "besselk": g.mul(g.div(g.mul(size, pi), two), g.apply("exp", g.neg(x))),
    }[op]
    at = [{"x": 2}, {"x": 0.5}]
    same = equal(g, f, half, points=at)
    assert same.proved if order == 0.5 or (op, order) == ("besselk", -0.5) else same.refuted
    low, high = (g.apply(op, g.number(order + k), x) for k in (-1, 1))
    twice = g.div(g.mul(g.number(2 * order), f), x)
    signs = {"besselj": (1, 1), "bessely": (1, 1), "besseli": (1, -1), "besselk": (-1, 1)}[op]
    total = g.add(g.mul(g.number(signs[0]), low), g.mul(g.number(signs[1]), high))
    assert equal(g, total, twice, points=at).proved
    assert not equal(g, total, g.neg(twice), points=at).proved


def test_the_sine_of_a_size_is_the_sine_with_its_sign():
    g = Graph()
    x = g.variable("x")
    size = g.pow(g.mul(x, x), g.number(0.5))
    at = [{"x": 2}, {"x": -2}]

    def over(op, a, b):
        return g.mul(g.apply(op, a), b)

    assert equal(g, over("sin", size, x), over("sin", x, size), points=at).proved
    assert equal(g, g.apply("cos", size), g.apply("cos", x), points=at).proved
    assert not equal(g, g.apply("sin", size), g.apply("sin", x), points=[{"x": 2}]).proved
    assert not equal(g, over("cos", size, x), over("cos", x, size), points=[{"x": 2}]).proved


def _function(value, slope, within=(-0.9, 0.9)):
    class Subject(Function):
        examples = [((),)]
        domain = {"x": within}

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return value(x)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * slope(x)

    return Subject


RIGHT = {
    "exprel": (special.exprel, lambda x: special.hyp1f1(2.0, 3.0, x) / 2),
    "sinc": (
        np.sinc,
        lambda x: -(np.pi**2) / 3 * x * special.hyp0f1(2.5, -((np.pi * x / 2) ** 2)),
    ),
    "ellipk": (special.ellipk, lambda x: np.pi / 8 * special.hyp2f1(1.5, 1.5, 2.0, x)),
    "ellipe": (special.ellipe, lambda x: -np.pi / 8 * special.hyp2f1(0.5, 1.5, 2.0, x)),
    "i0": (
        lambda x: special.hyp1f1(0.5, 1.0, -2 * x),
        lambda x: -special.hyp1f1(1.5, 2.0, -2 * x),
    ),
    "log": (
        lambda x: special.hyp2f1(1.0, 1.0, 2.0, x),
        lambda x: special.hyp2f1(2.0, 2.0, 3.0, x) / 2,
    ),
}

# The same with one parameter, one factor or one sign that is wrong.
WRONG = {
    "exprel": lambda x: special.hyp1f1(1.0, 3.0, x) / 2,
    "sinc": lambda x: -(np.pi**2) / 3 * x * special.hyp0f1(1.5, -((np.pi * x / 2) ** 2)),
    "ellipk": lambda x: np.pi / 8 * special.hyp2f1(1.5, 0.5, 2.0, x),
    "ellipe": lambda x: np.pi / 8 * special.hyp2f1(0.5, 1.5, 2.0, x),
    "i0": lambda x: -special.hyp1f1(1.5, 3.0, -2 * x),
    "log": lambda x: special.hyp2f1(2.0, 2.0, 3.0, x) / 3,
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_slope_by_a_hypergeometric_function_is_proved(name):
    assert check(_function(*RIGHT[name])).verdict.value == "proved"


@pytest.mark.parametrize("name", WRONG)
def test_a_slope_by_a_neighbouring_one_is_refuted(name):
    _refuted(_function(RIGHT[name][0], WRONG[name]))


def _refuted(subject):
    report = check(subject)
    assert report.verdict.value == "refuted"
    assert not any(f.evidence == "proof" and f.status == "pass" for f in report.findings)


def _half_step(x):
    """The logarithm of ``gamma(x + 1/2) / gamma(x)``."""
    return special.gammaln(x + 0.5) - special.gammaln(x)


def _by_gauss(x, first=-0.5):
    return (np.log(x) - np.log(special.hyp2f1(first, -0.5, x, 1.0))) / 2


def _half_step_slope(x, second=2.0):
    """``digamma(x + 1/2) - digamma(x)``."""
    return special.hyp2f1(1.0, second, 2 * x + 2, 0.5) / (4 * x * (2 * x + 1)) + 1 / (2 * x)


@pytest.mark.parametrize("value", [_half_step, _by_gauss])
def test_the_slope_of_a_ratio_of_gamma_functions_is_proved(value):
    assert check(_function(value, _half_step_slope, (0.5, 9))).verdict.value == "proved"
    _refuted(_function(value, lambda x: _half_step_slope(x, 1.0), (0.5, 9)))


def test_another_value_by_gauss_theorem_has_another_slope():
    _refuted(_function(lambda x: _by_gauss(x, 0.5), _half_step_slope, (0.5, 9)))
