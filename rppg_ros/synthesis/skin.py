"""Colour of skin, and how blood changes it: Beer-Lambert through melanin and blood over a bright dermis, plus surface gloss.

A channel's reflectance is R_c = D_c exp(-a_m M_c - a_b B_c): M, B are what melanin and blood absorb there, a_m and a_b how
much of each the light meets. A small change of blood darkens it by B_c per unit, as a share: most in green, then blue, then
red, as measured on people (Verkruysse 2008; de Haan and van Leest 2014). The light that gloss reflects (the dichromatic
model's surface part, Wang et al. 2017) has the lamp's colour and no pulse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DERMIS = np.array([0.92, 0.80, 0.72])
MELANIN = np.array([0.30, 0.52, 0.85])
BLOOD = np.array([0.33, 0.77, 0.53])
"""Absorption, R, G, B, relative; blood's is the measured relative pulse strength."""
MELANIN_OF_TYPE = np.array([0.05, 0.2, 0.5, 1.0, 1.9, 3.4])
"""Amount for Fitzpatrick I to VI."""
BLOOD_AT_REST = 0.35


@dataclass(frozen=True, slots=True)
class Skin:
    """One person's skin.

    Attributes
    ----------
    melanin : amount; MELANIN_OF_TYPE has the usual ones.
    blood : amount at rest.
    """

    melanin: float
    blood: float = BLOOD_AT_REST

    def colour(self) -> np.ndarray:
        """Reflectance (3,), R, G, B, 0..1."""
        return DERMIS * np.exp(-self.melanin * MELANIN - self.blood * BLOOD)


def melanin_of(fitzpatrick: float) -> float:
    """Amount of melanin for a skin type from 1 to 6, or between two.

    Raises
    ------
    ValueError : outside 1 to 6.
    """
    if not 1 <= fitzpatrick <= 6:
        raise ValueError(f"a skin type is from 1 to 6, not {fitzpatrick:g}")
    return float(np.interp(fitzpatrick, np.arange(1, 7), MELANIN_OF_TYPE))
