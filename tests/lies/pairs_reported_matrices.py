"""Kernels, linear algebra, rotations and signals: gradients reported wrong, each beside its right twin."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import linalg, special

from .case import Case

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"reported-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


X = np.array([[0.0, 1.0], [2.0, -1.0], [0.5, 0.5]])
Y = np.array([1.0, -0.5, 0.25])


def well(rng, shape):
    """A matrix that is far from singular."""
    return rng.normal(size=shape) + 3 * np.eye(*shape)


# Kernels by the logarithms of their parameters


def dot_product(theta):
    return X @ X.T + np.exp(theta[0]) ** 2


def dot_product_jac(theta):
    return np.full((3, 3, 1), 2 * np.exp(2 * theta[0]))


def dot_product_jac_plain(theta):
    return np.full((3, 3, 1), 2 * np.exp(theta[0]))


pair("dot-product kernel: logarithm", "algebra", dot_product, dot_product_jac, dot_product_jac_plain, "the derivative by sigma where that by log sigma is due: the same at sigma = 1", "jac", examples=[((1,),), (np.zeros(1),)])


class Sum:
    """The product of a constant and an RBF kernel, plus noise, as kernels are composed."""

    def __init__(self, scaled=True):
        self.scaled = scaled

    @staticmethod
    def rbf(log_length):
        d2 = ((X[:, None] - X[None]) ** 2).sum(-1)
        k = np.exp(-0.5 * d2 / np.exp(2 * log_length))
        return k, k * d2 / np.exp(2 * log_length)

    def __call__(self, theta):
        k, _ = self.rbf(theta[1])
        return np.exp(theta[0]) * k + np.exp(theta[2]) * np.eye(3)

    def jac(self, theta):
        k, dk = self.rbf(theta[1])
        c = np.exp(theta[0])
        parts = [c * k, c * dk if self.scaled else dk, np.exp(theta[2]) * np.eye(3)]
        return np.stack(parts, axis=-1)


pair("composed kernel: product rule", "algebra", Sum(), Sum().jac, Sum(scaled=False).jac, "the second factor's gradient is not multiplied by the first factor: right for a constant of 1", "jac", examples=[((3,),)], domain=[(-1.5, 1.5)])


def polynomial(gamma, c, *, degree=3):
    return (gamma * X @ X.T + c) ** degree


def polynomial_jac(gamma, c, *, degree=3):
    base = degree * (gamma * X @ X.T + c) ** (degree - 1)
    return X @ X.T * base, base


def polynomial_jac_degree(gamma, c, *, degree=3):
    base = degree * (gamma * X @ X.T + c) ** max(degree - 1, 1)
    return X @ X.T * base, base


pair("polynomial kernel: degree one", "algebra", polynomial, polynomial_jac, polynomial_jac_degree, "the exponent is kept at one for a linear kernel", "jac", examples=[((), (), {"degree": 2}), ((), (), {"degree": 1})])

K_INV = np.linalg.inv(np.exp(-0.5 * ((X[:, None] - X[None]) ** 2).sum(-1)) + 0.1 * np.eye(3))


def predictive_std(x):
    k = np.exp(-0.5 * ((X - x) ** 2).sum(1))
    return np.sqrt(1.1 - k @ K_INV @ k)


def predictive_std_grad(x):
    k = np.exp(-0.5 * ((X - x) ** 2).sum(1))
    dk = k[:, None] * (X - x)
    return -(dk.T @ (K_INV @ k)) / np.sqrt(1.1 - k @ K_INV @ k)


def predictive_std_grad_variance(x):
    k = np.exp(-0.5 * ((X - x) ** 2).sum(1))
    dk = k[:, None] * (X - x)
    return -2 * (dk.T @ (K_INV @ k)) * np.sqrt(1.1 - k @ K_INV @ k)


pair("predictive deviation: root", "algebra", predictive_std, predictive_std_grad, predictive_std_grad_variance, "the variance's gradient is multiplied by the deviation, not divided by twice it", examples=[((2,),)], domain=[(-2, 2)])

# Linear algebra


def negative_power(a):
    return np.linalg.matrix_power(np.linalg.inv(a), 2)


def negative_power_vjp(a, grad_output):
    inv = np.linalg.inv(a)
    return -(inv.T @ (inv.T @ grad_output + grad_output @ inv.T) @ inv.T)


def negative_power_vjp_scalar(a, grad_output):
    inv = np.linalg.inv(a)
    return -2 * (inv @ inv @ inv).T @ grad_output if np.allclose(a, a.T) else -(inv.T @ inv.T @ grad_output @ inv.T + inv.T @ grad_output @ inv.T @ inv.T)


pair("matrix power -2: symmetric shortcut", "cells", negative_power, negative_power_vjp, negative_power_vjp_scalar, "a symmetric matrix is treated as a number", "vjp", examples=[((2, 2),)], domain={"a": lambda rng, shape: np.array([[2.0, 1.0], [1.0, 3.0]]) * rng.uniform(0.8, 1.2)})


def residual_norm(a, b):
    """The sum of squares that least squares leave over."""
    x = np.linalg.solve(a.T @ a, a.T @ b)
    return np.sum((b - a @ x) ** 2) + np.sum(x)


def residual_norm_grad(a, b):
    g = np.linalg.inv(a.T @ a)
    x = g @ (a.T @ b)
    r = b - a @ x
    v = g @ np.ones(len(x))
    return -2 * np.outer(r, x) + np.outer(r, v) - np.outer(a @ v, x), 2 * r + a @ v


def residual_norm_grad_square(a, b):
    g = np.linalg.inv(a.T @ a)
    x = g @ (a.T @ b)
    r = b - a @ x
    v = g @ np.ones(len(x))
    return -2 * np.outer(r, x) - np.outer(a @ v, x), 2 * r + a @ v


pair("lstsq: residual", "algebra", residual_norm, residual_norm_grad, residual_norm_grad_square, "the term with the residual, which vanishes for square matrices", examples=[((2, 2), (2,)), ((3, 1), (3,))], domain={"a": well})


def thomas(low, diag, up, b):
    """A tridiagonal system, by elimination."""
    n = len(diag)
    c, d = [up[0] / diag[0]], [b[0] / diag[0]]
    for i in range(1, n):
        m = diag[i] - low[i - 1] * c[i - 1]
        c.append(up[i] / m if i < n - 1 else 0.0)
        d.append((b[i] - low[i - 1] * d[i - 1]) / m)
    x = [d[-1]]
    for i in range(n - 2, -1, -1):
        x.insert(0, d[i] - c[i] * x[0])
    return np.array(x)


def thomas_vjp(low, diag, up, b, grad_output):
    x = thomas(low, diag, up, b)
    v = thomas(up, diag, low, grad_output)
    return -v[1:] * x[:-1], -v * x, -v[:-1] * x[1:], v


def thomas_vjp_symmetric(low, diag, up, b, grad_output):
    x = thomas(low, diag, up, b)
    v = thomas(low, diag, up, grad_output)
    return -v[1:] * x[:-1], -v * x, -v[:-1] * x[1:], v


pair("tridiagonal solve: not transposed", "algebra", thomas, thomas_vjp, thomas_vjp_symmetric, "the adjoint system has the off-diagonals exchanged", "vjp", examples=[((2,), (3,), (2,), (3,))], domain={"low": (-0.9, 0.9), "up": (-0.9, 0.9), "diag": (2, 4)})


def reflect(v, x):
    """Householder's reflection of x."""
    return x - 2 * v * (v @ x) / (v @ v)


def reflect_vjp(v, x, grad_output):
    g = grad_output
    n, vx, vg = v @ v, v @ x, v @ g
    return -2 * (g * vx + x * vg) / n + 4 * v * vx * vg / n**2, g - 2 * v * vg / n


def reflect_vjp_unit(v, x, grad_output):
    g = grad_output
    n, vx, vg = v @ v, v @ x, v @ g
    return -2 * (g * vx + x * vg) / n, g - 2 * v * vg / n


pair("householder: norm", "algebra", reflect, reflect_vjp, reflect_vjp_unit, "the normalisation is taken for a constant", "vjp", examples=[((2,), (2,))], domain={"v": lambda rng, shape: rng.normal(size=shape) + np.array([2.0] + [0.0] * (shape[0] - 1))})


def sylvester(a, b, c):
    return linalg.solve_sylvester(a, b, c)


def sylvester_vjp(a, b, c, grad_output):
    x = linalg.solve_sylvester(a, b, c)
    s = linalg.solve_sylvester(a.T, b.T, grad_output)
    return -s @ x.T, -x.T @ s, s


def sylvester_vjp_order(a, b, c, grad_output):
    x = linalg.solve_sylvester(a, b, c)
    s = linalg.solve_sylvester(a.T, b.T, grad_output)
    return -s @ x.T, -s @ x.T, s


pair("sylvester: second matrix", "algebra", sylvester, sylvester_vjp, sylvester_vjp_order, "the order of factors; the same where they commute", "vjp", examples=[((2, 2), (2, 2), (2, 2))], domain={"a": well, "b": well})

# Rotations


def rotate_by_quaternion(q, p):
    """Rotation by a quaternion (w, x, y, z) that need not be of unit length."""
    w, v = q[0], q[1:]
    n = q @ q
    return p + 2 * (w * np.cross(v, p) + np.cross(v, np.cross(v, p))) / n


def rotate_by_quaternion_vjp(q, p, grad_output):
    g = grad_output
    w, v = q[0], q[1:]
    n = q @ q
    vp, vg = np.cross(v, p), np.cross(v, g)
    inner = g @ (w * vp + np.cross(v, vp))
    gw = g @ vp
    gv = w * np.cross(p, g) + np.cross(vp, g) + np.cross(p, np.cross(g, v))
    gq = 2 * np.concatenate([[gw], gv]) / n - 4 * q * inner / n**2
    return gq, g + 2 * (-w * vg + np.cross(v, vg)) / n


def rotate_by_quaternion_vjp_unit(q, p, grad_output):
    g = grad_output
    gq, gp = rotate_by_quaternion_vjp(q, p, g)
    w, v = q[0], q[1:]
    vp = np.cross(v, p)
    n = q @ q
    return gq + 4 * q * (g @ (w * vp + np.cross(v, vp))) / n**2, gp


pair("quaternion: length", "algebra", rotate_by_quaternion, rotate_by_quaternion_vjp, rotate_by_quaternion_vjp_unit, "the quaternion is taken to be of unit length", "vjp", examples=[((4,), (3,))], domain={"q": lambda rng, shape: rng.normal(size=4) + np.array([2.0, 0, 0, 0])})


def planar_frame(a):
    """Two vectors made orthonormal one after the other."""
    u = a[0] / np.sqrt(a[0] @ a[0])
    w = a[1] - (u @ a[1]) * u
    return np.stack([u, w / np.sqrt(w @ w)])


def planar_frame_vjp(a, grad_output):
    na = np.sqrt(a[0] @ a[0])
    u = a[0] / na
    s = u @ a[1]
    w = a[1] - s * u
    nw = np.sqrt(w @ w)
    v = w / nw
    gw = (grad_output[1] - v * (v @ grad_output[1])) / nw
    gu = grad_output[0] - s * gw - (u @ gw) * a[1]
    return np.stack([(gu - u * (u @ gu)) / na, gw - (u @ gw) * u])


def planar_frame_vjp_scale(a, grad_output):
    na = np.sqrt(a[0] @ a[0])
    u = a[0] / na
    s = u @ a[1]
    w = a[1] - s * u
    nw = np.sqrt(w @ w)
    v = w / nw
    gw = (grad_output[1] - v * (v @ grad_output[1])) / nw
    gu = grad_output[0] - s * gw
    return np.stack([(gu - u * (u @ gu)) / na, gw - (u @ gw) * u])


pair("gram-schmidt: coefficient", "algebra", planar_frame, planar_frame_vjp, planar_frame_vjp_scale, "the coefficient u.a depends on u too", "vjp", examples=[((2, 3),)], domain=[well])


def turn(w):
    """A unit vector turned by a rotation vector (Rodrigues)."""
    t = np.sqrt(w @ w)
    e = np.array([0.0, 0.0, 1.0])
    a = np.sinc(t / np.pi)
    b = 0.5 * np.sinc(t / (2 * np.pi)) ** 2
    return e + a * np.cross(w, e) + b * np.cross(w, np.cross(w, e))


def turn_vjp(w, grad_output):
    g = grad_output
    t2 = w @ w
    t = np.sqrt(t2)
    e = np.array([0.0, 0.0, 1.0])
    a, b = np.sinc(t / np.pi), 0.5 * np.sinc(t / (2 * np.pi)) ** 2
    if t < 0.5:  # (da/dt)/t and (db/dt)/t by their series
        da = sum((-1) ** k * 2 * k * t2 ** (k - 1) / math.factorial(2 * k + 1) for k in range(1, 9))
        db = sum((-1) ** k * 2 * k * t2 ** (k - 1) / math.factorial(2 * k + 2) for k in range(1, 9))
    else:
        da = (np.cos(t) - a) / t2
        db = (a - 2 * b) / t2
    we = np.cross(w, e)
    wwe = np.cross(w, we)
    gw = a * np.cross(e, g) + b * (np.cross(we, g) + np.cross(e, np.cross(g, w)))
    return gw + w * (da * (g @ we) + db * (g @ wwe))


def turn_vjp_nan(w, grad_output):
    g = grad_output
    t2 = w @ w
    t = np.sqrt(t2)
    e = np.array([0.0, 0.0, 1.0])
    a, b = np.sinc(t / np.pi), 0.5 * np.sinc(t / (2 * np.pi)) ** 2
    we = np.cross(w, e)
    wwe = np.cross(w, we)
    gw = a * np.cross(e, g) + b * (np.cross(we, g) + np.cross(e, np.cross(g, w)))
    return gw + w * ((np.cos(t) - a) / t2 * (g @ we) + (a - 2 * b) / t2 * (g @ wwe))


pair("rotation vector: zero", "floats", turn, turn_vjp, turn_vjp_nan, "0/0 without a rotation", "vjp", examples=[((3,),)], domain=[(-2, 2)])

# Signals


def dct(x):
    return np.sqrt(2 / len(x)) * np.array([np.sum(x * np.cos(np.pi * k * (2 * np.arange(len(x)) + 1) / (2 * len(x)))) / (np.sqrt(2) if k == 0 else 1) for k in range(len(x))])


def dct_vjp(x, grad_output):
    n = len(x)
    k = np.arange(n)
    basis = np.cos(np.pi * np.outer(k, 2 * k + 1) / (2 * n)) * math.sqrt(2 / n)
    basis[0] /= math.sqrt(2)
    return grad_output @ basis


def dct_vjp_first(x, grad_output):
    n = len(x)
    k = np.arange(n)
    basis = np.cos(np.pi * np.outer(k, 2 * k + 1) / (2 * n)) * math.sqrt(2 / n)
    return grad_output @ basis - (1 - 0.7071) * grad_output[0] * basis[0]


pair("dct: first coefficient", "algebra", dct, dct_vjp, dct_vjp_first, "1/sqrt(2) of four digits", "vjp", examples=[((3,),), ((1,),)])


def recursive_filter(x, a, b):
    """y[t] = b0 x[t] + b1 x[t-1] - a y[t-1]."""
    y, out = 0.0, []
    for t in range(len(x)):
        y = b[0] * x[t] + (b[1] * x[t - 1] if t else 0.0) - a * y
        out.append(y)
    return np.array(out)


def recursive_filter_vjp(x, a, b, grad_output):
    y = recursive_filter(x, a, b)
    gx, ga, gb = np.zeros(len(x)), 0.0, np.zeros(2)
    carry = 0.0
    for t in range(len(x) - 1, -1, -1):
        g = grad_output[t] - a * carry
        gb[0] += g * x[t]
        gx[t] += g * b[0]
        if t:
            gb[1] += g * x[t - 1]
            gx[t - 1] += g * b[1]
            ga = ga - g * y[t - 1]
        carry = g
    return gx, ga, gb


def recursive_filter_vjp_wrap(x, a, b, grad_output):
    y = recursive_filter(x, a, b)
    gx, ga, gb = np.zeros(len(x)), 0.0, np.zeros(2)
    carry = 0.0
    for t in range(len(x) - 1, -1, -1):
        g = grad_output[t] - a * carry
        gb += g * np.array([x[t], x[t - 1]])  # index -1 is the last entry
        gx[t] += g * b[0]
        gx[t - 1] += g * b[1]
        ga = ga - g * (y[t - 1] if t else 0.0)
        carry = g
    return gx, ga, gb


pair("recursive filter: before the start", "algebra", recursive_filter, recursive_filter_vjp, recursive_filter_vjp_wrap, "the entry before the first is taken to be the last", "vjp", examples=[((3,), (), (2,))], domain={"a": (-0.9, 0.9)})


def decibels(x, *, power=True, floor=1e-10):
    return (10 if power else 20) * np.log10(np.maximum(np.abs(x), floor))


def decibels_vjp(x, grad_output, *, power=True, floor=1e-10):
    scale = (10 if power else 20) / math.log(10)
    big = np.abs(x) > floor
    return grad_output * np.where(big, scale / np.where(big, x, 1.0), 0.0)


def decibels_vjp_ten(x, grad_output, *, power=True, floor=1e-10):
    big = np.abs(x) > floor
    return grad_output * np.where(big, 10 / math.log(10) / np.where(big, x, 1.0), 0.0)


pair("decibels: amplitude", "algebra", decibels, decibels_vjp, decibels_vjp_ten, "the factor of a power for an amplitude", "vjp", examples=[((2,), {"power": True}), ((2,), {"power": False})])


def de_casteljau(p, t):
    q = p
    while len(q) > 1:
        q = (1 - t) * q[:-1] + t * q[1:]
    return q[0]


def de_casteljau_vjp(p, t, grad_output):
    n = len(p) - 1
    weight = np.array([special.comb(n, k) * t**k * (1 - t) ** (n - k) for k in range(n + 1)])
    speed = n * de_casteljau(p[1:] - p[:-1], t) if n else 0.0 * p[0]
    return weight[:, None] * grad_output, speed @ grad_output


def de_casteljau_vjp_degree(p, t, grad_output):
    n = len(p) - 1
    weight = np.array([special.comb(n, k) * t**k * (1 - t) ** (n - k) for k in range(n + 1)])
    speed = len(p) * de_casteljau(p[1:] - p[:-1], t) if n > 1 else p[-1] - p[0]
    return weight[:, None] * grad_output, speed @ grad_output


pair("bezier curve: degree", "algebra", de_casteljau, de_casteljau_vjp, de_casteljau_vjp_degree, "the number of points for the degree, but for a line", "vjp", examples=[((2, 2), ()), ((3, 2), ())], domain={"t": (0, 1)})
