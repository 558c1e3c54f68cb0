"""Settings as ROS parameters: declared with descriptions and ranges, checked at start, on every change and when read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from rppg_ros.settings.files import NODES, NOT_OURS, check_params_file
from rppg_ros.settings.schema import Setting, SettingError, make, settings_of, unknown

Group = TypeVar("Group")
Applied = Callable[[Any], None]
PARAMS_FILE = "--params-file"
FLAGS = ("-p", "--param")


class ParameterError(ValueError):
    """A parameter that does not exist, or a value that it cannot have; names the parameter, the value and what is allowed."""


class Parameters:
    """The parameters of one node.

    Parameters
    ----------
    group : settings of the node; see rppg_ros.settings.
    configured : whether the node works with the values that were read: then only live settings may change. None: from its
        start on.
    also_known : names that are no error as start values: of another node in the same process, which gets the same command line.
    apply : called with the new group when live settings change meanwhile; a ValueError of it refuses the change.

    Raises
    ------
    ParameterError : for start values: an unknown name, or a value that cannot be.
    """

    def __init__(
        self,
        node: Node,
        group: type,
        configured: Callable[[], bool] | None = None,
        apply: Applied | None = None,
        also_known: Iterable[str] = (),
    ) -> None:
        self._node, self._group = node, group
        self._configured = configured or (lambda: True)
        self._remedy = (
            "is read when the node starts: start it with another value"
            if configured is None
            else "is read when the node is configured: deactivate it and clean it up first, then set the parameter"
        )
        self._apply = apply
        self.known = settings_of(group)
        self._check_start_values(set(also_known))
        for declared in self.known.values():
            node.declare_parameter(declared.name, declared.default, _descriptor(declared))
        node.add_on_set_parameters_callback(self._on_set)

    def read(self) -> Any:
        """All values as they are now, as the group."""
        try:
            return make(self._group, self._values())
        except SettingError as error:  # settings that do not fit each other
            raise ParameterError(f"parameter {error}") from None

    def prepared(self, changes: Iterable[Parameter]) -> list[Parameter]:
        """Changes with their values as the settings' types: `ros2 param set ... detector.rate 5` means 5.0.

        Raises
        ------
        ParameterError : an unknown name, or a value that cannot be; rclpy's own words would not name the parameter.
        """
        out = []
        for change in changes:
            if not self._node.has_parameter(change.name):
                raise ParameterError(self._unknown(change.name))
            declared = self.known.get(change.name)
            out.append(change if declared is None else Parameter(change.name, value=_checked(declared, change.value)))
        return out

    def _unknown(self, name: str) -> str:
        owner = self.owner(name)
        if owner:
            return f"unknown parameter '{name}' of {self._node.get_name()}: it is a parameter of {owner}"
        return unknown(name, self.known, "parameter")

    @staticmethod
    def owner(name: str) -> str:
        """Which of our nodes has a parameter of that name; empty: none."""
        return next((node for node, group in NODES.items() if name in settings_of(group)), "")

    def _values(self) -> dict[str, Any]:
        return {name: self._node.get_parameter(name).value for name in self.known}

    def _check_start_values(self, also_known: set[str]) -> None:
        overrides: dict[str, Parameter] = self._node._parameter_overrides
        for name, given in list(overrides.items()):
            declared = self.known.get(name)
            if declared is None:
                if name in also_known or name.split(".")[0] in NOT_OURS or self._node.has_parameter(name):
                    continue
                if self.owner(name):  # a section `/**` of a file is for all nodes: another's setting is no misspelling
                    continue
                raise ParameterError(self._unknown(name))
            # `rate:=0` and `fps: 30` mean 0.0 and 30.0, and `source:=0` is camera "0"; rclpy would refuse all three.
            overrides[name] = Parameter(name, value=_checked(declared, given.value))

    def _on_set(self, changes: Sequence[Parameter]) -> SetParametersResult:
        ours = [change for change in changes if change.name in self.known]
        try:
            for change in ours:
                self._check_change(change)
            if ours and self._apply is not None and self._configured():
                self._apply(make(self._group, {**self._values(), **{change.name: change.value for change in ours}}))
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _check_change(self, change: Parameter) -> None:
        declared = self.known[change.name]
        _checked(declared, change.value)
        if declared.live or not self._configured() or not self._node.has_parameter(change.name):
            return
        if change.value != self._node.get_parameter(change.name).value:
            raise ParameterError(f"parameter '{change.name}' {self._remedy}")


class StrictParameters:
    """Mixin for nodes: what cannot be set is refused with a reason that names it; rclpy would raise, or not name it."""

    parameters: Parameters  # not there yet while rclpy's own constructor runs

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """See rclpy."""
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """See rclpy."""
        changes = parameter_list
        if hasattr(self, "parameters"):
            try:
                changes = self.parameters.prepared(parameter_list)
            except ParameterError as error:
                return SetParametersResult(successful=False, reason=str(error))
        result: SetParametersResult = super().set_parameters_atomically(changes)  # type: ignore[misc]
        return result


def _checked(declared: Setting, value: Any) -> Any:
    try:
        return declared.check(value)
    except SettingError as error:
        raise ParameterError(f"parameter {error}") from None


def _descriptor(declared: Setting) -> ParameterDescriptor:
    """What `ros2 param describe` shows and rclpy enforces. Numbers of texts, ranges of lists are checked by `_on_set`."""
    unit = f" [{declared.unit}]" if declared.unit else ""
    when = "may change while active" if declared.live else "read at configure"
    out = ParameterDescriptor(description=f"{declared.meaning}{unit}; {when}")
    if declared.choices:
        out.additional_constraints = declared.allowed
    if declared.minimum is None or declared.maximum is None or isinstance(declared.default, list):
        return out
    if isinstance(declared.default, float):
        out.floating_point_range = [FloatingPointRange(from_value=declared.minimum, to_value=declared.maximum)]
    else:
        out.integer_range = [IntegerRange(from_value=int(declared.minimum), to_value=int(declared.maximum))]
    return out


def check_flags(args: Sequence[str], nodes: Iterable[Node]) -> None:
    """ParameterError: `-p NAME:=VALUE` names a setting that none of the nodes of this process has."""
    ours = [node for node in nodes if isinstance(node, StrictParameters)]
    known = {name for node in ours for name in node.parameters.known}
    for option, text in itertools.pairwise(args):
        node_name, _, name = text.partition(":=")[0].rpartition(":")
        if option not in FLAGS or not known or name in known or node_name:
            continue
        owner = Parameters.owner(name)
        if owner:
            raise ParameterError(f"unknown parameter '{name}': it is a parameter of {owner}")


def check_params_files(args: Sequence[str]) -> None:
    """ParameterError: a file after --params-file has what ROS passes over in silence: a misspelt node, another one's setting."""
    for option, path in itertools.pairwise(args):
        if option == PARAMS_FILE:
            try:
                check_params_file(path)
            except SettingError as error:
                raise ParameterError(str(error)) from None
