import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros.nodes.messages import (
    CropError,
    crops_from,
    crops_message,
    from_time,
    rate_message,
    sample_messages,
    to_header,
    to_time,
    waveform_message,
)
from rppg_ros.types import Rate, Status, Vital, Waveform
from support.people import crops


@given(st.integers(0, 2**31 * 10**9 - 1))
def test_stamps_survive(stamp_ns):
    assert from_time(to_time(stamp_ns)) == stamp_ns


@pytest.mark.parametrize("thermal", [True, False])
def test_crops_survive(thermal):
    sent = list(crops(seconds=0.05, thermal=thermal))[:1]
    got = crops_from(crops_message(to_header(sent[0].stamp_ns, "camera"), sent))[0]
    np.testing.assert_array_equal(got.rgb, sent[0].rgb)
    assert (got.thermal is None) == (not thermal)
    if thermal:
        np.testing.assert_array_equal(got.thermal, sent[0].thermal)
    for name in ("stamp_ns", "face_id", "thermal_stamp_ns", "thermal_radiometric", "crop_scale", "box"):
        assert getattr(got, name) == getattr(sent[0], name)


@given(st.sampled_from(["rgb", "thermal"]), st.integers(0, 40))
@settings(max_examples=20)
def test_arrays_of_another_length_are_refused(name, length):
    message = crops_message(to_header(1, ""), list(crops(seconds=0.05))[:1])
    setattr(message.faces[0], name, getattr(message.faces[0], name)[:length])
    if name == "thermal" and length == 0:
        assert crops_from(message)[0].thermal is None
        return
    with pytest.raises(CropError, match="abcde"):
        crops_from(message)


def test_waveforms_and_rates():
    wave = Waveform(Vital.RSP, "abcde", 5_000_000_123, 30.0, np.array([1.0, -2.0, 0.5], np.float32), 0.7, "thermal")
    message = waveform_message(wave, "camera")
    assert type(message).__name__ == "Rsp" and from_time(message.header.stamp) == wave.start_ns
    assert list(message.samples) == [1.0, -2.0, 0.5] and message.rate_hz == 30.0 and message.model == "thermal"
    stamps = [from_time(sample.header.stamp) for sample in sample_messages(wave, "camera")]
    assert stamps == [5_000_000_123, 5_033_333_456, 5_066_666_790]
    unknown = rate_message(Rate.unknown(Vital.BVP, "", 7, Status.STALE), "camera")
    assert math.isnan(unknown.value) and unknown.status == unknown.STATUS_STALE and unknown.quality == 0


def test_statuses_are_the_messages_constants():
    for status in Status:
        for vital in Vital:
            message = rate_message(Rate.unknown(vital, "", 1, status), "")
            assert getattr(message, f"STATUS_{status.name}") == status
