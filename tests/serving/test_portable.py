# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Exports in LiteRT and ONNX say what they say in TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf
from served_models import TASKS, finetuned_folder, pretrained_folder

from electra_tf.serving import export_model, portable

SHAPES = ((1, 4), (3, 9), (2, 1))


@pytest.fixture(scope="module", params=["pretrained", "electric", *TASKS])
def ids_export(request, pair_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("portable")
    model = pair_dir
    if request.param == "electric":
        objective = {"electric_objective": True, "electra_objective": False}
        model = pretrained_folder(folder / "data", **objective)
    elif request.param in TASKS:
        spec, changes = TASKS[request.param]
        model = finetuned_folder(folder / "model", spec, **changes)
    export_model(model, str(folder / "export"), names=["ids"])
    return str(folder / "export")


def rows(shape):
    """Ids of several lengths, the second half of each row in another segment."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, shape[1] + 1, shape[0])[:, None]
    places = np.arange(shape[1])[None]
    inputs = {
        "input_ids": generator.integers(0, 100, shape),
        "input_mask": places < lengths,
        "segment_ids": (places >= lengths // 2) & (places < lengths),
    }
    return {name: values.astype(np.int32) for name, values in inputs.items()}


def check(folder, run):
    """`run`, of rows, gives what the signature gives."""
    served = tf.saved_model.load(folder).signatures["ids"]
    for shape in SHAPES:
        inputs = rows(shape)
        outputs = served(**{name: tf.constant(values) for name, values in inputs.items()})
        expected = {name: value for name, value in outputs.items() if value.dtype != tf.string}
        found = run(inputs)
        assert set(found) == set(expected) and expected
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, atol=1e-5, rtol=1e-5, err_msg=name)


@pytest.mark.slow
def test_litert(ids_export, tmp_path):
    path = str(tmp_path / "model.tflite")
    portable.convert_to_litert(ids_export, path)
    runner = tf.lite.Interpreter(path).get_signature_runner("ids")
    check(ids_export, lambda inputs: runner(**inputs))


@pytest.mark.slow
def test_onnx(ids_export, tmp_path):
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed: pip install .[onnx]")
    runtime = pytest.importorskip(
        "onnxruntime", reason="onnxruntime is not installed: pip install .[onnx]"
    )
    path = str(tmp_path / "model.onnx")
    portable.convert_to_onnx(ids_export, path)
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    check(ids_export, lambda inputs: dict(zip(names, session.run(None, inputs), strict=True)))


@pytest.mark.parametrize("convert", [portable.convert_to_litert, portable.convert_to_onnx])
def test_exports_that_cannot_be_converted(convert, pair_export, tmp_path):
    with pytest.raises(ValueError, match="--signatures ids"):
        convert(pair_export, str(tmp_path / "model"))
    with pytest.raises(FileNotFoundError, match="no export"):
        convert(str(tmp_path), str(tmp_path / "model"))
    assert not (tmp_path / "model").exists()
