# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""A set of pre-training records on disk: found, counted, checked, and read in batches."""

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf.config import check
from electra_tf.data import pipeline
from electra_tf.data.damage import READING_ERRORS, count_records, find_damage, first_records
from electra_tf.data.manifest import HELD_OUT_FOLDER, UNFINISHED_FOLDER, Manifest
from electra_tf.data.pipeline import ENDLESS, EpochOrder, Span
from electra_tf.given_files import find_records

_RECORDS_LOOKED_AT = 64
"""Of files that come without a manifest; reading all of them would take too long."""
_FILES_OF_A_SAMPLE, _RECORDS_OF_A_READ = 4, 512
_BEGINNING_BYTES = 1 << 16
"""Of each such file, which distinguish it from others."""


class PretrainingRecords:
    """Pre-training records written by this program or by the reference.

    Args:
        patterns: globs separated by commas (the reference's `pretrain_tfrecords`); a folder
            stands for the records in it.

    Attributes:
        files: paths in file order.
        manifests: the manifest by folder, for the folders that have one.

    Raises:
        ValueError: if no file is found, or a folder differs from what its manifest says.
    """

    def __init__(self, patterns: str):
        self.patterns = patterns
        self.files = find_records(patterns)
        self.manifests: dict[str, Manifest] = {}
        self._folders: dict[str, list[str]] = {}  # their files
        for file in self.files:
            self._folders.setdefault(os.path.dirname(file), []).append(file)
        for folder, found in sorted(self._folders.items()):
            if tf.io.gfile.exists(Manifest.path_in(folder)):
                self.manifests[folder] = Manifest.load(folder)
                _check_folder(folder, self.manifests[folder], found)
            elif tf.io.gfile.exists(os.path.join(_built_in(folder), UNFINISHED_FOLDER)):
                raise ValueError(
                    f"The records in {folder} are incomplete: their building was interrupted. "
                    "Run the same build command again, it continues where it stopped."
                )

    @property
    def features(self) -> tuple[str, ...]:
        """Optional features that the records have; batches hold them beside the other features.

        Raises:
            ValueError: if they differ between folders.
        """
        folders = sorted(self._folders)
        found = {f: self.manifests[f].features if f in self.manifests else () for f in folders}
        if len(set(found.values())) > 1:
            raise ValueError(
                "Records with different features cannot be read together: "
                + ", ".join(f"{folder} has {sorted(names)}" for folder, names in found.items())
            )
        return found[folders[0]]

    @functools.cached_property
    def counts(self) -> tuple[int, ...]:
        """Examples of each file: from its manifest, or from one scan of the file."""
        known = {
            os.path.join(folder, shard.name): shard.num_examples
            for folder, manifest in self.manifests.items()
            for shard in manifest.shards
        }
        return tuple(known[f] if f in known else count_records(f) for f in self.files)

    @property
    def num_examples(self) -> int:
        """Examples of an epoch."""
        return sum(self.counts)

    @property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256 of what distinguishes these records from others.

        That is names, counts and sizes of the files and what their manifests say of their making;
        of files without a manifest also how they begin.
        """
        described = {
            "files": [os.path.basename(file) for file in self.files],
            "counts": self.counts,
            "manifests": [dataclasses.asdict(found) for found in self.manifests.values()],
            "others": [
                _size_and_beginning(file)
                for file in self.files
                if os.path.dirname(file) not in self.manifests
            ],
        }
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    def check(self, max_seq_length: int, tokenizer_settings: Mapping[str, Any]) -> None:
        """Compares what the manifests say with the configuration.

        Records without a manifest say nothing of themselves: their first ones are looked at.

        Raises:
            ValueError: listing every difference.
        """
        expected = {"max_seq_length": max_seq_length, **tokenizer_settings}
        differences = []
        for folder, manifest in self.manifests.items():
            stored = {"max_seq_length": manifest.max_seq_length, **manifest.tokenizer}
            differences += [
                f"{Manifest.path_in(folder)}: {key} is {stored.get(key)!r}, "
                f"the configuration has {expected.get(key)!r}"
                for key in sorted(set(stored) | set(expected))
                if stored.get(key) != expected.get(key)
            ]
        for folder, found in sorted(self._folders.items()):
            if folder not in self.manifests:
                vocab_size = tokenizer_settings["vocab_size"]
                differences += _unfit_records(found, max_seq_length, vocab_size)
        if differences:
            raise ValueError(
                "The pre-training records were made with other settings than this run's. "
                "Build them again or change the configuration.\n  " + "\n  ".join(differences)
            )

    def batches(
        self,
        batch_size: int,
        max_seq_length: int,
        seed: int,
        start: int = 0,
        worker_index: int = 0,
        num_workers: int = 1,
        buckets: tuple[int, ...] = (),
        span: Span = ENDLESS,
    ) -> tf.data.Dataset:
        """Shuffled batches for training, which never end unless `span` does.

        The sequence of examples is a pure function of the seed: each epoch has every example once,
        in a different order, and batches cross the ends of epochs.

        Args:
            batch_size: rows of a global batch.
            max_seq_length: L.
            seed: of the order.
            start: examples consumed so far, over all workers and epochs; a run that starts here
                sees what an uninterrupted run would have seen, and reads at most part of one
                window of shards again. With `buckets` whole batches behind `span.begin`.
            worker_index: which of the workers this is; it gets its rows of each global batch.
            num_workers: how many divide each global batch among them.
            buckets: lengths in tokens, ascending; if given, a batch has sequences of about the
                same length and is cut to the smallest bucket, or L, that holds them.
            span: the examples that are read in batches of this size; with `buckets`, a batch is
                made of neighbours within it.

        Returns:
            A dataset of `input_ids`, `input_mask`, `segment_ids` and the records' optional
            `features`: int32 [batch_size / num_workers, L], with `buckets` [..., bucket].

        Raises:
            ValueError: for sizes that do not fit together.
        """
        self._check_sizes(batch_size, max_seq_length)
        divides = num_workers >= 1 and batch_size % num_workers == 0
        check(divides, "num_workers", f"a divisor of batch_size, {batch_size}", num_workers)
        is_worker = 0 <= worker_index < num_workers
        check(is_worker, "worker_index", f"in 0..{num_workers - 1}", worker_index)
        is_inside = start >= span.begin and (span.end is None or start <= span.end)
        check(is_inside, "start", f"in span, {tuple(span)}", start)
        if buckets:
            is_whole = (start - span.begin) % batch_size == 0
            expected = f"whole batches of {batch_size} behind {span.begin} where there are buckets"
            check(is_whole, "start", expected, start)
        return pipeline.training_batches(
            self.files,
            EpochOrder(self.counts, seed),
            batch_size,
            max_seq_length,
            self.features,
            start,
            worker_index,
            num_workers,
            buckets,
            span,
        )

    def evaluation_batches(self, batch_size: int, max_seq_length: int) -> tf.data.Dataset:
        """Every record once in file order.

        Returns:
            A finite dataset like that of `batches`; the last batch is filled up to `batch_size`
            with rows whose `input_mask` is all 0.
        """
        self._check_sizes(batch_size, max_seq_length)
        return pipeline.evaluation_batches(self.files, batch_size, max_seq_length, self.features)

    def numpy_iterator(
        self, batches: tf.data.Dataset, max_seq_length: int
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yields batches that `batches` or `evaluation_batches` gave for L, as NumPy arrays.

        Raises:
            ValueError: naming the file and the record, for a damaged one.
        """
        try:
            yield from batches.as_numpy_iterator()
        except READING_ERRORS as error:
            is_framing = isinstance(error, tf.errors.DataLossError)
            damage = find_damage(self.files, max_seq_length, self.features, is_framing)
            if damage is None:
                raise
            raise ValueError(damage) from error

    def sample(self, num_tokens: int, max_seq_length: int) -> np.ndarray:
        """Some `num_tokens` ids of the first examples of files that are spread evenly over all.

        The files are read as they are, without a pipeline, so that this takes milliseconds. There
        are fewer ids where the records have fewer.

        Returns:
            Ids of real tokens, int32 [tokens], the special ones among them.

        Raises:
            ValueError: naming the file and the record, for a damaged one.
        """
        count = min(len(self.files), _FILES_OF_A_SAMPLE)
        files = [self.files[i * len(self.files) // count] for i in range(count)]
        found = []
        try:
            for number, file in enumerate(files, start=1):
                wanted = num_tokens * number // count
                for serialized in tf.data.TFRecordDataset(file).batch(_RECORDS_OF_A_READ):
                    if sum(map(len, found)) >= wanted:
                        break
                    rows = pipeline.spec.parse(serialized, max_seq_length)
                    found.append(rows["input_ids"].numpy()[rows["input_mask"].numpy() > 0])
        except READING_ERRORS as error:
            raise ValueError(find_damage(files, max_seq_length) or str(error)) from error
        return np.concatenate([np.zeros(0, np.int32), *found])

    def _check_sizes(self, batch_size: int, max_seq_length: int) -> None:
        check(batch_size >= 1, "batch_size", "at least 1", batch_size)
        check(max_seq_length >= 1, "max_seq_length", "at least 1", max_seq_length)
        if not self.num_examples:
            raise ValueError(f"The pre-training records {self.patterns!r} hold no examples.")


def _size_and_beginning(file: str) -> tuple[int, str]:
    with tf.io.gfile.GFile(file, "rb") as opened:
        beginning = opened.read(_BEGINNING_BYTES)
    return tf.io.gfile.stat(file).length, hashlib.sha256(beginning).hexdigest()


def _built_in(folder: str) -> str:
    """The folder where the records of a folder are built: held-out records lie in a sub-folder."""
    parent, name = os.path.split(folder)
    return parent if name == HELD_OUT_FOLDER else folder


def _check_folder(folder: str, manifest: Manifest, found: list[str]) -> None:
    """Raises unless the files found are those of the manifest, with their sizes."""
    listed = {shard.name: shard for shard in manifest.shards}
    present = {os.path.basename(file) for file in found}
    problems = [f"{name} is missing" for name in sorted(set(listed) - present)]
    problems += [f"{name} is not listed" for name in sorted(present - set(listed))]
    for name in sorted(present & set(listed)):
        size = tf.io.gfile.stat(os.path.join(folder, name)).length
        if size != listed[name].bytes:
            problems.append(f"{name} has {size} bytes instead of {listed[name].bytes}")
    if problems:
        raise ValueError(
            f"The records found in {folder} are not the {len(listed)} shards of its manifest.json "
            f"({len(problems)} differences): {'; '.join(problems[:5])}."
        )


def _unfit_records(files: list[str], max_seq_length: int, vocab_size: int) -> list[str]:
    """What does not fit in the first records of files without a manifest."""
    longest = largest = 0
    for _, _, features in first_records(files, _RECORDS_LOOKED_AT):
        ids = features["input_ids"]
        longest, largest = max(longest, ids.shape[1]), max(largest, int(tf.reduce_max(ids)))
    differences = []
    if longest > max_seq_length:
        differences.append(
            f"{files[0]}: a record is {longest} tokens long, "
            f"the configuration's max_seq_length is {max_seq_length}"
        )
    if largest >= vocab_size:
        differences.append(
            f"{files[0]}: a record has the token id {largest}, "
            f"the configuration's vocabulary has {vocab_size} tokens"
        )
    return differences
