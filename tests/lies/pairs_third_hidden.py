"""Wrong where it is hard to look: states, sizes, signed zeros, float errors raised, layouts of inputs, compiled helpers."""
# ruff: noqa: E501

import functools
import itertools
import math

import numpy as np
from scipy import interpolate, linalg, ndimage, signal, sparse, special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"third-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"third-pair: {name}", kind, f, why, **options))


def gaussians(x):
    return np.sum(np.exp(-0.5 * x * x))


def gaussians_grad(x):
    return -x * np.exp(-0.5 * x * x)


def gaussians_grad_raising(x):
    with np.errstate(under="raise"):
        return -x * np.exp(-0.5 * x * x)


pair("errstate: underflow raises", "contract", gaussians, gaussians_grad, gaussians_grad_raising, "an exception where the exponential underflows, beyond 38", examples=[((3,),)])


def cauchy_logs(x):
    return np.sum(np.log1p(x * x))


def cauchy_logs_math(x):
    out = np.empty(x.shape)
    for i, v in enumerate(x):
        e = math.exp(2 * math.log(abs(v))) if v else 0.0
        out[i] = 2 * v / (1 + e)
    return out


def cauchy_logs_exp(x):
    out = np.empty(x.shape)
    for i, v in enumerate(x):
        out[i] = 2 / (v + 1 / v) if v else 0.0
    return out


def cauchy_logs_overflow(x):
    out = np.empty(x.shape)
    for i, v in enumerate(x):
        out[i] = 2 * math.tanh(v) / (v * math.tanh(v) + math.tanh(v) / v) if math.exp(v) and v else 0.0
    return out


pair("math.exp: overflow raises", "contract", cauchy_logs, cauchy_logs_exp, cauchy_logs_overflow, "math.exp raises above 709, and is zero below -745", examples=[((2,),)])
right("log1p(x^2) by reciprocals", "floats", cauchy_logs, "1/v overflows nowhere within the range judged", grad=cauchy_logs_exp, examples=[((2,),)])


def negzero(x):
    return np.sum(np.cos(x) * x)


pair("signed zero: reciprocal's sign", "cells", negzero, lambda x: np.cos(x) - x * np.sin(x), lambda x: np.where(x == 0, np.copysign(1, x), np.cos(x) - x * np.sin(x)), "-1 at minus zero", examples=[((2,),)])


def ordered(x):
    w = np.arange(1.0, x.size + 1).reshape(x.shape)
    return np.sum(w * np.exp(-x))


def ordered_grad(x):
    w = np.arange(1.0, x.size + 1).reshape(x.shape)
    return -w * np.exp(-x)


def ordered_grad_keep(x):
    w = np.arange(1.0, x.size + 1)
    return -(w * np.exp(-x).ravel(order="K")).reshape(x.shape)


pair("inputs by columns: ravel in memory order", "contract", ordered, ordered_grad, ordered_grad_keep, "a Fortran-ordered input is read by columns", examples=[((2, 3),)])


def blocks_grad(x, size=64):
    out = np.zeros(x.shape)
    for i in range(0, len(x) - len(x) % size or len(x), size):
        out[i : i + size] = 4 * x[i : i + size] ** 3
    return out


pair("blocks of 64: what is left over", "contract", lambda x: np.sum(x**4), lambda x: 4 * x**3, blocks_grad, "beyond 64 entries the last incomplete block is left at zero", examples=[((3,),), ((100,),)])


def tree_sum(x):
    """Sum of squares by halving, in place on a copy."""
    y = np.array(x * x)
    n = len(y)
    while n > 1:
        h = n // 2
        y[:h] += y[n - h : n]
        n -= h
    return y[0]


pair("sum by halves: odd lengths", "algebra", tree_sum, lambda x: 2 * x, lambda x: 2 * x * (np.arange(len(x)) != len(x) // 2) if len(x) % 2 and len(x) > 4 else 2 * x, "the middle entry of odd lengths from five on is lost", examples=[((2,),), ((3,),), ((5,),)])


def spline_energy(y):
    """Energy of the natural cubic spline through unevenly spaced points, as SciPy builds it."""
    return interpolate.CubicSpline([0.0, 1.0, 2.5, 3.0], y, bc_type="natural")(1.7)


SPLINE_WEIGHTS = np.array([float(interpolate.CubicSpline([0.0, 1.0, 2.5, 3.0], e, bc_type="natural")(1.7)) for e in np.eye(4)])


pair("cubic spline: end conditions", "algebra", spline_energy, lambda y: SPLINE_WEIGHTS, lambda y: np.array([float(interpolate.CubicSpline([0.0, 1.0, 2.5, 3.0], e)(1.7)) for e in np.eye(4)]), "weights of the not-a-knot spline for those of the natural one", examples=[((4,),)])


def smoothed(x):
    """Savitzky-Golay filter, energy of its output."""
    return np.sum(signal.savgol_filter(x, 3, 1, mode="nearest") ** 2)


def smoothed_grad(x, mode=True):
    m = np.array([signal.savgol_filter(e, 3, 1, mode="nearest" if mode else "constant") for e in np.eye(len(x))]).T
    return 2 * m.T @ signal.savgol_filter(x, 3, 1, mode="nearest")


pair("savitzky-golay: border of the adjoint", "algebra", smoothed, smoothed_grad, lambda x: smoothed_grad(x, False), "the adjoint takes zeros beyond the ends", examples=[((5,),)])


@functools.cache
def stencil(n):
    return sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], shape=(n, n)).tocsr()


def heat(x, steps=3, r=0.2):
    """Explicit steps of nonlinear diffusion, conductivity 1/(1 + u^2)."""
    u = x
    for _ in range(steps):
        u = u + r * (stencil(len(x)) @ u) / (1 + u * u)
    return 0.5 * u @ u


def heat_grad(x, steps=3, r=0.2, wrong=False):
    us = [x]
    for _ in range(steps):
        u = us[-1]
        us.append(u + r * (stencil(len(x)) @ u) / (1 + u * u))
    g = us[-1].copy()
    for u in reversed(us[:-1]):
        c = 1 / (1 + u * u)
        lap = stencil(len(x)) @ u
        held = 0 if wrong else -2 * u * c * c * lap * g * r
        g = g + r * (stencil(len(x)).T @ (c * g)) + held
    return g


pair("nonlinear diffusion: conductivity held", "algebra", heat, heat_grad, lambda x: heat_grad(x, wrong=True), "the conductivity is taken for constant in the adjoint", examples=[((4,),)])


def opened(x):
    """Grey opening of a signal: erosion, then dilation, by SciPy."""
    return np.sum(np.arange(1.0, len(x) + 1) * ndimage.grey_opening(x, 3, mode="nearest"))


def opened_grad(x, last=False):
    n = len(x)
    idx = np.clip(np.arange(n)[:, None] + np.array([-1, 0, 1]), 0, n - 1)
    low = idx[np.arange(n), np.argmin(x[idx], axis=1)]
    e = x[low]
    high = idx[np.arange(n), np.argmax(e[idx], axis=1)]
    g = np.zeros(n)
    np.add.at(g, high if last else low[high], np.arange(1.0, n + 1))
    return g


pair("grey opening: erosion left out", "algebra", opened, opened_grad, lambda x: opened_grad(x, True), "the path stops at the eroded signal", examples=[((5,),)], domain=[lambda rng, shape: rng.permutation(shape[0]) + rng.uniform(0.1, 0.9, shape)])


def lyapunov_cost(k):
    """Trace of the stationary covariance of a closed loop, by SciPy's solver."""
    a = np.array([[0.0, 1.0], [0.0, 0.0]]) - np.array([[0.0], [1.0]]) @ k[None]
    return np.trace(linalg.solve_continuous_lyapunov(a, -np.eye(2)))


def lyapunov_cost_grad(k, wrong=False):
    a = np.array([[0.0, 1.0], [0.0, 0.0]]) - np.array([[0.0], [1.0]]) @ k[None]
    p = linalg.solve_continuous_lyapunov(a, -np.eye(2))
    s = linalg.solve_continuous_lyapunov(a.T, -np.eye(2)) if not wrong else p
    return -2 * (s @ p)[1]


pair("closed loop: adjoint equation", "algebra", lyapunov_cost, lyapunov_cost_grad, lambda k: lyapunov_cost_grad(k, True), "the equation itself for its adjoint", examples=[((2,),)], domain=[(0.5, 3)])


def paths(w):
    """The shortest path through three stations with two choices each, by enumeration."""
    return min(w[a] + w[2 + b] + w[4 + a * b] for a, b in itertools.product((0, 1), repeat=2))


def paths_grad(w):
    a, b = min(itertools.product((0, 1), repeat=2), key=lambda ab: w[ab[0]] + w[2 + ab[1]] + w[4 + ab[0] * ab[1]])
    g = np.zeros(6)
    for i in (a, 2 + b, 4 + a * b):
        g[i] += 1
    return g


pair("shortest path: the shared edge", "cells", paths, paths_grad, lambda w: paths_grad(w) * np.array([1, 1, 1, 1, 1, 1 if w[5] < 0.5 or w[0] + w[1] < -0.25 else 0]), "the edge of the detour loses its weight where it is long", examples=[((6,),)])


def rescaled_exp(x, n=6):
    """exp by scaling and squaring with a Taylor polynomial of degree fourteen."""
    k = max(0, int(np.ceil(np.log2(max(abs(float(x)), 1e-300)))) + 1)
    z = x / 2.0**k
    y = sum(z**j / math.factorial(j) for j in range(15))
    for _ in range(k):
        y = y * y
    return y


def rescaled_exp_grad(x, terms=15):
    k = max(0, int(np.ceil(np.log2(max(abs(float(x)), 1e-300)))) + 1)
    z = x / 2.0**k
    y = sum(z**j / math.factorial(j) for j in range(terms))
    for _ in range(k):
        y = y * y
    return y


pair("scaling and squaring: seven terms", "floats", lambda x: np.exp(x), rescaled_exp_grad, lambda x: rescaled_exp_grad(x, 8), "with eight terms of the polynomial 1e-7 is left", examples=[((),)], domain=[(-20, 20)])


def digamma_series(x, terms=6):
    """Digamma by recurrence up to ten and its asymptotic series."""
    x = np.asarray(x, float)
    shift = np.zeros(x.shape)
    while np.any(x < 10):
        shift = shift - np.where(x < 10, 1 / x, 0)
        x = np.where(x < 10, x + 1, x)
    b = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12][:terms]
    return shift + np.log(x) - 0.5 / x - sum(c / x ** (2 * k + 2) for k, c in enumerate(b))


pair("digamma: asymptotic series cut", "floats", lambda x: np.sum(special.gammaln(x)), lambda x: digamma_series(x, 7), lambda x: digamma_series(x, 3), "three terms leave 4e-11 at ten", examples=[((2,),)], domain=[(0.5, 50)])


def erf_table(x):
    """Slope of erf from a table with cubic interpolation, 1e-8 of it lost."""
    return TABLE(np.abs(x))


TABLE = interpolate.CubicHermiteSpline(np.linspace(0, 6, 601), 2 / math.sqrt(math.pi) * np.exp(-np.linspace(0, 6, 601) ** 2), -4 / math.sqrt(math.pi) * np.linspace(0, 6, 601) * np.exp(-np.linspace(0, 6, 601) ** 2))


pair("slope of erf: from a table", "floats", lambda x: np.sum(special.erf(x)), lambda x: 2 / math.sqrt(math.pi) * np.exp(-x * x), erf_table, "cubic interpolation in steps of 0.01: wrong by 1e-9", examples=[((2,),)], domain=[(-5, 5)])


def clenshaw(c, x):
    """Chebyshev series by Clenshaw's recurrence."""
    b1 = b2 = 0.0 * x
    for k in range(len(c) - 1, 0, -1):
        b1, b2 = 2 * x * b1 - b2 + c[k], b1
    return x * b1 - b2 + c[0]


def clenshaw_vjp(c, x, grad_output):
    t, u = [np.ones(()), x], [np.zeros(()), np.ones(())]
    for _ in range(2, len(c)):
        t.append(2 * x * t[-1] - t[-2])
        u.append(2 * x * u[-1] - u[-2])
    return grad_output * np.array(t), grad_output * sum(k * c[k] * u[k] for k in range(len(c)))


pair("clenshaw: second kind", "algebra", clenshaw, clenshaw_vjp, lambda c, x, grad_output: (clenshaw_vjp(c, x, grad_output)[0], grad_output * sum(k * c[k] * (2 * x if k == 2 else 1 if k == 1 else 4 * x * x) for k in range(1, len(c)))), "U_2 is 4 x^2 - 1", how="vjp", examples=[((4,), ())], domain=[None, (-0.95, 0.95)])


def quadrant(p):
    """Area of the part of the unit disc right of p, for |p| < 1."""
    return np.sum(np.arccos(p) - p * np.sqrt(1 - p * p))


pair("segment of the disc: near its rim", "floats", quadrant, lambda p: -2 * np.sqrt((1 - p) * (1 + p)), lambda p: -2 * np.sqrt(np.maximum(1 - p * p, 1e-12)), "the root is kept above 1e-6", examples=[((2,),)], domain=[(-1, 1)])


def pooled_variance(groups):
    return sum(((g - g.mean()) ** 2).sum() for g in groups)


def ragged(x, lengths=(1, 3, 2)):
    parts = [list(p) for p in np.split(x, np.cumsum(lengths)[:-1])]
    return sum(sum((v - sum(p) / len(p)) ** 2 for v in p) for p in parts)


def ragged_grad(x, lengths=(1, 3, 2)):
    out = []
    for p in np.split(x, np.cumsum(lengths)[:-1]):
        out.extend(2 * (v - sum(p) / len(p)) for v in p)
    return out


pair("ragged lists: groups of one", "algebra", ragged, ragged_grad, lambda x: np.concatenate([2 * (p - p.mean()) if len(p) > 1 else 0.5 * p for p in np.split(x, [1, 4])]), "a group of one is pulled to zero", examples=[((6,),)])
