# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Outputs of a model as coloured spans and tables; nothing here knows of the page."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from electra_tf.serving.options import RULES

Spans = list[tuple[str, str | None]]
"""Parts of a text one after the other, each with its colour's name, or None for no colour."""
Part = tuple[int, int, str | None]
"""Start, end, name; places in a text are bytes in UTF-8."""
Table = list[list[str]]

SHADES = {"clear error": "#dc2626", "error": "#f97316", "doubtful": "#facc15"}
"""What a word is called that looks wrong, and its colour."""
_LETTERS = re.compile(r"\w(?:.*\w)?", re.DOTALL)

WORD_COLUMNS = ("starts", "ends", "probabilities")


class Word(NamedTuple):
    """A word of a text; start and end are bytes in UTF-8."""

    start: int
    end: int
    probability: float
    """That it does not belong there."""


def words_of(text: str, outputs: Mapping[str, np.ndarray]) -> list[Word]:
    """The words of a text, without the marks before and behind them, unless they are marks alone.

    Args:
        text: the text.
        outputs: of `find_errors` for this text alone.
    """
    words = []
    columns = (outputs[name][0, : outputs["num_words"][0]] for name in WORD_COLUMNS)
    for start, end, probability in zip(*columns, strict=True):
        whole = part_of(text, start, end)
        found = _LETTERS.search(whole)
        if found is not None:
            start += len(whole[: found.start()].encode())
            end = start + len(found[0].encode())
        words.append(Word(int(start), int(end), float(probability)))
    return words


def has_letters(part: str) -> bool:
    """Whether a word has letters or digits, and is not marks alone."""
    return _LETTERS.search(part) is not None


def parts_of(text: str, marks: Iterable[Part]) -> list[Part]:
    """Parts of a text one after the other: those given, and without a name what is between them.

    Args:
        text: the text.
        marks: in any order; what begins within another is left out.

    With text = "a bc d" and marks = [(2, 4, "x")] it is [(0, 2, None), (2, 4, "x"), (4, 6, None)].
    """
    parts, done, size = [], 0, len(text.encode())
    for start, end, name in sorted(marks, key=lambda mark: mark[:2]):
        if done <= start < end:
            parts += [(done, start, None), (start, end, name)]
            done = end
    return [part for part in [*parts, (done, size, None)] if part[0] < part[1]]


def spans_of(text: str, marks: Iterable[Part]) -> Spans:
    """The texts of `parts_of`, and their names."""
    data = text.encode()
    return [(_decoded(data[start:end]), name) for start, end, name in parts_of(text, marks)]


def shade_of(probability: float, threshold: float) -> str | None:
    """What a word is called; None if it looks right.

    Args:
        probability: that the word is wrong.
        threshold: from which on it is an error.
    """
    limits = ((1 + threshold) / 2, threshold, threshold / 2)
    named = zip(SHADES, limits, strict=True)
    return next((name for name, limit in named if probability >= limit), None)


def findings(outputs: Mapping[str, np.ndarray]) -> str:
    """A sentence on the errors of the first text."""
    count, threshold = int(outputs["is_error"][0].sum()), percent(outputs["threshold"][0])
    kind = "calibrated" if outputs["is_calibrated"][0] else "not calibrated"
    sentence = (
        f"{count} {'word has' if count == 1 else 'words have'} a probability of {threshold} or "
        f"more that it is an error ({kind})."
    )
    cut = " The end of the text was not read: the model reads no more."
    return sentence + (cut if outputs["is_truncated"][0] else "")


def part_of(text: str, start: int, end: int) -> str:
    """What is between two bytes of a text."""
    return _decoded(text.encode()[start:end])


def filled_text(text: str, outputs: Mapping[str, np.ndarray]) -> Spans:
    """A text whose masks are filled with the best token each.

    Args:
        text: with masks.
        outputs: of `fill_mask` for this text alone.
    """
    spans, done, data = [], 0, text.encode()
    for place in range(int(outputs["num_masks"][0])):
        start, end = (int(outputs[name][0, place]) for name in ("starts", "ends"))
        spans += [(_decoded(data[done:start]), None)] if start > done else []
        spans.append((str(outputs["tokens"][0, place, 0]), f"mask {place + 1}"))
        done = end
    return [*spans, (_decoded(data[done:]), None)] if done < len(data) else spans


def fillings_table(outputs: Mapping[str, np.ndarray]) -> Table:
    """A row [mask, token, probability] for each filling of each mask of the first text."""
    return [
        [str(place + 1), str(token), percent(probability)]
        for place in range(int(outputs["num_masks"][0]))
        for token, probability in zip(
            outputs["tokens"][0, place], outputs["probabilities"][0, place], strict=True
        )
    ]


def options_table(options: Sequence[str], outputs: Mapping[str, np.ndarray]) -> Table:
    """A row [option, the score of each rule] for each option of the first text, best first."""
    order = np.argsort(-outputs["scores"][0], kind="stable")
    rows = ([options[i], *(f"{outputs[rule][0, i]:.3f}" for rule in RULES)] for i in order)
    return list(rows)


def tagged_spans(text: str, outputs: Mapping[str, np.ndarray]) -> Spans:
    """Entities of the first text, or its words where the tags are not of spans."""
    if "entities" in outputs:
        names = ("entity_starts", "entity_ends", "entity_types")
        count = int(outputs["num_entities"][0])
    else:
        names, count = ("starts", "ends", "tags"), int(outputs["num_words"][0])
    columns = (outputs[name][0, :count] for name in names)
    return spans_of(text, ((int(a), int(b), str(t)) for a, b, t in zip(*columns, strict=True)))


def answer_spans(context: str, outputs: Mapping[str, np.ndarray]) -> Spans:
    """The passage of the first question with its answer marked."""
    start, end = int(outputs["start"][0]), int(outputs["end"][0])
    return spans_of(context, [(start, end, "answer")])


def answers_table(outputs: Mapping[str, np.ndarray]) -> Table:
    """A row [answer, probability] for each candidate of the first question."""
    count = int(outputs["num_answers"][0])
    columns = (outputs[name][0, :count] for name in ("answers", "answer_probabilities"))
    return [[str(answer), percent(p)] for answer, p in zip(*columns, strict=True)]


def labels_of(outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Label -> probability, of the first text."""
    columns = (outputs[name][0] for name in ("labels", "probabilities"))
    return {str(label): float(p) for label, p in zip(*columns, strict=True)}


def heat_map(texts: Sequence[str], similarities: np.ndarray) -> str:
    """A table in HTML of the similarity of every two texts.

    Args:
        texts: n of them.
        similarities: [n, n], -1 to 1; the cells are coloured from the least to the most similar
            of two different texts.
    """
    count = len(texts)
    others = similarities[~np.eye(count, dtype=bool)]
    low, high = (others.min(), others.max()) if count > 1 else (0.0, 1.0)
    numbers = "".join(f"<th>{number + 1}</th>" for number in range(count))
    lines = [f"<table><tr><th></th>{numbers}<th></th></tr>"]
    for row, text in enumerate(texts):
        cells = "".join(_cell(float(s), low, high) for s in similarities[row])
        lines.append(f"<tr><th>{row + 1}</th>{cells}<td>{html.escape(text)}</td></tr>")
    return "\n".join([*lines, "</table>"])


def percent(probability: float) -> str:
    """A probability in words: "0.4 %"."""
    return f"{100 * float(probability):.1f} %"


def _cell(similarity: float, low: float, high: float):
    share = min(1.0, max(0.0, (similarity - low) / max(high - low, 1e-12)))
    # Black text can be read on every shade.
    colour = f"rgb({round(255 - 165 * share)}, {round(255 - 85 * share)}, 255)"
    return f'<td style="background: {colour}; color: black">{similarity:.2f}</td>'


def _decoded(data: bytes):
    # Tokens of byte fallback are parts of characters.
    return data.decode(errors="replace")
