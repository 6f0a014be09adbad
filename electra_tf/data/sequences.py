# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From the segments of examples to the features of records, for thousands of rows at once.

`pack_rows` does on the host what `text.pack_segments` does in the graph, ten times as fast; a test
compares the two.
"""

import bisect

import numpy as np

from electra_tf.data.spec import Rows
from electra_tf.text.vocabulary import SENTENCEPIECE, WORD_START, Vocabulary

_CONTINUES_A_WORD = "##"


def pack_rows(first: Rows, second: Rows, cls_id: int, sep_id: int) -> dict[str, Rows]:
    """Joins one or two segments per row to `[CLS] first [SEP] second [SEP]`; cuts nothing.

    Returns:
        `input_ids` and `segment_ids`; an empty second segment leaves its [SEP] away.
    """
    first_sizes, second_sizes = np.diff(first.splits), np.diff(second.splits)
    second_parts = second_sizes + (second_sizes > 0)
    splits = np.concatenate([[0], np.cumsum(first_sizes + 2 + second_parts)])
    ids = np.full(splits[-1], sep_id, dtype=np.int32)
    segments = np.zeros(splits[-1], dtype=np.int32)
    starts = splits[:-1]
    ids[starts] = cls_id
    ids[_places(starts + 1, first_sizes)] = first.values
    second_starts = starts + first_sizes + 2
    ids[_places(second_starts, second_sizes)] = second.values
    segments[_places(second_starts, second_parts)] = 1
    return {"input_ids": Rows(ids, splits), "segment_ids": Rows(segments, splits)}


def word_start_table(vocabulary: Vocabulary) -> np.ndarray:
    """Which tokens begin a word, int32 [V]: 1 for them and for special tokens, else 0."""
    if vocabulary.kind == SENTENCEPIECE:
        begins = [token.startswith(WORD_START) for token in vocabulary.tokens]
    else:
        begins = [not token.startswith(_CONTINUES_A_WORD) for token in vocabulary.tokens]
    table = np.array(begins, dtype=np.int32)
    table[list(vocabulary.special_ids)] = 1
    return table


def fill_sequences(features: dict[str, Rows], max_length: int) -> dict[str, Rows]:
    """Puts as many examples as fit into each sequence; none is cut.

    Examples of 5, 3 and 2 tokens and a length of 8 give two sequences: the first two examples,
    with the `sequence_ids` 1 1 1 1 1 2 2 2 and the `position_ids` 0 1 2 3 4 0 1 2, and the third.

    Returns:
        The features, in new rows, with `position_ids` and `sequence_ids`.
    """
    splits = next(iter(features.values())).splits
    sizes = np.diff(splits)
    bins = assign_to_bins(sizes.tolist(), max_length)
    order = np.array([example for members in bins for example in members], dtype=np.int64)
    numbers = np.array([n for members in bins for n in range(1, len(members) + 1)], dtype=np.int32)
    counts = np.array([len(members) for members in bins], dtype=np.int64)
    sizes = sizes[order]
    token_ends = np.concatenate([[0], np.cumsum(sizes)])
    filled = token_ends[np.concatenate([[0], np.cumsum(counts)])]
    source = _places(splits[:-1][order], sizes)
    packed = {name: Rows(rows.values[source], filled) for name, rows in features.items()}
    positions = _places(np.zeros(len(sizes), dtype=np.int64), sizes)
    return packed | {
        "position_ids": Rows(positions, filled),
        "sequence_ids": Rows(np.repeat(numbers, sizes), filled),
    }


def assign_to_bins(sizes: list[int], capacity: int) -> list[list[int]]:
    """Indices of items by bin: best fit, longest items first; a function of the sizes alone.

    Raises:
        ValueError: for an item that is larger than a bin.
    """
    bins: list[list[int]] = []
    open_bins: dict[int, list[int]] = {}
    rooms: list[int] = []  # keys of open_bins, ascending
    for item in sorted(range(len(sizes)), key=lambda item: -sizes[item]):
        size = sizes[item]
        if size > capacity:
            raise ValueError(f"An example of {size} tokens does not fit into {capacity}.")
        place = bisect.bisect_left(rooms, size)
        if place < len(rooms):
            room = rooms[place]
            number = open_bins[room].pop()
            if not open_bins[room]:
                del open_bins[rooms.pop(place)]
        else:
            room, number = capacity, len(bins)
            bins.append([])
        bins[number].append(item)
        if room > size:
            if room - size not in open_bins:
                bisect.insort(rooms, room - size)
            open_bins.setdefault(room - size, []).append(number)
    return [sorted(members) for members in bins]


def _places(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The numbers start, start + 1, ... of every range, one range after the other."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts - (ends - sizes), sizes) + np.arange(total)
