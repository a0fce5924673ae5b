"""What a check concludes: verdicts, findings, counterexamples, and the report that holds them.

Nothing here decides anything and nothing here prints: a report is filled in by a check and read
by :mod:`verify.report`.  Reports travel between processes, so they hold plain data only, and this
module imports nothing heavy, so that the command starts fast.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

EVIDENCE = ("formula", "proof", "oracle", "differences", "contract", "second_order", "graph")
STATUSES = ("pass", "fail", "skip")


class Verdict(enum.StrEnum):
    """The one conclusion of a check; each member carries the sentence that defines it.

    Examples
    --------
    >>> Verdict.REFUTED.passes
    False
    >>> Verdict("proved").meaning[:41]
    'equal to the derivative for every input o'
    """

    meaning: str
    passes: bool

    PROVED = (
        "proved",
        "equal to the derivative for every input of the domain, and accurate where sampled",
        True,
    )
    VERIFIED = (
        "verified",
        "not proved, but within the certified enclosure, or the error bar, at every point tried",
        True,
    )
    INACCURATE = (
        "inaccurate",
        "the right formula, wrong floats: not finite where the derivative is, or digits lost",
        False,
    )
    REFUTED = (
        "refuted",
        "wrong, with a counterexample shrunk to the simplest input that shows it",
        False,
    )
    UNDECIDED = (
        "undecided",
        "nothing could be said, and why: never reported as a pass",
        False,
    )

    def __new__(cls, value: str, meaning: str, passes: bool) -> Verdict:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.passes = passes
        return member


@dataclass(frozen=True)
class Finding:
    """What one kind of evidence found.

    Parameters
    ----------
    evidence : str
        One of ``formula, proof, oracle, differences, contract, second_order``, and ``graph``: the
        steps of a composite.
    status : str
        ``pass``, ``fail`` or ``skip``; ``skip`` says nothing for or against.
    message : str
        One or two sentences for a person.
    """

    evidence: str
    status: str
    message: str = ""

    def __post_init__(self) -> None:
        if self.evidence not in EVIDENCE:
            raise ValueError(f"evidence is one of {', '.join(EVIDENCE)}, not {self.evidence!r}")
        if self.status not in STATUSES:
            raise ValueError(f"status is one of {', '.join(STATUSES)}, not {self.status!r}")


@dataclass(frozen=True, eq=False)
class Counterexample:
    """One input at which the gradient is wrong, as simple as it could be made.

    Parameters
    ----------
    inputs : dict of str to array or scalar
        Every argument of forward, keyword options included.
    grad_output : array, or tuple of arrays
        The upstream gradient: what arrives from above.
    index : tuple of int
        The entry of the argument's gradient that is wrong; ``()`` for a scalar.
    expected, actual : float or complex
        The derivative there, and what backward gave.
    """

    inputs: Mapping[str, Any]
    grad_output: Any
    index: tuple[int, ...]
    expected: Any
    actual: Any


@dataclass(frozen=True)
class Entry:
    """One row of the failure table: an entry of a gradient, given against expected."""

    argument: str
    index: tuple[int, ...]
    given: Any
    expected: Any
    abs_error: float
    rel_error: float
    ulps: float | None = None

    @classmethod
    def compare(cls, argument: str, index: tuple[int, ...], given: Any, expected: Any) -> Entry:
        """Fill in the errors; `expected` may be 0 or infinite, `given` may be NaN.

        Examples
        --------
        >>> row = Entry.compare("x", (0,), 1.0, 0.5)
        >>> row.abs_error, row.rel_error, row.ulps
        (0.5, 1.0, 4503599627370496.0)
        """
        if given == expected:
            return cls(argument, index, given, expected, 0.0, 0.0, 0.0)
        error = float(abs(given - expected))
        size = float(abs(expected))
        if math.isnan(error) or not math.isfinite(size):
            return cls(argument, index, given, expected, error, error, None)
        return cls(
            argument,
            index,
            given,
            expected,
            abs_error=error,
            rel_error=error / size if size else math.inf,
            ulps=error / math.ulp(size),
        )


@dataclass(frozen=True)
class Region:
    """One cell, for a table: a set of inputs on which the code is one formula.

    Parameters
    ----------
    conditions : list of str
        What holds on it, in words; none where the code never branches.
    derivative : str, optional
        The right derivative there.
    status : str
        ``proved``, ``not proved``, ``not decided`` (a mistake was found before), ``boundary``
        (without interior, so there is nothing to prove), ``not finite`` or ``wrong``.
    here : bool
        Whether the counterexample lies on it.
    count : int
        How many cells there are like this one.
    """

    conditions: list[str]
    derivative: str | None
    status: str
    here: bool = False
    count: int = 1


@dataclass(frozen=True)
class Cut:
    """What is seen around a counterexample when the entry with the wrong gradient is moved.

    Parameters
    ----------
    name : str
        The entry: ``x[1]``.
    at : float
        Its value in the counterexample.
    rows : list of (float, float, float, float)
        The entry's value, forward (weighted by the upstream gradient), the gradient that backward
        gives, and forward's slope by finite differences.
    boundaries : list of (float, str)
        Where the code takes another branch, and the condition beyond it.
    """

    name: str
    at: float
    rows: list[tuple[float, float, float, float]]
    boundaries: list[tuple[float, str]] = field(default_factory=list)


_ONLY_SHOWN = ("derivative", "formula", "regions")


def _nothing() -> None:
    """A default that leaves no attribute on the class, see :meth:`Report.show_later`."""


@dataclass
class Report:
    """Everything one check found out about one subject.

    The first fields are those of the JSON result; the rest is what a person needs to act on it.
    ``str(report)`` is the report as printed, `to_dict` the JSON form.

    Parameters
    ----------
    name : str
        As the user would ask for it again: ``path/file.py:Softplus``.
    verdict : Verdict
    blame : str, optional
        The odd one out: ``backward``, ``formula``, ``forward`` or ``domain``.
    argument : str, optional
        The argument whose gradient is wrong.
    findings : list of Finding
    counterexample : Counterexample, optional
    cells : dict
        ``explored`` and ``proved``: on how many regions the code was looked at, and proved.
    not_covered : list of str
        What was not tried; never counts as passed.
    max_ulp : float, optional
        The most units in the last place that backward lost, and `worst` says where.
    resolution : float, optional
        The smallest relative error that would have been seen.
    derivative : str, optional
        The right derivative, as a formula.
    formula : str, optional
        What is differentiated: the value, or its first entry.
    seconds : float
    diagnosis : str, optional
        The likely mistake, in a sentence.
    repair : str, optional
        A right backward as NumPy code.
    entries : list of Entry
        Rows for the failure table, worst or not, in any order.
    conditions : list of str
        The cell of the counterexample, in words.
    location : (str, int), optional
        File and line of the subject.
    step : (str, str or None, int or None), optional
        In a composite the first step that is wrong: its Function, and the file and line that
        recorded it.
    snippet : str, optional
        Code that shows the failure again when it is run.
    region : str, optional
        Where digits are lost: ``all digits are lost for x > 36.7``.
    scope : str, optional
        ``at every shape``, ``at every size: x (n, m), axis=-1``, or ``at x (3,); x (2, 3)``.
    worst : str, optional
        Where `max_ulp` occurs.
    notes : list of str
        What is worth knowing and counts for nothing.
    reason : str, optional
        Why nothing could be said; for `Verdict.UNDECIDED`.
    command : str, optional
        The command line that makes this report again.
    printed : str, optional
        The last lines that the code under test printed.
    samples : list of (float, float, float or None)
        For the plot of lost digits, and not in the JSON: the magnitude of an input, the ulps lost
        there, and the most that its conditioning allows.
    regions : list of Region
        The first cells, for a table; not in the JSON.
    cut : Cut, optional
        For the plot around a counterexample; not in the JSON.
    cached : bool
        Whether an earlier run found this and nothing that it depends on has changed since.
    """

    name: str
    verdict: Verdict
    blame: str | None = None
    argument: str | None = None
    findings: list[Finding] = field(default_factory=list)
    counterexample: Counterexample | None = None
    cells: dict[str, int] = field(default_factory=lambda: {"explored": 0, "proved": 0})
    not_covered: list[str] = field(default_factory=list)
    max_ulp: float | None = None
    resolution: float | None = None
    derivative: str | None = field(default_factory=_nothing)
    formula: str | None = field(default_factory=_nothing)
    seconds: float = 0.0
    diagnosis: str | None = None
    repair: str | None = None
    entries: list[Entry] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    location: tuple[str, int] | None = None
    step: tuple[str, str | None, int | None] | None = None
    snippet: str | None = None
    region: str | None = None
    scope: str | None = None
    worst: str | None = None
    notes: list[str] = field(default_factory=list)
    reason: str | None = None
    command: str | None = None
    printed: str | None = None
    samples: list[tuple[float, float, float | None]] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    cut: Cut | None = None
    cached: bool = False

    def show_later(self, show: Callable[[Report], None]) -> None:
        """Have what is only to be read made when it is asked for: it takes time.

        ``show`` sets `derivative`, `formula` and `regions`.
        """
        for name in _ONLY_SHOWN:
            self.__dict__.pop(name, None)
        self.__dict__["_show"] = show

    if not TYPE_CHECKING:  # an attribute that is misspelt stays an error

        def __getattr__(self, name: str) -> Any:
            if name not in _ONLY_SHOWN or "_show" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            self.__dict__.pop("_show")(self)
            return self.__dict__[name]

    def __getstate__(self) -> dict[str, Any]:
        for name in _ONLY_SHOWN:  # what makes them does not travel
            getattr(self, name)
        return self.__dict__

    @property
    def ok(self) -> bool:
        """True for `proved` and `verified` alone."""
        return self.verdict.passes

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON has it: no NumPy, no NaN, no tuples."""
        found = self.counterexample
        return {
            "name": self.name,
            "verdict": self.verdict.value,
            "blame": self.blame,
            "argument": self.argument,
            "findings": [
                {"evidence": f.evidence, "status": f.status, "message": f.message}
                for f in self.findings
            ],
            "counterexample": found
            and {
                "inputs": plain(found.inputs),
                "grad_output": plain(found.grad_output),
                "index": plain(found.index),
                "expected": plain(found.expected),
                "actual": plain(found.actual),
            },
            "cells": plain(self.cells),
            "not_covered": [str(what) for what in self.not_covered],
            "derivative": None if self.derivative is None else str(self.derivative),
            "max_ulp": plain(self.max_ulp),
            "resolution": plain(self.resolution),
            "seconds": plain(self.seconds),
            "formula": None if self.formula is None else str(self.formula),
            "diagnosis": self.diagnosis,
            "repair": self.repair,
            "entries": [
                {
                    "argument": e.argument,
                    "index": plain(e.index),
                    "given": plain(e.given),
                    "expected": plain(e.expected),
                    "abs_error": plain(e.abs_error),
                    "rel_error": plain(e.rel_error),
                    "ulps": plain(e.ulps),
                }
                for e in self.entries
            ],
            "conditions": [str(what) for what in self.conditions],
            "location": self.location
            and {"file": str(self.location[0]), "line": int(self.location[1])},
            "step": self.step
            and {"function": self.step[0], "file": self.step[1], "line": self.step[2]},
            "snippet": self.snippet,
            "region": self.region,
            "scope": self.scope,
            "worst": self.worst,
            "notes": [str(what) for what in self.notes],
            "reason": self.reason,
            "command": self.command,
            "printed": self.printed,
            "cached": self.cached,
        }

    def __repr__(self) -> str:
        return f"<Report on {self.name}: {self.verdict.value}>"

    def __str__(self) -> str:
        from verify.report.text import render

        return render(self)

    def _repr_html_(self) -> str:
        from verify.report.html import card

        return card(self)


def combined(reports: Sequence[Report], part: str, note: str) -> Report:
    """The report on the worst of several checks that belong together, the later ones on `part`."""
    order = [Verdict.PROVED, Verdict.VERIFIED, Verdict.UNDECIDED, Verdict.INACCURATE]
    rank = {verdict: i for i, verdict in enumerate([*order, Verdict.REFUTED])}
    worst = max(reports, key=lambda report: rank[report.verdict])
    if len(reports) > 1:
        worst.notes.append(note)
        worst.seconds = sum(report.seconds for report in reports)
        if worst is not reports[0]:
            worst.name = f"{reports[0].name}: {part}"
    return worst


def plain(value: Any) -> Any:
    """`value` with nothing in it that JSON lacks.

    Arrays and tuples become lists, NumPy's scalars Python's, NaN and the infinities the strings
    ``"nan"``, ``"inf"``, ``"-inf"``, a complex number ``{"re": ..., "im": ...}``; whatever else
    there is becomes a number if it can, or else its text.

    Examples
    --------
    >>> plain({"x": (1, float("nan")), "axis": None, "z": 1 + 2j})
    {'x': [1, 'nan'], 'axis': None, 'z': {'re': 1.0, 'im': 2.0}}
    """
    if value is None or isinstance(value, bool | str):
        return value if type(value) in (bool, str, type(None)) else str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, complex):
        return {"re": plain(value.real), "im": plain(value.imag)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if hasattr(value, "tolist"):  # arrays and NumPy's scalars, without importing NumPy
        converted = value.tolist()
        # longdouble and object arrays give themselves back
        return plain(converted) if type(converted) is not type(value) else _last_resort(value)
    return _last_resort(value)


def _last_resort(value: Any) -> Any:
    if isinstance(value, type) or callable(value):
        return getattr(value, "__qualname__", str(value))
    try:
        return plain(float(value))
    except Exception:
        return str(value)
