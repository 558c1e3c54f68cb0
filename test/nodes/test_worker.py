"""The worker thread, led step by step by events; nothing here waits for time to pass."""

import threading

import pytest

from rppg_ros.nodes.worker import Worker

LONG_S = 240.0  # only what never comes reaches it


class Bench:
    """A worker whose jobs are told when to begin and when to end; a job is a name, results are two per job."""

    def __init__(self, queue_size=3, keep=(), gated=True):
        self.began, self.go = threading.Semaphore(0), threading.Semaphore(0)
        self.told = threading.Semaphore(0)
        self.ran, self.errors, self.threads, self.gated = [], [], set(), gated
        self.worker = Worker(self.work, self.told.release, self.errors.append, lambda job: job not in keep, queue_size)

    def work(self, job):
        self.threads.add(threading.current_thread().name)
        self.ran.append(job)
        if self.gated:
            self.began.release()
            assert self.go.acquire(timeout=LONG_S)
        if job.startswith("bad"):
            raise ValueError(job)
        return [] if job.startswith("mute") else [f"{job}1", f"{job}2"]

    def wait_begun(self):
        assert self.began.acquire(timeout=LONG_S)

    def finish(self, jobs):
        """Let so many jobs end, and wait for the thread's end."""
        for _ in range(jobs):
            self.go.release()
        assert self.worker.stop(LONG_S)


def test_jobs_run_in_order_and_results_wait_to_be_taken():
    bench = Bench(gated=False, queue_size=9)
    bench.worker.submit(["a", "b"])
    bench.worker.submit(["c"])
    bench.finish(0)
    assert bench.ran == ["a", "b", "c"] and bench.threads == {"rppg_worker"}
    assert bench.worker.take() == ["a1", "a2", "b1", "b2", "c1", "c2"] and bench.worker.take() == []
    assert bench.worker.done == 3 and bench.worker.dropped == 0 and not bench.errors


def test_it_is_told_after_each_job_that_has_results():
    bench = Bench(queue_size=9)
    bench.worker.submit(["a", "mute", "b"])
    bench.go.release()
    assert bench.told.acquire(timeout=LONG_S)
    assert bench.worker.take() == ["a1", "a2"], "what it was told of is there"
    bench.finish(2)
    assert bench.told.acquire(timeout=LONG_S) and not bench.told.acquire(blocking=False), "nothing of the mute one"
    assert bench.worker.done == 3


def test_what_waits_and_what_is_pending():
    bench = Bench()
    assert bench.worker.waiting == bench.worker.pending == 0
    bench.worker.submit(["a"])
    bench.wait_begun()
    assert (bench.worker.waiting, bench.worker.pending) == (0, 1), "the running one"
    bench.worker.submit(["b", "mute"])
    assert (bench.worker.waiting, bench.worker.pending, bench.worker.done) == (2, 3, 0)
    bench.go.release()
    bench.wait_begun()
    assert (bench.worker.waiting, bench.worker.pending, bench.worker.done) == (1, 4, 1), "mute, b, and two results"
    bench.finish(2)
    assert (bench.worker.waiting, bench.worker.pending, bench.worker.done) == (0, 4, 3)
    bench.worker.take()
    assert bench.worker.pending == 0


def test_a_full_queue_drops_its_oldest():
    bench = Bench(queue_size=2)
    bench.worker.submit(["a"])
    bench.wait_begun()
    bench.worker.submit(["b", "c"])
    assert bench.worker.dropped == 0
    bench.worker.submit(["d", "e"])
    assert bench.worker.dropped == 2 and bench.worker.waiting == 2
    bench.finish(3)
    assert bench.ran == ["a", "d", "e"]


def test_what_may_not_be_dropped_is_passed_over():
    bench = Bench(queue_size=2, keep={"b", "d", "e", "f"})
    bench.worker.submit(["a"])
    bench.wait_begun()
    bench.worker.submit(["b", "c", "d"])
    assert bench.worker.dropped == 1
    bench.worker.submit(["e", "f"])
    assert bench.worker.dropped == 1 and bench.worker.waiting == 4, "all of these must be kept"
    bench.finish(5)
    assert bench.ran == ["a", "b", "d", "e", "f"]


def test_the_running_job_is_not_dropped():
    bench = Bench(queue_size=1)
    bench.worker.submit(["a"])
    bench.wait_begun()
    bench.worker.submit(["b", "c"])
    bench.finish(2)
    assert bench.ran == ["a", "c"]


def test_an_error_is_reported_and_the_thread_goes_on():
    bench = Bench(gated=False, queue_size=9)
    bench.worker.submit(["bad", "a", "bad too"])
    bench.finish(0)
    assert [str(error) for error in bench.errors] == ["bad", "bad too"]
    assert bench.worker.take() == ["a1", "a2"] and bench.worker.done == 3


def test_a_job_that_comes_to_an_idle_thread_wakes_it():
    bench = Bench(gated=False)
    for name in ("a", "b"):
        bench.worker.submit([name])
        assert bench.told.acquire(timeout=LONG_S)
    bench.worker.submit([])
    bench.finish(0)
    assert bench.ran == ["a", "b"]


def test_stop_finishes_what_waits_and_says_when_it_could_not():
    bench = Bench(queue_size=9)
    bench.worker.submit(["a", "b"])
    bench.wait_begun()
    assert bench.worker.stop(0.0) is False
    bench.finish(2)
    assert bench.ran == ["a", "b"] and bench.worker.stop(0.0) is True


def test_an_idle_worker_stops():
    bench = Bench()
    assert bench.worker.stop(LONG_S) and bench.ran == []


def test_the_thread_does_not_keep_a_process_alive():
    bench = Bench()
    assert bench.worker._thread.daemon
    bench.finish(0)


def test_busy_seconds_are_those_of_the_threads_own_cpu(monkeypatch):
    ticks = iter([10.0, 12.5, 20.0, 21.0])
    monkeypatch.setattr("rppg_ros.nodes.worker.time.thread_time", lambda: next(ticks))
    bench = Bench(gated=False)
    assert bench.worker.busy_s == 0
    bench.worker.submit(["a", "bad"])
    bench.finish(0)
    assert bench.worker.busy_s == pytest.approx(2.5 + 1.0)
