"""What a face crop says beside the network: skin, light around it, movement."""

import cv2
import numpy as np
import pytest

from rppg_ros.types import Box
from rppg_ros.vision.evidence import EVIDENCE_SCALE, EVIDENCE_SIZE, WIDTH, EvidenceMeter
from rppg_ros.vitals import witnesses
from rppg_ros.vitals.witnesses import (
    AROUND,
    BODY_Y,
    CLIPPED,
    COLOURS,
    DARK,
    HEAD_X,
    HEAD_Y,
    PARTS,
    REPEATED,
    SIDE,
    THERMAL,
    ZOOM,
)

BOX = Box(100, 80, 120, 120)
S = EVIDENCE_SIZE
Y, X = np.mgrid[0:S, 0:S]
RX, RY = (((V + 0.5) / S - 0.5) * EVIDENCE_SCALE for V in (X, Y))  # in sides of the box, from its centre


def flat(colour=(150, 110, 90)):
    return np.full((S, S, 3), colour, np.uint8)


def textured(seed=0, side=8 * S):
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(side, side)).astype(np.float32), (0, 0), 18)
    return np.repeat((130 + 25 * noise / noise.std())[..., None], 3, axis=2)


def view(picture, x=0.0, y=0.0, zoom=1.0, dense=4):
    """Middle of a large picture, moved by shares of the crop and zoomed about its centre; pixels are means of dense x dense."""
    side, count = len(picture), S * dense
    step = side / 2 / count
    corner = side / 2 - (count - 1) / 2 * step / zoom
    matrix = np.array([[step / zoom, 0, corner - x * side / 2], [0, step / zoom, corner - y * side / 2]])
    seen = cv2.warpAffine(picture, matrix, (count, count), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.clip(np.rint(cv2.resize(seen, (S, S), interpolation=cv2.INTER_AREA)), 0, 255).astype(np.uint8)


def test_vision_and_vitals_mean_the_same_columns():
    assert WIDTH == witnesses.WIDTH and EvidenceMeter().measure(flat(), None, BOX).shape == (WIDTH,)


def test_colours_are_the_means_of_their_places():
    picture = flat((10, 20, 30))
    picture[RY < 0.6] = (40, 50, 60)  # beside and above the head
    picture[np.hypot(RX / 0.47, RY / 0.49) <= 1] = (150, 110, 90)
    picture[(np.hypot(RX / 0.44, RY / 0.46) <= 1) & (RY < -0.2)] = (200, 1, 2)
    picture[(RX > 0.06) & (RX < 0.45) & (np.abs(RY - 0.13) < 0.145)] = (3, 180, 4)
    row = EvidenceMeter().measure(picture, None, BOX)
    colours = row[:COLOURS].reshape(PARTS, 3)
    expected = [(200, 1, 2), (150, 110, 90), (3, 180, 4), (150, 110, 90)]  # forehead, left of the picture, right, chin
    assert colours == pytest.approx(np.array(expected), abs=3)
    assert row[AROUND] == pytest.approx((40, 50, 60), abs=2)


def test_eyes_are_no_skin():
    picture = flat()
    plain = EvidenceMeter().measure(picture, None, BOX)[:COLOURS]
    picture[(RY > -0.19) & (RY < -0.03)] = 0
    assert EvidenceMeter().measure(picture, None, BOX)[:COLOURS] == pytest.approx(plain, abs=1)


def test_clipped_and_dark_are_shares_of_the_skin():
    half = flat()
    half[:, : S // 2] = (255, 200, 180)
    row = EvidenceMeter().measure(half, None, BOX)
    assert row[CLIPPED] == pytest.approx(0.5, abs=0.06) and row[DARK] == 0
    half[:, : S // 2] = 3
    assert EvidenceMeter().measure(half, None, BOX)[DARK] == pytest.approx(0.5, abs=0.06)


def test_what_repeats_exactly_is_a_share_of_the_skin():
    meter, rng = EvidenceMeter(), np.random.default_rng(0)
    assert meter.measure(flat(), None, BOX)[REPEATED] == 0, "nothing was before it"
    assert meter.measure(flat(), None, BOX)[REPEATED] == 1
    half = flat()
    half[:, : S // 2] += 1
    assert meter.measure(half, None, BOX)[REPEATED] == pytest.approx(0.5, abs=0.06)
    noisy = [np.clip(half + rng.normal(0, 2, half.shape), 0, 255).astype(np.uint8) for _ in range(2)]
    assert [meter.measure(picture, None, BOX)[REPEATED] < 0.05 for picture in noisy] == [True, True]
    assert meter.measure(noisy[1][: S // 2, : S // 2].copy(), None, BOX)[REPEATED] == 0, "another size"


@pytest.mark.parametrize(("x", "y"), [(0.01, 0.0), (0.0, -0.01), (-0.006, 0.008)])
def test_a_shift_in_the_crop_is_measured(x, y):
    meter, picture = EvidenceMeter(), textured()
    meter.measure(view(picture), None, BOX)
    row = meter.measure(view(picture, x, y), None, BOX)
    assert row[[HEAD_X, HEAD_Y]] == pytest.approx([x * EVIDENCE_SCALE, y * EVIDENCE_SCALE], abs=0.002)
    assert row[BODY_Y] == pytest.approx(y * EVIDENCE_SCALE, abs=0.008)


def test_a_long_way_is_the_sum_of_its_steps():
    meter, picture = EvidenceMeter(), textured(1)
    for i in range(31):
        row = meter.measure(view(picture, 0.005 * i, -0.003 * i), None, BOX)
    assert row[[HEAD_X, HEAD_Y]] == pytest.approx([0.225, -0.135], abs=0.02)


def test_a_zoom_is_measured():
    meter, picture = EvidenceMeter(), textured(2)
    meter.measure(view(picture), None, BOX)
    assert meter.measure(view(picture, zoom=1.03), None, BOX)[ZOOM] == pytest.approx(np.log(1.03), abs=0.008)


def test_light_is_no_movement():
    meter, picture = EvidenceMeter(), view(textured(3)).astype(float)
    meter.measure(picture.astype(np.uint8), None, BOX)
    row = meter.measure((picture * 0.9).astype(np.uint8), None, BOX)
    assert row[[HEAD_X, HEAD_Y, BODY_Y]] == pytest.approx(0, abs=0.003)


def test_the_box_moves_with_the_head():
    meter = EvidenceMeter()
    meter.measure(flat(), None, BOX)
    row = meter.measure(flat(), None, Box(112, 74, 120, 120))
    assert row[[HEAD_X, HEAD_Y, BODY_Y, ZOOM]] == pytest.approx([0.1, -0.05, -0.05, 0])
    row = meter.measure(flat(), None, Box(112 - 6, 74 - 6, 132, 132))
    assert row[[HEAD_X, HEAD_Y, ZOOM]] == pytest.approx([0.1, -0.05, np.log(1.1)]) and row[SIDE] == 132


def test_warmth_is_under_the_nose_and_needs_a_thermal_image():
    assert np.isnan(EvidenceMeter().measure(flat(), None, BOX)[THERMAL])
    heat = np.full((S, S), 33.0, np.float32)
    heat[(np.abs(RX) < 0.14) & (np.abs(RY - 0.16) < 0.09)] = 35.0
    assert EvidenceMeter().measure(flat(), heat, BOX)[THERMAL] == pytest.approx(2, abs=0.1)


def test_a_tiny_face_has_evidence_too():
    row = EvidenceMeter().measure(flat()[:3, :3], None, Box(0, 0, 2, 2))
    assert np.isfinite(np.delete(row, THERMAL)).all()
