# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Outputs of a model, for one text, as coloured spans and tables; nothing here knows of the page.

Places in a text are bytes in UTF-8.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from electra_tf.serving.options import RULES

Outputs = Mapping[str, np.ndarray]
"""Of a method of `LoadedModel`; the first row is shown."""
Part = tuple[int, int, str | None]
"""Start, end, and the name of its colour, or None for no colour."""
Spans = list[tuple[str, str | None]]
"""The parts of a text, as texts with their names."""
Table = list[list[str]]

SHADES = {"clear error": "#dc2626", "error": "#f97316", "doubtful": "#facc15"}
"""What a word is called that looks wrong, and its colour."""
_LETTERS = re.compile(r"\w(?:.*\w)?", re.DOTALL)


class Word(NamedTuple):
    """A word of a text, and the probability that it does not belong there."""

    start: int
    end: int
    probability: float


# ---- Texts


def part_of(text: str, start: int, end: int) -> str:
    """What is between two places of a text; halves of characters become question marks."""
    return text.encode()[start:end].decode(errors="replace")


def has_letters(part: str) -> bool:
    """Whether there are letters or digits, not marks alone."""
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
    return [(part_of(text, start, end), name) for start, end, name in parts_of(text, marks)]


def percent(probability: float) -> str:
    """A probability as "0.4 %"."""
    return f"{100 * float(probability):.1f} %"


# ---- Pre-trained models


def words_of(text: str, errors: Outputs) -> list[Word]:
    """The words of a text, without the marks before and behind them, unless they are marks alone.

    Args:
        text: the text.
        errors: what `find_errors` gives for it.
    """
    words = []
    for start, end, probability in _rows(errors, "num_words", "starts", "ends", "probabilities"):
        whole = part_of(text, start, end)
        found = _LETTERS.search(whole)
        if found is not None:
            start += len(whole[: found.start()].encode())
            end = start + len(found[0].encode())
        words.append(Word(int(start), int(end), float(probability)))
    return words


def shade_of(probability: float, threshold: float) -> str | None:
    """What a word is called that is wrong with a probability; None if it looks right.

    Args:
        probability: that the word is wrong.
        threshold: from which on it is an error.
    """
    limits = ((1 + threshold) / 2, threshold, threshold / 2)
    named = zip(SHADES, limits, strict=True)
    return next((name for name, limit in named if probability >= limit), None)


def summary_of(errors: Outputs) -> str:
    """How many words are errors, from which probability on, and whether the whole text was read."""
    count, threshold = int(errors["is_error"][0].sum()), percent(errors["threshold"][0])
    subject = "1 word has" if count == 1 else f"{count} words have"
    kind = "calibrated" if errors["is_calibrated"][0] else "not calibrated"
    cut = " The end of the text was not read: the model reads no more."
    return (
        f"{subject} a probability of {threshold} or more that it is an error ({kind})."
        f"{cut if errors['is_truncated'][0] else ''}"
    )


def filled(text: str, fillings: Outputs) -> tuple[Spans, Table]:
    """A text with the best token for each mask; a row [mask, token, probability] per filling."""
    best, marks, table = {}, [], []
    names = ("starts", "ends", "tokens", "probabilities")
    for place, (start, end, *columns) in enumerate(_rows(fillings, "num_masks", *names), 1):
        name = f"mask {place}"
        marks.append((start, end, name))
        best[name] = str(columns[0][0])
        table += [[str(place), str(t), percent(p)] for t, p in zip(*columns, strict=True)]
    return [(best.get(name, part), name) for part, name in spans_of(text, marks)], table


def options_table(options: Sequence[str], scored: Outputs) -> Table:
    """A row [option, the score of each rule] for each option, best first."""
    order = np.argsort(-scored["scores"][0], kind="stable")
    return [[options[i], *(f"{scored[rule][0, i]:.3f}" for rule in RULES)] for i in order]


# ---- Fine-tuned models


def labelled(prediction: Outputs) -> dict[str, float]:
    """Label -> probability."""
    columns = (prediction[name][0] for name in ("labels", "probabilities"))
    return {str(label): float(p) for label, p in zip(*columns, strict=True)}


def tagged(text: str, prediction: Outputs) -> Spans:
    """A text with its entities marked, or its words where the tags are not of spans."""
    names = ("num_words", "starts", "ends", "tags")
    if "entities" in prediction:
        names = ("num_entities", "entity_starts", "entity_ends", "entity_types")
    return spans_of(text, ((a, b, str(tag)) for a, b, tag in _rows(prediction, *names)))


def answered(context: str, prediction: Outputs) -> tuple[str, Spans, Table]:
    """A note, the passage with the answer marked, a row [answer, probability] per candidate."""
    is_answered = bool(prediction.get("is_answered", [True])[0])
    note = "" if is_answered else "The passage does not answer this, says the model."
    answer = (int(prediction["start"][0]), int(prediction["end"][0]), "answer")
    rows = _rows(prediction, "num_answers", "answers", "answer_probabilities")
    return note, spans_of(context, [answer]), [[str(text), percent(p)] for text, p in rows]


# ---- Any model


def heat_map(texts: Sequence[str], similarities: np.ndarray) -> str:
    """A table in HTML of the similarity of every two texts.

    Args:
        texts: n of them.
        similarities: [n, n]; the cells are coloured from the least to the most similar of two
            different texts.
    """
    count = len(texts)
    others = similarities[~np.eye(count, dtype=bool)]
    low, high = (others.min(), others.max()) if count > 1 else (0.0, 1.0)
    shares = np.clip((similarities - low) / max(high - low, 1e-12), 0.0, 1.0)
    numbers = "".join(f"<th>{number + 1}</th>" for number in range(count))
    lines = [f"<table><tr><th></th>{numbers}<th></th></tr>"]
    for row, text in enumerate(texts):
        cells = "".join(map(_cell, similarities[row], shares[row]))
        lines.append(f"<tr><th>{row + 1}</th>{cells}<td>{html.escape(text)}</td></tr>")
    return "\n".join([*lines, "</table>"])


def _cell(similarity: float, share: float):
    # Black text can be read on every shade.
    colour = f"rgb({round(255 - 165 * share)}, {round(255 - 85 * share)}, 255)"
    return f'<td style="background: {colour}; color: black">{similarity:.2f}</td>'


def _rows(outputs: Outputs, count: str, *names: str):
    """Rows of some columns, as many as an output says."""
    size = int(outputs[count][0])
    return zip(*(outputs[name][0, :size] for name in names), strict=True)
