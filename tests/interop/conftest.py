# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A tiny pre-trained model."""

import pytest
from tiny_finetuning import make_data_dir


@pytest.fixture(scope="session")
def pretrained_dir(tmp_path_factory):
    """A data folder with a vocabulary and a pre-trained model; not to be changed."""
    return make_data_dir(tmp_path_factory.mktemp("interop") / "data")
