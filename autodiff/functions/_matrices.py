"""What Functions of matrices share: transposes, samplers of their domains, formulas.

May import NumPy and SymPy (in formulas).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff._lazy import sp


def t(x: Any) -> Any:
    """Return the conjugate transposes of matrices (transposes, of real ones)."""
    return np.swapaxes(x, -1, -2).conjugate()


def symmetric(x: Any) -> Any:
    """Return the symmetric part of matrices (the Hermitian part, of complex ones)."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:  # a sum of the two shapes might exist
        raise np.linalg.LinAlgError(f"expected square matrices, got an array of shape {x.shape}")
    return (x + t(x)) / 2


def regular(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample matrices far from singular ones."""
    return rng.standard_normal(shape) + 3 * np.eye(shape[-2], shape[-1])


def positive_definite(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample symmetric positive definite matrices."""
    x = rng.standard_normal(shape)
    return x @ t(x) + np.eye(shape[-1])


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample symmetric matrices with eigenvalues apart."""
    return symmetric(rng.standard_normal(shape)) + np.diag(3.0 * np.arange(shape[-1]))


def tall(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Sample matrices with singular values apart."""
    x = rng.standard_normal(shape)
    x[..., np.arange(np.min(shape[-2:])), np.arange(np.min(shape[-2:]))] += 3.0 * (
        1 + np.arange(np.min(shape[-2:]))
    )
    return x


def each_matrix(rule: Any, *arrays: Any) -> Any:
    """Apply a rule on SymPy matrices to each of a stack (for formulas)."""
    arrays = tuple([np.asarray(array, dtype=object) for array in arrays])
    stack = np.broadcast_shapes(*[array.shape[:-2] for array in arrays])
    wide = [np.broadcast_to(array, stack + array.shape[-2:]) for array in arrays]
    results = [
        rule(*[sp.Matrix(*array.shape[-2:], list(array[place].ravel())) for array in wide])
        for place in np.ndindex(stack)
    ]
    tail = results[0].shape if isinstance(results[0], sp.MatrixBase) else ()
    out = np.empty(stack + tail, dtype=object)
    for place, result in zip(np.ndindex(stack), results, strict=True):
        if not isinstance(result, sp.MatrixBase):
            out[place] = result
            continue
        for inner in np.ndindex(tail):
            out[place + inner] = result[inner]
    return out if out.shape else out[()]


def spread(grad: Any) -> Any:
    """Give the gradient of one number for each matrix two axes of length 1."""
    return np.reshape(grad, (*grad.shape, 1, 1))
