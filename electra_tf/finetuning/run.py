# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A fine-tuning run: trials with different seeds, each trained, evaluated and written down."""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from electra_tf.config import FinetuningConfig
from electra_tf.config.fields import Role, names_of
from electra_tf.finetuning import model_folder, trial_folders
from electra_tf.finetuning.evaluation import Evaluation, Evaluator, failures_of
from electra_tf.finetuning.results import (
    RunResults,
    beside_results,
    results_lines,
    stored_trials,
    write_details,
    write_test_predictions,
)
from electra_tf.finetuning.run_data import RunData
from electra_tf.finetuning.split_data import SplitData
from electra_tf.finetuning.starting_weights import StartingPoint, fingerprint_of
from electra_tf.finetuning.task import Task, load_task
from electra_tf.finetuning.trial import Trial, TrialTrainer, make_schedule
from electra_tf.text import load_matching_tokenizer
from electra_tf.training.checkpoints.checkpoint import read_step
from electra_tf.training.checkpoints.run_folder import locked
from electra_tf.training.checkpoints.weights import load_weights
from electra_tf.training.distribution.coordination import ending_with_others
from electra_tf.training.distribution.strategy import make_strategy
from electra_tf.training.distribution.workers import Workers, check_same_run, check_same_weights
from electra_tf.training.loop.logs import clock
from electra_tf.training.loop.runners import rows_of_each
from electra_tf.training.loop.trainer import DivergedError
from electra_tf.training.optimization.schedules import warn_of_long_warmup
from electra_tf.training.optimization.updates import check_precision
from electra_tf.training.private_tensorflow import without_lasting_gradients

DECIDES_NOTHING = names_of(FinetuningConfig, Role.RUN | Role.PATH | Role.MAY_BE_PATH)
"""Hyperparameters that trained weights do not follow from; what is in files is hashed instead."""
DECIDES_BEST = names_of(FinetuningConfig, Role.BEST)
"""Those that decide which checkpoint is the best one, if there is evaluation on the way."""


def finetune(
    config: FinetuningConfig,
    start: StartingPoint | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> RunResults:
    """Train and evaluate `num_trials` models, as `do_train` and `do_eval` say.

    A trial resumes where its folder's last checkpoint stopped if everything it follows from is
    the same; otherwise it starts over.

    Args:
        config: the run.
        start: initial weights; None for random ones.
        strategy: where to compute; default: what `config` says.

    Raises:
        FileNotFoundError, ValueError: files or settings are missing or wrong.
        FileExistsError: a folder of a trial holds files of others.
        ArithmeticError: the loss of a step is not finite.
        OSError: another run writes to the model folders, or another worker has died.
        Stopped: SIGTERM or Ctrl-C; the run is saved and can be continued.
    """
    if config.do_train:
        source = f"with {start.description}" if start else "from random weights"
        logging.info("Beginning %s.", source)
    # First: workers cannot find each other once TensorFlow has computed something.
    strategy = strategy or make_strategy(config.devices)
    if config.do_train:
        rows_of_each(strategy, config.train_batch_size)
        check_precision(config.precision, strategy.num_replicas_in_sync)
        warn_of_long_warmup(
            make_schedule(config, 1000),
            f"warmup_proportion is {config.warmup_proportion}",
            "warmup_proportion to 0.1",
        )
    workers = Workers(strategy)
    lock = workers.only_chief(lambda: locked(config.model_dir))
    with ending_with_others(workers.resolver), lock:
        check_same_run(workers, config)
        with workers.chief_first():
            if workers.is_chief and config.do_train:
                trial_folders.check_folders(config)
            run = _Run(config, start, strategy, workers)
        return run.run()


def load_tasks(config: FinetuningConfig, is_chief: bool = True) -> list[Task]:
    """The tasks of a run; bad rows are listed in a file beside the results, if skipped.

    Args:
        config: the run.
        is_chief: whether this process writes that file; others list them where nobody looks.

    Raises:
        ValueError: two tasks have one name, or see `load_task`.
    """
    tasks = []
    for name in config.task_names:
        short = name.removesuffix(".json").rsplit("/", 1)[-1]
        bad_rows = beside_results(config, f"_{short}_bad_rows.txt")
        if not is_chief:
            bad_rows = os.path.join(tempfile.gettempdir(), f"{os.getpid()}_bad_rows.txt")
        skipped = bad_rows if config.skip_bad_rows else None
        tasks.append(load_task(name, config.raw_data_dir, skipped, config.data_dir))
    names = [task.name for task in tasks]
    if len(set(names)) < len(names):
        raise ValueError(f"task_names is expected to have different names, but has {names}.")
    return tasks


class _Run:
    """The data of a run, and its trials one after the other."""

    def __init__(
        self,
        config: FinetuningConfig,
        start: StartingPoint | None,
        strategy: tf.distribute.Strategy,
        workers: Workers,
    ):
        self.config = config
        self.strategy = strategy
        self.workers = workers
        self.start = start
        self.tokenizer = load_matching_tokenizer(config)
        self.tasks = load_tasks(config, workers.is_chief)
        self.data = RunData(config, self.tokenizer, self.tasks, workers.is_chief)
        if config.log_examples:
            self.data.log_examples()
        uses_head = any(task.kind.has_zero_shot for task in self.tasks)
        self.starting_weights = fingerprint_of(start, uses_head) if start else None
        self.baselines = self.data.baselines()
        self.diverged: list[DivergedError] = []

    def run(self) -> RunResults:
        config = self.config
        metrics = {task.name: task.spec.metric for task in self.tasks}
        results = RunResults(config, metrics, self.baselines)
        finished = self._finished_before()
        # Before anything is computed, and before the chief writes what all of them have read.
        self._check_same_data(finished)
        if self.workers.is_chief and config.do_train:
            for number, attempt, _ in trial_folders.all_folders(config):
                trial_folders.starts_over(config, self._describe(number, attempt))
        for number in range(1, config.num_trials + 1):
            outcome = finished.get(number) or self._trial_with_retries(number)
            results.add(outcome, write=config.do_eval and self.workers.is_chief)
            is_last = number == config.num_trials
            if self.workers.is_chief and not (is_last or config.keep_all_models):
                trial_folders.remove(config, number)
        if len(self.diverged) == config.num_trials:
            raise self.diverged[-1]
        return results

    def _finished_before(self) -> dict[int, dict[str, Any]]:
        """Outcomes of trials whose models an earlier run has removed, by number."""
        config = self.config
        if config.keep_all_models or not (config.do_train and config.do_eval):
            return {}
        return {
            outcome["trial"]: outcome
            for outcome in stored_trials(config)
            if outcome["trial"] < config.num_trials
            and outcome["scores"]
            and outcome.get("key") == self._describe(outcome["trial"], outcome["attempt"]).key
        }

    def _check_same_data(self, finished: dict[int, dict[str, Any]]):
        self.workers.check_same(
            "the data, the first weights and the results so far",
            {
                "tasks": [task.name for task in self.tasks],
                **{f"{split.task.name}/{split.split}": split.key for split in self.data.splits},
                "first weights": self.starting_weights,
                "finished trials": sorted(finished),
            },
        )

    # ---- Trials

    def _trial_with_retries(self, number: int) -> dict[str, Any]:
        """The outcome of a trial; of a failed one, of its next attempts, the last one counts."""
        attempts = range(self.config.retry_failed_trials + 1)
        if not self.config.do_train:
            there = [a for a in attempts if tf.io.gfile.exists(self._describe(number, a).folder)]
            attempts = there[-1:] or [0]
        for attempt in attempts:
            outcome = self._attempt(number, attempt)
            if not outcome["failures"]:
                break
            for name, reasons in outcome["failures"].items():
                logging.warning("Trial %d failed on %s: %s.", number, name, "; ".join(reasons))
        return outcome

    @without_lasting_gradients()
    def _attempt(self, number: int, attempt: int) -> dict[str, Any]:
        config, began = self.config, time.monotonic()
        trial = self._describe(number, attempt)
        logging.info(
            "model=%s, trial %d/%d, seed %d",
            config.model_name,
            number,
            config.num_trials,
            trial.seed,
        )
        outcome = {
            "trial": number,
            "attempt": attempt,
            "seed": trial.seed,
            "folder": trial.folder,
            "steps": 0,
            "scores": {},
            "failures": {},
            "key": trial.key,
        }
        try:
            evaluator, outcome["steps"] = (
                self._trained(trial, outcome) if config.do_train else self._stored(trial)
            )
        except DivergedError as error:
            # The others may do well; only if none does, this is how the run ends.
            if attempt == config.retry_failed_trials:
                self.diverged.append(error)
            return outcome | {"failures": {task.name: [str(error)] for task in self.tasks}}
        if config.do_eval:
            self._evaluate(evaluator, number, outcome)
        logging.info("Trial %d took %s.", number, clock(time.monotonic() - began))
        return outcome

    def _describe(self, number: int, attempt: int) -> Trial:
        config = self.config
        # No seed of a trial tried again is that of another trial.
        seed = config.seed + number - 1 + attempt * config.num_trials
        folder = trial_folders.folder_of(config, number, attempt)
        ignored = DECIDES_NOTHING if config.eval_every_steps else DECIDES_NOTHING + DECIDES_BEST
        deciding = self.data.train + (self.data.dev if config.eval_every_steps else [])
        run_key = self._fingerprint(ignored, seed, deciding)
        scored = self._fingerprint(DECIDES_NOTHING, seed, self.data.splits)
        return Trial(number, attempt, seed, folder, run_key, scored)

    def _fingerprint(self, ignored: Sequence[str], seed: int, data: list[SplitData]) -> str:
        """Changes with settings but the ignored ones, first weights, and data."""
        key = {
            "settings": {k: v for k, v in self.config.to_dict().items() if k not in ignored},
            "seed": seed,
            "start": self.starting_weights,
            "data": [split.key for split in data],
        }
        return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()

    def _trained(self, trial: Trial, outcome: dict[str, Any]) -> tuple[Evaluator, int]:
        """Trains; the evaluator has the weights that count. Also returns the steps."""
        # First, so that nothing of an older model is lost to settings that cannot be used.
        trainer = TrialTrainer(
            self.config, trial, self.strategy, self.data.train, self.data.dev, self.start
        )
        if self.workers.is_chief:
            self._prepare_folder(trial)
        self.workers.wait_for_all()
        if trial.number == 1 and self.config.do_eval:  # the first weights are those of all trials
            outcome["zero_shot"] = self._zero_shot_scores(trainer.evaluator)
        steps = trainer.run()
        what = "the best checkpoint"
        best = model_folder.best_checkpoints(trial.folder).latest()
        self.workers.check_same(what, {"name": os.path.basename(best or "none")})
        if best is not None:
            logging.info("Evaluating %s, %s.", what, best)
            with self.strategy.scope():
                load_weights(best, trainer.model)
            check_same_weights(self.workers, what, trainer.model)
        return trainer.evaluator, steps

    def _zero_shot_scores(self, evaluator: Evaluator) -> dict[str, dict[str, float]]:
        """Scores before training, of tasks whose heads a pre-trained model brings."""
        found = {}
        for data in (*self.data.dev, *self.data.other_dev):
            if data.task.kind.has_zero_shot:
                scores = found[data.name] = evaluator(data).scores
                line = results_lines({data.name: scores}).strip()
                baseline, metric = self.baselines[data.name], data.task.spec.metric
                baseline = f"baseline {metric} {baseline[metric]:.2f}"
                logging.info("Zero-shot, before training | %s | %s", line, baseline)
        return found

    def _prepare_folder(self, trial: Trial):
        """Say in the trial's folder what it is of; empty it, if that is something else."""
        if trial_folders.starts_over(self.config, trial):
            trial_folders.empty(trial)
        model_folder.write_config(
            trial.folder,
            self.config,
            self.tokenizer,
            self.tasks,
            trial.run_key,
            data=self.data.train + self.data.dev,
        )

    def _stored(self, trial: Trial) -> tuple[Evaluator, int]:
        """The model that an earlier run left in the trial's folder.

        Raises:
            FileNotFoundError: there is none.
            ValueError: its tasks or its tokenizer are others.
        """
        what = "the model to evaluate"
        saved = model_folder.read_config(trial.folder)
        # Before variables are made, which workers do together.
        self.workers.check_same(
            what, {"folder": os.path.basename(trial.folder), "run": saved and saved.run_key}
        )
        with self.strategy.scope():
            stored = model_folder.load_finetuned(trial.folder)
        found = [(task.name, task.spec.labels) for task in stored.tasks]
        expected = [(task.name, task.spec.labels) for task in self.tasks]
        if found != expected or stored.tokenizer.settings != self.tokenizer.settings:
            raise ValueError(
                f"{trial.folder} is expected to be a model of {expected} with the tokenizer "
                f"{self.tokenizer.settings}, but is one of {found} with "
                f"{stored.tokenizer.settings}."
            )
        stored.model.config = self.config
        check_same_weights(self.workers, what, stored.model)
        steps = read_step(model_folder.weights_prefix(trial.folder))
        return Evaluator(stored.model, self.config.eval_batch_size, self.strategy), steps

    def _evaluate(self, evaluator: Evaluator, number: int, outcome: dict[str, Any]):
        config = self.config
        for data in (*self.data.dev, *self.data.other_dev):
            evaluation = evaluator(data)
            outcome["scores"][evaluation.name] = evaluation.scores
            baseline = self.baselines[evaluation.name]
            reasons = failures_of(data, evaluation.predictions, evaluation.scores, baseline)
            if reasons:
                outcome["failures"][evaluation.name] = reasons
            self._report(evaluation, number)
            if not self.workers.is_chief:
                continue
            write_details(config, evaluation, number)
            data.task.kind.write_answers(evaluation)
        if number > config.n_writes_test:
            return
        for data in self.data.test:
            evaluation = evaluator(data, config.predict_batch_size)
            if evaluation.scores:
                outcome["scores"][evaluation.name] = evaluation.scores
                self._report(evaluation, number)
            if self.workers.is_chief:
                write_details(config, evaluation, number)
                write_test_predictions(config, evaluation, number)

    def _report(self, evaluation: Evaluation, number: int):
        line = results_lines({evaluation.name: evaluation.scores}).strip()
        metric = evaluation.data.task.spec.metric
        baseline = self.baselines[evaluation.name][metric]
        logging.info("trial %d | %s | baseline %s %.2f", number, line, metric, baseline)
