# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Checkpoints of the original TF1 release (google-research/electra), read.

Our variables have the original's names, so the table of names is the identity; besides weights a
checkpoint has `global_step`, Adam's moments (`<weight>/adam_m`, `<weight>/adam_v`) and, in the
released ones, `generator_predictions/temperature`, which nothing reads. The original stores no
configuration: all but the number of attention heads (64 dimensions each, in all published models),
the activation and the order of labels follows from the names and shapes of the variables.
"""

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

from electra_tf.config import EncoderConfig, FinetuningConfig
from electra_tf.config.encoder import check_encoder_fields
from electra_tf.config.fields import check_names
from electra_tf.config.stored import Shapes, configured_sizes, encoder_sizes, model_sizes
from electra_tf.config.task_json import task_from_json
from electra_tf.config.task_table import TASKS, TaskSpec
from electra_tf.files import exists, read_json
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.starting_weights import config_for
from electra_tf.finetuning.task import Task
from electra_tf.interop.stored_model import Pair, StoredModel, pretraining_config
from electra_tf.pretraining.discriminators import COPY_HEAD, RESTORATION_HEAD
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.text import Tokenizer
from electra_tf.training.checkpoints.checkpoint import LoadReport, read_step, resolve_prefix
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader
from electra_tf.training.checkpoints.weights import (
    TEMPERATURE,
    check_size,
    load_weights,
    moments_of,
    restore_training,
)

HEAD_SIZE = 64
INFERRED = ("num_attention_heads", "hidden_act")
"""Fields of an encoder that decide what it computes, and that its shapes do not show."""
UNTOLD_FILE = "encoder.json"
"""Written beside a checkpoint where the encoder is not as its shapes make one think."""


def load_reference_checkpoint(path: str, model: ElectraPretrainer) -> LoadReport:
    """Load weights, and into a compiled model also Adam's moments and the global step.

    Args:
        path: a checkpoint of the original, or the folder it is in.
        model: of the same shape and objective.

    Returns:
        The names that were loaded.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: names or shapes differ; all of them are listed.
    """
    prefix = resolve_prefix(path)
    compiled = getattr(model, "optimizer", None) is not None
    return restore_training(prefix, model) if compiled else load_weights(prefix, model)


def read_checkpoint(
    prefix: str,
    tokenizer: Tokenizer | None,
    hparams: Mapping[str, Any],
    labels: Sequence[str] | None = None,
) -> StoredModel:
    """The model of a checkpoint of the original, whose configuration follows from its variables.

    Args:
        prefix: of the checkpoint.
        tokenizer: the model's; None if there is none.
        hparams: hyperparameters that do not follow from the checkpoint, such as
            {"model_hparam_overrides": {"num_attention_heads": 4}}; for tasks of one's own
            {"task_names": ["my_task.json"]}.
        labels: classes of the task, in the order of their ids, where it has no fixed ones.

    Raises:
        ValueError: names or shapes do not fit the configuration, and all of them are listed; the
            task is unknown, or its labels.
    """
    shapes, start = CheckpointReader(prefix).shapes, encoder_alone(prefix)
    _warn_of_guessed_heads(start, hparams)
    tasks: tuple[Task, ...] = ()
    if heads := heads_of_tasks(shapes):
        specs = _task_specs(sorted(heads), hparams.get("task_names", ()), labels, prefix)
        tasks = tuple(Task(spec, "", BadRows()) for spec in specs)
        config = _finetuning_config(start, specs, heads, hparams)
        check_size(prefix, configured_sizes(config.encoder))
        model = FinetuningModel(config.replace(precision="float32"), specs)
    else:
        config = pretraining_config(start.encoder, _objective(shapes, prefix), hparams)
        check_size(prefix, config.sizes)
        model = Pair.build(config)
    load_weights(prefix, model)
    return StoredModel.of(
        start.description,
        config,
        tokenizer,
        model,
        tasks=tasks,
        step=read_step(prefix),
        moments=moments_of(prefix, model),
        left_behind=tuple(name for name in sorted(shapes) if name.startswith(TEMPERATURE)),
        folder=os.path.dirname(prefix),
        origin=start.description,
    )


def encoder_alone(prefix: str) -> StoredModel:
    """The shape of a checkpoint's encoder, with what shapes do not show if we wrote it.

    Raises:
        ValueError: there is no encoder, or what stands beside it does not fit it.
    """
    shape = _encoder_shape(CheckpointReader(prefix).shapes, prefix)
    path = os.path.join(os.path.dirname(prefix), UNTOLD_FILE)
    stated = read_json(path) if exists(path) else {}
    try:
        check_names(stated, INFERRED, "field")
        check_encoder_fields(stated)
    except ValueError as error:
        raise ValueError(
            f"{path} is expected to give {' and '.join(INFERRED)} of the model beside it, but "
            f"does not: {error}"
        ) from error
    try:
        encoder = dataclasses.replace(shape, **stated)
    except ValueError as error:
        raise ValueError(f"{path} does not fit the model beside it: {error}") from error
    inferred = tuple(name for name in INFERRED if name not in stated)
    return StoredModel(f"the checkpoint {prefix}", encoder, {}, inferred=inferred)


def untold(encoder: EncoderConfig) -> dict[str, Any]:
    """Those of the fields `INFERRED` in which an encoder is not as published ones are."""
    fields = {name: getattr(encoder, name) for name in INFERRED}
    if encoder.head_size == HEAD_SIZE:
        del fields["num_attention_heads"]
    if encoder.hidden_act == "gelu":
        del fields["hidden_act"]
    return fields


def _warn_of_guessed_heads(start: StoredModel, hparams: Mapping[str, Any]):
    """Published models have heads of 64 dimensions; another width cannot be one of them."""
    encoder, name = start.encoder, "num_attention_heads"
    is_guessed = name in start.inferred and name not in hparams.get("model_hparam_overrides", {})
    if encoder.hidden_size % HEAD_SIZE and is_guessed:
        logging.warning(
            "%s does not contain its number of attention heads, and its width of %d is not a "
            'multiple of %d as in published models: %d is taken. Give {"model_hparam_overrides": '
            '{"num_attention_heads": ...}} if that is wrong.',
            start.description,
            encoder.hidden_size,
            HEAD_SIZE,
            encoder.num_attention_heads,
        )


def heads_of_tasks(shapes: Shapes) -> dict[str, set[str]]:
    """Name of each task that there is a head of -> names of its layers, such as dense_1."""
    heads: dict[str, set[str]] = {}
    for name in shapes:
        if match := re.match(r"task_specific/([^/]+)/([^/]*)", name):
            heads.setdefault(match[1], set()).add(match[2])
    return heads


def _finetuning_config(
    start: StoredModel,
    specs: Sequence[TaskSpec],
    heads: Mapping[str, set[str]],
    hparams: Mapping[str, Any],
) -> FinetuningConfig:
    known: dict[str, Any] = {}
    for spec in specs:
        known |= kind_of(spec).settings_of_layers(heads[spec.name])
    longest = 512 if known else hparams.get("max_seq_length", 128)
    known["max_seq_length"] = min(start.encoder.max_position_embeddings, longest)
    names = [spec.name for spec in specs]
    return config_for("converted", "", {**known, **hparams, "task_names": names}, start)


def _task_specs(
    names: Sequence[str], described: Sequence[str], labels: Sequence[str] | None, prefix: str
) -> list[TaskSpec]:
    """The tasks of a checkpoint, as JSON files describe them or as the built-in ones are."""
    own = {spec.name: spec for spec in (task_from_json(p) for p in described if p not in TASKS)}
    known = {name: row.spec for name, row in TASKS.items()} | own
    specs = [known.get(name) for name in names]
    for i, (name, spec) in enumerate(zip(names, specs, strict=True)):
        if spec is None:
            raise ValueError(
                f"{prefix} has a head of the task {name!r}, which is none of {', '.join(TASKS)}; "
                'describe it in a JSON file and give {"task_names": ["<file>.json"]}.'
            )
        if not kind_of(spec).has_labels:
            continue
        if labels is not None and len(names) > 1:
            raise ValueError(
                f"labels can be given for one task, but the checkpoint has {', '.join(names)}; "
                "describe them in JSON files."
            )
        if labels is not None:
            specs[i] = spec = dataclasses.replace(spec, labels=tuple(labels))
        if not spec.labels:
            raise ValueError(
                f"{prefix}: the labels of the task {name!r} are collected from its training file, "
                "and checkpoints of the original do not hold them; give them in the order of their "
                "ids (sorted, in the original)."
            )
    return specs


def _encoder_shape(shapes: Shapes, place: str, name: str = "electra") -> EncoderConfig:
    """The shape of an encoder.

    Args:
        shapes: of the variables, by their names.
        place: where the shapes are from, for messages.
        name: "electra", or "generator" for that of a separate generator, whose embeddings may be
            electra's.

    Raises:
        ValueError: there is no such encoder, or its variables have other dimensions.
    """
    first = f"{name}/encoder/layer_0/intermediate/dense/kernel"
    own = f"{name}/embeddings/word_embeddings" in shapes
    embeddings = f"{name}/embeddings" if own else "electra/embeddings"
    tables = [f"{embeddings}/{table}_embeddings" for table in ("position", "token_type", "word")]
    missing = [variable for variable in (*tables, first) if variable not in shapes]
    if missing:
        raise ValueError(
            f"{place} is expected to hold an encoder, but {', '.join(missing)} is missing; it "
            f"holds {', '.join(sorted(shapes)[:5]) or 'nothing'}."
        )
    for variable in (*tables, first):
        if len(shapes[variable]) != 2:
            raise ValueError(
                f"{place}: {variable} is expected to have two dimensions, but has the shape "
                f"{list(shapes[variable])}."
            )
    sizes = encoder_sizes(shapes, name)
    heads = max(1, sizes["hidden_size"] // HEAD_SIZE)
    return EncoderConfig(**sizes, num_attention_heads=heads)


def _objective(shapes: Shapes, place: str) -> dict[str, Any]:
    """Hyperparameters of pre-training that follow from which variables there are.

    Raises:
        ValueError: there is no head of pre-training.
    """
    restores = f"{RESTORATION_HEAD}/dense/kernel" in shapes
    has_discriminator = restores or "discriminator_predictions/dense/kernel" in shapes
    has_generator = "generator_predictions/dense/kernel" in shapes
    if "cloze_predictions/dense/kernel" in shapes:
        return {
            "electra_objective": False,
            "electric_objective": True,
            "two_tower_generator": True,
            "untied_generator_embeddings": "generator_ltr/embeddings/word_embeddings" in shapes,
            **_generator_size(shapes, place, "generator_ltr"),
        }
    if not has_discriminator and not has_generator:
        raise ValueError(
            f"{place} is expected to hold a discriminator, a generator or a task's head, but holds "
            "an encoder alone, which can only be used as the initial weights of fine-tuning."
        )
    if not has_discriminator:
        return {"electra_objective": False}
    objective = {}
    if restores:
        copies = f"{COPY_HEAD}/dense/kernel" in shapes
        objective["discriminator_objective"] = "all_tokens_mlm" if copies else "replace_mlm"
    if not has_generator:
        return {**objective, "uniform_generator": True}
    if "generator/encoder/layer_0/intermediate/dense/kernel" not in shapes:
        return {**objective, "untied_generator": False}
    return {
        **objective,
        "untied_generator_embeddings": "generator/embeddings/word_embeddings" in shapes,
        **_generator_size(shapes, place, "generator"),
    }


def _generator_size(shapes: Shapes, place: str, name: str) -> dict[str, float | None]:
    _encoder_shape(shapes, place, name)  # fails if a part is missing
    sizes = model_sizes(shapes)
    shares = {share: sizes[share] for share in ("generator_hidden_size", "generator_layers")}
    own = encoder_sizes(shapes, name)
    if f"{name}/embeddings/word_embeddings" not in shapes:
        return shares
    is_usual = own["embedding_size"] == own["hidden_size"]
    return {**shares, "generator_embedding_size": None if is_usual else own["embedding_size"]}
