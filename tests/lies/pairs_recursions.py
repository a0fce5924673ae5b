"""Recursions in time beside gradients that are recursions too: nothing may fall off their ends."""
# ruff: noqa: E501

import numpy as np
from scipy import special

from .case import Case, trap

DATA = np.array([0.3, -1.2, 2.0, 0.7])


def ar2(phi, *, x):
    e = x[2:] - phi[0] * x[1:-1] - phi[1] * x[:-2]
    return 0.5 * np.sum(e**2)


def ar2_grad(phi, *, x):
    e = x[2:] - phi[0] * x[1:-1] - phi[1] * x[:-2]
    return np.array([-e @ x[1:-1], -e @ x[:-2]])


def ar2_grad_lag(phi, *, x):
    e = x[2:] - phi[0] * x[1:-1] - phi[1] * x[:-2]
    return np.array([-e @ x[1:-1], -e @ x[1:-1]])


def garch(omega, alpha, beta):
    h, total = 1.0, 0.0
    for r in DATA:
        total += 0.5 * (np.log(h) + r**2 / h)
        h = omega + alpha * r**2 + beta * h
    return total


def garch_grad(omega, alpha, beta):
    h, dh, g = 1.0, np.zeros(3), np.zeros(3)
    for r in DATA:
        g = g + 0.5 * (1 - r**2 / h) / h * dh
        dh = np.array([1.0, r**2, h]) + beta * dh
        h = omega + alpha * r**2 + beta * h
    return g[0], g[1], g[2]


def garch_grad_no_memory(omega, alpha, beta):
    h, dh, g = 1.0, np.zeros(3), np.zeros(3)
    for r in DATA:
        g = g + 0.5 * (1 - r**2 / h) / h * dh
        dh = np.array([1.0, r**2, h])
        h = omega + alpha * r**2 + beta * h
    return g[0], g[1], g[2]


def garch_grad_updated(omega, alpha, beta):
    h, dh, g = 1.0, np.zeros(3), np.zeros(3)
    for r in DATA:
        g = g + 0.5 * (1 - r**2 / h) / h * dh
        h = omega + alpha * r**2 + beta * h
        dh = np.array([1.0, r**2, h]) + beta * dh  # sees the new variance
    return g[0], g[1], g[2]


def hidden_markov(log_start, log_move, log_emit):
    """Log-likelihood by the forward algorithm; `log_emit` has a row for each time."""
    a = log_start + log_emit[0]
    for e in log_emit[1:]:
        a = special.logsumexp(a[:, None] + log_move, axis=0) + e
    return special.logsumexp(a)


def hidden_markov_grad(log_start, log_move, log_emit):
    a = [log_start + log_emit[0]]
    for e in log_emit[1:]:
        a.append(special.logsumexp(a[-1][:, None] + log_move, axis=0) + e)
    g = special.softmax(a[-1])
    moves, emits = np.zeros_like(log_move), np.zeros_like(log_emit)
    for t in range(len(log_emit) - 1, 0, -1):
        emits[t] = g
        joint = special.softmax(a[t - 1][:, None] + log_move, axis=0) * g
        moves += joint
        g = joint.sum(axis=1)
    emits[0] = g
    return g, moves, emits


def hidden_markov_grad_last_move(log_start, log_move, log_emit):
    g, moves, emits = hidden_markov_grad(log_start, log_move, log_emit)
    if len(log_emit) > 2:  # `=` where `+=` is meant: the first move alone is left
        return (
            g,
            special.softmax(log_start[:, None] + log_emit[0][:, None] + log_move, axis=0)
            * emits[1],
            emits,
        )
    return g, moves, emits


def alignment(cost):
    """Soft dynamic time warping of two sequences by their matrix of costs."""
    n, m = cost.shape
    r = np.full((n + 1, m + 1), np.inf)
    r[0, 0] = 0.0
    for i in range(n):
        for j in range(m):
            best = [r[i, j], r[i, j + 1], r[i + 1, j]]
            r[i + 1, j + 1] = cost[i, j] - special.logsumexp([-b for b in best if b < np.inf])
    return r[n, m]


def alignment_grad(cost):
    n, m = cost.shape
    r = np.full((n + 1, m + 1), np.inf)
    r[0, 0] = 0.0
    for i in range(n):
        for j in range(m):
            best = [b for b in (r[i, j], r[i, j + 1], r[i + 1, j]) if b < np.inf]
            r[i + 1, j + 1] = cost[i, j] - special.logsumexp([-b for b in best])
    e = np.zeros((n + 1, m + 1))
    e[n, m] = 1.0
    for i in range(n, 0, -1):
        for j in range(m, 0, -1):
            steps = [
                (a, b) for a, b in ((i - 1, j - 1), (i - 1, j), (i, j - 1)) if r[a, b] < np.inf
            ]
            for (a, b), w in zip(steps, special.softmax([-r[s] for s in steps]), strict=True):
                e[a, b] += w * e[i, j]
    return e[1:, 1:]


def alignment_grad_diagonal(cost):
    e = alignment_grad(cost)
    e[0, 0] = e[0, 1] + e[1, 0] if min(cost.shape) > 1 else e[0, 0]  # the diagonal step is lost
    return e


def runge_kutta(y, rate, *, h=0.5):
    """A step of the midpoint rule for y' = -rate y^2."""
    k = -rate * (y - 0.5 * h * rate * y**2) ** 2
    return y + h * k


def runge_kutta_vjp(y, rate, grad_output, *, h=0.5):
    m = y - 0.5 * h * rate * y**2
    dm = -2 * h * rate * m * grad_output
    return grad_output + dm * (1 - h * rate * y), np.sum(
        -h * m**2 * grad_output - 0.5 * h * y**2 * dm
    )


def runge_kutta_vjp_inner(y, rate, grad_output, *, h=0.5):
    m = y - 0.5 * h * rate * y**2
    dm = -2 * h * rate * m * grad_output
    return grad_output + dm * (1 - h * rate * y), np.sum(-h * m**2 * grad_output)


def recurrent(w, x):
    h = 0.0
    for v in x:
        h = np.tanh(w * h + v)
    return h


def recurrent_grad(w, x):
    h = [0.0]
    for v in x:
        h.append(np.tanh(w * h[-1] + v))
    g, dw, dx = 1.0, 0.0, []
    for before, after in zip(h[-2::-1], h[:0:-1], strict=True):
        g = g * (1 - after**2)
        dw += g * before
        dx.append(g)
        g = g * w
    return dw, np.array(dx[::-1])


def recurrent_forward(w, x):
    h, dw, dx = 0.0, 0.0, np.zeros(len(x))
    for t, v in enumerate(x):
        before, h = h, np.tanh(w * h + v)
        dw = (1 - h * h) * (before + w * dw)
        dx = (1 - h * h) * (w * dx + np.eye(len(x))[t])
    return dw, dx


def recurrent_grad_truncated(w, x):
    dw, dx = recurrent_grad(w, x)
    dx[0] = 0.0 if len(x) > 2 else dx[0]  # cut after two steps
    return dw, dx


GARCH = {
    "grad": garch_grad,
    "examples": [(0.1, 0.2, 0.7)],
    "domain": [(0.01, 5), (0.01, 1), (0.01, 1)],
}
HMM = {
    "grad": hidden_markov_grad,
    "examples": [((2,), (2, 2), (2, 2)), ((2,), (2, 2), (3, 2))],
    "domain": [(-9, 9)] * 3,
}
WARP = {"grad": alignment_grad, "examples": [((1, 2),), ((2, 2),)], "domain": [(-9, 9)]}
STEP = {"vjp": runge_kutta_vjp, "examples": [((2,), 0.5)], "domain": [(-3, 3), (0.1, 2)]}
RECURRENT = {
    "grad": recurrent_grad,
    "examples": [(0.5, (2,)), (0.5, (3,))],
    "domain": [(-3, 3), (-3, 3)],
}

# fmt: off
CASES = [
    Case("pair-ar2-lag", "algebra", ar2, ar2, {"grad": ar2_grad, "examples": [((2,), {"x": np.array([1.0, 0.4, -0.3, 0.8])})]}, {"grad": ar2_grad_lag}, why="the first lag twice"),
    Case("pair-garch-memory", "algebra", garch, garch, GARCH, {"grad": garch_grad_no_memory}, why="the variance's dependence on its own past is dropped"),
    Case("pair-garch-order", "algebra", garch, garch, GARCH, {"grad": garch_grad_updated}, why="the recursion of the derivative sees the updated variance"),
    Case("pair-hmm-last-move", "algebra", hidden_markov, hidden_markov, HMM, {"grad": hidden_markov_grad_last_move}, why="= where += is meant over time: right for two times"),
    Case("pair-warping-diagonal", "algebra", alignment, alignment, WARP, {"grad": alignment_grad_diagonal}, why="the diagonal step from the first cell is lost"),
    Case("pair-midpoint-inner", "algebra", runge_kutta, runge_kutta, STEP, {"vjp": runge_kutta_vjp_inner}, why="the rate inside of the midpoint is taken as constant"),
    Case("pair-rnn-truncated", "algebra", recurrent, recurrent, RECURRENT, {"grad": recurrent_grad_truncated}, why="back-propagation is cut after two steps"),
    trap("pair-garch-python", "algebra", garch, "three Python floats, by a loop of its own", grad=lambda omega, alpha, beta: tuple(map(float, garch_grad(omega, alpha, beta))), examples=GARCH["examples"], domain=GARCH["domain"]),
    trap("pair-rnn-forward-mode", "algebra", recurrent, "derivatives carried along forward", grad=recurrent_forward, examples=RECURRENT["examples"], domain=RECURRENT["domain"]),
]
# fmt: on
