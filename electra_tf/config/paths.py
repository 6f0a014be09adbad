# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which hyperparameters are paths, and what stands in for parts of them."""

from collections.abc import Mapping
from typing import Any

_NAMES = ("pretrain_tfrecords", "eval_tfrecords", "init_checkpoint", "test_predictions")
_ENDINGS = ("_dir", "_file", "_txt", "_pkl")
_MAY_BE_PATHS = ("task_names",)


_PLACE = "{:}"


def filled(path: str, literal: str, *values: Any) -> str:
    """A path with values in its places "{:}": a single one in all of them, several in the last.

    Args:
        literal: a folder; where the path begins with it, that part has no places.
        values: what is put there; those that find no place are left out.
    """
    head = literal if path.startswith(literal) else ""
    rest = path[len(head) :]
    if len(values) == 1:
        return head + rest.replace(_PLACE, str(values[0]))
    begin, *parts = rest.rsplit(_PLACE, len(values))
    places = zip(values, parts, strict=False)
    return head + begin + "".join(f"{value}{part}" for value, part in places)


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
