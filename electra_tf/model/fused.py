# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Work on single elements and rows in few passes over memory, for training steps on CPUs.

TensorFlow's kernels read and write all elements for each operation. XLA makes one loop of
several, but its matrix products are slower than oneDNN's. So only what is between the products is
compiled by it.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from electra_tf.accelerators import has_accelerator

MIN_ELEMENTS = 2**16
"""Of a tensor; below, a few passes through a cache cost less than starting a kernel, and much less
than compiling it."""


class _Context(threading.local):
    """Of a thread, since each replica traces its step in one."""

    fuses = False


_context = _Context()


@contextlib.contextmanager
def fused_on_cpus() -> Iterator[None]:
    """Steps that are traced inside take the compiled form of `fused` functions, on CPUs."""
    before = _context.fuses
    _context.fuses = not has_accelerator()
    try:
        yield
    finally:
        _context.fuses = before


def is_fused(x: tf.Tensor) -> bool:
    """Whether work on `x` is compiled: large tensors, whose shape does not change, in a step."""
    shape = x.shape
    return _context.fuses and shape.is_fully_defined() and shape.num_elements() >= MIN_ELEMENTS


def fused(function: Callable) -> Callable:
    """`function`, and its gradient, with a compiled form that is taken where `is_fused(x)`.

    Args:
        function: of `x`, further tensors and Python values.
    """
    compiled = tf.function(function, jit_compile=True, autograph=False)

    @functools.wraps(function)
    def call(x: tf.Tensor, *arguments: Any):
        return (compiled if is_fused(x) else function)(x, *arguments)

    return call
