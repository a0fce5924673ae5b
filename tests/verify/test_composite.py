"""Callables on Tensors: the first step that is wrong is named, with its line."""

import inspect

import numpy as np
import pytest

import autodiff as ad
import verify


class Square(ad.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * grad * x


class SquareWrong(Square):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 3 * grad * x


class Twice(ad.Function):
    """Wrong by 2/3, which undoes the factor 3/2 of `SquareWrong`."""

    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, grad):
        return grad * 4 / 3


class Ends(ad.Function):
    @staticmethod
    def forward(ctx, x):
        return x[[0, -1]]

    @staticmethod
    def backward(ctx, grad):
        return grad


def line_of(function, text):
    lines, start = inspect.getsourcelines(function)
    return start + next(i for i, line in enumerate(lines) if text in line)


def test_the_step_that_is_wrong_is_named_with_its_line():
    def f(x):
        a = Square.apply(x.sin())
        b = SquareWrong.apply(a)
        return (b * x).sum()

    report = verify.check(f)
    assert report.verdict == "refuted"
    assert report.step == ("SquareWrong", __file__, line_of(f, "SquareWrong.apply"))
    assert "factor" in report.diagnosis
    assert f"SquareWrong, at {__file__}" in str(report)


def test_right_steps_are_not_named():
    def f(x):
        a = Square.apply(x)
        return (a * a + x).sum()  # fan-out

    report = verify.check(f)
    assert report.ok
    assert report.step is None
    assert any(f.evidence == "graph" and f.status == "pass" for f in report.findings)


def test_two_mistakes_that_cancel_are_found_step_by_step():
    def f(x):
        return SquareWrong.apply(Twice.apply(x)).sum()

    report = verify.check(f)
    assert report.verdict == "refuted"
    assert report.step[0] == "Twice"


def test_an_error_of_the_engine_is_traced_back_to_the_step():
    def f(x):
        return (Ends.apply(2 * x) + 1).sum()

    report = verify.check(f, examples=[((3,),)])
    assert report.verdict == "refuted"
    assert report.step[0] == "Ends"
    assert "shape (2,), expected (3,)" in report.diagnosis


def test_what_left_the_graph_is_said():
    def f(x):
        y = x.tanh()
        return (y * y.detach()).sum()

    report = verify.check(f)
    assert report.verdict == "refuted"
    assert report.step is None
    assert "detach" in report.diagnosis


def test_a_step_too_large_to_trace_is_judged_by_differences():
    def f(x):
        return SquareWrong.apply(x).mean()

    report = verify.check(f, examples=[((30, 30),)])
    assert report.verdict == "refuted"
    assert report.step[0] == "SquareWrong"


@pytest.mark.parametrize("wrong", [0, 1])
def test_several_outputs_receive_a_gradient_each(wrong):
    class Parts(ad.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return np.sin(x), np.cos(x)

        @staticmethod
        def backward(ctx, first, second):
            (x,) = ctx.saved_tensors
            factor = 2 if wrong else 1
            return first * np.cos(x) - factor * second * np.sin(x)

    def f(x):
        a, b = Parts.apply(x)
        return (a * 3 + b).sum()

    report = verify.check(f)
    assert report.ok != bool(wrong)
    assert report.step == (None if not wrong else ("Parts", __file__, line_of(f, "Parts.apply")))
