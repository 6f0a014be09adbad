# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Building one shard of records from its chunks of text, alone in one process."""

import contextlib
import functools
import json
import os
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.config.stored import from_stored
from electra_tf.data import spec
from electra_tf.data.corpus import Chunk
from electra_tf.data.duplicates import DocumentSelector, DuplicateIndex
from electra_tf.data.examples import build_segments, fill_sequences, pack_rows, word_start_table
from electra_tf.data.manifest import (
    DUPLICATES_FOLDER,
    HELD_OUT_FOLDER,
    partial_name,
    shard_name,
    write_file,
)
from electra_tf.data.plan import BuildPlan
from electra_tf.data.reading import Piece, read_pieces
from electra_tf.data.spec import Rows
from electra_tf.files import read_json, writing
from electra_tf.text import Tokenizer, load_tokenizer
from electra_tf.text.tokenizer import UnknownTokens

TRAINING = "training"
_SHUFFLE_BYTES = 256 << 20
"""Examples of a shard are shuffled in blocks of this size, which bounds the memory needed."""


@dataclass(frozen=True)
class WrittenShard:
    """What is known of a finished file of records."""

    bytes: int
    length_counts: tuple[int, ...]
    """Examples by length, from 0 to max_seq_length."""
    cut_tokens: int
    """Tokens of the text that no example holds: what the ends of long lines lost."""
    num_documents: int
    text_tokens: int
    """Tokens of the text, those that were cut too."""
    unknown_tokens: int


@dataclass(frozen=True)
class ShardResult:
    """What is known of a finished shard."""

    index: int
    replaced_bytes: int
    duplicate_documents: int
    splits: dict[str, WrittenShard]
    """The shard's files: "training", and "held_out" if there are held-out records."""


class ShardBuilder:
    """Builds shards of a plan in a folder; sent to every worker process."""

    def __init__(self, plan: BuildPlan, folder: str):
        self.plan = plan
        self.folder = folder

    def __getstate__(self):
        # Every process loads its own tokenizer.
        return {"plan": self.plan, "folder": self.folder}

    @functools.cached_property
    def tokenizer(self) -> Tokenizer:
        """The plan's tokenizer."""
        return load_tokenizer(
            self.plan.tokenizer_path,
            self.plan.do_lower_case,
            self.plan.strip_accents,
            pre_split=self.plan.pre_split,
            tokenizer=self.plan.tokenizer,
        )

    @property
    def duplicates_folder(self) -> str:
        """Where the duplicates are noted."""
        return os.path.join(self.folder, DUPLICATES_FOLDER)

    def split_folders(self) -> dict[str, str]:
        """Where the files of each split are built."""
        folders = {TRAINING: self.folder}
        if self.plan.held_out_share:
            held_out = HELD_OUT_FOLDER
            folders[held_out] = os.path.join(self.folder, held_out)
        return folders

    def __call__(
        self, task: tuple[int, list[Chunk]], progress: Callable[[int], None]
    ) -> ShardResult:
        """Builds the shard `index` from its chunks; progress is reported in bytes of the corpus."""
        index, chunks = task
        plan = self.plan
        replaced = duplicates = 0
        with contextlib.ExitStack() as files:
            splits = {
                split: files.enter_context(ShardWriter(self, split, index))
                for split in self.split_folders()
            }
            for chunk in chunks:
                dropped = self._duplicates.of_chunk(chunk.index) if plan.remove_duplicates else b""
                select = DocumentSelector(plan.seed, plan.held_out_share, dropped)
                pieces = read_pieces(chunk, plan.blanks_separate_docs, plan.text_field)
                for number, piece in enumerate(pieces):
                    selected = select(piece)
                    for split, writer in splits.items():
                        writer.add(getattr(selected, split), chunk, number)
                    replaced += piece.replaced_bytes
                    duplicates += selected.num_duplicates
                    progress(piece.source_bytes)
            written = {split: writer.finish() for split, writer in splits.items()}
        result = ShardResult(index, replaced, duplicates, written)
        write_file(self._result_path(index), json.dumps(asdict(result)).encode())
        return result

    def finished(self, index: int) -> ShardResult | None:
        """The result of a shard that an earlier run of the same plan finished."""
        paths = [self.path(split, index) for split in self.split_folders()]
        if not all(map(tf.io.gfile.exists, [*paths, self._result_path(index)])):
            return None
        path = self._result_path(index)
        try:
            result = from_stored(ShardResult, read_json(path), path)
            self._check_result(result, index, path)
        except (ValueError, OSError) as error:
            logging.warning("%s The shard is built again.", error)
            return None
        return result

    def path(self, split: str, index: int) -> str:
        """Where a file of a shard is built."""
        return os.path.join(self.split_folders()[split], shard_name(index, self.plan.num_shards))

    def examples(
        self, piece: Piece, rng: random.Random
    ) -> tuple[dict[str, Rows], int, UnknownTokens]:
        """The features of a piece's examples, how many tokens they lack, and the unknown ones."""
        with tf.device("CPU"):
            tokens = self._tokenize(tf.constant(piece.lines, tf.string, [len(piece.lines)]))
        segments = build_segments(
            Rows(tokens.values.numpy(), tokens.row_splits.numpy()),
            piece.document_ends,
            self.plan.max_seq_length,
            rng,
            self._word_starts[tokens.values.numpy()] if self.plan.split_long_lines else None,
        )
        vocabulary = self.tokenizer.vocabulary
        features = pack_rows(*segments, vocabulary.cls_id, vocabulary.sep_id)
        if self.plan.word_starts:
            ids = features["input_ids"]
            features["word_starts"] = Rows(self._word_starts[ids.values], ids.splits)
        if self.plan.pack_documents:
            features = fill_sequences(features, self.plan.max_seq_length)
        kept = len(segments.first.values) + len(segments.second.values)
        unknown = UnknownTokens.among(tokens.values.numpy(), vocabulary)
        return features, int(tokens.row_splits[-1]) - kept, unknown

    def _check_result(self, result: ShardResult, index: int, path: str) -> None:
        """Raises a ValueError unless it describes the files of that shard."""
        sizes = {
            split: tf.io.gfile.stat(self.path(split, index)).length
            for split in self.split_folders()
        }
        described = {split: written.bytes for split, written in result.splits.items()}
        widths = {len(written.length_counts) for written in result.splits.values()}
        if (result.index, described) != (index, sizes) or widths != {self.plan.max_seq_length + 1}:
            raise ValueError(f"{path} does not describe the shard beside it.")

    def _result_path(self, index: int) -> str:
        return self.path(TRAINING, index) + ".json"

    @functools.cached_property
    def _tokenize(self):
        return tf.function(
            self.tokenizer.__call__,
            input_signature=[tf.TensorSpec([None], tf.string)],
            autograph=False,
        )

    @functools.cached_property
    def _word_starts(self):
        return word_start_table(self.tokenizer.vocabulary)

    @functools.cached_property
    def _duplicates(self) -> DuplicateIndex:
        return DuplicateIndex(self.duplicates_folder)


class ShardWriter:
    """Collects the examples of one split of one shard.

    Nothing stands under the final name before `finish`. Used in a `with` statement, it removes
    what it wrote if that ends before.
    """

    def __init__(self, builder: ShardBuilder, split: str, index: int):
        self._builder, self._plan = builder, builder.plan
        # Both splits draw alike, but not the same numbers.
        self._purpose = () if split == TRAINING else (split,)
        self._rng = self._plan.rng("shuffle", *self._purpose, index)
        self._records: list[bytes] = []
        self._size = self._cut_tokens = self._num_documents = 0
        self._length_counts = np.zeros(self._plan.max_seq_length + 1, dtype=np.int64)
        self._unknown = UnknownTokens()
        self._path = builder.path(split, index)
        self._partial = partial_name(self._path)
        self._file = writing(self._partial, tf.io.TFRecordWriter, self._partial)

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is None:
            return
        with contextlib.suppress(tf.errors.OpError):  # on a full disk closing fails once more
            self._file.close()
        if tf.io.gfile.exists(self._partial):
            tf.io.gfile.remove(self._partial)

    def add(self, piece: Piece, chunk: Chunk, number: int) -> None:
        """Adds the examples of a piece, which is the chunk's `number`th."""
        # The same examples come out wherever and whenever the chunk is read.
        rng = self._plan.rng("examples", *self._purpose, chunk.source.name, chunk.start, number)
        examples, lost, unknown = self._builder.examples(piece, rng)
        records = spec.serialize(examples)
        lengths = np.diff(next(iter(examples.values())).splits)
        self._length_counts += np.bincount(lengths, minlength=len(self._length_counts))
        self._cut_tokens += lost
        self._unknown += unknown
        self._num_documents += sum(1 for _ in piece.documents())
        self._records += records
        self._size += sum(map(len, records))
        if self._size >= _SHUFFLE_BYTES:
            self._write()

    def finish(self) -> WrittenShard:
        """Writes the rest, gives the file its name, and says what is in it."""
        self._write()
        writing(self._partial, self._file.close)
        self._file = None
        writing(self._path, tf.io.gfile.rename, self._partial, self._path, overwrite=True)
        return WrittenShard(
            tf.io.gfile.stat(self._path).length,
            tuple(self._length_counts.tolist()),
            self._cut_tokens,
            self._num_documents,
            self._unknown.tokens,
            self._unknown.unknown,
        )

    def _write(self) -> None:
        self._rng.shuffle(self._records)
        for record in self._records:
            writing(self._partial, self._file.write, record)
        self._records, self._size = [], 0
