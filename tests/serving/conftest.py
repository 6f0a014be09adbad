# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Exports that several tests look at; made once, not to be changed."""

import shutil

import pytest
import tensorflow as tf
from made_once import made_once
from served_models import (
    ANSWER_SETTINGS,
    NAMES,
    QUESTIONS,
    finetuned_folder,
    pretrained_folder,
)

import electra_tf
from electra_tf.serving import export_model


@pytest.fixture(scope="session")
def pair_dir(tmp_path_factory):
    def make(folder):
        pretrained_folder(folder / "data")

    return str(made_once(tmp_path_factory, "pair", make) / "data" / "models" / "model")


@pytest.fixture(scope="session")
def pair_export(pair_dir, tmp_path_factory):
    """The folder of an exported pre-trained pair."""

    def make(folder):
        export_model(pair_dir, str(folder / "pair"), top_k=3)

    return str(made_once(tmp_path_factory, "pair_export", make) / "pair")


@pytest.fixture(scope="session")
def pair(pair_export):
    return tf.saved_model.load(pair_export).signatures


@pytest.fixture(scope="session")
def calibrated_dir(pair_dir, tmp_path_factory):
    """A copy of the pair that tests may calibrate."""
    return str(shutil.copytree(pair_dir, tmp_path_factory.mktemp("calibrated") / "model"))


@pytest.fixture(scope="session")
def calibrated_model(calibrated_dir):
    return electra_tf.load(calibrated_dir, top_k=3)


@pytest.fixture(scope="module")
def error_finder(calibrated_model):
    """The same, as it is before it is calibrated."""
    calibrated_model._owner.errors.calibrate(None)
    return calibrated_model


@pytest.fixture(scope="session")
def tagger(tmp_path_factory):
    def make(folder):
        export_model(finetuned_folder(folder / "model", NAMES), str(folder / "export"))

    folder = made_once(tmp_path_factory, "tagger", make)
    return tf.saved_model.load(str(folder / "export")).signatures


@pytest.fixture(scope="session")
def reader(tmp_path_factory):
    def make(folder):
        model = finetuned_folder(folder / "model", QUESTIONS, **ANSWER_SETTINGS)
        export_model(model, str(folder / "export"))

    folder = made_once(tmp_path_factory, "reader", make)
    return tf.saved_model.load(str(folder / "export")).signatures
