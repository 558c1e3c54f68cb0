"""What is known of one face at one time: both rates, and the waveforms since the last time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rppg_ros.inference.waves import Output
from rppg_ros.types import NS_PER_S, Rate, Status, Vital, Waveform


@dataclass(frozen=True, slots=True)
class Reading:
    """News of one face, about once a second.

    Attributes
    ----------
    stamp_ns : acquisition time of the newest sample that the news follows from, nanoseconds.
    face_id : random label of a track; empty where there is no face.
    heart, respiration : newest rates, with standard deviation, quality and status.
    waveforms : samples that became final since the face's last reading.
    """

    stamp_ns: int
    face_id: str
    heart: Rate
    respiration: Rate
    waveforms: tuple[Waveform, ...] = field(default=(), repr=False)

    @property
    def heart_rate(self) -> float:
        """Beats per minute; NaN where it is not known, and `heart.status` says why."""
        return self.heart.per_minute

    @property
    def respiration_rate(self) -> float:
        """Breaths per minute; NaN where it is not known, and `respiration.status` says why."""
        return self.respiration.per_minute

    @property
    def seconds(self) -> float:
        """Time of the reading, in seconds."""
        return self.stamp_ns / NS_PER_S


class ReadingMaker:
    """Waveforms and rates in, readings out."""

    def __init__(self) -> None:
        self._newest: dict[tuple[str, Vital], Rate] = {}
        self._waves: dict[str, list[Waveform]] = {}

    def take(self, outputs: Iterable[Output]) -> list[Reading]:
        """One reading for each face of which a rate came, or that there is none."""
        faces: dict[str, int] = {}
        ended = set()
        for output in outputs:
            if isinstance(output, Waveform):
                self._waves.setdefault(output.face_id, []).append(output)
                continue
            self._newest[output.face_id, output.vital] = output
            faces[output.face_id] = max(output.stamp_ns, faces.get(output.face_id, 0))
            if output.status is Status.NO_FACE:
                ended.add(output.face_id)
        readings = [self._reading(face, stamp_ns) for face, stamp_ns in faces.items()]
        for face in ended:
            for vital in Vital:
                self._newest.pop((face, vital), None)
        return readings

    def _reading(self, face: str, stamp_ns: int) -> Reading:
        heart, respiration = (
            self._newest.get((face, vital)) or Rate.unknown(vital, face, stamp_ns, Status.WARMING_UP) for vital in Vital
        )
        return Reading(stamp_ns, face, heart, respiration, tuple(self._waves.pop(face, ())))
