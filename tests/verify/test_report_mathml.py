import html
import re

import pytest

from verify.report.mathml import LONGEST, formula


def words(markup):
    return " ".join(re.sub("<[^>]*>", " ", markup).split())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("exp(x)/(exp(x) + 1)", "<mfrac>"),
        ("sqrt(x)", "<msqrt><mi>x</mi></msqrt>"),
        ("x[0, 1]", "<msub><mi>x</mi><mn>0,1</mn></msub>"),
        ("grad_output[2]", "<msub><mi>grad_output</mi><mn>2</mn></msub>"),
        ("beta", "<mi>β</mi>"),
        ("S", "<mi>S</mi>"),
        ("Piecewise((1, x > 0), (0, True))", "<mtable>"),
    ],
)
def test_sets_mathematics(text, part):
    markup = formula(text)
    assert markup.startswith("<math ")
    assert part in html.unescape(markup)


def test_cases_have_words():
    assert "otherwise" in words(formula("Piecewise((1, x > 0), (0, True))"))


@pytest.mark.parametrize("text", ["a <b> is this", "x +", "x; y", "", "x" * (LONGEST + 1)])
def test_what_it_cannot_read_stays_code(text):
    markup = formula(text)
    assert markup.startswith("<code>")
    assert "<b>" not in markup
