# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The hyperparameters that a run with `decay_from` takes over from the run that it continues."""

import os
from typing import Any

from electra_tf.config.fields import check, is_text
from electra_tf.files import check_keys, is_folder, read_json
from electra_tf.given_files import CONFIG_FILE, no_checkpoint

_OWN = frozenset(
    (
        *("model_name", "data_dir", "model_dir", "results_txt", "results_pkl"),
        *("debug", "do_train", "do_eval", "num_train_steps", "lr_decay_share"),
        *("init_checkpoint", "init_checkpoint_ignore", "decay_from"),
    )
)


def with_continued_run(hparams: dict[str, Any]) -> dict[str, Any]:
    """`hparams` over those of the run that `decay_from` names, if it is given.

    Not taken over: names, places of models and results, and how long the run is.

    Raises:
        FileNotFoundError: there is no such run.
        ValueError: `decay_from` is no text, or the run's config.json cannot be used.
    """
    path = hparams.get("decay_from")
    if path is None:
        return hparams
    check(is_text(path) and path != "", "decay_from", "a path or null", path)
    config = os.path.join(folder_of(path), CONFIG_FILE)
    try:
        stored = read_json(config)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"decay_from: {no_checkpoint(path)}") from error
    check_keys(stored, {"pretraining": dict}, config)
    taken = {name: value for name, value in stored["pretraining"].items() if name not in _OWN}
    return {**taken, **hparams}


def folder_of(path: str) -> str:
    """The folder of a checkpoint, which may be given itself."""
    return path if is_folder(path) else os.path.dirname(path)
