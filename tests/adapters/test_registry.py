"""Which library a subject has to do with, and that no library is imported to find out."""

import subprocess
import sys

import numpy as np
import pytest

import autodiff as ad
from verify.adapters import libraries


def test_a_check_imports_no_foreign_library():
    code = (
        "import sys, verify\n"
        "verify.check(lambda x: x**2, grad=lambda x: 2*x, examples=[((),)])\n"
        "print([m for m in ('torch', 'jax', 'autograd') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_function_of_tensors_stays_with_autodiff():
    def loss(x):
        return ad.tanh(x).sum()

    assert libraries(loss) == []
    assert libraries(lambda x: np.sum(x)) == []


def test_torch_is_found_by_class_by_example_and_by_code():
    torch = pytest.importorskip("torch")

    class Double(torch.autograd.Function):
        pass

    def helper(x):
        return torch.sin(x)

    def by_helper(x):
        return helper(x)

    def of_ours(x):
        return ad.tanh(x) if torch is not None else x

    assert libraries(of_ours) == []
    assert libraries(Double)[0] == "torch"
    assert libraries(torch.nn.Softplus())[0] == "torch"
    assert libraries(torch.sin)[0] == "torch"
    assert libraries(by_helper)[0] == "torch"
    assert libraries(lambda x: x.sin(), [(torch.ones(2),)])[0] == "torch"


def test_jax_is_found_by_class_and_by_code():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    assert libraries(jax.custom_vjp(lambda x: x))[0] == "jax"
    assert libraries(lambda x: jnp.sin(x))[0] == "jax"
    assert libraries(jnp.sin)


def test_autograd_is_found_by_its_primitives_and_by_code():
    anp = pytest.importorskip("autograd.numpy")

    assert "autograd" in libraries(anp.sin)
    assert libraries(lambda x: anp.sin(x))[0] == "autograd"


def test_the_command_finds_other_libraries_operations(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    pytest.importorskip("autograd")
    from verify.load import discover

    file = tmp_path / "operations_of_others.py"
    file.write_text(
        "import jax, torch\n"
        "from autograd.extend import primitive\n"
        "from torch.autograd import Function\n"
        "class Double(Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x): return 2 * x\n"
        "    @staticmethod\n"
        "    def backward(ctx, grad): return 2 * grad\n"
        "@jax.custom_vjp\n"
        "def triple(x): return 3 * x\n"
        "triple.defvjp(lambda x: (3 * x, None), lambda _, g: (3 * g,))\n"
        "@primitive\n"
        "def quadruple(x): return 4 * x\n"
        "plain = torch.sin\n"
    )
    found = [item.target.rpartition(":")[2] for item in discover(str(file))]
    assert found == ["Double", "triple", "quadruple"]
