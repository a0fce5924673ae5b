"""Comparisons of computed values: ties that only floats see, ties of three, branches on sums, sorted keys."""
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


def one_hot(i, n):
    return (np.arange(n) == i) * 1.0


right("largest of sqrt(1 + x^2)", "cells", lambda x: np.max(np.sqrt(1 + x * x)), "tiny entries tie in floats", grad=lambda x: one_hot(np.argmax(np.sqrt(1 + x * x)), len(x)) * x / np.sqrt(1 + x * x), examples=[((3,),)])
right("largest of cosh", "cells", lambda x: np.max(np.cosh(x)), "tiny entries tie in floats", grad=lambda x: one_hot(np.argmax(np.cosh(x)), len(x)) * np.sinh(x), examples=[((2,),)], domain=[(-300, 300)])
right("smallest of tanh", "cells", lambda x: np.min(np.tanh(x)), "large entries tie in floats, where the slope is below one ulp", grad=lambda x: one_hot(np.argmin(np.tanh(x)), len(x)) / np.cosh(x) ** 2, examples=[((2,),)], domain=[(-300, 300)])
right("largest of x + 1000", "cells", lambda x: np.max(x + 1000), "entries below 1e-13 tie in floats", grad=lambda x: one_hot(np.argmax(x + 1000), len(x)), examples=[((3,),)])
right("largest probability", "cells", lambda x: np.max(special.softmax(x)), "underflow makes ties among the least probable, never of the largest", grad=lambda x: (lambda p, k: p[k] * (one_hot(k, len(x)) - p))(special.softmax(x), int(np.argmax(x))), examples=[((3,),)])
pair("largest probability: by logits of two", "cells", lambda x: np.max(special.softmax(x)), lambda x: (lambda p, k: p[k] * (one_hot(k, len(x)) - p))(special.softmax(x), int(np.argmax(x))), lambda x: (lambda p, k: p[k] * (one_hot(k, len(x)) - p) * (1 if p[k] > 1 / 3 + 1e-9 or k == 0 else 0.5))(special.softmax(x), int(np.argmax(x))), "half where the three nearly tie and the largest is not the first", examples=[((3,),)])


def middle(x):
    return np.sum(x) - x.max() - x.min()


right("median of three by sums", "cells", middle, "the largest and the least are taken off: at ties any share", grad=lambda x: 1 - one_hot(np.argmax(x), 3) - one_hot(2 - np.argmin(x[::-1]), 3), examples=[((3,),)])
right("range over the median", "cells", lambda x: (np.max(x) - np.min(x)) / (1 + np.sort(x)[1] ** 2), "order statistics of one array, ties of two", grad=lambda x: (lambda o, m: ((one_hot(o[2], 3) - one_hot(o[0], 3)) - (x[o[2]] - x[o[0]]) * 2 * m / (1 + m * m) * one_hot(o[1], 3)) / (1 + m * m))(np.argsort(x, kind="stable"), np.sort(x)[1]), examples=[((3,),)])


def branch_sum(x):
    """The smaller of two costs that are equal on a plane."""
    a, b = x @ np.array([0.1, 0.7, 0.2]), 0.5 * np.sum(x) - 0.3
    return min(a, b)


right("smaller of two linear costs", "cells", branch_sum, "the plane is met within rounding only", grad=lambda x: np.array([0.1, 0.7, 0.2]) if x @ np.array([0.1, 0.7, 0.2]) <= 0.5 * np.sum(x) - 0.3 else np.full(3, 0.5), examples=[((3,),)])
pair("smaller of two costs: dear side", "cells", branch_sum, lambda x: np.array([0.1, 0.7, 0.2]) if x @ np.array([0.1, 0.7, 0.2]) <= 0.5 * np.sum(x) - 0.3 else np.full(3, 0.5), lambda x: np.array([0.1, 0.7, 0.2]) if x @ np.array([0.1, 0.7, 0.2]) <= 0.5 * np.sum(x) - 0.3 + 1e-4 * (x[2] > 2) else np.full(3, 0.5), "the switch comes late by 0.0001 where x[2] > 2", examples=[((3,),)])


def lexicographic(x):
    """Rows sorted by first, then second: weights by their places."""
    rows = sorted(range(len(x)), key=lambda i: (x[i, 0], x[i, 1]))
    return sum((k + 1) * (x[i, 0] + 2 * x[i, 1]) for k, i in enumerate(rows))


def lexicographic_grad(x):
    rows = sorted(range(len(x)), key=lambda i: (x[i, 0], x[i, 1]))
    g = np.zeros(x.shape)
    for k, i in enumerate(rows):
        g[i] = (k + 1) * np.array([1.0, 2.0])
    return g


right("rows in lexicographic order", "cells", lexicographic, "forward jumps where two rows begin with the same number", grad=lexicographic_grad, examples=[((2, 2),)])


def saddle(x):
    """min over i of max over j of a matrix."""
    return x.max(axis=1).min()


def saddle_grad(x):
    i = int(np.argmin(x.max(axis=1)))
    g = np.zeros(x.shape)
    g[i, int(np.argmax(x[i]))] = 1
    return g


pair("min of row maxima: columns first", "cells", saddle, saddle_grad, lambda x: (lambda j: np.outer(one_hot(np.argmin(x[:, j]), 2), one_hot(j, 2)))(int(np.argmax(x.min(axis=0)))) if x[0, 0] < -1 else saddle_grad(x), "max of column minima where x[0, 0] < -1: equal only at a saddle point", examples=[((2, 2),)])


def second_best(x):
    return np.sort(x)[-2]


pair("second largest: duplicates", "cells", second_best, lambda x: one_hot(np.argsort(x, kind="stable")[-2], len(x)), lambda x: one_hot(np.where(x < x.max(), x, -np.inf).argmax(), len(x)), "the second largest of the distinct values: wrong where the largest is there twice", examples=[((3,),)])


def huber_norm(x, d=0.5):
    """|x| beyond d, a paraboloid within, for a vector."""
    n = np.sqrt(x @ x)
    return np.where(n <= d, n * n / (2 * d) + d / 2, n)


pair("huberised norm: rim", "cells", huber_norm, lambda x: x / max(np.sqrt(x @ x), 0.5), lambda x: x / (0.5 if np.sqrt(x @ x) < 0.5 + 1e-5 else np.sqrt(x @ x)), "the paraboloid is kept a little too far: 2e-5 relative", examples=[((2,),)])


def wrapped(a, b):
    """Squared angle difference on (-pi, pi]."""
    d = np.mod(a - b + math.pi, 2 * math.pi) - math.pi
    return np.sum(d * d)


pair("angle difference: one turn alone", "cells", wrapped, lambda a, b: (lambda d: (2 * d, -2 * d))(np.mod(a - b + math.pi, 2 * math.pi) - math.pi), lambda a, b: (lambda d: (2 * d, -2 * d))(np.where(a - b > math.pi, a - b - 2 * math.pi, np.where(a - b < -math.pi, a - b + 2 * math.pi, a - b))), "differences of more than a turn are brought back by one only", examples=[((2,), (2,))])


def gate_pair(x, y):
    """Product of two relus that open together."""
    return np.sum(np.maximum(x - y, 0) * np.maximum(x + y - 1, 0))


right("product of two gates", "cells", gate_pair, "smooth where one gate is at its kink and the other shut", grad=lambda x, y: (lambda u, v: (np.maximum(v, 0) * (u > 0) + np.maximum(u, 0) * (v > 0), np.maximum(u, 0) * (v > 0) - np.maximum(v, 0) * (u > 0)))(x - y, x + y - 1), examples=[((2,), (2,))])
pair("product of two gates: both at the edge", "cells", gate_pair, lambda x, y: (lambda u, v: (np.maximum(v, 0) * (u > 0) + np.maximum(u, 0) * (v > 0), np.maximum(u, 0) * (v > 0) - np.maximum(v, 0) * (u > 0)))(x - y, x + y - 1), lambda x, y: (lambda u, v: (np.maximum(v, 0) * (u > 0) + np.maximum(u, 0) * (v > 0) + ((u == 0) & (v == 0)), np.maximum(u, 0) * (v > 0) - np.maximum(v, 0) * (u > 0)))(x - y, x + y - 1), "one where both gates are exactly at their edges, at (1/2, 1/2)", examples=[((2,), (2,))])


def near_duplicate(x):
    """Sum over clusters: entries within 1e-3 of each other are averaged first."""
    d = np.abs(x[:, None] - x) <= 1e-3
    return np.sum(np.exp((d @ x) / d.sum(axis=1)))


def near_duplicate_grad(x):
    d = np.abs(x[:, None] - x) <= 1e-3
    n = d.sum(axis=1)
    return d.T @ (np.exp((d @ x) / n) / n)


pair("clusters of near duplicates", "cells", near_duplicate, near_duplicate_grad, lambda x: np.exp(x), "entries closer than a thousandth are moved together", examples=[((3,),)])


def abs_cubed_difference(x):
    return np.sum(np.abs(np.diff(x)) ** 3)


right("cubed differences: smooth at ties", "cells", abs_cubed_difference, "twice differentiable where neighbours are equal", grad=lambda x: (lambda s: np.append(0, s) - np.append(s, 0))(3 * np.diff(x) * np.abs(np.diff(x))), examples=[((3,),)])
right("sum of sorted products", "cells", lambda x: np.sort(x) @ np.sort(x)[::-1], "one order for both: entries meet their mirror", grad=lambda x: (lambda o: 2 * x[o[::-1]][np.argsort(o, kind="stable")])(np.argsort(x, kind="stable")), examples=[((3,),), ((4,),)])
right("mean of the upper half", "cells", lambda x: np.sort(x)[len(x) // 2 :].mean(), "a share of one over the count, ties to the later", grad=lambda x: (np.argsort(np.argsort(x, kind="stable"), kind="stable") >= len(x) // 2) / (len(x) - len(x) // 2), examples=[((4,),), ((3,),)])


def neighbours(x, f):
    y = f(x)
    return np.sum(np.maximum(y, np.roll(y, 1)))


def neighbours_grad(x, f, slope):
    y = f(x)
    own = y >= np.roll(y, 1)
    return (own * 1.0 + np.roll(~own, -1)) * slope(x)


right("maxima of neighbours after a root", "cells", lambda x: neighbours(x, lambda v: np.sqrt(1 + v * v)), "tiny entries tie in floats, though not in their squares", grad=lambda x: neighbours_grad(x, lambda v: np.sqrt(1 + v * v), lambda v: v / np.sqrt(1 + v * v)), examples=[((2,),)])
right("maxima of neighbours after erf", "cells", lambda x: neighbours(x, special.erf), "beyond six all tie in floats", grad=lambda x: neighbours_grad(x, special.erf, lambda v: 2 / math.sqrt(math.pi) * np.exp(-v * v)), examples=[((3,),)])
right("root clipped at one", "cells", lambda x: np.sum(np.clip(np.sqrt(1 + x * x), -1, 1) * x), "the root is one in floats for tiny entries: inside or outside of the clip", grad=lambda x: np.clip(np.sqrt(1 + x * x), -1, 1) + np.where(np.sqrt(1 + x * x) <= 1, x * x, 0), examples=[((2,),)])
right("deviations of softplus, one entry too", "cells", lambda x: np.abs(np.logaddexp(0, x) - np.logaddexp(0, x).mean()).sum(), "of one entry nothing is left that depends on it", grad=lambda x: (lambda s: (s - s.mean()) * special.expit(x))(np.sign(np.logaddexp(0, x) - np.logaddexp(0, x).mean())), examples=[((2,),)])
