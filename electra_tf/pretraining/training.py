# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""One process's part of a pre-training run, from its first step to its last."""

import functools
import time
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config import PretrainingConfig
from electra_tf.config.stages import Stage
from electra_tf.data import PretrainingRecords
from electra_tf.files import check_keys
from electra_tf.pretraining import model_folder
from electra_tf.pretraining.held_out import Evaluator
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.pretraining.run_flops import flops_of_run, flops_of_sequence, steps_like_those_at
from electra_tf.pretraining.stage_records import StageRecords
from electra_tf.pretraining.starting_weights import (
    StartingWeights,
    load_starting_weights,
    tell_uniform_fakes,
)
from electra_tf.text import Tokenizer
from electra_tf.training.checkpoints.checkpoint import (
    STATE,
    CheckpointFolder,
    read_state,
    read_step,
)
from electra_tf.training.checkpoints.weights import (
    restore_training,
    training_variables,
)
from electra_tf.training.distribution.workers import Workers, check_same_weights
from electra_tf.training.loop.logs import FirstLine, RunLog, clock, progress_line
from electra_tf.training.loop.loop import (
    Event,
    NonFiniteLossError,
    StopSignals,
    Timing,
    make_runner,
    run_loop,
)
from electra_tf.training.loop.stops import stopped, with_saved_batch
from electra_tf.training.optimization.optimizer import ElectraAdam, ElectraLamb
from electra_tf.training.optimization.schedule import WarmupPolynomialDecay, warn_of_long_warmup

INSTEAD_OF_A_CPU = (
    "Use a machine with a GPU (docs/scaling.md), fewer num_train_steps, a smaller model "
    "(model_size, model_hparam_overrides), or weights that exist (init_checkpoint)."
)
_STATE_KEYS = {"best_loss": (float, type(None))}


def make_schedule(config: PretrainingConfig) -> WarmupPolynomialDecay:
    return WarmupPolynomialDecay(
        config.learning_rate,
        config.num_train_steps,
        config.num_warmup_steps,
        config.lr_decay_power,
    )


def make_optimizer(config: PretrainingConfig) -> ElectraAdam:
    kind = {"adam": ElectraAdam, "lamb": ElectraLamb}[config.optimizer]
    return kind(
        make_schedule(config),
        weight_decay=config.weight_decay_rate,
        bias_correction=config.adam_bias_correction,
    )


class Training:
    """One process's part of a run: what to begin with, what to do after which steps."""

    def __init__(
        self,
        config: PretrainingConfig,
        strategy: tf.distribute.Strategy,
        workers: Workers,
        pretrainer: ElectraPretrainer,
        tokenizer: Tokenizer,
        records: StageRecords,
        held_out: PretrainingRecords | None,
    ):
        self.config = config
        self.strategy = strategy
        self.workers = workers
        self.pretrainer = pretrainer
        self.tokenizer = tokenizer
        self.records = records
        self.schedule = make_schedule(config)
        self.checkpoints = model_folder.checkpoints(config)
        self.evaluator = None
        if held_out is not None:
            self.evaluator = Evaluator(pretrainer, held_out, config.num_eval_steps, strategy)
        self.timing = Timing(self._flops_of)
        self.flops_of_sequence: dict[int, float] = {}
        self.start: StartingWeights | None = None
        self.first_line: FirstLine | None = None  # of the chief
        self.last_logged = {}
        self.runners = {}
        self.step = 0
        self.saved_step = 0
        self.best_loss = None

    def run(self) -> dict:
        config = self.config
        with self.strategy.scope():
            self._begin()
        first_step = self.step
        begin = "the checkpoint to begin with"
        self.workers.check_same(begin, {"step": first_step, **self.records.state(first_step)})
        check_same_weights(self.workers, begin, self.pretrainer)
        if first_step >= config.num_train_steps:
            logging.info(
                "%s is trained already: %d of num_train_steps=%d steps are done.",
                config.model_dir,
                first_step,
                config.num_train_steps,
            )
            return {}
        logging.info(
            "The whole run takes %s%.4g FLOPs, as the original counts them.",
            "at most " if config.length_buckets else "",
            flops_of_run(config),
        )
        if self.workers.is_chief:
            model_folder.write_config(config, self.tokenizer)
            self.checkpoints.remove_incomplete()
            model_folder.best_checkpoints(config).remove_incomplete()
            self.log = RunLog(config.model_dir, first_step)
            self._warn_of_warmup()
            self.first_line = FirstLine(
                first_step,
                config.num_train_steps,
                functools.partial(steps_like_those_at, config),
                INSTEAD_OF_A_CPU,
            )
        self.began = time.monotonic()
        self.timing.reset()
        step = first_step
        try:
            with StopSignals() as signals:
                for stage in config.plan:
                    if step < stage.last_step and not signals.agreed:
                        step = self._run_stage(stage, step, signals)
                if signals.agreed and step < config.num_train_steps:
                    if step != self.saved_step:
                        self._save(step)
                    self.workers.wait_for_all()
                    raise stopped(signals, step, config.num_train_steps, config.model_dir)
        except NonFiniteLossError as error:
            raise with_saved_batch(error, config.model_dir, self.workers) from error
        self.workers.wait_for_all()
        logging.info("Done: step %d is saved in %s.", step, config.model_dir)
        return self.last_logged

    def _run_stage(self, stage: Stage, first_step: int, signals: StopSignals) -> int:
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
        self.pretrainer.accumulation_steps = stage.gradient_accumulation_steps
        if config.extend_positions and first_step == stage.first_step > 0:
            trained = max(s.max_seq_length for s in config.plan[: stage.number - 1])
            with self.strategy.scope():
                variables = training_variables(self.pretrainer)
                extend_positions(variables, trained, stage.max_seq_length)
        return run_loop(
            self._runner(stage.train_batch_size, stage.gradient_accumulation_steps),
            self.records.batches(
                stage, first_step, config.seed, self.workers.index, self.workers.count
            ),
            first_step,
            stage.last_step,
            [
                Event(config.log_every_steps, self._log),
                Event(config.eval_every_steps, self._evaluate),
                Event(config.save_checkpoints_steps, self._save),
            ],
            self.timing,
            config.iterations_per_loop,
            signals,
            self.workers,
            self.first_line,
        )

    def _warn_of_warmup(self):
        steps, warmup = self.config.num_train_steps, self.config.num_warmup_steps
        if not self.config.debug:  # which nobody looks at for what it learns
            warn_of_long_warmup(
                self.schedule,
                f"num_warmup_steps is {warmup}, but num_train_steps {steps}",
                f"num_warmup_steps to a tenth of num_train_steps, {max(1, steps // 10)}",
            )

    def _runner(self, batch_size: int, accumulation_steps: int):
        """What runs such steps; stages that differ in nothing else share what was compiled."""
        key = batch_size, accumulation_steps
        if key not in self.runners:
            self.runners[key] = make_runner(
                self.strategy,
                self.pretrainer.train_step,
                batch_size,
                self.config.iterations_per_loop,
                self.config.jit_compile,
            )
        return self.runners[key]

    def _flops_of(self, batch: Mapping[str, np.ndarray]) -> float:
        """Of this process's rows."""
        rows, length = batch["input_ids"].shape
        if length not in self.flops_of_sequence:
            self.flops_of_sequence[length] = flops_of_sequence(self.config, length)
        return rows * self.flops_of_sequence[length]

    def _begin(self):
        """Weights, moments and position of the last checkpoint, or else of `init_checkpoint`."""
        config, prefix = self.config, self.checkpoints.latest()
        if prefix is not None:
            state = read_state(prefix)
            report = restore_training(prefix, self.pretrainer)
            self.pretrainer.updates.begin_averages(report.loaded)
            self.step = read_step(prefix)
            self.best_loss = state.get("best_loss")
            check_keys({"best_loss": self.best_loss}, _STATE_KEYS, f"{prefix}: {STATE}")
            logging.info("Continuing from %s, step %d.", prefix, self.step)
            self.records.restore(self.step, state, prefix)
        else:
            load_starting_weights(config, self.pretrainer, self.tokenizer, self.start)
        tell_uniform_fakes(config)

    def _log(self, step: int):
        pretrainer, timing = self.pretrainer, self.timing
        timing.tokens = self.workers.total(timing.tokens)
        timing.flops = self.workers.total(timing.flops)
        values = {name: float(value) for name, value in pretrainer.running.results().items()}
        values |= {
            "learning_rate": float(self.schedule(step)),
            **timing.speeds(),
        }
        if self.workers.is_chief:
            self.log.write(step, values)
            elapsed = time.monotonic() - self.began
            logging.info(progress_line(step, self.config.num_train_steps, values, elapsed))
        self.last_logged = {"step": step, **values}
        pretrainer.running.reset()
        timing.reset()

    def _evaluate(self, step: int):
        start = time.monotonic()
        results = self.evaluator()
        if self.workers.is_chief:
            self.log.write(step, results, kind="eval")
        is_best = self.best_loss is None or results["loss"] < self.best_loss
        logging.info(
            "step %d held-out: %s%s (%s)",
            step,
            ", ".join(f"{name} {value:.4f}" for name, value in results.items()),
            ", the best so far" if is_best else "",
            clock(time.monotonic() - start),
        )
        if is_best:
            self.best_loss = results["loss"]
            self._save_to(model_folder.best_checkpoints(self.config), step)
        self.timing.reset()

    def _save(self, step: int):
        self._save_to(self.checkpoints, step)
        self.saved_step = step

    def _save_to(self, folder: CheckpointFolder, step: int):
        if not self.workers.is_chief:
            return
        state = {
            **self.records.state(step),
            "best_loss": self.best_loss,
            "configuration": self.config.to_dict(),
        }
        folder.save(step, training_variables(self.pretrainer), state)


TABLE = "position_embeddings"


def extend_positions(variables: Mapping[str, tf.Variable], trained: int, length: int) -> None:
    """Give positions that have not been trained the values of those that have.

    What goes with a table (moments, moving averages) is copied with it. The first and the last
    position are not: they see [CLS] and [SEP]. With 6 trained positions and a length of 10, the
    positions 6, 7, 8, 9 become copies of 1, 2, 3, 4.

    Args:
        variables: of a run, by name; tables have `TABLE` in theirs and are [positions, E].
        trained: positions trained so far, at least 3.
        length: positions of the next stage.
    """
    rows = np.arange(max(length, trained))
    rows[trained:] = 1 + (rows[trained:] - trained) % (trained - 2)
    for name, variable in variables.items():
        if TABLE in name:
            table = tf.convert_to_tensor(variable).numpy()
            table[: len(rows)] = table[rows]
            variable.assign(table)
