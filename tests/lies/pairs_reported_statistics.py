"""Likelihoods and scores that were reported wrong, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special

from .case import Case

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"reported-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


X = np.array([[1.0, 0.5], [1.0, -1.0], [1.0, 1.5], [1.0, 0.0]])
COUNTS = np.array([0.0, 2.0, 5.0, 1.0])
TIMES = np.array([1.5, 0.5, 2.0, 1.0])
EVENT = np.array([1.0, 1.0, 0.0, 1.0])


class Binomial:
    """The variance function of a binomial family of n trials."""

    def __init__(self, n=1):
        self.n = n

    def __call__(self, mu):
        p = mu / self.n
        return self.n * p * (1 - p)

    def deriv(self, mu):
        return 1 - 2 * mu / self.n

    def deriv_one(self, mu):
        return 1 - 2 * mu


pair("binomial variance: n", "algebra", Binomial(10), lambda mu, grad_output: grad_output * Binomial(10).deriv(mu), lambda mu, grad_output: grad_output * Binomial(10).deriv_one(mu), "right for one trial", "vjp", examples=[((2,),)], domain=[(0, 10)])


class NegativeBinomial:
    """NB2 regression; the last parameter is alpha, or its logarithm."""

    def __init__(self, transparams):
        self.transparams = transparams

    def loglike(self, params):
        alpha = np.exp(params[-1]) if self.transparams else params[-1]
        mu = np.exp(X @ params[:-1])
        size = 1 / alpha
        prob = size / (size + mu)
        return np.sum(special.gammaln(size + COUNTS) - special.gammaln(size) - special.gammaln(COUNTS + 1) + size * np.log(prob) + COUNTS * np.log1p(-prob))

    def score(self, params, fixed=True):
        alpha = np.exp(params[-1]) if self.transparams else params[-1]
        mu = np.exp(X @ params[:-1])
        size = 1 / alpha
        d_beta = X.T @ (size * (COUNTS - mu) / (size + mu))
        d_size = np.sum(special.digamma(size + COUNTS) - special.digamma(size) + np.log(size / (size + mu)) + 1 - (size + COUNTS) / (size + mu))
        score = np.append(d_beta, -d_size * size**2)
        if self.transparams:
            if fixed:
                score[-1] *= alpha
            else:
                score[-1] == score[-1] ** 2
        return score


pair("negative binomial: log of alpha", "algebra", NegativeBinomial(True).loglike, NegativeBinomial(True).score, lambda p: NegativeBinomial(True).score(p, fixed=False), "the chain factor is compared, not assigned", examples=[((3,),)], domain=[(-1.5, 1.5)])


def gamma_profile(beta):
    """The gamma family's log-likelihood with the scale estimated inside it."""
    mu = np.exp(X @ beta)
    scale = np.sum((TIMES - mu) ** 2 / mu**2) / (len(mu) - 2)
    return np.sum(-np.log(mu) - TIMES / mu) / scale


def gamma_profile_score(beta):
    mu = np.exp(X @ beta)
    r = TIMES / mu
    scale = np.sum((r - 1) ** 2) / (len(mu) - 2)
    total = np.sum(-np.log(mu) - r)
    d_scale = X.T @ (-2 * (r - 1) * r) / (len(mu) - 2)
    return X.T @ (r - 1) / scale - total * d_scale / scale**2


def gamma_profile_score_direct(beta):
    mu = np.exp(X @ beta)
    r = TIMES / mu
    return X.T @ (r - 1) / (np.sum((r - 1) ** 2) / (len(mu) - 2))


pair("gamma family: scale estimated inside", "algebra", gamma_profile, gamma_profile_score, gamma_profile_score_direct, "the scale depends on the means too", examples=[((2,),)], domain=[(-1, 1)])


def tobit(beta, log_sigma):
    """Normal regression, censored from below at zero."""
    y = np.array([0.0, 1.0, 2.0, 0.0])
    z = (y - X @ beta) / np.exp(log_sigma)
    return np.sum(np.where(y > 0, -0.5 * z**2 - log_sigma, special.log_ndtr(z)))


def tobit_score(beta, log_sigma):
    y = np.array([0.0, 1.0, 2.0, 0.0])
    s = np.exp(log_sigma)
    z = (y - X @ beta) / s
    mills = np.exp(-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - special.log_ndtr(z))
    d_z = np.where(y > 0, -z, mills)
    return X.T @ (-d_z / s), np.sum(-d_z * z) - np.sum(y > 0)


def tobit_score_censored(beta, log_sigma):
    d_beta, _ = tobit_score(beta, log_sigma)
    y = np.array([0.0, 1.0, 2.0, 0.0])
    z = (y - X @ beta) / np.exp(log_sigma)
    return d_beta, np.sum(np.where(y > 0, z**2 - 1, 0.0))


pair("tobit: scale of the censored", "algebra", tobit, tobit_score, tobit_score_censored, "censored observations say something about the scale as well", examples=[((2,), ())], domain={"beta": (-2, 2), "log_sigma": (-1, 1)})


def weibull(log_scale, log_shape):
    k = np.exp(log_shape)
    z = k * (np.log(TIMES) - log_scale)
    return np.sum(EVENT * (log_shape + z - np.log(TIMES)) - np.exp(z))


def weibull_score(log_scale, log_shape):
    k = np.exp(log_shape)
    z = k * (np.log(TIMES) - log_scale)
    return np.sum(k * (np.exp(z) - EVENT)), np.sum(EVENT * (1 + z) - z * np.exp(z))


def weibull_score_censored(log_scale, log_shape):
    k = np.exp(log_shape)
    z = k * (np.log(TIMES) - log_scale)
    return np.sum(k * (np.exp(z) - EVENT)), np.sum(1 + EVENT * z - z * np.exp(z))


pair("weibull: censored times", "algebra", weibull, weibull_score, weibull_score_censored, "the shape's own term is counted for censored times too", examples=[((), ())], domain={"log_scale": (-2, 2), "log_shape": (-1, 1)})


def efron(beta, z):
    """Minus the Cox log-likelihood with Efron's correction: the first two die together."""
    r = np.exp(z * beta)
    tied = r[0] + r[1]
    return -(z[0] + z[1]) * beta + np.log(r.sum()) + np.log(r.sum() - tied / 2) + np.log(r[2:].sum()) - z[2] * beta


def efron_score(beta, z):
    r = np.exp(z * beta)
    zr = z * r
    tied, ztied = r[0] + r[1], zr[0] + zr[1]
    return -(z[0] + z[1] + z[2]) + zr.sum() / r.sum() + (zr.sum() - ztied / 2) / (r.sum() - tied / 2) + zr[2:].sum() / r[2:].sum()


def efron_score_breslow(beta, z):
    r = np.exp(z * beta)
    zr = z * r
    tied, ztied = r[0] + r[1], zr[0] + zr[1]
    return -(z[0] + z[1] + z[2]) + zr.sum() / r.sum() + (zr.sum() - ztied) / (r.sum() - tied / 2) + zr[2:].sum() / r[2:].sum()


pair("cox: efron's correction", "algebra", efron, efron_score, efron_score_breslow, "the weight of the tied in the numerator", examples=[((), np.array([1.0, 0.5, 0.0, 2.0]))], domain={"beta": (-3, 3), "z": (-2, 2)})


def conditional_logit(beta, groups):
    """The chosen alternative is the first of each group."""
    eta = X @ beta
    total = 0.0
    for g in np.unique(groups):
        rows = np.flatnonzero(groups == g)
        total += eta[rows[0]] - special.logsumexp(eta[rows])
    return total


def conditional_logit_score(beta, groups):
    eta = X @ beta
    out = np.zeros_like(beta)
    for g in np.unique(groups):
        rows = np.flatnonzero(groups == g)
        out += X[rows[0]] - special.softmax(eta[rows]) @ X[rows]
    return out


def conditional_logit_score_slices(beta, groups):
    eta = X @ beta
    out = np.zeros_like(beta)
    _, starts, sizes = np.unique(groups, return_index=True, return_counts=True)
    for a, n in zip(starts, sizes, strict=True):  # the rows of a group are taken to be neighbours
        out += X[a] - special.softmax(eta[a : a + n]) @ X[a : a + n]
    return out


pair("conditional logit: groups unsorted", "algebra", conditional_logit, conditional_logit_score, conditional_logit_score_slices, "groups are slices only where the data are sorted by group", examples=[((2,), np.array([0, 0, 1, 1])), ((2,), np.array([1, 0, 1, 0]))], domain={"beta": (-3, 3), "groups": None})


def multinomial(params):
    """Three outcomes, the first the base; a column of coefficients for each other."""
    beta = params.reshape(2, -1, order="F")
    eta = np.column_stack([np.zeros(4), X @ beta])
    y = np.array([0, 1, 2, 1])
    return np.sum(eta[np.arange(4), y] - special.logsumexp(eta, axis=1))


def multinomial_score(params):
    beta = params.reshape(2, -1, order="F")
    eta = np.column_stack([np.zeros(4), X @ beta])
    y = np.array([0, 1, 2, 1])
    return (X.T @ (np.eye(3)[y] - special.softmax(eta, axis=1))[:, 1:]).ravel(order="F")


def multinomial_score_rows(params):
    beta = params.reshape(2, -1, order="F")
    eta = np.column_stack([np.zeros(4), X @ beta])
    y = np.array([0, 1, 2, 1])
    return (X.T @ (np.eye(3)[y] - special.softmax(eta, axis=1))[:, 1:]).flatten()


pair("multinomial logit: order of flattening", "algebra", multinomial, multinomial_score, multinomial_score_rows, "flattened by rows, though the parameters come by columns", examples=[((4,),)], domain=[(-3, 3)])


def ordered(eta, raw):
    """An ordered logit whose cuts are a first one and the logarithms of increments; the middle level."""
    cuts = np.cumsum(np.concatenate([raw[:1], np.exp(raw[1:])]))
    return np.log(special.expit(cuts[1] - eta) - special.expit(cuts[0] - eta)) + special.log_expit(eta - cuts[-1])


def ordered_score(eta, raw):
    cuts = np.cumsum(np.concatenate([raw[:1], np.exp(raw[1:])]))
    p, q = special.expit(cuts[1] - eta), special.expit(cuts[0] - eta)
    d_cuts = np.zeros(len(cuts))
    d_cuts[1] += p * (1 - p) / (p - q)
    d_cuts[0] -= q * (1 - q) / (p - q)
    d_cuts[-1] -= special.expit(cuts[-1] - eta)
    d_steps = np.cumsum(d_cuts[::-1])[::-1]
    return -d_cuts.sum(), np.concatenate([d_steps[:1], d_steps[1:] * np.exp(raw[1:])])


def ordered_score_steps(eta, raw):
    d_eta, d_raw = ordered_score(eta, raw)
    cuts = np.cumsum(np.concatenate([raw[:1], np.exp(raw[1:])]))
    d_raw = d_raw.copy()
    d_raw[-1] = -np.exp(raw[-1]) * special.expit(cuts[-1] - eta)  # what the last increment does to other cuts
    if len(raw) == 2:
        return d_eta, ordered_score(eta, raw)[1]
    d_raw[1] = ordered_score(eta, raw)[1][1] - d_raw[-1] / np.exp(raw[-1]) * np.exp(raw[1])
    return d_eta, d_raw


pair("ordered logit: increments", "algebra", ordered, ordered_score, ordered_score_steps, "with three cuts the first increment does not move the last cut", examples=[((), (2,)), ((), (3,))], domain={"eta": (-3, 3), "raw": (-1.5, 1.5)})


def beta_regression(b, log_phi):
    y = np.array([0.2, 0.5, 0.7, 0.9])
    mu, phi = special.expit(X @ b), np.exp(log_phi)
    return np.sum(special.gammaln(phi) - special.gammaln(mu * phi) - special.gammaln((1 - mu) * phi) + (mu * phi - 1) * np.log(y) + ((1 - mu) * phi - 1) * np.log1p(-y))


def beta_regression_score(b, log_phi):
    y = np.array([0.2, 0.5, 0.7, 0.9])
    mu, phi = special.expit(X @ b), np.exp(log_phi)
    ystar = np.log(y / (1 - y)) - special.digamma(mu * phi) + special.digamma((1 - mu) * phi)
    d_phi = mu * ystar + np.log1p(-y) - special.digamma((1 - mu) * phi) + special.digamma(phi)
    return X.T @ (phi * ystar * mu * (1 - mu)), phi * np.sum(d_phi)


def beta_regression_score_precision(b, log_phi):
    y = np.array([0.2, 0.5, 0.7, 0.9])
    mu, phi = special.expit(X @ b), np.exp(log_phi)
    ystar = np.log(y / (1 - y)) - special.digamma(mu * phi) + special.digamma((1 - mu) * phi)
    d_phi = (1 - mu) * ystar + np.log1p(-y) - special.digamma((1 - mu) * phi) + special.digamma(phi)
    return X.T @ (phi * ystar * mu * (1 - mu)), phi * np.sum(d_phi)


pair("beta regression: precision", "algebra", beta_regression, beta_regression_score, beta_regression_score_precision, "1 - mu for mu in the precision's score", examples=[((2,), ())], domain={"b": (-1.5, 1.5), "log_phi": (-1, 2)})


def skew_normal(x, alpha):
    return -0.5 * x**2 + special.log_ndtr(alpha * x)


def skew_normal_vjp(x, alpha, grad_output):
    t = alpha * x
    mills = np.exp(-0.5 * t**2 - 0.5 * math.log(2 * math.pi) - special.log_ndtr(t))
    return grad_output * (alpha * mills - x), grad_output * x * mills


def skew_normal_vjp_two(x, alpha, grad_output):
    t = alpha * x
    mills = np.exp(-0.5 * t**2) * 0.3989422804 / special.ndtr(t)
    return grad_output * (alpha * mills - x), grad_output * x * mills


pair("skew normal: constant and tail", "floats", skew_normal, skew_normal_vjp, skew_normal_vjp_two, "ten digits of 1/sqrt(2 pi), and 0/0 in the left tail", "vjp", examples=[((), ()), ((2,), (2,))], domain={"x": (-9, 9), "alpha": (-9, 9)})


def arma(phi, theta):
    """Conditional sum of squares of an ARMA(1, 1)."""
    y = np.array([0.5, -1.0, 0.25, 1.5])
    e, total = y[0], 0.0
    for t in range(1, len(y)):
        e = y[t] - phi * y[t - 1] - theta * e
        total = total + e**2
    return total


def arma_grad(phi, theta):
    y = np.array([0.5, -1.0, 0.25, 1.5])
    e, d_phi, d_theta = y[0], 0.0, 0.0
    g = np.zeros(2)
    for t in range(1, len(y)):
        d_phi, d_theta = -y[t - 1] - theta * d_phi, -e - theta * d_theta
        e = y[t] - phi * y[t - 1] - theta * e
        g = g + 2 * e * np.array([d_phi, d_theta])
    return g[0], g[1]


def arma_grad_order(phi, theta):
    y = np.array([0.5, -1.0, 0.25, 1.5])
    e, d_phi, d_theta = y[0], 0.0, 0.0
    g = np.zeros(2)
    for t in range(1, len(y)):
        e_old, e = e, y[t] - phi * y[t - 1] - theta * e
        d_phi = -y[t - 1] - theta * d_phi
        d_theta = -e_old - theta * d_theta if t == 1 else -e - theta * d_theta
        g = g + 2 * e * np.array([d_phi, d_theta])
    return g[0], g[1]


pair("arma: residual already updated", "algebra", arma, arma_grad, arma_grad_order, "after the first step the new residual stands for the one before it", examples=[((), ())], domain={"phi": (-0.9, 0.9), "theta": (-0.9, 0.9)})


def local_level(log_q, log_r):
    """Kalman filter of a random walk in noise; minus twice the log-likelihood."""
    q, r = np.exp(log_q), np.exp(log_r)
    a, p, total = 0.0, 1.0, 0.0
    for y in (0.5, 1.0, -0.5):
        p = p + q
        s = p + r
        v = y - a
        total = total + np.log(s) + v**2 / s
        a, p = a + p / s * v, p * r / s
    return total


def local_level_grad(log_q, log_r, follow_gain=True):
    q, r = np.exp(log_q), np.exp(log_r)
    out = []
    for dq, dr in ((q, 0.0), (0.0, r)):
        a, p, da, dp, g = 0.0, 1.0, 0.0, 0.0, 0.0
        for y in (0.5, 1.0, -0.5):
            p, dp = p + q, dp + dq
            s, ds = p + r, dp + dr
            v, dv = y - a, -da
            g = g + ds / s + 2 * v * dv / s - v**2 * ds / s**2
            k = p / s
            dk = (dp * s - p * ds) / s**2
            a, da = a + k * v, da + k * dv + (dk * v if follow_gain else 0.0)
            p, dp = p * r / s, (dp * r + p * dr) / s - p * r * ds / s**2
        out.append(g)
    return tuple(out)


pair("kalman filter: gain", "algebra", local_level, local_level_grad, lambda log_q, log_r: local_level_grad(log_q, log_r, follow_gain=False), "the gain is taken for a constant in the state's derivative", examples=[((), ())], domain={"log_q": (-2, 2), "log_r": (-2, 2)})


def dirichlet_multinomial(alpha, counts):
    n, a = counts.sum(), alpha.sum()
    return special.gammaln(a) - special.gammaln(n + a) + np.sum(special.gammaln(counts + alpha) - special.gammaln(alpha))


def dirichlet_multinomial_score(alpha, counts):
    n, a = counts.sum(), alpha.sum()
    return special.digamma(a) - special.digamma(n + a) + special.digamma(counts + alpha) - special.digamma(alpha)


def dirichlet_multinomial_score_seen(alpha, counts):
    g = dirichlet_multinomial_score(alpha, counts)
    return np.where(counts > 0, g, 0.0)


pair("dirichlet multinomial: counts of zero", "algebra", dirichlet_multinomial, dirichlet_multinomial_score, dirichlet_multinomial_score_seen, "a category that was not seen keeps the terms of the total", examples=[((2,), np.array([1.0, 3.0])), ((3,), np.array([2.0, 0.0, 1.0]))], domain={"alpha": (0.1, 9), "counts": lambda rng, shape: rng.integers(0, 4, shape).astype(float)})


def hawkes(mu, a, b):
    """Log-likelihood of a self-exciting process with an exponential kernel, observed up to 3."""
    t = [0.5, 1.0, 2.25]
    r, total = 0.0, -mu * 3.0
    for i in range(3):
        r = np.exp(-b * (t[i] - t[i - 1])) * (1 + r) if i else 0.0
        total = total + np.log(mu + a * r) - a / b * (1 - np.exp(-b * (3.0 - t[i])))
    return total


def hawkes_grad(mu, a, b, recursive=True):
    t = [0.5, 1.0, 2.25]
    r, dr = 0.0, 0.0
    g = [-3.0, 0.0, 0.0]
    for i in range(3):
        if i:
            dt = t[i] - t[i - 1]
            w = np.exp(-b * dt)
            dr = -dt * w * (1 + r) + (w * dr if recursive else 0.0)
            r = w * (1 + r)
        rate, tail = mu + a * r, np.exp(-b * (3.0 - t[i]))
        g[0] = g[0] + 1 / rate
        g[1] = g[1] + r / rate - (1 - tail) / b
        g[2] = g[2] + a * dr / rate + a / b**2 * (1 - tail) - a / b * (3.0 - t[i]) * tail
    return tuple(g)


pair("hawkes process: decay", "algebra", hawkes, hawkes_grad, lambda mu, a, b: hawkes_grad(mu, a, b, recursive=False), "the recursion's own derivative is cut; right for two events", examples=[((), (), ())], domain={"mu": (0.1, 3), "a": (0.1, 2), "b": (0.2, 3)})


def stick_breaking(y):
    z = special.expit(y)
    out, rest = [], 1.0
    for v in z:
        out.append(rest * v)
        rest = rest * (1 - v)
    return np.array([*out, rest])


def stick_breaking_vjp(y, grad_output):
    z = special.expit(y)
    one = special.expit(-y)
    rest = np.concatenate([[1.0], np.cumprod(one)])
    g = np.zeros(len(y))
    tail = grad_output[-1]
    for k in range(len(y) - 1, -1, -1):
        g[k] = rest[k] * z[k] * one[k] * (grad_output[k] - tail)
        tail = z[k] * grad_output[k] + one[k] * tail
    return g


def stick_breaking_vjp_next(y, grad_output):
    z = special.expit(y)
    x = stick_breaking(y)
    g = np.zeros(len(y))
    for k in range(len(y)):
        g[k] = grad_output[k] * x[k] * (1 - z[k]) - grad_output[k + 1] * x[k + 1] * z[k]
    return g


pair("stick breaking: later sticks", "algebra", stick_breaking, stick_breaking_vjp, stick_breaking_vjp_next, "only the next stick is shortened: right for one", "vjp", examples=[((1,),), ((2,),)], domain=[(-20, 20)])


def three_parameter(theta, a, b, c):
    """Probability of a right answer: discrimination, difficulty, guessing."""
    return c + (1 - c) * special.expit(a * (theta - b))


def three_parameter_vjp(theta, a, b, c, grad_output):
    p, q = special.expit(a * (theta - b)), special.expit(a * (b - theta))
    d = grad_output * (1 - c) * p * q
    return d * a, d * (theta - b), -d * a, grad_output * q


def three_parameter_vjp_observed(theta, a, b, c, grad_output):
    p = three_parameter(theta, a, b, c)
    d = grad_output * (p - c) * (1 - p)  # lacks 1/(1 - c): right without guessing
    return d * a, d * (theta - b), -d * a, grad_output * (1 - p) / (1 - c)


pair("item response: guessing", "algebra", three_parameter, three_parameter_vjp, three_parameter_vjp_observed, "p (1 - p) of the two-parameter model, shifted", "vjp", examples=[((), (), (), ())], domain={"theta": (-4, 4), "a": (0.2, 3), "b": (-4, 4), "c": (0, 0.5)})
