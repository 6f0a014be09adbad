# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is measured while pre-training and evaluating, under the original's names."""

import keras
import tensorflow as tf


class PretrainingMetrics:
    """Running metrics of generator and discriminator, padding left out (run_pretraining.py).

    Args:
        has_discriminator: whether the objective has one.
    """

    def __init__(self, has_discriminator: bool):
        mean = keras.metrics.Mean
        self.generator = {
            "masked_lm_accuracy": mean(name="masked_lm_accuracy"),
            "masked_lm_loss": mean(name="masked_lm_loss"),
        }
        self.discriminator = {}
        if has_discriminator:
            self.discriminator = {
                "sampled_masked_lm_accuracy": mean(name="sampled_masked_lm_accuracy"),
                "disc_loss": mean(name="disc_loss"),
                "disc_auc": keras.metrics.AUC(name="disc_auc"),
                "disc_accuracy": mean(name="disc_accuracy"),
                "disc_precision": mean(name="disc_precision"),
                "disc_recall": mean(name="disc_recall"),
                "replaced_share": mean(name="replaced_share"),
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
        if self.discriminator and "rtd_logits" in outputs:
            right = outputs["sampled_ids"] == masked_ids
            self.discriminator["sampled_masked_lm_accuracy"].update_state(right, weights)
            self._update_discriminator(outputs)

    def _update_discriminator(self, outputs: dict[str, tf.Tensor]):
        metrics = self.discriminator
        mask = tf.cast(outputs["input_mask"], tf.float32)  # [B, L]
        labels = tf.cast(outputs["is_replaced"], tf.float32)
        flagged = tf.cast(outputs["rtd_logits"] > 0, tf.float32)
        right = flagged == labels
        metrics["disc_accuracy"].update_state(right, mask)
        metrics["disc_precision"].update_state(right, mask * flagged)
        metrics["disc_recall"].update_state(right, mask * labels)
        metrics["replaced_share"].update_state(labels, mask)
        metrics["disc_auc"].update_state(labels, tf.sigmoid(outputs["rtd_logits"]), mask)
        # The original averages the losses of sequences, not of tokens.
        tokens = tf.reduce_sum(mask, axis=-1)
        sequence_losses = tf.reduce_sum(outputs["rtd_token_losses"] * mask, axis=-1) / (
            tokens + 1e-6
        )
        metrics["disc_loss"].update_state(sequence_losses, tf.cast(tokens > 0, tf.float32))
