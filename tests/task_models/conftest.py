# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A tiny pre-trained model, and texts of two classes."""

import pytest
from tiny_finetuning import MODEL, make_data_dir


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """A data folder with a vocabulary and a pre-trained model; not to be changed."""
    return make_data_dir(tmp_path_factory.mktemp("task_models") / "data")


@pytest.fixture(scope="session")
def preset(data_dir):
    """The folder of the pre-trained model."""
    return str(data_dir / "models" / MODEL)
