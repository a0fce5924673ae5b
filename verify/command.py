"""The command ``gradproof``: options, exit statuses, and what is printed where.

Nothing heavy is imported before it is known to be needed: ``--version`` and ``--help`` answer at
once, and the user's code and SymPy are imported by the workers only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from verify import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from verify.config import Config
    from verify.load import LoadError
    from verify.sweep import Plan, Sweep
    from verify.verdict import Report

PASSED, FAILED, USAGE, NOTHING, INTERRUPTED = 0, 1, 2, 5, 130
TIMEOUT = 60.0
FILES = ("json_file", "junit_file", "sarif_file", "html_file")
EPILOG = """
\b
TARGET is one of
  package.module           every Function that the module defines
  package.module:Name      one of them, or one function
  path/file.py             the same for a file
  path/file.py:Name
and nothing at all stands for every built-in Function.

\b
Examples:
  gradproof                                 all that is built in
  gradproof layers.py                       every Function of a file
  gradproof layers.py:Softplus -v           one, evidence by evidence
  gradproof model.py:loss --grad loss_grad  a function and its gradient
  gradproof model.py:loss --grad loss_grad --example '(3,), (4, 3), (4,)'
  gradproof scipy.optimize:rosen --grad scipy.optimize:rosen_der
  gradproof layers.py --strict -q --json report.json --junit-xml report.xml
  gradproof explain layers.py:Softplus      the derivation of the derivative
  gradproof audit torch                     the functions of a library (torch, jax, autograd)

\b
Exit status: 0 all pass; 1 something is refuted or inaccurate (with --strict
also undecided); 2 wrong usage, or a target that cannot be loaded; 5 nothing
to check; 130 interrupted.

\b
Options may stand in pyproject.toml, under [tool.gradproof]: targets, timeout,
max-ulps, seed, order, jobs, strict, cache, cache-dir, and ignore, a table of
names and reasons.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; exits."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["explain"]:
        explain.main(arguments[1:], prog_name="gradproof explain")
    elif arguments[:1] == ["audit"]:
        from verify.audit.command import audit

        audit.main(arguments[1:], prog_name="gradproof audit")
    else:
        check.main(arguments, prog_name="gradproof")


class _Expression(click.ParamType):
    """An expression of ``-k``, refused before anything is loaded."""

    name = "expr"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from verify.select import matcher

        try:
            return matcher(value)
        except ValueError as error:
            self.fail(str(error).removeprefix("-k "), param, ctx)


class _Example(click.ParamType):
    """One entry of `examples`, as Python writes it."""

    name = "tuple"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        import ast

        if isinstance(value, tuple):
            return value
        try:
            example = ast.literal_eval(f"({value},)")
        except (ValueError, SyntaxError):
            self.fail(f"{value!r}: expected shapes and values, as in '(3,), (4, 3), 2.0'", param)
        return example


class _Destination(click.ParamType):
    """A file to write at the end; that it cannot be written is said at the beginning."""

    name = "file"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        from verify.report.files import problem

        if fault := problem(value):
            self.fail(fault, param, ctx)
        return value


@click.command(
    epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 90}
)
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("--grad", metavar="TARGET", help="The gradients of a scalar-valued function.")
@click.option("--vjp", metavar="TARGET", help="Its vector-Jacobian product, (*args, grad_output).")
@click.option("--jac", metavar="TARGET", help="Its Jacobians.")
@click.option(
    "--example",
    "examples",
    type=_Example(),
    multiple=True,
    help="Arguments to check with: '(3,), (4, 3), {\"axis\": 0}' are two shapes and a keyword.",
)
@click.option("-k", "select", type=_Expression(), help="Only names that match: 'sin and not sinc'.")
@click.option("--seed", default=0, show_default=True, help="For the random choices.")
@click.option(
    "-j", "--jobs", type=click.IntRange(0), help="Processes; 0: none, for a debugger.  [all CPUs]"
)
@click.option(
    "--backend",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Where the processes are: here, or on the machines of a Dask cluster.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Of the cluster: tcp://host:8786.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=TIMEOUT,
    show_default=True,
    metavar="S",
    help="Seconds for each check.",
)
@click.option(
    "--order",
    type=click.IntRange(1, 4),
    default=1,
    show_default=True,
    help="2 and above: also the gradient of the gradient.",
)
@click.option(
    "--max-ulps", type=click.FloatRange(0, min_open=True), help="Digits that may be lost.  [2**20]"
)
@click.option("--strict", is_flag=True, help="Undecided fails too.")
@click.option(
    "--cache/--no-cache", default=True, help="Use results of earlier runs that still hold.  [use]"
)
@click.option(
    "--cache-dir", metavar="DIR", help="Where these are kept.  [the user's cache directory]"
)
@click.option("-x", "first", is_flag=True, help="Stop at the first failure.")
@click.option("--list", "listing", is_flag=True, help="Say what would be checked.")
@click.option("-v", "--verbose", is_flag=True, help="Evidence by evidence.")
@click.option("-q", "--quiet", is_flag=True, help="Failures and the summary only.")
@click.option("--json", "json_file", type=_Destination(), help="Results as JSON; - is stdout.")
@click.option("--junit-xml", "junit_file", type=_Destination(), help="Results for a CI server.")
@click.option("--sarif", "sarif_file", type=_Destination(), help="Results for code scanning.")
@click.option("--html", "html_file", type=_Destination(), help="A page to look at.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True
)
@click.version_option(__version__, "-V", "--version", message="gradproof %(version)s")
@click.pass_context
def check(ctx: click.Context, targets: tuple[str, ...], **given: Any) -> None:
    """Prove or refute hand-written gradients.

    A gradient is checked against the derivative that SymPy derives, in certified arithmetic, and
    by finite differences; when they disagree, the report says which one is wrong, where, why,
    and what the right derivative is.
    """
    config = _configure(ctx, given)
    targets = targets or config.targets
    companions = {key: given[key] for key in ("grad", "vjp", "jac") if given[key]}
    _refuse_contradictions(targets, companions, given)
    options: dict[str, Any] = {
        "seed": given["seed"],
        "timeout": given["timeout"],
        "order": given["order"],
    }
    if given["examples"]:
        options["examples"] = list(given["examples"])
    if given["max_ulps"] is not None:
        options["max_ulps"] = given["max_ulps"]

    from verify.sweep import Plan

    plan = Plan(
        targets=targets or ("",),
        options=options,
        companions=companions,
        select=given["select"],
        ignore=config.reason_to_ignore,
        jobs=given["jobs"],
        timeout=given["timeout"],
        cache=_cache_directory(given) if given["cache"] else None,
        scheduler=given["scheduler"],
    )
    from verify.cluster import ClusterError

    try:
        ctx.exit(_list(plan) if given["listing"] else _Run(plan, given).run())
    except ClusterError as error:
        raise click.UsageError(str(error)) from None


def _cache_directory(given: dict[str, Any]) -> str:
    """Where earlier results are; what nobody has used for a long time is removed there."""
    from verify.cache import Cache, directory

    folder = given["cache_dir"] or str(directory())
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise click.UsageError(f"--cache-dir is a directory, and {folder} is a file")
    Cache(folder).prune()
    return os.path.abspath(folder)


def _configure(ctx: click.Context, given: dict[str, Any]) -> Config:
    """Take from pyproject.toml what the command line leaves open."""
    from verify.config import ConfigError, read

    try:
        config = read()
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    for key, value in config.options.items():
        if ctx.get_parameter_source(key) is click.core.ParameterSource.DEFAULT:
            given[key] = value
    return config


def _refuse_contradictions(
    targets: Sequence[str], companions: dict[str, str], given: dict[str, Any]
) -> None:
    from verify.load import parse

    if companions and (len(targets) != 1 or not parse(targets[0]).name):
        option = next(iter(companions))
        raise click.UsageError(
            f"--{option} belongs to one function: name it, as in file.py:loss --{option} loss_grad"
        )
    if len(companions) > 1:
        raise click.UsageError(f"one derivative at a time, not {' and '.join(companions)}")
    if given["examples"] and (len(targets) != 1 or not parse(targets[0]).name):
        raise click.UsageError("--example belongs to one target: name it, as in file.py:Name")
    if (given["backend"] == "dask") != bool(given["scheduler"]):
        raise click.UsageError(
            "--backend dask and --scheduler ADDRESS belong together: "
            "--backend dask --scheduler tcp://host:8786"
        )
    if given["scheduler"] and given["jobs"] is not None:
        raise click.UsageError("--jobs is about this machine; a cluster has its own workers")
    if given["verbose"] and given["quiet"]:
        raise click.UsageError("-v and -q contradict each other")
    to_stdout = [key for key in FILES if given[key] == "-"]
    if len(to_stdout) > 1:
        raise click.UsageError("only one file can go to standard output")
    for target in targets:
        if target.startswith(":") or target.endswith(":") or not target.strip():
            raise click.UsageError(f"{target!r} is not a target; see --help")
        if "::" in target:
            raise click.UsageError(
                f"{target!r} is a test of pytest; a target has one colon: "
                f"{target.replace('::', ':')}"
            )


def _list(plan: Plan) -> int:
    from verify.load import LoadError
    from verify.sweep import Sweep

    failed = False
    with Sweep(plan) as sweep:
        for found in sweep.find():
            if isinstance(found, LoadError):
                failed = True
                click.echo(f"error: {found}", err=True)
            else:
                click.echo(found.target)
    if failed:
        return USAGE
    return PASSED if sweep.total else NOTHING


class _Run:
    """One run: prints results as they come, then writes the files."""

    def __init__(self, plan: Plan, given: dict[str, Any]) -> None:
        from verify.load import parse
        from verify.report import text

        self.plan = plan
        self.given = given
        self.reports: list[Report] = []
        self.errors: list[LoadError] = []
        # Who asks for a thing by its name is told what is to be known of it.
        self.by_name = all(parse(target).name for target in plan.targets)
        # A file that goes to standard output has it to itself.
        aside = any(given[key] == "-" for key in FILES)
        self.out: Console = text.console(sys.stderr if aside else sys.stdout, given["color"])
        self.started = time.perf_counter()

    def run(self) -> int:
        from verify.sweep import Sweep

        interrupted = False
        stop = _Stop(at_once=self.plan.jobs == 0)
        with Sweep(self.plan) as sweep:
            try:
                with _Progress(self.out, sweep) as progress:
                    for result in sweep.results(lambda: stop.heed(progress.draw)):
                        self._take(result)
                        if self.given["first"] and self.reports and self._fails(self.reports[-1]):
                            break
            except KeyboardInterrupt:
                interrupted = True
                for result in sweep.rest():
                    self._take(result)
        seconds = time.perf_counter() - self.started
        self._close(interrupted, sweep, seconds)
        self._write(sweep, seconds)
        if interrupted:
            return INTERRUPTED
        if self.errors:
            return USAGE
        if not self.reports:
            return NOTHING
        return FAILED if any(map(self._fails, self.reports)) else PASSED

    def _fails(self, report: Report) -> bool:
        from verify.verdict import Verdict

        if report.verdict is Verdict.UNDECIDED:
            return self.given["strict"]
        return not report.ok

    def _take(self, result: Report | LoadError) -> None:
        from verify.load import LoadError
        from verify.report.text import show

        if isinstance(result, LoadError):
            self.errors.append(result)
            click.echo(f"error: {result}", err=True)
            return
        result.command = self._command(result)
        self.reports.append(result)
        if not (self.given["quiet"] and result.ok):
            show(self.out, result, verbose=self.given["verbose"], notes=self.by_name)
            if not result.ok and self.plan.companions and not self.given["examples"]:
                self.out.print(
                    "The shapes of the arguments were guessed; --example gives them: "
                    "--example '(3,), (4, 3)'\n",
                    soft_wrap=True,
                )

    def _command(self, report: Report) -> str:
        """What to type to see this result again."""
        import shlex

        words = ["gradproof", report.name]
        for key, target in self.plan.companions.items():
            words += [f"--{key}", target]
        for example in self.given["examples"]:
            words += ["--example", ", ".join(map(repr, example))]
        for key, default in (("seed", 0), ("order", 1)):
            if self.plan.options[key] != default:
                words += [f"--{key}", str(self.plan.options[key])]
        if "max_ulps" in self.plan.options:
            words += ["--max-ulps", f"{self.plan.options['max_ulps']:g}"]
        return shlex.join(words)

    def _close(self, interrupted: bool, sweep: Sweep, seconds: float) -> None:
        from verify.report.text import show_summary

        if interrupted:
            left = sweep.total - len(self.reports)
            click.echo(f"interrupted: {left} of {sweep.total} not checked", err=True)
        if not self.given["quiet"]:
            for name, reason in sweep.ignored.items():
                self.out.print(f"ignored    {name}: {reason}", soft_wrap=True)
        for name in sweep.retried:
            self.out.print(f"retried    {name}: the worker that ran it was lost", soft_wrap=True)
        if self.reports:
            show_summary(self.out, self.reports, seconds)
        elif not self.errors and not interrupted:
            where = " ".join(filter(None, self.plan.targets)) or "the built-in Functions"
            if self.plan.select:
                click.echo(f"nothing matches -k in {where}", err=True)
            else:
                modules = [m for t in self.plan.targets for m in _modules(t)]
                hint = (
                    f"A package offers what it shows; its modules are named: {', '.join(modules)}"
                    if modules
                    else "A plain function is named, with its derivative: "
                    f"gradproof {self.plan.targets[0]}:loss --grad loss_grad"
                )
                click.echo(f"no Function found in {where}\n{hint}", err=True)

    def _write(self, sweep: Sweep, seconds: float) -> None:
        from verify.report import annotations, files

        reports, given = self.reports, self.given
        seed, strict = self.plan.options["seed"], given["strict"]
        errors = [error.to_dict() for error in self.errors]
        if annotations.wanted():
            for line in annotations.lines(reports, errors=errors, strict=strict):
                self.out.print(line, soft_wrap=True)
        if destination := given["json_file"]:
            from verify.report import json

            document = json.document(
                reports, seed=seed, seconds=seconds, errors=errors, ignored=sweep.ignored
            )
            files.write(destination, json.dumps(document))
        if destination := given["junit_file"]:
            from verify.report import junit

            files.write(
                destination,
                junit.document(
                    reports, seconds=seconds, errors=errors, strict=strict, ignored=sweep.ignored
                ),
            )
        if destination := given["sarif_file"]:
            from verify.report import sarif

            files.write(destination, sarif.document(reports, errors=errors, strict=strict))
        if destination := given["html_file"]:
            from verify.report import html

            page = html.page(
                reports,
                seed=seed,
                seconds=seconds,
                errors=errors,
                ignored=sweep.ignored,
                retried=sweep.retried,
            )
            files.write(destination, page)


def _modules(package: str) -> list[str]:
    """The modules in the folder of a package, if it is one below this folder."""
    from pathlib import Path

    files = sorted(Path(*package.split(".")).glob("*.py")) if package else []
    return [f"{package}.{file.stem}" for file in files if file.stem != "__init__"]


class _Stop:
    """Ctrl-C, and SIGTERM, by which a CI server cancels a job: what is known is printed then.

    While other processes do the checks, the signal is heeded between two looks at them: raised in
    the middle of one it may leave a lock taken, and the end would wait for it. A second signal is
    heeded at once.
    """

    def __init__(self, at_once: bool) -> None:
        self.at_once = at_once
        self._waiting = False
        with contextlib.suppress(ValueError):  # only the main thread may
            signal.signal(signal.SIGTERM, self._received)
            if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # a job in the background
                signal.signal(signal.SIGINT, self._received)

    def _received(self, number: int, frame: object) -> None:
        if self.at_once or self._waiting:
            raise KeyboardInterrupt
        self._waiting = True

    def heed(self, tick: Callable[[], None]) -> None:
        """Tick, unless a signal came."""
        if self._waiting:
            self.at_once = True
            raise KeyboardInterrupt
        tick()


class _Progress:
    """A line on a terminal: how far, the time that it took and will take, what is checked now."""

    def __init__(self, out: Console, sweep: Sweep) -> None:
        self.sweep = sweep
        self.bar: Any = None
        if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        from verify.report.text import console

        # The same console as the results, where both are on the screen: they would overwrite
        # each other.
        self.bar = Progress(
            MofNCompleteColumn(),
            BarColumn(20),
            TimeElapsedColumn(),
            TextColumn("+"),
            TimeRemainingColumn(),
            TextColumn("left "),
            TextColumn("{task.description}", markup=False),
            console=out if out.is_terminal else console(sys.stderr),
            transient=True,
            speed_estimate_period=600.0,  # seconds: one check may take a minute
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.task = self.bar.add_task("loading", total=None)

    def __enter__(self) -> _Progress:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def draw(self) -> None:
        if self.bar is not None:
            self.bar.update(
                self.task,
                total=self.sweep.total or None,
                completed=self.sweep.done,
                description=", ".join(self.sweep.running())[:32],
            )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("target")
@click.option("--latex", is_flag=True, help="As LaTeX.")
def explain(target: str, latex: bool) -> None:
    """Print the derivation of the derivative of TARGET, step by step.

    TARGET is package.module:Name or path/file.py:Name: a Function or a function on Tensors; a
    name alone is a built-in Function.
    """
    from verify.explain import explanation
    from verify.load import BUILTIN, LoadError, parse

    if not parse(target).name and not parse(target).is_path and "." not in target:
        target = f"{BUILTIN}:{target}"
    try:
        click.echo(explanation(target, latex=latex))
    except LoadError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(USAGE)
