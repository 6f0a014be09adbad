# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Rows, windows and answers in plain Python, which those made in a graph are compared with."""

import numpy as np


def cut_pair(first: list, second: list, length: int) -> tuple[list, list]:
    """What is left of a pair of texts in a row (classification_tasks.py:289-306)."""
    first, second = list(first), list(second)
    while len(first) + len(second) > length - 2 - bool(second):
        (first if len(first) > len(second) else second).pop()
    return first, second


def packed(first: list, second: list, vocabulary) -> tuple[list, list]:
    """Ids and segments of `[CLS] first [SEP] second [SEP]`."""
    ids = [vocabulary.cls_id, *first, vocabulary.sep_id]
    tail = [*second, vocabulary.sep_id] if second else []
    return ids + tail, [0] * len(ids) + [1] * len(tail)


def word_windows(costs: list[int], room: int) -> list[tuple[int, int, int, int]]:
    """(first word, end, first predicted, end of these) of the rows of a sentence."""
    before = np.concatenate([[0], np.cumsum(costs)]).astype(int)
    rows, first, predicted = [], 0, 0
    while before[-1] - before[first] > room:
        end = max(e for e in range(len(before)) if before[e] <= before[first] + room)
        shared = max(before[end] - room // 2, before[end + 1] - room)
        following = min(w for w in range(len(before)) if before[w] >= shared)
        middle = (before[following] + before[end]) / 2
        predicted_end = min(w for w in range(len(before)) if before[w] >= middle)
        rows.append((first, end, predicted, predicted_end))
        first, predicted = following, predicted_end
    return [*rows, (first, len(costs), predicted, len(costs))]


def context_windows(count: int, room: int, stride: int) -> list[tuple[int, int]]:
    """(first token, tokens) of the rows of a context (qa_tasks.py:330-343)."""
    windows = [(0, min(room, count))]
    while sum(windows[-1]) < count:
        first = windows[-1][0] + min(room, stride)
        windows.append((first, min(room, count - first)))
    return windows


def is_best(windows: list[tuple[int, int]], number: int, token: int) -> bool:
    """Whether a window has more context for a token than all others (qa_tasks.py:75-110)."""

    def context(window):
        left, right = token - window[0], sum(window) - 1 - token
        return min(left, right) + 0.01 * window[1] if min(left, right) >= 0 else -1.0

    return max(range(len(windows)), key=lambda i: context(windows[i])) == number


def n_best(context: bytes, spans: list[tuple[np.float32, int, int]], count: int) -> list[tuple]:
    """(text, first byte) of the best spans (score, first byte, end) with different texts."""
    chosen = {}
    for _, first, end in sorted(spans, key=lambda span: -span[0]):
        text = context[first:end].decode().rstrip()
        if text and len(chosen) < count:
            chosen.setdefault(text, first)
    return list(chosen.items()) or [("", 0)]
