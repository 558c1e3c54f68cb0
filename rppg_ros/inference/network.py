"""Engine over a windowed network: a sliding window whose outputs overlap-add."""

from __future__ import annotations

import math

import numpy as np

from rppg_ros.inference.engine import Contribution, EngineError, Memory, WindowPlan
from rppg_ros.inference.onnx_engine import OnnxEngine, OpenModel
from rppg_ros.inference.overlap_add import edge_taper
from rppg_ros.vitals.filters import standardise

HOP_S = 1.0
EDGE_S = 0.5  # of a window's output, where the network's padding shows


class NetworkEngine(OnnxEngine):
    """Runs a network on overlapping windows.

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
        self._edge = math.ceil(EDGE_S * card.rate_hz)
        hold_back = dict.fromkeys(card.tasks, self._edge + card.pad_frames)
        hop = max(1, round(hop_s * card.rate_hz))
        super().__init__(model, WindowPlan(card.rate_hz, points, points, hop, hold_back, align_sign=True))

    def infer(self, rgb: np.ndarray, thermal: np.ndarray | None, memory: Memory) -> list[Contribution]:
        """Run the network on one window; without thermal, a network that wants it gives no respiration."""
        outputs = self._session.run(
            [self.card.outputs[kind] for kind in self.kinds], {self.card.input_name: self._stack(rgb, thermal)}
        )
        taper = edge_taper(self.card.frames, self._edge)
        return [
            Contribution(kind, 0, standardise(np.ravel(wave)), taper)
            for kind, wave in zip(self.kinds, outputs, strict=True)
            if self._speaks(kind, thermal)
        ]
