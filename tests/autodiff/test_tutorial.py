"""Every claim of the tutorial of autograd, with what it prints."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autodiff as ad


def without_digit(text):
    """Node names may end in a digit or not."""
    return re.sub(r"(Backward)\d", r"\1", text)


def test_ones_that_require_a_gradient_print_so():
    x = ad.ones(2, 2, requires_grad=True)
    assert str(x) == "tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)"


def test_an_operation_is_named_by_the_tensor_that_it_made():
    x = ad.ones(2, 2, requires_grad=True)
    y = x + 2
    assert without_digit(str(y)) == "tensor([[3., 3.],\n        [3., 3.]], grad_fn=<AddBackward>)"
    assert re.fullmatch(r"<AddBackward object at 0x[0-9a-f]+>", str(y.grad_fn))


def test_more_operations():
    x = ad.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    out = z.mean()
    assert (
        without_digit(f"{z!r} {out!r}")
        == "tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward>) "
        "tensor(27., grad_fn=<MeanBackward>)"
    )


def test_requires_grad_is_off_and_can_be_set_in_place():
    ad.manual_seed(0)
    a = ad.randn(2, 2)
    a = (a * 3) / (a - 1)
    assert a.requires_grad is False
    assert a.requires_grad_(True) is a
    assert a.requires_grad is True
    b = (a * a).sum()
    assert re.fullmatch(r"<SumBackward\d? object at 0x[0-9a-f]+>", str(b.grad_fn))


@pytest.mark.parametrize("gradient", [None, 1, 1.0])
def test_backward_of_a_scalar_needs_no_argument(gradient):
    x = ad.ones(2, 2, requires_grad=True)
    y = x + 2
    out = (y * y * 3).mean()
    if gradient is None:
        out.backward()
    else:
        out.backward(ad.tensor(gradient))
    assert str(x.grad) == "tensor([[4.5000, 4.5000],\n        [4.5000, 4.5000]])"


def test_gradients_accumulate():
    x = ad.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert str(x.grad) == "tensor([5., 5.])"


def test_vector_jacobian_product_through_a_loop_that_depends_on_the_data():
    x = ad.tensor([1.5, 0.5, -1.25], requires_grad=True)
    y = x * 2
    doublings = 1
    while y.data.norm() < 1000:
        y = y * 2
        doublings += 1
    assert doublings == 9
    y.backward(ad.tensor([0.1, 1.0, 0.0001]))
    assert str(x.grad) == "tensor([5.1200e+01, 5.1200e+02, 5.1200e-02])"
    np.testing.assert_allclose(x.grad.numpy(), [51.2, 512.0, 0.0512], rtol=1e-15)


def test_the_graph_follows_what_ran_each_time():
    def slope(value):
        x = ad.tensor(value, requires_grad=True)
        y = x * x if x > 0 else -3 * x
        y.backward()
        return x.grad.item()

    assert slope(2.0) == 4.0
    assert slope(-2.0) == -3.0


def test_no_grad_switches_recording_off():
    x = ad.randn(3, requires_grad=True)
    assert x.requires_grad is True
    assert (x**2).requires_grad is True
    with ad.no_grad():
        assert (x**2).requires_grad is False
    assert (x**2).requires_grad is True


def test_detach_cuts_off_the_history():
    x = ad.ones(2, requires_grad=True)
    y = (x * 2).detach()
    assert y.requires_grad is False
    assert y.grad_fn is None
    assert (y * 3).requires_grad is False


def test_a_tensor_that_the_user_made_has_no_grad_fn():
    assert ad.ones(2, requires_grad=True).grad_fn is None
    assert (ad.ones(2) * 2).grad_fn is None


def test_more_elements_need_a_gradient_of_the_same_shape():
    x = ad.ones(3, requires_grad=True)
    y = x * 2
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar"):
        y.backward()
    with pytest.raises(RuntimeError, match=r"shape of \[2\] and output\[0\] has a shape of \[3\]"):
        y.backward(ad.ones(2))
    y.backward(ad.ones(3))
    assert str(x.grad) == "tensor([2., 2., 2.])"
