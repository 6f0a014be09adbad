# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which devices this process sees, and the arithmetic that is best on them."""

import tensorflow as tf

_FIRST_WITH_BFLOAT16 = (8, 0)
"""CUDA compute capability (Ampere)."""


def has_tpu() -> bool:
    """Whether this process has a TPU."""
    return bool(tf.config.list_logical_devices("TPU"))


def has_accelerator() -> bool:
    """Whether this process has a TPU or a GPU."""
    return has_tpu() or bool(tf.config.list_physical_devices("GPU"))


def default_precision() -> str:
    """bfloat16 where all accelerators compute with it at full speed, else float32."""
    if has_tpu():
        return "bfloat16"
    gpus = tf.config.list_physical_devices("GPU")
    capabilities = [
        tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        for gpu in gpus
    ]
    if gpus and min(capabilities) >= _FIRST_WITH_BFLOAT16:
        return "bfloat16"
    return "float32"


def is_compiled(jit_compile: bool | None) -> bool:
    """Whether XLA is to compile the steps, as the option `jit_compile` says.

    None is for what is best: on a GPU; a TPU's steps are compiled as a whole, without asking.
    """
    if jit_compile is not None:
        return jit_compile
    return bool(tf.config.list_physical_devices("GPU")) and not has_tpu()


def arithmetic(precision: str | None, jit_compile: bool | None) -> str:
    """What the options mean on the devices of this process, as in "bfloat16 with XLA"."""
    compiled = has_tpu() or is_compiled(jit_compile)
    return f"{precision or default_precision()} {'with' if compiled else 'without'} XLA"
