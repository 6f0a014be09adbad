# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The folder of a pre-trained model: what is in it, and what it says about the model."""

import dataclasses
import os
from typing import Any

import tensorflow as tf
from absl import logging

import electra_tf
from electra_tf.config import MODEL_KEYS, PretrainingConfig
from electra_tf.config.continued_run import with_continued_run
from electra_tf.config.stored import StoredModelConfig
from electra_tf.files import check_keys, exists, read_json, write_json
from electra_tf.pretraining.decayed_run import with_continued_checkpoint
from electra_tf.pretraining.file_values import with_record_length, with_vocabulary_size
from electra_tf.text import Tokenizer, Vocabulary, load_vocabulary, save_tokenizer, stored_settings
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder
from electra_tf.training.checkpoints.run_folder import BEST_FOLDER, CONFIG_FILE, remove_run


def resolve_config(model_name: str, data_dir: str, hparams: dict[str, Any]) -> PretrainingConfig:
    """Configuration of a run; what the model is comes from its folder, if that exists already.

    Case and accents are those of the vocabulary where its files say them, see `text`; its size
    and the length of the records are taken where they are not given, see `file_values`.

    Raises:
        ValueError: see `PretrainingConfig.from_hparams`; a contradiction to the folder names the
            keys that differ.
    """
    asked, hparams = hparams, with_continued_run(model_name, data_dir, hparams)
    config = PretrainingConfig.to_find_files(model_name, data_dir, hparams)
    is_new = starts_over(config) or checkpoints(config).latest() is None
    if config.decay_from is not None and is_new:
        hparams = with_continued_checkpoint(config, asked)
        config = PretrainingConfig.to_find_files(model_name, data_dir, hparams)
    given = {"pre_split": hparams.get("pre_split"), "tokenizer": config.tokenizer}
    hparams = {**stored_settings(config.vocab_file, **given), **hparams}
    found = read_config(config.model_dir)
    if config.do_train or config.do_eval:
        hparams = with_record_length(config, hparams)
    if found is None or starts_over(config):
        folder = None if starts_over(config) else config.model_dir
        hparams = with_vocabulary_size(config, folder, hparams)
        return PretrainingConfig.from_hparams(model_name, data_dir, hparams)
    # Where it is, which need not be where it was made.
    saved = {**found.pretraining.to_dict(), "model_dir": config.model_dir}
    if saved["debug"] and config.do_train:
        raise ValueError(
            f"the model in {config.model_dir} is a debug run's, which cannot be trained further. "
            "Choose another --model-name, or set debug to start over."
        )
    return PretrainingConfig.from_hparams(model_name, data_dir, hparams, saved=saved)


@dataclasses.dataclass(frozen=True)
class StoredConfig(StoredModelConfig):
    """What `write_config` stores."""

    pretraining: PretrainingConfig


def read_config(model_dir: str) -> StoredConfig | None:
    """What a pre-trained model's folder says of it; None if it has no config.json.

    Raises:
        ValueError: something is missing or wrong in the file; names it and the key.
    """
    path = os.path.join(model_dir, CONFIG_FILE)
    if not exists(path):
        return None
    stored = read_json(path)
    check_keys(stored, {"pretraining": dict}, path)
    later = ("disentangled_embeddings", "pre_split", "freeze_generator")
    later_keys = {**dict.fromkeys(later, False), "generator_embedding_size": None}
    later_keys["discriminator_objective"] = "replaced_tokens"
    model = {**later_keys, **stored["pretraining"]}
    missing = sorted(set(MODEL_KEYS) - set(model))
    if missing:
        raise ValueError(f"{path} is expected to have the keys {', '.join(missing)}.")
    return StoredConfig.from_json({**stored, "pretraining": model}, path)


def vocabulary_in(folder: str) -> Vocabulary | None:
    """The vocabulary in a folder; None if there is none."""
    try:
        return load_vocabulary(folder)
    except FileNotFoundError:
        return None


def write_config(
    config: PretrainingConfig, tokenizer: Tokenizer, converted_from: str | None = None
) -> None:
    """Store the resolved configuration, the tokenizer's settings and the vocabulary in `model_dir`.

    Weights that are `converted_from` elsewhere need not be trained as the configuration says.

    Raises:
        ValueError: the folder has another vocabulary already.
    """
    stored = vocabulary_in(config.model_dir)
    if stored is not None and stored.sha256 != tokenizer.vocabulary.sha256:
        raise ValueError(
            f"vocab_file {config.vocab_file} is expected to be the vocabulary of the model in "
            f"{config.model_dir}, but differs from it."
        )
    save_tokenizer(tokenizer, config.model_dir)
    content = {
        "electra_tf_version": electra_tf.__version__,
        "pretraining": config.to_dict(),
        "encoder": dataclasses.asdict(config.encoder),
        "generator_encoder": (
            dataclasses.asdict(config.generator_encoder) if config.has_generator else None
        ),
        "tokenizer": tokenizer.settings,
    }
    if converted_from is not None:
        content["converted_from"] = converted_from
    write_json(os.path.join(config.model_dir, CONFIG_FILE), content)


def checkpoints(config: PretrainingConfig) -> CheckpointFolder:
    """Checkpoints of the run, the newest `keep_checkpoint_max` of them."""
    return CheckpointFolder(config.model_dir, config.keep_checkpoint_max)


def best_checkpoints(config: PretrainingConfig) -> CheckpointFolder:
    """The one checkpoint that was best on held-out data."""
    return CheckpointFolder(os.path.join(config.model_dir, BEST_FOLDER), keep=1)


def starts_over(config: PretrainingConfig) -> bool:
    """Whether this run throws away what is in its folder: training in debug mode does."""
    return config.debug and config.do_train


def clear_debug_folder(config: PretrainingConfig) -> None:
    """Delete what an earlier debug run left (run_pretraining.py train_or_eval).

    Raises:
        ValueError: what the folder holds is not a debug run's.
    """
    folder = config.model_dir
    if not tf.io.gfile.exists(folder):
        return
    saved = read_config(folder)
    if not (saved and saved.pretraining.debug) and tf.io.gfile.listdir(folder):
        raise ValueError(
            f"debug training deletes {folder} first, but it is not the folder of a debug "
            "run. Choose another --model-name."
        )
    others = remove_run(folder, is_debug=True)
    if others:
        logging.warning("%s: not deleted, because no debug run wrote them: %s.", folder, others)
