import sys

import pytest

from baselines import Method, MethodError, MethodInfo, available, resolve
from baselines.registry import BUILT_IN

GOOD = """
from baselines import Method, MethodInfo
class Mine(Method):
    info = MethodInfo("{name}", "Mine", 2026, "", "MIT", "classical")
    def fuse(self, bracket):
        return bracket.reference.clone()
"""


@pytest.fixture
def method_file(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Lay a distribution with entry points on the search path, as pip would."""

    def lay(package, module_text, **entries):
        folder = tmp_path / f"site-{package}"
        facts = folder / f"{package}-1.0.dist-info"
        facts.mkdir(parents=True)
        (folder / f"{package}.py").write_text(module_text)
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (facts / "entry_points.txt").write_text(f"[dmef_bench.methods]\n{lines}")
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, package, raising=False)

    return lay


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_methods_resolve_under_their_own_name(name):
    method = resolve(name)
    assert issubclass(method, Method)
    assert method.info.name == name


def test_everything_installed_is_listed_once():
    names = [name for name, _ in available()]
    assert names[: len(BUILT_IN)] == list(BUILT_IN)
    assert "ipl" in names
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("typo", "meant"), [("gcd", "gdc"), ("Mertens", "mertens")])
def test_an_unknown_name_lists_near_ones(typo, meant):
    with pytest.raises(MethodError, match=f"no method '{typo}'; did you mean .*{meant}"):
        resolve(typo)


def test_a_name_like_no_other_lists_all():
    with pytest.raises(MethodError, match=r"known are copy-reference, .*gdc"):
        resolve("zzzzzz")


def test_a_class_in_a_file(method_file):
    path = method_file(GOOD.format(name="my-own"))
    assert resolve(f"{path}:Mine").info.name == "my-own"


def test_a_file_finds_its_neighbours(method_file):
    method_file("TITLE = 'beside it'", "a_neighbour_of_mine.py")
    path = method_file("import a_neighbour_of_mine\n" + GOOD.format(name="my-own"))
    assert resolve(f"{path}:Mine").info.title == "Mine"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1", "has no class 'Mine'; it has no subclass of Method at all"),
        (
            GOOD.format(name="a").replace("class Mine", "class Other"),
            "no class 'Mine'; it has Other",
        ),
        ("import a_package_nobody_has", "can't be imported: ModuleNotFoundError: No module"),
        ("def broken(:", "can't be imported: SyntaxError"),
        ("raise SystemExit(3)", "can't be imported: SystemExit"),
        ("class Mine: pass", "is no subclass of baselines.Method"),
        ("Mine = 3", "is no subclass of baselines.Method"),
        ("from baselines import Method\nclass Mine(Method): pass", "does not write fuse"),
        (
            "from baselines import Method\nclass Mine(Method):\n  def fuse(self, bracket): ...",
            "has no class attribute info",
        ),
        (GOOD.format(name="../up"), "lower case letters, digits and hyphens"),
        (GOOD.format(name="gdc"), "which is a built-in method"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(method_file, text, complaint):
    path = method_file(text)
    with pytest.raises(MethodError) as raised:
        resolve(f"{path}:Mine")
    assert complaint in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MethodError, match=r"absent\.py: there is no such file"):
        resolve(f"{tmp_path}/absent.py:Mine")


def test_a_file_without_a_class_is_told_the_form(method_file):
    path = method_file(GOOD.format(name="a"))
    with pytest.raises(MethodError, match=r"say which class .*mine\.py:Class"):
        resolve(str(path))


def test_an_installed_plug_in_resolves_and_is_listed(install):
    install("plug_good", GOOD.format(name="plugged"), plugged="plug_good:Mine")
    assert resolve("plugged").info.name == "plugged"
    assert isinstance(dict(available())["plugged"], MethodInfo)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("raise RuntimeError('no licence server')", "RuntimeError: no licence server"),
        ("x = 1", "can't be imported: AttributeError"),
        ("class Mine: pass", "is no subclass of baselines.Method"),
        (GOOD.format(name="another"), "calls itself 'another'"),
    ],
)
def test_a_broken_plug_in_is_named_and_the_others_work(install, text, complaint):
    install("plug_bad", text, broken="plug_bad:Mine")
    found = dict(available())
    assert isinstance(found["broken"], MethodError)
    assert complaint in str(found["broken"])
    assert "plug_bad" in str(found["broken"])
    assert isinstance(found["gdc"], MethodInfo)
    with pytest.raises(MethodError, match="broken"):
        resolve("broken")


def test_a_built_in_name_can_not_be_taken_over(install):
    install("plug_clash", GOOD.format(name="gdc"), gdc="plug_clash:Mine")
    assert resolve("gdc").__module__.startswith("baselines.")
    hidden = [info for name, info in available() if name == "gdc"][1]
    assert isinstance(hidden, MethodError)
    assert "plug_clash" in str(hidden)
    assert "belongs to a built-in method" in str(hidden)


def test_of_two_plug_ins_of_one_name_the_hidden_one_is_named(install):
    install("plug_b", GOOD.format(name="twice"), twice="plug_b:Mine")
    install("plug_a", GOOD.format(name="twice"), twice="plug_a:Mine")
    assert resolve("twice").__module__ == "plug_a"
    _, hidden = (info for name, info in available() if name == "twice")
    assert "plug_b" in str(hidden)
    assert "belongs to the plug-in plug_a:Mine" in str(hidden)
