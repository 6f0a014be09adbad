# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a build of records will do: a value that every process, and a later restart, agrees on."""

import dataclasses
import hashlib
import json
import random
from dataclasses import dataclass

import tensorflow as tf

from electra_tf.data import examples
from electra_tf.data.corpus import Chunk, SourceFile, chunk_size, cut_in_chunks
from electra_tf.data.manifest import FORMAT_VERSION

_SHARD_BYTES = 32 << 20
_SMALL_SHARD_BYTES = 2 << 20
_SHARDS_OF_SMALL_DATA = 16


@dataclass(frozen=True)
class BuildPlan:
    """All that decides the bytes of the records."""

    sources: tuple[SourceFile, ...]
    tokenizer_path: str
    do_lower_case: bool
    strip_accents: bool
    max_seq_length: int
    blanks_separate_docs: bool
    num_shards: int
    seed: int

    @property
    def text_bytes(self) -> int:
        """Size of the text, estimated for compressed files."""
        return sum(source.text_bytes for source in self.sources)

    def shards(self) -> list[list[Chunk]]:
        """The chunks of each shard: all chunks in random order, dealt to the emptiest shard."""
        chunks = cut_in_chunks(self.sources, chunk_size(self.text_bytes, self.num_shards))
        self.rng("deal").shuffle(chunks)
        shards: list[list[Chunk]] = [[] for _ in range(self.num_shards)]
        sizes = [0] * self.num_shards
        for chunk in chunks:
            emptiest = sizes.index(min(sizes))
            shards[emptiest].append(chunk)
            sizes[emptiest] += chunk.text_bytes
        return shards

    def rng(self, *purpose: str | int) -> random.Random:
        """A generator for one purpose, independent of all others and of the order of work."""
        return random.Random(repr((self.seed, *purpose)))

    def fingerprint(self) -> str:
        """A hash that changes with the plan, with a file of the corpus, or with the vocabulary."""
        files = [source.path for source in self.sources] + [self.tokenizer_path]
        stored = dataclasses.asdict(self) | {
            "format_version": FORMAT_VERSION,
            "modified": [tf.io.gfile.stat(file).mtime_nsec for file in files],
        }
        return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()


def make_plan(
    sources: tuple[SourceFile, ...], num_shards: int | None = None, **settings
) -> BuildPlan:
    """A plan with as many shards as the size of the data asks for, unless a number is given.

    Raises:
        ValueError: for settings that no example can have.
    """
    if settings["max_seq_length"] < examples.MIN_TARGET_LENGTH:
        raise ValueError(
            f"`max_seq_length` must be at least {examples.MIN_TARGET_LENGTH}; "
            f"received {settings['max_seq_length']}."
        )
    if num_shards is not None and num_shards < 1:
        raise ValueError(f"`num_out_files` must be at least 1; received {num_shards}.")
    if num_shards is None:
        size = sum(source.text_bytes for source in sources)
        # Small data is spread too, so that several processes have something to do.
        spread = min(_SHARDS_OF_SMALL_DATA, -(-size // _SMALL_SHARD_BYTES))
        num_shards = max(-(-size // _SHARD_BYTES), spread)
    return BuildPlan(sources=sources, num_shards=num_shards, **settings)
