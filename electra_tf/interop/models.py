# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A model on its way from one format to another: the live model, and what goes with it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from electra_tf.config import EncoderConfig, PretrainingConfig
from electra_tf.finetuning.model_folder import FinetunedModel
from electra_tf.finetuning.starting_weights import nearest_size
from electra_tf.model import Encoder
from electra_tf.pretraining.discriminator import Discriminator
from electra_tf.pretraining.pair import build_pair
from electra_tf.text import Tokenizer


@dataclasses.dataclass(frozen=True)
class PretrainedModel:
    """Generator and discriminator as `build_pair` makes them, with their weights."""

    config: PretrainingConfig
    tokenizer: Tokenizer | None
    generator: keras.Model
    discriminator: Discriminator | None

    @classmethod
    def build(cls, config: PretrainingConfig, tokenizer: Tokenizer | None):
        """With initial weights, to be replaced."""
        generator, discriminator = build_pair(config)
        return cls(config, tokenizer, generator, discriminator)

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """Of both models, shared ones once."""
        parts = [part for part in (self.discriminator, self.generator) if part is not None]
        found = {variable.path: variable for part in parts for variable in part.trainable_variables}
        return list(found.values())

    @property
    def encoder(self) -> Encoder:
        """The one that is kept after pre-training."""
        return (self.discriminator or self.generator).encoder


@dataclasses.dataclass(frozen=True)
class Transfer:
    """What `reading.read_model` gives and the writers take."""

    model: PretrainedModel | FinetunedModel
    source: str
    """What it was read from, for messages."""
    step: int = 0
    moments: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Adam's, by name: `<weight>/adam_m` and `<weight>/adam_v`; empty if the source has none."""
    left_behind: tuple[str, ...] = ()
    """Names in the source that no format here has a place for."""

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """By our names, which are the original's."""
        return {v.path: np.asarray(v.value) for v in self._live.trainable_variables}

    @property
    def encoder(self) -> EncoderConfig:
        """The shape of its encoder."""
        return self._live.encoder.config

    @property
    def _live(self):
        return self.model.model if isinstance(self.model, FinetunedModel) else self.model


def pretraining_config(
    encoder: EncoderConfig, objective: Mapping[str, Any], hparams: Mapping[str, Any]
) -> PretrainingConfig:
    """The configuration of a pre-trained model of which this much is known.

    Args:
        encoder: the shape of its encoder.
        objective: hyperparameters that follow from what it consists of.
        hparams: those that are given; they win.
    """
    shape = {
        name: value
        for name, value in dataclasses.asdict(encoder).items()
        if name not in ("vocab_size", "embedding_size")
    }
    values = {
        "model_size": nearest_size(encoder),
        "vocab_size": encoder.vocab_size,
        "embedding_size": encoder.embedding_size,
        "max_seq_length": encoder.max_position_embeddings,
        **objective,
        **hparams,
        "model_hparam_overrides": {**shape, **hparams.get("model_hparam_overrides", {})},
    }
    return PretrainingConfig.from_hparams("converted", "", values)
