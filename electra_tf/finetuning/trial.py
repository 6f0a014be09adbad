# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One trial: training from one seed, evaluated as it trains, early stopping."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from electra_tf.config import FinetuningConfig
from electra_tf.files import check_keys
from electra_tf.finetuning import model_folder
from electra_tf.finetuning.evaluation import Evaluator, mean_score
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.split_data import Arrays, SplitData, TrainingBatches
from electra_tf.finetuning.starting_weights import StartingPoint, assign_weights
from electra_tf.finetuning.task import Task
from electra_tf.training.checkpoints.checkpoint import STATE
from electra_tf.training.loop.loop import Event
from electra_tf.training.loop.trainer import Measured, Trainer
from electra_tf.training.optimization.optimizer import ElectraAdam, Factors
from electra_tf.training.optimization.schedules import WarmupPolynomialDecay

_STATE_KEYS = {
    "best_score": (float, type(None)),
    "evaluations_since_best": int,
    "finished": bool,
}


class _PatienceOver(Exception):
    """Evaluation has not become better for as long as the configuration allows."""


@dataclasses.dataclass(frozen=True)
class Trial:
    """Which trial of a run, and where it is kept."""

    number: int
    """From 1."""
    attempt: int
    """0, and one more each time it is tried again because it failed."""
    seed: int
    folder: str
    run_key: str
    """Changes with all that the trained weights follow from."""
    key: str
    """Changes with all that its scores follow from."""


def num_steps_of(config: FinetuningConfig, batches: TrainingBatches, tasks: Sequence[Task]) -> int:
    """Steps of a trial; none with 0 epochs, for heads that a pre-trained model brings.

    Raises:
        ValueError: there is not one step, or none for a task whose head has to be trained.
    """
    if config.num_train_epochs:
        return batches.num_steps(config.num_train_epochs)
    for task in tasks:
        if not task.kind.has_zero_shot:
            raise ValueError(
                f"num_train_epochs is expected to be above 0 for the task {task.name}, whose head "
                "has to be trained since it has no prompt, but is 0."
            )
    return 0


def make_schedule(config: FinetuningConfig, num_steps: int) -> WarmupPolynomialDecay:
    """The original's schedule; its warm-up need not be a whole number of steps."""
    return WarmupPolynomialDecay(
        config.learning_rate, num_steps, num_steps * config.warmup_proportion
    )


def make_optimizer(config: FinetuningConfig, num_steps: int) -> ElectraAdam:
    """Adam with layer-wise rates and the original's schedule."""
    return ElectraAdam(
        make_schedule(config, num_steps),
        weight_decay=config.weight_decay_rate,
        bias_correction=config.adam_bias_correction,
        learning_rate_factors=layerwise_factors(
            config.layerwise_lr_decay, config.encoder.num_hidden_layers
        ),
    )


def layerwise_factors(decay: float, num_layers: int) -> Factors:
    """Factors of the learning rate by variable path (optimization.py _get_layer_lrs).

    Heads have 1, the top layer decay^2 (the original leaves one power out), each layer below one
    power more, embeddings decay^(layers + 2).

    Args:
        decay: factor per layer; 0 for 1 everywhere.
        num_layers: layers of the encoder.
    """
    top = num_layers + 2

    def factor(depth: int) -> float:
        return decay ** (top - depth) if decay else 1.0

    layers = ((f"encoder/layer_{i}/", factor(i + 1)) for i in range(num_layers))
    return (
        ("task_specific/", factor(top)),
        *layers,
        ("/embeddings/|/embeddings_project/", factor(0)),
    )


class TrialTrainer(Trainer):
    """Trains the model of one trial.

    Args:
        config: the run.
        trial: which trial of it.
        strategy: where to compute.
        train: the training split of every task, in the order of the tasks.
        dev: their development splits.
        start: initial weights; None for random ones.
    """

    instead_of_a_cpu = (
        "Use a machine with a GPU (docs/scaling.md), a smaller model, fewer num_train_epochs or "
        "num_trials, or a shorter max_seq_length."
    )
    is_followed = True  # by evaluation and further trials

    def __init__(
        self,
        config: FinetuningConfig,
        trial: Trial,
        strategy: tf.distribute.Strategy,
        train: Sequence[SplitData],
        dev: Sequence[SplitData],
        start: StartingPoint | None,
    ):
        self.trial = trial
        self.dev = dev
        self.batches = TrainingBatches(
            [data.arrays for data in train], config.train_batch_size, trial.seed
        )
        num_steps = num_steps_of(config, self.batches, [data.task for data in train])
        with strategy.scope():
            specs = [data.task.spec for data in train]
            model = FinetuningModel(config, specs, seed=trial.seed)
            if start is not None:
                assign_weights(model, start)
            planned = max(1, num_steps)  # of a schedule, which nothing follows where there are none
            model.compile(optimizer=make_optimizer(config, planned))
            model.optimizer.build(model.trainable_variables)
        super().__init__(
            config,
            strategy,
            model,
            trial.folder,
            model_folder.checkpoints(trial.folder),
            model_folder.best_checkpoints(trial.folder),
            make_schedule(config, planned),
        )
        self.num_steps = num_steps
        self.evaluator = Evaluator(model, config.eval_batch_size, strategy)
        self.was_finished = False
        self.label = f"trial {trial.number} | "

    @property
    def step(self) -> Callable[[Arrays], Mapping[str, tf.Tensor]]:
        return self.model.update

    def train(self, first_step: int) -> int:
        if not self.num_steps:
            self.save(0)
            return 0
        size = self.config.train_batch_size
        own, batches = self.workers.share_of(size), self.batches.iterate(first_step)
        batches = ({name: rows[own] for name, rows in batch.items()} for batch in batches)
        try:
            return self.run_steps(batches, first_step, self.num_steps, size)
        except _PatienceOver:
            return self.saved_step

    def events(self) -> list[Event]:
        return [*super().events(), Event(self.config.eval_every_steps, self._check_patience)]

    def evaluate(self) -> Measured:
        evaluations = [self.evaluator(data) for data in self.dev]
        values = {
            f"{evaluation.name}/{metric}": value
            for evaluation in evaluations
            for metric, value in evaluation.scores.items()
        }
        scores = (
            f"{evaluation.name} {metric} {evaluation.scores[metric]:.2f}"
            for evaluation in evaluations
            for metric in [evaluation.data.task.spec.metric]
        )
        return Measured(values, mean_score(evaluations), f"dev: {', '.join(scores)}")

    def state(self, step: int) -> dict[str, Any]:
        return {
            "best_score": self.best_score,
            "evaluations_since_best": self.evaluations_since_best,
            "finished": step == self.num_steps or self._is_over(),
            "num_steps": self.num_steps,
            "run_key": self.trial.run_key,
        }

    def restore(self, step: int, state: Mapping[str, Any], prefix: str) -> None:
        check_keys(state, _STATE_KEYS, f"{prefix}: {STATE}")
        self.best_score = state["best_score"]
        self.evaluations_since_best = state["evaluations_since_best"]
        self.was_finished = state["finished"]

    def finished(self, step: int) -> str | None:
        return f", {step} steps" if self.was_finished else None

    def amounts(self, step: int) -> tuple[float, float]:
        """Steps of all trials, and those that are left of this one and the next ones."""
        trials = self.config.num_trials
        return trials * self.num_steps, (trials + 1 - self.trial.number) * self.num_steps - step

    def _is_over(self) -> bool:
        patience = self.config.early_stopping_patience
        return bool(patience) and self.evaluations_since_best >= patience

    def _check_patience(self, step: int):
        if not self._is_over() or step == self.num_steps:
            return
        if self.saved_step != step:
            self.save(step)
        logging.info(
            "step %d: not better for %d evaluations, so trial %d ends.",
            step,
            self.evaluations_since_best,
            self.trial.number,
        )
        raise _PatienceOver
