# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The signature `ids` of an export for runtimes other than TensorFlow: LiteRT, ONNX.

Both drop the labels' names, and the check that rows are not longer than the model has positions;
such rows still fail, where embeddings of positions are added.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator

import tensorflow as tf

from electra_tf.files import check_keys, read_json, write_bytes
from electra_tf.serving.export_files import SETTINGS_FILE, load_exported

SIGNATURE = "ids"
OPSET = 17
"""Version of the operations of ONNX."""


def convert_to_litert(export_dir: str, path: str) -> None:
    """Write the signature `ids` of an export as a LiteRT model of built-in operations.

    Args:
        export_dir: that `export_model` wrote in float32, with "ids" alone.
        path: file to write.

    Raises:
        FileNotFoundError: export_dir is no export.
        ValueError: it has other signatures or is not float32.
    """
    with _numbers_of(export_dir) as folder:
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        write_bytes(path, converter.convert())


def convert_to_onnx(export_dir: str, path: str) -> None:
    """Write the signature `ids` of an export as an ONNX model; needs the extra "onnx".

    Args:
        export_dir: that `export_model` wrote in float32, with "ids" alone.
        path: file to write.

    Raises:
        FileNotFoundError, ValueError: see `convert_to_litert`.
        ModuleNotFoundError: tf2onnx is not installed.
    """
    with _numbers_of(export_dir) as folder:
        import tf2onnx.tf_loader

        graph, inputs, outputs, renamed = tf2onnx.tf_loader.from_saved_model(
            folder, None, None, "serve", [SIGNATURE], return_tensors_to_rename=True
        )
    model, _ = tf2onnx.convert.from_graph_def(
        graph,
        input_names=inputs,
        output_names=outputs,
        opset=OPSET,
        tensors_to_rename=renamed,
    )
    write_bytes(path, model.SerializeToString())


@contextlib.contextmanager
def _numbers_of(export_dir: str) -> Iterator[str]:
    """A folder, for the time being, with an export's signature without the strings it gives.

    The runtimes have no strings; the labels are in SETTINGS_FILE, in the order of the numbers.
    """
    _check(export_dir)
    exported, _ = load_exported(export_dir)
    served = exported.signatures[SIGNATURE]
    inputs = served.structured_input_signature[1]

    def numbers(**batch: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs = served(**batch)
        return {name: value for name, value in outputs.items() if value.dtype != tf.string}

    with tempfile.TemporaryDirectory() as folder:
        function = tf.function(numbers, autograph=False).get_concrete_function(**inputs)
        tf.saved_model.save(exported, folder, signatures={SIGNATURE: function})
        yield folder


def _check(export_dir: str):
    path = os.path.join(export_dir, SETTINGS_FILE)
    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(f"{export_dir} is no export: it has no {SETTINGS_FILE}.")
    settings = read_json(path)
    check_keys(settings, {"signatures": list, "dtype": str}, path)
    found = settings["signatures"], settings["dtype"]
    if found != ([SIGNATURE], "float32"):
        raise ValueError(
            f"{export_dir} is expected to be exported with --signatures ids in float32, but has "
            f"{', '.join(map(str, found[0]))} in {found[1]}."
        )
