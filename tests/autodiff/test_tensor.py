"""What a tensor is and does: conversions, operators, methods, NumPy's functions, changes."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

import autodiff as ad


@pytest.fixture
def x():
    return ad.tensor([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]], requires_grad=True)


def test_conversions(x):
    assert ad.tensor(2.0).item() == 2.0
    assert ad.tensor([1, 2]).tolist() == [1, 2]
    assert float(ad.tensor(1.5)) == 1.5
    assert [0, 1, 2][ad.tensor(1)] == 1
    assert np.asarray(ad.ones(2)).tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match=r"requires grad. Use tensor.detach"):
        x.numpy()
    with pytest.raises(RuntimeError, match="requires grad"):
        np.zeros((2, 3))[:] = x
    with pytest.raises(RuntimeError, match="cannot be converted to Scalar"):
        x.item()
    with pytest.raises(RuntimeError, match="ambiguous"):
        bool(x > 0)


def test_tensor_copies_and_from_numpy_shares():
    array = np.ones(2)
    copied, shared = ad.tensor(array), ad.from_numpy(array)
    array[0] = 5
    assert copied.tolist() == [1.0, 1.0]
    assert shared.tolist() == [5.0, 1.0]
    shared.numpy()[1] = 7
    assert array.tolist() == [5.0, 7.0]


def test_shape_and_type(x):
    assert x.shape == (2, 3)
    assert x.size() == (2, 3)
    assert x.size(1) == 3
    assert (x.ndim, x.dim(), x.numel(), len(x)) == (2, 2, 6, 2)
    assert x.dtype == np.float64
    assert x.T.shape == (3, 2)
    assert x.float().dtype == np.float32
    assert x.long().tolist() == [[1, -2, 3], [0, 4, -1]]
    assert not x.long().requires_grad


OPERATORS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / b,
    lambda a, b: a**b,
    lambda a, b: a % b,
]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("other", [2.0, 3, np.array([1.0, 2.0, 3.0]), np.float64(2.5)])
def test_operators_with_numbers_and_arrays_on_either_side(operator, other):
    values = np.array([[1.0, 2.0, 3.0], [0.5, 4.0, 1.0]])
    x = ad.tensor(values, requires_grad=True)
    for result, expected in [
        (operator(x, other), operator(values, other)),
        (operator(other, x), operator(other, values)),
    ]:
        assert isinstance(result, ad.Tensor)
        assert result.requires_grad
        np.testing.assert_allclose(result.detach().numpy(), expected, rtol=1e-15)


def test_matmul_on_either_side(x):
    w = np.ones((3, 2))
    assert (x @ w).tolist() == [[2.0, 2.0], [3.5, 3.5]]
    assert (w @ x).shape == (3, 3)
    assert (x @ w).requires_grad


def test_comparisons_have_no_gradient(x):
    for result in (x > 0, x < 1, x >= 0, x <= 0, x == 1, x != 1, 0 < x):
        assert result.dtype == bool
        assert not result.requires_grad
    assert (x == None) is False  # noqa: E711
    assert ((x > 0) & (x < 2)).tolist() == [[True, False, False], [True, False, False]]
    assert (~(x > 0)).tolist() == [[False, True, False], [False, False, True]]


def test_float32_does_not_widen_by_python_numbers():
    x = ad.ones(2, dtype=np.float32, requires_grad=True)
    y = (2 * x + 1.5) / 3
    assert y.dtype == np.float32
    assert ad.sigmoid(y).dtype == np.float32


def test_dim_and_axis_say_the_same(x):
    assert x.sum(0).tolist() == x.sum(dim=0).tolist() == x.sum(axis=0).tolist()
    assert x.mean(1, keepdim=True).shape == x.mean(axis=1, keepdims=True).shape == (2, 1)
    values, places = x.max(dim=1)
    assert values.tolist() == [3.0, 4.0]
    assert places.tolist() == [2, 1]
    values.sum().backward()
    assert x.grad.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert x.var().item() == pytest.approx(np.var(x.tolist(), ddof=1), rel=1e-15)
    assert np.var(x).item() == pytest.approx(np.var(x.tolist()), rel=1e-15)


def test_shape_methods(x):
    assert x.view(3, 2).shape == x.reshape((3, 2)).shape == (3, 2)
    assert x.transpose(0, 1).shape == x.permute(1, 0).shape == x.t().shape == (3, 2)
    assert x.unsqueeze(0).shape == (1, 2, 3)
    assert x.unsqueeze(0).squeeze(0).shape == x.unsqueeze(-1).squeeze().shape == (2, 3)
    assert x.flatten().shape == (6,)
    assert ad.ones(2, 3, 4).flatten(1).shape == (2, 12)
    assert ad.ones(1, 3).expand(2, -1).shape == (2, 3)
    assert ad.ones(2).repeat(2, 2).shape == (2, 4)
    assert [row.tolist() for row in x] == x.tolist()


def test_numpy_functions_take_tensors(x):
    pairs = [
        (np.sin(x), np.sin),
        (np.sum(x, axis=0), lambda a: np.sum(a, axis=0)),
        (np.concatenate([x, x]), lambda a: np.concatenate([a, a])),
        (np.add.reduce(x, axis=1), lambda a: np.add.reduce(a, axis=1)),
        (np.add.accumulate(x, axis=1), lambda a: np.cumsum(a, axis=1)),
        (np.maximum.reduce(x), lambda a: np.max(a, axis=0)),
        (np.where(x > 0, x, 0), lambda a: np.where(a > 0, a, 0)),
        (np.stack([x, 2 * x]), lambda a: np.stack([a, 2 * a])),
        (np.einsum("ij,kj->ik", x, x), lambda a: a @ a.T),
        (np.linalg.norm(x), np.linalg.norm),
        (np.clip(x, -1, 1), lambda a: np.clip(a, -1, 1)),
        (np.pad(x, 1, mode="reflect"), lambda a: np.pad(a, 1, mode="reflect")),
        (special.erf(x), special.erf),
        (special.expit(x), special.expit),
    ]
    for result, function in pairs:
        assert result.requires_grad
        np.testing.assert_allclose(
            result.detach().numpy(), function(np.array(x.tolist())), rtol=1e-14
        )


def test_functions_without_a_gradient_return_plain_results(x):
    assert np.argmax(x) == 4
    assert np.argsort(x, axis=1).tolist() == np.argsort(x.tolist(), axis=1).tolist()
    assert not np.floor(x).requires_grad
    assert np.zeros_like(x).tolist() == [[0.0] * 3] * 2
    assert np.shape(x) == (2, 3)
    assert np.isfinite(x).tolist() == [[True] * 3] * 2
    assert np.allclose(x, x.detach().numpy())


def test_unsupported_functions_say_so(x):
    with pytest.raises(TypeError, match=r"poly is not supported on tensors.*NON_DIFFERENTIABLE"):
        np.poly(x)
    with pytest.raises(TypeError, match="voigt_profile is not supported"):
        special.voigt_profile(x, 1.0, 1.0)
    with pytest.raises(TypeError, match="cannot write into an array"):
        np.add(x, 1, out=np.zeros((2, 3)))
    array = np.zeros((2, 3))
    with pytest.raises(TypeError, match="cannot write into an array"):
        array += x


# Changes in place.


def test_in_place_operators_take_part_in_the_graph():
    x = ad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    same = y
    y += 1
    y *= y
    y -= 3
    y /= 2
    assert same is y
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 10.0, 14.0]  # of ((2 x + 1)^2 - 3) / 2


def test_assignment_to_entries():
    x = ad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y[0] = x[2] * 5
    y[1] += 10
    assert y.tolist() == [15.0, 14.0, 6.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 2.0, 7.0]


def test_a_tensor_filled_entry_by_entry():
    x = ad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    out = ad.zeros(3)
    for i in range(3):
        out[i] = x[i] ** 2
    out.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0, 6.0]


def test_views_whose_history_does_not_know_of_a_change_are_errors():
    x = ad.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 1
    view = y[1:]
    y[2] = 0.0
    with pytest.raises(RuntimeError, match="shares it"):
        view.sum()
    y = x * 1
    view = y[0]
    view *= 2
    with pytest.raises(RuntimeError, match="shares it"):
        y.sum()


def test_leaves_and_their_views_must_not_be_changed():
    x = ad.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x[0] = 1.0
    view = x[:2]
    with pytest.raises(RuntimeError, match="a view of a leaf Variable"):
        view += 1
    with ad.no_grad():
        x -= 0.5
        x[0] = 0.0
    assert x.tolist() == [0.0, 0.5, 0.5]
    assert x.is_leaf
    assert x.requires_grad


def test_in_place_must_fit():
    x = ad.ones(2)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        x += ad.ones(3, 2)
    n = ad.tensor([1, 2])
    with pytest.raises(RuntimeError, match="can't be cast"):
        n += 0.5


def test_in_place_methods():
    x = ad.tensor([-1.0, 4.0])
    assert x.clone().relu_().tolist() == [0.0, 4.0]
    assert x.clone().clamp_(max=1).tolist() == [-1.0, 1.0]
    assert x.clone().fill_(3).tolist() == [3.0, 3.0]
    assert x.clone().zero_().tolist() == [0.0, 0.0]
    assert x.clone().copy_(ad.tensor([5.0])).tolist() == [5.0, 5.0]
    assert x.clone().add_(1, alpha=2).tolist() == [1.0, 6.0]
    assert x.tolist() == [-1.0, 4.0]


# Copies.


def test_leaves_can_be_copied_and_pickled():
    x = ad.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert other.tolist() == [1.0, 2.0]
        assert other.requires_grad
        assert other.grad.tolist() == [2.0, 4.0]
        assert other.is_leaf
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(x * 2)
    assert np.from_dlpack(ad.ones(2)).tolist() == [1.0, 1.0]


def test_clone_passes_the_gradient():
    x = ad.ones(2, requires_grad=True)
    x.clone().sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_seeds_repeat():
    ad.manual_seed(3)
    first = ad.randn(3).tolist()
    ad.manual_seed(3)
    assert ad.randn(3).tolist() == first


def test_anomaly_names_the_operation_and_the_line():
    x = ad.tensor([0.0], requires_grad=True)
    with (
        ad.detect_anomaly(),
        np.errstate(all="ignore"),
        pytest.raises(RuntimeError, match=r"(?s)SqrtBackward returned nan.*test_tensor\.py"),
    ):
        (x.sqrt() * 0).sum().backward()


@settings(max_examples=60, deadline=None)
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3),
    st.sampled_from(OPERATORS[:4] + [np.maximum, np.hypot, np.logaddexp]),
    st.integers(0, 2**32 - 1),
)
def test_broadcasting_is_undone(shapes, operator, seed):
    rng = np.random.default_rng(seed)
    values = [rng.uniform(0.5, 2.0, shape) for shape in shapes.input_shapes]
    before = [value.copy() for value in values]
    x, y = (ad.from_numpy(np.asarray(value)).requires_grad_() for value in values)
    upstream = rng.uniform(0.5, 2.0, shapes.result_shape)
    operator(x, y).backward(ad.tensor(upstream))
    for value, copy_, tensor in zip(values, before, (x, y), strict=True):
        np.testing.assert_array_equal(value, copy_)
        assert tensor.grad.shape == tensor.shape
    # each gradient is the sum of those without broadcasting
    full = [
        ad.tensor(np.broadcast_to(value, shapes.result_shape), requires_grad=True)
        for value in values
    ]
    operator(*full).backward(ad.tensor(upstream))
    for tensor, wide in zip((x, y), full, strict=True):
        extra = wide.ndim - tensor.ndim
        summed = wide.grad.numpy().sum(axis=tuple(range(extra)))
        for axis, length in enumerate(tensor.shape):
            if length == 1:
                summed = summed.sum(axis=axis, keepdims=True)
        np.testing.assert_allclose(tensor.grad.numpy(), summed, rtol=1e-13)


def test_every_plain_function_is_exported_by_name():
    from autodiff.functions import public_functions

    exported = {*ad.__all__, *ad.linalg.__all__, *ad.fft.__all__, "matrix_or_vector_norm"}
    assert set(public_functions()) <= exported
    for name in ad.__all__:
        assert getattr(ad, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ad.nothing
