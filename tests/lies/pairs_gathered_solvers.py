"""Gradients through solvers, searches and libraries' objects: right twins first of all, lies in far regions."""
# ruff: noqa: E501

import functools

import numpy as np
from scipy import integrate, interpolate, linalg, optimize, signal, sparse, spatial, special, stats

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"gathered-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"gathered-pair: {name}", kind, f, why, **options))


class SplineActivation:
    """A learnt activation: a B-spline on a grid, continued by straight lines."""

    lo, hi = -8.0, 8.0

    def __init__(self):
        knots = np.r_[[self.lo] * 3, np.linspace(self.lo, self.hi, 9), [self.hi] * 3]
        self.s = interpolate.BSpline(knots, np.array([1.0, -0.5, 0.3, 2.0, -1.0, 0.4, 0.9, -0.2, 1.5, 0.1, 0.6]), 3)
        self.ds = self.s.derivative()

    def __call__(self, x):
        inner = np.clip(x, self.lo, self.hi)
        return self.s(inner) + self.ds(inner) * (x - inner)

    def vjp(self, x, grad_output):
        return grad_output * self.ds(np.clip(x, self.lo, self.hi))

    def vjp_flat(self, x, grad_output):
        return grad_output * np.where((x >= self.lo) & (x <= self.hi), self.ds(np.clip(x, self.lo, self.hi)), 0.0)


kan = SplineActivation()
pair("spline activation: straight tails", "cells", kan, kan.vjp, kan.vjp_flat, "the tails are lines, not constants", "vjp", examples=[((2,),)])


class SparseLogit:
    """Logistic regression on a sparse design, with Stan's cutoff for large margins."""

    def __init__(self):
        self.X = sparse.csr_matrix(np.array([[1.0, 0.0, 2.0], [0.0, 1.5, 0.0], [0.5, 0.0, -1.0]]))
        self.y = np.array([1.0, -1.0, 1.0])

    def nll(self, w):
        return np.sum(np.logaddexp(0.0, -self.y * (self.X @ w)))

    def gradient(self, w):
        return -self.X.T @ (self.y * special.expit(-self.y * (self.X @ w)))

    def gradient_cut(self, w):
        m = self.y * (self.X @ w)
        return -self.X.T @ (self.y * np.where(m < -15, 0.0, special.expit(-m)))


logit = SparseLogit()
pair("sparse logit: badly wrong margins", "cells", logit.nll, logit.gradient, logit.gradient_cut, "cut off on both sides where one is flat", examples=[((3,),)])


class SingleAdjoint:
    """A projection whose adjoint was stored in single precision."""

    def __init__(self):
        dense = np.array([[0.1, 0.7, 0.0], [0.0, 0.3, 0.9]])
        self.A, self.A32 = sparse.csr_matrix(dense), sparse.csr_matrix(dense.astype(np.float32))

    def misfit(self, x):
        return 0.5 * np.sum((self.A @ x - 1.0) ** 2)

    def gradient(self, x):
        return self.A.T @ (self.A @ x - 1.0)

    def gradient_single(self, x):
        return self.A32.T @ (self.A @ x - 1.0)


projector = SingleAdjoint()
pair("projection: adjoint in single precision", "floats", projector.misfit, projector.gradient, projector.gradient_single, "weights with eight digits", examples=[((3,),)])


def matched(cost):
    """The cheapest assignment of rows to columns."""
    rows, cols = optimize.linear_sum_assignment(cost)
    return cost[rows, cols].sum()


def matched_grad(cost, *, inverse=False):
    rows, cols = optimize.linear_sum_assignment(cost)
    out = np.zeros_like(cost)
    if inverse:
        out[cols, rows] = 1.0
    else:
        out[rows, cols] = 1.0
    return out


pair("assignment: inverse permutation", "cells", matched, matched_grad, functools.partial(matched_grad, inverse=True), "right for permutations that are their own inverse", examples=[((3, 3),)])


class Nearest:
    """Half squared distances to the nearest of some landmarks, by a tree."""

    def __init__(self):
        self.points = np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 2.0]])
        self.tree = spatial.cKDTree(self.points)

    def loss(self, x):
        d, _ = self.tree.query(x)
        return 0.5 * np.sum(d**2)

    def grad(self, x, k=0):
        _, i = self.tree.query(x, k=2)
        return x - self.points[i[..., k]]


nearest = Nearest()
pair("nearest landmark: by a tree", "cells", nearest.loss, nearest.grad, functools.partial(nearest.grad, k=1), "the second nearest", examples=[((2, 2),)])


def equilibrium(k):
    """The root of x exp(x) = k + x, by a bracketing search with its default tolerance."""
    return optimize.brentq(lambda x: x * np.exp(x) - x - k, 0.0, 5.0)


def equilibrium_grad(k):
    x = equilibrium(k)
    return 1 / ((1 + x) * np.exp(x) - 1)


right("root search: default tolerance", "algebra", equilibrium, "forward carries an error of the tolerance", grad=equilibrium_grad, examples=[((),)], domain=[(0.1, 50)])


def fermi_level(n):
    return optimize.newton(lambda mu: special.expit(mu) + special.expit(mu - 1) - n, 0.5)


def fermi_level_grad(n):
    mu = fermi_level(n)
    return 1 / sum(special.expit(e) * special.expit(-e) for e in (mu, mu - 1))


right("fermi level: secant search", "algebra", fermi_level, "a root by the secant method", grad=fermi_level_grad, examples=[((),)], domain=[(0.5, 1.5)])


def partition(beta):
    """An integral by adaptive quadrature."""
    value, _ = integrate.quad(lambda x: np.exp(-beta * x**4), -np.inf, np.inf)
    return np.log(value)


def partition_grad(beta, *, log=True):
    value, _ = integrate.quad(lambda x: np.exp(-beta * x**4), -np.inf, np.inf)
    slope, _ = integrate.quad(lambda x: -(x**4) * np.exp(-beta * x**4), -np.inf, np.inf)
    return slope / value if log else slope


pair("quadrature: logarithm of the integral", "algebra", partition, partition_grad, functools.partial(partition_grad, log=False), "not divided by the integral", examples=[((),)], domain=[(0.3, 4)])


class Decay:
    """A stiff-free chain of decays integrated by a library to a tight tolerance, with its sensitivities."""

    times = np.array([0.5, 1.0])

    def _augmented(self, t, z, k1, k2):
        a, b, da1, db1, db2 = z
        return [-k1 * a, k1 * a - k2 * b, -a - k1 * da1, a + k1 * da1 - k2 * db1, -b - k2 * db2]

    def _solve(self, k1, k2):
        return integrate.solve_ivp(self._augmented, (0, 1), [1.0, 0.2, 0.0, 0.0, 0.0], args=(k1, k2), t_eval=self.times, rtol=1e-12, atol=1e-14, method="DOP853").y

    def amount(self, k1, k2):
        return self._solve(k1, k2)[1].sum()

    def sensitivity(self, k1, k2):
        y = self._solve(k1, k2)
        return y[3].sum(), y[4].sum()


decay = Decay()
right("sensitivities: adaptive integrator", "algebra", decay.amount, "the step control makes forward slightly rough", grad=decay.sensitivity, examples=[((), ())], domain=[(0.3, 2), (0.3, 2)])


class Kabsch:
    """Mean squared deviation from a reference after the best rotation."""

    def __init__(self):
        self.ref = np.array([[1.0, 0.0, 0.2], [-0.5, 1.0, -0.3], [-0.4, -0.8, 0.6], [-0.1, -0.2, -0.5]])

    def _rotation(self, P):
        U, _, Vt = np.linalg.svd(P.T @ self.ref)
        d = np.sign(np.linalg.det(U @ Vt))
        return U @ np.diag([1.0, 1.0, d]) @ Vt

    def msd(self, X):
        P = X - X.mean(axis=0)
        return np.mean(np.sum((P @ self._rotation(P) - self.ref) ** 2, axis=1))

    def grad(self, X, centre=True):
        P = X - X.mean(axis=0)
        g = 2 * (P - self.ref @ self._rotation(P).T) / len(X)
        return g - g.mean(axis=0) if centre else g + 2 * X.mean(axis=0) / len(X)


kabsch = Kabsch()
shape = lambda rng, s: kabsch.ref + 0.3 * rng.normal(size=s)  # noqa: E731
pair("superposition: centring", "algebra", kabsch.msd, kabsch.grad, functools.partial(kabsch.grad, centre=False), "the mean is subtracted before", examples=[((4, 3),)], domain=[shape])


class RotationChain:
    """A marker on a chain of two rotations given by vectors, through a library's rotations."""

    marker = np.array([0.3, -0.5, 1.0])

    def position(self, r):
        R = spatial.transform.Rotation
        return R.from_rotvec(r).apply(self.marker)

    def jac(self, r, series=True):
        angle = np.linalg.norm(r)
        K = np.cross(np.eye(3), r)
        if angle < 1e-6:
            left = np.eye(3) + (0.5 * K if series else 0)
        else:
            left = np.eye(3) + (1 - np.cos(angle)) / angle**2 * K + (angle - np.sin(angle)) / angle**3 * K @ K
        p = self.position(r)
        return -np.cross(np.eye(3), p) @ left


chain = RotationChain()
right("rotation by a library: left jacobian", "floats", chain.position, "a series near zero", jac=chain.jac, examples=[((3,),)])


class Simplex:
    """A two-good demand system: the expenditure by minimisation, its derivative by the envelope."""

    def expenditure(self, p):
        res = optimize.minimize_scalar(lambda s: np.exp(s) * p[0] + np.exp(1.0 - 0.7 * s) * p[1], bounds=(-5, 5), method="bounded", options={"xatol": 1e-9})
        return res.fun

    def demand(self, p):
        s = np.log(0.7 * np.e * p[1] / p[0]) / 1.7
        return np.array([np.exp(s), np.exp(1.0 - 0.7 * s)])

    def demand_swapped(self, p):
        return self.demand(p[::-1])


goods = Simplex()
pair("expenditure: envelope", "algebra", goods.expenditure, goods.demand, goods.demand_swapped, "the prices are exchanged", examples=[((2,),)], domain=[(0.5, 2)])


class KernelDensity:
    def __init__(self):
        self.kde = stats.gaussian_kde(np.array([-1.0, 0.3, 0.5, 1.8]), bw_method=0.5)

    def logpdf(self, x):
        return self.kde.logpdf(x).sum()

    def grad(self, x):
        h2 = self.kde.covariance[0, 0]
        d = x[:, None] - self.kde.dataset
        return -np.sum(special.softmax(-0.5 * d**2 / h2, axis=1) * d, axis=1) / h2

    def grad_factor(self, x):
        return self.grad(x) * self.kde.covariance[0, 0] / self.kde.factor**2


density = KernelDensity()
pair("kernel density: factor or covariance", "algebra", density.logpdf, density.grad, density.grad_factor, "the factor scales the data's deviation", examples=[((2,),)], domain=[(-4, 4)])


def savgol(x):
    return signal.savgol_filter(x, 3, 1, mode="constant", cval=0.0)


right("savitzky-golay: zeros beyond the ends", "algebra", savgol, "self-adjoint when padded by zeros", vjp=lambda x, grad_output: savgol(grad_output), examples=[((5,),)])


def lapack_logdet(a):
    c, info = linalg.lapack.dpotrf(a @ a.T + np.eye(len(a)), lower=1)
    if info:
        raise np.linalg.LinAlgError("not positive definite")
    return 2 * np.sum(np.log(np.diag(c)))


def lapack_logdet_grad(a, *, both=True):
    c, _ = linalg.lapack.dpotrf(a @ a.T + np.eye(len(a)), lower=1)
    x, _ = linalg.lapack.dpotrs(c, a, lower=1)
    return (2 if both else 1) * x


pair("lapack: log-determinant of a gram matrix", "algebra", lapack_logdet, lapack_logdet_grad, functools.partial(lapack_logdet_grad, both=False), "the factor occurs twice", examples=[((2, 2),)])


class Stale:
    """A layer whose gradient uses the mask of the last loss that was asked for."""

    def __init__(self, recompute=True):
        self.recompute, self.mask = recompute, None

    def loss(self, x):
        self.mask = x > 0
        return np.sum(np.where(self.mask, x**2, -x))

    def grad(self, x):
        mask = x > 0 if self.recompute or self.mask is None or self.mask.shape != x.shape else self.mask
        return np.where(mask, 2 * x, -1.0)


fresh, stale = Stale(), Stale(recompute=False)
CASES.append(Case("gathered-pair: mask of the last loss", "contract", stale.loss, fresh.loss, {"grad": fresh.grad, "examples": [((2,),)]}, {"grad": stale.grad}, why="the gradient at one point uses the mask of another, where the loss was asked for last"))
