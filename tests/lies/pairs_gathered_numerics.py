"""Code that leans on NumPy's and SciPy's wider shelves, each wrong beside its right twin."""
# ruff: noqa: E501

import collections
import functools
import itertools
import math

import numpy as np
from numpy.polynomial import chebyshev
from scipy import interpolate, linalg, ndimage, optimize, signal, sparse, spatial, special, stats

from verify import domains

from .case import Case

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"gathered-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def blurred(x, *, sigma=0.8):
    return ndimage.gaussian_filter1d(x, sigma, mode="nearest", truncate=2.0)


def blurred_vjp(x, grad_output, *, sigma=0.8):
    basis = np.eye(len(x))
    rows = np.array([ndimage.gaussian_filter1d(e, sigma, mode="nearest", truncate=2.0) for e in basis])
    return rows @ grad_output


pair("gaussian filter: nearest at the border", "algebra", blurred, blurred_vjp, lambda x, grad_output: blurred(grad_output), "self-adjoint inside alone", "vjp", examples=[((4,),)])


class Resonator:
    """A second-order filter with a closed-over numerator; the gradient runs backwards in time."""

    b, a = np.array([0.2, 0.3, 0.1]), np.array([1.0, -0.5, 0.25])

    def __call__(self, x):
        return signal.lfilter(self.b, self.a, x)

    def vjp(self, x, grad_output):
        return signal.lfilter(self.b, self.a, grad_output[::-1])[::-1]

    def vjp_zero_phase(self, x, grad_output):
        return signal.lfilter(self.b[::-1], self.a, grad_output[::-1])[::-1]


pair("lfilter: taps reversed", "algebra", Resonator(), Resonator().vjp, Resonator().vjp_zero_phase, "time is reversed, the taps are not", "vjp", examples=[((5,),)])


class GraphLaplacian:
    """A sparse smoother over a directed graph."""

    def __init__(self):
        rows, cols = [0, 1, 1, 2], [1, 0, 2, 0]
        self.A = sparse.csr_matrix((np.array([1.0, 0.5, 2.0, 1.5]), (rows, cols)), shape=(3, 3))

    def energy(self, x):
        r = x - self.A @ x
        return 0.5 * np.dot(r, r)

    def gradient(self, x):
        r = x - self.A @ x
        return r - self.A.T @ r

    def gradient_undirected(self, x):
        r = x - self.A @ x
        return r - self.A @ r


graph = GraphLaplacian()
pair("sparse graph: transpose", "algebra", graph.energy, graph.gradient, graph.gradient_undirected, "the matrix is not symmetric", examples=[((3,),)])


class Table:
    """A potential tabulated on a grid: a cubic spline, its derivative by the spline's own."""

    def __init__(self):
        r = np.linspace(0.0, 3.0, 7)
        self.spline = interpolate.CubicSpline(r, np.exp(-r) * np.cos(2 * r))
        self.slope = self.spline.derivative()

    def __call__(self, r):
        return self.spline(r).sum()

    def grad(self, r):
        return self.slope(r)

    def grad_second(self, r):
        return self.spline(r, 2)


table = Table()
pair("tabulated potential: order of the derivative", "algebra", table, table.grad, table.grad_second, "the second derivative of the spline", examples=[((3,),)], domain=[(0.1, 2.9)])


def banded(d, f):
    """Solves the tridiagonal system with the diagonal d."""
    n = len(d)
    ab = np.zeros((3, n))
    ab[0, 1:], ab[2, :-1] = -1.0, -0.5
    ab[1] = d
    return linalg.solve_banded((1, 1), ab, f)


def banded_vjp(d, f, grad_output, *, transposed=True):
    n = len(d)
    x = banded(d, f)
    ab = np.zeros((3, n))
    ab[0, 1:], ab[2, :-1] = (-0.5, -1.0) if transposed else (-1.0, -0.5)
    ab[1] = d
    lam = linalg.solve_banded((1, 1), ab, grad_output)
    return -lam * x, lam


pair("banded solve: adjoint", "algebra", banded, banded_vjp, functools.partial(banded_vjp, transposed=False), "the adjoint solves with the transposed bands", "vjp", examples=[((3,), (3,))], domain={"d": (2.5, 5)})


def windows(x, *, width=3):
    """The log of the mean power in every window."""
    v = np.lib.stride_tricks.sliding_window_view(x, width)
    return np.log(np.mean(v**2, axis=-1) + 1e-3)


def windows_vjp(x, grad_output, *, width=3, edges=True):
    v = np.lib.stride_tricks.sliding_window_view(x, width)
    g = grad_output / (np.mean(v**2, axis=-1) + 1e-3)
    spread = np.convolve(g, np.ones(width), mode="full" if edges else "same")
    if not edges:
        spread = np.pad(spread, (1, 1), mode="edge")
    return 2 * x * spread / width


pair("power in windows: ends", "algebra", windows, windows_vjp, functools.partial(windows_vjp, edges=False), "the ends are in fewer windows", "vjp", examples=[((5,),)])


class SegmentSoftmax:
    """Attention over the neighbours of each node, edges sorted by node, with reduceat."""

    def __init__(self):
        self.node = np.array([0, 0, 1, 2, 2])
        self.start = np.array([0, 2, 3])

    def __call__(self, e):
        m = np.maximum.reduceat(e, self.start)[self.node]
        z = np.exp(e - m)
        return z / np.add.reduceat(z, self.start)[self.node]

    def vjp(self, e, grad_output):
        p = self(e)
        return p * (grad_output - np.add.reduceat(p * grad_output, self.start)[self.node])

    def vjp_bincount(self, e, grad_output):
        p = self(e)
        mean = np.bincount(self.node, weights=grad_output) / np.bincount(self.node)
        return p * (grad_output - mean[self.node])


segments = SegmentSoftmax()
pair("segment softmax: weights of the mean", "algebra", segments, segments.vjp, segments.vjp_bincount, "the plain mean of the upstream gradient", "vjp", examples=[((5,),)])


def categories(x):
    """Means per category, the categories found by np.unique; a penalty on their spread."""
    labels = np.array(["b", "a", "b", "c", "a"])
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=x) / counts
    return np.sum((means - means.mean()) ** 2)


def categories_grad(x, *, counted=True):
    labels = np.array(["b", "a", "b", "c", "a"])
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=x, minlength=len(counts)) / counts
    d = 2 * (means - means.mean())
    return (d / counts)[inverse] if counted else d[inverse] / len(x)


pair("category means: count of each", "algebra", categories, categories_grad, functools.partial(categories_grad, counted=False), "divided by the number of all", examples=[((5,),)])


def geodesic(A, B):
    """The affine-invariant distance of two positive definite matrices, squared."""
    w = linalg.eigvalsh(A, B)
    return np.sum(np.log(w) ** 2)


def geodesic_grad(A, B):
    w, V = linalg.eigh(A, B)
    d = 2 * np.log(w) / w
    return (V * d) @ V.T, -(V * (d * w)) @ V.T


pair("geodesic distance: second matrix", "algebra", geodesic, geodesic_grad, lambda A, B: (geodesic_grad(A, B)[0], -geodesic_grad(A, B)[0]), "the eigenvalue scales the second gradient", examples=[((2, 2), (2, 2))], domain={"A": domains.positive_definite, "B": domains.positive_definite})


def lyapunov_cost(k, *, A=((0.2, 1.0), (-0.5, 0.1)), b=(0.0, 1.0)):
    """The cost of a feedback gain: the solution of a Lyapunov equation."""
    A, b = np.asarray(A), np.asarray(b)
    Ac = A - np.outer(b, k)
    P = linalg.solve_continuous_lyapunov(Ac.T, -(np.eye(2) + np.outer(k, k)))
    return np.trace(P)


def lyapunov_cost_grad(k, *, A=((0.2, 1.0), (-0.5, 0.1)), b=(0.0, 1.0), effort=True):
    A, b = np.asarray(A), np.asarray(b)
    Ac = A - np.outer(b, k)
    P = linalg.solve_continuous_lyapunov(Ac.T, -(np.eye(2) + np.outer(k, k)))
    S = linalg.solve_continuous_lyapunov(Ac, -np.eye(2))
    return 2 * ((k if effort else 0) - b @ P) @ S


pair("feedback gain: effort", "algebra", lyapunov_cost, lyapunov_cost_grad, functools.partial(lyapunov_cost_grad, effort=False), "the gain itself is penalised", examples=[((2,),)], domain=[(1.0, 3.0)])


def rbf_net(centres, *, gamma=0.7):
    """A kernel interpolant on scattered points, by cdist."""
    X = np.array([[0.0, 0.0], [1.0, 0.5], [-0.5, 1.0]])
    K = np.exp(-gamma * spatial.distance.cdist(X, centres, "sqeuclidean"))
    return np.sum(K.sum(axis=1) ** 2)


def rbf_net_grad(centres, *, gamma=0.7):
    X = np.array([[0.0, 0.0], [1.0, 0.5], [-0.5, 1.0]])
    K = np.exp(-gamma * spatial.distance.cdist(X, centres, "sqeuclidean"))
    G = 2 * K.sum(axis=1)[:, None] * K
    return 2 * gamma * (G.T @ X - G.sum(axis=0)[:, None] * centres)


pair("kernel sum: centres by cdist", "algebra", rbf_net, rbf_net_grad, lambda c: rbf_net_grad(c) / 2, "a factor of two from the square", examples=[((2, 2),)])


def crowding(X):
    return np.sum(1 / (1 + spatial.distance.pdist(X) ** 2))


def crowding_grad(X, *, symmetric=True):
    d = spatial.distance.squareform(spatial.distance.pdist(X))
    W = -2 / (1 + d**2) ** 2
    np.fill_diagonal(W, 0.0)
    if not symmetric:
        W = np.triu(W, 1)
    return (W.sum(axis=1)[:, None] * X) - W @ X


pair("crowding: lower triangle", "algebra", crowding, crowding_grad, functools.partial(crowding_grad, symmetric=False), "each pair moves both of its points", examples=[((3, 2),)])


class Distribution:
    """A frozen family: parameters in, log density of the data out."""

    data = np.array([0.5, 1.5, 4.0])

    def gamma(self, shape, scale):
        return np.sum(stats.gamma.logpdf(self.data, shape, scale=scale))

    def gamma_score(self, shape, scale):
        x = self.data
        return np.sum(np.log(x / scale)) - len(x) * special.digamma(shape), np.sum(x / scale**2 - shape / scale)

    def gamma_score_rate(self, shape, scale):
        x = self.data
        return np.sum(np.log(x * scale)) - len(x) * special.digamma(shape), np.sum(shape / scale - x)

    def student(self, loc, log_scale, *, df=3.5):
        return np.sum(stats.t.logpdf(self.data, df, loc=loc, scale=np.exp(log_scale)))

    def student_score(self, loc, log_scale, *, df=3.5):
        z = (self.data - loc) / np.exp(log_scale)
        w = (df + 1) * z / (df + z**2)
        return np.sum(w) / np.exp(log_scale), np.sum(w * z - 1)

    def censored(self, mu, sigma):
        x, seen = self.data, np.array([True, True, False])
        return np.sum(np.where(seen, stats.norm.logpdf(x, mu, sigma), stats.norm.logsf(x, mu, sigma)))

    def censored_score(self, mu, sigma, *, hazard=True):
        x, seen = self.data, np.array([True, True, False])
        z = (x - mu) / sigma
        h = np.exp(stats.norm.logpdf(z) - stats.norm.logsf(z)) if hazard else stats.norm.pdf(z)
        return np.sum(np.where(seen, z, h)) / sigma, np.sum(np.where(seen, z**2 - 1, h * z)) / sigma


dist = Distribution()
pair("gamma density: rate for scale", "algebra", dist.gamma, dist.gamma_score, dist.gamma_score_rate, "right at scale one in the first parameter", examples=[((), ())], domain=[(0.3, 5), (0.3, 3)])
pair("student density: log scale", "algebra", dist.student, dist.student_score, lambda loc, s: (dist.student_score(loc, s)[0], dist.student_score(loc, s)[1] * np.exp(-s)), "the derivative in the scale, not in its logarithm", examples=[((), ())], domain=[(-3, 3), (-1, 1)])
pair("censored normal: hazard", "algebra", dist.censored, dist.censored_score, functools.partial(dist.censored_score, hazard=False), "the density is not divided by the survival", examples=[((), ())], domain=[(-2, 3), (0.5, 3)])


def pendulum(theta0, *, g=9.8, length=0.5):
    """The period of a pendulum: a complete elliptic integral."""
    return 4 * math.sqrt(length / g) * special.ellipk(np.sin(theta0 / 2) ** 2)


def pendulum_vjp(theta0, grad_output, *, g=9.8, length=0.5, modulus=False):
    k2 = np.sin(theta0 / 2) ** 2
    dK = (special.ellipe(k2) / (1 - k2) - special.ellipk(k2)) / (2 * k2)
    chain = np.cos(theta0 / 2) / 2 if modulus else np.sin(theta0 / 2) * np.cos(theta0 / 2)
    return grad_output * 4 * math.sqrt(length / g) * dK * chain


pair("pendulum: parameter or modulus", "algebra", pendulum, pendulum_vjp, functools.partial(pendulum_vjp, modulus=True), "the parameter is the square of the modulus", "vjp", examples=[((2,),)], domain=[(0.2, 2.8)])


def reaction(t, *, km=1.3, v=0.8, s0=2.0):
    """Substrate left after a time, by Lambert's W."""
    return km * special.lambertw(s0 / km * np.exp((s0 - v * t) / km)).real


def reaction_vjp(t, grad_output, *, km=1.3, v=0.8, s0=2.0, saturated=False):
    s = reaction(t, km=km, v=v, s0=s0)
    return -grad_output * v * (1 if saturated else s / (km + s))


pair("substrate: saturation", "algebra", reaction, reaction_vjp, functools.partial(reaction_vjp, saturated=True), "the rate at saturation", "vjp", examples=[((2,),)], domain=[(0, 6)])


def theis(u, *, q=1.5):
    """The drawdown at a well: an exponential integral."""
    return q * special.exp1(u)


pair("well function: order", "algebra", theis, lambda u, grad_output, *, q=1.5: -grad_output * q * np.exp(-u) / u, lambda u, grad_output, *, q=1.5: -grad_output * q * special.exp1(u) / u, "the integrand, not the integral", "vjp", examples=[((2,),)], domain=[(0.05, 5)])


def cheb_fit(coef):
    """Residuals of a Chebyshev series with a penalty on its slope."""
    x, y = np.linspace(-1, 1, 5), np.array([0.3, 0.1, -0.2, 0.5, 1.0])
    r = chebyshev.chebval(x, coef) - y
    slope = chebyshev.chebval(x, chebyshev.chebder(coef))
    return np.sum(r**2) + 0.1 * np.sum(slope**2)


def cheb_fit_grad(coef, *, penalty=True):
    x, y = np.linspace(-1, 1, 5), np.array([0.3, 0.1, -0.2, 0.5, 1.0])
    V = chebyshev.chebvander(x, len(coef) - 1)
    D = np.array([chebyshev.chebval(x, chebyshev.chebder(e)) for e in np.eye(len(coef))]).T
    return 2 * V.T @ (V @ coef - y) + (0.2 if penalty else 0.1) * D.T @ (D @ coef)


pair("chebyshev fit: penalty", "algebra", cheb_fit, cheb_fit_grad, functools.partial(cheb_fit_grad, penalty=False), "the penalty's two is forgotten", examples=[((4,),)])


Layer = collections.namedtuple("Layer", "weight bias")


class Residual:
    """A stack of residual layers, its parameters namedtuples over one flat vector."""

    def __init__(self, depth=2, width=2):
        self.depth, self.width = depth, width
        self.x = np.array([0.4, -0.9])

    def layers(self, flat):
        w = self.width
        size = w * w + w
        for chunk in np.split(flat, self.depth):
            yield Layer(chunk[: w * w].reshape(w, w), chunk[w * w : size])

    def loss(self, flat):
        h = functools.reduce(lambda h, layer: h + np.tanh(layer.weight @ h + layer.bias), self.layers(flat), self.x)
        return 0.5 * np.dot(h, h)

    def grad(self, flat, skip=True):
        stack, h = collections.deque(), self.x
        for layer in self.layers(flat):
            a = np.tanh(layer.weight @ h + layer.bias)
            stack.append((layer, h, a))
            h = h + a
        out, delta = [], h
        while stack:
            layer, h_in, a = stack.pop()
            d = delta * (1 - a**2)
            out.append(np.concatenate([np.outer(d, h_in).ravel(), d]))
            delta = (delta if skip else 0) + layer.weight.T @ d
        return np.concatenate(out[::-1])


residual = Residual()
pair("residual stack: the skip", "algebra", residual.loss, residual.grad, functools.partial(residual.grad, skip=False), "the gradient does not pass along the skip", examples=[((12,),)])


def clusters(x):
    """Potential of all triples of points on a line, by itertools."""
    return math.fsum(1 / (1 + (x[i] - x[j]) ** 2 + (x[j] - x[k]) ** 2) for i, j, k in itertools.combinations(range(len(x)), 3))


def clusters_grad(x, *, middle=True):
    g = [0.0] * len(x)
    for i, j, k in itertools.combinations(range(len(x)), 3):
        w = -2 / (1 + (x[i] - x[j]) ** 2 + (x[j] - x[k]) ** 2) ** 2
        g[i] += w * (x[i] - x[j])
        g[j] += w * ((x[j] - x[i]) + ((x[j] - x[k]) if middle else 0.0))
        g[k] += w * (x[k] - x[j])
    return g


pair("triples: the middle point", "algebra", clusters, clusters_grad, functools.partial(clusters_grad, middle=False), "the middle point has two neighbours", examples=[((4,),)])


def implied(price, *, s=1.0, k=1.1, t=0.5):
    """The implied volatility of a call, by Brent's method."""
    def gap(sigma):
        d1 = (np.log(s / k) + 0.5 * sigma**2 * t) / (sigma * np.sqrt(t))
        return s * special.ndtr(d1) - k * special.ndtr(d1 - sigma * np.sqrt(t)) - price
    return optimize.brentq(gap, 1e-3, 5.0, xtol=1e-15, rtol=1e-15)


def implied_grad(price, *, s=1.0, k=1.1, t=0.5):
    sigma = implied(price, s=s, k=k, t=t)
    d1 = (np.log(s / k) + 0.5 * sigma**2 * t) / (sigma * np.sqrt(t))
    return 1 / (s * np.sqrt(t) * np.exp(-0.5 * d1**2) / np.sqrt(2 * np.pi))


pair("implied volatility: inverse vega", "algebra", implied, implied_grad, lambda p: 1 / implied_grad(p), "the vega for its inverse", examples=[((),)], domain=[(0.05, 0.5)])


class AngleFilter:
    """Squared wrapped differences of headings: whole turns do not count."""

    def __call__(self, a, b):
        d = np.mod(a - b + np.pi, 2 * np.pi) - np.pi
        return np.sum(d**2)

    def grad(self, a, b):
        d = a - b
        d = d - 2 * np.pi * np.round(d / (2 * np.pi))
        return 2 * d, -2 * d

    def grad_once(self, a, b):
        d = a - b
        d = np.where(d > np.pi, d - 2 * np.pi, d)
        d = np.where(d < -np.pi, d + 2 * np.pi, d)
        return 2 * d, -2 * d


angles = AngleFilter()
pair("headings: several turns", "cells", angles, angles.grad, angles.grad_once, "wrapped once alone", examples=[((2,), (2,))])
