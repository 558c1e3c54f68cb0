"""Whether a rhythm that was there has stopped: a held breath, a heart that stands still, must not go on as a number.

A belief carries what it knew over what it does not see for a while, which is its use; the amplitude tells the end sooner.
"""

from __future__ import annotations

import numpy as np

from rppg_ros.types import Vital

RECENT_S = {Vital.BVP: 4.0, Vital.RSP: 10.0}  # the newest part of the window, held against the rest
LEAST_REST = 0.6  # share of the rest of the window that must be there
WAS_THERE = 0.5  # share of the rest's power that the rhythm explains, for its end to be noticed
NOTHING_LEFT = 0.15  # of the amplitude
LITTLE_LEFT, UNLIKE = 0.5, 0.4  # of the amplitude, where the rhythm explains less than this of what is there now
WITHHELD, ENDED = (
    3,
    5,
)  # looks in a row, about seconds: after so many there is no number, and what was believed is forgotten


class Stopping:
    """Looks at the rhythm that is believed, about once a second."""

    def __init__(self, vital: Vital, window_s: float) -> None:
        self.recent_s, self._window_s = RECENT_S[vital], window_s
        self._looks = 0

    @property
    def withheld(self) -> bool:
        """Whether the rhythm seems to have stopped."""
        return self._looks >= WITHHELD

    @property
    def ended(self) -> bool:
        """Whether it has stopped for so long that nothing believed of it holds any more."""
        return self._looks >= ENDED

    def see(self, samples: np.ndarray, rate_hz: float, per_minute: float) -> None:
        """The next look: the newest waveform, (n,), and the rate that is believed in it."""
        recent, window = round(self.recent_s * rate_hz), round(self._window_s * rate_hz)
        rest, newest = samples[-window:-recent], samples[-recent:]
        if len(rest) < LEAST_REST * (window - recent) or not per_minute > 0:
            self._looks = 0
            return
        before, share_before = _of_rhythm(rest, rate_hz, per_minute)
        now, share_now = _of_rhythm(newest, rate_hz, per_minute)
        left = now / before if before > 0 else 1.0
        little = left < NOTHING_LEFT or (left < LITTLE_LEFT and share_now < UNLIKE)
        self._looks = self._looks + 1 if share_before >= WAS_THERE and little else 0

    def restart(self) -> None:
        """Another waveform."""
        self._looks = 0


def _of_rhythm(samples: np.ndarray, rate_hz: float, per_minute: float) -> tuple[float, float]:
    """Amplitude of a rhythm in samples, and the share of their power that it explains; under a Hann window."""
    if np.ptp(samples) == 0:
        return 0.0, 0.0
    weight = np.hanning(len(samples) + 2)[1:-1]
    phase = 2 * np.pi * per_minute / 60 * np.arange(len(samples)) / rate_hz
    level = samples - np.average(samples, weights=weight)
    both = np.stack([np.cos(phase), np.sin(phase)], axis=1)
    wave, *_ = np.linalg.lstsq(both * np.sqrt(weight)[:, None], level * np.sqrt(weight), rcond=None)
    power = float(np.average(level**2, weights=weight))
    left = float(np.average((level - both @ wave) ** 2, weights=weight))
    return float(np.hypot(*wave)), 1 - left / power
