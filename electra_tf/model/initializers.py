# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Initial weights from one seed."""

import keras


class Initializers:
    """The two initializers of the original, drawing one after the other from one seed.

    Args:
        stddev: standard deviation of the truncated normal of most weights.
        seed: int; the same seed and order of building gives the same weights.
    """

    def __init__(self, stddev: float, seed: int):
        seeds = keras.random.SeedGenerator(seed)
        self.normal = keras.initializers.TruncatedNormal(stddev=stddev, seed=seeds)
        self.glorot = keras.initializers.GlorotUniform(seed=seeds)
        """For embeddings_project and the last layer of heads (tf.layers.dense's default)."""
