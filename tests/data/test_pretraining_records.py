# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Finding, checking and reading records in a resumable order."""

import itertools
import json
import multiprocessing
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from record_files import TOKENIZER, numbers_in, write_file, write_records

from electra_tf.data import Manifest, PretrainingRecords, Span
from electra_tf.data.damage import first_records

TOTAL = 145  # examples in `many_windows`


def order(records, count, seed=3, batch_size=5, **arguments):
    """The numbers of the first `count` examples."""
    batches = records.batches(batch_size, 8, seed, **arguments)
    batches = itertools.islice(batches.as_numpy_iterator(), -(-count // batch_size))
    return list(itertools.chain.from_iterable(numbers_in(batch) for batch in batches))[:count]


def test_every_example_comes_once_per_epoch_in_a_new_order(many_windows):
    numbers = order(PretrainingRecords(many_windows), 3 * TOTAL)
    epochs = [numbers[start : start + TOTAL] for start in range(0, 3 * TOTAL, TOTAL)]
    assert all(sorted(epoch) == list(range(TOTAL)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert epochs[0] != sorted(epochs[0])


def test_the_order_depends_on_the_seed_and_nothing_else(many_windows):
    records = PretrainingRecords(many_windows)
    first = order(records, TOTAL)
    tf.random.set_seed(12345)
    assert order(PretrainingRecords(many_windows), TOTAL) == first
    assert order(records, TOTAL, batch_size=29) == first
    assert order(records, TOTAL, seed=4) != first


@pytest.mark.parametrize("start", [1, 5, 37, 100, 144, 145, 146, 200, 290, 1000])
def test_starting_later_continues_the_same_sequence(many_windows, start):
    records = PretrainingRecords(many_windows)
    assert order(records, 60, start=start) == order(records, start + 60)[start:]


def test_starting_anywhere_gives_the_example_that_stands_there(tmp_path, many_windows):
    records = PretrainingRecords(many_windows)
    expected = order(records, 2 * TOTAL)
    found = [order(records, 1, batch_size=1, start=start)[0] for start in range(0, 2 * TOTAL, 17)]
    assert found == expected[::17]


def test_batches_end_with_their_span(many_windows):
    records = PretrainingRecords(many_windows)
    found = order(records, TOTAL, batch_size=6, start=10, span=Span(4, 40))
    assert found == order(records, 40, batch_size=6)[10:]


@pytest.mark.parametrize("has_manifest", [True, False])
def test_the_fingerprint_tells_records_from_others_but_not_folders(tmp_path, has_manifest):
    def fingerprint(name, change=None):
        folder = tmp_path / name
        folder.mkdir()
        write_records(folder, [3, 4])
        manifest = pathlib.Path(Manifest.path_in(str(folder)))
        if not has_manifest:
            manifest.unlink()
        if change:
            change(folder, manifest)
        return PretrainingRecords(str(folder)).fingerprint

    def with_another_seed(_, manifest):
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "seed": 99}))

    def with_other_contents(folder, _):
        first = min(folder.glob("*tfrecord*"))
        records = list(tf.data.TFRecordDataset(str(first)).as_numpy_iterator())
        write_file(first, reversed(records))

    expected = fingerprint("one")
    assert fingerprint("two") == expected
    other = with_another_seed if has_manifest else with_other_contents
    assert fingerprint("three", other) != expected


def test_batches_cross_the_end_of_an_epoch(tmp_path):
    write_records(tmp_path, [3, 4])
    numbers = order(PretrainingRecords(str(tmp_path)), 70, batch_size=10)
    assert all(sorted(numbers[start : start + 7]) == list(range(7)) for start in range(0, 70, 7))


def test_workers_together_see_the_global_batches(many_windows):
    records = PretrainingRecords(many_windows)
    alone = records.batches(6, 8, seed=1, start=50).take(30).as_numpy_iterator()
    workers = [
        records.batches(6, 8, seed=1, start=50, worker_index=index, num_workers=3)
        for index in range(3)
    ]
    workers = zip(*(worker.take(30).as_numpy_iterator() for worker in workers), strict=True)
    for batch, parts in zip(alone, workers, strict=True):
        for name, rows in batch.items():
            assert parts[0][name].shape == (2, 8)
            np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), rows)


def test_batches_have_static_shapes_and_int32(many_windows):
    spec = PretrainingRecords(many_windows).batches(6, 8, seed=1, num_workers=2).element_spec
    assert spec == dict.fromkeys(
        ("input_ids", "input_mask", "segment_ids"), tf.TensorSpec((3, 8), tf.int32)
    )


def order_in(folder, count):
    return order(PretrainingRecords(folder), count)


@pytest.mark.usefixtures("quick_workers")
def test_another_process_reads_in_the_same_order(tmp_path):
    write_records(tmp_path, [13, 30, 7, 22, 16])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        numbers = pool.apply(order_in, (str(tmp_path), 160))
    assert numbers == order_in(str(tmp_path), 160)


def test_records_of_the_reference_are_counted_and_read(tmp_path):
    write_records(tmp_path, [13, 1, 0, 7], with_manifest=False)
    records = PretrainingRecords(str(tmp_path / "pretrain_data.tfrecord*"))
    assert records.manifests == {}
    assert records.counts == (13, 1, 0, 7)
    records.check(max_seq_length=512, tokenizer_settings=TOKENIZER)  # nothing to compare with
    assert sorted(order(records, 21)) == list(range(21))
    assert order(records, 30, start=33) == order(records, 63)[33:]


def test_records_without_a_manifest_are_looked_at(tmp_path):
    write_records(tmp_path, [9], with_manifest=False)  # up to 8 tokens, ids up to 208
    records = PretrainingRecords(str(tmp_path))
    records.check(max_seq_length=8, tokenizer_settings=TOKENIZER | {"vocab_size": 209})
    with pytest.raises(ValueError) as error:
        records.check(max_seq_length=7, tokenizer_settings=TOKENIZER | {"vocab_size": 208})
    assert "a record is 8 tokens long, the configuration's max_seq_length is 7" in str(error.value)
    assert "the token id 208, the configuration's vocabulary has 208 tokens" in str(error.value)


@pytest.mark.parametrize("record", [b"no example", b""])
def test_other_tfrecords_are_refused(tmp_path, record):
    write_file(tmp_path / "other", [record])
    with pytest.raises(ValueError, match=r"other: record 0 cannot be read"):
        PretrainingRecords(str(tmp_path / "other")).check(8, TOKENIZER)


def test_evaluation_reads_all_in_file_order_and_fills_the_last_batch(tmp_path):
    write_records(tmp_path, [6, 5])
    batches = list(PretrainingRecords(str(tmp_path)).evaluation_batches(4, 8).as_numpy_iterator())
    assert [batch["input_ids"].shape for batch in batches] == [(4, 8)] * 3
    numbers = list(itertools.chain.from_iterable(numbers_in(batch) for batch in batches))
    assert numbers[:11] == list(range(11))
    assert batches[-1]["input_mask"][-1].tolist() == [0] * 8
    assert batches[-1]["input_mask"][-2].sum() > 0


def test_patterns_of_several_folders_are_read_together(tmp_path):
    write_records(tmp_path / "a", [2, 3])
    write_records(tmp_path / "b", [4], with_manifest=False)
    records = PretrainingRecords(f"{tmp_path}/a/pretrain*, {tmp_path}/b/pretrain*,{tmp_path}/b")
    assert records.counts == (2, 3, 4)
    assert list(records.manifests) == [f"{tmp_path}/a"]
    with pytest.raises(ValueError, match=r"a/manifest.json: max_seq_length is 8"):
        records.check(max_seq_length=16, tokenizer_settings=TOKENIZER)


def test_check_lists_every_difference(tmp_path):
    write_records(tmp_path, [2])
    records = PretrainingRecords(str(tmp_path))
    records.check(max_seq_length=8, tokenizer_settings=TOKENIZER)
    other = TOKENIZER | {"do_lower_case": False, "vocab_sha256": "cd" * 32}
    with pytest.raises(ValueError) as error:
        records.check(max_seq_length=16, tokenizer_settings=other)
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert "do_lower_case is True, the configuration has False" in lines[1]
    assert "max_seq_length is 8, the configuration has 16" in lines[2]
    assert "vocab_sha256 is 'abab" in lines[3]


def test_missing_patterns_and_files_are_errors(tmp_path):
    with pytest.raises(ValueError, match=r"nothing\*' matches no file"):
        PretrainingRecords(str(tmp_path / "nothing*"))
    with pytest.raises(ValueError, match="No pre-training records given"):
        PretrainingRecords(" ,")


def test_a_folder_that_differs_from_its_manifest_is_an_error(tmp_path):
    write_records(tmp_path, [2, 3, 4])
    with pytest.raises(ValueError, match=r"tfrecord-0-of-3 is missing"):
        PretrainingRecords(str(tmp_path / "pretrain_data.tfrecord-[12]*"))
    last = tmp_path / "pretrain_data.tfrecord-2-of-3"
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"tfrecord-2-of-3 has \d+ bytes instead of"):
        PretrainingRecords(str(tmp_path))
    last.rename(tmp_path / "pretrain_data.tfrecord-2-of-4")
    with pytest.raises(ValueError, match=r"-2-of-3 is missing; .*-2-of-4 is not listed"):
        PretrainingRecords(str(tmp_path))


def test_an_interrupted_build_without_manifest_is_an_error(tmp_path):
    write_records(tmp_path, [2], with_manifest=False)
    (tmp_path / "unfinished").mkdir()
    with pytest.raises(ValueError, match="building was interrupted"):
        PretrainingRecords(str(tmp_path))


def test_damage_inside_a_record_is_found_when_it_is_read(tmp_path):
    write_records(tmp_path, [20])
    path = tmp_path / "pretrain_data.tfrecord-0-of-1"
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    with pytest.raises(tf.errors.DataLossError):
        list(PretrainingRecords(str(tmp_path)).evaluation_batches(4, 8))
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(ValueError, match=r"-0-of-1: record 19 cannot be read: corrupted record"):
        PretrainingRecords(str(tmp_path)).check(8, TOKENIZER)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"batch_size": 0}, "batch_size is expected to be at least 1, but is 0"),
        ({"num_workers": 4}, "num_workers is expected to be a divisor of batch_size, 6, but is 4"),
        ({"num_workers": 2, "worker_index": 2}, "worker_index is expected to be in 0..1, but is 2"),
        ({"start": -1}, r"start is expected to be in span, \(0, None\), but is -1"),
        ({"start": 18, "span": Span(6, 12)}, r"start is expected to be in span, \(6, 12\)"),
        ({"start": 8, "span": Span(6), "buckets": (4,)}, "whole batches of 6 behind 6 where"),
    ],
)
def test_sizes_that_do_not_fit_are_errors(many_windows, arguments, message):
    arguments = {"batch_size": 6, "max_seq_length": 8, "seed": 1} | arguments
    with pytest.raises(ValueError, match=message):
        PretrainingRecords(many_windows).batches(**arguments)


def test_folders_without_any_example_are_errors(tmp_path):
    write_records(tmp_path, [0], with_manifest=False)
    with pytest.raises(ValueError, match="hold no examples"):
        PretrainingRecords(str(tmp_path)).batches(1, 8, seed=1)


def test_optional_features_are_in_the_batches(tmp_path):
    write_records(tmp_path / "a", [5], word_starts=True)
    write_records(tmp_path / "b", [4])
    records = PretrainingRecords(str(tmp_path / "a"))
    assert records.features == ("word_starts",)
    for batches in (records.batches(5, 8, seed=1).take(1), records.evaluation_batches(5, 8)):
        (batch,) = batches.as_numpy_iterator()
        np.testing.assert_array_equal(batch["word_starts"], batch["input_mask"])
    both = PretrainingRecords(f"{tmp_path}/a,{tmp_path}/b")
    with pytest.raises(ValueError, match=r"different features .*a has \['word_starts'\], .*b has"):
        both.batches(5, 8, seed=1)


def test_damage_deep_inside_is_named_with_file_and_record(tmp_path):
    write_records(tmp_path, [5, 2000])
    path = tmp_path / "pretrain_data.tfrecord-1-of-2"
    content = bytearray(path.read_bytes())
    start = 0
    for _ in range(1500):
        start += int.from_bytes(content[start : start + 8], "little") + 16
    content[start + 20] ^= 1
    path.write_bytes(content)
    records = PretrainingRecords(str(tmp_path))
    message = r"/pretrain_data.tfrecord-1-of-2: record 1500 cannot be read: corrupted record"
    with pytest.raises(ValueError, match=message):
        list(records.numpy_iterator(records.evaluation_batches(50, 8), 8))
    with pytest.raises(ValueError, match=message):
        for _ in records.numpy_iterator(records.batches(50, 8, seed=1), 8):
            pass


def write_records_with(folder, sizes, place, record):
    """Records without a manifest, one of the second file replaced; returns that file."""
    write_records(folder, sizes)
    path = folder / "pretrain_data.tfrecord-1-of-2"
    sound = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number, serialized in enumerate(sound):
            writer.write(record if number == place else serialized)
    (folder / "manifest.json").unlink()
    return path


@pytest.mark.parametrize("record", [b"", b"\xff\xff", b"\x0a\x05\x0a\x03a"])
def test_what_is_no_record_is_named_with_file_and_number(tmp_path, record):
    path = write_records_with(tmp_path, [5, 1300], 1199, record)
    records = PretrainingRecords(str(tmp_path))
    message = rf"{path}: record 1199 cannot be read: .*\. Copy or build the records again\.$"
    with pytest.raises(ValueError, match=message):
        list(records.numpy_iterator(records.evaluation_batches(50, 8), 8))


@pytest.mark.parametrize("record", [b"\xff\xff", b"\x0a\x05\x0a\x03a"])
def test_the_first_records_are_named_too(tmp_path, record):
    path = write_records_with(tmp_path, [2, 5], 3, record)
    files = PretrainingRecords(str(tmp_path)).files
    assert [place for _, place, _ in first_records(files, 5)] == [0, 1, 0, 1, 2]
    with pytest.raises(ValueError, match=rf"^{path}: record 3 cannot be read"):
        list(first_records(files, 6))


def test_records_that_are_too_long_are_named_with_file_and_record(tmp_path):
    write_records(tmp_path, [3])  # 4, 5 and 6 tokens
    records = PretrainingRecords(str(tmp_path))
    with pytest.raises(ValueError, match=r"-0-of-1: record 1 cannot .* longer than max_seq_length"):
        list(records.numpy_iterator(records.evaluation_batches(4, 4), 4))
    (batch,) = records.numpy_iterator(records.evaluation_batches(3, 8), 8)
    assert numbers_in(batch) == [0, 1, 2]


def test_the_fingerprint_is_that_of_earlier_versions(tmp_path):
    """A resumed run compares it with the stored one, also of folders within each other."""
    (tmp_path / "b").mkdir()
    for number, name in enumerate(["a.rec", "b/x.rec", "c.rec"]):
        write_file(tmp_path / name, [b"%d" % number])
    records = PretrainingRecords(f"{tmp_path}/*.rec,{tmp_path}/b/*.rec")
    assert records.fingerprint.startswith("4dff3d243ba25369")
