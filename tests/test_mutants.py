"""The checker on mutants of the built-in backwards: what differs from the original is killed."""

import pytest

from tests.mutants import all_mutants, build, builtins, difference, report, run, sample


def test_every_function_has_mutants():
    without = [name for name in builtins() if not sample(None, 0, name)]
    assert len(without) <= len(builtins()) // 10, without


def test_mutants_can_be_built():
    for mutant in sample(60, seed=1):
        assert build(mutant).__name__ == mutant.function


def test_mutants_differ_from_the_original():
    mutants = sample(40, seed=2)
    assert sum(difference(mutant).gap > 1e-9 for mutant in mutants) > len(mutants) / 2


def test_sample_is_killed():
    outcomes = run(sample(10, seed=3), seed=0, jobs=2, timeout=8.0)
    assert not any(outcome.missed for outcome in outcomes), report(outcomes)


@pytest.mark.slow
def test_all_are_killed():
    outcomes = run(all_mutants(), seed=0, jobs=2, timeout=20.0)
    assert not any(outcome.missed for outcome in outcomes), report(outcomes)
