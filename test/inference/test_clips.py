"""Windows of a clip against a brute-force reference that forgets nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.inference.clips import ClipBuilder, Window
from rppg_ros.inference.engine import WindowPlan
from rppg_ros.sync.resample import grid_ns, resample
from rppg_ros.types import NS_PER_S, Box, FaceCrop, ThermalState
from rppg_ros.vision.evidence import EvidenceMeter

START_NS = 7_000_000_123
MS = 1_000_000


class Looker:
    """An engine that keeps a crop's one red value and one temperature."""

    def __init__(self, rate_hz=10.0, first=20, longest=40, hop=5, consecutive=False, blind=False):
        self.plan = WindowPlan(rate_hz, first, longest, hop, {}, consecutive=consecutive)
        self.blind = blind

    def rgb(self, crop):
        return crop.rgb[0, 0, :1].astype(np.float32)

    def thermal(self, crop):
        return None if self.blind or crop.thermal is None else crop.thermal[0, :1]


def crop_at(stamp_ns, value=0.0, heat=None, heat_stamp_ns=0):
    thermal = None if heat is None else np.full((1, 1), heat, np.float32)
    rgb = np.full((1, 1, 3), value, np.float32)
    return FaceCrop(stamp_ns, "abc", rgb, thermal, Box(0, 0, 1, 1), 1.0, 1.0, 0.0, heat_stamp_ns)


def crops_at(stamps_ns, seed=0, thermal=False):
    values = np.random.default_rng(seed).normal(0, 1, (len(stamps_ns), 2))
    return [
        crop_at(int(s), value, heat if thermal else None) for s, (value, heat) in zip(stamps_ns, values, strict=True)
    ]


def play(engine, crops):
    """Windows, each with the number of crops that had come, then the last one."""
    builder = ClipBuilder(engine, crops[0])
    out = [(window, i + 1) for i, crop in enumerate(crops) for window in builder.push(crop)]
    return out, [(window, len(crops)) for window in builder.finish()], builder


def even(rate_hz, seconds):
    return START_NS + np.round(np.arange(round(rate_hz * seconds)) * NS_PER_S / rate_hz).astype(np.int64)


plans = st.builds(
    lambda rate, first, more, hop: Looker(rate, first, first + more, hop),
    st.sampled_from([9.0, 10.0, 25.0, 30.0]),
    st.integers(1, 25),
    st.integers(0, 25),
    st.integers(1, 12),
)


def stream(rate_hz, count, jitter, seed):
    """Stamps of count + 1 frames; the jitter is too small to make a camera faster or slower than a clock."""
    steps = np.random.default_rng(seed).uniform(1 - jitter, 1 + jitter, count) * NS_PER_S / rate_hz
    return START_NS + np.round(np.cumsum(np.append(0, steps))).astype(np.int64)


streams = st.builds(
    stream,
    st.sampled_from([8.0, 10.0, 25.0, 30.0, 60.0]),
    st.integers(1, 100),
    st.sampled_from([0.0, 0.1]),
    st.integers(0, 9),
)


@settings(max_examples=60)
@given(plans, streams)
def test_windows_are_those_of_the_plan_and_hold_what_the_whole_clip_holds(engine, stamps):
    plan, crops = engine.plan, crops_at(stamps)
    windows, last, _ = play(engine, crops)
    elapsed = (stamps - START_NS) * plan.rate_hz / NS_PER_S  # in clock periods
    ends = [end for end in range(plan.first, 10_000, plan.hop) if elapsed[-1] >= end - 0.5 - 1e-6]
    assert [window.end for window, _ in windows] == ends
    points = int(np.floor(elapsed[-1] + 1e-6)) + 1
    finished = points >= plan.first and points > (ends[-1] if ends else 0)
    assert [window.end for window, _ in last] == ([points] if finished else [])
    for window, seen in windows + last:
        assert (window.face_id, window.clip_start_ns) == ("abc", START_NS)
        assert window.first == max(0, window.end - plan.longest)
        at_ns = grid_ns(START_NS, plan.rate_hz, window.first, window.end - window.first)
        np.testing.assert_array_equal(window.at_ns, at_ns)
        whole = resample(stamps[:seen], np.stack([engine.rgb(crop) for crop in crops[:seen]]), at_ns)
        np.testing.assert_allclose(window.rgb(), whole, atol=1e-5)
    for window, seen in windows:  # at the first crop that is half a period past the last point, not later
        assert elapsed[seen - 1] >= window.end - 0.5 - 1e-6
        assert elapsed[seen - 2] < window.end - 0.5 + 1e-6


@settings(max_examples=40)
@given(streams, st.integers(1, 20))
def test_consecutive_windows_tile_the_clip(stamps, hop):
    engine, crops = Looker(first=hop, longest=hop, hop=hop, consecutive=True), crops_at(stamps)
    windows, last, builder = play(engine, crops)
    points = int(np.floor((stamps[-1] - START_NS) * 10.0 / NS_PER_S + 1e-6)) + 1
    covered = [index for window, _ in windows + last for index in range(window.first, window.end)]
    assert covered == list(range(max(points, windows[-1][0].end if windows else 0)))
    assert all(len(window.at_ns) == hop for window, _ in windows)
    assert builder.windows == len(windows + last)
    for window, seen in windows + last:
        whole = resample(stamps[:seen], np.stack([engine.rgb(crop) for crop in crops[:seen]]), window.at_ns)
        if len(window.at_ns) > 2:  # of fewer points the clock's period cannot be told
            np.testing.assert_allclose(window.rgb(), whole, atol=1e-5)


def test_a_window_is_complete_half_a_period_after_its_last_point():
    engine = Looker(rate_hz=10.0, first=3, longest=3, hop=1)
    builder = ClipBuilder(engine, crop_at(START_NS))
    last_point = START_NS + 200 * MS
    assert not builder.push(crop_at(START_NS)) and not builder.push(crop_at(last_point + 50 * MS - 1))
    assert [window.end for window in builder.push(crop_at(last_point + 50 * MS))] == [3]
    assert builder.last_ns == last_point + 50 * MS and builder.start_ns == START_NS and builder.face_id == "abc"


def test_one_late_crop_completes_several_windows():
    builder = ClipBuilder(Looker(first=3, longest=5, hop=2), crop_at(START_NS))
    builder.push(crop_at(START_NS))
    windows = builder.push(crop_at(START_NS + NS_PER_S))
    assert [(window.first, window.end) for window in windows] == [(0, 3), (0, 5), (2, 7), (4, 9)]
    assert builder.windows == 4


class TestFinish:
    """The rest of a clip."""

    def ends(self, seconds, **plan):
        windows, last, _ = play(Looker(**plan), crops_at(even(10.0, seconds)))
        return [w.end for w, _ in windows], [w.end for w, _ in last]

    def test_the_last_sample_is_in_it(self):
        assert self.ends(2.3) == ([20], [23])

    def test_a_clip_of_just_the_first_window(self):
        """Its last point is the last crop: nobody came half a period later."""
        assert self.ends(2.0) == ([], [20])

    def test_a_clip_too_short_for_a_window_has_none(self):
        assert self.ends(1.9) == ([], [])

    def test_nothing_new_is_no_window(self):
        crops = crops_at(np.append(even(10.0, 2.0), START_NS + 1_960 * MS))
        windows, last, _ = play(Looker(), crops)
        assert [w.end for w, _ in windows] == [20] and not last

    def test_consecutive_windows_may_end_short(self):
        assert self.ends(0.7, first=5, longest=5, hop=5, consecutive=True) == ([5], [7])
        assert self.ends(0.3, first=5, longest=5, hop=5, consecutive=True) == ([], [3])

    def test_stamps_are_whole_nanoseconds_and_points_may_be_not(self):
        """30 Hz: the crop stamped 66 666 667 ns is point 2, though 66 666 667 * 30 / 1e9 may be rounded below."""
        stamps = even(30.0, 10.0)
        for count in range(2, len(stamps), 7):
            _, last, _ = play(Looker(30.0, 1, 500, 1000), crops_at(stamps[:count]))
            assert last[0][0].end == count


def test_memory_stays_bounded_with_both_cameras():
    engine = Looker(rate_hz=10.0, first=20, longest=40, hop=5)
    stamps = even(30.0, 60.0)
    windows, _, builder = play(engine, crops_at(stamps, thermal=True))
    for frames in (builder._rgb, builder._thermal):
        assert len(frames) <= 3 * (40 + 2 * 5 + 2)
    assert max(len(window.rgb_frames) for window, _ in windows) <= 3 * (40 + 2 * 5 + 2)


def test_memory_of_consecutive_windows_is_their_hop():
    engine = Looker(rate_hz=10.0, first=5, longest=5, hop=5, consecutive=True)
    windows, _, _ = play(engine, crops_at(even(10.0, 60.0)))
    assert max(len(window.rgb_frames) for window, _ in windows) <= 5 + 3


class TestThermal:
    """Thermal frames have stamps of their own, and holes."""

    def test_its_own_stamps_count_and_none_twice(self):
        builder = ClipBuilder(Looker(rate_hz=10.0, first=10, longest=10, hop=10), crop_at(START_NS))
        windows = []
        for i in range(12):  # a thermal frame for every other RGB frame, 20 ms before it; shown twice
            stamp = START_NS + (i - i % 2) * 100 * MS - 20 * MS
            windows += builder.push(crop_at(START_NS + i * 100 * MS, heat=float(i - i % 2), heat_stamp_ns=stamp))
        (window,) = windows
        stamps = [stamp for stamp, _ in window.thermal_frames]
        assert stamps == [START_NS + i * 100 * MS - 20 * MS for i in (0, 2, 4, 6, 8, 10)]
        # One degree per 100 ms, shifted by 20 ms.
        np.testing.assert_allclose(window.thermal()[:, 0], np.arange(10) + 0.2, atol=1e-4)

    def test_an_older_thermal_frame_is_left_out(self):
        builder = ClipBuilder(Looker(), crop_at(START_NS))
        for stamp in (50, 40, 60):
            builder.push(crop_at(START_NS + stamp * MS, heat=1.0, heat_stamp_ns=START_NS + stamp * MS))
        assert [stamp - START_NS for stamp, _ in builder._thermal] == [50 * MS, 60 * MS]

    def test_without_a_stamp_it_has_the_crops(self):
        builder = ClipBuilder(Looker(), crop_at(START_NS))
        builder.push(crop_at(START_NS, heat=3.0))
        assert builder._thermal[0][0] == START_NS and builder._thermal[0][1].tolist() == [3.0]

    def test_a_frame_after_a_crop_without_one_is_kept(self):
        builder = ClipBuilder(Looker(), crop_at(START_NS))
        for i, heat in enumerate([1.0, None, 2.0]):
            builder.push(crop_at(START_NS + i, heat=heat))
        assert [value[0] for _, value in builder._thermal] == [1.0, 2.0]

    @pytest.mark.parametrize(("blind", "heat"), [(True, 30.0), (False, None)])
    def test_no_camera_or_no_use_for_it_is_none(self, blind, heat):
        builder = ClipBuilder(Looker(first=2, longest=2, hop=2, blind=blind), crop_at(START_NS))
        windows = [w for i in range(3) for w in builder.push(crop_at(START_NS + i * 100 * MS, heat=heat))]
        assert windows[0].thermal() is None and windows[0].thermal_frames == ()

    @staticmethod
    def window(seconds):
        """10 points, one a second from 10 s; a thermal frame at each of these times."""
        frames = tuple((round(s * NS_PER_S), np.array([s], np.float32)) for s in seconds)
        return Window("abc", 0, 0, (10 + np.arange(10)) * NS_PER_S, (), frames)

    @pytest.mark.parametrize(
        ("seconds", "near"),
        [
            ([10, 11, 12, 13, 14, 15, 16, 17, 18, 19], 10),
            ([10, 11, 12, 13, 14, 15, 16, 17], 8),
            ([12, 13, 14, 15, 16, 17, 18, 19], 8),
            ([10, 11, 12, 13, 14, 15, 16], 7),
            ([13, 14, 15, 16, 17, 18, 19], 7),
            ([10.5, 12.5, 14.5, 16.5, 18.5], 10),  # each is half a second from two points, and that is near enough
            ([10.49, 12.49, 14.49, 16.49, 18.49], 5),
            ([10.51, 12.51, 14.51, 16.51, 18.51], 5),
            ([9.5, 11.5, 13.5, 15.5, 17.5, 19.5], 10),
            ([9.6, 13, 14, 15, 16, 17, 18, 19], 8),
            ([10, 11, 12, 13, 14, 15, 16, 19.4], 8),
        ],
    )
    def test_most_points_need_a_frame_near_them(self, seconds, near):
        found = self.window(seconds).thermal()
        assert (found is not None) is (near >= 8)
        if found is not None:
            expected = np.interp(10 + np.arange(10), seconds, seconds)
            np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)


class TestEvidence:
    def window_of(self, crops):
        builder = ClipBuilder(Looker(first=20), crops[0])
        windows = [window for crop in crops for window in builder.push(crop)] + builder.finish()
        return windows

    def test_what_the_tracker_measured_goes_with_the_window_in_which_it_came(self):
        stamps = even(10, 4)
        rows = np.random.default_rng(0).normal(size=(len(stamps), 3)).astype(np.float32)
        crops = [
            replace(crop_at(int(s)), evidence=row, thermal_state=ThermalState.UNPAIRED)
            for s, row in zip(stamps, rows, strict=True)
        ]
        windows = self.window_of(crops)
        assert all(20 <= len(windows[0].evidence) <= 21 and 4 <= len(window.evidence) <= 6 for window in windows[1:])
        sent = [pair for window in windows for pair in window.evidence]
        assert [stamp for stamp, _ in sent] == [int(s) for s in stamps]
        np.testing.assert_array_equal([row for _, row in sent], rows)
        assert {window.thermal_state for window in windows} == {ThermalState.UNPAIRED}

    @pytest.mark.parametrize(
        ("scale", "there"), [(1.5, True), (1.5 * 1.009, True), (1.5 * 0.991, True), (1.5 * 1.02, False), (3.0, False)]
    )
    def test_without_it_the_crop_is_measured_where_it_shows_as_much(self, scale, there):
        rng = np.random.default_rng(0)
        crops = [
            FaceCrop(
                int(s), "abc", rng.integers(0, 255, (48, 48, 3), np.uint8), np.full((8, 8), 30 + i, np.float32),
                Box(10 + i, 20, 40, 40), scale, 1.0, 0.0, int(s),
            )
            for i, s in enumerate(even(10, 2))
        ]  # fmt: skip
        (window,) = self.window_of(crops)
        meter = EvidenceMeter()
        wanted = [meter.measure(crop.rgb, crop.thermal, crop.box) for crop in crops]
        assert len(window.evidence) == (20 if there else 0)
        for (_, row), expected in zip(window.evidence, wanted, strict=False):
            np.testing.assert_array_equal(row, expected)

    def test_a_window_tells_the_time_between_frames(self):
        builder = ClipBuilder(Looker(first=20), crop_at(int(even(20, 3)[0])))
        windows = [
            window
            for i, s in enumerate(even(20, 3))
            for window in builder.push(crop_at(int(s), 0.0, 30.0 if i % 2 else None, int(s)))
        ]
        assert windows[0].rgb_period_s == pytest.approx(0.05)
        assert windows[0].thermal_period_s == pytest.approx(0.1)
