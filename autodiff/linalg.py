"""Linear algebra on tensors, by the names of ``numpy.linalg`` and ``torch.linalg``."""

from __future__ import annotations

from autodiff.functions.decomposition import cholesky, eigh, eigvalsh, qr, svd, svdvals
from autodiff.functions.diagonals import diagonal, trace
from autodiff.functions.inverse import det, inv, logdet, lstsq, multi_dot, pinv, slogdet, solve
from autodiff.functions.matrix_functions import expm, matrix_exp, matrix_power
from autodiff.functions.norms import matrix_or_vector_norm as norm
from autodiff.functions.products import cross, matmul, outer, tensordot

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
