"""How the thermal stream lies to the RGB stream: how late it comes, how far apart their clocks are, whether they pair."""

from __future__ import annotations

import math
from collections import Counter, deque

import numpy as np

from rppg_ros.types import NS_PER_S

REMEMBERED = 31  # thermal images, for the lag
EVENTS = 240  # arrivals and pairs, for the share that pairs: some seconds
LEAST_RGB, LEAST_THERMAL = 30, 5  # of them, to tell
MIN_SHARE = 0.3  # of the images of the slower camera that find a partner
RECENT_S = 1.5
RGB, THERMAL, PAIR = "rgb", "thermal", "pair"


class Alignment:
    """Arrivals in, in the order they come; figures out. Only stamps are compared: no clock of the host is asked.

    Lag: by how much the newest RGB stamp is ahead of a thermal stamp when that thermal image comes. It holds the difference
    in latency, and that of the clocks.
    """

    def __init__(self) -> None:
        self._rgb: deque[int] = deque(maxlen=REMEMBERED)
        self._lags_s: deque[float] = deque(maxlen=REMEMBERED)
        self._events: deque[str] = deque(maxlen=EVENTS)
        self._rgb_at_thermal_ns: int | None = None
        self._heard, self._late_s = 0, 0.0

    def arrived(self, stream: str, stamp_ns: int) -> None:
        """An image of "rgb" or "thermal" came."""
        self._events.append(stream)
        if stream == RGB:
            self._rgb.append(stamp_ns)
        elif self._rgb:
            self._rgb_at_thermal_ns = self._rgb[-1]
            self._lags_s.append((self._rgb[-1] - stamp_ns) / NS_PER_S)
            self._heard += 1
            if self._heard % LEAST_THERMAL == 0:  # percentiles cost more than all the rest of it
                self._late_s = self._lateness()

    def paired(self) -> None:
        """An RGB image found its thermal image."""
        self._events.append(PAIR)

    @property
    def lag_s(self) -> float:
        """Median lag, seconds; NaN while no thermal image came after an RGB image."""
        return float(np.median(self._lags_s)) if self._lags_s else math.nan

    @property
    def arriving(self) -> bool:
        """Whether thermal images came lately."""
        if self._rgb_at_thermal_ns is None:
            return False
        return abs(self._rgb[-1] - self._rgb_at_thermal_ns) <= RECENT_S * NS_PER_S

    @property
    def share(self) -> float:
        """Images that pair, as a share of the slower camera's, 0..1; NaN for too few to tell."""
        count = Counter(self._events)
        if count[RGB] < LEAST_RGB or count[THERMAL] < LEAST_THERMAL:
            return math.nan
        return min(1.0, count[PAIR] / min(count[RGB], count[THERMAL]))

    @property
    def complaint(self) -> str:
        """That thermal does not pair, with the figures; empty if it does, or nothing can be said yet."""
        if not self.share < MIN_SHARE or not self.arriving:
            return ""
        return f"thermal arrives but does not pair: {abs(self.lag_s):.1f} s apart"

    def wait_s(self, usual_s: float, most_s: float) -> float:
        """How long an RGB image should wait for its thermal image: as usual, and longer where thermal always comes late.

        Parameters
        ----------
        most_s : bound; a stream that is further behind is not waited for at all.
        """
        late_s = self._late_s
        return usual_s + late_s if 0 < late_s <= most_s else usual_s

    def _lateness(self) -> float:
        """How much later than RGB thermal always comes, seconds; 0: it does not, or nothing can be said yet."""
        if len(self._lags_s) < LEAST_THERMAL or len(self._rgb) < 2:
            return 0.0
        lag_s = float(np.percentile(self._lags_s, 90))
        if not lag_s > 0:  # a punctual image comes before the next RGB image
            return 0.0
        # The newest RGB image is up to one period old when a thermal image comes: so much later is it than its lag.
        return lag_s + float(np.median(np.diff(np.fromiter(self._rgb, np.int64, len(self._rgb))))) / NS_PER_S
