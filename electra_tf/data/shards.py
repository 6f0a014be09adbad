# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Building one shard of records from its chunks of text, alone in one process."""

import functools
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import tensorflow as tf

from electra_tf.data.corpus import Chunk
from electra_tf.data.examples import build_segments
from electra_tf.data.names import shard_name
from electra_tf.data.plan import BuildPlan
from electra_tf.data.reading import Piece, read_pieces
from electra_tf.data.spec import Rows
from electra_tf.data.writer import ShardWriter
from electra_tf.text import load_tokenizer, pack_segments


@dataclass(frozen=True)
class ShardResult:
    """What is known of a finished shard."""

    index: int
    bytes: int
    length_counts: tuple[int, ...]
    """Examples by length, from 0 to max_seq_length."""

    replaced_bytes: int
    cut_tokens: int
    """Tokens of the text that no example holds: what the ends of long lines lost."""

    @property
    def num_examples(self) -> int:
        """Number of examples."""
        return sum(self.length_counts)


class ShardBuilder:
    """Builds shards of a plan in a folder; sent to every worker process."""

    def __init__(self, plan: BuildPlan, folder: str):
        self.plan = plan
        self.folder = folder

    def __getstate__(self):
        # Every process loads its own tokenizer.
        return {"plan": self.plan, "folder": self.folder}

    @functools.cached_property
    def tokenizer(self):
        """The plan's tokenizer."""
        return load_tokenizer(
            self.plan.tokenizer_path, self.plan.do_lower_case, self.plan.strip_accents
        )

    def __call__(
        self, task: tuple[int, list[Chunk]], progress: Callable[[int], None]
    ) -> ShardResult:
        """Builds the shard `index` from its chunks; progress is reported in bytes of the corpus."""
        index, chunks = task
        plan = self.plan
        path = self._path(index)
        writer = ShardWriter(path, plan.max_seq_length, plan.rng("shuffle", index))
        replaced = cut = 0
        for chunk in chunks:
            for number, piece in enumerate(read_pieces(chunk, plan.blanks_separate_docs)):
                # The same examples come out wherever and whenever the chunk is read.
                rng = plan.rng("examples", chunk.source.name, chunk.start, number)
                examples, lost = self._examples(piece, rng)
                writer.add(examples)
                replaced += piece.replaced_bytes
                cut += lost
            progress(chunk.end - chunk.start)
        writer.finish()
        size = tf.io.gfile.stat(path).length
        result = ShardResult(index, size, tuple(writer.length_counts.tolist()), replaced, cut)
        with tf.io.gfile.GFile(path + ".json.partial", "w") as file:
            file.write(json.dumps(asdict(result)))
        tf.io.gfile.rename(path + ".json.partial", path + ".json", overwrite=True)
        return result

    def finished(self, index: int) -> ShardResult | None:
        """The result of a shard that an earlier run of the same plan finished."""
        path = self._path(index)
        if not (tf.io.gfile.exists(path) and tf.io.gfile.exists(path + ".json")):
            return None
        with tf.io.gfile.GFile(path + ".json", "r") as file:
            stored = json.loads(file.read())
        return ShardResult(**stored | {"length_counts": tuple(stored["length_counts"])})

    def _path(self, index: int) -> str:
        return os.path.join(self.folder, shard_name(index, self.plan.num_shards))

    def _examples(self, piece: Piece, rng) -> tuple[dict[str, Rows], int]:
        """The packed examples of a piece of text, and how many of its tokens they lack."""
        with tf.device("CPU"):
            tokens = self._tokenize(tf.constant(piece.lines, tf.string, [len(piece.lines)]))
            segments = build_segments(
                Rows(tokens.values.numpy(), tokens.row_splits.numpy()),
                piece.document_ends,
                self.plan.max_seq_length,
                rng,
            )
            vocabulary = self.tokenizer.vocabulary
            packed = _pack(
                _ragged(segments.first),
                _ragged(segments.second),
                vocabulary.cls_id,
                vocabulary.sep_id,
            )
        examples = {
            name: Rows(ragged.values.numpy(), ragged.row_splits.numpy())
            for name, ragged in packed._asdict().items()
        }
        kept = len(segments.first.values) + len(segments.second.values)
        return examples, int(tokens.row_splits[-1]) - kept

    @functools.cached_property
    def _tokenize(self):
        return tf.function(
            self.tokenizer.__call__, input_signature=[tf.TensorSpec([None], tf.string)]
        )


_RAGGED = tf.RaggedTensorSpec([None, None], tf.int32, row_splits_dtype=tf.int64)
_SCALAR = tf.TensorSpec([], tf.int32)
_pack = tf.function(pack_segments, input_signature=[_RAGGED, _RAGGED, _SCALAR, _SCALAR])


def _ragged(rows: Rows) -> tf.RaggedTensor:
    values = rows.values.astype(np.int32, copy=False)
    return tf.RaggedTensor.from_row_splits(values, rows.splits, validate=False)
