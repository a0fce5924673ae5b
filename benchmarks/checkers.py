"""One table: the gradient checkers of torch, JAX, autograd and SciPy beside ours.

    python -m benchmarks.checkers [--lies] [--seeds N] [-k WORD] [--limit S] [--json FILE]

Four sizes of one right gradient: the smallest relative error that each checker sees when the
gradient is multiplied by 1 + error, in decades, and the median seconds on the right one. With
`--lies` also how many of the named lies each catches, and how many of the right twins it refuses
(see `benchmarks.lies` and `benchmarks.peers`, which hold the cases and the peers).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.peers import PEERS, Rule, compare

SEED = 0
DECADES = range(1, 16)


def elementwise(x: np.ndarray) -> np.ndarray:
    return np.tanh(x) * x


def elementwise_vjp(x: np.ndarray, g: np.ndarray) -> np.ndarray:
    t = np.tanh(x)
    return g * (t + x * (1 - t * t))


LABELS = np.arange(64) * 7 % 100


def cross_entropy(x: np.ndarray) -> Any:
    shifted = x - x.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return np.mean(log_total - shifted[np.arange(len(x)), LABELS])


def cross_entropy_vjp(x: np.ndarray, g: Any) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    p[np.arange(len(x)), LABELS] -= 1
    return g * p / len(x)


SIZES: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[int, ...]]] = {
    "tutorial 2x2": (elementwise, elementwise_vjp, (2, 2)),
    "100 entries": (elementwise, elementwise_vjp, (10, 10)),
    "10,000 entries": (elementwise, elementwise_vjp, (100, 100)),
    "cross-entropy 64x100": (cross_entropy, cross_entropy_vjp, (64, 100)),
}


def wrong_by(vjp: Callable[..., Any], error: float) -> Callable[..., Any]:
    return lambda x, g: (1 + error) * vjp(x, g)


def ours(quick: bool, limit: float) -> Callable[..., bool]:
    def check(rule: Rule, rng: np.random.Generator) -> bool:
        import verify

        [x] = rule.inputs
        vjp = rule.options["vjp"]
        report = verify.check(
            rule.subject, vjp=vjp, examples=[(x,)], seed=SEED, quick=quick, timeout=limit
        )
        if report.verdict.value == "undecided":
            raise TimeoutError(report.reason)
        return report.ok

    return check


def checkers(limit: float) -> dict[str, Callable[..., bool]]:
    """The checkers that are installed, by name."""
    found = {
        name: itself
        for name, (library, itself, _) in PEERS.items()
        if importlib.util.find_spec(library) is not None
    }
    return {**found, "gradproof": ours(False, limit), "gradproof quick": ours(True, limit)}


def run(check: Callable[..., bool], rule: Rule) -> tuple[bool | None, float]:
    """Whether the checker passes a rule, None where it says nothing; and the seconds it took."""
    start = time.perf_counter()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            passed: bool | None = bool(check(rule, np.random.default_rng(SEED)))
        except (TimeoutError, MemoryError):
            passed = None
        except Exception:  # how the peers say no
            passed = False
    return passed, time.perf_counter() - start


def measure(check: Callable[..., bool], size: str, limit: float) -> dict[str, Any]:
    """The smallest error seen, and the seconds, at one size."""
    function, vjp, shape = SIZES[size]
    x = np.random.default_rng(SEED).normal(size=shape)

    def rule(error: float) -> Rule:
        options = {"vjp": wrong_by(vjp, error) if error else vjp}
        return Rule(function, options, [x], {})

    passed, seconds = run(check, rule(0.0))
    times = [seconds]
    if seconds > limit or passed is None:
        return {"size": size, "right": passed, "seconds": seconds, "sees": None}
    while len(times) < 5 and sum(times) < limit / 4:
        times.append(run(check, rule(0.0))[1])
    sees = None
    for decade in DECADES:  # from the largest error down, until one goes unseen
        if run(check, rule(10.0**-decade))[0] is not False:
            break
        sees = 10.0**-decade
    return {"size": size, "right": passed, "seconds": statistics.median(times), "sees": sees}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lies", action="store_true", help="the named lies as well")
    parser.add_argument("--seeds", type=int, default=1, help="for the lies (default 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="for the lies")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one check")
    parser.add_argument("-k", default="", metavar="WORD", help="lies whose name or module has it")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    rows = []
    print(f"{'':24}" + "".join(f"{size:>26}" for size in SIZES))
    print(f"{'':24}" + f"{'sees':>12}{'seconds':>12}  " * len(SIZES))
    for name, check in checkers(options.limit).items():
        line = f"{name:24}"
        for size in SIZES:
            row = {"checker": name, **measure(check, size, options.limit)}
            rows.append(row)
            sees = "-" if row["sees"] is None else f"{row['sees']:.0e}"
            alarm = "" if row["right"] else " (no)" if row["right"] is None else " (alarm)"
            line += f"{sees + alarm:>12}{row['seconds']:>12.4f}  "
        print(line, flush=True)
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1))
    if options.lies:
        from benchmarks.lies import run as run_ours
        from benchmarks.lies import table
        from tests.lies.case import modules

        cases = [
            (module.__name__, case)
            for module in modules()
            for case in module.CASES
            if options.k in f"{case.name} {case.kind} {module.__name__}"
        ]
        print(table(run_ours(cases, options.seeds, options.jobs, options.limit)))
        print(compare([case for _, case in cases], options.seeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
