# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which rewrites TensorFlow may make to the graphs of steps.

Where a graph seems to need more than four fifths of the memory, TensorFlow (2.21) adds up gradients
in temporary variables. In loops it makes some that are there already: a step of the large model
with accumulated gradients ended with an AlreadyExistsError. There is no public interface for this
rewrite alone.
"""

import contextlib
from collections.abc import Iterator

import tensorflow as tf
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.eager import context

_NO_REWRITES = rewriter_config_pb2.RewriterConfig.NO_MEM_OPT


@contextlib.contextmanager
def without_memory_rewrites() -> Iterator[None]:
    """Functions that are traced and first called inside keep their sums as they are."""
    eager_context = context.context()
    before = eager_context.function_call_options
    config = tf.compat.v1.ConfigProto.FromString(before.config_proto_serialized)
    config.graph_options.rewrite_options.memory_optimization = _NO_REWRITES
    eager_context.function_call_options = context.FunctionCallOptions(before.executor_type, config)
    try:
        yield
    finally:
        eager_context.function_call_options = before
