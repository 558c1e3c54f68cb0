"""The travelling types as messages, one to one."""

from __future__ import annotations

import array
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from rppg_ros import msg
from rppg_ros.settings.halves import CameraSettings
from rppg_ros.types import (
    NS_PER_S,
    Box,
    CropRequest,
    FaceCrop,
    Rate,
    Reason,
    Status,
    ThermalState,
    Vital,
    Waveform,
)
from rppg_ros.vision.sights import SeenFace
from rppg_ros.vitals.witnesses import THERMAL
from rppg_ros.vitals.witnesses import WIDTH as EVIDENCE_WIDTH

WAVEFORM_TYPES = {Vital.BVP: msg.Bvp, Vital.RSP: msg.Rsp}
RATE_TYPES = {Vital.BVP: msg.HeartRate, Vital.RSP: msg.RespirationRate}


WHY = {
    "largest": msg.Face.WHY_LARGEST,
    "central": msg.Face.WHY_CENTRAL,
    "first": msg.Face.WHY_FIRST,
}  # by target.policy
CROP_SIZES = (1, 1024)  # pixels; what a model card may ask for
CROP_SCALES = (0.5, 5.0)
SCALE_DIGITS = 6
MAX_FACES = 64
MAX_ID_LENGTH = 64
THERMAL_STATES = frozenset(int(state) for state in ThermalState)


class CropError(ValueError):
    """A message about crops that cannot be used; says why."""


def to_time(stamp_ns: int) -> Time:
    """ROS time of a stamp in nanoseconds."""
    return Time(sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)


def from_time(time: Time) -> int:
    """Nanoseconds of a ROS time."""
    return time.sec * NS_PER_S + time.nanosec


def to_header(stamp_ns: int, frame_id: str) -> Header:
    """Header of something acquired at stamp_ns."""
    return Header(stamp=to_time(stamp_ns), frame_id=frame_id)


def to_array(values: np.ndarray, code: str) -> array.array[Any]:
    """array.array of a numpy array; the only form that rclpy takes without looking at each element."""
    out = array.array(code)
    out.frombytes(np.ascontiguousarray(values, dtype={"B": np.uint8, "f": np.float32}[code]).tobytes())
    return out


def crops_message(header: Header, crops: list[FaceCrop], picture_dead: bool = False) -> msg.FaceCrops:
    """FaceCrops of one frame; header is the RGB image's."""
    faces = [_crop_message(header, crop) for crop in crops]
    return msg.FaceCrops(header=header, faces=faces, picture_dead=picture_dead)


def _crop_message(header: Header, crop: FaceCrop) -> msg.FaceCrop:
    out = msg.FaceCrop(
        header=header,
        face_id=crop.face_id,
        x=float(crop.box.x),
        y=float(crop.box.y),
        width=float(crop.box.width),
        height=float(crop.box.height),
        crop_scale=float(crop.crop_scale),
        confidence=float(crop.confidence),
        motion=float(crop.motion),
        size=len(crop.rgb),
        rgb=to_array(crop.rgb, "B"),
        thermal_state=int(crop.thermal_state),
    )
    if crop.evidence is not None:
        out.evidence = to_array(crop.evidence, "f")
    if crop.thermal is not None:
        out.thermal = to_array(crop.thermal, "f")
        out.thermal_radiometric = crop.thermal_radiometric
        out.thermal_stamp = to_time(crop.thermal_stamp_ns)
    return out


def faces_message(
    header: Header, faces: Sequence[SeenFace], shape: tuple[int, ...], settings: CameraSettings, picture_dead: bool
) -> msg.Faces:
    """Faces of one frame; header is the RGB image's, shape the image's."""
    stamp_ns = from_time(header.stamp)
    return msg.Faces(
        header=header,
        image_width=shape[1],
        image_height=shape[0],
        faces=[_face_message(face, shape, settings, stamp_ns) for face in faces],
        target_policy=settings.target_policy,
        target_id=settings.target_id,
        picture_dead=picture_dead,
    )


def _face_message(face: SeenFace, shape: tuple[int, ...], settings: CameraSettings, stamp_ns: int) -> msg.Face:
    asked = bool(settings.target_id) and face.face_id == settings.target_id
    chosen = msg.Face.WHY_ASKED if asked else WHY[settings.target_policy]
    return msg.Face(
        face_id=face.face_id,
        x=float(face.box.x),
        y=float(face.box.y),
        width=float(face.box.width),
        height=float(face.box.height),
        confidence=float(face.confidence),
        motion=float(face.motion),
        age=max(stamp_ns - face.seen_ns, 0) / NS_PER_S,
        target=face.target,
        why=chosen if face.target else msg.Face.WHY_ONLY_SEEN,
        distance=int(face.distance(shape)),
    )


def request_message(request: CropRequest, engine: str, stamp_ns: int) -> msg.CropRequest:
    """Which crops an engine wants."""
    return msg.CropRequest(header=to_header(stamp_ns, ""), size=request.size, scale=request.scale, engine=engine)


def request_from(message: msg.CropRequest) -> CropRequest:
    """The request of a message.

    Raises
    ------
    CropError : a size or scale that no engine wants.
    """
    scale = round(float(message.scale), SCALE_DIGITS)  # float32 on the wire
    if not CROP_SIZES[0] <= message.size <= CROP_SIZES[1] or not CROP_SCALES[0] <= scale <= CROP_SCALES[1]:
        raise CropError(
            f"engine '{message.engine[:80]}' wants crops of {message.size} pixels, scale {scale}: not possible"
        )
    return CropRequest(message.size, scale)


def crops_from(message: msg.FaceCrops) -> list[FaceCrop]:
    """The crops of a FaceCrops message, as views on it.

    Raises
    ------
    CropError : an array has another length than its size says, a number is not finite or cannot be, a face has no id, one that
        no tracker gives, or that of another face; or there are more faces than any tracker sends.
    """
    stamp_ns = from_time(message.header.stamp)
    if len(message.faces) > MAX_FACES:
        raise CropError(f"{len(message.faces)} faces in one message; {MAX_FACES} are the most")
    crops = [_crop_from(face, stamp_ns) for face in message.faces]
    ids = [crop.face_id for crop in crops]
    for face_id in ids:
        if ids.count(face_id) > 1:
            raise CropError(f"face '{face_id}' is in one message twice")
    return crops


def _check_face(face: msg.FaceCrop) -> None:
    """Raise CropError for what no tracker sends."""
    if not face.face_id:
        raise CropError("a face without face_id")
    if len(face.face_id) > MAX_ID_LENGTH:
        raise CropError(f"a face_id of {len(face.face_id)} characters; {MAX_ID_LENGTH} are the most")
    for name in ("x", "y", "width", "height", "crop_scale", "confidence", "motion"):
        if not math.isfinite(getattr(face, name)):
            raise CropError(f"face '{face.face_id}': {name} is {getattr(face, name)}")
    if face.width <= 0 or face.height <= 0 or face.crop_scale <= 0:
        raise CropError(f"face '{face.face_id}': a box of {face.width:g}x{face.height:g}, scale {face.crop_scale:g}")
    if not CROP_SIZES[0] <= face.size <= CROP_SIZES[1]:
        raise CropError(f"face '{face.face_id}': crops of {face.size} pixels; {CROP_SIZES[1]} are the most")
    if len(face.evidence) not in (0, EVIDENCE_WIDTH):
        raise CropError(f"face '{face.face_id}': evidence has {len(face.evidence)} numbers, not 0 or {EVIDENCE_WIDTH}")
    if not all(math.isfinite(value) for i, value in enumerate(face.evidence) if i != THERMAL):
        raise CropError(f"face '{face.face_id}': evidence has numbers that are not finite")
    if face.thermal_state not in THERMAL_STATES:
        raise CropError(f"face '{face.face_id}': thermal_state {face.thermal_state} is none of THERMAL_*")


def _crop_from(face: msg.FaceCrop, stamp_ns: int) -> FaceCrop:
    size = face.size
    _check_face(face)
    if len(face.rgb) != size * size * 3:
        raise CropError(f"face '{face.face_id}': rgb has {len(face.rgb)} bytes, size {size} needs {size * size * 3}")
    if len(face.thermal) not in (0, size * size):
        raise CropError(f"face '{face.face_id}': thermal has {len(face.thermal)} values, not 0 or {size * size}")
    thermal = np.frombuffer(face.thermal, np.float32).reshape(size, size) if len(face.thermal) else None
    return FaceCrop(
        stamp_ns,
        face.face_id,
        np.frombuffer(face.rgb, np.uint8).reshape(size, size, 3),
        thermal,
        Box(face.x, face.y, face.width, face.height),
        face.crop_scale,
        face.confidence,
        face.motion,
        from_time(face.thermal_stamp),
        face.thermal_radiometric,
        ThermalState(face.thermal_state),
        np.frombuffer(face.evidence, np.float32) if len(face.evidence) else None,
    )


def waveform_message(wave: Waveform, frame_id: str) -> msg.Bvp | msg.Rsp:
    """Bvp or Rsp."""
    return WAVEFORM_TYPES[wave.vital](
        header=to_header(wave.start_ns, frame_id),
        face_id=wave.face_id,
        rate_hz=float(wave.rate_hz),
        samples=to_array(wave.samples, "f"),
        quality=float(wave.quality),
        model=wave.model,
    )


def sample_messages(wave: Waveform, frame_id: str) -> list[msg.Sample]:
    """One Sample for each sample of a waveform."""
    step_ns = NS_PER_S / wave.rate_hz
    return [
        msg.Sample(
            header=to_header(wave.start_ns + round(i * step_ns), frame_id), face_id=wave.face_id, value=float(value)
        )
        for i, value in enumerate(wave.samples)
    ]


def rate_message(rate: Rate, frame_id: str) -> msg.HeartRate | msg.RespirationRate:
    """HeartRate or RespirationRate."""
    return RATE_TYPES[rate.vital](
        header=to_header(rate.stamp_ns, frame_id),
        face_id=rate.face_id,
        value=float(rate.per_minute),
        std=float(rate.std),
        snr_db=float(rate.snr_db),
        quality=float(rate.quality),
        status=int(rate.status),
        window=float(rate.window_s),
        model=rate.model,
        low=float(rate.low),
        high=float(rate.high),
        reasons=[int(reason) for reason in rate.reasons],
        reason_shares=array.array("f", rate.shares),
    )


def waveform_from(message: msg.Bvp | msg.Rsp, vital: Vital) -> Waveform:
    """The waveform of a Bvp or Rsp."""
    return Waveform(
        vital,
        message.face_id,
        from_time(message.header.stamp),
        message.rate_hz,
        np.asarray(message.samples, dtype=np.float32),
        message.quality,
        message.model,
    )


def rate_from(message: msg.HeartRate | msg.RespirationRate, vital: Vital) -> Rate:
    """The rate of a HeartRate or RespirationRate."""
    return Rate(
        vital,
        message.face_id,
        from_time(message.header.stamp),
        message.value,
        message.std,
        message.snr_db,
        message.quality,
        Status(message.status),
        message.window,
        message.model,
        tuple(Reason(reason) for reason in message.reasons),
        tuple(message.reason_shares),
        message.low,
        message.high,
    )
