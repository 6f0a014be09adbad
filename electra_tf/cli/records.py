# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Writes out text data as TFRecords that ELECTRA can be pre-trained on."""

import argparse
import functools
import os
from typing import TYPE_CHECKING, Any

from electra_tf import given_files
from electra_tf.cli import arguments

if TYPE_CHECKING:
    from electra_tf.data import Manifest

SEED = 42
_PASSED_ON = (
    *("max_seq_length", "num_processes", "num_out_files", "seed", "held_out_share"),
    *("do_lower_case", "strip_accents", "pre_split", "tokenizer", "word_starts"),
    *("split_long_lines", "pack_documents", "remove_duplicates"),
)
"""Common flags that are arguments of `build_pretraining_records`."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the reference's flags (build_pretraining_dataset.py:197-227) and some new ones."""
    arguments.add_corpus_flags(parser)
    parser.add_argument("--vocab-file", required=True, help="vocabulary file")
    parser.add_argument(
        "--output-dir",
        required=True,
        help="where to write the records; older records there are replaced once the new ones "
        "are complete, other files stay",
    )
    arguments.add_blanks_flag(parser)
    add_building_flags(parser)


def add_building_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of both dataset builders; those from the number of files on are new."""
    parser.add_argument("--max-seq-length", default=128, type=int, help="tokens per example")
    parser.add_argument(
        "--num-processes", default=1, type=int, help="processes to share the work among"
    )
    arguments.add_case_flags_of_vocabulary(parser)
    parser.add_argument(
        "--num-out-files",
        default=None,
        type=int,
        help="number of record files; by default the size of the data decides",
    )
    parser.add_argument(
        "--seed", default=SEED, type=int, help="the same seed gives the same records"
    )
    _add_content_flags(parser.add_argument_group("what is in the records"))
    _add_cluster_flags(parser.add_argument_group("on several machines"))


def _add_content_flags(group: argparse._ArgumentGroup):
    group.add_argument(
        "--word-starts",
        action="store_true",
        help="store which tokens begin a word, for whole-word masking",
    )
    group.add_argument(
        "--split-long-lines",
        action="store_true",
        help="lines longer than an example become several examples; by default they lose their "
        "ends, as in the original",
    )
    group.add_argument(
        "--pack-documents",
        action="store_true",
        help="put as many examples as fit into each sequence, for packed training",
    )
    group.add_argument(
        "--remove-duplicates",
        action="store_true",
        help="use only the first of documents that are exactly the same",
    )
    group.add_argument(
        "--held-out-share",
        default=0.0,
        type=float,
        help="share of the documents (0.01, say) whose examples go to <output-dir>/held_out",
    )


def _add_cluster_flags(group: argparse._ArgumentGroup):
    group.add_argument(
        "--shard-index", type=int, help="build the shards of job number ... of --num-shards only"
    )
    group.add_argument(
        "--num-shards",
        type=int,
        help="how many jobs divide the work; when all are done, the same command without these "
        "two flags completes the records",
    )
    group.add_argument(
        "--runner", help="build on Apache Beam: DirectRunner, DataflowRunner, FlinkRunner, ..."
    )
    group.add_argument(
        "beam_options", nargs="*", help="Beam's own options, all of them behind a lone --"
    )


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the files exist."""
    check_building_flags(args)
    given_files.check_vocabulary(args.vocab_file)
    arguments.check_corpus(args)


def run(args: argparse.Namespace) -> None:
    """Build records as the flags say."""
    corpus = arguments.corpus_of(args)
    build(
        args,
        corpus,
        args.vocab_file,
        args.output_dir,
        blanks_separate_docs=args.blanks_separate_docs,
        text_field=args.text_field,
    )


def build(
    args: argparse.Namespace,
    corpus: str | list[str],
    vocabulary: str,
    output_dir: str,
    **settings: Any,
) -> None:
    """Build records of a corpus as the common flags say, and report."""
    from electra_tf.data import WorkShare, build_pretraining_records

    is_part = args.num_shards is not None
    manifest = build_pretraining_records(
        corpus,
        vocabulary,
        output_dir,
        **{name: getattr(args, name) for name in _PASSED_ON},
        work_share=WorkShare(args.shard_index, args.num_shards) if is_part else None,
        execute=_executor(args),
        **settings,
    )
    if manifest:
        _report(manifest, output_dir)
    else:
        print(
            f"Share {args.shard_index} of {args.num_shards} is done. When all are, run the same "
            "command without --shard-index and --num-shards to complete the records."
        )


def check_building_flags(args: argparse.Namespace) -> None:
    """Check the flags of both dataset builders.

    Raises:
        ValueError: one of a pair is missing.
    """
    if (args.shard_index is None) != (args.num_shards is None):
        raise ValueError("--shard-index and --num-shards must be given together.")
    if args.beam_options and args.runner is None:
        raise ValueError(f"Options of Beam need --runner; received {' '.join(args.beam_options)}.")


def _executor(args: argparse.Namespace):
    """What runs the work elsewhere than in processes here, or None."""
    if args.runner is None:
        return None
    try:
        from electra_tf.data.beam_building import run_on_beam
    except ImportError as error:
        raise ValueError(
            f"--runner needs Apache Beam (pip install 'electra-tf[beam]'): {error}"
        ) from error
    return functools.partial(run_on_beam, [f"--runner={args.runner}", *args.beam_options])


def _report(manifest: "Manifest", folder: str):
    """Print what was written."""
    from electra_tf.data import Manifest
    from electra_tf.data.manifest import HELD_OUT_FOLDER

    print(
        f"{manifest.num_examples:,} examples with {manifest.num_tokens:,} tokens "
        f"(mean length {manifest.mean_length:.1f} of {manifest.max_seq_length}) "
        f"in {len(manifest.shards)} files in {folder}"
    )
    if not manifest.unknown.is_high:  # else a warning was logged
        print(f"{manifest.unknown} in the text.")
    if manifest.cut_tokens:
        share = manifest.cut_tokens / (manifest.cut_tokens + manifest.num_tokens)
        print(
            f"{manifest.cut_tokens:,} tokens ({share:.0%} of the text) were cut, as the original "
            "cuts them: lines longer than an example lose their ends. --split-long-lines keeps "
            "them; of shorter lines, such as a sentence each, less is cut."
        )
    if manifest.duplicate_documents:
        print(
            f"{manifest.duplicate_documents:,} documents were left out because they are the same "
            f"as earlier ones; {manifest.num_documents:,} were used."
        )
    if manifest.held_out_share:
        held_out = Manifest.load(os.path.join(folder, HELD_OUT_FOLDER))
        print(
            f"{held_out.num_documents:,} documents are held out: {held_out.num_examples:,} "
            f"examples in {folder}/{HELD_OUT_FOLDER}"
        )
    if manifest.replaced_bytes:
        print(f"{manifest.replaced_bytes:,} bytes were not UTF-8 and were replaced.")
