# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs pre-training again and again, killed at each of the chosen points.

    python killed_run.py DATA_DIR MODEL_NAME HPARAMS WHERE...

prints a line of JSON for each. WHERE is "step-7" (while step 7 computes), "write-8" (the data of
checkpoint 8 is in place, its index is not) or "saved-8" (right after checkpoint 8).
"""

import json
import os
import signal
import sys
from unittest import mock

import pytest
import tensorflow as tf

from electra_tf.config import PretrainingConfig
from electra_tf.pretraining import ElectraPretrainer, run
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_step(number):
    whole_step = ElectraPretrainer.train_step

    def train_step(pretrainer, batch):
        tf.numpy_function(
            lambda done: die() if done == number - 1 else None,
            [pretrainer.optimizer.iterations],
            [],
        )
        return whole_step(pretrainer, batch)

    ElectraPretrainer.train_step = train_step


def die_in_write(number):
    rename = tf.io.gfile.rename

    def rename_or_die(source, target, overwrite=False):
        if target.endswith(f"model.ckpt-{number}.index"):
            die()
        rename(source, target, overwrite)

    tf.io.gfile.rename = rename_or_die


def die_after_save(number):
    save = CheckpointFolder.save

    def save_and_die(folder, step, *arguments):
        save(folder, step, *arguments)
        if step == number:
            die()

    CheckpointFolder.save = save_and_die


def stop_after_save(config, number=None):
    """Run until a step, or the next one, is saved, and be stopped there as by Ctrl-C."""
    save = CheckpointFolder.save

    def save_and_stop(folder, step, *arguments):
        save(folder, step, *arguments)
        if number in (None, step):
            raise KeyboardInterrupt

    with mock.patch.object(CheckpointFolder, "save", save_and_stop):
        with pytest.raises(KeyboardInterrupt):
            run.train(config)


def killed_by(where, config) -> int:
    """Run until killed in a separate process; returns the signal that ended it."""
    child = os.fork()  # before TensorFlow starts threads; saves importing it for each point
    if child:
        return os.WTERMSIG(os.waitpid(child, 0)[1])
    kind, number = where.split("-")
    {"step": die_in_step, "write": die_in_write, "saved": die_after_save}[kind](int(number))
    run.train(config)
    os._exit(0)


if __name__ == "__main__":
    data_dir, model_name, hparams, *points = sys.argv[1:]
    config = PretrainingConfig.from_hparams(model_name, data_dir, json.loads(hparams))
    for where in points:
        ended_by = killed_by(where, config)
        files = sorted(name for name in os.listdir(config.model_dir) if "ckpt" in name)
        latest = CheckpointFolder(config.model_dir).latest()
        report = {"where": where, "signal": ended_by, "latest": latest, "files": files}
        print(json.dumps(report), flush=True)
