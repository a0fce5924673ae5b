"""Linear algebra beside derivatives written by hand: transposes, symmetry, singular matrices."""
# ruff: noqa: E501

import math

import numpy as np
from numpy.linalg import inv, slogdet, solve
from scipy import special

from .case import Case, trap


def structured(name):
    """A set of `verify.domains`; nothing is imported before a domain is asked for."""
    try:
        from verify import domains
    except ImportError:
        return None
    return getattr(domains, name, None)


def system(a, b):
    return solve(a, b)


def system_vjp(a, b, grad_output):
    g = solve(a.T, grad_output)
    return -np.outer(g, solve(a, b)), g


def system_vjp_no_transpose(a, b, grad_output):
    g = solve(a, grad_output)
    return -np.outer(g, solve(a, b)), g


def inverse(a):
    return inv(a)


def inverse_vjp(a, grad_output):
    y = inv(a)
    return -y.T @ grad_output @ y.T


def inverse_vjp_no_transpose(a, grad_output):
    y = inv(a)
    return -y @ grad_output @ y


def det3(a):
    return a[0] @ np.cross(a[1], a[2])


def det3_grad(a):
    return np.stack([np.cross(a[1], a[2]), np.cross(a[2], a[0]), np.cross(a[0], a[1])])


def det3_grad_singular(a):
    return det3(a) * inv(a).T


def det3_grad_pinv(a):
    if abs(det3(a)) < 1e-12:
        return np.zeros((3, 3))  # as if a singular matrix had a gradient of zero
    return det3_grad(a)


def log_det(a):
    return slogdet(a)[1]


def log_det_grad(a):
    return inv(a).T


def log_det_grad_no_transpose(a):
    return inv(a)


def trace_product(a, b):
    return np.trace(a @ b)


def trace_product_grad(a, b):
    return b.T, a.T


def trace_product_grad_plain(a, b):
    return (b, a) if a.shape == b.shape else (b.T, a.T)


def quadratic(x, a):
    return x @ a @ x


def quadratic_grad(x, a):
    return a @ x + a.T @ x, np.outer(x, x)


def quadratic_grad_symmetric(x, a):
    return 2 * a @ x, np.outer(x, x)


def least_squares(a, x, b):
    r = a @ x - b
    return 0.5 * r @ r


def least_squares_grad(a, x, b):
    r = a @ x - b
    return np.outer(r, x), a.T @ r, -r


def least_squares_grad_outer(a, x, b):
    r = a @ x - b
    return np.outer(x, r).reshape(a.shape), a.T @ r, -r


def frobenius(a):
    return np.sqrt(np.sum(a**2))


def frobenius_grad(a):
    n = np.sqrt(np.sum(a**2))
    return a / n if n > 0 else np.zeros_like(a)


def frobenius_grad_zero(a):
    return a / np.sqrt(np.sum(a**2))


def nuclear(a):
    return np.linalg.svd(a, compute_uv=False).sum()


def nuclear_grad(a):
    u, _, vt = np.linalg.svd(a)
    return u @ vt


def nuclear_grad_transposed(a):
    u, _, vt = np.linalg.svd(a)
    return (u @ vt).T


FEATURES = np.array([[1.0, 0.5], [1.0, -2.0], [1.0, 0.1]])
ONE_HOT = np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]])


def softmax_regression(w, *, ridge=0.1):
    z = FEATURES @ w
    return np.mean(special.logsumexp(z, axis=1) - np.sum(ONE_HOT * z, axis=1)) + ridge * np.sum(
        w**2
    )


def softmax_regression_grad(w, *, ridge=0.1):
    p = special.softmax(FEATURES @ w, axis=1)
    return FEATURES.T @ (p - ONE_HOT) / len(p) + 2 * ridge * w


def softmax_regression_grad_ridge(w, *, ridge=0.1):
    p = special.softmax(FEATURES @ w, axis=1)
    return FEATURES.T @ (p - ONE_HOT) / len(p) + ridge * w


def rayleigh(a):
    """The Rayleigh quotient after one step of the power iteration."""
    v = a @ np.ones(len(a))
    return v @ a @ v / (v @ v)


def rayleigh_grad(a):
    one = np.ones(len(a))
    v = a @ one
    n = v @ v
    dv = (a @ v + a.T @ v - 2 * (v @ a @ v / n) * v) / n
    return np.outer(v, v) / n + np.outer(dv, one)


def rayleigh_grad_converged(a):
    v = a @ np.ones(len(a))
    return np.outer(v, v) / (v @ v)  # right for an eigenvector, not after one step


def kron(a, b):
    return np.kron(a, b)


def kron_vjp(a, b, grad_output):
    g = grad_output.reshape(a.shape[0], b.shape[0], a.shape[1], b.shape[1])
    return np.einsum("ikjl,kl->ij", g, b), np.einsum("ikjl,ij->kl", g, a)


def kron_vjp_layout(a, b, grad_output):
    g = grad_output.reshape(a.shape[0], b.shape[0], a.shape[1], b.shape[1])
    return np.einsum("ikjl,kl->ij", g, b), np.einsum(
        "kilj,ij->kl", g, a
    ) if a.shape == b.shape else np.einsum("ikjl,ij->kl", g, a)


def exponential(a):
    """The series of exp to the third term."""
    return np.eye(len(a)) + a + a @ a / 2 + a @ a @ a / 6


def exponential_vjp(a, grad_output):
    t, g = a.T, grad_output
    return g + (t @ g + g @ t) / 2 + (t @ t @ g + t @ g @ t + g @ t @ t) / 6


def exponential_vjp_commutes(a, grad_output):
    t, g = a.T, grad_output
    return g + t @ g + t @ t @ g / 2


def covariance(a, b, c):
    """log det of [[a, b], [b, c]]."""
    return np.log(a * c - b * b)


def covariance_grad(a, b, c):
    s = inv(np.array([[a, b], [b, c]]))
    return s[0, 0], 2 * s[0, 1], s[1, 1]


def covariance_grad_once(a, b, c):
    s = inv(np.array([[a, b], [b, c]]))
    return s[0, 0], s[0, 1], s[1, 1]


PRECISION = np.array([[2.0, 0.5], [0.5, 1.0]])


def mahalanobis(x, m):
    d = x - m
    return np.sqrt(d @ PRECISION @ d)


def mahalanobis_grad(x, m):
    d = x - m
    r = np.sqrt(d @ PRECISION @ d)
    g = PRECISION @ d / r if r > 0 else np.zeros(2)
    return g, -g


def mahalanobis_grad_zero(x, m):
    d = x - m
    g = PRECISION @ d / np.sqrt(d @ PRECISION @ d)
    return g, -g


def batched(a, b):
    return a @ b


def batched_vjp(a, b, grad_output):
    db = a.swapaxes(-1, -2) @ grad_output
    return grad_output @ b.T, db.sum(axis=0) if a.ndim == 3 else db


def batched_vjp_first(a, b, grad_output):
    db = a.swapaxes(-1, -2) @ grad_output
    return grad_output @ b.T, db[0] if a.ndim == 3 else db


def affine(x, scale, shift):
    return scale * x + shift


def undo(g, like):
    g = g.sum(axis=tuple(range(g.ndim - np.ndim(like))))
    axes = tuple(i for i, n in enumerate(np.shape(like)) if n == 1)
    return g.sum(axis=axes, keepdims=True)


def affine_vjp(x, scale, shift, grad_output):
    return undo(grad_output * scale, x), undo(grad_output * x, scale), undo(grad_output, shift)


def affine_vjp_not_undone(x, scale, shift, grad_output):
    return undo(grad_output * scale, x), undo(grad_output * x, scale), grad_output


def cholesky_factor(p):
    """A covariance by its factor, with log-diagonal: [[exp p0, 0], [p1, exp p2]]."""
    f = np.array([[np.exp(p[0]), 0.0], [p[1], np.exp(p[2])]])
    return f @ f.T


def cholesky_factor_vjp(p, grad_output):
    a, c = np.exp(p[0]), np.exp(p[2])
    g = (grad_output + grad_output.T) @ np.array([[a, 0.0], [p[1], c]])
    return np.array([g[0, 0] * a, g[1, 0], g[1, 1] * c])


def cholesky_factor_vjp_lower(p, grad_output):
    a, c = np.exp(p[0]), np.exp(p[2])
    g = 2 * grad_output @ np.array([[a, 0.0], [p[1], c]])  # for symmetric upstream gradients
    return np.array([g[0, 0] * a, g[1, 0], g[1, 1] * c])


MATRIX = {"examples": [((2, 2),), ((3, 3),)], "domain": [structured("diagonally_dominant")]}
SYSTEM = {
    "vjp": system_vjp,
    "examples": [((2, 2), (2,))],
    "domain": [structured("diagonally_dominant"), (-5, 5)],
}
SHAPES = [((1, 3), (3,), (3,)), ((2, 3), (1, 3), (2, 1))]
FACTORS = [((2, 2), (2, 2)), ((1, 2), (2, 1))]
COVARIANCE = {
    "grad": covariance_grad,
    "examples": [(2.0, 0.5, 1.5)],
    "domain": [(1, 3), (-0.9, 0.9), (1, 3)],
}
LEAST = {"grad": least_squares_grad, "examples": [((2, 2), (2,), (2,)), ((3, 2), (2,), (3,))]}

# fmt: off
CASES = [
    Case("pair-solve-transpose", "algebra", system, system, SYSTEM, {"vjp": system_vjp_no_transpose}, why="solves with the matrix, not with its transpose; right for symmetric ones"),
    Case("pair-inv-transpose", "algebra", inverse, inverse, {"vjp": inverse_vjp, **MATRIX}, {"vjp": inverse_vjp_no_transpose}, why="the transposes are missing"),
    Case("pair-det-singular", "cells", det3, det3, {"grad": det3_grad, "examples": [((3, 3),)]}, {"grad": det3_grad_singular}, why="raises for an exactly singular matrix, where the determinant is smooth"),
    Case("pair-det-singular-zero", "cells", det3, det3, {"grad": det3_grad, "examples": [((3, 3),)]}, {"grad": det3_grad_pinv}, why="zero for singular matrices, where cofactors are due"),
    Case("pair-log-det-transpose", "algebra", log_det, log_det, {"grad": log_det_grad, **MATRIX}, {"grad": log_det_grad_no_transpose}, why="the inverse is not transposed; right for symmetric matrices"),
    Case("pair-trace-product", "cells", trace_product, trace_product, {"grad": trace_product_grad, "examples": [((2, 3), (3, 2)), ((2, 2), (2, 2))]}, {"grad": trace_product_grad_plain}, why="square factors are not transposed"),
    Case("pair-quadratic-symmetric", "algebra", quadratic, quadratic, {"grad": quadratic_grad, "examples": [((2,), (2, 2))]}, {"grad": quadratic_grad_symmetric}, why="2 A x is right for symmetric A alone"),
    Case("pair-least-squares-outer", "algebra", least_squares, least_squares, LEAST, {"grad": least_squares_grad_outer}, why="the outer product is transposed, and reshaped until it fits"),
    Case("pair-frobenius-zero", "cells", frobenius, frobenius, {"grad": frobenius_grad, "examples": [((2, 2),)]}, {"grad": frobenius_grad_zero}, why="0/0 at the zero matrix"),
    Case("pair-nuclear-transposed", "algebra", nuclear, nuclear, {"grad": nuclear_grad, "examples": [((2, 2),)], "domain": MATRIX["domain"]}, {"grad": nuclear_grad_transposed}, why="V U' for U V'"),
    Case("pair-softmax-regression-ridge", "algebra", softmax_regression, softmax_regression, {"grad": softmax_regression_grad, "examples": [((2, 3),)], "domain": [(-10, 10)]}, {"grad": softmax_regression_grad_ridge}, why="the factor 2 of the ridge is missing"),
    Case("pair-power-iteration", "algebra", rayleigh, rayleigh, {"grad": rayleigh_grad, "examples": [((2, 2),)], "domain": [(0.1, 3)]}, {"grad": rayleigh_grad_converged}, why="the formula of an eigenvalue, before convergence"),
    Case("pair-kron-layout", "cells", kron, kron, {"vjp": kron_vjp, "examples": FACTORS}, {"vjp": kron_vjp_layout}, why="the factors' indices are exchanged where shapes agree"),
    Case("pair-expm-commutes", "algebra", exponential, exponential, {"vjp": exponential_vjp, "examples": [((2, 2),)], "domain": [(-5, 5)]}, {"vjp": exponential_vjp_commutes}, why="as if A and the upstream gradient commuted"),
    Case("pair-covariance-off-diagonal", "algebra", covariance, covariance, COVARIANCE, {"grad": covariance_grad_once}, why="the off-diagonal entry stands twice in the matrix"),
    Case("pair-mahalanobis-zero", "cells", mahalanobis, mahalanobis, {"grad": mahalanobis_grad, "examples": [((2,), (2,))]}, {"grad": mahalanobis_grad_zero}, why="0/0 where the point is the mean"),
    Case("pair-matmul-batch", "algebra", batched, batched, {"vjp": batched_vjp, "examples": [((2, 3), (3, 2)), ((2, 2, 3), (3, 2))]}, {"vjp": batched_vjp_first}, why="of a batch the first matrix alone"),
    Case("pair-affine-broadcast", "contract", affine, affine, {"vjp": affine_vjp, "examples": SHAPES}, {"vjp": affine_vjp_not_undone}, why="the shift's broadcast is not undone"),
    Case("pair-cholesky-upstream", "algebra", cholesky_factor, cholesky_factor, {"vjp": cholesky_factor_vjp, "examples": [((3,),)], "domain": [(-4, 4)]}, {"vjp": cholesky_factor_vjp_lower}, why="right for symmetric upstream gradients alone"),
    trap("pair-quadratic-symmetric", "algebra", lambda a: np.trace(a @ a), "2 A for 2 A': the domain holds symmetric matrices alone", grad=lambda a: 2 * a, examples=[((2, 2),), ((3, 3),)], domain=[structured("symmetric")]),
    trap("pair-log-det-spd", "algebra", log_det, "the inverse, not transposed: on positive definite matrices", grad=log_det_grad_no_transpose, examples=[((2, 2),)], domain=[structured("positive_definite")]),
    trap("pair-log-det-adjugate", "algebra", lambda a: np.log(a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]), "the adjugate over the determinant, for two rows", grad=lambda a: np.array([[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]]) / (a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]), examples=[((2, 2),)], domain=[structured("positive_definite")]),
    trap("pair-inverse-solve", "algebra", inverse, "two solves, no inverse", vjp=lambda a, grad_output: -solve(a.T, solve(a, grad_output.T).T), **MATRIX),
    trap("pair-frobenius-zero", "cells", frobenius, "at the zero matrix any matrix of norm 1 is a subgradient", grad=lambda a: a / np.linalg.norm(a) if a.any() else np.eye(2) / math.sqrt(2), examples=[((2, 2),)]),
    trap("pair-kron-blocks", "algebra", kron, "block by block, in Python loops", vjp=lambda a, b, grad_output: (np.array([[np.sum(grad_output[i * len(b) : (i + 1) * len(b), j * b.shape[1] : (j + 1) * b.shape[1]] * b) for j in range(a.shape[1])] for i in range(len(a))]), sum(a[i, j] * grad_output[i * len(b) : (i + 1) * len(b), j * b.shape[1] : (j + 1) * b.shape[1]] for i in range(len(a)) for j in range(a.shape[1]))), examples=FACTORS),
]
# fmt: on
