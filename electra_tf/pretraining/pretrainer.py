# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""ELECTRA's joint training of generator and discriminator."""

import math
from typing import Any

import keras
import tensorflow as tf

from electra_tf.accelerators import default_precision
from electra_tf.config import PretrainingConfig, check
from electra_tf.model.fused import fused_on_cpus
from electra_tf.model.part import precision_scope, serializable
from electra_tf.pretraining.discriminators import discriminator_objective
from electra_tf.pretraining.keras_saving import SavedByKeras
from electra_tf.pretraining.losses import normalized_sum, token_cross_entropy
from electra_tf.pretraining.masking import (
    candidate_positions,
    mask_tokens,
    replace_positions,
    sample_tokens,
)
from electra_tf.pretraining.metrics import PretrainingMetrics
from electra_tf.pretraining.pair import build_pair
from electra_tf.seeds import SeedSource, Stream, replica_id, split_seed, step_seed
from electra_tf.text import Vocabulary, load_vocabulary
from electra_tf.training.distribution.replicas import sum_over_replicas
from electra_tf.training.optimization.updates import Updates, compiled, one_program, sum_over_parts

TOO_LARGE_TO_KEEP = ("mlm_logits", "cloze_logits", "restored_logits", "discriminator_hidden")
"""Outputs that a training step uses up at once."""


@serializable
class ElectraPretrainer(SavedByKeras):
    """Generator, discriminator and the gradient step that trains them together.

    The generator fills masked positions with its own samples; the discriminator says of every
    token whether it was replaced. Gradients do not pass through the samples. Other objectives of
    the discriminator are in `discriminators`.

    Args:
        config: the run. Objectives: ELECTRA with its variants (tied weights, untied embeddings,
            uniform generator, another `discriminator_objective`), Electric, masked LM.
        vocabulary: whose special tokens are never masked; default: `config.vocab_file`.
        **kwargs: of `keras.Model`.
    """

    def __init__(
        self, config: PretrainingConfig, vocabulary: Vocabulary | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.config = config
        self._vocabulary = vocabulary
        precision = config.precision or default_precision()
        with precision_scope(precision):
            self.generator, self.discriminator = build_pair(config)
        self.seed_source = SeedSource()
        self.updates = Updates(self, precision, config.ema_decay)
        self.objective = discriminator_objective(config)
        """What the discriminator learns; None without one."""
        self.running = PretrainingMetrics(self.objective)
        self._forward_and_backward = compiled(self._loss_and_gradients, config.jit_compile)
        self._update = one_program(self._update_from, config.jit_compile)
        self.accumulation_steps = config.gradient_accumulation_steps
        """Parts that `train_step` computes a batch in; a stage of a run may set its own."""
        self.masked_lm_only = False
        """Whether `train_step` trains the masked LM alone; likewise."""
        self.built = True

    # ---- Forward

    def compute_outputs(
        self,
        batch: dict[str, tf.Tensor],
        sampled_ids: tf.Tensor | None = None,
        training: bool = False,
        seed: tf.Tensor | None = None,
        normalizers: dict[str, tf.Tensor] | None = None,
        masked_lm_only: bool = False,
    ) -> dict[str, tf.Tensor]:
        """Everything that a step computes: logits, fakes, losses.

        Args:
            batch: `input_ids, input_mask, segment_ids` int32 [B, L]; if it has
                `masked_positions, masked_ids, masked_weights` [B, N] and `masked_input_ids`
                [B, L] too, it is not masked again.
            sampled_ids: int32 [B, N], fakes to use instead of samples from the generator.
            training: whether to drop out.
            seed: int32 [2]; decides masks, fakes and dropout. Default: another one at each call in
                training, otherwise always the same.
            normalizers: total weights of the losses over a global batch of which this is a part,
                as `normalizers(batch)` gives them; default: of this batch.
            masked_lm_only: leave the discriminator out.

        Returns:
            `batch` and `mlm_logits` [B, N, V], `guessed_ids` [B, N], `mlm_loss`, `total_loss` [];
            with a discriminator also `sampled_ids` [B, N], `corrupted_input_ids` [B, L],
            `is_replaced` bool [B, L], `discriminator_hidden` [B, L, H], and what the model and the
            losses of its objective give, of ELECTRA `rtd_logits` [B, L], `rtd_loss` []; with a
            two-tower generator `cloze_logits` [B, L, V], `cloze_loss` [].
        """
        if seed is None and training:
            seed = self.seed_source.next()
        seeds = self._seeds(seed)
        outputs = batch if "masked_positions" in batch else self.mask(batch, seed)
        if normalizers is None:
            normalizers = self.normalizers(outputs)
        drops = training and self.config.generator_dropout and not self.config.freeze_generator
        generator_seed = seeds["generator"] if drops else None
        # Keras passes on what one model is told to those called after it, so both get it.
        outputs = {**outputs, **self.generator(outputs, seed=generator_seed, training=drops)}
        outputs.update(self._generator_losses(outputs, normalizers))
        has_discriminator = self.objective is not None and not masked_lm_only
        if has_discriminator or sampled_ids is not None:
            temperature = self._temperature(training)
            outputs.update(self._corrupt(outputs, sampled_ids, seeds["samples"], temperature))
        if has_discriminator:
            outputs.update(self._discriminate(outputs, seeds["discriminator"], training))
            outputs.update(self.objective.losses(outputs, normalizers["discriminator"]))
        outputs["total_loss"] = self._total_loss(outputs)
        return outputs

    def mask(
        self,
        batch: dict[str, tf.Tensor],
        seed: tf.Tensor | None = None,
        mask_prob: float | tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """`batch` with positions to predict, see `masking.mask_tokens`.

        Args:
            batch: see `compute_outputs`; with `word_starts` [B, L] for whole words.
            seed: int32 [2].
            mask_prob: share of the tokens; default: the configuration's.
        """
        return mask_tokens(
            batch,
            self._seeds(seed)["masks"],
            mask_prob=self.config.mask_prob if mask_prob is None else mask_prob,
            num_masked=self.config.num_masked_of(batch["input_ids"].shape[1]),
            mask_id=self.vocabulary.mask_id,
            excluded_ids=self._never_masked,
            with_replacement=self.config.masking == "reference",
            whole_words=self.config.whole_word_masking,
        )

    def normalizers(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Total weight of each loss in a masked batch, float32 []."""
        totals = {"mlm": tf.reduce_sum(batch["masked_weights"])}
        if self.objective is not None:
            totals["discriminator"] = tf.reduce_sum(self.objective.weights(batch))
        if self.config.two_tower_generator:
            totals["cloze"] = tf.reduce_sum(self._cloze_weights(batch))
        return totals

    def call(self, batch: dict[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        return self.compute_outputs(batch, training=training)

    # ---- Learning

    def compile(
        self,
        optimizer: str | keras.optimizers.Optimizer = "rmsprop",
        loss: None = None,
        metrics: None = None,
        **options: Any,
    ) -> None:
        """As `keras.Model.compile`.

        Args:
            optimizer: of any kind.
            loss: None, since the objective has its own.
            metrics: None, since the model has its own.
            **options: others of Keras.

        Raises:
            ValueError: a loss or metrics are given.
        """
        for name, value in {"loss": loss, "metrics": metrics}.items():
            check(value is None, name, "None, since an ElectraPretrainer has its own", value)
        super().compile(optimizer=optimizer, **options)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update, of which this replica computes the part of its rows of the global batch.

        Returns:
            Running metrics, `total_loss` among them, and `loss` [], this replica's share of the
            loss of this one step; not finite either where the gradients are not, which spoils the
            weights just as well.
        """
        # What a stage sets is an argument: another value is another program.
        return self._update(batch, self.accumulation_steps, self.masked_lm_only)

    def _update_from(
        self, batch: dict[str, tf.Tensor], accumulation_steps: int, masked_lm_only: bool
    ):
        # Masked in here, too: outside of a compiled program the host would need the number of the
        # step for its seeds, and wait for the device to get it.
        step = self.optimizer.iterations
        seed = step_seed(self.config.seed, Stream.TRAINING, step, replica_id())
        if "masked_positions" not in batch:
            batch = self.mask(batch, seed, self._mask_prob(step))
        normalizers = sum_over_replicas(self.normalizers(batch))
        loss, gradients = sum_over_parts(
            lambda part, part_seed: self._learn_from(part, part_seed, normalizers, masked_lm_only),
            batch,
            seed,
            accumulation_steps,
        )
        gradient_norm = self.updates.apply(gradients, self._trained(masked_lm_only))
        self.running.update_step(loss, gradient_norm)
        loss = tf.where(tf.math.is_finite(gradient_norm), loss, gradient_norm)
        return {**self.running.results(), "loss": loss}

    def test_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Metrics of one batch; masks and fakes depend on the run's seed and the batch only.

        Returns:
            Running metrics, and `loss` [], which is `total_loss` under the name that callbacks of
            Keras look for.
        """
        outputs = self.compute_outputs(batch, seed=batch.get("seed"))
        self.running.update(outputs)
        self.running.step["total_loss"].update_state(outputs["total_loss"])
        results = self.running.results()
        del results["gradient_norm"]
        return {**results, "loss": results["total_loss"]}

    @property
    def trained_variables(self) -> list[tf.Variable]:
        """What gradients are taken of: the variables of both models, shared ones once."""
        return [variable.value for variable in self._trained()]

    def _trained(self, masked_lm_only: bool = False):
        """The variables that a step updates."""
        return (self.generator if masked_lm_only else self).trainable_variables

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return self.running.all

    # ---- Details

    def _learn_from(
        self,
        batch: dict[str, tf.Tensor],
        seed: tf.Tensor,
        normalizers: dict[str, tf.Tensor],
        masked_lm_only: bool,
    ):
        """Loss [] and gradients of (a part of) this replica's rows, which are counted, too."""
        loss, gradients, observed = self._forward_and_backward(
            batch, seed, normalizers, masked_lm_only
        )
        self.running.update(observed)
        return loss, gradients

    @fused_on_cpus()
    def _loss_and_gradients(
        self,
        batch: dict[str, tf.Tensor],
        seed: tf.Tensor,
        normalizers: dict[str, tf.Tensor],
        masked_lm_only: bool = False,
    ):
        """Loss, its dense gradients (scaled, for float16), and what metrics look at."""
        with tf.GradientTape() as tape:
            outputs = self.compute_outputs(
                batch,
                training=True,
                seed=seed,
                normalizers=normalizers,
                masked_lm_only=masked_lm_only,
            )
            loss = outputs["total_loss"]
            scaled = self.updates.scaled(loss)
        trained = [variable.value for variable in self._trained(masked_lm_only)]
        gradients = tape.gradient(scaled, trained)
        observed = {name: value for name, value in outputs.items() if name not in TOO_LARGE_TO_KEEP}
        return loss, [tf.convert_to_tensor(gradient) for gradient in gradients], observed

    def _mask_prob(self, step: tf.Tensor):
        """Share of the tokens to mask in an update after `step` others."""
        return self._in_a_line(self.config.mask_prob, self.config.mask_prob_end, step)

    def _temperature(self, training: bool):
        """Of the fakes, in the update that is being computed."""
        if not training or self.optimizer is None:
            return self.config.temperature
        step = self.optimizer.iterations
        return self._in_a_line(self.config.temperature, self.config.temperature_end, step)

    def _in_a_line(self, begin: float, end: float | None, step: tf.Tensor):
        """What goes from `begin` to `end` in the course of the run; None: it stays."""
        if end is None:
            return begin
        done = tf.cast(step, tf.float32) / self.config.num_train_steps
        return begin + (end - begin) * tf.minimum(done, 1.0)

    @property
    def vocabulary(self) -> Vocabulary:
        if self._vocabulary is None:
            self._vocabulary = load_vocabulary(self.config.vocab_file)
        return self._vocabulary

    @property
    def _never_masked(self) -> tuple[int, ...]:
        return self.vocabulary.never_masked_ids

    def _seeds(self, seed: tf.Tensor | None) -> dict[str, tf.Tensor]:
        if seed is None:
            seed = tf.constant([self.config.seed % 2**31, 0], tf.int32)
        names = ("masks", "samples", "generator", "discriminator")
        return dict(zip(names, split_seed(seed, len(names)), strict=True))

    def _cloze_weights(self, batch: dict[str, tf.Tensor]):
        candidates = candidate_positions(
            batch["input_ids"], batch["input_mask"], self._never_masked
        )
        return tf.cast(candidates, tf.float32)

    def _generator_losses(self, outputs: dict[str, tf.Tensor], normalizers: dict[str, tf.Tensor]):
        token_losses = token_cross_entropy(outputs["mlm_logits"], outputs["masked_ids"])
        computed = {
            "mlm_token_losses": token_losses,
            "guessed_ids": tf.argmax(outputs["mlm_logits"], axis=-1, output_type=tf.int32),
            "mlm_loss": normalized_sum(token_losses, outputs["masked_weights"], normalizers["mlm"]),
        }
        if "cloze_logits" in outputs:
            computed["cloze_loss"] = normalized_sum(
                token_cross_entropy(outputs["cloze_logits"], outputs["input_ids"]),
                self._cloze_weights(outputs),
                normalizers["cloze"],
            )
        return computed

    def _total_loss(self, outputs: dict[str, tf.Tensor]):
        """What training minimizes: the losses of what is trained, by their weights."""
        total = tf.zeros([])
        if not self.config.freeze_generator:
            generator_loss = outputs.get("cloze_loss", outputs["mlm_loss"])
            total = self.config.gen_weight * generator_loss
        if self.objective is not None and self.objective.loss in outputs:
            total += self.config.disc_weight * outputs[self.objective.loss]
        return total

    def _corrupt(
        self,
        outputs: dict[str, tf.Tensor],
        sampled_ids: tf.Tensor | None,
        seed: tf.Tensor,
        temperature: float | tf.Tensor,
    ):
        if sampled_ids is None:
            sampled_ids = sample_tokens(
                outputs["mlm_logits"],
                seed,
                temperature,
                outputs["masked_ids"] if self.config.disallow_correct else None,
            )
        corrupted, written = replace_positions(
            outputs["input_ids"],
            outputs["masked_positions"],
            sampled_ids,
            outputs["masked_weights"],
        )
        # Electric asks whether a token came from the noise, not whether it differs.
        is_replaced = written
        if not self.config.electric_objective:
            is_replaced &= corrupted != outputs["input_ids"]
        return {
            "sampled_ids": sampled_ids,
            "corrupted_input_ids": corrupted,
            "is_replaced": is_replaced,
        }

    def _discriminate(self, outputs: dict[str, tf.Tensor], seed: tf.Tensor, training: bool):
        inputs = {**outputs, "input_ids": outputs["corrupted_input_ids"]}
        found = self.discriminator(inputs, seed=seed, training=training)
        if self.config.electric_objective:
            noise = -token_cross_entropy(outputs["cloze_logits"], outputs["corrupted_input_ids"])
            odds = self.config.mask_prob / (1 - self.config.mask_prob)
            found["rtd_logits"] += tf.stop_gradient(noise) + math.log(odds)
        return found
