import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from verify import Counterexample, Entry, Finding, Report, Verdict
from verify.report import html, svg
from verify.verdict import Cut, Region

VOID = {"meta", "input", "circle", "path", "polyline", "rect", "br"}


class Reader(HTMLParser):
    """Collects the text, and the tags that do not match."""

    def __init__(self):
        super().__init__()
        self.open, self.mismatched, self.text, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.mismatched.append(tag)

    def handle_data(self, data):
        self.text.append(data)


def read(markup):
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert reader.mismatched == []
    assert reader.open == []
    return reader


EVIL = "<script>alert(1)</script>\"'&"
BAD = Report(
    name=f"layers.py:{EVIL}",
    verdict=Verdict.REFUTED,
    argument="x",
    findings=[Finding("second_order", "fail", EVIL)],
    counterexample=Counterexample({"x": np.array([0.5])}, np.ones(1), (0,), 0.25, 1.0),
    derivative="exp(x)/(exp(x) + 1)",
    diagnosis=EVIL,
    conditions=[EVIL],
    notes=[EVIL],
    not_covered=[EVIL],
    printed=EVIL,
    repair=EVIL,
    snippet=EVIL,
    entries=[Entry.compare("x", (i, j), 1.0, 1 + i * j) for i in range(2) for j in range(3)],
)
GOOD = Report("autodiff:Sin", Verdict.PROVED, max_ulp=1.5, derivative="cos(x)")
ERRORS = [{"target": EVIL, "message": EVIL, "location": {"file": EVIL, "line": 3}}]


def test_is_well_formed_and_needs_nothing_else():
    markup = html.page([BAD, GOOD], seed=3, seconds=1.5, errors=ERRORS)
    reader = read(markup)
    linked = [a for a in reader.attributes if a[1] in ("src", "href", "srcset")]
    assert linked == []
    assert "url(" not in markup
    assert "@import" not in markup


def test_the_users_text_stays_text():
    markup = html.page([BAD, GOOD], errors=ERRORS)
    assert "<script>alert" not in markup
    assert markup.count("<script>") == 1
    assert "".join(read(markup).text).count(EVIL) >= 8


def test_says_what_the_result_is():
    for reports, title in (
        ([BAD, GOOD], "1 of 2 gradients are wrong"),
        ([GOOD], "all 1 gradients pass"),
        ([GOOD, Report("f", Verdict.UNDECIDED)], "1 of 2 gradients are undecided"),
    ):
        assert f"<h1>gradproof: {title}</h1>" in html.page(reports)
    assert "a target could not be loaded" in html.page([GOOD], errors=ERRORS)


def test_failures_are_open_and_passes_closed():
    cards = re.findall(r'<details class="card (\w+)"[^>]*?( open)?>', html.page([BAD, GOOD]))
    assert cards == [("refuted", " open"), ("proved", "")]


def test_derivatives_are_mathematics():
    assert "<mfrac>" in html.page([BAD])


def test_what_cards_are_sorted_by():
    nan = Report("f", Verdict.INACCURATE, max_ulp=float("inf"), seconds=2)
    ulps = re.findall(r'data-ulps="([^"]*)"', html.page([BAD, GOOD, nan]))
    assert ulps == ["-1", "1.5", "1e300"]


def test_a_notebook_shows_the_card():
    markup = BAD._repr_html_()
    read(markup)
    assert markup.startswith('<div class="gradproof">')
    assert "<html" not in markup


class TestHeatMap:
    def test_has_a_square_for_each_entry(self):
        picture = svg.heat_map(BAD.entries)
        read(picture)
        assert picture.count("fill-opacity") == 6

    def test_right_entries_are_blank_and_wrong_ones_dark(self):
        entries = [Entry.compare("x", (0, 0), 1.0, 1.0), Entry.compare("x", (0, 1), 3.0, 1.0)]
        assert re.findall(r'fill-opacity="([\d.]+)"', svg.heat_map(entries)) == ["0.00", "1.00"]

    @pytest.mark.parametrize(
        "entries",
        [
            [],
            [Entry.compare("x", (0,), 1.0, 2.0), Entry.compare("x", (1,), 1.0, 2.0)],
            [Entry.compare("x", (0, 0), 1.0, 2.0), Entry.compare("y", (0, 0), 1.0, 2.0)],
            [Entry.compare("x", (0, 0), 1.0, 2.0), Entry.compare("x", (0, 1000), 1.0, 2.0)],
        ],
    )
    def test_is_left_out_where_there_is_no_matrix(self, entries):
        assert svg.heat_map(entries) == ""


class TestLostDigits:
    SAMPLES = [(1e-9, 0.5, 2.0), (1.0, 4.0, 8.0), (1e9, float("nan"), None), (0.0, 1.0, None)]

    def test_has_a_dot_for_each_magnitude(self):
        picture = svg.lost_digits(self.SAMPLES)
        read(picture)
        assert picture.count("<circle") == 3
        assert picture.count("h0") == 3
        assert picture.count("<polyline") == 1

    def test_worse_is_higher(self):
        picture = svg.lost_digits(self.SAMPLES)
        heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', picture)]
        assert heights[0] < heights[1] < heights[2]  # the worst is named first

    def test_many_points_weigh_little_and_the_worst_are_named(self):
        picture = svg.lost_digits([(1.0 + i / 1000, float(i % 7), None) for i in range(1000)])
        assert len(picture) < 15_000
        assert picture.count("<circle") == svg.NAMED
        assert picture.count(": 6 ulps") == svg.NAMED

    def test_needs_two_points(self):
        assert svg.lost_digits([(1.0, 1.0, None)]) == ""


class TestAround:
    CUT = Cut(
        "x[1]",
        0.5,
        [(x / 10, max(x / 10, 0.0), float(x >= 0), 2.0 * (x >= 0)) for x in range(-10, 21)],
        [(0.0, "x[1] > 0")],
    )

    def test_shows_curves_boundary_and_marks(self):
        picture = svg.around(self.CUT, 2.0)
        for kind in ("forward", "given", "slope"):
            assert f'class="curve {kind}"' in picture
            assert f'class="mark {kind}"' in picture
        assert picture.count('class="boundary"') == 1
        assert "another cell from x[1] = 0: x[1] &gt; 0" in picture
        read(picture)

    def test_what_is_not_finite_interrupts_a_line(self):
        rows = [(x, 1.0, math.nan if x == 2 else x, math.inf) for x in range(5)]
        picture = svg.around(Cut("x", 4.0, rows))
        given = re.search(r'class="curve given" d="([^"]*)"', picture)[1]
        assert given.count("M") == 2
        assert "nan" not in picture
        assert "curve slope" not in picture

    def test_a_pole_does_not_flatten_the_rest(self):
        rows = [(x, 1.0, 1e12 if x == 50 else x / 100, 0.0) for x in range(100)]
        picture = svg.around(Cut("x", 4.0, rows))
        given = re.search(r'class="curve given" d="([^"]*)"', picture)[1]
        heights = [float(step.split()[1]) for step in re.split("[ML]", given)[1:]]
        assert max(heights) - sorted(heights)[1] > 20

    @pytest.mark.parametrize("cut", [None, Cut("x", 0.0, []), Cut("x", 1.0, [(1, 1, 1, 1)] * 4)])
    def test_is_left_out_where_there_is_nothing_to_see(self, cut):
        assert svg.around(cut) == ""

    def test_the_card_has_it(self):
        report = Report("f", Verdict.REFUTED, cut=self.CUT)
        assert "around the counterexample" in html.card(report)
        assert "another cell" in html.card(report)


class TestCells:
    def test_a_row_for_each(self):
        report = Report("f", Verdict.PROVED, cells={"explored": 7, "proved": 7})
        report.regions = [
            Region(["x < 0"], "-1", "proved", count=2),
            Region(["x > 0"], "1", "proved"),
            Region([], None, "boundary"),
        ]
        card = html.card(report)
        assert "x &lt; 0 (2 cells)" in card
        assert card.count('<td class="pass">proved</td>') == 2
        assert "everywhere" in card
        assert "and 3 more" in card
        read(card)

    def test_one_derivative_does_not_stand_for_several(self):
        report = Report("f", Verdict.PROVED, derivative="7")
        report.regions = [Region(["x < 0"], "7", "proved"), Region(["x > 0"], "1", "proved")]
        assert "<dt>derivative</dt>" not in html.card(report)
        report.regions.pop()
        assert "<dt>derivative</dt>" in html.card(report)

    def test_one_cell_needs_no_table(self):
        report = Report("f", Verdict.PROVED, regions=[Region([], "1", "proved")])
        assert "cells</h3>" not in html.card(report)


def test_formula_and_derivative_are_mathematics():
    report = Report("f.py:F", Verdict.PROVED, formula="output[0] = exp(x[0])", derivative="exp(x)")
    assert html.card(report).count("<math ") == 2
    named = "s*_1 where _1 = exp(x[0, 1]), _2 = f(_1, x)"
    markup = html.card(Report("f.py:F", Verdict.PROVED, derivative=named))
    assert markup.count("<mtr>") == 3


def test_what_was_not_checked_is_listed_with_its_reason():
    markup = html.page([GOOD], ignored={"f.py:Old": f"gone {EVIL}"}, retried=["f.py:Slow"])
    words = " ".join(read(markup).text)
    assert f"f.py:Old: gone {EVIL}" in words
    assert "f.py:Slow" in words
    assert "ignored" not in " ".join(read(html.page([GOOD])).text)


def test_a_heat_map_for_each_argument_that_is_wrong():
    right = [Entry.compare("a", (i, j), 1.0, 1.0) for i in range(2) for j in range(2)]
    wrong = [Entry.compare("b", (i, j), 1.0, 2.0) for i in range(2) for j in range(2)]
    report = Report("f.py:F", Verdict.REFUTED, argument="b", entries=[*right, *wrong])
    markup = html.card(report)
    assert "relative error in the gradient of b" in markup
    assert "relative error in the gradient of a" not in markup
    assert re.findall(r">(\d)</text>", markup) == ["0", "1", "0", "1"]  # rows and columns


def test_zero_but_for_rounding_is_zero_on_an_axis():
    rows = [(x, x, 8e-12 * (x == 1), 0.25) for x in np.linspace(0.0, 2.0, 5)]
    picture = svg.around(Cut("x", 1.0, rows))
    assert "e-12" not in picture.replace("<title>given 8e-12</title>", "")
