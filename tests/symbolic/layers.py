"""Layers with gradients derived by hand, on symbols: what the decision must settle in a moment.

Each function returns ``(graph, inputs, outputs, upstream, gradients)``, lists of nodes; ``wrong``
in its arguments plants one of the classical mistakes.
"""

import numpy as np

from tests.symbolic.terms import Formula


def case(f, inputs, outputs, upstream, gradients):
    def flat(parts):
        return [f.node(e) for e in join(*parts)]

    return f.graph, flat(inputs), flat(outputs), flat(upstream), flat(gradients)


def join(*arrays):
    return np.concatenate([np.ravel(np.asarray(a, dtype=object)) for a in arrays])


def layer_norm(n=4, wrong=False):
    f = Formula()
    x, w, b, g = (f.symbols(s, n) for s in "xwbg")
    eps = 1e-5
    mean = x.sum() / n
    var = ((x - mean) ** 2).sum() / n
    rstd = 1 / f.sqrt(var + eps)
    xhat = (x - mean) * rstd
    y = xhat * w + b
    gw = g * w
    dx = rstd * (gw - gw.sum() / n - xhat * (gw * xhat).sum() / (n - 1 if wrong else n))
    return case(f, (x, w, b), [y], [g], [dx, g * xhat, g])


def batch_norm(rows=3, columns=2, wrong=False):
    f = Formula()
    x, g = f.symbols("x", rows, columns), f.symbols("g", rows, columns)
    w, b = f.symbols("w", columns), f.symbols("b", columns)
    mean = x.sum(axis=0) / rows
    var = ((x - mean) ** 2).sum(axis=0) / rows
    std = f.sqrt(var + 1e-5)
    xhat = (x - mean) / std
    y = xhat * w + b
    dxhat = g * w
    if wrong:  # the variance taken for a constant
        dx = (dxhat - dxhat.sum(axis=0) / rows) / std
    else:
        dvar = (dxhat * (x - mean) * -0.5 * (var + 1e-5) ** -1.5).sum(axis=0)
        dmean = (dxhat * -1 / std).sum(axis=0)
        dx = dxhat / std + dvar * 2 * (x - mean) / rows + dmean / rows
    return case(f, (x, w, b), [y], [g], [dx, (g * xhat).sum(axis=0), g.sum(axis=0)])


def softmax(n=5, wrong=False):
    f = Formula()
    x, g = f.symbols("x", n), f.symbols("g", n)
    e = f.exp(x - x[1])
    y = e / e.sum()
    dx = y * (g - g * y if wrong else g - (g * y).sum())
    return case(f, [x], [y], [g], [dx])


def cross_entropy(n=5, wrong=False):
    f = Formula()
    x, g = f.symbols("x", n), f.symbols("g")
    shifted = x - x[2]
    y = f.log(f.exp(shifted).sum()) - shifted[1]
    p = f.exp(x) / f.exp(x).sum()
    one_hot = np.array([0, 0 if wrong else 1] + [0] * (n - 2))
    return case(f, [x], [y], [g], [g * (p - one_hot)])


def attention(n=2, d=2, m=2, wrong=False):
    f = Formula()
    q, k, v = f.symbols("q", n, d), f.symbols("k", m, d), f.symbols("v", m, d)
    g = f.symbols("g", n, d)
    scale = 1 / np.sqrt(d)
    scores = q @ k.T * scale
    e = f.exp(scores)
    p = e / e.sum(axis=1, keepdims=True)
    out = p @ v
    dp = g @ v.T
    ds = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    if not wrong:
        ds = ds * scale
    return case(f, (q, k, v), [out], [g], [ds @ k, ds.T @ q, p.T @ g])


def gru(n=2, wrong=False):
    f = Formula()
    h, x, g = f.symbols("h", n), f.symbols("x", n), f.symbols("g", n)
    wz, wr, wn, uz, ur, un = (f.symbols(s, n, n) for s in ("wz", "wr", "wn", "uz", "ur", "un"))
    z = f.sigmoid(wz @ x + uz @ h)
    r = f.sigmoid(wr @ x + ur @ h)
    c = un @ h
    new = f.tanh(wn @ x + r * c)
    out = (1 - z) * new + z * h
    dnew = g * (1 - z) * (1 - new * new)
    dz = g * (h - new) * z * (1 - z)
    dr = dnew * c * r * (1 - r)
    dc = dnew * r
    dx = wz.T @ dz + wr.T @ dr + wn.T @ dnew
    dh = uz.T @ dz + ur.T @ dr + un.T @ (dnew if wrong else dc) + g * z
    return case(f, (h, x, un, ur), [out], [g], [dh, dx, np.outer(dc, h), np.outer(dr, h)])


def lstm(n=2, wrong=False):
    f = Formula()
    x, h, c = f.symbols("x", n), f.symbols("h", n), f.symbols("c", n)
    gh, gc = f.symbols("gh", n), f.symbols("gc", n)
    w = {k: f.symbols("w" + k, n, n) for k in "ifgo"}
    u = {k: f.symbols("u" + k, n, n) for k in "ifgo"}
    a = {k: w[k] @ x + u[k] @ h for k in "ifgo"}
    i, fg, o, cand = f.sigmoid(a["i"]), f.sigmoid(a["f"]), f.sigmoid(a["o"]), f.tanh(a["g"])
    cell = fg * c + i * cand
    t = f.tanh(cell)
    out = o * t
    dcell = gc + gh * o * (1 - (t if wrong else t * t))
    d = {
        "i": dcell * cand * i * (1 - i),
        "f": dcell * c * fg * (1 - fg),
        "g": dcell * i * (1 - cand * cand),
        "o": gh * t * o * (1 - o),
    }
    dx = sum(w[k].T @ d[k] for k in "ifgo")
    dh = sum(u[k].T @ d[k] for k in "ifgo")
    return case(
        f,
        (x, h, c, u["f"]),
        (out, cell),
        [gh, gc],
        [dx, dh, dcell * fg, np.outer(d["f"], h)],
    )


def normal_log_likelihood(n=3, wrong=False):
    f = Formula()
    x, mu, s, g = f.symbols("x", n), f.symbols("mu"), f.symbols("s"), f.symbols("g")
    y = (-0.5 * ((x - mu) / s) ** 2 - f.log(s) - 0.5 * np.log(2 * np.pi)).sum()
    z = (x - mu) / s
    ds = g * ((z**2).sum() - (1 if wrong else n)) / s
    return case(f, (x, mu, s), [y], [g], [-g * z / s, g * z.sum() / s, ds])


def gamma_log_likelihood(wrong=False):
    f = Formula()
    x, a, b, g = (f.symbols(s) for s in "xabg")
    y = a * f.log(b) - f.gammaln(a) + (a - 1) * f.log(x) - b * x
    da = g * (f.log(b * x) - f.polygamma(0, a + (1 if wrong else 0)))
    return case(f, [x, a, b], [y], [g], [g * ((a - 1) / x - b), da, g * (a / b - x)])


def beta_log_likelihood(wrong=False):
    f = Formula()
    x, a, b, g = (f.symbols(s) for s in "xabg")
    y = (a - 1) * f.log(x) + (b - 1) * f.log(1 - x) - f.gammaln(a) - f.gammaln(b) + f.gammaln(a + b)
    total = f.polygamma(0, a + b + 1) - 1 / (a + b)  # the same by the shift relation
    dx = g * ((a - 1) / x - (b - 1) / (1 if wrong else 1 - x))
    da = g * (f.log(x) - f.polygamma(0, a) + total)
    db = g * (f.log(1 - x) - f.polygamma(0, b) + total)
    return case(f, [x, a, b], [y], [g], [dx, da, db])


def matern(wrong=False):
    f = Formula()
    x, y, ell, s, g = f.symbols("x", 3), f.symbols("y", 3), *(f.symbols(n) for n in "lsg")
    r = f.sqrt(((x - y) ** 2).sum())
    a = np.sqrt(5) * r / ell
    k = s**2 * (1 + a + a**2 / 3) * f.exp(-a)
    slope = -5 / 3 * s**2 / ell**2 * (1 + a) * f.exp(-a)
    dx = g * slope * (x - y)
    dell = -g * slope * r * r / ell
    ds = (1 if wrong else 2) * g * k / s
    return case(f, (x, y, ell, s), [k], [g], [dx, -dx, dell, ds])


def inverse(n=3, wrong=False):
    f = Formula()
    a, g = f.symbols("a", n, n), f.symbols("g", n, n)

    def determinant(m):
        if m.shape == (1, 1):
            return m[0, 0]
        return sum(
            (-1) ** j * m[0, j] * determinant(np.delete(m[1:], j, axis=1))
            for j in range(m.shape[0])
        )

    cofactors = np.empty((n, n), dtype=object)
    for i, j in np.ndindex(n, n):
        minor = np.delete(np.delete(a, i, 0), j, 1)
        cofactors[i, j] = (-1) ** (i + j) * determinant(minor)
    y = cofactors.T / determinant(a)
    da = -(y @ g @ y) if wrong else -(y.T @ g @ y.T)
    return case(f, [a], [y], [g], [da])


def gelu(wrong=False):
    """With the constant multiplied out in floats, as implementations have it."""
    f = Formula()
    x, g = f.symbols("x"), f.symbols("g")
    c = np.sqrt(2 / np.pi)
    t = f.tanh(c * (x + 0.044715 * x**3))
    y = 0.5 * x * (1 + t)
    slope = c * (1 + (2 if wrong else 3) * 0.044715 * x**2)
    return case(f, [x], [y], [g], [g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)])


LAYERS = [
    layer_norm,
    batch_norm,
    softmax,
    cross_entropy,
    attention,
    gru,
    lstm,
    normal_log_likelihood,
    gamma_log_likelihood,
    beta_log_likelihood,
    matern,
    inverse,
    gelu,
]
