import subprocess
import sys

import verify


def python(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_everything_public_is_there():
    assert {name: getattr(verify, name) for name in verify.__all__}
    assert set(verify.__all__) <= set(dir(verify))


def test_check_is_the_function_whichever_way_it_is_imported_first():
    assert python("import verify.check, verify; print(type(verify.check).__name__)") == "function"
    assert python("from verify import check; print(type(check).__name__)") == "function"


def test_importing_it_imports_nothing_heavy():
    code = "import verify, sys; print({'numpy', 'sympy', 'scipy', 'rich'} & set(sys.modules))"
    assert python(code) == "set()"


def test_unknown_names_are_attribute_errors():
    assert not hasattr(verify, "nonsense")
