"""torch's Functions and callables: right rules are proved, wrong ones refuted, the rest is told."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from verify import check  # noqa: E402
from verify.verdict import Verdict  # noqa: E402

once = torch.autograd.function.once_differentiable


def rule(forward, backward, **members):
    """A Function of one argument from two plain functions."""

    def forward_(ctx, x):
        ctx.save_for_backward(x)
        return forward(x)

    def backward_(ctx, grad):
        return backward(*ctx.saved_tensors, grad)

    body = {"forward": staticmethod(forward_), "backward": staticmethod(backward_), **members}
    return type("Rule", (torch.autograd.Function,), body)


def evidence(report, name):
    return [f for f in report.findings if f.evidence == name]


class Softplus(torch.autograd.Function):
    """With ``setup_context``, ``once_differentiable`` and an argument that is no tensor."""

    @staticmethod
    def forward(x, beta):
        return torch.logaddexp(beta * x, torch.zeros_like(x)) / beta

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.beta = inputs
        ctx.save_for_backward(x)

    @staticmethod
    @once
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * torch.sigmoid(ctx.beta * x), None


class LeakyRelu(torch.autograd.Function):
    """Masks, assignment into new tensors, in-place arithmetic."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        out = torch.zeros(x.shape, dtype=x.dtype)
        out[x > 0] = x[x > 0]
        out[x <= 0] = 0.5 * x[x <= 0]
        return out

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = grad.clone()
        out[x <= 0] *= 0.5
        return out


class MeanAndSpread(torch.autograd.Function):
    """Two outputs."""

    @staticmethod
    def forward(ctx, x):
        mean = x.mean()
        spread = ((x - mean) ** 2).sum()
        ctx.save_for_backward(x, mean)
        return mean, spread

    @staticmethod
    def backward(ctx, grad_mean, grad_spread):
        x, mean = ctx.saved_tensors
        return grad_mean / x.numel() + grad_spread * 2 * (x - mean)


class Affine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w + b

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad @ w.t(), x.t() @ grad, grad.sum(0)


@pytest.mark.parametrize(
    ("subject", "examples"),
    [
        (rule(lambda x: x**3, lambda x, g: 3 * x**2 * g), [((3,),)]),
        (Softplus, [((3,), 2.0)]),
        (LeakyRelu, [((2,),)]),
        (MeanAndSpread, [((3,),)]),
        (Affine, [((2, 3), (3, 2), (2,))]),
    ],
    ids=["cube", "softplus", "leaky_relu", "two_outputs", "affine"],
)
def test_right_rules_are_proved(subject, examples):
    report = check(subject, examples=examples)
    assert report.verdict is Verdict.PROVED, str(report)


def _tanh_branch(x, g):
    return torch.where(x > 1, g, g * (1 - torch.tanh(x) ** 2))


@pytest.mark.parametrize(
    "subject",
    [
        rule(torch.sin, lambda x, g: -g * torch.cos(x)),
        rule(torch.sin, lambda x, g: (1 + 1e-7) * g * torch.cos(x)),
        rule(torch.tanh, _tanh_branch),
        rule(torch.sin, lambda x, g: torch.cos(x)),
        rule(torch.relu, lambda x, g: g),
        rule(lambda x: x.sum(0), lambda x, g: 2 * g.expand_as(x)),
        rule(lambda x: x.square(), lambda x, g: 2 * x.detach().fill_(1.0) * g),
    ],
    ids=["sign", "factor", "branch", "upstream", "mask", "broadcast", "overwrites"],
)
def test_wrong_rules_are_refuted(subject):
    report = check(subject, examples=[((3,),)])
    assert report.verdict is Verdict.REFUTED, str(report)


def test_a_sum_over_the_wrong_axis_is_refuted():
    class Wrong(Affine):
        @staticmethod
        def backward(ctx, grad):
            x, w = ctx.saved_tensors
            return grad @ w.t(), x.t() @ grad, grad.sum(1)

    report = check(Wrong, examples=[((2, 3), (3, 2), (2,))])
    assert report.verdict is Verdict.REFUTED
    assert report.argument == "b"


def test_torchs_engine_sums_over_broadcast_axes_itself():
    class Lazy(Affine):
        @staticmethod
        def backward(ctx, grad):
            x, w = ctx.saved_tensors
            return grad @ w.t(), x.t() @ grad, grad

    assert check(Lazy, examples=[((2, 3), (3, 2), (2,))]).verdict is Verdict.PROVED


def test_a_layout_that_breaks_backward_is_refuted():
    flat = rule(lambda x: 2 * x, lambda x, g: 2 * g.view(-1).view(x.shape))
    report = check(flat, examples=[((2, 3),)])
    assert report.verdict is Verdict.REFUTED
    assert "Fortran-ordered" in str(report)


def test_what_is_not_in_the_table_is_named_and_the_floats_are_judged():
    report = check(
        rule(lambda x: torch.special.airy_ai(x) * 0 + x**2, lambda x, g: 2 * x * g),
        examples=[((),)],
    )
    assert report.verdict is Verdict.VERIFIED
    [skip] = [f for f in evidence(report, "proof") if f.status == "skip"]
    assert "airy_ai" in skip.message
    wrong = rule(lambda x: torch.special.airy_ai(x) * 0 + x**2, lambda x, g: 2.001 * x * g)
    assert check(wrong, examples=[((),)]).verdict is Verdict.REFUTED


def test_the_gradient_of_a_callable_is_compared_with_certified_values():
    def loss(x, w):
        return torch.sin(x @ w).sum()

    report = check(loss, examples=[((2, 3), (3, 2))])
    assert report.verdict is Verdict.VERIFIED
    assert [f.status for f in evidence(report, "oracle")] == ["pass"]


def test_a_callable_with_a_detached_part_is_refuted():
    def loss(x):
        return (x * x.detach()).sum()

    assert check(loss, examples=[(torch.ones(2),)]).verdict is Verdict.REFUTED


def test_a_function_inside_a_callable():
    cube = rule(lambda x: x**3, lambda x, g: 3 * x**2 * g)
    wrong = rule(lambda x: x**3, lambda x, g: 3 * x * g)
    assert check(lambda x: cube.apply(x).sum(), examples=[(torch.ones(2),)]).ok
    assert not check(lambda x: wrong.apply(x).sum(), examples=[(torch.ones(2),)]).ok


class Scale(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.factor, None


def test_a_number_without_gradient_is_held_fixed_where_arguments_are_guessed():
    report = check(Scale)
    assert report.verdict is Verdict.PROVED, str(report)


def test_a_tensor_without_gradient_is_refuted():
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(y)
            return x * y

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0], None

    assert check(Product, examples=[((3,), (3,))]).verdict is Verdict.REFUTED


def test_a_function_that_works_in_place():
    def in_place(factor):
        class Double(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                x.mul_(2)
                ctx.mark_dirty(x)
                return x

            @staticmethod
            def backward(ctx, grad):
                return factor * grad

        return Double

    assert check(in_place(2), examples=[((3,),)]).verdict is Verdict.PROVED
    assert check(in_place(3), examples=[((3,),)]).verdict is Verdict.REFUTED


def test_float32_tensors_are_judged_in_their_own_precision():
    square = rule(lambda x: x * x, lambda x, g: 2 * x * g)
    report = check(square, examples=[(torch.tensor([1.0, 2.0]),)])
    assert report.verdict is Verdict.PROVED
    assert report.max_ulp < 4


def test_the_trace_leaves_torch_as_it_was():
    before = torch.autograd.Function.__dict__["apply"]
    check(Softplus, examples=[((2,), 1.0)])
    assert torch.autograd.Function.__dict__["apply"] is before
    assert type(torch.zeros(2)) is torch.Tensor


def _cases():
    """Functions of the table with arguments: the traced values are torch's own."""
    functional = torch.nn.functional
    x = torch.tensor([[0.3, -1.2, 2.0], [0.7, 0.1, -0.4]], dtype=torch.float64)
    y = torch.tensor([[1.3, 0.2, -0.6], [0.5, -2.1, 0.9]], dtype=torch.float64)
    index = torch.tensor([[0, 2], [1, 1]])
    yield "softmax", lambda: functional.softmax(x, -1)
    for name in ("relu", "gelu", "silu", "elu", "selu", "celu", "mish", "softplus", "softsign",
                 "hardswish", "hardsigmoid", "hardtanh", "logsigmoid", "leaky_relu", "relu6",
                 "hardshrink", "softshrink", "tanhshrink"):  # fmt: skip
        yield name, lambda f=getattr(functional, name): f(x)
    for name in ("exp", "sigmoid", "erf", "lgamma", "rsqrt", "frac", "expm1", "square", "sgn"):
        yield name, lambda f=getattr(torch, name): f(x.abs() + 0.1)
    yield "sum", lambda: x.sum(1, keepdim=True)
    yield "var", lambda: x.var(dim=0) + x.std() + x.var(False)
    yield "norm", lambda: x.norm(dim=1) + torch.linalg.vector_norm(x, 3, dim=1)
    yield "max", lambda: x.max(1).values + x.amin(1) + torch.max(x, y)[:, 0]
    yield "topk", lambda: x.topk(2, 1).values
    yield "gather", lambda: x.gather(1, index)
    yield "scatter_add", lambda: torch.zeros_like(x).scatter_add(1, index, y)
    yield "scatter", lambda: x.scatter(1, index[:, :1], y)
    yield "index_add", lambda: x.index_add(0, torch.tensor([1, 1]), y)
    yield "cat", lambda: torch.cat([x, y], 1)[:, 1:5] + torch.stack([x, y], 0).sum()
    yield "split", lambda: x.split(2, 1)[1] + x.chunk(2, 1)[1]
    yield "addmm", lambda: torch.addmm(y[:, :2], x, y.t())
    yield "einsum", lambda: torch.einsum("ij,kj->ik", x, y)
    yield "layer_norm", lambda: functional.layer_norm(x, (3,))
    yield "cross_entropy", lambda: functional.cross_entropy(x, torch.tensor([2, 0]))
    yield "nll_loss", lambda: functional.nll_loss(x, torch.tensor([2, -100]))
    yield "bce", lambda: functional.binary_cross_entropy_with_logits(x, y.sigmoid())
    yield "kl_div", lambda: functional.kl_div(x, y.softmax(1), reduction="batchmean")
    yield "huber", lambda: functional.huber_loss(x, y) + functional.smooth_l1_loss(x, y, beta=0.5)
    yield "cosine", lambda: functional.cosine_similarity(x, y) + functional.normalize(x).sum()
    yield "pad", lambda: functional.pad(x, (1, 0, 0, 2))
    yield "div", lambda: torch.div(x, y, rounding_mode="floor") + x % 0.7
    yield "cumsum", lambda: x.cumsum(1) + x.cumprod(0)
    yield "shapes", lambda: x.view(-1).reshape(3, 2).t().unsqueeze(0).expand(2, 2, 3).flatten(1)
    yield "moved", lambda: x.roll(1, 1).flip(0) + x.tril() + torch.diag_embed(x)[0, :2]
    yield "solve", lambda: torch.linalg.solve(x[:, :2], y) + torch.det(x[:, :2])
    yield "lerp", lambda: torch.lerp(x, y, 0.3).addcmul(x, y, value=2).addcdiv(x, y)
    yield "clamp", lambda: x.clamp(-1, 1).clamp_min(0) + x.masked_fill(x > 0, 2.0)


@pytest.mark.parametrize(("name", "compute"), list(_cases()), ids=[n for n, _ in _cases()])
def test_the_table_means_what_torch_does(name, compute):
    from symbolic.array import TracedArray
    from symbolic.tracing import symbol_array, traced_namespace, values
    from symbolic.values import Trace
    from verify.adapters.torch import TracedTensor, _tracing

    expected = compute().numpy()
    trace = Trace()
    cells = {
        c.cell_contents.data_ptr(): c
        for c in compute.__closure__
        if isinstance(c.cell_contents, torch.Tensor) and c.cell_contents.is_floating_point()
    }
    before = {key: cell.cell_contents for key, cell in cells.items()}
    try:
        with traced_namespace(compute), _tracing():
            for i, cell in enumerate(cells.values()):
                array = cell.cell_contents.detach().clone().numpy()
                cell.cell_contents = TracedTensor(symbol_array(trace, f"v{i}", array))
            result = compute()
    finally:
        for key, cell in cells.items():
            cell.cell_contents = before[key]
    assert type(result._array) is TracedArray
    np.testing.assert_allclose(values(result._array), expected, rtol=1e-12, atol=1e-14)
