# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Exports in processes that know nothing of this project."""

import os
import subprocess
import sys

import numpy as np
import pytest

from electra_tf.serving import export_model

PLAIN = """
import sys
import tensorflow as tf
if sys.argv[2] == "text":
    import tensorflow_text
loaded = tf.saved_model.load(sys.argv[1])
assert not any(name.split(".")[0] in ("electra_tf", "keras_hub") for name in sys.modules)
assert ("tensorflow_text" in sys.modules) == (sys.argv[2] == "text")
if sys.argv[2] == "text":
    print(loaded.signatures["serving_default"](text=tf.constant(["a b", ""]))["mean"].shape)
else:
    rows = {name: tf.ones([2, 7], tf.int32) for name in ("input_ids", "input_mask", "segment_ids")}
    print(loaded.signatures["serving_default"](**rows)["mean"].shape)
"""


@pytest.fixture(scope="module")
def ids_export(pair_dir, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("ids") / "export")
    export_model(pair_dir, folder, names=["ids"])
    return folder


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=500, check=True).stdout


@pytest.mark.slow
def test_text_loads_with_tensorflow_text_alone(pair_export):
    assert "(2, 16)" in run(sys.executable, "-c", PLAIN, pair_export, "text")


@pytest.mark.slow
def test_ids_loads_with_tensorflow_alone(ids_export):
    assert "(2, 16)" in run(sys.executable, "-c", PLAIN, ids_export, "ids")


@pytest.mark.slow
def test_saved_model_cli_runs_it(ids_export, tmp_path):
    names = ("input_ids", "input_mask", "segment_ids")
    for name in names:
        np.save(tmp_path / f"{name}.npy", np.ones([2, 5], np.int32))
    output = run(
        os.path.join(os.path.dirname(sys.executable), "saved_model_cli"),
        "run",
        "--dir",
        ids_export,
        "--tag_set",
        "serve",
        "--signature_def",
        "ids",
        "--inputs",
        ";".join(f"{name}={tmp_path}/{name}.npy" for name in names),
    )
    assert "Result for output key replaced_logits" in output
