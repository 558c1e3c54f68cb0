"""Windows by shares and by processes: each source its share, each window made once, the same in any arrangement."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rppg_ros.training.mixing import mix, shared_out

all_shares = st.lists(st.floats(0, 1), min_size=1, max_size=6).filter(lambda shares: sum(shares) > 0.01)


@given(all_shares, st.integers(1, 400))
def test_each_source_has_its_share_of_the_first_n_whatever_n(shares, count):
    sources = mix(shares, count)
    parts = np.array(shares) / sum(shares)
    given_so_far = np.cumsum(sources[:, None] == np.arange(len(shares)), axis=0)
    owed = np.arange(1, count + 1)[:, None] * parts
    assert np.abs(given_so_far - owed).max() <= 1 + 1e-6
    assert set(sources) <= set(np.flatnonzero(parts > 0))


@given(all_shares, st.integers(1, 200))
def test_the_same_shares_give_the_same_sources(shares, count):
    np.testing.assert_array_equal(mix(shares, count), mix(shares, count))
    np.testing.assert_array_equal(mix(shares, count), mix(shares, 2 * count)[:count])


@pytest.mark.parametrize("shares", [[], [0.0, 0.0], [0.5, -0.1], [float("nan")]])
def test_shares_that_are_none(shares):
    with pytest.raises(ValueError, match="shares must be 0 or more and not all 0"):
        mix(shares, 3)


places = st.tuples(st.integers(0, 100), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4))


@given(places)
def test_every_window_is_made_once(place):
    count, batch, ranks, workers = place
    made = [
        index
        for rank in range(ranks)
        for worker in range(workers)
        for index in shared_out(count, batch, rank, ranks, worker, workers)
    ]
    assert sorted(made) == list(range(count))


@given(places)
def test_a_ranks_batches_are_the_same_for_any_number_of_workers(place):
    count, batch, ranks, workers = place
    count -= count % (batch * ranks)
    for rank in range(ranks):
        alone = list(shared_out(count, batch, rank, ranks, 0, 1))
        streams = [list(shared_out(count, batch, rank, ranks, worker, workers)) for worker in range(workers)]
        in_turn = [
            streams[i % workers][i // workers * batch : i // workers * batch + batch]
            for i in range(len(alone) // batch)
        ]
        assert [index for part in in_turn for index in part] == alone
        assert len(alone) == count // ranks
