"""Stands in for `verify.check.check` where the tests are about what is around it."""

from verify import Counterexample, Finding, Report, Verdict


def check(subject, **options):
    """A report that the subject itself dictates, by `verdict` and by what its forward does."""
    if hasattr(subject, "forward"):
        subject.forward(None, 1.0)
    verdict = Verdict(getattr(subject, "verdict", "proved"))
    report = Report(
        name=subject.__name__,
        verdict=verdict,
        findings=[Finding("oracle", "pass" if verdict.passes else "fail", str(sorted(options)))],
        cells={"explored": 1, "proved": 1},
    )
    if verdict is Verdict.REFUTED:
        report.blame, report.argument = "backward", "x"
        report.counterexample = Counterexample({"x": 0.5}, 1.0, (), 0.25, 1.0)
    if "examples" in options:
        report.diagnosis = f"examples is {options['examples']}"
    if "grad" in options:
        report.notes.append(f"grad is {options['grad'].__name__}")
    return report
