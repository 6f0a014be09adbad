# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a checkpoint of the original tells of its model: the names and shapes of its variables.

The original stores no configuration beside its weights. All but the number of attention heads
(64 dimensions each, in all published models), the activation and the order of labels follows
from what is stored.
"""

import dataclasses
import os
import re
from typing import Any

from electra_tf.config import EncoderConfig
from electra_tf.config.checks import check_names
from electra_tf.config.stored import Shapes, encoder_sizes, model_sizes
from electra_tf.files import exists, read_json
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader

HEAD_SIZE = 64
INFERRED = ("num_attention_heads", "hidden_act")
"""Fields of an encoder that decide what it computes, and that its shapes do not tell."""
UNTOLD_FILE = "encoder.json"
"""Written beside a checkpoint where the encoder is not as its shapes make one think."""


def shapes_of(prefix: str) -> dict[str, list[int]]:
    """Shapes of all variables of a checkpoint by name."""
    return CheckpointReader(prefix).shapes


def encoder_of(prefix: str) -> EncoderConfig:
    """The shape of a checkpoint's encoder, with what shapes do not tell if we wrote it.

    Raises:
        ValueError: there is no encoder, or what stands beside it does not fit it.
    """
    shape, told = encoder_shape(shapes_of(prefix), prefix), stored_untold(prefix)
    try:
        return dataclasses.replace(shape, **told)
    except ValueError as error:
        path = os.path.join(os.path.dirname(prefix), UNTOLD_FILE)
        raise ValueError(f"{path} does not fit the model beside it: {error}") from error


def stored_untold(prefix: str) -> dict[str, Any]:
    """Fields of the encoder that stand beside a checkpoint that was written here.

    Raises:
        ValueError: the file is of another kind.
    """
    path = os.path.join(os.path.dirname(prefix), UNTOLD_FILE)
    if not exists(path):
        return {}
    fields = read_json(path)
    try:
        check_names(fields, INFERRED, "field")
        EncoderConfig(hidden_size=fields.get("num_attention_heads", 12), **fields)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is expected to tell {' and '.join(INFERRED)} of the model beside it, but "
            f"does not: {error}"
        ) from error
    return fields


def inferred_fields(prefix: str) -> tuple[str, ...]:
    """Fields of a checkpoint's encoder that are guessed."""
    told = stored_untold(prefix)
    return tuple(name for name in INFERRED if name not in told)


def untold(encoder: EncoderConfig) -> dict[str, Any]:
    """Those of the fields `INFERRED` in which an encoder is not as published ones are."""
    fields = {name: getattr(encoder, name) for name in INFERRED}
    if encoder.head_size == HEAD_SIZE:
        del fields["num_attention_heads"]
    if encoder.hidden_act == "gelu":
        del fields["hidden_act"]
    return fields


def encoder_shape(shapes: Shapes, place: str, name: str = "electra") -> EncoderConfig:
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


def task_names(shapes: Shapes) -> tuple[str, ...]:
    """Names of the tasks that a checkpoint has heads of, sorted; none for a pre-trained one."""
    found = {re.match(r"task_specific/([^/]+)/", name) for name in shapes} - {None}
    return tuple(sorted({match[1] for match in found}))


def objective(shapes: Shapes, place: str) -> dict[str, Any]:
    """Hyperparameters of pre-training that follow from which variables there are.

    Raises:
        ValueError: there is no head of pre-training.
    """
    has_discriminator = "discriminator_predictions/dense/kernel" in shapes
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
            "an encoder alone, which fine-tuning can begin with and nothing else can use."
        )
    if not has_discriminator:
        return {"electra_objective": False}
    if not has_generator:
        return {"uniform_generator": True}
    if "generator/encoder/layer_0/intermediate/dense/kernel" not in shapes:
        return {"untied_generator": False}
    return {
        "untied_generator_embeddings": "generator/embeddings/word_embeddings" in shapes,
        **_generator_size(shapes, place, "generator"),
    }


def layers_of_head(shapes: Shapes, task: str) -> set[str]:
    """Names of the layers of the head of a task, such as dense_1."""
    prefix = f"task_specific/{task}/"
    return {name.removeprefix(prefix).split("/")[0] for name in shapes if name.startswith(prefix)}


def _generator_size(shapes: Shapes, place: str, name: str) -> dict[str, float]:
    encoder_shape(shapes, place, name)  # all of it is there
    sizes = model_sizes(shapes)
    return {share: sizes[share] for share in ("generator_hidden_size", "generator_layers")}
