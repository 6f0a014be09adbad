# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tasks of models that come without a description of theirs."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from electra_tf.config import EncoderConfig, FinetuningConfig
from electra_tf.finetuning.kinds import KINDS, TextKind, kind_of
from electra_tf.finetuning.starting_weights import StartingPoint, config_for
from electra_tf.finetuning.task_table import TASKS, TaskSpec


def task_spec(name: str, kind: str, labels: Sequence[str] | None) -> TaskSpec:
    """The built-in task of a name, if it is of the kind, with these labels; else a task of the
    kind that has a single unlabelled file.

    Args:
        kind: one of `KINDS`.
        labels: classes in the order of their ids; None for kinds without.
    """
    labels = None if labels is None else tuple(labels)
    if name in TASKS and TASKS[name].kind == kind:
        spec = TASKS[name]
        return dataclasses.replace(spec, labels=labels if labels is not None else spec.labels)
    return KINDS[kind].spec_of_head(name, labels)


def settings_for(
    spec: TaskSpec,
    encoder: EncoderConfig,
    classifier_dropout: float | None = None,
    **given: Any,
) -> FinetuningConfig:
    """A configuration under which a head of Hugging Face's architectures is built.

    Args:
        given: hyperparameters that are known.
    """
    hparams = {
        **kind_of(spec).hparams,
        "task_names": [spec.name],
        # The longest that the published models have seen; rows are trimmed to what is in them.
        "max_seq_length": min(512, encoder.max_position_embeddings),
        "classifier_dropout": classifier_dropout,
        "classifier_hidden_layer": isinstance(kind_of(spec), TextKind),
        "joint_prediction": False,
        "answerable_classifier": False,
        **given,
    }
    return config_for(spec.name, "", hparams, StartingPoint(encoder, {}, f"the task {spec.name}"))
