"""Parameters as a table: each with its description and range, checked by rclpy, wrong start values named in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter


class ParameterError(ValueError):
    """A parameter's value cannot be used; names the parameter, the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter.

    Attributes
    ----------
    default : also fixes the type: bool, int, float, str, or a non-empty list of one of them.
    minimum, maximum : inclusive; for numbers, both or neither.
    choices : allowed texts.
    read_only : a change needs a restart of the node.
    """

    name: str
    default: Any
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: Sequence[str] = ()
    read_only: bool = True

    def descriptor(self) -> ParameterDescriptor:
        """What `ros2 param describe` shows and rclpy enforces."""
        out = ParameterDescriptor(description=self.description, read_only=self.read_only)
        if self.choices:
            out.additional_constraints = f"one of: {', '.join(self.choices)}"
        if self.minimum is not None and self.maximum is not None:
            if isinstance(self.default, float):
                out.floating_point_range = [FloatingPointRange(from_value=self.minimum, to_value=self.maximum)]
            else:
                out.integer_range = [IntegerRange(from_value=int(self.minimum), to_value=int(self.maximum))]
        return out

    def check(self, value: Any) -> None:
        """Raise ParameterError for a text that is none of the choices."""
        if self.choices and value not in self.choices:
            raise ParameterError(f"parameter '{self.name}' is '{value}', must be one of: {', '.join(self.choices)}")


def declare(node: Node, table: Sequence[Param]) -> SimpleNamespace:
    """Declare all parameters and return their values, dots in names turned to underscores.

    Raises
    ------
    ParameterError : for the first start value that has the wrong type or lies outside its range.
    """
    values = {}
    for param in table:
        _accept_whole_numbers(node, param)
        try:
            value = node.declare_parameter(param.name, param.default, param.descriptor()).value
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            given = node._parameter_overrides.get(param.name)
            shown = repr(given.value) if given is not None else "its value"
            raise ParameterError(f"parameter '{param.name}' cannot be {shown}: {_allowed(param)} ({error})") from None
        param.check(value)
        values[param.name.replace(".", "_")] = value
    return SimpleNamespace(**values)


def _accept_whole_numbers(node: Node, param: Param) -> None:
    """`rate:=0` and `fps: 30` mean 0.0 and 30.0, and `source:=0` is camera "0"; rclpy would refuse all three."""
    given = node._parameter_overrides.get(param.name)
    if given is None:
        return
    value = given.value
    if isinstance(param.default, float) and type(value) is int:
        value = float(value)
    elif isinstance(param.default, str) and type(value) is int:
        value = str(value)
    elif isinstance(param.default, list) and isinstance(param.default[0], float):
        whole = isinstance(value, Sequence) and not isinstance(value, str) and all(type(v) is int for v in value)
        value = [float(v) for v in value] if whole else value
    if value is not given.value:
        node._parameter_overrides[param.name] = Parameter(param.name, value=value)


def _allowed(param: Param) -> str:
    kind = type(param.default).__name__
    if param.minimum is None:
        return f"it must be a {kind}"
    return f"it must be a {kind} from {param.minimum} to {param.maximum}"
