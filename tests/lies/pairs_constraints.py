"""Constraints and residuals with Jacobians, as solvers and optimisers ask for them."""
# ruff: noqa: E501

import math

import numpy as np

from .case import Case, trap


def circle_and_plane(x):
    return np.array([x[0] ** 2 + x[1] ** 2 - 1, x[0] * x[1] - x[2]])


def circle_and_plane_jac(x):
    return np.array([[2 * x[0], 2 * x[1], 0.0], [x[1], x[0], -1.0]])


def circle_and_plane_jac_sign(x):
    return np.array([[2 * x[0], 2 * x[1], 0.0], [x[1], x[0], 1.0]])


def broyden(x):
    y = np.concatenate([[0.0], x, [0.0]])
    return (3 - 2 * x) * x - y[:-2] - 2 * y[2:] + 1


def broyden_jac(x):
    n = len(x)
    return np.diag(3 - 4 * x) - np.eye(n, k=-1) - 2 * np.eye(n, k=1)


def broyden_jac_last(x):
    j = broyden_jac(x)
    j[-1, -1] = 3 - 2 * x[-1]
    return j


def broyden_jac_transposed(x):
    return broyden_jac(x).T


def hs071(x):
    return np.array([np.prod(x), np.sum(x**2)])


def hs071_jac(x):
    return np.stack([[np.prod(np.delete(x, i)) for i in range(len(x))], 2 * x])


def hs071_jac_divides(x):
    return np.stack([np.prod(x) / x, 2 * x])


WEIGHTS = np.array([[1.0, 2.0], [0.5, -1.0]])
LIMITS = np.array([1.0, 2.0])


def linear(x):
    return WEIGHTS @ x - LIMITS


def linear_jac(x):
    return WEIGHTS


def linear_jac_transposed(x):
    return WEIGHTS.T


def links(p):
    """Lengths of a chain of points in the plane: the coordinates stand one after the other."""
    d = np.diff(p.reshape(-1, 2), axis=0)
    return np.sum(d**2, axis=1) - 1


def links_jac(p):
    d = np.diff(p.reshape(-1, 2), axis=0)
    j = np.zeros((len(d), len(p)))
    for i, step in enumerate(d):
        j[i, 2 * i : 2 * i + 2] = -2 * step
        j[i, 2 * i + 2 : 2 * i + 4] = 2 * step
    return j


def links_jac_first(p):
    j = links_jac(p)
    j[1:, :2] = -j[1:, 2:4] * 0  # the first point again, harmless
    for i in range(1, len(j)):
        j[i, 2 * i : 2 * i + 2] = -j[0, 2:4]  # the first link's step in every later one
    return j


def heat(u, *, h=0.25):
    """Residual of -u'' = exp(u) with u = 0 at both ends."""
    v = np.pad(u, 1)
    return (2 * u - v[:-2] - v[2:]) / h**2 - np.exp(u)


def heat_jac(u, *, h=0.25):
    n = len(u)
    return (2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) / h**2 - np.diag(np.exp(u))


def heat_jac_wraps(u, *, h=0.25):
    n = len(u)
    sides = np.roll(np.eye(n), 1, axis=0) + np.eye(n, k=1)
    return (2 * np.eye(n) - sides) / h**2 - np.diag(np.exp(u))


def heat_jac_step(u, *, h=0.25):
    n = len(u)
    return 16 * (2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)) - np.diag(np.exp(u))


def euler_step(new, old, *, dt=0.1):
    """Residual of an implicit step of a predator and its prey."""
    a, b = new
    return new - old - dt * np.array([a - a * b, a * b - b])


def euler_step_jac(new, old, *, dt=0.1):
    a, b = new
    return np.eye(2) - dt * np.array([[1 - b, -a], [b, a - 1]]), -np.eye(2)


def euler_step_jac_old(new, old, *, dt=0.1):
    a, b = old  # linearised at the step's beginning
    return np.eye(2) - dt * np.array([[1 - b, -a], [b, a - 1]]), -np.eye(2)


def fischer_burmeister(a, b):
    return np.hypot(a, b) - a - b


def cosine_less_one(v, w, at_zero=0.0):
    """v/|(v, w)| - 1, without cancellation where w is small."""
    r = np.hypot(v, w)
    safe = np.where(r > 0, r, 1.0)
    front = np.maximum(v, 0)
    return np.where(
        r == 0, at_zero - 1, np.where(v > 0, -w / safe * (w / (safe + front)), v / safe - 1)
    )


def fischer_burmeister_jac(a, b):
    return np.diag(cosine_less_one(a, b)), np.diag(cosine_less_one(b, a))


def fischer_burmeister_jac_bisector(a, b):
    return tuple(np.diag(cosine_less_one(v, w, math.sqrt(0.5))) for v, w in ((a, b), (b, a)))


def fischer_burmeister_jac_zero(a, b):
    with np.errstate(all="ignore"):
        nan = 0 / np.hypot(a, b)
    return np.diag(cosine_less_one(a, b) + nan), np.diag(cosine_less_one(b, a) + nan)


def rosenbrock_residual(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def rosenbrock_residual_jac(x):
    return np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])


def rosenbrock_residual_jac_ints(x):
    return np.array([[int(-20 * round(x[0])), 10], [-1, 0]])  # an integer matrix cuts decimals off


def powell(x):
    a, b, c, d = x
    return np.array(
        [a + 10 * b, np.sqrt(5) * (c - d), (b - 2 * c) ** 2, np.sqrt(10) * (a - d) ** 2]
    )


def powell_jac(x):
    a, b, c, d = x
    p, q = 2 * (b - 2 * c), 2 * np.sqrt(10) * (a - d)
    r = np.sqrt(5)
    return np.array([[1, 10, 0, 0], [0, 0, r, -r], [0, p, -2 * p, 0], [q, 0, 0, -q]])


def powell_jac_inner(x):
    a, b, c, d = x
    p, q = 2 * (b - 2 * c), 2 * np.sqrt(10) * (a - d)
    r = np.sqrt(5)
    return np.array([[1, 10, 0, 0], [0, 0, r, -r], [0, p, p, 0], [q, 0, 0, -q]])


T = np.array([0.5, 1.0, 2.0])


def decay(p):
    return p[0] * np.exp(-p[1] * T)


def decay_jac(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e], axis=1)


def decay_jac_rows(p):
    e = np.exp(-p[1] * T)
    return np.stack([e, -p[0] * T * e]).reshape(3, 2)  # reshaped where it should be transposed


def portfolio(w):
    return np.array([w.sum() - 1, w @ COVARIANCE @ w])


COVARIANCE = np.array([[0.2, 0.05, 0.0], [0.05, 0.1, 0.02], [0.0, 0.02, 0.3]])


def portfolio_jac(w):
    return np.vstack([np.ones(3), 2 * COVARIANCE @ w])


def portfolio_jac_once(w):
    return np.vstack([np.ones(3), COVARIANCE @ w])


def simplex_point(z):
    """n numbers to n + 1 shares: softmax with a reference of 0."""
    e = np.exp(np.append(z, 0.0) - max(z.max(), 0.0))
    return e / e.sum()


def simplex_point_jac(z):
    p = simplex_point(z)
    return (np.diag(p) - np.outer(p, p))[:, :-1]


def simplex_point_jac_square(z):
    p = simplex_point(z)
    j = (np.diag(p) - np.outer(p, p))[:, :-1]
    j[-1] = -p[-1] * (1 - p[-1]) / len(z)  # spreads the reference's row evenly
    return j


PLANE = {"jac": broyden_jac, "examples": [((2,),), ((4,),)]}
HEAT = {"jac": heat_jac, "examples": [((2,), {"h": 0.5}), ((4,),)], "domain": [(-5, 5)]}
CHAIN = {"jac": links_jac, "examples": [((4,),), ((6,),)]}
PAIR = [((2,), (2,))]
FB = {"jac": fischer_burmeister_jac, "examples": PAIR}

# fmt: off
CASES = [
    Case("pair-constraint-sign", "algebra", circle_and_plane, circle_and_plane, {"jac": circle_and_plane_jac, "examples": [((3,),)]}, {"jac": circle_and_plane_jac_sign}, why="the sign of one constant entry"),
    Case("pair-broyden-last", "algebra", broyden, broyden, PLANE, {"jac": broyden_jac_last}, why="the last diagonal entry; right at 0"),
    Case("pair-broyden-transposed", "algebra", broyden, broyden, PLANE, {"jac": broyden_jac_transposed}, why="transposed: the two side diagonals are exchanged"),
    Case("pair-product-divides", "cells", hs071, hs071, {"jac": hs071_jac, "examples": [((4,),)], "domain": [(-5, 5)]}, {"jac": hs071_jac_divides}, why="prod/x is 0/0 at a zero"),
    Case("pair-linear-transposed", "algebra", linear, linear, {"jac": linear_jac, "examples": [((2,),)]}, {"jac": linear_jac_transposed}, why="A' for A, square"),
    Case("pair-links-first", "algebra", links, links, CHAIN, {"jac": links_jac_first}, why="later links take the first one's step: right for two points"),
    Case("pair-heat-step", "algebra", heat, heat, HEAT, {"jac": heat_jac_step}, why="the step width of the default in every grid"),
    Case("pair-heat-wraps", "algebra", heat, heat, HEAT, {"jac": heat_jac_wraps}, why="a corner is filled, as if the ends met"),
    Case("pair-euler-old-state", "algebra", euler_step, euler_step, {"jac": euler_step_jac, "examples": PAIR}, {"jac": euler_step_jac_old}, why="linearised at the old state"),
    Case("pair-fischer-burmeister", "cells", fischer_burmeister, fischer_burmeister, FB, {"jac": fischer_burmeister_jac_zero}, why="0/0 where both are zero: where solvers end"),
    Case("pair-residual-integers", "algebra", rosenbrock_residual, rosenbrock_residual, {"jac": rosenbrock_residual_jac, "examples": [((2,),)], "domain": [(-5, 5)]}, {"jac": rosenbrock_residual_jac_ints}, why="an integer matrix: right at integers alone"),
    Case("pair-powell-inner", "algebra", powell, powell, {"jac": powell_jac, "examples": [((4,),)]}, {"jac": powell_jac_inner}, why="the inner derivative -2 is missing in one entry; right at the minimum"),
    Case("pair-decay-reshaped", "algebra", decay, decay, {"jac": decay_jac, "examples": [((2,),)], "domain": [(-3, 3)]}, {"jac": decay_jac_rows}, why="reshaped where it should be transposed: the shape is right"),
    Case("pair-portfolio-once", "algebra", portfolio, portfolio, {"jac": portfolio_jac, "examples": [((3,),)]}, {"jac": portfolio_jac_once}, why="the variance's factor 2 is missing"),
    Case("pair-simplex-reference", "algebra", simplex_point, simplex_point, {"jac": simplex_point_jac, "examples": [((1,),), ((2,),)], "domain": [(-8, 8)]}, {"jac": simplex_point_jac_square}, why="the reference's row spread evenly: right for one number"),
    trap("pair-jacobian-nested-lists", "contract", circle_and_plane, "nested lists with integer zeros and ones", jac=lambda x: [[2 * x[0], 2 * x[1], 0], [x[1], x[0], -1]], examples=[((3,),)]),
    trap("pair-jacobian-integers", "contract", lambda x: np.array([x[0] + 2 * x[1], 3 * x[0]]), "a constant Jacobian of integer dtype", jac=lambda x: np.array([[1, 2], [3, 0]]), examples=[((2,),)]),
    trap("pair-broyden-loop", "algebra", broyden, "filled entry by entry", jac=lambda x: np.array([[3 - 4 * x[i] if i == j else -1.0 if j == i - 1 else -2.0 if j == i + 1 else 0.0 for j in range(len(x))] for i in range(len(x))]), examples=PLANE["examples"]),
    trap("pair-fischer-burmeister", "cells", fischer_burmeister, "the bisector of the cone at the origin", jac=fischer_burmeister_jac_bisector, examples=PAIR),
    trap("pair-product-prefix", "algebra", hs071, "prefix and suffix products", jac=lambda x: np.array([np.cumprod(np.append(1.0, x))[:-1] * np.cumprod(np.append(1.0, x[::-1]))[:-1][::-1], x + x]), examples=[((4,),)], domain=[(-5, 5)]),
    trap("pair-scalar-jacobian", "contract", lambda x: np.sum(np.sin(x)), "the Jacobian of a scalar is its gradient", jac=lambda x: np.cos(x), examples=[((3,),)], domain=[(-30, 30)]),
]
# fmt: on
