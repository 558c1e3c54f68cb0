"""Dolls, and the world's rhythms on them: no number, whatever the engine."""

import cv2
import numpy as np
import pytest

from rppg_ros.inference.factory import ENGINES, make_engine
from rppg_ros.meter import VitalsHalf
from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.lifeless import Rhythm, World, random_rhythm, with_rhythm, without_life
from rppg_ros.synthesis.sampler import random_scene
from rppg_ros.types import Box, FaceCrop, Rate, Status, Vital
from rppg_ros.vision.evidence import EVIDENCE_SIZE, EvidenceMeter

pytestmark = pytest.mark.skipif(
    not hasattr(cv2, "IMWRITE_JPEG_SAMPLING_FACTOR_444"), reason="cameras with whole chroma need OpenCV 4.7"
)
PIXELS, SECONDS = 48, 25.0
BOX = Box(200, 100, 160, 160)
RHYTHMS = {
    "nothing": None,
    "lamp": Rhythm(World.LIGHT, 66.0, 0.5),
    "swaying": Rhythm(World.MOTION, 80.0, 0.7),
    "keyframes": Rhythm(World.KEYFRAMES, 60.0, 0.5),
}


def rates_of(scene, engine_name, seed=77):
    clip = make_clip(scene, SECONDS, PIXELS, seed, 56)
    engine = make_engine(engine_name) if engine_name in ENGINES else make_engine(model=engine_name)
    half, meter, out = VitalsHalf(engine), EvidenceMeter(), []
    for at_s, image in zip(clip.times_s, clip.rgb, strict=True):
        assert len(image) == EVIDENCE_SIZE
        small = cv2.resize(image, (engine.crop_size, engine.crop_size), interpolation=cv2.INTER_AREA)
        stamp_ns = round((at_s + 1) * 1e9)
        evidence = meter.measure(image, None, BOX)
        out += half.push(stamp_ns, [FaceCrop(stamp_ns, "a", small, None, BOX, 1.5, 1, 0, evidence=evidence)])
    return [o for o in out if isinstance(o, Rate) and o.vital is Vital.BVP]


def scene_of(seed, hardness=0.4):
    return random_scene(np.random.default_rng([seed, 4711]), hardness)


@pytest.mark.parametrize("engine", ["pos", "phasenet-causal"])
@pytest.mark.parametrize("rhythm", ["nothing", "lamp", "keyframes"])
def test_a_doll_has_no_heart(engine, rhythm):
    for seed in range(3):
        scene = without_life(scene_of(seed))
        scene = scene if RHYTHMS[rhythm] is None else with_rhythm(scene, RHYTHMS[rhythm])
        assert [r.per_minute for r in rates_of(scene, engine) if r.status is Status.OK] == []


def test_a_doll_that_sways_has_one_seldom():
    """Turning to and fro changes the colour of a face that two lamps light; docs/accuracy.md has how often that misleads."""
    rates = [
        rate
        for engine in ("pos", "phasenet-causal")
        for seed in range(5)
        for rate in rates_of(with_rhythm(without_life(scene_of(seed)), RHYTHMS["swaying"]), engine)
    ]
    assert np.mean([rate.status is Status.OK for rate in rates]) < 0.05


def test_the_same_people_alive_have_one():
    given = [r for seed in range(3) for r in rates_of(scene_of(seed, 0.1), "phasenet-causal") if r.status is Status.OK]
    assert len(given) >= 10


def test_a_doll_is_the_same_scene_without_life():
    scene = random_scene(np.random.default_rng(3), 0.5, thermal=True)
    doll = without_life(scene)
    assert doll.pulse_strength == doll.motion.breathing == doll.motion.recoil == doll.motion.shoulders == 0
    assert doll.thermal.breath_c == 0 and doll.light == scene.light and doll.camera == scene.camera
    assert doll.motion.sway == scene.motion.sway and without_life(scene_of(1)).thermal is None


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_a_rhythm_is_where_it_says(strength):
    scene, light = scene_of(5), Rhythm(World.LIGHT, 90.0, strength)
    assert with_rhythm(scene, light).light.swing_hz == 1.5
    assert with_rhythm(scene, light).light.swing == pytest.approx((0.002, 0.06)[int(strength)])
    moved = with_rhythm(scene, Rhythm(World.MOTION, 30.0, strength)).motion
    assert moved.bob_hz == 0.5 and moved.bob == pytest.approx((0.2, 3.0)[int(strength)])
    coded = with_rhythm(scene, Rhythm(World.KEYFRAMES, 60.0, strength)).camera
    assert coded.codec.intra_every == round(scene.camera.fps)


def test_rhythms_are_drawn_within_their_limits():
    rng = np.random.default_rng(0)
    drawn = [random_rhythm(rng) for _ in range(300)]
    assert {one.world for one in drawn} == set(World)
    assert all(8 <= one.per_minute <= 200 and 0 <= one.strength <= 1 for one in drawn)
    assert all(one.per_minute >= 12 for one in drawn if one.world is World.KEYFRAMES)
