# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fixtures of the tests of data."""

import pytest
from record_files import write_records
from small_corpus import corpus

__all__ = ["corpus", "many_windows"]


@pytest.fixture
def many_windows(tmp_path, monkeypatch):
    """A folder of 11 shards with 1 to 30 examples, read in windows of 4 shards."""
    monkeypatch.setattr("electra_tf.data.pipeline.SHUFFLE_BUFFER", 8)
    monkeypatch.setattr("electra_tf.data.pipeline.SHUFFLE_BUFFER", 8)
    write_records(tmp_path / "records", [13, 1, 30, 7, 22, 16, 5, 9, 28, 3, 11])
    return str(tmp_path / "records")
