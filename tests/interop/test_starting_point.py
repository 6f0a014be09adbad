# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Weights to fine-tune from: found wherever they come from, refused where they do not fit."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from electra_tf.config import EncoderConfig
from electra_tf.config.task_table import TASKS
from electra_tf.finetuning import FinetuningModel
from electra_tf.finetuning.starting_weights import assign_weights, config_for
from electra_tf.interop import StoredModel, find_starting_point
from electra_tf.interop.huggingface.tokenizer_files import write_tokenizer
from electra_tf.model import Encoder, Initializers
from electra_tf.model.heads import ReplacedTokenHead
from electra_tf.text import SPECIAL_TOKENS, load_tokenizer

GOLDENS = pathlib.Path(__file__).parent.parent / "goldens"
HUGGING_FACE = GOLDENS / "huggingface" / "discriminator"
REFERENCE = GOLDENS / "finetune" / "cola" / "ckpt"


def encoder_of(start):
    encoder = Encoder(start.encoder, Initializers(0.02, seed=0))
    variables = {variable.path: variable for variable in encoder.trainable_variables}
    assert set(variables) == set(start.weights)
    for name, variable in variables.items():
        variable.assign(start.weights[name])
    return encoder


@pytest.mark.parametrize("name", ["discriminator", "sequence_classification"])
def test_hugging_face_outputs(name):
    folder = GOLDENS / "huggingface" / name
    recorded = np.load(folder / "io.npz")
    names = ("input_ids", "input_mask", "segment_ids")
    inputs = {key: tf.constant(recorded[key], tf.int32) for key in names}
    found = encoder_of(find_starting_point(str(folder)))(inputs).last_hidden_state
    np.testing.assert_allclose(found, recorded["last_hidden_state"], rtol=1e-5, atol=1e-5)


def test_the_head_of_a_discriminator_comes_with_it():
    recorded = np.load(HUGGING_FACE / "io.npz")
    start = find_starting_point(str(HUGGING_FACE))
    head = ReplacedTokenHead(start.encoder)
    for variable in head.trainable_variables:
        variable.assign(start.discriminator_head[variable.path])
    found = head(tf.constant(recorded["last_hidden_state"]))
    np.testing.assert_allclose(found, recorded["logits"], rtol=1e-4, atol=1e-5)
    other = find_starting_point(str(GOLDENS / "huggingface" / "sequence_classification"))
    assert not other.discriminator_head


def test_hugging_face_shape_and_tokenizer(tmp_path):
    folder = shutil.copytree(HUGGING_FACE, tmp_path / "model")
    (folder / "vocab.txt").write_text("\n".join(SPECIAL_TOKENS) + "\n")
    start = find_starting_point(str(folder))
    assert (start.encoder.hidden_size, start.encoder.embedding_size) == (32, 16)
    assert start.tokenizer_settings == {} and start.vocab_file == str(folder / "vocab.txt")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false, "strip_accents": null}')
    tokenizer = find_starting_point(str(folder)).tokenizer_settings
    assert tokenizer == {"do_lower_case": False, "strip_accents": False}


def test_a_vocabulary_inside_tokenizer_json(tmp_path):
    """As recent versions of transformers write it, without vocab.txt."""
    folder = shutil.copytree(HUGGING_FACE, tmp_path / "model")
    vocab_file = GOLDENS / "finetune" / "cola" / "vocab.txt"
    cased = load_tokenizer(str(vocab_file), do_lower_case=False, strip_accents=False)
    write_tokenizer(str(folder), cased, max_length=40)
    (folder / "vocab.txt").unlink()
    (folder / "tokenizer_config.json").unlink()
    start = find_starting_point(str(folder))
    assert start.tokenizer_settings == {"do_lower_case": False, "strip_accents": False}
    found = load_tokenizer(start.vocab_file, **start.tokenizer_settings)
    assert found.vocabulary.tokens == cased.vocabulary.tokens
    config = config_for("m", "d", {"max_seq_length": 40}, start)
    assert config.do_lower_case is False and config.vocab_file == start.vocab_file

    stored = json.loads((folder / "tokenizer.json").read_text())
    for change, message in (
        ({"model": {"type": "BPE"}}, "model is expected to have type 'WordPiece'"),
        ({"added_tokens": [{"content": "new", "id": 3}]}, "token .new. is expected to have the id"),
        ({"model": {**stored["model"], "vocab": {"a": 0, "b": 4}}}, "expected to count from 0"),
    ):
        (folder / "tokenizer.json").write_text(json.dumps({**stored, **change}))
        with pytest.raises(ValueError, match=message):
            find_starting_point(str(folder))


def test_hugging_face_base_model_without_prefix(tmp_path):
    folder = shutil.copytree(HUGGING_FACE, tmp_path / "model")
    path = folder / "model.safetensors"
    tensors = safetensors.numpy.load_file(path)
    bare = {
        name.removeprefix("electra."): tensor
        for name, tensor in tensors.items()
        if name.startswith("electra.")
    }
    path.unlink()
    safetensors.numpy.save_file(bare, path)
    expected = find_starting_point(str(HUGGING_FACE))
    assert find_starting_point(str(folder)).fingerprint == expected.fingerprint


def test_pickled_weights_are_refused(tmp_path):
    folder = shutil.copytree(HUGGING_FACE, tmp_path / "model")
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        find_starting_point(str(folder))
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ValueError, match="is a pickle, which can run any code"):
        find_starting_point(str(folder))


def test_hugging_face_settings_that_cannot_be_represented(tmp_path):
    folder = shutil.copytree(HUGGING_FACE, tmp_path / "model")
    stored = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**stored, "layer_norm_eps": 1e-6}))
    with pytest.raises(ValueError, match="layer_norm_eps is expected to be 1e-12, but is 1e-06"):
        find_starting_point(str(folder))
    (folder / "config.json").write_text(json.dumps({**stored, "hidden_act": "silu"}))
    with pytest.raises(ValueError, match="hidden_act"):
        find_starting_point(str(folder))
    (folder / "config.json").write_text(json.dumps(stored))
    (folder / "model.safetensors").write_bytes(b"1234567890")
    with pytest.raises(ValueError, match="expected to be a safetensors file"):
        find_starting_point(str(folder))


def test_reference_checkpoint_tells_its_shape():
    for path in (REFERENCE, REFERENCE / "model.ckpt-1"):
        start = find_starting_point(str(path))
        found = dataclasses.asdict(start.encoder)
        assert found == {
            **dataclasses.asdict(EncoderConfig()),
            "vocab_size": 300,
            "embedding_size": 16,
            "hidden_size": 32,
            "num_hidden_layers": 3,
            "num_attention_heads": 1,  # 32 / 64, unless hyperparameters say otherwise
            "intermediate_size": 64,
            "max_position_embeddings": 40,
        }
        assert not [name for name in start.weights if "adam" in name or "task_specific" in name]
    overrides = {"num_attention_heads": 4, "hidden_dropout_prob": 0.0}
    config = config_for(
        "m", "d", {"model_hparam_overrides": overrides, "max_seq_length": 40}, start
    )
    assert config.encoder.num_attention_heads == 4
    assert config.encoder.hidden_dropout_prob == 0.0
    assert config.encoder.vocab_size == 300
    model = FinetuningModel(config, [TASKS["cola"].spec])
    assign_weights(model, start)
    for variable in model.encoder.trainable_variables:
        np.testing.assert_array_equal(variable.numpy(), start.weights[variable.path])


def test_pretraining_folder(pretrained_dir):
    folder = pretrained_dir / "models" / "tiny"
    start = find_starting_point(str(folder))
    assert start.encoder.hidden_size == 16 and start.encoder.num_attention_heads == 2
    assert start.tokenizer_settings == {"do_lower_case": True, "strip_accents": True}
    assert start.vocab_file == str(folder / "vocab.txt")
    assert all(name.startswith("electra/") for name in start.weights)
    encoder_of(start)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="is expected to be a checkpoint"):
        find_starting_point(str(tmp_path))


def start_of(**changes):
    shape = {"hidden_size": 256, "num_hidden_layers": 12, "embedding_size": 128}
    encoder = EncoderConfig(**{**shape, "num_attention_heads": 4, **changes})
    return StoredModel("the checkpoint X", encoder, {}, tokenizer_settings={"do_lower_case": False})


@pytest.mark.parametrize(
    ("hparams", "message"),
    [
        ({"model_size": "base"}, "model_size='base' asked for, which has hidden_size=768, but "),
        ({"vocab_size": 5}, "vocab_size=5 asked for, 30522 loaded"),
        ({"embedding_size": 64}, "embedding_size=64 asked for, 128 loaded"),
        ({"do_lower_case": True}, "do_lower_case=True asked for, False used by the loaded model"),
        (
            {"model_hparam_overrides": {"num_hidden_layers": 3}},
            "num_hidden_layers=3 asked for, 12 loaded",
        ),
        ({"debug": True}, "init_checkpoint is expected to be null in debug mode"),
    ],
)
def test_another_encoder_than_the_loaded_one_is_an_error(hparams, message):
    with pytest.raises(ValueError, match=message) as error:
        config_for("m", "d", hparams, start_of())
    assert "the checkpoint X" in str(error.value)


def test_what_is_not_asked_for_is_as_loaded():
    config = config_for("m", "d", {"model_size": "small"}, start_of())
    assert config.encoder == start_of().encoder and config.do_lower_case is False
    large = {"hidden_size": 1024, "num_hidden_layers": 24, "embedding_size": 1024}
    config = config_for("m", "d", {}, start_of(**large, num_attention_heads=16))
    assert (config.model_size, config.learning_rate) == ("large", 5e-5)


def test_weights_that_do_not_fit_are_listed():
    start = find_starting_point(str(REFERENCE))
    weights = dict(start.weights)
    weights["electra/other"] = weights.pop("electra/embeddings/LayerNorm/beta")
    name = "electra/encoder/layer_0/output/dense/bias"
    weights[name] = np.zeros(3)
    config = config_for("m", "d", {"max_seq_length": 40}, start)
    model = FinetuningModel(config, [TASKS["cola"].spec])
    with pytest.raises(ValueError, match="does not fit the encoder") as error:
        assign_weights(model, dataclasses.replace(start, weights=weights))
    assert str(error.value).splitlines()[1:] == [
        "  missing in what was loaded: electra/embeddings/LayerNorm/beta",
        "  unexpected in what was loaded: electra/other",
        f"  of another shape: {name}: [3] in what was loaded, [32] here",
    ]
