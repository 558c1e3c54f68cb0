"""The physics of PHASE-Net: state space, causal convolution and finite approximation of a damped oscillator."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from rppg_ros.synthesis.oscillator import DampedOscillator


def _oscillator(damping, frequency_hz, step_s):
    try:
        oscillator = DampedOscillator(damping, frequency_hz, step_s)
    except ValueError:
        return None
    return oscillator if abs(oscillator.poles()[0]) < SLOWEST else None


SLOWEST = 0.995  # pole: slower ones take thousands of samples to die out, and are no different
FAR = 8000  # samples after which nothing is left of any of them
oscillators = st.builds(
    _oscillator, st.floats(0.2, 40), st.floats(0.3, 5), st.sampled_from([0.01, 1 / 60, 1 / 30, 0.04])
).filter(bool)
seeds = st.integers(0, 2**31)


def pushes(seed, length=200):
    return np.random.default_rng(seed).uniform(-1, 1, length)


def convolve(oscillator, push):
    return np.convolve(push, oscillator.impulse_response(len(push)))[: len(push)]


@given(oscillator=oscillators, seed=seeds)
def test_proposition_1_state_space_is_a_causal_convolution(oscillator, seed):
    push = pushes(seed)
    simulated = oscillator.simulate(push)
    scale = np.abs(oscillator.impulse_response(len(push))).sum()
    assert np.abs(simulated - convolve(oscillator, push)).max() <= 1e-9 * scale
    assert np.abs(simulated - oscillator.respond(push)).max() <= 1e-9 * scale


@given(oscillator=oscillators, seed=seeds, length=st.integers(1, 300))
def test_proposition_2_a_finite_response_is_off_by_no_more_than_the_rest(oscillator, seed, length):
    push = pushes(seed, 400)
    error = np.abs(oscillator.respond(push) - oscillator.fir(push, length)).max()
    assert error <= oscillator.tail(length) + 1e-13 * oscillator.tail(0)


@given(oscillator=oscillators, length=st.integers(1, 60))
def test_proposition_2_the_bound_is_attained(oscillator, length):
    """By the push that is, backwards in time, the sign of what was cut off."""
    push = np.sign(oscillator.impulse_response(FAR))[::-1].copy()
    error = abs(oscillator.respond(push)[-1] - oscillator.fir(push, length)[-1])
    assert error == pytest.approx(oscillator.tail(length), rel=1e-9, abs=1e-13 * oscillator.tail(0))


@given(oscillator=oscillators, share=st.floats(1e-6, 0.9))
def test_taps_for_an_error_are_the_fewest(oscillator, share):
    error = share * oscillator.tail(0)
    taps = oscillator.fir_length(error)
    assert oscillator.tail(taps) <= error * (1 + 1e-9)
    assert taps == 0 or oscillator.tail(taps - 1) > error * (1 - 1e-9)


@given(oscillator=oscillators)
def test_closed_form_is_the_recursion(oscillator):
    impulse = np.zeros(300)
    impulse[0] = 1
    found = oscillator.impulse_response(300)
    np.testing.assert_allclose(found, oscillator.simulate(impulse), rtol=0, atol=1e-10 * np.abs(found).max())


@given(oscillator=oscillators)
def test_poles_are_the_eigenvalues_and_lie_inside_the_circle(oscillator):
    poles = sorted(oscillator.poles(), key=lambda p: (p.real, p.imag))
    eigenvalues = sorted(np.linalg.eigvals(oscillator.state_space()[0]), key=lambda p: (p.real, p.imag))
    np.testing.assert_allclose(poles, eigenvalues, atol=1e-6)
    assert max(map(abs, poles)) < 1


@pytest.mark.parametrize(("damping", "hz"), [(2.0, 1.2), (0.5, 2.0), (30.0, 1.0)])
def test_small_steps_come_to_the_differential_equation(damping, hz):
    t = np.arange(0, 3, 1e-4)
    push = np.sin(2 * np.pi * 1.1 * t)
    found = DampedOscillator(damping, hz, 1e-4).respond(push)
    system = signal.lti([1.0], [1.0, damping, (2 * math.pi * hz) ** 2])
    _, expected, _ = signal.lsim(system, push, t)
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()


def test_double_pole():
    """Critically damped once sampled: (2 - a h - s)^2 = 4 (1 - a h), s = (w h)^2."""
    h, ah = 0.01, 0.36
    stiffness = 2 - ah - 2 * math.sqrt(1 - ah)
    oscillator = DampedOscillator(ah / h, math.sqrt(stiffness) / (2 * math.pi * h), h)
    impulse = np.zeros(100)
    impulse[0] = 1
    np.testing.assert_allclose(oscillator.impulse_response(100), oscillator.simulate(impulse), rtol=1e-5, atol=1e-12)


def test_goes_on_from_a_state():
    oscillator = DampedOscillator(1.0, 1.0, 0.01)
    push = pushes(1, 50)
    assert oscillator.simulate(np.zeros(3), np.array([0.5, 0.0]))[0] == 0.5
    free = oscillator.simulate(np.zeros(50), np.array([0.1, -2.0]))
    both = oscillator.simulate(push, np.array([0.1, -2.0]))
    np.testing.assert_allclose(both, free + oscillator.respond(push), atol=1e-12)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0.0, 1.0, 0.01), "damping must be positive"),
        ((1.0, -1.0, 0.01), "frequency_hz must be positive"),
        ((1.0, 1.0, math.nan), "step_s must be positive"),
        ((300.0, 1.0, 0.01), "unstable"),
        ((1.0, 40.0, 0.01), "unstable"),
    ],
)
def test_what_cannot_be_sampled_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        DampedOscillator(*values)


def test_an_error_must_be_positive():
    with pytest.raises(ValueError, match="error must be positive"):
        DampedOscillator(1.0, 1.0, 0.01).fir_length(0.0)
