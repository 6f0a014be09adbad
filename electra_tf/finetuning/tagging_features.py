# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tagged sentences as rows; long ones in windows, so that every word is predicted exactly once."""

import numpy as np
import tensorflow as tf

from electra_tf.finetuning.packed_rows import packed_rows, ragged_ranges
from electra_tf.finetuning.spans import to_bioes


def tagging_features(examples, tokenizer, max_seq_length, spec, task_id=0):
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
    room = max_seq_length - 2
    word_counts = np.array([len(example.words) for example in examples], np.int64)
    pieces = tokenizer.of_words([word for example in examples for word in example.words])
    counts = np.minimum(pieces.row_lengths().numpy(), room)
    tokens = pieces.flat_values.numpy()[ragged_ranges(pieces.row_splits.numpy()[:-1], counts)]
    token_starts = np.concatenate([[0], np.cumsum(counts)])
    windows = _all_windows(np.maximum(counts, 1), word_counts, room)

    first_tokens = token_starts[windows["first"]]
    lengths = token_starts[windows["end"]] - first_tokens
    rows = tf.RaggedTensor.from_row_lengths(tokens[ragged_ranges(first_tokens, lengths)], lengths)
    arrays = packed_rows(rows, None, tokenizer.vocabulary, max_seq_length)
    arrays["segment_ids"] = arrays["input_mask"].copy()  # tagging_tasks.py:147

    predicted = windows["predict_end"] - windows["predict_first"]
    words = ragged_ranges(windows["predict_first"], predicted)
    mask = np.arange(max_seq_length)[None, :] < predicted[:, None]
    labels, positions = (np.zeros(mask.shape, np.int32) for _ in range(2))
    labels[mask] = _label_ids(examples, spec)[words]
    positions[mask] = 1 + token_starts[words] - np.repeat(first_tokens, predicted)
    sentence_starts = np.cumsum(word_counts) - word_counts
    name, sentences = spec.name, windows["sentence"]
    arrays["task_id"] = np.full(len(lengths), task_id, np.int32)
    arrays[f"{name}_eid"] = np.array([example.id for example in examples], np.int32)[sentences]
    first_words = windows["predict_first"] - sentence_starts[sentences]
    arrays[f"{name}_first_word"] = first_words.astype(np.int32)
    arrays[f"{name}_labels"] = labels
    arrays[f"{name}_labels_mask"] = mask.astype(np.float32)
    arrays[f"{name}_labeled_positions"] = positions
    return arrays


def join_windows(eids, first_words, masks, predictions):
    """Returns {eid: predictions of all words of the sentence, a vector}, from rows in any order.

    eids, first_words: int [rows]; masks, predictions: [rows, L], as in `tagging_features`.
    """
    parts = {}
    for row in np.lexsort((first_words, eids)):
        count = round(float(np.sum(masks[row])))
        parts.setdefault(int(eids[row]), []).append(np.asarray(predictions[row])[:count])
    return {eid: np.concatenate(rows) for eid, rows in parts.items()}


def _label_ids(examples, spec):
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


def _all_windows(costs, word_counts, room):
    """Returns vectors over all rows: sentence, first, end, predict_first, predict_end.

    Words are numbered over all sentences; ends are exclusive. A row holds the words first .. end
    and predicts those from predict_first to predict_end.
    """
    cost_before = np.concatenate([[0], np.cumsum(costs)])
    ends = np.cumsum(word_counts)
    rows = []
    for sentence, (first, end) in enumerate(zip(ends - word_counts, ends, strict=True)):
        if cost_before[end] - cost_before[first] <= room:
            rows.append((sentence, first, end, first, end))
        else:
            rows += [(sentence, *row) for row in _windows(cost_before, first, end, room)]
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    names = ("sentence", "first", "end", "predict_first", "predict_end")
    return dict(zip(names, columns, strict=True))


def _windows(cost_before, first, end, room):
    """Yields (first, end, predict_first, predict_end) of a sentence that is too long.

    Neighbours share up to half of the room; of these words each predicts the half that has more
    context in it.
    """
    predict_first = first
    while True:
        window_end = _last_start(cost_before, cost_before[first] + room)
        if window_end >= end:
            yield first, end, predict_first, end
            return
        next_first = max(
            _first_start(cost_before, cost_before[window_end] - room // 2),
            _first_start(cost_before, cost_before[window_end + 1] - room),
        )
        middle = (cost_before[next_first] + cost_before[window_end] + 1) // 2
        predict_end = _first_start(cost_before, middle)
        yield first, window_end, predict_first, predict_end
        first, predict_first = next_first, predict_end


def _last_start(cost_before, cost):
    return int(np.searchsorted(cost_before, cost, side="right")) - 1


def _first_start(cost_before, cost):
    return int(np.searchsorted(cost_before, cost, side="left"))
