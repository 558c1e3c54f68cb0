"""The synchronisers, on scripted arrivals."""

from types import SimpleNamespace

import pytest

from rppg_ros.sync.filters import ApproximateTimeSynchronizer, SimpleFilter, TimeSynchronizer

MS = 1_000_000


def message(name, ms):
    stamp = SimpleNamespace(sec=ms // 1000, nanosec=ms % 1000 * MS)
    return SimpleNamespace(name=name, ms=ms, header=SimpleNamespace(stamp=stamp))


def run(events, make):
    inputs = {"a": SimpleFilter(), "b": SimpleFilter()}
    sync, got = make(list(inputs.values())), []
    sync.registerCallback(lambda a, b: got.append((a.ms, b.ms)))
    for name, ms in events:
        inputs[name].signalMessage(message(name, ms))
    return got, sync


def test_exact_pairs_only_equal_stamps():
    events = [("a", 10), ("b", 11), ("a", 20), ("b", 20), ("b", 30), ("a", 30)]
    assert run(events, lambda fs: TimeSynchronizer(fs, 10))[0] == [(20, 20), (30, 30)]


def test_approximate_pairs_the_nearest_within_slop_once():
    events = [("a", 0), ("b", 5), ("a", 33), ("b", 60), ("a", 66), ("b", 200), ("a", 300)]
    got, _ = run(events, lambda fs: ApproximateTimeSynchronizer(fs, 10, 0.03))
    assert got == [(0, 5), (33, 60)]


def test_queues_stay_bounded_and_a_jump_back_clears_them():
    events = [("a", i * 10) for i in range(500)] + [("a", 5), ("b", 5)]
    got, sync = run(events, lambda fs: TimeSynchronizer(fs, 7))
    assert got == [(5, 5)] and all(len(queue) <= 7 for queue in sync._queues)


def test_a_callback_that_raises_blocks_nothing():
    inputs = [SimpleFilter(), SimpleFilter()]
    sync, got = TimeSynchronizer(inputs, 5), []

    def callback(a, b):
        got.append(a.ms)
        raise RuntimeError("mine")

    sync.registerCallback(callback)
    for ms in (1, 2):
        inputs[0].signalMessage(message("a", ms))
        with pytest.raises(RuntimeError):
            inputs[1].signalMessage(message("b", ms))
    assert got == [1, 2]


def approximate(slop=0.03, queue_size=10):
    return lambda fs: ApproximateTimeSynchronizer(fs, queue_size, slop)


def test_callbacks_are_counted_and_get_their_arguments():
    source, got = SimpleFilter(), []
    assert source.registerCallback(lambda *args: got.append(args), "x", 2) == 0
    assert source.registerCallback(lambda *args: got.append(args)) == 1
    source.signalMessage("message", "other")
    assert got == [("message", "other", "x", 2), ("message", "other")]


@pytest.mark.parametrize(("apart_ms", "matched"), [(29, True), (30, False), (-29, True), (-30, False)])
def test_slop_is_the_first_difference_too_large(apart_ms, matched):
    got, _ = run([("a", 5000), ("b", 5000 + apart_ms)], approximate())
    assert got == ([(5000, 5000 + apart_ms)] if matched else [])


def test_stamps_are_seconds_and_nanoseconds():
    """1.9 s and 2.0 s are 100 ms apart, though their nanoseconds are 900 ms apart; 1.5 and 2.5 s are not equal."""
    assert run([("a", 1900), ("b", 2000)], approximate(0.101))[0] == [(1900, 2000)]
    assert run([("a", 1900), ("b", 2000)], approximate(0.099))[0] == []
    assert run([("a", 1500), ("b", 2500)], approximate(0.5))[0] == []
    assert run([("a", 1400), ("b", 1600)], approximate(0.1))[0] == []


def test_the_nearest_of_several_is_taken_and_older_ones_are_spent():
    got, sync = run([("a", 1000), ("a", 1020), ("a", 1040), ("b", 1025), ("b", 1005)], approximate(0.03))
    assert got == [(1020, 1025)], "1000 is older than what was matched: it matches no more"
    assert [sorted(queue) for queue in sync._queues] == [[1040 * MS], [1005 * MS]]


@pytest.mark.parametrize(("back_ms", "cleared"), [(200, False), (201, True)])
def test_a_jump_back_beyond_reordering_clears_all_queues(back_ms, cleared):
    events = [("b", 5000), ("a", 5100), ("a", 5100 - back_ms)]
    _, sync = run(events, approximate(0.01))
    kept = [sorted(stamp // MS for stamp in queue) for queue in sync._queues]
    assert kept == ([[5100 - back_ms], []] if cleared else [[5100 - back_ms, 5100], [5000]])


def test_a_late_message_still_finds_its_partner():
    assert run([("a", 1000), ("a", 1030), ("b", 1030), ("b", 1060), ("a", 1060)], approximate(0.005))[0] == [
        (1030, 1030),
        (1060, 1060),
    ]


def test_each_queue_keeps_the_newest():
    _, sync = run([("a", 1000 + 10 * i) for i in range(8)], approximate(0.001, 3))
    assert [sorted(stamp // MS for stamp in queue) for queue in sync._queues] == [[1050, 1060, 1070], []]


def test_three_inputs_wait_for_each_other():
    inputs, got = [SimpleFilter() for _ in range(3)], []
    sync = ApproximateTimeSynchronizer(inputs, 10, 0.03)
    sync.registerCallback(lambda *messages: got.append([m.ms for m in messages]))
    for index, ms in ((0, 1000), (2, 1010), (0, 1040), (1, 1015)):
        inputs[index].signalMessage(message("x", ms))
    assert got == [[1000, 1015, 1010]]


def test_a_message_without_a_stamp_is_refused_at_once():
    with pytest.raises(ValueError, match="allow_headerless"):
        ApproximateTimeSynchronizer([SimpleFilter()], 10, 0.1, allow_headerless=True)
