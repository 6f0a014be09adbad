# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How a run ends before its time: by a signal, or by a loss that is not finite."""

import io
import os

import numpy as np

from electra_tf.files import write_bytes
from electra_tf.training.distribution.workers import Workers
from electra_tf.training.loop.loop import NonFiniteLossError, StopSignals


class Stopped(Exception):
    """A signal ended the run early; everything is saved.

    Attributes:
        signal: its number.
    """

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.signal = signal


def stopped(signals: StopSignals, step: int, num_steps: int, model_dir: str) -> Stopped:
    """The `Stopped` of a run of which a process received a signal and has saved step `step`."""
    return Stopped(
        f"stopped by {signals.agreed.name} after step {step} of {num_steps}; saved in "
        f"{model_dir}. The same command goes on from there.",
        signals.agreed,
    )


class DivergedError(ArithmeticError):
    """Training has stopped because a loss was not finite."""


def with_saved_batch(error: NonFiniteLossError, model_dir: str, workers: Workers) -> DivergedError:
    """Store the batch of a loss that is not finite, and return the error that says so.

    Every worker has its own rows of it, so every worker writes a file.
    """
    part = f"_worker_{workers.index}" if workers.count > 1 else ""
    path = os.path.join(model_dir, f"nonfinite_batch_step_{error.step}{part}.npz")
    content = io.BytesIO()
    np.savez(content, **error.batch)
    write_bytes(path, content.getvalue())
    return DivergedError(
        f"{error}, so training stopped. Its batch is in {path}; the last checkpoint is from "
        "before. A lower learning_rate or a longer warm-up may help."
    )
