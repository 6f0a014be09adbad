# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Pre-training examples from tokenized lines, by the reference's rules, and their features.

Lines are collected until they reach a target length (the maximum; now and then a shorter one) or
their document ends, and are dealt to two segments of about half the length each (now and then to
one). From build_pretraining_dataset.py:34-112 of the reference. `pack_rows` does on the host what
`text.pack_segments` does in the graph, ten times as fast; a test compares the two.
"""

import bisect
import itertools
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

import numpy as np

from electra_tf.data.spec import Rows
from electra_tf.text.vocabulary import SENTENCEPIECE, WORD_START, Vocabulary

SINGLE_SEGMENT_RATE = 0.1
SHORT_TARGET_RATE = 0.05
MIN_TARGET_LENGTH = 5
_NO_LIMIT = 100_000


class Segments(NamedTuple):
    """The two segments of every example, without [CLS] and [SEP]; the second may be empty."""

    first: Rows
    second: Rows


class _Ranges:
    """Rows that are put together from ranges of a token array."""

    def __init__(self):
        self.starts: list[int] = []
        self.sizes: list[int] = []
        self.splits: list[int] = [0]

    def add_row(self, ranges: list[list[int]], limit: int) -> int:
        """Adds the first `limit` tokens of some [start, end) ranges; returns how many there are."""
        size = 0
        for start, end in ranges:
            taken = min(end - start, limit - size)
            if taken <= 0:
                break
            self.starts.append(start)
            self.sizes.append(taken)
            size += taken
        self.splits.append(self.splits[-1] + size)
        return size

    def gather(self, values: np.ndarray) -> Rows:
        """The rows' tokens."""
        places = _places(np.array(self.starts, np.int64), np.array(self.sizes, np.int64))
        return Rows(values[places], np.array(self.splits, dtype=np.int64))


def build_segments(
    lines: Rows,
    document_ends: Sequence[int],
    max_length: int,
    rng: Random,
    breaks: np.ndarray | None = None,
) -> Segments:
    """Builds the examples of some documents.

    With max_length 16 and no luck with the dice, lines of 3, 4 and 9 tokens give one example: 6 is
    the first segment's target, so it gets 3 tokens; 4 + 9 go to the second and are cut to 10. With
    `breaks` the 3 tokens that were cut begin the next example, with the rest of their word.

    Args:
        lines: token ids of lines.
        document_ends: numbers of lines after which a document ends, ascending.
        max_length: L, tokens of an example with its [CLS] and [SEP].
        rng: drawn from in the reference's order.
        breaks: for every token, whether a line may be split before it; what an example has no room
            for begins the next one. None: it is lost, as in the reference.
    """
    bounds = lines.splits.tolist()
    builder = _SegmentBuilder(bounds, max_length, rng, breaks)
    begin = 0
    for document_end in document_ends:
        line = begin
        while line < document_end:
            # Lines are contiguous, so the collected length is a difference of places.
            if bounds[line + 1] - bounds[begin] >= builder.target:
                line = begin = builder.add_example(begin, line + 1)
            else:
                line += 1
        while bounds[document_end] > bounds[begin]:
            begin = builder.add_example(begin, document_end)
        begin = document_end
    return Segments(builder.first.gather(lines.values), builder.second.gather(lines.values))


class _SegmentBuilder:
    """Deals the lines of one example after the other to two segments."""

    def __init__(self, bounds: list[int], max_length: int, rng: Random, breaks: np.ndarray | None):
        self.first, self.second = _Ranges(), _Ranges()
        self.target = max_length
        self._bounds, self._max_length, self._rng = bounds, max_length, rng
        self._breaks = breaks

    def add_example(self, begin: int, end: int) -> int:
        """Adds the example of the lines [begin, end) and draws the next one's target length.

        Returns:
            The first line of the next example: `end`, or the last one if its rest is left,
            where that line now begins.
        """
        rng, bounds, longest = self._rng, self._bounds, self._max_length
        single = rng.random() < SINGLE_SEGMENT_RATE
        places = bounds[begin : end + 1]
        if self._breaks is not None:
            places = self._fitting(places, longest - (2 if single else 3))
            end = begin + len(places) - 1
        first, second = self._deal(places, _NO_LIMIT if single else (self.target - 3) // 2)
        taken = self.first.add_row(first, longest - 2)
        self.second.add_row(second, max(0, longest - taken - 3))
        short = rng.random() < SHORT_TARGET_RATE
        self.target = rng.randint(MIN_TARGET_LENGTH, longest) if short else longest
        if places[-1] == bounds[end]:
            return end
        bounds[end - 1] = places[-1]
        return end - 1

    def _fitting(self, places: list[int], room: int) -> list[int]:
        """The bounds of lines up to `room` tokens, with the last line split between words."""
        limit = places[0] + room
        if places[-1] <= limit:
            return places
        inner = [place for place in places if place < limit]
        split = limit
        while split > inner[-1] and not self._breaks[split]:
            split -= 1
        # A word that is longer than its example is split itself.
        if split > inner[-1]:
            return [*inner, split]
        return inner if len(inner) > 1 else [*inner, limit]

    def _deal(self, places: list[int], first_target: int) -> tuple[list, list]:
        """The two segments' [start, end) ranges of tokens."""
        segments: tuple[list[list[int]], list[list[int]]] = ([], [])
        sizes = [0, 0]
        for start, stop in itertools.pairwise(places):
            # A line goes to the first segment if that is empty, if it fits there, or by a coin if
            # it is the one that overflows it.
            to_first = (
                sizes[0] == 0
                or sizes[0] + stop - start < first_target
                or (sizes[1] == 0 and sizes[0] < first_target and self._rng.random() < 0.5)
            )
            place = 0 if to_first else 1
            sizes[place] += stop - start
            if segments[place] and segments[place][-1][1] == start:
                segments[place][-1][1] = stop
            elif stop > start:
                segments[place].append([start, stop])
        return segments


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
