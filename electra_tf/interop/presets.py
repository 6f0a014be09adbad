# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What Python programs take from a folder with a model of any format: encoder, tokenizer, heads."""

from typing import Any

from electra_tf.config.task_table import TASKS
from electra_tf.finetuning import model_folder as finetuned
from electra_tf.given_files import local_folder
from electra_tf.interop.huggingface.content import read_head
from electra_tf.interop.huggingface.names import renamed
from electra_tf.interop.opening import (
    FINETUNED,
    HUGGING_FACE,
    REFERENCE,
    Place,
    find_model,
    find_starting_point,
)
from electra_tf.interop.reference import heads_of_tasks
from electra_tf.model import Encoder, Initializers
from electra_tf.text import Tokenizer
from electra_tf.text import load_tokenizer as tokenizer_of_files
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader
from electra_tf.training.checkpoints.weights import assign_weights


def load_encoder(folder: str, **options: Any) -> Encoder:
    """The encoder of a folder, with its weights, to be trained or used.

    Args:
        folder: that pre-training or fine-tuning wrote here, a checkpoint of the original or its
            folder, a Hugging Face ELECTRA folder, or "hf://owner/name".
        **options: of `Encoder`: dtype, recompute and so on.

    Raises:
        FileNotFoundError: there is no model there.
        ValueError: it cannot be used.
    """
    start = find_starting_point(folder)
    encoder = Encoder(start.encoder, Initializers(start.encoder.initializer_range, 0), **options)
    weights = start.weights
    if encoder.name != "electra":
        weights = {renamed(key, "electra/", f"{encoder.name}/"): v for key, v in weights.items()}
    assign_weights(weights, encoder, start.description, what="the encoder")
    return encoder


def load_tokenizer(
    folder: str,
    do_lower_case: bool | None = None,
    strip_accents: bool | None = None,
    *,
    pre_split: bool | None = None,
    tokenizer: str | None = None,
) -> Tokenizer:
    """The tokenizer of a folder with a model, or of a vocabulary.

    Args:
        folder: as of `load_encoder`; a vocabulary file, or a folder with one, will do.
        do_lower_case: default: what the files say, else True.
        strip_accents: default: what the files say, else True.
        pre_split: see `text.load_tokenizer`.
        tokenizer: likewise.

    Raises:
        FileNotFoundError: there is no vocabulary there.
        ValueError: see `text.load_tokenizer`.
    """
    try:
        path = find_model(folder).folder
    except FileNotFoundError:
        path = local_folder(folder)
    return tokenizer_of_files(
        path, do_lower_case, strip_accents, pre_split=pre_split, tokenizer=tokenizer
    )


def heads_at(place: Place) -> dict[str, str | None]:
    """Tasks of the heads of a model, with their kinds; None where the kind is unknown."""
    if place.kind == FINETUNED:
        return {task.name: task.kind for task in finetuned.read_config(place.folder).tasks}
    if place.kind == HUGGING_FACE:
        found = read_head(place.folder)
        name = found.extra.get("task", {}).get("name", found.kind)
        return {} if found.kind is None else {name: found.kind}
    if place.kind == REFERENCE:
        names = heads_of_tasks(CheckpointReader(place.prefix).shapes)
        return {name: TASKS[name].spec.kind if name in TASKS else None for name in names}
    return {}
