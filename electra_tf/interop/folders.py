# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What kind of model is at a path: told by its files."""

import os
import re

import tensorflow as tf

from electra_tf.finetuning import model_folder as finetuned
from electra_tf.interop.huggingface import is_electra_folder
from electra_tf.pretraining import model_folder as pretrained
from electra_tf.text.loading import find_vocabulary_file
from electra_tf.training.checkpoint import resolve_prefix

PRETRAINED = "pretrained"
"""A folder that pre-training wrote here."""
FINETUNED = "finetuned"
"""A folder that fine-tuning wrote here."""
HUGGING_FACE = "huggingface"
REFERENCE = "reference"
"""A checkpoint of the original, or a folder with one."""
EXPORTED = "exported"
"""A SavedModel."""


def kind_of(path: str) -> str:
    """One of the kinds above.

    Raises:
        FileNotFoundError: there is nothing of any kind; the message says where to get one.
    """
    if tf.io.gfile.exists(os.path.join(path, "saved_model.pb")):
        return EXPORTED
    if is_electra_folder(path):
        return HUGGING_FACE
    try:
        folder = os.path.dirname(resolve_prefix(path))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{error}{_how_to_get(path)}") from error
    if finetuned.read_config(folder_of_model(folder)) is not None:
        return FINETUNED
    return PRETRAINED if pretrained.is_own(folder) else REFERENCE


def folder_of_model(folder: str) -> str:
    """The folder of the model whose checkpoint is in `folder`, which may be `best/` there."""
    is_best = os.path.basename(folder) == finetuned.BEST_FOLDER
    return os.path.dirname(folder) if is_best else folder


def vocabulary_in(folder: str) -> str | None:
    """The vocabulary file of a folder; None if it has none."""
    try:
        path = find_vocabulary_file(folder)
    except FileNotFoundError:
        return None
    return path if tf.io.gfile.exists(path) else None


def _how_to_get(path: str) -> str:
    """Nothing is downloaded; for what is no folder here, how one comes to be here."""
    if tf.io.gfile.isdir(path):
        return ""
    # Hub names are "owner/model", such as google/electra-small-discriminator.
    is_name = re.fullmatch(r"[\w.-]+/[\w.-]+", path) and not os.path.isdir(os.path.dirname(path))
    name = path if is_name else "google/electra-small-discriminator"
    return (
        " Nothing is downloaded: Hugging Face models come with `hf download "
        f"{name} --local-dir FOLDER`, the original's released ones as zip files from "
        "https://github.com/google-research/electra."
    )
