import re

import numpy as np
import pytest

from verify import Counterexample, Entry, Finding, Report, Verdict
from verify.report import text


def failure(**changes):
    report = Report(
        name="layers.py:Softplus",
        verdict=Verdict.REFUTED,
        blame="backward",
        argument="x",
        findings=[Finding("oracle", "fail", "1.0, not 0.62"), Finding("contract", "pass", "kind")],
        counterexample=Counterexample({"x": np.array([0.5])}, np.array([1.0]), (0,), 0.6225, 1.0),
        derivative="exp(x)/(exp(x) + 1)",
        diagnosis="a factor is missing",
        conditions=["x[0] > 20"],
        location=("layers.py", 12),
        repair="def backward(ctx, grad):\n    return grad * expit(x)",
        snippet="import numpy as np\nprint(backward(np.array([0.5])))",
        not_covered=["shape (0,)"],
    )
    for name, value in changes.items():
        setattr(report, name, value)
    return report


def success(**changes):
    fields = {
        "cells": {"explored": 3, "proved": 3},
        "max_ulp": 1.5,
        "resolution": 1e-15,
        "scope": "at every shape",
        "findings": [Finding("proof", "pass", "on 3 cells")],
    }
    return Report("autodiff:Sin", Verdict.PROVED, **{**fields, **changes})


def test_the_first_three_lines_say_what_where_and_how_to_see_it_again():
    lines = str(failure()).splitlines()
    assert lines[0] == "REFUTED  layers.py:Softplus: backward gives a wrong gradient of x"
    assert lines[1].split(maxsplit=1) == ["where", "x[0] at x = [0.5], grad_output = [1.0]"]
    assert lines[2].split(maxsplit=1) == ["again", "gradproof layers.py:Softplus"]


def test_a_failure_has_all_one_needs():
    shown = str(failure())
    for part in (
        "given      1.0", "expected   0.6225", "exp(x)/(exp(x) + 1)", "a factor is missing",
        "x[0] > 20", "layers.py:12", "return grad * expit(x)",
        "    import numpy as np\n    print(backward", "shape (0,)",
    ):  # fmt: skip
        assert part in shown


@pytest.mark.parametrize("report", [failure(), success(), failure(diagnosis="very " * 60)])
def test_80_columns_without_colour_when_piped(report):
    shown = text.render(report, width=80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "\x1b" not in shown


def test_colour_when_asked_for(capsys):
    text.show(text.console(color="always"), failure())
    assert "\x1b[1;31mREFUTED" in capsys.readouterr().out


@pytest.mark.parametrize("color", ["auto", "never"])
def test_no_colour_in_a_pipe(capsys, color):
    text.show(text.console(color=color), failure())
    assert "\x1b" not in capsys.readouterr().out


def test_users_text_cannot_move_the_cursor_or_be_markup():
    shown = str(failure(diagnosis="\x1b[2Jevil \r [red]plain[/red] :smile:"))
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "[red]plain[/red] :smile:" in shown


def test_ascii_where_the_stream_has_no_more(tmp_path):
    with open(tmp_path / "log", "w", encoding="ascii") as file:
        text.show(text.console(file), failure())
    assert "    def backward(ctx, grad):" in (tmp_path / "log").read_text()


def test_what_one_copies_is_not_wrapped():
    command = "gradproof " + "x" * 100
    assert f"again      {command}\n" in str(failure(command=command))


def table(entries):
    shown = str(failure(entries=entries))
    return [line for line in shown.splitlines() if re.match(r"\s*>?\s*x\[\d+\]", line)], shown


def test_ten_rows_the_worst_first_and_marked():
    entries = [Entry.compare("x", (i,), 1.0 + i, 1.0) for i in range(14)]
    rows, shown = table(entries)
    assert len(rows) == 10
    assert rows[0].split()[:4] == [">", "x[13]", "14", "1"]
    assert sum(">" in row for row in rows) == 1
    assert "and 3 more, 1 that are right" in shown


def test_entries_that_are_right_are_no_rows():
    right = [Entry.compare("x", (i,), 1.0, 1.0 + i * 2e-16) for i in range(4)]
    rows, shown = table([*right, Entry.compare("x", (9,), 1.0, 2.0)])
    assert rows == []  # the one that is wrong is the counterexample
    rows, shown = table([*right, *(Entry.compare("x", (8 + i,), 1.0, 2.0) for i in range(2))])
    assert [row.split()[-6] for row in rows] == ["x[8]", "x[9]"]
    assert "and 4 that are right" in shown


def test_nan_is_worse_than_anything():
    entries = [Entry.compare("x", (0,), 1e300, 1.0), Entry.compare("x", (1,), np.nan, 1.0)]
    rows, _ = table(entries)
    assert rows[0].split()[1] == "x[1]"


def test_one_line_for_a_pass():
    stream = text.render(success(), verbose=False)
    assert stream == (
        "proved     autodiff:Sin              3 cells, 1.5 ulp, sees 1e-15  every shape"
    )


def test_many_shapes_are_counted():
    shown = text.render(success(scope="at x (2, 3), axis=0; x (2, 3), axis=1"), verbose=False)
    assert shown.endswith("2 examples")
    shown = text.render(success(scope="at w (3,), x (4, 3), y (4,)"), verbose=False)
    assert shown.endswith("1 example")


def test_verbose_has_the_evidence():
    shown = text.render(success(), verbose=True)
    assert "pass  proof        on 3 cells" in shown
    assert "at every shape" in shown


def test_brief_failure_leaves_out_what_passed():
    shown = text.render(failure(), verbose=False)
    assert "fail  oracle" in shown
    assert "contract" not in shown


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({"blame": "forward", "findings": [Finding("formula", "fail", "they differ.")]},
         "forward: they differ"),
        ({"findings": [Finding("contract", "fail", "it writes to x")]}, "backward: it writes to x"),
        ({"argument": None, "findings": []}, "backward is wrong"),
        ({"findings": [Finding("second_order", "fail", "a constant")]},
         "backward gives a wrong second gradient of x"),
        ({"verdict": Verdict.INACCURATE, "max_ulp": 3.2e8},
         "the gradient of x loses digits: 3.2e+08 ulps"),
        ({"verdict": Verdict.INACCURATE,
          "counterexample": Counterexample({"x": 800.0}, 1.0, (), 0.0, np.nan)},
         "the gradient of x is nan where the derivative is finite"),
        ({"verdict": Verdict.UNDECIDED, "reason": "forward always raises\nmore"},
         "forward always raises"),
        ({"verdict": Verdict.UNDECIDED, "findings": [Finding("proof", "skip", "compiled")]},
         "compiled"),
    ],
)  # fmt: skip
def test_headlines(changes, headline):
    assert str(failure(**changes)).splitlines()[0].endswith(f"layers.py:Softplus: {headline}")


def test_what_the_headline_says_is_not_said_again():
    message = "it writes to x"
    shown = text.render(
        failure(findings=[Finding("contract", "fail", message)], diagnosis=message), verbose=False
    )
    assert shown.count(message) == 1


def test_values_that_are_not_known_are_not_shown():
    found = Counterexample({"x": 1.0}, 1.0, (), np.nan, np.nan)
    assert "expected" not in str(failure(counterexample=found, findings=[]))
    found = Counterexample({"x": 1.0}, 1.0, (), 1.0, np.nan)
    assert "given      nan" in str(failure(counterexample=found))


def test_large_inputs_are_described():
    found = Counterexample({"x": np.ones((20, 30)), "axis": -1}, np.ones(20), (3, 4), 1.0, 2.0)
    lines = str(failure(counterexample=found)).splitlines()
    assert lines[1].split(maxsplit=1)[1] == "x[3, 4], shapes x (20, 30), grad_output (20,)"
    assert lines[3].split(maxsplit=1) == ["at", "x = <all 1.0, shape (20, 30)>"]
    assert lines[4].strip() == "axis = -1"


def test_inputs_that_do_not_fit_on_a_line_have_their_own():
    found = Counterexample({"x": np.eye(3), "y": np.eye(3)}, np.ones(3), (), 1.0, 2.0)
    lines = str(failure(counterexample=found)).splitlines()
    assert max(map(len, lines)) <= 80
    assert "at         x = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]" in lines[3]
    assert "grad_output = [1.0, 1.0, 1.0]" in lines[5]


def test_summary_counts(capsys):
    text.show_summary(text.console(), [success(), success(), failure()], 1.25)
    assert capsys.readouterr().out == "3 checked: 2 proved, 1 refuted in 1.2 s\n"


def test_no_entry_is_named_where_none_was_compared():
    found = Counterexample({"x": 2.0}, 1.0, (), float("nan"), float("nan"))
    report = Report(
        "f.py:F",
        Verdict.REFUTED,
        blame="backward",
        counterexample=found,
        findings=[Finding("contract", "fail", "backward raises KeyError")],
    )
    lines = text.render(report).splitlines()
    assert lines[0] == "REFUTED  f.py:F: backward raises KeyError"
    assert lines[1].split(maxsplit=1)[1] == "x = 2.0, grad_output = 1.0"


def test_a_matrix_has_a_line_for_each_row():
    x = np.arange(6).reshape(2, 3) / 7
    found = Counterexample({"x": x, "y": x}, x, (0, 1), 1.0, 2.0)
    shown = text.render(Report("f.py:F", Verdict.REFUTED, argument="x", counterexample=found))
    rows = [line.strip() for line in shown.splitlines()]
    assert f"at         x = {x.tolist()[0]},".replace("[0.0", "[[0.0") in rows
    assert f"{x.tolist()[1]}]" in rows


def test_an_error_of_one_entry_is_measured_too():
    assert "error      0.38 absolute, 0.61 relative, 3.4e+15 ulps" in str(failure())
    entries = [Entry.compare("x", (i,), 1.0, 2.0) for i in range(2)]
    assert "\n  error " not in str(failure(entries=entries))  # the table has it


def test_a_backward_that_raises_gave_nothing():
    message = "backward raises KeyError where forward gives a finite value: 'w'"
    found = Counterexample({"x": 1.0}, 1.0, (), 2.0, np.nan)
    shown = text.render(
        failure(counterexample=found, findings=[Finding("oracle", "fail", message)]), verbose=False
    )
    assert shown.startswith(f"REFUTED  layers.py:Softplus: {message}\n")
    assert "given" not in shown
    assert "expected   2.0" in shown


def test_the_code_is_in_a_box_without_sides():
    lines = str(failure()).splitlines()
    top = next(
        i for i, line in enumerate(lines) if line.startswith("  ── a backward that is right ─")
    )
    assert lines[top + 1] == "    def backward(ctx, grad):"
    assert lines[top + 3] == "  " + "─" * (len(lines[top]) - 2)


def test_a_pass_from_the_cache_fits_too():
    shown = text.render(success(cached=True, max_ulp=1234.0), verbose=False)
    assert len(shown) <= 80
    assert shown.endswith("every shape  cached")


def test_the_whole_reason_is_given():
    reason = "no arguments fit: no. Give examples=[...]: a list of argument tuples"
    shown = str(failure(verdict=Verdict.UNDECIDED, reason=reason, findings=[]))
    assert shown.splitlines()[0].endswith("no arguments fit: no")
    assert "Give examples=[...]: a list of argument tuples" in shown
