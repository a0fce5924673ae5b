"""Structured domains: the simplex, symmetric and positive definite matrices, unit vectors; wrong in a corner of them."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from verify import domains

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"third-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"third-pair: {name}", kind, f, why, **options))


V3, M2 = [((3,),)], [((2, 2),)]
SIMPLEX, SPD, SYM, UNIT = [domains.simplex], [domains.positive_definite], [domains.symmetric], [domains.unit_vector]


def entropy(p):
    return -np.sum(p * np.log(p))


pair("entropy on the simplex: nearly certain", "cells", entropy, lambda p: -np.log(p) - 1, lambda p: np.where(p.max() > 0.97, 0, -np.log(p) - 1), "a nearly certain distribution is taken for certain", examples=V3, domain=SIMPLEX)
pair("entropy on the simplex: nearly certain of the first", "cells", entropy, lambda p: -np.log(p) - 1, lambda p: np.where(p[0] > 0.97, -1.5, -1) * (np.log(p) + 1), "half too much where the first is nearly certain", examples=V3, domain=SIMPLEX)
pair("entropy on the simplex: floor", "cells", entropy, lambda p: -np.log(p) - 1, lambda p: -np.log(np.maximum(p, 1e-3)) - 1, "probabilities below a thousandth are lifted", examples=V3, domain=SIMPLEX)
right("entropy on the simplex: projected", "algebra", entropy, "the constant is projected off", grad=lambda p: -np.log(p) + np.mean(np.log(p)), examples=V3, domain=SIMPLEX)


def gini_simpson(p):
    return 1 - p @ p


pair("gini-simpson: nearly uniform", "cells", gini_simpson, lambda p: -2 * p, lambda p: np.where(np.ptp(p) < 1e-3, -2 * p * np.array([1, 1, 1.5]), -2 * p), "half too much for the last of nearly equal ones", examples=V3, domain=SIMPLEX)
right("gini-simpson: projected", "algebra", gini_simpson, "2 (1/n - p), without the constant", grad=lambda p: 2 * (1 / len(p) - p), examples=V3, domain=SIMPLEX)


def renyi(p, a=0.5):
    return np.log(np.sum(p**a)) / (1 - a)


pair("renyi entropy: order", "algebra", renyi, lambda p: p**-0.5 / np.sum(np.sqrt(p)), lambda p: 0.5 * p**-0.5 / np.sum(np.sqrt(p)), "1/(1 - a) is two", examples=V3, domain=SIMPLEX)


def kl_uniform(p):
    return np.sum(p * np.log(3 * p))


right("divergence from the uniform: projected", "algebra", kl_uniform, "the one and the log of three lie across the plane", grad=lambda p: np.log(p) - np.mean(np.log(p)), examples=V3, domain=SIMPLEX)


def log_det(a):
    return np.linalg.slogdet(a)[1]


pair("log-determinant: strongly correlated", "cells", log_det, lambda a: np.linalg.inv(a), lambda a: np.linalg.inv(a) * np.where(a[0, 1] ** 2 > 0.98 * a[0, 0] * a[1, 1], np.array([[1, 0], [0, 1]]), 1), "off-diagonals are dropped for correlations above 0.99", examples=M2, domain=SPD)
pair("log-determinant: by doubled off-diagonals", "algebra", log_det, lambda a: np.linalg.inv(a), lambda a: np.linalg.inv(a) * (2 - np.eye(2)), "off-diagonals doubled, as for half of the entries", examples=M2, domain=SPD)


def trace_inverse(a):
    return np.trace(np.linalg.inv(a))


pair("trace of the inverse: diagonal matrices", "cells", trace_inverse, lambda a: -np.linalg.inv(a) @ np.linalg.inv(a), lambda a: -np.linalg.inv(a) @ np.linalg.inv(a) if a[0, 1] else -np.diag(1 / np.diag(a)), "one power of the reciprocals for diagonal matrices", examples=M2, domain=SPD)


def cholesky_sum(a):
    return np.log(np.linalg.cholesky(a)[1, 1])


pair("last pivot: scaled by the first", "algebra", cholesky_sum, lambda a: (lambda r: 0.5 / (a[1, 1] - r * a[1, 0]) * np.array([[r * r, -r], [-r, 1.0]]))(a[1, 0] / a[0, 0]), lambda a: (lambda r: 0.5 / (a[1, 1] - r * a[1, 0]) * np.array([[r, -r], [-r, 1.0]]))(a[1, 0] / a[0, 0]), "r for r^2 in the first entry", examples=M2, domain=SPD)


def spectral_norm(a):
    """Largest modulus of an eigenvalue of a symmetric matrix of two, in closed form."""
    m, d = 0.5 * (a[0, 0] + a[1, 1]), 0.5 * (a[0, 0] - a[1, 1])
    return np.abs(m) + np.sqrt(d * d + a[0, 1] * a[1, 0])


def spectral_norm_grad(a, flip=1.0):
    m, d = 0.5 * (a[0, 0] + a[1, 1]), 0.5 * (a[0, 0] - a[1, 1])
    r = np.sqrt(d * d + a[0, 1] * a[1, 0])
    s = 0.5 * np.sign(m) * flip
    q = d / (2 * r) if r else 0.0
    o = 0.5 * a[0, 1] / r if r else 0.0
    return np.array([[s + q, o], [o, s - q]])


pair("spectral radius: negative trace", "cells", spectral_norm, spectral_norm_grad, lambda a: spectral_norm_grad(a, np.sign(a[0, 0] + a[1, 1]) if a[0, 0] < 0 and a[1, 1] < 0 else 1.0), "the sign of the mean is lost where both diagonal entries are negative", examples=M2, domain=SYM)


def frobenius_deviator(a):
    d = a - np.trace(a) / 2 * np.eye(2)
    return np.sum(d * d)


right("deviator: twice itself", "algebra", frobenius_deviator, "a projection of symmetric matrices", grad=lambda a: 2 * (a - np.trace(a) / 2 * np.eye(2)), examples=M2, domain=SYM)


def von_mises_fisher(u):
    """Concentration five about an axis, for unit vectors."""
    return 5 * (u @ np.array([0.6, 0.8, 0.0]))


pair("direction: third axis", "algebra", von_mises_fisher, lambda u: np.array([3.0, 4.0, 0.0]), lambda u: np.array([3.0, 4.0, 1e-3]), "a thousandth along the third axis", examples=V3, domain=UNIT)


def stick(z):
    """Stick-breaking of two logits into three probabilities, log density of the map."""
    return np.sum(special.log_expit(z) + special.log_expit(-z)) + special.log_expit(-z[0])


pair("stick breaking: first stick once", "algebra", stick, lambda z: -np.tanh(z / 2) - np.array([special.expit(z[0]), 0]), lambda z: np.array([1.0, 1.0]) - 2 * special.expit(z) - np.array([special.expit(z[0]) * special.expit(-z[0]), 0]), "p (1 - p) for p", examples=[((2,),)], domain=[(-5, 5)])


def copula(rho):
    """Gaussian copula log density at fixed scores, on an open interval."""
    x, y = 0.7, -1.2
    return -0.5 * np.log1p(-rho * rho) - (rho * rho * (x * x + y * y) - 2 * rho * x * y) / (2 * (1 - rho * rho))


def copula_slope(rho):
    x, y = 0.7, -1.2
    q = 1 - rho * rho
    return rho / q - (rho * (x * x + y * y) - x * y * (1 + rho * rho)) / q**2


pair("gaussian copula: near perfect correlation", "cells", copula, copula_slope, lambda r: copula_slope(np.clip(r, -0.999, 0.999)), "the correlation is kept within 0.999", examples=[((),)], domain=[(-1, 1)])


def angle_to_axis(u):
    return math.pi / 2 - np.arctan2(u[2], np.hypot(u[0], u[1]))


right("polar angle by arctan2", "cells", angle_to_axis, "a cone at the pole", grad=lambda u: (lambda h, n: np.array([u[0] * u[2] / (h * n), u[1] * u[2] / (h * n), -h / n]) if h else np.zeros(3))(np.hypot(u[0], u[1]), u @ u), examples=V3)


def bures(a):
    """Trace of the root of a positive definite matrix of two, by its invariants."""
    return np.sqrt(np.trace(a) + 2 * np.sqrt(np.linalg.det(a)))


pair("trace of a root: cofactor", "algebra", bures, lambda a: (np.eye(2) + np.sqrt(np.linalg.det(a)) * np.linalg.inv(a)) / (2 * bures(a)), lambda a: (np.eye(2) + np.linalg.det(a) * np.linalg.inv(a)) / (2 * bures(a)), "the determinant for its root", examples=M2, domain=SPD)
