"""What a reason means, and what helps, in words: the same in diagnostics, reports, the demo and for whoever uses the class."""

from __future__ import annotations

from collections.abc import Mapping

from rppg_ros.types import Rate, Reason, Status, Vital

TEXTS: dict[Reason, tuple[str, str]] = {
    Reason.CAMERA_TOO_SLOW: ("the camera is too slow or uneven", "more frames per second"),
    Reason.THERMAL_MISSING: ("no thermal images", "connect the thermal camera, or take a model that needs none"),
    Reason.THERMAL_UNPAIRED: (
        "thermal images do not pair with RGB images",
        "see thermal.time_offset and pairing.max_offset",
    ),
    Reason.THERMAL_DEAD: ("thermal images repeat or show nothing", "look after the thermal camera"),
    Reason.THERMAL_UNREGISTERED: ("nobody knows where the face lies in the thermal image", "see docs/thermal.md"),
    Reason.THERMAL_NOT_SKIN: ("the thermal image's degrees cannot be a face's", "see thermal.scale and thermal.offset"),
    Reason.WARMING_UP: ("warming up", "wait"),
    Reason.NO_FACE: ("no face in view", "look at the camera"),
    Reason.FACE_SMALL: ("the face is small", "come closer"),
    Reason.TOO_DARK: ("the face is too dark", "more light"),
    Reason.TOO_BRIGHT: ("the face is too bright", "less light, or a shorter exposure"),
    Reason.MOVEMENT: ("movement", "keep still"),
    Reason.TALKING: ("talking", "do not talk"),
    Reason.LIGHT_RHYTHM: ("the light changes in a rhythm", "another lamp, no screen, less compression"),
    Reason.MOTION_RHYTHM: ("something moves in a rhythm", "fix the camera, keep still"),
    Reason.PICTURE_DEAD: ("the RGB images repeat or show nothing", "look after the camera"),
    Reason.NO_SKIN: ("the face has no colour", "a colour camera, white light"),
    Reason.NO_SIGN_OF_LIFE: ("no sign of life", "more light on the face, come closer"),
    Reason.OUT_OF_RANGE: ("the rate is outside of what is given", "measure by another method"),
    Reason.WEAK_SIGNAL: ("the signal is weak", "keep still, more light, come closer"),
    Reason.COMPRESSION: (
        "the video is compressed so much that the skin repeats",
        "less compression, MJPEG, or raw images",
    ),
}


def meaning(reason: Reason) -> str:
    """A few words."""
    return TEXTS[reason][0]


def advice(reason: Reason) -> str:
    """What helps."""
    return TEXTS[reason][1]


def why(rate: Rate) -> str:
    """All reasons of a rate without a number, "movement (0.60), the signal is weak (0.20)"; empty where there are none."""
    shares = rate.shares or (1.0,) * len(rate.reasons)
    return ", ".join(f"{meaning(reason)} ({share:.2f})" for reason, share in zip(rate.reasons, shares, strict=True))


NAMES = {Vital.BVP: ("heart rate", "beats/min"), Vital.RSP: ("respiration rate", "breaths/min")}
WITHOUT_REASON = {
    Status.OK: "",
    Status.WARMING_UP: "not seen for long enough",
    Status.LOW_QUALITY: "no rate is believed enough",
    Status.NO_FACE: "no face in view",
    Status.STALE: "no images",
    Status.UNSUPPORTED: "the engine in use cannot measure it",
}


def told(rates: Mapping[Vital, Rate]) -> str:
    """Rates in plain words, "heart rate 72 beats/min (70 to 74); respiration rate not measurable: talking"."""
    return "; ".join(_told(vital, rate) for vital, rate in rates.items())


def _told(vital: Vital, rate: Rate) -> str:
    name, unit = NAMES[vital]
    if rate.status is Status.OK:
        return f"{name} {rate.per_minute:.0f} {unit} ({rate.low:.0f} to {rate.high:.0f})"
    because = ", ".join(meaning(reason) for reason in rate.reasons) or WITHOUT_REASON[rate.status]
    return f"{name} not measurable: {because}"
