"""Options of losses, norms and shapes, against values worked out in plain NumPy."""

import itertools

import numpy as np
import pytest

import autodiff as ad

RNG = np.random.default_rng(3)
LOGITS, CLASSES, WEIGHTS = RNG.normal(size=(5, 4)), np.array([0, 2, 3, 2, 1]), [0.5, 1.0, 2.0, 1.5]


def smoothed(logits, weight, ignored, smoothing, reduction):
    """What label smoothing means: a part of each loss is the mean of the losses of all classes."""
    scores = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    weights = np.ones(4) if weight is None else np.array(weight)
    counted = CLASSES != ignored
    own = -scores[np.arange(5), CLASSES] * weights[CLASSES]
    every = -(scores * weights).mean(axis=1)
    losses = ((1 - smoothing) * own + smoothing * every) * counted
    if reduction == "mean":
        return losses.sum() / (weights[CLASSES] * counted).sum()
    return losses.sum() if reduction == "sum" else losses


@pytest.mark.parametrize(
    ("weight", "ignored", "smoothing", "reduction"),
    itertools.product([None, WEIGHTS], [-100, 2], [0.0, 0.2], ["mean", "sum", "none"]),
)
def test_cross_entropy_with_all_its_options(weight, ignored, smoothing, reduction):
    x = ad.tensor(LOGITS, requires_grad=True)
    w = None if weight is None else ad.tensor(weight)
    loss = ad.cross_entropy(x, ad.tensor(CLASSES), w, ignored, reduction, smoothing)
    np.testing.assert_allclose(
        loss.detach().numpy(), smoothed(LOGITS, weight, ignored, smoothing, reduction)
    )
    loss.sum().backward()
    moved = np.zeros_like(LOGITS)
    for i in np.ndindex(LOGITS.shape):
        step = np.zeros_like(LOGITS)
        step[i] = 1e-6
        up, down = (
            np.sum(smoothed(LOGITS + s * step, weight, ignored, smoothing, reduction))
            for s in (1, -1)
        )
        moved[i] = (up - down) / 2e-6
    np.testing.assert_allclose(x.grad.numpy(), moved, atol=1e-8)


@pytest.mark.parametrize("shape", [(3, 2), (6,), (-1, 2), -1, (1, 6)])
def test_reshape_in_fortran_order(shape):
    values = RNG.normal(size=(2, 3))
    x = ad.tensor(values, requires_grad=True)
    out = np.reshape(x, shape, order="F")
    np.testing.assert_array_equal(out.detach().numpy(), np.reshape(values, shape, order="F"))
    out.backward(ad.ones(*out.shape))
    np.testing.assert_array_equal(x.grad.numpy(), np.ones((2, 3)))


@pytest.mark.parametrize("order", [1, -1, 2, -2, np.inf, -np.inf, "nuc"])
def test_matrix_norms_by_the_method(order):
    values = RNG.normal(size=(3, 3))
    x = ad.tensor(values, requires_grad=True)
    found = ad.norm(x, order)
    np.testing.assert_allclose(found.detach().numpy(), np.linalg.norm(values, order))


def test_the_smallest_entry_is_a_norm_with_a_gradient():
    x = ad.tensor([3.0, -1.0, 2.0], requires_grad=True)
    np.linalg.vector_norm(x, ord=-np.inf).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0.0, -1.0, 0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.linalg.vector_norm(x, ord=0), "counts entries"),
        (lambda x: np.reshape(x, (4,), order="A"), "order: expected 'C' or 'F'"),
        (lambda x: np.linalg.qr(x, mode="complete"), "mode: expected 'reduced' or 'r'"),
    ],
)
def test_options_without_a_gradient_say_so(call, message):
    with pytest.raises(ValueError, match=message):
        call(ad.tensor(np.eye(2), requires_grad=True))
