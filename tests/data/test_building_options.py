# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a build can do beyond the reference: other inputs, chosen documents, shared work."""

import io
import json
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from small_corpus import WORDS, build, contents, examples, rows

from electra_tf.data import (
    Manifest,
    PretrainingRecords,
    WorkShare,
    build_pretraining_records,
    duplicates,
)
from electra_tf.text import load_vocabulary


def documents(corpus):
    """The corpus's documents as strings."""
    files = sorted((corpus / "text").iterdir())
    return [text for file in files for text in file.read_text().split("\n\n")]


def words_of(corpus, folder, max_seq_length=4096):
    """The words of every example, one string each, sorted."""
    vocabulary = load_vocabulary(str(corpus / "vocab.txt"))
    found = (
        " ".join(vocabulary.token_of(i) for i in ids if i not in vocabulary.special_ids)
        for ids, _ in examples(folder, max_seq_length)
    )
    return sorted(found)


def joined(texts):
    return sorted(" ".join(text.split()) for text in texts)


def test_json_lines_give_the_examples_of_the_same_documents(corpus):
    texts = documents(corpus)
    (corpus / "json").mkdir()
    lines = "".join(json.dumps({"id": 1, "body": text}) + "\n" for text in texts)
    (corpus / "json" / "all.jsonl").write_text(lines)
    manifest = build(corpus, text=str(corpus / "json"), text_field="body", max_seq_length=4096)
    assert words_of(corpus, corpus / "records") == joined(texts)
    assert (manifest.text_field, manifest.num_documents) == ("body", len(texts))


def test_standard_input_gives_the_records_of_a_file(corpus, monkeypatch):
    content = "\n\n".join(documents(corpus)).encode()
    (corpus / "one").mkdir()
    (corpus / "one" / "standard_input").write_bytes(content)
    build(corpus, "from_file", text=str(corpus / "one"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    for name in ("standard_input-notes.txt", "standard_input-0123456789abcdef"):
        (corpus / "from_stream").mkdir(exist_ok=True)
        (corpus / "from_stream" / name).write_text("of others")
    build(corpus, "from_stream", text="-")
    for name in ("standard_input-notes.txt", "standard_input-0123456789abcdef"):
        (corpus / "from_stream" / name).unlink()
    assert contents(corpus / "from_stream") == contents(corpus / "from_file")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(ValueError, match="No text came through standard input"):
        build(corpus, "nothing", text="-")
    assert contents(corpus / "nothing") == {}


def test_other_file_systems_give_the_same_records(corpus):
    for path in [corpus / "vocab.txt", *(corpus / "text").iterdir()]:
        tf.io.gfile.makedirs("ram://build/text")
        tf.io.gfile.copy(str(path), f"ram://build/{path.relative_to(corpus)}", overwrite=True)
    options = {"remove_duplicates": True, "held_out_share": 0.2}
    arguments = {"max_seq_length": 32, "num_out_files": 3} | options
    build_pretraining_records(
        "ram://build/text", "ram://build/vocab.txt", "ram://build/records", **arguments
    )
    build(corpus, **options)
    stored = {}
    for parent, _, files in tf.io.gfile.walk("ram://build/records"):
        for name in files:
            path = f"{parent}/{name}"
            with tf.io.gfile.GFile(path, "rb") as file:
                stored[path.removeprefix("ram://build/records/")] = file.read()
    assert stored == contents(corpus / "records")
    assert PretrainingRecords("ram://build/records").num_examples > 50


def test_a_document_that_comes_millions_of_times_takes_little(tmp_path):
    """Copies inside a run are set aside before runs are put together."""
    hashed = np.zeros(3_000_000, dtype=duplicates._HASHED)
    hashed["place"] = np.arange(len(hashed))
    hashed["low"][[5, 9]] = 7
    first, repeated = duplicates._first_and_repeated(hashed)
    assert first["place"].tolist() == [0, 5]
    assert repeated.tolist() == [*range(1, 5), *range(6, 3_000_000)]
    marks = duplicates.marks(repeated.astype(np.int64))
    assert (len(marks), sum(marks)) == (3_000_000, 2_999_998)
    assert [marks[number] for number in (0, 1, 5, 9, 2_999_999)] == [0, 1, 0, 1, 1]
    assert not duplicates.marks(np.zeros(0, np.int64))


@pytest.mark.usefixtures("quick_workers")
def test_exact_duplicates_are_left_out_wherever_they_stand(corpus, monkeypatch):
    texts = documents(corpus)
    copies = [texts[3], texts[100].replace("\n", " \n\t"), texts[3]]
    (corpus / "text" / "copies.txt").write_text("\n\n".join(copies) + "\n\n" + texts[7] + " w1")
    manifest = build(corpus, remove_duplicates=True, max_seq_length=4096)
    assert (manifest.duplicate_documents, manifest.num_documents) == (3, len(texts) + 1)
    assert words_of(corpus, corpus / "records") == joined([*texts, texts[7] + " w1"])
    # Neither processes nor the sizes of what is held in memory change anything.
    build(corpus, "two", remove_duplicates=True, max_seq_length=4096, num_processes=2)
    assert contents(corpus / "two") == contents(corpus / "records")
    monkeypatch.setattr(duplicates, "_CHUNKS_PER_TASK", 1)
    monkeypatch.setattr(duplicates, "_DOCUMENTS_PER_RUN", 10)
    monkeypatch.setattr(duplicates, "_DOCUMENTS_PER_PARTITION", 7)
    monkeypatch.setattr(duplicates, "_MOST_PLACE_BUCKETS", 2)
    build(corpus, "small", remove_duplicates=True, max_seq_length=4096)
    assert contents(corpus / "small") == contents(corpus / "records")


def test_the_first_of_duplicates_stays(corpus):
    for name in "abc":
        (corpus / "text" / f"{name}.txt").write_text(f"w1 w2\n\nw{ord(name)}\n")
    plain = build(corpus, "plain", num_out_files=1)
    manifest = build(corpus, num_out_files=1, remove_duplicates=True)
    assert (plain.num_examples, manifest.num_examples) == (6, 4)
    assert manifest.duplicate_documents == 2


def test_held_out_documents_are_a_share_of_their_own(corpus):
    texts = documents(corpus)
    manifest = build(corpus, held_out_share=0.3, max_seq_length=4096)
    held_out = Manifest.load(str(corpus / "records" / "held_out"))
    assert (manifest.split, held_out.split) == ("training", "held_out")
    assert manifest.num_documents + held_out.num_documents == len(texts)
    assert 0.15 * len(texts) < held_out.num_documents < 0.45 * len(texts)
    training = words_of(corpus, corpus / "records")
    kept = words_of(corpus, corpus / "records" / "held_out")
    assert sorted(training + kept) == joined(texts)
    # A document is on the same side wherever it stands, and another seed chooses others.
    (corpus / "text" / "a.txt").write_text("\n\n".join(reversed(texts)))
    for name in "bc":
        (corpus / "text" / f"{name}.txt").unlink()
    build(corpus, "moved", held_out_share=0.3, max_seq_length=4096)
    assert words_of(corpus, corpus / "moved" / "held_out") == kept
    build(corpus, "other", held_out_share=0.3, max_seq_length=4096, seed=8)
    assert words_of(corpus, corpus / "other" / "held_out") != kept


def test_older_held_out_records_do_not_stay_beside_new_ones(corpus):
    build(corpus, held_out_share=0.3)
    (corpus / "records" / "held_out" / "notes").write_text("mine")
    build(corpus)
    assert [path.name for path in (corpus / "records" / "held_out").iterdir()] == ["notes"]


def test_word_starts_are_stored_and_nothing_else_changes(corpus):
    (corpus / "text" / "c.txt").write_text("w1 w2 caf cafe café w3\n")
    manifest = build(corpus, word_starts=True, do_lower_case=True, strip_accents=False)
    vocabulary = load_vocabulary(str(corpus / "vocab.txt"))
    build(corpus, "plain", strip_accents=False)
    plain = [ids for ids, _ in examples(corpus / "plain")]
    assert [row["input_ids"] for row in rows(corpus / "records")] == plain
    assert manifest.features == ("word_starts",)
    for row in rows(corpus / "records"):
        tokens = [vocabulary.token_of(i) for i in row["input_ids"]]
        assert row["word_starts"] == [int(not token.startswith("##")) for token in tokens]


def test_packed_sequences_hold_the_examples_of_an_ordinary_build(corpus):
    manifest = build(corpus, pack_documents=True, max_seq_length=64)
    plain = build(corpus, "plain", max_seq_length=64)
    packed = []
    for row in rows(corpus / "records", 64):
        numbers = row["sequence_ids"]
        assert numbers == sorted(numbers) and set(numbers) == set(range(1, numbers[-1] + 1))
        for number in set(numbers):
            places = [place for place, n in enumerate(numbers) if n == number]
            packed.append(tuple([row[k][p] for p in places] for k in ("input_ids", "segment_ids")))
            assert [row["position_ids"][p] for p in places] == list(range(len(places)))
    assert sorted(packed) == sorted(examples(corpus / "plain", 64))
    assert manifest.num_tokens == plain.num_tokens and manifest.cut_tokens == plain.cut_tokens
    assert manifest.num_examples < plain.num_examples
    assert manifest.features == ("position_ids", "sequence_ids")


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "{}", '{"index": 0, "splits": {}}'])
def test_a_shard_is_built_again_whose_result_is_damaged(corpus, content, caplog):
    """By the same command, which continues with the other shards."""
    assert build(corpus, num_out_files=2, work_share=WorkShare(0, 2)) is None
    (path,) = (corpus / "records" / "unfinished").glob("pretrain_data*.json")
    path.write_text(content)
    build(corpus, num_out_files=2)
    assert f"{path}" in caplog.text and "The shard is built again" in caplog.text
    build(corpus, output="plain", num_out_files=2)
    assert contents(corpus / "records") == contents(corpus / "plain")


@pytest.mark.parametrize("change", [lambda b: b[:-5], lambda b: b + b"x"])
def test_a_shard_is_built_again_that_is_not_as_its_result_says(corpus, change, caplog):
    assert build(corpus, num_out_files=2, work_share=WorkShare(0, 2)) is None
    (path,) = (corpus / "records" / "unfinished").glob("pretrain_data*.json")
    shard = path.with_suffix("")
    shard.write_bytes(change(shard.read_bytes()))
    build(corpus, num_out_files=2)
    assert "The shard is built again" in caplog.text
    build(corpus, output="plain", num_out_files=2)
    assert contents(corpus / "records") == contents(corpus / "plain")


def test_jobs_that_share_the_work_build_the_same_records(corpus, capsys):
    options = {"remove_duplicates": True, "held_out_share": 0.2}
    for index in (2, 0, 1):
        assert build(corpus, num_out_files=4, work_share=WorkShare(index, 3), **options) is None
        with pytest.raises(ValueError, match="matches no file"):
            PretrainingRecords(str(corpus / "records"))
    with pytest.raises(ValueError, match="unfinished build with other settings"):
        build(corpus, num_out_files=4, seed=1, work_share=WorkShare(0, 3), **options)
    unfinished = corpus / "records" / "unfinished"
    times = {path: path.stat().st_mtime_ns for path in unfinished.rglob("pretrain_data*")}
    assert len(times) == 3 * 4  # training, held out, and what is known of them
    shutil.copytree(unfinished, corpus / "copy")
    build(corpus, num_out_files=4, **options)
    for path in times:
        if path.suffix != ".json":
            built = corpus / "records" / path.relative_to(unfinished)
            assert built.stat().st_mtime_ns == times[path]  # renamed, not built again
    build(corpus, "alone", num_out_files=4, **options)
    assert contents(corpus / "records") == contents(corpus / "alone")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"held_out_share": 1.0}, "held_out_share is expected to be at least 0 and less than 1"),
        ({"held_out_share": -0.1}, "held_out_share is expected to be"),
        ({"text": "-", "work_share": WorkShare(0, 2)}, "cannot be done from standard input"),
    ],
)
def test_options_out_of_range_are_errors(corpus, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(corpus, **arguments)


@pytest.mark.parametrize(
    "index, count, message",
    [
        (2, 2, r"the index of a share is expected to be in 0\.\.1, but is 2"),
        (-1, 2, r"in 0\.\.1, but is -1"),
        (0, 0, "the number of shares is expected to be at least 1, but is 0"),
    ],
)
def test_shares_are_numbered_from_zero(index, count, message):
    with pytest.raises(ValueError, match=message):
        WorkShare(index, count)


def test_a_bad_line_of_json_stops_the_build_and_is_named(corpus):
    (corpus / "text" / "a.txt").write_text('{"text": "w1"}\n{"text": 3}\n')
    with pytest.raises(ValueError, match=r"a.txt: line 2 has no text in 'text' but .* type int"):
        build(corpus, text=[str(corpus / "text" / "a.txt")], text_field="text")
    assert os.listdir(corpus / "records") == ["unfinished"]


def test_words_are_all_there(corpus):
    """The corpus that these tests rest on has different documents."""
    assert len(set(joined(documents(corpus)))) == len(documents(corpus)) == 115
    assert set(" ".join(documents(corpus)).split()) <= set(WORDS)
