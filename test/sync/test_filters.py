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
