# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Preprocesses the OpenWebText corpus for ELECTRA pre-training.

Reads the archives in <data-dir>/openwebtext and <data-dir>/vocab.txt, and writes the records to
<data-dir>/pretrain_tfrecords.
"""

import os

from electra_tf.cli import arguments
from electra_tf.cli.build_pretraining_dataset import add_building_flags, report
from electra_tf.data import build_pretraining_records


def make_parser():
    """The reference's flags (build_openwebtext_pretraining_dataset.py:76-99) and some new ones."""
    parser = arguments.make_parser(__doc__)
    parser.add_argument(
        "--data-dir", required=True, help="location of data (vocabulary file, corpus, records)"
    )
    add_building_flags(parser)
    return parser


def run(args):
    """Builds records as the flags say."""
    output_dir = os.path.join(args.data_dir, "pretrain_tfrecords")
    manifest = build_pretraining_records(
        os.path.join(args.data_dir, "openwebtext"),
        os.path.join(args.data_dir, "vocab.txt"),
        output_dir,
        max_seq_length=args.max_seq_length,
        num_processes=args.num_processes,
        # Every file of an archive is one document, blank lines separate its paragraphs.
        blanks_separate_docs=False,
        do_lower_case=args.do_lower_case,
        strip_accents=args.strip_accents,
        num_out_files=args.num_out_files,
        seed=args.seed,
    )
    report(manifest, output_dir)


def main():
    """Entry point of the command."""
    arguments.run(run, make_parser())


if __name__ == "__main__":
    main()
