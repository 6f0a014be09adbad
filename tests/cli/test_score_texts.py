# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""`electra score-texts`: n-best lists in, the same lines with scores and ranks out."""

import gzip

import numpy as np
import pytest
from commands import electra, run_verb
from tiny_finetuning import MODEL, make_data_dir

import electra_tf

LINES = [
    "a\tw1 w2 w3\t-2.5\tkept",
    "b\tw9\t-1",
    "a\tw1 w1 w3\t-2.5",
    "b\tw9\t-1",
    "a\t\t-4",
    "a\tw7 " + "w8 " * 30 + "\t1e1",
]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    return make_data_dir(tmp_path_factory.mktemp("scored") / "data") / "models" / MODEL


def scored(model_dir, lines, tmp_path, *flags):
    """The cells of the lines of the output."""
    (tmp_path / "lists.tsv").write_text("".join(f"{line}\n" for line in lines))
    flags = ["--input", tmp_path / "lists.tsv", "--output", tmp_path / "out/scored.tsv", *flags]
    run_verb("score_texts", "--model-dir", model_dir, *flags)
    return [line.split("\t") for line in (tmp_path / "out/scored.tsv").read_text().splitlines()]


def test_lines_get_scores_and_ranks_in_their_lists(model_dir, tmp_path, capsys):
    flags = ["--score-column", 3, "--weight", 0.5, "--length-weight", 0.25, "--batch-size", 2]
    found = scored(model_dir, LINES, tmp_path, *flags)
    assert ["\t".join(row[:-5]) for row in found] == LINES
    texts = [line.split("\t")[1] for line in LINES]
    outputs = electra_tf.load(str(model_dir)).pseudo_log_likelihood(texts)
    expected = outputs["log_likelihood"]
    np.testing.assert_allclose([float(row[-5]) for row in found], expected, atol=1e-4)
    assert [int(row[-4]) for row in found] == outputs["num_tokens"].tolist() == [3, 1, 3, 1, 0, 14]
    given = [float(line.split("\t")[2]) for line in LINES]
    totals = given + 0.5 * expected + 0.25 * outputs["num_tokens"]
    np.testing.assert_allclose([float(row[-3]) for row in found], totals, atol=1e-4)
    ranks = [int(row[-2]) for row in found]
    assert [ranks[1], ranks[3]] == [1, 2]  # alike: the earlier line is better
    list_a = [0, 2, 4, 5]
    by_rank = sorted(list_a, key=lambda i: ranks[i])
    assert sorted(ranks[i] for i in list_a) == [1, 2, 3, 4]
    # The empty text, whose total is the second, is the last.
    assert by_rank == [*sorted([0, 2, 5], key=lambda i: -totals[i]), 4]
    assert [row[-1] for row in found] == ["0", "0", "0", "0", "0", "1"]
    assert (
        "Wrote 6 texts of 2 lists to" in (said := capsys.readouterr().err)
        and "method: masked. 1 are longer than the model reads" in said
        and "count. 1 are empty: they are last in their lists.\n" in said
    )


def test_a_file_of_one_list_with_names_of_columns(model_dir, tmp_path):
    (tmp_path / "given.tsv.gz").write_bytes(gzip.compress(b"text\r\nw1 w2\r\nw3\r\n\r\n"))
    flags = ["--header", "--id-column", 0, "--text-column", 1, "--input", tmp_path / "given.tsv.gz"]
    head, *rows = scored(model_dir, [], tmp_path, *flags)
    assert head == ["text", "log_likelihood", "num_tokens", "total", "rank", "is_truncated"]
    assert [row[0] for row in rows] == ["w1 w2", "w3"] and {row[4] for row in rows} == {"1", "2"}
    assert all(row[1] == row[3] for row in rows)  # nothing is mixed in


@pytest.mark.parametrize(
    ("lines", "flags", "message"),
    [
        (["a\tw1", "a"], [], "lists.tsv, line 2: at least 2 columns, separated by tabs, are "),
        (["a\tw1\t0", "a\tw2\tx"], ["--score-column", 3], "line 2, column 3: a score is .*'x'"),
        (["a\tw1\tnan"], ["--score-column", 3], "line 1, column 3: a score is .* finite number"),
        (["id\ttext"], ["--header"], "lists.tsv is expected to have texts, but has none"),
        ([], [], "is expected to have texts, but has none"),
    ],
)
def test_what_is_wrong_with_lists(model_dir, lines, flags, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        scored(model_dir, lines, tmp_path, *flags)
    assert not (tmp_path / "out").exists()


def test_errors_name_the_packed_file_that_was_read(model_dir, tmp_path):
    (tmp_path / "packed.tsv.gz").write_bytes(gzip.compress(b"a\tw1\nb\n"))
    flags = ["--input", tmp_path / "packed.tsv"]
    with pytest.raises(ValueError, match=r"packed\.tsv\.gz, line 2: at least 2 columns"):
        scored(model_dir, [], tmp_path, *flags)


def test_a_model_that_cannot_score_texts(model_dir, tmp_path, capsys, monkeypatch):
    (tmp_path / "l.tsv").write_text("a\tw1\n")
    loaded = electra_tf.load(str(model_dir))
    loaded._signatures = {"features": None}
    monkeypatch.setattr(electra_tf, "load", lambda *_, **__: loaded)
    flags = ["--input", tmp_path / "l.tsv", "--output", tmp_path / "o.tsv"]
    assert electra("score-texts", "--model-dir", model_dir, *flags) == 2
    assert "has no pseudo_log_likelihood; it has features" in capsys.readouterr().err
    assert not (tmp_path / "o.tsv").exists()
