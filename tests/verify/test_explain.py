import pytest

from verify.command import main
from verify.explain import explanation
from verify.load import LoadError


@pytest.fixture
def functions(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write(
        "functions.py",
        """
        import numpy as np
        from autodiff import Function
        def loss(x): return ((x + 2) * (x + 2) * 3).mean()
        def product(x, y): return x * y
        def constant(x): return 3
        def picky(x): raise ValueError("never")
        def nothing(): return 3
        class Raises(Function):
            @staticmethod
            def forward(ctx, x): raise RuntimeError("no weights")
        class NoContext(Function):
            @staticmethod
            def forward(x): return x
        class Wrong(Function):
            @staticmethod
            def forward(ctx, x): return np.asarray(x).sum(axis=-1)
            @staticmethod
            def backward(ctx, grad): return 7 * grad
            examples = [((3,),)]
        """,
    )


def test_a_loss_is_derived_on_a_vector(functions):
    text = explanation("functions.py:loss")
    assert "∂o/∂x_i" in text
    assert "power rule" in text


def test_each_argument_has_its_derivation(functions):
    text = explanation("functions.py:product")
    assert text.startswith("derivative by x\n")
    assert "\n\nderivative by y\n" in text
    assert "∂o/∂x = y" in text


def test_latex(functions):
    text = explanation("functions.py:product", latex=True)
    assert text.startswith("% derivative by x\n\\begin{align*}")
    assert text.count("\\end{align*}") == 2


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("constant", "no Tensor that depends"),
        ("picky", "takes none of the shapes .*: never"),
        ("nothing", "takes no arguments"),
        ("missing", "there is no missing"),
        ("Raises", "RuntimeError: no weights .functions.py:"),
        ("NoContext", "no argument beside ctx"),
    ],
)
def test_says_why_not(functions, name, complaint):
    with pytest.raises(LoadError, match=complaint):
        explanation(f"functions.py:{name}")


def test_a_wrong_backward_is_no_source_of_the_derivation(functions):
    text = explanation("functions.py:Wrong")
    assert "7" not in text
    assert "1" in text.splitlines()[-1]


def test_the_command(functions, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["explain", "functions.py:product"])
    assert not caught.value.code
    assert "∂o/∂x = y" in capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main(["explain", "functions.py:constant"])
    assert caught.value.code == 2
    assert "no Tensor" in capsys.readouterr().err


def test_a_name_alone_is_built_in(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["explain", "Sin"])
    assert not caught.value.code
    assert "cos" in capsys.readouterr().out


def test_a_function_of_scalars_is_derived_on_each_of_its_cells(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(
        "branches.py",
        """
        import numpy as np
        from autodiff import Function
        class Huber(Function):
            @staticmethod
            def forward(ctx, x):
                return np.where(np.abs(x) <= 1, 0.5 * x**2, np.abs(x) - 0.5)
        """,
    )
    text = explanation("branches.py:Huber")
    assert "where x > 1:\n" in text
    assert "where -1 <= x < 0:\n" in text
    assert text.count("[definition]") == 4
    assert explanation("branches.py:Huber", latex=True).count("\n\\end{align*}") == 4


def test_a_function_of_arrays_is_derived_through_what_its_forward_does(
    write, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write(
        "arrays.py",
        """
        import numpy as np
        from autodiff import Function
        class Normalise(Function):
            examples = [((2, 3),)]
            @staticmethod
            def forward(ctx, x):
                e = np.exp(x)
                return e / e.sum(axis=-1, keepdims=True)
            @staticmethod
            def backward(ctx, grad):
                return grad
        class Biased(Normalise):  # var is another one for arrays than for Tensors
            @staticmethod
            def forward(ctx, x):
                return x / x.var()
        """,
    )
    text = explanation("arrays.py:Normalise")
    assert "Normalise(x)" not in text
    assert "_ij = exp(x_ij)" in text
    assert "[chain rule]" in text
    assert "o = Biased(x)" in explanation("arrays.py:Biased")
