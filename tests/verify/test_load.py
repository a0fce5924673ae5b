import sys
import types

import pytest

import verify
from verify.load import Item, LoadError, Target, discover, load, load_companion, parse


@pytest.fixture(autouse=True)
def _forget_modules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("verify.registry._registry", [])
    before, path = set(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]
    sys.path[:] = path


def names(items):
    return [item.target for item in items]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("package.module", Target("package.module")),
        ("package.module:Name", Target("package.module", "Name")),
        ("path/file.py", Target("path/file.py")),
        ("path/file.py:Outer.Inner", Target("path/file.py", "Outer.Inner")),
        ("C:/path/file.py", Target("C:/path/file.py")),
    ],
)
def test_parse(text, target):
    assert parse(text) == target
    assert str(parse(text)) == text


def test_functions_of_a_file_in_the_order_of_the_source(write):
    write("layers.py", Zeta="proved", Alpha="proved")
    assert names(discover("layers.py")) == ["layers.py:Zeta", "layers.py:Alpha"]


def test_the_place_is_the_class(write):
    path = write("layers.py", F="proved")
    (item,) = discover("layers.py")
    line = path.read_text().splitlines().index("class F(Function):") + 1
    assert item == Item("layers.py:F", ("layers.py", line))


def test_imported_functions_belong_to_where_they_come_from(write):
    write("base.py", Base="proved")
    write("layers.py", "from base import Base\nclass Mine(Base): pass\nAlias = Mine\n")
    assert names(discover("layers.py")) == ["layers.py:Mine"]


def test_an_abstract_base_is_nothing_to_check(write):
    write("layers.py", "from autodiff import Function\nclass Base(Function): pass\n")
    assert discover("layers.py") == []


def test_a_module_by_name_and_by_path(write):
    write("package/__init__.py", "")
    write("package/inner.py", F="proved")
    assert names(discover("package.inner")) == ["package.inner:F"]
    assert names(discover("package/inner.py")) == ["package/inner.py:F"]
    assert load("package.inner:F").subject is load("package/inner.py:F").subject


def test_a_package_has_what_it_shows_of_its_submodules(write):
    write("package/__init__.py", "from .inner import F\nfrom other import G\n")
    write("package/inner.py", F="proved", Hidden="proved")
    write("other.py", G="proved")
    assert names(discover("package")) == ["package:F"]


def test_relative_imports_of_a_file_in_a_package(write):
    write("package/__init__.py", "")
    write("package/one.py", A="proved")
    write("package/two.py", "from .one import A\nclass B(A): pass\n")
    assert names(discover("package/two.py")) == ["package/two.py:B"]


def test_a_file_may_have_the_name_of_a_library(write):
    write("json.py", F="proved")
    assert names(discover("json.py")) == ["json.py:F"]
    import json

    assert hasattr(json, "dumps")


def test_nothing_stands_for_what_is_built_in():
    from autodiff.functions import all_functions

    assert names(discover("")) == [f"autodiff:{f.__name__}" for f in all_functions()]
    assert names(discover("autodiff")) == names(discover(""))


def test_every_name_that_is_found_can_be_loaded_again():
    from autodiff.functions import all_functions

    loaded = [load(item.target).subject for item in discover("")]
    assert loaded == list(all_functions())


def test_a_plain_function_is_loaded_by_its_name(write):
    write(
        "model.py", "def loss(x): return x\nclass C:\n    @staticmethod\n    def g(x): return x\n"
    )
    assert load("model.py:loss").subject(3) == 3
    assert load("model.py:C.g").subject(4) == 4


def test_a_companion_is_found_beside_the_subject_or_elsewhere(write):
    write("model.py", "def loss(x): return x\ndef loss_grad(x): return 1\n")
    write("grads.py", "def loss_grad(x): return 2\n")
    assert load_companion("loss_grad", "model.py:loss")(0) == 1
    assert load_companion("grads.py:loss_grad", "model.py:loss")(0) == 2
    with pytest.raises(LoadError, match="did you mean loss_grad"):
        load_companion("los_grad", "model.py:loss")


class TestRegistered:
    TEXT = """
        import verify

        def loss(x): return x
        verify.register(loss, grad=lambda x: 1, examples=[(3,)])
        verify.register(lambda x: x, name="again", jac=lambda x: 1)
    """

    def test_is_found_and_loaded_with_its_options(self, write):
        write("model.py", self.TEXT)
        assert names(discover("model.py")) == ["model.py:loss", "model.py:again"]
        loaded = load("model.py:loss")
        assert loaded.subject(3) == 3
        assert set(loaded.options) == {"grad", "examples"}
        assert discover("model.py")[0].location == ("model.py", 5)

    def test_belongs_to_the_module_that_registered_it(self, write):
        write("model.py", self.TEXT)
        write("other.py", "import model")
        assert discover("other.py") == []

    def test_the_last_of_a_name_counts(self, write):
        write("model.py", "import verify\nf = verify.register(len)\nverify.register(len, order=2)")
        assert names(discover("model.py")) == ["model.py:len"]
        assert load("model.py:len").options == {"order": 2}

    def test_refuses_nonsense(self):
        with pytest.raises(TypeError, match="not grad and jac"):
            verify.register(len, grad=len, jac=len)
        with pytest.raises(TypeError, match="not a int"):
            verify.register(3)


class TestErrors:
    def error(self, target, call=discover):
        with pytest.raises(LoadError) as caught:
            call(target)
        assert caught.value.target.startswith(target.partition(":")[0])
        return caught.value

    def test_an_exception_says_where_in_the_users_file(self, write):
        write("bad.py", "import math\n\ndef f():\n    return 1 / 0\n\nf()\n")
        error = self.error("bad.py")
        assert error.message == "ZeroDivisionError: division by zero"
        assert error.location == ("bad.py", 4)

    def test_a_syntax_error(self, write):
        write("bad.py", "x = 1\ndef f(:\n")
        error = self.error("bad.py")
        assert error.message == "SyntaxError: invalid syntax: def f(:"
        assert error.location == ("bad.py", 2)

    def test_exit_at_import(self, write):
        write("bad.py", "import sys\nsys.exit('bye')\n")
        error = self.error("bad.py")
        assert error.message == "it calls sys.exit('bye') while it is imported"
        assert error.location == ("bad.py", 2)

    def test_a_missing_import_of_the_file_is_the_files_fault(self, write):
        write("bad.py", "import nowhere_to_be_found\n")
        error = self.error("bad.py")
        assert error.message == "ModuleNotFoundError: No module named 'nowhere_to_be_found'"
        assert error.location == ("bad.py", 1)

    def test_a_missing_import_of_a_module_is_the_modules_fault(self, write):
        write("bad.py", "import nowhere_to_be_found\n")
        assert self.error("bad").location == ("bad.py", 1)

    def test_no_such_file(self, write):
        write("layers.py", F="proved")
        assert self.error("layer.py").message == "no such file; did you mean layers.py?"
        assert self.error("other/thing.py").message == "no such file"

    def test_no_such_module(self, write):
        write("layers.py", F="proved")
        assert self.error("layer").message == "no module named 'layer'; did you mean layers?"
        assert self.error("layers.inner").message == "no module named 'layers.inner'"

    def test_a_directory(self, write):
        write("folder/layers.py", F="proved")
        assert "it is a directory" in self.error("folder/").message

    def test_no_such_name(self, write):
        write("layers.py", Softplus="proved", Sin="proved")
        error = self.error("layers.py:softplus")
        assert error.message == "there is no softplus in it; did you mean Softplus?"
        assert self.error("layers.py:Xyz").message == (
            "there is no Xyz in it; there are Softplus, Sin"
        )
        assert self.error("layers.py:Sin.inner").message.startswith("there is no Sin.inner")

    def test_what_cannot_be_checked(self, write):
        write("layers.py", "import math\nx = 3\n")
        assert self.error("layers.py:x").message.startswith("it is a int, neither")
        assert self.error("layers.py:math").message.startswith("it is a module, neither")

    def test_a_failed_import_leaves_nothing_behind(self, write):
        write("bad.py", "1 / 0")
        self.error("bad.py")
        write("bad.py", F="proved")
        assert names(discover("bad.py")) == ["bad.py:F"]

    def test_load_needs_a_name(self):
        self.error("layers.py", load)

    def test_travels_and_speaks(self):
        import pickle

        error = pickle.loads(pickle.dumps(LoadError("a.py:F", "no", ("a.py", 3))))
        assert str(error) == "a.py:F: no (a.py:3)"
        assert error.to_dict() == {
            "target": "a.py:F", "message": "no", "location": {"file": "a.py", "line": 3}
        }  # fmt: skip


def test_offers_skip_what_is_no_function():
    module = types.ModuleType("made_here")
    module.x = 3
    from verify.load import offers

    assert offers(module) == []
