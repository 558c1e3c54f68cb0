"""What each stamp says about its frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.sync.stamps import DROPS, StampGuard, Verdict

S = 1_000_000_000


def test_verdicts():
    guard = StampGuard(max_gap_s=0.5)
    steps = [10 * S, 10 * S, 10 * S + 33_000_000, 10 * S + 1, 12 * S, 11 * S + 900_000_000, 3 * S, 0]
    want = ["ok", "duplicate", "ok", "late", "gap", "late", "reset", "unset"]
    assert [guard.check(stamp).value for stamp in steps] == want
    assert guard.dropped == 4
    assert guard.last_ns == 3 * S


@given(st.lists(st.integers(-5, 10_000_000_000), max_size=60))
def test_used_stamps_rise_except_at_resets(stamps):
    guard = StampGuard()
    last = None
    for stamp in stamps:
        verdict = guard.check(stamp)
        if verdict in DROPS:
            continue
        assert stamp > 0
        if last is not None and verdict is not Verdict.RESET:
            assert stamp > last
        last = stamp
    assert sum(guard.counts.values()) == len(stamps)


MS = 1_000_000


@pytest.mark.parametrize(
    ("step_ns", "verdict"),
    [
        (1, Verdict.OK),
        (300 * MS, Verdict.OK),
        (300 * MS + 1, Verdict.GAP),
        (0, Verdict.DUPLICATE),
        (-1, Verdict.LATE),
        (-100 * MS, Verdict.LATE),
        (-100 * MS - 1, Verdict.RESET),
        (-5 * S + 1, Verdict.RESET),  # the first stamp that is one
        (-5 * S, Verdict.UNSET),
        (-6 * S, Verdict.UNSET),
    ],
)
def test_each_step_at_its_limits(step_ns, verdict):
    guard = StampGuard(max_gap_s=0.3, reorder_window_s=0.1)
    assert guard.check(5 * S) is Verdict.OK
    assert guard.check(5 * S + step_ns) is verdict
    used = verdict in (Verdict.OK, Verdict.GAP, Verdict.RESET)
    assert guard.last_ns == 5 * S + (step_ns if used else 0)
    assert guard.dropped == (0 if used else 1)
    assert guard.counts[verdict] == (2 if verdict is Verdict.OK else 1)


@pytest.mark.parametrize(("first", "verdict"), [(1, Verdict.OK), (0, Verdict.UNSET), (-1, Verdict.UNSET)])
def test_the_first_stamp(first, verdict):
    assert StampGuard().check(first) is verdict


def test_usual_limits_are_half_a_second_on_and_a_fifth_back():
    for step_ms, verdict in ((500, "ok"), (501, "gap"), (-200, "late"), (-201, "reset")):
        guard = StampGuard()
        guard.check(5 * S)
        assert guard.check(5 * S + step_ms * MS).value == verdict
