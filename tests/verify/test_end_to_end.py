"""The command with the real checks: a stranger's file, right and wrong."""

import json

import pytest

from verify import assert_correct, check_module, gradcheck
from verify.command import main

LAYERS = '''
import numpy as np
import sympy as sp
from scipy import special

from autodiff import Function
import verify


class Softplus(Function):
    """log(1 + exp x), without overflow."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return np.logaddexp(0, x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * special.expit(x)

    @staticmethod
    def formula(x):
        return sp.log(1 + sp.exp(x))


class Wrong(Softplus):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad


class Overflows(Softplus):
    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * np.exp(x) / (1 + np.exp(x))


def loss(w):
    return np.sum(w**2)


def loss_grad(w):
    return 2 * w


verify.register(loss, grad=loss_grad, examples=[((3,),)])
'''


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "layers.py").write_text(LAYERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit) as caught:
            main(["layers.py", "--json", "report.json", "-q"])
    document = json.loads((folder / "report.json").read_text())
    return caught.value.code, {r["name"]: r for r in document["results"]}, document


def test_exit_status(results):
    assert results[0] == 1


def test_a_right_one_passes_with_its_power(results):
    right = results[1]["layers.py:Softplus"]
    assert right["verdict"] in ("proved", "verified")
    assert right["cells"]["explored"] >= 1
    assert right["max_ulp"] < 8
    assert 0 < right["resolution"] < 1e-6
    assert {f["evidence"] for f in right["findings"]} >= {"oracle", "contract"}


def test_a_wrong_one_is_refuted_with_a_counterexample(results):
    wrong = results[1]["layers.py:Wrong"]
    assert wrong["verdict"] == "refuted"
    assert wrong["blame"] == "backward"
    assert wrong["argument"] == "x"
    found = wrong["counterexample"]
    assert set(found["inputs"]) == {"x"}
    assert found["expected"] != found["actual"]
    assert "exp(x)" in wrong["derivative"]


def test_an_overflow_is_inaccurate(results):
    assert results[1]["layers.py:Overflows"]["verdict"] == "inaccurate"


def test_a_registered_pair_is_checked(results):
    assert results[1]["layers.py:loss"]["verdict"] == "proved"


def test_the_summary_counts(results):
    summary = results[2]["summary"]
    assert sum(summary[v] for v in ("proved", "verified", "inaccurate", "refuted")) == 4


def test_the_same_from_python(tmp_path, monkeypatch):
    (tmp_path / "strangers_layers.py").write_text(LAYERS)
    monkeypatch.syspath_prepend(tmp_path)
    reports = check_module("strangers_layers")
    assert [r.ok for r in reports] == [True, False, False, True]
    import strangers_layers

    assert assert_correct(strangers_layers.Softplus).ok
    with pytest.raises(AssertionError, match="REFUTED"):
        assert_correct(strangers_layers.Wrong)
    import autodiff as ad

    assert gradcheck(strangers_layers.Softplus.apply, ad.tensor([0.5], requires_grad=True))
