# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Examples follow the reference's rules."""

import itertools
import random

import numpy as np
import pytest
from record_files import rows_of

from electra_tf.data.examples import build_segments


class Dice:
    """A random source that returns what it is told, in order."""

    def __init__(self, *numbers):
        self.numbers = list(numbers)

    def random(self):
        return self.numbers.pop(0)

    def randint(self, a, b):
        number = self.numbers.pop(0)
        assert a <= number <= b
        return number


TWO, NEXT_FULL = 0.5, 0.5  # no single segment; no short target for the next example


def build(lengths, ends, max_length, rng, breaks=None):
    """(first, second) lists of token numbers; tokens are numbered over all lines."""
    splits = np.cumsum([0, *lengths])
    segments = build_segments(
        rows_of([list(range(a, b)) for a, b in itertools.pairwise(splits)]),
        ends,
        max_length,
        rng,
        breaks,
    )
    return list(zip(*(lists_of(rows) for rows in segments), strict=True))


def lists_of(rows):
    bounds = itertools.pairwise(rows.splits)
    return [rows.values[start:end].tolist() for start, end in bounds]


def span(*bounds):
    return [n for a, b in zip(bounds[::2], bounds[1::2], strict=True) for n in range(a, b)]


@pytest.mark.parametrize(
    "lengths, dice, expected",
    [
        # The first target is (16 - 3) // 2 = 6: 3 fit, 3 + 4 do not, and the coin says no. The
        # second segment is cut to 16 - 3 - 3.
        ([3, 4, 9], [TWO, 0.5, NEXT_FULL], (span(0, 3), span(3, 13))),
        # The coin lets one line overflow the first segment; the next line is the second segment.
        ([3, 4, 9], [TWO, 0.49, NEXT_FULL], (span(0, 7), span(7, 13))),
        # Reaching the target length exactly is too long for the first segment without a coin.
        ([3, 3, 10], [TWO, 0.5, NEXT_FULL], (span(0, 3), span(3, 13))),
        # Later short lines go back to the first segment as long as they fit there.
        ([3, 8, 2, 3], [TWO, 0.5, NEXT_FULL], (span(0, 3, 11, 13), span(3, 11))),
        # One segment takes all and is cut to 16 - 2.
        ([3, 4, 9], [0.09, NEXT_FULL], (span(0, 14), [])),
        # A line longer than all is the first segment; nothing is left for a second.
        ([40], [TWO, NEXT_FULL], (span(0, 14), [])),
    ],
)
def test_lines_are_dealt_to_segments(lengths, dice, expected):
    dice = Dice(*dice)
    assert build(lengths, [len(lengths)], 16, dice) == [expected]
    assert dice.numbers == []


def test_short_targets_make_shorter_examples():
    dice = Dice(TWO, 0.04, 7, TWO, NEXT_FULL, TWO, NEXT_FULL)
    found = build([8, 8, 7, 5], [4], 16, dice)
    assert found == [
        (span(0, 8), span(8, 13)),  # 16 tokens reach the target 16
        (span(16, 23), []),  # 7 reach the target 7
        (span(23, 28), []),  # the document ends
    ]
    assert dice.numbers == []


def test_documents_never_share_an_example():
    dice = Dice(TWO, NEXT_FULL, TWO, NEXT_FULL)
    assert build([2, 0, 3], [1, 1, 2, 3, 3], 16, dice) == [(span(0, 2), []), (span(2, 5), [])]
    assert dice.numbers == []


def test_no_lines_give_no_examples():
    assert build([], [0], 16, Dice()) == []
    assert build([0, 0], [1, 2], 16, Dice()) == []


@pytest.mark.parametrize(
    ("breaks", "first", "rest"),
    [
        ([1] * 16, span(3, 13), span(13, 16)),
        ([1] * 12 + [0] * 4, span(3, 11), span(11, 16)),  # the last word is long, and stays whole
        ([1] * 8 + [0] * 8, span(3, 7), span(7, 16)),
    ],
)
def test_what_has_no_room_begins_the_next_example(breaks, first, rest):
    dice = Dice(TWO, 0.5, NEXT_FULL, TWO, NEXT_FULL)
    found = build([3, 4, 9], [3], 16, dice, np.array(breaks))
    assert found == [(span(0, 3), first), (rest, [])]


def test_a_long_line_becomes_examples_and_its_rest_goes_with_the_next_line():
    dice = Dice(TWO, NEXT_FULL, 0.09, NEXT_FULL, TWO, 0.5, NEXT_FULL)
    found = build([30, 4], [2], 16, dice, np.ones(34))
    assert found == [(span(0, 13), []), (span(13, 27), []), (span(27, 30), span(30, 34))]


@pytest.mark.parametrize("max_length", [5, 6, 16, 128])
def test_no_token_is_lost_where_lines_are_split(max_length):
    rng = random.Random(3)
    lengths = [rng.choice([0, 1, 7, 40, 300]) for _ in range(200)]
    ends = sorted({*rng.sample(range(200), 20), 200})
    breaks = np.array([rng.random() < 0.7 for _ in range(sum(lengths))])
    found = build(lengths, ends, max_length, rng, breaks)
    assert sorted(n for a, b in found for n in a + b) == list(range(sum(lengths)))
    assert max(len(a) + len(b) + 2 + bool(b) for a, b in found) <= max_length
    bounds = np.cumsum([0, *lengths])[ends]
    of_documents = [set(np.searchsorted(bounds, a + b, "right")) for a, b in found]
    assert all(len(documents) == 1 for documents in of_documents)


class LineByLine:
    """The rules once more, as the reference's README and code state them: one line at a time."""

    def __init__(self, max_length, rng):
        self.max_length, self.rng = max_length, rng
        self.lines, self.target, self.examples = [], max_length, []

    def line(self, tokens):
        self.lines.append(tokens)
        if sum(map(len, self.lines)) >= self.target:
            self.flush()

    def flush(self):
        if not any(self.lines):
            return
        half = 10**5 if self.rng.random() < 0.1 else (self.target - 3) // 2
        a, b = [], []
        for tokens in self.lines:
            fits = not a or len(a) + len(tokens) < half
            if fits or (not b and len(a) < half and self.rng.random() < 0.5):
                a = a + tokens
            else:
                b = b + tokens
        a = a[: self.max_length - 2]
        room = self.max_length - 3 - len(a)
        self.examples.append((a, b[:room] if room > 0 else []))
        self.lines, self.target = [], self.max_length
        if self.rng.random() < 0.05:
            self.target = self.rng.randint(5, self.max_length)


@pytest.mark.parametrize("seed", range(8))
def test_random_documents_equal_a_line_by_line_statement(seed):
    rng = random.Random(seed)
    max_length = rng.choice([5, 16, 64, 128])
    lengths = [rng.choice([0, 1, 3, 8, 20, rng.randint(0, 150)]) for _ in range(600)]
    ends = sorted({rng.randint(0, 600) for _ in range(60)} | {600})
    expected, number = LineByLine(max_length, random.Random(seed)), 0
    for line, length in enumerate(lengths):
        if line in ends:
            expected.flush()
        expected.line(list(range(number, number + length)))
        number += length
    expected.flush()
    found = build(lengths, ends, max_length, random.Random(seed))
    assert found == expected.examples
    assert len(found) > 50
    for a, b in found:
        assert 1 <= len(a) and len(a) + len(b) + (3 if b else 2) <= max_length


def test_shares_of_single_segments_and_short_targets():
    found = build([20] * 30_000, [30_000], 128, random.Random(1))
    single = sum(not b for _, b in found) / len(found)
    short = sum(len(a) + len(b) < 120 for a, b in found) / len(found)
    assert 0.1 < single < 0.13  # short targets of one line have one segment as well
    assert 0.03 < short < 0.06
