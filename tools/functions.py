"""The table of built-in Functions, docs/functions.md: ``python tools/functions.py [RESULTS.json]``.

From the results of ``gradproof --json``, which is run where no file is given.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import sympy as sp

from autodiff import Function
from autodiff.functions import all_functions
from symbolic import formula
from symbolic.formulas import FormulaError

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "functions.md"
HEAD = """# The built-in Functions

Written by `python tools/functions.py`: what `gradproof` says about each of them. *ulp* is the most
that backward lost, in units of the last place, beyond what the rounding of its inputs explains. Of
what acts on whole arrays, formula and derivative are those of the first entry, at the first shape,
where they are short; `gradproof explain NAME` derives each.
What the verdicts promise stands in [verdicts.md](verdicts.md).
"""
WIDEST = 60


def results(file: str | None) -> dict:
    """The results in a file, or of a run now."""
    if file is not None:
        return json.loads(Path(file).read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "verify", "--json", "-", "--quiet"]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    return json.loads(run.stdout)


def summary(function: type[Function]) -> str:
    """The first line of a Function's docstring."""
    return (function.__doc__ or "").strip().split("\n")[0].replace("``", "`")


def formula_of(result: dict, function: type[Function]) -> str:
    """What it computes: of single entries as it stands, else the first entry of the output."""
    found = result["formula"] or ""
    if getattr(function, "elementwise", False):
        parameters = inspect.signature(function.forward).parameters.values()
        needed = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
        # some ask whether a keyword is a certain number: then it is that of the example
        with contextlib.suppress(FormulaError):
            found = str(formula(function, **{name: sp.Symbol(name) for name in needed}))
    return f"`{found}`" if 0 < len(found) <= WIDEST else ""


def derivatives(result: dict, function: type[Function]) -> str:
    """SymPy's derivatives by each argument, or for arrays the product's first entry."""
    if not getattr(function, "elementwise", False):
        found = result["derivative"] or ""
        return f"`{found}`" if 0 < len(found) <= WIDEST else ""
    parameters = list(inspect.signature(function.forward).parameters.values())[1:]
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    found = [str(function.derivative(name)) for name in names]
    return ", ".join(f"`{d}`" for d in found) if sum(map(len, found)) <= WIDEST else ""


def row(result: dict, function: type[Function]) -> str:
    """One line of the table."""
    name = function.__name__
    ulp = result["max_ulp"]
    lost = f"{ulp:.2g}" if isinstance(ulp, int | float) else ""
    said = result["scope"] or ""
    scope = next((s for s in ("every shape", "every size") if s in said), "shapes tried")
    verdict = result["verdict"] + (f", {scope}" if result["verdict"] == "proved" else "")
    cells = [
        name,
        summary(function),
        formula_of(result, function),
        derivatives(result, function),
        verdict,
        lost,
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page(document: dict) -> str:
    """The whole page."""
    functions = {f.__name__: f for f in all_functions()}
    families: dict[str, list[str]] = {}
    for result in document["results"]:
        function = functions[result["name"].rpartition(":")[2]]
        family = function.__module__.rpartition(".")[2]
        families.setdefault(family, []).append(row(result, function))
    counts = document["summary"]
    said = ", ".join(f"{counts[v]} {v}" for v in counts if v != "seconds" and counts[v])
    parts = [HEAD, f"{len(document['results'])} Functions: {said}.\n"]
    for name, found in families.items():
        parts.append(f"## {name.replace('_', ' ').capitalize()}\n")
        parts.append(
            "| Function | | formula | derivative | verdict | ulp |\n|---|---|---|---|---|---|"
        )
        parts.append("\n".join(found) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(results(sys.argv[1] if len(sys.argv) > 1 else None)), encoding="utf-8")
