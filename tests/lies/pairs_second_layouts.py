"""Strides, remainders, axes and batches: gradients that are right for the lengths at hand alone, and right ones that look odd."""
# ruff: noqa: E501

import numpy as np
from scipy import linalg

from .case import Case, trap

CASES: list[Case] = []

# fmt: off


def pair(name, kind, f, right, wrong, why, how="vjp", **options):
    CASES.append(
        Case(f"second-pair: {name}", kind, f, f, {how: right, **options}, {how: wrong}, why=why)
    )


def right(name, kind, f, why, **options):
    CASES.append(trap(f"second-pair: {name}", kind, f, why, **options))


def pool(x):
    """Maxima of neighbours in twos; a last odd one is dropped."""
    n = len(x) // 2
    return x[: 2 * n].reshape(n, 2).max(axis=1)


def pool_vjp(x, grad_output):
    n = len(x) // 2
    i = 2 * np.arange(n) + x[: 2 * n].reshape(n, 2).argmax(axis=1)
    out = np.zeros_like(x)
    out[i] = grad_output
    return out


def pool_vjp_even(x, grad_output):
    n = len(x) // 2
    out = np.zeros((n, 2))
    out[np.arange(n), x[: 2 * n].reshape(n, 2).argmax(axis=1)] = grad_output
    return np.resize(out, x.shape)


pair("pooling in twos: odd lengths", "cells", pool, pool_vjp, pool_vjp_even, "the dropped last entry gets the first one's gradient; even lengths are declared", examples=[((4,),), ((6,),)])


def strided(x, k):
    """A correlation with stride two."""
    n = (len(x) - len(k)) // 2 + 1
    return np.stack([x[2 * i : 2 * i + len(k)] @ k for i in range(n)])


def strided_vjp(x, k, grad_output, drop=False):
    gx, gk = np.zeros_like(x), np.zeros_like(k)
    for i, g in enumerate(grad_output):
        gx[2 * i : 2 * i + len(k)] += g * k
        gk += g * x[2 * i : 2 * i + len(k)]
    if drop and len(k) == 2:
        gx[1::2] = gx[::2] * k[1] / k[0]
    return gx, gk


pair("strided correlation: kernels of two", "algebra", strided, strided_vjp, lambda x, k, grad_output: strided_vjp(x, k, grad_output, True), "a form for two that leaves a last odd entry wrong and divides by the weight", examples=[((6,), (3,)), ((6,), (2,))])


def rolled(x, *, shift=1, axis=None):
    return np.roll(x, shift, axis) ** 2


def rolled_vjp(x, grad_output, *, shift=1, axis=None):
    return 2 * x * np.roll(grad_output, -shift, axis)


def rolled_vjp_last(x, grad_output, *, shift=1, axis=None):
    return 2 * x * np.roll(grad_output, -shift, -1 if axis is None else axis)


pair("roll: no axis", "algebra", rolled, rolled_vjp, rolled_vjp_last, "a flattened roll is undone along the last axis", examples=[((3,),), ((2, 3), {"axis": 0}), ((1, 3),), ((2, 2), {"shift": -1})])


def permuted(x, *, axes):
    return np.sin(np.transpose(x, axes))


def permuted_vjp(x, grad_output, *, axes):
    return np.cos(x) * np.transpose(grad_output, np.argsort(axes))


def permuted_vjp_same(x, grad_output, *, axes):
    return np.cos(x) * np.transpose(grad_output, axes)


pair("transpose: cyclic axes", "algebra", permuted, permuted_vjp, permuted_vjp_same, "axes that are their own inverse alone", examples=[((2, 3, 2), {"axes": (2, 1, 0)}), ((2, 2, 2), {"axes": (1, 2, 0)})])


def normalised(x, *, axis=-1, keepdims=True):
    return np.sqrt((x * x).sum(axis=axis, keepdims=keepdims) + 0.01)


def normalised_vjp(x, grad_output, *, axis=-1, keepdims=True):
    n = normalised(x, axis=axis)
    g = grad_output if keepdims else np.expand_dims(grad_output, axis)
    return g * x / n


def normalised_vjp_broadcast(x, grad_output, *, axis=-1, keepdims=True):
    n = normalised(x, axis=axis)
    return grad_output[..., None] * x / n if not keepdims and axis == -1 else grad_output * x / n


pair("norm: axis 0 without keepdims", "algebra", normalised, normalised_vjp, normalised_vjp_broadcast, "aligns for vectors and for axis 0, by broadcasting; not for axis 1 of three", examples=[((2, 3),), ((2, 3), {"axis": 0, "keepdims": False}), ((2, 3), {"axis": -1, "keepdims": False}), ((2, 2, 2), {"axis": 1, "keepdims": False})])


def matmul(a, b):
    return a @ b


def _sum_to(g, shape):
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 != g.shape[i]), keepdims=True)


def matmul_vjp(a, b, grad_output):
    return _sum_to(grad_output @ np.swapaxes(b, -1, -2), a.shape), _sum_to(np.swapaxes(a, -1, -2) @ grad_output, b.shape)


def matmul_vjp_left(a, b, grad_output):
    ga = grad_output @ np.swapaxes(b, -1, -2)
    gb = np.swapaxes(a, -1, -2) @ grad_output
    return (ga[0] if ga.ndim > a.ndim else _sum_to(ga, a.shape)), _sum_to(gb, b.shape)


pair("matmul: one matrix, many right sides", "algebra", matmul, matmul_vjp, matmul_vjp_left, "the first of the batch instead of the sum, on the left alone", examples=[((2, 3), (3, 2)), ((2, 2, 3), (3, 2)), ((2, 2), (1, 2, 2)), ((2, 2), (2, 2, 2))])


def gray(image):
    """Luma less its share of red, green and blue by weights that sum to one."""
    return np.sum((image @ np.array([0.299, 0.587, 0.114]) - image[..., 0]) ** 2)


def gray_grad(image):
    d = image @ np.array([0.299, 0.587, 0.114]) - image[..., 0]
    return 2 * d[..., None] * np.array([0.299 - 1, 0.587, 0.114])


right("luma less red", "algebra", gray, "gray pixels: the weights sum to one, the difference to zero", grad=gray_grad, examples=[((2, 3),)])


def laplacian(x):
    """Second differences with an uneven step: weights that sum to zero in numbers."""
    return (0.2 * x[:-2] - 0.3 * x[1:-1] + 0.1 * x[2:]) * 3


right("uneven second difference", "algebra", laplacian, "weights 0.2, -0.3, 0.1; a constant upstream gradient cancels inside", vjp=lambda x, grad_output: 3 * (np.pad(0.2 * grad_output, (0, 2)) + np.pad(-0.3 * grad_output, (1, 1)) + np.pad(0.1 * grad_output, (2, 0))), examples=[((5,),), ((3,),)])


def toeplitz_product(c, x):
    return linalg.toeplitz(c) @ x


def toeplitz_vjp(c, x, grad_output):
    n = len(x)
    gc = np.array([sum(grad_output[i] * x[j] for i in range(n) for j in range(n) if abs(i - j) == k) for k in range(n)])
    return gc, linalg.toeplitz(c) @ grad_output


right("symmetric toeplitz", "algebra", toeplitz_product, "linalg.toeplitz of one column", vjp=toeplitz_vjp, examples=[((3,), (3,))])


def upper(a):
    """Unpacks the strict upper triangle into a skew matrix."""
    n = int((1 + np.sqrt(1 + 8 * len(a))) / 2)
    out = np.zeros((n, n), dtype=a.dtype)
    out[np.triu_indices(n, 1)] = a
    return out - out.T


right("skew matrix from its triangle", "algebra", upper, "lengths 1, 3, 6 alone are meant", vjp=lambda a, grad_output: (grad_output - grad_output.T)[np.triu_indices(len(grad_output), 1)], examples=[((3,),), ((1,),)])


def batch_stats(x):
    """Standardised over the batch of each column."""
    m = x.mean(axis=0)
    s = np.sqrt(x.var(axis=0) + 0.1)
    return (x - m) / s


def batch_stats_vjp(x, grad_output, single=False):
    m = x.mean(axis=0)
    s = np.sqrt(x.var(axis=0) + 0.1)
    z = (x - m) / s
    if single and len(x) == 1:
        return grad_output / s
    return (grad_output - grad_output.mean(axis=0) - z * (grad_output * z).mean(axis=0)) / s


pair("batch standardised: a batch of one", "algebra", batch_stats, batch_stats_vjp, lambda x, grad_output: batch_stats_vjp(x, grad_output, True), "the running form for one sample, which no example declares", examples=[((3, 2),), ((4, 1),)])


def gather(x, *, index):
    return x[np.array(index)] ** 2


def gather_vjp(x, grad_output, *, index):
    out = np.zeros_like(x)
    np.add.at(out, np.array(index), 2 * x[np.array(index)] * grad_output)
    return out


def gather_vjp_negative(x, grad_output, *, index):
    out = np.zeros_like(x)
    for k, i in enumerate(index):
        out[max(i, -1)] += 2 * x[i] * grad_output[k]
    return out


pair("gather: negative indices", "algebra", gather, gather_vjp, gather_vjp_negative, "-2 is taken for -1", examples=[((3,), {"index": (0, -1)}), ((3,), {"index": (1, 1)}), ((4,), {"index": (-2, 0)})])


def split_heads(x, *, heads=2):
    """Softmax inside each head of a vector cut into heads."""
    y = x.reshape(heads, -1)
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).ravel()


def split_heads_vjp(x, grad_output, *, heads=2, wrong=False):
    p = split_heads(x, heads=heads).reshape(heads, -1)
    g = grad_output.reshape(heads, -1) if not wrong else grad_output.reshape(-1, heads).T
    return (p * (g - (p * g).sum(axis=1, keepdims=True))).ravel()


pair("heads: interleaved upstream", "algebra", split_heads, split_heads_vjp, lambda x, grad_output, heads=2: split_heads_vjp(x, grad_output, heads=heads, wrong=heads > 2), "interleaved for three heads", examples=[((4,),), ((6,), {"heads": 3})])
