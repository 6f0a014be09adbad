# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Text files inside compressed files and archives, nested as they come, read as streams."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import tensorflow as tf

MAGIC_BYTES = 512
"""What must be known of a file's beginning to tell its format."""

_DECOMPRESSORS = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"BZh": bz2.open,
}
_UNREADABLE = {
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
}
_TAR_MAGIC_PLACE = 257
_READ_BUFFER_BYTES = 1 << 20


def is_packed(beginning: bytes, path: str) -> bool:
    """Whether a file is compressed or a tar archive, judged by its first MAGIC_BYTES.

    Raises:
        ValueError: naming the file, for known formats that cannot be read.
    """
    for magic, what in _UNREADABLE.items():
        if beginning.startswith(magic):
            raise ValueError(
                f"{path} is {what}, which cannot be read; text, gzip, xz, bzip2 and tar can."
            )
    return _decompressor(beginning) is not None or _is_tar(beginning)


def open_texts(path: str) -> Iterator[BinaryIO]:
    """Opens the text files inside a file one after the other; each is to be read before the next.

    Raises:
        ValueError: naming the file, for damaged or cut-off archives.
    """
    with tf.io.gfile.GFile(path, "rb") as file, _damage_named(path):
        yield from _texts(io.BufferedReader(_Raw(file), _READ_BUFFER_BYTES), path)


@contextmanager
def _damage_named(path: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error, tarfile.TarError) as error:
        raise ValueError(f"{path} is damaged or cut off: {error}.") from error


def _texts(stream: io.BufferedReader, path: str) -> Iterator[BinaryIO]:
    beginning = stream.peek(MAGIC_BYTES)[:MAGIC_BYTES]
    decompressor = _decompressor(beginning)
    if decompressor:
        with decompressor(stream) as inner:
            yield from _texts(io.BufferedReader(inner, _READ_BUFFER_BYTES), path)
    elif _is_tar(beginning):
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                # A folder has no content; hidden files are left out as in a corpus folder.
                if member.isfile() and not os.path.basename(member.name).startswith("."):
                    yield from _texts(archive.extractfile(member), f"{path}/{member.name}")
    else:
        is_packed(beginning, path)
        yield stream


def _decompressor(beginning: bytes):
    for magic, decompressor in _DECOMPRESSORS.items():
        if beginning.startswith(magic):
            return decompressor
    return None


def _is_tar(beginning: bytes) -> bool:
    return beginning[_TAR_MAGIC_PLACE : _TAR_MAGIC_PLACE + 5] == b"ustar"


class _Raw(io.RawIOBase):
    """Lets the standard library's decompressors read a tf.io.gfile file."""

    def __init__(self, file: tf.io.gfile.GFile):
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)
