"""Physics, geometry and test functions of optimisation beside gradients written by hand."""
# ruff: noqa: E501

import math

import numpy as np

from .case import Case, trap

INF = math.inf


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_grad(x):
    r = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[:-1] = -400 * r * x[:-1] - 2 * (1 - x[:-1])
    g[1:] += 200 * r
    return g


def rosenbrock_grad_assigns(x):
    r = x[1:] - x[:-1] ** 2
    g = np.zeros_like(x)
    g[:-1] = -400 * r * x[:-1] - 2 * (1 - x[:-1])
    g[1:] = 200 * r
    return g


def rosenbrock_grad_last(x):
    g = rosenbrock_grad(x)
    g[-1] = 200 * (x[-1] - x[0] ** 2)  # right for two variables
    return g


def rastrigin(x):
    return 10 * len(x) + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


def rastrigin_grad(x):
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)


def rastrigin_grad_digits(x):
    return 2 * x + 62.8318530 * np.sin(2 * np.pi * x)


def ackley(x):
    n = len(x)
    return -20 * np.exp(-0.2 * np.sqrt(x @ x / n)) - np.exp(np.sum(np.cos(2 * np.pi * x)) / n)


def ackley_grad(x):
    n, r = len(x), math.sqrt(x @ x / len(x))
    bowl = 4 * math.exp(-0.2 * r) / (n * r) * x if r > 0 else np.zeros(n)
    return bowl + 2 * np.pi / n * np.sin(2 * np.pi * x) * np.exp(np.sum(np.cos(2 * np.pi * x)) / n)


def ackley_grad_zero(x):
    n, r = len(x), np.sqrt(x @ x / len(x))
    bowl = 4 * np.exp(-0.2 * r) / (n * r) * x
    return bowl + 2 * np.pi / n * np.sin(2 * np.pi * x) * np.exp(np.sum(np.cos(2 * np.pi * x)) / n)


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def beale_grad(x, y):
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    return 2 * (a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1)), 2 * x * (
        a + 2 * b * y + 3 * c * y**2
    )


def beale_grad_power(x, y):
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    return 2 * (a * (y - 1) + b * (y**2 - 1) + c * (y**3 - 1)), 2 * x * (a + 2 * b * y + 3 * c * y)


def himmelblau(p):
    x, y = p
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def himmelblau_grad(p):
    x, y = p
    a, b = x**2 + y - 11, x + y**2 - 7
    return np.array([4 * a * x + 2 * b, 2 * a + 4 * b * y])


def himmelblau_grad_swapped(p):
    x, y = p
    a, b = x**2 + y - 11, x + y**2 - 7
    return np.array([4 * a * x + 2 * b, 2 * b + 4 * a * y])


def normalise(q):
    return q / np.sqrt(np.sum(q * q))


def normalise_vjp(q, grad_output):
    r = np.sqrt(np.sum(q * q))
    u = q / r
    return (grad_output - u * (u @ grad_output)) / r


def normalise_vjp_scale(q, grad_output):
    u = q / np.sqrt(np.sum(q * q))
    return grad_output - u * (u @ grad_output)


def rotation(q):
    """The matrix of a unit quaternion (w, x, y, z)."""
    w, x, y, z = q
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def rotation_vjp(q, grad_output):
    w, x, y, z = q
    g, s = grad_output - grad_output.T, grad_output + grad_output.T
    d = np.diag(grad_output)
    return 2 * np.array([
        x * g[2, 1] + y * g[0, 2] + z * g[1, 0],
        y * s[0, 1] + z * s[0, 2] + w * g[2, 1] - 2 * x * (d[1] + d[2]),
        x * s[0, 1] + z * s[1, 2] + w * g[0, 2] - 2 * y * (d[0] + d[2]),
        x * s[0, 2] + y * s[1, 2] + w * g[1, 0] - 2 * z * (d[0] + d[1]),
    ])  # fmt: skip


def rotation_vjp_one_sign(q, grad_output):
    out = rotation_vjp(q, grad_output)
    out[2] -= 4 * q[0] * (grad_output[0, 2] - grad_output[2, 0])
    return out


def lennard_jones(r, *, cutoff=2.5):
    s6 = (1 / r) ** 6
    return np.sum(np.where(r < cutoff, 4 * (s6**2 - s6), 0.0))


def lennard_jones_grad(r, *, cutoff=2.5):
    s6 = (1 / r) ** 6
    return np.where(r < cutoff, 24 * (s6 - 2 * s6**2) / r, 0.0)


def lennard_jones_grad_cutoff(r, *, cutoff=2.5):
    s6 = (1 / r) ** 6
    return np.where(r < 3.0, 24 * (s6 - 2 * s6**2) / r, 0.0)


def springs(x, *, edges, rest=1.0):
    i, j = edges.T
    return 0.5 * np.sum((np.linalg.norm(x[i] - x[j], axis=1) - rest) ** 2)


def springs_pull(x, edges, rest):
    d = x[edges[:, 0]] - x[edges[:, 1]]
    r = np.linalg.norm(d, axis=1, keepdims=True)
    return np.where(r > 0, (r - rest) / np.where(r > 0, r, 1), 0.0) * d


def springs_grad(x, *, edges, rest=1.0):
    f, g = springs_pull(x, edges, rest), np.zeros_like(x)
    np.add.at(g, edges[:, 0], f)
    np.subtract.at(g, edges[:, 1], f)
    return g


def springs_grad_repeated(x, *, edges, rest=1.0):
    f, g = springs_pull(x, edges, rest), np.zeros_like(x)
    g[edges[:, 0]] += f  # a node with two edges gets the last one alone
    g[edges[:, 1]] -= f
    return g


def bearing(y, x):
    return np.arctan2(y, x)


def bearing_grad(y, x):
    r2 = x * x + y * y
    return x / r2, -y / r2


def bearing_grad_quotient(y, x):
    t = y / x
    return 1 / (x * (1 + t**2)), -t / (x * (1 + t**2))  # fails on the axis x = 0


def angle(u, v):
    return np.arccos(u @ v / np.sqrt((u @ u) * (v @ v)))


def angle_vjp(u, v, grad_output):
    a, b = np.linalg.norm(u), np.linalg.norm(v)
    p, q = u / a, v / b
    c = p @ q
    s = np.sqrt((1 - c) * (1 + c))
    return -grad_output * (q - c * p) / (a * s), -grad_output * (p - c * q) / (b * s)


def angle_vjp_upstream(u, v, grad_output):
    a, b = np.linalg.norm(u), np.linalg.norm(v)
    p, q = u / a, v / b
    c = p @ q
    s = np.sqrt((1 - c) * (1 + c))
    return -(q - c * p) / (a * s), -(p - c * q) / (b * s)


def cross(a, b):
    return np.cross(a, b)


def cross_vjp(a, b, grad_output):
    return np.cross(b, grad_output), np.cross(grad_output, a)


def cross_vjp_order(a, b, grad_output):
    return np.cross(b, grad_output), np.cross(a, grad_output)


def spherical(s):
    r, theta, phi = s
    return np.array(
        [r * np.sin(theta) * np.cos(phi), r * np.sin(theta) * np.sin(phi), r * np.cos(theta)]
    )


def spherical_jac(s):
    r, theta, phi = s
    st, ct, sp, cp = np.sin(theta), np.cos(theta), np.sin(phi), np.cos(phi)
    return np.array(
        [
            [st * cp, r * ct * cp, -r * st * sp],
            [st * sp, r * ct * sp, r * st * cp],
            [ct, -r * st, 0],
        ]
    )


def spherical_jac_transposed(s):
    return spherical_jac(s).T


def pairwise(x):
    return np.abs(x[:, None] - x[None, :])


def pairwise_vjp(x, grad_output):
    s = np.sign(x[:, None] - x[None, :]) * grad_output
    return s.sum(axis=1) - s.sum(axis=0)


def pairwise_vjp_symmetric(x, grad_output):
    return 2 * (np.sign(x[:, None] - x[None, :]) * grad_output).sum(axis=1)


def coulomb(x, y, *, eps=1e-3):
    return 1 / np.sqrt(np.sum((x - y) ** 2) + eps**2)


def coulomb_grad(x, y, *, eps=1e-3):
    d = x - y
    g = -d * (np.sum(d**2) + eps**2) ** -1.5
    return g, -g


def coulomb_grad_hard(x, y, *, eps=1e-3):
    d = x - y
    g = -d * (np.sum(d**2) + 1e-12) ** -1.5
    return g, -g


EDGES = np.array([[0, 1], [1, 2], [0, 2]])
NETWORK = {
    "grad": springs_grad,
    "examples": [((3, 2), {"edges": EDGES[:1]}), ((3, 2), {"edges": EDGES})],
    "domain": {"x": (-100, 100)},
}
QUATERNION = {"examples": [((4,),)], "domain": {"q": (0.1, 5)}}
UPPER = {"examples": [(1.0, 0.5)], "domain": {"y": (0, INF)}}
VECTORS = {"examples": [((3,), (3,))]}


def apart(rng, shape):
    """Two directions that no draw makes parallel: see `also_apart`."""
    return np.array([1.0, 0.0, 0.0]) + rng.uniform(-0.2, 0.2, shape)


def also_apart(rng, shape):
    return np.array([0.0, 2.0, 1.0]) + rng.uniform(-0.2, 0.2, shape)


ANGLE = {"vjp": angle_vjp, **VECTORS, "domain": [apart, also_apart]}

# fmt: off
CASES = [
    Case("pair-rosenbrock-assigns", "algebra", rosenbrock, rosenbrock, {"grad": rosenbrock_grad, "examples": [((2,),), ((4,),)]}, {"grad": rosenbrock_grad_assigns}, why="= where += is meant, for all inner entries"),
    Case("pair-rosenbrock-last", "cells", rosenbrock, rosenbrock, {"grad": rosenbrock_grad, "examples": [((2,),), ((4,),)]}, {"grad": rosenbrock_grad_last}, why="the last entry sees the first: right for two variables"),
    Case("pair-rastrigin-digits", "algebra", rastrigin, rastrigin, {"grad": rastrigin_grad, "examples": [((3,),)], "domain": {"x": (-5.12, 5.12)}}, {"grad": rastrigin_grad_digits}, why="20 pi with nine digits"),
    Case("pair-ackley-minimum", "cells", ackley, ackley, {"grad": ackley_grad, "examples": [((2,),)], "domain": {"x": (-30, 30)}}, {"grad": ackley_grad_zero}, why="0/0 at the minimum, where every search ends"),
    Case("pair-beale-power", "algebra", beale, beale, {"grad": beale_grad, "examples": [(1.0, 2.0)], "domain": [(-4.5, 4.5), (-4.5, 4.5)]}, {"grad": beale_grad_power}, why="3 y for 3 y^2; right at y = 1 and x = 0"),
    Case("pair-himmelblau-swapped", "algebra", himmelblau, himmelblau, {"grad": himmelblau_grad, "examples": [((2,),)]}, {"grad": himmelblau_grad_swapped}, why="the two residuals are swapped in one entry"),
    Case("pair-normalise-scale", "algebra", normalise, normalise, {"vjp": normalise_vjp, **QUATERNION}, {"vjp": normalise_vjp_scale}, why="1/|q| is missing: right for unit quaternions"),
    Case("pair-rotation-sign", "algebra", rotation, rotation, {"vjp": rotation_vjp, "examples": [((4,),)]}, {"vjp": rotation_vjp_one_sign}, why="one sign of one entry"),
    Case("pair-lennard-jones-cutoff", "cells", lennard_jones, lennard_jones, {"grad": lennard_jones_grad, "examples": [((3,),)], "domain": {"r": (0.5, 10)}}, {"grad": lennard_jones_grad_cutoff}, why="a cutoff of its own: wrong in the shell from 2.5 to 3"),
    Case("pair-springs-repeated", "cells", springs, springs, NETWORK, {"grad": springs_grad_repeated}, why="repeated indices: right for a single spring"),
    Case("pair-bearing-axis", "cells", bearing, bearing, {"grad": bearing_grad, **UPPER}, {"grad": bearing_grad_quotient}, why="inf or NaN on the axis x = 0, where the angle is smooth"),
    Case("pair-angle-upstream", "algebra", angle, angle, ANGLE, {"vjp": angle_vjp_upstream}, why="the upstream gradient is ignored"),
    Case("pair-cross-order", "algebra", cross, cross, {"vjp": cross_vjp, **VECTORS}, {"vjp": cross_vjp_order}, why="the factors of a cross product are swapped"),
    Case("pair-spherical-transposed", "algebra", spherical, spherical, {"jac": spherical_jac, "examples": [((3,),)], "domain": {"s": (-10, 10)}}, {"jac": spherical_jac_transposed}, why="the Jacobian is transposed; square, so no shape shows it"),
    Case("pair-pairwise-symmetric", "algebra", pairwise, pairwise, {"vjp": pairwise_vjp, "examples": [((3,),)]}, {"vjp": pairwise_vjp_symmetric}, why="takes the upstream gradient for a symmetric one"),
    Case("pair-coulomb-softening", "cells", coulomb, coulomb, {"grad": coulomb_grad, "examples": [((2,), (2,))]}, {"grad": coulomb_grad_hard}, why="the softening is another one: seen at tiny distances alone"),
    trap("pair-rosenbrock-loop", "algebra", rosenbrock, "entry by entry, with a list", grad=lambda x: [(-400 * x[i] * (x[i + 1] - x[i] ** 2) - 2 * (1 - x[i]) if i + 1 < len(x) else 0.0) + (200 * (x[i] - x[i - 1] ** 2) if i else 0.0) for i in range(len(x))], examples=[((2,),), ((4,),)]),
    trap("pair-bearing-hypot", "floats", bearing, "divided twice by the radius, which never overflows", grad=lambda y, x: (x / math.hypot(x, y) / math.hypot(x, y), -y / math.hypot(x, y) / math.hypot(x, y)), **UPPER),
    trap("pair-pairwise-ties", "cells", pairwise, "|0| on the diagonal always, and at every tie", vjp=pairwise_vjp, examples=[((1,),), ((4,),)]),
    trap("pair-spherical-columns", "algebra", spherical, "built by columns from the point itself", jac=lambda s: np.stack([[np.sin(s[1]) * np.cos(s[2]), np.sin(s[1]) * np.sin(s[2]), np.cos(s[1])], s[0] * np.array([np.cos(s[1]) * np.cos(s[2]), np.cos(s[1]) * np.sin(s[2]), -np.sin(s[1])]), [-spherical(s)[1], spherical(s)[0], 0.0]], axis=1), examples=[((3,),)], domain={"s": (-10, 10)}),
    trap("pair-lennard-jones-jump", "cells", lennard_jones, "the energy jumps at the cutoff: nothing is judged there but the sides", grad=lambda r, *, cutoff=2.5: (24 * r**-7 - 48 * r**-13) * (r <= cutoff), examples=[((3,),)], domain={"r": (0.5, 10)}),
    trap("pair-normalise-projector", "algebra", normalise, "the projector as a matrix, cubes of the norm", vjp=lambda q, grad_output: ((q @ q) * np.eye(4) - np.outer(q, q)) @ grad_output / (q @ q) ** 1.5, **QUATERNION),
]
# fmt: on
