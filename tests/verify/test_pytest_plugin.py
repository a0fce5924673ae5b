from pathlib import Path

import pytest

import verify

pytest_plugins = ["pytester"]

FUNCTIONS = """
from autodiff import Function

class Good(Function):
    verdict = "proved"
    @staticmethod
    def forward(ctx, x): return x

class Bad(Function):
    verdict = "refuted"
    @staticmethod
    def forward(ctx, x): return x

class Open(Function):
    verdict = "undecided"
    @staticmethod
    def forward(ctx, x): return x
"""
CONFTEST = """
import verify.api
from verify import Report, Verdict

def stub(subject, **options):
    report = Report(subject.__name__, Verdict(subject.verdict), max_ulp=2, reason=str(options))
    if not report.ok:
        report.argument = "x"
    return report

verify.api._check = lambda: stub
"""


@pytest.fixture
def project(pytester, request, monkeypatch):
    """A project whose checks are answered by a stub; run with the plugin."""
    if not request.config.pluginmanager.has_plugin("gradproof"):
        monkeypatch.setenv("PYTEST_PLUGINS", "verify.pytest_plugin")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(verify.__file__).parents[1]))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(layers=FUNCTIONS)
    return pytester


def test_functions_of_a_module_are_tests(project):
    result = project.runpytest_subprocess("--gradproof", "-v", "layers.py")
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "layers.py::Good PASSED*",
            "layers.py::Bad FAILED*",
            "layers.py::Open SKIPPED (undecided: *",
            "REFUTED  layers.py:Bad: backward gives a wrong gradient of x",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_nothing_happens_without_the_option(project):
    project.makepyfile(test_it="def test(): pass")
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_modules_among_the_files_but_not_the_tests(project):
    project.makepyfile(test_it=FUNCTIONS + "\ndef test(): pass")
    project.makepyfile(no_function="raise SystemExit('it must not be imported')")
    result = project.runpytest_subprocess("--gradproof", "-v")
    result.assert_outcomes(passed=2, failed=1, skipped=1)


def test_one_can_be_chosen(project):
    project.runpytest_subprocess("--gradproof", "layers.py::Good").assert_outcomes(passed=1)
    result = project.runpytest_subprocess("--gradproof", "-k", "Bad")
    result.assert_outcomes(failed=1, deselected=2)


def test_last_failed(project):
    project.runpytest_subprocess("--gradproof").assert_outcomes(passed=1, failed=1, skipped=1)
    result = project.runpytest_subprocess("--gradproof", "--lf")
    result.assert_outcomes(failed=1)


def test_junit_of_pytest_has_the_verdict(project):
    project.runpytest_subprocess("--gradproof", "layers.py::Good", "--junit-xml=out.xml")
    xml = (project.path / "out.xml").read_text()
    assert '<property name="verdict" value="proved"' in xml
    assert '<property name="max_ulp" value="2.0"' in xml


def test_xdist(project):
    pytest.importorskip("xdist")
    result = project.runpytest_subprocess("--gradproof", "-n", "2")
    result.assert_outcomes(passed=1, failed=1, skipped=1)


def test_a_module_that_fails_to_import(project):
    project.makepyfile(broken="from autodiff import Function\n1 / 0")
    result = project.runpytest_subprocess("--gradproof")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*broken.py: ZeroDivisionError: division by zero (broken.py:2)*"])


def test_targets_and_options_of_the_project(project):
    project.makepyfile(other=FUNCTIONS)
    project.makepyprojecttoml(
        """
        [tool.gradproof]
        targets = ["other.py"]
        strict = true
        timeout = 7
        [tool.gradproof.ignore]
        "other.py:Bad" = "known"
        """
    )
    result = project.runpytest_subprocess("--gradproof", "-v", "-rs")
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*other.py::Good PASSED*", "*{'timeout': 7}*", "SKIPPED*known"])


def test_targets_are_counted_among_the_tests(project):
    project.makepyprojecttoml("[tool.gradproof]\ntargets = ['layers.py', 'layers.py:Good']")
    result = project.runpytest_subprocess("--gradproof", "--collect-only", "-k", "Good or Bad")
    result.stdout.fnmatch_lines(["*2/3 tests collected (1 deselected)*"])


def test_a_target_that_is_not_there(project):
    project.makepyprojecttoml("[tool.gradproof]\ntargets = ['missing.py']")
    result = project.runpytest_subprocess("--gradproof")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*missing.py: no such file*"])


def test_fixture_and_marker(project):
    project.makepyprojecttoml("[tool.gradproof]\nseed = 1\norder = 2")
    project.makepyfile(
        test_it="""
        import pytest
        from layers import Bad, Good

        def test_good(gradproof):
            report = gradproof(Good)
            assert report.ok
            assert report.reason == "{'seed': 1, 'order': 2}"

        @pytest.mark.gradproof(max_ulps=8, seed=2)
        def test_options(gradproof):
            assert gradproof(Good, order=1).reason == "{'seed': 2, 'order': 1, 'max_ulps': 8}"

        def test_bad(gradproof):
            gradproof(Bad)
        """
    )
    result = project.runpytest_subprocess("--strict-markers")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["*REFUTED  Bad: backward gives a wrong gradient of x", "test_it.py:*: AssertionError"]
    )
