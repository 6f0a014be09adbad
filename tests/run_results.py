# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a run left behind."""

import numpy as np
import tensorflow as tf

from electra_tf.training.checkpoints.checkpoint import STATE
from electra_tf.training.loop.logs import read_log


def stored(path) -> dict[str, np.ndarray]:
    """Weights, moments and step of the newest checkpoint of a folder, or of a checkpoint."""
    reader = tf.train.load_checkpoint(str(path))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name != STATE
    }


def assert_identical(path, expected_path):
    """The two checkpoints are the same to the last bit."""
    found, expected = stored(path), stored(expected_path)
    assert set(found) == set(expected)
    different = [name for name in expected if found[name].tobytes() != expected[name].tobytes()]
    assert not different


def logged_steps(model_dir, kind="train") -> list[int]:
    return [entry["step"] for entry in read_log(str(model_dir), kind)]
