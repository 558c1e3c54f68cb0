"""What is known of one face at one time: both rates, and the waveforms since the last time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rppg_ros.inference.waves import Output
from rppg_ros.types import NS_PER_S, Rate, Reason, Status, Vital, Waveform

LATE_NS = 60 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Reading:
    """News of one face, once a second: when there is news of its heart. Breath is heard later, and goes with the next.

    Attributes
    ----------
    stamp_ns : acquisition time of the newest sample that the news follows from, nanoseconds; never goes back while the face is
        in view. `heart.stamp_ns` and `respiration.stamp_ns` are of each rate by itself.
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
        self._heart: dict[str, Rate] = {}
        self._respiration: dict[str, Rate] = {}
        self._waves: dict[str, list[Waveform]] = {}
        self._told_ns: dict[str, int] = {}
        self._untold: set[str] = set()  # faces of whose breath there is news

    def take(self, outputs: Iterable[Output], last: bool = False) -> list[Reading]:
        """One reading for each face of whose heart there is news, or that it is gone.

        Parameters
        ----------
        last : nothing will come after this; breath that no heart rate followed is told, too.
        """
        news: dict[str, list[Rate]] = {}
        ended = set()
        for output in outputs:
            if isinstance(output, Waveform):
                self._waves.setdefault(output.face_id, []).append(output)
                continue
            face = output.face_id
            if output.vital is Vital.BVP:
                news.setdefault(face, []).append(output)
            else:
                self._respiration[face] = output
                self._untold.add(face)
            if output.status is Status.NO_FACE:
                ended.add(face)
        for face in (self._untold if last else ended) - news.keys():
            news[face] = [self._heart.get(face) or self._unknown(Vital.BVP, face)]
        readings = [self._reading(face, heart) for face, hearts in news.items() for heart in hearts]
        for face in ended:
            for held in (self._heart, self._respiration, self._told_ns):
                held.pop(face, None)
        return readings

    def _reading(self, face: str, heart: Rate) -> Reading:
        self._heart[face] = heart
        self._untold.discard(face)
        respiration = self._respiration.get(face) or Rate.unknown(
            Vital.RSP, face, heart.stamp_ns, Status.WARMING_UP, reasons=(Reason.WARMING_UP,)
        )
        stamp_ns = max(heart.stamp_ns, respiration.stamp_ns)
        back_ns = self._told_ns.get(face, stamp_ns) - stamp_ns
        if 0 < back_ns < LATE_NS:  # further back is a clock that was set back
            stamp_ns += back_ns
        self._told_ns[face] = stamp_ns
        return Reading(stamp_ns, face, heart, respiration, tuple(self._waves.pop(face, ())))

    def _unknown(self, vital: Vital, face: str) -> Rate:
        stamp_ns = self._respiration[face].stamp_ns
        return Rate.unknown(vital, face, stamp_ns, Status.WARMING_UP, reasons=(Reason.WARMING_UP,))
