# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is not given follows from the files of a run: the vocabulary's size, the records' length."""

import dataclasses
import json
import os

import pytest
import tensorflow as tf
from record_files import TOKENIZER, write_records
from tiny_run import SPECIAL, WORDS

from electra_tf.data.manifest import Manifest
from electra_tf.pretraining import model_folder, run
from electra_tf.text import load_tokenizer, train_sentencepiece_model
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder

SIZE = len(SPECIAL + WORDS)
SHAPE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
EMBEDDINGS = "electra/embeddings/word_embeddings"


def write_vocabulary(folder, tokens=SIZE):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join((SPECIAL + WORDS)[:tokens]) + "\n")


def write_training_records(data_dir, max_seq_length=8, folder="pretrain_tfrecords", **options):
    """Records whose manifest says that they were made with the vocabulary of `data_dir`."""
    path = data_dir / folder
    write_records(path, [4], max_seq_length=max_seq_length, **options)
    if os.path.exists(Manifest.path_in(str(path))):
        manifest = Manifest.load(str(path))
        dataclasses.replace(manifest, tokenizer={**TOKENIZER, "vocab_size": SIZE}).save(str(path))


@pytest.fixture
def data_dir(tmp_path):
    write_vocabulary(tmp_path)
    write_training_records(tmp_path)
    return tmp_path


def resolved(data_dir, **hparams):
    return model_folder.resolve_config("model", str(data_dir), hparams)


def save_weights(folder, rows):
    CheckpointFolder(str(folder)).save(3, {EMBEDDINGS: tf.Variable(tf.zeros([rows, 4]))}, {})


# ---- vocab_size


def test_the_size_of_the_vocabulary_is_taken_and_said(data_dir, caplog):
    caplog.set_level("INFO")
    config = resolved(data_dir)
    assert config.vocab_size == config.encoder.vocab_size == SIZE
    assert f"vocab_size={SIZE}, as in {data_dir}/vocab.txt." in caplog.text
    assert resolved(data_dir, debug=True).vocab_size == SIZE
    assert resolved(data_dir, electra_objective=False).vocab_size == SIZE


def test_a_given_size_stays(data_dir):
    assert resolved(data_dir, vocab_size=30522).vocab_size == 30522
    assert resolved(data_dir, vocab_size=7).vocab_size == 7  # an error once the run begins


def test_other_vocabularies_are_counted_too(data_dir):
    (data_dir / "vocab.txt").unlink()
    special = {name: f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    vocabulary = {token: i for i, token in enumerate([*special.values(), *WORDS[:20]])}
    stored = {
        "model": {"type": "WordPiece", "vocab": vocabulary},
        "normalizer": {"type": "BertNormalizer", "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
    }
    (data_dir / "tokenizer.json").write_text(json.dumps(stored))
    config = resolved(data_dir, vocab_file=str(data_dir / "tokenizer.json"))
    assert config.vocab_size == len(vocabulary) == 25


def test_the_pieces_of_a_sentencepiece_model_are_counted(data_dir):
    texts = [f"one two three {i} four five" for i in range(200)]
    model = train_sentencepiece_model(texts, 60)
    path = data_dir / "pieces.model"
    path.write_bytes(model)
    size = len(load_tokenizer(path).vocabulary)
    assert 5 < size <= 60
    assert resolved(data_dir, vocab_file=str(path)).vocab_size == size


def test_a_model_folder_decides_first(data_dir):
    folder = data_dir / "models" / "model"
    old = resolved(data_dir, vocab_size=30522, model_hparam_overrides=SHAPE)
    model_folder.write_config(old, load_tokenizer(old.vocab_file))
    assert (folder / "config.json").exists()
    assert resolved(data_dir).vocab_size == 30522


def test_weights_to_begin_with_decide_next(data_dir, caplog):
    caplog.set_level("INFO")
    save_weights(data_dir / "released", 128)
    config = resolved(data_dir, init_checkpoint=str(data_dir / "released"))
    assert config.vocab_size == 128
    assert "vocab_size=128, as in" in caplog.text and "model.ckpt-3" in caplog.text
    # Their embeddings are left alone: the vocabulary decides.
    left_alone = resolved(
        data_dir,
        init_checkpoint=str(data_dir / "released"),
        init_checkpoint_ignore="word_embeddings",
    )
    assert left_alone.vocab_size == SIZE
    # A folder that the original left has no config.json.
    save_weights(data_dir / "models" / "model", 120)
    assert resolved(data_dir).vocab_size == 120


@pytest.mark.parametrize("stored", [{"vocab_size": 140}, {"encoder": {"vocab_size": 140}}])
def test_a_config_beside_the_weights_says_their_size(data_dir, stored):
    folder = data_dir / "start"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(stored))
    assert resolved(data_dir, init_checkpoint=str(folder)).vocab_size == 140


def test_weights_that_are_not_there_are_for_the_run_to_name(data_dir):
    assert resolved(data_dir, init_checkpoint=str(data_dir / "nowhere")).vocab_size == SIZE


def test_without_a_vocabulary_the_run_says_what_is_missing(data_dir):
    (data_dir / "vocab.txt").unlink()
    config = resolved(data_dir)
    with pytest.raises(FileNotFoundError, match=r"vocab\.txt"):
        run.load_matching_tokenizer(config)


def test_rows_that_belong_to_no_token_are_said(data_dir, caplog):
    caplog.set_level("INFO")
    run.load_matching_tokenizer(resolved(data_dir))
    assert "belong to no token" not in caplog.text
    for size, level in ((SIZE + 4, "INFO"), (30522, "WARNING")):
        caplog.clear()
        run.load_matching_tokenizer(resolved(data_dir, vocab_size=size))
        (record,) = caplog.records[-1:]
        assert record.levelname == level
        assert f"{size - SIZE} rows of the token embeddings belong to no token" in record.message
    with pytest.raises(ValueError, match=f"vocab_size is expected to be at least {SIZE}"):
        run.load_matching_tokenizer(resolved(data_dir, vocab_size=SIZE - 1))


# ---- max_seq_length


@pytest.mark.parametrize("length", [8, 300])
def test_the_length_of_the_records_is_taken_and_said(data_dir, caplog, length):
    caplog.set_level("INFO")
    write_training_records(data_dir, length)
    assert resolved(data_dir).max_seq_length == length
    assert f"max_seq_length={length}, as in the records of {data_dir}" in caplog.text
    assert resolved(data_dir, max_seq_length=64).max_seq_length == 64


def test_evaluation_takes_that_of_its_records(data_dir):
    write_training_records(data_dir, 64, "held_out")
    held_out = {"eval_tfrecords": str(data_dir / "held_out")}
    evaluation = {"do_train": False, "do_eval": True}
    assert resolved(data_dir, **evaluation, **held_out).max_seq_length == 64
    assert resolved(data_dir, **evaluation).max_seq_length == 8
    # A run that evaluates on its way reads both.
    with pytest.raises(ValueError, match=r"several lengths: (8 in .*, 64 in|64 in .*, 8 in)"):
        resolved(data_dir, eval_every_steps=5, **held_out)
    assert resolved(data_dir, **held_out).max_seq_length == 8


def test_records_without_a_manifest_keep_the_default(data_dir):
    write_training_records(data_dir, 8, "original", with_manifest=False)
    config = resolved(data_dir, pretrain_tfrecords=str(data_dir / "original" / "*"))
    assert config.max_seq_length == 128


def test_stages_with_lengths_of_their_own_keep_them(data_dir):
    write_training_records(data_dir, 64, "long")
    stages = [{"steps": 5}, {"steps": 5, "max_seq_length": 64, "pretrain_tfrecords": "long"}]
    config = resolved(data_dir, stages=stages)
    assert [stage.max_seq_length for stage in config.plan] == [8, 64]
    # Where every stage has one, none is left to take.
    stages = [{"steps": 5, "max_seq_length": 8}]
    assert resolved(data_dir, stages=stages).max_seq_length == 128


def test_a_model_of_few_positions_takes_the_length_of_its_records(data_dir):
    shape = {**SHAPE, "max_position_embeddings": 16}
    assert resolved(data_dir, model_hparam_overrides=shape).max_seq_length == 8
    write_training_records(data_dir, 32)
    with pytest.raises(ValueError, match=r"max_seq_length is expected .* but is 32"):
        resolved(data_dir, model_hparam_overrides=shape)


def test_missing_records_are_named_by_the_run(data_dir):
    config = resolved(data_dir, pretrain_tfrecords=str(data_dir / "nothing_there*"))
    with pytest.raises(ValueError, match="nothing_there"):
        run.train(config)
