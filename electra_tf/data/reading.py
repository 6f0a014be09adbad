# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reading chunks of a corpus as lines of text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import tensorflow as tf

from electra_tf.data import archives
from electra_tf.data.corpus import CHUNK_BYTES, Chunk

_CUT_WINDOW_BYTES = 1 << 18
"""How far from its place a cut is moved to fall between documents, or else lines, or words."""

_BETWEEN_DOCUMENTS = re.compile(rb"\n[ \t\r\f\v]*\n")
_BETWEEN_LINES = re.compile(rb"\n")
_BETWEEN_WORDS = re.compile(rb"[ \t]")
_BETWEEN_CHARACTERS = re.compile(rb"(?=[^\x80-\xbf])")


@dataclass
class Piece:
    """Some lines of text that examples are built from, about a chunk's size at most."""

    lines: list[str] = field(default_factory=list)
    """Lines without surrounding white space, none of them empty."""

    document_ends: list[int] = field(default_factory=list)
    """Numbers of lines after which a document ends, ascending; the last is all lines."""

    replaced_bytes: int = 0
    """Bytes that are not UTF-8."""

    def add(self, text: bytes, blanks_separate_docs: bool) -> None:
        """Appends lines and ends the document after them."""
        decoded, replaced = decode(text)
        self.replaced_bytes += replaced
        for line in decoded.split("\n"):
            line = line.strip()
            if line:
                self.lines.append(line)
            elif blanks_separate_docs:
                self.document_ends.append(len(self.lines))
        self.document_ends.append(len(self.lines))


def read_pieces(chunk: Chunk, blanks_separate_docs: bool) -> Iterator[Piece]:
    """Reads a chunk: one piece for a range of a text file, one or many for a packed file.

    The end of a file ends its document. Documents that are longer than a chunk are cut between
    lines, and lines that are longer between words.
    """
    if not chunk.source.is_packed:
        piece = Piece()
        piece.add(_read_range(chunk, blanks_separate_docs), blanks_separate_docs)
        yield piece
        return
    piece, size = Piece(), 0
    for file in archives.open_texts(chunk.source.path):
        for block in _blocks(file, blanks_separate_docs):
            piece.add(block, blanks_separate_docs)
            size += len(block)
            if size >= CHUNK_BYTES:
                yield piece
                piece, size = Piece(), 0
    yield piece


def decode(text: bytes) -> tuple[str, int]:
    """Decodes UTF-8 with replacement characters, and counts the bytes that they stand for."""
    try:
        return text.decode("utf-8"), 0
    except UnicodeDecodeError:
        kept = len(text.decode("utf-8", errors="ignore").encode("utf-8"))
        return text.decode("utf-8", errors="replace"), len(text) - kept


def _read_range(chunk: Chunk, blanks_separate_docs: bool) -> bytes:
    with tf.io.gfile.GFile(chunk.source.path, "rb") as file:
        start = _cut_in_file(file, chunk.start, chunk.source.bytes, blanks_separate_docs)
        end = _cut_in_file(file, chunk.end, chunk.source.bytes, blanks_separate_docs)
        file.seek(start)
        return file.read(end - start)


def _cut_in_file(file: BinaryIO, place: int, size: int, blanks_separate_docs: bool) -> int:
    """Where a cut near `place` falls; neighbouring chunks find the same answer alone."""
    if place in (0, size):
        return place
    file.seek(place)
    return place + _cut(file.read(_CUT_WINDOW_BYTES), blanks_separate_docs)


def _cut(window: bytes, blanks_separate_docs: bool) -> int:
    """The first place in a window between documents, or else lines, or else words.

    The end of the file, within a window that is shorter than others, is an end of a document too.
    Of two overlapping windows the later one never gives an earlier place: chunks do not overlap.
    """
    first = _BETWEEN_DOCUMENTS if blanks_separate_docs else _BETWEEN_LINES
    match = first.search(window)
    if match is None and len(window) < _CUT_WINDOW_BYTES:
        return len(window)
    for pattern in (_BETWEEN_LINES, _BETWEEN_WORDS, _BETWEEN_CHARACTERS):
        match = match or pattern.search(window)
    return match.end() if match else 0


def _blocks(file: BinaryIO, blanks_separate_docs: bool) -> Iterator[bytes]:
    """Cuts a stream into blocks of about a chunk's size."""
    rest = b""
    while True:
        read = file.read(CHUNK_BYTES + _CUT_WINDOW_BYTES - len(rest))
        rest += read
        if len(rest) <= CHUNK_BYTES:
            if rest:
                yield rest
            return
        if not read or len(rest) == CHUNK_BYTES + _CUT_WINDOW_BYTES:
            end = CHUNK_BYTES + _cut(rest[CHUNK_BYTES:], blanks_separate_docs)
            yield rest[:end]
            rest = rest[end:]
