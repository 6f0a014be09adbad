# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which documents of a text become training examples: duplicates go, a share is held out.

A document is told by a hash of its lines. So where it stands, in which chunk, and which process
reads it does not matter, and documents that are the same are never on both sides.
"""

import hashlib
from collections.abc import Collection
from typing import NamedTuple

from electra_tf.data.reading import Piece

DIGEST_BYTES = 16
_SHARE_BYTES = 8


class Selected(NamedTuple):
    """The documents of a piece of text, sorted."""

    training: Piece
    held_out: Piece
    num_duplicates: int
    """Documents that are in neither."""


def digest(lines: list[str], seed: int) -> bytes:
    """The hash of a document: its lines without surrounding white space and empty lines."""
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES, key=str(seed).encode()[:64]).digest()


class DocumentSelector:
    """Sorts the documents of one chunk, whose pieces it gets in their order."""

    def __init__(self, seed: int, held_out_share: float, dropped: Collection[int]):
        """
        Args:
            seed: of the hash.
            held_out_share: share of the documents to hold out, 0 to 1.
            dropped: numbers of the chunk's documents that are duplicates.
        """
        self._seed = seed
        self._limit = int(held_out_share * 2 ** (8 * _SHARE_BYTES))
        self._dropped = dropped
        self._seen = 0

    def __call__(self, piece: Piece) -> Selected:
        """The piece itself for training, if nothing is to be left out or held out."""
        if not self._limit and not self._dropped:
            return Selected(piece, Piece(), 0)
        training, held_out, num_duplicates = Piece(), Piece(), 0
        for begin, end in piece.documents():
            self._seen += 1
            if self._seen - 1 in self._dropped:
                num_duplicates += 1
                continue
            lines = piece.lines[begin:end]
            side = held_out if self._is_held_out(lines) else training
            side.lines += lines
            side.document_ends.append(len(side.lines))
        return Selected(training, held_out, num_duplicates)

    def _is_held_out(self, lines: list[str]) -> bool:
        if not self._limit:
            return False
        place = int.from_bytes(digest(lines, self._seed)[:_SHARE_BYTES], "big")
        return place < self._limit
