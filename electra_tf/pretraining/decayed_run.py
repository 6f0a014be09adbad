# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Where a run begins that continues the constant part of another run's trapezoid.

The rate of a trapezoid does not depend on the number of steps until it decays, so that one long run
gives the start of runs of several lengths, each as if it had been configured with its length.
"""

import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from electra_tf.config import PretrainingConfig
from electra_tf.config.continued_run import over_those_of
from electra_tf.given_files import no_checkpoint
from electra_tf.training.checkpoints.checkpoint import read_state, read_step
from electra_tf.training.checkpoints.checkpoint_reader import step_in_name


def checkpoint_to_decay(config: PretrainingConfig) -> str:
    """Prefix of the checkpoint that a run with `decay_from` continues, see `find_checkpoint`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the checkpoint is of another schedule, or past a step where a rate decays.
    """
    path = find_checkpoint(config)
    _check_schedule(config, read_state(path).get("configuration", {}), path, read_step(path))
    return path


def with_continued_checkpoint(config: PretrainingConfig, hparams: dict[str, Any]) -> dict[str, Any]:
    """`hparams` over those with which the checkpoint was saved that a run continues.

    The config.json beside it may be of a later run.

    Raises:
        FileNotFoundError, ValueError: see `find_checkpoint`.
    """
    return over_those_of(read_state(find_checkpoint(config)).get("configuration", {}), hparams)


def find_checkpoint(config: PretrainingConfig) -> str:
    """Prefix of the checkpoint that a run with `decay_from` continues, of any schedule.

    Of a folder it is the newest one that is not past the step where this run begins to decay.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the checkpoint is past the step where the rate of this run decays.
    """
    last_constant = min(config.num_train_steps - config.num_decay_steps, config.num_train_steps - 1)
    path = config.decay_from
    if not tf.io.gfile.exists(f"{path}.index"):
        path = _newest(path, last_constant)
    step = read_step(path)
    if step > last_constant:
        raise ValueError(
            f"decay_from is expected to be a checkpoint of at most step {last_constant}, where a "
            f"run of num_train_steps={config.num_train_steps} and lr_decay_share="
            f"{config.lr_decay_share} begins to decay, but {path} is of step {step}."
        )
    return path


def _newest(folder: str, last_step: int) -> str:
    if not tf.io.gfile.isdir(folder):
        raise FileNotFoundError(f"decay_from: {no_checkpoint(folder)}")
    files = tf.io.gfile.listdir(folder)
    steps = {step_in_name(f.removesuffix(".index")): f for f in files if f.endswith(".index")}
    usable = [step for step in steps if step <= last_step]
    if not usable:
        raise FileNotFoundError(
            f"decay_from: {folder} is expected to have a checkpoint of at most step {last_step}, "
            f"where the run begins to decay, but has those of the steps {sorted(steps)}."
        )
    return os.path.join(folder, steps[max(usable)].removesuffix(".index"))


def _check_schedule(
    config: PretrainingConfig, continued: Mapping[str, Any], path: str, step: int
) -> None:
    """Raise a ValueError unless the rates up to `step` are those that this run would have had."""
    for name in ("lr_schedule", "learning_rate", "num_warmup_steps"):
        given, found = getattr(config, name), continued.get(name)
        if found != given:
            raise ValueError(
                f"decay_from: {name} is expected to be that of the run that saved {path}, "
                f"{found!r}, but is {given!r}."
            )
    steps = continued["num_train_steps"]
    last_constant = steps - round(continued["lr_decay_share"] * steps)
    if step > last_constant:
        raise ValueError(
            f"decay_from: {path} is expected to be of the constant part of its run, which ends at "
            f"step {last_constant}, but is of step {step}."
        )
