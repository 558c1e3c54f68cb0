import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rppg_ros import msg
from rppg_ros.nodes.messages import (
    CropError,
    crops_from,
    crops_message,
    from_time,
    rate_from,
    rate_message,
    sample_messages,
    to_header,
    to_time,
    waveform_message,
)
from rppg_ros.types import Rate, Reason, Status, Vital, Waveform
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
    np.testing.assert_array_equal(got.evidence, sent[0].evidence)
    for name in ("stamp_ns", "face_id", "thermal_stamp_ns", "thermal_radiometric", "crop_scale", "box"):
        assert getattr(got, name) == getattr(sent[0], name)


def test_crops_without_evidence_and_of_a_dead_picture():
    (sent,) = list(crops(seconds=0.04))[:1]
    message = crops_message(to_header(1, ""), [replace(sent, evidence=None)])
    assert crops_from(message)[0].evidence is None and not message.picture_dead
    assert crops_message(to_header(1, ""), [], picture_dead=True).picture_dead


@given(st.sampled_from(["rgb", "thermal", "evidence"]), st.integers(0, 22))
@settings(max_examples=20)
def test_arrays_of_another_length_are_refused(name, length):
    message = crops_message(to_header(1, ""), list(crops(seconds=0.05))[:1])
    setattr(message.faces[0], name, getattr(message.faces[0], name)[:length])
    if name != "rgb" and length == 0:
        assert getattr(crops_from(message)[0], name) is None
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
    why = {"reasons": (Reason.MOVEMENT, Reason.TALKING), "shares": (0.5, 0.25)}
    silent = rate_message(Rate.unknown(Vital.BVP, "", 7, Status.LOW_QUALITY, **why), "camera")
    assert list(silent.reasons) == [silent.REASON_MOVEMENT, silent.REASON_TALKING]
    assert list(silent.reason_shares) == [0.5, 0.25] and math.isnan(silent.low) and math.isnan(silent.high)
    given = Rate(Vital.BVP, "a", 7, 70.0, 1.0, 3.0, 0.9, Status.OK, 10.0, "pos", low=66.0, high=75.0)
    message = rate_message(given, "camera")
    assert (message.low, message.high, list(message.reasons)) == (66.0, 75.0, [])
    assert rate_from(message, Vital.BVP).low == 66.0 and rate_from(silent, Vital.BVP).shares == (0.5, 0.25)
    unknown = rate_message(Rate.unknown(Vital.BVP, "", 7, Status.STALE), "camera")
    assert math.isnan(unknown.value) and unknown.status == unknown.STATUS_STALE and unknown.quality == 0


def test_statuses_are_the_messages_constants():
    for status in Status:
        for vital in Vital:
            message = rate_message(Rate.unknown(vital, "", 1, status), "")
            assert getattr(message, f"STATUS_{status.name}") == status


@pytest.mark.parametrize("message", [msg.HeartRate, msg.RespirationRate])
def test_reasons_have_the_numbers_of_the_messages(message):
    assert {name: getattr(message, f"REASON_{name}") for name in Reason.__members__} == dict(Reason.__members__)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_evidence_that_is_not_finite_is_refused(value):
    """But for degrees: they are unknown without a thermal image."""
    (sent,) = list(crops(seconds=0.04, thermal=False))[:1]
    message = crops_message(to_header(1, ""), [sent])
    assert math.isnan(message.faces[0].evidence[21]) and crops_from(message)[0].evidence is not None
    for i in (0, 14, 18, 22):
        message = crops_message(to_header(1, ""), [sent])
        message.faces[0].evidence[i] = value
        with pytest.raises(CropError, match="'abcde': evidence has numbers that are not finite"):
            crops_from(message)
