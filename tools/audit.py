"""Confirm the findings of an audit: each against a value that mpmath computes on its own.

    gradproof audit torch --compare jax,autograd --json audit.json
    python tools/audit.py audit.json > findings.md

The formula of the table is evaluated by mpmath at 60 digits, with another step than any used in
the check, and differentiated numerically; symbols, balls and the engine have no part in it. Printed
is a table in Markdown: what the library gives, what is right by the audit, and by mpmath. At a kink
there is no derivative to compute, and the last column says so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from verify.audit.table import TABLE, Row

mp.mp.dps = 60
FAILED = ("refuted", "inaccurate")


def choose(condition: Any, a: Any, b: Any) -> Any:
    return np.frompyfunc(lambda c, u, v: u if c else v, 3, 1)(condition, a, b)


class NumPy:
    """What the formulas name of NumPy, on arrays of mpmath's numbers."""

    pi = mp.pi
    exp, log, sin, cos, tan = (
        np.frompyfunc(f, 1, 1) for f in (mp.exp, mp.log, mp.sin, mp.cos, mp.tan)
    )
    sinh, cosh, tanh, sqrt, cbrt = (
        np.frompyfunc(f, 1, 1) for f in (mp.sinh, mp.cosh, mp.tanh, mp.sqrt, mp.cbrt)
    )
    arcsin, arccos, arctan, arcsinh, arccosh, arctanh = (
        np.frompyfunc(f, 1, 1) for f in (mp.asin, mp.acos, mp.atan, mp.asinh, mp.acosh, mp.atanh)
    )
    expm1, log1p, sinc, trunc = (
        np.frompyfunc(f, 1, 1)
        for f in (mp.expm1, lambda x: mp.log(1 + x), lambda x: mp.sincpi(x), mp.mpf)
    )
    logaddexp = np.frompyfunc(lambda x, y: mp.log(mp.exp(x) + mp.exp(y)), 2, 1)
    hypot = np.frompyfunc(mp.hypot, 2, 1)
    arctan2 = np.frompyfunc(mp.atan2, 2, 1)
    maximum, minimum = np.frompyfunc(max, 2, 1), np.frompyfunc(min, 2, 1)
    where = staticmethod(choose)
    abs, sum, mean, prod, cumsum = (staticmethod(f) for f in (np.abs, np.sum, np.mean, np.prod,
                                                              np.cumsum))  # fmt: skip
    power = staticmethod(lambda x, y: x**y)

    @staticmethod
    def clip(x: Any, low: float, high: float) -> Any:
        return NumPy.minimum(NumPy.maximum(x, low), high)

    class linalg:
        @staticmethod
        def det(x: Any) -> Any:
            return mp.det(mp.matrix(x.tolist()))


class Special:
    """What the formulas name of ``scipy.special``."""

    expit = np.frompyfunc(lambda x: 1 / (1 + mp.exp(-x)), 1, 1)
    erf, erfc = np.frompyfunc(mp.erf, 1, 1), np.frompyfunc(mp.erfc, 1, 1)
    erfcx = np.frompyfunc(lambda x: mp.exp(x * x) * mp.erfc(x), 1, 1)
    ndtr = np.frompyfunc(mp.ncdf, 1, 1)
    log_ndtr = np.frompyfunc(lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), 1, 1)
    gammaln = np.frompyfunc(mp.loggamma, 1, 1)
    digamma = np.frompyfunc(mp.digamma, 1, 1)
    i0, i1 = (np.frompyfunc(lambda x, n=n: mp.besseli(n, x), 1, 1) for n in (0, 1))
    i0e, i1e = (
        np.frompyfunc(lambda x, n=n: mp.exp(-abs(x)) * mp.besseli(n, x), 1, 1) for n in (0, 1)
    )
    ive = np.frompyfunc(lambda n, x: mp.exp(-abs(x)) * mp.besseli(n, x), 2, 1)
    j0, j1 = (np.frompyfunc(lambda x, n=n: mp.besselj(n, x), 1, 1) for n in (0, 1))
    beta = np.frompyfunc(mp.beta, 2, 1)
    betaln = np.frompyfunc(lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b), 2, 1)
    spence = np.frompyfunc(lambda x: mp.re(mp.polylog(2, 1 - x)), 1, 1)
    xlogy = np.frompyfunc(lambda x, y: x * mp.log(y), 2, 1)
    xlog1py = np.frompyfunc(lambda x, y: x * mp.log(1 + y), 2, 1)
    gammainc = np.frompyfunc(lambda a, x: mp.gammainc(a, 0, x, regularized=True), 2, 1)
    gammaincc = np.frompyfunc(lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), 2, 1)
    zeta = np.frompyfunc(mp.zeta, 2, 1)
    polygamma = np.frompyfunc(lambda n, x: mp.polygamma(n, x), 2, 1)
    logsumexp = staticmethod(lambda x: mp.log(sum(mp.exp(v) for v in x)))


def derivative(row: Row, found: dict[str, Any], argument: str) -> mp.mpf:
    """The gradient's entry, by mpmath alone."""
    call = eval(
        f"lambda {', '.join(row.arguments)}: {row.formula}", {"np": NumPy, "special": Special}
    )
    exact = {
        name: np.frompyfunc(mp.mpf, 1, 1)(np.asarray(found["inputs"][name], dtype=float))
        for name in row.arguments
    }
    weights = np.frompyfunc(mp.mpf, 1, 1)(np.asarray(found["grad_output"], dtype=float))
    index = tuple(found["index"])
    size = max((abs(mp.mpf(v)) for a in exact.values() for v in np.ravel(a)), default=mp.mpf(1))

    def along(step: mp.mpf) -> mp.mpf:
        moved = {k: np.array(v, dtype=object) for k, v in exact.items()}
        moved[argument][index] = moved[argument][index] + step
        plain = {k: v[()] if v.ndim == 0 else v for k, v in moved.items()}
        return mp.mpf(np.sum(weights * call(**plain)))

    step = mp.mpf(10) ** -25 * (size or 1)
    with mp.workdps(150):
        return +((along(step) - along(-step)) / (2 * step))


def main() -> None:
    rows = {row.name: row for row in TABLE}
    results = json.loads(Path(sys.argv[1]).read_text())["results"]
    print("| library | function | verdict | at | library gives | right | by mpmath |")
    print("|---|---|---|---|---|---|---|")
    for result in results:
        if result["verdict"] not in FAILED:
            continue
        module, _, name = result["name"].partition(":")
        found = result["counterexample"]
        library = module.rpartition(".")[2]
        at = ", ".join(f"{k} = {v}" for k, v in (found or {}).get("inputs", {}).items())
        kink = any("generalised" in f["message"] for f in result["findings"])
        try:
            value = (
                "a kink" if kink else mp.nstr(derivative(rows[name], found, result["argument"]), 17)
            )
        except Exception as error:
            value = f"not computed ({type(error).__name__})"
        given = "raises" if found is None or found["expected"] == "nan" else found["actual"]
        right = "" if found is None else found["expected"]
        print(f"| {library} | {name} | {result['verdict']} | {at} | {given} | {right} | {value} |")


if __name__ == "__main__":
    main()
