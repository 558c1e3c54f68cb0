"""How a face moves in itself: what goes where, when, and that the film shows it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.expression import LEAST, Deformation, bursts, shapes
from rppg_ros.synthesis.factors import leave_out
from rppg_ros.synthesis.motion import MotionConfig, warp_map, warp_matrices
from rppg_ros.synthesis.sampler import random_scene
from rppg_ros.synthesis.scene import Scene

SIDE, WIDTH, CHIN = 72, 0.5, 0.6
JAW, SMILE, BROWS, TURN, NOD = range(5)


@pytest.fixture(scope="module")
def modes():
    return shapes(SIDE, WIDTH, CHIN, np.random.default_rng(0))


def place(u, v):
    """Pixel of a place in the face: u from ear to ear, v from -1 (hair) to 1 (chin)."""
    x, y = u * WIDTH, CHIN - 1.3 * WIDTH + v * 1.3 * WIDTH
    return round((y + 1) / 2 * (SIDE - 1)), round((x + 1) / 2 * (SIDE - 1))


def test_each_part_goes_its_way(modes):
    down, left, right = place(0, 0.9), place(-0.35, 0.5), place(0.35, 0.5)
    assert modes[JAW][down][1] > 0.8 and abs(modes[JAW][place(0, -0.4)]).max() < 0.01
    assert modes[SMILE][right][0] > 0.4 and modes[SMILE][left][0] < -0.4 and modes[SMILE][place(0.45, 0.25)][1] < -0.2
    assert modes[BROWS][place(0, -0.4)][1] < -0.9 and abs(modes[BROWS][down]).max() < 0.05
    assert modes[TURN][place(0, 0.15)][0] > 0.4 > 0 > modes[TURN][place(0.95, 0)][0], "near places overtake far ones"
    assert np.allclose(modes[TURN][..., 0], modes[NOD][..., 1]) and not modes[TURN][..., 1].any()
    assert np.abs(modes).max() <= 1.6 and np.isfinite(modes).all()


def test_bursts_come_and_go():
    times = np.arange(0, 60, 0.02)
    curve = bursts(20, times, np.random.default_rng(1))
    assert 0 <= curve.min() and 0.5 < curve.max() <= 1.0
    assert 0.05 < (curve > 0.25).mean() < 0.8
    assert not bursts(0, times, np.random.default_rng(1)).any()


def test_what_cannot_be_seen_costs_nothing(modes):
    amounts = np.zeros((2, 5))
    amounts[1, JAW] = 2 * LEAST
    shape = Deformation(modes, amounts)
    assert shape.at(0) is None
    assert np.allclose(shape.at(1), 2 * LEAST * modes[JAW], atol=1e-6)


def test_a_map_without_displacement_is_the_affine_warp():
    from types import SimpleNamespace

    move = SimpleNamespace(
        **{k: np.array([v]) for k, v in dict(x=0.03, y=-0.02, zoom=0.05, roll=8.0, turn=5.0, nod=3.0).items()}
    )
    matrix = warp_matrices(move, SIDE)[0]
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    grid = np.stack([x, y, np.ones_like(x)], axis=-1)
    image = cv2.GaussianBlur(np.random.default_rng(2).uniform(size=(SIDE, SIDE)).astype(np.float32), (0, 0), 2)
    where = warp_map(matrix, np.zeros((SIDE, SIDE, 2), np.float32), grid)
    mapped = cv2.remap(image, where[..., 0], where[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    warped = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    assert np.abs(mapped - warped).max() < 0.02


def moved(motion):
    """Mean change of the lower and of the upper face from frame to frame, grey levels."""
    clip = make_clip(Scene(motion=motion), 4.0, SIDE, 3, SIDE)
    steps = np.abs(np.diff(clip.rgb.astype(float), axis=0)).mean(axis=(0, 3))
    return steps[44:56, 24:48].mean(), steps[18:28, 24:48].mean()


def test_a_jaw_moves_the_lower_face_and_brows_the_upper():
    still = MotionConfig(
        sway=0, roll=0, zoom=0, turn=0, nod=0, jitter=0, recoil=0, breathing=0, roam=0, shoulders=0, blinks_per_minute=0
    )
    calm = moved(still)
    talking = moved(replace(still, talking=1.0, jaw=0.05))
    grimacing = moved(replace(still, expression=0.08, expressions_per_minute=60))
    assert talking[0] > calm[0] + 0.3 and talking[0] - calm[0] > 3 * abs(talking[1] - calm[1])
    assert grimacing[1] > calm[1] + 0.1


def test_hard_scenes_have_lively_people_and_none_without_motion():
    rng = np.random.default_rng(4)
    scenes = [random_scene(rng, 1.0) for _ in range(40)]
    lively = [scene for scene in scenes if scene.motion.talking > 0]
    assert 28 <= len(lively) <= 40 and all(scene.motion.expressions_per_minute >= 10 for scene in lively)
    assert not any(random_scene(rng, 0.0).motion.talking for _ in range(20))
    still = leave_out(scenes[0], ["motion"]).motion
    assert (still.jaw, still.expression, still.talking, still.restless) == (0, 0, 0, 0)
