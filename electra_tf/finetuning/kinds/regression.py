# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Scores of whole texts or pairs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from electra_tf.config import FinetuningConfig
from electra_tf.config.task_kinds import DescribedRegression
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.examples import TextExample
from electra_tf.finetuning.files.labels import ScoreRule
from electra_tf.finetuning.kinds.heads import RegressionHead, Tensors
from electra_tf.finetuning.kinds.kind import Compared, Predictions, mean_loss
from electra_tf.finetuning.kinds.scorers import regression_scores
from electra_tf.finetuning.kinds.sequence import TextKind

if TYPE_CHECKING:  # these modules use the kinds
    from electra_tf.finetuning.split_data import SplitData


class Regression(DescribedRegression, TextKind):
    """A score; values are scores [n] in the task's range, which the head scales to 0..1."""

    head_class = RegressionHead
    has_labels = False
    label_arrays = ("targets",)
    range_of_outputs = (0.0, 1.0)

    def problem(self, spec: TaskSpec) -> tuple[str, str, Any] | None:
        if spec.value_range is None or not spec.value_range[0] < spec.value_range[1]:
            return "value_range", "[lowest, highest] score", spec.value_range
        return None

    def label_rule(self, spec: TaskSpec) -> ScoreRule:
        return ScoreRule(spec.value_range)

    def targets(self, spec: TaskSpec, examples: Sequence[TextExample]) -> dict[str, np.ndarray]:
        low, high = spec.value_range
        scores = np.array([low if e.label is None else e.label for e in examples], np.float64)
        return {f"{spec.name}_targets": ((scores - low) / (high - low)).astype(np.float32)}

    def compared(self, spec: TaskSpec, outputs: Tensors) -> Compared:
        low, high = spec.value_range
        scores = [low + (high - low) * outputs[name] for name in ("targets", "predictions")]
        return *scores, None

    def predictions(self, data: "SplitData", outputs: Mapping[str, np.ndarray]) -> Predictions:
        scaled = outputs["predictions"]
        low, high = data.task.spec.value_range
        values = low + (high - low) * scaled.astype(np.float64)
        return Predictions(values, logits=scaled, loss=mean_loss(data, outputs))

    def predicted(self, spec: TaskSpec, predictions: Predictions, row: int) -> dict[str, float]:
        return {"prediction": float(predictions.values[row])}

    def scores(self, data: "SplitData", predictions: Predictions) -> dict[str, float]:
        return regression_scores(predictions.values, [e.label for e in data.examples])

    def trivial(self, train: "SplitData", data: "SplitData") -> list[float]:
        """The mean, which no other constant beats in squared error."""
        return [float(np.mean([e.label for e in train.examples]))] * len(data.examples)

    def collapse(self, spec: TaskSpec, values: np.ndarray) -> str | None:
        low, high = spec.value_range
        is_constant = np.ptp(values) < 1e-6 * (high - low)
        return "the same score is predicted for every example" if is_constant else None

    def cells(self, spec: TaskSpec, values: np.ndarray) -> list[str]:
        return [f"{value:.3f}" for value in np.clip(values, *spec.value_range)]

    def served(self, spec: TaskSpec, outputs: Tensors, config: FinetuningConfig) -> Tensors:
        """`score` [B], in the range of the task."""
        low, high = spec.value_range
        return {"score": low + (high - low) * outputs["predictions"]}
