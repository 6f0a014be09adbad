# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Trains a WordPiece vocabulary or a SentencePiece model, and measures it on held-out lines."""

import argparse
import os
import sys
import tempfile

from electra_tf.cli import arguments

TOKENIZERS = ("wordpiece", "unigram", "bpe")
MODEL_SUFFIX = ".model"
NUM_SPECIAL_TOKENS = 5


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    arguments.add_corpus_flags(parser)
    parser.add_argument(
        "--output-file",
        required=True,
        help="where to write the vocab.txt, or the .model file; tokenizer.json with its settings "
        "comes beside it",
    )
    parser.add_argument(
        "--tokenizer",
        choices=TOKENIZERS,
        default="wordpiece",
        help="WordPiece as BERT's, or a SentencePiece model of one of two kinds",
    )
    parser.add_argument("--vocab-size", type=int, default=30522, help="number of tokens")
    parser.add_argument(
        "--min-frequency",
        type=int,
        help="how often a piece must occur to become one (WordPiece; default 2), or a stretch "
        "between spaces to be learned from (SentencePiece; default 1)",
    )
    parser.add_argument(
        "--limit-alphabet",
        type=int,
        help="number of different characters to keep (WordPiece; default 1000)",
    )
    parser.add_argument(
        "--character-coverage",
        type=float,
        help="share of the text that the kept characters make up, instead of --limit-alphabet "
        "(SentencePiece: default 0.9995)",
    )
    parser.add_argument(
        "--num-unused", type=int, default=0, help="reserved tokens: [unused0] and so on"
    )
    parser.add_argument(
        "--sample-share",
        type=float,
        default=1.0,
        help="train on this share of the lines, spread evenly, for texts that are very large",
    )
    arguments.add_case_flags(parser)
    arguments.add_pre_split_flag(parser)


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the text exists."""
    is_model = args.output_file.endswith(MODEL_SUFFIX)
    if is_model != (args.tokenizer != "wordpiece"):
        ending = "not end" if is_model else "end"
        raise ValueError(
            f"--output-file must {ending} in {MODEL_SUFFIX} for --tokenizer {args.tokenizer}, "
            f"received {args.output_file}."
        )
    if args.limit_alphabet is not None and is_model:
        raise ValueError("--limit-alphabet is for WordPiece; use --character-coverage.")
    if args.pre_split and is_model:
        raise ValueError("--pre-split is for WordPiece; SentencePiece splits words by itself.")
    if args.limit_alphabet is not None and args.character_coverage is not None:
        raise ValueError("--limit-alphabet and --character-coverage exclude each other.")
    reserved = NUM_SPECIAL_TOKENS + args.num_unused
    if args.vocab_size <= reserved:
        raise ValueError(
            f"--vocab-size must be above {reserved}, the special and unused tokens, received "
            f"{args.vocab_size}."
        )
    if not 0 < args.sample_share <= 1:
        raise ValueError(
            f"--sample-share must be above 0 and at most 1, received {args.sample_share}."
        )
    arguments.check_corpus(args)


def run(args: argparse.Namespace) -> None:
    """Train, write, and print how the result fits lines that it was not trained on."""
    from electra_tf.data import corpus
    from electra_tf.data.vocabulary_building import build_vocabulary
    from electra_tf.text import settings_file

    # Before standard input is read to its end.
    settings_file.check_free(*os.path.split(args.output_file))
    limits = {
        name: getattr(args, name)
        for name in ("min_frequency", "limit_alphabet", "character_coverage", "num_unused")
        if getattr(args, name) is not None
    }
    with tempfile.TemporaryDirectory() as temporary:
        if args.corpus_dir == arguments.STANDARD_INPUT:
            files = (corpus.keep_standard_input(sys.stdin.buffer, temporary),)
        else:
            files = corpus.find_sources(arguments.corpus_of(args))
        report = build_vocabulary(
            files,
            args.output_file,
            args.vocab_size,
            args.tokenizer,
            args.do_lower_case,
            args.strip_accents,
            args.pre_split,
            args.text_field,
            args.sample_share,
            **limits,
        )
    share = "" if args.sample_share == 1 else f" ({args.sample_share:.1%} of their lines)"
    print(f"Wrote {args.output_file}, trained on {len(files)} file(s){share}.")
    for line in report:
        print(f"  {line}")
