"""Code with compiled or unusual parts, wrong in one region or one state, beside its right twin."""
# ruff: noqa: E501

import bisect
import cmath
import functools
import math

import numpy as np
from scipy import interpolate, ndimage, optimize, sparse, special, stats
from scipy.sparse import linalg as sparse_linalg

from .case import Case

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"gathered-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


class CutTable:
    """A tabulated pair potential, zero beyond the last knot."""

    cut = 2.5

    def __init__(self):
        r = np.linspace(0.5, self.cut, 9)
        self.u = interpolate.CubicSpline(r, (r - self.cut) ** 2 * np.exp(-r))
        self.du = self.u.derivative()

    def __call__(self, r):
        return np.where(r < self.cut, self.u(r), 0.0)

    def vjp(self, r, grad_output):
        return grad_output * np.where(r < self.cut, self.du(r), 0.0)

    def vjp_extrapolated(self, r, grad_output):
        return grad_output * self.du(r)


cut = CutTable()
pair("tabulated potential: beyond the cutoff", "cells", cut, cut.vjp, cut.vjp_extrapolated, "the spline goes on beyond its last knot", "vjp", examples=[((3,),)], domain=[(0.5, 4)])


class SparseRelu:
    """One round of message passing over a sparse graph, then a capped relu."""

    def __init__(self):
        self.A = sparse.csr_matrix(np.array([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8], [1.0, 0.0, 0.0]]))

    def __call__(self, x):
        return np.clip(self.A @ x, 0.0, 6.0)

    def vjp(self, x, grad_output):
        h = self.A @ x
        return self.A.T @ (grad_output * ((h > 0) & (h < 6)))

    def vjp_uncapped(self, x, grad_output):
        return self.A.T @ (grad_output * (self.A @ x > 0))


gcn = SparseRelu()
pair("message passing: capped", "cells", gcn, gcn.vjp, gcn.vjp_uncapped, "the cap of six is left out", "vjp", examples=[((3,),)])


def bearing(x, y):
    """The heading of a vector by plain floats, all four quadrants."""
    x, y = float(x), float(y)
    return math.atan2(y, x) + 0.1 * math.hypot(x, y)


def bearing_grad(x, y):
    x, y = float(x), float(y)
    r2 = x * x + y * y
    if r2 == 0:
        return 0.0, 0.0
    r = math.sqrt(r2)
    return -y / r2 + 0.1 * x / r, x / r2 + 0.1 * y / r


def bearing_grad_arctan(x, y):
    dx, dy = bearing_grad(x, y)
    if x < 0 and y > 0:  # the branch of atan(y / x) + pi
        r = math.hypot(x, y)
        return dx, -float(x) / (x * x + y * y) + 0.1 * float(y) / r
    return dx, dy


pair("heading: second quadrant", "cells", bearing, bearing_grad, bearing_grad_arctan, "a sign in one quadrant; the code insists on floats", examples=[((), ())])


class Memoized:
    """Value and gradient of Rosenbrock together, remembered for the last point."""

    def __init__(self, copy=True):
        self.x, self.copy = None, copy

    def _compute(self, x):
        if self.x is None or not np.array_equal(x, self.x):
            self.x = np.array(x) if self.copy else x
            a, b = x[1] - x[0] ** 2, 1 - x[0]
            self.value = 100 * a**2 + b**2
            self.jac = np.array([-400 * x[0] * a - 2 * b, 200 * a])

    def fun(self, x):
        return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

    def derivative(self, x):
        self._compute(x)
        return self.jac


pair("memoized gradient: a reference for a copy", "contract", Memoized().fun, Memoized().derivative, Memoized(copy=False).derivative, "the remembered point is the caller's own array: changed in place, it still compares equal", examples=[((2,),)])


class Rounded:
    """A gradient remembered under its rounded argument."""

    def __init__(self, digits=None):
        self.digits, self.cache = digits, {}

    def fun(self, x):
        return np.sum(np.sin(x) * np.exp(-(x**2)))

    def derivative(self, x):
        key = x.tobytes() if self.digits is None else tuple(np.round(x, self.digits))
        if key not in self.cache:
            self.cache[key] = (np.cos(x) - 2 * x * np.sin(x)) * np.exp(-(x**2))
        return self.cache[key].copy()


pair("memoized gradient: rounded key", "contract", Rounded().fun, Rounded().derivative, Rounded(digits=3).derivative, "points that agree to three digits share one gradient", examples=[((2,),)])


def tabulated(x, *, grid=(0.0, 0.5, 1.5, 3.0), values=(1.0, 0.2, 0.9, -0.5)):
    """Linear interpolation in a table by bisection, in plain Python, flat outside."""
    out = []
    for v in np.asarray(x).ravel().tolist():
        if v <= grid[0]:
            out.append(values[0])
        elif v >= grid[-1]:
            out.append(values[-1])
        else:
            k = bisect.bisect_right(grid, v) - 1
            w = (v - grid[k]) / (grid[k + 1] - grid[k])
            out.append((1 - w) * values[k] + w * values[k + 1])
    return np.array(out).reshape(np.shape(x))


def tabulated_vjp(x, grad_output, *, grid=(0.0, 0.5, 1.5, 3.0), values=(1.0, 0.2, 0.9, -0.5), flat=True):
    x = np.asarray(x)
    k = np.clip(np.searchsorted(grid, x, side="right") - 1, 0, len(grid) - 2)
    slope = np.diff(values)[k] / np.diff(grid)[k]
    inside = (x > grid[0]) & (x < grid[-1]) if flat else x > grid[0]
    return grad_output * np.where(inside, slope, 0.0)


pair("lookup by bisection: above the table", "cells", tabulated, tabulated_vjp, functools.partial(tabulated_vjp, flat=False), "flat above the table as well; plain lists inside", "vjp", examples=[((2,),)])


class ImplicitPut:
    """A put's or call's implied volatility on the side that is out of the money."""

    def _d1(self, sigma, k, t=0.5):
        return (np.log(1 / k) + 0.5 * sigma**2 * t) / (sigma * np.sqrt(t))

    def vol(self, price, k, *, t=0.5):
        sign = 1.0 if k >= 1 else -1.0

        def gap(sigma):
            d1 = self._d1(sigma, k)
            d2 = d1 - sigma * np.sqrt(t)
            return sign * (special.ndtr(sign * d1) - k * special.ndtr(sign * d2)) - price

        return optimize.brentq(gap, 1e-4, 20.0, xtol=1e-15, rtol=4e-15)

    def grad(self, price, k, *, t=0.5, put=True):
        sigma = self.vol(price, k)
        d1 = self._d1(sigma, k)
        vega = np.sqrt(t) * np.exp(-0.5 * d1**2) / np.sqrt(2 * np.pi)
        sign = 1.0 if k >= 1 or not put else -1.0
        dk = -sign * special.ndtr(sign * (d1 - sigma * np.sqrt(t)))
        return 1 / vega, -dk / vega


side = ImplicitPut()
pair("implied volatility: strike below the forward", "cells", side.vol, side.grad, functools.partial(side.grad, put=False), "the call's strike derivative for the put", examples=[((), ())], domain=[(0.1, 0.3), (0.8, 1.3)])


def resampled(coords, *, image=((0.0, 1.0, 2.0), (0.5, -1.0, 3.0), (2.0, 0.3, 1.0))):
    """An image sampled between its pixels, the border's value outside."""
    return ndimage.map_coordinates(np.array(image), coords[:, None], order=1, mode="nearest")[0]


def resampled_grad(coords, *, image=((0.0, 1.0, 2.0), (0.5, -1.0, 3.0), (2.0, 0.3, 1.0)), clamp=True):
    im = np.array(image)
    out = np.zeros(2)
    y, x = np.clip(coords, 0, 2)
    i, j = min(int(y), 1), min(int(x), 1)
    u, v = y - i, x - j
    out[0] = (1 - v) * (im[i + 1, j] - im[i, j]) + v * (im[i + 1, j + 1] - im[i, j + 1])
    out[1] = (1 - u) * (im[i, j + 1] - im[i, j]) + u * (im[i + 1, j + 1] - im[i + 1, j])
    if clamp:
        out[(coords < 0) | (coords > 2)] = 0.0
    return out


pair("map coordinates: outside of the image", "cells", resampled, resampled_grad, functools.partial(resampled_grad, clamp=False), "outside the value is the border's", examples=[((2,),)])


class Beam:
    """Power of a beamformer in one direction, complex weights, against its peak."""

    def __init__(self, n=4, spacing=0.5):
        self.k = 2j * np.pi * spacing * np.arange(n)
        self.w = np.array([cmath.rect(1 / n, 0.3 * k) for k in range(n)])

    def power(self, theta):
        a = np.exp(self.k * np.sin(theta))
        return np.abs(np.vdot(self.w, a)) ** 2

    def grad(self, theta):
        a = np.exp(self.k * np.sin(theta))
        da = self.k * np.cos(theta) * a
        return 2 * np.real(np.conj(np.vdot(self.w, a)) * np.vdot(self.w, da))

    def grad_unconjugated(self, theta):
        a = np.exp(self.k * np.sin(theta))
        da = self.k * np.cos(theta) * a
        return 2 * np.real(np.vdot(self.w, a) * np.vdot(self.w, da))


beam = Beam()
pair("beam pattern: conjugate", "algebra", beam.power, beam.grad, beam.grad_unconjugated, "the response is not conjugated", examples=[((),)], domain=[(-1.5, 1.5)])


def bessel_mode(r, *, n=0):
    return special.kv(n, r) + special.jv(n, 2 * r)


def bessel_mode_vjp(r, grad_output, *, n=0, parity=True):
    dk = -0.5 * (special.kv(n - 1, r) + special.kv(n + 1, r))
    dj = special.jv(n - 1, 2 * r) - special.jv(n + 1, 2 * r)
    return grad_output * (dk + dj if parity else dk + n / r * special.jv(n, 2 * r) - 2 * special.jv(n + 1, 2 * r) * (n == 0))


pair("bessel functions: order one", "cells", bessel_mode, bessel_mode_vjp, functools.partial(bessel_mode_vjp, parity=False), "right for order zero alone", "vjp", examples=[((2,), {"n": 0}), ((2,), {"n": 1})], domain=[(0.2, 6)])


class TrueSkill:
    """The mean after a win: the truncated normal's correction, its slope -v (v + t)."""

    def __init__(self, beta=1.2):
        self.beta = beta

    def v(self, t):
        denominator = special.ndtr(t)
        return np.exp(-0.5 * t**2) / np.sqrt(2 * np.pi) / denominator

    def update(self, mu):
        t = (mu[0] - mu[1]) / self.beta
        return mu + np.array([1.0, -1.0]) * self.v(t)

    def jac(self, mu, sign=1):
        t = (mu[0] - mu[1]) / self.beta
        v = self.v(t)
        w = v * (v + sign * t)
        return np.eye(2) - w / self.beta * np.array([[1.0, -1.0], [-1.0, 1.0]])


skill = TrueSkill()
pair("rating: slope of the correction", "algebra", skill.update, skill.jac, functools.partial(skill.jac, sign=-1), "right for equal players", "jac", examples=[((2,),)], domain=[(-4, 4)])


class FactorisedSolve:
    """Energy of a diffusion with a sparse factorisation made once, the source a parameter."""

    def __init__(self):
        n = 4
        L = sparse.diags([[-1.0] * (n - 1), [2.5] * n, [-0.5] * (n - 1)], [-1, 0, 1]).tocsc()
        self.lu = sparse_linalg.splu(L)
        self.observed = np.array([0.1, 0.4, 0.3, 0.0])

    def misfit(self, source):
        r = self.lu.solve(source) - self.observed
        return 0.5 * np.dot(r, r)

    def gradient(self, source, trans="T"):
        return self.lu.solve(self.lu.solve(source) - self.observed, trans=trans)


diffusion = FactorisedSolve()
pair("sparse factorisation: transposed solve", "algebra", diffusion.misfit, diffusion.gradient, functools.partial(diffusion.gradient, trans="N"), "the adjoint problem is transposed", examples=[((4,),)])


class MaskedSeries:
    """Mean squared error over the observed entries of a masked array."""

    def __init__(self):
        self.y = np.ma.masked_invalid(np.array([1.0, np.nan, 0.5, 2.0]))

    def loss(self, x):
        return float(((x - self.y) ** 2).mean())

    def grad(self, x):
        return np.ma.filled(2 * (x - self.y) / self.y.count(), 0.0)

    def grad_all(self, x):
        return np.ma.filled(2 * (x - self.y) / self.y.size, 0.0)


masked = MaskedSeries()
pair("masked array: count of the observed", "algebra", masked.loss, masked.grad, masked.grad_all, "divided by all entries", examples=[((4,),)])


def spread(x, *, weights=(1.0, 2.0, 3.0)):
    """Weights by rank, by a library's ranks, ties averaged; then a weighted sum."""
    return np.dot(np.asarray(weights)[np.argsort(np.argsort(x))], x) + 0.5 * stats.tmean(x)


def spread_grad(x, *, weights=(1.0, 2.0, 3.0), inverse=True):
    order = np.argsort(x)
    ranks = np.argsort(order) if inverse else order
    return np.asarray(weights)[ranks] + 0.5 / len(x)


pair("rank weights: order for ranks", "cells", spread, spread_grad, functools.partial(spread_grad, inverse=False), "the order is not the ranks, in two of six cells", examples=[((3,),)])


class RidgeCV:
    """Leave-one-out error of ridge regression in the penalty, by the SVD made once."""

    def __init__(self):
        X = np.array([[1.0, 0.2], [0.5, -1.0], [-0.7, 0.4], [0.1, 1.5]])
        self.y = np.array([1.0, 0.2, -0.8, 0.6])
        self.U, self.s, _ = np.linalg.svd(X, full_matrices=False)

    def loo(self, log_lam):
        d = self.s**2 / (self.s**2 + np.exp(log_lam))
        fit = self.U @ (d * (self.U.T @ self.y))
        h = (self.U**2) @ d
        return np.mean(((self.y - fit) / (1 - h)) ** 2)

    def loo_grad(self, log_lam, leverage=True):
        lam = np.exp(log_lam)
        d = self.s**2 / (self.s**2 + lam)
        dd = -lam * self.s**2 / (self.s**2 + lam) ** 2
        fit, h = self.U @ (d * (self.U.T @ self.y)), (self.U**2) @ d
        dfit, dh = self.U @ (dd * (self.U.T @ self.y)), (self.U**2) @ dd
        e = (self.y - fit) / (1 - h)
        de = -dfit / (1 - h)
        if leverage:
            de = de + e * dh / (1 - h)
        return 2 * np.mean(e * de)


ridge = RidgeCV()
pair("leave one out: leverage", "algebra", ridge.loo, ridge.loo_grad, functools.partial(ridge.loo_grad, leverage=False), "the leverage depends on the penalty", examples=[((),)], domain=[(-3, 3)])
