"""Each factor can be left out of a scene, and only it."""

import numpy as np
import pytest

from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.factors import FACTORS, leave_out
from rppg_ros.synthesis.sampler import random_scene


def scene(seed=3):
    return random_scene(np.random.default_rng(seed), 1.0)


@pytest.mark.parametrize("name", FACTORS)
def test_a_factor_is_gone_and_stays_gone(name):
    changed = [s for s in range(12) if leave_out(scene(s), [name]) != scene(s)]
    assert changed  # hard scenes have it
    for seed in changed:
        once = leave_out(scene(seed), [name])
        assert leave_out(once, [name]) == once
        assert once.body.heart_rate == scene(seed).body.heart_rate and once.exposure == scene(seed).exposure


def test_without_all_that_disturbs_the_frames_hardly_differ():
    calm = leave_out(scene(), FACTORS)
    clip = make_clip(calm, 3, 24, 1)
    assert np.abs(np.diff(clip.rgb.astype(int), axis=0)).max() <= 6
    assert np.abs(np.diff(make_clip(scene(), 3, 24, 1).rgb.astype(int), axis=0)).max() > 20


def test_unknown_factors_are_named():
    with pytest.raises(ValueError, match="no factor 'fog'; there are: motion, rhythm"):
        leave_out(scene(), ["fog"])
