# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The folder of a fine-tuned model: weights, and all that is needed to use them."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

import electra_tf
from electra_tf.config import FinetuningConfig
from electra_tf.config.fields import Role, check, names_of
from electra_tf.config.finetuning import filled
from electra_tf.config.stored import StoredModelConfig, configured_sizes
from electra_tf.config.task_table import TaskSpec
from electra_tf.files import exists, read_json, write_json
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.kinds import KINDS
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.split_data import SplitData
from electra_tf.finetuning.task import Task
from electra_tf.given_files import no_finetuned_model
from electra_tf.text import Tokenizer, load_tokenizer, save_tokenizer
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, read_state, read_step
from electra_tf.training.checkpoints.run_folder import BEST_FOLDER, CONFIG_FILE
from electra_tf.training.checkpoints.weights import check_size, load_weights


@dataclasses.dataclass(frozen=True)
class FinetunedModel:
    """A model with its weights, its tokenizer and its tasks."""

    config: FinetuningConfig
    tokenizer: Tokenizer
    tasks: tuple[Task, ...]
    model: FinetuningModel


def checkpoints(folder: str) -> CheckpointFolder:
    """The newest checkpoints of a trial, with what continues its training."""
    return CheckpointFolder(folder, keep=2)


def best_checkpoints(folder: str) -> CheckpointFolder:
    """The checkpoint of a trial that did best on the development data, if any is kept."""
    return CheckpointFolder(os.path.join(folder, BEST_FOLDER), keep=1)


def weights_prefix(folder: str) -> str | None:
    """The checkpoint to use: the best one if evaluation kept one, else the newest."""
    return best_checkpoints(folder).latest() or checkpoints(folder).latest()


def require_weights(folder: str) -> str:
    """The checkpoint to use of a folder with a fine-tuned model's `CONFIG_FILE`.

    Raises:
        FileNotFoundError: there is none.
    """
    prefix = weights_prefix(folder)
    if prefix is None:
        raise no_finetuned_model(
            folder,
            "has no checkpoint: its training was interrupted before it saved one, or is still "
            "running. The same `electra finetune` command begins it anew.",
        )
    return prefix


def write_config(
    folder: str,
    config: FinetuningConfig,
    tokenizer: Tokenizer,
    tasks: Sequence[Task],
    run_key: str,
    converted_from: str | None = None,
    data: Sequence[SplitData] = (),
) -> None:
    """Store configuration, tokenizer, vocabulary and the tasks with their labels.

    run_key: changes with all that the weights follow from.
    converted_from: for weights from elsewhere, of whose training the configuration says nothing:
        where they are from.
    data: the splits that training and evaluation read, of which numbers and keys are stored.
    """
    content = {
        "electra_tf_version": electra_tf.__version__,
        "finetuning": config.to_dict(),
        "encoder": dataclasses.asdict(config.encoder),
        "tokenizer": tokenizer.settings,
        "tasks": [dataclasses.asdict(task.spec) for task in tasks],
        "run_key": run_key,
        "data": [
            {
                "task": split.task.name,
                "split": split.split,
                "num_examples": len(split.examples),
                "num_rows": len(split.arrays["input_ids"]),
                "key": split.key,
            }
            for split in data
        ],
    }
    if converted_from is not None:
        content["converted_from"] = converted_from
    # First: it is the mark by which a later run recognizes the folder.
    write_json(os.path.join(folder, CONFIG_FILE), content)
    save_tokenizer(tokenizer, folder)


@dataclasses.dataclass(frozen=True)
class StoredConfig(StoredModelConfig):
    """What `write_config` stores."""

    finetuning: FinetuningConfig
    tasks: tuple[TaskSpec, ...]
    run_key: str
    data: tuple[Mapping[str, Any], ...] = ()


def read_config(folder: str) -> StoredConfig | None:
    """What `write_config` stored; None if the folder is not one of a fine-tuned model.

    Raises:
        ValueError: something is missing or wrong in it; names the file and the key.
    """
    path = os.path.join(folder, CONFIG_FILE)
    if not exists(path):
        return None
    stored = read_json(path)
    if "finetuning" not in stored:
        return None
    found = StoredConfig.from_json(stored, path)
    for spec in found.tasks:
        check_spec(spec, path)
    return found


def check_spec(spec: TaskSpec, where: str) -> None:
    """Raise a ValueError unless a stored task is one that a model can have."""
    where = f"{where}: task {spec.name!r}"
    check(spec.name.isidentifier(), f"{where}: name", "letters, digits and _", spec.name)
    check(spec.kind in KINDS, f"{where}: kind", f"one of {', '.join(KINDS)}", spec.kind)
    kind = KINDS[spec.kind]
    check(
        spec.metric in kind.metrics,
        f"{where}: metric",
        f"one of {', '.join(kind.metrics)}",
        spec.metric,
    )
    if problem := kind.problem(spec):
        field, expected, received = problem
        check(False, f"{where}: {field}", expected, received)


def with_stored_settings(folder: str, hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters of an evaluation; where they say nothing, those of the trained model.

    Raises:
        ValueError: they ask for another head than the model has.
    """
    found = read_config(folder)
    stored = found.finetuning.to_dict() if found else {}
    wrong = [
        f"{name}={hparams[name]!r} asked for, {stored[name]!r} trained"
        for name in names_of(FinetuningConfig, Role.HEAD)
        if name in hparams and name in stored and hparams[name] != stored[name]
    ]
    if wrong:
        raise ValueError(f"the hyperparameters do not agree with {folder}: {'; '.join(wrong)}.")
    names = names_of(FinetuningConfig, Role.HEAD | Role.INPUT)
    kept = {name: stored[name] for name in names if name in stored}
    return {**kept, **hparams}


def load_finetuned(
    folder: str, precision: str | None = None, prefix: str | None = None
) -> FinetunedModel:
    """The model of a folder that fine-tuning wrote.

    precision: to compute in; default: what it was trained in.
    prefix: of the checkpoint; default: see `weights_prefix`.

    Raises:
        FileNotFoundError: it is not such a folder, or has no checkpoint.
        ValueError: the checkpoint does not fit the configuration.
    """
    stored = read_config(folder)
    if stored is None:
        raise no_finetuned_model(folder, f"has no {CONFIG_FILE} of one.")
    prefix = prefix or require_weights(folder)
    config = stored.finetuning
    if stored.converted_from is None:
        _warn_if_unfinished(folder, prefix)
    if precision is not None:
        config = config.replace(precision=precision)
    tokenizer = load_tokenizer(folder, **stored.case)
    specs = stored.tasks
    tasks = tuple(
        Task(spec, filled(config.raw_data_dir, config.data_dir, spec.name), BadRows())
        for spec in specs
    )
    check_size(prefix, configured_sizes(config.encoder))
    model = FinetuningModel(config, specs)
    load_weights(prefix, model)
    return FinetunedModel(config, tokenizer, tasks, model)


def _warn_if_unfinished(folder: str, prefix: str):
    """Say so if the training of a trial has not come to its end."""
    # The best checkpoint was not the last one; that one is always saved.
    newest = checkpoints(folder).latest()
    state = read_state(newest) if newest else {}
    if newest and state.get("finished", True):
        return
    total = f" of {state['num_steps']}" if "num_steps" in state else ""
    logging.warning(
        "%s is a trial whose training was interrupted, after %d%s steps, or is still running; its "
        "weights are those of step %d. The same `electra finetune` command continues it.",
        folder,
        read_step(newest or prefix),
        total,
        read_step(prefix),
    )
