# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Scores of whole texts or pairs."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from electra_tf.config import FinetuningConfig
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.files.examples import TextExample
from electra_tf.finetuning.files.labels import ScoreRule
from electra_tf.finetuning.kinds.heads import RegressionHead
from electra_tf.finetuning.kinds.kind import Predictions, mean_loss
from electra_tf.finetuning.kinds.scorers import regression_scores
from electra_tf.finetuning.kinds.sequence import TextKind, doubled

if TYPE_CHECKING:  # these modules use the kinds
    from electra_tf.finetuning.split_data import SplitData
    from electra_tf.finetuning.task_json import Description


class Regression(TextKind):
    """A score; values are scores [n] in the task's range, which the head scales to 0..1."""

    name = "regression"
    head_class = RegressionHead
    keys = ("columns", "value_range", "double_unordered", "header")
    metrics = ("spearman", "pearson", "mse")
    has_labels = False
    label_arrays = ("targets",)
    range_of_outputs = (0.0, 1.0)

    def described(self, description: "Description") -> dict[str, Any]:
        value = description.fields.get("value_range")
        is_range = isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        valid = is_range and value[0] < value[1]
        description.need(valid, "value_range", "to be [lowest, highest] score", repr(value))
        return {
            **super().described(description),
            "value_range": (float(value[0]), float(value[1])),
            "double_unordered": doubled(description),
        }

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

    def compared(
        self, spec: TaskSpec, outputs: Mapping[str, tf.Tensor]
    ) -> tuple[tf.Tensor, tf.Tensor, None]:
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

    def served(
        self, spec: TaskSpec, outputs: Mapping[str, tf.Tensor], config: FinetuningConfig
    ) -> dict[str, tf.Tensor]:
        """`score` [B], in the range of the task."""
        low, high = spec.value_range
        return {"score": low + (high - low) * outputs["predictions"]}


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max
