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
        "verify.check(lambda x: x**2, grad=lambda x: 2*x, examples=[((),)], quick=False)\n"
        "print([m for m in ('torch', 'jax', 'autograd') if m in sys.modules])"
    ).replace(", quick=False", "")
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
