"""Log-likelihoods and their scores: boundaries, special parameters, tails, counts of zero."""
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


INF = float("inf")


def igamma(x, a=1.0):
    """The regularised incomplete gamma function of integer order, as a finite sum."""
    k = np.arange(int(a))
    return 1 - np.exp(-x) * np.sum(x**k / special.gamma(k + 1))


pair("incomplete gamma: order one at zero", "cells", lambda x: igamma(x, 1.0), lambda x: np.exp(-x), lambda x: np.exp(-x + 0.0 * np.log(x)), "(a - 1) log x is 0 times infinity for a = 1 at x = 0", examples=[((),), (np.array(0.0),)], domain=[lambda rng, shape: np.maximum(rng.normal(size=shape), 0)])


def zip_loglike(eta, logit):
    """Zero-inflated Poisson, one count of zero and one of three."""
    lam = np.exp(eta)
    p = special.expit(logit)
    zero = np.log(p + (1 - p) * np.exp(-lam))
    three = special.log_expit(-logit) + 3 * eta - lam - math.log(6)
    return zero + three


def zip_score(eta, logit):
    lam, p = np.exp(eta), special.expit(logit)
    d = p + (1 - p) * np.exp(-lam)
    return -(1 - p) * np.exp(-lam) * lam / d + 3 - lam, p * (1 - p) * (-np.expm1(-lam)) / d - p


def zip_score_zero(eta, logit):
    lam, p = np.exp(eta), special.expit(logit)
    d = p + (1 - p) * np.exp(-lam)
    return -(1 - p) * np.exp(-lam) * lam / d + 3 - lam, p * (1 - np.exp(-lam)) / d - p


pair("zero-inflated counts: share of the inflation", "algebra", zip_loglike, zip_score, zip_score_zero, "the slope of the logistic lacks 1 - p in the zero's term", examples=[((), ())], domain=[(-3, 2), (-4, 4)])


def geometric_loglike(logit, k=(0, 1, 4)):
    return sum(special.log_expit(logit) + n * special.log_expit(-logit) for n in k)


pair("geometric: counts from one", "algebra", geometric_loglike, lambda z: 3 * special.expit(-z) - 5 * special.expit(z), lambda z: 3 * special.expit(-z) - sum(max(n - 1, 0) for n in (0, 1, 4)) * special.expit(z), "the failures are counted as if the first trial counted", examples=[((),)])


def truncated_normal(mu, a=-1.0, x=0.3):
    """Normal density on x > a, in its location."""
    return -0.5 * (x - mu) ** 2 - special.log_ndtr(mu - a)


def hazard(z):
    return math.sqrt(2 / math.pi) / special.erfcx(-z / math.sqrt(2))


pair("truncated normal: tail of the hazard", "floats", truncated_normal, lambda mu: (0.3 - mu) - hazard(mu + 1.0), lambda mu: (0.3 - mu) - np.exp(-0.5 * (mu + 1.0) ** 2) / math.sqrt(2 * math.pi) / (special.ndtr(mu + 1.0) + 1e-30), "the ratio is guarded by 1e-30: gone below -11.5", examples=[((),)], domain=[(-40, 10)])


def gev(x, xi):
    """Generalised extreme values, standard location and scale, near the Gumbel limit by its series."""
    if abs(xi) < 1e-9:
        return -x - np.exp(-x) + 0 * xi
    t = np.log1p(xi * x) / xi
    return -(1 + xi) * t - np.exp(-t)


def gev_grad_x(x, xi):
    if abs(xi) < 1e-9:
        return np.expm1(-x)
    t = np.log1p(xi * x) / xi
    return (-(1 + xi) + np.exp(-t)) / (1 + xi * x)


pair("extreme values: gumbel's sign", "cells", lambda x, xi=0.0: gev(x, xi), lambda x: gev_grad_x(x, 0.0), lambda x: -1 - np.exp(-x), "in the limit xi = 0 the inner sign is lost", examples=[((),)], domain=[(-5, 5)])
pair("extreme values: bounded tail", "algebra", lambda x: gev(x, -0.5), lambda x: gev_grad_x(x, -0.5), lambda x: (-1.5 + np.exp(-2 * np.log1p(-0.5 * x) * -1)) / (1 - 0.5 * x), "1 - xi for 1 + xi, right where xi is zero", examples=[((),)], domain=[(-5, 1.9)])


def interval_censored(mu, log_s, lo=-0.5, hi=0.8):
    s = np.exp(log_s)
    return np.log(special.ndtr((hi - mu) / s) - special.ndtr((lo - mu) / s))


def pdf(z):
    return np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


def interval_score(mu, log_s, lo=-0.5, hi=0.8):
    s = np.exp(log_s)
    a, b = (lo - mu) / s, (hi - mu) / s
    m = special.ndtr(b) - special.ndtr(a)
    return (pdf(a) - pdf(b)) / (s * m), (a * pdf(a) - b * pdf(b)) / m


pair("interval censoring: log scale", "algebra", interval_censored, interval_score, lambda mu, log_s: (interval_score(mu, log_s)[0], interval_score(mu, log_s)[1] * np.exp(-log_s)), "the score of the scale for that of its logarithm: right for scale one", examples=[((), ())], domain=[(-1, 1), (-1, 1)])


def beta_binomial(a, b, k=2, n=5):
    return special.betaln(k + a, n - k + b) - special.betaln(a, b)


def beta_binomial_score(a, b, k=2, n=5):
    d = special.digamma(a + b) - special.digamma(n + a + b)
    return special.digamma(k + a) - special.digamma(a) + d, special.digamma(n - k + b) - special.digamma(b) + d


def beta_binomial_sums(a, b, k=2, n=5):
    j = np.arange(n)
    d = -np.sum(1 / (a + b + j))
    return np.sum(1 / (a + j[:k])) + d, np.sum(1 / (b + j[: n - k])) + d


pair("beta-binomial: sums of reciprocals", "algebra", beta_binomial, beta_binomial_sums, lambda a, b: (beta_binomial_sums(a, b)[0], np.sum(1 / (b + np.arange(1, 4))) - np.sum(1 / (a + b + np.arange(5)))), "the sum of the failures begins at one", examples=[((), ())], domain=[(0.1, 10), (0.1, 10)])
def beta_binomial_logs(a, b, k=2, n=5):
    j = np.arange(n)
    return np.sum(np.log(a + j[:k])) + np.sum(np.log(b + j[: n - k])) - np.sum(np.log(a + b + j))


pair("beta-binomial: digammas that cancel", "floats", beta_binomial_logs, beta_binomial_sums, beta_binomial_score, "digamma(a + 2) - digamma(a) for large a has few digits, or none", examples=[((), ())], domain=[(1e3, 1e15), (1e3, 1e15)])


def wrapped_cauchy(theta, rho):
    return np.log1p(-rho * rho) - np.log1p(rho * rho - 2 * rho * np.cos(theta))


def wrapped_cauchy_score(theta, rho):
    d = 1 + rho * rho - 2 * rho * np.cos(theta)
    return -2 * rho * np.sin(theta) / d, -2 * rho / (1 - rho * rho) - 2 * (rho - np.cos(theta)) / d


pair("wrapped cauchy: concentration", "algebra", wrapped_cauchy, wrapped_cauchy_score, lambda theta, rho: (wrapped_cauchy_score(theta, rho)[0], -2 * rho / (1 - rho) - 2 * (rho - np.cos(theta)) / (1 + rho * rho - 2 * rho * np.cos(theta))), "1 - rho for 1 - rho^2", examples=[((), ())], domain=[(-3, 3), (0, 0.9)])


def folded_normal(x, mu):
    return np.sum(-0.5 * (x * x + mu * mu) + np.logaddexp(x * mu, -x * mu))


pair("folded normal: at its fold", "cells", folded_normal, lambda x, mu: (-x + mu * np.tanh(x * mu), np.sum(-mu + x * np.tanh(x * mu))), lambda x, mu: (-x + mu * np.sign(x * mu) * np.where(np.abs(x * mu) > 20, 1, np.tanh(np.abs(x * mu))), np.sum(-mu + x * np.where(np.abs(mu) < 1e-8, 0, np.tanh(x * np.abs(mu))))), "the sign of the location is lost", examples=[((3,), ())])


def skellam(m1, m2, k=1):
    """Difference of two Poisson counts, by scaled Bessel functions."""
    s = 2 * np.sqrt(m1 * m2)
    return s - m1 - m2 + 0.5 * k * np.log(m1 / m2) + np.log(special.ive(k, s))


def skellam_score(m1, m2, k=1):
    s = 2 * np.sqrt(m1 * m2)
    r = 0.5 * (special.ive(k - 1, s) + special.ive(k + 1, s)) / special.ive(k, s)
    return -1 + 0.5 * k / m1 + r * np.sqrt(m2 / m1), -1 - 0.5 * k / m2 + r * np.sqrt(m1 / m2)


def skellam_score_scaled(m1, m2, k=1):
    s = 2 * np.sqrt(m1 * m2)
    r = special.ive(k - 1, s) / special.ive(k, s)
    return -1 + 0.5 * k / m1 + r * np.sqrt(m2 / m1), -1 - 0.5 * k / m2 + r * np.sqrt(m1 / m2)


pair("skellam: ratio of bessel functions", "algebra", skellam, skellam_score, skellam_score_scaled, "the ratio of neighbours alone, without k/s", examples=[((), ())], domain=[(0.2, 5), (0.2, 5)])


def rice(x, nu):
    return np.sum(np.log(x) - 0.5 * (x - nu) ** 2 + np.log(special.i0e(x * nu)))


pair("rice: scaled bessel twice", "algebra", rice, lambda x, nu: (1 / x - (x - nu) + nu * (special.i1e(x * nu) / special.i0e(x * nu) - 1), np.sum(x - nu + x * (special.i1e(x * nu) / special.i0e(x * nu) - 1))), lambda x, nu: (1 / x - (x - nu) + nu * (special.i1e(x * nu) / special.i0e(x * nu) - 1), np.sum(x - nu + x * special.i1e(x * nu) / special.i0e(x * nu))), "the derivative of i0e is i1e - i0e for positive arguments", examples=[((2,), ())], domain=[(0.1, 5), (0.1, 5)])


def inverse_gaussian(x, mu, lam):
    return np.sum(0.5 * np.log(lam / x**3) - lam * (x - mu) ** 2 / (2 * mu**2 * x))


pair("inverse gaussian: mean", "algebra", inverse_gaussian, lambda x, mu, lam: (-1.5 / x - lam * (x * x - mu * mu) / (2 * mu**2 * x**2), np.sum(lam * (x - mu) / mu**3), np.sum(0.5 / lam - (x - mu) ** 2 / (2 * mu**2 * x))), lambda x, mu, lam: (-1.5 / x - lam * (x * x - mu * mu) / (2 * mu**2 * x**2), np.sum(lam * (x - mu) / mu**2), np.sum(0.5 / lam - (x - mu) ** 2 / (2 * mu**2 * x))), "one power of the mean is missing", examples=[((2,), (), ())], domain=[(0.2, 4), (0.5, 3), (0.5, 3)])


def wishart(v, s=((2.0, 0.3), (0.3, 1.0)), dof=4.0):
    """Wishart log density in the scale matrix."""
    return -0.5 * dof * np.linalg.slogdet(v)[1] - 0.5 * np.trace(np.linalg.solve(v, np.array(s)))


def wishart_grad(v, s=((2.0, 0.3), (0.3, 1.0)), dof=4.0):
    p = np.linalg.inv(v)
    return -0.5 * dof * p + 0.5 * p @ np.array(s) @ p


def spd(rng, shape):
    a = rng.normal(size=shape)
    return a @ a.T + np.eye(shape[0])


pair("wishart: degrees of freedom", "algebra", wishart, wishart_grad, lambda v: -0.5 * 3.0 * np.linalg.inv(v) + 0.5 * np.linalg.inv(v) @ np.array([[2.0, 0.3], [0.3, 1.0]]) @ np.linalg.inv(v), "n - 1 degrees of freedom", examples=[((2, 2),)], domain=[spd])


def gumbel_softmax(logits, tau, noise=(0.3, -0.2, 1.1)):
    return special.softmax((logits + np.array(noise)) / tau)


def gumbel_softmax_vjp(logits, tau, grad_output):
    z = logits + np.array([0.3, -0.2, 1.1])
    y = special.softmax(z / tau)
    g = y * (grad_output - y @ grad_output)
    return g / tau, -(g @ z) / tau**2


pair("relaxed categories: temperature", "algebra", gumbel_softmax, gumbel_softmax_vjp, lambda x, tau, grad_output: (gumbel_softmax_vjp(x, tau, grad_output)[0], -(gumbel_softmax_vjp(x, tau, grad_output)[0] @ x) / tau), "the noise is scaled by the temperature too", how="vjp", examples=[((3,), ())], domain=[None, (0.3, 3)])


def plackett(log_w, order=(2, 0, 1)):
    """Plackett-Luce log-likelihood of a ranking, from the last place up."""
    total = -np.inf
    out = 0.0
    for i in reversed(order):
        total = np.logaddexp(total, log_w[i])
        out += log_w[i] - total
    return out


def plackett_grad(log_w, order=(2, 0, 1)):
    g = np.ones(len(log_w))
    for k in range(len(order)):
        rest = list(order[k:])
        g[rest] -= special.softmax(log_w[rest])
    return g


pair("plackett-luce: last place", "algebra", plackett, plackett_grad, lambda w: plackett_grad(w) + np.array([0.0, 1.0, 0.0]) * (special.softmax(w)[1] - special.softmax(w[[0, 1]])[1]), "the last place does not take part in the first choice's sum", examples=[((3,),)])


def kumaraswamy(x, a, b):
    return np.log(a * b) + (a - 1) * np.log(x) + (b - 1) * np.log1p(-(x**a))


def kumaraswamy_score(x, a, b):
    xa = x**a
    return (a - 1) / x - (b - 1) * a * x ** (a - 1) / (1 - xa), 1 / a + np.log(x) - (b - 1) * xa * np.log(x) / (1 - xa), 1 / b + np.log1p(-xa)


right("kumaraswamy density", "floats", kumaraswamy, "three parameters, powers and logarithms of one minus them", grad=kumaraswamy_score, examples=[((), (), ())], domain=[(0.05, 0.95), (0.3, 4), (0.3, 4)])


def pareto(x, log_alpha, xm=0.5):
    a = np.exp(log_alpha)
    return np.sum(np.where(x >= xm, log_alpha + a * np.log(xm) - (a + 1) * np.log(np.maximum(x, xm)), 0.0))


pair("pareto: below the threshold", "cells", pareto, lambda x, la: (np.where(x >= 0.5, -(np.exp(la) + 1) / np.maximum(x, 0.5), 0), np.sum(np.where(x >= 0.5, 1 + np.exp(la) * (np.log(0.5) - np.log(np.maximum(x, 0.5))), 0))), lambda x, la: (np.where(x >= 0.5, -(np.exp(la) + 1) / np.maximum(x, 0.5), 0), np.sum(1 + np.exp(la) * (np.log(0.5) - np.log(np.maximum(x, 0.5))))), "observations below the threshold count in the exponent's score", examples=[((3,), ())])


def laplace_mixture(x, w):
    """Mixture of two Laplace densities with a logit weight."""
    a = special.log_expit(w) - np.abs(x - 1) - math.log(2)
    b = special.log_expit(-w) - np.abs(x + 1) / 2 - math.log(4)
    return np.sum(np.logaddexp(a, b))


def laplace_mixture_grad(x, w):
    a = special.log_expit(w) - np.abs(x - 1) - math.log(2)
    b = special.log_expit(-w) - np.abs(x + 1) / 2 - math.log(4)
    r = special.expit(a - b)
    return -r * np.sign(x - 1) - (1 - r) * np.sign(x + 1) / 2, np.sum(r - special.expit(w))


right("mixture of laplace densities", "cells", laplace_mixture, "responsibilities by one logistic, two kinks", grad=laplace_mixture_grad, examples=[((2,), ())])


def dirichlet_entropy(a):
    s, k = a.sum(), len(a)
    return np.sum(special.gammaln(a)) - special.gammaln(s) + (s - k) * special.digamma(s) - np.sum((a - 1) * special.digamma(a))


pair("dirichlet entropy: size", "algebra", dirichlet_entropy, lambda a: (a.sum() - len(a)) * special.polygamma(1, a.sum()) - (a - 1) * special.polygamma(1, a), lambda a: (a.sum() - 1) * special.polygamma(1, a.sum()) - (a - 1) * special.polygamma(1, a), "one for the number of categories", examples=[((3,),), ((2,),)], domain=[(0.3, 8)])


def log_gamma_ratio(x, d=0.5):
    """log of Gamma(x + d) / Gamma(x), by scipy's poch."""
    return np.sum(np.log(special.poch(x, d)))


right("ratio of gamma functions", "floats", log_gamma_ratio, "a difference of two digammas of neighbours, honest at moderate size", grad=lambda x: special.digamma(x + 0.5) - special.digamma(x), examples=[((2,),)], domain=[(0.5, 20)])


def student_mixture_scale(x, log_s, nu=3.0):
    s = np.exp(log_s)
    return -np.sum(0.5 * (nu + 1) * np.log1p((x / s) ** 2 / nu)) - len(x) * log_s


right("student scale by shares", "algebra", student_mixture_scale, "the score of the scale as a sum of weights that lie in [0, 1]", grad=lambda x, ls: (-4.0 * x / (3 * np.exp(2 * ls) + x * x), np.sum(4 * x * x / (3 * np.exp(2 * ls) + x * x) - 1)), examples=[((3,), ())], domain=[None, (-3, 3)])


def ordinal_probit(eta, cuts):
    """Three ordered levels, one observation of each, cut points as increments."""
    c0, c1 = cuts[0], cuts[0] + np.exp(cuts[1])
    p = special.ndtr
    return np.log(p(c0 - eta[0])) + np.log(p(c1 - eta[1]) - p(c0 - eta[1])) + np.log(1 - p(c1 - eta[2]))


def ordinal_probit_grad(eta, cuts):
    w = np.exp(cuts[1])
    c0, c1 = cuts[0], cuts[0] + w
    z0, z1l, z1h, z2 = c0 - eta[0], c0 - eta[1], c1 - eta[1], c1 - eta[2]
    m = special.ndtr(z1h) - special.ndtr(z1l)
    a, b, h, t = pdf(z0) / special.ndtr(z0), pdf(z1l) / m, pdf(z1h) / m, pdf(z2) / special.ndtr(-z2)
    return np.array([-a, b - h, t]), np.array([a + h - b - t, w * (h - t)])


right("ordered probit", "algebra", ordinal_probit, "one level of each kind, increments by exponentials", grad=ordinal_probit_grad, examples=[((3,), (2,))], domain=[(-1, 1), (-1, 1)])
