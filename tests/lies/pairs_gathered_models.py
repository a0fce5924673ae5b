"""Models with their data inside: sequences, factors and machines, each wrong beside its right twin."""
# ruff: noqa: E501

import functools

import numpy as np
from scipy import special

from .case import Case

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"gathered-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


class ChainCRF:
    """Minus log likelihood of label sequences, all parameters in one flat vector."""

    def __init__(self, n_labels=2, emission_in_pair=True):
        self.K = n_labels
        self.X = [np.array([[1.0], [-0.5], [0.3]]), np.array([[0.2], [0.9]])]
        self.y = [np.array([0, 1, 1]), np.array([1, 0])]
        self.emission_in_pair = emission_in_pair

    def _unpack(self, theta):
        k = self.K
        return theta[:k].reshape(1, k), theta[k:].reshape(k, k)

    def _forward(self, unary, trans):
        alpha = np.zeros_like(unary)
        alpha[0] = unary[0]
        for t in range(1, len(unary)):
            alpha[t] = unary[t] + special.logsumexp(alpha[t - 1][:, None] + trans, axis=0)
        return alpha

    def _backward(self, unary, trans):
        beta = np.zeros_like(unary)
        for t in range(len(unary) - 2, -1, -1):
            beta[t] = special.logsumexp(trans + unary[t + 1] + beta[t + 1], axis=1)
        return beta

    def nll(self, theta):
        W, trans = self._unpack(theta)
        total = 0.0
        for X, y in zip(self.X, self.y, strict=True):
            unary = X @ W
            score = unary[np.arange(len(y)), y].sum() + trans[y[:-1], y[1:]].sum()
            total += special.logsumexp(self._forward(unary, trans)[-1]) - score
        return total

    def nll_grad(self, theta):
        W, trans = self._unpack(theta)
        gW, gT = np.zeros_like(W), np.zeros_like(trans)
        for X, y in zip(self.X, self.y, strict=True):
            unary = X @ W
            alpha, beta = self._forward(unary, trans), self._backward(unary, trans)
            log_z = special.logsumexp(alpha[-1])
            p = np.exp(alpha + beta - log_z)
            p[np.arange(len(y)), y] -= 1
            gW += X.T @ p
            for t in range(len(y) - 1):
                joint = alpha[t][:, None] + trans + beta[t + 1] - log_z
                if self.emission_in_pair:
                    joint = joint + unary[t + 1]
                gT += np.exp(joint)
            np.subtract.at(gT, (y[:-1], y[1:]), 1)
        return np.concatenate([gW.ravel(), gT.ravel()])


crf = ChainCRF()
pair("chain crf: emission in the joint marginal", "algebra", crf.nll, crf.nll_grad, ChainCRF(emission_in_pair=False).nll_grad, "right where the features vanish", examples=[((6,),)], domain=[(-1.5, 1.5)])


class BPR:
    """Bayesian personalised ranking of triplets (user, seen, unseen)."""

    def __init__(self, reg=0.1):
        self.u = np.array([0, 1, 0])
        self.i = np.array([1, 0, 2])
        self.j = np.array([2, 2, 0])
        self.reg = reg

    def loss(self, U, V):
        x = np.einsum("nf,nf->n", U[self.u], V[self.i] - V[self.j])
        return -np.sum(special.log_expit(x)) + 0.5 * self.reg * (np.sum(U**2) + np.sum(V**2))

    def gradient(self, U, V, buffered=False):
        x = np.einsum("nf,nf->n", U[self.u], V[self.i] - V[self.j])
        z = -special.expit(-x)[:, None]
        gU, gV = self.reg * U, self.reg * V
        if buffered:
            gU[self.u] += z * (V[self.i] - V[self.j])
        else:
            np.add.at(gU, self.u, z * (V[self.i] - V[self.j]))
        np.add.at(gV, self.i, z * U[self.u])
        np.add.at(gV, self.j, -z * U[self.u])
        return gU, gV


bpr = BPR()
pair("ranking triplets: a user twice", "cells", bpr.loss, bpr.gradient, functools.partial(bpr.gradient, buffered=True), "buffered indexing keeps the last of equal users", examples=[((2, 2), (3, 2))])


class LogisticMF:
    """Implicit feedback: logistic matrix factorisation with biases and confidences."""

    def __init__(self, alpha=2.0, lam=0.3):
        self.counts = np.array([[3.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
        self.alpha, self.lam = alpha, lam

    def log_likelihood(self, x, bias):
        A = x @ np.array([[1.0, -0.5], [0.3, 0.8]]).T + bias
        c = self.alpha * self.counts
        return np.sum(c * A) - np.sum((1 + c) * np.log1p(np.exp(A))) - 0.5 * self.lam * np.sum(x**2)

    def deriv(self, x, bias, confidence=True):
        Y = np.array([[1.0, -0.5], [0.3, 0.8]])
        A = np.exp(x @ Y.T + bias)
        A = A / (A + 1)
        c = self.alpha * self.counts
        A = (c + 1) * A if confidence else A
        return (c - A) @ Y - self.lam * x, np.sum(c - A, axis=0)


lmf = LogisticMF()
pair("logistic factorisation: confidence of the observed", "algebra", lmf.log_likelihood, lmf.deriv, functools.partial(lmf.deriv, confidence=False), "observed entries count once more among the negatives", examples=[((3, 2), (2,))], domain=[(-3, 3), (-3, 3)])


class RBM:
    """Free energy of a restricted Boltzmann machine with Gaussian visible units."""

    def __init__(self):
        self.W = np.array([[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]])
        self.a, self.b = np.array([0.1, -0.2, 0.3]), np.array([0.4, -0.5])

    def free_energy(self, v, log_var):
        return 0.5 * np.sum((v - self.a) ** 2 / np.exp(log_var)) - np.logaddexp(0, (v / np.exp(log_var)) @ self.W + self.b).sum()

    def gradient(self, v, log_var, hidden=True):
        h = special.expit((v / np.exp(log_var)) @ self.W + self.b)
        dv = (v - self.a) / np.exp(log_var) - (self.W @ h) / np.exp(log_var)
        dlog = -0.5 * (v - self.a) ** 2 / np.exp(log_var)
        if hidden:
            dlog = dlog + v * (self.W @ h) / np.exp(log_var)
        return dv, dlog


rbm = RBM()
pair("gaussian rbm: variance in the hidden input", "algebra", rbm.free_energy, rbm.gradient, functools.partial(rbm.gradient, hidden=False), "the variance scales what the hidden units see", examples=[((3,), (3,))], domain={"log_var": (-1, 1)})


class TinyMLP:
    """A network whose weights are a flat vector, its loss the mean over a fixed batch plus decay."""

    shapes = ((2, 2), (2,), (2, 1), (1,))

    def __init__(self, alpha=0.01, decay_bias=False):
        self.X = np.array([[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8]])
        self.y = np.array([[1.0], [0.0], [1.0]])
        self.alpha, self.decay_bias = alpha, decay_bias

    def _unpack(self, packed):
        out, start = {}, 0
        for name, shape in zip(("W1", "b1", "W2", "b2"), self.shapes, strict=True):
            size = int(np.prod(shape))
            out[name] = packed[start : start + size].reshape(shape)
            start += size
        return out

    def _pass(self, p):
        h = np.tanh(self.X @ p["W1"] + p["b1"])
        return h, h @ p["W2"] + p["b2"]

    def loss(self, packed):
        p = self._unpack(packed)
        _, z = self._pass(p)
        data = np.mean(np.logaddexp(0, z) - self.y * z)
        return data + 0.5 * self.alpha * sum(np.sum(p[k] ** 2) for k in ("W1", "W2")) / len(self.X)

    def loss_grad(self, packed, averaged=True):
        p = self._unpack(packed)
        h, z = self._pass(p)
        n = len(self.X)
        delta = (special.expit(z) - self.y) / n
        grads = {"W2": h.T @ delta, "b2": delta.sum(axis=0)}
        delta = delta @ p["W2"].T
        delta *= 1 - h**2
        grads["W1"], grads["b1"] = self.X.T @ delta, delta.sum(0)
        for k in ("W1", "W2"):
            grads[k] += self.alpha * p[k] / (n if averaged else 1)
        return np.concatenate([grads[k].ravel() for k in ("W1", "b1", "W2", "b2")])


mlp = TinyMLP()
pair("packed network: decay per sample", "algebra", mlp.loss, mlp.loss_grad, functools.partial(mlp.loss_grad, averaged=False), "the decay is averaged over the samples in the loss alone", examples=[((9,),)])


class HMMScore:
    """Log likelihood of a two-state Gaussian chain in its means, scaled recursions."""

    A = np.array([[0.8, 0.2], [0.3, 0.7]])
    pi = np.array([0.6, 0.4])

    def __init__(self, y=(0.3, -0.5, 1.2)):
        self.y = np.array(y)

    def _emission(self, mu):
        return np.exp(-0.5 * (self.y[:, None] - mu) ** 2)

    def _alphas(self, B):
        alphas, scales = [], []
        a = self.pi * B[0]
        for t in range(len(self.y)):
            if t:
                a = (alphas[-1] @ self.A) * B[t]
            scales.append(a.sum())
            alphas.append(a / scales[-1])
        return alphas, scales

    def loglik(self, mu):
        _, scales = self._alphas(self._emission(mu))
        return sum(np.log(c) for c in scales)

    def score(self, mu, smooth=True):
        B = self._emission(mu)
        alphas, scales = self._alphas(B)
        beta, total = np.ones(2), np.zeros(2)
        for t in reversed(range(len(self.y))):
            gamma = alphas[t] * beta if smooth else alphas[t]
            total = total + gamma * (self.y[t] - mu)
            beta = self.A @ (B[t] * beta) / scales[t]
        return total


hmm = HMMScore()
pair("hidden markov chain: smoothed, not filtered", "algebra", hmm.loglik, hmm.score, functools.partial(hmm.score, smooth=False), "the filtered probabilities", examples=[((2,),)], domain=[(-3, 3)])


class Lorenz:
    """The adjoint of a few Euler steps of the Lorenz system: the misfit of its last state."""

    def __init__(self, steps=3, dt=0.05):
        self.steps, self.dt = steps, dt
        self.target = np.array([1.0, 1.5, 20.0])

    def _rhs(self, s):
        x, y, z = s
        return np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    def _adjoint(self, s, lam):
        x, y, z = s
        a, b, c = lam
        return np.array([-10 * a + (28 - z) * b + y * c, 10 * a - b + x * c, -x * b - 8 / 3 * c])

    def cost(self, s):
        for _ in range(self.steps):
            s = s + self.dt * self._rhs(s)
        return 0.5 * np.sum((s - self.target) ** 2)

    def gradient(self, s, at_end=False):
        path = [s]
        for _ in range(self.steps):
            path.append(path[-1] + self.dt * self._rhs(path[-1]))
        lam = path[-1] - self.target
        for k in range(self.steps, 0, -1):
            state = path[k] if at_end else path[k - 1]
            lam = lam + self.dt * self._adjoint(state, lam)
        return lam


lorenz = Lorenz()
pair("adjoint model: state of the step", "algebra", lorenz.cost, lorenz.gradient, functools.partial(lorenz.gradient, at_end=True), "linearised about the state after the step", examples=[((3,),)])


class NegativeSampling:
    """Word vectors: one centre, its context and noise words drawn with repetition."""

    def __init__(self, context=1, noise=(0, 2, 2)):
        self.context, self.noise = context, list(noise)

    def loss(self, centre, out):
        u = out[self.noise]
        return -special.log_expit(out[self.context] @ centre) - special.log_expit(-(u @ centre)).sum()

    def gradient(self, centre, out, unique=False):
        g_centre = (special.expit(out[self.context] @ centre) - 1) * out[self.context]
        g_out = np.zeros_like(out)
        g_out[self.context] += (special.expit(out[self.context] @ centre) - 1) * centre
        for k in dict.fromkeys(self.noise) if unique else self.noise:
            s = special.expit(out[k] @ centre)
            g_out[k] += s * centre
            g_centre = g_centre + s * out[k]
        return g_centre, g_out


words = NegativeSampling()
pair("negative sampling: noise drawn twice", "cells", words.loss, words.gradient, functools.partial(words.gradient, unique=True), "a word drawn twice counts twice", examples=[((2,), (3, 2))])


@functools.lru_cache(maxsize=8)
def _second_difference(n):
    D = np.diff(np.eye(n), 2, axis=0)
    return D.T @ D


class Whittaker:
    """A penalised smoother: generalised cross-validation in the logarithm of the penalty."""

    def __init__(self, y=(0.1, 0.9, 0.4, 1.5, 1.0)):
        self.y = np.array(y)

    def gcv(self, log_lam):
        n = len(self.y)
        H = np.linalg.inv(np.eye(n) + np.exp(log_lam) * _second_difference(n))
        r = self.y - H @ self.y
        return n * np.sum(r**2) / (n - np.trace(H)) ** 2

    def gcv_grad(self, log_lam, trace=True):
        n = len(self.y)
        P = np.exp(log_lam) * _second_difference(n)
        H = np.linalg.inv(np.eye(n) + P)
        dH = -H @ P @ H
        r = self.y - H @ self.y
        df = n - np.trace(H)
        out = -2 * n * r @ (dH @ self.y) / df**2
        if trace:
            out += 2 * n * np.sum(r**2) * np.trace(dH) / df**3
        return out


smoother = Whittaker()
pair("cross-validation: degrees of freedom", "algebra", smoother.gcv, smoother.gcv_grad, functools.partial(smoother.gcv_grad, trace=False), "the trace depends on the penalty", examples=[((),)], domain=[(-2, 2)])


def sinkhorn(cost, *, reg=0.5, iterations=2):
    """Entropic transport between uniform weights after a fixed number of rounds."""
    n, m = cost.shape
    f, g = np.zeros(n), np.zeros(m)
    for _ in range(iterations):
        f = -reg * special.logsumexp((g[None, :] - cost) / reg - np.log(m), axis=1)
        g = -reg * special.logsumexp((f[:, None] - cost) / reg - np.log(n), axis=0)
    return f.mean() + g.mean()


def sinkhorn_unrolled(cost, *, reg=0.5, iterations=2):
    n, m = cost.shape
    f, g, tape = np.zeros(n), np.zeros(m), []
    for _ in range(iterations):
        f = -reg * special.logsumexp((g[None, :] - cost) / reg - np.log(m), axis=1)
        rows = special.softmax((g[None, :] - cost) / reg, axis=1)
        g = -reg * special.logsumexp((f[:, None] - cost) / reg - np.log(n), axis=0)
        cols = special.softmax((f[:, None] - cost) / reg, axis=0)
        tape.append((rows, cols))
    out, df, dg = np.zeros_like(cost), np.full(n, 1 / n), np.full(m, 1 / m)
    for rows, cols in tape[::-1]:
        out += cols * dg
        df = df - cols @ dg
        out += rows * df[:, None]
        dg = -(df @ rows)
        df = np.zeros(n)
    return out


def sinkhorn_envelope(cost, *, reg=0.5, iterations=2):
    n, m = cost.shape
    f, g = np.zeros(n), np.zeros(m)
    for _ in range(iterations):
        f = -reg * special.logsumexp((g[None, :] - cost) / reg - np.log(m), axis=1)
        g = -reg * special.logsumexp((f[:, None] - cost) / reg - np.log(n), axis=0)
    return np.exp((f[:, None] + g[None, :] - cost) / reg) / (n * m)


pair("sinkhorn: rounds that have not converged", "algebra", sinkhorn, sinkhorn_unrolled, sinkhorn_envelope, "the plan is the gradient at the fixed point alone", examples=[((2, 2),)], domain=[(0, 2)])
