import pytest
from rclpy.node import Node

from rppg_ros.nodes.params import Param, ParameterError, declare
from support.graph import context, overrides

TABLE = (
    Param("speed", 1.0, "a number", 0.0, 10.0),
    Param("name", "", "a text"),
    Param("count", 3, "a whole number", 1, 9),
    Param("matrix", [0.0] * 3, "numbers"),
    Param("mode", "a", "a choice", choices=("a", "b")),
)


def values(**given):
    context()
    node = Node("node", parameter_overrides=overrides(**given))
    try:
        return declare(node, TABLE)
    finally:
        node.destroy_node()


def test_whole_numbers_are_numbers_and_names():
    """Regression: `ros2 launch ... rate:=0` was refused because 0 is an integer."""
    got = values(speed=0, name=0, matrix=[1, 2, 3])
    assert got.speed == 0.0 and isinstance(got.speed, float)
    assert got.name == "0" and list(got.matrix) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"speed": 99.0}, "speed.*99.*0.0 to 10.0"),
        ({"speed": "fast"}, "speed.*fast.*float"),
        ({"count": 0}, "count.*0.*1 to 9"),
        ({"count": 2.5}, "count.*2.5.*int"),
        ({"mode": "c"}, "mode.*'c'.*a, b"),
        ({"name": True}, "name.*True.*str"),
    ],
)
def test_what_cannot_be_is_named_with_what_can(given, says):
    with pytest.raises(ParameterError, match=says):
        values(**given)
