# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Glob patterns find the same files without TensorFlow as with it."""

import pytest
import tensorflow as tf

from electra_tf.files import write_text
from electra_tf.patterns import escaped, matching

NAMES = (
    "a.txt",
    ".h.txt",
    "b[1].txt",
    "c*d",
    "e\\f",
    "sub/a.txt",
    "sub/.x/y.txt",
    "s,t.txt",
    "A",
    "é",
)
PATTERNS = (
    *(
        "*",
        "*.txt",
        "[a-b]*",
        "b[[]1].txt",
        "c\\*d",
        "e[\\\\]f",
        "e\\\\f",
        "*/*",
        "*/a.txt",
        "[!a]*",
    ),
    *("[^a]*", "?", "s*", "{a,b}.txt", "**", "./*", "[]a].txt", "[a", "sub/*/y*", "no/*"),
    "s[,]t*",
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in NAMES:
        write_text(str(tmp_path / name), "")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("pattern", PATTERNS)
def test_local_files_are_found_as_tensorflow_finds_them(folder, pattern):
    for path in (pattern, f"{folder}/{pattern}"):
        assert matching(path) == sorted(tf.io.gfile.glob(path))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_escaped_means_itself(folder, name):
    assert matching(escaped(f"{folder}/{name}")) == [f"{folder}/{name}"]


def test_what_cannot_be_a_path_matches_nothing(folder):
    assert matching("no\0name") == matching("x" * 5000 + "*") == []
