"""Right gradients that are zero by an identity, come from another method, or use functions that are seldom met."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import linalg, optimize, special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def right(name, f, why, kind="algebra", **options):
    CASES.append(trap(f"second-pair: {name}", kind, f, why, **options))


def total_probability(x):
    return special.softmax(x).sum()


def total_probability_grad(x):
    p = special.softmax(x)
    return p - p * p.sum()


right("softmax summed", total_probability, "one, whatever x; the gradient is rounding", kind="floats", grad=total_probability_grad, examples=[((3,),)])


def unit_norm(x):
    u = x / np.sqrt(x @ x)
    return u @ u


def unit_norm_grad(x):
    n = np.sqrt(x @ x)
    u = x / n
    return (2 * u - u * (2 * u @ u)) / n


right("norm of a unit vector", unit_norm, "one, whatever x", kind="floats", grad=unit_norm_grad, examples=[((3,),)])


def pythagoras(x):
    return np.sum(x * (np.sin(x) ** 2 + np.cos(x) ** 2))


right("sine and cosine squared", pythagoras, "the slopes of the squares cancel", kind="floats", grad=lambda x: np.sin(x) ** 2 + np.cos(x) ** 2 + x * (2 * np.sin(x) * np.cos(x) - 2 * np.cos(x) * np.sin(x)), examples=[((3,),)])


def standardised_mean(x, w):
    s = np.sqrt(x.var() + 0.01)
    return np.sum((x - x.mean()) / s) + np.sum(w * x)


def standardised_mean_grad(x, w):
    s = np.sqrt(x.var() + 0.01)
    z = (x - x.mean()) / s
    g = np.ones_like(x)
    return (g - g.mean() - z * np.mean(g * z)) / s + w, x


right("mean of what was centred", standardised_mean, "zero, whatever x", kind="floats", grad=standardised_mean_grad, examples=[((3,), (3,))])


def commutator(A, B):
    return np.trace(A @ B) - np.trace(B @ A) + np.sum(A * A)


right("trace of a commutator", commutator, "zero, whatever A and B", kind="floats", grad=lambda A, B: (B.T - (1.0 * B).T + 2 * A, A.T - A.T), examples=[((2, 2), (2, 2))])


def normalised_twice(p):
    q = p / p.sum()
    return np.sum(q * np.log(q / (q / q.sum()))) + np.sum(q**2)


def normalised_twice_grad(p):
    t = p.sum()
    q = p / t
    g = 2 * q
    return (g - g @ q) / t


right("divergence from itself", normalised_twice, "a term that is zero and whose slope is left out", kind="floats", grad=normalised_twice_grad, examples=[((3,),)], domain=[(0, np.inf)])


def rational(x):
    return np.sum(x * np.exp(-x) / (1 + x * x) + np.sin(3 * x))


def complex_step(x):
    out = np.empty(len(x))
    for i in range(len(x)):
        z = x.astype(complex)
        z[i] += 1e-150j
        out[i] = rational(z).imag / 1e-150
    return out


right("by a complex step", rational, "exact to rounding, by complex numbers", grad=complex_step, examples=[((3,),)], domain=[(-20, 20)])


class Dual:
    """A number with a derivative."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def __mul__(self, other):
        return Dual(self.a * other.a, self.a * other.b + self.b * other.a)

    def __add__(self, other):
        return Dual(self.a + other.a, self.b + other.b)


def horner(x):
    return ((0.3 * x - 1.2) * x + 0.7) * x - 0.1


def dual_grad(x):
    z = Dual(x, 1.0)
    c = [Dual(v, 0.0) for v in (0.3, -1.2, 0.7, -0.1)]
    return (((c[0] * z + c[1]) * z + c[2]) * z + c[3]).b


right("by dual numbers", horner, "a class of its own for the derivative", grad=dual_grad, examples=[((),)])
right("by polyder", lambda x: np.polyval([0.3, -1.2, 0.7, -0.1], x).sum(), "numpy's own derivative of a polynomial", grad=lambda x: np.polyval(np.polyder([0.3, -1.2, 0.7, -0.1]), x), examples=[((3,),)])
right("coefficients of a polynomial", lambda c, x: np.polyval(c, x).sum(), "the Vandermonde matrix", grad=lambda c, x: (np.vander(x, len(c)).sum(axis=0), np.polyval(np.polyder(c), x)), examples=[((3,), (2,))])
right("incomplete gamma function in x", lambda x: special.gammainc(2.5, x).sum(), "its density", grad=lambda x: np.exp(1.5 * np.log(x) - x - special.gammaln(2.5)), examples=[((2,),)], domain=[(0.1, 30)])
right("incomplete beta function in x", lambda x: special.betainc(2.0, 3.5, x).sum(), "its density", grad=lambda x: x * (1 - x) ** 2.5 / special.beta(2.0, 3.5), examples=[((2,),)], domain=[(0, 1)])
right("complete elliptic integral", lambda m: special.ellipk(m).sum(), "the derivative by both kinds", grad=lambda m: (special.ellipe(m) - (1 - m) * special.ellipk(m)) / (2 * m * (1 - m)), examples=[((2,),)], domain=[(0.1, 0.9)])
right("bessel function of order 1", lambda x: special.j1(x).sum(), "half of the difference of neighbours", grad=lambda x: (special.j0(x) - special.jv(2, x)) / 2, examples=[((2,),)], domain=[(-30, 30)])
right("lambert w", lambda x: special.lambertw(x).real.sum(), "w / (x (1 + w)), one at zero", grad=lambda x: 1 / (np.exp(special.lambertw(x).real) * (1 + special.lambertw(x).real)), examples=[((2,),)], domain=[(-0.3, 50)])
right("scaled complementary error function", lambda x: special.erfcx(x).sum(), "2 x erfcx(x) - 2/sqrt(pi), which cancels for large x", kind="floats", grad=lambda x: 2 * x * special.erfcx(x) - 2 / math.sqrt(math.pi), examples=[((2,),)], domain=[(-5, 20)])
right("dawson's integral", lambda x: special.dawsn(x).sum(), "1 - 2 x F(x), which cancels for large x", kind="floats", grad=lambda x: 1 - 2 * x * special.dawsn(x), examples=[((2,),)], domain=[(-20, 20)])
right("exponential integral", lambda x: special.expn(2, x).sum(), "minus the order below", grad=lambda x: -special.expn(1, x), examples=[((2,),)], domain=[(0.1, 30)])
right("digamma: trigamma", lambda x: special.digamma(x).sum(), "polygamma of order 1", grad=lambda x: special.polygamma(1, x), examples=[((2,),)], domain=[(0.1, 50)])


def root_of(a):
    """The root of z exp(z) + z = a by Brent's method."""
    return optimize.brentq(lambda z: z * math.exp(z) + z - float(a), -1, 20, xtol=1e-15, rtol=1e-15)


right("brent's root", root_of, "the implicit function", grad=lambda a: 1 / ((1 + root_of(a)) * math.exp(root_of(a)) + 1), examples=[((),)], domain=[(-0.5, 100)])


def lyapunov_trace(A):
    """Trace of the solution of A X + X A' = -I."""
    return np.trace(linalg.solve_continuous_lyapunov(A - 4 * np.eye(2), -np.eye(2)))


def lyapunov_trace_grad(A):
    M = A - 4 * np.eye(2)
    X = linalg.solve_continuous_lyapunov(M, -np.eye(2))
    Y = linalg.solve_continuous_lyapunov(M.T, -np.eye(2))
    return 2 * Y @ X


right("lyapunov equation", lyapunov_trace, "the adjoint equation", grad=lyapunov_trace_grad, examples=[((2, 2),)], domain=[(-1, 1)])


def expm_trace(A):
    return np.trace(linalg.expm(A))


right("trace of the matrix exponential", expm_trace, "its transpose", grad=lambda A: linalg.expm(A).T, examples=[((2, 2),)], domain=[(-2, 2)])


def quadrature(x):
    """Gauss-Legendre quadrature of cos(x t^2) over (0, 1)."""
    t, w = np.polynomial.legendre.leggauss(12)
    t, w = (t + 1) / 2, w / 2
    return np.sum(w * np.cos(np.multiply.outer(x, t * t)))


def quadrature_grad(x):
    t, w = np.polynomial.legendre.leggauss(12)
    t, w = (t + 1) / 2, w / 2
    return -np.sin(np.multiply.outer(x, t * t)) @ (w * t * t)


right("gauss-legendre quadrature", quadrature, "nodes and weights are constants", grad=quadrature_grad, examples=[((2,),)])
right("trapezoid of a gradient", lambda x: np.trapezoid(x**2, dx=0.1) + np.sum(np.gradient(x, 0.1) ** 2), "numpy's trapezoid and gradient", grad=lambda x: 0.1 * 2 * x * np.array([0.5, *([1.0] * (len(x) - 2)), 0.5]) + 2 * np.gradient(np.eye(len(x)), 0.1, axis=0).T @ np.gradient(x, 0.1), examples=[((4,),)])
right("kronecker product", lambda a, b: np.sum(np.kron(a, b) ** 2), "a product of two norms", grad=lambda a, b: (2 * a * np.sum(b * b), 2 * b * np.sum(a * a)), examples=[((2, 2), (2,))])
