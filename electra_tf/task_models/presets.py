# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From any folder to what a task model is made of: configuration, task, tokenizer, weights."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging

from electra_tf.config import FinetuningConfig
from electra_tf.config.fields import Role, check, check_names, names_of
from electra_tf.config.stored import CASE
from electra_tf.config.task_table import TaskSpec
from electra_tf.finetuning.kinds import Kind
from electra_tf.finetuning.prediction import task_number
from electra_tf.finetuning.run import load_matching_tokenizer
from electra_tf.finetuning.starting_weights import config_for
from electra_tf.interop.opening import (
    HUGGING_FACE,
    Place,
    find_model,
    find_starting_point,
    open_model,
)
from electra_tf.interop.presets import heads_at
from electra_tf.text import Tokenizer

_OF_RUN = (
    *{*names_of(FinetuningConfig, Role.RUN), *names_of(FinetuningConfig, Role.PATH)}
    - {"model_name", "data_dir", "init_checkpoint"}
    - {"seed", "vocab_file", "eval_batch_size", "predict_batch_size"},
    *("eval_every_steps", "early_stopping_patience", "skip_bad_rows", "double_unordered"),
)
"""Hyperparameters of how a command runs, which do nothing here."""
_SETTABLE = [
    field.name
    for field in dataclasses.fields(FinetuningConfig)
    if field.name not in ("model_name", "data_dir", "task_names", "init_checkpoint", *_OF_RUN)
]
"""Hyperparameters that a task model may be given."""
_NOT_KEPT = {
    *("model_name", "data_dir", "debug", "do_train", "do_eval", "write_test_outputs"),
    *("model_size", "embedding_size", "vocab_size", "model_hparam_overrides"),
    *("precision", "strategy", "use_tpu", "early_stopping_patience", "eval_every_steps"),
    *names_of(FinetuningConfig, Role.PATH),
}
"""Hyperparameters of a trained model that follow from its weights, or that were of its run."""


@dataclasses.dataclass(frozen=True)
class Preset:
    """What a task model is made of."""

    config: FinetuningConfig
    spec: TaskSpec
    tokenizer: Tokenizer
    weights: Mapping[str, np.ndarray]
    """By name, of the encoder and, where the folder brings it, of the head."""
    discriminator_head: Mapping[str, np.ndarray]
    """See `StoredModel`; empty where the folder brings the task's head."""
    description: str
    """Where the weights are from, for messages."""
    brings_head: bool = False


def find_preset(
    folder: str,
    kind: Kind,
    new_spec: TaskSpec | None,
    fields: Mapping[str, Any],
    hparams: Mapping[str, Any],
    task: str | None = None,
    is_numbered: bool = False,
) -> Preset:
    """What a folder gives for a kind of task.

    Args:
        folder: see `interop.presets.load_encoder`.
        kind: of the task.
        new_spec: the task with a new head; None where only the folder's can be meant.
        fields: those of the task that the user has said.
        hparams: hyperparameters that are given.
        task: which of several tasks of a fine-tuned folder.
        is_numbered: whether the labels of `new_spec` only say how many there are.

    Raises:
        FileNotFoundError: there is no model there, or no vocabulary.
        ValueError: hyperparameters are wrong or do not agree with the folder, or the folder has no
            head of the kind and there is no `new_spec`.
    """
    _check_hparams(hparams)
    place = find_model(folder)
    heads = _usable_heads(place, kind, fields)
    if heads and (task is not None or len(heads) == 1):
        found = _with_head(place, folder, task or heads[0], hparams)
        own = found.spec.given_labels or found.spec.labels
        if (
            new_spec is None
            or new_spec.labels is None
            or (is_numbered and len(own) == len(new_spec.labels))
        ):
            _check_fields(found.spec, fields, folder)
            return found
        if new_spec.labels == found.spec.labels:
            spec = dataclasses.replace(found.spec, given_labels=new_spec.given_labels)
            return dataclasses.replace(found, spec=spec)
        logging.warning(
            "%s: its head has the labels %s, so a new one with random weights is made for %s.",
            folder,
            ", ".join(own),
            ", ".join(new_spec.given_labels or new_spec.labels),
        )
    elif task is not None or (heads and new_spec is None):
        raise ValueError(
            f"task is expected to be one of those of the kind {kind.name} of {folder}, "
            f"{', '.join(heads) or 'which has none'}, but is {task!r}."
        )
    if new_spec is None:
        raise ValueError(
            "labels is expected to be the names of the classes, or num_classes their number, since "
            f"{folder} has no head of the kind {kind.name}, but both are None."
        )
    return _with_encoder(place, folder, dataclasses.replace(new_spec, **fields), kind, hparams)


def _usable_heads(place: Place, kind: Kind, fields: Mapping[str, Any]) -> list[str]:
    """Tasks of the heads of a folder that a model of the kind may begin with."""
    if "prompt" in fields:  # a new one begins with the discriminator's
        return []
    kinds = (kind.name, kind.prompted or kind.name)
    return [name for name, of_kind in heads_at(place).items() if of_kind in kinds]


def _check_hparams(hparams: Mapping[str, Any]):
    for name, value in hparams.items():
        if name in _OF_RUN:
            raise ValueError(
                f"{name} is expected to be left out, since it has no effect on a Keras model: it "
                f"decides how run_finetuning.py runs; but is {value!r}."
            )
    check_names(hparams, _SETTABLE, "hyperparameter")


def _check_fields(spec: TaskSpec, fields: Mapping[str, Any], folder: str):
    for name, value in fields.items():
        own = getattr(spec, name)
        expected = f"{own!r}, as that of the head of {folder}, or left out"
        check(own == value, name, expected, value)


def _with_encoder(
    place: Place, folder: str, spec: TaskSpec, kind: Kind, hparams: Mapping[str, Any]
) -> Preset:
    """The encoder of a folder, for a new head."""
    path = place.prefix or place.folder
    start = find_starting_point(path, hparams.get("pre_split"), hparams.get("tokenizer"))
    defaults = dict(kind.hparams)
    if "max_seq_length" in defaults:
        positions = start.encoder.max_position_embeddings
        defaults["max_seq_length"] = min(defaults["max_seq_length"], positions)
    given = {**defaults, **hparams, "task_names": [spec.name], "init_checkpoint": str(folder)}
    config = config_for(spec.name, "", given, start)
    tokenizer = load_matching_tokenizer(config)
    head = start.discriminator_head
    return Preset(config, spec, tokenizer, start.weights, head, start.description)


def _with_head(place: Place, folder: str, name: str, hparams: Mapping[str, Any]) -> Preset:
    """Encoder and head of a fine-tuned folder; what is not given is as it was trained."""
    choice = {n: hparams[n] for n in ("pre_split", "tokenizer") if n in hparams}
    stored = open_model(
        place.prefix or place.folder, choice if place.kind == HUGGING_FACE else None
    )
    if stored.tokenizer is None:
        raise FileNotFoundError(f"{folder} has no vocabulary: put vocab.txt into it.")
    known = stored.config.to_dict()
    wrong = [
        f"{key}={hparams[key]!r} asked for, {known[key]!r} trained"
        for key in (*names_of(FinetuningConfig, Role.HEAD), *CASE)
        if key in hparams and hparams[key] != known[key]
    ]
    if wrong:
        raise ValueError(f"the hyperparameters do not agree with {folder}: {'; '.join(wrong)}.")
    task = stored.tasks[task_number(stored, str(folder), name)]
    given = {
        **{key: value for key, value in known.items() if key not in _NOT_KEPT},
        **hparams,
        "task_names": [task.name],
        "init_checkpoint": str(folder),
    }
    config = config_for(task.name, "", given, stored)
    own = ("electra/", f"task_specific/{task.name}/")
    weights = {key: value for key, value in stored.weights.items() if key.startswith(own)}
    return Preset(config, task.spec, stored.tokenizer, weights, {}, stored.description, True)
