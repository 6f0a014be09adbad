# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reading chunks of a corpus as lines of text; in JSON lines a field holds a document's text."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import tensorflow as tf
from absl import logging

from electra_tf.data import archives
from electra_tf.data.corpus import CHUNK_BYTES, Chunk, SourceFile, cut_in_chunks

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
    source_bytes: int = 0
    """Bytes of the file that were read for it, for showing progress."""

    def documents(self) -> Iterator[tuple[int, int]]:
        """Yields [begin, end) lines of the documents that have any."""
        begin = 0
        for end in self.document_ends:
            if end > begin:
                yield begin, end
            begin = end

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

    def add_json_lines(self, block: bytes, text_field: str) -> None:
        """Appends the lines of JSON lines' texts, each of which is a document."""
        for text, replaced in _json_texts(block, text_field):
            self.replaced_bytes += replaced
            self.lines += filter(None, map(str.strip, text.split("\n")))
            self.document_ends.append(len(self.lines))


def read_pieces(
    chunk: Chunk, blanks_separate_docs: bool, text_field: str | None = None
) -> Iterator[Piece]:
    """Reads a chunk: one piece for a range of a text file, one or many for a packed file.

    The end of a file ends its document, and so do blank lines if `blanks_separate_docs`. Documents
    that are longer than a chunk are cut between lines, and lines that are longer between words.
    With `text_field` the file has JSON lines, each a document with its text in that field, which
    are never cut.

    Raises:
        ValueError: naming the file, and the line of a file of JSON lines.
    """
    if chunk.source.is_packed:
        with archives.damage_named(chunk.source.path):
            yield from _packed_pieces(chunk, blanks_separate_docs, text_field)
    elif text_field is None:
        piece = Piece(source_bytes=chunk.end - chunk.start)
        piece.add(_read_range(chunk, blanks_separate_docs), blanks_separate_docs)
        yield piece
    else:
        yield _json_range(chunk, text_field)


def read_all(
    sources: Sequence[SourceFile], blanks_separate_docs: bool, text_field: str | None = None
) -> Iterator[Piece]:
    """Reads files one after the other, as `read_pieces` does; says what is not UTF-8."""
    replaced_bytes = 0
    for chunk in cut_in_chunks(sources, CHUNK_BYTES):
        for piece in read_pieces(chunk, blanks_separate_docs, text_field):
            replaced_bytes += piece.replaced_bytes
            yield piece
    if replaced_bytes:
        logging.warning("%d bytes are not UTF-8 and were left out.", replaced_bytes)


def decode(text: bytes) -> tuple[str, int]:
    """Decodes UTF-8 with replacement characters, and counts the bytes that they stand for."""
    try:
        return text.decode("utf-8"), 0
    except UnicodeDecodeError:
        kept = len(text.decode("utf-8", errors="ignore").encode("utf-8"))
        return text.decode("utf-8", errors="replace"), len(text) - kept


def _packed_pieces(
    chunk: Chunk, blanks_separate_docs: bool, text_field: str | None
) -> Iterator[Piece]:
    piece, size, reported = Piece(), 0, 0
    for name, file, position in archives.open_texts(chunk.source.path):
        lines_before = 0
        for block in _blocks(file, blanks_separate_docs) if text_field is None else _lines(file):
            if text_field is None:
                piece.add(block, blanks_separate_docs)
            else:
                try:
                    piece.add_json_lines(block, text_field)
                except BadLine as bad:
                    number = lines_before + block.count(b"\n", 0, bad.offset) + 1
                    raise ValueError(f"{name}: line {number} {bad.reason}.") from bad
                lines_before += block.count(b"\n")
            size += len(block)
            if size >= CHUNK_BYTES:
                piece.source_bytes, reported = position() - reported, position()
                yield piece
                piece, size = Piece(), 0
    piece.source_bytes = chunk.source.bytes - reported
    yield piece


def _json_range(chunk: Chunk, text_field: str) -> Piece:
    piece = Piece(source_bytes=chunk.end - chunk.start)
    with tf.io.gfile.GFile(chunk.source.path, "rb") as file:
        start = _next_line(file, chunk.start, chunk.source.bytes)
        end = _next_line(file, chunk.end, chunk.source.bytes)
        file.seek(start)
        try:
            piece.add_json_lines(file.read(end - start), text_field)
        except BadLine as bad:
            number, reason = _first_bad_line(file, chunk.source.bytes, text_field)
            raise ValueError(f"{chunk.source.path}: line {number} {reason}.") from bad
    return piece


def _next_line(file: BinaryIO, place: int, size: int) -> int:
    """Where the first line after `place` begins; the beginning of a file is one."""
    if place == 0:
        return 0
    offset = place
    while offset < min(size, place + LONGEST_LINE_BYTES):
        file.seek(offset)
        window = file.read(_CUT_WINDOW_BYTES)
        found = window.find(b"\n")
        if found >= 0:
            return offset + found + 1
        offset += len(window)
    # A longer line is an error, of the chunk in which it begins.
    return min(offset + 1, size)


def _first_bad_line(file: BinaryIO, size: int, text_field: str) -> tuple[int, str]:
    """Number of the first line of a file that holds no text, and why; chunks come in any order."""
    start = lines_before = 0
    while start < size:
        end = _next_line(file, min(start + CHUNK_BYTES, size), size)
        file.seek(start)
        block = file.read(end - start)
        try:
            for _ in _json_texts(block, text_field):
                pass
        except BadLine as bad:
            return lines_before + block.count(b"\n", 0, bad.offset) + 1, bad.reason
        lines_before += block.count(b"\n")
        start = end
    raise ValueError("A file of the corpus was changed while it was read.")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Cuts a stream of JSON lines into blocks of about a chunk's size."""
    while block := file.read(CHUNK_BYTES):
        if not block.endswith(b"\n"):
            block += file.readline(LONGEST_LINE_BYTES)
        yield block


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


LONGEST_LINE_BYTES = 1 << 26
"""A line is held in memory as a whole."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_BYTES = 3


class BadLine(Exception):
    """A line that holds no text; the caller adds the file's name and the line's number.

    Attributes:
        offset: where the line begins, in bytes from the beginning of what was read.
        reason: what is wrong with it.
    """

    def __init__(self, offset: int, reason: str):
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason


def _json_texts(block: bytes, field: str) -> Iterator[tuple[str, int]]:
    """The text of every line that is not empty, and how many of its bytes had to be replaced.

    Raises:
        BadLine: for a line that is not a JSON object, or has no such field with a string.
    """
    offset = 0
    for line in block.split(b"\n"):
        if line.strip():
            try:
                yield _text(line, field)
            except ValueError as error:
                raise BadLine(offset, str(error)) from error
        offset += len(line) + 1


def _text(line: bytes, field: str) -> tuple[str, int]:
    if len(line) > LONGEST_LINE_BYTES:
        raise ValueError(f"is longer than {LONGEST_LINE_BYTES >> 20} MiB; is this JSON lines?")
    decoded, replaced = decode(line)
    try:
        item = json.loads(decoded.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from error
    if not isinstance(item, dict):
        raise ValueError(f"is not a JSON object but of type {type(item).__name__}")
    if field not in item:
        raise ValueError(f"has no field {field!r}; its fields are {sorted(item)}")
    text = item[field]
    if not isinstance(text, str):
        raise ValueError(f"has no text in {field!r} but a value of type {type(text).__name__}")
    if _SURROGATE.search(text):  # an escape such as \ud800 that stands alone
        text, number = _SURROGATE.subn("\ufffd", text)
        replaced += _SURROGATE_BYTES * number
    return text, replaced
