# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Converts weights between this library, the original's TF1 release and Hugging Face."""

import argparse

from electra_tf.cli import arguments
from electra_tf.config import load_hparams
from electra_tf.files import check_new
from electra_tf.interop.conversion import FORMATS, convert
from electra_tf.interop.reading import read_model
from electra_tf.interop.to_huggingface import PARTS


def make_parser() -> argparse.ArgumentParser:
    parser = arguments.make_parser(__doc__)
    parser.add_argument(
        "--input",
        required=True,
        help="folder of a model made here, checkpoint or folder of the original, or Hugging Face "
        "folder; nothing is downloaded",
    )
    parser.add_argument("--output", required=True, help="new folder for what is written")
    parser.add_argument("--to", required=True, choices=FORMATS, help="format to write")
    parser.add_argument(
        "--part", choices=PARTS, help="of a pre-trained pair, for Hugging Face; default: both"
    )
    parser.add_argument("--task", help="of several, for Hugging Face: whose head to write")
    parser.add_argument(
        "--generator", help="Hugging Face folder of the generator, if not inside the input"
    )
    parser.add_argument("--vocab-file", help="vocabulary of a checkpoint that has none beside it")
    parser.add_argument(
        "--hparams",
        default="{}",
        help="JSON object or path of a .json file: what a checkpoint of the original does not "
        'tell, such as {"model_hparam_overrides": {"num_attention_heads": 4}}',
    )
    parser.add_argument(
        "--labels", help="comma-separated classes of a checkpoint of the original, by id"
    )
    arguments.add_case_flags_of_vocabulary(parser)
    return parser


def convert_checkpoint(args: argparse.Namespace) -> None:
    """Read, write, and say what was written."""
    check_new(args.output)
    hparams = load_hparams(args.hparams)
    for name in ("do_lower_case", "strip_accents", "pre_split", "tokenizer", "vocab_file"):
        if getattr(args, name) is not None:
            hparams[name] = getattr(args, name)
    labels = args.labels.split(",") if args.labels else None
    transfer = read_model(args.input, hparams, labels, args.generator)
    print(f"Read {transfer.source}.")
    for line in convert(transfer, args.to, args.output, args.part, args.task):
        print(line)


def main() -> None:
    arguments.run(convert_checkpoint, make_parser())


if __name__ == "__main__":
    main()
