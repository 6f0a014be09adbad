# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Writes out text data as TFRecords that ELECTRA can be pre-trained on."""

from electra_tf.cli import arguments
from electra_tf.data import build_pretraining_records
from electra_tf.data.building import DEFAULT_SEED


def make_parser():
    """The reference's flags (build_pretraining_dataset.py:197-227) and some new ones."""
    parser = arguments.make_parser(__doc__)
    parser.add_argument(
        "--corpus-dir",
        required=True,
        help="folder of text files, searched with its sub-folders; .gz, .xz, .bz2 and tar "
        "archives are read too, hidden files are not",
    )
    parser.add_argument("--vocab-file", required=True, help="vocabulary file")
    parser.add_argument(
        "--output-dir",
        required=True,
        help="where to write the records; older records there are replaced once the new ones "
        "are complete, other files stay",
    )
    parser.add_argument(
        "--blanks-separate-docs",
        default=True,
        type=arguments.parse_bool,
        help="whether blank lines indicate document boundaries",
    )
    add_building_flags(parser)
    return parser


def add_building_flags(parser):
    """Flags that both dataset builders have; the last two are not the reference's."""
    parser.add_argument("--max-seq-length", default=128, type=int, help="tokens per example")
    parser.add_argument(
        "--num-processes", default=1, type=int, help="processes to share the work among"
    )
    arguments.add_case_flags(parser)
    parser.add_argument(
        "--num-out-files",
        default=None,
        type=int,
        help="number of record files; by default the size of the data decides",
    )
    parser.add_argument(
        "--seed", default=DEFAULT_SEED, type=int, help="the same seed gives the same records"
    )


def run(args):
    """Builds records as the flags say."""
    manifest = build_pretraining_records(
        args.corpus_dir,
        args.vocab_file,
        args.output_dir,
        max_seq_length=args.max_seq_length,
        num_processes=args.num_processes,
        blanks_separate_docs=args.blanks_separate_docs,
        do_lower_case=args.do_lower_case,
        strip_accents=args.strip_accents,
        num_out_files=args.num_out_files,
        seed=args.seed,
    )
    report(manifest, args.output_dir)


def report(manifest, folder):
    """Prints what was written."""
    print(
        f"{manifest.num_examples:,} examples with {manifest.num_tokens:,} tokens "
        f"(mean length {manifest.mean_length:.1f} of {manifest.max_seq_length}) "
        f"in {len(manifest.shards)} files in {folder}"
    )
    if manifest.cut_tokens:
        share = manifest.cut_tokens / (manifest.cut_tokens + manifest.num_tokens)
        print(
            f"{manifest.cut_tokens:,} tokens ({share:.0%} of the text) were cut, as the original "
            "cuts them: lines longer than an example lose their ends. Shorter lines, such as a "
            "sentence each, lose less."
        )
    if manifest.replaced_bytes:
        print(f"{manifest.replaced_bytes:,} bytes were not UTF-8 and were replaced.")


def main():
    """Entry point of the command."""
    arguments.run(run, make_parser())


if __name__ == "__main__":
    main()
