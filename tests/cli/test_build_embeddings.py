# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Embeddings by co-occurrence: the command, and pre-training that begins with them."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf
from commands import run_verb
from tiny_run import WORDS, hparams_with, make_data_dir

from electra_tf.config import PretrainingConfig
from electra_tf.data import cooccurrence
from electra_tf.pretraining import run
from electra_tf.pretraining.initial_embeddings import hparams_to_begin_with
from electra_tf.training.checkpoints.weights import TOKEN_TABLE


@pytest.fixture
def folder(tmp_path):
    """A data folder with a corpus beside its records."""
    make_data_dir(tmp_path)
    generator = np.random.default_rng(0)
    documents = [
        " ".join(WORDS[(first + i) % len(WORDS)] for i in range(12))
        for first in generator.integers(0, len(WORDS), 80)
    ]
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "a.txt").write_text("\n\n".join(documents) + "\n")
    return tmp_path


def build(folder, *flags):
    line = ["--corpus-dir", folder / "corpus", "--vocab-file", folder / "vocab.txt"]
    line += ["--output-dir", folder / "embeddings", "--embedding-size", 8, *flags]
    run_verb("embeddings", *line)


def train(folder, **hparams):
    config = PretrainingConfig.from_hparams("m", str(folder), hparams_with(**hparams))
    run.train(config)
    return tf.train.load_checkpoint(config.model_dir)


def test_unknown_tokens_are_told(folder, capsys, caplog):
    (folder / "corpus" / "a.txt").write_text("w1 한국어 w2 한국어\n\nw3 w4 한국어 w5\n")
    build(folder, "--embedding-size", 1)
    told = "3 of 8 tokens are unknown (37.5%)."
    assert told in capsys.readouterr().out and told in caplog.text


def test_pretraining_begins_with_them(folder, capsys):
    build(folder, "--norm", 1.5)
    table = tf.train.load_checkpoint(str(folder / "embeddings")).get_tensor(TOKEN_TABLE)
    assert table.shape == (100, 8)
    out = capsys.readouterr().out
    assert "95 of 100 tokens occur in the text" in out
    assert "\n0 of 960 tokens are unknown (0.0%).\n" in out
    hparams = json.loads(re.search(r"--hparams '(.*)'", out)[1])
    still = {"num_train_steps": 1, "learning_rate": 1e-12}
    begun = train(folder, **hparams, **still)
    np.testing.assert_allclose(begun.get_tensor(TOKEN_TABLE), table, atol=1e-6)
    # All else begins as it does without them.
    begun = {name: begun.get_tensor(name) for name in begun.get_variable_to_shape_map()}
    (folder / "models").rename(folder / "first")
    random = train(folder, **still)
    assert np.abs(random.get_tensor(TOKEN_TABLE) - table).max() > 0.1
    others = [n for n in begun if n != TOKEN_TABLE and not re.search("adam_|electra_tf/", n)]
    assert len(others) > 20
    for name in others:
        np.testing.assert_allclose(begun[name], random.get_tensor(name), atol=1e-6, err_msg=name)


def test_embeddings_of_another_size_do_not_fit(folder, capsys):
    build(folder, "--vocab-size", 104)
    hparams = json.loads(re.search(r"--hparams '(.*)'", capsys.readouterr().out)[1])
    with pytest.raises(ValueError, match=rf"{TOKEN_TABLE}.*104"):
        train(folder, **hparams)


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--vocab-size", 99], "--vocab-size is expected to be at least 100"),
        (["--embedding-size", 0], "--embedding-size must be above 0, received 0"),
        (["--block-tokens", -1], "--block-tokens must be above 0, received -1"),
        (["--norm", 0], "--norm must be above 0"),
        (["--sample-share", 2], "--sample-share must be above 0 and at most 1"),
        (["--embedding-size", 80], "80 blocks"),
    ],
)
def test_wrong_flags(folder, flags, message):
    with pytest.raises(ValueError, match=message):
        build(folder, *flags)
    assert not list(folder.glob("embeddings*"))


def test_a_folder_with_files_is_not_written_to(folder, monkeypatch):
    (folder / "embeddings").mkdir()
    (folder / "embeddings" / "checkpoint").write_text("precious")
    monkeypatch.setattr(cooccurrence, "count_tokens", None)  # not even begun
    with pytest.raises(ValueError, match="embeddings is expected to be a new folder"):
        build(folder)
    assert (folder / "embeddings" / "checkpoint").read_text() == "precious"


def test_case_is_the_runs_and_another_vocabulary_is_told(folder, capsys, caplog):
    text = (folder / "corpus" / "a.txt").read_text()
    (folder / "corpus" / "a.txt").write_text(text.replace("w1 ", "W1 "))
    build(folder, "--no-lower-case")
    assert "95 of 100" in capsys.readouterr().out  # w1 is unknown now, and [UNK] occurs
    hparams = hparams_to_begin_with(str(folder / "embeddings"))
    words = (folder / "vocab.txt").read_text().splitlines()
    (folder / "vocab.txt").write_text("\n".join([*words[:-1], "other"]) + "\n")
    train(folder, **hparams, num_train_steps=1)
    assert "those of other tokens" in caplog.text
