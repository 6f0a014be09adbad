# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From text to a folder of pre-training records with a manifest."""

import functools
import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import tensorflow as tf
from absl import logging
from tqdm import tqdm

from electra_tf.config import check
from electra_tf.data.corpus import SourceFile, find_sources, keep_standard_input, remove_kept
from electra_tf.data.duplicates import FindDuplicates, HashDocuments
from electra_tf.data.manifest import (
    PLAN_FILE,
    UNFINISHED_FOLDER,
    Manifest,
    remove_partial,
    write_file,
)
from electra_tf.data.plan import WorkShare, make_plan
from electra_tf.data.publishing import (
    check_output,
    describe,
    note_replaced,
    older_records,
    publish,
    remove_unfinished,
)
from electra_tf.data.shards import TRAINING, ShardBuilder, ShardResult
from electra_tf.data.workers import Work, run_tasks
from electra_tf.files import read_bytes

STANDARD_INPUT = "-"
_SECONDS_BETWEEN_LOGGED_LINES = 10

Executor = Callable[[Work, Sequence[Any], Callable[[int], None]], Iterator[Any]]
"""Runs work on tasks, as far as its iterator is consumed; gets a function to report progress to.

What the work has done stands in the builder's folder; what it returns may get lost.
"""


def build_pretraining_records(
    corpus_dir: str | Sequence[str],
    tokenizer_path: str,
    output_dir: str,
    max_seq_length: int = 128,
    num_processes: int = 1,
    num_out_files: int | None = None,
    work_share: WorkShare | None = None,
    execute: Executor | None = None,
    **settings: Any,
) -> Manifest | None:
    """Builds records from text; the same arguments give the same bytes for any `num_processes`.

    Shards are built in `<output_dir>/unfinished`. A build that was interrupted continues from the
    shards that it had finished. Records of an earlier build, which its manifest names, are
    replaced when all new ones are complete; other files in the folder are never touched.

    Args:
        corpus_dir: a folder of text files, a list of files and glob patterns, or "-" for standard
            input; compressed text and tar archives are read too.
        tokenizer_path: a vocabulary file.
        output_dir: created if need be.
        max_seq_length: tokens of an example at most, special tokens included.
        num_processes: how many processes share the work.
        num_out_files: number of shards; by default the size of the data decides.
        work_share: builds a share of the shards only, and no manifest; a run without it, with the
            other arguments the same, completes what all shares have built.
        execute: runs the work elsewhere than in `num_processes` processes here.
        **settings: other fields of `BuildPlan`: of the tokenizer, the text and the examples.

    Returns:
        What was written; None for a share.

    Raises:
        FileNotFoundError, ValueError: for what is wrong with the corpus or the settings.
        FileExistsError: if records of others are in the output folder; they stay.
        OSError: if a file cannot be written; no broken shard is left.
    """
    check(num_processes >= 1, "num_processes", "at least 1", num_processes)
    check_output(output_dir)
    plan = make_plan(
        _sources(corpus_dir, output_dir, work_share),
        num_out_files,
        **settings,
        tokenizer_path=tokenizer_path,
        max_seq_length=max_seq_length,
    )
    builder = ShardBuilder(plan, os.path.join(output_dir, UNFINISHED_FOLDER))
    tokenizer = builder.tokenizer.settings  # a vocabulary that is wrong is an error at once
    _prepare(builder, plan.fingerprint(tokenizer), work_share)
    results = _build(builder, execute or functools.partial(run_tasks, num_processes), work_share)
    if work_share:
        return None
    manifests = {split: describe(plan, results, tokenizer, split) for split in results[0].splits}
    if not manifests[TRAINING].num_examples:
        remove_unfinished(builder.folder)
        raise ValueError(f"The corpus {corpus_dir!r} holds no text to make examples of.")
    _publish(builder, output_dir, manifests)
    return manifests[TRAINING]


def _publish(builder: ShardBuilder, output_dir: str, manifests: dict[str, Manifest]):
    publish(builder, output_dir, manifests)
    remove_kept(output_dir)
    for split, manifest in manifests.items():
        if manifest.unknown.is_high:  # a low share stands in the command's summary
            manifest.unknown.log(f"{output_dir}, {split} records")


def _build(builder: ShardBuilder, execute: Executor, work_share: WorkShare | None):
    """Results of all shards, or of a share of them."""
    try:
        if builder.plan.remove_duplicates:
            _find_duplicates(builder, execute, work_share)
        return _build_shards(builder, execute, work_share)
    except BaseException:
        if not work_share:  # else others are at work there
            _remove_partial(builder)  # of worker processes that were ended
        raise


def _sources(
    corpus_dir: str | Sequence[str], output_dir: str, work_share: WorkShare | None
) -> tuple[SourceFile, ...]:
    if corpus_dir == STANDARD_INPUT:
        if work_share:
            raise ValueError("A share of the work cannot be done from standard input.")
        return (keep_standard_input(sys.stdin.buffer, output_dir),)
    if isinstance(corpus_dir, str):
        # Records must not become text of the next build.
        inner, outer = os.path.abspath(output_dir), os.path.abspath(corpus_dir)
        if os.path.join(inner, "").startswith(os.path.join(outer, "")):
            raise ValueError(
                f"The output folder {output_dir!r} must not lie in the corpus folder "
                f"{corpus_dir!r}."
            )
    return find_sources(corpus_dir)


def _prepare(builder: ShardBuilder, fingerprint: str, work_share: WorkShare | None) -> None:
    """Makes the builder's folders, empty unless they have finished shards of the same plan."""
    folder = builder.folder
    plan_file = os.path.join(folder, PLAN_FILE)
    if tf.io.gfile.exists(plan_file):
        if read_bytes(plan_file) == fingerprint.encode():
            if not work_share:
                _remove_partial(builder)
            return
        if work_share:
            raise ValueError(
                f"{folder} holds an unfinished build with other settings, another corpus or "
                "another vocabulary. Remove it, or give all shares the same arguments."
            )
    # A build that was interrupted while it replaced records: what it noted stays known.
    replaced = older_records(os.path.dirname(folder))
    if tf.io.gfile.exists(folder) and not work_share:
        remove_unfinished(folder)
    for inner in _folders(builder):
        tf.io.gfile.makedirs(inner)
    write_file(plan_file, fingerprint.encode())
    note_replaced(builder, replaced)


def _folders(builder: ShardBuilder) -> list[str]:
    return [*builder.split_folders().values(), builder.duplicates_folder]


def _remove_partial(builder: ShardBuilder) -> None:
    for folder in filter(tf.io.gfile.exists, _folders(builder)):
        remove_partial(folder)


def _find_duplicates(
    builder: ShardBuilder, execute: Executor, work_share: WorkShare | None
) -> None:
    """Notes the duplicates in the builder's folder, where an earlier run has not."""
    folder, plan = builder.duplicates_folder, builder.plan
    hashing = HashDocuments(plan, folder)
    tasks = hashing.tasks()
    if work_share:
        # Every share needs all hashes; each begins elsewhere and leaves out what others have done.
        first = work_share.index * len(tasks) // work_share.count
        tasks = tasks[first:] + tasks[:first]
    with _progress_bar(plan.bytes, "Hashing documents") as bar:
        _do(execute, hashing, tasks, bar.update)
    finding = FindDuplicates.after(hashing, len(tasks))
    _do(execute, finding, range(finding.index.num_partitions), lambda amount: None)
    finding.finish()


def _build_shards(
    builder: ShardBuilder, execute: Executor, work_share: WorkShare | None
) -> list[ShardResult]:
    """Builds the shards that are not finished yet; all results in the order of shards."""
    tasks, results, finished_bytes = [], [], 0
    shards = builder.plan.shards()
    for index, chunks in enumerate(shards):
        if work_share and index % work_share.count != work_share.index:
            continue
        result = builder.finished(index)
        if result is None:
            tasks.append((index, chunks))
        else:
            results.append(result)
            finished_bytes += sum(chunk.end - chunk.start for chunk in chunks)
    total = finished_bytes + sum(c.end - c.start for _, chunks in tasks for c in chunks)
    if results:
        logging.info(
            "Continuing an earlier build: %d of %d shards are finished.",
            len(results),
            len(results) + len(tasks),
        )
    with _progress_bar(total, "Building records", initial=finished_bytes) as bar:
        _do(execute, builder, tasks, bar.update)
    results += [builder.finished(index) for index, _ in tasks]
    return sorted(results, key=lambda result: result.index)


def _do(
    execute: Executor, work: Work, tasks: Sequence[Any], progress: Callable[[int], None]
) -> None:
    """Does all tasks; what comes of them stands in files."""
    results = execute(work, tasks, progress)
    try:
        for _ in results:
            pass
    finally:
        # At once, also if this frame lives on in a traceback: it ends the worker processes.
        if isinstance(results, Generator):
            results.close()


def _progress_bar(total: int, what: str, initial: int = 0) -> tqdm:
    """Shows bytes, rate and the time that is left; in a log file, a line now and then."""
    interval = 0.1 if sys.stderr.isatty() else _SECONDS_BETWEEN_LOGGED_LINES
    return tqdm(
        total=total, initial=initial, unit="B", unit_scale=True, desc=what, mininterval=interval
    )
