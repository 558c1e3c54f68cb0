"""What the shipped observation models make of waveforms by themselves: right, or no number; never another rate."""

import numpy as np
import pytest

from rppg_ros.settings.halves import VitalsSettings
from rppg_ros.types import Reason, Status, Vital, Waveform
from rppg_ros.vitals.observation import shipped_model
from rppg_ros.vitals.reader import RateReader
from rppg_ros.vitals.registry import RATES
from rppg_ros.vitals.session import session
from rppg_ros.vitals.spectral_evidence import feature_names

HZ = 30.0
SECONDS = {Vital.BVP: 30, Vital.RSP: 70}
WITHIN = {Vital.BVP: 5, Vital.RSP: 2}


def wave_of(per_minute, seconds, seed, noise=0.15, second=0.35):
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * per_minute / 60 * np.arange(seconds * HZ) / HZ + rng.uniform(0, 6)
    return np.sin(phase) + second * np.sin(2 * phase + 0.6) + noise * rng.normal(size=len(phase))


SETTINGS = VitalsSettings()
LEAST = {Vital.BVP: SETTINGS.heart_rate_min_quality, Vital.RSP: SETTINGS.respiration_rate_min_quality}


def rates_of(vital, samples):
    reader, step = RateReader(RATES[vital], LEAST[vital]), int(HZ)
    out = []
    for first in range(0, len(samples), step):
        start_ns = round(first / HZ * 1e9)
        out.append(reader.push(Waveform(vital, "a", start_ns, HZ, samples[first : first + step], 0.0)))
    return [rate for rate in out if rate is not None]


@pytest.mark.parametrize("per_minute", [48, 60, 72, 95, 120, 150, 180])
def test_a_clean_pulse_is_read(per_minute):
    rates = rates_of(Vital.BVP, wave_of(per_minute, 30, 0))
    given = [rate.per_minute for rate in rates if rate.status is Status.OK]
    assert rates[7].status is Status.OK, "8 s are enough where the signal is clean"
    assert len(given) == 23 and max(abs(rate - per_minute) for rate in given) < 3


@pytest.mark.parametrize("per_minute", [20, 24, 27, 30, 33, 35, 36, 204, 208, 216, 225, 240])
@pytest.mark.parametrize("seed", range(3))
def test_a_pulse_out_of_band_is_no_number_or_the_true_one(per_minute, seed):
    rates = rates_of(Vital.BVP, wave_of(per_minute, 60, seed))
    wrong = [rate.per_minute for rate in rates if rate.status is Status.OK and abs(rate.per_minute - per_minute) > 5]
    assert not wrong


@pytest.mark.parametrize("per_minute", [2.5, 3.5, 50, 60])
def test_a_breath_out_of_band_is_no_number_or_the_true_one(per_minute):
    rates = rates_of(Vital.RSP, wave_of(per_minute, 90, 0, second=0.2))
    assert not [r for r in rates if r.status is Status.OK and abs(r.per_minute - per_minute) > 2]


@pytest.mark.parametrize("per_minute", [30, 230])
def test_it_is_found_where_it_is_and_named(per_minute):
    last = rates_of(Vital.BVP, wave_of(per_minute, 40, 1))[-1]
    assert last.status is Status.LOW_QUALITY and last.reasons[0] is Reason.OUT_OF_RANGE


@pytest.mark.parametrize("vital", list(Vital))
@pytest.mark.parametrize("falls", [0.0, 0.5, 1.0])
def test_noise_is_no_sign_of_life(vital, falls):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        lines = np.fft.rfft(rng.normal(size=int(90 * HZ)))
        lines[1:] *= np.arange(1, len(lines)) ** -falls
        rates = rates_of(vital, np.fft.irfft(lines))
        assert all(rate.status is not Status.OK for rate in rates)


@pytest.mark.parametrize(("vital", "per_minute"), [(Vital.BVP, 66), (Vital.RSP, 14)])
def test_a_session_has_one_result_with_an_interval(vital, per_minute):
    found = session(vital, wave_of(per_minute, SECONDS[vital], 2, noise=0.3), HZ)
    assert found.overall.low < per_minute < found.overall.high
    assert found.overall.per_minute == pytest.approx(per_minute, abs=1.5) and found.overall.quality > 0.7
    assert len(found.seconds) == len(found.at_s) and found.at_s[-1] == SECONDS[vital]


def test_a_session_too_short_or_flat_has_none():
    assert session(Vital.BVP, wave_of(60, 7, 0), HZ) is None
    assert session(Vital.BVP, np.zeros(900), HZ) is None
    assert session(Vital.BVP, np.full(900, np.nan), HZ) is None


@pytest.mark.parametrize("vital", list(Vital))
def test_the_files_fit_the_features(vital):
    model = shipped_model(vital)
    assert model.layers[0][0].shape[1] == len(feature_names(vital)) and model.layers[-1][0].shape[0] == 3
    assert model.prior.sum() == pytest.approx(1) and model.switch.sum(axis=1) == pytest.approx(1)
    assert 0.1 < model.drift < 5 and 0 < model.jump < 0.2 and 0 < model.again < 1 and model.first > 0.2
