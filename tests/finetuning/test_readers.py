# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Tables and tagged files: what is read, and which row is wrong and why."""

import dataclasses
import gzip

import pytest
from task_files import write
from tiny_finetuning import classification

from electra_tf.finetuning.files.conll import read_tagged
from electra_tf.finetuning.files.contents import read_lines
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.files.examples import TaggingExample, TextExample
from electra_tf.finetuning.files.labels import ClassesRule, ClassRule, ScoreRule
from electra_tf.finetuning.files.tables import Columns, read_texts, with_swapped_pairs
from electra_tf.finetuning.task import load_task
from electra_tf.given_files import data_file

BINARY = ClassRule(("0", "1"))
SCORES = ScoreRule((0.0, 5.0))
TOPICS = ClassesRule(("a", "b", "c"))
NAMED = Columns("text", "other", "label")


def read(path, columns=NAMED, rule=BINARY, skip=None, **options):
    file_format = path.name.rsplit(".", 1)[1]
    bad_rows = BadRows(skip)
    return read_texts(path, file_format, columns, rule, bad_rows, **options), bad_rows


def test_columns_by_name_and_by_number(tmp_path):
    path = write(tmp_path / "a.tsv", 'label\ttext\tother\r\n1\tan "open quote\tb\r\n0\tc\t\r\n')
    expected = [
        TextExample(0, 'an "open quote', "b", "1", str(path), 2),
        TextExample(1, "c", "", "0", str(path), 3),
    ]
    assert read(path)[0] == expected
    assert read(path, Columns(1, -1, 0))[0] == expected
    assert [e.label for e in read(path, labelled=False)[0]] == [None, None]


def test_csv_has_quotes_and_lines_in_cells(tmp_path):
    path = write(tmp_path / "a.csv", 'text,other,label\n"a, ""b""\nc",d,1\ne,f,0\n')
    examples, _ = read(path)
    assert [(e.id, e.text_a, e.line) for e in examples] == [(0, 'a, "b"\nc', 2), (1, "e", 4)]


def test_json_lines(tmp_path):
    lines = '{"text": "x", "labels": ["c", "a"]}\n{"text": "y", "labels": []}\n'
    path = write(tmp_path / "a.jsonl", lines)
    examples, _ = read(path, Columns("text", label="labels"), TOPICS)
    assert [e.label for e in examples] == [("c", "a"), ()]


def test_a_cell_with_several_labels(tmp_path):
    path = write(tmp_path / "a.tsv", "x\ta; c\ny\t\n")
    examples, _ = read(path, Columns(0, label=1, header=False), TOPICS)
    assert [e.label for e in examples] == [("a", "c"), ()]


def test_swapped_pairs_get_new_ids():
    pair = TextExample(3, "a", "b", "1")
    swapped = with_swapped_pairs([TextExample(0, "c", "d", "0"), pair])
    assert [(e.id, e.text_a, e.text_b, e.label) for e in swapped[2:]] == [
        (4, "d", "c", "0"),
        (7, "b", "a", "1"),
    ]


def test_one_text_of_a_pair_may_be_empty(tmp_path):
    pairs = Columns("text", "other", "label")
    text = "text\tother\tlabel\n\tb\t1\na\t\t0\n"
    examples, _ = read(write(tmp_path / "a.tsv", text), pairs)
    assert [(e.text_a, e.text_b) for e in examples] == [("", "b"), ("a", "")]
    with pytest.raises(ValueError, match="line 2: expected a text in column 'text'"):
        read(write(tmp_path / "b.tsv", "text\tother\tlabel\n\t \t1\n"), pairs)


HEADER = "text\tother\tlabel\n"
JSON_COLUMNS = Columns("text", label="label")


@pytest.mark.parametrize(
    ("name", "text", "columns", "rule", "expected"),
    [
        (
            "a.tsv",
            HEADER + "x\ty\t1\nx\ty\n",
            NAMED,
            BINARY,
            r"line 3: expected 3 columns, received 2",
        ),
        (
            "a.tsv",
            HEADER + "x\ty\t2\n",
            NAMED,
            BINARY,
            r"line 2: expected one of the labels 0, 1, r",
        ),
        (
            "a.tsv",
            "x\t1\nx\ty\t1\n",
            Columns(0, label=-1, header=False),
            BINARY,
            r"line 2: expected 2 columns, received 3",
        ),
        ("a.tsv", HEADER + "x\ty\t\n", NAMED, BINARY, r"line 2: expected a label, received none"),
        ("a.tsv", HEADER + " \ty\t1\n", JSON_COLUMNS, BINARY, r"expected a text in column 'text'"),
        ("a.tsv", HEADER, NAMED, BINARY, r"a\.tsv: expected at least one example, .* empty split"),
        ("a.tsv", "", NAMED, BINARY, r"expected at least one example"),
        ("a.tsv", "t\tother\tlabel\n", NAMED, BINARY, r"one column named 'text' .* received 't', "),
        (
            "a.tsv",
            "a\tb\n",
            Columns(0, label=4),
            BINARY,
            r"column number 4 \(label\), .* 2 columns",
        ),
        ("a.tsv", HEADER + "x\ty\t5.5\n", NAMED, SCORES, r"score from 0 to 5, received '5\.5'"),
        ("a.tsv", HEADER + "x\ty\tnan\n", NAMED, SCORES, r"a score from 0 to 5, received 'nan'"),
        ("a.tsv", HEADER + "x\ty\thigh\n", NAMED, SCORES, r"a score from 0 to 5, received 'high'"),
        ("a.tsv", HEADER + "x\ty\ta;d\n", NAMED, TOPICS, r"labels out of a, b, c, received 'd'"),
        ("a.csv", 'text,other,label\n"x,y,1\n', NAMED, BINARY, r"line 2: expected a row of CSV"),
        ("a.jsonl", '{"text": "x"\n', JSON_COLUMNS, BINARY, r"line 1: expected a JSON object"),
        ("a.jsonl", "[1]\n", JSON_COLUMNS, BINARY, r"a JSON object, received a list"),
        ("a.jsonl", '{"text": "x"}\n', JSON_COLUMNS, BINARY, r"the keys \['label'\], .*\['text'\]"),
        ("a.jsonl", '{"text": 3, "label": "1"}', JSON_COLUMNS, BINARY, r"a text, received 3"),
        ("a.jsonl", '{"text": "\\ud800", "label": 1}', JSON_COLUMNS, BINARY, r"expected a text"),
        (
            "a.jsonl",
            '{"text": "x", "label": null}',
            JSON_COLUMNS,
            BINARY,
            r"a label, received null\.",
        ),
        (
            "a.jsonl",
            '{"text": "x", "label": NaN}',
            JSON_COLUMNS,
            BINARY,
            r"a label, received NaN\.",
        ),
        ("a.jsonl", '{"text": "x", "label": NaN}', JSON_COLUMNS, SCORES, "0 to 5, received NaN"),
        ("a.jsonl", '{"text": "x", "label": ["1"]}', JSON_COLUMNS, BINARY, r"a label, .*\['1'\]"),
        ("a.jsonl", '{"text": "x", "label": [null]}', JSON_COLUMNS, TOPICS, r"a list of labels"),
    ],
)
def test_rows_that_do_not_fit_are_errors_with_their_place(
    name, text, columns, rule, expected, tmp_path
):
    with pytest.raises(ValueError, match=expected) as error:
        read(write(tmp_path / name, text), columns, rule)
    assert str(tmp_path / name) in str(error.value)


def test_bytes_that_are_not_utf8_are_an_error_with_their_line(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes(HEADER.encode() + b"x\ty\t1\n\xe9\ty\t1\n")
    with pytest.raises(ValueError, match=r"a\.tsv, line 3: expected UTF-8, received the byte 0xe9"):
        read(path)
    with pytest.raises(FileNotFoundError, match=r"b\.tsv does not exist"):
        read(tmp_path / "b.tsv")


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("train.tsv", "text\tlabel\nw1\tyes\nw2\n", r"train\.tsv\.gz, line 3: "),
        ("dev.tsv", "text\tlabel\nw1\tmaybe\n", r"dev\.tsv\.gz, line 2: "),
        ("dev.tsv", "text\tlabel\n", r"dev\.tsv\.gz: expected at least one example"),
    ],
)
def test_errors_name_the_packed_file_that_was_read(tmp_path, name, rows, message):
    path = classification(tmp_path, sizes=(3, 2, 1))
    folder = tmp_path / "finetuning_data" / "words"
    (folder / name).unlink()
    (folder / f"{name}.gz").write_bytes(gzip.compress(rows.encode()))
    with pytest.raises(ValueError, match=message):
        load_task(path, str(folder)).examples(name.removesuffix(".tsv"))


def test_what_is_checked_and_what_is_read_is_the_same_file(tmp_path):
    path = classification(tmp_path, sizes=(3, 2, 1))
    folder = tmp_path / "finetuning_data" / "words"
    examples = [load_task(path, str(folder)).examples(split) for split in ("train", "dev")]
    for name in ("train.tsv", "dev.tsv"):
        content = (folder / name).read_bytes()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        (folder / name).unlink()
        assert data_file(str(folder / name)) == str(folder / f"{name}.gz")
    task = load_task(path, str(folder))
    assert [task.has(split) for split in ("train", "dev", "test")] == [True, True, True]
    for split, expected in zip(("train", "dev"), examples, strict=True):
        packed = str(folder / f"{split}.tsv.gz")
        assert task.examples(split) == [dataclasses.replace(e, file=packed) for e in expected]
    write(folder / "dev.tsv", "text\tlabel\nw1\tyes\n")  # comes before the packed one
    assert [example.text_a for example in task.examples("dev")] == ["w1"]
    (folder / "test.tsv").unlink()
    assert not task.has("test")
    for act in (data_file, read_lines):
        with pytest.raises(FileNotFoundError, match=r"test\.tsv does not exist"):
            act(str(folder / "test.tsv"))


def test_skipped_rows_are_counted_and_listed(tmp_path, caplog):
    path = write(tmp_path / "a.tsv", HEADER + "x\ty\t1\nbad\nz\ty\t9\nw\ty\t0\n")
    examples, bad_rows = read(path, skip=tmp_path / "skipped.txt")
    assert [(e.id, e.text_a) for e in examples] == [(0, "x"), (3, "w")]
    bad_rows.write()
    bad_rows.write()
    assert caplog.text.count("2 bad rows so far are left out, see ") == 1
    lines = (tmp_path / "skipped.txt").read_text().splitlines()
    assert lines[0] == "2 rows skipped"
    assert [line.split(": expected")[0] for line in lines[1:]] == [
        f"{path}, line 3",
        f"{path}, line 4",
    ]


CONLL = "-DOCSTART- X O\n\nThe X B-NP\ndog X I-NP\n\n\nruns X B-VP"


def test_sentences_of_words_and_tags(tmp_path):
    path = write(tmp_path / "a.txt", CONLL)
    assert read_tagged(path, BadRows()) == [
        TaggingExample(0, ("The", "dog"), ("B-NP", "I-NP"), str(path), 3),
        TaggingExample(1, ("runs",), ("B-VP",), str(path), 7),
    ]
    assert read_tagged(path, BadRows(), tag_column=1)[1].tags == ("X",)
    assert read_tagged(path, BadRows(), labelled=False)[0].tags is None


def test_tabs_separate_words_with_spaces(tmp_path):
    path = write(tmp_path / "a.txt", "New\u00a0York\tB-LOC\nis\tO\n")
    assert read_tagged(path, BadRows())[0].words == ("New\u00a0York", "is")


def test_lines_with_another_number_of_columns(tmp_path):
    path = write(tmp_path / "a.txt", "a X\nb\n\nc Y\n")
    with pytest.raises(ValueError, match=r"a\.txt, line 2: expected 2 columns, received 1: 'b'"):
        read_tagged(path, BadRows())
    bad_rows = BadRows(tmp_path / "skipped.txt")
    assert [e.words for e in read_tagged(path, bad_rows)] == [("c",)]
    assert len(bad_rows.messages) == 1
    with pytest.raises(ValueError, match="line 1: expected 2 columns, received 1"):
        read_tagged(write(tmp_path / "b.txt", "a\nb\n"), BadRows())
    with pytest.raises(ValueError, match="empty split"):
        read_tagged(write(tmp_path / "c.txt", "\n\n"), BadRows())
