"""Profiles, objectives and likelihoods as libraries write them, each wrong beside its right twin."""
# ruff: noqa: E501

import numpy as np
from scipy import linalg, special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"gathered-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"gathered-pair: {name}", kind, f, why, **options))


class Profile:
    """A model of a spectral line on a fixed grid, its parameters scalars."""

    def __init__(self, x=(-1.5, -0.5, 0.25, 1.0)):
        self.x = np.asarray(x, dtype=float)


class Moffat(Profile):
    def evaluate(self, amplitude, x_0, gamma, alpha):
        rr_gg = (self.x - x_0) ** 2 / gamma**2
        return amplitude * (1 + rr_gg) ** (-alpha)

    def fit_deriv(self, amplitude, x_0, gamma, alpha):
        fac = 1 + (self.x - x_0) ** 2 / gamma**2
        d_A = fac ** (-alpha)
        d_x_0 = 2 * amplitude * alpha * (self.x - x_0) * d_A / (fac * gamma**2)
        d_gamma = 2 * amplitude * alpha * (self.x - x_0) ** 2 * d_A / (fac * gamma**3)
        d_alpha = -amplitude * d_A * np.log(fac)
        return d_A, d_x_0, d_gamma, d_alpha

    def fit_deriv_2d(self, amplitude, x_0, gamma, alpha):
        rr_gg = (self.x - x_0) ** 2 / gamma**2
        d_A, d_x_0, _, d_alpha = self.fit_deriv(amplitude, x_0, gamma, alpha)
        d_gamma = 2 * amplitude * alpha * d_A * (rr_gg / (gamma**3 * (1 + rr_gg)))
        return d_A, d_x_0, d_gamma, d_alpha


moffat = Moffat()
pair("moffat profile: core width", "algebra", moffat.evaluate, moffat.fit_deriv, moffat.fit_deriv_2d, "right where gamma is one", "jac", examples=[((), (), (), ())], domain={"gamma": (0.3, 3), "alpha": (0.5, 4)})


class Lorentz(Profile):
    def evaluate(self, amplitude, x_0, fwhm):
        return amplitude * ((fwhm / 2.0) ** 2) / ((self.x - x_0) ** 2 + (fwhm / 2.0) ** 2)

    def fit_deriv(self, amplitude, x_0, fwhm):
        gamma = fwhm / 2.0
        denom = gamma**2 + (self.x - x_0) ** 2
        d_amplitude = gamma**2 / denom
        d_x_0 = amplitude * 2 * (self.x - x_0) * d_amplitude / denom
        d_fwhm = amplitude * gamma * (self.x - x_0) ** 2 / denom**2
        return [d_amplitude, d_x_0, d_fwhm]

    def fit_deriv_full(self, amplitude, x_0, fwhm):
        d_amplitude = fwhm**2 / (fwhm**2 + (self.x - x_0) ** 2)
        d_x_0 = amplitude * d_amplitude * (2 * self.x - 2 * x_0) / (fwhm**2 + (self.x - x_0) ** 2)
        d_fwhm = 2 * amplitude * d_amplitude / fwhm * (1 - d_amplitude)
        return [d_amplitude, d_x_0, d_fwhm]


lorentz = Lorentz()
pair("lorentz profile: full width for half", "algebra", lorentz.evaluate, lambda a, x, w: tuple(lorentz.fit_deriv(a, x, w)), lambda a, x, w: tuple(lorentz.fit_deriv_full(a, x, w)), "the half width enters the formula", "jac", examples=[((), (), ())], domain={"fwhm": (0.2, 4)})


class Voigt(Profile):
    """The convolution of a Gaussian and a Lorentzian, by the Faddeeva function."""

    def evaluate(self, x_0, amplitude, sigma, gamma):
        z = (self.x - x_0 + 1j * gamma) / (sigma * np.sqrt(2))
        return amplitude * special.wofz(z).real / (sigma * np.sqrt(2 * np.pi))

    def fit_deriv(self, x_0, amplitude, sigma, gamma):
        s = sigma * np.sqrt(2)
        norm = sigma * np.sqrt(2 * np.pi)
        z = (self.x - x_0 + 1j * gamma) / s
        w = special.wofz(z)
        dw = -2 * z * w + 2j / np.sqrt(np.pi)
        d_x_0 = -amplitude * dw.real / (s * norm)
        d_amplitude = w.real / norm
        d_sigma = -amplitude * (w.real + (dw * z).real) / (sigma * norm)
        d_gamma = -amplitude * dw.imag / (s * norm)
        return d_x_0, d_amplitude, d_sigma, d_gamma

    def fit_deriv_swapped(self, x_0, amplitude, sigma, gamma):
        d_x_0, d_amplitude, d_sigma, d_gamma = self.fit_deriv(x_0, amplitude, sigma, gamma)
        return d_amplitude, d_x_0, d_sigma, d_gamma


voigt = Voigt()
pair("voigt profile: order of parameters", "algebra", voigt.evaluate, voigt.fit_deriv, voigt.fit_deriv_swapped, "centre and amplitude are exchanged", "jac", examples=[((), (), (), ())], domain={"sigma": (0.5, 2), "gamma": (0.3, 2), "x_0": (-2, 2), "amplitude": (0.5, 3)})


class SmoothlyBroken:
    """A power law with a smooth bend; far from it one of the two alone, so that nothing overflows."""

    def __init__(self, x, delta=0.3, threshold=30.0):
        self.x, self.delta, self.threshold = np.asarray(x, dtype=float), delta, threshold

    def evaluate(self, amplitude, x_break, alpha_1, alpha_2):
        xx = self.x / x_break
        logt = np.log(xx) / self.delta
        f = np.zeros_like(xx, subok=False)
        i = logt > self.threshold
        f[i] = amplitude * xx[i] ** (-alpha_2) / (2.0 ** ((alpha_1 - alpha_2) * self.delta))
        j = logt < -self.threshold
        f[j] = amplitude * xx[j] ** (-alpha_1) / (2.0 ** ((alpha_1 - alpha_2) * self.delta))
        k = ~(i | j)
        r = (1.0 + np.exp(logt[k])) / 2.0
        f[k] = amplitude * xx[k] ** (-alpha_1) * r ** ((alpha_1 - alpha_2) * self.delta)
        return f

    def fit_deriv(self, amplitude, x_break, alpha_1, alpha_2):
        xx = self.x / x_break
        logt = np.log(xx) / self.delta
        t = np.exp(logt)
        r = (1.0 + t) / 2.0
        f = amplitude * xx ** (-alpha_1) * r ** ((alpha_1 - alpha_2) * self.delta)
        d_x_break = f * (alpha_1 - (alpha_1 - alpha_2) * t / 2.0 / r) / x_break
        d_alpha_1 = f * (-np.log(xx) + self.delta * np.log(r))
        d_alpha_2 = f * (-self.delta * np.log(r))
        return f / amplitude, d_x_break, d_alpha_1, d_alpha_2

    def fit_deriv_unbent(self, amplitude, x_break, alpha_1, alpha_2):
        d_A, _, d_alpha_1, d_alpha_2 = self.fit_deriv(amplitude, x_break, alpha_1, alpha_2)
        return d_A, amplitude * d_A * np.where(self.x < x_break, alpha_1, alpha_2) / x_break, d_alpha_1, d_alpha_2


bent = SmoothlyBroken([0.5, 1.0, 2.0, 5.0])
pair("smoothly broken power law: place of the bend", "algebra", bent.evaluate, bent.fit_deriv, bent.fit_deriv_unbent, "the sharp law's derivative", "jac", examples=[((), (), (), ())], domain={"amplitude": (0.5, 2), "x_break": (0.5, 3), "alpha_1": (-2, 2), "alpha_2": (-2, 2)})


LABELS = np.array([0.0, 1.0, 3.5])


def rmsle(preds):
    return np.sqrt(np.mean((np.log1p(preds) - np.log1p(LABELS)) ** 2))


def rmsle_obj(preds):
    loss = rmsle(preds)
    if loss == 0:
        return np.zeros_like(preds)
    return (np.log1p(preds) - np.log1p(LABELS)) / (len(LABELS) * loss * (1 + preds))


def rmsle_obj_labels(preds):
    loss = rmsle(preds)
    if loss == 0:
        return np.zeros_like(preds)
    return (1 / (len(LABELS) * loss)) * (np.log1p(preds) - np.log1p(LABELS)) / (1 + LABELS)


pair("boosting: rmsle", "algebra", rmsle, rmsle_obj, rmsle_obj_labels, "divided by the labels instead of the predictions", examples=[((3,),)], domain=[(0.01, 10)])


class FairObjective:
    """The fair loss for boosting: gradient and hessian as a library asks for them."""

    def __init__(self, labels, c=1.5):
        self.labels, self.c = labels, c

    def gradient(self, preds):
        x = preds - self.labels
        return self.c * x / (np.abs(x) + self.c)

    def hessian(self, preds, *, signed=False):
        x = preds - self.labels
        den = (x if signed else np.abs(x)) + self.c
        return self.c**2 / den**2


fair = FairObjective(LABELS)
pair("boosting: hessian of the fair loss", "cells", fair.gradient, lambda p, grad_output: grad_output * fair.hessian(p), lambda p, grad_output: grad_output * fair.hessian(p, signed=True), "right above the label", "vjp", examples=[((3,),)])


class FocalObjective:
    def __init__(self, y, gamma=2.0, alpha=0.25):
        self.y, self.gamma, self.alpha = np.asarray(y), gamma, alpha

    def at(self):
        return np.where(self.y == 1, self.alpha, 1 - self.alpha)

    def loss(self, z):
        s = 2 * self.y - 1
        return np.sum(-self.at() * special.expit(-s * z) ** self.gamma * special.log_expit(s * z))

    def grad(self, z):
        g, s = self.gamma, 2 * self.y - 1
        pt = special.expit(s * z)
        return self.at() * s * special.expit(-s * z) ** g * (g * pt * special.log_expit(s * z) - special.expit(-s * z))

    def hess(self, z, *, sign=True):
        g, s, at = self.gamma, 2 * self.y - 1, self.at()
        pt, qt = special.expit(s * z), special.expit(-s * z)
        u, du = at * s * qt**g, -at * s * g * qt ** (g - 1)
        v, dv = g * pt * special.log_expit(s * z) - qt, g * special.log_expit(s * z) + g + 1
        h = (du * v + u * dv) * pt * qt
        return h * s if sign else h


focal = FocalObjective([1, 0, 1])
right("boosting: focal loss, gradient", "algebra", focal.loss, "the weight's derivative folded into one factor", grad=focal.grad, examples=[((3,),)])
pair("boosting: focal loss, hessian", "algebra", focal.grad, lambda z, grad_output: grad_output * focal.hess(z), lambda z, grad_output: grad_output * focal.hess(z, sign=False), "the label's sign appears twice", "vjp", examples=[((3,),)])


def smape(preds, *, labels, epsilon=1e-4):
    return np.sum(np.abs(preds - labels) / (preds + labels + epsilon))


def smape_obj(preds, *, labels, epsilon=1e-4):
    pl_mn = np.where(preds - labels >= 0, 1, -1)
    return pl_mn * np.divide(labels * 2 + epsilon, np.power(preds + labels + epsilon, 2))


right("boosting: smape", "cells", smape, "an eps in the denominator, a side chosen at the label", grad=smape_obj, examples=[((3,), {"labels": np.array([1, 2, 5])})], domain=[(0.1, 10)])


class LogNormalFamily:
    """The log-partition function in mean parameters."""

    @staticmethod
    def logpartition(theta):
        mu, sigma = theta
        return mu**2 / (2 * sigma**2) + np.log(sigma)

    @staticmethod
    def gradlogpartition(theta):
        mu, sigma = theta
        return np.array([mu / sigma**2, -(mu**2) / sigma**3 + 1 / sigma])

    @staticmethod
    def gradlogpartition_abs(theta):
        mu, sigma = theta
        return np.array([np.abs(mu) / sigma**2, -(mu**2) / sigma**3 + 1 / sigma])


pair("log-normal partition: negative mean", "cells", LogNormalFamily.logpartition, LogNormalFamily.gradlogpartition, LogNormalFamily.gradlogpartition_abs, "right for a positive mean", examples=[((2,),)], domain=[lambda rng, shape: np.array([rng.normal(), np.exp(rng.normal())])])


class ScaledPosterior:
    """Minus log likelihood of y = rho u + noise, both scales on a logarithmic scale."""

    def __init__(self):
        t = np.array([0.0, 0.4, 1.0])
        self.y = np.array([0.8, 0.1, -0.4])
        self.mean = np.array([0.5, 0.2, -0.1])
        self.cov = np.exp(-0.5 * (t[:, None] - t) ** 2 / 0.3**2)

    def _parts(self, params):
        rho, sigma = np.exp(params[0]), np.exp(params[1])
        k = rho**2 * self.cov + sigma**2 * np.eye(3)
        return rho, sigma, linalg.cho_factor(k, lower=True), self.y - rho * self.mean

    def logposterior(self, params):
        _, _, (L, lower), r = self._parts(params)
        alpha = linalg.cho_solve((L, lower), r)
        return 0.5 * (r @ alpha + 2 * np.sum(np.log(np.diag(L))) + len(r) * np.log(2 * np.pi))

    def logpost_deriv(self, params, chain=True):
        rho, sigma, factor, r = self._parts(params)
        alpha = linalg.cho_solve(factor, r)
        inv = linalg.cho_solve(factor, np.eye(3))
        dk_rho, dk_sigma = 2 * rho**2 * self.cov, 2 * sigma**2 * np.eye(3)
        partials = np.zeros(2)
        partials[0] = -(rho if chain else 1.0) * self.mean @ alpha + 0.5 * (np.trace(inv @ dk_rho) - alpha @ dk_rho @ alpha)
        partials[1] = 0.5 * (np.trace(inv @ dk_sigma) - alpha @ dk_sigma @ alpha)
        return partials


posterior = ScaledPosterior()
pair("posterior: scale of the mean", "algebra", posterior.logposterior, posterior.logpost_deriv, lambda p: posterior.logpost_deriv(p, chain=False), "right where rho is one", examples=[((2,),)], domain=[(-1.5, 1.5)])


class HoltSSE:
    """Squared one-step errors of linear exponential smoothing, by forward sensitivities."""

    def __init__(self, y, level=1.0, trend=0.1):
        self.y, self.level, self.trend = np.asarray(y, dtype=float), level, trend

    def sse(self, params):
        alpha, beta = params
        level, trend, total = self.level, self.trend, 0.0
        for y in self.y:
            e = y - (level + trend)
            total += e * e
            new = level + trend + alpha * e
            trend = trend + beta * (new - level - trend)
            level = new
        return total

    def gradient(self, params, stale=False):
        alpha, beta = params
        level, trend = self.level, self.trend
        dl, db, out = np.zeros(2), np.zeros(2), np.zeros(2)
        for y in self.y:
            e, de = y - (level + trend), -(dl + db)
            out += 2 * e * de
            new = level + trend + alpha * e
            dnew = dl + db + alpha * de + e * np.array([1.0, 0.0])
            dstep = dnew - dl if stale else dnew - dl - db
            db = db + beta * dstep + (new - level - trend) * np.array([0.0, 1.0])
            trend, level, dl = trend + beta * (new - level - trend), new, dnew
        return out


holt = HoltSSE([1.2, 1.0, 1.6, 1.9])
pair("holt smoothing: trend's own trend", "algebra", holt.sse, holt.gradient, lambda p: holt.gradient(p, stale=True), "the old trend is missing from its own update", examples=[((2,),)], domain=[(0, 1)])


class GJR:
    """Minus log likelihood of a GJR-GARCH(1, 1), the first variance the sample's."""

    def __init__(self, resids):
        self.e = np.asarray(resids, dtype=float)

    def loglike(self, params):
        omega, alpha, gamma, beta = params
        h, total = np.mean(self.e**2), 0.0
        for t in range(len(self.e)):
            if t > 0:
                h = omega + (alpha + gamma * (self.e[t - 1] < 0)) * self.e[t - 1] ** 2 + beta * h
            total += 0.5 * (np.log(2 * np.pi) + np.log(h) + self.e[t] ** 2 / h)
        return total

    def score(self, params, leverage=True):
        omega, alpha, gamma, beta = params
        h, dh, out = np.mean(self.e**2), np.zeros(4), np.zeros(4)
        for t in range(len(self.e)):
            if t > 0:
                sq, neg = self.e[t - 1] ** 2, float(self.e[t - 1] < 0)
                carried = beta * dh
                if not leverage:
                    carried[2] = 0.0
                dh = np.array([1.0, sq, neg * sq, h]) + carried
                h = omega + (alpha + gamma * neg) * sq + beta * h
            out += 0.5 * dh * (1 / h - self.e[t] ** 2 / h**2)
        return out


gjr = GJR([0.5, -1.0, 0.3, -0.2, 0.9])
pair("gjr-garch: memory of the leverage", "algebra", gjr.loglike, gjr.score, lambda p: gjr.score(p, leverage=False), "the leverage term is not carried on by beta", examples=[((4,),)], domain=[(0.05, 0.5)])


def kde_loo(log_h):
    """Leave-one-out log likelihood of a Gaussian kernel density."""
    x = np.array([-1.0, 0.2, 0.5, 2.0])
    h, n = np.exp(log_h), len(x)
    k = np.exp(-0.5 * ((x[:, None] - x) / h) ** 2) / (np.sqrt(2 * np.pi) * h)
    np.fill_diagonal(k, 0.0)
    return np.sum(np.log(k.sum(axis=1) / (n - 1)))


def kde_loo_grad(log_h, width=True):
    x = np.array([-1.0, 0.2, 0.5, 2.0])
    u = (x[:, None] - x) / np.exp(log_h)
    k = np.exp(-0.5 * u**2)
    k[np.diag_indices(len(x))] = 0.0
    per_point = (k * u**2).sum(axis=1) / k.sum(axis=1)
    return np.sum(per_point - 1) if width else np.sum(per_point)


pair("density estimate: width in the normaliser", "algebra", kde_loo, kde_loo_grad, lambda h: kde_loo_grad(h, width=False), "the kernel's height depends on the width", examples=[((),)], domain=[(-1.5, 1.5)])


class PPCA:
    """Minus log likelihood of probabilistic PCA, in the loadings and the noise."""

    def __init__(self):
        self.S = np.array([[1.5, 0.4, 0.2], [0.4, 1.0, -0.3], [0.2, -0.3, 0.8]])

    def nll(self, W, log_s2):
        C = W @ W.T + np.exp(log_s2) * np.eye(3)
        return 0.5 * (np.linalg.slogdet(C)[1] + np.trace(np.linalg.solve(C, self.S)))

    def grad(self, W, log_s2, half=False):
        C = W @ W.T + np.exp(log_s2) * np.eye(3)
        Ci = np.linalg.inv(C)
        G = 0.5 * (Ci - Ci @ self.S @ Ci)
        return (G @ W if half else (G + G.T) @ W), np.trace(G) * np.exp(log_s2)


ppca = PPCA()
pair("probabilistic pca: both factors", "algebra", ppca.nll, ppca.grad, lambda W, s: ppca.grad(W, s, half=True), "the loadings occur twice in the covariance", examples=[((3, 1), ())], domain={"log_s2": (-1, 1), "W": (-2, 2)})


class TopicBound:
    """The variational bound of one document in its Dirichlet parameters."""

    def __init__(self, alpha=(0.5, 0.5, 0.5)):
        self.alpha = np.array(alpha)
        self.counts = np.array([2.0, 0.3, 1.2])

    def bound(self, gamma):
        expected = special.digamma(gamma) - special.digamma(gamma.sum())
        entropy = special.gammaln(gamma).sum() - special.gammaln(gamma.sum()) - np.sum((gamma - 1) * expected)
        return np.sum((self.counts + self.alpha - 1) * expected) + entropy

    def bound_grad(self, gamma, total=True):
        excess = self.counts + self.alpha - gamma
        out = special.polygamma(1, gamma) * excess
        if total:
            out = out - special.polygamma(1, gamma.sum()) * excess.sum()
        return out


topics = TopicBound()
pair("topic model: the sum of the parameters", "algebra", topics.bound, topics.bound_grad, lambda g: topics.bound_grad(g, total=False), "digamma of the total depends on every entry", examples=[((3,),)], domain=[(0.2, 6)])


class BetaDivergence:
    """Non-negative matrix factorisation: the divergence in the second factor."""

    def __init__(self, beta):
        self.beta = beta
        self.X = np.array([[1.0, 2.0], [0.5, 3.0], [2.0, 1.0]])
        self.W = np.array([[1.0, 0.2], [0.3, 1.0], [0.6, 0.6]])

    def __call__(self, H):
        WH = self.W @ H
        if self.beta == 1:
            return np.sum(special.xlogy(self.X, self.X / WH) - self.X + WH)
        if self.beta == 0:
            div = self.X / WH
            return np.sum(div) - self.X.size - np.sum(np.log(div))
        b = self.beta
        res = (self.X**b).sum() + (b - 1) * (WH**b).sum() - b * np.sum(self.X * WH ** (b - 1))
        return res / (b * (b - 1))

    def gradient(self, H):
        WH = self.W @ H
        if self.beta == 1:
            return self.W.sum(axis=0)[:, None] - self.W.T @ (self.X / WH)
        numerator = self.W.T @ (WH ** (self.beta - 2) * self.X)
        return self.W.T @ WH ** (self.beta - 1) - numerator

    def gradient_ratio(self, H):
        WH = self.W @ H
        return self.W.T @ WH ** (self.beta - 1) - self.W.T @ (self.X / WH ** (self.beta + 2))


itakura, kullback, fractional = BetaDivergence(0), BetaDivergence(1), BetaDivergence(0.5)
right("kullback factorisation", "algebra", kullback, "column sums of the factor", grad=kullback.gradient, examples=[((2, 2),)], domain=[(0.2, 3)])
pair("beta divergence of one half", "algebra", fractional, fractional.gradient, fractional.gradient_ratio, "the exponent's sign, right for beta zero alone", examples=[((2, 2),)], domain=[(0.2, 3)])
right("itakura-saito factorisation", "algebra", itakura, "general formula at beta zero", grad=itakura.gradient, examples=[((2, 2),)], domain=[(0.2, 3)])
