# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tables of labelled texts: TSV, CSV and JSONL files become `TextExample`s."""

import collections
import csv
import dataclasses
import io
import itertools
from collections.abc import Iterable, Mapping, Sequence

from electra_tf.config.fields import is_unicode
from electra_tf.config.task_table import Columns
from electra_tf.finetuning.files.contents import (
    BLANKS,
    json_object,
    read_lines,
    read_text,
    require_examples,
)
from electra_tf.finetuning.files.data_warnings import BadRows, shown, warn_of_spellings
from electra_tf.finetuning.files.examples import TextExample
from electra_tf.finetuning.files.labels import LabelRule

_TEXTS = ("text_a", "text_b", "negative")
_LONGEST_CELL = 2**30
_GOOD = object()


def read_texts(
    path: str,
    file_format: str,
    columns: Columns,
    rule: LabelRule,
    bad_rows: BadRows,
    labelled: bool = True,
) -> list[TextExample]:
    """Returns the `TextExample`s of a table; ids are the numbers of the rows, from 0.

    rule: a `LabelRule`, what a label may be.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a row is bad and rows are not skipped (see `BadRows`), a column is not in the
            header, or no row is left.
    """
    read = {"tsv": _tsv_records, "csv": _csv_records, "jsonl": _json_records}[file_format]
    examples, spellings = [], collections.defaultdict(dict)
    for number, line, cells in read(str(path), columns, bad_rows, labelled):
        place = f"{path}, line {line}"
        texts = {name: cells[name] for name in _TEXTS if name in cells}
        bad = next((text for text in texts.values() if not is_unicode(text)), _GOOD)
        if bad is not _GOOD:
            bad_rows.report(place, "a text", shown(bad))
            continue
        # QQP as released has pairs of which one question is empty; the other one can be read.
        if not any(text.strip() for text in texts.values()):
            bad_rows.report(place, f"a text in column {columns.text_a!r}", "an empty cell")
            continue
        label = rule.label_of(cells["label"], place, bad_rows) if labelled else None
        if labelled and label is None:
            continue
        if labelled and isinstance(cells["label"], str):
            spellings[label][cells["label"]] = None
        examples.append(TextExample(number, **texts, label=label, file=str(path), line=line))
    if rule.warns_of_spellings:
        warn_of_spellings(spellings, path)
    return require_examples(examples, path)


def with_swapped_pairs(examples: Sequence[TextExample]) -> list[TextExample]:
    """Returns the examples followed by the same ones with the two texts exchanged, as new ids.

    For tasks where the order of the texts means nothing (classification_tasks.py:347-350).
    """
    first_id = 1 + max(example.id for example in examples)
    return [
        *examples,
        *(
            dataclasses.replace(e, id=first_id + e.id, text_a=e.text_b, text_b=e.text_a)
            for e in examples
        ),
    ]


def _wanted(columns: Columns, labelled: bool):
    """Returns {part: column} of the columns that a file must have."""
    wanted = {name: getattr(columns, name) for name in _TEXTS}
    if labelled:
        wanted["label"] = columns.label
    return {part: column for part, column in wanted.items() if column is not None}


def _tsv_records(path: str, columns: Columns, bad_rows: BadRows, labelled: bool):
    rows = ((n, line.split("\t")) for n, line in enumerate(read_lines(path), start=1))
    return _table_records(path, rows, columns, bad_rows, labelled)


def _csv_records(path: str, columns: Columns, bad_rows: BadRows, labelled: bool):
    def rows():
        before = csv.field_size_limit(_LONGEST_CELL)
        reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
        start = 1
        blank = []  # at the end of a file they are no rows
        try:
            for row in reader:
                blank.append((start, row))
                if "".join(row).strip(BLANKS):
                    yield from blank
                    blank = []
                start = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(
                f"{path}, line {start}: expected a row of CSV, received {error}."
            ) from error
        finally:
            csv.field_size_limit(before)

    return _table_records(path, rows(), columns, bad_rows, labelled)


def _table_records(
    path: str,
    rows: Iterable[tuple[int, list[str]]],
    columns: Columns,
    bad_rows: BadRows,
    labelled: bool,
):
    """Yields (row number, line, {part: cell}) of rows (line, cells)."""
    rows = iter(rows)
    wanted, count = _wanted(columns, labelled), columns.count
    if columns.header:
        for _, header in itertools.islice(rows, 1):
            wanted = column_positions(f"{path}, line 1", header, wanted)
            count = len(header)
    for number, (line, row) in enumerate(rows):
        place = f"{path}, line {line}"
        if count is None and "".join(row).strip(BLANKS):
            count = len(row)  # nothing else says how many there are
        if len(row) != count:
            expected = "a row" if count is None else f"{count} columns"
            bad_rows.report(place, expected, f"{len(row)}: {shown(row)}")
            continue
        try:
            cells = {part: row[column] for part, column in wanted.items()}
        except IndexError:
            bad_rows.report(place, f"columns {sorted(wanted.values())}", f"{len(row)} columns")
            continue
        yield number, line, cells


def column_positions(
    place: str, header: list[str], wanted: Mapping[str, int | str]
) -> dict[str, int]:
    """Returns {part: number} of columns that are given by name or number.

    place: of the header, for messages. wanted: {part: column}.

    Raises:
        ValueError: the header lacks a column, or has several of a name.
    """
    positions = {}
    for part, column in wanted.items():
        if isinstance(column, str):
            if header.count(column) != 1:
                raise ValueError(
                    f"{place}: expected one column named {column!r} ({part}), received "
                    f"{', '.join(map(repr, header)) or 'an empty line'}."
                )
            column = header.index(column)
        elif not -len(header) <= column < len(header):
            raise ValueError(
                f"{place}: expected a column number {column} ({part}), received "
                f"{len(header)} columns."
            )
        positions[part] = column
    return positions


def _json_records(path: str, columns: Columns, bad_rows: BadRows, labelled: bool):
    wanted = _wanted(columns, labelled)
    for number, text in enumerate(read_lines(path)):
        place = f"{path}, line {number + 1}"
        record = json_object(text, place, bad_rows)
        if record is None:
            continue
        missing = [name for name in wanted.values() if name not in record]
        if missing:
            bad_rows.report(place, f"the keys {missing}", f"the keys {sorted(record)}")
            continue
        yield number, number + 1, {part: record[name] for part, name in wanted.items()}
