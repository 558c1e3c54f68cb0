"""Progress as lines, for runs whose output goes to a file: there a progress bar shows nothing."""

from __future__ import annotations

import sys
import time

import lightning


class EpochLines(lightning.Callback):
    """One line on stderr after each epoch: its held-out figures, and how long the rest may take."""

    def __init__(self) -> None:
        self._started = 0.0
        self._first = 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        self._started, self._first = time.monotonic(), trainer.current_epoch

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        if trainer.is_global_zero:
            done = trainer.current_epoch + 1
            spent = time.monotonic() - self._started
            epochs = done if trainer.max_epochs is None else trainer.max_epochs
            left = spent / (done - self._first) * (epochs - done)
            figures = "  ".join(f"{name} {value:.3f}" for name, value in sorted(trainer.callback_metrics.items()))
            print(
                f"epoch {done}/{epochs}  {figures}  {spent:.0f} s, {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )
