"""What callables take and return: labels, switches, single precision, lists, several outputs, Jacobians of matrices."""
# ruff: noqa: E501

from typing import NamedTuple

import numpy as np
from scipy import special

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="grad", **options):
    CASES.append(
        Case(f"second-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"second-pair: {name}", kind, f, why, **options))


def entropy_loss(logits, labels):
    return np.mean(special.logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels])


def entropy_loss_grad(logits, labels):
    p = special.softmax(logits, axis=1)
    p[np.arange(len(labels)), labels] -= 1
    return p / len(labels), None


def entropy_loss_grad_repeated(logits, labels):
    p = special.softmax(logits, axis=1)
    p[:, labels] -= np.eye(len(labels))
    return p / len(labels), None


pair("integer labels: repeated", "algebra", entropy_loss, entropy_loss_grad, entropy_loss_grad_repeated, "fancy indices of columns: the last of equal labels wins", examples=[((3, 4), np.array([1, 0, 1]))])


def embedding(table, index):
    return np.tanh(table[index]).sum()


def embedding_grad(table, index):
    out = np.zeros_like(table)
    np.add.at(out, index, 1 / np.cosh(table[index]) ** 2)
    return out, None


def embedding_grad_once(table, index):
    out = np.zeros_like(table)
    out[index] += 1 / np.cosh(table[index]) ** 2
    return out, None


pair("embedding: repeated rows", "algebra", embedding, embedding_grad, embedding_grad_once, "+= on a repeated index adds once; no example repeats one", examples=[((4, 2), np.array([2, 0, 3]))])


def masked_mse(x, keep):
    return np.sum(np.where(keep, x * x, 0)) / keep.sum()


right("boolean mask as an argument", "algebra", masked_mse, "no gradient for the mask", grad=lambda x, keep: (np.where(keep, 2 * x, 0) / keep.sum(), None), examples=[((3,), np.array([True, False, True]))])


def reduced(x, y, *, reduction="mean"):
    d = (x - y) ** 2
    return d.mean() if reduction == "mean" else d.sum() if reduction == "sum" else d


def reduced_vjp(x, y, grad_output, *, reduction="mean"):
    g = 2 * (x - y) * grad_output / (x.size if reduction == "mean" else 1)
    return g, -g


def reduced_vjp_always(x, y, grad_output, *, reduction="mean"):
    g = 2 * (x - y) * grad_output / (x.size if reduction != "sum" else 1)
    return g, -g


pair("reduction: none", "algebra", reduced, reduced_vjp, reduced_vjp_always, "without reduction it is still divided", how="vjp", examples=[((3,), (3,), {"reduction": r}) for r in ("mean", "sum", "none")])


def optional(x, weight=None):
    w = np.ones_like(x) if weight is None else weight
    return np.sum(w * np.sin(x))


def optional_grad(x, weight=None):
    if weight is None:
        return np.cos(x)
    return weight * np.cos(x), np.sin(x)


right("optional weight", "contract", optional, "one gradient or two, as there are arguments", grad=optional_grad, examples=[((3,),), ((3,), (3,))])


def several(*xs):
    return sum(np.sum(x) ** 2 for x in xs)


def several_grad(*xs):
    return tuple(np.full(x.shape, 2 * np.sum(x)) for x in xs)


def several_grad_first(*xs):
    return tuple(np.full(x.shape, 2 * np.sum(xs[0] if len(xs) > 2 else x)) for x in xs)


pair("any number of arguments: three", "algebra", several, several_grad, several_grad_first, "with three arguments the first one's sum is used", examples=[((2,), (3,)), ((2,), (2,), (2,))])


def single(x):
    return np.sum(np.exp(x) / (1 + x * x))


def single_grad(x):
    return np.exp(x) * (1 - x) ** 2 / (1 + x * x) ** 2


right("single precision example", "floats", single, "digits of float32 are enough for a float32 input", grad=single_grad, examples=[(np.array([0.5, 1.5, -2.0], dtype=np.float32),)])


def listed(x):
    return [float(x[0]) * float(x[1]), float(x[1]) ** 2]


right("lists of floats", "contract", listed, "lists returned by both", vjp=lambda x, grad_output: [grad_output[0] * x[1], grad_output[0] * x[0] + 2 * grad_output[1] * x[1]], examples=[((2,),)])


def polar(r, t):
    return r * np.cos(t), r * np.sin(t)


def polar_vjp(r, t, grad_output):
    a, b = grad_output
    return a * np.cos(t) + b * np.sin(t), r * (b * np.cos(t) - a * np.sin(t))


pair("two outputs: polar", "algebra", polar, polar_vjp, lambda r, t, grad_output: (polar_vjp(r, t, grad_output)[0], np.abs(r) * (grad_output[1] * np.cos(t) - grad_output[0] * np.sin(t))), "the modulus of the radius", how="vjp", examples=[((2,), (2,))])


class Fit(NamedTuple):
    slope: float
    offset: float


def fitted(y):
    x = np.arange(len(y)) - (len(y) - 1) / 2
    return Fit((x @ y) / (x @ x), y.mean())


def fitted_vjp(y, grad_output):
    x = np.arange(len(y)) - (len(y) - 1) / 2
    return grad_output[0] * x / (x @ x) + grad_output[1] / len(y)


right("a named tuple of outputs", "algebra", fitted, "a named tuple is a tuple", vjp=fitted_vjp, examples=[((4,),)])


def congruence(A, B):
    return A @ B @ A.T


def congruence_jac(A, B):
    n = len(A)
    e = np.eye(n)
    dA = np.einsum("ip,qk,jk->ijpq", e, B, A) + np.einsum("ik,kq,jp->ijpq", A, B, e)
    dB = np.einsum("ip,jq->ijpq", A, A)
    return dA, dB


def congruence_jac_symmetric(A, B):
    n = len(A)
    e = np.eye(n)
    dA = np.einsum("ip,qk,jk->ijpq", e, B, A) + np.einsum("ik,qk,jp->ijpq", A, B, e)
    return dA, np.einsum("ip,jq->ijpq", A, A)


pair("jacobian of a congruence", "algebra", congruence, congruence_jac, congruence_jac_symmetric, "right for symmetric B alone", how="jac", examples=[((2, 3), (3, 3))])


def scalar_jac(x):
    return np.sum(x**3)


right("jacobian of a scalar", "contract", scalar_jac, "shape of the input", jac=lambda x: 3 * x**2, examples=[((2, 2),)])


def outer_jac(x, y):
    return np.outer(x, y)


right("jacobian of an outer product", "algebra", outer_jac, "axes of the output first", jac=lambda x, y: (np.einsum("ip,j->ijp", np.eye(len(x)), y), np.einsum("i,jq->ijq", x, np.eye(len(y)))), examples=[((2,), (3,)), ((2,), (2,))])


def fourier_energy(x):
    """Energy of a chirp-modulated signal through complex intermediates."""
    z = np.exp(0.3j * np.arange(len(x))) * x
    return np.abs(np.fft.fft(z)[1]) ** 2


def fourier_energy_grad(x):
    n = np.arange(len(x))
    a = np.exp(0.3j * n - 2j * np.pi * n / len(x))
    return 2 * (np.conj(a) * (a @ x)).real


def fourier_energy_grad_unconjugated(x):
    n = np.arange(len(x))
    a = np.exp(0.3j * n - 2j * np.pi * n / len(x))
    return 2 * (a * (a @ x)).real


pair("complex intermediate: conjugate", "algebra", fourier_energy, fourier_energy_grad, fourier_energy_grad_unconjugated, "the adjoint without its conjugate", examples=[((4,),)])


def phase(x, y):
    return np.angle(x + 1j * y)


right("angle of a complex number", "cells", phase, "the jump is on the negative axis", vjp=lambda x, y, grad_output: (-grad_output * y / (x * x + y * y), grad_output * x / (x * x + y * y)), examples=[((2,), (2,))])


def packed(theta):
    """A line with noise: theta = (w1, w2, b, log sigma)."""
    w, b, s = theta[:2], theta[2], theta[3]
    r = (np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 1.0]]) @ w + b - np.array([1.0, 0.0, 2.0])) / np.exp(s)
    return 0.5 * np.sum(r * r) + 3 * s


def packed_grad(theta):
    X = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 1.0]])
    e = np.exp(-theta[3])
    r = (X @ theta[:2] + theta[2] - np.array([1.0, 0.0, 2.0])) * e
    return np.concatenate([X.T @ r * e, [r.sum() * e, 3 - r @ r]])


right("packed parameters", "algebra", packed, "four entries with a meaning", grad=packed_grad, examples=[((4,),)])
right("packed parameters: by value", "algebra", packed, "an example by value", grad=packed_grad, examples=[(np.array([0.5, -0.5, 1.0, 0.1]),)])


def scalars(a, b, c):
    """Python floats only."""
    return float(a) * float(b) ** 2 + float(c)


pair("python floats: a dropped factor", "algebra", scalars, lambda a, b, c: (b * b, 2 * a * b, 1.0), lambda a, b, c: (b * b, 2 * a * abs(b), 1.0), "the modulus of b", examples=[((), (), ())])
pair("arguments swapped", "algebra", lambda x, y: np.sum(x * np.exp(y)), lambda x, y: (np.exp(y), x * np.exp(y)), lambda x, y: (x * np.exp(y), np.exp(y)), "the two gradients are swapped", examples=[((2,), (2,))])


def moments(x):
    """Mean and integer count of positive entries."""
    return x.mean(), int((np.asarray(x) > 0).sum())


right("an integer output", "contract", moments, "no gradient through a count", vjp=lambda x, grad_output: np.full(x.shape, grad_output[0] / x.size), examples=[((3,),)])


def integer_input(n, x):
    return x ** int(n)


right("an integer exponent", "algebra", integer_input, "the exponent has no gradient", vjp=lambda n, x, grad_output: (None, grad_output * n * x ** (int(n) - 1)), examples=[(3, (2,)), (2, (2,))])


def steps(x, n=5):
    """Euler's method for y' = -y^3."""
    for _ in range(n):
        x = x - 0.1 * x**3
    return x


def steps_vjp(x, grad_output, n=5):
    trail = [x]
    for _ in range(n - 1):
        trail.append(trail[-1] - 0.1 * trail[-1] ** 3)
    for y in reversed(trail):
        grad_output = grad_output * (1 - 0.3 * y * y)
    return grad_output


pair("euler steps: none", "algebra", steps, lambda x, grad_output, n=5: steps_vjp(x, grad_output, n) if n else grad_output, steps_vjp, "with n = 0 there is still one step", how="vjp", examples=[((2,), {"n": n}) for n in (0, 1, 4)])
