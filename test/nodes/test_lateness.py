import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.nodes.lateness import HELD_UP_S, Lateness

S = 1_000_000_000


def heard(arrivals):
    lateness, late = Lateness(), []
    for at_s, stamp_s in arrivals:
        lateness.push(at_s, round(stamp_s * S))
        late.append(lateness.seconds)
    return late


@given(st.floats(0.1, 10.0), st.floats(-1e6, 1e6))
def test_a_replay_of_any_speed_and_clock_is_not_late(speed, clock_s):
    assert not any(heard((i / 30, clock_s + speed * i / 30) for i in range(100)))


def test_a_node_that_was_held_up_is_late_until_the_queue_is_worked_off():
    before = [(i / 30, i / 30) for i in range(30)]
    queue = [(9.0 + i / 1000, 1.0 + i / 30) for i in range(240)]
    after = [(9.24 + i / 30, 9.0 + i / 30) for i in range(60)]
    late = heard(before + queue + after)
    assert not any(late[:30])
    assert late[30] == pytest.approx(8.0, abs=0.1)
    assert late[30 + 120] == pytest.approx(4.0, abs=0.3)
    assert max(late[-59:]) == 0.0


def test_a_source_that_paused_is_late_for_one_message():
    late = heard([(i / 30, i / 30) for i in range(30)] + [(20 + i / 30, 1 + i / 30) for i in range(30)])
    assert late[30] > HELD_UP_S and not any(late[31:])


def test_a_pause_that_the_stamps_have_too_is_none():
    assert not any(heard([(0.0, 0.0), (8.0, 8.0), (8.1, 8.1)]))


def test_a_jump_back_is_no_lateness_that_stays():
    late = heard([(0.0, 100.0), (0.1, 50.0), (0.2, 50.1), (0.3, 50.2)])
    assert not any(late[2:])
