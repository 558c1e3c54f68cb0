"""The reference page of all settings, docs/settings.md: `python -m rppg_ros.settings.reference > docs/settings.md`."""

from __future__ import annotations

from collections.abc import Iterator

from rppg_ros.settings.evaluation import EvaluationSettings
from rppg_ros.settings.files import NODES
from rppg_ros.settings.flags import flag
from rppg_ros.settings.halves import MeterSettings
from rppg_ros.settings.schema import Setting, settings_of

HEAD = """# Settings

This page is made from the code (`make docs`); the code declares each setting once, in `rppg_ros/settings`.

- As a ROS parameter and as a key of a parameter file, a setting has the name below: `ros2 param set /vitals hop 0.5`.
- In Python it is an argument of `VitalsMeter`, dots written as underscores: `VitalsMeter(detector_rate=5.0)`.
- As a flag of `rppg-ros evaluate`, dots and underscores are dashes: `{flag} 5`. A whole parameter file: `--params-file`.
- "live" settings may change while the node is active. The others are read when the node is configured, and a change is refused
  with a reason while it is.
- A name that is not known is refused, with the nearest one that is.
"""
TABLE_HEAD = (
    "| setting | type | default | range | unit | live | meaning |",
    "|---|---|---|---|---|---|---|",
)


def page() -> str:
    """The page's text."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD.format(flag=flag("detector.rate"))
    for node, group in NODES.items():
        yield f"## {node}\n"
        yield from _table(settings_of(group))
        yield ""
    yield "## VitalsMeter (Python)\n"
    yield "Those of face_tracker and vitals that are not about topics: " + _names(settings_of(MeterSettings)) + "\n"
    yield "## rppg-ros evaluate\n"
    yield "The settings of VitalsMeter, with these defaults of its own, and more:\n"
    yield from _table(_own(EvaluationSettings))


def _own(group: type) -> dict[str, Setting]:
    """Settings that a group adds, or gives another default."""
    inherited = settings_of(MeterSettings)
    return {name: declared for name, declared in settings_of(group).items() if inherited.get(name) != declared}


def _table(settings: dict[str, Setting]) -> Iterator[str]:
    yield from TABLE_HEAD
    for declared in settings.values():
        cells = (
            f"`{declared.name}`",
            declared.type_name,
            _value(declared.default),
            _range(declared),
            declared.unit,
            "yes" if declared.live else "",
            declared.meaning,
        )
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _value(value: object) -> str:
    if isinstance(value, list):
        alike = len(set(value)) == 1
        return f"{len(value)} x {value[0]:g}" if alike else ", ".join(f"{number:g}" for number in value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value}`" if value != "" else "empty"


def _range(declared: Setting) -> str:
    if declared.choices:
        return ", ".join(declared.choices)
    if declared.minimum is None or declared.maximum is None:
        return ""
    return f"{declared.minimum:g} to {declared.maximum:g}"


def _names(settings: dict[str, Setting]) -> str:
    return ", ".join(f"`{declared.python_name}`" for declared in settings.values()) + "."


if __name__ == "__main__":
    print(page(), end="")
