"""What a recording was when it was evaluated: a result is used again only if its frames and its truth are still the same."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from rppg_ros.datasets.bags import truth_table
from rppg_ros.datasets.base import Truth

if TYPE_CHECKING:
    from rppg_ros.evaluation.work import RecordingRef

DIGEST_CHARS = 16


def fingerprint(ref: RecordingRef) -> str:
    """Name of the state of a recording's files: of frames by size and time of their last change, of a CSV by its content; of a
    dataset's recording by the truth that its reader gives, for the reader alone knows which files it is of. Empty: it is gone.
    """
    digest = hashlib.sha256()
    try:
        if ref.dataset:
            _add_truth(digest, ref.recording().truth())
        else:
            _add_files(digest, Path(ref.path), str(ref.options.get("truth", "")), bool(ref.options.get("truth_topics")))
    except Exception:  # of files of others, read by packages of others
        return ""
    return digest.hexdigest()[:DIGEST_CHARS]


def _add_files(digest: hashlib._Hash, path: Path, csv: str, by_topic: bool) -> None:
    files = [path] if path.is_file() else sorted(file for file in path.iterdir() if file.is_file())
    for file in files:
        about = file.stat()
        digest.update(f"{file.name} {about.st_size} {about.st_mtime_ns}\n".encode())
    table = truth_table(path, csv)
    if csv or (table.is_file() and not by_topic):
        digest.update(table.read_bytes())


def _add_truth(digest: hashlib._Hash, truth: Truth) -> None:
    for kind, traces in (("wave", truth.waves), ("rate", truth.rates)):
        for vital in sorted(traces):
            digest.update(f"{kind} {vital.value} {len(traces[vital].values)}\n".encode())
            digest.update(traces[vital].stamps_ns.tobytes() + traces[vital].values.tobytes())
