# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The skeleton of every training run: from its last checkpoint, or from the start, to its end."""

import abc
import dataclasses
import io
import os
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.files import write_bytes
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, read_state, read_step
from electra_tf.training.checkpoints.weights import restore_training, training_variables
from electra_tf.training.distribution.workers import Workers, check_same_weights
from electra_tf.training.loop.logs import FirstLine, RunLog, clock
from electra_tf.training.loop.loop import (
    Batch,
    Event,
    NonFiniteLossError,
    StopSignals,
    Timing,
    run_loop,
)
from electra_tf.training.loop.progress import Progress
from electra_tf.training.loop.runners import make_runner
from electra_tf.training.optimization.schedules import WarmupPolynomialDecay


class Stopped(KeyboardInterrupt):
    """A signal ended the run early; everything is saved.

    As Python's own, it is no `Exception`, so that `except Exception` does not catch Ctrl-C.

    Attributes:
        signal: its number.
    """

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.signal = signal


class DivergedError(ArithmeticError):
    """Training has stopped because a loss was not finite."""


class Measured(NamedTuple):
    """What an evaluation during training has found."""

    values: dict[str, float]
    """What is logged."""
    score: float
    """The weights with the highest one are kept."""
    text: str
    """For the line of progress."""
    texts: Mapping[str, str] = {}
    """Markdown by name, for TensorBoard; of the chief."""
    histograms: Mapping[str, np.ndarray] = {}
    """Values by name, for TensorBoard; of the chief."""


@dataclasses.dataclass(eq=False, repr=False)
class Trainer(abc.ABC):
    """One process's part of training a model; subclasses say on what, and how it is evaluated.

    All processes of a run call the same methods together; the chief alone writes files.
    """

    config: Any
    """Of the run; decides how often something is done."""
    strategy: tf.distribute.Strategy
    """Of the model's variables."""
    model: keras.Model
    """Compiled, with `updates`."""
    folder: str
    """Of the run."""
    checkpoints: CheckpointFolder
    """Where the run is saved and resumed from."""
    best_checkpoints: CheckpointFolder
    """Where the weights of the best evaluation are kept."""
    schedule: WarmupPolynomialDecay
    """Of the learning rate, to the last step of the run."""
    flops_of: Callable[[Batch], float] | None = None
    """Floating-point operations of training on a batch; None: they are not known."""

    instead_of_a_cpu: ClassVar[str]
    """What to do about a run of more than a day without an accelerator."""
    is_followed = False
    """Whether something follows the last step, which a signal is to prevent."""
    label = ""
    """Begins the lines of progress."""

    def __post_init__(self):
        self.num_steps = self.schedule.num_steps
        self.workers = Workers(self.strategy)
        self.signals = StopSignals()
        self.timing = Timing(self.flops_of)
        self.saved_step: int | None = None  # nothing is
        self.best_score: float | None = None
        self.evaluations_since_best = 0
        self.last_logged: dict[str, float] = {}
        self._runners = {}
        self._log: RunLog | None = None  # of the chief, as the next one
        self._first_line: FirstLine | None = None
        self._progress: Progress | None = None

    # ---- What subclasses say

    @property
    def step(self) -> Callable[[Batch], Mapping[str, tf.Tensor]]:
        """One update on a replica's rows; returns its share of the `loss`, see `StepRunner`."""
        return self.model.train_step

    @property
    def measured(self) -> Sequence[keras.metrics.Metric]:
        """The metrics that the steps since the last line of the log have updated."""
        return self.model.metrics

    @abc.abstractmethod
    def train(self, first_step: int) -> int:
        """Call `run_steps` until the last step, or until a signal; returns the steps done."""

    @abc.abstractmethod
    def evaluate(self) -> Measured:
        """Measure the model as it is."""

    @abc.abstractmethod
    def state(self, step: int) -> dict[str, Any]:
        """What a checkpoint after `step` steps has beside variables, as JSON can hold it."""

    @abc.abstractmethod
    def restore(self, step: int, state: Mapping[str, Any], prefix: str) -> None:
        """Resume from the state of the checkpoint `prefix`, whose variables are loaded."""

    @abc.abstractmethod
    def amounts(self, step: int) -> tuple[float, float]:
        """Steps of the whole run, and those that are left after `step`; see `FirstLine`."""

    @abc.abstractmethod
    def finished(self, step: int) -> str | None:
        """What there is to say of a run that has nothing left to do; None for others."""

    def checkpoint_of_another_run(self) -> str | None:
        """The checkpoint that a run without one of its own continues; None: it begins anew."""
        return None

    def begin(self) -> None:  # noqa: B027 (optional)
        """Give a run without a checkpoint its first weights."""

    def prepare_folder(self) -> None:  # noqa: B027 (optional)
        """On the chief, before the first step: write what belongs to the model."""

    def logged(self, step: int, values: Mapping[str, float]) -> None:  # noqa: B027 (optional)
        """On the chief, after each line of the log: look at its values."""

    def events(self) -> list[Event]:
        """What is done after which steps."""
        return [
            Event(self.config.log_every_steps, self.log),
            Event(self.config.eval_every_steps, self._evaluate),
            Event(self.config.save_checkpoints_steps, self.save),
        ]

    # ---- The run

    def run(self) -> int:
        """Train to the end; returns the number of steps done in all.

        Raises:
            DivergedError: the loss of a step is not finite.
            Stopped: SIGTERM or Ctrl-C; the run is saved and can be resumed.
        """
        step = self._resume()
        done = self.finished(step)
        if done is not None:
            logging.info("%s is trained already%s.", self.folder, done)
            return step
        if self.workers.is_chief:
            self.prepare_folder()
            self.checkpoints.remove_incomplete()
            self.best_checkpoints.remove_incomplete()
            self._log = RunLog(self.folder, step)
            self._first_line = FirstLine(step, self.num_steps, self.amounts, self.instead_of_a_cpu)
            self._progress = Progress(step, self.num_steps, self.label)
        self._began = time.monotonic()
        self.timing.reset()
        try:
            with self.signals:
                step = self.train(step)
                self._stop_if_asked(step)
        except NonFiniteLossError as error:
            raise self._with_saved_batch(error) from error
        finally:
            if self._progress is not None:
                self._progress.close()
        # The others read what the chief has saved.
        self.workers.wait_for_all()
        logging.info("Done: step %d is saved in %s.", step, self.folder)
        return step

    def run_steps(
        self,
        batches: Iterator[Batch],
        first_step: int,
        last_step: int,
        batch_size: int,
        program: Hashable = None,
    ) -> int:
        """Train on batches of one size until `last_step` or a signal; returns the steps done.

        The batches are this process's rows of the global ones after `first_step` steps. All events
        are due at the end. Steps of another program are compiled anew.
        """
        key = batch_size, program
        iterations = self.config.iterations_per_loop
        if key not in self._runners:
            self._runners[key] = make_runner(
                self.strategy,
                self.step,
                batch_size,
                iterations,
                self.config.jit_compile,
            )
        return run_loop(
            self._runners[key],
            batches,
            first_step,
            last_step,
            self.events(),
            self.timing,
            iterations,
            self.signals,
            self.workers,
            self._watch if self.workers.is_chief else None,
        )

    def _watch(self, step: int, losses: np.ndarray):
        self._first_line(step, losses)
        self._progress.update(step)

    def _resume(self) -> int:
        """Load the last checkpoint, if there is one; returns the steps done."""
        own, step = self.checkpoints.latest(), 0
        prefix = self.checkpoint_of_another_run() if own is None else own
        what = "the checkpoint to resume from"
        self.workers.check_same(what, {"name": os.path.basename(prefix or "none")})
        with self.strategy.scope():
            if prefix is None:
                self.begin()
            else:
                state, step = read_state(prefix), read_step(prefix)
                report = restore_training(prefix, self.model)
                self.model.updates.begin_averages(report.loaded)
                logging.info("Continuing from %s, step %d.", prefix, step)
                self.restore(step, state, prefix)
        check_same_weights(self.workers, what, self.model)
        self.saved_step = None if own is None else step
        if own is None:
            self.best_score = None  # another run's best weights are not in this one's folder
        return step

    def _stop_if_asked(self, step: int):
        self.signals.agree(self.workers)
        if self.signals.agreed is None or (step >= self.num_steps and not self.is_followed):
            return
        if step != self.saved_step:
            self.save(step)
        self.workers.wait_for_all()
        raise Stopped(
            f"stopped by {self.signals.agreed.name} after step {step} of {self.num_steps}; saved "
            f"in {self.folder}. Run the same again to resume.",
            self.signals.agreed,
        )

    def _with_saved_batch(self, error: NonFiniteLossError) -> DivergedError:
        """Store the batch of a loss that is not finite, and return the error that says so.

        Every worker has its own rows of it, so every worker writes a file.
        """
        part = f"_worker_{self.workers.index}" if self.workers.count > 1 else ""
        path = os.path.join(self.folder, f"nonfinite_batch_step_{error.step}{part}.npz")
        content = io.BytesIO()
        np.savez(content, **error.batch)
        write_bytes(path, content.getvalue())
        return DivergedError(
            f"{error}, so training stopped. Its batch is in {path}; the last checkpoint is from "
            "before. A lower learning_rate or a longer warm-up may help."
        )

    # ---- Events

    def log(self, step: int) -> None:
        """Write down what was measured since the last time."""
        timing, metrics = self.timing, self.model.metrics
        timing.tokens = self.workers.total(timing.tokens)
        timing.flops = self.workers.total(timing.flops)
        values = {metric.name: float(metric.result()) for metric in self.measured}
        values["learning_rate"] = float(self.schedule(step))
        values |= timing.speeds()
        if self.workers.is_chief:
            self._log.write(step, values)
            self._progress.show(step, values, time.monotonic() - self._began)
            self.logged(step, values)
        self.last_logged = {"step": step, **values}
        for metric in metrics:
            metric.reset_state()
        timing.reset()

    def save(self, step: int) -> None:
        """Write a checkpoint."""
        self._save_to(self.checkpoints, step)
        self.saved_step = step

    def _evaluate(self, step: int):
        start = time.monotonic()
        found = self.evaluate()
        if self.workers.is_chief:
            self._log.write(step, found.values, "eval", found.texts, found.histograms)
        is_best = self.best_score is None or found.score > self.best_score
        best, seconds = ", the best so far" if is_best else "", time.monotonic() - start
        logging.info("step %d %s%s (%s)", step, found.text, best, clock(seconds))
        if is_best:
            self.best_score, self.evaluations_since_best = found.score, 0
            self._save_to(self.best_checkpoints, step)
        else:
            self.evaluations_since_best += 1
        self.timing.reset()

    def _save_to(self, folder: CheckpointFolder, step: int):
        if self.workers.is_chief:
            folder.save(step, training_variables(self.model), self.state(step))
