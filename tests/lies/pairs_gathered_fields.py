"""Fields, schemes, caches and guards as they stand in libraries: lies beside their twins, and traps."""
# ruff: noqa: E501

import functools
import math

import numpy as np
from scipy import linalg, special

from autodiff import Function

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"gathered-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"gathered-pair: {name}", kind, f, why, **options))


class ByNorm:
    """A gradient remembered under the norm of its argument."""

    def __init__(self, key):
        self.key, self.cache = key, {}

    def fun(self, x):
        return np.sum(x**3) + x[0] * x[1]

    def derivative(self, x):
        key = self.key(x)
        if key not in self.cache:
            self.cache[key] = 3 * x**2 + np.r_[x[1], x[0]]
        return self.cache[key].copy()


pair("memoized gradient: key is the sum", "contract", ByNorm(None).fun, ByNorm(lambda x: x.tobytes()).derivative, ByNorm(lambda x: float(x.sum())).derivative, "points with one sum share one gradient", examples=[((2,),)])
pair("memoized gradient: key is the object", "contract", ByNorm(None).fun, ByNorm(lambda x: x.tobytes()).derivative, ByNorm(id).derivative, "an array that was changed, or a new one at an old address, gets the old gradient", examples=[((2,),)])


class Chunked(Function):
    """An elementwise exponential, in chunks when long."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.exp(-x * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return -2 * x * np.exp(-x * x) * grad


class ChunkedTail(Chunked):
    chunk = 64

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c = ChunkedTail.chunk
        if x.size < c:
            return Chunked.backward(ctx, grad)
        flat, g, out = x.ravel(), grad.ravel(), np.zeros(x.size)
        for k in range(x.size // c):
            part = slice(k * c, (k + 1) * c)
            out[part] = -2 * flat[part] * np.exp(-(flat[part] ** 2)) * g[part]
        return out.reshape(x.shape)


CASES.append(Case("gathered: chunks: what is left over", "contract", ChunkedTail, Chunked, why="an incomplete last chunk gets zero; no examples are declared"))


def minmod_flux(u, *, dx=0.5):
    """A limited upwind scheme for advection to the right, periodic."""
    left, rite = u - np.roll(u, 1), np.roll(u, -1) - u
    slope = np.where(left * rite > 0, np.where(np.abs(left) < np.abs(rite), left, rite), 0.0)
    face = u + 0.5 * slope
    return -(face - np.roll(face, 1)) / dx


def minmod_flux_vjp(u, grad_output, *, dx=0.5, limited=True):
    left, rite = u - np.roll(u, 1), np.roll(u, -1) - u
    g_face = -(grad_output - np.roll(grad_output, -1)) / dx
    same = left * rite > 0 if limited else np.ones(u.shape, dtype=bool)
    take_left = same & (np.abs(left) < np.abs(rite))
    gl, gr = 0.5 * g_face * take_left, 0.5 * g_face * (same & ~take_left)
    return g_face + gl - np.roll(gl, -1) + np.roll(gr, 1) - gr


pair("limiter: at an extremum", "cells", minmod_flux, minmod_flux_vjp, functools.partial(minmod_flux_vjp, limited=False), "the slope at an extremum is zero", "vjp", examples=[((3,),)])


class NeoHooke:
    """Energy of a compressible neo-Hookean solid and its first Piola stress."""

    mu, lam = 1.2, 0.7

    def energy(self, F):
        J = np.linalg.det(F)
        return 0.5 * self.mu * (np.sum(F * F) - 2 - 2 * np.log(J)) + 0.5 * self.lam * np.log(J) ** 2

    def stress(self, F):
        Fit = np.linalg.inv(F).T
        return self.mu * (F - Fit) + self.lam * np.log(np.linalg.det(F)) * Fit

    def stress_other(self, F):
        Fit = np.linalg.inv(F).T
        J = np.linalg.det(F)
        return self.mu * (F - Fit) + self.lam * (J - 1) * J * Fit


rubber = NeoHooke()
stretch = lambda rng, s: np.eye(2) + 0.3 * rng.uniform(-1, 1, size=s)  # noqa: E731
pair("neo-hooke: volumetric part", "algebra", rubber.energy, rubber.stress, rubber.stress_other, "the stress of another volumetric energy, equal to first order", examples=[((2, 2),)], domain=[stretch])


class PhaseRetrieval:
    """Amplitude misfit of a Fourier transform; amplitudes of zero pass nothing on."""

    measured = np.array([1.0, 0.7, 0.3, 0.9])

    def loss(self, x):
        return 0.5 * np.sum((np.abs(np.fft.fft(x)) - self.measured) ** 2)

    def grad(self, x, inverse=True):
        X = np.fft.fft(x)
        a = np.abs(X)
        phase = np.divide(X, a, out=np.zeros_like(X), where=a > 0)
        r = (a - self.measured) * phase
        return np.real(np.fft.ifft(r)) * len(x) if inverse else np.real(np.fft.ifft(r))


phases = PhaseRetrieval()
pair("phase retrieval: normalisation", "algebra", phases.loss, phases.grad, functools.partial(phases.grad, inverse=False), "the adjoint of the transform is n times its inverse", examples=[((4,),)])


class LogCholesky:
    """A Gaussian's minus log likelihood, the precision's factor by its lower triangle, logs on the diagonal."""

    S = np.array([[1.0, 0.3], [0.3, 0.5]])

    def _factor(self, theta):
        L = np.zeros((2, 2), dtype=theta.dtype)
        L[np.tril_indices(2)] = theta
        L[np.diag_indices(2)] = np.exp(np.diagonal(L))
        return L

    def nll(self, theta):
        L = self._factor(theta)
        return -np.sum(np.log(np.diagonal(L))) + 0.5 * np.trace(L.T @ self.S @ L)

    def grad(self, theta, chain=True):
        L = self._factor(theta)
        G = self.S @ L
        d = np.diagonal(L)
        G[np.diag_indices(2)] = np.diagonal(G) * (d if chain else 1) - 1
        return G[np.tril_indices(2)]


precision = LogCholesky()
pair("log-cholesky: chain of the diagonal", "algebra", precision.nll, precision.grad, functools.partial(precision.grad, chain=False), "right where the diagonal is one", examples=[((3,),)], domain=[(-2, 2)])


class BradleyTerry:
    """Ratings from games with a home advantage, weights for draws, ridge."""

    games = ((0, 1, 1.0), (1, 2, 0.5), (2, 0, 0.0), (0, 2, 1.0))

    def nll(self, ratings, home):
        total = 0.05 * np.dot(ratings, ratings)
        for i, j, score in self.games:
            x = ratings[i] - ratings[j] + home
            total = total + np.logaddexp(0, x) - score * x
        return total

    def grad(self, ratings, home, at_home=True):
        g, gh = 0.1 * ratings, 0.0
        for i, j, score in self.games:
            d = special.expit(ratings[i] - ratings[j] + (home if at_home else 0)) - score
            g[i] += d
            g[j] -= d
            gh += d
        return g, gh


league = BradleyTerry()
pair("ratings: home advantage", "algebra", league.nll, league.grad, functools.partial(league.grad, at_home=False), "right where nobody has an advantage", examples=[((3,), ())])


class BoundedFit:
    """Parameters mapped into bounds by the sine, as a fitting library does it; the chain factor at the end."""

    lo, hi = np.array([0.0, -1.0]), np.array([2.0, 3.0])
    t, y = np.array([0.0, 0.5, 1.0, 2.0]), np.array([1.2, 0.9, 0.5, 0.3])

    def _external(self, u):
        return self.lo + (np.sin(u) + 1) * (self.hi - self.lo) / 2

    def residual(self, u):
        a, k = self._external(u)
        return a * np.exp(-k * self.t) - self.y

    def jac(self, u, chain=True):
        a, k = self._external(u)
        e = np.exp(-k * self.t)
        J = np.column_stack([e, -a * self.t * e])
        return J * np.cos(u) * (self.hi - self.lo) / 2 if chain else J * np.cos(u)


bounded = BoundedFit()
pair("bounded parameters: width of the bounds", "algebra", bounded.residual, bounded.jac, functools.partial(bounded.jac, chain=False), "right where the bounds are two apart", "jac", examples=[((2,),)])


class Gompertz:
    """Survival with a hazard that grows, the limit of a constant one handled by expm1 over its argument."""

    t, d = np.array([0.5, 1.5, 3.0]), np.array([1.0, 0.0, 1.0])

    def _ratio(self, z):
        small = np.abs(z) < 1e-5
        safe = np.where(small, 1.0, z)
        return np.where(small, 1 + z / 2 + z**2 / 6, np.expm1(safe) / safe)

    def _ratio_slope(self, z, series=True):
        small = np.abs(z) < 1e-3
        safe = np.where(small, 1.0, z)
        taylor = 0.5 + z / 3 + z**2 / 8 + z**3 / 30 + z**4 / 144 if series else 0.5 + z / 3
        return np.where(small, taylor, (np.exp(safe) * (safe - 1) + 1) / safe**2)

    def loglik(self, log_rate, shape):
        h = np.exp(log_rate)
        return np.sum(self.d * (log_rate + shape * self.t) - h * self.t * self._ratio(shape * self.t))

    def score(self, log_rate, shape, series=True):
        h, z = np.exp(log_rate), shape * self.t
        return np.sum(self.d - h * self.t * self._ratio(z)), np.sum(self.d * self.t - h * self.t**2 * self._ratio_slope(z, series))


gompertz = Gompertz()
pair("gompertz: series of the slope", "floats", gompertz.loglik, gompertz.score, functools.partial(gompertz.score, series=False), "two terms below a thousandth", examples=[((), ())], domain=[(-2, 1), (-1, 1)])


def clipped_logit(p, *, eps=1e-7):
    return np.log(np.clip(p, eps, 1 - eps)) - np.log1p(-np.clip(p, eps, 1 - eps))


right("clipped logit: constant near one", "floats", clipped_logit, "1 - eps is rounded, and 1 - (1 - eps) magnifies it", vjp=lambda p, grad_output, *, eps=1e-7: grad_output * np.where((p > eps) & (p < 1 - eps), 1 / (np.clip(p, eps, 1 - eps) * (1 - np.clip(p, eps, 1 - eps))), 0.0), examples=[((2,),)], domain=[(0, 1)])


def trimmed(x):
    """The mean of the middle of shifted squares, by a partial sort."""
    return np.partition((x - 0.3) ** 2 + 1.0, (1, 2))[1:3].mean()


def trimmed_grad(x):
    v = (x - 0.3) ** 2 + 1.0
    keep = np.argsort(v, kind="stable")[1:3]
    out = np.zeros_like(x)
    out[keep] = (x - 0.3)[keep]
    return out


right("trimmed mean of computed values", "cells", trimmed, "values that tie by rounding alone", grad=trimmed_grad, examples=[((4,),)])


def wiener(taps):
    """A regularised deconvolution's error in the taps of the blur."""
    y, x = np.array([1.0, 0.5, -0.2, 0.8]), np.array([0.9, 0.2, 0.1, 0.6])
    H = np.fft.rfft(taps, 4)
    X = np.conj(H) * np.fft.rfft(y) / (np.abs(H) ** 2 + 0.1)
    return np.sum((np.fft.irfft(X, 4) - x) ** 2)


def wiener_grad(taps):
    y, x = np.array([1.0, 0.5, -0.2, 0.8]), np.array([0.9, 0.2, 0.1, 0.6])
    H, Y = np.fft.rfft(taps, 4), np.fft.rfft(y)
    den = np.abs(H) ** 2 + 0.1
    r = 2 * (np.fft.irfft(np.conj(H) * Y / den, 4) - x)
    out = []
    for k in range(len(taps)):
        D = np.fft.rfft(np.eye(4)[k])
        dX = np.conj(D) * Y / den - np.conj(H) * Y * 2 * np.real(np.conj(H) * D) / den**2
        out.append(r @ np.fft.irfft(dX, 4))
    return np.array(out)


right("wiener filter: taps", "algebra", wiener, "complex quotient, real taps, forward mode column by column", grad=wiener_grad, examples=[((3,),)])


def gated_log(x):
    """x log x with its limit, nan_to_num and errstate as the guards."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sum(np.nan_to_num(x * np.log(x)))


def gated_log_grad(x):
    out = np.zeros_like(x)
    np.log(x, out=out, where=x > 0)
    out += x > 0
    return out


right("x log x: nan_to_num", "floats", gated_log, "the guard writes nothing where the input vanishes", grad=gated_log_grad, examples=[((3,),)], domain=[(0, 5)])


class EarlyExit:
    """A masked contrastive loss: no positives, no loss."""

    labels = np.array([0, 1, 0])

    def loss(self, z, *, labels=(0, 1, 0)):
        labels = np.asarray(labels)
        same = (labels[:, None] == labels[None]) & ~np.eye(len(labels), dtype=bool)
        if not same.any():
            return z.sum() * 0.0
        s = np.where(np.eye(len(z), dtype=bool), -np.inf, z @ z.T / 0.5)
        logp = s - special.logsumexp(s, axis=1, keepdims=True)
        rows = same.any(axis=1)
        return -np.mean([logp[i, same[i]].mean() for i in np.flatnonzero(rows)])

    def grad(self, z, *, labels=(0, 1, 0)):
        labels = np.asarray(labels)
        same = (labels[:, None] == labels[None]) & ~np.eye(len(labels), dtype=bool)
        if not same.any():
            return np.zeros_like(z)
        s = np.where(np.eye(len(z), dtype=bool), -np.inf, z @ z.T / 0.5)
        rows = same.any(axis=1)
        counts = np.maximum(same.sum(axis=1), 1)[:, None]
        ds = (special.softmax(s, axis=1) - same / counts) * rows[:, None] / rows.sum()
        return (ds + ds.T) @ z / 0.5


contrast = EarlyExit()
right("supervised contrast: no positives", "cells", contrast.loss, "an early exit; minus infinity on the diagonal", grad=contrast.grad, examples=[((3, 2), {"labels": np.array([0, 1, 0])}), ((3, 2), {"labels": np.array([0, 1, 2])})])


def ellipse_log(v, *, a=2.0):
    """The log map on the sphere from the north pole, the angle by arctan2."""
    n = np.hypot(v[0], v[1])
    theta = np.arctan2(n, v[2])
    return v[:2] * (theta / n if n > 1e-9 else 1.0 / v[2])


def ellipse_log_jac(v, *, a=2.0):
    n, r2 = np.hypot(v[0], v[1]), np.sum(v**2)
    if n <= 1e-9:
        return np.array([[1 / v[2], 0.0, -v[0] / v[2] ** 2], [0.0, 1 / v[2], -v[1] / v[2] ** 2]])
    theta = np.arctan2(n, v[2])
    u = v[:2] / n
    radial = v[2] / r2
    return np.hstack([radial * np.outer(u, u) + theta / n * (np.eye(2) - np.outer(u, u)), -(n / r2) * u[:, None]])


right("log map of the sphere", "floats", ellipse_log, "a guard at the pole", jac=ellipse_log_jac, examples=[((3,),)], domain=[lambda rng, s: np.array([*rng.normal(size=2), abs(rng.normal()) + 0.2])])


def sqrtm_loss(A):
    """The Bures distance to a fixed covariance."""
    B = np.array([[1.0, 0.2], [0.2, 0.5]])
    root = linalg.sqrtm(B)
    return np.trace(A) + np.trace(B) - 2 * np.sum(np.sqrt(np.linalg.eigvalsh(root @ A @ root)))


def sqrtm_loss_grad(A):
    B = np.array([[1.0, 0.2], [0.2, 0.5]])
    root = linalg.sqrtm(B)
    w, V = np.linalg.eigh(root @ A @ root)
    return np.eye(2) - root @ (V / np.sqrt(w)) @ V.T @ root


right("bures distance to a fixed covariance", "algebra", lambda m: sqrtm_loss(m @ m.T + 0.3 * np.eye(2)), "symmetric arguments alone reach the roots", grad=lambda m: 2 * sqrtm_loss_grad(m @ m.T + 0.3 * np.eye(2)) @ m, examples=[((2, 2),)], domain=[(-3, 3)])


def pi_controller(gains, *, steps=4):
    """Squared tracking error of a saturated PI loop, gradients carried forward."""
    x, s, total = 0.0, 0.0, 0.0
    for _ in range(steps):
        e = 1.0 - x
        s = s + e
        u = min(max(gains[0] * e + gains[1] * s, -1.0), 1.0)
        x = 0.8 * x + 0.5 * u
        total = total + e * e
    return total


def pi_controller_grad(gains, *, steps=4):
    x, s = 0.0, 0.0
    dx, ds, total = np.zeros(2), np.zeros(2), np.zeros(2)
    for _ in range(steps):
        e, de = 1.0 - x, -dx
        s, ds = s + e, ds + de
        raw = gains[0] * e + gains[1] * s
        du = np.array([e, s]) + gains[0] * de + gains[1] * ds
        if not -1.0 <= raw <= 1.0:
            du = np.zeros(2)
        total = total + 2 * e * de
        x, dx = 0.8 * x + 0.5 * min(max(raw, -1.0), 1.0), 0.8 * dx + 0.5 * du
    return total


right("pi loop: saturated", "cells", pi_controller, "min and max of scalars, no gradient while saturated", grad=pi_controller_grad, examples=[((2,),)])
right("truncated expansion by math", "algebra", lambda x: math.prod(1 - x**2 / (k * math.pi) ** 2 for k in range(1, 4)), "a product by the standard library", grad=lambda x: -2 * x * sum(math.prod(1 - x**2 / (j * math.pi) ** 2 for j in range(1, 4) if j != k) / (k * math.pi) ** 2 for k in range(1, 4)), examples=[((),)])
