# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One process's part of a pre-training run, from its first step to its last."""

import functools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config import PretrainingConfig
from electra_tf.config.pretraining_checks import Stage
from electra_tf.data import PretrainingRecords
from electra_tf.files import check_keys
from electra_tf.pretraining import model_folder
from electra_tf.pretraining.decayed_run import checkpoint_to_decay
from electra_tf.pretraining.evaluation_pictures import describe_examples, rtd_histograms
from electra_tf.pretraining.health_log import HealthLog
from electra_tf.pretraining.held_out import Evaluator
from electra_tf.pretraining.positions import TRAINED, extend_positions, tables_in, trained_positions
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.pretraining.run_flops import flops_of_run, flops_of_sequence, steps_like_those_at
from electra_tf.pretraining.stage_records import StageRecords
from electra_tf.pretraining.starting_weights import (
    FoundWeights,
    load_starting_weights,
    warn_of_uniform_fakes,
)
from electra_tf.text import Tokenizer
from electra_tf.training.checkpoints.checkpoint import STATE
from electra_tf.training.checkpoints.weights import training_variables, weights_by_name
from electra_tf.training.loop.trainer import Measured, Trainer
from electra_tf.training.optimization.optimizer import ElectraAdam, ElectraLamb, ElectraStableAdamW
from electra_tf.training.optimization.schedules import (
    WarmupCosineDecay,
    WarmupPolynomialDecay,
    WarmupTrapezoid,
    warn_of_long_warmup,
)

_STATE_KEYS = {"best_loss": (float, type(None))}


def make_schedule(config: PretrainingConfig) -> WarmupPolynomialDecay:
    """The learning rate by step."""
    shape = {
        "peak": config.learning_rate,
        "num_steps": config.num_train_steps,
        "num_warmup_steps": config.num_warmup_steps,
        "power": config.lr_decay_power,
    }
    if config.lr_schedule == "trapezoid":
        return WarmupTrapezoid(**shape, num_decay_steps=config.num_decay_steps)
    kind = {"reference": WarmupPolynomialDecay, "cosine": WarmupCosineDecay}[config.lr_schedule]
    return kind(**shape)


def make_optimizer(config: PretrainingConfig) -> ElectraAdam:
    """The optimizer that the hyperparameters name, with its schedule."""
    kinds = {"adam": ElectraAdam, "lamb": ElectraLamb, "stable_adamw": ElectraStableAdamW}
    return kinds[config.optimizer](
        make_schedule(config),
        weight_decay=config.weight_decay_rate,
        beta_1=config.adam_beta_1,
        beta_2=config.adam_beta_2,
        epsilon=config.adam_epsilon,
        bias_correction=config.adam_bias_correction,
    )


class PretrainingTrainer(Trainer):
    """One process's part of a pre-training run: its stages, one after the other.

    Without `held_out` records nothing is evaluated. `start` has the weights of a new run that are
    in no checkpoint.
    """

    instead_of_a_cpu = (
        "Use a machine with a GPU (docs/scaling.md), fewer num_train_steps, a smaller model "
        "(model_size, model_hparam_overrides), or weights that exist (init_checkpoint)."
    )

    def __init__(
        self,
        config: PretrainingConfig,
        strategy: tf.distribute.Strategy,
        pretrainer: ElectraPretrainer,
        tokenizer: Tokenizer,
        records: StageRecords,
        held_out: PretrainingRecords | None,
        start: FoundWeights,
    ):
        super().__init__(
            config,
            strategy,
            pretrainer,
            config.model_dir,
            model_folder.checkpoints(config),
            model_folder.best_checkpoints(config),
            make_schedule(config),
            self._flops_of,
        )
        self.tokenizer = tokenizer
        self.records = records
        self.start = start
        self._trained_positions: dict[str, int] = {}  # of each table, by name
        self._evaluator = None
        if held_out is not None:
            self._evaluator = Evaluator(pretrainer, held_out, config.num_eval_steps, strategy)
        self._health: HealthLog | None = None  # of the chief, while it trains
        self._flops_of_sequence = functools.cache(functools.partial(flops_of_sequence, config))

    @property
    def measured(self) -> list[keras.metrics.Metric]:
        return self.model.running.trained(self.model.masked_lm_only)

    def train(self, first_step: int) -> int:
        logging.info(
            "The whole run takes %s%.4g FLOPs, as the original counts them.",
            "at most " if self.config.length_buckets else "",
            flops_of_run(self.config),
        )
        if self.workers.is_chief:
            self._health = HealthLog(self.config, self.tokenizer.vocabulary, self._log)
        step = first_step
        for stage in self.config.plan:
            if step < stage.last_step and not self.signals.agreed:
                step = self._train_stage(stage, step)
        return step

    def _train_stage(self, stage: Stage, first_step: int) -> int:
        """Train to the end of a stage, where all events are due, or until a signal."""
        config = self.config
        if config.stages:
            logging.info(
                "Stage %d of %d, to step %d: batches of %d sequences of %d tokens.",
                stage.number,
                len(config.plan),
                stage.last_step,
                stage.train_batch_size,
                stage.max_seq_length,
            )
        if self._health is not None:
            self._health.begin_stage(stage, first_step, self.records.of(stage))
        self.model.accumulation_steps = stage.gradient_accumulation_steps
        self.model.masked_lm_only = stage.masked_lm_only
        length = stage.max_seq_length
        if config.extend_positions:
            with self.strategy.scope():
                extend_positions(training_variables(self.model), self._trained_positions, length)
        self._trained_positions = {
            table: max(trained, length) for table, trained in self._trained_positions.items()
        }
        batches = self.records.batches(
            stage, first_step, config.seed, self.workers.index, self.workers.count
        )
        return self.run_steps(
            batches,
            first_step,
            stage.last_step,
            stage.train_batch_size,
            (stage.gradient_accumulation_steps, stage.masked_lm_only),
        )

    def logged(self, step: int, values: Mapping[str, float]) -> None:
        self._health.see("train", step, values)

    def evaluate(self) -> Measured:
        found = self._evaluator.measure()
        results = found.results
        values = ", ".join(f"{name} {value:.4f}" for name, value in results.items())
        measured = Measured(results, -results["loss"], f"held-out: {values}")
        if not self.workers.is_chief:  # the chief alone writes texts and histograms
            return measured
        source = self.config.eval_tfrecords or f"{self.config.pretrain_tfrecords} (training data)"
        text = describe_examples(found.first_outputs, self.tokenizer.vocabulary, source)
        histograms = {}
        if self.config.detects_replaced_tokens:
            histograms = rtd_histograms(found.is_replaced, found.rtd_logits)
        return measured._replace(texts={"examples": text}, histograms=histograms)

    def checkpoint_of_another_run(self) -> str | None:
        return None if self.config.decay_from is None else checkpoint_to_decay(self.config)

    def begin(self) -> None:
        """Load what `init_checkpoint` and `generator_checkpoint` name."""
        self._trained_positions = load_starting_weights(
            self.config, self.model, self.tokenizer, self.start
        )
        warn_of_uniform_fakes(self.config)

    def state(self, step: int) -> dict[str, Any]:
        return {
            **self.records.state(step),
            "best_loss": None if self.best_score is None else -self.best_score,
            "configuration": self.config.to_dict(),
            TRAINED: self._trained_positions,
        }

    def restore(self, step: int, state: Mapping[str, Any], prefix: str) -> None:
        best_loss = state.get("best_loss")
        check_keys({"best_loss": best_loss}, _STATE_KEYS, f"{prefix}: {STATE}")
        self.best_score = None if best_loss is None else -best_loss
        self.records.restore(step, state, prefix)
        self.workers.check_same("the place in the records", self.records.state(step))
        weights = weights_by_name(self.model)
        tables = {name: weights[name].shape[0] for name in tables_in(weights)}
        self._trained_positions = trained_positions(state, step, tables, prefix)
        warn_of_uniform_fakes(self.config)

    def finished(self, step: int) -> str | None:
        if step < self.num_steps:
            return None
        return f": {step} of num_train_steps={self.num_steps} steps are done"

    def amounts(self, step: int) -> tuple[float, float]:
        return steps_like_those_at(self.config, step)

    def prepare_folder(self) -> None:
        model_folder.write_config(self.config, self.tokenizer)
        steps, warmup = self.num_steps, self.config.num_warmup_steps
        if not self.config.debug:  # a debug run is too short for any warm-up, and learns nothing
            warn_of_long_warmup(
                self.schedule,
                f"num_warmup_steps is {warmup}, but num_train_steps {steps}",
                f"num_warmup_steps to a tenth of num_train_steps, {max(1, steps // 10)}",
            )

    def _flops_of(self, batch: Mapping[str, np.ndarray]) -> float:
        """Of this process's rows."""
        rows, length = batch["input_ids"].shape
        return rows * self._flops_of_sequence(length, self.model.masked_lm_only)
