"""Runs recordings beside each other: in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from rppg_ros.evaluation.work import EvaluationError, RecordingRef, work
from rppg_ros.settings.evaluation import EvaluationSettings

CONNECT_S = 20.0
Done = tuple[RecordingRef, dict[str, Any]]


def run_here(refs: Sequence[RecordingRef], settings: EvaluationSettings, jobs: int) -> Iterator[Done]:
    """Results as they are finished, from `jobs` processes; 1: in this process.

    Raises
    ------
    EvaluationError : one of the processes was ended from outside, by the kernel for want of memory, for instance.
    """
    if jobs <= 1 or len(refs) <= 1:
        for ref in refs:
            yield ref, work(ref, settings)
        return
    # Forked children would share this process's threads of OpenCV and ONNX Runtime half alive.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(jobs, len(refs)), mp_context=context, initializer=_leave_interrupts_to_the_parent
    ) as pool:
        futures = {pool.submit(work, ref, settings): ref for ref in refs}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool:
            raise EvaluationError(
                "a process of --jobs was ended from outside (out of memory?); run it again in the same output folder to go"
                " on, with fewer --jobs"
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def run_on_cluster(refs: Sequence[RecordingRef], settings: EvaluationSettings, address: str) -> Iterator[Done]:
    """Results as they are finished, from the workers of a Dask scheduler, e.g. "tcp://10.0.0.5:8786".

    The workers must have rppg_ros installed and see recordings and models under the same paths.

    Raises
    ------
    EvaluationError : Dask is not installed, or the scheduler does not answer.
    """
    try:
        from distributed import Client
        from distributed import as_completed as completed
    except ModuleNotFoundError:
        raise EvaluationError("--scheduler needs Dask: pip install 'rppg_ros[evaluation]'") from None
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise EvaluationError(f"scheduler {address}: {error}") from None
    with client:
        futures = {client.submit(work, ref, settings, pure=False): ref for ref in refs}
        for future in completed(futures):
            yield futures[future], future.result()


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C goes to all processes of a terminal: the children would each print a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
