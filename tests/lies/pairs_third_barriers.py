"""Functions that are defined on a part of the box alone: barriers, roots of differences, arcs; wrong near their edges."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"third-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"third-pair: {name}", kind, f, why, **options))


V3, TWO = [((3,),)], [((), ())]


def simplex_barrier(p):
    return np.sum(np.log(p)) + np.log(1 - np.sum(p))


def simplex_barrier_grad(p):
    return 1 / p - 1 / (1 - np.sum(p))


pair("barrier of the corner simplex: a large entry", "cells", simplex_barrier, simplex_barrier_grad, lambda p: simplex_barrier_grad(p) * np.where(p[0] > 0.6, 1.001, 1), "a thousandth too much where the first entry is above 0.6", examples=V3)
pair("barrier of the corner simplex: slack capped", "cells", simplex_barrier, simplex_barrier_grad, lambda p: 1 / p - np.minimum(1 / (1 - np.sum(p)), 1e3), "the slack's reciprocal is capped at a thousand", examples=V3, domain=[(0, 1)])


def log_gap(a, b):
    return np.log(a - b)


pair("log of a gap: relative guard", "cells", log_gap, lambda a, b: (1 / (a - b), -1 / (a - b)), lambda a, b: (1 / np.maximum(a - b, 1e-4 * np.abs(a)), -1 / np.maximum(a - b, 1e-4 * np.abs(a))), "gaps below 1e-4 of the first are lifted", examples=TWO)
pair("log of a gap: sign of small firsts", "cells", log_gap, lambda a, b: (1 / (a - b), -1 / (a - b)), lambda a, b: (1 / (a - b), -1 / (a - b) if b > -1 else 1 / (b - a) * (1 + 1e-6)), "1e-6 off where the second is below -1", examples=TWO)


def remaining(p):
    return np.log(1 - np.sum(p))


pair("log of the remaining share: dominated", "cells", remaining, lambda p: -np.ones(len(p)) / (1 - np.sum(p)), lambda p: -np.ones(len(p)) / np.where(p[0] > 0.9, 0.1, 1 - np.sum(p)), "one tenth for the rest where the first is above 0.9", examples=V3, domain=[(0, 1)])


def ordered_log(x):
    """Log gaps of an increasing sequence."""
    return np.sum(np.log(np.diff(x)))


pair("log gaps of a rising sequence: wide ones", "cells", ordered_log, lambda x: (lambda r: np.append(0, r) - np.append(r, 0))(1 / np.diff(x)), lambda x: (lambda r: np.append(0, r) - np.append(r, 0))(1 / np.minimum(np.diff(x), 40)), "gaps are capped at forty", examples=V3)
pair("log gaps of a rising sequence: negative start", "cells", ordered_log, lambda x: (lambda r: np.append(0, r) - np.append(r, 0))(1 / np.diff(x)), lambda x: (lambda r: np.append(0, r) - np.append(r, 0))(1 / np.diff(x)) * np.where(x[-1] < -3, -1, 1), "the sign turns where all are below -3", examples=V3)


def box_barrier(x):
    """Barrier of |A x| < 1."""
    a = np.array([[1.0, 0.5], [-0.3, 1.0]])
    return -np.sum(np.log1p(-((a @ x) ** 2)))


def box_barrier_grad(x):
    a = np.array([[1.0, 0.5], [-0.3, 1.0]])
    r = a @ x
    return a.T @ (2 * r / ((1 - r) * (1 + r)))


pair("barrier of a parallelogram: beyond the unit box", "cells", box_barrier, box_barrier_grad, lambda x: box_barrier_grad(np.clip(x, -1, 1)) if x[0] > 1 else box_barrier_grad(x), "the unknown is clipped to the unit box, which the parallelogram leaves", examples=[((2,),)])


def entropy_slack(x, y):
    return x * np.log(x) + y * np.log(y) + (1 - x - y) * np.log(1 - x - y)


pair("three shares, the last by difference: small rest", "cells", entropy_slack, lambda x, y: (np.log(x / (1 - x - y)), np.log(y / (1 - x - y))), lambda x, y: (np.log(x / np.where(x > 0.8, 0.2, 1 - x - y)), np.log(y / (1 - x - y))), "the rest is taken to be a fifth where the first is above 0.8", examples=TWO)


def triangle_area(a, b, c):
    """Heron's formula, for sides that make a triangle."""
    return 0.25 * np.sqrt((a + b + c) * (a + b - c) * (a - b + c) * (-a + b + c))


def triangle_area_grad(a, b, c, long=1.0):
    s = 32 * triangle_area(a, b, c)
    q = a * a + b * b + c * c
    return a * (q - 2 * a * a) * 4 / s, b * (q - 2 * b * b) * 4 / s, c * (q - 2 * c * c) * 4 / s * long


pair("heron: long third side", "cells", triangle_area, triangle_area_grad, lambda a, b, c: triangle_area_grad(a, b, c, 1.01 if c > 1.9 * np.minimum(a, b) else 1.0), "one per cent too much where the third side is nearly twice the shorter of the others", examples=[((), (), ())], domain=[(0.5, 3)] * 3)


def lorentz(v):
    """Lorentz factor of a velocity, |v| < 1."""
    return 1 / np.sqrt(1 - v @ v)


pair("lorentz factor: fast along the first", "cells", lorentz, lambda v: v * lorentz(v) ** 3, lambda v: v * lorentz(v) ** (3 if v[0] < 0.9 else 2), "the square for the cube where the first component is above 0.9", examples=V3, domain=[(-1, 1)])
right("lorentz factor", "cells", lorentz, "a pole on the unit sphere, within rounding of it", grad=lambda v: v * lorentz(v) ** 3, examples=[((2,),)])
right("height of the unit sphere", "cells", lambda x, y: np.sqrt(1 - x * x - y * y), "a vertical slope at the rim", grad=lambda x, y: (-x / np.sqrt(1 - x * x - y * y), -y / np.sqrt(1 - x * x - y * y)), examples=TWO)
right("arc cosine of a product", "cells", lambda x, y: np.arccos(x * y), "one minus the square of a product", grad=lambda x, y: (-y / np.sqrt((1 - x * y) * (1 + x * y)), -x / np.sqrt((1 - x * y) * (1 + x * y))), examples=TWO)
right("log odds of a sum", "cells", lambda x, y: np.log((x + y) / (1 - x - y)), "two poles along lines", grad=lambda x, y: (1 / ((x + y) * (1 - x - y)), 1 / ((x + y) * (1 - x - y))), examples=TWO)
right("reciprocal of a difference", "cells", lambda x, y: 1 / (x - y), "a pole on the diagonal", grad=lambda x, y: (-1 / (x - y) ** 2, 1 / (x - y) ** 2), examples=TWO)
right("cosine rule", "cells", lambda a, b, c: np.arccos((a * a + b * b - c * c) / (2 * a * b)), "sides that make a triangle", grad=lambda a, b, c: (lambda s: ((a * a - b * b + c * c) / (2 * a * a * b) * -1 / s, (b * b - a * a + c * c) / (2 * a * b * b) * -1 / s, c / (a * b) / s))(np.sqrt(1 - ((a * a + b * b - c * c) / (2 * a * b)) ** 2)), examples=[((), (), ())], domain=[(1.0, 1.4)] * 3)
right("beta function of shares", "floats", lambda x, y: special.gammaln(x) + special.gammaln(y) + special.gammaln(2 - x - y), "defined below a line", grad=lambda x, y: (special.digamma(x) - special.digamma(2 - x - y), special.digamma(y) - special.digamma(2 - x - y)), examples=TWO, domain=[(0.1, 0.9), (0.1, 0.9)])
right("angle between directions in degrees", "cells", lambda u: np.degrees(np.arccos(u @ np.array([0.6, 0.8]) / np.sqrt(u @ u))), "at 0 and 180 degrees an arc cosine of one: the cone's slope has modulus one over the length", grad=lambda u: (lambda c, s: 180 / math.pi * np.sign(s) * np.array([u[1], -u[0]]) * -1 / (u @ u))(u @ np.array([0.6, 0.8]), 0.6 * u[1] - 0.8 * u[0]), examples=[((2,),)])


pair("log of an excess: a negative first", "cells", lambda x: np.log(np.sum(x) - 5), lambda x: np.ones(len(x)) / (np.sum(x) - 5), lambda x: np.ones(len(x)) / (np.sum(x) - 5) * np.where(x[0] < -3, 1.01, 1), "one per cent too much where the first is below -3", examples=V3)
pair("arc sine of a sum: a large first", "cells", lambda x: np.arcsin(np.tanh(np.sum(x))), lambda x: np.ones(len(x)) / np.cosh(np.sum(x)), lambda x: np.ones(len(x)) / np.cosh(np.sum(x)) * np.where(x[0] > 2, 1.01, 1), "one per cent too much where the first is above 2", examples=V3, domain=[(-5, 5)])
pair("inverse tangent of a product: steep first", "cells", lambda x, y: np.arctanh(x * y), lambda x, y: (y / ((1 - x * y) * (1 + x * y)), x / ((1 - x * y) * (1 + x * y))), lambda x, y: (y / ((1 - x * y) * (1 + x * y)) * np.where(x > 3, 1.01, 1), x / ((1 - x * y) * (1 + x * y))), "one per cent too much where the first is above 3", examples=TWO, domain=[(-10, 10), (-1, 1)])
pair("barrier of the ball: along the diagonal", "cells", lambda x: -np.log(4 - x @ x), lambda x: 2 * x / (4 - x @ x), lambda x: 2 * x / (4 - x @ x) * np.where(np.sum(x) > 3.3, 1.01, 1), "one per cent too much near the diagonal point of the rim", examples=V3)


def log_posterior(m, s):
    """Normal data with a flat prior on 0 < s < 5: minus infinity outside, as samplers want it."""
    if not 0 < s < 5:
        return -np.inf
    y = np.array([0.3, 1.2, -0.4])
    return -0.5 * np.sum((y - m) ** 2) / s**2 - 3 * np.log(s)


def log_posterior_grad(m, s):
    y = np.array([0.3, 1.2, -0.4])
    return np.sum(y - m) / s**2, np.sum((y - m) ** 2) / s**3 - 3 / s


pair("log posterior: near the end of its support", "cells", log_posterior, log_posterior_grad, lambda m, s: (log_posterior_grad(m, min(s, 4.9))[0], log_posterior_grad(m, s)[1]), "the scale is kept below 4.9 in the location's score", examples=TWO)


def shares(x, y):
    """Square roots of three shares by math.sqrt, which raises outside of the triangle."""
    return math.sqrt(1 - x - y) + math.sqrt(x) + math.sqrt(y)


def shares_grad(x, y):
    r = np.float64(math.sqrt(1 - x - y))
    return 0.5 / np.sqrt(x) - 0.5 / r, 0.5 / np.sqrt(y) - 0.5 / r


right("roots of three shares: forward raises outside", "cells", shares, "most of the square lies outside", grad=shares_grad, examples=TWO, domain=[(0, 1), (0, 1)])
right("roots of three shares: no domain", "cells", shares, "nearly all of the plane lies outside", grad=shares_grad, examples=TWO)


def triangle_value(x, y):
    """A polynomial on a triangle, NaN elsewhere."""
    if x + y > 1 or x < 0 or y < 0:
        return np.nan
    return x * x * y


right("polynomial on a triangle", "cells", triangle_value, "NaN elsewhere, by an if", grad=lambda x, y: (2 * x * y, x * x), examples=TWO)
