"""Engine over a streaming network: short chunks one after the other, its state carried between them."""

from __future__ import annotations

import numpy as np

from rppg_ros.inference.engine import Contribution, EngineError, Memory, WindowPlan
from rppg_ros.inference.onnx_engine import OnnxEngine, OpenModel


class StreamingEngine(OnnxEngine):
    """Runs a causal network; nothing is computed twice, and a sample is final as soon as its frame has come.

    The waveform does not depend on how the stream is cut into chunks; the card's `frames` is the chunk that is used here.

    Parameters
    ----------
    model : an open model with state.

    Raises
    ------
    EngineError : the model has no state.
    """

    def __init__(self, model: OpenModel) -> None:
        card = model.card
        if not card.state:
            raise EngineError(f"model '{card.name}': a windowed network; this engine runs streaming ones")
        hold_back = dict.fromkeys(card.tasks, 0)
        plan = WindowPlan(
            card.rate_hz, card.frames, card.frames, card.frames, hold_back, consecutive=True, levelled=card.levelled
        )
        super().__init__(model, plan)
        self._asked = [card.outputs[vital] for vital in card.tasks] + [tensor.output for tensor in card.state]

    def infer(self, rgb: np.ndarray, thermal: np.ndarray | None, memory: Memory) -> list[Contribution]:
        """Run the network on the next chunk of a clip; `memory` is read and brought up to date."""
        state = {t.input: memory.get(t.input, np.zeros((1, *t.shape), np.float32)) for t in self.card.state}
        outputs = self._model.run(self._asked, {self.card.input_name: self._stack(rgb, thermal), **state})
        waves, after = outputs[: len(self.vitals)], outputs[len(self.vitals) :]
        memory.update({t.input: tensor for t, tensor in zip(self.card.state, after, strict=True)})
        return [
            Contribution(vital, 0, np.ravel(wave), np.ones(wave.size))
            for vital, wave in zip(self.vitals, waves, strict=True)
            if self._can_measure(vital, thermal)
        ]
