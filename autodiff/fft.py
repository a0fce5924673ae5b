"""Fourier transforms of tensors, by the names of ``numpy.fft`` and ``torch.fft``."""

from __future__ import annotations

from autodiff.functions import fourier
from autodiff.functions.fourier import *  # noqa: F403

__all__ = fourier.__all__
