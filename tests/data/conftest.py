# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Fixtures of the tests of data."""

import multiprocessing

import pytest
from record_files import write_records
from small_corpus import corpus

__all__ = ["corpus", "many_windows", "quick_workers"]


@pytest.fixture
def many_windows(tmp_path, monkeypatch):
    """A folder of 11 shards with 1 to 30 examples, read in windows of 4 shards."""
    monkeypatch.setattr("electra_tf.data.pipeline.SHUFFLE_BUFFER", 8)
    write_records(tmp_path / "records", [13, 1, 30, 7, 22, 16, 5, 9, 28, 3, 11])
    return str(tmp_path / "records")


@pytest.fixture
def quick_workers(monkeypatch):
    """Worker processes are forked from one that has imported TensorFlow, and used it for nothing.

    Those of commands import it each, for seconds; `test_data_commands` starts such ones.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["electra_tf.data.building"])
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: context)
