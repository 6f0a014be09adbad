# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the parts of an encoder have in common: configuration, initial weights, dropout, saving."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.model.fused import is_fused
from electra_tf.seeds import SeedSource, split_seed

serializable = keras.saving.register_keras_serializable("electra_tf")
"""Registers a class, so that Keras finds it when it loads a file that names it."""


class Initializers:
    """The two initializers of the original, drawing one after the other from one seed.

    Args:
        stddev: standard deviation of the truncated normal of most weights.
        seed: int; the same seed and order of building gives the same weights. None: a random one.
    """

    def __init__(self, stddev: float, seed: int | None = None):
        self.stddev = stddev
        self.seed = seed
        seeds = keras.random.SeedGenerator(seed)
        self.normal = keras.initializers.TruncatedNormal(stddev=stddev, seed=seeds)
        self.glorot = keras.initializers.GlorotUniform(seed=seeds)
        """For embeddings_project and the last layer of heads (tf.layers.dense's default)."""

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        return {"stddev": self.stddev, "seed": self.seed}


@contextlib.contextmanager
def precision_scope(precision: str) -> Iterator[None]:
    """Layers built inside compute in "float32", "bfloat16" or "float16"; weights are float32.

    For float32, products of the whole process are: TensorFlow would round their factors to ten bits
    on newer GPUs (TF32).
    """
    if precision == "float32":
        tf.config.experimental.enable_tensor_float_32_execution(False)
    with policy_scope(precision if precision == "float32" else f"mixed_{precision}"):
        yield


@contextlib.contextmanager
def policy_scope(policy: str) -> Iterator[None]:
    """Layers built inside have this dtype policy, whatever the program's is."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def frozen_weights(layer: keras.layers.Layer) -> list[int]:
    """The numbers of a layer's weights that are not trainable, for its configuration."""
    return [number for number, weight in enumerate(layer.weights) if not weight.trainable]


def freeze_weights(layer: keras.layers.Layer, numbers: Sequence[int]) -> None:
    """Let the weights with these numbers be as they were; the others are trainable."""
    for number in numbers:
        layer.weights[number].trainable = False


class Dense(keras.layers.Dense):
    """Keras' layer; in training steps on CPUs as a product of two matrices.

    TensorFlow gives the bias of such a product to oneDNN, which adds it to what it has just
    computed. A bias of rows and columns with a batch takes a pass over memory of its own.
    """

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if self.bias is None or not is_fused(x):
            return super().call(x, training)
        kernel, bias = tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias)
        rows = tf.nn.bias_add(tf.matmul(tf.reshape(x, [-1, x.shape[-1]]), kernel), bias)
        return self.activation(tf.reshape(rows, [*x.shape[:-1], self.units]))

    def quantize(self, mode: str | None = None, type_check: bool = True, **options: Any) -> None:
        # Keras would leave a class that is not its own as it is, since it may compute something
        # else; this one does not.
        super().quantize(mode, type_check=False, **options)


class EncoderPart(keras.layers.Layer):
    """A layer that is made from the configuration of an encoder.

    Layers that drop out do so with the seeds that they are called with. Called with
    `training=True` and without seeds, they draw them from their own generator: others at each
    call, and others on each replica.

    Args:
        config: shape of the encoder.
        initializers: of the weights; default: the configuration's, with a random seed.
        **kwargs: of `keras.layers.Layer`: name, dtype, trainable.
    """

    num_seeds = 0
    """Seeds that a call of the layer needs to drop out."""
    default_name: str | None = None
    """Part of the names of its variables; None: as Keras names layers."""

    def __init__(
        self, config: EncoderConfig, initializers: Initializers | None = None, **kwargs: Any
    ):
        super().__init__(**{"name": self.default_name, **kwargs})
        self.config = config
        self.initializers = initializers or Initializers(config.initializer_range)
        if self.num_seeds:
            self.seed_source = SeedSource()

    def call_seed(self, seed: tf.Tensor | None, training: bool | None) -> tf.Tensor | None:
        """The seed, int32 [2], that a call drops out with; None if it does not."""
        if training is None:
            return seed
        if not training:
            return None
        return self.seed_source.next() if seed is None else seed

    def call_seeds(
        self, seeds: Sequence[tf.Tensor] | None, training: bool | None
    ) -> Sequence[tf.Tensor | None]:
        """The seeds of the parts of a call, as many as it needs; None for each if it does not."""
        if seeds is not None and training is not False:
            return seeds
        return self.split(self.call_seed(None, training))

    def split(self, seed: tf.Tensor | None) -> Sequence[tf.Tensor | None]:
        """As many seeds as a call needs, which follow from one; None for each without one."""
        return [None] * self.num_seeds if seed is None else split_seed(seed, self.num_seeds)

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, JSON-serializable."""
        return {
            **super().get_config(),
            "config": dataclasses.asdict(self.config),
            "initializers": self.initializers.get_config(),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "EncoderPart":
        """A layer with new weights, from what `get_config` gave."""
        config = dict(config)
        shape = EncoderConfig(**config.pop("config"))
        return cls(shape, Initializers(**config.pop("initializers")), **config)

    def save_weights(self, filepath: str) -> None:
        """Write the weights to a `.weights.h5` file, as `keras.Model.save_weights` does."""
        keras.saving.save_weights(self, filepath)

    def load_weights(self, filepath: str) -> None:
        """Read what `save_weights` wrote of a layer of the same shape."""
        keras.saving.load_weights(self, filepath)

    def make_dense(
        self,
        units: int,
        name: str,
        initializer: keras.initializers.Initializer | None = None,
        **options: Any,
    ) -> keras.layers.Dense:
        """A dense layer of the part's precision; `initializer`: default: `initializers.normal`."""
        return Dense(
            units,
            kernel_initializer=initializer or self.initializers.normal,
            name=name,
            dtype=self.dtype_policy,
            **options,
        )


class ModelOfParts(keras.Model):
    """A model made of built layers, which `get_config` stores under their attributes' names."""

    parts: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor, JSON-serializable."""
        serialize = keras.saving.serialize_keras_object
        return {"name": self.name, **{part: serialize(getattr(self, part)) for part in self.parts}}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "ModelOfParts":
        """A model with new weights, from what `get_config` gave."""
        return cls(**keras.saving.deserialize_keras_object(dict(config)))
