import pytest

from verify.select import matcher

NAMES = ["a.py:Sin", "a.py:Sinc", "a.py:Cos", "b.py:Softplus"]


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("sin", ["a.py:Sin", "a.py:Sinc"]),
        ("SIN and not sinc", ["a.py:Sin"]),
        ("not a.py", ["b.py:Softplus"]),
        ("cos or soft", ["a.py:Cos", "b.py:Softplus"]),
        ("not (cos or soft)", ["a.py:Sin", "a.py:Sinc"]),
        ("cos or sin and sinc", ["a.py:Sinc", "a.py:Cos"]),
        ("not not cos", ["a.py:Cos"]),
        ("a.py:Sin and(sinc)", ["a.py:Sinc"]),
    ],
)
def test_chooses(expression, chosen):
    assert [name for name in NAMES if matcher(expression)(name)] == chosen


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "needs an expression"),
        ("sin and", "expected a name, not its end"),
        ("(sin", "expected a closing bracket, not its end"),
        ("sin cos", "expected 'and' or 'or', not 'cos'"),
        ("or sin", "expected a name, not 'or'"),
        ("sin)", r"expected 'and' or 'or', not '\)'"),
    ],
)
def test_says_where_it_is_wrong(expression, complaint):
    with pytest.raises(ValueError, match=complaint):
        matcher(expression)
