"""The official checkpoints that can be fetched by name: where from, what they must be, and on what terms."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

import yaml

DETECTOR = "face-detector"
_TABLE = Path(__file__).with_name("official_files.yaml")


@dataclass(frozen=True, slots=True)
class OfficialFile:
    """One checkpoint as its authors publish it.

    Attributes
    ----------
    name : to ask for it by, and of the model made from it.
    family : in the registry; with the file's own name all that the importer needs. DETECTOR: it is used as it is.
    what : what it measures, from which cameras, crop in pixels; training data; one line.
    url : of this very file, pinned to a commit.
    size_bytes, sha256 : of its content; SHA-256 hexadecimal.
    licence, licence_url : of the weights, and where its text is.
    research_only : whether that licence wants to be accepted first.
    """

    name: str
    family: str
    what: str
    url: str
    size_bytes: int
    sha256: str
    licence: str
    licence_url: str
    research_only: bool

    @property
    def file_name(self) -> str:
        """As the authors call it; the importer reads the variant in it."""
        return PurePosixPath(self.url).name

    @property
    def as_it_is(self) -> bool:
        """Whether nothing is made from it."""
        return self.family == DETECTOR

    @property
    def terms(self) -> str:
        """The licence's name, and whether it is for research only."""
        return f"{self.licence}, research only" if self.research_only else self.licence


@functools.cache
def official_files() -> Mapping[str, OfficialFile]:
    """All of them by name, in the order of the table."""
    repositories = yaml.safe_load(_TABLE.read_text())["repositories"]
    files = [_of(source, entry) for source in repositories for entry in source["files"]]
    return MappingProxyType({file.name: file for file in files})


def official_file(name: str) -> OfficialFile:
    """The checkpoint of that name; ValueError names those that are spelt nearly so."""
    files = official_files()
    if name in files:
        return files[name]
    near = difflib.get_close_matches(name, files, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ValueError(f"no official checkpoint '{name}': {hint}`rppg-ros models pull --list` names them all")


def _of(source: dict[str, Any], entry: dict[str, Any]) -> OfficialFile:
    repository, commit = source["repository"], source["commit"]
    host = "media.githubusercontent.com/media" if source.get("lfs") else "raw.githubusercontent.com"
    return OfficialFile(
        name=entry["name"],
        family=entry["family"],
        what=entry["what"],
        url=f"https://{host}/{repository}/{commit}/{source['folder']}/{entry['path']}",
        size_bytes=entry["bytes"],
        sha256=entry["sha256"],
        licence=source["licence"],
        licence_url=f"https://github.com/{repository}/blob/{commit}/{source['licence_file']}",
        research_only=source["research_only"],
    )
