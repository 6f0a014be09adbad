# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which kinds of devices this process sees; the fastest form of a computation depends on it."""

import tensorflow as tf


def has_tpu() -> bool:
    return bool(tf.config.list_logical_devices("TPU"))


def has_accelerator() -> bool:
    return has_tpu() or bool(tf.config.list_physical_devices("GPU"))
