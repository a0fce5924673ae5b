"""Points where several branches meet within rounding: any side is right, nothing else is."""

import numpy as np

from verify import check
from verify.verdict import Verdict


def simplex(v):
    """The projection onto the simplex; its support and its entries branch on the same boundary."""
    u = np.sort(v)[::-1]
    excess = np.cumsum(u) - 1
    count = np.sum(u - excess / np.arange(1, len(v) + 1) > 0)
    return np.maximum(v - excess[count - 1] / count, 0)


def right(v, g):
    support = simplex(v) > 0
    inside = g * support
    return inside - support * inside.sum() / max(support.sum(), 1)


def wrong(v, g):
    """The size of the support is one too large where it is not everything."""
    support = simplex(v) > 0
    inside = g * support
    return inside - support * inside.sum() / min(support.sum() + 1, len(v))


def test_either_side_of_a_boundary_within_rounding_is_right():
    # The seed is one at which the two branches disagree by a rounding.
    for seed in (0, 2):
        report = check(simplex, vjp=right, examples=[((3,),)], seed=seed)
        assert report.ok, str(report)


def test_a_wrong_gradient_is_refuted_there_all_the_same():
    assert check(simplex, vjp=wrong, examples=[((3,),)], seed=2).verdict is Verdict.REFUTED


def amplitudes(x):
    return np.sum(np.abs(np.fft.rfft(x)))


def by_phases(x, at_zero=0.0):
    spectrum = np.fft.rfft(x)
    size = np.abs(spectrum)
    phase = np.where(size > 0, spectrum / np.where(size > 0, size, 1), at_zero)
    weights = np.exp(2j * np.pi * np.outer(np.arange(len(phase)), np.arange(len(x))) / len(x))
    return np.real(phase @ weights)


def test_an_amplitude_that_is_zero_in_floats_alone():
    """The sum of the entries rounds to zero: either phase is right there, and what is between."""
    assert check(amplitudes, grad=by_phases, examples=[((4,),)]).ok
    wrong = check(amplitudes, grad=lambda x: by_phases(x, at_zero=3.0), examples=[((4,),)])
    assert not wrong.ok


def hinges(x):
    """The larger of two computed margins, the second where they are equal in floats."""
    a, b = 1 + x[0], 1 + x[1]
    return 2 * a + b if a > b else a + 2 * b


def of_hinges(x):
    return np.array([2.0, 1.0]) if 1 + x[0] > 1 + x[1] else np.array([1.0, 2.0])


def test_entries_that_are_one_number_after_a_sum():
    """Entries of 1e-16 are told apart by exact arithmetic, and not by floats next to 1."""
    assert check(hinges, grad=of_hinges, examples=[((2,),)]).ok

    def wrong(x):
        return np.array([2.0, 2.0]) if 1 + x[0] == 1 + x[1] else of_hinges(x)

    assert check(hinges, grad=wrong, examples=[((2,),)]).verdict is Verdict.REFUTED


def guarded(x):
    return np.sum(np.log1p(-np.clip(x, 1e-6, 1 - 1e-6)) ** 2)


def of_guarded(x):
    inside = (x > 1e-6) & (x < 1 - 1e-6)
    u = np.clip(x, 1e-6, 1 - 1e-6)
    return -2 * np.log1p(-u) / (1 - u) * inside


def test_the_rounding_of_a_bound_is_no_error_however_steep_the_function():
    report = check(guarded, grad=of_guarded, examples=[((2,),)], domain=[(0, 1)])
    assert report.ok, str(report)
    beyond = check(
        guarded, grad=lambda x: of_guarded(np.clip(x, 2e-6, 1 - 2e-6)),
        examples=[((2,),)], domain=[(0, 1)],
    )  # fmt: skip
    assert beyond.verdict is Verdict.REFUTED


def test_constants_that_cancel_leave_their_rounding():
    """0.1 + 0.2 - 0.3 is 5.6e-17 in floats, and zero in the formula: no error."""
    weights = np.array([0.1, 0.2, -0.3])

    def weighted(x):
        return np.sum(weights * x)

    assert check(weighted, grad=lambda x: np.sum(weights), examples=[((),)]).ok
    wrong = check(weighted, grad=lambda x: np.sum(weights) + 1e-9, examples=[((),)])
    assert wrong.verdict is Verdict.REFUTED


def test_large_constants_beside_excuse_no_truncated_one():
    def offset(x):
        return x / np.sqrt(2) + 12345.678

    assert check(offset, grad=lambda x: 1 / np.sqrt(2), examples=[((),)]).ok
    truncated = check(offset, grad=lambda x: 0.7071067812, examples=[((),)])
    assert truncated.verdict is Verdict.REFUTED


def unsteady_sum(x):
    """0.1 + 0.2 - 0.3 is zero in numbers, and 5.6e-17 in floats."""
    return np.tanh(0.1 * x[0] + 0.2 * x[0] + 0.7 * x[1] - 0.3 * x[0])


def test_constants_that_cancel_within_a_function():
    def slopes(x, first):
        return np.array([first, 0.7]) / np.cosh(0.7 * x[1]) ** 2

    report = check(unsteady_sum, grad=lambda x: slopes(x, 0.1 + 0.2 - 0.3), examples=[((2,),)])
    assert report.ok, str(report)
    report = check(unsteady_sum, grad=lambda x: slopes(x, 1e-8), examples=[((2,),)])
    assert report.verdict is Verdict.REFUTED


SHARES = np.array([0.2, 0.5, 0.3])


def mover(p):
    """The last cumulative sum is zero, but for its rounding."""
    return np.abs(np.cumsum(p / p.sum() - SHARES)).sum()


def mover_grad(p, factor=1.0):
    total = p.sum()
    signs = np.sign(np.cumsum(p / total - SHARES))
    weights = np.cumsum(signs[::-1])[::-1]
    return (weights - factor * weights @ p / total) / total


def test_a_sign_of_what_is_always_zero_decides_nothing():
    options = {"examples": [((3,),)], "domain": [(0, np.inf)]}
    report = check(mover, grad=mover_grad, **options)
    assert report.ok, str(report)
    report = check(mover, grad=lambda p: mover_grad(p, 1.001), **options)
    assert report.verdict is Verdict.REFUTED


A = np.array([[0.4, -0.2, -0.3], [-0.9, 0.3, 0.1], [0.6, 0.8, -0.4]])
C = np.array([0.6, -0.2, 0.4])


def clipped(x):
    return (C * np.clip(A @ x, 0.1, 0.7)).sum()


def in_another_order(x):
    return sum(A[:, j] * x[j] for j in (2, 1, 0))


def test_a_narrow_cell_far_out_is_reached_by_rounding():
    def grad(x, factor=1.0):
        s = in_another_order(x)
        return factor * (C * ((s >= 0.1) & (s <= 0.7))) @ A

    report = check(clipped, grad=grad, examples=[((3,),)])
    assert report.ok, str(report)
    assert not check(clipped, grad=lambda x: grad(x, 1 + 1e-9), examples=[((3,),)]).ok
