# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Work on single elements and rows in few passes over memory, for training steps on CPUs.

TensorFlow's kernels read and write all elements for each operation. XLA makes one loop of
several, but its matrix products are slower than oneDNN's. So only what is between the products is
compiled by it.
"""

import contextlib
import functools
import threading
import weakref
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
    compiled = _compiled(function)

    @functools.wraps(function)
    def call(x: tf.Tensor, *arguments: Any):
        return (compiled if is_fused(x) else function)(x, *arguments)

    return call


def fused_elements(function: Callable) -> Callable:
    """As `fused`, of a function that computes in float32 and each element by itself.

    Two neighbours of bfloat16 are one word of 32 bits, which the compiled form takes apart: XLA's
    loops over 16 bits use half of a processor's vectors, and take twice as long.

    Args:
        function: of tensors of one shape and type, which its result has, too.
    """
    call = fused(function)
    of_words = _compiled(functools.partial(_of_words, function))

    @functools.wraps(function)
    def call_with_words(*tensors: tf.Tensor):
        x = tensors[0]
        if x.dtype != tf.bfloat16 or not is_fused(x) or x.shape[-1] % 2:
            return call(*tensors)
        shape = [*x.shape[:-1], x.shape[-1] // 2, 2]
        words = [tf.bitcast(tf.reshape(tensor, shape), tf.uint32) for tensor in tensors]
        return tf.reshape(tf.bitcast(of_words(*words), tf.bfloat16), x.shape)

    return call_with_words


def _of_words(function: Callable, *words: tf.Tensor):
    """`function` of both bfloat16 numbers that each word has, uint32 -> uint32."""
    half, upper = tf.constant(16, tf.uint32), tf.constant(0xFFFF0000, tf.uint32)
    low = [tf.bitcast(tf.bitwise.left_shift(word, half), tf.float32) for word in words]
    high = [tf.bitcast(tf.bitwise.bitwise_and(word, upper), tf.float32) for word in words]
    return tf.bitwise.bitwise_or(
        tf.bitwise.right_shift(_rounded_bits(function(*low)), half),
        tf.bitwise.bitwise_and(_rounded_bits(function(*high)), upper),
    )


def _rounded_bits(x: tf.Tensor):
    """The bits of float32 numbers, whose upper halves are the nearest bfloat16 numbers, uint32."""
    bits = tf.bitcast(x, tf.uint32)
    last = tf.bitwise.bitwise_and(
        tf.bitwise.right_shift(bits, tf.constant(16, tf.uint32)), tf.constant(1, tf.uint32)
    )
    quiet_nan = tf.bitwise.bitwise_or(bits, tf.constant(0x400000, tf.uint32))
    return tf.where(tf.math.is_nan(x), quiet_nan, bits + last + tf.constant(0x7FFF, tf.uint32))


# ---- Compiled ahead

AHEAD = "compiles ahead"
"""The name of the threads that do it."""
_one_at_a_time = threading.Lock()
_begun = weakref.WeakSet()
"""The functions that they have compiled, or will."""


def _compiled(function: Callable):
    """`function` compiled by XLA, beginning when a step that calls it is traced.

    TensorFlow compiles a function at its first call. In the first step these calls wait for each
    other, so all would be compiled one after the other, and nothing be done meanwhile. Another
    thread begins with it while Python traces the rest of the step.
    """
    compiled = tf.function(function, jit_compile=True, autograph=False)

    def call(*arguments: Any):
        # Replicas of one process compile for different devices; there the first step does it.
        if tf.inside_function() and not tf.distribute.has_strategy():
            traced = compiled.get_concrete_function(*arguments)
            if traced not in _begun:
                _begun.add(traced)
                threading.Thread(target=_compile, args=(traced,), name=AHEAD).start()
        return compiled(*arguments)

    return call


def _compile(traced: Callable):
    """Have a function compiled; where that fails, the first step finds it out, too."""
    with _one_at_a_time, contextlib.suppress(Exception):
        if threading.main_thread().is_alive():  # else the process ends, and waits for this thread
            _call_with_zeros(traced)


def _call_with_zeros(traced: Callable):
    zeros = [tf.zeros(tensor.shape, tensor.dtype) for tensor in traced.inputs]
    # From a graph, as the step does: for other calls TensorFlow compiles it once more.
    tf.function(traced, autograph=False)(*zeros)
