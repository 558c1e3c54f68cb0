"""Parameters of the face_tracker node, and the tracker's configuration they make."""

from __future__ import annotations

from types import SimpleNamespace

from rppg_ros.inference.card import ModelCard
from rppg_ros.nodes.image_input import AUTO, RELIABILITIES
from rppg_ros.nodes.managed import AUTOSTART
from rppg_ros.nodes.pairing import POLICIES
from rppg_ros.nodes.params import Param
from rppg_ros.vision.thermal import UNITS
from rppg_ros.vision.tracker import TrackerConfig

TRANSPORTS = ("raw", "compressed")
DEFAULT = TrackerConfig()

TABLE = (
    AUTOSTART,
    Param("image_transport", "raw", "raw: `image`; compressed: `image/compressed` (JPEG weakens the pulse)", choices=TRANSPORTS),
    Param("image_reliability", AUTO, "auto: reliable where all publishers are, else best_effort", choices=RELIABILITIES),
    Param("model", "", "shipped model, or .onnx file, whose card says which crops it wants; empty: crop.size and crop.scale"),
    Param("crop.size", 0, "side of the crops, pixels; 0: the model's, or 72 without one", 0, 512),
    Param("crop.scale", 0.0, "side of the crop over the face box's longer side; 0: the model's, or 1.5", 0.0, 4.0),
    Param("detector.model", "", "path of a YuNet .onnx file; empty: OpenCV's Haar cascade"),
    Param("detector.rate", DEFAULT.detect_rate_hz, "full-image face detections per second", 0.2, 30.0),
    Param("detector.min_confidence", DEFAULT.min_confidence, "least confidence of a detection, 0..1", 0.0, 1.0),
    Param("detector.min_face", DEFAULT.min_face_px, "smallest face, pixels of the full image", 16, 2000),
    Param("max_faces", DEFAULT.max_faces, "faces tracked at once", 1, 16),
    Param("max_unconfirmed", DEFAULT.max_unconfirmed_s, "seconds a face is followed that the detector does not see", 0.1, 10.0),
    Param("id_memory", DEFAULT.id_memory_s, "seconds after which a lost face gets a new id", 0.0, 60.0),
    Param("max_gap", 0.5, "seconds between images after which nothing is carried over", 0.05, 5.0),
    Param("stale_after", 2.0, "seconds without images after which diagnostics warn", 0.2, 60.0),
    Param("pairing.policy", "rgb_leads", "rgb_leads: every RGB image goes on; others: message_filters'", choices=POLICIES),
    Param("pairing.max_offset", 0.06, "largest time between the two images of a pair, seconds", 0.0, 1.0),
    Param("pairing.max_wait", 0.05, "longest wait of an RGB image for thermal, seconds (rgb_leads)", 0.0, 1.0),
    Param("pairing.queue_size", 32, "images kept of each camera for pairing", 1, 200),
    Param("thermal.enabled", True, "subscribe to `thermal/image`"),
    Param("thermal.image_transport", "raw", "raw or compressed (PNG)", choices=TRANSPORTS),
    Param("thermal.scale", 0.0, "degrees (of thermal.unit) per count of 16-bit images; 0: they are not radiometric", 0.0, 100.0),
    Param("thermal.offset", 0.0, "degrees (of thermal.unit) of a 16-bit image's count 0", -1000.0, 1000.0),
    Param("thermal.unit", "celsius", "unit of 32FC1 images, and of 16-bit ones after scale and offset", choices=UNITS),
    Param("thermal.homography", [0.0] * 9, "RGB to thermal pixels, row by row; zeros: camera_info, or same field of view"),
)  # fmt: skip


def tracker_config(params: SimpleNamespace, card: ModelCard | None) -> TrackerConfig:
    """Configuration of the tracker; the model's card decides the crops unless parameters do."""
    size = params.crop_size or (card.size if card else DEFAULT.crop_size)
    scale = params.crop_scale or (card.crop_scale if card else DEFAULT.crop_scale)
    return TrackerConfig(
        detect_rate_hz=params.detector_rate,
        max_faces=params.max_faces,
        min_face_px=params.detector_min_face,
        crop_size=size,
        crop_scale=scale,
        detector_model=params.detector_model,
        min_confidence=params.detector_min_confidence,
        max_unconfirmed_s=params.max_unconfirmed,
        id_memory_s=params.id_memory,
    )
