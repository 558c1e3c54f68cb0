"""Engines by name: ours, and what is wrong with another distribution's before it has seen a face."""

import pytest

from rppg_ros.inference.engine import EngineError, EngineOptions
from rppg_ros.inference.factory import ENGINES, engine_names, make_engine
from support.distributions import install

FLAT = """
from rppg_ros.inference.engine import WindowPlan
from rppg_ros.types import Vital

class Flat:
    name, vitals = "flat", (Vital.BVP,)
    crop_size, crop_scale, least_crop = 8, 1.0, 1
    plan = WindowPlan(30.0, 30, 60, 15, {Vital.BVP: 0})

    def __init__(self, options):
        self.options = options

    def rgb(self, crop): ...
    def thermal(self, crop): ...
    def infer(self, rgb, thermal, memory): ...

def plan(*numbers, hold_back={Vital.BVP: 0}):
    return WindowPlan(*numbers, hold_back)
"""


def flat(folder, change=""):
    install(folder, "acme", {"rppg_ros.engines": {"flat": "flat_engine:Flat"}}, {"flat_engine": f"{FLAT}\n{change}\n"})


def test_our_own():
    assert engine_names()[: len(ENGINES)] == ENGINES == ("auto", "network", "pos", "chrom")
    assert [make_engine(name).name for name in ("auto", "pos", "chrom")] == ["pos", "pos", "chrom"]
    with pytest.raises(EngineError, match="no engine 'crom'; there are: auto, .*; did you mean 'chrom'"):
        make_engine("crom")


def test_a_plugin_gets_what_was_chosen(plugin_folder):
    flat(plugin_folder)
    assert engine_names() == (*ENGINES, "flat")
    assert make_engine("flat", "a.onnx", 0.25, 3).options == EngineOptions("a.onnx", hop_s=0.25, threads=3)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ("del Flat.plan, Flat.infer", "lacks plan, infer"),
        ("Flat.vitals = ()", r"measures \[\], not"),
        ("Flat.vitals = ('bvp', 3)", r"measures \['bvp', 3\], not"),
        ("Flat.plan = None", "has a NoneType for its plan"),
        ("Flat.plan = plan(0.0, 30, 60, 15)", "has a plan that cannot be"),
        ("Flat.plan = plan(30.0, 0, 60, 15)", "has a plan that cannot be"),
        ("Flat.plan = plan(30.0, 61, 60, 15)", "has a plan that cannot be"),
        ("Flat.plan = plan(30.0, 30, 60, 0)", "has a plan that cannot be"),
        ("Flat.vitals = (Vital.BVP, Vital.RSP)", "has a plan without the hold_back of rsp$"),
    ],
)
def test_an_engine_that_could_not_run_is_refused(change, wrong, plugin_folder):
    flat(plugin_folder, change)
    where = r"engine 'flat' of acme 1.0 \(group rppg_ros.engines\): what it makes, of type Flat"
    with pytest.raises(EngineError, match=f"{where}, {wrong}"):
        make_engine("flat")
    assert make_engine("pos").name == "pos"


def test_the_least_plan_there_is_will_do(plugin_folder):
    flat(plugin_folder, "Flat.plan = plan(1.0, 1, 1, 1)")
    assert make_engine("flat").plan.longest == 1
