"""Ways in for programs and tests, beside `check` itself; those of other checkers are in dropins."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from verify.verdict import Report


class GradcheckError(RuntimeError, AssertionError):
    """A gradient that is not right; the text is the report.

    A RuntimeError, since torch's is, and an AssertionError, since it is raised in tests.
    """


def assert_correct(subject: Any, **options: Any) -> Report:
    """Check a gradient in a test: the report as an AssertionError unless it passes.

    Parameters
    ----------
    subject : Function or callable
    **options
        Those of `check`.

    Returns
    -------
    Report
        Of a pass, for tests that want more, such as ``report.max_ulp < 8``.

    Raises
    ------
    AssertionError
        If the gradient is refuted or inaccurate, and if nothing could be said about it: a test
        that decides nothing does not pass. The text is the report.
    """
    # Hides this frame, so that pytest points at the line of the test.
    __tracebackhide__ = True
    report = _check()(subject, **options)
    if not report.ok:
        raise AssertionError(f"\n{report}")
    return report


def check_module(module: ModuleType | str, **options: Any) -> list[Report]:
    """Check everything that a module offers: its Functions, and what it registered.

    Parameters
    ----------
    module : module or str
        A module, or the name to import it by. A package offers what its submodules define and it
        shows; ``autodiff`` all built-in Functions.
    **options
        Those of `check`; what a subject was registered with comes first.

    Returns
    -------
    list of Report
        In the order of the source, each named ``module:Name``.

    Notes
    -----
    It runs in this process, one check after another. The command ``gradproof`` runs them in
    several processes, where code that hangs or crashes costs one result.
    """
    from verify.load import offers

    if isinstance(module, str):
        module = importlib.import_module(module)
    check = _check()
    reports = []
    for name, subject, own, location in offers(module):
        report = check(subject, **{**options, **own})
        report.name = f"{module.__name__}:{name}"
        report.location = report.location or location
        reports.append(report)
    return reports


def _check() -> Callable[..., Report]:
    from verify.check import check

    return check
