# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Files with one word per line and blank lines between sentences (CoNLL columns)."""

from electra_tf.finetuning.bad_rows import shown
from electra_tf.finetuning.examples import TaggingExample
from electra_tf.finetuning.files import read_lines, require_examples

_DOCUMENT_START = "-DOCSTART-"


def read_tagged(path, bad_rows, word_column=0, tag_column=-1, labelled=True):
    """Returns the `TaggingExample`s of a file; ids are the numbers of the sentences, from 0.

    Columns are separated by tabs where a line has any, else by white space. Where rows are
    skipped, a bad line takes its sentence with it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line has another number of columns than the first, or there is no sentence.
    """
    examples, sentence, start, count, is_bad = [], [], 0, None, False

    def end_sentence():
        nonlocal sentence, is_bad
        if sentence and not is_bad:
            words = tuple(row[word_column] for row in sentence)
            tags = tuple(row[tag_column] for row in sentence) if labelled else None
            examples.append(TaggingExample(len(examples), words, tags, str(path), start))
        sentence, is_bad = [], False

    least = _columns_needed(word_column, tag_column if labelled else word_column)
    for line, text in enumerate(read_lines(path), start=1):
        row = _columns(text)
        if not row:
            end_sentence()
            continue
        if row[0] == _DOCUMENT_START:
            continue
        count = count or len(row)
        expected = max(count, least)
        if len(row) != expected or not all(row):
            bad_rows.report(
                f"{path}, line {line}", f"{expected} columns", f"{len(row)}: {shown(text)}"
            )
            is_bad = True
        start = start if sentence else line
        sentence.append(row)
    end_sentence()
    return require_examples(examples, path)


def _columns(text):
    text = text.strip()
    return text.split("\t") if "\t" in text else text.split()


def _columns_needed(word_column, tag_column):
    if word_column == tag_column:
        return 1
    return max(2, *(c + 1 if c >= 0 else -c for c in (word_column, tag_column)))
