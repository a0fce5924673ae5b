"""The command around the checks: what is run, printed, written, and with which exit status."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest

import verify
import verify.sweep
from verify.command import main


@pytest.fixture
def run(stubbed, capfd):
    """Run the command in `stubbed`: exit status, standard output, standard error."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([*arguments])
        out, err = capfd.readouterr()
        return caught.value.code or 0, out, err

    return run


def verdicts(out):
    return re.findall(r"^(?!ignored)(\w+) +(?=\S+?:\w+)", out, re.MULTILINE)


def test_all_pass(run, write):
    write("layers.py", A="proved", B="verified")
    status, out, err = run("layers.py")
    assert status == 0
    assert verdicts(out) == ["proved", "verified"]
    assert out.splitlines()[-1].startswith("2 checked: 1 proved, 1 verified in ")
    assert err == ""


@pytest.mark.parametrize("verdict", ["refuted", "inaccurate"])
def test_a_failure(run, write, verdict):
    write("layers.py", A="proved", B=verdict, C="proved")
    status, out, _ = run("layers.py")
    assert status == 1
    assert verdicts(out) == ["proved", verdict.upper(), "proved"]


def test_undecided_fails_only_strictly(run, write):
    write("layers.py", A="undecided")
    assert run("layers.py")[0] == 0
    assert run("layers.py", "--strict")[0] == 1


def test_order_of_the_source_whatever_ends_first(run, write):
    write(
        "layers.py",
        A=("proved", "import time; time.sleep(0.5)"),
        B="verified",
        C=("undecided", "import time; time.sleep(0.2)"),
        D="proved",
    )
    _, out, _ = run("layers.py", "--jobs", "2")
    assert verdicts(out) == ["proved", "verified", "UNDECIDED", "proved"]


class TestTargets:
    def test_as_pytest_writes_them(self, run, write):
        write("layers.py", A="proved")
        status, _, err = run("layers.py::A")
        assert status == 2
        assert "a target has one colon: layers.py:A" in " ".join(err.split())

    def test_a_package_that_shows_nothing_names_its_modules(self, run, write):
        write("pack/__init__.py", "")
        write("pack/layers.py", A="proved")
        status, _, err = run("pack")
        assert status == 5
        assert "pack.layers" in err

    def test_a_derivative_that_is_not_there(self, run, write):
        write("model.py", "def loss(x): return x")
        status, _, err = run("model.py:loss", "--grad", "nope")
        assert status == 2
        assert err.startswith("error: model.py:nope: there is no nope in it")

    def test_that_cannot_be_loaded_leave_the_others_alone(self, run, write):
        write("bad.py", "1 / 0")
        write("good.py", A="proved")
        status, out, err = run("bad.py", "missing.py", "good.py", "good.py:B")
        assert status == 2
        assert verdicts(out) == ["proved"]
        assert err.splitlines() == [
            "error: bad.py: ZeroDivisionError: division by zero (bad.py:1)",
            "error: missing.py: no such file",
            "error: good.py:B: there is no B in it; there are A",
        ]

    def test_that_cannot_be_loaded_count_more_than_failures(self, run, write):
        write("layers.py", A="refuted")
        assert run("layers.py", "missing.py")[0] == 2

    def test_that_offer_nothing(self, run, write):
        write("empty.py", "x = 1")
        status, _, err = run("empty.py")
        assert status == 5
        assert err.startswith("no Function found in empty.py\nA plain function")

    def test_named_twice_are_checked_once(self, run, write):
        write("layers.py", A="proved", B="proved")
        assert len(verdicts(run("layers.py", "layers.py:A", "layers.py")[1])) == 2

    def test_that_crash_when_imported(self, run, write):
        write("bad.py", "import os\nos.kill(os.getpid(), 11)\n")
        write("good.py", A="proved")
        status, out, err = run("bad.py", "good.py")
        assert status == 2
        assert verdicts(out) == ["proved"]
        assert err == ("error: bad.py: importing it crashed the process with SIGSEGV (bad.py:2)\n")

    def test_that_hang_when_imported(self, run, write):
        write("bad.py", "while True:\n    pass\n")
        status, _, err = run("bad.py", "--timeout", "0.1")
        assert status == 2
        assert re.match(r"error: bad.py: importing it did not end within 2 s \(bad.py:[12]\)", err)

    def test_plain_function_with_its_derivative(self, run, write):
        write("model.py", "def loss(x): return x\ndef loss_grad(x): return 1\n")
        status, out, _ = run("model.py:loss", "--grad", "loss_grad", "-v")
        assert status == 0
        assert "grad is loss_grad" in out

    def test_derivative_that_is_not_there(self, run, write):
        write("model.py", "def loss(x): return x\n")
        status, _, err = run("model.py:loss", "--vjp", "model.py:nope")
        assert status == 2
        assert "there is no nope in it" in err


class TestCodeThat:
    """Whatever the code under test does costs its own result and no other."""

    @pytest.mark.parametrize(
        ("forward", "reason"),
        [
            ("import os; os._exit(3)", "ended the process with exit status 3"),
            ("import os; os.kill(os.getpid(), 11)", "crashed the process with SIGSEGV"),
            ("import os; os.kill(os.getpid(), 9)", "SIGKILL (out of memory?)"),
            ("import sys; sys.exit(1)", "SystemExit: 1"),
            ("raise RuntimeError('mine')", "RuntimeError: mine"),
        ],
    )
    def test_ends_its_process(self, run, write, forward, reason):
        write("layers.py", A="proved", B=("proved", forward), C="proved")
        status, out, _ = run("layers.py", "--strict")
        assert status == 1
        assert verdicts(out) == ["proved", "UNDECIDED", "proved"]
        assert reason in out

    def test_hangs(self, run, write):
        path = write("layers.py", A=("proved", "while True: pass"), B="proved")
        started = time.perf_counter()
        status, out, _ = run("layers.py", "--timeout", "0.2", "--strict")
        assert time.perf_counter() - started < 10
        assert status == 1
        assert verdicts(out) == ["UNDECIDED", "proved"]
        line = path.read_text().splitlines().index("        while True: pass") + 1
        assert f"layers.py:{line}" in out

    def test_prints(self, run, write):
        speak = "import os, sys; print('one'); sys.stderr.write('two\\n'); os.write(1, b'three\\n')"
        write("layers.py", A=("refuted", speak), B=("proved", speak))
        status, out, err = run("layers.py", "--json", "-")
        assert status == 1
        results = json.loads(out)["results"]
        assert sorted(results[0]["printed"].splitlines()) == ["one", "three", "two"]
        assert "printed by the code under test" in err

    def test_prints_at_import(self, run, write):
        write("layers.py", "print('noise')\nfrom autodiff.functions import *\n")
        _, out, _ = run("layers.py", "--json", "-")
        assert json.loads(out)["results"] == []


class TestOptions:
    def test_k(self, run, write):
        write("layers.py", Sin="proved", Sinc="proved", Cos="proved")
        _, out, _ = run("layers.py", "-k", "sin and not sinc", "--list")
        assert out.splitlines() == ["layers.py:Sin"]
        status, _, err = run("layers.py", "-k", "nothing")
        assert status == 5
        assert err == "nothing matches -k in layers.py\n"

    def test_x_stops_at_the_first_failure(self, run, write):
        write("layers.py", A="proved", B="refuted", C="refuted")
        status, out, _ = run("layers.py", "-x")
        assert status == 1
        assert verdicts(out) == ["proved", "REFUTED"]

    def test_list(self, run, write):
        write("layers.py", A=("proved", "raise SystemExit"), B="proved")
        status, out, _ = run("layers.py", "missing.py", "--list")
        assert status == 2
        assert out.splitlines() == ["layers.py:A", "layers.py:B"]
        assert run("layers.py", "--list")[0] == 0

    def test_list_of_nothing(self, run, write):
        write("empty.py", "x = 1")
        assert run("empty.py", "--list")[0] == 5

    def test_q_leaves_failures_and_the_summary(self, run, write):
        write("layers.py", A="proved", B="refuted")
        _, out, _ = run("layers.py", "-q")
        assert verdicts(out) == ["REFUTED"]
        assert out.splitlines()[-1].startswith("2 checked")

    def test_v_shows_evidence(self, run, write):
        write("layers.py", A="proved")
        assert "pass  oracle" not in run("layers.py")[1]
        assert "pass  oracle" in run("layers.py", "-v")[1]

    def test_options_reach_the_check(self, run, write):
        write("layers.py", A="proved")
        _, out, _ = run("layers.py", "-v", "--max-ulps", "8", "--order", "2")
        assert "['max_ulps', 'order', 'seed', 'timeout']" in out

    def test_examples_reach_the_check_and_the_command_to_repeat_it(self, run, write):
        write("layers.py", A="refuted")
        example = "(3,), (4, 3), {'axis': 0}"
        _, out, _ = run("layers.py:A", "--example", example)
        assert f"examples is [({example})]" in out
        (again,) = re.findall("again +(.*)", out)
        assert shlex.split(again) == ["gradproof", "layers.py:A", "--example", example]

    def test_what_to_type_to_see_it_again(self, run, write):
        write("layers.py", A="refuted")
        _, out, _ = run("layers.py", "--seed", "7", "--max-ulps", "8")
        assert "again      gradproof layers.py:A --seed 7 --max-ulps 8\n" in out

    def test_jobs_0_runs_here(self, run, write):
        write("layers.py", A="proved", B="refuted")
        status, out, _ = run("layers.py", "--jobs", "0")
        assert status == 1
        assert verdicts(out) == ["proved", "REFUTED"]

    def test_color(self, run, write):
        write("layers.py", A="proved")
        assert "\x1b[" in run("layers.py", "--color", "always")[1]
        assert "\x1b[" not in run("layers.py")[1]


class TestJson:
    def test_has_the_schema(self, run, write, stubbed):
        write("layers.py", A="proved", B="refuted")
        status, out, _ = run("layers.py", "missing.py", "--json", "report.json", "--seed", "3")
        assert status == 2
        assert "2 checked" in out
        document = json.loads((stubbed / "report.json").read_text())
        assert {k: document[k] for k in ("schema_version", "tool", "version", "seed")} == {
            "schema_version": 1, "tool": "gradproof", "version": verify.__version__, "seed": 3
        }  # fmt: skip
        proved, refuted = document["results"]
        assert (proved["name"], proved["verdict"]) == ("layers.py:A", "proved")
        assert refuted["counterexample"] == {
            "inputs": {"x": 0.5}, "grad_output": 1.0, "index": [], "expected": 0.25, "actual": 1.0
        }  # fmt: skip
        assert document["errors"][0]["target"] == "missing.py"
        assert document["summary"]["refuted"] == 1
        assert proved["seconds"] > 0

    def test_on_standard_output_is_alone_there(self, run, write):
        write("layers.py", A="proved")
        _, out, err = run("layers.py", "--json", "-")
        assert json.loads(out)["summary"]["proved"] == 1
        assert "1 checked" in err

    def test_that_cannot_be_written_is_said_at_once(self, run, write):
        write("layers.py", A=("proved", "open('was-run', 'w')"))
        status, _, err = run("layers.py", "--json", "no/such/folder.json")
        assert status == 2
        assert "there is no directory no/such" in err
        assert not os.path.exists("was-run")


class TestConfig:
    def test_options_and_targets_of_the_project(self, run, write):
        write("layers.py", A="proved", OldB="refuted", C="undecided")
        write(
            "pyproject.toml",
            """
            [tool.gradproof]
            targets = ["layers.py"]
            strict = true
            seed = 4
            [tool.gradproof.ignore]
            "layers.py:Old*" = "to be removed"
            """,
        )
        status, out, _ = run("--json", "report.json")
        assert status == 1
        assert verdicts(out) == ["proved", "UNDECIDED"]
        assert "ignored    layers.py:OldB: to be removed" in out
        with open("report.json") as file:
            document = json.load(file)
        assert document["seed"] == 4
        assert document["ignored"] == [{"name": "layers.py:OldB", "reason": "to be removed"}]

    def test_the_command_line_comes_first(self, run, write):
        write("layers.py", A="proved")
        write("pyproject.toml", "[tool.gradproof]\ntargets = ['missing.py']\nseed = 4")
        status, out, _ = run("layers.py", "--seed", "5", "--json", "-")
        assert status == 0
        assert json.loads(out)["seed"] == 5

    def test_what_is_named_is_checked_though_ignored(self, run, write):
        write("layers.py", A="refuted")
        write("pyproject.toml", "[tool.gradproof.ignore]\n'layers.py:A' = 'known'")
        assert run("layers.py")[0] == 5
        assert run("layers.py:A")[0] == 1

    def test_a_mistake_in_it(self, run, write):
        write("pyproject.toml", "[tool.gradproof]\nsed = 4")
        status, _, err = run()
        assert status == 2
        assert "not 'sed'" in err


def test_other_files(run, write, stubbed, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    write("layers.py", A="proved", B="refuted")
    options = ["--junit-xml", "j.xml", "--html", "p.html", "--sarif", "s.json"]
    _, out, _ = run("layers.py", *options)
    assert '<testcase classname="layers" name="A"' in (stubbed / "j.xml").read_text()
    assert "1 of 2 gradients are wrong" in (stubbed / "p.html").read_text()
    assert json.loads((stubbed / "s.json").read_text())["runs"][0]["results"][0]["ruleId"]
    assert "::error file=layers.py,line=" in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--grad", "g"], "belongs to one function"),
        (["a.py", "--grad", "g"], "belongs to one function"),
        (["a.py:f", "b.py:f", "--vjp", "g"], "belongs to one function"),
        (["a.py:f", "--vjp", "g", "--jac", "g"], "one derivative at a time"),
        (["-k", "a and"], "expected a name"),
        (["a.py", "--example", "(3,)"], "belongs to one target"),
        (["a.py:f", "--example", "x)"], "expected shapes and values"),
        (["-q", "-v"], "contradict"),
        (["--order", "5"], "--order"),
        (["--timeout", "0"], "--timeout"),
        (["--json", "-", "--html", "-"], "only one file"),
        ([":Name"], "is not a target"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_wrong_usage(run, arguments, complaint):
    status, _, err = run(*arguments)
    assert status == 2
    assert complaint in err


def test_help_has_examples(run):
    status, out, _ = run("--help")
    assert status == 0
    assert "gradproof layers.py:Softplus -v" in out
    assert "Exit status: 0 all pass;" in out


def python(*arguments):
    root = os.path.dirname(os.path.dirname(verify.__file__))
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        # Tests that run in the background of a shell have it ignored, and would hand that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_python_m_verify_and_its_version():
    process = python("-m", "verify", "--version")
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, f"gradproof {verify.__version__}\n")


def test_nothing_heavy_is_imported_for_help():
    code = (
        "import sys, verify.command\n"
        "try: verify.command.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'sympy', 'scipy', 'rich', 'pebble'} & set(sys.modules)))"
    )
    out, _ = python("-c", code).communicate(timeout=60)
    assert out.splitlines()[-1] == "[]"


def test_the_parent_imports_no_user_code(run, write):
    write("only_in_workers.py", A="proved")
    assert run("only_in_workers.py")[0] == 0
    assert "only_in_workers" not in sys.modules


DRIVER = """
import verify.sweep
from verify.command import main

verify.sweep.CHECKER = {checker!r}
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_prints_what_is_known(stubbed, write, how):
    driver = write("driver.py", DRIVER.format(checker=verify.sweep.CHECKER))
    write("layers.py", A="proved", B=("proved", "import time; time.sleep(60)"), C="refuted")
    process = python(str(driver), "layers.py", "--jobs", "2", "--json", "report.json")
    # until A and C are known: A is printed at once, C waits for B
    line = process.stdout.readline()
    time.sleep(2)
    process.send_signal(how)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert verdicts(line + out) == ["proved", "REFUTED"]
    assert "interrupted: 1 of 3 not checked" in err
    assert json.loads((stubbed / "report.json").read_text())["summary"]["refuted"] == 1


def test_a_script_without_a_guard_can_be_checked(run, write):
    write("script.py", "import sys\nassert __name__ != '__main__'\n")
    assert run("script.py")[0] == 5


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_progress_is_drawn_on_a_terminal_only(stubbed, write):
    import pty

    driver = write("driver.py", DRIVER.format(checker=verify.sweep.CHECKER))
    write("layers.py", A="proved")
    ours, theirs = pty.openpty()
    root = os.path.dirname(os.path.dirname(verify.__file__))
    process = subprocess.Popen(
        [sys.executable, str(driver), "layers.py"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": root, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    drawn = b""
    with contextlib.suppress(OSError):  # the other side is closed
        while chunk := os.read(ours, 4096):
            drawn += chunk
    os.close(ours)
    out = process.communicate(timeout=60)[0].decode()
    assert b"\x1b[?25l" in drawn  # the cursor hidden, and shown again at the end
    assert drawn.rstrip().endswith(b"\x1b[2K") or b"\x1b[?25h" in drawn
    assert "\x1b" not in out
    assert verdicts(out) == ["proved"]
