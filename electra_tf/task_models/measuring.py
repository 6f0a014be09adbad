# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Outputs of a task model for all rows of its data, with a progress bar, and what they score."""

import math
from collections.abc import Mapping

import keras
import numpy as np

from electra_tf.finetuning.evaluation import Evaluator, scores_of
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.split_data import SplitData


def evaluator_of(model: FinetuningModel) -> Evaluator:
    """What computes outputs, losses included."""
    return Evaluator(model, 1, model.distribute_strategy, further=("loss", "learned_loss"))


def outputs_of(
    evaluator: Evaluator, data: SplitData, batch_size: int, verbose: str | int
) -> dict[str, np.ndarray]:
    """What the head computes for every row, in order.

    Args:
        evaluator: of the model.
        data: the rows.
        batch_size: of them at once.
        verbose: 0 for no progress bar, else as Keras' methods have it.
    """
    if not verbose:
        return evaluator.outputs(data, batch_size)
    count = math.ceil(len(data.arrays["task_id"]) / batch_size)
    bar = keras.utils.Progbar(count, verbose=1 if verbose == "auto" else verbose)
    return evaluator.outputs(data, batch_size, bar.update)


def scores_of_rows(
    evaluator: Evaluator,
    data: SplitData,
    weights: Mapping[str, np.ndarray],
    batch_size: int,
    verbose: str | int,
) -> dict[str, float]:
    """The loss, a mean over rows, and the scores of labelled examples, by name.

    Args:
        evaluator: of the model.
        data: the examples and their rows.
        weights: `sample_weight` of the rows in the loss, float32; empty for 1.
        batch_size: see `outputs_of`.
        verbose: likewise.
    """
    outputs = outputs_of(evaluator, data, batch_size, verbose)
    scores = scores_of(data, data.task.kind.predictions(data, outputs))
    losses = outputs.get("learned_loss", outputs["loss"])
    loss = float(np.mean(losses * weights.get("sample_weight", 1.0)))
    return {"loss": loss, **{name: score for name, score in scores.items() if name != "loss"}}
