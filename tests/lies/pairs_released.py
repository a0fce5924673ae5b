"""Functions and derivatives of statistics and machine-learning packages that were released wrong, each beside its right twin."""
# ruff: noqa: E501

import dataclasses
import functools
import math

import numpy as np
from scipy import linalg, special, stats

from .case import Case

INF = math.inf
CASES: list[Case] = []


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"released-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


# Kernels

X = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]])


def sqdist(a, b):
    return np.sum(a**2, 1)[:, None] - 2 * a @ b.T + np.sum(b**2, 1)[None, :]


def rq(theta):
    """Rational quadratic, by (variance, length, power)."""
    v, ell, p = theta
    r2 = ((X[:, None] - X[None]) ** 2).sum(-1) / ell**2
    return v * (1 + r2 / 2) ** (-p)


def rq_jac(theta):
    v, ell, p = theta
    r2 = ((X[:, None] - X[None]) ** 2).sum(-1) / ell**2
    base = 1 + r2 / 2
    out = np.empty((3, 3, 3))
    out[:, :, 0] = base ** (-p)
    out[:, :, 1] = v * p * base ** (-p - 1) * r2 / ell
    out[:, :, 2] = -v * base ** (-p) * np.log(base)
    return out


def rq_jac_wrong(theta):
    v, ell, p = theta
    r2 = ((X[:, None] - X[None]) ** 2).sum(-1) / ell**2
    base = 1 + r2 / 2
    out = np.empty((3, 3, 3))
    out[:, :, 0] = base ** (-p)
    out[:, :, 1] = v * p * base ** (-p - 1) * r2 / ell
    out[:, :, 2] = -v * base ** (-p) * np.log(r2 / 2 + 0.5) - v * base ** (-p) * math.log(2) * (
        r2 > 0
    )
    return out


def positive(rng, shape):
    return rng.uniform(0.3, 3.0, shape)


pair(
    "rational quadratic: power",
    "algebra",
    rq,
    rq_jac,
    rq_jac_wrong,
    "on the diagonal the logarithm is not zero",
    "jac",
    examples=[((3,),)],
    domain={"theta": positive},
)


def exp_sine_squared(params):
    ell, period = params
    d = np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1))
    return np.exp(-2 * (np.sin(np.pi / period * d) / ell) ** 2)


def exp_sine_squared_jac(params):
    ell, period = params
    d = np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1))
    arg = np.pi * d / period
    k = np.exp(-2 * (np.sin(arg) / ell) ** 2)
    return np.dstack(
        [
            4 / ell**3 * np.sin(arg) ** 2 * k,
            4 * arg / ell**2 / period * np.cos(arg) * np.sin(arg) * k,
        ]
    )


def exp_sine_squared_jac_log(params):
    ell, period = params
    d = np.sqrt(((X[:, None] - X[None]) ** 2).sum(-1))
    arg = np.pi * d / period
    k = np.exp(-2 * (np.sin(arg) / ell) ** 2)
    return np.dstack(
        [4 / ell**2 * np.sin(arg) ** 2 * k, 4 * arg / ell**2 * np.cos(arg) * np.sin(arg) * k]
    )


pair(
    "exp-sine-squared: by the logarithm",
    "algebra",
    exp_sine_squared,
    exp_sine_squared_jac,
    exp_sine_squared_jac_log,
    "the derivative by log parameters, where those by the parameters are asked for",
    "jac",
    examples=[((2,),)],
    domain=[positive],
)


def matern_grad_block(x1, x2, ell):
    d = x1 - x2
    r = math.sqrt(5) * np.abs(d) / ell
    return (1 + r + r * r / 3) * np.exp(-r)


def matern_grad_block_grad(x1, x2, ell):
    d = x1 - x2
    r = math.sqrt(5) * abs(d) / ell
    g = -5 / 3 * d / ell**2 * (1 + r) * np.exp(-r)
    return g, -g, 5 / 3 * d**2 / ell**3 * (1 + r) * np.exp(-r)


def matern_grad_block_sign(x1, x2, ell):
    g, _, h = matern_grad_block_grad(x1, x2, ell)
    return g, g, h


pair(
    "matern 5/2: sign of the second block",
    "algebra",
    matern_grad_block,
    matern_grad_block_grad,
    matern_grad_block_sign,
    "the block by the second point has the first one's sign",
    examples=[((), (), ())],
    domain=[None, None, (0.1, 10)],
)


def matern12_x(x):
    return np.exp(-np.linalg.norm(x - X[1]))


def matern12_x_grad(x):
    diff = x - X[1]
    d = np.sqrt(diff @ diff)
    if d != 0:
        return -np.exp(-d) * diff / d
    return np.zeros_like(x)


def matern12_x_grad_mask(x):
    diff = x - X[1]
    mask = diff != 0
    d = np.sqrt(diff @ diff)
    out = np.zeros_like(x)
    out[mask] = -np.exp(-d) * np.sign(diff[mask])
    return out


pair(
    "matern 1/2 gradient_x",
    "algebra",
    matern12_x,
    matern12_x_grad,
    matern12_x_grad_mask,
    "the sign for the direction: right on the axes",
    examples=[((2,),)],
)


def mlp_kernel(x, w=1.3, b=0.4):
    num = w * (X @ x) + b
    return np.arcsin(num / np.sqrt((w * (x @ x) + b + 1) * (w * (X * X).sum(1) + b + 1)))


def mlp_kernel_vjp(x, w=1.3, b=0.4, *, grad_output):
    num = w * (X @ x) + b
    vx, vX = w * (x @ x) + b + 1, w * (X * X).sum(1) + b + 1
    den = np.sqrt(vx * vX)
    arg = num / den
    outer = grad_output / np.sqrt(1 - arg**2)
    return outer @ (w * X / den[:, None] - np.outer(num * vX * w / den**3, x))


def mlp_kernel_vjp_half(x, w=1.3, b=0.4, *, grad_output):
    num = w * (X @ x) + b
    vx, vX = w * (x @ x) + b + 1, w * (X * X).sum(1) + b + 1
    den = np.sqrt(vx * vX)
    arg = num / den
    outer = grad_output / np.sqrt(1 - arg**2)
    return outer @ (w * X / den[:, None] - np.outer(0.5 * num * vX * w / den**3, x))


pair(
    "mlp kernel: half",
    "algebra",
    mlp_kernel,
    mlp_kernel_vjp,
    mlp_kernel_vjp_half,
    "the root's half cancels against the square's two",
    "vjp",
    examples=[((2,),)],
)


# Links and likelihoods of generalised linear models


class CDFLink:
    dist = stats.norm

    def __call__(self, p):
        return special.ndtri(p)

    def deriv(self, p):
        z = special.ndtri(p)
        return math.sqrt(2 * math.pi) * np.exp(z * z / 2)

    def deriv_untransformed(self, p):
        return 1.0 / (np.exp(-p * p / 2) / math.sqrt(2 * math.pi))


probit = CDFLink()


def elementwise_vjp(slope):
    @functools.wraps(slope)
    def vjp(x, *, grad_output):
        return grad_output * slope(x)

    return vjp


pair(
    "probit link: density at p",
    "algebra",
    probit.__call__,
    elementwise_vjp(probit.deriv),
    elementwise_vjp(probit.deriv_untransformed),
    "the density is taken at p, not at the quantile",
    "vjp",
    domain=[(0, 1)],
)


def cloglog(p):
    return np.log(-np.log(1 - p))


def cloglog_deriv(p):
    return 1.0 / ((p - 1) * np.log1p(-p))


def cloglog_deriv_sign(p):
    return 1.0 / ((1 - p) * np.log1p(-p))


pair(
    "cloglog link: sign",
    "algebra",
    cloglog,
    elementwise_vjp(cloglog_deriv),
    elementwise_vjp(cloglog_deriv_sign),
    "1 - p for p - 1",
    "vjp",
    domain=[(0, 1)],
)


def negbin_link(p, alpha=2.0):
    return np.log(p / (p + 1 / alpha))


def negbin_link_deriv(p, alpha=2.0):
    return 1 / (p + alpha * p**2)


def negbin_link_deriv_old(p, alpha=2.0):
    return 1 / (p + p**2 / alpha)


pair(
    "negative binomial link: alpha",
    "algebra",
    negbin_link,
    elementwise_vjp(negbin_link_deriv),
    elementwise_vjp(negbin_link_deriv_old),
    "1/alpha for alpha; right at 1",
    "vjp",
    domain=[(0, INF)],
)

Y = np.array([0.0, 3.0, 1.0, 5.0])
D = np.array([[1.0, 0.2], [1.0, -0.7], [1.0, 1.1], [1.0, 0.4]])


def genpoisson(params, p=1):
    beta, alpha = params[:-1], params[-1]
    mu = np.exp(D @ beta)
    mu_p = mu**p
    a1 = 1 + alpha * mu_p
    a2 = mu + alpha * mu_p * Y
    return np.sum(
        np.log(mu) + (Y - 1) * np.log(a2) - Y * np.log(a1) - special.gammaln(Y + 1) - a2 / a1
    )


def genpoisson_score(params, p=1, lost=False):
    beta, alpha = params[:-1], params[-1]
    mu = np.exp(D @ beta)
    mu_p = mu**p
    a1, a2 = 1 + alpha * mu_p, mu + alpha * mu_p * Y
    da1, da2 = alpha * p * mu ** (p - 1), 1 + alpha * p * mu ** (p - 1) * Y
    if lost:
        da2 = 1 + alpha * mu ** (p - 1) * Y * 0 + alpha * p * mu ** (p - 1)
    dmu = 1 / mu + (Y - 1) * da2 / a2 - Y * da1 / a1 - da2 / a1 + a2 * da1 / a1**2
    dalpha = mu_p * ((Y - 1) * Y / a2 - Y / a1 - Y / a1 + a2 / a1**2)
    return np.r_[D.T @ (dmu * mu), dalpha.sum()]


def small_params(rng, shape):
    out = rng.normal(size=shape) * 0.4
    out[..., -1] = np.abs(out[..., -1]) + 0.1
    return out


pair(
    "generalised poisson: p",
    "algebra",
    genpoisson,
    genpoisson_score,
    functools.partial(genpoisson_score, lost=True),
    "the count is lost in one derivative",
    examples=[((3,),)],
    domain={"params": small_params},
)


@dataclasses.dataclass
class TruncatedPoisson:
    """Counts above zero."""

    y: np.ndarray
    x: np.ndarray

    def loglike(self, beta):
        eta = self.x @ beta
        mu = np.exp(eta)
        return (self.y * eta - mu - special.gammaln(self.y + 1) - np.log(-np.expm1(-mu))).sum()

    def score(self, beta):
        mu = np.exp(self.x @ beta)
        return self.x.T @ (self.y - mu - mu / np.expm1(mu))

    def score_wrong(self, beta):
        mu = np.exp(self.x @ beta)
        return self.x.T @ (self.y - mu - 1 / np.expm1(mu))


truncated = TruncatedPoisson(np.array([1.0, 2.0, 4.0, 1.0]), D)
pair(
    "truncated poisson: chain factor",
    "algebra",
    truncated.loglike,
    truncated.score,
    truncated.score_wrong,
    "the truncation's term lacks the mean as a factor",
    examples=[((2,),)],
)


def exp_transform(params):
    """Keeps an AR process stationary: partial autocorrelations by tanh(x/2)."""
    r = (1 - np.exp(-params)) / (1 + np.exp(-params))
    phi = r.copy()
    tmp = r.copy()
    for j in range(1, len(r)):
        a = phi[j]
        for k in range(j):
            tmp[k] = phi[k] - a * phi[j - k - 1]
        phi[:j] = tmp[:j]
    return phi


def exp_transform_jac(params):
    r = np.tanh(params / 2)
    n = len(r)
    phi, d = r.copy(), np.diag((1 - r**2) / 2)
    for j in range(1, n):
        a, da = phi[j], d[j]
        old, dold = phi[:j].copy(), d[:j].copy()
        phi[:j] = old - a * old[::-1]
        d[:j] = dold - a * dold[::-1] - np.outer(old[::-1], da)
    return d


def exp_transform_jac_diagonal(params):
    return np.diag(2 * np.exp(-params) / (1 + np.exp(-params)) ** 2)


pair(
    "stationary transform: recursion",
    "algebra",
    exp_transform,
    exp_transform_jac,
    exp_transform_jac_diagonal,
    "the recursion over lags is not differentiated; right for one lag",
    "jac",
    examples=[((3,),)],
)


# Losses of scikit-learn and its neighbours


def huber_objective(w, epsilon=1.35, alpha=0.01):
    sigma, coef = w[-1], w[:-1]
    r = Y - D @ coef
    out = np.abs(r) > epsilon * sigma
    inlier = (r[~out] ** 2).sum() / sigma
    outlier = 2 * epsilon * np.abs(r[out]).sum() - sigma * out.sum() * epsilon**2
    return len(Y) * sigma + inlier + outlier + alpha * (coef @ coef)


def huber_grad(w, epsilon=1.35, alpha=0.01):
    sigma, coef = w[-1], w[:-1]
    r = Y - D @ coef
    out = np.abs(r) > epsilon * sigma
    grad = np.zeros(3)
    grad[:2] = 2 / sigma * (-D[~out].T @ r[~out])
    sign = np.ones(out.sum())
    sign[r[out] < 0] = -1
    grad[:2] -= 2 * epsilon * sign @ D[out]
    grad[:2] += 2 * alpha * coef
    grad[-1] = len(Y) - out.sum() * epsilon**2 - (r[~out] ** 2).sum() / sigma**2
    return grad


def huber_grad_sigma(w, epsilon=1.35, alpha=0.01):
    grad = huber_grad(w, epsilon, alpha)
    r = Y - D @ w[:-1]
    out = np.abs(r) > epsilon * w[-1]
    grad[-1] = len(Y) - (r[~out] ** 2).sum() / w[-1] ** 2
    return grad


def sigma_positive(rng, shape):
    out = rng.normal(size=shape)
    out[..., -1] = np.exp(out[..., -1])
    return out


pair(
    "huber regression: scale",
    "cells",
    huber_objective,
    huber_grad,
    huber_grad_sigma,
    "outliers depend on the scale as well",
    examples=[((3,),)],
    domain={"w": sigma_positive},
)

LABELS = np.array([0, 1, 0])
P = np.array([[0.0, 0.3], [1.0, -0.2], [0.4, 0.9]])


def nca(transformation):
    a = transformation.reshape(2, 2)
    e = P @ a.T
    d = sqdist(e, e)
    np.fill_diagonal(d, np.inf)
    p = special.softmax(-d, axis=1)
    return (p * (LABELS[:, None] == LABELS)).sum()


def nca_grad(transformation, half=False):
    a = transformation.reshape(2, 2)
    e = P @ a.T
    d = sqdist(e, e)
    np.fill_diagonal(d, np.inf)
    p = special.softmax(-d, axis=1)
    masked = p * (LABELS[:, None] == LABELS)
    weighted = masked - p * masked.sum(1, keepdims=True)
    symmetric = weighted + weighted.T
    if half:
        symmetric = weighted
    np.fill_diagonal(symmetric, -weighted.sum(0))
    return (2 * e.T @ symmetric @ P).ravel()


pair(
    "nca: not symmetric",
    "algebra",
    nca,
    nca_grad,
    functools.partial(nca_grad, half=True),
    "the pair's other end is left out",
    examples=[((4,),)],
)

TARGET = np.array([[0, 0.2, 0.1], [0.2, 0, 0.2], [0.1, 0.2, 0]])


def tsne(params, dof=2.0):
    z = params.reshape(3, 2)
    d = 1 + ((z[:, None] - z[None]) ** 2).sum(-1) / dof
    q = d ** (-(dof + 1) / 2)
    q = q - np.diag(np.diag(q))
    q = q / q.sum()
    off = ~np.eye(3, dtype=bool)
    return (TARGET[off] * np.log(TARGET[off] / q[off])).sum()


def tsne_grad(params, dof=2.0, c=None):
    z = params.reshape(3, 2)
    num = 1 / (1 + ((z[:, None] - z[None]) ** 2).sum(-1) / dof)
    q = num ** ((dof + 1) / 2)
    np.fill_diagonal(q, 0)
    q = q / q.sum()
    w = (TARGET - q) * num
    out = np.zeros_like(z)
    for i in range(3):
        out[i] = w[i] @ (z[i] - z)
    return out.ravel() * (2 * (dof + 1) / dof if c is None else c)


pair(
    "t-sne: degrees of freedom",
    "algebra",
    tsne,
    tsne_grad,
    functools.partial(tsne_grad, c=4.0),
    "the factor of one degree of freedom for all",
    examples=[((6,),)],
)


def multinomial_loss(w, alpha=0.5):
    """Cross entropy of three classes with an intercept that is not penalised."""
    coef = w.reshape(3, 3)
    p = D @ coef[:, :2].T + coef[:, 2]
    logp = p - special.logsumexp(p, axis=1)[:, None]
    return -(ONE_HOT * logp).sum() + 0.5 * alpha * (coef[:, :2] ** 2).sum()


ONE_HOT = np.eye(3)[[0, 2, 1, 1]]


def multinomial_grad(w, alpha=0.5):
    coef = w.reshape(3, 3)
    p = D @ coef[:, :2].T + coef[:, 2]
    diff = np.exp(p - special.logsumexp(p, axis=1)[:, None]) - ONE_HOT
    grad = np.zeros((3, 3))
    grad[:, :2] = diff.T @ D + alpha * coef[:, :2]
    grad[:, -1] = diff.sum(axis=0)
    return grad.ravel()


def multinomial_grad_intercept(w, alpha=0.5):
    grad = multinomial_grad(w, alpha).reshape(3, 3)
    grad[:, -1] += alpha * w.reshape(3, 3)[:, -1]
    return grad.ravel()


pair(
    "multinomial logistic: intercept penalised",
    "algebra",
    multinomial_loss,
    multinomial_grad,
    multinomial_grad_intercept,
    "the penalty's gradient reaches the intercepts",
    examples=[((9,),)],
)


# Optimisation test functions and algebra of scipy


def rosen(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0, axis=0)


def rosen_der(x):
    xm, xm_m1, xm_p1 = x[1:-1], x[:-2], x[2:]
    der = np.zeros_like(x)
    der[1:-1] = 200 * (xm - xm_m1**2) - 400 * (xm_p1 - xm**2) * xm - 2 * (1 - xm)
    der[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    der[-1] = 200 * (x[-1] - x[-2] ** 2)
    return der


def rosen_der_inner(x):
    der = rosen_der(x)
    if len(x) > 2:
        der[1:-1] += 2 * (1 - x[1:-1]) - 2 * (1 - x[2:])
    return der


pair(
    "rosenbrock: shifted",
    "algebra",
    rosen,
    rosen_der,
    rosen_der_inner,
    "an index off by one in the linear term",
    examples=[((4,),)],
)


def logsumexp_b(x, b=(1.0, -0.5, 2.0)):
    top = x.max()
    return np.log(np.abs(np.sum(b * np.exp(x - top)))) + top


def logsumexp_b_grad(x, b=(1.0, -0.5, 2.0)):
    w = np.asarray(b) * np.exp(x - x.max())
    return w / w.sum()


def logsumexp_b_grad_abs(x, b=(1.0, -0.5, 2.0)):
    w = np.asarray(b) * np.exp(x - x.max())
    return w / abs(w.sum())


pair(
    "logsumexp: negative weights",
    "cells",
    logsumexp_b,
    logsumexp_b_grad,
    logsumexp_b_grad_abs,
    "where the weighted sum is negative the sign is lost",
    examples=[((3,),)],
)


def logistic_growth(p):
    """Explicit midpoint steps of y' = r y (1 - y/k)."""
    r, k = p
    y, h = 0.3, 0.25
    for _ in range(3):
        mid = y + 0.5 * h * r * y * (1 - y / k)
        y = y + h * r * mid * (1 - mid / k)
    return y


def logistic_growth_grad(p, forgetful=False):
    r, k = p
    y, h, dr, dk = 0.3, 0.25, 0.0, 0.0
    for _ in range(3):
        f = y * (1 - y / k)
        fy = r * (1 - 2 * y / k)
        mid = y + 0.5 * h * r * f
        mr = dr + 0.5 * h * (f + fy * dr)
        mk = dk + 0.5 * h * (r * y**2 / k**2 + fy * dk)
        if forgetful:
            mr, mk = dr, dk
        g = mid * (1 - mid / k)
        gy = r * (1 - 2 * mid / k)
        dr, dk = dr + h * (g + gy * mr), dk + h * (r * mid**2 / k**2 + gy * mk)
        y = y + h * r * g
    return np.array([dr, dk])


pair(
    "midpoint sensitivities: stage",
    "algebra",
    logistic_growth,
    logistic_growth_grad,
    functools.partial(logistic_growth_grad, forgetful=True),
    "the sensitivity of the stage is that of the step's start",
    examples=[((2,),)],
    domain=[positive],
)

KNOTS = np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 3.0])


def bspline(t, k, i, x):
    if k == 0:
        return 1.0 if t[i] <= x < t[i + 1] else 0.0
    left = 0.0 if t[i + k] == t[i] else (x - t[i]) / (t[i + k] - t[i]) * bspline(t, k - 1, i, x)
    right = (
        0.0
        if t[i + k + 1] == t[i + 1]
        else (t[i + k + 1] - x) / (t[i + k + 1] - t[i + 1]) * bspline(t, k - 1, i + 1, x)
    )
    return left + right


def spline(x, c=(1.0, -2.0, 0.5, 3.0, 1.0)):
    return sum(c[i] * bspline(KNOTS, 2, i, x) for i in range(5))


def spline_grad(x, c=(1.0, -2.0, 0.5, 3.0, 1.0), k=2):
    total = 0.0
    for i in range(5):
        a, b = KNOTS[i + k] - KNOTS[i], KNOTS[i + k + 1] - KNOTS[i + 1]
        if a:
            total += c[i] * k * bspline(KNOTS, k - 1, i, x) / a
        if b:
            total -= c[i] * k * bspline(KNOTS, k - 1, i + 1, x) / b
    return total


def spline_grad_spacing(x, c=(1.0, -2.0, 0.5, 3.0, 1.0)):
    return sum(c[i] * (bspline(KNOTS, 1, i, x) - bspline(KNOTS, 1, i + 1, x)) for i in range(5))


pair(
    "b-spline: spacing",
    "cells",
    spline,
    spline_grad,
    spline_grad_spacing,
    "the knots' spacing is taken for even: right in the inner interval alone",
    examples=[((),)],
    domain=[(0, 3)],
)


# Linear algebra


def solve_unit_lower(low, b):
    return linalg.solve_triangular(low, b, lower=True, unit_diagonal=True)


def solve_unit_lower_vjp(low, b, *, grad_output):
    x = linalg.solve_triangular(low, b, lower=True, unit_diagonal=True)
    gb = linalg.solve_triangular(low, grad_output, lower=True, unit_diagonal=True, trans="T")
    return -np.tril(np.outer(gb, x), -1), gb


def solve_unit_lower_vjp_diag(low, b, *, grad_output):
    x = linalg.solve_triangular(low, b, lower=True, unit_diagonal=True)
    gb = linalg.solve_triangular(low, grad_output, lower=True, unit_diagonal=True, trans="T")
    return -np.tril(np.outer(gb, x)), gb


pair(
    "triangular solve: unit diagonal",
    "algebra",
    solve_unit_lower,
    solve_unit_lower_vjp,
    solve_unit_lower_vjp_diag,
    "a gradient for the diagonal that is never read",
    "vjp",
    examples=[((3, 3), (3,))],
)


def matrix_power(a, n=3):
    return np.linalg.matrix_power(a, n)


def matrix_power_vjp(a, n=3, *, grad_output):
    out = np.zeros_like(a)
    for i in range(n):
        left = np.linalg.matrix_power(a.T, i)
        right = np.linalg.matrix_power(a.T, n - 1 - i)
        out += left @ grad_output @ right
    return out


def matrix_power_vjp_scalar(a, n=3, *, grad_output):
    return n * grad_output @ np.linalg.matrix_power(a.T, n - 1)


pair(
    "matrix power: like a number's",
    "algebra",
    matrix_power,
    matrix_power_vjp,
    matrix_power_vjp_scalar,
    "matrices do not commute",
    "vjp",
    examples=[((2, 2),), ((2, 2), {"n": 2})],
)


def pinv_rows(a):
    """The pseudo-inverse of a tall matrix of full rank."""
    return np.linalg.solve(a.T @ a, a.T)


def pinv_rows_vjp(a, *, grad_output):
    g = np.linalg.inv(a.T @ a)
    y = g @ a.T
    m = g @ grad_output @ (np.eye(len(a)) - a @ y)
    return m.T - y.T @ grad_output @ y.T


def pinv_rows_vjp_short(a, *, grad_output):
    y = np.linalg.solve(a.T @ a, a.T)
    return -y.T @ grad_output @ y.T


def tall(rng, shape):
    return np.eye(*shape) * 2 + rng.uniform(-0.5, 0.5, shape)


pair(
    "pinv: rectangular",
    "algebra",
    pinv_rows,
    pinv_rows_vjp,
    pinv_rows_vjp_short,
    "the inverse's rule: right for square matrices alone",
    "vjp",
    examples=[((3, 2),)],
    domain=[tall],
)


def eigenvalues_2(params):
    a, b, c = params
    return np.linalg.eigvalsh(np.array([[a, b], [b, c]]))


def eigenvalues_2_vjp(params, *, grad_output):
    a, b, c = params
    _, v = np.linalg.eigh(np.array([[a, b], [b, c]]))
    g = (v * grad_output) @ v.T
    return np.array([g[0, 0], 2 * g[0, 1], g[1, 1]])


def eigenvalues_2_vjp_once(params, *, grad_output):
    a, b, c = params
    _, v = np.linalg.eigh(np.array([[a, b], [b, c]]))
    g = (v * grad_output) @ v.T
    return np.array([g[0, 0], g[0, 1], g[1, 1]])


pair(
    "eigenvalues: off-diagonal",
    "algebra",
    eigenvalues_2,
    eigenvalues_2_vjp,
    eigenvalues_2_vjp_once,
    "the off-diagonal entry stands twice in the matrix",
    "vjp",
    examples=[((3,),)],
)


def log_det_cholesky(a):
    return 2 * np.log(np.diag(np.linalg.cholesky(a))).sum()


def log_det_cholesky_grad(a):
    low = np.linalg.cholesky(a)
    identity = np.eye(len(a))
    half = linalg.solve_triangular(low, identity, lower=True)
    return half.T @ half


def log_det_cholesky_grad_low(a):
    low = np.linalg.cholesky(a)
    half = linalg.solve_triangular(low, np.eye(len(a)), lower=True)
    return np.tril(half.T @ half)


def positive_definite(rng, shape):
    m = rng.normal(size=shape)
    return m @ m.T + np.eye(len(m))


pair(
    "log-det by cholesky: lower triangle",
    "algebra",
    lambda a: log_det_cholesky((a + a.T) / 2),
    log_det_cholesky_grad,
    log_det_cholesky_grad_low,
    "the off-diagonal entries count half",
    examples=[((2, 2),), ((3, 3),)],
    domain=[positive_definite],
)


def fftshifted(x):
    return np.fft.fftshift(x)


pair(
    "fftshift: odd lengths",
    "algebra",
    fftshifted,
    lambda x, *, grad_output: np.fft.ifftshift(grad_output),
    lambda x, *, grad_output: np.fft.fftshift(grad_output),
    "its own inverse for even lengths alone",
    "vjp",
    examples=[((4,),), ((5,),)],
)


def power_spectrum(x):
    f = np.fft.rfft(x)
    return f.real**2 + f.imag**2


def power_spectrum_vjp(x, *, grad_output):
    f = 2 * grad_output * np.fft.rfft(x)
    n = len(x)
    full = np.zeros(n, dtype=complex)
    full[: len(f)] = f
    return n * np.fft.ifft(full).real


def power_spectrum_vjp_irfft(x, *, grad_output):
    n = len(x)
    return n * np.fft.irfft(2 * grad_output * np.fft.rfft(x), n)


pair(
    "power spectrum: irfft",
    "algebra",
    power_spectrum,
    power_spectrum_vjp,
    power_spectrum_vjp_irfft,
    "irfft counts the inner frequencies twice",
    "vjp",
    examples=[((4,),), ((5,),)],
)


def padded_fft(x, n=6):
    return np.abs(np.fft.fft(x, n)) ** 2


def padded_fft_vjp(x, n=6, *, grad_output):
    return 2 * n * np.fft.ifft(grad_output * np.fft.fft(x, n)).real[: len(x)]


def padded_fft_vjp_short(x, n=6, *, grad_output):
    return 2 * len(x) * np.fft.ifft(grad_output * np.fft.fft(x, n)).real[: len(x)]


pair(
    "padded fft: length",
    "algebra",
    padded_fft,
    padded_fft_vjp,
    padded_fft_vjp_short,
    "scaled by the signal's length, not by the transform's",
    "vjp",
    examples=[((4,),), ((6,),)],
)


def ctc(logp, target=(1, 2)):
    """Connectionist temporal classification over few steps, in probabilities."""
    ext = [0]
    for c in target:
        ext += [c, 0]
    y = special.softmax(logp, axis=1)
    steps, states = len(y), len(ext)
    alpha = [[0.0] * states for _ in range(steps)]
    alpha[0][0], alpha[0][1] = y[0, 0], y[0, ext[1]]
    for t in range(1, steps):
        for s in range(states):
            total = alpha[t - 1][s]
            if s > 0:
                total = total + alpha[t - 1][s - 1]
            if s > 1 and ext[s] != 0 and ext[s] != ext[s - 2]:
                total = total + alpha[t - 1][s - 2]
            alpha[t][s] = total * y[t, ext[s]]
    return -np.log(alpha[-1][-1] + alpha[-1][-2])


def ctc_grad(logp, target=(1, 2), blank_only=False):
    ext = [0]
    for c in target:
        ext += [c, 0]
    y = special.softmax(logp, axis=1)
    steps, states = len(y), len(ext)
    alpha, beta = np.zeros((steps, states)), np.zeros((steps, states))
    alpha[0, 0], alpha[0, 1] = y[0, 0], y[0, ext[1]]
    beta[-1, -1], beta[-1, -2] = 1, 1
    skip = [s > 1 and ext[s] != 0 and ext[s] != ext[s - 2] for s in range(states)]
    for t in range(1, steps):
        for s in range(states):
            v = (
                alpha[t - 1, s]
                + (alpha[t - 1, s - 1] if s else 0)
                + (alpha[t - 1, s - 2] if skip[s] else 0)
            )
            alpha[t, s] = v * y[t, ext[s]]
    for t in range(steps - 2, -1, -1):
        for s in range(states):
            v = beta[t + 1, s] * y[t + 1, ext[s]]
            if s + 1 < states:
                v += beta[t + 1, s + 1] * y[t + 1, ext[s + 1]]
            if s + 2 < states and skip[s + 2]:
                v += beta[t + 1, s + 2] * y[t + 1, ext[s + 2]]
            beta[t, s] = v
    total = alpha[-1, -1] + alpha[-1, -2]
    grad = y.copy()
    for t in range(steps):
        for s in range(states):
            if blank_only and s in (states - 1,):
                continue
            grad[t, ext[s]] -= alpha[t, s] * beta[t, s] / total
    return grad


pair(
    "ctc: last blank",
    "algebra",
    ctc,
    ctc_grad,
    functools.partial(ctc_grad, blank_only=True),
    "the last blank's share is left out",
    examples=[((3, 3),)],
)
