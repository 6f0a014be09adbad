# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Features equal those recorded from the reference, for every task and split."""

import numpy as np
import pytest
from task_files import TASK_FOLDERS, as_arrays, recorded, tokenizer, tokens_of

from electra_tf.config.task_table import TASKS, Columns, Split, TaskSpec
from electra_tf.finetuning.files.examples import TextExample
from electra_tf.finetuning.kinds import kind_of
from electra_tf.finetuning.task import load_task

SPLITS = [
    (task, split)
    for task, splits in recorded("tasks/features.json")["tasks"].items()
    for split in splits
    if split not in ("scoring", "label_mapping")
]


def rows_of(spec, examples, max_seq_length):
    arrays, _ = kind_of(spec).rows(spec, examples, tokenizer(), max_seq_length)
    return arrays


@pytest.mark.parametrize(("name", "split"), SPLITS)
def test_features_of_glue_and_chunking_are_the_recorded_ones(name, split):
    golden = recorded("tasks/features.json")
    expected = as_arrays(golden["tasks"][name][split])
    task = load_task(name, TASK_FOLDERS)
    examples = task.examples(split, double_unordered=split == "train")
    features = rows_of(task.spec, examples, golden["max_seq_length"])
    assert set(features) - set(expected) == ({"chunk_first_word"} if name == "chunk" else set())
    for key, values in expected.items():
        exact = values.astype(np.float32) if values.dtype == np.float64 else values
        np.testing.assert_array_equal(features[key], exact, err_msg=key)


def test_chunk_labels_are_the_recorded_ones():
    mapping = recorded("tasks/features.json")["tasks"]["chunk"]["label_mapping"]
    assert load_task("chunk", TASK_FOLDERS).spec.labels == tuple(sorted(mapping, key=mapping.get))


def one_row(text_a, text_b, length):
    spec = TASKS["rte"].spec
    features = rows_of(spec, [TextExample(7, text_a, text_b)], length)
    assert all(values.dtype == np.int32 for values in features.values())
    assert features["input_ids"].shape == (1, length)
    assert features["rte_eid"][0] == 7
    assert features["input_mask"].sum() == np.count_nonzero(features["input_ids"])
    return tokens_of(features["input_ids"][0]), features["segment_ids"][0].tolist()


@pytest.mark.parametrize(
    ("text_a", "text_b", "kept"),
    [
        ("one two three four five six", None, ("one two three four five six", "")),
        ("one two three four five six seven", None, ("one two three four five six", "")),
        ("one two three four", "five", ("one two three four", "five")),
        ("one two three four five", "six", ("one two three four", "six")),
        ("one", "two three four five six", ("one", "two three four five")),
        ("one two three", "four five six", ("one two three", "four five")),
        ("one two three", "", ("one two three", "")),
    ],
)
def test_the_longer_text_loses_its_last_tokens(text_a, text_b, kept):
    tokens, segments = one_row(text_a, text_b, length=8)
    first, second = (part.split() for part in kept)
    expected = ["[CLS]", *first, "[SEP]", *second, *(["[SEP]"] if second else [])]
    assert tokens == expected
    in_second = len(second) + 1 if second else 0
    assert sum(segments) == in_second
    assert segments[len(expected) - in_second : len(expected)] == [1] * in_second


def test_several_labels_are_zeros_and_ones_and_scores_are_scaled():
    split = Split("train", "train.tsv", "tsv", Columns(0))
    several = TaskSpec("topics", "multilabel", (split,), "micro_f1", labels=("a", "b", "c"))
    rows = [TextExample(0, "x", label=("c", "a")), TextExample(1, "y", label=())]
    features = rows_of(several, rows, 8)
    assert features["topics_label_ids"].tolist() == [[1, 0, 1], [0, 0, 0]]
    scores = TaskSpec("alike", "regression", (split,), "pearson", value_range=(1.0, 5.0))
    rows = [TextExample(0, "x", "y", 1.0), TextExample(1, "x", "y", 4.0)]
    features = rows_of(scores, rows, 8)
    assert features["alike_targets"].tolist() == [0.0, 0.75]


def test_lengths_without_room_are_errors():
    with pytest.raises(ValueError, match="max_seq_length is expected to be 5 or more"):
        rows_of(TASKS["rte"].spec, [TextExample(0, "x")], 4)
