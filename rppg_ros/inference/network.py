"""Engine over a windowed network: a sliding window whose outputs overlap-add."""

from __future__ import annotations

import math

import numpy as np

from rppg_ros.inference.card import ModelCard
from rppg_ros.inference.engine import Contribution, EngineError, Memory, WindowPlan
from rppg_ros.inference.onnx_engine import OnnxEngine, OpenModel
from rppg_ros.inference.overlap_add import edge_taper
from rppg_ros.vitals.filters import standardise

HOP_S = 1.0
FIRST_S = 6.0  # of a clip: a network that takes any length need not wait for its whole window
EDGE_S = 0.5  # of a window's output, where the network's padding shows


class NetworkEngine(OnnxEngine):
    """Runs a network on overlapping windows; while a clip is young, and the card allows it, on shorter ones.

    Parameters
    ----------
    model : an open model without state.
    hop_s : new waveform per inference, seconds: shorter is smoother and costs more.

    Raises
    ------
    EngineError : the model streams.
    """

    def __init__(self, model: OpenModel, hop_s: float = HOP_S) -> None:
        card = model.card
        if card.state:
            raise EngineError(f"model '{card.name}': a streaming network; this engine runs windowed ones")
        # The frames that a network wants padded are real ones here: the clip goes on after the window.
        points = card.frames + card.pad_frames
        self._first = _first_frames(card)
        self._edge = math.ceil(EDGE_S * card.rate_hz)
        hold_back = dict.fromkeys(card.tasks, self._edge + card.pad_frames)
        hop = max(1, round(hop_s * card.rate_hz))
        super().__init__(
            model,
            WindowPlan(
                card.rate_hz,
                self._first + card.pad_frames,
                points,
                hop,
                hold_back,
                align_sign=True,
                levelled=card.levelled,
            ),
        )

    def infer(self, rgb: np.ndarray, thermal: np.ndarray | None, memory: Memory) -> list[Contribution]:
        """Run the network on one window; without thermal, a network that wants it gives no respiration."""
        late = (len(rgb) - self.card.pad_frames) % self.card.frames_multiple  # what does not fit is left out in front
        thermal = thermal if thermal is None else thermal[late:]
        outputs = self._model.run(
            [self.card.outputs[vital] for vital in self.vitals],
            {self.card.input_name: self._stack(rgb[late:], thermal)},
        )
        taper = edge_taper(len(rgb) - late - self.card.pad_frames, self._edge)
        return [
            Contribution(vital, late, np.ravel(wave) if self.card.levelled else standardise(np.ravel(wave)), taper)
            for vital, wave in zip(self.vitals, outputs, strict=True)
            if self._can_measure(vital, thermal)
        ]


def _first_frames(card: ModelCard) -> int:
    """Length of a clip's first window: FIRST_S, or the least that the graph takes, at most the whole window."""
    if not card.dynamic_frames:
        return card.frames
    wanted = max(card.min_frames, round(FIRST_S * card.rate_hz))
    return min(card.frames, -(-wanted // card.frames_multiple) * card.frames_multiple)
