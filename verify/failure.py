"""What is certainly wrong, on its way from the evidence to the report.

May import: of :mod:`verify` what judges, for the types of its attributes.
"""

from __future__ import annotations

from dataclasses import dataclass

from verify.cells import Cell
from verify.evidence.composite import Guilty
from verify.evidence.formula import Disagreement
from verify.evidence.second_order import SecondOrder
from verify.evidence.violation import Violation
from verify.instance import Instance
from verify.judge import Judge, Wrong

__all__ = ["Failure"]


@dataclass
class Failure:
    """What is certainly wrong, and all that a report needs to show it."""

    instance: Instance
    evidence: str
    wrong: Wrong | None = None
    violation: Violation | None = None
    disagreement: Disagreement | None = None
    second: SecondOrder | None = None
    guilty: Guilty | None = None
    judge: Judge | None = None
    cell: Cell | None = None
    blame: str = "backward"
    by_differences: bool = False
