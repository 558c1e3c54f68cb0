"""Whether a truth can be one: of rates that a person can have, and of the time in which the recording was made."""

from __future__ import annotations

import numpy as np

from rppg_ros.datasets.base import Trace, Truth
from rppg_ros.datasets.traces import known_rates
from rppg_ros.limits import Limits
from rppg_ros.types import NS_PER_S, Vital

# Beyond what any person lives with: a device's code for "no value" (511, 255 and the like), a wrong unit or a wrong column.
POSSIBLE: dict[Vital, Limits] = {Vital.BVP: Limits(10.0, 350.0), Vital.RSP: Limits(1.0, 150.0)}
"""Rates, per minute."""
SLACK_NS = NS_PER_S  # devices give a rate a second, and the first may come before the first frame
MAX_WAVE = 1e12  # in whatever unit; squares of more lose all digits


class TruthError(ValueError):
    """A recording without a truth that it could be compared with; says what is wrong with it."""


def possible_truth(truth: Truth) -> Truth:
    """The truth without rates of 0 or less, by which devices say that they have none.

    Raises
    ------
    TruthError : nothing is known, or a value is impossible; names vital, value and time.
    """
    rates: dict[Vital, Trace] = {}
    for vital, trace in truth.rates.items():
        rates |= known_rates(vital, trace)
    truth = Truth(truth.waves, rates)
    if not truth.waves and not truth.rates:
        raise TruthError("no ground truth")
    for vital, trace in truth.rates.items():
        allowed = POSSIBLE[vital]
        known = np.isfinite(trace.values)
        wrong = known & ~((trace.values >= allowed.least) & (trace.values <= allowed.most))
        if wrong.any():
            raise TruthError(
                f"ground truth: {vital} rate of {_first(trace, wrong)}; {allowed.least:g} to {allowed.most:g} per minute are"
                " possible: leave out what the device did not know"
            )
    for vital, trace in truth.waves.items():
        wrong = np.abs(trace.values) > MAX_WAVE
        if wrong.any():
            raise TruthError(f"ground truth: {vital} wave of {_first(trace, wrong)}, of which no arithmetic is left")
    return truth


def check_span(truth: Truth, first_ns: int, last_ns: int) -> str:
    """Whether the truth is of the recording's time.

    Parameters
    ----------
    first_ns, last_ns : stamps of the recording's first and last frame.

    Returns
    -------
    A sentence about vitals whose truth is of another time where others' is not; empty: none.

    Raises
    ------
    TruthError : none of the truth is of that time; gives both spans.
    """
    traces = [
        (f"{vital} {kind}", trace)
        for kind, held in (("wave", truth.waves), ("rate", truth.rates))
        for vital, trace in held.items()
    ]
    outside = [name for name, trace in traces if not _overlap(trace, first_ns, last_ns)]
    if not outside:
        return ""
    if len(outside) < len(traces):
        return f"the ground truth of {', '.join(outside)} lies outside the recording"
    spans = ", ".join(f"{name} {_span(trace, first_ns)}" for name, trace in traces)
    raise TruthError(
        f"ground truth lies outside the recording: {spans} after its first frame, and it is {_s(last_ns - first_ns)} s long"
    )


def _overlap(trace: Trace, first_ns: int, last_ns: int) -> bool:
    stamps_ns = trace.stamps_ns[np.isfinite(trace.values)]
    near = bool(len(stamps_ns)) and stamps_ns[0] <= last_ns + SLACK_NS and stamps_ns[-1] >= first_ns - SLACK_NS
    return bool(near)


def _span(trace: Trace, first_ns: int) -> str:
    if not len(trace.stamps_ns):
        return "without values"
    return f"from {_s(int(trace.stamps_ns[0]) - first_ns)} to {_s(int(trace.stamps_ns[-1]) - first_ns)} s"


def _first(trace: Trace, wrong: np.ndarray) -> str:
    at = int(np.argmax(wrong))
    return f"{trace.values[at]:g} at stamp {int(trace.stamps_ns[at])} ns"


def _s(span_ns: int) -> str:
    return f"{span_ns / NS_PER_S:.3f}"
