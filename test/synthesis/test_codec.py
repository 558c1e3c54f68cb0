"""The model of a video codec: what it keeps, what it throws away, and when."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.synthesis.codec import Codec, CodecConfig

SIDE = 40


def picture(seed=0, contrast=40):
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(128 - contrast, 128 + contrast, (5, 5, 3))
    return np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)


def psnr(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 99), block=st.integers(2, 8))
def test_a_finer_step_is_nearer_the_picture(seed, block):
    image = np.clip(picture(seed) + np.random.default_rng(seed).normal(0, 6, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)
    quality = [psnr(Codec(CodecConfig(step=s, block=block), SIDE).pass_through(image), image) for s in (2, 12, 60)]
    assert quality[0] >= quality[1] >= quality[2] and quality[0] > 30


def test_a_still_picture_stays_as_it_was_decoded():
    codec = Codec(CodecConfig(step=8, intra_every=100), SIDE)
    first = codec.pass_through(picture())
    for _ in range(5):
        again = codec.pass_through(picture())
    assert psnr(again, picture()) >= psnr(first, picture()) - 1e-9


def test_a_change_below_the_dead_zone_does_not_exist_until_an_intra_frame():
    codec = Codec(CodecConfig(step=60, intra_every=10), SIDE)
    grey = [codec.pass_through(np.full((SIDE, SIDE, 3), level, np.uint8)) for level in [100] + [103] * 10]
    levels = [int(frame.mean()) for frame in grey]
    assert levels[1:10] == [levels[0]] * 9  # 3 levels are 24 in a block's first coefficient: under 5/6 of 60
    assert levels[10] > levels[9]


def test_a_change_that_adds_up_comes_in_a_jump():
    codec = Codec(CodecConfig(step=30, intra_every=1000), SIDE)
    seen = [codec.pass_through(np.full((SIDE, SIDE, 3), 100 + i // 2, np.uint8)).mean() for i in range(24)]
    steps = np.diff(seen)
    assert np.count_nonzero(np.abs(steps) > 0.01) < 6 and abs(seen[-1] - 111) < 4


def test_any_side_and_its_own_memory():
    one, two = (Codec(CodecConfig(step=5), 37) for _ in range(2))
    image = np.random.default_rng(0).integers(0, 256, (37, 37, 3), dtype=np.uint8)
    assert one.pass_through(image).shape == (37, 37, 3)
    one.pass_through(255 - image)
    assert np.array_equal(two.pass_through(image), Codec(CodecConfig(step=5), 37).pass_through(image))


def test_a_starved_keyframe_is_coarse_and_mended_before_the_next():
    """Each period begins with more error than it ends with; without starving it is the same all the way."""
    rng = np.random.default_rng(0)
    frames = [np.clip(picture() + rng.normal(0, 3, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8) for _ in range(40)]

    def errors(starved):
        codec = Codec(CodecConfig(step=6, intra_every=20, starved=starved), SIDE)
        found = [np.mean((codec.pass_through(frame).astype(float) - frame) ** 2) for frame in frames]
        return np.array(found).reshape(2, 20)

    hungry, fed = errors(4.0), errors(0.0)
    assert (hungry[:, 0] > 1.5 * hungry[:, 15:].mean(axis=1)).all()
    assert hungry[:, 0].min() > 1.5 * fed[:, 0].max()


@pytest.mark.parametrize("bad", [{"step": -1}, {"block": 1}, {"intra_every": 0}, {"starved": -0.1}])
def test_what_no_codec_is(bad):
    with pytest.raises(ValueError, match="a codec needs"):
        CodecConfig(**bad)
