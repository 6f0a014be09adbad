# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The encoder that fine-tuning starts from, whatever its source."""

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

import keras
import numpy as np
from absl import logging

from electra_tf.config import MODEL_SIZES, EncoderConfig, FinetuningConfig, check, check_names
from electra_tf.config.encoder import OVERRIDABLE, encoder_of_size, hparams_of_shape
from electra_tf.config.fields import Role, names_of
from electra_tf.config.finetuning import without_shape
from electra_tf.files import read_json
from electra_tf.finetuning.kinds import KINDS
from electra_tf.text import stored_settings, vocabulary_size
from electra_tf.training.checkpoints import weights

_SHAPE = names_of(EncoderConfig, Role.WEIGHTS)
"""What weights decide about an encoder; the rest of its configuration may be changed."""


class StartingPoint(Protocol):
    """An encoder that was read: an `interop.StoredModel`, whose fields these are."""

    description: str
    encoder: EncoderConfig
    weights: Mapping[str, np.ndarray]
    """Those of the encoder, no others."""
    discriminator_head: Mapping[str, np.ndarray]
    """Those of the head of replaced token detection; empty if there is none."""
    inferred: tuple[str, ...]
    tokenizer_settings: Mapping[str, bool]
    vocab_file: str | None
    fingerprint: str


def fingerprint_of(start: StartingPoint, uses_head: bool) -> str:
    """Hexadecimal SHA-256 of the weights that training begins with.

    Args:
        start: see there.
        uses_head: whether a task begins with the discriminator's head.
    """
    if not uses_head:
        return start.fingerprint
    return weights.fingerprint({**start.weights, **start.discriminator_head})


def asked_config(model_name: str, data_dir: str, hparams: Mapping[str, Any]) -> FinetuningConfig:
    """`FinetuningConfig.from_hparams`; of a task that a JSON file describes, the kind has defaults.

    Raises:
        ValueError: see there. A file that is damaged has none; loading the task finds the error.
    """
    names, kind = hparams.get("task_names"), None
    if isinstance(names, list) and len(names) == 1 and str(names[0]).endswith(".json"):
        with contextlib.suppress(OSError, ValueError):
            kind = read_json(names[0]).get("kind")
    defaults = KINDS[kind].hparams if kind in tuple(KINDS) else None
    return FinetuningConfig.from_hparams(model_name, data_dir, dict(hparams), defaults)


def config_for(
    model_name: str, data_dir: str, hparams: Mapping[str, Any], start: StartingPoint | None
) -> FinetuningConfig:
    """Configuration of a run whose encoder is the one that was loaded.

    What is not given follows from files: case and accents are those of the vocabulary where they
    say them, see `text`; the size of the vocabulary is that of the model, else of its file; texts
    are no longer than the model has positions.

    Raises:
        ValueError: see `FinetuningConfig.from_hparams`; hyperparameters that were given ask for
            another encoder or tokenizer than what is loaded: both are named.
    """
    overrides = hparams.get("model_hparam_overrides", {})
    check(isinstance(overrides, dict), "model_hparam_overrides", "an object", overrides)
    check_names(overrides, OVERRIDABLE, "model_hparam_overrides key")
    if start is None:
        return _with_values_of_files(model_name, data_dir, dict(hparams))
    if hparams.get("debug"):
        raise ValueError(
            "init_checkpoint is expected to be null in debug mode, whose encoder is a tiny one, "
            f"but {start.description} was given."
        )
    # What the weights do not decide can be changed.
    free = {n: v for n, v in overrides.items() if n in start.inferred or n not in _SHAPE}
    loaded = dataclasses.replace(start.encoder, **free)
    _check_agreement(start, loaded, hparams)
    shape = hparams_of_shape(loaded)
    settings = {
        **shape,
        **start.tokenizer_settings,
        **({"vocab_file": start.vocab_file} if start.vocab_file else {}),
        **hparams,
        **{name: value for name, value in shape.items() if name != "model_size"},
    }
    return _with_values_of_files(model_name, data_dir, settings)


def _with_values_of_files(
    model_name: str, data_dir: str, settings: dict[str, Any]
) -> FinetuningConfig:
    asked = asked_config(model_name, data_dir, without_shape(settings))
    given = {"pre_split": settings.get("pre_split"), "tokenizer": asked.tokenizer}
    settings = {**stored_settings(asked.vocab_file, **given), **settings}
    if "vocab_size" not in settings:
        found = vocabulary_size(asked.vocab_file)
        if found is not None:
            settings["vocab_size"], place = found
            logging.info("vocab_size=%d, as in %s.", settings["vocab_size"], place)
    positions = settings.get("model_hparam_overrides", {}).get("max_position_embeddings")
    is_shorter = type(positions) is int and 5 <= positions < asked.max_seq_length
    if is_shorter and "max_seq_length" not in settings:
        logging.info(
            "max_seq_length=%d instead of %d: the model has no more positions.",
            positions,
            asked.max_seq_length,
        )
        settings["max_seq_length"] = positions
    return asked_config(model_name, data_dir, settings)


def _check_agreement(start: StartingPoint, loaded: EncoderConfig, hparams: Mapping[str, Any]):
    overrides = hparams.get("model_hparam_overrides", {})
    asked = {**overrides, **{n: hparams.get(n) for n in ("vocab_size", "embedding_size")}}
    wrong = [
        f"{name}={asked[name]!r} asked for, {getattr(loaded, name)!r} loaded"
        for name in _SHAPE
        if asked.get(name) not in (None, getattr(loaded, name))
    ]
    size = hparams.get("model_size")
    if size is not None:
        # What a size means, except for what is overridden deliberately.
        shape = encoder_of_size(size, overrides, loaded.vocab_size, loaded.embedding_size)
        wrong += [
            f"model_size={size!r} asked for, which has {name}={getattr(shape, name)}, but "
            f"{name}={getattr(loaded, name)} loaded"
            for name in MODEL_SIZES[size].shape
            if name not in overrides and getattr(shape, name) != getattr(loaded, name)
        ]
    wrong += [
        f"{name}={hparams[name]!r} asked for, {value!r} used by the loaded model"
        for name, value in start.tokenizer_settings.items()
        if name in hparams and hparams[name] != value
    ]
    if wrong:
        raise ValueError(
            f"the hyperparameters do not agree with {start.description}: {'; '.join(wrong)}."
        )


def assign_weights(model: keras.Model, start: StartingPoint) -> None:
    """Give the encoder of a `FinetuningModel` the loaded weights, and heads that begin with some.

    Other heads keep theirs.

    Raises:
        ValueError: names or shapes are missing, unexpected or different, see `require_match`; or a
            head begins with the discriminator's, and there is none.
    """
    weights.assign_weights(start.weights, model.encoder, start.description, what="the encoder")
    for head in model.task_heads.heads:
        if head.pretrained_part is None:
            continue
        if not start.discriminator_head:
            raise ValueError(
                f"{start.description} is expected to have the head of a discriminator, with which "
                f"the task {head.name} begins since it has a prompt, but has none."
            )
        own = {
            name.replace(head.pretrained_part, f"task_specific/{head.name}", 1): weight
            for name, weight in start.discriminator_head.items()
        }
        weights.assign_weights(own, head, start.description, what=f"the head of {head.name}")
