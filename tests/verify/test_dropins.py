"""The calls of other checkers: same arguments, our verdict, a report on request."""

import numpy as np
import pytest
from scipy import optimize

import autodiff as ad
from verify import Report, check, check_grad, check_grads, gradcheck
from verify.verdict import Verdict


def cube(x):
    return (x**3).sum()


class Wrong(ad.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.sin(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.cos(x) * (1 + 1e-7)


X = np.array([0.5, 2.0])


class TestGradcheck:
    def test_takes_all_of_torchs_arguments(self):
        x = ad.tensor(X, requires_grad=True)
        assert gradcheck(cube, (x,), eps=1e-6, atol=1e-5, rtol=1e-3, nondet_tol=0.0,
                         check_undefined_grad=True, check_grad_dtypes=True, fast_mode=True,
                         check_batched_grad=False, check_forward_ad=False, masked=None)  # fmt: skip

    def test_gives_the_report(self):
        found = gradcheck(Wrong.apply, (ad.tensor(X, requires_grad=True),), report=True)
        assert isinstance(found, Report)
        assert found.verdict is Verdict.REFUTED

    def test_torchs_tensors_and_functions(self):
        torch = pytest.importorskip("torch")
        x = torch.tensor(X, requires_grad=True)
        y = torch.tensor([3.0, 4.0], dtype=torch.float64)
        assert gradcheck(lambda x, y: (x * y).sum(), (x, y))
        assert not gradcheck(lambda x: (x * x.detach()).sum(), x, raise_exception=False)


class TestCheckGrads:
    def test_jaxs_call(self):
        assert check_grads(ad.tanh, (X,), 1, modes=["rev"], atol=1e-5, rtol=1e-5, eps=1e-3) is None
        with pytest.raises(AssertionError, match="REFUTED"):
            check_grads(Wrong.apply, (X,), order=1)

    def test_autograds_call(self):
        assert check_grads(ad.tanh, modes=["rev"], order=1)(X) is None
        assert check_grads(ad.mul, (0, 1), ["rev"], order=1)(X, X) is None
        with pytest.raises(AssertionError, match="REFUTED"):
            check_grads(Wrong.apply, order=1)(X)

    def test_only_the_places_named_are_checked(self):
        def half(x, y):  # a gradient that forgets y
            return (x * (y.detach() if isinstance(y, ad.Tensor) else y)).sum()

        assert check_grads(half, 0, order=1)(X, X) is None
        with pytest.raises(AssertionError):
            check_grads(half, (0, 1), order=1)(X, X)

    def test_jaxs_rules_to_second_order(self):
        jax = pytest.importorskip("jax")
        jnp = jax.numpy

        def rule(backward):
            made = jax.custom_vjp(lambda x: jnp.sin(x))
            made.defvjp(lambda x: (jnp.sin(x), x), backward)
            return made

        right = rule(lambda x, g: (g * jnp.cos(x),))
        constant = rule(lambda x, g: (g * jax.lax.stop_gradient(jnp.cos(x)),))
        assert check_grads(right, (X,), order=2) is None
        assert check_grads(constant, (X,), order=1) is None
        with pytest.raises(AssertionError, match="gradient of the gradient"):
            check_grads(constant, (X,), order=2)

    def test_autograds_callables_to_second_order(self):
        anp = pytest.importorskip("autograd.numpy")
        assert check_grads(lambda x: anp.sum(anp.sin(x) ** 2))(X) is None

    def test_torchs_functions_to_second_order(self):
        torch = pytest.importorskip("torch")

        def rule(cosine):
            class Sine(torch.autograd.Function):
                @staticmethod
                def forward(ctx, x):
                    ctx.save_for_backward(x)
                    ctx.cos = cosine(x)
                    return torch.sin(x)

                @staticmethod
                def backward(ctx, grad):
                    (x,) = ctx.saved_tensors
                    return grad * (torch.cos(x) if ctx.cos is None else ctx.cos)

            return Sine

        example = [((2,),)]
        assert check(rule(lambda x: None), examples=example, order=2).ok
        assert check(rule(torch.cos), examples=example, order=1).ok
        assert check(rule(torch.cos), examples=example, order=2).verdict is Verdict.REFUTED


class TestCheckGrad:
    def test_scipys_call(self):
        x0 = [1.0, 2.0, 3.0]
        call = {"epsilon": 1e-8, "direction": "random", "seed": 3}
        assert check_grad(optimize.rosen, optimize.rosen_der, x0, **call) < 1e-6

    def test_data_follows(self):
        def line(x, a, b):
            return np.sum(a * x) + b

        assert check_grad(line, lambda x, a, b: a, X, np.array([2.0, 3.0]), 1.0) < 1e-12
        assert check_grad(line, lambda x, a, b: -a, X, np.array([2.0, 3.0]), 1.0) == np.inf

    def test_gives_the_report(self):
        found = check_grad(lambda x: x @ x, lambda x: 2 * x, X, report=True)
        assert found.verdict is Verdict.PROVED


class TestQuick:
    def test_sees_small_errors_and_says_what_it_left_out(self):
        report = check(cube, grad=lambda x: 3 * x**2, examples=[((2, 2),)], quick=True)
        assert report.verdict is Verdict.VERIFIED
        assert "quick=True" in str(report.not_covered)
        assert report.resolution < 1e-13
        wrong = check(cube, grad=lambda x: 3 * x**2 * (1 + 1e-12), examples=[((2, 2),)], quick=True)
        assert wrong.verdict is Verdict.REFUTED

    def test_the_contract_is_looked_at(self):
        def overwrites(x, g):
            g *= 3 * x**2
            return g

        report = check(lambda x: x**3, vjp=overwrites, examples=[((3,),)], quick=True)
        assert report.verdict is Verdict.REFUTED

    def test_large_arrays(self):
        shape = [((100, 100),)]
        assert check(cube, grad=lambda x: 3 * x**2, examples=shape, quick=True).ok
        wrong = check(cube, grad=lambda x: 3 * x**2 * (1 + 1e-6), examples=shape, quick=True)
        assert wrong.verdict is Verdict.REFUTED
