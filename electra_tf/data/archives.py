# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Text files inside compressed files and archives, nested as they come, read as streams."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import tensorflow as tf
import zstandard

MAGIC_BYTES = 512
"""How much of a file's beginning its format is recognized by."""

_UNREADABLE = {
    b"PK\x03\x04": "a zip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_TAR_MAGIC_PLACE = 257
_READ_BUFFER_BYTES = 1 << 20
_ZSTD_READ_BYTES = 1 << 13
"""Read at once, so that what comes out of it stays small however well it was compressed."""

_ZSTD_LARGEST_WINDOW = 1 << 31
"""As `zstd --long=31` writes; by default the library refuses windows over 128 MiB."""


def is_packed(beginning: bytes, path: str) -> bool:
    """Whether a file is compressed or a tar archive, judged by its first MAGIC_BYTES.

    Raises:
        ValueError: naming the file, for known formats that cannot be read.
    """
    for magic, what in _UNREADABLE.items():
        if beginning.startswith(magic):
            raise ValueError(
                f"{path} is {what}, which cannot be read; UTF-8 text, gzip, xz, zstd, bzip2 and "
                "tar can."
            )
    return _decompressor(beginning) is not None or _is_tar(beginning)


def open_texts(path: str) -> Iterator[tuple[str, BinaryIO, Callable[[], int]]]:
    """Opens the text files inside a file one after the other; each is to be read before the next.

    Opening them and reading them are to be done under `damage_named`.

    Yields:
        The path with the names inside archives appended, the text, and a function that says how
        many bytes of the file itself have been read so far.
    """
    with tf.io.gfile.GFile(path, "rb") as file:
        raw = _Raw(file)
        for name, stream in _texts(io.BufferedReader(raw, _READ_BUFFER_BYTES), path):
            yield name, stream, lambda: raw.position


@contextmanager
def damage_named(path: str) -> Iterator[None]:
    """Turns what damaged or cut-off archives raise into a ValueError that names the file."""
    try:
        yield
    except _DAMAGE as error:
        raise ValueError(f"{path} is damaged or cut off: {error}.") from error


def _texts(stream: io.BufferedReader, path: str) -> Iterator[tuple[str, BinaryIO]]:
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
        yield path, stream


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
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        self.position += len(content)
        return len(content)


class _Zstandard(io.RawIOBase):
    """Decompresses zstd frames one after the other.

    Unlike the library's reader it notices an end inside a frame.
    """

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._library = zstandard.ZstdDecompressor(max_window_size=_ZSTD_LARGEST_WINDOW)
        self._frame = None
        self._content = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        # The first read must show the format, even if the frames are tiny.
        while len(self._content) < MAGIC_BYTES:
            is_between = self._frame is None or self._frame.eof
            left_over = self._frame.unused_data if self._frame and is_between else b""
            compressed = left_over or self._stream.read(_ZSTD_READ_BYTES)
            if not compressed:
                if not is_between:
                    raise EOFError("it ends inside a zstd frame")
                break
            if is_between:
                self._frame = self._library.decompressobj()
            self._content += self._frame.decompress(compressed)
        size = min(len(buffer), len(self._content))
        buffer[:size] = self._content[:size]
        self._content = self._content[size:]
        return size


_DECOMPRESSORS = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"\x5d\x00\x00": lzma.open,  # its older format
    b"\x28\xb5\x2f\xfd": _Zstandard,
    # Frames to be skipped, which pzstd writes first.
    **{bytes([first]) + b"\x2a\x4d\x18": _Zstandard for first in range(0x50, 0x60)},
    b"BZh": bz2.open,
}
_DAMAGE = (
    EOFError,
    OSError,  # of bz2; gzip's is one, too
    lzma.LZMAError,
    tarfile.TarError,
    zlib.error,
    zstandard.ZstdError,
)
