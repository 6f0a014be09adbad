# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""That all workers do the same run in the same way."""

from collections.abc import Mapping
from typing import Any

from absl import logging

from electra_tf.training.devices import arithmetic
from electra_tf.training.workers import Workers

# Hosts may see the same files under different names; what is in them is compared by the runs.
_PATHS = ("pretrain_tfrecords", "eval_tfrecords", "init_checkpoint", "test_predictions")
_ENDINGS_OF_PATHS = ("_dir", "_file", "_txt", "_pkl")
_MAY_BE_PATHS = ("task_names",)


def check_same_run(workers: Workers, config: Any):
    """Raise a ValueError unless hyperparameters and arithmetic are the same on all workers.

    Args:
        workers: all of them call this together.
        config: of a run, with `precision` and `jit_compile`.
    """
    workers.check_same("the hyperparameters", _without_paths(config.to_dict()))
    computing = arithmetic(config.precision, config.jit_compile)
    workers.check_same("what the devices compute in", {"arithmetic": computing})
    logging.info("Computing in %s.", computing)


def _without_paths(settings: Mapping[str, Any]) -> dict[str, Any]:
    shared = {
        name: value
        for name, value in settings.items()
        if name not in (*_PATHS, *_MAY_BE_PATHS) and not name.endswith(_ENDINGS_OF_PATHS)
    }
    if "stages" in shared:
        shared["stages"] = [_without_paths(stage) for stage in shared["stages"]]
    return shared
