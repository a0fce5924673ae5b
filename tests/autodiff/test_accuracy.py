"""Values and gradients keep their digits over all magnitudes and at special points."""

from __future__ import annotations

import inspect
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
OTHER = {
    "Exprel",
    "Huber",
    "Pow",
    "Real",
    "Imag",
    "Conj",
    "Angle",
    "Gamma",
    "Sign",
    "Relu",
    "Relu6",
    "Cbrt",
}
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
    parameters = inspect.signature(function.forward).parameters.values()
    required = any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters)
    constants = function.examples[0][-1] if required else {}
    value = function.formula(x, **constants)
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
        y = function.apply(t, **constants)
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


def gradients(function, *arrays, upstream=None):
    tensors = [ad.tensor(array, requires_grad=True) for array in arrays]
    out = function(*tensors)
    out.backward(None if upstream is None else ad.tensor(upstream))
    return [tensor.grad.numpy() for tensor in tensors]


def close(actual, expected, ulps=8.0):
    np.testing.assert_allclose(actual, expected, rtol=ulps * np.finfo(float).eps, atol=0)


def test_logsumexp_where_the_output_is_rounded():
    (slope,) = gradients(ad.logsumexp, [-85.71, -105.0])
    with mpmath.workdps(40):
        rest = mpmath.exp(mpmath.mpf(-105.0) - mpmath.mpf(-85.71))
        close(slope, [float(1 / (1 + rest)), float(rest / (1 + rest))])


def test_norm_of_small_numbers_to_an_odd_power():
    (slope,) = gradients(lambda x: ad.norm(x, 3), [1.1e-60, 1.1e-60])
    close(slope, 2 ** (-2 / 3))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_cofactors_of_a_small_matrix(n):
    rng = np.random.default_rng(n)
    x = rng.standard_normal((2, n, n))
    (slope,) = gradients(lambda x: np.linalg.det(x).sum(), x)
    inverse = np.swapaxes(np.linalg.inv(x), -1, -2)
    np.testing.assert_allclose(slope, np.linalg.det(x)[:, None, None] * inverse, rtol=1e-11)
    (tiny,) = gradients(np.linalg.det, np.diag([1.4e-30] * (n - 1) + [0.0]))
    close(tiny[-1, -1], 1.4e-30 ** (n - 1))


def test_matrix_exponential():
    (slope,) = gradients(ad.linalg.matrix_exp, [[2.0]], upstream=[[1.0]])
    close(slope, math.exp(2), 1)
    ones = np.ones((2, 2))
    (slope,) = gradients(ad.linalg.matrix_exp, ones, upstream=np.eye(2))
    a = (math.exp(2) + 1) / 2  # exp of a symmetric x: the gradient of its trace is itself
    close(slope, [[a, a - 1], [a - 1, a]])
    (stack,) = gradients(ad.linalg.matrix_exp, np.stack([ones, ones]), upstream=[np.eye(2)] * 2)
    np.testing.assert_array_equal(stack[1], slope)
    (none,) = gradients(ad.linalg.matrix_exp, np.ones((0, 2, 2)), upstream=np.ones((0, 2, 2)))
    assert none.shape == (0, 2, 2)


def test_qr_of_one_number_forgets_the_gradient_of_q():
    x = ad.tensor([[3.3951220601820085]], requires_grad=True)
    q, r = ad.linalg.qr(x)
    (1e17 * q.sum() + 2 * r.sum()).backward()
    assert abs(x.grad.item()) == 2.0


@pytest.mark.parametrize(
    ("a", "b"),
    [(8.689e29, 1.156e30), (1e-12, 53.0), (53.0, 1e-12), (1e-60, 1e-60), (101.5, 1e-30), (3, 2.0)],
)
def test_beta(a, b):
    with mpmath.workdps(120):
        top = mpmath.digamma(mpmath.mpf(a) + mpmath.mpf(b))
        exact = [mpmath.digamma(mpmath.mpf(v)) - top for v in (a, b)]
        value = mpmath.beta(a, b) if a < 170 else 0
        of_log, of_value = [float(e) for e in exact], [float(e * value) for e in exact]
    slopes = [float(s) for s in gradients(ad.betaln, float(a), float(b))]
    np.testing.assert_allclose(slopes, of_log, rtol=8 * 2.3e-16, atol=8 * 2.3e-16)
    if a < 100:
        slopes = [float(s) for s in gradients(ad.beta, float(a), float(b))]
        np.testing.assert_allclose(slopes, of_value, rtol=1e-14)


def test_incomplete_beta_near_0():
    (slope,) = gradients(lambda x: ad.betainc(2.0, 3.5, x), 6.158818165856281e-17)
    close(slope, 15.75 * 6.158818165856281e-17)


@pytest.mark.parametrize("shapes", [((2,), (2,)), ((3,), (2,)), ((1, 0), (4,)), ((), (3,))])
def test_cross_wants_vectors_of_length_3(shapes):
    with pytest.raises(ValueError, match="length 3"):
        ad.cross(*[ad.tensor(np.ones(shape), requires_grad=True) for shape in shapes])


@pytest.mark.parametrize("point", np.linspace(0.5, 2.5, 21))
def test_airy_keeps_its_digits_where_scipy_loses_them(point):
    x = ad.tensor(point, requires_grad=True)
    ai, aip, _, _ = ad.airy(x)
    (slope,) = ad.grad(aip, x)
    with mpmath.workdps(40):
        of = [mpmath.airyai(mpmath.mpf(point), derivative=k) for k in range(4)]
    for computed, k in ((ai, 0), (aip, 1), (slope, 2)):
        allowed = abs(of[k]) + abs(point * of[k + 1])
        assert abs(computed.item() - of[k]) <= 8 * 2.0**-53 * float(allowed)


@pytest.mark.parametrize("logit", [0.0, 1e-300, -1.5e-30, 1e-9, 0.25, -3.0, 50.0, -700.0])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_cross_entropy_of_logits_keeps_the_digits_of_its_gradients(logit, target):
    x, t = ad.tensor(logit, requires_grad=True), ad.tensor(target, requires_grad=True)
    ad.binary_cross_entropy_with_logits(x, t).backward()
    assert t.grad.item() == -logit
    with mpmath.workdps(400):
        rest = 1 / (1 + mpmath.exp(mpmath.mpf(logit)))
        exact = 1 - rest - mpmath.mpf(target)
    assert abs(x.grad.item() - exact) <= 8 * 2.0**-53 * float(abs(exact) + abs(target * rest))
