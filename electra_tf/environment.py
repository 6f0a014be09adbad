# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra_tf.configure`: what TensorFlow has to find in the environment when it starts."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator

_ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
XLA = "XLA_FLAGS"
"""The variable that has the flags of XLA."""
PRODUCTS_BY_CUBLAS = "--xla_gpu_enable_triton_gemm=false"
_FLAGS = (PRODUCTS_BY_CUBLAS, "--xla_cpu_prefer_vector_width=512")
_OPTIONAL = ("IPython", "matplotlib", "pandas", "scipy", "sklearn")
"""What Keras and TensorFlow import where it is installed, for functions that no command calls."""


def configure() -> None:
    """Set the environment variables that TensorFlow and XLA read once, when they start.

    - `TF_ENABLE_ONEDNN_OPTS=1`: by itself TensorFlow uses oneDNN's kernels only where a processor
      has AVX-512; a training step is faster with them on AVX2, too.
    - `--xla_gpu_enable_triton_gemm=false` in `XLA_FLAGS`: with XLA's Triton kernels for matrix
      products a run on an H100 lost its loss to NaN; cuBLAS gives the right one in the same time.
    - `--xla_cpu_prefer_vector_width=512` there: by itself XLA uses half of the registers of a
      processor with AVX-512; on others it changes nothing.

    docs/speed.md has the numbers. What the user has set is kept. The command `electra` and the
    scripts call this; other programs call it before anything that imports TensorFlow. Processes
    started later inherit the variables. A second call changes nothing.

    Raises:
        RuntimeError: TensorFlow is imported already, without these settings.
    """
    missing = unset_variables()
    if missing and "tensorflow" in sys.modules:
        lines = " ".join(f'{name}="{value}"' for name, value in missing.items())
        raise RuntimeError(
            "electra_tf.configure() is expected to be called before TensorFlow is imported, but it "
            f"is imported already, without {lines}. Call it first (in a notebook: after a restart "
            "of the kernel), or set the variables before the program starts."
        )
    os.environ.update(missing)


def unset_variables() -> dict[str, str]:
    """The environment variables that `configure` would set, with their values."""
    missing = {}
    if _ONEDNN not in os.environ:
        missing[_ONEDNN] = "1"
    flags = unset_flags()
    if flags:
        missing[XLA] = " ".join([_given_flags(), *flags]).strip()
    return missing


def unset_flags() -> list[str]:
    """The flags of XLA that `configure` would add."""
    given = _given_flags()
    return [flag for flag in _FLAGS if flag.lstrip("-").partition("=")[0] not in given]


def _given_flags() -> str:
    """The flags of XLA that the user has set; the variable may name a file that has them."""
    given = os.environ.get(XLA, "")
    if given.lstrip().startswith("-") or not os.path.isfile(given):
        return given
    with open(given, encoding="utf-8") as file:
        return " ".join(file.read().split())


@contextlib.contextmanager
def without_optional_imports() -> Iterator[None]:
    """Keras and TensorFlow, if imported inside, take optional packages as not installed.

    Importing those takes half as long as all the rest. For commands, whose process is theirs
    alone: in other programs Keras is to know, for instance, pandas.
    """
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """What is imported inside is not searched for garbage, neither then nor later.

    Modules stay, and have more objects than all that a run makes. To look for garbage among them
    again and again takes a fifth of the time that importing Keras and TensorFlow does. For
    processes that are this program's alone: other programs decide about their memory themselves.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
