# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Records from text: complete, reproducible, and never half done."""

import itertools
import json
import os
import random
import re
import resource
import signal

import numpy as np
import pytest
import tensorflow as tf
from small_corpus import TOKENS, WORDS, build, contents, examples

from electra_tf.data import Manifest, PretrainingRecords, build_pretraining_records, shards
from electra_tf.data.corpus import find_sources
from electra_tf.data.plan import make_plan
from electra_tf.text import load_vocabulary
from electra_tf.text.tokenizer import UnknownTokens


def test_records_hold_all_the_text(corpus):
    manifest = build(corpus, max_seq_length=4096)
    vocabulary = load_vocabulary(str(corpus / "vocab.txt"))
    found = list(examples(corpus / "records", 4096))
    tokens = [vocabulary.token_of(i) for ids, _ in found for i in ids]
    text = "\n".join((corpus / "text" / f"{name}.txt").read_text() for name in "abc")
    assert sorted(token for token in tokens if token in WORDS) == sorted(text.split())
    assert manifest.num_examples == len(found) == 115  # no document reaches 4096 tokens
    assert manifest.cut_tokens == 0
    for ids, segment_ids in found:
        assert ids[0] == vocabulary.cls_id and ids[-1] == vocabulary.sep_id
        separators = [place for place, i in enumerate(ids) if i == vocabulary.sep_id]
        assert segment_ids == [0] * (separators[0] + 1) + [1] * (len(ids) - separators[0] - 1)
        assert len(separators) in (1, 2)


def test_tokens_that_no_example_holds_are_counted(corpus):
    long_line = " ".join(["w1"] * 100)
    for name in "abc":
        (corpus / "text" / f"{name}.txt").write_text(long_line + "\n")
    manifest = build(corpus, max_seq_length=32)
    in_examples = sum(
        (np.array(ids) > max(load_vocabulary(str(corpus / "vocab.txt")).special_ids)).sum()
        for ids, _ in examples(corpus / "records")
    )
    assert manifest.cut_tokens == 3 * 100 - in_examples > 0


@pytest.mark.parametrize("num_processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_long_lines_are_split_where_asked(corpus, num_processes):
    for name in "abc":
        (corpus / "text" / f"{name}.txt").write_text(" ".join(["w1"] * 100) + "\n")
    manifest = build(corpus, max_seq_length=32, split_long_lines=True, num_processes=num_processes)
    assert manifest.cut_tokens == 0 and manifest.num_examples >= 3 * 4


@pytest.mark.parametrize("num_processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_unknown_tokens_are_counted(corpus, caplog, num_processes):
    """In every process and both splits; what was cut is counted too."""
    texts = {
        "a": "".join(f"w{i} w2 한국어 w3\nw4\n\nw{i} 한국어 w6\n\n" for i in range(20)),
        "b": "w1 " * 99 + "w" * 201,
        "c": "w2",
    }
    for name, content in texts.items():
        (corpus / "text" / f"{name}.txt").write_text(content)
    manifest = build(corpus, num_processes=num_processes, held_out_share=0.3)
    held_out = Manifest.load(str(corpus / "records" / "held_out"))
    assert manifest.cut_tokens + held_out.cut_tokens > 60
    assert held_out.unknown_tokens > 0
    assert manifest.unknown + held_out.unknown == UnknownTokens(20 * 2 + 1, 20 * 8 + 100 + 1)
    warnings = [message for message in caplog.messages if "tokens are unknown (" in message]
    for message, split in zip(warnings, ("training", "held_out"), strict=True):
        assert f", {split} records: " in message


def test_few_unknown_tokens_give_no_warning(corpus, caplog):
    manifest = build(corpus)
    assert manifest.unknown_tokens == 0 and manifest.text_tokens > 2000
    assert not [r for r in caplog.records if r.levelname == "WARNING"]


def test_the_manifest_describes_the_records(corpus):
    (corpus / "text" / "c.txt").write_bytes(b"w1 w2 \xff\xfe w3")
    manifest = build(corpus, seed=5)
    found = [ids for ids, _ in examples(corpus / "records")]
    lengths = np.array([len(ids) for ids in found])
    assert (manifest.num_examples, manifest.num_tokens) == (len(found), lengths.sum())
    assert manifest.mean_length == pytest.approx(lengths.mean(), abs=1e-3)
    assert manifest.padding_share == pytest.approx(1 - lengths.mean() / 32, abs=1e-5)
    assert manifest.length_histogram == tuple(np.bincount((lengths - 1) // 4, minlength=8))
    assert manifest.seed == 5 and manifest.replaced_bytes == 2
    assert [(s.name, s.bytes) for s in manifest.sources] == [
        (name, (corpus / "text" / name).stat().st_size) for name in ("a.txt", "b.txt", "c.txt")
    ]
    assert manifest.tokenizer == {
        "kind": "wordpiece",
        "do_lower_case": True,
        "strip_accents": True,
        "vocab_size": len(TOKENS),
        "vocab_sha256": load_vocabulary(str(corpus / "vocab.txt")).sha256,
    }
    assert [*PretrainingRecords(str(corpus / "records")).manifests.values()] == [manifest]
    assert sorted(contents(corpus / "records")) == [
        "manifest.json",
        *(f"pretrain_data.tfrecord-{i}-of-3" for i in range(3)),
    ]


@pytest.mark.usefixtures("quick_workers")
def test_one_and_two_processes_write_the_same_bytes(corpus):
    build(corpus, "one")
    build(corpus, "two", num_processes=2)
    assert contents(corpus / "one") == contents(corpus / "two")


def test_the_seed_and_the_text_alone_decide_the_bytes(corpus, tmp_path):
    build(corpus, "first")
    (corpus / "text").rename(corpus / "moved")
    (corpus / "moved").rename(corpus / "text")
    random.seed(99)
    np.random.seed(99)
    tf.random.set_seed(99)
    build(corpus, "again")
    build(corpus, "other", seed=6)
    assert contents(corpus / "first") == contents(corpus / "again")
    assert contents(corpus / "first") != contents(corpus / "other")


def test_examples_of_a_shard_are_shuffled(corpus, monkeypatch):
    build(corpus, "shuffled", num_out_files=1)
    monkeypatch.setattr(random.Random, "shuffle", lambda self, items: None)
    build(corpus, "sorted", num_out_files=1)
    shuffled = [ids for ids, _ in examples(corpus / "shuffled")]
    in_order = [ids for ids, _ in examples(corpus / "sorted")]
    assert shuffled != in_order and sorted(shuffled) == sorted(in_order)


def test_case_and_accents_are_the_tokenizers(corpus):
    (corpus / "text" / "a.txt").write_text("CAFÉ\n", encoding="utf-8")
    build(corpus, "default", max_seq_length=16)
    build(corpus, "cased", max_seq_length=16, do_lower_case=False)
    cafe, unknown = TOKENS.index("cafe"), TOKENS.index("[UNK]")
    assert [2, cafe, 3] in [ids for ids, _ in examples(corpus / "default", 16)]
    assert [2, unknown, 3] in [ids for ids, _ in examples(corpus / "cased", 16)]


def test_blank_lines_join_documents_where_they_do_not_separate(corpus):
    separated = build(corpus, "separated", max_seq_length=4096)
    joined = build(corpus, "joined", max_seq_length=4096, blanks_separate_docs=False)
    assert (separated.num_examples, joined.num_examples) == (115, 3)  # one per file


def test_more_shards_than_chunks_leave_some_empty(corpus):
    manifest = build(corpus, num_out_files=20)
    assert len(manifest.shards) == 20
    assert sum(shard.num_examples == 0 for shard in manifest.shards) == 17
    records = PretrainingRecords(str(corpus / "records"))
    batches = itertools.islice(records.batches(1, 32, seed=1), manifest.num_examples)
    assert len({tuple(batch["input_ids"][0].numpy()) for batch in batches}) > 100


def test_older_records_are_replaced_and_other_files_stay(corpus):
    output = corpus / "records"
    build(corpus, num_out_files=5)
    (output / "notes.txt").write_text("mine")
    build(corpus)
    build(corpus, "fresh")
    assert contents(output) == contents(corpus / "fresh") | {"notes.txt": b"mine"}


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("pretrain_data.tfrecord-7-of-1000", "holds pretrain_data.tfrecord-7-of-1000, which no m"),
        ("held_out/pretrain_data.tfrecord-0-of-1", "holds held_out/pretrain_data.tfrecord-0-of-1"),
        ("manifest.json", "manifest.json .*move them away"),
        ("unfinished/notes.txt", "unfinished .* that are not its own: notes.txt"),
        ("unfinished/pretrain_data.tfrecord-0-of-3", "that are not its own: pretrain_data"),
        ("unfinished/held_out/mine.csv", "that are not its own: held_out/mine.csv"),
    ],
)
@pytest.mark.parametrize("is_older", [False, True])
def test_files_of_others_are_never_replaced(corpus, file, message, is_older, monkeypatch):
    output = corpus / "records"
    if is_older and file != "manifest.json":
        build(corpus, num_out_files=5)
    path = output / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"of": "others"}')
    before = contents(output), os.listdir(path.parent)
    begun = interrupt_after(monkeypatch, 0)
    with pytest.raises((FileExistsError, ValueError), match=message):
        build(corpus, seed=5)
    assert begun == [] and (contents(output), os.listdir(path.parent)) == before


@pytest.mark.parametrize("content", [b"", b"{}", b'[{"a": 1}]', b"[[]]", b"\xff[", b"[1"])
def test_a_damaged_note_of_what_is_replaced_is_named(corpus, content):
    folder = corpus / "records" / "unfinished"
    folder.mkdir(parents=True)
    (folder / "plan.sha256").write_text("0" * 64)
    (folder / "replaced.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"unfinished/replaced\.json"):
        build(corpus)


def test_a_file_of_others_in_an_unfinished_build_stays(corpus, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        interrupt_after(patch, 2)
        build(corpus, seed=2)
    notes = corpus / "records" / "unfinished" / "duplicates" / "notes.txt"
    notes.write_text("mine")
    for seed in (2, 3):  # to go on, and to start over
        with pytest.raises(FileExistsError, match=r"its own: duplicates/notes\.txt"):
            build(corpus, seed=seed)
    assert notes.read_text() == "mine"
    notes.rename(corpus / "notes.txt")
    build(corpus, seed=2)


class Interrupted(Exception):
    """Stands for the process being killed."""


def interrupt_after(monkeypatch, count):
    """Lets `count` shards be built and then raises; returns the list of shards that were begun."""
    begun, call = [], shards.ShardBuilder.__call__

    def counted(self, task, progress):
        if len(begun) == count:
            raise Interrupted
        begun.append(task[0])
        return call(self, task, progress)

    monkeypatch.setattr(shards.ShardBuilder, "__call__", counted)
    return begun


def test_an_interrupted_build_keeps_older_records_and_continues(corpus, monkeypatch):
    output = corpus / "records"
    build(corpus, seed=1)
    before = contents(output)
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        interrupt_after(patch, 2)
        build(corpus, seed=2)
    (output / "unfinished" / "pretrain_data.tfrecord-2-of-3.123.partial").write_bytes(b"half")
    kept = {path.name: path.read_bytes() for path in output.iterdir() if path.is_file()}
    assert kept == before
    with monkeypatch.context() as patch:
        begun = interrupt_after(patch, 99)
        build(corpus, seed=2)
    assert begun == [2]
    build(corpus, "fresh", seed=2)
    assert contents(output) == contents(corpus / "fresh")


@pytest.mark.parametrize("change", ["seed", "text", "vocabulary"])
def test_an_interrupted_build_of_something_else_starts_over(corpus, monkeypatch, change):
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        interrupt_after(patch, 2)
        build(corpus, seed=2)
    if change != "seed":
        path = corpus / ("text/c.txt" if change == "text" else "vocab.txt")
        path.write_text(path.read_text() + "w1\n" * (change == "text"))
        os.utime(path, (1, 1))
    with monkeypatch.context() as patch:
        begun = interrupt_after(patch, 99)
        build(corpus, seed=3 if change == "seed" else 2)
    assert begun == [0, 1, 2]


@pytest.mark.parametrize("seed", [2, 3])
def test_an_interruption_while_records_are_replaced_is_noticed_and_mended(
    corpus, monkeypatch, seed
):
    output = corpus / "records"
    build(corpus, seed=1, num_out_files=4)
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        rename, done = tf.io.gfile.rename, []

        def stop(source, target, overwrite=False):
            if os.path.dirname(target) == str(output):
                done.append(target)
                if len(done) == 2:
                    raise Interrupted
            rename(source, target, overwrite)

        patch.setattr(tf.io.gfile, "rename", stop)
        build(corpus, seed=2)
    with pytest.raises(ValueError, match="incomplete: their building was interrupted"):
        PretrainingRecords(str(output))
    build(corpus, seed=seed)
    build(corpus, "fresh", seed=seed)
    assert contents(output) == contents(corpus / "fresh")


def test_a_full_disk_is_an_error_and_leaves_no_broken_shard(corpus):
    (corpus / "text" / "a.txt").write_text("w1 w2 w3\n\n" * 20_000)
    paths = [str(corpus / name) for name in ("text", "vocab.txt", "records")]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    heeded = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(OSError) as raised:
            build_pretraining_records(*paths, max_seq_length=32, num_out_files=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, heeded)
    message = str(raised.value)
    assert re.match(r"Cannot write .*/pretrain_data.tfrecord-\d-of-3.*partial: ", message)
    left = {path.name for path in (corpus / "records" / "unfinished").iterdir()}
    assert not [name for name in left if name.endswith("partial")]
    for name in left - {"plan.sha256", "duplicates"}:  # what is there is whole
        assert {name, name.removesuffix(".json") + ".json"} <= left
    manifest = build(corpus)  # with room on the disk it continues
    assert manifest.num_examples > 20_000


def test_a_damaged_file_is_an_error_and_leaves_no_records(corpus):
    (corpus / "text" / "d.gz").write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(ValueError, match=r"d.gz is damaged or cut off"):
        build(corpus)
    assert [path.name for path in (corpus / "records").iterdir()] == ["unfinished"]


def test_a_file_that_cannot_be_written_is_named(corpus):
    (corpus / "records" / "unfinished").mkdir(parents=True)
    folder = corpus / "records" / "unfinished"
    builder = shards.ShardBuilder(plan_of(corpus), str(folder / "missing"))
    with pytest.raises(OSError, match=r"Cannot write .*missing/pretrain_data.tfrecord-0-of-1"):
        builder((0, []), lambda amount: None)


def plan_of(corpus):
    return make_plan(
        find_sources(str(corpus / "text")),
        tokenizer_path=str(corpus / "vocab.txt"),
        do_lower_case=True,
        strip_accents=True,
        max_seq_length=32,
        blanks_separate_docs=True,
        seed=1,
    )


def test_a_shard_of_an_older_version_is_built_again(corpus, caplog):
    """Its result lacks numbers that the manifest has: the counts of unknown tokens."""
    builder = shards.ShardBuilder(plan_of(corpus), str(corpus / "unfinished"))
    ((index, chunks),) = enumerate(builder.plan.shards())
    (corpus / "unfinished").mkdir()
    made = builder((index, chunks), lambda amount: None)
    assert builder.finished(index) == made
    (path,) = (corpus / "unfinished").glob("*.json")
    stored = json.loads(path.read_text())
    del stored["splits"]["training"]["unknown_tokens"]
    path.write_text(json.dumps(stored))
    assert builder.finished(index) is None
    assert "unknown_tokens" in caplog.text and "The shard is built again" in caplog.text


def test_the_number_of_shards_follows_the_size(corpus, monkeypatch):
    assert plan_of(corpus).num_shards == 1
    monkeypatch.setattr("electra_tf.data.plan._SMALL_SHARD_BYTES", 2000)
    assert 2 < plan_of(corpus).num_shards <= 16
    monkeypatch.setattr("electra_tf.data.plan._SHARD_BYTES", 500)
    assert plan_of(corpus).num_shards > 16


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"max_seq_length": 4}, "max_seq_length is expected to be at least 5, but is 4"),
        ({"num_out_files": 0}, "num_out_files is expected to be at least 1, but is 0"),
        ({"num_processes": 0}, "num_processes is expected to be at least 1, but is 0"),
        ({"output": "text/records"}, "must not lie in the corpus folder"),
    ],
)
def test_impossible_settings_are_errors(corpus, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(corpus, **arguments)


def test_text_without_any_word_is_an_error(corpus):
    for path in (corpus / "text").iterdir():
        path.write_text("\n \n\t\n")
    with pytest.raises(ValueError, match="holds no text to make examples of"):
        build(corpus)
    assert list((corpus / "records").iterdir()) == []


def test_the_manifest_is_json_for_other_programs(corpus):
    build(corpus)
    stored = json.loads((corpus / "records" / "manifest.json").read_text())
    assert stored["format_version"] == 1
    assert len(stored["shards"]) == 3
