"""The graph of a computation, with a verdict on each step."""

import shutil
from xml.etree import ElementTree

import numpy as np
import pytest

import autodiff as ad
from verify import draw


class Wrong(ad.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * x**2


class Raises(Wrong):
    @staticmethod
    def backward(ctx, grad):
        raise KeyError("x")


def model(x, w):
    """Two steps of the library's around one that is wrong."""
    return (Wrong.apply(x * w) + w).sum()


X, W = np.array([1.0, 2.0]), np.array([3.0, 0.5])


def statuses(drawing):
    return {v.name: v.status for v in drawing.vertices if v.status != "input"}


def test_each_step_is_judged_at_what_it_received():
    drawing = draw(model, X, W)
    assert statuses(drawing) == {"Mul": "right", "Wrong": "wrong", "Add": "right", "Sum": "right"}
    (wrong,) = drawing.wrong
    assert wrong.message == (
        "for the upstream gradient that it received it gives 9.0 as the gradient of x[0], "
        "expected 27.0"
    )
    assert "test_drawing.py:" in wrong.place


def test_edges_lead_to_what_a_step_was_made_of():
    vertices = draw(model, X, W).vertices
    made_of = {v.name: {vertices[j].name for j in v.parents} for v in vertices}
    assert made_of == {
        "x": set(), "w": set(), "Mul": {"x", "w"}, "Wrong": {"Mul"}, "Add": {"Wrong", "w"},
        "Sum": {"Add"},
    }  # fmt: skip
    assert all(j < i for i, v in enumerate(vertices) for j in v.parents)


def test_a_backward_that_raises():
    drawing = draw(lambda x: np.exp(Raises.apply(np.sin(x))).sum(), X)
    assert statuses(drawing) == {
        "Sin": "not judged", "Raises": "wrong", "Exp": "right", "Sum": "right",
    }  # fmt: skip
    assert "KeyError" in drawing.wrong[0].message


def test_parameters_that_are_closed_over_and_several_outputs():
    p = ad.tensor([1.0, -1.0], requires_grad=True)

    def f(x):
        first, second = np.split(x * p, 2)
        return first * second

    drawing = draw(f, X)
    assert [v.name for v in drawing.vertices if v.status == "input"] == ["x", "a parameter"]
    assert drawing.wrong == []


def test_the_text_is_graphviz():
    text = draw(model, X, W).to_dot()
    assert text.startswith('digraph "model" {\n')
    assert text.count("->") == 7 - 1
    assert 'color="#cf222e"' in text
    assert text.count('color="#1a7f37"') == 3 * 2  # of the frame and of the letters
    assert "(2,), wrong" in text


def test_quotes_in_names():
    f = lambda x: x * 2  # noqa: E731
    f.__name__ = 'a "name" \\ with all'
    assert draw(f, X).to_dot().startswith('digraph "a \\"name\\" \\\\ with all" {')


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")
def test_the_picture():
    drawing = draw(model, X, W)
    picture = ElementTree.fromstring(drawing._repr_svg_())
    texts = [t.text for t in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "Wrong" in texts
    assert "(2,), wrong" in texts


def test_without_graphviz(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    drawing = draw(model, X, W)
    assert drawing._repr_svg_() is None
    with pytest.raises(RuntimeError, match="install Graphviz"):
        drawing.to_svg()


@pytest.mark.parametrize("wrong", [np.ones(3), 1.0])
def test_a_grad_output_that_does_not_fit(wrong):
    with pytest.raises(ValueError, match=r"grad_output: expected the shape of the result, \(2,\)"):
        draw(lambda x: x * 2, X, grad_output=wrong)


def test_the_arguments_are_left_alone():
    x = X.copy()
    draw(model, x, W, grad_output=2.0)
    np.testing.assert_array_equal(x, X)
