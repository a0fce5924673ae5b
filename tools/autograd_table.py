"""What autograd differentiates and how it is had here, docs/autograd.md: needs autograd installed.

    python tools/autograd_table.py

The list is that of autograd's own tables of derivatives; what stands beside each function is looked
up in the tables of this package, and fails here if it is neither there nor explained below.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import autograd.numpy
import autograd.scipy.integrate
import autograd.scipy.linalg
import autograd.scipy.signal
import autograd.scipy.special
import autograd.scipy.stats
import numpy as np
from autograd.core import primitive_vjps
from autograd.numpy.numpy_vjps import nograd_functions
from autograd.tracer import isbox  # noqa: F401  (autograd is complete once its tables are)

import autodiff as ad
from autodiff import functions
from autodiff.dispatch import FUNCTIONS, NON_DIFFERENTIABLE, UFUNCS

PAGE = Path(__file__).parents[1] / "docs" / "autograd.md"
HEAD = """# What autograd differentiates

Written by `python tools/autograd_table.py` from the tables of
[HIPS autograd](https://github.com/HIPS/autograd) {version}: every function that has a derivative
there, and how it is had here. `np.f(x)` and `special.f(x)` are NumPy's and SciPy's own functions,
called on tensors. All of them have a gradient of any order but `odeint`, and complex gradients
follow torch's convention, the conjugate of autograd's.

Of the checks in autograd's own test-suite that can be made with our tensors, {agreement}
(`python benchmarks/autograd_suite.py`: values, gradients and second derivatives).

{counts}
"""
AGREEMENT = (
    "2176 of 2219 agree. The others: 24 convolve along chosen axes; 7 build arrays by `np.r_` and "
    "`np.c_`, and one by `np.int64(x)`, which take no tensors; 6 hand `eigh` a matrix that is not "
    "symmetric, of which it reads one triangle there and the symmetric part here; 2 want the "
    "density of a singular covariance matrix; 2 use an operation of autograd's own; and one "
    "pseudo-inverse is conditioned too badly for the ten digits that are compared"
)
# What is had under another name, or only in part, and why.
REMARKS = {
    "beta.cdf": "in `x`; the derivative in a shape is not known and raises",
    "betainc": "in `x`; the derivative in a parameter is not known and raises",
    "chi2.cdf": "in `x`; the derivative in `df` is not known and raises",
    "convolve": "of all axes; not along chosen ones",
    "eigh": "of the symmetric part, where autograd reads one triangle",
    "gamma.cdf": "in `x`; the derivative in the shape is not known and raises",
    "gammainc": "in `x`; the derivative in `a` is not known and raises",
    "gammaincc": "in `x`; the derivative in `a` is not known and raises",
    "gammasgn": "has no gradient",
    "iv": "in `x`, of a constant order, as there",
    "ive": "in `x`, of a constant order, as there",
    "jv": "in `x`, of a constant order, as there",
    "make_diagonal": "autograd's own: `ad.diag` of one axis",
    "multivariate_normal.logpdf": "of regular covariance matrices",
    "multivariate_normal.pdf": "of regular covariance matrices",
    "odeint": "of the first order",
    "poisson.cdf": "in `mu`",
    "polygamma": "in `x`",
    "svd": "reduced",
    "t.cdf": "in `x`, `loc` and `scale`; the derivative in `df` is not known and raises",
    "t.logcdf": "in `x`, `loc` and `scale`; the derivative in `df` is not known and raises",
    "yn": "in `x`, of a constant order, as there",
}
OWN = {"full": "`np.broadcast_to(x, shape)`", "make_diagonal": "`ad.diag(x)`"}
INTERNAL = {
    "_array_from_scalar_or_array", "array_from_args", "concatenate_args", "truncate_pad", "untake",
    "dot_adjoint_0", "dot_adjoint_1", "tensordot_adjoint_0", "tensordot_adjoint_1", "__getitem__",
}  # fmt: skip


def named(module: object) -> dict[int, str]:
    """The names of the primitives that a module of autograd holds."""
    return {id(value): name for name, value in vars(module).items() if value in primitive_vjps}


def of_numpy(module: object, real: object, prefix: str) -> list[tuple[str, str]]:
    """The functions of NumPy's module, and how they are called here."""
    found = {}
    for name in vars(module):
        if getattr(module, name, None).__hash__ is None or name.startswith("_"):
            continue
        if getattr(module, name) not in primitive_vjps or name in INTERNAL:
            continue
        function = getattr(real, name, None)
        ufunc = isinstance(function, np.ufunc) and function.__name__ in UFUNCS
        if ufunc or function in FUNCTIONS:
            found[name] = f"`{prefix}.{name}(x)`"
        elif name in OWN:
            found[name] = OWN[name]
        else:
            raise SystemExit(f"{prefix}.{name} is neither here nor explained")
    for name in ("concatenate", "vstack", "hstack", "column_stack", "stack", "append", "select"):
        if prefix == "np":  # composed of primitives there
            found[name] = f"`np.{name}(...)`"
    return sorted(found.items())


def of_scipy() -> list[tuple[str, str]]:
    """The functions of ``scipy.special``."""
    found = {}
    for name, value in vars(autograd.scipy.special).items():
        if not callable(value) or value not in primitive_vjps:
            continue
        called = {"digamma": "psi", "jn": "jv"}.get(name, name)
        if called in UFUNCS or name in UFUNCS:
            found[name] = f"`special.{name}(x)`, `ad.{name if hasattr(ad, name) else called}(x)`"
            if not hasattr(ad, name) and not hasattr(ad, called):
                found[name] = f"`special.{name}(x)`"
        elif name in NON_DIFFERENTIABLE:
            found[name] = f"`special.{name}(x)`"
        elif hasattr(ad, name):
            found[name] = f"`ad.{name}(x)`"
        else:
            raise SystemExit(f"scipy.special.{name} is neither here nor explained")
    return sorted(found.items())


def of_namespace(module: object, ours: object, prefix: str) -> list[tuple[str, str]]:
    """The functions of SciPy that ours stand in for by name."""
    found = {}
    for name, value in vars(module).items():
        if callable(value) and value.__hash__ is not None and value in primitive_vjps:
            if value is getattr(autograd.scipy.special, name, None):
                continue  # imported there for a derivative
            if not hasattr(ours, name):
                raise SystemExit(f"{prefix}.{name} is neither here nor explained")
            found[name] = f"`{prefix}.{name}`"
    return sorted(found.items())


def table(title: str, rows: list[tuple[str, str]], qualified: str = "") -> str:
    """A section: one row for each function."""
    lines = [f"## {title}\n", "| autograd | here | |", "|---|---|---|"]
    for name, how in rows:
        full = qualified + name
        lines.append(f"| `{full}` | {how} | {REMARKS.get(full, '')} |")
    return "\n".join(lines) + "\n"


def stats() -> list[tuple[str, str]]:
    """The methods of the distributions."""
    rows = []
    for name in ad.stats.__all__:
        module = getattr(autograd.scipy.stats, name)
        for method, how in of_namespace(module, getattr(ad.stats, name), f"ad.stats.{name}"):
            if method != "rvs":
                rows.append((f"{name}.{method}", how))
    return rows


def without_gradient() -> str:
    """The functions that run on tensors and have no gradient, and autograd's list beside."""
    theirs = {getattr(f, "__name__", "") for f in nograd_functions}
    missing = sorted(n for n in theirs - NON_DIFFERENTIABLE - {"isscalar", "sign"} if n)
    names = ", ".join(f"`{name}`" for name in sorted(NON_DIFFERENTIABLE))
    text = "## Functions without a gradient\n\n"
    text += "These run on the values of tensors: what they give is piecewise constant, or about\n"
    text += "types, shapes and order. Whatever stands in neither list raises a TypeError.\n\n"
    text += textwrap.fill(names, 100) + "\n"
    if missing:
        text += "\nOf autograd's list these are missing here: "
        text += ", ".join(f"`{name}`" for name in missing) + "\n"
    return text


def page() -> str:
    """The whole page."""
    from importlib.metadata import version

    sections = {
        "numpy": (of_numpy(autograd.numpy, np, "np"), ""),
        "numpy.linalg": (of_numpy(autograd.numpy.linalg, np.linalg, "np.linalg"), ""),
        "numpy.fft": (of_numpy(autograd.numpy.fft, np.fft, "np.fft"), ""),
        "scipy.special": (of_scipy(), ""),
        "scipy.stats": (stats(), ""),
        "scipy.linalg": (of_namespace(autograd.scipy.linalg, ad.linalg, "ad.linalg"), ""),
        "scipy.signal": (of_namespace(autograd.scipy.signal, functions, "ad"), ""),
        "scipy.integrate": (
            of_namespace(autograd.scipy.integrate, ad.integrate, "ad.integrate"),
            "",
        ),
    }
    total = sum(len(rows) for rows, _ in sections.values())
    counts = f"{total} functions of autograd's; {len(functions.all_functions())} Functions here"
    counts += " (those of neural networks and many of `scipy.special` autograd has not)."
    head = HEAD.format(version=version("autograd"), agreement=AGREEMENT, counts=counts)
    head = "\n\n".join(textwrap.fill(part, 100) for part in head.split("\n\n"))
    head += "\n"
    body = [table(title, rows, qualified) for title, (rows, qualified) in sections.items()]
    return "\n".join([head, *body, without_gradient()])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
