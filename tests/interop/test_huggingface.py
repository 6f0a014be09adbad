# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Hugging Face folders: outputs as recorded from transformers, names accounted for, both ways."""

import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from electra_tf.interop import load_huggingface, save_huggingface
from electra_tf.training.checkpoints.weights import weights_by_name

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens" / "huggingface"
CLASSES = sorted(path.name for path in GOLDENS.iterdir())


def batch_of(name):
    recorded = np.load(GOLDENS / name / "io.npz")
    inputs = ("input_ids", "input_mask", "segment_ids")
    batch = {key: tf.constant(recorded[key], tf.int32) for key in inputs}
    return batch, {key: recorded[key] for key in recorded if key not in inputs}


def changed(tmp_path, name, change):
    """A copy of a recorded folder with its tensors changed in place by a function."""
    folder = shutil.copytree(GOLDENS / name, tmp_path / "changed")
    path = folder / "model.safetensors"
    tensors = safetensors.numpy.load_file(path)
    change(tensors)
    path.unlink()
    safetensors.numpy.save_file(tensors, path)
    return str(folder)


def with_config(tmp_path, name, **changes):
    folder = shutil.copytree(GOLDENS / name, tmp_path / "reconfigured")
    stored = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**stored, **changes}))
    return str(folder)


def test_every_class_is_recorded():
    assert len(CLASSES) == 5


@pytest.mark.parametrize("name", CLASSES)
def test_outputs_are_those_of_transformers(name):
    batch, recorded = batch_of(name)
    found = load_huggingface(str(GOLDENS / name))(batch)
    assert set(found) == set(recorded)
    for key, expected in recorded.items():
        np.testing.assert_allclose(found[key], expected, rtol=1e-5, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", CLASSES)
def test_it_is_a_model_of_keras(name, tmp_path):
    """`training=` drops out, and a .keras file brings it back."""
    batch, _ = batch_of(name)
    model = load_huggingface(str(GOLDENS / name))
    first, second = (model(batch, training=True)["last_hidden_state"] for _ in range(2))
    assert np.any(first != second)
    model.encoder.stack.blocks[0].trainable = False
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for output, value in model(batch).items():
        np.testing.assert_array_equal(loaded(batch)[output], value, err_msg=output)
    assert (
        len(loaded.trainable_variables) == len(model.trainable_variables) == len(model.weights) - 16
    )


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_read_is_written_as_it_was(name, tmp_path):
    model = load_huggingface(str(GOLDENS / name))
    save_huggingface(model, str(tmp_path / "written"))
    written = safetensors.numpy.load_file(tmp_path / "written" / "model.safetensors")
    original = safetensors.numpy.load_file(GOLDENS / name / "model.safetensors")
    assert set(written) == set(original)
    for key, tensor in original.items():
        np.testing.assert_array_equal(written[key], tensor, err_msg=key)
    stored = json.loads((tmp_path / "written" / "config.json").read_text())
    before = json.loads((GOLDENS / name / "config.json").read_text())
    for key in set(stored) & set(before):
        assert stored[key] == before[key], key
    again = load_huggingface(str(tmp_path / "written"))
    for path, weight in weights_by_name(model).items():
        np.testing.assert_array_equal(weights_by_name(again)[path], weight, err_msg=path)


def test_the_bare_encoder(tmp_path):
    def strip(tensors):
        for name in list(tensors):
            tensor = tensors.pop(name)
            if name.startswith("electra."):
                tensors[name.removeprefix("electra.")] = tensor

    folder = pathlib.Path(changed(tmp_path, "discriminator", strip))
    stored = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**stored, "architectures": ["ElectraModel"]}))
    batch, recorded = batch_of("discriminator")
    model = load_huggingface(str(folder))
    outputs = model(batch)
    assert list(outputs) == ["last_hidden_state"]
    expected = recorded["last_hidden_state"]
    np.testing.assert_allclose(outputs["last_hidden_state"], expected, rtol=1e-5, atol=1e-5)
    save_huggingface(model, str(tmp_path / "written"))
    names = safetensors.numpy.load_file(tmp_path / "written" / "model.safetensors")
    assert "embeddings.word_embeddings.weight" in names


def test_all_differences_are_listed_in_order(tmp_path):
    def break_names(tensors):
        tensors["electra.zzz"] = tensors.pop("electra.embeddings.LayerNorm.bias")
        tensors["discriminator_predictions.extra"] = np.zeros(2, np.float32)
        tensors["electra.embeddings_project.weight"] = np.zeros((3, 2), np.float32)

    folder = changed(tmp_path, "discriminator", break_names)
    with pytest.raises(ValueError, match=r"does not fit its config\.json") as error:
        load_huggingface(folder)
    assert str(error.value).splitlines()[1:] == [
        "  missing in the file: electra.embeddings.LayerNorm.bias",
        "  unexpected in the file: discriminator_predictions.extra",
        "  unexpected in the file: electra.zzz",
        "  of another shape: electra.embeddings_project.weight: [3, 2] in the file, [32, 16] here",
    ]


def test_older_files_hold_constants_and_the_tied_layer(tmp_path):
    def add(tensors):
        tensors["electra.embeddings.position_ids"] = np.arange(40)[None]
        tensors["generator_lm_head.weight"] = tensors["electra.embeddings.word_embeddings.weight"]

    found = load_huggingface(changed(tmp_path, "generator", add)).get_weights()
    expected = load_huggingface(str(GOLDENS / "generator")).get_weights()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_output_layer_of_its_own_is_refused(tmp_path):
    def untie(tensors):
        tensors["generator_lm_head.weight"] = np.zeros((300, 16), np.float32)

    with pytest.raises(ValueError, match=r"generator_lm_head\.weight is expected to equal"):
        load_huggingface(changed(tmp_path, "generator", untie))


def test_half_precision_is_widened(tmp_path):
    def halve(tensors):
        tensors.update({name: tensor.astype(np.float16) for name, tensor in tensors.items()})

    folder = changed(tmp_path, "discriminator", halve)
    original = safetensors.numpy.load_file(GOLDENS / "discriminator" / "model.safetensors")
    weights = weights_by_name(load_huggingface(folder))
    expected = original["electra.embeddings.LayerNorm.weight"].astype(np.float16)
    np.testing.assert_array_equal(weights["electra/embeddings/LayerNorm/gamma"], expected)


def test_several_files_with_an_index(tmp_path):
    folder = shutil.copytree(GOLDENS / "discriminator", tmp_path / "sharded")
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    names = sorted(tensors)
    parts = {"a.safetensors": names[:10], "b.safetensors": names[10:]}
    for file, part in parts.items():
        safetensors.numpy.save_file({name: tensors[name] for name in part}, folder / file)
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {name: file for file, part in parts.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    batch, recorded = batch_of("discriminator")
    found = load_huggingface(str(folder))(batch)["logits"]
    np.testing.assert_allclose(found, recorded["logits"], rtol=1e-5, atol=1e-5)
    (folder / "b.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"b\.safetensors is named by .* but is missing"):
        load_huggingface(str(folder))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architectures": ["ElectraForMultipleChoice"]}, "ElectraForMultipleChoice, which has no"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps is expected to be 1e-12, but is 1e-05"),
        ({"hidden_act": "silu"}, r"config\.json: hidden_act is expected to be one of"),
        ({"num_hidden_layers": 3}, r"missing in the file: electra\.encoder\.layer\.2"),
    ],
)
def test_what_cannot_be_represented_is_refused(changes, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load_huggingface(with_config(tmp_path, "discriminator", **changes))


def test_a_used_folder_is_not_written_to(tmp_path):
    model = load_huggingface(str(GOLDENS / "discriminator"))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ValueError, match="is expected to be a new folder, but holds files"):
        save_huggingface(model, str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_names_of_the_hub_are_not_downloaded():
    with pytest.raises(FileNotFoundError, match="Nothing is downloaded") as error:
        load_huggingface("google/electra-base-generator")
    assert "hf download google/electra-base-generator --local-dir FOLDER" in str(error.value)
