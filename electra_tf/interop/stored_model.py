# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A model that lies on disk as one value: what every format is read into and written from."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from electra_tf.config import EncoderConfig, FinetuningConfig, PretrainingConfig
from electra_tf.config.encoder import hparams_of_shape
from electra_tf.finetuning.model import FinetuningModel
from electra_tf.finetuning.task import Task
from electra_tf.interop.error_calibration import ErrorCalibration, read_calibration
from electra_tf.interop.huggingface.names import DISCRIMINATOR_HEAD
from electra_tf.model import Encoder
from electra_tf.pretraining.pair import build_pair
from electra_tf.text import Tokenizer, Vocabulary
from electra_tf.training.checkpoints.weights import fingerprint, with_folded_tokens


@dataclasses.dataclass(frozen=True)
class Pair:
    """Generator and discriminator as `build_pair` makes them, computing in float32."""

    config: PretrainingConfig
    generator: keras.Model
    discriminator: keras.Model | None

    @classmethod
    def build(cls, config: PretrainingConfig) -> "Pair":
        """With initial weights, to be replaced."""
        return cls(config, *build_pair(config))

    @property
    def weights(self) -> list[keras.Variable]:
        """Of both models, shared ones once."""
        parts = [part for part in (self.discriminator, self.generator) if part is not None]
        return list(
            {variable.path: variable for part in parts for variable in part.weights}.values()
        )

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The weights that are not those of a frozen generator."""
        return [variable for variable in self.weights if variable.trainable]

    @property
    def encoder(self) -> Encoder:
        """The one that is kept after pre-training."""
        return (self.discriminator or self.generator).encoder


@dataclasses.dataclass(frozen=True)
class StoredModel:
    """What was read of a model on disk, whatever its format.

    `open_model` reads all of it; `find_starting_point` its encoder alone, whatever the head is.
    """

    description: str
    """What was read, for messages."""
    encoder: EncoderConfig
    """The shape of its encoder."""
    weights: Mapping[str, np.ndarray]
    """By our names, which are the original's: "electra/..." are those of the encoder."""
    config: PretrainingConfig | FinetuningConfig | None = None
    """As it was trained, or as much of it as follows from the files; None of an encoder alone."""
    model: Pair | FinetuningModel | None = None
    """With the weights, computing in float32; None of an encoder alone."""
    tokenizer: Tokenizer | None = None
    """None if there is no vocabulary."""
    inferred: tuple[str, ...] = ()
    """Fields of `encoder` that the files do not say, and that hyperparameters may set."""
    discriminator_head: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Of an encoder alone: the head of replaced token detection beside it, if there is one."""
    tokenizer_settings: Mapping[str, bool] = dataclasses.field(default_factory=dict)
    """do_lower_case, strip_accents and pre_split of an encoder's vocabulary, if the files say."""
    vocab_file: str | None = None
    """The vocabulary of an encoder alone."""
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

    @classmethod
    def of(
        cls,
        description: str,
        config: PretrainingConfig | FinetuningConfig,
        tokenizer: Tokenizer | None,
        model: Pair | FinetuningModel,
        **known: Any,
    ) -> "StoredModel":
        """With the weights of a model, and what else is known by the names of the fields."""
        weights = {v.path: np.asarray(v.value) for v in model.weights}
        encoder = model.encoder.config
        if isinstance(model, Pair):
            description += objective_of(config)
        return cls(description, encoder, weights, config, model, tokenizer, **known)

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

    @functools.cached_property
    def error_calibration(self) -> ErrorCalibration | None:
        """Of a pre-trained discriminator that was calibrated in its folder."""
        return read_calibration(*self.calibrated) if self.folder else None

    @property
    def calibrated(self) -> tuple[str, int, str]:
        """Folder, step and fingerprint, which say what a calibration is of."""
        return self.folder, self.step, self.discriminator_fingerprint

    @functools.cached_property
    def discriminator_fingerprint(self) -> str:
        """That of the discriminator's weights alone; `folded` keeps it."""
        encoder, head = encoder_and_head(with_folded_tokens(self.weights))
        return fingerprint({**encoder, **head})

    @property
    def vocabulary(self) -> Vocabulary | None:
        return None if self.tokenizer is None else self.tokenizer.vocabulary

    @property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 of the weights."""
        return fingerprint(self.weights)

    def as_start(self) -> "StoredModel":
        """What `find_starting_point` gives of an opened model: the encoder with its head."""
        encoder, head = encoder_and_head(self.folded().weights)
        is_electric = not self.is_finetuned and self.config.electric_objective
        own = {} if is_electric else head
        return StoredModel(self.description, self.encoder, encoder, discriminator_head=own)

    def folded(self) -> "StoredModel":
        """The same model; with disentangled embeddings, the discriminator alone.

        It gets separate token embeddings. The generator has other ones then, which no format has
        a place for.
        """
        if self.is_finetuned or not self.config.disentangled_embeddings:
            return self
        config = self.config.replace(disentangled_embeddings=False, uniform_generator=True)
        pair, weights = Pair.build(config), with_folded_tokens(self.weights)
        for variable in pair.weights:
            variable.assign(weights[variable.path])
        folded = StoredModel.of(self.description, config, self.tokenizer, pair)
        left = (*sorted(set(weights) - set(folded.weights)), *self.left_behind)
        return dataclasses.replace(
            self,
            config=config,
            model=pair,
            weights=folded.weights,
            moments={},
            left_behind=left,
        )


def objective_of(config: PretrainingConfig) -> str:
    """What descriptions of a pre-trained model end with, if its second model restores tokens.

    So messages say why there is no head of replaced token detection.
    """
    if not config.has_discriminator or config.detects_replaced_tokens:
        return ""
    return f" with discriminator_objective {config.discriminator_objective!r}"


def encoder_and_head(
    weights: Mapping[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Those of the weights that are the encoder's, and those of the discriminator's head.

    They are enough for a discriminator but Electric's, whose logits need its generator, too.
    """
    encoder, head = (
        {name: value for name, value in weights.items() if name.startswith(part)}
        for part in ("electra/", DISCRIMINATOR_HEAD)
    )
    return encoder, head


def pretraining_config(
    encoder: EncoderConfig, objective: Mapping[str, Any], hparams: Mapping[str, Any]
) -> PretrainingConfig:
    """The configuration of a pre-trained model of which this much is known.

    The objective has hyperparameters that follow from what the model consists of; those that are
    given, `hparams`, win.
    """
    shape = hparams_of_shape(encoder)
    overrides = hparams.get("model_hparam_overrides", {})
    values = {
        **shape,
        "max_seq_length": encoder.max_position_embeddings,
        **objective,
        **hparams,
        "model_hparam_overrides": {**shape["model_hparam_overrides"], **overrides},
    }
    return PretrainingConfig.from_hparams("converted", "", values)
