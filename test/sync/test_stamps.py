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
