# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Hyperparameters that follow from the files of a run where they are not given."""

import contextlib
import os
import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from absl import logging

from electra_tf.config import PretrainingConfig
from electra_tf.config.stored import encoder_sizes
from electra_tf.data import PretrainingRecords
from electra_tf.files import read_json
from electra_tf.text import vocabulary_size
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder, resolve_prefix
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader

_EMBEDDINGS = "electra/embeddings/word_embeddings"


def with_vocabulary_size(
    config: PretrainingConfig, folder: str | None, hparams: dict[str, Any]
) -> dict[str, Any]:
    """`hparams` with `vocab_size`: that of the initial weights, else of the vocabulary.

    The folder is that of a run that is continued, and whose configuration is not stored; a new run
    has none.
    """
    if "vocab_size" in hparams:
        return hparams
    found = _rows_of_weights(config, folder) or vocabulary_size(config.vocab_file)
    if found is None:
        return hparams
    size, place = found
    logging.info("vocab_size=%d, as in %s.", size, place)
    return {**hparams, "vocab_size": size}


def with_record_length(config: PretrainingConfig, hparams: dict[str, Any]) -> dict[str, Any]:
    """`hparams` with `max_seq_length`, where the manifests of the records that are read say one.

    Records of the original have no manifest: there the default stays, and is checked.

    Raises:
        ValueError: records of several lengths would be read with it.
    """
    if "max_seq_length" in hparams:
        return hparams
    lengths: dict[int, str] = {}
    for patterns in config.patterns_of_one_length:
        # What is wrong with records is said by the run, which opens them, too.
        with contextlib.suppress(ValueError):
            for folder, manifest in PretrainingRecords(patterns).manifests.items():
                lengths.setdefault(manifest.max_seq_length, folder)
    if len(lengths) > 1:
        described = ", ".join(f"{length} in {folder}" for length, folder in lengths.items())
        raise ValueError(
            f"max_seq_length is not given, and the records are of several lengths: {described}."
        )
    for length, folder in lengths.items():
        logging.info("max_seq_length=%d, as in the records of %s.", length, folder)
        return {**hparams, "max_seq_length": length}
    return hparams


def _rows_of_weights(config: PretrainingConfig, folder: str | None) -> tuple[int, str] | None:
    """Rows of the token embeddings that the run starts from, and where they are."""
    prefix = None if folder is None else CheckpointFolder(folder).latest()
    start = config.init_checkpoint
    if prefix is None and start is not None:
        if re.search(config.init_checkpoint_ignore or r"\Z.", _EMBEDDINGS):
            return None
        stored = _size_in_config(start)
        if stored is not None:
            return stored, start
        # Whoever loads the weights says what is wrong with them.
        with contextlib.suppress(FileNotFoundError):
            prefix = resolve_prefix(start)
    if prefix is None:
        return None
    rows = encoder_sizes(CheckpointReader(prefix).shapes).get("vocab_size")
    return None if rows is None else (rows, prefix)


def _size_in_config(folder: str) -> int | None:
    """`vocab_size` of the config.json of a folder, Hugging Face's or ours."""
    path = os.path.join(folder, "config.json")
    if not tf.io.gfile.exists(path):
        return None
    stored = read_json(path)
    encoder = stored.get("encoder", stored)
    size = encoder.get("vocab_size") if isinstance(encoder, Mapping) else None
    return size if type(size) is int else None
