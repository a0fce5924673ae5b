"""The audit: its table is sound, known defects are found, right functions pass."""

import json
import subprocess
import sys

import numpy as np
import pytest

from verify import check
from verify.audit.subject import Audited
from verify.audit.table import TABLE
from verify.verdict import Verdict

ROWS = {row.name: row for row in TABLE}


def library(name):
    pytest.importorskip(name)
    return name


def audited(name, of):
    return Audited(ROWS[name], library(of))


def test_names_are_unique_and_the_table_is_large():
    assert len(ROWS) == len(TABLE)
    for name in ("torch", "jax", "autodiff"):
        assert sum(name in row.spelled for row in TABLE) >= 100
    assert sum("autograd" in row.spelled for row in TABLE) >= 80


@pytest.mark.parametrize(
    "of", ["torch", pytest.param("jax", marks=pytest.mark.slow), "autograd", "autodiff"]
)
def test_what_a_library_computes_is_what_the_formula_says(of):
    """At ordinary points, so that no row is left unjudged by a slip in its spelling."""
    library(of)
    from verify.examples import declared

    rng = np.random.default_rng(0)
    wrong = []
    for row in TABLE:
        if of not in row.spelled:
            continue
        subject = Audited(row, of)
        [example] = declared(subject, None, None)
        args = [np.asarray(slot.draw(rng)) for slot in example.slots]
        formula = np.asarray(subject.meaning(*args))
        try:
            [found], _ = subject.forward(args, {})
        except NotImplementedError:  # the library has no gradient of it
            continue
        if not np.allclose(found, formula, rtol=1e-6, atol=1e-12, equal_nan=True):
            wrong.append((row.name, found, formula))
    assert not wrong


@pytest.mark.parametrize(
    ("of", "name"),
    [("torch", "sin"), ("jax", "logaddexp"), ("autograd", "logsumexp"), ("autodiff", "sinc")],
)
def test_right_gradients_pass(of, name):
    report = check(audited(name, of))
    assert report.ok, str(report)


@pytest.mark.parametrize(
    ("of", "name", "verdict"),
    [
        ("torch", "tanh", Verdict.INACCURATE),
        ("jax", "i0", Verdict.REFUTED),
        ("autograd", "sinc", Verdict.INACCURATE),
        ("autograd", "prod", Verdict.INACCURATE),
    ],
)
def test_known_defects_are_found_and_shown_with_the_library_alone(of, name, verdict):
    report = check(audited(name, of))
    assert report.verdict is verdict, str(report)
    assert "gradproof" not in report.snippet
    shown = subprocess.run([sys.executable, "-c", report.snippet], capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr


def test_what_a_library_does_not_differentiate_is_undecided():
    report = check(audited("j0", "torch"))
    assert report.verdict is Verdict.UNDECIDED
    assert "does not differentiate" in report.reason
    report = check(audited("diagonal", "autograd"))
    assert report.verdict is Verdict.UNDECIDED
    assert "only supports" in report.reason


def test_the_command_prints_a_table_and_writes_json(tmp_path):
    library("autograd")
    file = tmp_path / "audit.json"
    command = [sys.executable, "-m", "verify", "audit", "autograd", "--compare", "autodiff"]
    done = subprocess.run(
        [*command, "-k", "audit.autograd:sinc or audit.autodiff:sinc", "--json", str(file)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    last = done.stdout.strip().splitlines()[-1].split()
    assert last[0] == "sinc"
    assert last[1] == "inaccurate"
    names = [result["name"] for result in json.loads(file.read_text())["results"]]
    assert names == ["verify.audit.autograd:sinc", "verify.audit.autodiff:sinc"]
