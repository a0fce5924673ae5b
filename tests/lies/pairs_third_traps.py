"""Right gradients that look suspicious: loops, tables, rewrites, ties, guards, solvers, geometry, queues."""
# ruff: noqa: E501

import bisect
import collections
import dataclasses
import functools
import heapq
import itertools
import math

import numpy as np
from scipy import integrate, linalg, optimize, special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def right(name, kind, f, why, **options):
    CASES.append(trap(f"third-pair: {name}", kind, f, why, **options))


def viterbi(s, t):
    """Score of the best path through three steps of two states, by dynamic programming."""
    v = s[0]
    for k in range(1, len(s)):
        v = np.array([max(v[i] + t[i, j] for i in range(2)) for j in range(2)]) + s[k]
    return v.max()


def viterbi_grad(s, t):
    v, back = s[0], []
    for k in range(1, len(s)):
        best = [max(range(2), key=lambda i, j=j, v=v: v[i] + t[i, j]) for j in range(2)]
        back.append(best)
        v = np.array([v[best[j]] + t[best[j], j] for j in range(2)]) + s[k]
    gs, gt = np.zeros(s.shape), np.zeros(t.shape)
    j = int(np.argmax(v))
    for k in range(len(s) - 1, 0, -1):
        gs[k, j] += 1
        i = back[k - 1][j]
        gt[i, j] += 1
        j = i
    gs[0, j] += 1
    return gs, gt


right("viterbi score", "cells", viterbi, "a path by argmax, back pointers in lists", grad=viterbi_grad, examples=[((3, 2), (2, 2))])


def prim(d):
    """Weight of the minimum spanning tree of three points on a line and one above, by a heap."""
    p = np.concatenate([d, np.array([0.0])])
    w = lambda i, j: (p[i] - p[j]) ** 2 + (1.0 if 3 in (i, j) else 0.0)  # noqa: E731
    seen, total, queue = {0}, 0.0, [(w(0, j), 0, j) for j in range(1, 4)]
    heapq.heapify(queue)
    while len(seen) < 4:
        c, _, j = heapq.heappop(queue)
        if j in seen:
            continue
        seen.add(j)
        total = total + c
        for k in range(4):
            if k not in seen:
                heapq.heappush(queue, (w(j, k), j, k))
    return total


def prim_grad(d):
    p = np.concatenate([d, np.array([0.0])])
    w = lambda i, j: (p[i] - p[j]) ** 2 + (1.0 if 3 in (i, j) else 0.0)  # noqa: E731
    seen, g = [0], np.zeros(4)
    while len(seen) < 4:
        i, j = min(((i, j) for i in seen for j in range(4) if j not in seen), key=lambda e: w(*e))
        g[i] += 2 * (p[i] - p[j])
        g[j] -= 2 * (p[i] - p[j])
        seen.append(j)
    return g[:3]


right("spanning tree by a heap", "cells", prim, "tuples compared in a heap; ties are kinks", grad=prim_grad, examples=[((3,),)])


def lcp_energy(b):
    """Minimum of a quadratic over x >= 0 in two unknowns, by trying all active sets."""
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    best = 0.0 * b.sum()
    for active in itertools.product((0, 1), repeat=2):
        i = [k for k in range(2) if active[k]]
        if not i:
            continue
        x = np.linalg.solve(a[np.ix_(i, i)], b[i])
        if min(x) >= 0:
            best = min(best, -0.5 * b[i] @ x)
    return best


def lcp_grad(b):
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    best, g = 0.0, np.zeros(2)
    for i in ([0], [1], [0, 1]):
        x = np.linalg.solve(a[np.ix_(i, i)], b[i])
        if min(x) >= 0 and -0.5 * b[i] @ x < best:
            best = -0.5 * b[i] @ x
            g = np.zeros(2)
            g[i] = -x
    return g


right("bound-constrained quadratic: active sets", "cells", lcp_energy, "the value function is smooth across active sets", grad=lcp_grad, examples=[((2,),)])


@functools.cache
def bell(n):
    return 1 if n == 0 else sum(math.comb(n - 1, k) * bell(k) for k in range(n))


def touchard(x):
    """Touchard polynomial of degree five with coefficients from Stirling numbers by a recursion."""
    row = [1.0]
    for _ in range(5):
        row = [0.0, *[k * (row[k] if k < len(row) else 0) + row[k - 1] for k in range(1, len(row) + 1)]]
    return sum(c * x**k for k, c in enumerate(row)) / bell(5)


def touchard_slope(x):
    return (1 + x * (2 * 15 + x * (3 * 25 + x * (4 * 10 + x * 5)))) / 52


right("touchard polynomial", "algebra", touchard, "coefficients from recursions and a cache", grad=touchard_slope, examples=[((),)])


def barycentric(f, x):
    """Value at x of the interpolating polynomial through four nodes."""
    nodes, w = np.array([-1.0, -0.5, 0.5, 1.0]), np.array([-2 / 3, 4 / 3, -4 / 3, 2 / 3])
    d = x - nodes
    if np.any(d == 0):
        return f[int(np.argmin(np.abs(d)))] + 0 * x
    return (w / d) @ f / (w / d).sum()


def lagrange_vjp(f, x, grad_output):
    nodes = [-1.0, -0.5, 0.5, 1.0]
    l, dl = np.ones(4), np.zeros(4)
    for i in range(4):
        others = [n for k, n in enumerate(nodes) if k != i]
        c = math.prod(nodes[i] - n for n in others)
        l[i] = math.prod(x - n for n in others) / c
        dl[i] = sum(math.prod(x - m for m in others if m != n) for n in others) / c
    return grad_output * l, grad_output * (dl @ f)


right("barycentric interpolation: nodes", "cells", barycentric, "a removable singularity at each node; forward cancels around it", vjp=lagrange_vjp, examples=[((4,), ())], domain=[None, (-0.95, 0.95)])


def bezout(a, b):
    """Resultant of two quadratics, as a determinant of four rows."""
    z = 0 * a[0]
    m = np.array([[a[0], a[1], a[2], z], [z, a[0], a[1], a[2]], [b[0], b[1], b[2], z], [z, b[0], b[1], b[2]]])
    return np.linalg.det(m)


def bezout_grad(a, b):
    p = a[0] * b[2] - a[2] * b[0]
    q = a[0] * b[1] - a[1] * b[0]
    r = a[1] * b[2] - a[2] * b[1]
    return (
        np.array([2 * p * b[2] - b[1] * r, q * -b[2] + b[0] * r, -2 * p * b[0] + q * b[1]]),
        np.array([-2 * p * a[2] + a[1] * r, q * a[2] - a[0] * r, 2 * p * a[0] - q * a[1]]),
    )


right("resultant of two quadratics", "algebra", bezout, "p^2 - q r, against a determinant of four rows", grad=bezout_grad, examples=[((3,), (3,))])


@dataclasses.dataclass
class Spring:
    i: int
    j: int
    rest: float


NET = [Spring(0, 1, 1.0), Spring(1, 2, 0.5), Spring(0, 2, 1.2)]


def net_energy(p):
    return sum(0.5 * (np.linalg.norm(p[s.i] - p[s.j]) - s.rest) ** 2 for s in NET)


def net_forces(p):
    g = np.zeros(p.shape)
    for s in NET:
        d = p[s.i] - p[s.j]
        n = math.hypot(*d)
        if n == 0:
            continue
        t = d * (1 - s.rest / n)
        g[s.i] += t
        g[s.j] -= t
    return g


right("springs as dataclasses: zero length", "cells", net_energy, "at zero length any force of size rest, and none, is right", grad=net_forces, examples=[((3, 2),)])


def horn(a, b, c):
    """Cyclic absolute differences, zero only where all are equal."""
    return abs(a - b) + abs(b - c) + abs(c - a)


right("range by cyclic differences", "cells", lambda x: horn(*x), "twice the range; at ties the signs may differ within the hull", grad=lambda x: 2.0 * (np.arange(3) == np.argmax(x)) - 2.0 * (np.arange(3) == 2 - np.argmin(x[::-1])), examples=[((3,),)])


def water(level, bed=(0.3, -0.2, 0.7, 0.1)):
    """Volume of water above an uneven bed."""
    return sum(max(level - b, 0.0) for b in bed)


right("volume above a bed: count by bisection", "cells", water, "the slope is a count", grad=lambda level: float(bisect.bisect_left(sorted((0.3, -0.2, 0.7, 0.1)), level)), examples=[((),)])


def newton_root(c):
    """The real root of z^3 + z = c, by Newton's method."""
    z = np.cbrt(c)
    for _ in range(60):
        z = z - (z**3 + z - c) / (3 * z * z + 1)
    return z


right("cubic root by newton", "algebra", newton_root, "implicit derivative at the root", grad=lambda c: 1 / (3 * newton_root(c) ** 2 + 1), examples=[((),)], domain=[(-50, 50)])


def brent_root(c):
    return optimize.brentq(lambda z: z + math.exp(z) - float(c), -100, 100, xtol=1e-15, rtol=9e-16)


right("root of z + e^z by brentq", "algebra", brent_root, "the derivative by the root found", grad=lambda c: 1 / (1 + math.exp(brent_root(c))), examples=[((),)], domain=[(-20, 20)])


right("lambert w", "floats", lambda x: np.sum(special.wrightomega(np.log(x))), "w/(x (1 + w)), omega of a logarithm", grad=lambda x: special.wrightomega(np.log(x)) / (x * (1 + special.wrightomega(np.log(x)))), examples=[((2,),)], domain=[(0.01, 100)])


def ode_end(y0, k):
    """Logistic growth after unit time, by SciPy's integrator."""
    s = integrate.solve_ivp(lambda t, y: k * y * (1 - y), (0, 1), [float(y0)], rtol=1e-12, atol=1e-14)
    return s.y[0, -1]


def ode_end_grad(y0, k):
    e = np.exp(k)
    d = 1 + y0 * np.expm1(k)
    return e / d**2, y0 * (1 - y0) * e / d**2


right("logistic growth by solve_ivp", "floats", ode_end, "an integrator's error of 1e-12 in the value", grad=ode_end_grad, examples=[((), ())], domain=[(0.1, 0.9), (0.5, 2)])


def trimmed_kernel(x, y):
    """Kernel of Wendland, zero beyond one."""
    r = np.sqrt(np.sum((x - y) ** 2))
    return np.maximum(1 - r, 0) ** 4 * (4 * r + 1)


right("wendland kernel: centre and rim", "cells", trimmed_kernel, "the distance cancels: smooth at the centre", grad=lambda x, y: (-20 * max(1 - math.hypot(*(x - y)), 0) ** 3 * (x - y), 20 * max(1 - math.hypot(*(x - y)), 0) ** 3 * (x - y)), examples=[((2,), (2,))])


def lag_window(x, m=2):
    """Bartlett long-run variance of a centred series with a deque of lags."""
    d = x - x.mean()
    lags = collections.deque([0.0 * d[0]] * m, maxlen=m)
    total = 0.0
    for v in d:
        total += v * v + 2 * sum((1 - (k + 1) / (m + 1)) * v * lags[k] for k in range(m))
        lags.appendleft(v)
    return total / len(x)


def lag_window_grad(x, m=2):
    n = len(x)
    d = x - x.mean()
    w = np.maximum(1 - np.abs(np.arange(n)[:, None] - np.arange(n)) / (m + 1), 0)
    g = 2 * w @ d / n
    return g - g.mean()


right("long-run variance with a deque", "algebra", lag_window, "a deque of lags against a banded matrix", grad=lag_window_grad, examples=[((4,),), ((5,),)])


def quat_angle(q):
    """Rotation angle of a quaternion, by atan2 of the vector part's length."""
    return 2 * np.arctan2(np.sqrt(q[1:] @ q[1:]), q[0])


def quat_angle_grad(q):
    v = np.sqrt(q[1:] @ q[1:])
    n = q @ q
    return np.append(-2 * v / n, 2 * q[0] * q[1:] / (v * n) if v else 0 * q[1:])


right("angle of a quaternion", "cells", quat_angle, "a cone at the identity", grad=quat_angle_grad, examples=[((4,),)])


def kabsch(p):
    """Squared distance of a point set to a fixed one after the best rotation in the plane."""
    q = np.array([[1.0, 0.0], [-0.5, 0.8], [-0.5, -0.8]])
    c, s = np.sum(p * q), np.sum(p[:, 1] * q[:, 0] - p[:, 0] * q[:, 1])
    return np.sum(p * p) + np.sum(q * q) - 2 * np.hypot(c, s)


def kabsch_grad(p):
    q = np.array([[1.0, 0.0], [-0.5, 0.8], [-0.5, -0.8]])
    c, s = np.sum(p * q), np.sum(p[:, 1] * q[:, 0] - p[:, 0] * q[:, 1])
    h = np.hypot(c, s)
    co, si = (c / h, s / h) if h else (1.0, 0.0)
    return 2 * p - 2 * (co * q + si * np.stack([-q[:, 1], q[:, 0]], axis=1))


right("best rotation in the plane", "cells", kabsch, "the rotation is a constant at its optimum", grad=kabsch_grad, examples=[((3, 2),)])


def logdet_update(u, v):
    """log|det(I + u v^T)|."""
    return np.linalg.slogdet(np.eye(len(u)) + np.outer(u, v))[1]


right("determinant lemma", "cells", logdet_update, "log |1 + u.v| and its gradient", grad=lambda u, v: (v / (1 + u @ v), u / (1 + u @ v)), examples=[((2,), (2,)), ((3,), (3,))])


def leverage(x, lam=0.1):
    """Effective degrees of freedom of ridge regression."""
    return np.trace(x @ np.linalg.solve(x.T @ x + lam * np.eye(x.shape[1]), x.T))


def leverage_grad(x, lam=0.1):
    g = np.linalg.inv(x.T @ x + lam * np.eye(x.shape[1]))
    return 2 * lam * x @ g @ g


right("degrees of freedom of ridge regression", "algebra", leverage, "tr(I - lam G), differentiated in one product", grad=leverage_grad, examples=[((3, 2),), ((2, 2),)])


def chol_logdet(b):
    """GP log marginal likelihood in the log length and log noise, three points."""
    x, y = np.array([0.0, 0.7, 1.5]), np.array([0.2, -0.4, 1.0])
    k = np.exp(-0.5 * (x[:, None] - x) ** 2 / np.exp(2 * b[0])) + np.exp(b[1]) * np.eye(3)
    c = np.linalg.cholesky(k)
    a = linalg.cho_solve((c, True), y)
    return -0.5 * y @ a - np.sum(np.log(np.diag(c)))


def chol_logdet_grad(b):
    x, y = np.array([0.0, 0.7, 1.5]), np.array([0.2, -0.4, 1.0])
    d = (x[:, None] - x) ** 2 / np.exp(2 * b[0])
    e = np.exp(-0.5 * d)
    k = e + np.exp(b[1]) * np.eye(3)
    p = np.linalg.inv(k)
    w = np.outer(p @ y, p @ y) - p
    return np.array([0.5 * np.sum(w * e * d), 0.5 * np.exp(b[1]) * np.trace(w)])


right("gp marginal likelihood", "algebra", chol_logdet, "Cholesky against an inverse", grad=chol_logdet_grad, examples=[((2,),)], domain=[(-1, 1)])


def second_eigenvalue(a):
    return np.linalg.eigvalsh(a + a.T)[1]


def second_eigenvalue_grad(a):
    v = np.linalg.eigh(a + a.T)[1][:, 1]
    return 2 * np.outer(v, v)


right("middle eigenvalue", "cells", second_eigenvalue, "an outer product of its vector, symmetric matrices", grad=second_eigenvalue_grad, examples=[((3, 3),)])


def spearman(x):
    """Soft Spearman: correlation of logistic ranks with one to n."""
    r = special.expit((x[:, None] - x) / 0.5).sum(axis=1)
    return np.arange(len(x)) @ r


def spearman_grad(x):
    s = special.expit((x[:, None] - x) / 0.5)
    w = s * s.T / 0.5
    k = np.arange(len(x))
    return w.sum(axis=1) * k - w @ k


right("soft ranks", "algebra", spearman, "s (1 - s) as s times its transpose", grad=spearman_grad, examples=[((3,),), ((4,),)])


def bits(x):
    """Energy of a signal quantised into eighths, with what is lost added back."""
    q = np.floor(8 * x) / 8
    return np.sum((q + (x - q)) ** 2)


right("quantised and restored", "cells", bits, "the steps cancel", grad=lambda x: 2 * x, examples=[((2,),)])


def collatz(x):
    """Iterated halving above one, with a counter of the steps."""
    k = 0
    while abs(x) > 1 and k < 12:
        x, k = x / 2, k + 1
    return x * (1 + k)


def collatz_slope(x):
    m, e = math.frexp(abs(x))
    k = min(max(e - (m == 0.5), 0), 12)
    return (1 + k) / 2**k


right("halvings counted", "cells", collatz, "a jump at each power of two; the count from the exponent", grad=collatz_slope, examples=[((),)], domain=[(-1000, 1000)])
