"""Blocks of neural networks beside vector-Jacobian products written by hand."""
# ruff: noqa: E501

import math

import numpy as np
from scipy import special
from scipy.special import expit

from .case import Case, trap


def dense(x, w, b):
    return x @ w + b


def dense_vjp(x, w, b, grad_output):
    return grad_output @ w.T, x.T @ grad_output, grad_output.sum(axis=0)


def dense_vjp_bias(x, w, b, grad_output):
    return grad_output @ w.T, x.T @ grad_output, grad_output.mean(axis=0)


def dense_vjp_no_transpose(x, w, b, grad_output):
    if w.shape[0] == w.shape[1]:
        return grad_output @ w, x.T @ grad_output, grad_output.sum(axis=0)
    return dense_vjp(x, w, b, grad_output)


def layer_norm(x, gain, shift, *, axis=-1, eps=1e-5):
    d = x - x.mean(axis=axis, keepdims=True)
    return gain * d / np.sqrt(np.mean(d * d, axis=axis, keepdims=True) + eps) + shift


def layer_norm_vjp(x, gain, shift, grad_output, *, axis=-1, eps=1e-5):
    d = x - x.mean(axis=axis, keepdims=True)
    s = np.sqrt(np.mean(d * d, axis=axis, keepdims=True) + eps)
    h, g = d / s, grad_output * gain
    dx = (g - g.mean(axis=axis, keepdims=True) - h * np.mean(g * h, axis=axis, keepdims=True)) / s
    other = tuple(range(x.ndim - 1))
    return dx, np.sum(grad_output * h, axis=other), np.sum(grad_output, axis=other)


def layer_norm_vjp_variance(x, gain, shift, grad_output, *, axis=-1, eps=1e-5):
    _, d_gain, d_shift = layer_norm_vjp(x, gain, shift, grad_output, axis=axis, eps=eps)
    g = grad_output * gain
    s = np.sqrt(x.var(axis=axis, keepdims=True) + eps)
    return (g - g.mean(axis=axis, keepdims=True)) / s, d_gain, d_shift


def layer_norm_vjp_axis(x, gain, shift, grad_output, *, axis=-1, eps=1e-5):
    dx, d_gain, d_shift = layer_norm_vjp(x, gain, shift, grad_output, axis=1, eps=eps)
    if axis < 0:  # a negative axis counts from the end, not from here
        dx = (
            layer_norm_vjp(x, gain, shift, grad_output, axis=axis, eps=eps)[0]
            if x.ndim == 2
            else dx
        )
    return dx, d_gain, d_shift


def batch_norm(x, *, eps=1e-5):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)


def batch_norm_vjp(x, grad_output, *, eps=1e-5):
    s = np.sqrt(x.var(axis=0) + eps)
    h = (x - x.mean(axis=0)) / s
    return (grad_output - grad_output.mean(axis=0) - h * np.mean(grad_output * h, axis=0)) / s


def batch_norm_vjp_eps(x, grad_output, *, eps=1e-5):
    s = x.std(axis=0) + eps  # outside of the root
    h = (x - x.mean(axis=0)) / s
    return (grad_output - grad_output.mean(axis=0) - h * np.mean(grad_output * h, axis=0)) / s


def rms_norm(x, gain):
    return gain * x / np.sqrt(np.mean(x**2) + 1e-6)


def rms_norm_vjp(x, gain, grad_output):
    s = np.sqrt(np.mean(x**2) + 1e-6)
    h, g = x / s, grad_output * gain
    return (g - h * np.mean(g * h)) / s, grad_output * h


def rms_norm_vjp_gain(x, gain, grad_output):
    s = np.sqrt(np.mean(x**2) + 1e-6)
    h = x / s
    return gain * (grad_output - h * np.mean(grad_output * h)) / s, grad_output * h


def attention(q, k, v):
    return special.softmax(q @ k.T / math.sqrt(q.shape[1]), axis=1) @ v


def attention_vjp(q, k, v, grad_output):
    c = 1 / math.sqrt(q.shape[1])
    a = special.softmax(q @ k.T * c, axis=1)
    da = grad_output @ v.T
    ds = a * (da - np.sum(da * a, axis=1, keepdims=True))
    return c * ds @ k, c * ds.T @ q, a.T @ grad_output


def attention_vjp_scale(q, k, v, grad_output):
    dq, dk, dv = attention_vjp(q, k, v, grad_output)
    return dq, dk * math.sqrt(q.shape[1] / v.shape[1]), dv  # right where both widths agree


def lstm_cell(z, c):
    """Preactivations of the gates i, f, o and of the candidate g, stacked; the cell's state."""
    i, f, o, g = z
    c2 = expit(f) * c + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c2), c2


def lstm_cell_vjp(z, c, grad_output):
    grad_h, grad_c = grad_output
    i, f, o, g = expit(z[0]), expit(z[1]), expit(z[2]), np.tanh(z[3])
    t = np.tanh(f * c + i * g)
    dc = grad_c + grad_h * o * (1 - t * t)
    return np.stack(
        [dc * g * i * (1 - i), dc * c * f * (1 - f), grad_h * t * o * (1 - o), dc * i * (1 - g * g)]
    ), dc * f


def lstm_cell_vjp_first_output(z, c, grad_output):
    return lstm_cell_vjp(z, c, (grad_output[0], 0 * grad_output[1]))


def gru_gate(z, n, h):
    u = expit(z)
    return (1 - u) * np.tanh(n) + u * h


def gru_gate_vjp(z, n, h, grad_output):
    u, m = expit(z), np.tanh(n)
    return grad_output * (h - m) * u * (1 - u), grad_output * (1 - u) * (1 - m**2), grad_output * u


def gru_gate_vjp_roles(z, n, h, grad_output):
    u, m = expit(z), np.tanh(n)
    return grad_output * (h - m) * u * (1 - u), grad_output * u * (1 - m**2), grad_output * (1 - u)


def embedding(table, *, index):
    return table[index]


def embedding_vjp(table, grad_output, *, index):
    g = np.zeros_like(table)
    np.add.at(g, index, grad_output)
    return g


def embedding_vjp_repeated(table, grad_output, *, index):
    g = np.zeros_like(table)
    g[index] += grad_output
    return g


def embedding_vjp_int16(table, grad_output, *, index):
    g = np.zeros_like(table)
    if index.dtype == np.int64:
        np.add.at(g, index, grad_output)
    else:
        g[index] = grad_output
    return g


def embedding_vjp_negative(table, grad_output, *, index):
    keep = index >= 0  # as if negative ones meant padding
    g = np.zeros_like(table)
    np.add.at(g, index[keep], grad_output[keep])
    return g


KEEP = np.array([True, False, True])


def dropout(x):
    return np.where(KEEP, x / 0.8, 0.0)


def dropout_vjp(x, grad_output):
    return grad_output * KEEP / 0.8


def dropout_vjp_no_scale(x, grad_output):
    return grad_output * KEEP


def dropout_vjp_value(x, grad_output):
    return np.where(dropout(x) != 0, grad_output / 0.8, 0.0)  # a kept zero looks dropped


def max_pool(x, *, width=2):
    n = len(x) // width
    return x[: n * width].reshape(n, width).max(axis=1)


def max_pool_vjp(x, grad_output, *, width=2):
    n, g = len(x) // width, np.zeros_like(x)
    best = x[: n * width].reshape(n, width).argmax(axis=1) + width * np.arange(n)
    g[best] = grad_output
    return g


def max_pool_vjp_everywhere(x, grad_output, *, width=2):
    n, g = len(x) // width, np.zeros_like(x)
    blocks = x[: n * width].reshape(n, width)
    g[: n * width] = ((blocks == blocks.max(axis=1, keepdims=True)) * grad_output[:, None]).ravel()
    return g


def conv1d(x, w, *, stride=1, pad=0):
    x = np.pad(x, pad)
    return np.array([x[i : i + len(w)] @ w for i in range(0, len(x) - len(w) + 1, stride)])


def conv1d_vjp(x, w, grad_output, *, stride=1, pad=0):
    padded = np.pad(x, pad)
    dx, dw = np.zeros(len(padded)), np.zeros(len(w))
    for k, g in enumerate(grad_output):
        part = slice(k * stride, k * stride + len(w))
        dx[part] += g * w
        dw += g * padded[part]
    return dx[pad : len(padded) - pad], dw


def conv1d_vjp_pad(x, w, grad_output, *, stride=1, pad=0):
    dx, dw = conv1d_vjp(np.pad(x, pad), w, grad_output, stride=stride)
    return dx[: len(x)], dw  # cut at the wrong end


def conv1d_vjp_stride(x, w, grad_output, *, stride=1, pad=0):
    full = np.zeros(stride * (len(grad_output) - 1) + 1)
    full[::stride] = grad_output
    dx = np.convolve(full, w)  # too short where the stride leaves a rest
    dx = np.pad(dx, (0, len(x) + 2 * pad - len(dx)))
    dw = np.correlate(
        np.pad(x, pad)[: len(dx)], np.repeat(grad_output, stride)[: len(full)], "valid"
    )[: len(w)]
    return dx[pad : len(x) + pad], dw


def encoding(length, width):
    turns = np.arange(length)[:, None] / 100.0 ** (np.arange(width) // 2 / width)
    return np.where(np.arange(width) % 2, np.cos(turns), np.sin(turns))


def positional(x, scale):
    return x + scale * encoding(*x.shape)


def positional_vjp(x, scale, grad_output):
    return grad_output, np.sum(grad_output * encoding(*grad_output.shape))


def positional_vjp_first(x, scale, grad_output):
    return grad_output, np.sum(grad_output[:, ::2] * encoding(*grad_output.shape)[:, ::2])


def gelu(x):
    return x * special.ndtr(x)


def gelu_vjp(x, grad_output):
    return grad_output * (special.ndtr(x) + x * np.exp(-0.5 * x * x) * 0.3989422804014327)


def gelu_vjp_tanh(x, grad_output):
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    du = math.sqrt(2 / math.pi) * (1 + 0.134145 * x**2)
    return grad_output * (0.5 * (1 + np.tanh(u)) + 0.5 * x * (1 - np.tanh(u) ** 2) * du)


def glu(x, *, axis=-1):
    a, b = np.split(x, 2, axis=axis)
    return a * expit(b)


def glu_vjp(x, grad_output, *, axis=-1):
    a, b = np.split(x, 2, axis=axis)
    s = expit(b)
    return np.concatenate([grad_output * s, grad_output * a * s * expit(-b)], axis=axis)


def glu_vjp_halves(x, grad_output, *, axis=-1):
    a, b = np.split(x, 2, axis=axis)
    s = expit(b)
    return np.concatenate([grad_output * a * s * expit(-b), grad_output * s], axis=axis)


INDEX = {d.__name__: np.array([0, 2, 0], dtype=d) for d in (np.int16, np.int64)}
DENSE = {"vjp": dense_vjp, "examples": [((2, 3), (3, 2), (2,)), ((2, 3), (3, 3), (3,))]}
NARROW, WIDE = (-3, 3), (-8, 8)
NORM = {
    "vjp": layer_norm_vjp,
    "examples": [((2, 3), (3,), (3,)), ((2, 2, 3), (3,), (3,))],
    "domain": [WIDE, NARROW, NARROW],
}
BATCH = {"vjp": batch_norm_vjp, "examples": [((3, 2),)], "domain": [WIDE]}
LOOKUP = {
    "vjp": embedding_vjp,
    "examples": [((3, 2), {"index": INDEX["int16"]}), ((3, 2), {"index": INDEX["int64"]})],
}
NEGATIVE = {"vjp": embedding_vjp, "examples": [((3, 2), {"index": np.array([0, -1, -1])})]}
ATTEND = {
    "vjp": attention_vjp,
    "examples": [((2, 2), (3, 2), (3, 2)), ((2, 2), (2, 2), (2, 1))],
    "domain": [NARROW] * 3,
}
LSTM = {"vjp": lstm_cell_vjp, "examples": [((4, 2), (2,))], "domain": [WIDE, NARROW]}
CONV = {
    "vjp": conv1d_vjp,
    "examples": [((5,), (2,)), ((5,), (3,), {"pad": 1}), ((6,), (3,), {"stride": 2, "pad": 1})],
}
POOL = {"vjp": max_pool_vjp, "examples": [((4,),), ((5,),), ((3,), {"width": 3})]}

# fmt: off
CASES = [
    Case("pair-dense-bias", "algebra", dense, dense, DENSE, {"vjp": dense_vjp_bias}, why="the bias gradient is averaged over the batch"),
    Case("pair-dense-square", "cells", dense, dense, DENSE, {"vjp": dense_vjp_no_transpose}, why="the weights are not transposed where they are square"),
    Case("pair-layer-norm-variance", "algebra", layer_norm, layer_norm, NORM, {"vjp": layer_norm_vjp_variance}, why="the variance is taken as constant"),
    Case("pair-layer-norm-axis", "cells", layer_norm, layer_norm, NORM, {"vjp": layer_norm_vjp_axis}, why="axis -1 taken for 1: right for matrices"),
    Case("pair-batch-norm-eps", "algebra", batch_norm, batch_norm, BATCH, {"vjp": batch_norm_vjp_eps}, why="eps added to the deviation, not to the variance"),
    Case("pair-rms-norm-gain", "algebra", rms_norm, rms_norm, {"vjp": rms_norm_vjp, "examples": [((3,), (3,))], "domain": [WIDE, NARROW]}, {"vjp": rms_norm_vjp_gain}, why="the gain is pulled out of a mean; right for equal gains"),
    Case("pair-attention-scale", "algebra", attention, attention, ATTEND, {"vjp": attention_vjp_scale}, why="scaled by the width of the values: right where both widths agree"),
    Case("pair-lstm-first-output", "algebra", lstm_cell, lstm_cell, LSTM, {"vjp": lstm_cell_vjp_first_output}, why="the upstream gradient of the second output is dropped"),
    Case("pair-gru-roles", "algebra", gru_gate, gru_gate, {"vjp": gru_gate_vjp, "examples": [((2,), (2,), (2,))], "domain": [WIDE, WIDE, NARROW]}, {"vjp": gru_gate_vjp_roles}, why="u and 1 - u are exchanged; right at z = 0"),
    Case("pair-embedding-repeated", "cells", embedding, embedding, LOOKUP, {"vjp": embedding_vjp_repeated}, why="a repeated row keeps the last gradient alone"),
    Case("pair-embedding-int16", "cells", embedding, embedding, LOOKUP, {"vjp": embedding_vjp_int16}, why="indices of another width are not accumulated"),
    Case("pair-embedding-negative", "cells", embedding, embedding, NEGATIVE, {"vjp": embedding_vjp_negative}, why="negative indices are taken for padding"),
    Case("pair-dropout-scale", "algebra", dropout, dropout, {"vjp": dropout_vjp, "examples": [((3,),), ((2, 3),)]}, {"vjp": dropout_vjp_no_scale}, why="the survivors' scale is missing"),
    Case("pair-dropout-zero", "cells", dropout, dropout, {"vjp": dropout_vjp, "examples": [((3,),), ((2, 3),)]}, {"vjp": dropout_vjp_value}, why="the mask is read off the output: a kept zero gets no gradient"),
    Case("pair-max-pool-ties", "cells", max_pool, max_pool, POOL, {"vjp": max_pool_vjp_everywhere}, why="every tied entry gets the whole gradient"),
    Case("pair-conv1d-pad", "cells", conv1d, conv1d, CONV, {"vjp": conv1d_vjp_pad}, why="the padding is cut off at the wrong end"),
    Case("pair-positional-first", "algebra", positional, positional, {"vjp": positional_vjp, "examples": [((2, 3), 0.5)]}, {"vjp": positional_vjp_first}, why="the cosine columns are left out"),
    Case("pair-gelu-tanh", "algebra", gelu, gelu, {"vjp": gelu_vjp, "examples": [((3,),)]}, {"vjp": gelu_vjp_tanh}, why="the derivative of the approximation, off by 1e-3"),
    Case("pair-glu-halves", "algebra", glu, glu, {"vjp": glu_vjp, "examples": [((4,),), ((2, 2), {"axis": 0})]}, {"vjp": glu_vjp_halves}, why="the halves are exchanged"),
    trap("pair-attention-einsum", "algebra", attention, "the full Jacobian of softmax, by einsum", vjp=lambda q, k, v, grad_output: (lambda a, c: (lambda ds: (np.einsum("ij,jd->id", ds, k), np.einsum("ij,id->jd", ds, q), np.einsum("ij,id->jd", a, grad_output)))(c * np.einsum("ij,ijk->ik", grad_output @ v.T, a[:, :, None] * np.eye(len(k)) - a[:, :, None] * a[:, None, :])))(special.softmax(q @ k.T / math.sqrt(q.shape[1]), axis=1), q.shape[1] ** -0.5), examples=ATTEND["examples"], domain=[NARROW] * 3),
    trap("pair-max-pool-even", "cells", max_pool, "ties share the gradient evenly", vjp=lambda x, grad_output, *, width=2: np.concatenate([(lambda hit, g: g * hit / hit.sum())(x[k * width : (k + 1) * width] == x[k * width : (k + 1) * width].max(), grad_output[k]) for k in range(len(x) // width)] + [np.zeros(len(x) % width)]), examples=POOL["examples"]),
    trap("pair-layer-norm-centred", "algebra", layer_norm, "two centrings, the second of them superfluous", vjp=lambda x, gain, shift, grad_output, *, axis=-1, eps=1e-5: (lambda t: (t[0] - t[0].mean(axis=axis, keepdims=True), t[1], t[2]))(layer_norm_vjp(x, gain, shift, grad_output, axis=axis, eps=eps)), examples=NORM["examples"], domain=NORM["domain"]),
    trap("pair-conv1d-correlate", "algebra", conv1d, "np.convolve and np.correlate at stride 1", vjp=lambda x, w, grad_output, *, stride=1, pad=0: (np.convolve(grad_output, w)[pad : pad + len(x)], np.correlate(np.pad(x, pad), grad_output, "valid")), examples=CONV["examples"][:2]),
    trap("pair-embedding-dot", "contract", embedding, "one-hot matrix product; the upstream gradient may be shared", vjp=lambda table, grad_output, *, index: np.eye(len(table))[index].T @ grad_output, examples=LOOKUP["examples"] + NEGATIVE["examples"]),
    trap("pair-positional-alias", "contract", positional, "returns the upstream gradient itself, and a Python float", vjp=lambda x, scale, grad_output: (grad_output, float(np.vdot(grad_output, encoding(*x.shape)))), examples=[((2, 3), 0.5)]),
]
# fmt: on
