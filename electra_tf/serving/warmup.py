# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Requests that TensorFlow Serving sends to a model before it serves, so that none waits."""

import os
from collections.abc import Mapping

import tensorflow as tf
from absl import logging

PATH = os.path.join("assets.extra", "tf_serving_warmup_requests")
"""Where TensorFlow Serving looks for them, below the SavedModel."""
BATCH_SIZES = (1, 8)
_WORDS = 24
_ROW = 5
"""Ids of a row: as many as fit into the shortest export."""


def write_warmup(
    folder: str, signatures: Mapping[str, tf.types.experimental.PolymorphicFunction]
) -> None:
    """Write requests for every signature, TFRecords of `PredictionLog`.

    They need the extra `serving`; without it none are written, and the log says so.

    Args:
        folder: of the SavedModel.
        signatures: name -> function with named inputs.
    """
    try:
        from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2
    except ImportError:
        logging.warning(
            "The export gets no warm-up requests for TensorFlow Serving: they need "
            "`pip install 'electra-tf[serving]'`."
        )
        return
    path = os.path.join(folder, PATH)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.TFRecordWriter(path) as writer:
        for name, function in sorted(signatures.items()):
            for batch_size in BATCH_SIZES:
                request = predict_pb2.PredictRequest(
                    model_spec=model_pb2.ModelSpec(signature_name=name)
                )
                for key, values in example_inputs(function, batch_size).items():
                    request.inputs[key].CopyFrom(tf.make_tensor_proto(values))
                log = prediction_log_pb2.PredictionLog(
                    predict_log=prediction_log_pb2.PredictLog(request=request)
                )
                writer.write(log.SerializeToString())


def example_inputs(
    function: tf.types.experimental.PolymorphicFunction, batch_size: int
) -> dict[str, tf.Tensor]:
    """Inputs of a signature: short texts, rows of a few ids, the last layer."""
    found = {}
    for spec in function.input_signature:
        if spec.dtype == tf.string:
            found[spec.name] = tf.fill([batch_size], "word " * _WORDS)
        elif spec.shape.rank == 1:
            found[spec.name] = tf.fill([batch_size], tf.constant(-1, spec.dtype))
        else:
            # One real token and padding would do for a graph; all real is what serving sees.
            filler = 0 if spec.name == "segment_ids" else 1
            found[spec.name] = tf.fill([batch_size, _ROW], tf.constant(filler, spec.dtype))
    return found
