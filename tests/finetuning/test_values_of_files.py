# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is not given follows from files: the vocabulary's size, a length that the model has."""

import dataclasses

import pytest
from tiny_run import SPECIAL, WORDS

from electra_tf.config import EncoderConfig
from electra_tf.finetuning import model_folder, run
from electra_tf.finetuning.starting_weights import config_for
from electra_tf.interop import StoredModel
from electra_tf.runs import resolve_finetuning

SIZE = len(SPECIAL + WORDS)


@pytest.fixture
def data_dir(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n")
    return tmp_path


def start_of(**shape):
    return StoredModel("the model", dataclasses.replace(EncoderConfig(), **shape), {})


@pytest.mark.parametrize("hparams", [{"init_checkpoint": None}, {"debug": True}])
def test_without_weights_the_vocabulary_decides_its_size(data_dir, caplog, hparams):
    caplog.set_level("INFO")
    config, start = resolve_finetuning("m", str(data_dir), hparams)
    assert start is None
    assert config.vocab_size == config.encoder.vocab_size == SIZE
    assert f"vocab_size={SIZE}, as in {data_dir}/vocab.txt." in caplog.text
    given, _ = resolve_finetuning("m", str(data_dir), {**hparams, "vocab_size": 200})
    assert given.vocab_size == 200


def test_a_run_that_is_resumed_keeps_its_size(data_dir):
    hparams = {"init_checkpoint": None, "task_names": ["cola"]}
    config, _ = resolve_finetuning("m", str(data_dir), hparams)
    folder = data_dir / "models" / "m" / "finetuning_models" / "cola_model_1"
    assert str(folder) == f"{config.model_dir}_1"
    old = config.replace(vocab_size=30522)
    model_folder.write_config(str(folder), old, run.load_matching_tokenizer(old), [], "key")
    assert resolve_finetuning("m", str(data_dir), hparams)[0].vocab_size == 30522


def test_weights_decide_the_size(data_dir, caplog):
    caplog.set_level("INFO")
    config = config_for("m", str(data_dir), {}, start_of(vocab_size=SIZE + 3))
    assert config.vocab_size == SIZE + 3
    run.load_matching_tokenizer(config)
    assert "3 rows of the token embeddings belong to no token" in caplog.text
    config = config_for("m", str(data_dir), {}, start_of(vocab_size=SIZE - 1))
    with pytest.raises(ValueError, match=f"vocab_size is expected to be at least {SIZE}"):
        run.load_matching_tokenizer(config)


@pytest.mark.parametrize(
    ("task", "positions", "length"),
    [("cola", 64, 64), ("cola", 512, 128), ("squad", 128, 128), ("squad", 512, 512)],
)
def test_texts_are_no_longer_than_the_model_has_positions(
    data_dir, caplog, task, positions, length
):
    caplog.set_level("INFO")
    start = start_of(max_position_embeddings=positions)
    config = config_for("m", str(data_dir), {"task_names": [task]}, start)
    assert config.max_seq_length == length
    said = f"max_seq_length={positions} instead of"
    assert (said in caplog.text) == (positions == length < 512)
    with pytest.raises(ValueError, match=rf"max_seq_length .*={positions}, but is 513"):
        config_for("m", str(data_dir), {"task_names": [task], "max_seq_length": 513}, start)


def test_random_weights_of_few_positions(data_dir):
    shape = {"max_position_embeddings": 32}
    hparams = {"init_checkpoint": None, "model_hparam_overrides": shape}
    assert resolve_finetuning("m", str(data_dir), hparams)[0].max_seq_length == 32


@pytest.mark.parametrize(
    ("hparams", "named"),
    [
        ({"model_hparam_overrides": [1]}, "model_hparam_overrides is expected"),
        ({"model_hparam_overrides": None}, "model_hparam_overrides is expected"),
        ({"model_hparam_overrides": {"bogus": 1}}, "'bogus'"),
        ({"model_hparam_overrides": {"max_position_embeddings": "x"}}, "max_position_embeddings"),
        ({"model_hparam_overrides": {"hidden_dropout_prob": []}}, "hidden_dropout_prob"),
        ({"vocab_size": [3]}, "vocab_size"),
        ({"embedding_size": {}}, "embedding_size"),
        ({"max_seq_length": None}, "max_seq_length"),
        ({"model_size": []}, "model_size"),
        ({"debug": []}, "debug is expected"),
    ],
)
@pytest.mark.parametrize("start", [None, start_of()])
def test_wrong_values_are_named_whatever_the_weights(data_dir, hparams, named, start):
    with pytest.raises(ValueError, match=named):
        config_for("m", str(data_dir), hparams, start)
