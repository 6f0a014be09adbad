# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Converts weights between this library, the original's TF1 release and Hugging Face."""

import argparse

from electra_tf.cli import arguments
from electra_tf.folders import check_new

FORMATS = ("electra_tf", "reference", "huggingface")
PARTS = ("discriminator", "generator")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--input",
        required=True,
        help="folder of a model made here, checkpoint or folder of the original, or Hugging Face "
        "folder, or hf://owner/name",
    )
    parser.add_argument("--output", required=True, help="new folder for what is written")
    parser.add_argument("--to", required=True, choices=FORMATS, help="format to write")
    parser.add_argument(
        "--part", choices=PARTS, help="of a pre-trained pair, for Hugging Face; default: both"
    )
    parser.add_argument("--task", help="of several, for Hugging Face: whose head to write")
    arguments.add_model_flags(parser)


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the model exists."""
    check_new(args.output)
    arguments.check_model_flags(args, args.input)


def run(args: argparse.Namespace) -> None:
    """Read, write, and print what was written."""
    from electra_tf.interop.conversion import convert
    from electra_tf.interop.opening import open_model

    model = open_model(args.input, **arguments.model_settings(args))
    print(f"Read {model.description}.")
    for line in convert(model, args.to, args.output, args.part, args.task):
        print(line)
