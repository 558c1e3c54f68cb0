"""Things by name from several distributions: found, imported late, and every fault in one line that says whose it is."""

import sys
from pathlib import Path

import pytest

from rppg_ros import __version__, plugins
from rppg_ros.plugins import Group, lacking, make, not_callable
from support.distributions import install

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/plugin"
GROUP = "test.greeters"
POLITE = "def hello(options):\n    return 'good day, ' + options\n"


class GreeterError(ValueError):
    """Of the group under test."""


def own(options):
    if not options:
        raise KeyError("nobody")
    return f"hi, {options}"


def greeters(problem=not_callable) -> Group:
    return Group(GROUP, "greeter", {"short": own}, GreeterError, problem)


def said(name, group=None) -> str:
    with pytest.raises(GreeterError) as error:
        (group or greeters()).find(name)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_own_things_come_first_then_those_of_others_in_order(plugin_folder):
    names = ("polite", "zealous", "ardent")
    points = {GROUP: dict.fromkeys(names, "greet_a:hello"), "test.other": {"foreign": "greet_a:hello"}}
    install(plugin_folder, "acme-greet", points, {"greet_a": POLITE}, version="2.1")
    assert greeters().names() == ("short", "ardent", "polite", "zealous")
    assert greeters().others() == dict.fromkeys(names, "acme-greet 2.1")
    assert greeters().find("polite")("you") == "good day, you"
    assert greeters().find("short") is own


def test_a_plugin_is_imported_only_when_it_is_asked_for(plugin_folder):
    broken = {"greet_bad": "raise RuntimeError('this must not be imported')"}
    install(plugin_folder, "good", {GROUP: {"polite": "greet_good:hello"}}, {"greet_good": POLITE})
    install(plugin_folder, "bad", {GROUP: {"rude": "greet_bad:hello"}}, broken)
    group = greeters()
    assert group.names() == ("short", "polite", "rude") and set(group.others()) == {"polite", "rude"}
    assert "rude" in said("rud") and group.find("short") is own
    assert not {"greet_good", "greet_bad"} & set(sys.modules)
    assert group.find("polite") is sys.modules["greet_good"].hello
    assert "greet_bad" not in sys.modules


def test_an_unknown_name_is_answered_with_the_known_ones_and_the_nearest(plugin_folder):
    install(plugin_folder, "acme", {GROUP: {"polite": "greet_b:hello"}}, {})
    assert said("politr") == "no greeter 'politr'; there are: short, polite; did you mean 'polite'?"
    assert said("xyz") == "no greeter 'xyz'; there are: short, polite"


@pytest.mark.parametrize(
    ("source", "value", "cause"),
    [
        (
            "import no_such_module_at_all",
            "greet_c:hello",
            "ModuleNotFoundError: No module named 'no_such_module_at_all'",
        ),
        ("raise RuntimeError('two\\nlines')", "greet_c:hello", "RuntimeError: two lines"),
        ("import sys\nsys.exit(3)", "greet_c:hello", "SystemExit: 3"),
        ("def hello(:", "greet_c:hello", "SyntaxError: "),
        ("", "greet_c:hello", "AttributeError: module 'greet_c' has no attribute 'hello'"),
        ("", "greet_absent:hello", "ModuleNotFoundError: No module named 'greet_absent'"),
    ],
)
def test_a_plugin_that_does_not_load_is_named_with_its_distribution_and_the_cause(source, value, cause, plugin_folder):
    install(plugin_folder, "acme-greet", {GROUP: {"polite": value}}, {"greet_c": source}, version="0.3")
    text = said("polite")
    assert text.startswith(f"greeter 'polite' of acme-greet 0.3 (group {GROUP}) does not load from {value}: {cause}")
    with pytest.raises(GreeterError) as error:
        greeters().find("polite")
    assert type(error.value.__cause__).__name__ == cause.split(":")[0], "the traceback shows where"
    assert greeters().find("short") is own


def test_a_name_of_ours_that_another_distribution_gives_too_is_nobodys(plugin_folder):
    install(plugin_folder, "acme", {GROUP: {"short": "greet_d:hello", "polite": "greet_d:hello"}}, {"greet_d": POLITE})
    text = said("short")
    assert text == (
        f"greeter 'short' is given by rppg_ros {__version__} and by acme 1.0 (group {GROUP}): uninstall one of them"
    )
    assert greeters().names() == ("short", "polite")
    assert greeters().others()["short"] == f"rppg_ros {__version__} and acme 1.0"
    assert "greet_d" not in sys.modules
    assert greeters().find("polite")("you") == "good day, you", "its other names are not touched"


def test_a_name_that_two_other_distributions_give_is_nobodys(plugin_folder):
    for name in ("acme", "bolt"):
        install(plugin_folder, name, {GROUP: {"polite": f"greet_{name}:hello"}}, {f"greet_{name}": POLITE})
    text = said("polite")
    assert "acme 1.0" in text and "bolt 1.0" in text and GROUP in text
    assert greeters().names() == ("short", "polite")


def test_what_a_plugin_gives_is_checked(plugin_folder):
    source = f"{POLITE}number = 3\n"
    points = {"polite": "greet_e:hello", "three": "greet_e:number"}
    install(plugin_folder, "acme", {GROUP: points}, {"greet_e": source})
    assert (
        said("three") == f"greeter 'three' of acme 1.0 (group {GROUP}): greet_e:number is of type int, not a callable"
    )
    by_name = greeters(problem=lambda name, found: f"is not called {name}" if found.__name__ != name else "")
    assert said("polite", by_name).endswith("greet_e:hello is not called polite")


def test_a_distribution_without_a_name(plugin_folder):
    install(plugin_folder, "acme", {GROUP: {"polite": "greet_f:hello"}}, {"greet_f": ""}, metadata=False)
    assert greeters().others() == {"polite": plugins.UNNAMED}
    assert plugins.UNNAMED in said("polite")


def test_making_gives_the_options_and_checks_what_comes_of_it(plugin_folder):
    source = POLITE + "def fails(options):\n    raise LookupError(options)\n"
    points = {"polite": "greet_g:hello", "silent": "greet_g:fails"}
    install(plugin_folder, "acme", {GROUP: points}, {"greet_g": source})
    group = greeters()
    assert make(group, "polite", "you") == "good day, you" and make(group, "short", "you") == "hi, you"
    with pytest.raises(
        GreeterError, match=r"'silent' of acme 1.0 \(group .*\) cannot be made: LookupError: you"
    ) as error:
        make(group, "silent", "you")
    assert isinstance(error.value.__cause__, LookupError)
    with pytest.raises(KeyError, match="nobody"):  # ours speaks for itself
        make(group, "short", "")
    with pytest.raises(GreeterError, match="'polite' of acme 1.0 .*: what it makes, of type str, is too long"):
        make(group, "polite", "you", lambda made: "is too long" if len(made) > 5 else "")


def test_what_an_object_lacks_of_a_protocol():
    class Whole:
        name: str

        def run(self): ...

        @property
        def size(self): ...

        def _hidden(self): ...

    class Part:
        def run(self): ...

    assert lacking(Part(), Whole) == "lacks name, size"
    whole = Part()
    whole.name = whole.size = ""
    assert lacking(whole, Whole) == ""


def test_the_documentation_shows_the_same_code():
    text = (ROOT / "docs/plugins.md").read_text()
    for path in [EXAMPLE / "pyproject.toml", *EXAMPLE.glob("rppg_ros_example/[a-z]*.py")]:
        assert f"\n{path.read_text()}```\n" in text, f"docs/plugins.md differs from {path.relative_to(ROOT)}"
