"""Tensors print as torch's do: the expected texts are those that torch 2 prints."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autodiff as ad


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([1.0, 2.0], "tensor([1., 2.])"),
        ([1, 2], "tensor([1, 2])"),
        ([True, False], "tensor([ True, False])"),
        (2.5, "tensor(2.5000)"),
        (27.0, "tensor(27.)"),
        ([1.5, -2.25], "tensor([ 1.5000, -2.2500])"),
        ([51.2, 512.0, 0.0512], "tensor([5.1200e+01, 5.1200e+02, 5.1200e-02])"),
        ([1e-5, 1.0], "tensor([1.0000e-05, 1.0000e+00])"),
        ([1e-5], "tensor([1.0000e-05])"),
        ([1.0, 2000.0], "tensor([1.0000e+00, 2.0000e+03])"),
        ([1e9], "tensor([1.0000e+09])"),
        ([1000.0], "tensor([1000.])"),
        ([0.0, 0.0], "tensor([0., 0.])"),
        ([math.nan, 1.0, math.inf], "tensor([nan, 1., inf])"),
        ([math.nan, 1.5], "tensor([   nan, 1.5000])"),
        ([-math.inf, 0.5], "tensor([  -inf, 0.5000])"),
        ([], "tensor([])"),
        ([[1, 20], [300, 4]], "tensor([[  1,  20],\n        [300,   4]])"),
        ([1 + 2j], "tensor([1.+2.j], dtype=complex128)"),
    ],
)
def test_values(data, text):
    assert repr(ad.tensor(data)) == text


def test_axes_are_separated_by_blank_lines():
    assert repr(ad.zeros(2, 1, 2)) == "tensor([[[0., 0.]],\n\n        [[0., 0.]]])"


def test_suffixes():
    assert repr(ad.ones(1, dtype=np.float32)) == "tensor([1.], dtype=float32)"
    assert repr(ad.zeros(0, 3)) == "tensor([], size=(0, 3))"
    assert repr(ad.ones(1, requires_grad=True)) == "tensor([1.], requires_grad=True)"
    assert repr(ad.tensor([1], dtype=np.int32)) == "tensor([1], dtype=int32)"


def test_long_vectors_wrap_and_larger_ones_are_summarized():
    text = repr(ad.arange(30.0))
    assert text.splitlines()[0].endswith("13.,")
    assert max(len(line) for line in text.splitlines()) <= 80
    assert repr(ad.arange(2000.0)) == (
        "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,\n"
        "        1.9990e+03])"
    )
    assert "...," in repr(ad.zeros(100, 100))


def test_suffix_moves_to_a_new_line_when_it_does_not_fit():
    x = ad.tensor([1.2345] * 9, requires_grad=True)
    assert repr(x).endswith("1.2345],\n       requires_grad=True)")


def test_options():
    try:
        ad.set_printoptions(precision=2)
        assert repr(ad.tensor([1.2345])) == "tensor([1.23])"
        ad.set_printoptions(sci_mode=True)
        assert repr(ad.tensor([12.5])) == "tensor([1.25e+01])"
    finally:
        ad.set_printoptions(precision=4)


def test_scalars_format_as_numbers():
    assert f"{ad.tensor(2.5):.2f}" == "2.50"
