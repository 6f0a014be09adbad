# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Hyperparameters from cards and single values; paths in them; what there is to give."""

import dataclasses
import pathlib
import zipfile

import pytest
from setuptools import build_meta

from electra_tf.config import FinetuningConfig, PretrainingConfig, load_hparams
from electra_tf.config.given_hparams import (
    cards,
    describe_hparams,
    expanded_paths,
    field_docstrings,
    parse_assignments,
)

ROOT = pathlib.Path(__file__).parents[1]


def test_cards_have_the_names_of_their_files(tmp_path, monkeypatch):
    files = {path.stem: path for path in (ROOT / "configs" / "pretraining").glob("*.json")}
    assert cards().keys() == files.keys()
    assert load_hparams("small") == load_hparams(str(files["small"]))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").write_text('{"seed": 5}')
    assert load_hparams("small") == {"seed": 5}


@pytest.mark.slow
def test_a_wheel_has_the_cards(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    name = build_meta.build_wheel(str(tmp_path))
    held = zipfile.ZipFile(tmp_path / name).namelist()
    assert {f"electra_tf/cards/pretraining/{card}.json" for card in cards()} <= set(held)


def test_single_values():
    given = ["vocab-size=8000", "optimizer=lamb", "debug=true", 'task_names=["a=b"]', "x=null"]
    assert parse_assignments(given) == {
        "vocab_size": 8000,
        "optimizer": "lamb",
        "debug": True,
        "task_names": ["a=b"],
        "x": None,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["seed"], "--set is expected to be name=value, but is 'seed'"),
        (["=3"], "--set is expected to be name=value"),
        (["seed=1", "seed=2"], "--set gives seed more than once"),
        (['stages=[{"steps": 5}'], "--set stages is expected to be JSON"),
    ],
)
def test_single_values_that_are_wrong(given, message):
    with pytest.raises(ValueError, match=message):
        parse_assignments(given)


def test_paths_are_expanded_and_nothing_else(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("PLACE", "/data")
    given = {
        "pretrain_tfrecords": "~/a*,$PLACE/b*",
        "vocab_file": "$NO_SUCH/v.txt",
        "init_checkpoint": 3,
        "init_checkpoint_ignore": "$PLACE",
        "stages": [{"steps": 5, "pretrain_tfrecords": "${PLACE}/c"}, 7],
    }
    assert expanded_paths(PretrainingConfig, given) == {
        **given,
        "pretrain_tfrecords": "/home/me/a*,/data/b*",
        "stages": [{"steps": 5, "pretrain_tfrecords": "/data/c"}, 7],
    }
    tasks = expanded_paths(FinetuningConfig, {"task_names": ["cola", "~/t.json"]})
    assert tasks == {"task_names": ["cola", "/home/me/t.json"]}


@pytest.mark.parametrize("kind", [PretrainingConfig, FinetuningConfig])
def test_every_hyperparameter_has_a_meaning(kind):
    names = {field.name for field in dataclasses.fields(kind)} - {"model_name", "data_dir"}
    assert names <= field_docstrings(kind).keys()
    lines = describe_hparams(kind).splitlines()
    assert {line.split(" = ")[0] for line in lines if not line.startswith(" ")} == names
    assert max(map(len, lines)) <= 100


def test_only_what_was_changed_is_logged():
    config = PretrainingConfig.from_hparams("m", "d", {"seed": 3, "learning_rate": 5e-4})
    assert config.changed == {"model_name": "m", "data_dir": "d", "seed": 3}
