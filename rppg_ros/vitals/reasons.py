"""Why there is no number, each reason with its share: of the belief that stands against one, or of the window it holds in."""

from __future__ import annotations

import numpy as np

from rppg_ros.types import Reason
from rppg_ros.vitals.belief import Believed
from rppg_ros.vitals.witnesses import CLIPPED, COLOURS, DARK, HEAD_X, HEAD_Y, PARTS, REPEATED, SIDE

LEAST_SHARE = 0.1  # a reason that explains less is none
SMALL_PX = 40.0  # side of a face box: below it a part of the skin has too few pixels
SPOILT = 0.25  # share of the skin's pixels that are clipped or black
PRESSED = 0.5  # share of the skin's pixels that repeat exactly: no camera's, see docs/belief.md
FAST = 0.25  # speed of a head, sides of its box per second
GREY = 0.01  # difference of the colours' shares: less is a grey picture, or no skin
CHIN = PARTS - 1
TALKS, TALKS_AT_LEAST = (
    2.5,
    0.004,
)  # change of light at the chin from frame to frame against the rest of the face, and in itself


def explain(found: Believed, evidence: np.ndarray | None, rate_hz: float) -> list[tuple[Reason, float]]:
    """Reasons and their shares, 0..1, the weightiest first.

    Parameters
    ----------
    evidence : (n, WIDTH) of the window on a clock of rate_hz; None: nothing is known of it.
    """
    shares = _of_belief(found)
    if evidence is not None and len(evidence) > 1:
        shares |= _of_picture(evidence, rate_hz)
    told = [(reason, round(float(share), 3)) for reason, share in shares.items() if share >= LEAST_SHARE]
    if not told:
        told = [
            max(
                ((reason, round(float(share), 3)) for reason, share in _of_belief(found).items()),
                key=lambda pair: pair[1],
            )
        ]
    return sorted(told, key=lambda pair: -pair[1])


def _of_belief(found: Believed) -> dict[Reason, float]:
    elsewhere = 1 - found.quality - found.nothing - found.light - found.motion - found.outside
    return {
        Reason.NO_SIGN_OF_LIFE: found.nothing,
        Reason.LIGHT_RHYTHM: found.light,
        Reason.MOTION_RHYTHM: found.motion,
        Reason.OUT_OF_RANGE: found.outside,
        Reason.WEAK_SIGNAL: min(max(elsewhere, 0.0), 1.0),
    }


def _of_picture(evidence: np.ndarray, rate_hz: float) -> dict[Reason, float]:
    speed = np.hypot(*np.diff(evidence[:, [HEAD_X, HEAD_Y]], axis=0).T) * rate_hz
    parts = np.maximum(evidence[:, :COLOURS].reshape(len(evidence), PARTS, 3), 1e-3)
    colour = parts.mean(axis=(0, 1)) / parts.mean(axis=(0, 1)).sum()
    return {
        Reason.FACE_SMALL: float((evidence[:, SIDE] < SMALL_PX).mean()),
        Reason.TOO_DARK: float((evidence[:, DARK] > SPOILT).mean()),
        Reason.TOO_BRIGHT: float((evidence[:, CLIPPED] > SPOILT).mean()),
        Reason.MOVEMENT: float((speed > FAST).mean()),
        Reason.TALKING: _talking(np.log(parts.mean(axis=2)), rate_hz),
        Reason.COMPRESSION: float((evidence[:, REPEATED] > PRESSED).mean()),
        Reason.NO_SKIN: float(np.ptp(colour) < GREY),
    }


def _talking(light: np.ndarray, rate_hz: float) -> float:
    """Share of the seconds in which the chin's light changes far more than the rest of the face's; light (n, PARTS)."""
    change = np.abs(np.diff(light, axis=0))
    length = max(round(rate_hz), 1)
    seconds = len(change) // length
    if not seconds:
        return 0.0
    each = change[: seconds * length].reshape(seconds, length, PARTS).mean(axis=1)
    rest = np.delete(each, CHIN, axis=1).mean(axis=1)
    return float(((each[:, CHIN] > TALKS * rest) & (each[:, CHIN] > TALKS_AT_LEAST)).mean())
