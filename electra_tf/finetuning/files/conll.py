# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Files with one word per line and blank lines between sentences (CoNLL columns).

What a line is:

- Cells are separated by tabs where the line has any, else by spaces. They are split before
  anything is stripped, and only spaces are: a no-break space is a word like any other.
- The first line that does not begin with "#" decides how many cells a row has. A line that begins
  with "#" is a row if it has as many, split as that line is: "# O" is the word "#" where rows are
  two words. Otherwise it is a comment, but "#word" inside a sentence is a row that lacks cells.
  "# author" before a sentence is a comment, too, if no other word has the tag "author".
- Ranges (1-2) and empty nodes (1.1) of CoNLL-U are not words. They are left out of
  sentences whose other rows are numbered 1, 2, 3 in the first column.
- A first row that names the columns is skipped if a header is expected, else refused.
"""

import re
from collections.abc import Mapping, Sequence

from absl import logging

from electra_tf.config.span_tags import is_span_tag
from electra_tf.finetuning.files.contents import BLANKS, read_lines, require_examples
from electra_tf.finetuning.files.data_warnings import BadRows, counted, log_once, shown
from electra_tf.finetuning.files.examples import TaggingExample
from electra_tf.finetuning.files.tables import column_positions

_Row = tuple[int, list[str]]
"""The number of a line, and its cells."""
_DOCUMENT_START = "-DOCSTART-"
_SPACES = re.compile(f"[{BLANKS}]+")
_RANGE_OR_EMPTY_NODE = re.compile(r"\d+-\d+|\d+\.\d+")
_COLUMN_NAMES = frozenset(
    "token tokens word words form text tag tags label labels class entity entities iob bio bioes "
    "ner ner_tag ner_tags chunk chunk_tag chunk_tags pos pos_tag pos_tags upos xpos iob_tag "
    "bio_tag ner_label entity_label entity_tag entity_type annotation category".split()
)


def read_tagged(
    path: str,
    bad_rows: BadRows,
    word_column: int | str = 0,
    tag_column: int | str = -1,
    labelled: bool = True,
    header: bool | None = None,
) -> list[TaggingExample]:
    """Returns the `TaggingExample`s of a file; ids are the numbers of the sentences, from 0.

    word_column, tag_column: numbers or, with a header, names. header: whether the first row names
    the columns; None: it is expected not to, and refused if it seems so. Where rows are skipped, a
    bad line takes its sentence with it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line has another number of columns than the first, the first line seems to
            name the columns although no header is expected, or there is no sentence.
    """
    wanted = {"word": word_column} | ({"tag": tag_column} if labelled else {})
    numbers = [column for column in wanted.values() if isinstance(column, int)]
    least = max([len(wanted), *(n + 1 if n >= 0 else -n for n in numbers)])
    rows = _rows(path, least)
    expected = max(least, len(next((row for _, row in rows if row), [])))
    if header and rows:
        line, names = rows.pop(_first(rows))
        wanted = column_positions(f"{path}, line {line}", names, wanted)
    tag = wanted.get("tag", tag_column)
    if expected > 1 and isinstance(tag, int):  # else there is nothing but words
        rows = _without_comments(rows, tag, path)
    if header is None and _names_columns(rows, wanted.get("tag")):
        line, names = rows.pop(_first(rows))
        bad_rows.report(
            f"{path}, line {line}",
            "a word",
            f'what seems to be a header, {shown(names)}; say "header": true to skip it, or false '
            "to read it, in the description of the task",
        )
    examples, sentence = [], []
    for line, row in [*rows, (0, [])]:
        if row:
            sentence.append((line, row))
        elif sentence:
            if _is_usable(sentence, path, expected, wanted, bad_rows):
                examples.append(_example(len(examples), sentence, path, wanted))
            sentence = []
    return require_examples(examples, path)


def _rows(path: str, least: int):
    """Returns (line, cells) of rows and of the ends of sentences, which have no cells.

    least: cells that a row must have.
    """
    lines = list(enumerate(read_lines(path), start=1))
    texts = (t for _, t in lines if not t.startswith("#") and not _is_blank(t, least))
    first = next((t for t in texts if _cells(t)[:1] != [_DOCUMENT_START]), "")
    count, separator = len(_cells(first)) or least, "\t" if "\t" in first else None
    rows, is_inside, num_comments = [], False, 0
    for line, text in lines:
        cells = _cells(text)
        if _is_blank(text, count):
            rows.append((line, []))
            is_inside = False
            continue
        if cells[0] == _DOCUMENT_START:
            continue
        if text.startswith("#"):
            is_row = len(_cells(text, separator)) == count
            lacks_cells = is_inside and text[1:2].strip()
            if not is_row and not lacks_cells:
                num_comments += 1
                continue
        rows.append((line, cells))
        is_inside = True
    if num_comments:
        lines_are = counted(num_comments, "line of comments is", "lines of comments are")
        log_once(f"{path}: {lines_are} left out.", logging.INFO)
    return rows if is_inside or any(row for _, row in rows) else []


def _is_blank(text: str, count: int):
    """Whether a line ends a sentence; a no-break space alone does so where rows have columns."""
    return not (text.strip() if count > 1 else text.strip(BLANKS))


def _cells(text: str, separator: str | None = None):
    """Returns the cells of a line, split at tabs if it has any or they are the separator."""
    if "\t" not in text and separator is None:
        text = text.strip(BLANKS)
        return _SPACES.split(text) if text else []
    cells = text.split("\t")
    # Tabs at the ends of a line separate nothing.
    while cells and not cells[0]:
        cells.pop(0)
    while cells and not cells[-1].strip(BLANKS):
        cells.pop()
    return [cell.strip(BLANKS) or cell for cell in cells]


def _first(rows: Sequence[_Row]) -> int | None:
    """The place of the first row that has cells."""
    return next((number for number, (_, row) in enumerate(rows) if row), None)


def _names_columns(rows: Sequence[_Row], tag: int | None):
    """Whether the first row has names of columns where others have words and tags."""
    first = _first(rows)
    if first is None:
        return False
    names = [cell.lower() for cell in rows[first][1]]
    if tag is None or not -len(names) <= tag < len(names):
        return len(names) > 1 and _COLUMN_NAMES.issuperset(names)
    others = (row for _, row in rows[first + 1 :] if -len(row) <= tag < len(row))
    return names[tag] in _COLUMN_NAMES and all(row[tag] != rows[first][1][tag] for row in others)


def _without_comments(rows: Sequence[_Row], tag: int, path: str) -> list[_Row]:
    """Returns the rows without those that begin a sentence with "#" and a tag of no other word.

    "# author" is such a comment where rows are a word and a tag; "# O" is none, nor is "# #", as
    the Penn Treebank tags the sign.
    """
    whole = [(line, row) for line, row in rows if not row or -len(row) <= tag < len(row)]
    used = {row[tag] for _, row in whole if row and not row[0].startswith("#")}
    comments, is_inside = {}, False
    for line, row in whole:
        is_odd = row and row[0].startswith("#") and row[tag] not in used
        if is_odd and not is_inside and row[tag] != "#" and not is_span_tag(row[tag]):
            comments[line] = row
        else:
            is_inside = bool(row)
    if comments:
        line, row = next(iter(comments.items()))
        log_once(
            f"{path}: lines that begin with # and have as many cells as others are left out as "
            f"comments, since no other word has such a tag: {len(comments)}, the first is line "
            f"{line}, {shown(' '.join(row))}."
        )
    return [(line, row) for line, row in rows if line not in comments]


def _is_usable(
    sentence: Sequence[_Row], path: str, expected: int, wanted: Mapping[str, int], bad_rows: BadRows
):
    """Returns whether all rows have their cells; reports those that do not."""

    def is_whole(row: list[str]):
        if len(row) != expected or not all(row):
            return False
        return "tag" not in wanted or bool(row[wanted["tag"]].strip())

    bad = [(line, row) for line, row in sentence if not is_whole(row)]
    for line, row in bad:
        received = f"{len(row)}: {shown(' '.join(row))}"
        bad_rows.report(f"{path}, line {line}", f"{expected} columns", received)
    return not bad


def _example(number: int, sentence: Sequence[_Row], path: str, wanted: Mapping[str, int]):
    sentence = _without_ranges(sentence, wanted["word"])
    lines = tuple(line for line, _ in sentence)
    words = tuple(row[wanted["word"]] for _, row in sentence)
    tags = tuple(row[wanted["tag"]] for _, row in sentence) if "tag" in wanted else None
    return TaggingExample(number, words, tags, str(path), lines[0], lines)


def _without_ranges(sentence: Sequence[_Row], word: int):
    """Returns the rows of a sentence; without ranges and empty nodes, if its rows are numbered."""
    kept = [(line, row) for line, row in sentence if not _RANGE_OR_EMPTY_NODE.fullmatch(row[0])]
    numbers = [row[0] for _, row in kept]
    is_numbered = numbers == [str(number) for number in range(1, len(kept) + 1)]
    first_is_word = not kept or word % len(kept[0][1]) == 0
    return kept if is_numbered and not first_is_word else sentence
