# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Counting the records of a TFRecord file from its length headers."""

import struct

import numpy as np
import tensorflow as tf

# A record is its length (8 bytes, little-endian), a masked CRC-32C of the length (4), the data,
# and a masked CRC-32C of the data (4).
_HEADER_BYTES = 12
_FOOTER_BYTES = 4
_BLOCK_BYTES = 1 << 24
_CRC32C_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8


def count_records(path: str) -> int:
    """Number of records in a file, without parsing them.

    Raises:
        ValueError: naming the file and the record, for a file that ends inside a record or whose
            length headers are damaged. Damage inside the data is found when it is read.
    """
    count, start = 0, 0
    with tf.io.gfile.GFile(path, "rb") as file:
        size = file.size()
        while start < size:
            file.seek(start)
            headers, start = _walk(file.read(_BLOCK_BYTES), start)
            damaged = np.flatnonzero(~_lengths_are_sound(headers))
            if damaged.size:
                raise ValueError(
                    f"{path}: record {count + damaged[0]} is damaged, its length does not match "
                    "its checksum. Is this an uncompressed TFRecord file?"
                )
            count += len(headers)
            if start > size or not len(headers):
                last = max(0, count - 1) if start > size else count
                raise ValueError(
                    f"{path}: record {last} is cut off, the file ends at byte {size}. "
                    "Copy or build the file again."
                )
    return count


def _walk(block: bytes, start: int) -> tuple[np.ndarray, int]:
    """Headers [records, 12] in a block that begins with a record, and where the next one starts."""
    offsets, offset, end = [], 0, len(block) - _HEADER_BYTES
    unpack = struct.Struct("<Q").unpack_from
    while offset <= end:
        offsets.append(offset)
        offset += unpack(block, offset)[0] + _HEADER_BYTES + _FOOTER_BYTES
    places = np.array(offsets, dtype=np.int64)[:, np.newaxis] + np.arange(_HEADER_BYTES)
    return np.frombuffer(block, dtype=np.uint8)[places], start + offset


def _lengths_are_sound(headers: np.ndarray) -> np.ndarray:
    """Whether each header's checksum belongs to its length."""
    crc = np.full(len(headers), 0xFFFFFFFF, dtype=np.uint32)
    for place in range(8):
        crc = _CRC_TABLE[(crc ^ headers[:, place]) & 0xFF] ^ (crc >> 8)
    crc ^= np.uint32(0xFFFFFFFF)
    masked = ((crc >> 15) | (crc << 17)) + np.uint32(_MASK_DELTA)
    stored = np.ascontiguousarray(headers[:, 8:12]).view("<u4")[:, 0]
    return masked == stored


def _crc_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_CRC32C_POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


_CRC_TABLE = _crc_table()
