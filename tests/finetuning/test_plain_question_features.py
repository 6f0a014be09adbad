# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The slow features that the benchmark compares with are the recorded ones too."""

import pathlib
import sys

from task_files import recorded, squad_examples, tokenizer

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent))

from benchmarks.plain_question_features import (
    plain_question_features,
    plain_tokenizer,
)


def test_plain_features_are_the_recorded_ones():
    expected = recorded("qa/features.json")["train"]
    plain = plain_tokenizer(tokenizer().vocabulary)
    rows = list(plain_question_features(squad_examples(), plain, 128, "squad", 48, 24))
    assert len(rows) == len(expected)
    for row, golden in zip(rows, expected, strict=True):
        assert row | golden == row | {"task_id": 0}
