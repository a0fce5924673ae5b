"""One table: what the checker makes of the named lies, their right twins and the traps.

    python -m benchmarks.lies [--seeds N] [--jobs N] [-k WORD] [--peers] [--json FILE]

With `--peers` the gradient checkers of torch, autograd and JAX see the same cases (see
`benchmarks.peers` for how).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.lies.case import Case, modules

CAUGHT = ("refuted", "inaccurate")
PASSED = ("proved", "verified")


@dataclass
class Row:
    """What one checker said about one subject with one seed."""

    case: str
    kind: str
    module: str
    lie: bool
    seed: int
    verdict: str
    blame: str | None = None
    resolution: float | None = None
    seconds: float = 0.0
    note: str = ""

    @property
    def right(self) -> bool:
        return self.verdict in (CAUGHT if self.lie else PASSED)


def subjects(case: Case) -> Iterator[tuple[bool, Any, dict[str, Any]]]:
    if case.lie is not None:
        yield True, case.lie, case.options_of_lie()
    yield False, case.twin, case.options


def check_one(module: str, name: str, lie: bool, seed: int) -> Row:
    """Check one subject; what the checker raises is a verdict of its own, `error`."""
    import verify
    from verify.casework import Casework

    Casework.strict = True
    case = next(case for case in importlib.import_module(module).CASES if case.name == name)
    row = Row(case.name, case.kind, module, lie, seed, "error")
    subject, options = next((s, o) for is_lie, s, o in subjects(case) if is_lie == lie)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            report = verify.check(subject, **{**options, "seed": seed})
            row.verdict, row.blame = str(report.verdict), report.blame
            row.resolution = report.resolution
            failed = [f.message for f in report.findings if f.status == "fail"]
            why = failed or [f.message for f in report.findings if f.status == "skip"]
            row.note = "; ".join(why)[:300]
        except Exception as error:
            row.note = f"{type(error).__name__}: {error}"[:300]
    row.seconds = time.perf_counter() - start
    return row


def run(cases: list[tuple[str, Case]], seeds: int, jobs: int, limit: float) -> list[Row]:
    from pebble import ProcessPool

    tasks = [
        (module, case, lie, seed)
        for seed in range(seeds)
        for module, case in cases
        for lie, _, _ in subjects(case)
    ]
    rows = []
    with ProcessPool(max_workers=jobs, max_tasks=100) as pool:
        futures = [
            pool.schedule(check_one, args=(module, case.name, lie, seed), timeout=limit)
            for module, case, lie, seed in tasks
        ]
        for done, (task, future) in enumerate(zip(tasks, futures, strict=True), start=1):
            try:
                row = future.result()
            except Exception as error:  # a crash or the time limit costs one row
                module, case, lie, seed = task
                row = Row(case.name, case.kind, module, lie, seed, "error", seconds=limit)
                row.note = f"{type(error).__name__} {error}"[:200]
            rows.append(row)
            if sys.stderr.isatty() or done % 100 == 0:
                print(f"\r{done}/{len(tasks)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return rows


def summary(title: str, rows: list[Row]) -> str:
    lies = [row for row in rows if row.lie]
    right = [row for row in rows if not row.lie]
    caught = sum(row.right for row in lies)
    alarms = sum(row.verdict in CAUGHT for row in right)
    proved = sum(row.verdict == "proved" for row in right)
    open_ = sum(row.verdict in ("undecided", "error") for row in right)
    seconds = [row.seconds for row in rows]
    fine = [row.resolution for row in right if row.resolution is not None]
    resolution = f"{sum(r <= 1e-13 for r in fine) / len(fine):.0%}" if fine else "-"
    return (
        f"{title:22} {caught:5}/{len(lies):<5} {alarms:5}/{len(right):<5} {proved:5} {open_:5}"
        f" {statistics.median(seconds):8.2f} {max(seconds):8.2f} {resolution:>8}"
    )


HEAD = (
    f"{'':22} {'caught':>11} {'alarms':>11} {'proved':>5} {'open':>5}"
    f" {'median s':>8} {'worst s':>8} {'<=1e-13':>8}"
)


def table(rows: list[Row]) -> str:
    lines = [HEAD]
    for kind in dict.fromkeys(row.kind for row in rows):
        lines.append(summary(kind, [row for row in rows if row.kind == kind]))
    lines.append(summary("all", rows))
    return "\n".join(lines)


def wrong(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        if not row.right:
            what = "lie" if row.lie else "right"
            place = row.module.rpartition(".")[2]
            lines.append(f"{what:5} {row.case} [{place}] seed {row.seed}: {row.verdict}")
            lines.append(f"      {row.seconds:.1f} s  {row.note}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds (default 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one check")
    parser.add_argument("-k", default="", metavar="WORD", help="cases whose name or module has it")
    parser.add_argument("--peers", action="store_true", help="torch, autograd and JAX as well")
    parser.add_argument("--json", metavar="FILE", help="every row, as JSON")
    options = parser.parse_args()
    cases = [
        (module.__name__, case)
        for module in modules()
        for case in module.CASES
        if options.k in f"{case.name} {case.kind} {module.__name__}"
    ]
    rows = run(cases, options.seeds, options.jobs, options.limit)
    print(table(rows))
    print(wrong(rows))
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(row) for row in rows], indent=1))
    if options.peers:
        from benchmarks.peers import compare

        print(compare([case for _, case in cases], options.seeds))
    return 0 if all(row.right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
