# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tables as programs and people write them: blank ends, labels that differ in writing only."""

import json

import pytest
from task_files import write

from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.files.labels import ClassesRule, ClassRule, ScoreRule
from electra_tf.finetuning.files.tables import Columns, read_texts
from electra_tf.finetuning.task import load_task

COLUMNS = Columns("text", label="label")
ANY = ClassRule()


def labels(path, rule=ANY, columns=COLUMNS):
    file_format = path.name.rsplit(".", 1)[1]
    return [e.label for e in read_texts(path, file_format, columns, rule, BadRows())]


def task_of(tmp_path, name, text, **fields):
    write(tmp_path / name, text)
    description = {
        "kind": "classification",
        "format": name.rsplit(".", 1)[1],
        "columns": {"text_a": "text", "label": "label"},
        "files": {"train": name},
    }
    return load_task(write(tmp_path / "own.json", json.dumps(description | fields)), tmp_path)


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\r\n\r\n", "\n  \n", "\n\t\n \t \n"])
def test_blank_lines_at_the_end_are_no_rows(end, tmp_path):
    assert labels(write(tmp_path / "a.tsv", f"text\tlabel\na\t1\nb\t0{end}")) == ["1", "0"]
    assert labels(write(tmp_path / "a.csv", f"text,label\na,1\nb,0{end}")) == ["1", "0"]
    lines = f'{{"text": "a", "label": 1}}\n{{"text": "b", "label": "0"}}{end}'
    assert labels(write(tmp_path / "a.jsonl", lines)) == ["1", "0"]


def test_rows_of_empty_cells_at_the_end_are_none_either(tmp_path):
    assert labels(write(tmp_path / "a.csv", "text,label\na,1\n,\n,\n")) == ["1"]


def test_blank_lines_in_the_middle_are_bad_rows(tmp_path):
    for name, text in (
        ("a.tsv", "text\tlabel\na\t1\n\nb\t0\n"),
        ("a.csv", "text,label\na,1\n\nb,0"),
    ):
        with pytest.raises(ValueError, match="line 3: expected 2 columns, received"):
            labels(write(tmp_path / name, text))


def test_labels_are_stripped(tmp_path, caplog):
    task = task_of(tmp_path, "a.tsv", "text\tlabel\na\tyes\nb\tyes \nc\t no\nd\tno\r\n")
    assert task.spec.labels == ("no", "yes")
    assert [e.label for e in task.examples("train")] == ["yes", "yes", "no", "no"]
    (record,) = caplog.records
    assert "a.tsv: 2 labels are written in several ways: 'yes' and 'yes '; ' no' and 'no'." in (
        record.message
    )
    listed = task_of(tmp_path, "a.csv", "text,label\na,yes \nb, no\n", labels=["no ", "yes"])
    assert [e.label for e in listed.examples("train")] == ["yes", "no"]
    assert len(caplog.records) == 1


def test_warnings_of_one_thing_are_in_the_singular(tmp_path, caplog):
    task = task_of(tmp_path, "a.tsv", "text\tlabel\na\tyes\na\tYes\nb\tno\nb\t no\n")
    task.examples("train")
    spellings, similar, contradictions = (record.message for record in caplog.records)
    assert spellings.endswith("a.tsv: 1 label is written in several ways: 'no' and ' no'.")
    assert "1 label differs from another one in case or spaces only and is a separate label: " in (
        similar
    )
    assert "1 of 2 texts occurs with different labels" in contradictions


def test_labels_that_differ_in_case_or_spaces_are_named(tmp_path, caplog):
    text = "text\tlabel\na\tyes\nb\tYes\nc\tNot so\nd\tnot  so\n"
    assert len(task_of(tmp_path, "a.tsv", text).spec.labels) == 4
    (record,) = caplog.records
    assert "2 labels differ" in record.message
    assert "'Yes' and 'yes'" in record.message
    assert "'Not so' and 'not  so'" in record.message


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "null", '"nan"', '"NULL"', '" "']
)
@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("classification", ANY),
        ("multilabel", ClassesRule()),
        ("regression", ScoreRule((0.0, 9.0))),
    ],
)
def test_values_that_stand_for_nothing_are_no_labels(value, kind, rule, tmp_path):
    written = f"[{value}]" if kind == "multilabel" else value
    text = f'{{"text": "a", "label": {written}}}\n'
    with pytest.raises(ValueError, match=r"a\.jsonl, line 1: expected (a label|a score|a list)"):
        labels(write(tmp_path / "a.jsonl", text), rule)
    if kind != "multilabel":
        cell = value.strip('"')
        with pytest.raises(ValueError, match=r"a\.tsv, line 2: expected (a label|a score)"):
            labels(write(tmp_path / "a.tsv", f"text\tlabel\na\t{cell}\n"), rule)


def test_a_label_that_the_task_lists_may_be_called_null(tmp_path):
    rule = ClassRule(("null", "alternative"))
    assert labels(write(tmp_path / "a.tsv", "text\tlabel\na\tnull\n"), rule) == ["null"]


NUMBERS = '{"text": "a", "label": 1}\n{"text": "b", "label": 1.0}\n{"text": "c", "label": "1"}\n'


def test_a_number_is_one_label_however_it_is_written(tmp_path):
    other = '{"text": "d", "label": 0}\n'
    task = task_of(tmp_path, "a.jsonl", NUMBERS + other)
    assert task.spec.labels == ("0", "1")
    assert [e.label for e in task.examples("train")] == ["1", "1", "1", "0"]
    task = task_of(tmp_path, "b.tsv", "text\tlabel\na\t1\nb\t1.0\nc\t2.00\n")
    assert task.spec.labels == ("1", "2.00")  # as in the file where it is always written so
    assert [e.label for e in task.examples("train")] == ["1", "1", "2.00"]


def test_numbers_and_truth_values_are_the_listed_labels(tmp_path):
    path = write(tmp_path / "a.jsonl", NUMBERS)
    assert labels(path, ClassRule(("0.0", "1.0"))) == ["1.0"] * 3
    truths = write(tmp_path / "b.jsonl", '{"text": "a", "label": true}\n')
    assert labels(truths, ClassRule(("false", "true"))) == ["true"]
    assert labels(truths, ClassRule(("False", "True"))) == ["True"]
    with pytest.raises(ValueError, match="one of the labels 0, 1, received 'True'"):
        labels(truths, ClassRule(("0", "1")))
    several = write(tmp_path / "c.jsonl", '{"text": "a", "label": [1.0, "2"]}\n')
    assert labels(several, ClassesRule(("1", "2"))) == [("1", "2")]


def test_texts_with_two_labels_are_counted(tmp_path, caplog):
    text = "text\tlabel\na\tx\na\ty\nb\tx\nb\tx\nc\tx\nc\ty\n"
    task_of(tmp_path, "a.tsv", text).examples("train")
    (record,) = caplog.records
    assert "2 of 3 texts occur with different labels, the first is 'a' with 'x' and 'y'" in (
        record.message
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_tables_and_descriptions_may_have_a_byte_order_mark(encoding, tmp_path):
    task_of(tmp_path, "a.csv", "text,label\nä,1\nb,0\n")
    for name in ("a.csv", "own.json"):
        path = tmp_path / name
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    task = load_task(tmp_path / "own.json", tmp_path)
    assert [(e.text_a, e.label) for e in task.examples("train")] == [("ä", "1"), ("b", "0")]


@pytest.mark.parametrize(("name", "separator"), [("a.tsv", "\t"), ("a.csv", ",")])
def test_an_empty_line_is_no_header(name, separator, tmp_path):
    path = write(tmp_path / name, f"\ntext{separator}label\na{separator}1\n")
    with pytest.raises(ValueError, match=r"line 1: expected one column named 'text' .*, received"):
        labels(path)


def test_halves_of_surrogate_pairs_are_no_names(tmp_path):
    with pytest.raises(ValueError, match=r"own\.json: expected texts, .* half of a surrogate"):
        task_of(tmp_path, "a.tsv", "text\tlabel\na\t1\n", about="\ud800")


@pytest.mark.parametrize("highest", [float("inf"), float("nan"), 10**400])
def test_a_range_of_scores_is_finite(highest, tmp_path):
    fields = {"kind": "regression", "value_range": [0, highest]}
    with pytest.raises(ValueError, match=r"'value_range' to be \[lowest, highest\]"):
        task_of(tmp_path, "a.tsv", "text\tlabel\na\t1\n", **fields)


def test_many_or_long_labels_are_cut_in_messages(tmp_path):
    labels = tuple(f"label {number} {'y' * 50}" for number in range(100))
    path = tmp_path / "train.tsv"
    path.write_text("text\tlabel\na\tother\n")
    columns = Columns("text", None, "label")
    with pytest.raises(
        ValueError, match=r"line 2: .*label 0 y+, label 1 .*\.\.\., .*'other'"
    ) as error:
        read_texts(str(path), "tsv", columns, ClassRule(labels), BadRows())
    assert len(str(error.value)) < 1000
