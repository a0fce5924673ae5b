"""The checker on the named lies: every one caught, every right twin and every trap passed."""

import warnings

import pytest

import verify
from tests.lies.case import KINDS, Case, all_cases
from tests.lies.open_cases import MISSED, REFUSED

CASES = all_cases()
LIES = [case for case in CASES if not case.is_trap]


def params(cases: list[Case], not_yet: frozenset[str]) -> list:
    """Every case, all but each twentieth marked as slow: the whole takes minutes."""
    found = []
    for i, case in enumerate(cases):
        marks = [pytest.mark.slow] if i % 20 else []
        if case.name in not_yet:
            marks.append(pytest.mark.xfail(reason="not yet: see tests/lies/open_cases.py"))
        found.append(pytest.param(case, id=case.name, marks=marks))
    return found


def report_of(subject, options) -> verify.Report:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # overflow is part of what is checked
        return verify.check(subject, **options)


def told(case: Case, options: dict, report: verify.Report) -> str:
    subject = case.lie if options is not case.options else case.twin
    return f"{case.name} ({case.kind}): {case.why}\n{subject} with {options}\n{report}"


def test_corpus():
    assert {case.name for case in CASES} >= MISSED | REFUSED
    assert len(LIES) >= 90
    assert len(CASES) - len(LIES) >= 30
    assert {case.kind for case in LIES} == set(KINDS)


@pytest.mark.parametrize("case", params(LIES, MISSED))
def test_lie_is_caught(case):
    options = case.options_of_lie()
    report = report_of(case.lie, options)
    assert str(report.verdict) in case.expect, told(case, options, report)
    assert not report.ok
    assert report.blame in ("backward", None), told(case, options, report)


@pytest.mark.parametrize("case", params(CASES, REFUSED))
def test_right_twin_passes(case):
    report = report_of(case.twin, case.options)
    assert report.ok, told(case, case.options, report)
