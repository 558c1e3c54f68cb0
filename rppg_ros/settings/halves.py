"""Settings of the camera half and of the vitals half: they mean the same in a node, in an evaluation and in Python."""

from __future__ import annotations

from dataclasses import dataclass

from rppg_ros.settings.schema import Checked, SettingError, setting

PAIRING_POLICIES = ("rgb_leads", "approximate", "exact")
TARGET_POLICIES = ("largest", "central", "first")
PROVIDERS = ("cpu", "cuda", "tensorrt", "openvino", "coreml", "auto")
THERMAL_UNITS = ("celsius", "kelvin")


@dataclass(frozen=True, kw_only=True)
class TimeSettings(Checked):
    """What both halves must agree on."""

    max_gap: float = setting(
        "max_gap", 0.5, "longest time without a frame or a face that a clip survives", 0.05, 5.0, unit="s"
    )


@dataclass(frozen=True, kw_only=True)
class CameraSettings(TimeSettings):
    """From images to face crops."""

    crop_size: int = setting("crop.size", 0, "side of the crops; 0: what the engine wants", 0, 512, unit="px")
    crop_scale: float = setting(
        "crop.scale", 0.0, "side of the crop over the face box's longer side; 0: what the engine wants", 0.0, 4.0
    )
    detector_name: str = setting(
        "detector.name",
        "auto",
        "auto: YuNet if its file is given or was pulled, else Haar; haar, yunet, or a plug-in's name",
    )
    detector_model: str = setting(
        "detector.model",
        "",
        "path of the detector's model file, a YuNet .onnx file; empty: the one of `rppg-ros models pull yunet`",
    )
    detector_rate: float = setting(
        "detector.rate", 3.0, "full-image face detections per second", 0.2, 30.0, unit="Hz", live=True
    )
    detector_min_confidence: float = setting(
        "detector.min_confidence", 0.5, "least confidence of a detection", 0.0, 1.0, live=True
    )
    detector_min_face: int = setting(
        "detector.min_face", 40, "width of the smallest face in the full image", 16, 2000, unit="px", live=True
    )
    max_faces: int = setting("max_faces", 4, "faces measured at once; target.policy says which", 1, 16, live=True)
    target_policy: str = setting(
        "target.policy",
        "largest",
        "which faces are measured: the largest (nearest), the most central, or the first that were seen",
        choices=TARGET_POLICIES,
        live=True,
    )
    target_region: list[float] = setting(
        "target.region",
        [0.0, 0.0, 1.0, 1.0],
        "only faces whose centre lies here are measured: x, y, width, height as shares of the image",
        0.0,
        1.0,
        live=True,
    )
    target_hysteresis: float = setting(
        "target.hysteresis",
        1.25,
        "how many times better (larger, nearer to the middle) a face has to be to take another's place",
        1.0,
        10.0,
        live=True,
    )
    target_patience: float = setting(
        "target.patience",
        0.7,
        "how long another face must be better before it takes a target's place",
        0.0,
        30.0,
        unit="s",
        live=True,
    )
    target_hold: float = setting(
        "target.hold",
        0.0,
        "how long the place of a target that was lost is kept from lesser faces",
        0.0,
        60.0,
        unit="s",
        live=True,
    )
    target_id: str = setting(
        "target.id", "", "measure the face with this id alone, until it is set to nothing again", live=True
    )
    max_unconfirmed: float = setting(
        "max_unconfirmed",
        1.2,
        "how long a face is followed that the detector does not see",
        0.1,
        10.0,
        unit="s",
        live=True,
    )
    id_memory: float = setting("id_memory", 3.0, "how long a lost face keeps its id", 0.0, 60.0, unit="s", live=True)
    pairing_policy: str = setting(
        "pairing.policy",
        "rgb_leads",
        "rgb_leads: every RGB image goes on; the others: only images with a partner",
        choices=PAIRING_POLICIES,
    )
    pairing_max_offset: float = setting(
        "pairing.max_offset", 0.06, "largest time between the two images of a pair", 0.0, 1.0, unit="s", live=True
    )
    pairing_max_wait: float = setting(
        "pairing.max_wait", 0.05, "longest wait of an RGB image for thermal (rgb_leads)", 0.0, 1.0, unit="s", live=True
    )
    pairing_max_latency: float = setting(
        "pairing.max_latency",
        0.5,
        "how much later than RGB a thermal camera may always come and still be waited for (rgb_leads)",
        0.0,
        2.0,
        unit="s",
        live=True,
    )
    pairing_queue_size: int = setting("pairing.queue_size", 32, "images kept of each camera for pairing", 1, 200)
    thermal_enabled: bool = setting("thermal.enabled", True, "use the thermal camera's images")
    thermal_scale: float = setting(
        "thermal.scale",
        0.0,
        "degrees (of thermal.unit) per count of 16-bit images; 0: they are not radiometric",
        0.0,
        100.0,
    )
    thermal_offset: float = setting(
        "thermal.offset", 0.0, "degrees (of thermal.unit) of a 16-bit image's count 0", -1000.0, 1000.0
    )
    thermal_unit: str = setting(
        "thermal.unit",
        "celsius",
        "unit of 32-bit images, and of 16-bit ones after scale and offset",
        choices=THERMAL_UNITS,
    )
    thermal_time_offset: float = setting(
        "thermal.time_offset",
        0.0,
        "added to the thermal stamps, where the thermal camera has a clock of its own or stamps at receipt",
        -1e5,
        1e5,
        unit="s",
    )
    thermal_homography: list[float] = setting(
        "thermal.homography",
        [0.0] * 9,
        "RGB to thermal pixels, row by row; zeros: camera_info, or what the picture shows",
    )
    thermal_registered: bool = setting(
        "thermal.registered",
        False,
        "both images show the same view, as the camera or its driver registers them: it need not be proved by the picture",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.target_region[2:]) <= 0:
            raise SettingError(f"'target.region' cannot be {self.target_region}: its width and height must be above 0")


@dataclass(frozen=True, kw_only=True)
class VitalsSettings(TimeSettings):
    """From face crops to waveforms and rates."""

    engine: str = setting(
        "engine", "auto", "auto: the network if a model is given, else pos; network, pos, chrom, or a plug-in's name"
    )
    model: str = setting(
        "model", "", "name of a shipped model, or path of an .onnx file with a model card; empty or none: training-free"
    )
    hop: float = setting("hop", 1.0, "new waveform per inference of a windowed network", 0.1, 10.0, unit="s")
    threads: int = setting("threads", 1, "threads of ONNX Runtime for one inference", 1, 16)
    provider: str = setting(
        "provider",
        "cpu",
        "what computes the network; where it is not there, the CPU does, and diagnostics say so; auto: the first that is there",
        choices=PROVIDERS,
    )
    heart_rate_min_quality: float = setting(
        "heart_rate.min_quality", 0.8, "least quality of a heart rate that is given as a number", 0.0, 0.99, live=True
    )
    respiration_rate_min_quality: float = setting(
        "respiration_rate.min_quality",
        0.8,
        "least quality of a respiration rate that is given as a number",
        0.0,
        0.99,
        live=True,
    )


@dataclass(frozen=True, kw_only=True)
class MeterSettings(CameraSettings, VitalsSettings):
    """Both halves: what the Python class VitalsMeter takes."""
