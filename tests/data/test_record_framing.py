# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Counting records without parsing them."""

import pytest
from record_files import write_file

from electra_tf.data import damage

RECORDS = [b"x" * size for size in (0, 1, 5, 1000, 70_000, 3, 200)]


@pytest.mark.parametrize("block", [40, 1007, 1 << 24])
def test_records_are_counted_in_blocks_of_any_size(tmp_path, monkeypatch, block):
    monkeypatch.setattr(damage, "_BLOCK_BYTES", block)
    write_file(tmp_path / "records", RECORDS)
    assert damage.count_records(str(tmp_path / "records")) == len(RECORDS)


def test_an_empty_file_holds_no_records(tmp_path):
    write_file(tmp_path / "records", [])
    assert damage.count_records(str(tmp_path / "records")) == 0


@pytest.mark.parametrize(
    "kept, record",
    [(-1, 6), (-100, 6), (-219, 5), (-211, 6), (16 + 17 + 21 + 500, 3), (5, 0)],
)
def test_a_file_that_ends_inside_a_record_is_an_error(tmp_path, kept, record):
    path = tmp_path / "records"
    write_file(path, RECORDS)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=rf"records: record {record} is cut off"):
        damage.count_records(str(path))


@pytest.mark.parametrize("block", [40, 1 << 24])
def test_a_damaged_length_is_an_error_that_names_the_record(tmp_path, monkeypatch, block):
    monkeypatch.setattr(damage, "_BLOCK_BYTES", block)
    path = tmp_path / "records"
    write_file(path, RECORDS)
    content = bytearray(path.read_bytes())
    content[16 + 17 + 1] ^= 1  # the length of the third record
    path.write_bytes(content)
    with pytest.raises(ValueError, match="records: record 2 is damaged"):
        damage.count_records(str(path))


def test_a_text_file_is_no_record_file(tmp_path):
    path = tmp_path / "records"
    path.write_text("It was the best of times, it was the worst of times.")
    with pytest.raises(ValueError, match=r"record 0 is damaged.*Is this an uncompressed TFRecord"):
        damage.count_records(str(path))
