# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""CoNLL files as people have them: comments, headers, ranges, odd white space, tag schemes."""

import json

import pytest
import tensorflow as tf
from task_files import write

from electra_tf.finetuning.files.conll import read_tagged
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.finetuning.kinds.scorers import entity_scores
from electra_tf.finetuning.kinds.spans import spans_of, to_bioes
from electra_tf.finetuning.task import load_task
from electra_tf.interop.huggingface.model import task_spec
from electra_tf.serving.tagged_text import entities_of, words_of


def words(tmp_path, text, bad_rows=None, **options):
    examples = read_tagged(write(tmp_path / "a.txt", text), bad_rows or BadRows(), **options)
    return [example.words for example in examples]


GERMEVAL = "# source 1\n1\tIn\tO\tO\n2\tRom\tB-LOC\tO\n\n# source 2\n1\t#\tO\tO\n2\tja\tO\tO\n"
CONLL_U = (
    "# sent_id = 1\n# text = du gehst\n"
    "1-2\tdu\t_\t_\n1\tde\tP\t2\n2\tel\tD\t3\n2.1\tleer\t_\t_\n3\tgehst\tV\t0\n\n"
)


def test_comments_are_no_rows_and_do_not_count_columns(tmp_path):
    path = write(tmp_path / "a.txt", GERMEVAL)
    first, second = read_tagged(path, BadRows(), 1, 2)
    assert (first.words, first.tags, first.line, first.lines) == (
        *(("In", "Rom"), ("O", "B-LOC")),
        *(2, (2, 3)),
    )
    assert second.words == ("#", "ja")
    bad_rows = BadRows(tmp_path / "skipped.txt")
    assert len(read_tagged(path, bad_rows, 1, 2)) == 2
    assert bad_rows.messages == ()


def test_ranges_and_empty_nodes_are_no_words(tmp_path):
    (example,) = read_tagged(write(tmp_path / "a.txt", CONLL_U), BadRows(), 1, 2)
    assert example.words == ("de", "el", "gehst")
    assert example.lines == (4, 5, 7)
    # Words, and other numbers in the first column, that only look like ranges stay.
    assert words(tmp_path, "1-2 O\n3.1 O\n") == [("1-2", "3.1")]
    assert words(tmp_path, "1-1 a O\n1-2 b O\n", word_column=1) == [("a", "b")]
    assert words(tmp_path, "1 a O\n1-2 b O\n3 c O\n", word_column=1) == [("a", "b", "c")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#\tO\na\tO\n", [("#", "a")]),
        ("a O\n# O\nb O\n", [("a", "#", "b")]),
        ("# O\n", [("#",)]),
        ("a O\n\n# one two\n#three\n#\nb O\n", [("a",), ("b",)]),
        ("a\tO\n# O\nb\tO\n", [("a", "b")]),  # where tabs separate, this is a comment of one cell
        ("#hash O\nb O\n", [("#hash", "b")]),
    ],
)
def test_columns_decide_what_a_line_with_a_number_sign_is(text, expected, tmp_path):
    assert words(tmp_path, text) == expected


def test_a_comment_of_as_many_cells_as_a_row_is_left_out_and_said(tmp_path, caplog):
    text = "# one\na X\n\n#two three\n# X\nb X\n\n# #\n# B-Y\n\nc X\n# four\n"
    expected = [("a",), ("#", "b"), ("#", "#"), ("c", "#")]
    assert words(tmp_path, text) == expected
    (record,) = caplog.records
    assert "are left out as comments" in record.message
    assert "2, the first is line 1, '# one'" in record.message


def test_left_out_comments_are_counted_once_for_each_file(tmp_path, caplog):
    caplog.set_level("INFO")
    for comments, said in (("#one\n", "1 line of comments is"), ("#b\n#c\n", "2 lines of")):
        caplog.clear()
        for _ in range(2):  # for its labels and for its examples
            words(tmp_path, f"a X\n\n{comments}")
        assert [said in record.message for record in caplog.records] == [True]


def test_comments_are_left_out_without_labels_too(tmp_path):
    assert words(tmp_path, "# one\na X\n# X\n", labelled=False) == [("a", "#")]
    assert words(tmp_path, "#one\na\n#\n", labelled=False) == [("#one", "a", "#")]


def test_a_header_behind_a_comment_is_a_header(tmp_path):
    with pytest.raises(ValueError, match=r"line 2: .* seems to be a header, \['Word', 'Iob_Tag'\]"):
        words(tmp_path, "# corpus\nWord Iob_Tag\na O\n")
    with pytest.raises(ValueError, match="at least one example"):
        words(tmp_path, "# a\n# b\n")


def test_a_word_that_lacks_its_tag_is_no_comment(tmp_path):
    with pytest.raises(ValueError, match=r"a\.txt, line 2: expected 2 columns, received 1: '#x'"):
        words(tmp_path, "a O\n#x\nb O\n")


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", " "])
def test_white_space_can_be_a_word(space, tmp_path):
    assert words(tmp_path, f"{space}\tO\nAnna \t B-PER\t\n") == [(space, "Anna")]


def test_spaces_that_do_not_separate_are_parts_of_words(tmp_path):
    assert words(tmp_path, "a\u00a0b O\n\u00a0 O\n") == [("a\u00a0b", "\u00a0")]
    assert words(tmp_path, "a\n\u00a0\nb\n", labelled=False) == [("a", "\u00a0", "b")]
    assert words(tmp_path, "a O\n\u00a0\nb O\n") == [("a",), ("b",)]


HEADERS = ["token\ttag", "Sentence#\tTag", "WORD\tner_tags"]


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_is_refused_or_skipped_or_read_as_the_task_says(header, tmp_path):
    text = f"{header}\nAnna\tB-PER\nsat\tO\n"
    with pytest.raises(ValueError, match=r'a\.txt, line 1: .* seems .* header.* "header": true'):
        words(tmp_path, text)
    bad_rows = BadRows(tmp_path / "skipped.txt")
    assert words(tmp_path, text, bad_rows) == [("Anna", "sat")]
    assert len(bad_rows.messages) == 1
    assert words(tmp_path, text, header=True) == [("Anna", "sat")]
    assert words(tmp_path, text, header=False)[0][0] == header.split("\t")[0]


def test_columns_of_tags_can_be_named_by_a_header(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder / "train.txt", "# c\nid\ttag\tword\n1\tB-X\ta\n2\tO\tb\n")
    fields = {"kind": "tagging", "format": "conll", "files": {"train": "train.txt"}}
    columns = {"word": "word", "tag": "tag"}
    path = write(tmp_path / "own.json", json.dumps({**fields, "columns": columns, "header": True}))
    (example,) = load_task(path, folder).examples("train")
    assert (example.words, example.tags) == (("a", "b"), ("B-X", "O"))
    path = write(tmp_path / "own.json", json.dumps({**fields, "columns": columns}))
    with pytest.raises(ValueError, match=r"'columns' to be numbers, .* \"header\": true"):
        load_task(path, folder)


def test_the_line_of_a_bad_tag_is_that_in_the_file(tmp_path):
    write(tmp_path / "train.txt", "# c\n1 a B-X\n1-2 ab _\n2 b Y\n")
    fields = {"kind": "tagging", "format": "conll", "files": {"train": "train.txt"}}
    columns = {"columns": {"word": 1, "tag": 2}}
    path = write(tmp_path / "own.json", json.dumps({**fields, **columns}))
    with pytest.raises(ValueError, match=r"train\.txt, line 4: expected tags O, .* 'Y'"):
        load_task(path, tmp_path)


@pytest.mark.parametrize(
    "content", [GERMEVAL.encode("utf-16"), b"\xef\xbb\xbf" + GERMEVAL.encode()]
)
def test_byte_order_marks_are_no_text(content, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    assert len(read_tagged(tmp_path / "a.txt", BadRows(), 1, 2)) == 2


SCHEMES = {
    "BIO": "B-A I-A I-A O B-B B-B",
    "BIOES": "B-A I-A E-A O S-B S-B",
    "BILOU": "B-A I-A L-A O U-B U-B",
    "BMES": "B-A M-A E-A O S-B S-B",
    "BMEWO": "B-A M-A E-A O W-B W-B",
}


@pytest.mark.parametrize("rule", ["conll", "reference"])
@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_schemes_of_tags_mark_the_same_spans(scheme, rule):
    tags = SCHEMES[scheme].split()
    assert spans_of(tags, rule) == [(0, 2, "A"), (4, 4, "B"), (5, 5, "B")]
    assert to_bioes(tags, rule) == tuple(SCHEMES["BIOES"].split())
    assert entity_scores([SCHEMES["BIOES"].split()], [tags], rule)["f1"] == 100.0


@pytest.mark.parametrize("rule", ["conll", "reference"])
def test_entities_of_any_scheme_are_served(rule):
    texts = tf.constant(["a b c d e f"])
    found = []
    for tags in (SCHEMES[name].split() for name in ("BIOES", "BILOU", "BMES", "BMEWO")):
        labels = sorted(set(tags))
        numbers = tf.constant([labels.index(tag) for tag in tags], tf.int64)
        entities = entities_of(texts, words_of(texts), numbers, tf.ones([6]), labels, rule)
        found.append({name: values.numpy().tolist() for name, values in entities.items()})
    assert found[0]["entities"] == [[b"a b c", b"e", b"f"]]
    assert found[0]["entity_types"] == [[b"A", b"B", b"B"]]
    assert found[1:] == found[:1] * 3


def test_models_whose_labels_are_of_another_scheme_mark_spans():
    assert task_spec("own", "tagging", ["O", "B-A", "I-A", "L-A", "U-A"]).scheme == "spans"
    assert task_spec("own", "tagging", ["O", "X-A"]).scheme == "tokens"


def test_tags_of_segmentation_have_no_types():
    tags = ["B", "M", "E", "S", "B", "E"]
    assert to_bioes(tags) == ("B", "I", "E", "S", "B", "E")
    assert spans_of(tags) == [(0, 2, ""), (3, 3, ""), (4, 5, "")]


@pytest.mark.parametrize("labels", [None, ["O", "B-A", "I-A", "L-A", "U-A"]])
def test_tasks_of_other_schemes_have_the_labels_of_bioes(labels, tmp_path):
    write(tmp_path / "train.txt", "a B-A\nb L-A\nc U-A\nd O\ne B-A\nf I-A\ng L-A\n")
    fields = {"kind": "tagging", "format": "conll", "files": {"train": "train.txt"}}
    fields |= {} if labels is None else {"labels": labels}
    task = load_task(write(tmp_path / "own.json", json.dumps(fields)), tmp_path)
    assert sorted(task.spec.labels) == ["B-A", "E-A", "I-A", "O", "S-A"]
    assert len(task.examples("train")) == 1
