# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Which documents of a text become training examples: duplicates go, a share is held out.

A document is identified by a hash of its lines. So where it stands, in which chunk, and which
process reads it does not matter, and equal documents are never on both sides.

Exact copies are found in bounded memory, in three steps, the first two as tasks that processes
share: hash every document; sort the hashes, one range of them at a time, and note all but the
first place of each; look the places up when the text is read again.
"""

import functools
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf.config.stored import from_stored
from electra_tf.data.corpus import Chunk
from electra_tf.data.manifest import write_file
from electra_tf.data.plan import BuildPlan
from electra_tf.data.reading import Piece, read_pieces
from electra_tf.files import read_json

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
    """Sorts the documents of one chunk, whose pieces it gets in their order.

    Args:
        seed: of the hash.
        held_out_share: share of the documents to hold out, 0 to 1.
        dropped: which of the chunk's documents are duplicates, see `marks`.
    """

    def __init__(self, seed: int, held_out_share: float, dropped: bytes):
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
            if any(self._dropped[self._seen - 1 : self._seen]):
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


_CHUNKS_PER_TASK = 64
_DOCUMENTS_PER_RUN = 1 << 20
_DOCUMENTS_PER_PARTITION = 1 << 22
_HASH_BUCKETS = 256
_MOST_PLACE_BUCKETS = 4096
_HASHED = np.dtype([("high", ">u8"), ("low", ">u8"), ("place", "<u8")])
"""The two halves of a document's hash, and its place: number of its chunk (upper 32 bits) and its
number there. 24 bytes, so a run takes 24 MiB and sorting a partition some 400 MiB."""

_PLACE = np.dtype("<u8")
_CHUNK_SHIFT = 32
_INDEX_FILE = "index.json"


@dataclass(frozen=True)
class _Hashed:
    """What is noted of a task of the first step."""

    counts: tuple[int, int]
    """Of runs, and of documents."""


@dataclass(frozen=True)
class _Index:
    """What looking up needs."""

    num_partitions: int
    num_chunks: int
    runs: tuple[tuple[int, int], ...]
    """(task, run) of all files of the first step."""


@dataclass(frozen=True)
class HashDocuments:
    """The first step: a task's documents, hashed and written in runs that are sorted by hash."""

    plan: BuildPlan
    folder: str

    def tasks(self) -> list[tuple[int, list[Chunk]]]:
        """Numbered groups of chunks in the order of the corpus."""
        chunks = self.plan.chunks()
        groups = range(0, len(chunks), _CHUNKS_PER_TASK)
        return [(n, chunks[at : at + _CHUNKS_PER_TASK]) for n, at in enumerate(groups)]

    def finished(self, task: int) -> tuple[int, int] | None:
        """(number of runs, number of documents) of a task that was done."""
        if not tf.io.gfile.exists(self._summary_path(task)):
            return None
        path = self._summary_path(task)
        return from_stored(_Hashed, {"counts": read_json(path, list)}, path).counts

    def __call__(self, task: tuple[int, list[Chunk]], progress: Callable[[int], None]) -> None:
        """Does a task, unless it was done before, here or by another share of the work."""
        number, chunks = task
        if self.finished(number):
            progress(sum(chunk.end - chunk.start for chunk in chunks))
            return
        digests, places, runs, total = bytearray(), [], 0, 0
        for chunk in chunks:
            seen = 0
            for piece in read_pieces(chunk, self.plan.blanks_separate_docs, self.plan.text_field):
                for begin, end in piece.documents():
                    digests += digest(piece.lines[begin:end], self.plan.seed)
                    places.append(chunk.index << _CHUNK_SHIFT | seen)
                    seen += 1
                progress(piece.source_bytes)
                if len(places) >= _DOCUMENTS_PER_RUN:
                    self._write_run(number, runs, digests, places)
                    digests, places, runs, total = bytearray(), [], runs + 1, total + len(places)
        self._write_run(number, runs, digests, places)
        summary = json.dumps([runs + 1, total + len(places)])
        write_file(self._summary_path(number), summary.encode())

    def _summary_path(self, task: int) -> str:
        return os.path.join(self.folder, f"hashed-{task}.json")

    def _write_run(self, task: int, run: int, digests: bytearray, places: list[int]) -> None:
        hashed = np.empty(len(places), dtype=_HASHED)
        halves = np.frombuffer(bytes(digests), dtype=">u8").reshape(-1, DIGEST_BYTES // 8)
        hashed["high"], hashed["low"], hashed["place"] = halves[:, 0], halves[:, 1], places
        # Copies inside a run are known now. Without them no partition is much larger than others,
        # however often a document comes.
        hashed, repeated = _first_and_repeated(hashed)
        write_file(_path(self.folder, "repeated", task, run), repeated.astype(_PLACE).tobytes())
        buckets = hashed["high"].astype(np.uint64) >> np.uint64(56)
        _write_buckets(_path(self.folder, "hashed", task, run), hashed, buckets, _HASH_BUCKETS)


@dataclass(frozen=True)
class FindDuplicates:
    """The second step: the places of all documents but the first of each hash."""

    folder: str
    index: _Index

    @classmethod
    def after(cls, hashing: HashDocuments, num_tasks: int) -> "FindDuplicates":
        """What follows when all tasks of the first step are done."""
        hashed = [hashing.finished(task) for task in range(num_tasks)]
        runs = tuple((task, run) for task, (count, _) in enumerate(hashed) for run in range(count))
        total = sum(documents for _, documents in hashed)
        num_partitions = min(_HASH_BUCKETS, -(-total // _DOCUMENTS_PER_PARTITION) or 1)
        return cls(hashing.folder, _Index(num_partitions, len(hashing.plan.chunks()), runs))

    def __call__(self, partition: int, progress: Callable[[int], None]) -> None:
        """Finds the duplicates among the hashes of a partition, unless that was done before."""
        path = _path(self.folder, "dropped", partition)
        if tf.io.gfile.exists(path):
            return
        index = self.index
        first = partition * _HASH_BUCKETS // index.num_partitions
        last = (partition + 1) * _HASH_BUCKETS // index.num_partitions
        parts = [
            _read_buckets(_path(self.folder, "hashed", *run), first, last, _HASH_BUCKETS, _HASHED)
            for run in index.runs
        ]
        _, dropped = _first_and_repeated(np.concatenate(parts))
        num_buckets = _place_buckets(index.num_chunks)
        buckets = (dropped >> np.uint64(_CHUNK_SHIFT)) * np.uint64(num_buckets)
        buckets //= np.uint64(index.num_chunks)
        _write_buckets(path, dropped.astype(_PLACE), buckets, num_buckets)

    def finish(self) -> None:
        """Stores what the look-up needs."""
        content = json.dumps(asdict(self.index)).encode()
        write_file(os.path.join(self.folder, _INDEX_FILE), content)


class DuplicateIndex:
    """The third step: which documents of a chunk are to be left out."""

    def __init__(self, folder: str):
        self.folder = folder

    def of_chunk(self, chunk: int) -> bytes:
        """Which of its documents are duplicates, see `marks`."""
        num_chunks = self._index.num_chunks
        num_buckets = _place_buckets(num_chunks)
        bucket = chunk * num_buckets // num_chunks
        found = [
            _read_buckets(
                _path(self.folder, "dropped", partition), bucket, bucket + 1, num_buckets, _PLACE
            )
            for partition in range(self._index.num_partitions)
        ]
        for task, run in self._index.runs:
            if task == chunk // _CHUNKS_PER_TASK:
                with tf.io.gfile.GFile(_path(self.folder, "repeated", task, run), "rb") as file:
                    found.append(np.frombuffer(file.read(), dtype=_PLACE))
        of_chunk = [places[places >> np.uint64(_CHUNK_SHIFT) == chunk] for places in found]
        numbers = np.concatenate(of_chunk) & np.uint64((1 << _CHUNK_SHIFT) - 1)
        return marks(numbers.astype(np.int64))

    @functools.cached_property
    def _index(self) -> "_Index":
        path = os.path.join(self.folder, _INDEX_FILE)
        return from_stored(_Index, read_json(path), path)


def marks(numbers: np.ndarray) -> bytes:
    """Some numbers from 0, of which there may be millions, as 1s among 0s up to the largest."""
    found = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=np.uint8)
    found[numbers] = 1
    return found.tobytes()


def _first_and_repeated(hashed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first of each hash, sorted by hash, and the places of all others, ascending."""
    high, low, place = (hashed[name].astype(np.uint64) for name in ("high", "low", "place"))
    order = np.lexsort((place, low, high))
    high, low = high[order], low[order]
    repeated = np.zeros(len(order), dtype=bool)
    repeated[1:] = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    return hashed[order[~repeated]], np.sort(place[order[repeated]])


def _place_buckets(num_chunks: int) -> int:
    return min(num_chunks, _MOST_PLACE_BUCKETS)


def _path(folder: str, what: str, *numbers: int) -> str:
    """A file of what was hashed or repeated in a run of a task, or dropped in a partition."""
    return os.path.join(folder, "-".join(map(str, [what, *numbers])))


def _write_buckets(path: str, values: np.ndarray, buckets: np.ndarray, num_buckets: int) -> None:
    """Writes values that are sorted by bucket, behind the numbers of values before each bucket."""
    bounds = np.searchsorted(buckets, np.arange(num_buckets + 1, dtype=np.uint64))
    write_file(path, bounds.astype("<u8").tobytes(), values.tobytes())


def _read_buckets(
    path: str, first: int, last: int, num_buckets: int, dtype: np.dtype
) -> np.ndarray:
    """The values of the buckets first .. last - 1."""
    with tf.io.gfile.GFile(path, "rb") as file:
        file.seek(8 * first)
        bounds = np.frombuffer(file.read(8 * (last - first + 1)), dtype="<u8")
        start, end = int(bounds[0]), int(bounds[-1])
        file.seek(8 * (num_buckets + 1) + start * dtype.itemsize)
        return np.frombuffer(file.read((end - start) * dtype.itemsize), dtype=dtype)
