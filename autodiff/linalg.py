"""Linear algebra on tensors, by the names of ``numpy.linalg`` and ``torch.linalg``."""

from __future__ import annotations

from autodiff.functions.decomposition import (
    cholesky,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    qr,
    svd,
    svdvals,
)
from autodiff.functions.diagonals import diagonal, trace
from autodiff.functions.equations import solve_banded, solve_sylvester, solve_triangular
from autodiff.functions.inverse import det, inv, logdet, lstsq, multi_dot, pinv, slogdet, solve
from autodiff.functions.matrix_functions import expm, matrix_exp, matrix_power, sqrtm
from autodiff.functions.norms import matrix_or_vector_norm as norm
from autodiff.functions.products import cross, matmul, outer, tensordot

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
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
    "solve_banded",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
]
