# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Two CPU devices for every test process, and a tiny run to test with."""

import contextlib
import os

# Where the extra `bench` is installed: triton, which torch loads late, crashes after TensorFlow.
with contextlib.suppress(ImportError):
    import triton._C.libtriton  # noqa: F401

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import electra_tf

electra_tf.configure()  # as commands do; before TensorFlow is imported

import pytest  # noqa: E402
import tensorflow as tf  # noqa: E402
from absl import logging  # noqa: E402

# Before anything initializes TensorFlow: several replicas are tested on parts of one processor.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

from tiny_run import hparams_with, make_data_dir  # noqa: E402

from electra_tf.config.run_config import Devices  # noqa: E402
from electra_tf.training.distribution.strategy import make_strategy  # noqa: E402


@pytest.fixture(autouse=True)
def log_of_commands():
    """The log as commands write it, whatever the tests before have set."""
    logging.set_verbosity(logging.INFO)


@pytest.fixture(scope="session")
def two_replicas():
    """The strategy of `--strategy mirrored`: two replicas on two CPU devices.

    Another one over the same devices would share the keys of TensorFlow's collectives with it, so
    that whatever runs in this process, commands included, has this one.
    """
    return make_strategy(Devices("mirrored"))


@pytest.fixture
def data_dir(tmp_path):
    """A data folder with a vocabulary and two files of records."""
    return make_data_dir(tmp_path / "data")


@pytest.fixture
def hparams():
    """A run of 12 steps of a model with two narrow layers."""
    return hparams_with()
