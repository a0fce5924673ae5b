"""Cases that the checker does not get right yet: named here, counted by the benchmark.

Some ask for what no example declares (an index with repeated rows, a third axis, an empty batch).
"""

MISSED = frozenset(
    {
        "second-pair: batch standardised: a batch of one",
        "second-pair: lru_cache: the array itself",
        "third-pair: soft clip: far below",
        "third: zeros_like of whole numbers",
    }
)
"""Lies that pass."""

REFUSED = frozenset(
    {
        "trap: gathered-pair: fermi level: secant search",
        "trap: second-pair: correlation of two",
        "trap: second-pair: sinc with isclose",
        "trap: second-pair: weights that sum to zero",
        "third: zeros_like of whole numbers",
    }
)
"""Right ones that do not."""
