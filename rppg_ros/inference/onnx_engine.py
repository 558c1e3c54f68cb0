"""What the engines over .onnx networks share: an open session with its card, and crops made into its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from rppg_ros import weights
from rppg_ros.inference.card import ModelCard, ModelCardError
from rppg_ros.inference.engine import EngineError, WindowPlan
from rppg_ros.inference.providers import CPU, got, providers_for
from rppg_ros.types import FaceCrop, Vital

# Thermal pixels go in as raw numbers about 0-255 wide: a skin's 20-40 degrees at ten counts a degree.
THERMAL_COUNTS_PER_DEGREE = 10.0
MID_GREY = 128.0
MAX_SHOWN = 300  # characters of an error


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A network ready to run, and its card.

    Attributes
    ----------
    wanted : the provider that was asked for; provider: the one that computes, see inference.providers.
    """

    session: onnxruntime.InferenceSession
    card: ModelCard
    wanted: str = CPU

    @property
    def provider(self) -> str:
        """Short name of what computes it."""
        return got(self.session)

    @classmethod
    def open(cls, path: str | Path, threads: int = 1, provider: str = CPU) -> OpenModel:
        """Open an .onnx file, or a shipped model by its name.

        Parameters
        ----------
        threads : of ONNX Runtime for one inference.
        provider : what is to compute it, see inference.providers; the CPU where that is not there or does not start.

        Raises
        ------
        EngineError : no such provider; or the file is missing, unreadable, or has no valid card; names the file.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Idle threads of the runtime would spin for work and take the core from the camera callbacks.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = weights.resolve(path)
        if not path.is_file():
            raise EngineError(f"model '{path}': no such file{weights.hint()}")
        try:
            names = providers_for(provider)
        except ValueError as error:
            raise EngineError(str(error)) from None
        try:
            session = _session(path, options, names)
        except Exception as error:  # onnxruntime's exceptions share no base class but this one
            raise EngineError(f"model '{path}': not a readable ONNX file: {_first_line(error)}") from None
        try:
            model = cls(session, ModelCard.from_session(session, str(path)), provider)
        except ModelCardError as error:
            raise EngineError(f"model {error}") from None
        try:
            model.try_out()
        except EngineError as error:
            raise EngineError(f"model '{path}': {error}") from None
        return model

    def run(self, names: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Outputs of those names.

        Raises
        ------
        EngineError : the graph cannot compute these inputs, or what it gives is no number.
        """
        try:
            outputs: list[np.ndarray] = self.session.run(list(names), dict(inputs))
        except Exception as error:  # onnxruntime's exceptions share no base class but this one
            raise EngineError(f"model '{self.card.name}' cannot compute it: {_first_line(error)}") from None
        for name, values in zip(names, outputs, strict=True):
            if not np.isfinite(values).all():
                raise EngineError(f"model '{self.card.name}': its output '{name}' is not finite")
        return outputs

    def try_out(self) -> None:
        """Run the shortest window that the card allows, so that what is wrong is said before a face is seen.

        Raises
        ------
        EngineError : as `run`; or an output has not one sample for each frame.
        """
        card = self.card
        frames = least_frames(card)
        shape = (1, card.channel_count, frames + card.pad_frames, card.size, card.size)
        grey = np.random.default_rng(0).normal(MID_GREY, 1.0, shape).astype(np.float32)
        states = {tensor.input: np.zeros((1, *tensor.shape), np.float32) for tensor in card.state}
        names = [card.outputs[vital] for vital in card.tasks] + [tensor.output for tensor in card.state]
        outputs = self.run(names, {card.input_name: grey, **states})
        wanted = [(1, frames)] * len(card.tasks) + [(1, *tensor.shape) for tensor in card.state]
        for name, values, fit in zip(names, outputs, wanted, strict=True):
            if values.shape != fit:
                raise EngineError(f"its output '{name}' is {values.shape} for {frames} frames, not {fit}")


def _session(path: Path, options: onnxruntime.SessionOptions, names: list[str]) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=names)
    except Exception:  # a provider that is listed, and whose driver or library is not there; or a file that is none
        return onnxruntime.InferenceSession(str(path), options, providers=names[-1:])


def least_frames(card: ModelCard) -> int:
    """Shortest window that the card allows, output samples."""
    if not card.dynamic_frames:
        return card.frames
    return -(-card.min_frames // card.frames_multiple) * card.frames_multiple


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:MAX_SHOWN] if lines else type(error).__name__


class OnnxEngine:
    """Base of the engines over a network.

    Parameters
    ----------
    model : an open model.
    plan : which windows it wants.
    """

    def __init__(self, model: OpenModel, plan: WindowPlan) -> None:
        self.card = model.card
        self.name = self.card.name
        self.vitals = self.card.tasks
        self.crop_size = self.card.size
        self.crop_scale = self.card.crop_scale
        self.least_crop = self.card.size
        self.plan = plan
        self.provider, self.wanted_provider = model.provider, model.wanted
        self._model = model

    def rgb(self, crop: FaceCrop) -> np.ndarray:
        """(S, S, 3) uint8; a larger crop is reduced to the model's size.

        Raises
        ------
        EngineError : the crop is smaller than the model's input.
        """
        return self._checked(crop.rgb)

    def thermal(self, crop: FaceCrop) -> np.ndarray | None:
        """(S, S) float32, None without, and of pixels that are no numbers: one of them would be in all of the output."""
        if crop.thermal is None or "thermal" not in self.card.channels or not np.isfinite(crop.thermal).all():
            return None
        return self._checked(crop.thermal)

    def _can_measure(self, vital: Vital, thermal: np.ndarray | None) -> bool:
        """Without thermal, a network that wants it gives no respiration, and one that sees nothing else gives nothing."""
        if thermal is not None or "thermal" not in self.card.channels:
            return True
        return vital is not Vital.RSP and "rgb" in self.card.channels

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
