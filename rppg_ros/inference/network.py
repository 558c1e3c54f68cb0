"""Engine over an .onnx network: a sliding window whose outputs overlap-add."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from rppg_ros.inference.card import ModelCard, ModelCardError
from rppg_ros.inference.engine import Contribution, EngineError, WindowPlan
from rppg_ros.inference.overlap_add import edge_taper
from rppg_ros.types import FaceCrop, Kind
from rppg_ros.vitals.filters import standardise

HOP_S = 1.0
EDGE_S = 0.5  # of a window's output, where the network's padding shows
# Thermal pixels go in as raw numbers about 0-255 wide: a skin's 20-40 degrees at ten counts a degree.
THERMAL_COUNTS_PER_DEGREE = 10.0


class NetworkEngine:
    """ONNX Runtime session that says through its card what it wants.

    Parameters
    ----------
    path : .onnx file with a model card in its metadata.
    hop_s : new waveform per inference, seconds: shorter is smoother and costs more.
    threads : of ONNX Runtime for one inference.

    Raises
    ------
    EngineError : the file is missing, unreadable, or has no valid card; names the file.
    """

    def __init__(self, path: str | Path, hop_s: float = HOP_S, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads of the runtime would spin for work and take the core from the camera callbacks.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._path = Path(path)
        if not self._path.is_file():
            raise EngineError(f"model '{path}': no such file")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions share no base class but this one
            raise EngineError(f"model '{path}': not a readable ONNX file: {str(error).splitlines()[0]}") from None
        try:
            self.card = ModelCard.from_session(self._session, str(path))
        except ModelCardError as error:
            raise EngineError(f"model {error}") from None
        if self.card.state:
            raise EngineError(f"model '{path}': a streaming network; this engine runs windowed ones")
        self.name = self.card.name
        self.kinds = self.card.tasks
        self.crop_size = self.card.size
        self.crop_scale = self.card.crop_scale
        rate_hz = self.card.rate_hz
        # The frames that a network wants padded are real ones here: the clip goes on after the window.
        points = self.card.frames + self.card.pad_frames
        self._edge = math.ceil(EDGE_S * rate_hz)
        hold_back = dict.fromkeys(self.kinds, self._edge + self.card.pad_frames)
        self.plan = WindowPlan(rate_hz, points, points, max(1, round(hop_s * rate_hz)), hold_back, align_sign=True)

    def rgb(self, crop: FaceCrop) -> np.ndarray:
        """(S, S, 3) uint8; a larger crop is reduced to the model's size.

        Raises
        ------
        EngineError : the crop is smaller than the model's input.
        """
        return self._checked(crop.rgb)

    def thermal(self, crop: FaceCrop) -> np.ndarray | None:
        """(S, S) float32, None without."""
        if crop.thermal is None or "thermal" not in self.card.channels:
            return None
        return self._checked(crop.thermal)

    def infer(self, rgb: np.ndarray, thermal: np.ndarray | None) -> list[Contribution]:
        """Run the network on one window; without thermal, a network that wants it gives no respiration."""
        outputs = self._session.run(
            [self.card.outputs[kind] for kind in self.kinds], {self.card.input_name: self._stack(rgb, thermal)}
        )
        blind = thermal is None and "thermal" in self.card.channels
        taper = edge_taper(self.card.frames, self._edge)
        return [
            Contribution(kind, 0, standardise(np.ravel(wave)), taper)
            for kind, wave in zip(self.kinds, outputs, strict=True)
            if not (blind and self._needs_thermal(kind))
        ]

    def _needs_thermal(self, kind: Kind) -> bool:
        return kind is Kind.RSP or "rgb" not in self.card.channels

    def _stack(self, rgb: np.ndarray, thermal: np.ndarray | None) -> np.ndarray:
        """(1, C, T, S, S) float32, 0-255."""
        planes = []
        if "rgb" in self.card.channels:
            planes.append(rgb.transpose(3, 0, 1, 2))
        if "thermal" in self.card.channels:
            blank = np.zeros(rgb.shape[:3], dtype=np.float32)  # its frame differences are 0: nothing to say
            planes.append((blank if thermal is None else thermal * THERMAL_COUNTS_PER_DEGREE)[None])
        return np.ascontiguousarray(np.concatenate(planes)[None], dtype=np.float32)

    def _checked(self, image: np.ndarray) -> np.ndarray:
        size = self.card.size
        if image.shape[:2] == (size, size):
            return image
        if min(image.shape[:2]) < size:
            raise EngineError(
                f"model '{self.name}' wants crops of {size}x{size} pixels, got {image.shape[1]}x{image.shape[0]}:"
                " raise the face tracker's crop.size, or give it the same model"
            )
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
