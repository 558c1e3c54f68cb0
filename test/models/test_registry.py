"""Families of networks of other distributions: built and configured like ours, refused where they are none."""

import pytest

pytest.importorskip("torch")

from rppg_ros.models.registry import FAMILIES, build, family, family_names  # noqa: E402
from support.distributions import install  # noqa: E402

SOURCE = """
from dataclasses import dataclass

from rppg_ros.models.registry import Family

@dataclass(frozen=True)
class Config:
    width: int = 3

class Network:
    def __init__(self, config):
        self.config = config

WIDE = Family(name="wide", summary="s", variants="v", config=Config, network=Network, frames=60)
LOOSE = Family(name="loose", summary="s", variants="v", config=dict, network=Network, frames=60)
"""


@pytest.fixture(autouse=True)
def wide(plugin_folder):
    points = {
        "wide": "wide_nets:WIDE",
        "broad": "wide_nets:WIDE",
        "loose": "wide_nets:LOOSE",
        "net": "wide_nets:Network",
    }
    install(plugin_folder, "acme", {"rppg_ros.network_families": points}, {"wide_nets": SOURCE})


def test_they_are_built_with_options():
    assert family_names() == (*FAMILIES, "broad", "loose", "net", "wide")
    assert family("wide").frames == 60 and build("wide", width="7").config.width == 7
    with pytest.raises(ValueError, match="wide has no option 'depth'; there are: width"):
        build("wide", depth=1)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("broad", "WIDE calls itself 'wide'"),
        ("loose", "has a config that is no dataclass"),
        ("net", "is of type type, not a Family"),
        ("wyde", "no model family 'wyde'; there are: mmrphys, .*; did you mean 'wide'"),
    ],
)
def test_what_is_no_family_is_refused(name, wrong):
    with pytest.raises(ValueError, match=wrong):
        build(name)
