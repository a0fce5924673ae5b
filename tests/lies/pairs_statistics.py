"""Log-likelihoods and recursions of statistics beside scores written by hand."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special
from scipy.special import digamma, expit, gammaln

from .case import Case, trap

INF = math.inf
DATA = np.array([0.3, -1.2, 2.0, 0.7])
COUNTS = np.array([0, 3, 1, 5])
POSITIVE = np.array([0.4, 1.1, 2.5])


def normal(mu, log_sigma):
    z = (DATA - mu) * np.exp(-log_sigma)
    return -0.5 * np.sum(z**2) - len(DATA) * (log_sigma + 0.9189385332046727)


def normal_score(mu, log_sigma):
    z = (DATA - mu) * np.exp(-log_sigma)
    return np.sum(z) * np.exp(-log_sigma), np.sum(z**2) - len(DATA)


def normal_score_sigma(mu, log_sigma):
    z = (DATA - mu) * np.exp(-log_sigma)
    return np.sum(z) * np.exp(-log_sigma), (np.sum(z**2) - len(DATA)) * np.exp(-log_sigma)


def normal_score_once(mu, log_sigma):
    z = (DATA - mu) * np.exp(-log_sigma)
    return np.sum(z), np.sum(z**2) - len(DATA)


def student_t(mu, sigma, nu):
    z = (DATA - mu) / sigma
    return (len(DATA) * (gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(sigma))
            - (nu + 1) / 2 * np.sum(np.log1p(z**2 / nu)))  # fmt: skip


def student_t_score(mu, sigma, nu):
    z = (DATA - mu) / sigma
    w = (nu + 1) / (nu + z**2)
    d_nu = 0.5 * (len(DATA) * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu)
                  - np.sum(np.log1p(z**2 / nu)) + np.sum(w * z**2) / nu)  # fmt: skip
    return np.sum(w * z) / sigma, (np.sum(w * z**2) - len(DATA)) / sigma, d_nu


def student_t_score_half(mu, sigma, nu):
    z = (DATA - mu) / sigma
    w = (nu + 1) / (nu + z**2)
    d_nu = (0.5 * len(DATA) * (digamma((nu + 1) / 2) - digamma(nu / 2) - 1 / nu)
            - 0.5 * np.sum(np.log1p(z**2 / nu)) + np.sum(w * z**2) / nu)  # fmt: skip
    return np.sum(w * z) / sigma, (np.sum(w * z**2) - len(DATA)) / sigma, d_nu


def beta_loglike(a, b, *, x):
    return np.sum((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - special.betaln(a, b))


def beta_score(a, b, *, x):
    both = digamma(a + b)
    return np.sum(np.log(x)) + x.size * (both - digamma(a)), np.sum(np.log1p(-x)) + x.size * (
        both - digamma(b)
    )


def beta_score_one(a, b, *, x):
    both = digamma(a + b)  # one observation's worth
    return np.sum(np.log(x)) + both - digamma(a), np.sum(np.log1p(-x)) + both - digamma(b)


def gamma_loglike(k, theta):
    return np.sum((k - 1) * np.log(POSITIVE) - POSITIVE / theta - k * np.log(theta) - gammaln(k))


def gamma_score(k, theta):
    return np.sum(np.log(POSITIVE) - np.log(theta) - digamma(k)), np.sum(
        POSITIVE / theta - k
    ) / theta


def gamma_score_rate(k, theta):
    return np.sum(np.log(POSITIVE) - np.log(theta) - digamma(k)), np.sum(k / theta - POSITIVE)


def negative_binomial(mu, alpha):
    r = 1 / alpha
    return np.sum(
        gammaln(COUNTS + r)
        - gammaln(r)
        - (COUNTS + r) * np.log1p(alpha * mu)
        + COUNTS * np.log(alpha * mu)
    )


def negative_binomial_score(mu, alpha):
    r = 1 / alpha
    d_mu = np.sum((COUNTS - mu) / (mu * (1 + alpha * mu)))
    d_alpha = r**2 * np.sum(np.log1p(alpha * mu) - digamma(COUNTS + r) + digamma(r)) + r * np.sum(
        (COUNTS - mu) / (1 + alpha * mu)
    )
    return d_mu, d_alpha


def negative_binomial_score_chain(mu, alpha):
    r = 1 / alpha
    d_mu = np.sum((COUNTS - mu) / (mu * (1 + alpha * mu)))
    d_alpha = r * np.sum(np.log1p(alpha * mu) - digamma(COUNTS + r) + digamma(r)) + r * np.sum(
        (COUNTS - mu) / (1 + alpha * mu)
    )
    return d_mu, d_alpha


def von_mises(mu, kappa):
    return np.sum(kappa * np.cos(DATA - mu)) - len(DATA) * (
        np.log(2 * np.pi * special.i0e(kappa)) + kappa
    )


def von_mises_score(mu, kappa):
    ratio = special.i1e(kappa) / special.i0e(kappa)
    return kappa * np.sum(np.sin(DATA - mu)), np.sum(np.cos(DATA - mu)) - len(DATA) * ratio


def von_mises_score_overflows(mu, kappa):
    ratio = special.i1(kappa) / special.i0(kappa)
    return kappa * np.sum(np.sin(DATA - mu)), np.sum(np.cos(DATA - mu)) - len(DATA) * ratio


X = np.array([[1.0, 0.5], [1.0, -1.5], [1.0, 2.0]])
Y = np.array([1.0, 0.0, 1.0])


def logistic(w):
    return np.sum(np.logaddexp(0, X @ w) - Y * (X @ w)) + 0.5 * np.sum(w[1:] ** 2)


def logistic_grad(w):
    g = X.T @ (expit(X @ w) - Y)
    g[1:] += w[1:]
    return g


def logistic_grad_intercept(w):
    return X.T @ (expit(X @ w) - Y) + w  # penalises the intercept too


def probit(w):
    return -np.sum(special.log_ndtr((2 * Y - 1) * (X @ w)))


def probit_grad(w):
    s = 2 * Y - 1
    q = s * (X @ w)
    mills = np.exp(-0.5 * q**2 - 0.5 * math.log(2 * math.pi) - special.log_ndtr(q))
    return -X.T @ (s * mills)


def probit_grad_underflows(w):
    s = 2 * Y - 1
    q = s * (X @ w)
    return -X.T @ (s * np.exp(-0.5 * q**2) / math.sqrt(2 * math.pi) / special.ndtr(q))


def ordinal(eta, cuts, *, level):
    """Minus log-probability that a latent logistic variable falls between two cuts."""
    upper = expit(cuts[level] - eta) if level < len(cuts) else 1.0
    lower = expit(cuts[level - 1] - eta) if level > 0 else 0.0
    return -np.log(upper - lower)


def ordinal_grad(eta, cuts, *, level):
    d_cuts = np.zeros(len(cuts))
    upper, lower = 1.0, 0.0
    if level < len(cuts):
        upper = expit(cuts[level] - eta)
        d_cuts[level] = upper * (1 - upper)
    if level > 0:
        lower = expit(cuts[level - 1] - eta)
        d_cuts[level - 1] = -lower * (1 - lower)
    d_cuts = -d_cuts / (upper - lower)
    return -d_cuts.sum(), d_cuts


def ordinal_grad_top(eta, cuts, *, level):
    if level == len(cuts):  # index -1 is the last cut, and it is the lower one
        d_cuts = np.zeros(len(cuts))
        d_cuts[-1] = -expit(cuts[-1] - eta)
        return -d_cuts.sum(), d_cuts
    return ordinal_grad(eta, cuts, level=level)


TIMES = np.array([2.0, 1.0, 2.0, 3.0])
EVENTS = np.array([True, True, True, False])


def cox(beta, *, z):
    """Minus Breslow's partial likelihood; subjects 0 and 2 die at the same time."""
    eta = z * beta
    return sum(
        special.logsumexp(eta[t <= TIMES]) - e
        for t, e, died in zip(TIMES, eta, EVENTS, strict=True)
        if died
    )


def cox_score(beta, *, z):
    eta, total = z * beta, 0.0
    for i in np.flatnonzero(EVENTS):
        risk = TIMES >= TIMES[i]
        total += special.softmax(eta[risk]) @ z[risk] - z[i]
    return total


def cox_score_ties(beta, *, z):
    eta, total = z * beta, 0.0
    order = np.argsort(TIMES, kind="stable")
    for k, i in enumerate(order):
        if EVENTS[i]:
            risk = order[k:]  # a tied subject has left the risk set already
            total += special.softmax(eta[risk]) @ z[risk] - z[i]
    return total


def mixture(logits, mu):
    lp = special.log_softmax(logits)[:, None] - 0.5 * (DATA[None, :] - mu[:, None]) ** 2
    return special.logsumexp(lp, axis=0).sum()


def responsibilities(logits, mu):
    return special.softmax(
        special.log_softmax(logits)[:, None] - 0.5 * (DATA - mu[:, None]) ** 2, axis=0
    )


def mixture_score(logits, mu):
    r = responsibilities(logits, mu)
    return r.sum(axis=1) - len(DATA) * special.softmax(logits), np.sum(
        r * (DATA - mu[:, None]), axis=1
    )


def mixture_score_weights(logits, mu):
    r = responsibilities(logits, mu)
    return r.sum(axis=1) - special.softmax(logits), np.sum(r * (DATA - mu[:, None]), axis=1)


def zip_loglike(logit, log_rate):
    lam = np.exp(log_rate)
    zero = np.logaddexp(logit, -lam)
    return np.sum(np.where(COUNTS == 0, zero, COUNTS * log_rate - lam)) - len(
        COUNTS
    ) * np.logaddexp(0, logit)


def zip_score(logit, log_rate):
    lam = np.exp(log_rate)
    p0 = expit(logit + lam)  # an excess zero, given a zero
    zeros = np.count_nonzero(COUNTS == 0)
    return (zeros * p0 - len(COUNTS) * expit(logit),
            -zeros * lam * expit(-logit - lam) + np.sum(COUNTS[COUNTS > 0] - lam))  # fmt: skip


def zip_score_zeros(logit, log_rate):
    lam = np.exp(log_rate)
    zeros = np.count_nonzero(COUNTS == 0)
    return zeros * expit(logit + lam) - len(COUNTS) * expit(logit), np.sum(COUNTS - lam)


def clayton(u, v, theta):
    s = u**-theta + v**-theta - 1
    return np.log1p(theta) - (theta + 1) * (np.log(u) + np.log(v)) - (2 + 1 / theta) * np.log(s)


def clayton_score(u, v, theta):
    a, b = u**-theta, v**-theta
    s, c = a + b - 1, 2 + 1 / theta
    d_theta = (
        1 / (1 + theta)
        - np.log(u)
        - np.log(v)
        + np.log(s) / theta**2
        + c * (a * np.log(u) + b * np.log(v)) / s
    )
    return (
        -(theta + 1) / u + c * theta * a / (u * s),
        -(theta + 1) / v + c * theta * b / (v * s),
        d_theta,
    )


def clayton_score_exponent(u, v, theta):
    du, dv, d_theta = clayton_score(u, v, theta)
    s = u**-theta + v**-theta - 1
    return du, dv, d_theta - np.log(s) / theta**2  # the exponent depends on theta too


SCALAR2 = [(0.5, 0.25)]
OPEN = {"a": (0.05, 50), "b": (0.05, 50)}
T_OPTIONS = {
    "grad": student_t_score,
    "examples": [(0.5, 1.5, 4.0)],
    "domain": {"mu": (-9, 9), "sigma": (0.1, 9), "nu": (0.5, 60)},
}
NORMAL = {
    "grad": normal_score,
    "examples": SCALAR2,
    "domain": {"mu": (-50, 50), "log_sigma": (-5, 5)},
}
MIX = {
    "grad": mixture_score,
    "examples": [((2,), (2,)), ((3,), (3,))],
    "domain": {"mu": (-9, 9), "logits": (-9, 9)},
}
COX = {
    "grad": cox_score,
    "examples": [(0.4, {"z": np.array([1.0, 0.0, 2.0, 0.5])})],
    "domain": {"beta": (-5, 5)},
}
LEVELS = {
    "examples": [(0.2, np.array([-1.0, 1.0]), {"level": k}) for k in (0, 2)],
    "domain": {"eta": (-9, 9), "cuts": (-3, 3)},
}

# fmt: off
CASES = [
    Case("pair-normal-log-sigma", "algebra", normal, normal, NORMAL, {"grad": normal_score_sigma}, why="the derivative by sigma for the one by log sigma; right at sigma 1"),
    Case("pair-normal-one-sigma", "algebra", normal, normal, NORMAL, {"grad": normal_score_once}, why="1/sigma is missing in the mean's score"),
    Case("pair-student-t-dof", "algebra", student_t, student_t, T_OPTIONS, {"grad": student_t_score_half}, why="a half is missing in one term of the score by nu"),
    Case("pair-beta-one", "algebra", beta_loglike, beta_loglike, {"grad": beta_score, "examples": [(2.0, 3.0, {"x": np.array([0.2])}), (2.0, 3.0, {"x": np.array([0.2, 0.7])})], "domain": OPEN}, {"grad": beta_score_one}, why="the normaliser counts once: right for one observation"),
    Case("pair-gamma-rate", "algebra", gamma_loglike, gamma_loglike, {"grad": gamma_score, "examples": [(2.0, 0.5)], "domain": {"k": (0.05, 50), "theta": (0.05, 50)}}, {"grad": gamma_score_rate}, why="the score by the rate, with the sign of one by the scale"),
    Case("pair-negative-binomial", "algebra", negative_binomial, negative_binomial, {"grad": negative_binomial_score, "examples": [(2.0, 0.5)], "domain": {"mu": (0.1, 20), "alpha": (0.05, 5)}}, {"grad": negative_binomial_score_chain}, why="1/alpha for 1/alpha^2 in the chain rule; right at alpha 1"),
    Case("pair-von-mises", "floats", von_mises, von_mises, {"grad": von_mises_score, "examples": [(0.3, 2.0)], "domain": {"mu": (-4, 4), "kappa": (0.01, 2000)}}, {"grad": von_mises_score_overflows}, why="inf/inf for concentrations above 713"),
    Case("pair-logistic-intercept", "algebra", logistic, logistic, {"grad": logistic_grad, "examples": [((2,),)]}, {"grad": logistic_grad_intercept}, why="the penalty reaches the intercept; right where it is 0"),
    Case("pair-probit-tail", "floats", probit, probit, {"grad": probit_grad, "examples": [((2,),)], "domain": {"w": (-100, 100)}}, {"grad": probit_grad_underflows}, why="0/0 in the far tail"),
    Case("pair-ordinal-top", "cells", ordinal, ordinal, {"grad": ordinal_grad, **LEVELS}, {"grad": ordinal_grad_top}, why="the sign of the last level's cut is turned"),
    Case("pair-cox-ties", "cells", cox, cox, COX, {"grad": cox_score_ties}, why="a subject that dies at the same time leaves the risk set"),
    Case("pair-mixture-weights", "algebra", mixture, mixture, MIX, {"grad": mixture_score_weights}, why="the normaliser of the weights counts once, not for each datum"),
    Case("pair-zero-inflated", "algebra", zip_loglike, zip_loglike, {"grad": zip_score, "examples": SCALAR2, "domain": [(-9, 9), (-5, 5)]}, {"grad": zip_score_zeros}, why="zeros contribute as if they were no excess"),
    Case("pair-clayton-exponent", "algebra", clayton, clayton, {"grad": clayton_score, "examples": [(0.3, 0.6, 2.0)], "domain": [(0.05, 1), (0.05, 1), (0.2, 8)]}, {"grad": clayton_score_exponent}, why="the exponent 1/theta is taken as constant"),
    trap("pair-normal-minus-half", "algebra", normal, "the closed-over data are centred first: the same score", grad=lambda mu, log_sigma: ((DATA.mean() - mu) * len(DATA) / math.exp(2 * log_sigma), ((DATA - mu) ** 2).sum() / math.exp(2 * log_sigma) - len(DATA)), examples=SCALAR2, domain=NORMAL["domain"]),
    trap("pair-ordinal-middle", "algebra", ordinal, "the middle level, in a form without the probabilities' difference", grad=lambda eta, cuts, *, level: (lambda a, b, c: (1 - a - b, np.array([b + 1 / c, a - 1 - 1 / c])))(expit(cuts[1] - eta), expit(cuts[0] - eta), np.expm1(cuts[1] - cuts[0])), examples=[(0.2, np.array([-1.0, 1.0]), {"level": 1})], domain=[(-4, 4), lambda rng, shape: np.array([-1.0, 1.0]) + rng.uniform(-0.5, 0.5, shape)]),
    trap("pair-mixture-loop", "algebra", mixture, "responsibilities summed datum by datum", grad=lambda logits, mu: (sum((special.softmax(special.log_softmax(logits) - (x - mu) ** 2 / 2) - special.softmax(logits) for x in DATA), start=np.zeros(len(mu))), sum((special.softmax(special.log_softmax(logits) - (x - mu) ** 2 / 2) * (x - mu) for x in DATA), start=np.zeros(len(mu)))), examples=MIX["examples"], domain=MIX["domain"]),
]
# fmt: on
