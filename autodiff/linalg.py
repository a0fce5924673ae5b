"""Linear algebra on tensors, by the names of ``numpy.linalg`` and ``torch.linalg``."""

from __future__ import annotations

from autodiff.functions.decomposition import (
    cholesky,
    det,
    eigh,
    eigvalsh,
    expm,
    inv,
    logdet,
    lstsq,
    matrix_exp,
    matrix_power,
    multi_dot,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
    svdvals,
)
from autodiff.functions.decomposition import matrix_or_vector_norm as norm
from autodiff.functions.linalg import (
    cross,
    diagonal,
    matmul,
    outer,
    tensordot,
    trace,
)

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "expm",
    "inv",
    "logdet",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_power",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
]
