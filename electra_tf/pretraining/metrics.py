# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is measured while pre-training and evaluating, under the original's names."""

import keras
import tensorflow as tf

from electra_tf.pretraining.discriminators import DiscriminatorObjective


class PretrainingMetrics:
    """Running metrics of generator and discriminator, padding left out (run_pretraining.py).

    Args:
        objective: of the discriminator; None: there is none.
    """

    def __init__(self, objective: DiscriminatorObjective | None):
        self._objective = objective
        mean = keras.metrics.Mean
        self.generator = {
            "masked_lm_accuracy": mean(name="masked_lm_accuracy"),
            "masked_lm_loss": mean(name="masked_lm_loss"),
        }
        self.discriminator = {}
        if objective is not None:
            self.discriminator = {
                "sampled_masked_lm_accuracy": mean(name="sampled_masked_lm_accuracy"),
                **objective.metrics(),
            }
        self.step = {
            "total_loss": mean(name="total_loss"),
            "gradient_norm": mean(name="gradient_norm"),
        }

    @property
    def all(self) -> list[keras.metrics.Metric]:
        return [*self.generator.values(), *self.discriminator.values(), *self.step.values()]

    def trained(self, masked_lm_only: bool) -> list[keras.metrics.Metric]:
        """Those that training steps update, which leave the discriminator out if asked to."""
        resting = self.discriminator.values() if masked_lm_only else ()
        return [metric for metric in self.all if not any(metric is other for other in resting)]

    def results(self) -> dict[str, tf.Tensor]:
        return {metric.name: metric.result() for metric in self.all}

    def reset(self) -> None:
        for metric in self.all:
            metric.reset_state()

    def update_step(self, loss: tf.Tensor, gradient_norm: tf.Tensor) -> None:
        """Add what only a training step has; `loss` is this replica's share."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self.step["total_loss"].update_state(loss * replicas)
        self.step["gradient_norm"].update_state(gradient_norm)

    def update(self, outputs: dict[str, tf.Tensor]) -> None:
        """Add the outputs of one batch."""
        masked_ids, weights = outputs["masked_ids"], outputs["masked_weights"]
        right = outputs["guessed_ids"] == masked_ids
        self.generator["masked_lm_accuracy"].update_state(right, weights)
        self.generator["masked_lm_loss"].update_state(outputs["mlm_token_losses"], weights)
        if self._objective is not None and self._objective.token_losses in outputs:
            right = outputs["sampled_ids"] == masked_ids
            self.discriminator["sampled_masked_lm_accuracy"].update_state(right, weights)
            self._objective.update(self.discriminator, outputs)
