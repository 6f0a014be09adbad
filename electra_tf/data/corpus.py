# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The files of a corpus, cut into chunks of work; text from standard input is kept in a file."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import tensorflow as tf
from absl import logging

from electra_tf.data import archives
from electra_tf.data.manifest import partial_name
from electra_tf.files import sha256_of, writes, writing
from electra_tf.given_files import check_corpus, matching_files

CHUNK_BYTES = 1 << 20
_MIN_CHUNK_BYTES = 1 << 16
_COMPRESSION = 4
"""Text of a compressed file in multiples of its size, roughly; used to plan only."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the corpus."""

    name: str
    """Path relative to the corpus folder; seeds depend on it, so that the corpus can be moved."""
    path: str
    bytes: int
    is_packed: bool
    """Whether it is compressed or an archive, and so can only be read from its beginning."""
    digest: str = ""
    """Hash of its content where that is known; else its time of change shows whether it changed."""

    @property
    def text_bytes(self) -> int:
        """Size of its text, estimated for compressed files."""
        return self.bytes * (_COMPRESSION if self.is_packed else 1)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a file that is read alone: a range of bytes, or all of a packed file.

    `start` and `end` are where the range would lie without regard to lines; reading moves both
    forward to the next place where text may be cut (see `reading.py`).
    """

    source: SourceFile
    start: int
    end: int
    index: int
    """Number of the chunk in the corpus."""

    @property
    def text_bytes(self) -> int:
        """Size of its text, estimated for compressed files."""
        return self.source.text_bytes if self.source.is_packed else self.end - self.start


def find_sources(corpus: str | Sequence[str]) -> tuple[SourceFile, ...]:
    """Lists the files of a corpus in the order of their names.

    The corpus is a folder, or a list of files and glob patterns. A folder is walked with its
    sub-folders; files and folders whose names begin with a dot are left out, with a warning.

    Raises:
        FileNotFoundError: for a folder or file that does not exist, or a pattern without files.
        NotADirectoryError, IsADirectoryError: for a file instead of a folder, or the reverse.
        ValueError: for a folder or list without files, a format that cannot be read, or if all
            files are empty.
    """
    check_corpus(corpus)
    if isinstance(corpus, str):
        names = _walk(corpus)
        if not names:
            raise ValueError(f"The corpus folder {corpus!r} holds no files.")
        paths = [os.path.join(corpus, name) for name in names]
    else:
        paths = sorted({path for pattern in corpus for path in matching_files(pattern)})
        names = _names_below_common_folder(paths)
    sources = tuple(source_file(*pair) for pair in zip(names, paths, strict=True))
    if not any(source.bytes for source in sources):
        raise ValueError(f"All {len(sources)} text files in {corpus!r} are empty.")
    return sources


def source_file(name: str, path: str, digest: str = "") -> SourceFile:
    """Looks at a file.

    Raises:
        ValueError: naming it, for a packed format that cannot be read.
    """
    with tf.io.gfile.GFile(path, "rb") as file:
        size = file.size()
        packed = archives.is_packed(file.read(archives.MAGIC_BYTES), path)
    return SourceFile(name, path, size, packed, digest)


def cut_in_chunks(sources: Sequence[SourceFile], chunk_bytes: int) -> list[Chunk]:
    """Chunks of all files that are not empty; text is cut every `chunk_bytes`."""
    chunks = []
    for source in sources:
        step = max(1, source.bytes if source.is_packed else chunk_bytes)
        chunks += [
            Chunk(source, start, min(start + step, source.bytes), index)
            for index, start in enumerate(range(0, source.bytes, step), start=len(chunks))
        ]
    return chunks


def chunk_size(text_bytes: int, num_shards: int) -> int:
    """Bytes per chunk: smaller where shards are small, so that they come out alike."""
    return min(CHUNK_BYTES, max(_MIN_CHUNK_BYTES, text_bytes // (4 * num_shards)))


def _names_below_common_folder(paths: Sequence[str]) -> list[str]:
    """Paths relative to the folder that all are in; as they are, if there is no such folder."""
    try:
        base = os.path.commonpath([os.path.dirname(path) for path in paths])
    except ValueError:  # absolute and relative ones
        return list(paths)
    return [os.path.relpath(path, base or ".") for path in paths]


def _walk(folder: str) -> list[str]:
    names, hidden = [], []
    for parent, folders, files in tf.io.gfile.walk(folder):
        relative = parent[len(folder) :].strip("/")
        if any(part.startswith(".") for part in relative.split("/")):
            continue
        hidden += [os.path.join(relative, name) for name in folders + files if name[0] == "."]
        names += [os.path.join(relative, name) for name in files if name[0] != "."]
    if hidden:
        logging.warning("Hidden files are left out of the corpus: %s", ", ".join(sorted(hidden)))
    return sorted(names)


STANDARD_INPUT_NAME = "standard_input"
_BLOCK_BYTES = 1 << 20


def keep_standard_input(stream: BinaryIO, folder: str) -> SourceFile:
    """Copies a stream to a file in a folder, named by its content: the same text, the same plan.

    Raises:
        ValueError: if nothing comes, or a packed format that cannot be read.
        OSError: if the file cannot be written; nothing is left of it then.
    """
    writing(folder, tf.io.gfile.makedirs, folder)
    partial = partial_name(os.path.join(folder, STANDARD_INPUT_NAME))
    hashed = hashlib.sha256()
    block = stream.read(_BLOCK_BYTES)
    if not block:
        raise ValueError("No text came through standard input.")
    try:
        with writes(partial), tf.io.gfile.GFile(partial, "wb") as file:
            while block:
                hashed.update(block)
                file.write(block)
                block = stream.read(_BLOCK_BYTES)
        digest = hashed.hexdigest()
        path = os.path.join(folder, f"{STANDARD_INPUT_NAME}-{digest[:16]}")
        writing(path, tf.io.gfile.rename, partial, path, overwrite=True)
    finally:
        if tf.io.gfile.exists(partial):
            tf.io.gfile.remove(partial)
    return source_file(STANDARD_INPUT_NAME, path, digest)


def remove_kept(folder: str) -> None:
    """Removes all kept streams from a folder: files that are named by their own content."""
    for name in tf.io.gfile.listdir(folder):
        match = re.fullmatch(rf"{STANDARD_INPUT_NAME}-([0-9a-f]{{16}})", name)
        path = os.path.join(folder, name)
        if match and sha256_of(path).startswith(match[1]):
            tf.io.gfile.remove(path)
