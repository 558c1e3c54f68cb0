"""How a head moves in its crop, and what a face does: sway, turns, talking, blinking, a hand that passes, the heart's recoil."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import cv2
import numpy as np

from rppg_ros.synthesis.expression import bursts
from rppg_ros.synthesis.physiology import Vitals, at, wander

GRID_HZ = 100.0
NODDING = 0.2  # share of people whose head sinks as they breathe in
HEAD_RADIUS = 0.26  # half the width of a face, shares of the crop's side
BODY_FOLLOWS = 0.3  # share of the head's sway that the shoulders share


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionConfig:
    """How much moves. Lengths are shares of the crop's side, angles degrees.

    Attributes
    ----------
    sway, roll, zoom : slow movement of the head in the crop (the tracker follows most of it).
    turn, nod : turning of the head: what it does to light and perspective.
    jerks_per_minute : quick movements.
    bob, bob_hz : a rhythm (music, chewing, steps, a cart that shakes), in sway, nod and turn: its strength as a share of theirs,
        and how fast; it comes and goes, and its rate wanders by `bob_wander`, share.
    jitter : of the tracker's crop, from frame to frame.
    restless : quick sway of the head, several times a second, as a share of the slow one.
    talking : share of the time. blinks_per_minute.
    jaw : how far the chin goes down for an open mouth. expression : how far cheeks and brows go; expressions_per_minute.
    recoil : movement with each beat (ballistocardiography). breathing : and with each breath.
    shoulders : how far a breath lifts the shoulders. roam : of head and body through the room; the tracker follows, so that the
        room moves in the crop.
    hands_per_minute : a hand passes in front of the face.
    """

    sway: float = 0.01
    roll: float = 2.0
    zoom: float = 0.015
    turn: float = 4.0
    nod: float = 3.0
    jerks_per_minute: float = 0.0
    bob: float = 0.0
    bob_hz: float = 1.2
    bob_wander: float = 0.08
    jitter: float = 0.002
    restless: float = 0.0
    talking: float = 0.0
    jaw: float = 0.0
    expression: float = 0.0
    expressions_per_minute: float = 0.0
    blinks_per_minute: float = 15.0
    recoil: float = 0.0004
    breathing: float = 0.002
    shoulders: float = 0.006
    roam: float = 0.02
    hands_per_minute: float = 0.0


@dataclass(frozen=True, slots=True)
class Movement:
    """Each (T,): shifts x, y and zoom about 0 (shares), roll, turn and nod (degrees), open mouth and closed eyes (0..1).

    hand : (T, 3), its place and whether it is there.
    room, body : (T, 3), shifts x, y and zoom about 0 of what is behind the head, and of neck and shoulders.
    parts : (T, 5), how far each of expression.shapes goes, shares of the crop's side.
    """

    x: np.ndarray
    y: np.ndarray
    zoom: np.ndarray
    roll: np.ndarray
    turn: np.ndarray
    nod: np.ndarray
    mouth: np.ndarray
    eyes: np.ndarray
    hand: np.ndarray
    room: np.ndarray
    body: np.ndarray
    parts: np.ndarray

    def at(self, index: np.ndarray) -> Movement:
        """Some of the times."""
        return Movement(*(getattr(self, f.name)[index] for f in fields(self)))


def movement(config: MotionConfig, times_s: np.ndarray, vitals: Vitals, rng: np.random.Generator) -> Movement:
    """What a head does at some times (T,), rising."""

    def slow(period_s: float) -> np.ndarray:
        n = int((times_s[-1] + 1.0) * GRID_HZ) + 2
        return at(wander(n, period_s, rng), times_s, GRID_HZ)

    jerk = [_jerks(config, times_s, rng) for _ in range(4)]
    bob = _bob(config, times_s, slow) * rng.normal(size=(4, 1)) if config.bob else np.zeros((4, 1))
    jitter = rng.normal(0, config.jitter, (3, len(times_s)))
    beat, breath = vitals.at("bvp", times_s), vitals.at("rsp", times_s)
    angle = rng.uniform(0, 6.28)
    quick = [config.restless * slow(0.5) for _ in range(2)] if config.restless else [0.0, 0.0]
    x = config.sway * (slow(4.0) + 4 * jerk[0] + bob[0] + quick[0])
    y = config.sway * (slow(4.0) + 2 * jerk[1] + bob[1] + quick[1])
    # Most heads rise with the breath, as the shoulders do; some nod.
    lift = config.breathing * (1 if rng.uniform() < NODDING else -1)
    still = np.zeros(len(times_s))
    room = np.stack([config.roam * slow(6.0), config.roam * slow(6.0), still], axis=1) + jitter.T
    # Shoulders go with the head halfway, and with the breath.
    body = 0.5 * room + 0.5 * jitter.T + BODY_FOLLOWS * np.stack([x, y, still], axis=1)
    body[:, 1] -= config.shoulders * breath
    turn = config.turn * (slow(5.0) + 3 * jerk[0] + bob[2] + quick[0]) + rng.normal(0, config.turn)
    nod = config.nod * (slow(5.0) + 2 * jerk[1] + bob[3] + quick[1]) + rng.normal(0, config.nod)
    mouth = _talking(config, times_s, rng)
    return Movement(
        x=x + jitter[0] + config.recoil * np.cos(angle) * beat,
        y=y + jitter[1] + config.recoil * np.sin(angle) * beat + lift * breath,
        zoom=config.zoom * (slow(6.0) + jerk[2]) + jitter[2],
        roll=config.roll * (slow(5.0) + 2 * jerk[3]),
        turn=turn,
        nod=nod,
        mouth=mouth,
        eyes=_blinks(config, times_s, rng),
        hand=_hands(config, times_s, rng),
        room=room,
        body=body,
        parts=_parts(config, times_s, mouth, turn, nod, rng),
    )


def _parts(
    config: MotionConfig,
    times_s: np.ndarray,
    mouth: np.ndarray,
    turn: np.ndarray,
    nod: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """See Movement."""
    smile, brows = (
        (config.expression * bursts(config.expressions_per_minute, times_s, rng) for _ in range(2))
        if config.expression
        else (np.zeros(len(times_s)),) * 2
    )
    turned, nodded = (HEAD_RADIUS * np.sin(np.deg2rad(angle)) for angle in (turn, nod))
    return np.stack([config.jaw * mouth + 0.3 * smile, smile, brows, turned, nodded], axis=1)


def warp_matrices(move: Movement, side: int) -> np.ndarray:
    """(T, 2, 3) that take a face at rest to where it is in the crop, for cv2.warpAffine; turning narrows it."""
    roll, zoom = np.deg2rad(move.roll), 1 + move.zoom
    narrow, low = np.cos(np.deg2rad(move.turn)), np.cos(np.deg2rad(move.nod))
    a, b = np.cos(roll) * zoom * narrow, -np.sin(roll) * zoom * low
    c, d = np.sin(roll) * zoom * narrow, np.cos(roll) * zoom * low
    middle = (side - 1) / 2
    tx = middle + (move.x + 0.3 * np.sin(np.deg2rad(move.turn))) * side - (a + b) * middle
    ty = middle + (move.y + 0.2 * np.sin(np.deg2rad(move.nod))) * side - (c + d) * middle
    return np.stack([np.stack([a, b, tx], axis=1), np.stack([c, d, ty], axis=1)], axis=1)


def warp_map(matrix: np.ndarray, displaced: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """(S, S, 2) float32 for cv2.remap: where each place of the crop looks in a face at rest.

    Parameters
    ----------
    matrix : of warp_matrices. displaced : (S, S, 2), pixels: how far places went. grid : (S, S, 3): x, y and 1 of each place.
    """
    back = cv2.invertAffineTransform(matrix).astype(np.float32)
    found: np.ndarray = grid @ back.T - displaced
    return found


def shift_matrix(shift: np.ndarray, side: int) -> np.ndarray:
    """(2, 3) for cv2.warpAffine of a shift (x, y, zoom about 0), x and y in shares of the side."""
    x, y, zoom = (float(value) for value in shift)
    middle = (side - 1) / 2
    return np.array([[1 + zoom, 0.0, x * side - zoom * middle], [0.0, 1 + zoom, y * side - zoom * middle]])


def draw_hand(image: np.ndarray, hand: np.ndarray, colour: np.ndarray) -> None:
    """Put a hand (x, y, there) on a linear image (S, S, 3), in place."""
    x, y, there = hand
    if there <= 0:
        return
    side = len(image)
    mask: np.ndarray = np.zeros(image.shape[:2], np.float32)
    centre = (round((x + 1) / 2 * side), round((y + 1) / 2 * side))
    cv2.ellipse(mask, centre, (round(0.16 * side), round(0.26 * side)), 25 * x, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(side / 60, 0.5))[..., None]
    image += mask * (colour.astype(np.float32) - image)


def _jerks(config: MotionConfig, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    curve = np.zeros(len(times_s))
    for _ in range(rng.poisson(config.jerks_per_minute * times_s[-1] / 60)):
        start, length = rng.uniform(0, times_s[-1]), rng.uniform(0.2, 0.8)
        curve += rng.normal() / (1 + np.exp(-np.clip((times_s - start) / length * 8, -40, 40)))
    return curve - curve.mean()


def _bob(config: MotionConfig, times_s: np.ndarray, slow: Callable[[float], np.ndarray]) -> np.ndarray:
    hz = config.bob_hz * (1 + config.bob_wander * slow(4.0)).clip(0.5, 1.5)
    phase = 2 * np.pi * np.cumsum(hz * np.gradient(times_s))
    return config.bob * np.clip(0.6 + 0.6 * slow(5.0), 0, None) * (np.sin(phase) + 0.3 * np.sin(2 * phase + 1.0))


def _talking(config: MotionConfig, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Syllables, four or so a second, in phrases."""
    n = int((times_s[-1] + 1.0) * GRID_HZ) + 2
    phrase = at(wander(n, 3.0, rng), times_s, GRID_HZ)
    threshold = np.quantile(phrase, 1 - min(config.talking, 1.0)) if config.talking > 0 else np.inf
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * np.cumsum(rng.uniform(3, 6, len(times_s)) * np.gradient(times_s)))
    return (phrase > threshold) * syllables


def _blinks(config: MotionConfig, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    closed = np.zeros(len(times_s))
    for _ in range(rng.poisson(config.blinks_per_minute * times_s[-1] / 60)):
        closed = np.maximum(closed, np.exp(-(((times_s - rng.uniform(0, times_s[-1])) / 0.08) ** 2)))
    return closed


def _hands(config: MotionConfig, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    out = np.zeros((len(times_s), 3))
    for _ in range(rng.poisson(config.hands_per_minute * times_s[-1] / 60)):
        start, length = rng.uniform(0, times_s[-1]), rng.uniform(0.7, 3.0)
        share = (times_s - start) / length
        there = (share >= 0) & (share <= 1)
        side = rng.choice([-1, 1])
        # In from the side, a while at the face, and out again.
        reach = np.sin(np.pi * np.clip(share, 0, 1)) ** 0.5
        place = np.stack(
            [side * (1.3 - rng.uniform(0.8, 1.3) * reach), 0.9 - rng.uniform(0.4, 1.0) * reach, reach], axis=1
        )
        out[there] = place[there]
    return out
