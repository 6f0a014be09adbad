# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Exports in processes that know nothing of this project."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from served_models import ANSWER_SETTINGS, CLASSES, NAMES, QUESTIONS, finetuned_folder

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


FINETUNED = """
import pickle
import sys
import tensorflow as tf
import tensorflow_text
loaded = tf.saved_model.load(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    inputs = pickle.load(file)
outputs = loaded.signatures["text"](**{k: tf.constant(v) for k, v in inputs.items()})
assert not any(name.split(".")[0] in ("electra_tf", "keras_hub") for name in sys.modules)
with open(sys.argv[2], "wb") as file:
    pickle.dump({k: v.numpy() for k, v in outputs.items()}, file)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "changes", "inputs"),
    [
        (CLASSES, {}, {"text": ["Good \u00a0 soup", ""], "text_pair": ["Bad", "x"]}),
        (NAMES, {}, {"text": ["Zoë visits 東京", "a"]}),
        (
            QUESTIONS,
            ANSWER_SETTINGS,
            {"question": ["who", ""], "context": ["Zoë visits 東京 " * 30, "b"]},
        ),
    ],
    ids=["classification", "tagging", "qa"],
)
def test_fine_tuned_exports_need_tensorflow_text_alone(tmp_path, spec, changes, inputs):
    folder = str(tmp_path / "export")
    export_model(finetuned_folder(tmp_path / "model", spec, **changes), folder)
    exchange = tmp_path / "exchange"
    exchange.write_bytes(pickle.dumps(inputs))
    run(sys.executable, "-c", FINETUNED, folder, str(exchange))
    found = pickle.loads(exchange.read_bytes())
    text = tf.saved_model.load(folder).signatures["text"]
    expected = text(**{name: tf.constant(values) for name, values in inputs.items()})
    assert set(found) == set(expected)
    for name, values in expected.items():
        assert found[name].tolist() == values.numpy().tolist(), name


@pytest.mark.slow
def test_saved_model_cli_names_the_labels(tmp_path):
    model = finetuned_folder(tmp_path / "model", CLASSES)
    export_model(model, str(tmp_path / "export"), names=["ids"])
    output = run_ids(tmp_path / "export", tmp_path)
    assert "Result for output key label:" in output
    assert all(label in output for label in ("b'bad'", "b'good'", "b'ugly'"))


@pytest.mark.slow
def test_saved_model_cli_runs_it(ids_export, tmp_path):
    assert "Result for output key replaced_logits" in run_ids(ids_export, tmp_path)


def run_ids(export, tmp_path):
    """What saved_model_cli says of two rows of five tokens."""
    names = ("input_ids", "input_mask", "segment_ids")
    for name in names:
        np.save(tmp_path / f"{name}.npy", np.ones([2, 5], np.int32))
    return run(
        os.path.join(os.path.dirname(sys.executable), "saved_model_cli"),
        "run",
        "--dir",
        str(export),
        "--tag_set",
        "serve",
        "--signature_def",
        "ids",
        "--inputs",
        ";".join(f"{name}={tmp_path}/{name}.npy" for name in names),
    )
