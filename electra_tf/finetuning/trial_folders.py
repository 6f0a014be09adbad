# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The folders of a run's trials: whose they are, and what is removed when one starts over."""

import os
from collections.abc import Iterator

from absl import logging

from electra_tf.config import FinetuningConfig
from electra_tf.finetuning import model_folder
from electra_tf.finetuning.trial import Trial
from electra_tf.folders import check_removable
from electra_tf.training.checkpoints.run_folder import remove_run


def folder_of(config: FinetuningConfig, number: int, attempt: int = 0) -> str:
    """Of trial `number`, from 1; of one that failed, each next attempt has its own."""
    return f"{config.model_dir}_{number}" + (f"_again_{attempt}" if attempt else "")


def all_folders(config: FinetuningConfig) -> Iterator[tuple[int, int, str]]:
    """Number, attempt and folder of all trials that the run may come to."""
    for number in range(1, config.num_trials + 1):
        for attempt in range(config.retry_failed_trials + 1):
            yield number, attempt, folder_of(config, number, attempt)


def check_folders(config: FinetuningConfig) -> None:
    """Check that the run writes into no folder of others.

    Raises:
        FileExistsError: it would; names the folder.
    """
    for _, _, folder in all_folders(config):
        check_removable(folder, is_ours=_stored_in(folder) is not None)


def starts_over(config: FinetuningConfig, trial: Trial) -> bool:
    """Whether what is in the trial's folder goes, because it is of other settings or data.

    Raises:
        FileExistsError: it would, but is not what an earlier run left there.
    """
    stored = _stored_in(trial.folder)
    if stored is None or (stored.run_key == trial.run_key and not config.debug):
        return False
    check_removable(trial.folder, _is_of(config, stored))
    return True


def empty(trial: Trial) -> None:
    """Remove what an earlier run of the trial left; files that it did not write stay."""
    logging.info("%s is of another run and starts over.", trial.folder)
    _remove(trial.folder)


def remove(config: FinetuningConfig, number: int) -> None:
    """Remove the model of a trial, of all its attempts."""
    for attempt in range(config.retry_failed_trials + 1):
        folder = folder_of(config, number, attempt)
        if _is_of(config, _stored_in(folder)):
            _remove(folder)


def _stored_in(folder: str) -> model_folder.StoredConfig | None:
    """The configuration of a trial's folder; None without a sound one, which marks it as ours."""
    try:
        return model_folder.read_config(folder)
    except ValueError as error:
        logging.warning("%s", error)
        return None


def _is_of(config: FinetuningConfig, stored: model_folder.StoredConfig | None) -> bool:
    """Whether a folder with this configuration was written by a run for the same `model_dir`.

    A run in debug mode throws away what such runs have trained, but not what others have.
    """
    if stored is None or stored.converted_from is not None:
        return False
    settings = stored.finetuning
    is_same = os.path.basename(settings.model_dir) == os.path.basename(config.model_dir)
    return is_same and (settings.debug or not config.debug)


def _remove(folder: str):
    others = remove_run(folder)
    if others:
        logging.warning("%s: left there, for no run wrote them: %s.", folder, ", ".join(others))
