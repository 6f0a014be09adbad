# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""ELECTRA in TensorFlow 2 and Keras 3: pre-training text encoders as discriminators."""

import importlib
import os

# TensorFlow reads this while it is imported. By itself it uses oneDNN's kernels only where a
# processor has AVX-512; a training step is faster with them on AVX2, too (docs/speed.md).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# XLA reads its flags then, too. With its Triton kernels for matrix products a run on an H100 lost
# its loss to NaN; cuBLAS gives the right one in the same time (docs/speed.md).
if "xla_gpu_enable_triton_gemm" not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = " ".join(
        filter(None, [os.environ.get("XLA_FLAGS"), "--xla_gpu_enable_triton_gemm=false"])
    )

__version__ = "0.1.0"


def __getattr__(name: str):
    """`electra_tf.load`, imported when it is asked for: the package itself imports no library."""
    if name == "load":
        return importlib.import_module("electra_tf.loading").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
