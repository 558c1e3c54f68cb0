"""The pulse as a damped oscillator, and why a causal convolution can measure it (PHASE-Net, arXiv 2509.24850).

Blood volume under the skin answers the heart's push u as z'' + a z' + w^2 z = u. Sampled by the semi-implicit Euler
method it is a linear state space; its output is exactly a causal convolution with an impulse response g[m]
(Proposition 1), and cutting g off after K samples costs no more than the rest of g adds up to (Proposition 2): a network
of causal convolutions that reaches back K frames can follow the physics as closely as K allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter


@dataclass(frozen=True, slots=True)
class DampedOscillator:
    """z'' + a z' + w^2 z = u, sampled every `step_s`.

    Attributes
    ----------
    damping : a, 1/s; more than 0.
    frequency_hz : w / 2 pi; more than 0.
    step_s : h, seconds.

    Raises
    ------
    ValueError : when a value is not positive, or the sampled oscillator would grow without end: that needs
        a h < 2 and (w h)^2 < 4 - 2 a h.
    """

    damping: float
    frequency_hz: float
    step_s: float

    def __post_init__(self) -> None:
        for name in ("damping", "frequency_hz", "step_s"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be positive, not {getattr(self, name)}")
        ah = self.damping * self.step_s
        if ah >= 2 or self._stiffness >= 4 - 2 * ah:
            raise ValueError(
                f"step_s {self.step_s:g} is too long for damping {self.damping:g} 1/s at {self.frequency_hz:g} Hz: "
                "the sampled oscillator is unstable"
            )

    @property
    def _stiffness(self) -> float:
        return (2 * math.pi * self.frequency_hz * self.step_s) ** 2

    def state_space(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A (2, 2), B (2,), C (2,) of x[n+1] = A x[n] + B u[n], z[n] = C x[n]; x is position and velocity.

        Semi-implicit Euler: v[n+1] = v[n] + h (u[n] - a v[n] - w^2 z[n]), then z[n+1] = z[n] + h v[n+1].
        """
        h, kept = self.step_s, 1 - self.damping * self.step_s
        a = np.array([[1 - self._stiffness, h * kept], [-self._stiffness / h, kept]])
        return a, np.array([h * h, h]), np.array([1.0, 0.0])

    def simulate(self, push: np.ndarray, state: np.ndarray | None = None) -> np.ndarray:
        """Positions z[0..n-1] for a push u (n,), from a state (position, velocity), at rest by default."""
        a, b, c = self.state_space()
        x = np.zeros(2) if state is None else np.asarray(state, dtype=np.float64)
        positions = np.empty(len(push))
        for n, u in enumerate(push):
            positions[n] = c @ x
            x = a @ x + b * u
        return positions

    def respond(self, push: np.ndarray) -> np.ndarray:
        """The same from rest, as the recursive filter it is; fast."""
        trace, determinant = self._trace_determinant()
        h2 = self.step_s**2
        return lfilter([0.0, h2], [1.0, -trace, determinant], np.asarray(push, dtype=np.float64))

    def impulse_response(self, length: int) -> np.ndarray:
        """g[0..length-1] in closed form: g[0] = 0, g[m] = h^2 (p^m - q^m) / (p - q), p and q the poles.

        For complex poles r e^(+-i theta) that is h^2 r^(m-1) sin(m theta) / sin(theta); for a double pole, h^2 m r^(m-1).
        """
        m = np.arange(length, dtype=np.float64)
        h2 = self.step_s**2
        p, q = self.poles()
        if abs(p - q) < 1e-7 * abs(p):
            mean = ((p + q) / 2).real
            return h2 * m * mean ** np.maximum(m - 1, 0)
        # A pole of exactly 0 (a h = 1) is 0^0 = 1 at m = 0, where the difference is 0 all the same.
        return h2 * ((np.power(p, m) - np.power(q, m)) / (p - q)).real

    def poles(self) -> tuple[complex, complex]:
        """Eigenvalues of A, the larger first; both inside the unit circle."""
        trace, determinant = self._trace_determinant()
        root = np.emath.sqrt(trace * trace / 4 - determinant)
        both = (complex(trace / 2 + root), complex(trace / 2 - root))
        return both if abs(both[0]) >= abs(both[1]) else both[::-1]

    def tail(self, length: int) -> float:
        """Sum over m >= length of |g[m]|: the most that a FIR of that length is off, for pushes of at most 1.

        The push that is sign(g) backwards in time attains it, so no smaller bound holds.
        """
        far = length + self._forgotten(1e-16)
        return float(np.abs(self.impulse_response(far)[length:]).sum())

    def fir_length(self, error: float) -> int:
        """K(error): the fewest taps g[0..K-1] whose output is within `error` max|u| of the oscillator's.

        Raises
        ------
        ValueError : when `error` is not positive.
        """
        if not error > 0:
            raise ValueError(f"error must be positive, not {error}")
        far = self._forgotten(min(1e-16, 1e-3 * error / self.step_s**2))
        tails = np.cumsum(np.abs(self.impulse_response(far))[::-1])[::-1]
        return int(np.count_nonzero(tails > error))

    def fir(self, push: np.ndarray, length: int) -> np.ndarray:
        """Output of the FIR with the first `length` taps, for a push (n,) from rest."""
        return lfilter(self.impulse_response(length), [1.0], np.asarray(push, dtype=np.float64))

    def _trace_determinant(self) -> tuple[float, float]:
        kept = 1 - self.damping * self.step_s
        return 1 + kept - self._stiffness, kept

    def _forgotten(self, share: float) -> int:
        """Samples after which m r^(m-1), which is above g[m] / h^2, stays below `share` of a unit, summed up."""
        r = max(abs(self.poles()[0]), 1e-12)
        m = 2
        while m * r ** (m - 1) / (1 - r) ** 2 > share:
            m *= 2
        return m
