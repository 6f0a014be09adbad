# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A pre-trained model to fine-tune, made once and copied for each test."""

import os
import shutil

import pytest
from tiny_finetuning import make_data_dir


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory):
    """A data folder with a vocabulary and a pre-trained model; not to be changed."""
    return make_data_dir(tmp_path_factory.mktemp("pretrained") / "data")


@pytest.fixture
def tuning_dir(pretrained, tmp_path):
    """A copy of the data folder for one test."""
    return shutil.copytree(pretrained, tmp_path / "data")


@pytest.fixture
def info_log(caplog):
    """What the command line shows, in `caplog`."""
    with caplog.at_level("INFO", logger="absl"):
        yield os.linesep
