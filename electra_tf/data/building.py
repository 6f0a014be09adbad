# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From a folder of text to a folder of pre-training records with a manifest."""

import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from absl import logging
from tqdm import tqdm

from electra_tf.data import names
from electra_tf.data.corpus import find_sources
from electra_tf.data.manifest import Manifest, Shard, Source
from electra_tf.data.plan import BuildPlan, make_plan
from electra_tf.data.shards import ShardBuilder, ShardResult
from electra_tf.data.workers import run_tasks
from electra_tf.data.writer import remove_partial

DEFAULT_SEED = 42
_PLAN_FILE = "plan.sha256"
_HISTOGRAM_BINS = 8


def build_pretraining_records(
    corpus_dir: str | Sequence[str],
    tokenizer_path: str,
    output_dir: str,
    max_seq_length: int = 128,
    num_processes: int = 1,
    blanks_separate_docs: bool = True,
    do_lower_case: bool = True,
    strip_accents: bool = True,
    num_out_files: int | None = None,
    seed: int = DEFAULT_SEED,
) -> Manifest:
    """Builds records from text; the same arguments give the same bytes for any `num_processes`.

    Shards are built in `<output_dir>/unfinished`. A build that was interrupted continues from the
    shards that it had finished. Records that the folder holds already are replaced when all new
    ones are complete; other files in it are never touched.

    Args:
        corpus_dir: a folder of text files, or a list of files; compressed files and tar archives
            are read too.
        tokenizer_path: a vocabulary file.
        output_dir: created if need be.
        max_seq_length: tokens of an example at most, special tokens included.
        num_processes: how many processes share the work.
        blanks_separate_docs: whether blank lines end documents; the ends of files always do.
        do_lower_case: of the tokenizer.
        strip_accents: of the tokenizer.
        num_out_files: number of shards; by default the size of the data decides.
        seed: of the order of text and examples, and of the examples' random lengths.

    Raises:
        FileNotFoundError, ValueError: for what is wrong with the corpus or the settings.
        OSError: if a file cannot be written.
    """
    if num_processes < 1:
        raise ValueError(f"`num_processes` must be at least 1; received {num_processes}.")
    _check_apart(corpus_dir, output_dir)
    plan = make_plan(
        find_sources(corpus_dir),
        num_out_files,
        tokenizer_path=tokenizer_path,
        do_lower_case=do_lower_case,
        strip_accents=strip_accents,
        max_seq_length=max_seq_length,
        blanks_separate_docs=blanks_separate_docs,
        seed=seed,
    )
    builder = ShardBuilder(plan, os.path.join(output_dir, names.UNFINISHED_FOLDER))
    settings = builder.tokenizer.settings  # a vocabulary that is wrong is an error at once
    _prepare(builder)
    results = _build_shards(builder, num_processes)
    manifest = _describe(plan, results, settings)
    if not manifest.num_examples:
        tf.io.gfile.rmtree(builder.folder)
        raise ValueError(f"The corpus {corpus_dir!r} holds no text to make examples of.")
    _publish(builder.folder, output_dir, manifest)
    return manifest


def _check_apart(corpus_dir: str | Sequence[str], output_dir: str) -> None:
    """Records must not become text of the next build."""
    if isinstance(corpus_dir, str):
        inner, outer = os.path.abspath(output_dir), os.path.abspath(corpus_dir)
        if os.path.join(inner, "").startswith(os.path.join(outer, "")):
            raise ValueError(
                f"The output folder {output_dir!r} must not lie in the corpus folder "
                f"{corpus_dir!r}."
            )


def _prepare(builder: ShardBuilder) -> None:
    """Makes the builder's folder, empty unless it has finished shards of the same plan."""
    folder, fingerprint = builder.folder, builder.plan.fingerprint()
    plan_file = os.path.join(folder, _PLAN_FILE)
    if tf.io.gfile.exists(plan_file):
        with tf.io.gfile.GFile(plan_file, "r") as file:
            if file.read() == fingerprint:
                remove_partial(folder)
                return
    if tf.io.gfile.exists(folder):
        tf.io.gfile.rmtree(folder)
    tf.io.gfile.makedirs(folder)
    with tf.io.gfile.GFile(plan_file, "w") as file:
        file.write(fingerprint)


def _build_shards(builder: ShardBuilder, num_processes: int) -> list[ShardResult]:
    """Builds the shards that are not finished yet; results in the order of shards."""
    tasks, results, finished_bytes = [], [], 0
    for index, chunks in enumerate(builder.plan.shards()):
        result = builder.finished(index)
        if result is None:
            tasks.append((index, chunks))
        else:
            results.append(result)
            finished_bytes += sum(chunk.end - chunk.start for chunk in chunks)
    if results:
        logging.info(
            "Continuing an interrupted build: %d of %d shards are finished.",
            len(results),
            builder.plan.num_shards,
        )
    total = sum(source.bytes for source in builder.plan.sources)
    with tqdm(total=total, unit="B", unit_scale=True, desc="Building records") as bar:
        bar.update(finished_bytes)
        results += run_tasks(builder, tasks, num_processes, bar.update)
    return sorted(results, key=lambda result: result.index)


def _describe(plan: BuildPlan, results: list[ShardResult], tokenizer: dict) -> Manifest:
    counts = np.sum([result.length_counts for result in results], axis=0)
    num_examples = int(counts.sum())
    num_tokens = int((counts * np.arange(len(counts))).sum())
    mean = num_tokens / max(1, num_examples)
    histogram = [int(part.sum()) for part in np.array_split(counts[1:], _HISTOGRAM_BINS)]
    return Manifest(
        shards=tuple(
            Shard(names.shard_name(r.index, plan.num_shards), r.num_examples, r.bytes)
            for r in results
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
        cut_tokens=sum(result.cut_tokens for result in results),
        sources=tuple(Source(source.name, source.bytes) for source in plan.sources),
    )


def _publish(folder: str, output_dir: str, manifest: Manifest) -> None:
    """Replaces older records by the new ones.

    An interruption leaves no manifest but the unfinished folder, by which readers refuse the
    records, and from which the next run of the same build continues.
    """
    if tf.io.gfile.exists(Manifest.path_in(output_dir)):
        tf.io.gfile.remove(Manifest.path_in(output_dir))
    for name in tf.io.gfile.listdir(output_dir):
        if names.is_shard_name(name):
            tf.io.gfile.remove(os.path.join(output_dir, name))
    for shard in manifest.shards:
        tf.io.gfile.rename(
            os.path.join(folder, shard.name), os.path.join(output_dir, shard.name), overwrite=True
        )
    manifest.save(output_dir)
    tf.io.gfile.rmtree(folder)
