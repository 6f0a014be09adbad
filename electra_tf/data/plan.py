# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What a build of records will do: a value that every process, and a later restart, agrees on."""

import dataclasses
import hashlib
import heapq
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from electra_tf.config import check
from electra_tf.data import examples
from electra_tf.data.corpus import Chunk, SourceFile, chunk_size, cut_in_chunks
from electra_tf.data.manifest import FORMAT_VERSION
from electra_tf.text import find_vocabulary_file

DEFAULT_SEED = 42
_SHARD_BYTES = 32 << 20
_SMALL_SHARD_BYTES = 2 << 20
_SHARDS_OF_SMALL_DATA = 16


@dataclass(frozen=True)
class WorkShare:
    """One of several jobs that divide a build among them; they need a common output folder."""

    index: int
    """Number of the job, from 0."""
    count: int
    """How many jobs there are."""

    def __post_init__(self):
        check(self.count >= 1, "the number of shares", "at least 1", self.count)
        is_share = 0 <= self.index < self.count
        check(is_share, "the index of a share", f"in 0..{self.count - 1}", self.index)


@dataclass(frozen=True)
class BuildPlan:
    """All that decides the bytes of the records."""

    sources: tuple[SourceFile, ...]
    tokenizer_path: str
    """A vocabulary file."""
    num_shards: int
    max_seq_length: int = 128
    """Tokens of an example at most, special tokens included."""
    blanks_separate_docs: bool = True
    """Whether blank lines end documents; the ends of files always do."""
    do_lower_case: bool | None = None
    """Of the tokenizer; None for what its files say, else true."""
    strip_accents: bool | None = None
    """Of the tokenizer; likewise."""
    pre_split: bool | None = None
    """Whether words are what white space separates; None for what the tokenizer's files say."""
    tokenizer: str | None = None
    """"bert" takes the vocabulary for BERT's, whatever its files say."""
    seed: int = DEFAULT_SEED
    """Of the order of text and examples, and of the examples' random lengths."""
    text_field: str | None = None
    """Field of JSON lines, each a document, that has the text; None for plain text."""
    word_starts: bool = False
    """Whether records say which tokens begin a word."""
    split_long_lines: bool = False
    """Whether what an example has no room for begins the next one, instead of being lost."""
    pack_documents: bool = False
    """Whether as many examples as fit are put into each sequence."""
    remove_duplicates: bool = False
    """Whether only the first of documents that are the same is used."""
    held_out_share: float = 0.0
    """Share of the documents, 0 to 1, whose examples go to `<output_dir>/held_out` instead."""

    @property
    def features(self) -> tuple[str, ...]:
        """Optional features of the records."""
        packed = ("position_ids", "sequence_ids") if self.pack_documents else ()
        return ("word_starts",) * self.word_starts + packed

    @property
    def text_bytes(self) -> int:
        """Size of the text, estimated for compressed files."""
        return sum(source.text_bytes for source in self.sources)

    @property
    def bytes(self) -> int:
        """Size of all files as stored."""
        return sum(source.bytes for source in self.sources)

    def chunks(self) -> list[Chunk]:
        """All chunks in the order of the corpus."""
        return cut_in_chunks(self.sources, chunk_size(self.text_bytes, self.num_shards))

    def shards(self) -> list[list[Chunk]]:
        """The chunks of each shard: all chunks in random order, dealt to the emptiest shard."""
        chunks = self.chunks()
        self.rng("deal").shuffle(chunks)
        shards: list[list[Chunk]] = [[] for _ in range(self.num_shards)]
        sizes = [(0, shard) for shard in range(self.num_shards)]  # a heap
        for chunk in chunks:
            size, emptiest = sizes[0]
            shards[emptiest].append(chunk)
            heapq.heapreplace(sizes, (size + chunk.text_bytes, emptiest))
        return shards

    def rng(self, *purpose: str | int) -> random.Random:
        """A generator for one purpose, independent of all others and of the order of work."""
        return random.Random(repr((self.seed, *purpose)))

    def fingerprint(self, tokenizer: Mapping[str, Any]) -> str:
        """A hash that changes with the plan, with a file of the corpus, or with the tokenizer."""
        files = [source.path for source in self.sources if not source.digest]
        files.append(find_vocabulary_file(self.tokenizer_path))
        stored = dataclasses.asdict(self) | {
            "format_version": FORMAT_VERSION,
            "modified": [tf.io.gfile.stat(file).mtime_nsec for file in files],
            "tokenizer": dict(tokenizer),
        }
        return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()


def make_plan(
    sources: tuple[SourceFile, ...], num_shards: int | None = None, **settings: Any
) -> BuildPlan:
    """A plan with as many shards as the size of the data asks for, unless a number is given.

    Raises:
        ValueError: for settings that no example can have.
    """
    length, shortest = settings["max_seq_length"], examples.MIN_TARGET_LENGTH
    check(length >= shortest, "max_seq_length", f"at least {shortest}", length)
    check(num_shards is None or num_shards >= 1, "num_out_files", "at least 1", num_shards)
    share = settings.get("held_out_share", 0)
    check(0 <= share < 1, "held_out_share", "at least 0 and less than 1", share)
    if num_shards is None:
        size = sum(source.text_bytes for source in sources)
        # Small data is spread too, so that several processes have something to do.
        spread = min(_SHARDS_OF_SMALL_DATA, -(-size // _SMALL_SHARD_BYTES))
        num_shards = max(-(-size // _SHARD_BYTES), spread)
    return BuildPlan(sources=sources, num_shards=num_shards, **settings)
