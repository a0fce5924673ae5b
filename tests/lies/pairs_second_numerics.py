"""Digits lost for huge, tiny or mixed magnitudes, guards of overflow, and honest forms that lose a few."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"second-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"second-pair: {name}", kind, f, why, **options))


def cv(x):
    """Squared coefficient of variation."""
    m = x.mean()
    return np.mean((x - m) ** 2) / m**2


def cv_grad(x):
    m, n = x.mean(), len(x)
    v = np.mean((x - m) ** 2)
    return 2 * (x - m) / (n * m**2) - 2 * v / (n * m**3)


def cv_grad_squares(x):
    m, n = x.mean(), len(x)
    v = np.mean(x * x) - m * m
    return 2 * (x - m) / (n * m**2) - 2 * v / (n * m**3)


right("coefficient of variation", "floats", cv, "the terms of nearly constant entries cancel", grad=cv_grad, examples=[((3,),)], domain=[(0.5, 1e6)])
right("coefficient of variation: difference of squares", "floats", cv, "E[x^2] - E[x]^2 has no digits left for nearly constant entries, within the rounding of the entries themselves", grad=cv_grad_squares, examples=[((3,),)], domain=[(0.5, 1e6)])


def std_grad(x):
    return (x - x.mean()) / (len(x) * x.std())


def std_grad_squares(x):
    v = np.mean(x * x) - x.mean() ** 2
    return (x - x.mean()) / (len(x) * np.sqrt(np.maximum(v, 1e-30)))


pair("deviation: difference of squares", "floats", np.std, std_grad, std_grad_squares, "sqrt(E[x^2] - E[x]^2) for entries that are close", examples=[((3,),)], domain=[lambda rng, shape: rng.normal() * 10 ** rng.uniform(0, 8) + rng.normal(size=shape)])


def softplus_beta(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


pair("softplus: slope by a difference", "floats", lambda x: softplus_beta(x).sum(), lambda x: 1 / (1 + np.exp(-x)), lambda x: 1 - 1 / (1 + np.exp(x)), "1 - 1/(1 + e^x) is zero below -37", examples=[((2,),)])


def guarded_logistic(x):
    return np.sum(special.log_expit(x))


pair("log of the logistic: guard at 30", "floats", guarded_logistic, lambda x: special.expit(-x), lambda x: np.where(x > 30, 0, 1 / (1 + np.exp(np.minimum(x, 30)))), "no gradient above 30, where it is e^-x", examples=[((2,),)])


pair("log of a hypotenuse", "floats", lambda x: np.sum(np.arcsinh(x)), lambda x: 1 / np.hypot(x, 1), lambda x: (1 + x / np.sqrt(x * x + 1)) / (x + np.sqrt(x * x + 1)), "nothing is left for large negative arguments", examples=[((2,),)])


def quadratic_root(b, c):
    """The smaller root of z^2 - 2 b z + c in the form without cancellation."""
    return c / (b + np.sqrt(b * b - c))


def quadratic_root_grad(b, c):
    r = np.sqrt(b * b - c)
    z = c / (b + r)
    return -z / r, 0.5 / r


def quadratic_root_grad_naive(b, c):
    r = np.sqrt(b * b - c)
    return 1 - b / r, 0.5 / r


pair("smaller root: cancelled slope", "floats", quadratic_root, quadratic_root_grad, quadratic_root_grad_naive, "1 - b/r for c far below b^2", examples=[((), ())], domain=[(1.5, 1e8), (0.1, 2.0)])


def relativistic(p):
    return np.sum(np.sqrt(1 + p * p) - 1)


right("kinetic energy", "floats", relativistic, "forward loses digits near zero, the gradient does not", grad=lambda p: p / np.sqrt(1 + p * p), examples=[((2,),)])


def gaussian_cdf_ratio(x):
    return np.sum(special.log_ndtr(x))


def mills(x):
    return np.exp(-0.5 * x * x - special.log_ndtr(x)) / math.sqrt(2 * math.pi)


def mills_naive(x):
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi) / np.maximum(special.ndtr(x), 1e-300)


pair("mills ratio: clamped", "floats", gaussian_cdf_ratio, mills, mills_naive, "zero over 1e-300 below -38", examples=[((2,),)], domain=[(-1000, 1000)])


def cosine(x, y):
    return x @ y / np.sqrt((x @ x) * (y @ y))


def cosine_grad(x, y):
    nx, ny = np.linalg.norm(x), np.linalg.norm(y)
    c = (x / nx) @ (y / ny)
    return (y / ny - c * x / nx) / nx, (x / nx - c * y / ny) / ny


right("cosine: honest cancellation at parallel vectors", "floats", cosine, "y/|y| - c x/|x| cancels for parallel vectors: exactly zero there", grad=cosine_grad, examples=[((2,), (2,))])


def correlation(x, y):
    a, b = x - x.mean(), y - y.mean()
    return (a @ b) / np.sqrt((a @ a) * (b @ b))


def correlation_grad(x, y):
    a, b = x - x.mean(), y - y.mean()
    na, nb = np.sqrt(a @ a), np.sqrt(b @ b)
    r = a @ b / (na * nb)
    return b / (na * nb) - r * a / na**2, a / (na * nb) - r * b / nb**2


right("correlation of two", "floats", correlation, "of two entries it is 1 or -1, the gradient a cancelled zero", grad=correlation_grad, examples=[((3,), (3,)), ((2,), (2,))])


def log_mean_exp(x):
    return special.logsumexp(x) - math.log(len(x))


pair("log-mean-exp: shifted by the mean", "floats", log_mean_exp, special.softmax, lambda x: np.exp(x - x.mean()) / np.exp(x - x.mean()).sum(), "overflows where one entry is far above the mean", examples=[((3,),)])


def barrier(x):
    """The logarithmic barrier of 0 < x < 1 in its two distances."""
    return -np.sum(np.log(x) + np.log1p(-x))


pair("barrier: squared product", "floats", barrier, lambda x: 1 / (1 - x) - 1 / x, lambda x: (2 * x - 1) / np.maximum(x * (1 - x), 1e-12), "the product is kept above 1e-12: tiny x have more", examples=[((2,),)], domain=[(0, 1)])


right("barrier: one fraction", "floats", barrier, "a form whose zero at one half is exact", grad=lambda x: (2 * x - 1) / (x * (1 - x)), examples=[((2,),)], domain=[(0, 1)])


def log_ratio(x, y):
    """The logarithmic mean of two positive numbers."""
    d = np.log(x / y)
    return np.where(np.abs(d) < 1e-4, np.sqrt(x * y) * (1 + d * d / 24), (x - y) / np.where(np.abs(d) < 1e-4, 1.0, d))


def log_ratio_grad(x, y):
    d = np.log(x / y)
    near = np.abs(d) < 1e-4
    s = np.where(near, 1.0, d)
    m = (x - y) / s
    g = np.sqrt(x * y)
    return (
        np.where(near, g / x * (0.5 + d / 12 + d * d / 48), (1 - m / x) / s),
        np.where(near, g / y * (0.5 - d / 12 + d * d / 48), (m / y - 1) / s),
    )


right("logarithmic mean: honest loss", "floats", log_ratio, "some 12 digits are left at the switch of the series at 1e-4: eps/d^2 is 1e-8 times ulps", vjp=lambda x, y, grad_output: tuple(grad_output * g for g in log_ratio_grad(x, y)), examples=[((), ())], domain=[(0.1, 10), (0.1, 10)], max_ulps=2.0**28)


def hypotenuse(x):
    m = np.max(np.abs(x))
    return m * np.sqrt(np.sum((x / m) ** 2)) if m > 0 else 0.0 * m


pair("scaled norm: unscaled gradient", "floats", hypotenuse, lambda x: x / hypotenuse(x) if np.any(x) else 0 * x, lambda x: x / np.sqrt(np.sum(x * x) + 1e-20), "1e-20 is added: tiny vectors lose their direction", examples=[((3,),)])


def power_sum(x):
    """(sum x^8)^(1/8), scaled."""
    m = x.max()
    return m * np.sum((x / m) ** 8) ** 0.125


right("p-norm of eight", "floats", power_sum, "the scale cancels in the gradient", grad=lambda x: (x / power_sum(x)) ** 7, examples=[((3,),)], domain=[(1e-6, 1e6)])


def geometric(x):
    return np.exp(np.mean(np.log(x)))


pair("geometric mean: by the product", "floats", geometric, lambda x: geometric(x) / (len(x) * x), lambda x: np.prod(x) ** (1 / len(x)) / (len(x) * x) if np.prod(x) < 1e60 else np.full(len(x), geometric(x) / (len(x) * x.max())), "another form above 1e60, that of equal entries", examples=[((4,),)], domain=[(1e-20, 1e20)])


def yeo_johnson(x, lam):
    """The power transform for positive x, its limit log1p for lam near 0."""
    return np.where(lam == 0, np.log1p(x), np.expm1(lam * np.log1p(x)) / np.where(lam == 0, 1.0, lam))


def yeo_johnson_vjp(x, lam, grad_output):
    t = np.log1p(x)
    z = lam * t
    small = np.abs(z) < 1e-2
    s = np.where(small, 1.0, z)
    phi = np.where(small, 0.5 + z / 3 + z * z / 8 + z**3 / 30 + z**4 / 144 + z**5 / 840 + z**6 / 5760, (s * np.exp(s) - np.expm1(s)) / (s * s))
    return grad_output * np.exp((lam - 1) * t), grad_output * t * t * phi


def yeo_johnson_vjp_naive(x, lam, grad_output):
    t = np.log1p(x)
    s = np.where(lam == 0, 1.0, lam)
    dl = np.where(lam == 0, t * t / 2, (t * np.exp(s * t) * s - np.expm1(s * t)) / s**2)
    return grad_output * np.exp((lam - 1) * t), grad_output * dl


pair("power transform: slope in its exponent", "floats", yeo_johnson, yeo_johnson_vjp, yeo_johnson_vjp_naive, "nothing is left for exponents near zero", how="vjp", examples=[((), ())], domain=[(0, 50), (-2, 2)])


def entropy_pair(p):
    """Binary entropy."""
    return np.sum(special.entr(p) + special.entr(1 - p))


pair("binary entropy: logit with clip", "floats", entropy_pair, lambda p: np.log1p(-p) - np.log(p), lambda p: np.log((1 - p + 1e-12) / (p + 1e-12)), "1e-12 is added: seen for tiny p alone", examples=[((2,),)], domain=[(0, 1)])


def squared_distances(x, y):
    return np.sum((x[:, None] - y) ** 2)


def squared_distances_grad(x, y):
    return 2 * (len(y) * x - y.sum()), 2 * (len(x) * y - x.sum())


right("squared distances: collected", "floats", squared_distances, "n x - sum(y) loses digits that differences keep, within the rounding of x and y", grad=squared_distances_grad, examples=[((2,), (3,))])


def discount_sum(r):
    return float(sum((1 + r) ** -k for k in range(1, 11)))


right("annuity: a sum of powers", "floats", discount_sum, "the smallest terms first in the gradient, last in forward", grad=lambda r: -sum(k * (1 + r) ** -(k + 1) for k in range(10, 0, -1)), examples=[((),)], domain=[(-0.5, 1)])


def discount_grad_closed(r):
    d = (1 + r) ** -10
    return -55.0 if abs(r) < 1e-9 else (10 * d / (1 + r) * r - (1 - d)) / r**2


CASES.append(Case("second-pair: annuity: closed slope", "floats", discount_sum, discount_sum, {"grad": lambda r: -sum(k * (1 + r) ** -(k + 1) for k in range(1, 11)), "examples": [((),)], "domain": [(-0.5, 1)]}, {"grad": discount_grad_closed}, why="(d r - d)/r^2 loses all digits near zero"))
