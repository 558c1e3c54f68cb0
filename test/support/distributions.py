"""Distributions as pip would leave them: a folder of modules, and metadata with entry points."""

from collections.abc import Mapping
from pathlib import Path


def install(
    folder: Path,
    distribution: str,
    entry_points: Mapping[str, Mapping[str, str]],
    modules: Mapping[str, str],
    version: str = "1.0",
    metadata: bool = True,
) -> None:
    """Write a distribution.

    Parameters
    ----------
    entry_points : group to {name: "module:attribute"}.
    modules : name to source.
    metadata : whether it says its name and version.
    """
    info = folder / f"{distribution}-{version}.dist-info"
    info.mkdir(parents=True)
    if metadata:
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    lines = []
    for group, points in entry_points.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
