# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Finished shards become a folder of records, in place of the records that were there."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from electra_tf.data import names
from electra_tf.data.manifest import Manifest, Shard, Source
from electra_tf.data.plan import BuildPlan
from electra_tf.data.shards import TRAINING, ShardBuilder, ShardResult
from electra_tf.files import writing

_HISTOGRAM_BINS = 8


def describe(
    plan: BuildPlan, results: list[ShardResult], tokenizer: Mapping[str, Any], split: str
) -> Manifest:
    """The manifest of one split of what was built."""
    written = [result.splits[split] for result in results]
    counts = np.sum([shard.length_counts for shard in written], axis=0)
    num_examples = int(counts.sum())
    num_tokens = int((counts * np.arange(len(counts))).sum())
    mean = num_tokens / max(1, num_examples)
    histogram = [int(part.sum()) for part in np.array_split(counts[1:], _HISTOGRAM_BINS)]
    return Manifest(
        shards=tuple(
            Shard(names.shard_name(i, plan.num_shards), sum(shard.length_counts), shard.bytes)
            for i, shard in enumerate(written)
        ),
        num_examples=num_examples,
        num_tokens=num_tokens,
        max_seq_length=plan.max_seq_length,
        mean_length=round(mean, 3),
        padding_share=round(1 - mean / plan.max_seq_length, 5),
        length_histogram=tuple(histogram),
        tokenizer=tokenizer,
        seed=plan.seed,
        blanks_separate_docs=plan.blanks_separate_docs,
        replaced_bytes=sum(result.replaced_bytes for result in results),
        cut_tokens=sum(shard.cut_tokens for shard in written),
        sources=tuple(Source(source.name, source.bytes) for source in plan.sources),
        text_field=plan.text_field or "",
        features=plan.features,
        num_documents=sum(shard.num_documents for shard in written),
        remove_duplicates=plan.remove_duplicates,
        duplicate_documents=sum(result.duplicate_documents for result in results),
        held_out_share=plan.held_out_share,
        split=split,
    )


def publish(builder: ShardBuilder, output_dir: str, manifests: Mapping[str, Manifest]) -> None:
    """Replaces older records by the new ones.

    An interruption leaves no manifest but the unfinished folder, by which readers refuse the
    records, and from which the next run of the same build continues.
    """
    folders = {
        TRAINING: output_dir,
        names.HELD_OUT_FOLDER: os.path.join(output_dir, names.HELD_OUT_FOLDER),
    }
    # Older held-out records go in any case: their text may be in the new training records.
    for folder in filter(tf.io.gfile.exists, folders.values()):
        if tf.io.gfile.exists(Manifest.path_in(folder)):
            tf.io.gfile.remove(Manifest.path_in(folder))
        for name in filter(names.is_shard_name, tf.io.gfile.listdir(folder)):
            tf.io.gfile.remove(os.path.join(folder, name))
    for split, manifest in manifests.items():
        tf.io.gfile.makedirs(folders[split])
        for index, shard in enumerate(manifest.shards):
            target = os.path.join(folders[split], shard.name)
            writing(target, tf.io.gfile.rename, builder.path(split, index), target, overwrite=True)
    for split, manifest in reversed(manifests.items()):  # training last: then all is there
        manifest.save(folders[split])
    tf.io.gfile.rmtree(builder.folder)
