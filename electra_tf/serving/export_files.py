# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The files of an export beside its graph: settings, checksums, warm-up requests; loading it.

What is damaged is named, and never computed with.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
from absl import logging

from electra_tf.files import check_keys, exists, read_bytes, read_json
from electra_tf.training.checkpoints.checkpoint_reader import CheckpointReader, without_pattern

SETTINGS_FILE = os.path.join("assets.extra", "electra_tf.json")
DIGESTS = "sha256"
"""Key of the settings: hexadecimal SHA-256 of the files that contain no checksums."""

WARMUP_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
"""Where TensorFlow Serving looks for requests that it sends a model before it serves."""
BATCH_SIZES = (1, 8)
_WORDS = 24
_ROW = 5
"""Ids of a row of a request: as many as fit into the shortest export."""

_FILLINGS = {
    "fill_mask": ("tokens", "token_ids", "probabilities"),
    "find_errors": ("replacements", "replacement_probabilities"),
}
"""Outputs of signatures whose last dimension is `top_k`."""

_GRAPH_FILE = "saved_model.pb"
_ASSETS = "assets"
_VARIABLES = os.path.join("variables", "variables")


def digests_of(folder: str) -> dict[str, str]:
    """What the settings of an export hold under `DIGESTS`."""
    assets = os.path.join(folder, _ASSETS)
    names = [os.path.join(_ASSETS, name) for name in sorted(tf.io.gfile.listdir(assets))]
    return {
        name: hashlib.sha256(read_bytes(os.path.join(folder, name))).hexdigest()
        for name in (_GRAPH_FILE, *names)
    }


def load_exported(folder: str) -> tuple[Any, Any]:
    """The SavedModel of a folder, and what is to be kept as long as it is used.

    Raises:
        OSError, ValueError: a file of it is damaged or missing; names it.
    """
    settings = os.path.join(folder, SETTINGS_FILE)
    if exists(settings):
        _check(folder, read_json(settings), settings)
    path, alias = without_pattern(folder)
    try:
        return tf.saved_model.load(path), alias
    except Exception as error:  # TensorFlow raises errors of many types
        reader = CheckpointReader(os.path.join(folder, _VARIABLES))
        for name in reader.shapes:
            reader[name]  # raises an error that names the damaged file
        reason = " ".join(str(getattr(error, "message", error)).split())
        raise OSError(f"{folder} cannot be loaded as an exported model: {reason}") from error


def with_top_k(
    signatures: Mapping[str, Callable], top_k: int | None, folder: str
) -> dict[str, Callable]:
    """The signatures of an export, those of fillings cut to the `top_k` best.

    Args:
        signatures: of the SavedModel.
        top_k: None for as many as it was exported with.
        folder: of the SavedModel, as errors call it.

    Raises:
        ValueError: it was exported with fewer.
    """
    found = dict(signatures)
    if top_k is None:
        return found
    for name, fillings in _FILLINGS.items():
        outputs = {} if name not in found else found[name].structured_outputs
        if fillings[0] not in outputs:  # also of models without a generator
            continue
        most = outputs[fillings[0]].shape[-1]
        if top_k > most:
            raise ValueError(
                f"top_k is expected to be at most {most}, which {folder} was exported with, but is "
                f"{top_k}."
            )
        found[name] = _BestFillings(found[name], top_k, fillings)
    return found


class _BestFillings:
    """A signature of an export whose outputs [B, ..., K] are cut to the first `top_k`."""

    def __init__(self, function: Callable, top_k: int, fillings: tuple[str, ...]):
        self._function, self._top_k, self._fillings = function, top_k, fillings
        self.structured_input_signature = function.structured_input_signature

    def __call__(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = self._function(**inputs)
        cut = {name: outputs[name][..., : self._top_k] for name in self._fillings}
        return {**outputs, **cut}


def _check(folder: str, settings: dict[str, Any], where: str):
    digests = settings.get(DIGESTS, {})  # exports of earlier versions have none
    check_keys({DIGESTS: digests}, {DIGESTS: dict}, where)
    for name, digest in digests.items():
        path = os.path.join(folder, name)
        if hashlib.sha256(read_bytes(path)).hexdigest() != digest:
            raise ValueError(
                f"{path} is damaged: it is not as it was exported, by what {where} holds. Copy or "
                "export the model again."
            )


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
    path = os.path.join(folder, WARMUP_FILE)
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
    """Inputs of a signature: short texts, rows of a few ids, the last layer, its threshold."""
    found, names = {}, [spec.name for spec in function.input_signature]
    for spec in function.input_signature:
        if spec.name == "option":
            found[spec.name] = tf.fill([batch_size], "word")
        elif spec.dtype == tf.string:
            text = "word " * _WORDS + ("{}" if "option" in names else "")
            found[spec.name] = tf.fill([batch_size], text)
        elif spec.shape.rank == 1:
            found[spec.name] = tf.fill([batch_size], tf.constant(-1, spec.dtype))
        else:
            # One real token and padding would do for a graph; all real is what serving sees.
            filler = 0 if spec.name == "segment_ids" else 1
            found[spec.name] = tf.fill([batch_size, _ROW], tf.constant(filler, spec.dtype))
    return found
