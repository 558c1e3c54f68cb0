"""One thread beside the executor for the network; jobs wait in a bounded queue that drops the oldest."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

WORKER_NAME = "rppg_worker"


class Worker:
    """Runs `work(job)` on one thread, in order; results wait until they are taken.

    Parameters
    ----------
    work : what to do with a job; returns a list of results. What it raises goes to `on_error` and the thread goes on.
    on_result : called on the worker's thread when there is something to take.
    queue_size : jobs that may wait; beyond it the oldest that `may_drop` is dropped and counted; may be changed.
    """

    def __init__(
        self,
        work: Callable[[Any], list[Any]],
        on_result: Callable[[], None],
        on_error: Callable[[Exception], None],
        may_drop: Callable[[Any], bool],
        queue_size: int,
    ) -> None:
        self._work, self._on_result, self._on_error, self._may_drop = work, on_result, on_error, may_drop
        self.queue_size = queue_size
        self._jobs: deque[Any] = deque()
        self._results: deque[Any] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._running = 0
        self.dropped = 0
        self.done = 0
        self.busy_s = 0.0
        self._thread = threading.Thread(target=self._loop, name=WORKER_NAME, daemon=True)
        self._thread.start()

    def submit(self, jobs: list[Any]) -> None:
        """Queue jobs; never waits."""
        if not jobs:
            return
        with self._wake:
            self._jobs.extend(jobs)
            while len(self._jobs) > self.queue_size and self._drop_oldest():
                self.dropped += 1
            self._wake.notify()

    def take(self) -> list[Any]:
        """All results so far, in order."""
        with self._wake:
            results = list(self._results)
            self._results.clear()
        return results

    @property
    def waiting(self) -> int:
        """Jobs not begun."""
        return len(self._jobs)

    @property
    def pending(self) -> int:
        """Jobs that were submitted and whose results were not taken yet."""
        with self._wake:
            return len(self._jobs) + self._running + len(self._results)

    def stop(self, timeout_s: float = 5.0, drop: bool = False) -> bool:
        """Finish what waits, or drop it, then end the thread; False if it did not end in time."""
        with self._wake:
            if drop:
                self._jobs.clear()
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _drop_oldest(self) -> bool:
        for index, job in enumerate(self._jobs):
            if self._may_drop(job):
                del self._jobs[index]
                return True
        return False

    def _loop(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._jobs or self._stopping)
                if not self._jobs:
                    return
                job = self._jobs.popleft()
                self._running = 1
            self._run(job)

    def _run(self, job: Any) -> None:
        started = time.thread_time()
        try:
            results = self._work(job)
        except Exception as error:  # a bad window must not end the node
            results = []
            self._on_error(error)
        self.busy_s += time.thread_time() - started
        with self._wake:
            self.done += 1
            self._running = 0
            self._results.extend(results)
        if results:
            self._on_result()
