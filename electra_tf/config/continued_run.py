# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The hyperparameters that a run with `decay_from` takes over from the run that it continues."""

import os
from collections.abc import Mapping
from typing import Any

from electra_tf.config.fields import check, is_text
from electra_tf.files import check_keys, is_folder, names_in, read_json
from electra_tf.given_files import CONFIG_FILE, no_checkpoint

_OWN = frozenset(
    (
        *("model_name", "data_dir", "model_dir", "results_txt", "results_pkl"),
        *("debug", "do_train", "do_eval", "num_train_steps", "lr_decay_share"),
        *("init_checkpoint", "init_checkpoint_ignore", "decay_from"),
    )
)


def with_continued_run(model_name: str, data_dir: str, hparams: dict[str, Any]) -> dict[str, Any]:
    """`hparams` over those of the run that `decay_from` names, if it is given.

    A run that has a checkpoint of its own already takes those of its own config.json, whatever has
    become of the other run since. Not taken over: names, places of models and results, and how long
    the run is.

    Raises:
        FileNotFoundError: there is no such run.
        ValueError: `decay_from` is no text, the run's config.json cannot be used, or the folder has
            a checkpoint of a run that began otherwise.
    """
    path = hparams.get("decay_from")
    if path is None:
        return hparams
    check(is_text(path) and path != "", "decay_from", "a path or null", path)
    default = os.path.join(str(data_dir), "models", str(model_name))
    own = str(hparams.get("model_dir") or default)
    starts_over = hparams.get("debug") and hparams.get("do_train", True)
    if not starts_over and _has_checkpoint(own):
        stored = _stored_in(own)
        _check_beginning(own, stored.get("decay_from"), path)
        return over_those_of(stored, hparams)
    try:
        return over_those_of(_stored_in(folder_of(path)), hparams)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"decay_from: {no_checkpoint(path)}") from error


def over_those_of(run: Mapping[str, Any], hparams: dict[str, Any]) -> dict[str, Any]:
    """`hparams`, and those that a run hands on to what continues it."""
    return {**{name: value for name, value in run.items() if name not in _OWN}, **hparams}


def _has_checkpoint(folder: str) -> bool:
    return is_folder(folder) and any(name.endswith(".index") for name in names_in(folder))


def _stored_in(folder: str) -> dict[str, Any]:
    """The hyperparameters in a folder's config.json."""
    path = os.path.join(folder, CONFIG_FILE)
    stored = read_json(path)
    check_keys(stored, {"pretraining": dict}, path)
    return stored["pretraining"]


def _check_beginning(folder: str, began: str | None, path: str) -> None:
    """Raise a ValueError unless the run in a folder began with what `decay_from` names."""
    if began is None or os.path.abspath(began) != os.path.abspath(path):
        raise ValueError(
            f"decay_from is expected to be {'null' if began is None else repr(began)}, since the "
            f"run in {folder} began so and has a checkpoint, but is {path!r}. Set it so to resume "
            "that run, or choose another --model-name."
        )


def folder_of(path: str) -> str:
    """The folder of a checkpoint, which may be given itself."""
    return path if is_folder(path) else os.path.dirname(path)
