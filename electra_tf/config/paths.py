# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which hyperparameters are paths, under which hosts may see the same files differently."""

from collections.abc import Mapping
from typing import Any

_NAMES = ("pretrain_tfrecords", "eval_tfrecords", "init_checkpoint", "test_predictions")
_ENDINGS = ("_dir", "_file", "_txt", "_pkl")
_MAY_BE_PATHS = ("task_names",)


def without_paths(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that are none, of a run and of its stages."""
    others = {
        name: value
        for name, value in settings.items()
        if name not in (*_NAMES, *_MAY_BE_PATHS) and not name.endswith(_ENDINGS)
    }
    if "stages" in others:
        others["stages"] = [without_paths(stage) for stage in others["stages"]]
    return others
