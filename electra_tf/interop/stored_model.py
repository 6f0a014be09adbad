# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A model that lies on disk as one value: what every format is read into and written from."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from electra_tf.config import EncoderConfig, FinetuningConfig, PretrainingConfig
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.starting_weights import nearest_size
from electra_tf.finetuning.task import Task
from electra_tf.model import Encoder
from electra_tf.pretraining.pair import Discriminator, build_pair
from electra_tf.text import Tokenizer, Vocabulary
from electra_tf.training.checkpoints.weights import with_folded_tokens


@dataclasses.dataclass(frozen=True)
class Pair:
    """Generator and discriminator as `build_pair` makes them, computing in float32."""

    config: PretrainingConfig
    generator: keras.Model
    discriminator: Discriminator | None

    @classmethod
    def build(cls, config: PretrainingConfig) -> "Pair":
        """With initial weights, to be replaced."""
        return cls(config, *build_pair(config))

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
class StoredModel:
    """What `open_model` reads: a model with its weights, and all that is known about it."""

    description: str
    """What was read, for messages."""
    config: PretrainingConfig | FinetuningConfig
    """As it was trained, or as much of it as follows from the files."""
    tokenizer: Tokenizer | None
    """None if there is no vocabulary."""
    model: Pair | FinetuningModel
    """With the weights, computing in float32."""
    tasks: tuple[Task, ...] = ()
    """Of a fine-tuned model; a pre-trained one has none."""
    step: int = 0
    """Updates that made the weights."""
    moments: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Adam's, by name: `<weight>/adam_m` and `<weight>/adam_v`; empty if there are none."""
    left_behind: tuple[str, ...] = ()
    """Names in the files that no format has a place for."""
    folder: str = ""
    """Where it lies."""
    origin: str | None = None
    """Where the weights are from, if they were not trained here."""
    data: Sequence[Mapping[str, Any]] = ()
    """The splits it was fine-tuned and evaluated on: task, split, numbers of examples and rows."""

    @property
    def is_finetuned(self) -> bool:
        return bool(self.tasks)

    @property
    def parts(self) -> dict[str, keras.Model]:
        """The models of a pre-trained pair that have weights: "discriminator", "generator"."""
        if self.is_finetuned:
            return {}
        found = {"discriminator": self.model.discriminator}
        if not self.config.uniform_generator:
            found["generator"] = self.model.generator
        return {name: part for name, part in found.items() if part is not None}

    @property
    def vocabulary(self) -> Vocabulary | None:
        return None if self.tokenizer is None else self.tokenizer.vocabulary

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """By our names, which are the original's."""
        return {v.path: np.asarray(v.value) for v in self.model.trainable_variables}

    @property
    def encoder(self) -> EncoderConfig:
        """The shape of its encoder."""
        return self.model.encoder.config

    def folded(self) -> "StoredModel":
        """The same, or of disentangled embeddings the discriminator with token embeddings of its
        own: the generator has other ones then, which no format has a place for."""
        if self.is_finetuned or not self.config.disentangled_embeddings:
            return self
        config = self.config.replace(disentangled_embeddings=False, uniform_generator=True)
        pair, weights = Pair.build(config), with_folded_tokens(self.weights)
        for variable in pair.trainable_variables:
            variable.assign(weights.pop(variable.path))
        left = (*sorted(weights), *self.left_behind)
        return dataclasses.replace(self, config=config, model=pair, moments={}, left_behind=left)


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
