# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Finished shards become a folder of records, in place of older records.

Only records of this program are replaced: those that a manifest names. While they go there is no
manifest; what may go is then noted in the unfinished folder, `REPLACED_FILE`.
"""

import json
import os
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from electra_tf.data.manifest import (
    HELD_OUT_FOLDER,
    PLAN_FILE,
    REPLACED_FILE,
    UNFINISHED_FOLDER,
    Manifest,
    Shard,
    Source,
    is_of_a_build,
    is_shard_name,
    shard_name,
    write_file,
)
from electra_tf.data.plan import BuildPlan
from electra_tf.data.shards import TRAINING, ShardBuilder, ShardResult
from electra_tf.files import exists, read_json, writing
from electra_tf.folders import check_removable, files_in, remove_made

_HISTOGRAM_BINS = 8
_SUMS = ("cut_tokens", "text_tokens", "unknown_tokens", "num_documents")
"""What a manifest says of all shards together."""


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
            Shard(shard_name(i, plan.num_shards), sum(shard.length_counts), shard.bytes)
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
        sources=tuple(Source(source.name, source.bytes) for source in plan.sources),
        text_field=plan.text_field or "",
        features=plan.features,
        remove_duplicates=plan.remove_duplicates,
        duplicate_documents=sum(result.duplicate_documents for result in results),
        held_out_share=plan.held_out_share,
        split=split,
        **{name: sum(getattr(shard, name) for shard in written) for name in _SUMS},
    )


def check_output(output_dir: str) -> None:
    """Check that a build removes nothing of others.

    Raises:
        FileExistsError: there are records that no manifest of a build names, or an unfinished
            folder with files that no build wrote.
        ValueError: the manifest of older records cannot be read.
    """
    unfinished = os.path.join(output_dir, UNFINISHED_FOLDER)
    # The file itself, or what a kill has left of it before it got its name.
    is_ours = any(name.startswith(PLAN_FILE) for name in files_in(unfinished))
    check_removable(unfinished, is_ours, is_of_a_build)
    others = sorted(_records_in(output_dir) - set(older_records(output_dir)))
    if others:
        raise FileExistsError(
            f"{output_dir} is expected to hold no records but those of earlier builds, but holds "
            f"{others[0]}{' and more' * (len(others) > 1)}, which no manifest of a build names. "
            "Nothing was removed. Move them away, or choose another folder."
        )


def older_records(output_dir: str) -> list[str]:
    """What a build may replace: shards and manifests of earlier ones, by name in the folder."""
    noted = os.path.join(output_dir, UNFINISHED_FOLDER, REPLACED_FILE)
    found = set(_names_in(noted)) if exists(noted) else set()
    for inner in _FOLDERS.values():
        folder = os.path.join(output_dir, inner)
        if not exists(Manifest.path_in(folder)):
            continue
        try:
            shards = [shard.name for shard in Manifest.load(folder).shards]
        except ValueError as error:
            raise ValueError(
                f"{error} The records beside it cannot be replaced: move them away, or choose "
                "another folder."
            ) from error
        manifest = os.path.basename(Manifest.path_in(folder))
        found |= {os.path.join(inner, name) for name in [manifest, *shards]}
    # Whatever these files say, nothing else is ever removed.
    return sorted(found & _records_in(output_dir))


def _names_in(path: str) -> list[str]:
    names_in = read_json(path, list)
    wrong = [name for name in names_in if not isinstance(name, str)]
    if wrong:
        raise ValueError(f"{path} is expected to be a list of names, but has {wrong[0]!r}.")
    return names_in


def note_replaced(builder: ShardBuilder, replaced: Collection[str]) -> None:
    """Note in the builder's folder what may be replaced although no manifest names it."""
    path = os.path.join(builder.folder, REPLACED_FILE)
    write_file(path, json.dumps(sorted(replaced)).encode())


def publish(builder: ShardBuilder, output_dir: str, manifests: Mapping[str, Manifest]) -> None:
    """Replaces older records by the new ones.

    An interruption leaves no manifest but the unfinished folder, by which readers refuse the
    records, and from which the next run of the same build continues.
    """
    targets = {
        os.path.join(_FOLDERS[split], shard.name): builder.path(split, index)
        for split, manifest in manifests.items()
        for index, shard in enumerate(manifest.shards)
    }
    check_output(output_dir)  # others may have put files there meanwhile
    replaced = older_records(output_dir)
    note_replaced(builder, {*replaced, *targets})
    # Older held-out records go in any case: their text may be in the new training records.
    # A manifest goes before its shards.
    for name in sorted(replaced, key=lambda name: is_shard_name(os.path.basename(name))):
        tf.io.gfile.remove(os.path.join(output_dir, name))
    for name, built in targets.items():
        target = os.path.join(output_dir, name)
        writing(target, tf.io.gfile.makedirs, os.path.dirname(target))
        writing(target, tf.io.gfile.rename, built, target, overwrite=True)
    for split, manifest in reversed(manifests.items()):  # training last: then all is complete
        manifest.save(os.path.join(output_dir, _FOLDERS[split]))
    remove_unfinished(builder.folder)


def remove_unfinished(folder: str) -> None:
    """Removes what builds have written into the unfinished folder."""
    others = remove_made(folder, is_of_a_build, PLAN_FILE)
    if others:
        logging.warning("%s: left there, for no build wrote them: %s.", folder, ", ".join(others))


_FOLDERS = {TRAINING: "", HELD_OUT_FOLDER: HELD_OUT_FOLDER}
"""Folder of each split inside the output folder."""


def _records_in(output_dir: str) -> set[str]:
    """Shards and manifests, by name in the folder."""
    manifest, found = os.path.basename(Manifest.path_in("")), set()
    for inner in _FOLDERS.values():
        folder = os.path.join(output_dir, inner)
        if tf.io.gfile.isdir(folder):
            found |= {
                os.path.join(inner, name)
                for name in tf.io.gfile.listdir(folder)
                if name == manifest or is_shard_name(name)
            }
    return found
