"""Made-up people: their truth is true, their pulse and breath are in the pictures, and a seed is a clip."""

import dataclasses

import numpy as np
import pytest

from rppg_ros.synthesis.camera import CameraConfig, frame_times
from rppg_ros.synthesis.clip import make_clip
from rppg_ros.synthesis.face import make_face
from rppg_ros.synthesis.factors import STILL
from rppg_ros.synthesis.haemodynamics import Body, simulate
from rppg_ros.synthesis.heat import ThermalConfig
from rppg_ros.synthesis.light import LightConfig, brightness
from rppg_ros.synthesis.motion import movement, warp_matrices
from rppg_ros.synthesis.physiology import GRID_HZ
from rppg_ros.synthesis.sampler import random_scene
from rppg_ros.synthesis.scene import Scene
from rppg_ros.synthesis.skin import MELANIN_OF_TYPE, Skin, melanin_of
from rppg_ros.vitals.registry import HEART_RATE, RESPIRATION_RATE
from rppg_ros.vitals.spectrum import find_peak, spectrum

STEADY = Body(heart_wander=0, heart_jitter=0, arrhythmia=0, breath_wander=0, breath_irregularity=0)
CALM = Scene(body=STEADY, motion=STILL, light=LightConfig(drift=0, tint_drift=0), camera=CameraConfig(jitter_s=0))


def rate_of(curve, rate_hz, spec):
    return find_peak(spectrum(curve, rate_hz), spec).hz * 60


class TestBody:
    """Haemodynamics."""

    @pytest.mark.parametrize("bpm", [45, 72, 120, 180])
    @pytest.mark.parametrize("damping", [4.0, 18.0])
    def test_pulse_has_the_rate_that_it_says(self, bpm, damping):
        body = dataclasses.replace(STEADY, heart_rate=bpm, damping=damping, ring_hz=1.2)
        vitals = simulate(body, 30, np.random.default_rng(0))
        assert rate_of(vitals.bvp, GRID_HZ, HEART_RATE) == pytest.approx(bpm, abs=1)
        assert vitals.mean_rate("heart_rate", 0, 30) == pytest.approx(bpm, abs=0.5)

    @pytest.mark.parametrize("rr", [8, 15, 30])
    def test_breath_has_the_rate_that_it_says(self, rr):
        vitals = simulate(dataclasses.replace(STEADY, respiration_rate=rr), 60, np.random.default_rng(1))
        assert rate_of(vitals.rsp, GRID_HZ, RESPIRATION_RATE) == pytest.approx(rr, abs=0.5)

    def test_breathing_in_speeds_the_heart_up(self):
        body = dataclasses.replace(STEADY, arrhythmia=0.05)
        vitals = simulate(body, 60, np.random.default_rng(2))
        assert np.corrcoef(vitals.rsp, vitals.heart_rate)[0, 1] > 0.9

    def test_held_breath_stands_still_and_its_rate_is_0(self):
        body = dataclasses.replace(STEADY, pauses_per_minute=4, pause_s=5)
        vitals = simulate(body, 60, np.random.default_rng(3))
        held = vitals.respiration_rate == 0
        assert 0.05 < held.mean() < 0.8
        assert np.abs(np.diff(vitals.rsp)[held[1:]]).max() < 0.02

    def test_sighs_are_deep(self):
        plain, sighing = (
            simulate(dataclasses.replace(STEADY, sighs_per_minute=s), 120, np.random.default_rng(4)) for s in (0, 2)
        )
        assert np.abs(sighing.rsp).max() > 1.4 * np.abs(plain.rsp).max()

    def test_waves_are_standardised(self):
        vitals = simulate(Body(), 40, np.random.default_rng(5))
        assert abs(vitals.bvp.mean()) < 1e-9 and vitals.bvp.std() == pytest.approx(1)

    @pytest.mark.parametrize(("name", "value"), [("heart_rate", 300), ("respiration_rate", 0), ("damping", 0.1)])
    def test_nobody_is_like_that(self, name, value):
        with pytest.raises(ValueError, match=name):
            Body(**{name: value})


class TestSkin:
    """Colour by melanin and blood."""

    def test_more_melanin_is_darker_and_redder(self):
        colours = np.array([Skin(m).colour() for m in MELANIN_OF_TYPE])
        assert np.all(np.diff(colours, axis=0) < 0)
        assert np.all(np.diff(colours[:, 0] / colours[:, 2]) > 0)

    def test_blood_absorbs_green_most_then_blue_then_red(self):
        less, more = Skin(0.5, 0.35).colour(), Skin(0.5, 0.36).colour()
        red, green, blue = (less - more) / less
        assert green > blue > red > 0

    def test_types_are_from_1_to_6(self):
        assert melanin_of(1) < melanin_of(3.5) < melanin_of(6)
        with pytest.raises(ValueError, match="from 1 to 6"):
            melanin_of(7)


def trace(clip, channel=1):
    """Mean of a channel over the middle of the face."""
    side = clip.rgb.shape[1]
    part = slice(side // 3, 2 * side // 3)
    return clip.rgb[:, part, part, channel].astype(float).mean(axis=(1, 2))


class TestClips:
    """What the cameras see."""

    @pytest.mark.parametrize("fitzpatrick", [1, 6])
    def test_the_pulse_is_in_the_skin_upside_down(self, fitzpatrick):
        clip = make_clip(dataclasses.replace(CALM, fitzpatrick=fitzpatrick), 12, 36, 3)
        green = trace(clip)
        assert rate_of(green, 30.0, HEART_RATE) == pytest.approx(70, abs=1.5)
        shift = range(-3, 4)
        bvp = clip.vitals.at("bvp", clip.times_s)
        best = min(np.corrcoef(green[5:-5], np.roll(bvp, s)[5:-5])[0, 1] for s in shift)
        assert best < -0.7

    def test_channels_pulse_as_blood_absorbs(self):
        clip = make_clip(dataclasses.replace(CALM, pulse_strength=0.03), 12, 36, 3)
        red, green, blue = (np.std(trace(clip, c)) / np.mean(trace(clip, c)) for c in range(3))
        assert green > blue > red

    def test_no_blood_no_pulse(self):
        with_pulse, without = (
            np.std(trace(make_clip(dataclasses.replace(CALM, pulse_strength=s), 6, 36, 3))) for s in (0.008, 0.0)
        )
        assert with_pulse > 3 * without

    def test_the_pulse_is_later_in_some_places(self):
        face = make_face(Skin(0.3), 64, np.random.default_rng(0))
        skin = face.perfusion > 0.2
        assert 0.005 < np.ptp(face.delay_s[skin]) < 0.2 and face.delay_s.min() == 0

    def test_a_seed_is_a_clip(self):
        scene = random_scene(np.random.default_rng(7), 0.8, thermal=True)
        one, same, other = (make_clip(scene, 3, 24, seed) for seed in (5, 5, 6))
        assert np.array_equal(one.rgb, same.rgb) and np.array_equal(one.thermal, same.thermal)
        assert one.rgb.shape != other.rgb.shape or not np.array_equal(one.rgb, other.rgb)
        assert random_scene(np.random.default_rng(7), 0.8, thermal=True) == scene

    @pytest.mark.parametrize("hardness", [0.0, 0.5, 1.0])
    def test_drawn_scenes_can_all_be_filmed(self, hardness):
        for seed in range(12):
            scene = random_scene(np.random.default_rng(seed), hardness, thermal=True)
            clip = make_clip(scene, 2.0, 18, seed)
            assert clip.rgb.shape[1:] == (18, 18, 3) and len(clip.times_s) == len(clip.rgb)
            assert np.all(np.diff(clip.times_s) > 0) and np.all(np.diff(clip.thermal_times_s) > 0)
            assert np.isfinite(clip.thermal).all() and 0 < clip.thermal.mean() < 45
            assert 5 < clip.rgb.mean() < 250

    def test_hardness_is_a_share(self):
        with pytest.raises(ValueError, match="hardness"):
            random_scene(np.random.default_rng(0), 1.5)


class TestThermal:
    """Breath at the nostrils."""

    @pytest.mark.parametrize(("fps", "side_px"), [(9.0, 16), (30.0, 48)])
    def test_breath_is_at_the_nostrils(self, fps, side_px):
        thermal = ThermalConfig(fps=fps, side_px=side_px, jitter_s=0, drift_c=0, ffc_per_minute=0, shift=0, zoom=0)
        clip = make_clip(dataclasses.replace(CALM, thermal=thermal), 40, 36, 2)
        moves = clip.thermal.std(axis=0)
        y, x = np.unravel_index(moves.argmax(), moves.shape)
        assert abs(x - 17.5) < 6 and 16 < y < 30
        curve = clip.thermal[:, y, x]
        assert rate_of(curve, fps, RESPIRATION_RATE) == pytest.approx(15, abs=1)
        assert np.corrcoef(curve, clip.vitals.at("rsp", clip.thermal_times_s - 0.25))[0, 1] < -0.7

    def test_flat_field_corrections_jump_and_freeze(self):
        base = dict(fps=30.0, jitter_s=0, drift_c=0, breath_c=0, netd_c=0.01, shift=0, zoom=0)
        clips = [
            make_clip(dataclasses.replace(CALM, thermal=ThermalConfig(ffc_per_minute=n, ffc_c=1.0, **base)), 20, 18, 4)
            for n in (0, 12)
        ]
        steps = [np.abs(np.diff(clip.thermal.mean(axis=(1, 2)))) for clip in clips]
        assert steps[1].max() > 20 * steps[0].max()
        frozen = [(np.diff(clip.thermal, axis=0) == 0).all(axis=(1, 2)).sum() for clip in clips]
        assert frozen[1] > 5 and frozen[0] == 0


class TestDisturbances:
    """Each does what its name says."""

    def test_cameras_keep_their_own_time(self):
        rng = np.random.default_rng(0)
        even = frame_times(CameraConfig(fps=25, jitter_s=0), 10, rng)
        np.testing.assert_allclose(np.diff(even), 0.04)
        uneven = frame_times(CameraConfig(fps=25, jitter_s=0.005, drop=0.1), 10, rng)
        assert 200 < len(uneven) < 240 and np.diff(uneven).std() > 0.004 and np.all(np.diff(uneven) > 0)

    def test_mains_light_is_aliased_by_the_camera(self):
        times = np.arange(300) / 29.9
        light = brightness(
            LightConfig(drift=0, tint_drift=0, flicker=0.05, mains_hz=60), times, np.random.default_rng(0)
        )
        slow = np.fft.rfft(light[:, 1] - light[:, 1].mean())
        assert np.fft.rfftfreq(300, 1 / 29.9)[np.abs(slow).argmax()] == pytest.approx(0.4, abs=0.15)

    def test_a_still_head_is_not_moved(self):
        times = np.arange(90) / 30
        moves = movement(STILL, times, simulate(Body(), 4, np.random.default_rng(0)), np.random.default_rng(1))
        np.testing.assert_allclose(warp_matrices(moves, 36), np.tile(np.eye(3)[:2], (90, 1, 1)), atol=1e-9)

    @pytest.mark.parametrize(
        "motion",
        [
            {"sway": 0.05},
            {"roll": 20.0},
            {"turn": 25.0},
            {"talking": 1.0},
            {"hands_per_minute": 60.0},
            {"jerks_per_minute": 60.0, "sway": 0.03},
        ],
    )
    def test_motion_is_seen(self, motion):
        plain = make_clip(CALM, 6, 36, 1)
        moving = make_clip(dataclasses.replace(CALM, motion=dataclasses.replace(STILL, **motion)), 6, 36, 1)
        changes = [
            np.abs(np.diff(clip.rgb.astype(float), axis=0)).max(axis=(1, 2, 3)).mean() for clip in (plain, moving)
        ]
        assert changes[1] > 1.1 * changes[0]

    def test_exposure_and_balance_step(self):
        camera = CameraConfig(jitter_s=0, exposure_steps_per_minute=20, exposure_step=0.2)
        clip = make_clip(dataclasses.replace(CALM, camera=camera), 10, 24, 2)
        plain = make_clip(CALM, 10, 24, 2)
        assert np.ptp(clip.rgb.mean(axis=(1, 2, 3))) > 3 * np.ptp(plain.rgb.mean(axis=(1, 2, 3)))

    def test_compression_costs_detail(self):
        plain, fine, coarse = (
            make_clip(dataclasses.replace(CALM, camera=CameraConfig(jpeg_quality=q)), 1, 48, 2, render=48).rgb[0]
            for q in (0, 95, 15)
        )
        lost = [np.abs(image.astype(float) - plain).mean() for image in (fine, coarse)]
        assert 0 < lost[0] < lost[1] / 2

    def test_frames_are_repeated(self):
        clip = make_clip(dataclasses.replace(CALM, camera=CameraConfig(repeats=0.4)), 6, 24, 2)
        same = [np.array_equal(one, other) for one, other in zip(clip.rgb, clip.rgb[1:], strict=False)]
        assert 0.25 < np.mean(same) < 0.55


class TestSurroundings:
    """What is not the face moves in its own way."""

    @staticmethod
    def clip(**motion):
        scene = dataclasses.replace(CALM, motion=dataclasses.replace(STILL, **motion))
        return make_clip(scene, 40, 36, 11, render=72)

    def test_shoulders_rise_with_the_breath_and_the_face_stays(self):
        clip = self.clip(shoulders=0.02)
        moves = clip.rgb.astype(float).std(axis=0).mean(axis=2)
        y, x = np.unravel_index(moves.argmax(), moves.shape)
        assert y > 20
        curve = clip.rgb[:, y, x].astype(float).mean(axis=1)
        assert abs(np.corrcoef(curve, clip.vitals.at("rsp", clip.times_s))[0, 1]) > 0.8
        assert moves[12:20, 14:22].mean() < 0.3 * moves[y, x]

    def test_inhaling_lifts_the_shoulders_and_most_heads(self):
        times, vitals = np.arange(600) / 30, simulate(Body(), 21, np.random.default_rng(0))
        config = dataclasses.replace(STILL, shoulders=0.01, breathing=0.002)
        rsp, rises = vitals.at("rsp", times), []
        for seed in range(20):
            moves = movement(config, times, vitals, np.random.default_rng(seed))
            assert np.corrcoef(moves.body[:, 1], rsp)[0, 1] < -0.99  # y points down
            rises.append(np.corrcoef(moves.y, rsp)[0, 1] < 0)
        assert 0.5 < np.mean(rises) < 1

    def test_the_edge_of_the_picture_goes_with_the_room(self):
        scene = dataclasses.replace(CALM, motion=dataclasses.replace(STILL, roam=0.05), edges=(0.15, 0.15, 0.15, 0.15))
        clip = make_clip(scene, 12, 48, 3, render=48)
        for image in (clip.rgb, clip.rgb[:, ::-1], clip.rgb.swapaxes(1, 2), clip.rgb.swapaxes(1, 2)[:, ::-1]):
            repeated = [int(np.argmin([*(frame[:16] == frame[0]).all(axis=(1, 2)), False])) for frame in image]
            assert len(set(repeated)) > 2, "it moves"

    def test_lids_close_on_eyes(self):
        """In photographs too: what they cover pulses less than skin, on most faces."""
        for photographed in (False, True):
            share = []
            for seed in range(12):
                face = make_face(Skin(0.3), 96, np.random.default_rng(seed), photographed)
                share.append(
                    np.median(face.perfusion[face.eyes > 0.7]) / np.median(face.perfusion[face.perfusion > 0.3])
                )
            assert np.median(share) < 0.75

    def test_the_thermal_room_stays_behind_too(self):
        thermal = ThermalConfig(
            fps=30.0, jitter_s=0, drift_c=0, breath_c=0, netd_c=0.01, ffc_per_minute=0, shift=0, zoom=0
        )
        scene = dataclasses.replace(CALM, thermal=thermal, motion=dataclasses.replace(STILL, roam=0.15))
        moves = make_clip(scene, 20, 36, 11).thermal.std(axis=0)
        assert moves[:4].mean() > 2 * moves[14:20, 14:22].mean()

    def test_the_room_moves_behind_a_face_that_is_followed(self):
        moves = self.clip(roam=0.15).rgb.astype(float).std(axis=0).mean(axis=2)
        assert moves[:6].mean() > 3 * moves[14:20, 14:22].mean()

    def test_beyond_the_picture_its_edge_is_repeated(self):
        clip = make_clip(dataclasses.replace(CALM, edges=(0.0, 0.25, 0.0, 0.0)), 1, 48, 3, render=48)
        assert np.array_equal(clip.rgb[0, 0], clip.rgb[0, 10]) and not np.array_equal(clip.rgb[0, 0], clip.rgb[0, 20])

    def test_photographs_give_a_face_features_and_its_pulse_stays(self):
        drawn, real = (
            make_clip(dataclasses.replace(CALM, photographed=p, pulse_strength=0.02), 12, 36, 3) for p in (False, True)
        )
        assert np.abs(drawn.rgb[0, 10:24, 12:24].astype(float) - real.rgb[0, 10:24, 12:24]).mean() > 4
        assert rate_of(trace(real), 30.0, HEART_RATE) == pytest.approx(70, abs=1.5)

    def test_a_turning_head_changes_colour_between_two_lamps(self):
        def hue(two_tone):
            light = LightConfig(drift=0, tint_drift=0, two_tone=two_tone)
            scene = dataclasses.replace(CALM, light=light, motion=dataclasses.replace(STILL, turn=10.0))
            clip = make_clip(scene, 10, 24, 5)
            return np.std(trace(clip, 0) / trace(clip, 2))

        assert hue(0.4) > 1.5 * hue(0.0)
