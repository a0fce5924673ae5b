"""Values and gradients keep their digits over all magnitudes and at special points."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy

import autodiff as ad
from autodiff.function import argument_names
from autodiff.functions import all_functions

POINTS = [
    s * float(v)
    for s in (1, -1)
    for v in [*10.0 ** np.arange(-60, 61, 12.0), 1e-9, 0.01, 0.3, 0.49, 0.51, 0.99, 1 - 1e-9]
    + [1 + 1e-9, 1.3, 2, 3.7, 9.9, 25, 25.8, 40, 55, 199, 700, 1e5]
] + [0.0]
SLOW = {"HurwitzZeta", "Polygamma", "Jv", "Yv", "Iv", "Kv", "Gammainc", "Gammaincc", "Betainc"}
SLOW |= {"J0", "J1", "Y0", "Y1", "I0", "I1", "K0", "K1", "Expi", "Exp1", "Gammaln", "Digamma"}
# of keywords, of complex numbers, or piecewise with kinks that SymPy decides otherwise
OTHER = {"Pow", "Real", "Imag", "Conj", "Angle", "Gamma", "Sign", "Relu", "Relu6", "Cbrt"}
OTHER |= {"Expn", "PseudoHuber", "Boxcox", "Softshrink", "Hardsigmoid", "Hardswish"}
UNARY = [
    function
    for function in all_functions()
    if function.elementwise
    and len(argument_names(function)) == 1
    and function.__name__ not in SLOW | OTHER
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", UNARY, ids=lambda function: function.__name__)
def test_within_8_ulps_of_the_conditioning(function):
    x = sympy.Symbol("x", real=True)
    value = function.formula(x)
    slope = sympy.diff(value, x)
    exact = [
        sympy.lambdify(x, e, [{"DiracDelta": lambda _: 0}, "mpmath"])
        for e in (value, slope, sympy.diff(slope, x))
    ]
    (name,) = argument_names(function)
    low, high = function.domain.get(name, (-math.inf, math.inf))
    tried = 0
    for point in POINTS:
        if not low < point < high:
            continue
        t = ad.tensor(point, requires_grad=True)
        y = function.apply(t)
        y.backward()
        with mpmath.workdps(700 if abs(point) > 10 else 200):
            try:
                v = [mpmath.mpf(e(mpmath.mpf(point))) for e in exact]
            except (ZeroDivisionError, ValueError, TypeError):
                continue  # a kink, or mpmath's own limits
            for computed, k in ((y.item(), 0), (t.grad.item(), 1)):
                if not mpmath.isfinite(v[k]) or not abs(v[k]) < mpmath.mpf(10) ** 300:
                    continue
                tried += 1
                allowed = abs(v[k]) + abs(point * v[k + 1])
                allowed = 8 * allowed * mpmath.mpf(2) ** -52 + mpmath.mpf(2) ** -1022
                assert abs(mpmath.mpf(computed) - v[k]) <= allowed, (point, computed, v[k])
    assert tried > 10


@pytest.mark.parametrize(
    ("function", "point", "slope"),
    [
        (ad.sigmoid, 40.0, 4.248354255291589e-18),
        (ad.sigmoid, -700.0, 9.859676543759770e-305),
        (ad.expm1, -40.0, 4.248354255291589e-18),
        (ad.tanh, 25.0, 7.715e-22),
        (ad.sinc, 1e-9, -3.2898681336964524e-09),
        (ad.arcsinh, 1e200, 1e-200),
    ],
)
def test_named_points(function, point, slope):
    x = ad.tensor(point, requires_grad=True)
    function(x).backward()
    assert x.grad.item() == pytest.approx(slope, rel=1e-4 if slope == 7.715e-22 else 1e-14)


def test_log_softmax_of_a_confident_prediction_keeps_its_digits():
    x = ad.tensor([40.0, 0.0], requires_grad=True)
    y = ad.log_softmax(x, 0)
    assert y[0].item() == pytest.approx(-math.exp(-40), rel=1e-14)
    y[0].backward()
    assert x.grad[0].item() == pytest.approx(math.exp(-40), rel=1e-14)
    x.grad = None
    ad.softmax(x, 0)[0].backward()
    assert x.grad[0].item() == pytest.approx(math.exp(-40), rel=1e-14)


KINKS = [
    (ad.abs, 0.0, 0.0),
    (ad.relu, 0.0, 0.0),
    (lambda x: ad.maximum(x, 0.0), 0.0, 0.5),
    (lambda x: ad.clip(x, 0.0, 1.0), 0.0, 1.0),
    (lambda x: x**0, 0.0, 0.0),
    (lambda x: x**1, 0.0, 1.0),
    (lambda x: ad.power(x, ad.tensor(0.0)), 0.0, 0.0),
    (lambda x: ad.power(ad.tensor(0.0), x), 2.0, 0.0),
    (lambda x: ad.logaddexp(x, 1.0), 1.0, 0.5),
    (lambda x: ad.logaddexp(x, -math.inf), 1.0, 1.0),
    (lambda x: ad.hypot(x, 0.0), 0.0, 0.0),
]


@pytest.mark.parametrize(("function", "point", "slope"), KINKS)
def test_conventions_at_kinks(function, point, slope):
    x = ad.tensor(point, requires_grad=True)
    function(x).backward()
    assert x.grad.item() == slope


@pytest.mark.parametrize(
    ("function", "data", "gradient"),
    [
        (np.prod, [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
        (np.prod, [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]),
        (lambda x: np.cumprod(x)[-1], [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
        (np.max, [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        (np.std, [0.1, 0.1, 0.1], [0.0, 0.0, 0.0]),
        (np.linalg.norm, [0.0, 0.0], [0.0, 0.0]),
        (ad.logsumexp, [1000.0, 1000.0], [0.5, 0.5]),
        (np.linalg.det, [[1.0, 2.0], [2.0, 4.0]], [[4.0, -2.0], [-2.0, 1.0]]),
        (np.linalg.det, np.diag([0.0, 2, 3, 4, 5]), np.diag([120.0, 0, 0, 0, 0])),
    ],
)
def test_degenerate_arrays(function, data, gradient):
    x = ad.tensor(data, requires_grad=True)
    function(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), gradient, atol=1e-12)
