"""Which window comes from which source, and which process makes it: from its number alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

LEAST_SHARE = 1e-9  # less gives no window in any epoch, and only trouble in divisions


def mix(shares: Sequence[float], count: int) -> np.ndarray:
    """Source of each of `count` windows: (count,) int64, indices into `shares`.

    Of the first n windows, any n, each source has its share of n to within one window (Tijdeman 1980, "The chairman
    assignment problem"), so that batches of neighbours are mixed too.

    Parameters
    ----------
    shares : of each source, 0 or more, sum above 0; they are divided by their sum.

    Raises
    ------
    ValueError : no shares, a negative one, or all 0.
    """
    parts = np.asarray(shares, dtype=np.float64)
    if not len(parts) or not np.isfinite(parts).all() or float(np.min(parts)) < 0 or parts.sum() <= 0:
        raise ValueError(f"shares must be 0 or more and not all 0, not {list(shares)}")
    parts = parts / parts.sum()
    used = np.flatnonzero(parts > LEAST_SHARE)
    parts = parts[used]
    out = np.full(count, used[0], dtype=np.int64)
    if len(used) == 1:
        return out
    given = np.zeros(len(used))
    least = 1 / (2 * len(used) - 2)
    for index in range(count):
        owed = parts * (index + 1) - given
        # Of those who may have it, it goes to the one who must have one soonest.
        soon = np.where(owed >= least - 1e-9, (1 - least - owed) / parts, np.inf)
        chosen = int(np.argmin(soon))
        given[chosen] += 1
        out[index] = used[chosen]
    return out


def shared_out(count: int | None, block: int, rank: int, ranks: int, worker: int, workers: int) -> Iterator[int]:
    """Numbers of the windows that one loader worker of one rank makes, rising.

    Windows are shared out by batches of `block` neighbours: rank r takes batches r, r + ranks, ... and its workers take turns.
    A loader asks its workers in turn, so a rank's batches and their order are the same for any number of workers.

    Parameters
    ----------
    count : windows in all; None: without end. A last batch may be shorter.
    """
    batch = worker * ranks + rank
    while count is None or batch * block < count:
        last = (batch + 1) * block
        yield from range(batch * block, last if count is None else min(last, count))
        batch += workers * ranks
