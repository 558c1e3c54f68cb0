"""Which thermal frame goes with an RGB frame, and how long it is waited for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.sync.pairing import LeadPairing

MS = 1_000_000


def made(max_offset_s=0.06, max_wait_s=0.05, queue_size=32):
    return LeadPairing(max_offset_s, max_wait_s, queue_size)


def run(events, **options):
    """events: (arrival order) of ('rgb' | 'thermal', stamp ms); returns the pairs, then the flushed rest."""
    pairing = made(**options)
    out = []
    for stream, stamp in events:
        push = pairing.push_lead if stream == "rgb" else pairing.push_follower
        out += push(stamp * MS, stamp)
    return out, pairing.flush()


def test_without_thermal_nothing_waits():
    out, rest = run([("rgb", t) for t in range(0, 300, 33)])
    assert [pair.lead for pair in out] == list(range(0, 300, 33))
    assert rest == [] and all(pair.follower is None for pair in out)


def test_nearest_of_a_slow_thermal_camera():
    rgb = [("rgb", t, t) for t in range(0, 1000, 33)]
    thermal = [("thermal", t, t + 5) for t in range(0, 1000, 111)]
    events = [(stream, stamp) for stream, stamp, _ in sorted(rgb + thermal, key=lambda event: event[2])]
    out, rest = run(events, max_offset_s=0.06, max_wait_s=0.1)
    for pair in out[6:] + rest:
        nearest = min(abs(t - pair.lead) for t in range(0, 1000, 111))
        assert abs(pair.follower - pair.lead) == nearest


def test_a_dead_thermal_camera_degrades_to_rgb_alone_at_once():
    events = [("thermal", 0), ("rgb", 1), ("thermal", 2)] + [("rgb", t) for t in range(1100, 1500, 33)]
    out, rest = run(events)
    assert rest == []
    assert out[0].follower == 0 and out[-1].follower is None


def test_too_far_apart_is_no_pair():
    out, rest = run([("thermal", 0), ("thermal", 10), ("rgb", 100), ("rgb", 200)], max_offset_s=0.05, max_wait_s=0.0)
    assert [pair.follower for pair in out + rest] == [None, None]
    assert out[0].offset_ns is None and [pair.stamp_ns for pair in out + rest] == [100 * MS, 200 * MS]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 120)), max_size=80),
    st.floats(0, 0.2),
    st.floats(0, 0.2),
    st.integers(1, 8),
)
def test_every_lead_leaves_once_in_order(steps, max_offset, max_wait, queue):
    clock = {"rgb": 0, "thermal": 0}
    events = []
    for is_rgb, step in steps:
        stream = "rgb" if is_rgb else "thermal"
        clock[stream] += step
        events.append((stream, clock[stream]))
    out, rest = run(events, max_offset_s=max_offset, max_wait_s=max_wait, queue_size=queue)
    assert [pair.lead for pair in out + rest] == [stamp for stream, stamp in events if stream == "rgb"]
    assert len(rest) <= queue
    for pair in out + rest:
        assert pair.follower is None or abs(pair.offset_ns) <= max_offset * 1e9 + 1


def test_an_offset_is_follower_minus_lead():
    out, rest = run([("thermal", 90), ("rgb", 100), ("thermal", 130)], max_offset_s=0.06, max_wait_s=0.1)
    (pair,) = out + rest
    assert pair.offset_ns == -10 * MS and pair.stamp_ns == 100 * MS and pair.follower_stamp_ns == 90 * MS


class Stamps:
    """Pairing of integer stamps in ms; items are strings, so that no stamp is taken for one."""

    def __init__(self, **options):
        self.pairing = made(**options)

    def lead(self, ms):
        return self.named(self.pairing.push_lead(ms * MS, f"rgb {ms}"))

    def follower(self, ms):
        return self.named(self.pairing.push_follower(ms * MS, f"thermal {ms}"))

    @staticmethod
    def named(pairs):
        return [(pair.lead, pair.follower) for pair in pairs]


class TestWaiting:
    """A lead waits for a follower only as long as a nearer one may come."""

    def test_the_wait_has_an_end_on_the_leads_clock(self):
        pairs = Stamps(max_offset_s=0.1, max_wait_s=0.05)
        pairs.follower(0)
        assert pairs.lead(40) == [] and pairs.lead(89) == []
        assert pairs.lead(90) == [("rgb 40", "thermal 0")], "50 ms after it"
        assert pairs.lead(138) == [] and pairs.lead(139) == [("rgb 89", "thermal 0")]

    def test_no_wait_at_all(self):
        pairs = Stamps(max_offset_s=0.1, max_wait_s=0.0)
        pairs.follower(0)
        assert pairs.lead(40) == [("rgb 40", "thermal 0")]

    def test_a_follower_at_or_after_the_lead_ends_it(self):
        for newer in (40, 45):
            pairs = Stamps(max_offset_s=0.1, max_wait_s=0.5)
            pairs.follower(0)
            assert pairs.lead(40) == []
            assert pairs.follower(newer) == [("rgb 40", f"thermal {newer}")]

    def test_a_lone_follower_at_the_lead_is_enough(self):
        pairs = Stamps(max_offset_s=0.1, max_wait_s=0.5)
        pairs.follower(40)
        assert pairs.lead(40) == [("rgb 40", "thermal 40")]

    def test_a_follower_still_before_the_lead_does_not(self):
        pairs = Stamps(max_offset_s=0.1, max_wait_s=0.5)
        pairs.follower(0)
        assert pairs.lead(140) == [] and pairs.follower(10) == []
        assert pairs.follower(60) == [], "the next may come at 140"

    def test_a_follower_that_is_there_is_enough(self):
        pairs = Stamps(max_offset_s=0.1, max_wait_s=0.5)
        pairs.follower(0), pairs.follower(100)
        assert pairs.lead(100) == [("rgb 100", "thermal 100")] and pairs.lead(90) == [("rgb 90", "thermal 100")]

    @pytest.mark.parametrize(("stamp", "waits"), [(250, False), (251, True)])
    def test_within_half_a_period_nothing_nearer_comes(self, stamp, waits):
        """Followers every 100 ms: until 50 ms after the last one that is the nearest there will be."""
        pairs = Stamps(max_offset_s=0.2, max_wait_s=0.5)
        for ms in (0, 100, 200):
            pairs.follower(ms)
        assert pairs.lead(stamp) == ([] if waits else [(f"rgb {stamp}", "thermal 200")])

    def test_one_long_step_does_not_change_the_period(self):
        pairs = Stamps(max_offset_s=0.3, max_wait_s=0.5)
        for ms in (0, 100, 200, 300, 900):
            pairs.follower(ms)
        assert pairs.lead(951) == [] and Stamps.named(pairs.pairing.flush()) == [("rgb 951", "thermal 900")]

    def test_the_period_is_that_of_late(self):
        """After nine steps of 20 ms the earlier ones of 200 ms are forgotten."""
        pairs = Stamps(max_offset_s=0.3, max_wait_s=0.5)
        for ms in [200 * i for i in range(10)] + [1800 + 20 * i for i in range(1, 10)]:
            pairs.follower(ms)
        assert pairs.lead(1980 + 11) == []

    @pytest.mark.parametrize(("stamp", "waits"), [(1100, True), (1101, False)])
    def test_a_follower_a_second_behind_is_dead(self, stamp, waits):
        pairs = Stamps(max_offset_s=0.01, max_wait_s=5.0)
        pairs.follower(100)
        assert pairs.lead(stamp) == ([] if waits else [(f"rgb {stamp}", None)])

    def test_the_queue_has_an_end(self):
        pairs = Stamps(max_offset_s=0.5, max_wait_s=5.0, queue_size=3)
        pairs.follower(0)
        assert [pairs.lead(ms) for ms in (100, 101, 102)] == [[], [], []]
        assert pairs.lead(103) == [("rgb 100", "thermal 0")]

    def test_as_many_followers_are_remembered(self):
        pairs = Stamps(max_offset_s=0.5, max_wait_s=0.0, queue_size=3)
        for ms in (0, 10, 20, 30):
            pairs.follower(ms)
        assert pairs.lead(1) == [("rgb 1", "thermal 10")]


@pytest.mark.parametrize(("offset", "paired"), [(50, True), (51, False), (-50, True), (-51, False)])
def test_the_largest_offset_belongs_to_it(offset, paired):
    pairs = Stamps(max_offset_s=0.05, max_wait_s=0.0)
    pairs.follower(100 + offset), pairs.follower(1000)
    assert pairs.lead(100) == [("rgb 100", f"thermal {100 + offset}" if paired else None)]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20, unique=True), st.integers(0, 1000), st.integers(0, 300))
def test_it_is_the_nearest_of_all(followers, lead, offset_ms):
    pairing = made(max_offset_s=offset_ms / 1000, max_wait_s=10.0)
    for ms in sorted(followers):
        pairing.push_follower(ms * MS, ms)
    (pair,) = pairing.push_lead(lead * MS, "rgb") + pairing.flush()
    nearest = min(abs(ms - lead) for ms in followers)
    found = None if pair.follower is None else abs(pair.follower - lead)
    assert found == (nearest if nearest <= offset_ms else None)


def test_after_a_reset_nothing_is_left():
    pairs = Stamps(max_offset_s=0.5, max_wait_s=5.0)
    for ms in (0, 100):
        pairs.follower(ms)
    assert pairs.lead(160) == []
    pairs.pairing.reset()
    assert pairs.pairing.flush() == []
    assert pairs.lead(10) == [("rgb 10", None)], "no follower to wait for"
    pairs.follower(20)
    assert pairs.lead(60) == [], "nor a period of followers"


def test_a_reset_of_the_followers_keeps_the_leads():
    pairs = Stamps(max_offset_s=0.5, max_wait_s=5.0)
    pairs.follower(100)
    assert pairs.lead(160) == []
    pairs.pairing.reset_followers()
    assert Stamps.named(pairs.pairing.flush()) == [("rgb 160", None)]


@pytest.mark.parametrize("bad", [{"max_offset_s": -0.01}, {"max_wait_s": -0.01}, {"queue_size": 0}])
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        made(**bad)
    LeadPairing(max_offset_s=0, max_wait_s=0, queue_size=1)
