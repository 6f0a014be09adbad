# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Runs fine-tuning again and again, killed at each of the chosen points.

    python killed_finetuning.py DATA_DIR HPARAMS WHERE...

prints a line of JSON for each. WHERE is "step-2-5" (while step 5 of trial 2 computes), "write-1-4"
(the data of checkpoint 4 of trial 1 is in place, its index is not) or "results-1" (after the
training of trial 1, before its results are written).
"""

import json
import os
import signal
import sys

import tensorflow as tf
from tiny_finetuning import finetune

from electra_tf.finetuning import FinetuningModel
from electra_tf.finetuning.results import RunResults


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_step(trial, number):
    whole_step = FinetuningModel.update

    def train_step(model, batch):
        tf.numpy_function(
            lambda done: die() if done == int(number) - 1 else None,
            [model.optimizer.iterations],
            [],
        )
        return whole_step(model, batch)

    first = FinetuningModel.__init__

    def init(model, *arguments, seed, **options):
        # The seeds of trials count up from 3.
        if seed == 3 + int(trial) - 1:
            FinetuningModel.update = train_step
        first(model, *arguments, seed=seed, **options)

    FinetuningModel.__init__ = init


def die_in_write(trial, number):
    rename = tf.io.gfile.rename

    def rename_or_die(source, target, overwrite=False):
        if target.endswith(f"_model_{trial}/model.ckpt-{number}.index"):
            die()
        rename(source, target, overwrite)

    tf.io.gfile.rename = rename_or_die


def die_before_results(trial):
    RunResults.add = lambda *_, **__: die()


def killed_by(where, data_dir, hparams) -> int:
    """Run until killed in a separate process; returns the signal that ended it."""
    child = os.fork()  # before TensorFlow starts threads; saves importing it for each point
    if child:
        return os.WTERMSIG(os.waitpid(child, 0)[1])
    kind, *numbers = where.split("-")
    {"step": die_in_step, "write": die_in_write, "results": die_before_results}[kind](*numbers)
    finetune(data_dir, **hparams)
    os._exit(0)


if __name__ == "__main__":
    data_dir, hparams, *points = sys.argv[1:]
    for where in points:
        ended_by = killed_by(where, data_dir, json.loads(hparams))
        print(json.dumps({"where": where, "signal": ended_by}), flush=True)
