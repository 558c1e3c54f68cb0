import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.sync.pairing import LeadPairing

MS = 1_000_000


def run(events, **options):
    """events: (arrival order) of ('rgb' | 'thermal', stamp ms); returns the pairs, then the flushed rest."""
    pairing = LeadPairing(**{"max_offset_s": 0.06, "max_wait_s": 0.05, "queue_size": 32, **options})
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
    assert out[0].offset_ns is None


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


def test_bad_arguments():
    with pytest.raises(ValueError, match="queue_size"):
        LeadPairing(0.06, 0.05, 0)
