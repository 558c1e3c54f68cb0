"""Where a run's weights come from: its own data, and that of the checkpoint it started from, whose terms they inherit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from rppg_ros import __version__
from rppg_ros.models.saved import Provenance
from rppg_ros.training.config import SHARE_TOLERANCE, TrainConfig

LICENCE = "Apache-2.0"
STARTED_FROM = "started_from.json"  # in the run's folder: the checkpoint itself may be gone when the run ends


def remember_start(folder: Path, start: Provenance) -> None:
    """Keep what the start was made of, for `provenance_of` at the run's end."""
    about = {"training_data": start.training_data, "licence": start.licence, "source": start.source}
    (folder / STARTED_FROM).write_text(json.dumps(about, indent=1))


def provenance_of(config: TrainConfig, folder: Path, steps: int, scores: Mapping[str, float]) -> Provenance:
    """Of the weights of a finished run."""
    data, licence = _training_data(config), LICENCE
    if config.recordings:
        licence += ", within the terms of the recordings"
    source = f"rppg_ros {__version__}, seed {config.seed}, {steps} steps of {config.batch}"
    if config.start and (folder / STARTED_FROM).is_file():
        start = json.loads((folder / STARTED_FROM).read_text())
        source += f", after {start['source'] or Path(config.start).name}"
        if start["training_data"] != data:
            data += f"; before that {start['training_data'] or 'unknown'}"
        if start["licence"] != licence:
            licence += f"; what it started from: {start['licence'] or 'unknown'}"
    return Provenance(
        frames=config.frames,
        rate_hz=config.rate_hz,
        training_data=data,
        licence=licence,
        source=source,
        scores=scores,
    )


def _training_data(config: TrainConfig) -> str:
    """What was trained on, and how much of it."""
    shares = [(chosen.dataset or "recordings of one's own", chosen.share) for chosen in config.recordings]
    parts = [f"{name} ({share:.0%})" for name, share in shares if share]
    made_up = f"synthetic {__version__}"
    if not parts:
        return made_up
    rest = 1 - sum(share for _, share in shares)
    return ", ".join([f"{made_up} ({rest:.0%})", *parts] if rest > SHARE_TOLERANCE else parts)
