# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Exports a pre-trained or fine-tuned model as a SavedModel that takes raw strings."""

import argparse

from electra_tf import config, given_files
from electra_tf.cli import arguments

DTYPES = ("float32", "bfloat16")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--model-dir",
        required=True,
        help="folder of a model made here, checkpoint or folder of the original, or Hugging Face "
        "folder, or hf://owner/name",
    )
    parser.add_argument("--export-dir", required=True, help="folder to make")
    parser.add_argument("--task", help="which task of a fine-tuned model, if it has several")
    parser.add_argument(
        "--max-seq-length", type=int, help="tokens of a row, at most; default: that of training"
    )
    parser.add_argument(
        "--dtype", choices=DTYPES, default="float32", help="of weights and matrix products"
    )
    parser.add_argument("--top-k", type=int, default=10, help="fillings for each mask")
    parser.add_argument(
        "--branches",
        type=int,
        default=1,
        help="parts of a request that are computed at the same time, by a thread each; see "
        "docs/serving.md for the settings that this needs",
    )
    parser.add_argument(
        "--signatures",
        type=lambda names: names.split(","),
        default=[],
        help="names separated by commas; default: all. With `ids` alone the export loads without "
        "tensorflow-text",
    )
    arguments.add_model_flags(parser)


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the model exists."""
    config.check(args.top_k >= 1, "top-k", "1 or more", args.top_k)
    given_files.check_branches(args.branches)
    given_files.check_export_dir(args.export_dir)
    arguments.check_model_flags(args, args.model_dir)


def run(args: argparse.Namespace) -> None:
    """Write and compare."""
    from electra_tf.serving import export_model

    comparison = export_model(
        args.model_dir,
        args.export_dir,
        args.task,
        args.max_seq_length,
        args.dtype,
        args.top_k,
        args.signatures,
        branches=args.branches,
        **arguments.model_settings(args),
    )
    print(
        f"{args.export_dir}: {comparison.count} comparisons with the model, largest difference "
        f"{comparison.largest:.1e}, tolerance {comparison.tolerance:g}"
    )
