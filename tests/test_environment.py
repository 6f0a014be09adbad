# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What importing the package sets for TensorFlow."""

import os
import subprocess
import sys

import pytest

DEFAULT = "--xla_gpu_enable_triton_gemm=false"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, DEFAULT),
        ("--xla_dump_to=/tmp/x", f"--xla_dump_to=/tmp/x {DEFAULT}"),
        ("--xla_gpu_enable_triton_gemm=true", "--xla_gpu_enable_triton_gemm=true"),
    ],
)
def test_products_on_gpus_are_those_of_cublas_unless_the_user_says_otherwise(before, after):
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    if before is not None:
        environment["XLA_FLAGS"] = before
    output = subprocess.run(
        [sys.executable, "-c", "import electra_tf, os; print(os.environ['XLA_FLAGS'])"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output.strip() == after
