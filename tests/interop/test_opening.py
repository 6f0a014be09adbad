# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What is at a path is decided once: by files, not by names."""

import dataclasses
import json
import pathlib
import shutil

import numpy as np
import pytest

import electra_tf
from electra_tf.interop import convert, find_starting_point, open_model
from electra_tf.interop.opening import (
    EXPORTED,
    FINETUNED,
    HUGGING_FACE,
    PRETRAINED,
    REFERENCE,
    find_model,
)
from electra_tf.training.checkpoints.checkpoint import CheckpointFolder

GOLDENS = pathlib.Path(__file__).parents[1] / "goldens"
BETA = "electra/embeddings/LayerNorm/beta"


def opened(case, **options):
    """A recorded checkpoint of the original."""
    meta = json.loads((GOLDENS / case / "meta.json").read_text())
    hparams = {
        "model_hparam_overrides": meta["model_hparam_overrides"],
        "vocab_file": str(GOLDENS / case / "vocab.txt"),
    }
    return open_model(str(GOLDENS / case / "ckpt"), hparams, **options)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """One of each kind; those of ours have another checkpoint in `best/`."""
    root = tmp_path_factory.mktemp("opening")
    pair, task = opened("pretrain/electra_untied"), opened("finetune/cola", labels=["bad", "good"])
    for name, model in (("pair", pair), ("task", task)):
        convert(dataclasses.replace(model, step=2), "electra_tf", str(root / name))
        weights = {**model.weights, BETA: np.full_like(model.weights[BETA], 7.0)}
        CheckpointFolder(str(root / name / "best")).save(1, weights, {})
    convert(pair, "huggingface", str(root / "hf"))
    convert(pair, "reference", str(root / "original"))
    (root / "exported").mkdir()
    (root / "exported" / "saved_model.pb").write_bytes(b"")
    return root


@pytest.mark.parametrize(
    ("path", "kind", "folder", "step"),
    [
        ("pair", PRETRAINED, "pair", 2),
        ("pair/", PRETRAINED, "pair", 2),
        ("pair/model.ckpt-2", PRETRAINED, "pair", 2),
        ("pair/best", PRETRAINED, "pair", 1),
        ("pair/best/model.ckpt-1", PRETRAINED, "pair", 1),
        ("task", FINETUNED, "task", 1),
        ("task/best/", FINETUNED, "task", 1),
        ("task/model.ckpt-2", FINETUNED, "task", 2),
        ("original", REFERENCE, "original", 2),
        ("hf", HUGGING_FACE, "hf", None),
        ("hf/generator", HUGGING_FACE, "hf/generator", None),
        ("exported", EXPORTED, "exported", None),
    ],
)
def test_what_is_at_a_path(folders, path, kind, folder, step):
    found = find_model(f"{folders}/{path}")
    assert (found.kind, found.folder) == (kind, f"{folders}/{folder}")
    assert (found.prefix and int(found.prefix.rsplit("-")[-1])) == step


@pytest.mark.parametrize("name", ["pair", "task"])
def test_the_best_of_a_run_opens_everywhere_with_what_the_run_says(folders, tmp_path, name):
    best = f"{folders}/{name}/best"
    model = open_model(best)
    assert model.step == 1 and model.tokenizer is not None
    assert model.encoder == open_model(f"{folders}/{name}/model.ckpt-2").encoder
    assert np.all(model.weights[BETA] == 7.0)
    start = find_starting_point(best)
    assert np.all(start.weights[BETA] == 7.0) and start.encoder == model.encoder
    convert(model, "electra_tf", str(tmp_path / "written"))
    assert np.all(open_model(str(tmp_path / "written")).weights[BETA] == 7.0)


def test_a_folder_that_is_called_best(folders, tmp_path):
    """It counts for what it holds itself, whatever is above it."""
    above = shutil.copytree(folders / "task", tmp_path / "above")
    shutil.rmtree(above / "best")
    shutil.copytree(folders / "pair", above / "best", ignore=shutil.ignore_patterns("best"))
    found = find_model(str(above / "best"))
    assert (found.kind, found.folder) == (PRETRAINED, str(above / "best"))
    shutil.copytree(folders / "original", tmp_path / "alone" / "best")
    found = find_model(str(tmp_path / "alone" / "best"))
    assert (found.kind, found.folder) == (REFERENCE, str(tmp_path / "alone" / "best"))


def test_parts_and_origin(folders):
    assert set(open_model(f"{folders}/pair").parts) == {"discriminator", "generator"}
    assert set(open_model(f"{folders}/hf/generator").parts) == {"generator"}
    task = open_model(f"{folders}/task")
    assert task.is_finetuned and not task.parts and task.tasks[0].name == "cola"
    assert "the checkpoint" in task.origin


def test_a_trial_without_checkpoints_says_so(folders, tmp_path):
    trial = shutil.copytree(folders / "task", tmp_path / "trial_1")
    shutil.rmtree(trial / "best")
    for path in trial.glob("*ckpt*"):
        path.unlink()
    (trial / "checkpoint").unlink()
    for use in (open_model, electra_tf.load, find_starting_point):
        with pytest.raises(FileNotFoundError, match="has no checkpoint: its training was"):
            use(str(trial))


@pytest.mark.parametrize("model_type", ["bert", None, 7, "y" * 1000])
def test_a_hugging_face_model_of_another_architecture_is_named(tmp_path, model_type):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    expected = r"config\.json: model_type is expected to be 'electra', but is .{1,210}\. Models"
    with pytest.raises(ValueError, match=expected):
        open_model(str(tmp_path))
