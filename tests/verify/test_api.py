import types

import numpy as np
import pytest

import autodiff as ad
import verify
from verify import Report, Verdict
from verify.api import GradcheckError, assert_correct, check_module
from verify.dropins import gradcheck


@pytest.fixture
def asked(monkeypatch):
    """What `check` was asked, and answers by `asked.verdict`."""
    asked = types.SimpleNamespace(verdict=Verdict.PROVED, calls=[])

    def check(subject, **options):
        asked.calls.append((subject, options))
        return Report(getattr(subject, "__name__", "?"), asked.verdict, reason="because")

    monkeypatch.setattr("verify.api._check", lambda: check)
    return asked


class Twice(ad.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad


class TestAssertCorrect:
    @pytest.mark.parametrize("verdict", ["proved", "verified"])
    def test_gives_the_report_of_a_pass(self, asked, verdict):
        asked.verdict = Verdict(verdict)
        assert assert_correct(Twice, order=2).verdict == verdict
        assert asked.calls == [(Twice, {"order": 2})]

    @pytest.mark.parametrize("verdict", ["refuted", "inaccurate", "undecided"])
    def test_raises_the_report_otherwise(self, asked, verdict):
        asked.verdict = Verdict(verdict)
        with pytest.raises(AssertionError, match=f"{verdict.upper()}  Twice: "):
            assert_correct(Twice)

    def test_undecided_says_why(self, asked):
        asked.verdict = Verdict.UNDECIDED
        with pytest.raises(AssertionError, match="UNDECIDED  Twice: because"):
            assert_correct(Twice)


class TestCheckModule:
    @pytest.fixture
    def module(self, monkeypatch):
        monkeypatch.setattr("verify.registry._registry", [])
        module = types.ModuleType("made_here")
        text = """
import verify
from autodiff import Function

class F(Function):
    @staticmethod
    def forward(ctx, x): return x

def loss(x): return x
verify.register(loss, grad=lambda x: 1, order=2)
"""
        exec(text, module.__dict__)
        return module

    def test_checks_functions_and_what_is_registered(self, asked, module):
        reports = check_module(module, order=1, seed=3)
        assert [r.name for r in reports] == ["made_here:F", "made_here:loss"]
        assert [c[1].get("order") for c in asked.calls] == [1, 2]
        assert [c[1]["seed"] for c in asked.calls] == [3, 3]
        assert "grad" in asked.calls[1][1]

    def test_takes_a_name(self, asked):
        assert len(check_module("autodiff")) == len(ad.functions.all_functions())


class TestGradcheck:
    def test_checks_at_the_inputs(self, asked):
        x = np.array([1.0, 2.0])
        fn = lambda x: x  # noqa: E731
        assert gradcheck(fn, (ad.tensor(x, requires_grad=True),), eps=1e-6, atol=1e-5, rtol=1e-3)
        ((subject, options),) = asked.calls
        assert subject is fn
        (((given,),),) = options.values()
        np.testing.assert_array_equal(given, x)

    def test_one_input_needs_no_tuple(self, asked):
        assert gradcheck(lambda x: x, ad.tensor([1.0], requires_grad=True))
        assert len(asked.calls[0][1]["examples"][0]) == 1

    def test_apply_stands_for_its_function(self, asked):
        gradcheck(Twice.apply, (ad.tensor([1.0], requires_grad=True),))
        assert asked.calls[0][0] is Twice

    def test_inputs_without_gradient_are_held_fixed(self, asked):
        x, y = ad.tensor([1.0], requires_grad=True), ad.tensor([5.0])
        gradcheck(lambda x, y, n: x * y * n, (x, y, 3))
        ((subject, options),) = asked.calls
        assert len(options["examples"][0]) == 1
        assert subject(2.0).tolist() == [30.0]

    def test_raises_or_returns(self, asked):
        asked.verdict = Verdict.REFUTED
        with pytest.raises(GradcheckError, match="REFUTED"):
            gradcheck(Twice, (np.ones(2),))
        assert gradcheck(Twice, (np.ones(2),), raise_exception=False) is False
        assert issubclass(GradcheckError, RuntimeError)
        assert issubclass(GradcheckError, AssertionError)

    def test_undecided_is_no_pass(self, asked):
        asked.verdict = Verdict.UNDECIDED
        assert gradcheck(Twice, (np.ones(2),), raise_exception=False) is False


def test_exported():
    assert verify.gradcheck is gradcheck
    assert verify.assert_correct is assert_correct
