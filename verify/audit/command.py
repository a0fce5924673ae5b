"""``gradproof audit``: the check of a library's functions, and a table of what came out.

May import: :mod:`verify.command`, :mod:`verify.audit.table`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from verify.audit import LIBRARIES

__all__ = ["audit", "comparison", "table"]

_SETTINGS = {
    "help_option_names": ["-h", "--help"],
    "ignore_unknown_options": True,
    "allow_extra_args": True,
}


@click.command(context_settings=_SETTINGS)
@click.argument("library", type=click.Choice(LIBRARIES))
@click.option(
    "--compare",
    metavar="LIBRARY,...",
    default="",
    help="Other libraries, to be put side by side.",
)
@click.pass_context
def audit(context: click.Context, library: str, compare: str) -> None:
    """Check the gradients of a library's functions against certified derivatives.

    All options of `gradproof` apply: -k, --jobs, --json, --html and the rest.
    """
    names = list(dict.fromkeys([library, *filter(None, compare.split(","))]))
    for name in names:
        if name not in LIBRARIES:
            raise click.UsageError(f"--compare: {name!r} is none of {', '.join(LIBRARIES)}")
        if importlib.util.find_spec(name) is None:
            raise click.UsageError(f"{name} is not installed: pip install {name}")
    from verify.command import check

    given = list(context.args)
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "audit.json"
        place = next((i for i, word in enumerate(given) if word == "--json"), None)
        if place is not None and place + 1 < len(given) and given[place + 1] != "-":
            document = Path(given[place + 1])
        elif place is None:
            given += ["--json", str(document)]
        targets = [f"verify.audit.{name}" for name in names]
        status: Any = 0
        try:
            check.main([*targets, *given], prog_name="gradproof")
        except SystemExit as done:
            status = done.code
        with contextlib.suppress(OSError, ValueError):  # it went to standard output, or nothing ran
            results = json.loads(document.read_text())["results"]
            click.echo(comparison(results, names) if len(names) > 1 else table(results))
    sys.exit(status)


def _name(result: dict[str, Any]) -> tuple[str, str]:
    """The library and the function of a result."""
    module, _, name = result["name"].partition(":")
    return module.rpartition(".")[2], name


def _ulps(result: dict[str, Any]) -> str:
    found = result["max_ulp"]
    return "-" if found is None else f"{float(found):.2g}"


def table(results: list[dict[str, Any]]) -> str:
    """One line for each function: verdict, the most digits lost and where, seconds."""
    lines = [f"{'function':34} {'verdict':11} {'ulps':>9} {'seconds':>8}  where"]
    for result in results:
        found = result["counterexample"]
        where = result["worst"] or ""
        if found:
            where = ", ".join(f"{k} = {v}" for k, v in found["inputs"].items())
        lines.append(
            f"{_name(result)[1]:34} {result['verdict']:11} {_ulps(result):>9} "
            f"{result['seconds']:8.2f}  {where[:60]}"
        )
    return "\n".join(lines)


def comparison(results: list[dict[str, Any]], libraries: list[str]) -> str:
    """Functions by libraries: the verdict where it is no pass, and the ulps lost."""
    found = {_name(result): result for result in results}
    functions = list(dict.fromkeys(name for _, name in found))
    lines = [f"{'function':34} " + " ".join(f"{name:>20}" for name in libraries)]
    for function in functions:
        cells = []
        for library in libraries:
            result = found.get((library, function))
            if result is None:
                cells.append("")
            elif result["verdict"] in ("proved", "verified"):
                cells.append(_ulps(result))
            else:
                cells.append(f"{result['verdict']} {_ulps(result)}")
        lines.append(f"{function:34} " + " ".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)
