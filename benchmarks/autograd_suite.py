"""The calls of autograd's own test-suite, made with our tensors: values and gradients compared.

    python benchmarks/autograd_suite.py SOURCES     (the unpacked sdist of autograd, with its tests)

autograd's tests check its derivatives against finite differences. Here each such check becomes a
comparison: the same function at the same inputs, once on autograd's arrays and once on ours; the
value, the gradient for a random upstream gradient, and the gradient of that gradient. autograd's
gradient of a complex number is the conjugate of ours (which is torch's), and is conjugated first.

What autograd wraps of NumPy reaches our tensors through NumPy's own dispatch. What it wraps of
SciPy's plain functions, and ``np.array``, cannot: ours are put in their place, by name (`INSTEAD`).
"""

from __future__ import annotations

import sys
import warnings
from collections import defaultdict
from pathlib import Path

import autograd
import autograd.numpy as anp
import autograd.scipy.integrate
import autograd.scipy.linalg
import autograd.scipy.signal
import autograd.scipy.special
import autograd.scipy.stats
import autograd.test_util
import numpy as np
import pytest
from autograd.core import make_vjp, vspace
from autograd.wrap_util import unary_to_nary

import autodiff as ad
from autodiff import functions as F
from autodiff.tensor import Tensor

MODULES = """
    numpy scipy linalg fft systematic scalar_ops binary_ops complex builtins dict list tuple graphs
    misc ufunc_dispatch truediv wrappers jacobian
"""
outcomes: dict[str, list[str]] = defaultdict(list)
current = ["?"]


# Ours in the place of functions that NumPy does not hand over.


def tensors_in(value):
    if isinstance(value, Tensor):
        return True
    if isinstance(value, dict):
        return any(map(tensors_in, value.values()))
    return isinstance(value, list | tuple) and any(map(tensors_in, value))


def either(theirs, ours):
    """A function that is ours where a tensor is among the arguments."""

    def call(*args, **kwargs):
        return (ours if tensors_in([args, kwargs]) else theirs)(*args, **kwargs)

    return call


def array(values, *args, **kwargs):
    """What ``np.array`` means for nested lists of tensors."""
    if isinstance(values, list | tuple):
        return F.stack([array(v) for v in values])
    return values if isinstance(values, Tensor) else ad.tensor(values)


def logsumexp(x, axis=None, b=1.0, keepdims=False):
    """SciPy's, by our function without weights."""
    return F.logsumexp(x + np.log(b), axis, keepdims=keepdims)


STATS = ("beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t")
INSTEAD = {
    # What autograd itself wraps anew.
    anp: {
        "append": F.append,
        "array": array,
        "column_stack": F.column_stack,
        "concatenate": F.concatenate,
        "hstack": F.hstack,
        "select": F.select,
        "stack": F.stack,
        "vstack": F.vstack,
        "row_stack": F.vstack,
    },
    autograd.scipy.special: {
        "logsumexp": logsumexp,
        "polygamma": F.polygamma,
        "multigammaln": F.multigammaln,
    },
    autograd.scipy.linalg: {
        name: getattr(ad.linalg, name)
        for name in ("sqrtm", "solve_triangular", "solve_sylvester", "solve_banded")
    },
    autograd.scipy.signal: {"convolve": F.convolve},
    autograd.scipy.integrate: {"odeint": ad.integrate.odeint},
    **{
        getattr(autograd.scipy.stats, name): {
            method: getattr(getattr(ad.stats, name), method)
            for method in vars(getattr(ad.stats, name))
            if hasattr(getattr(autograd.scipy.stats, name), method) and method[0] != "_"
        }
        for name in STATS
    },
}


def replace():
    """Put ours in place, before the tests import anything."""
    for module, functions in INSTEAD.items():
        for name, ours in functions.items():
            setattr(module, name, either(getattr(module, name), ours))
    autograd.test_util.check_grads = compare


# The comparison.


def mapped(rule, value):
    """A rule applied to each array in containers."""
    if isinstance(value, dict):
        return {k: mapped(rule, v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([mapped(rule, v) for v in value])
    return rule(value)


def leaves(value):
    """The arrays in containers, in order."""
    if isinstance(value, dict):
        return [leaf for k in sorted(value) for leaf in leaves(value[k])]
    if isinstance(value, list | tuple):
        return [leaf for v in value for leaf in leaves(v)]
    return [value]


def arrays(value):
    return [np.asarray(v.detach().numpy() if isinstance(v, Tensor) else v) for v in leaves(value)]


def same(ours, theirs):
    """Whether two lists of arrays agree: to ten digits of the largest entry.

    Solutions of differential equations agree to five, as the integrator's tolerance is 1e-8.
    """
    tolerance = 1e-5 if "odeint" in current[0] else 1e-10
    for a, b in zip(ours, theirs, strict=True):
        b = np.asarray(b)
        if a.shape != b.shape:
            return False
        largest = 1 + np.max(np.abs(b), initial=0.0)
        if not np.allclose(a, b, rtol=tolerance, atol=tolerance * largest):
            return False
    return True


def gradients(outputs, inputs, upstream, again=False):
    pairs = [
        (o, u) for o, u in zip(outputs, upstream, strict=True) if getattr(o, "requires_grad", 0)
    ]
    if not pairs:
        return [ad.tensor(np.zeros(x.shape, x.dtype)) for x in inputs]
    outs, seeds = zip(*pairs, strict=True)
    return list(
        ad.grad(
            list(outs), inputs, list(seeds), create_graph=again, allow_unused=True,
            materialize_grads=True,
        )
    )  # fmt: skip


@unary_to_nary
def compare(f, x, modes=("fwd", "rev"), order=2):
    """Compare autograd's value and gradients of `f` at `x` with ours; note the outcome."""
    try:
        vjp, y = make_vjp(f, x)
        v = vspace(y).randn()
        conjugate = lambda value: mapped(np.conj, value)  # noqa: E731
        first = vjp(conjugate(v))
        w = vspace(first).randn()
        second = None
        if order > 1:
            try:
                outer, _ = make_vjp(lambda x: make_vjp(f, x)[0](conjugate(v)), x)
                # autograd's gradient is a conjugate, and its own upstream gradient is another.
                second = outer(w)
            except Exception:  # autograd has none: nothing to compare with
                second = None
    except Exception as error:
        outcomes[current[0]].append(f"autograd fails: {type(error).__name__}")
        return
    try:
        ours = mapped(lambda a: ad.tensor(np.asarray(a), requires_grad=True), x)
        inputs = leaves(ours)
        out = leaves(f(ours))
        if not same([np.asarray(a) for a in arrays(out)], leaves(y)):
            outcomes[current[0]].append("value differs")
            return
        seeds = [ad.tensor(np.asarray(u)) for u in leaves(v)]
        grads = gradients(out, inputs, seeds, again=True)
        if not same(arrays(grads), leaves(conjugate(first))):
            outcomes[current[0]].append("gradient differs")
            return
        if second is not None:
            seeds = [ad.tensor(np.asarray(u)) for u in leaves(w)]
            again = gradients(grads, inputs, seeds)
            if not same(arrays(again), leaves(conjugate(second))):
                outcomes[current[0]].append("second order differs")
                return
        outcomes[current[0]].append("agrees")
    except Exception as error:
        text = str(error).split("\n")[0].split(":")[0]
        if "ArrayBox" in text or "Can't differentiate w.r.t." in text:
            outcomes[current[0]].append("autograd fails: a check of autograd's own operators")
            return
        outcomes[current[0]].append(f"refused: {type(error).__name__}: {text[:90]}")


class Recorder:
    """Says which test runs, and lets none of them see its own finite differences."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item):
        current[0] = f"{item.module.__name__}.{item.originalname or item.name}"


def main(sources: Path) -> None:
    replace()
    warnings.simplefilter("ignore")
    tests = sources / "tests"
    sys.path.insert(0, str(tests))
    files = [str(tests / f"test_{name}.py") for name in MODULES.split()]
    options = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--no-header", "--tb=no"]
    options += ["--rootdir", str(tests), "-W", "ignore"]
    pytest.main([*options, *files], plugins=[Recorder()])
    report()


def report() -> None:
    """How many checks agree, test by test, and what the others say."""
    total = agree = tests = 0
    others: dict[str, list[str]] = defaultdict(list)
    full = 0
    for test, results in outcomes.items():
        judged = [r for r in results if not r.startswith("autograd fails")]
        if not judged:
            continue
        tests += 1
        total += len(judged)
        agree += judged.count("agrees")
        full += judged.count("agrees") == len(judged)
        for reason in sorted({r for r in judged if r != "agrees"}):
            others[reason].append(f"{test} ({judged.count(reason)} of {len(judged)})")
    print(f"\n{agree} of {total} checks agree; {full} of {tests} tests in full\n")
    for reason, where in sorted(others.items()):
        print(f"{reason}:\n    " + "\n    ".join(where))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
