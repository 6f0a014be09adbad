# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tagged sentences as rows; long ones in windows, so that every word is predicted exactly once."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.files.examples import TaggingExample
from electra_tf.finetuning.kinds.bounded import arrays_of_parts
from electra_tf.finetuning.kinds.spans import to_bioes
from electra_tf.finetuning.kinds.tagging_windows import word_batch
from electra_tf.finetuning.task_table import TaskSpec
from electra_tf.text import Tokenizer


def tagging_features(
    examples: Sequence[TaggingExample],
    tokenizer: Tokenizer,
    max_seq_length: int,
    spec: TaskSpec,
    task_id: int = 0,
) -> dict[str, np.ndarray]:
    """Returns the arrays of `TaggingExample`s.

    A word is predicted at its first token. `<task>_labels, _labels_mask, _labeled_positions`
    [rows, L] have one entry per word that the row predicts; the words of a sentence come in order,
    distributed over its rows, which share `<task>_eid`; `<task>_first_word` [rows] is the number
    of a row's first word in its sentence. A word without tokens is predicted at the next one.

    Raises:
        ValueError: max_seq_length leaves no room for a token.
    """
    if max_seq_length < 3:
        raise ValueError(f"max_seq_length must be 3 or more for tags, received {max_seq_length}.")

    def make(part: slice) -> dict[str, np.ndarray]:
        return _part_features(examples[part], tokenizer, max_seq_length, spec)

    sizes = [sum(len(word) + 1 for word in example.words) for example in examples]
    arrays = arrays_of_parts(make, sizes)
    return {**arrays, "task_id": np.full(len(arrays["input_ids"]), task_id, np.int32)}


def _part_features(
    examples: Sequence[TaggingExample], tokenizer: Tokenizer, max_seq_length: int, spec: TaskSpec
) -> dict[str, np.ndarray]:
    flat = tf.constant([word for example in examples for word in example.words], tf.string)
    counts = tf.constant([len(example.words) for example in examples], tf.int64)
    words = tf.RaggedTensor.from_row_lengths(flat, counts, validate=False)
    arrays, places = word_batch(words, tokenizer, max_seq_length, max_seq_length)
    places = type(places)(*(column.numpy() for column in places))

    predicted = np.bincount(places.row, minlength=len(places.sentence))
    mask = np.arange(max_seq_length)[None, :] < predicted[:, None]
    labels, positions = (np.zeros(mask.shape, np.int32) for _ in range(2))
    labels[mask], positions[mask] = _label_ids(examples, spec), places.position
    ids = np.array([example.id for example in examples], np.int32)
    return {
        **arrays,
        f"{spec.name}_eid": ids[places.sentence],
        f"{spec.name}_first_word": places.first_word.astype(np.int32),
        f"{spec.name}_labels": labels,
        f"{spec.name}_labels_mask": mask.astype(np.float32),
        f"{spec.name}_labeled_positions": positions,
    }


def join_windows(
    eids: np.ndarray, first_words: np.ndarray, masks: np.ndarray, predictions: np.ndarray
) -> dict[int, np.ndarray]:
    """Returns {eid: predictions of all words of the sentence, a vector}, from rows in any order.

    eids, first_words: int [rows]; masks, predictions: [rows, L], as in `tagging_features`.
    """
    parts = {}
    for row in np.lexsort((first_words, eids)):
        count = round(float(np.sum(masks[row])))
        parts.setdefault(int(eids[row]), []).append(np.asarray(predictions[row])[:count])
    return {eid: np.concatenate(rows) for eid, rows in parts.items()}


def _label_ids(examples: Sequence[TaggingExample], spec: TaskSpec) -> np.ndarray:
    """Returns the ids of the labels of all words, int32; 0 where there are no tags."""
    ids = {label: number for number, label in enumerate(spec.labels)}
    # With `share_unseen_tags` the last label stands for all tags that are not listed.
    unseen = len(ids) - 1
    labels = []
    for example in examples:
        if example.tags is None:
            labels += [0] * len(example.words)
            continue
        tags = example.tags
        if spec.scheme == "spans":
            tags = to_bioes(tags, spec.span_rule)
        if spec.share_unseen_tags:
            labels += [ids.get(tag, unseen) for tag in tags]
        else:
            labels += [ids[tag] for tag in tags]
    return np.array(labels, np.int32)
