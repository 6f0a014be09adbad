# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One trial: training from one seed, with evaluation on the way, saved so that it can go on."""

import dataclasses
import os
import time
from collections.abc import Iterator, Sequence

import tensorflow as tf
from absl import logging

from electra_tf.config import FinetuningConfig
from electra_tf.files import check_keys
from electra_tf.finetuning import model_folder
from electra_tf.finetuning.batches import Arrays, TrainingBatches
from electra_tf.finetuning.evaluation import Evaluator, mean_score
from electra_tf.finetuning.model import FinetuningModel, layerwise_multiplier
from electra_tf.finetuning.split_data import SplitData
from electra_tf.finetuning.starting_weights import StartingPoint, assign_weights
from electra_tf.training.checkpoints.checkpoint import (
    STATE,
    CheckpointFolder,
    read_state,
    read_step,
)
from electra_tf.training.checkpoints.weights import restore_training, training_variables
from electra_tf.training.distribution.workers import Workers, check_same_weights
from electra_tf.training.loop.logs import FirstLine, RunLog, progress_line
from electra_tf.training.loop.loop import (
    Event,
    NonFiniteLossError,
    StopSignals,
    Timing,
    make_runner,
    run_loop,
)
from electra_tf.training.loop.stops import stopped, with_saved_batch
from electra_tf.training.optimization.optimizer import ElectraAdam
from electra_tf.training.optimization.schedule import WarmupPolynomialDecay

_STATE_KEYS = {
    "best_score": (float, type(None)),
    "evaluations_since_best": int,
    "finished": bool,
}


INSTEAD_OF_A_CPU = (
    "Use a machine with a GPU (docs/scaling.md), a smaller model, fewer num_train_epochs or "
    "num_trials, or a shorter max_seq_length."
)


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
        learning_rate_multiplier=layerwise_multiplier(
            config.layerwise_lr_decay, config.encoder.num_hidden_layers
        ),
    )


class Trainer:
    """Trains the model of one trial, going on where its folder's last checkpoint stopped.

    Args:
        train, dev: the splits of every task, in the order of the tasks.
        start: weights to begin with; None for random ones.
    """

    def __init__(
        self,
        config: FinetuningConfig,
        trial: Trial,
        strategy: tf.distribute.Strategy,
        train: Sequence[SplitData],
        dev: Sequence[SplitData],
        start: StartingPoint | None,
    ):
        self.config = config
        self.trial = trial
        self.strategy = strategy
        self.dev = dev
        self.batches = TrainingBatches(
            [data.arrays for data in train], config.train_batch_size, trial.seed
        )
        self.num_steps = self.batches.num_steps(config.num_train_epochs)
        self.schedule = make_schedule(config, self.num_steps)
        with strategy.scope():
            specs = [data.task.spec for data in train]
            self.model = FinetuningModel(config, specs, seed=trial.seed)
            if start is not None:
                assign_weights(self.model, start)
            self.model.compile(optimizer=make_optimizer(config, self.num_steps))
            self.model.optimizer.build(self.model.trainable_variables)
        self.evaluator = Evaluator(self.model, config.eval_batch_size, strategy)
        self.workers = Workers(strategy)
        self.checkpoints = model_folder.checkpoints(trial.folder)
        self.timing = Timing()
        self.first_line: FirstLine | None = None  # of the chief
        self.best_score = None
        self.evaluations_since_best = 0
        self.saved_step = 0

    def run(self) -> int:
        """Train; returns the number of steps done in all.

        Raises:
            ArithmeticError: the loss of a step is not finite.
            Stopped: SIGTERM or Ctrl-C; the trial is saved and can be continued.
        """
        done, step = self._resume()
        if done:
            logging.info("%s is trained already, %d steps.", self.trial.folder, step)
            return step
        if self.workers.is_chief:
            self.checkpoints.remove_incomplete()
            model_folder.best_checkpoints(self.trial.folder).remove_incomplete()
            self.log = RunLog(self.trial.folder, step)
            self.first_line = FirstLine(step, self.num_steps, self._steps_of_run, INSTEAD_OF_A_CPU)
        self.began = time.monotonic()
        self.timing.reset()
        try:
            with StopSignals() as signals:
                step = self._loop(step, signals)
        except NonFiniteLossError as error:
            raise with_saved_batch(error, self.trial.folder, self.workers) from error
        # What the chief saved last is read by all of them next.
        self.workers.wait_for_all()
        return step

    def _loop(self, first_step: int, signals: StopSignals) -> int:
        config = self.config
        runner = make_runner(
            self.strategy,
            self.model.train_step,
            config.train_batch_size,
            config.iterations_per_loop,
            config.jit_compile,
        )
        events = [
            Event(config.log_every_steps, self._log),
            Event(config.eval_every_steps, self._evaluate),
            Event(config.save_checkpoints_steps, self._save),
            Event(config.eval_every_steps, self._check_patience),
        ]
        try:
            step = run_loop(
                runner,
                self._own_rows(first_step),
                first_step,
                self.num_steps,
                events,
                self.timing,
                config.iterations_per_loop,
                signals,
                self.workers,
                self.first_line,
            )
        except _PatienceOver:
            step = self.saved_step
        signals.agree(self.workers)
        # Also behind the last step: evaluation and further trials are still to come.
        if signals.agreed:
            if step != self.saved_step:
                self._save(step)
            self.workers.wait_for_all()
            raise stopped(signals, step, self.num_steps, self.trial.folder)
        return step

    def _steps_of_run(self, step: int) -> tuple[int, int]:
        """Steps of all trials, and those that are left of this one and the next ones."""
        trials = self.config.num_trials
        return trials * self.num_steps, (trials + 1 - self.trial.number) * self.num_steps - step

    def _own_rows(self, first_step: int) -> Iterator[Arrays]:
        own = self.workers.share_of(self.config.train_batch_size)
        for batch in self.batches.iterate(first_step):
            yield {name: rows[own] for name, rows in batch.items()}

    def _resume(self) -> tuple[bool, int]:
        """Whether there is nothing left to do, and the number of steps done."""
        prefix = self.checkpoints.latest()
        what = "the checkpoint to begin with"
        self.workers.check_same(what, {"name": os.path.basename(prefix or "none")})
        if prefix is None:
            return False, 0
        state, step = read_state(prefix), read_step(prefix)
        check_keys(state, _STATE_KEYS, f"{prefix}: {STATE}")
        with self.strategy.scope():
            restore_training(prefix, self.model)
        check_same_weights(self.workers, what, self.model)
        self.best_score = state["best_score"]
        self.evaluations_since_best = state["evaluations_since_best"]
        self.saved_step = step
        if state["finished"]:
            return True, step
        logging.info("Continuing from %s, step %d of %d.", prefix, step, self.num_steps)
        return False, step

    def _log(self, step: int):
        timing, metric = self.timing, self.model.running_loss
        timing.tokens = self.workers.total(timing.tokens)
        values = {
            "loss": float(metric.result()),
            "learning_rate": float(self.schedule(step)),
            **timing.speeds(),
        }
        if self.workers.is_chief:
            self.log.write(step, values)
            elapsed = time.monotonic() - self.began
            line = progress_line(step, self.num_steps, values, elapsed)
            logging.info("trial %d | %s", self.trial.number, line)
        metric.reset_state()
        timing.reset()

    def _evaluate(self, step: int):
        evaluations = [self.evaluator(data) for data in self.dev]
        score = mean_score(evaluations)
        values = {
            f"{evaluation.name}/{metric}": value
            for evaluation in evaluations
            for metric, value in evaluation.scores.items()
        }
        if self.workers.is_chief:
            self.log.write(step, values, kind="eval")
        is_best = self.best_score is None or score > self.best_score
        scores = (
            f"{evaluation.name} {metric} {evaluation.scores[metric]:.2f}"
            for evaluation in evaluations
            for metric in [evaluation.data.task.spec.metric]
        )
        best = ", the best so far" if is_best else ""
        logging.info("step %d dev: %s%s", step, ", ".join(scores), best)
        if is_best:
            self.best_score, self.evaluations_since_best = score, 0
            self._save_to(model_folder.best_checkpoints(self.trial.folder), step)
        else:
            self.evaluations_since_best += 1
        self.timing.reset()

    def _is_over(self) -> bool:
        patience = self.config.early_stopping_patience
        return bool(patience) and self.evaluations_since_best >= patience

    def _check_patience(self, step: int):
        if not self._is_over() or step == self.num_steps:
            return
        if self.saved_step != step:
            self._save(step)
        logging.info(
            "step %d: not better for %d evaluations, so trial %d ends.",
            step,
            self.evaluations_since_best,
            self.trial.number,
        )
        raise _PatienceOver

    def _save(self, step: int):
        self._save_to(self.checkpoints, step)
        self.saved_step = step

    def _save_to(self, folder: CheckpointFolder, step: int):
        if not self.workers.is_chief:
            return
        state = {
            "best_score": self.best_score,
            "evaluations_since_best": self.evaluations_since_best,
            "finished": step == self.num_steps or self._is_over(),
            "num_steps": self.num_steps,
            "run_key": self.trial.run_key,
        }
        folder.save(step, training_variables(self.model), state)
