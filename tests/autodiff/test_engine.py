"""The backward pass: accumulation, freeing, errors, hooks, gradients of gradients."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import autodiff as ad
from autodiff.function import Function, once_differentiable


def test_chain_of_a_million_operations_differentiates_and_is_freed():
    x = ad.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y * 1.0
    y.backward()
    assert x.grad.item() == 1.0
    node = y.grad_fn
    del y
    del node


def test_graphs_are_freed_without_the_cycle_collector():
    class Kept(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            out = np.exp(x)
            kept.append(weakref.ref(ctx))
            return out

        @staticmethod
        def backward(ctx, grad):
            return grad

    kept = []
    gc.disable()
    try:
        x = ad.ones(3, requires_grad=True)
        y = Kept.apply(x).sum() * 2
        assert kept[0]() is not None
        (first,) = ad.grad(y, x, create_graph=True)
        y.backward()
        del y, first
        assert kept[0]() is None
    finally:
        gc.enable()


def test_nothing_is_left_for_the_cycle_collector():
    x = ad.randn(4, 4, requires_grad=True)
    ad.tanh(x).sum().backward()  # imports scipy.special
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            y = ad.softmax(ad.tanh(x @ x), -1)
            z = (y * y).var() + ad.logsumexp(x[1:], 0).sum() + ad.stack([x, y]).max()
            z.backward()
        x.grad = None
        del y, z
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_second_backward_says_what_to_do():
    x = ad.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="Specify retain_graph=True"):
        y.backward()


def test_freed_tensors_are_not_handed_out():
    x = ad.tensor(3.0, requires_grad=True)
    y = x * x
    node = y.grad_fn
    assert node.saved_tensors == (3.0, 3.0)
    y.backward()
    with pytest.raises(RuntimeError, match="already been freed"):
        _, _ = node.saved_tensors
    with pytest.raises(RuntimeError, match="already been freed"):
        node.saved_tensors[0]


def test_retain_graph_allows_a_second_backward():
    x = ad.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_no_graph_is_an_error():
    with pytest.raises(RuntimeError, match="does not require grad"):
        ad.ones(1).backward()


def test_same_tensor_several_times():
    x = ad.tensor(3.0, requires_grad=True)
    y = x * x * x + x
    y.backward()
    assert x.grad.item() == 28.0


def test_gradients_of_gradients_of_any_order():
    x = ad.tensor(2.0, requires_grad=True)
    y = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0):
        (y,) = ad.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(expected, rel=1e-15)
    (y,) = ad.grad(y, x, allow_unused=True, create_graph=True)
    assert y.item() == 0


def test_backward_with_create_graph_puts_graphs_into_grad():
    x = ad.tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    (second,) = ad.grad(x.grad.sum(), x)
    assert second.tolist() == [6.0, 12.0]
    x.grad = None


def test_intermediate_gradients_do_not_alias():
    x = ad.ones(3, requires_grad=True)
    y = ad.ones(3, requires_grad=True)
    seed = ad.ones(3)
    (x + y).backward(seed)
    x.grad.zero_()
    assert y.grad.tolist() == [1.0, 1.0, 1.0]
    assert seed.tolist() == [1.0, 1.0, 1.0]
    z = ad.ones(3, requires_grad=True)
    z.sum().backward()
    z.grad.mul_(2)
    assert z.grad.tolist() == [2.0, 2.0, 2.0]


def test_accumulation_leaves_the_first_gradient_array_alone():
    x = ad.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    held = x.grad.numpy()
    (x * 2).sum().backward()
    assert held.tolist() == [2.0, 2.0]
    assert x.grad.tolist() == [4.0, 4.0]


def test_wide_fan_out_accumulates_once_each():
    x = ad.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    total = ad.stack([y * k for k in range(100)]).sum()
    total.backward()
    assert x.grad.tolist() == [4950.0, 4950.0]


def test_saved_tensor_changed_in_place_is_detected():
    x = ad.ones(3, requires_grad=True)
    y = x.exp()
    y += 1
    with pytest.raises(
        RuntimeError, match=r"modified by an inplace operation.*is at version 1; exp"
    ):
        y.sum().backward()


def test_changed_input_is_detected():
    w = ad.ones(3)
    x = ad.ones(3, requires_grad=True)
    y = (x * w).sum()
    w.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_a_change_before_the_operation_does_no_harm():
    w = ad.ones(3)
    w += 1
    x = ad.ones(3, requires_grad=True)
    (x * w).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_wrong_number_of_gradients():
    class Two(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, grad):
            return grad

    x = ad.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"TwoBackward returned an incorrect number.*2, got 1"):
        Two.apply(x, x).sum().backward()


def test_wrong_shape_names_the_argument():
    class Bad(Function):
        @staticmethod
        def forward(ctx, first, second):
            return first + second

        @staticmethod
        def backward(ctx, grad):
            return grad, grad.sum(keepdims=True)

    x, y = ad.ones(2, requires_grad=True), ad.ones(2, requires_grad=True)
    message = (
        r"BadBackward returned an invalid gradient at index 1 \('second'\) - got \[1\] .*\[2\]"
    )
    with pytest.raises(RuntimeError, match=message):
        Bad.apply(x, y).sum().backward()


def test_none_means_no_gradient_and_keywords_are_not_differentiated():
    class Scale(Function):
        @staticmethod
        def forward(ctx, x, label, *, factor):
            ctx.factor = factor
            assert label == "name"
            return x * factor

        @staticmethod
        def backward(ctx, grad):
            assert ctx.needs_input_grad == (True, False)
            return grad * ctx.factor, None

    x = ad.ones(2, requires_grad=True)
    Scale.apply(x, "name", factor=3.0).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_python_numbers_and_lists_from_a_backward_are_arrays():
    class Loose(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * 2 + y.sum()

        @staticmethod
        def backward(ctx, grad):
            return 2.0, [1, 1]

    x, y = ad.tensor(1.0, requires_grad=True), ad.ones(2, requires_grad=True)
    Loose.apply(x, y).backward()
    assert x.grad.item() == 2.0
    assert y.grad.dtype == np.float64
    assert y.grad.tolist() == [1.0, 1.0]


class MinMax(Function):
    @staticmethod
    def forward(ctx, x):
        low, high = np.min(x), np.max(x)
        ctx.save_for_backward(x, low, high)
        place = np.argmax(x)
        ctx.mark_non_differentiable(place)
        return low, high, place

    @staticmethod
    def backward(ctx, g_low, g_high, g_place):
        x, low, high = ctx.saved_tensors
        return g_low * (x == low) + g_high * (x == high)


def test_several_outputs():
    x = ad.tensor([3.0, 1.0, 2.0], requires_grad=True)
    low, high, place = MinMax.apply(x)
    assert not place.requires_grad
    assert low.grad_fn is high.grad_fn
    assert (low.output_nr, high.output_nr) == (0, 1)
    (low * 10 + high).backward()
    assert x.grad.tolist() == [1.0, 10.0, 0.0]


def test_missing_gradients_of_outputs_are_zeros_or_none():
    seen = []

    class Pair(Function):
        @staticmethod
        def forward(ctx, x, *, materialize):
            ctx.set_materialize_grads(materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append(a)
            return b * 3

    x = ad.ones(2, requires_grad=True)
    Pair.apply(x, materialize=True)[1].sum().backward()
    Pair.apply(x, materialize=False)[1].sum().backward()
    assert seen[0].tolist() == [0.0, 0.0]
    assert seen[1] is None


def test_once_differentiable_raises_on_a_second_derivative():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @once_differentiable
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            assert isinstance(grad, np.ndarray | np.generic)
            return 3 * grad * x**2

    x = ad.tensor(2.0, requires_grad=True)
    (first,) = ad.grad(Once.apply(x), x, create_graph=True)
    assert first.item() == 12.0
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.backward()


def test_saved_intermediates_are_constants_in_second_order():
    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(2 * x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (twice,) = ctx.saved_tensors
            return grad * twice

    x = ad.tensor(3.0, requires_grad=True)
    y = Square.apply(x) ** 2
    (first,) = ad.grad(y, x, create_graph=True)
    assert first.item() == 108.0
    # d/dx (2 x^2 * 2 x), where the last factor counts as a constant
    (second,) = ad.grad(first, x)
    assert second.item() == pytest.approx(2 * 6.0 * 6.0)


def test_detached_and_attached_in_one_operation():
    x = ad.tensor([2.0], requires_grad=True)
    y = x.detach() * x
    (first,) = ad.grad((y * y).sum(), x, create_graph=True)
    (second,) = ad.grad(first.sum(), x)
    assert second.item() == 8.0  # of c^2 x^2 with c = 2


def test_next_functions_lead_to_the_leaves():
    x = ad.ones(2, requires_grad=True)
    y = (x * 2 + 1).sum()
    add = y.grad_fn.next_functions[0][0]
    assert add.name() == "AddBackward"
    mul = add.next_functions[0][0]
    assert mul.name() == "MulBackward"
    (end, number), constant = mul.next_functions
    assert end.name() == "AccumulateGrad"
    assert end.variable is x
    assert number == 0
    assert constant == (None, 0)


def test_grad_of_results_of_operations_and_unused_inputs():
    x = ad.ones(2, requires_grad=True)
    y = x * 3
    z = (y * y).sum()
    gy, gx = ad.grad(z, [y, x])
    assert gy.tolist() == [6.0, 6.0]
    assert gx.tolist() == [18.0, 18.0]
    assert x.grad is None
    w = ad.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        ad.grad((x * 2).sum(), w)
    assert ad.grad((x * 2).sum(), w, allow_unused=True) == (None,)
    assert ad.grad((x * 2).sum(), w, materialize_grads=True)[0].tolist() == [0.0]
    with pytest.raises(RuntimeError, match="does not require grad"):
        ad.grad((x * 2).sum(), ad.ones(1))


def test_grad_leaves_out_what_does_not_lead_to_its_inputs():
    class Unwanted(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            raise AssertionError("this gradient was not asked for")

    x, y = ad.ones(2, requires_grad=True), ad.ones(2, requires_grad=True)
    out = (Unwanted.apply(x) * y).sum()
    assert ad.grad(out, y)[0].tolist() == [1.0, 1.0]


def test_hooks_see_and_change_gradients():
    x = ad.ones(2, requires_grad=True)
    y = x * 2
    seen = []
    handle = y.register_hook(lambda g: g * 10)
    x.register_hook(seen.append)
    y.sum().backward()
    assert x.grad.tolist() == [20.0, 20.0]
    assert seen[0].tolist() == [20.0, 20.0]
    handle.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_retain_grad_keeps_the_gradient_of_a_result():
    x = ad.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    (y * 5).sum().backward()
    assert y.grad.tolist() == [5.0, 5.0]
    assert y.retains_grad


def test_leaf_rules():
    with pytest.raises(RuntimeError, match="only Tensors of floating point"):
        ad.tensor([1, 2], requires_grad=True)
    x = ad.ones(2, requires_grad=True)
    assert x.is_leaf
    assert not (x * 2).is_leaf
    assert (x.detach() * 2).is_leaf
    with pytest.raises(RuntimeError, match="leaf variables"):
        (x * 2).requires_grad_(False)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x += 1


def test_threads_keep_their_own_grad_mode():
    seen = []

    def other():
        seen.append(ad.is_grad_enabled())

    with ad.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert not ad.is_grad_enabled()
    assert seen == [True]


def test_grad_modes_nest_and_decorate():
    @ad.no_grad()
    def evaluated(x):
        return x * 2

    x = ad.ones(1, requires_grad=True)
    assert not evaluated(x).requires_grad
    with ad.no_grad():
        with ad.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    with ad.set_grad_enabled(False):
        assert not ad.is_grad_enabled()
    assert ad.is_grad_enabled()
    ad.set_grad_enabled(False)
    assert not ad.is_grad_enabled()
    ad.set_grad_enabled(True)


def test_mixed_precision_gradients_come_back_in_the_type_of_each():
    x = ad.tensor([1.0, 2.0], dtype=np.float32, requires_grad=True)
    y = ad.tensor([1.0, 2.0], requires_grad=True)
    (x * y).sum().backward()
    assert x.grad.dtype == np.float32
    assert y.grad.dtype == np.float64
    assert (x * 2.5).dtype == np.float32


def test_empty_tensors():
    x = ad.zeros(0, 3, requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad.shape == (0, 3)


def test_import_loads_numpy_alone():
    import subprocess
    import sys

    code = (
        "import sys, autodiff; names = set(m.split('.')[0] for m in sys.modules); "
        "print(names & {'scipy', 'sympy', 'symbolic', 'verify'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_names_that_a_function_puts_on_ctx_are_its_own():
    names = (
        "order edges shape dtype origins hooks outputs connected function name traceback".split()
    )

    class Square(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            for name in names:
                setattr(ctx, name, 2)
            return x**ctx.order

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            assert all(getattr(ctx, name) == 2 for name in names)
            return grad * ctx.order * x

    x = ad.tensor([1.0, 3.0], requires_grad=True)
    y = Square.apply(x)
    assert "SquareBackward" in repr(y)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 6.0]
