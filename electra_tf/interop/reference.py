# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Checkpoints of the original TF1 release (google-research/electra), read and written.

Our variables have the original's names, so the table of names is the identity; besides weights a
checkpoint has `global_step`, Adam's moments (`<weight>/adam_m`, `<weight>/adam_v`) and, in the
released ones, `generator_predictions/temperature`, which nothing reads.
"""

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config import EncoderConfig, FinetuningConfig
from electra_tf.config.stored import Shapes, configured_sizes
from electra_tf.config.task_table import TASKS, TaskSpec
from electra_tf.files import write_json, write_text, writing
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.starting_weights import config_for
from electra_tf.finetuning.task import Task
from electra_tf.finetuning.task_json import task_from_json
from electra_tf.folders import new_folder
from electra_tf.interop import reference_shapes
from electra_tf.interop.stored_model import Pair, StoredModel, pretraining_config
from electra_tf.pretraining.pretrainer import ElectraPretrainer
from electra_tf.text import Tokenizer, save_tokenizer
from electra_tf.training.checkpoints.checkpoint import (
    GLOBAL_STEP,
    STATE,
    LoadReport,
    read_step,
    resolve_prefix,
)
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader, require_match
from electra_tf.training.checkpoints.weights import (
    NOT_WEIGHTS,
    SUFFIX,
    check_size,
    load_weights,
    restore_training,
    weights_by_name,
)

_MOMENT = re.compile(r"/adam_[mv]$")


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
    path: str,
    tokenizer: Tokenizer | None,
    hparams: Mapping[str, Any],
    labels: Sequence[str] | None = None,
) -> StoredModel:
    """The model of a checkpoint of the original, whose configuration follows from its variables.

    Args:
        path: a checkpoint, or the folder it is in.
        tokenizer: the model's; None if there is none.
        hparams: hyperparameters that do not follow from the checkpoint, such as
            {"model_hparam_overrides": {"num_attention_heads": 4}}; for tasks of one's own
            {"task_names": ["my_task.json"]}.
        labels: classes of the task, in the order of their ids, where it has no fixed ones.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: names or shapes do not fit the configuration, and all of them are listed; the
            task is unknown, or its labels.
    """
    prefix = resolve_prefix(path)
    shapes = reference_shapes.shapes_of(prefix)
    _tell_guessed_heads(reference_shapes.encoder_of(prefix), hparams, prefix)
    tasks: tuple[Task, ...] = ()
    if reference_shapes.task_names(shapes):
        config, tasks = _finetuning_config(prefix, shapes, hparams, labels)
        check_size(prefix, configured_sizes(config.encoder))
        model = FinetuningModel(config.replace(precision="float32"), [task.spec for task in tasks])
    else:
        objective = reference_shapes.objective(shapes, prefix)
        config = pretraining_config(reference_shapes.encoder_of(prefix), objective, hparams)
        check_size(prefix, config.sizes)
        model = Pair.build(config)
    load_weights(prefix, model)
    description = f"the checkpoint {prefix}"
    return StoredModel.of(
        description,
        config,
        tokenizer,
        model,
        tasks=tasks,
        step=read_step(prefix),
        moments=moments_of(prefix, model),
        left_behind=tuple(name for name in sorted(shapes) if _has_no_place(name)),
        folder=os.path.dirname(prefix),
        origin=description,
    )


def moments_of(prefix: str, model: Pair | FinetuningModel) -> dict[str, np.ndarray]:
    """Adam's moments in a checkpoint by name; none, or those of every weight of its model.

    Moments belong to weights as they are trained; where averages stand for these, there are none.

    Raises:
        ValueError: some are missing, unexpected or of another shape; all of them are listed.
    """
    reader = CheckpointReader(prefix)
    found = {
        name: shape
        for name, shape in reader.shapes.items()
        if _MOMENT.search(name) and not _has_no_place(name)
    }
    if not found or _has_averages(reader):
        return {}
    expected = {
        f"{name}/adam_{kind}": variable.shape.as_list()
        for name, variable in weights_by_name(model).items()
        for kind in "mv"
    }
    subject = f"Adam's moments in {prefix} do not fit its weights"
    require_match(found, expected, "the checkpoint", subject)
    return {name: reader[name] for name in sorted(found)}


def state_left(prefix: str) -> tuple[str, ...]:
    """What a checkpoint of ours holds for going on with training, and no format has a place for."""
    reader = CheckpointReader(prefix)
    left = [
        name for name in sorted(reader.shapes) if name.startswith("electra_tf/") and name != STATE
    ]
    if _has_averages(reader):
        left.append("the weights that moving averages stand for, and their moments")
    return tuple(left)


def _has_averages(reader: CheckpointReader) -> bool:
    return any(name.endswith(SUFFIX) for name in reader.shapes)


def write_checkpoint(model: StoredModel, folder: str) -> None:
    """Write a folder as the original's: model.ckpt-<step>, `checkpoint`, vocab.txt.

    Of two more files the original knows nothing: tokenizer.json says the case, encoder.json
    attention heads of another width than 64 and an activation other than GELU, if there are such.

    Raises:
        ValueError: the folder is not new, or the model has a head that the original has not.
    """
    if model.is_finetuned and model.config.classifier_hidden_layer:
        raise ValueError(
            "classifier_hidden_layer is expected to be false, since the original's heads have no "
            "hidden layer, but the model has one, as Hugging Face's have."
        )
    with new_folder(folder) as partial:
        name = f"model.ckpt-{model.step}"
        tensors = {**model.weights, **model.moments}
        tensors[GLOBAL_STEP] = np.int64(model.step)
        writing(
            os.path.join(folder, name),
            tf.raw_ops.SaveV2,
            prefix=os.path.join(partial, name),
            tensor_names=list(tensors),
            shape_and_slices=[""] * len(tensors),
            tensors=[tf.constant(tensor) for tensor in tensors.values()],
        )
        lines = (f'model_checkpoint_path: "{name}"', f'all_model_checkpoint_paths: "{name}"')
        write_text(os.path.join(partial, "checkpoint"), "\n".join(lines) + "\n")
        if untold := reference_shapes.untold(model.encoder):
            write_json(os.path.join(partial, reference_shapes.UNTOLD_FILE), untold)
        if model.tokenizer is not None:
            save_tokenizer(model.tokenizer, partial)


def _tell_guessed_heads(encoder: EncoderConfig, hparams: Mapping[str, Any], prefix: str):
    """Published models have heads of 64 dimensions; another width cannot be one of them."""
    given = hparams.get("model_hparam_overrides", {})
    told = {**reference_shapes.stored_untold(prefix), **given}
    if encoder.hidden_size % reference_shapes.HEAD_SIZE and "num_attention_heads" not in told:
        logging.warning(
            "%s does not tell its number of attention heads, and its width of %d is not a multiple "
            'of %d as in published models: %d is taken. Give {"model_hparam_overrides": '
            '{"num_attention_heads": ...}} if that is wrong.',
            prefix,
            encoder.hidden_size,
            reference_shapes.HEAD_SIZE,
            encoder.num_attention_heads,
        )


def _has_no_place(name: str) -> bool:
    return bool(re.search(NOT_WEIGHTS, name)) and (
        name.startswith("generator_predictions/temperature")
    )


def _finetuning_config(
    prefix: str, shapes: Shapes, hparams: Mapping[str, Any], labels: Sequence[str] | None
) -> tuple[FinetuningConfig, tuple[Task, ...]]:
    names = reference_shapes.task_names(shapes)
    specs = _task_specs(names, hparams.get("task_names", ()), labels, prefix)
    known = {}
    for spec in specs:
        layers = reference_shapes.layers_of_head(shapes, spec.name)
        known |= kind_of(spec).settings_of_layers(layers)
    encoder = reference_shapes.encoder_of(prefix)
    start = StoredModel(
        f"the checkpoint {prefix}", encoder, {}, inferred=reference_shapes.inferred_fields(prefix)
    )
    known["max_seq_length"] = min(
        encoder.max_position_embeddings, 512 if known else hparams.get("max_seq_length", 128)
    )
    config = config_for("converted", "", {**known, **hparams, "task_names": list(names)}, start)
    return config, tuple(Task(spec, "", BadRows()) for spec in specs)


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
