"""The three policies: who goes on, with whom."""

import pytest

from rppg_ros.sync.policies import RGB, THERMAL, RgbLeads, Synchronised, make_pairing

MS = 1_000_000
S = 1000 * MS


def run(policy, events, max_offset_s=0.06, queue_size=8, flush=True):
    pairing = make_pairing(policy, max_offset_s, 0.05, queue_size)
    out = [pair for stream, stamp_ns in events for pair in pairing.push(stream, stamp_ns, f"{stream}{stamp_ns}")]
    out += pairing.flush() if flush else []
    return [(pair.stamp_ns, pair.lead, pair.follower) for pair in out]


def both(rgb_ms, thermal_ms):
    events = [(RGB, S + t * MS) for t in rgb_ms] + [(THERMAL, S + t * MS) for t in thermal_ms]
    return sorted(events, key=lambda event: event[1])


def test_rgb_leads_lets_every_rgb_image_go_on():
    out = run("rgb_leads", both(range(0, 300, 33), (5, 105, 205)))
    assert [stamp for stamp, _, _ in out] == [S + t * MS for t in range(0, 300, 33)]
    assert out[0][1:] == (f"rgb{S}", None), "nothing is waited for that has never come"
    assert out[3][1:] == (f"rgb{S + 99 * MS}", f"thermal{S + 105 * MS}")


def test_exact_wants_equal_stamps():
    out = run("exact", both((0, 33, 66, 99), (0, 34, 66)))
    assert [stamp for stamp, _, _ in out] == [S, S + 66 * MS]
    assert all(lead[3:] == follower[7:] for _, lead, follower in out)


def test_approximate_wants_stamps_nearer_than_the_offset():
    out = run("approximate", both((0, 100, 200), (20, 150, 210)), max_offset_s=0.03)
    assert [stamp for stamp, _, _ in out] == [S, S + 200 * MS]


def test_a_reset_of_the_rgb_clock_forgets_both():
    pairing = make_pairing("rgb_leads", 0.06, 0.05, 8)
    pairing.push(THERMAL, 10 * S, "old")
    pairing.push(RGB, 10 * S + 40 * MS, "waits")
    pairing.reset(RGB)
    assert pairing.flush() == [] and pairing.push(RGB, 10 * S, "new")[0].follower is None


def test_a_reset_of_the_thermal_clock_keeps_rgb():
    pairing = make_pairing("rgb_leads", 0.06, 0.05, 8)
    pairing.push(THERMAL, 10 * S, "old")
    assert pairing.push(RGB, 10 * S + 20 * MS, "waits") == []
    pairing.reset(THERMAL)
    (pair,) = pairing.flush()
    assert (pair.lead, pair.follower) == ("waits", None)


@pytest.mark.parametrize("policy", ["exact", "approximate"])
def test_a_reset_of_a_synchroniser_forgets_both(policy):
    pairing = make_pairing(policy, 0.06, 0.05, 8)
    pairing.push(THERMAL, S, "old")
    pairing.reset(THERMAL)
    assert pairing.push(RGB, S, "new") == []


def test_the_offset_can_be_tuned_while_frames_flow():
    for policy in ("rgb_leads", "approximate"):
        pairing = make_pairing(policy, 0.06, 0.0, 8)
        pairing.push(THERMAL, S, "t")
        assert pairing.push(RGB, S + 40 * MS, "a")[0].follower == "t"
        pairing.tune(0.01, 0.0)
        pairing.push(THERMAL, 2 * S, "u")
        late = pairing.push(RGB, 2 * S + 40 * MS, "b") + pairing.flush()
        assert [pair.follower for pair in late] in ([None], [])


def test_names_make_what_they_say():
    assert isinstance(make_pairing("rgb_leads", 0.1, 0.1, 1), RgbLeads)
    assert isinstance(make_pairing("exact", 0.1, 0.1, 1), Synchronised)
