# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Sizes that a folder's config.json has and its checkpoint has not, before anything is made."""

import json
import shutil

import pytest
from test_conversion import hparams_of, released
from tiny_finetuning import MODEL
from tiny_run import tiny_config

import electra_tf
from electra_tf.finetuning.model_folder import load_finetuned
from electra_tf.interop import find_starting_point
from electra_tf.interop.conversion import convert
from electra_tf.interop.opening import open_model
from electra_tf.pretraining import run
from electra_tf.serving import export_model

LARGE = {"vocab_size": 10**7, "embedding_size": 60_000}


def with_config(folder, change):
    path = folder / "config.json"
    stored = json.loads(path.read_text())
    change(stored)
    path.write_text(json.dumps(stored))
    return folder


def large(*parts):
    """A change of config.json: sizes that would need terabytes."""

    def change(stored):
        for part in parts:
            stored[part] |= LARGE

    return change


@pytest.fixture
def pretrained(pretrained_dir, tmp_path):
    return shutil.copytree(pretrained_dir / "models" / MODEL, tmp_path / "models" / MODEL)


@pytest.mark.parametrize(
    "use",
    [open_model, electra_tf.load, find_starting_point],
)
def test_of_a_pre_trained_model(use, pretrained):
    folder = str(with_config(pretrained, large("pretraining", "encoder")))
    message = "vocab_size is 100 in the checkpoint, 10000000 here; embedding_size is 8 in the"
    with pytest.raises(ValueError, match=message):
        use(folder)


def test_of_a_pre_trained_model_that_is_exported(pretrained, tmp_path):
    folder = str(with_config(pretrained, large("pretraining", "encoder")))
    with pytest.raises(ValueError, match="vocab_size is 100 in the checkpoint, 10000000 here"):
        export_model(folder, str(tmp_path / "export"))
    assert not (tmp_path / "export").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generator_layers": 900.0}, "generator_layers is 1 in the checkpoint, 900 here"),
        ({"generator_hidden_size": 4000.0}, "generator_hidden_size is 0.5 in the checkpoint"),
    ],
)
def test_of_a_generator(settings, message, pretrained):
    folder = with_config(pretrained, lambda stored: stored["pretraining"].update(settings))
    with pytest.raises(ValueError, match=message):
        open_model(str(folder))


def test_of_a_run_that_is_continued(pretrained, pretrained_dir):
    with_config(pretrained, large("pretraining", "encoder"))
    config = tiny_config(pretrained_dir, MODEL, {"num_hidden_layers": 1}, **LARGE)
    config = config.replace(model_dir=str(pretrained))
    with pytest.raises(ValueError, match="vocab_size is 100 in the checkpoint, 10000000 here"):
        run.load_pretrainer(config)


def test_of_a_fine_tuned_model(tmp_path):
    case = "finetune/cola"
    transfer = open_model(released(tmp_path, case), hparams_of(case), ["bad", "good"])
    folder = tmp_path / "own"
    convert(transfer, "electra_tf", str(folder))
    with_config(folder, large("finetuning", "encoder"))
    for use in (load_finetuned, open_model, electra_tf.load, find_starting_point):
        with pytest.raises(ValueError, match="vocab_size is 300 in the checkpoint, 10000000 here"):
            use(str(folder))


def test_of_hyperparameters_for_a_checkpoint_of_the_original(tmp_path):
    case = "pretrain/mlm"
    with pytest.raises(ValueError, match="vocab_size is 400 in the checkpoint, 10000000 here"):
        open_model(released(tmp_path, case), {**hparams_of(case), "vocab_size": 10**7})
