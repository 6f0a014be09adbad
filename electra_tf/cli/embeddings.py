# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Computes initial embeddings for pre-training: tokens that occur together in a text are near."""

import argparse
import json

from electra_tf import given_files
from electra_tf.cli import arguments
from electra_tf.folders import check_new

BLOCK_TOKENS = 200
NORM = 2.0


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    arguments.add_corpus_flags(parser, standard_input=False)
    arguments.add_blanks_flag(parser)
    parser.add_argument("--vocab-file", required=True, help="vocabulary file")
    parser.add_argument(
        "--output-dir", required=True, help="where to write the checkpoint with the embeddings"
    )
    parser.add_argument(
        "--embedding-size", type=int, default=128, help="the model's hyperparameter of this name"
    )
    parser.add_argument(
        "--vocab-size",
        type=int,
        help="the model's hyperparameter of this name, if it is more than the vocabulary has",
    )
    parser.add_argument(
        "--block-tokens",
        type=int,
        default=BLOCK_TOKENS,
        help="documents are cut into blocks of so many tokens; those of a block occur together",
    )
    parser.add_argument(
        "--norm",
        type=float,
        default=NORM,
        help="length of every embedding; larger ones change more slowly in training",
    )
    parser.add_argument(
        "--sample-share",
        type=float,
        default=1.0,
        help="use this share of the documents, spread evenly, for texts that are very large",
    )
    arguments.add_case_flags_of_vocabulary(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the decomposition")


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the files exist."""
    for name in ("embedding_size", "block_tokens", "norm"):
        if getattr(args, name) <= 0:
            flag = name.replace("_", "-")
            raise ValueError(f"--{flag} must be above 0, received {getattr(args, name)}.")
    if not 0 < args.sample_share <= 1:
        raise ValueError(
            f"--sample-share must be above 0 and at most 1, received {args.sample_share}."
        )
    check_new(args.output_dir)
    given_files.check_vocabulary(args.vocab_file)
    arguments.check_corpus(args)


def run(args: argparse.Namespace) -> None:
    """Count tokens in blocks of text, embed them, write a checkpoint."""
    import numpy as np

    from electra_tf.data import cooccurrence, corpus
    from electra_tf.pretraining import initial_embeddings
    from electra_tf.text import load_tokenizer

    tokenizer = load_tokenizer(
        args.vocab_file,
        args.do_lower_case,
        args.strip_accents,
        pre_split=args.pre_split,
        tokenizer=args.tokenizer,
    )
    num_tokens = len(tokenizer.vocabulary)
    vocab_size = num_tokens if args.vocab_size is None else args.vocab_size
    if vocab_size < num_tokens:
        raise ValueError(
            f"--vocab-size is expected to be at least {num_tokens}, the tokens of "
            f"{args.vocab_file}, received {vocab_size}."
        )
    sources = corpus.find_sources(arguments.corpus_of(args))
    counts = cooccurrence.count_tokens(
        sources,
        tokenizer,
        args.block_tokens,
        args.blanks_separate_docs,
        args.text_field,
        args.sample_share,
    )
    unknown = cooccurrence.unknown_tokens(counts, tokenizer.vocabulary)
    unknown.log(args.vocab_file)
    table = initial_embeddings.latent_semantic_embeddings(
        counts, vocab_size, args.embedding_size, args.norm, args.seed
    )
    initial_embeddings.save_embeddings(table, tokenizer, args.output_dir)
    in_use = len(np.unique(counts.indices))
    hparams = json.dumps(initial_embeddings.hparams_to_begin_with(args.output_dir))
    print(
        f"{args.output_dir}: {in_use} of {vocab_size} tokens occur in the text, the others have "
        f"random embeddings; {counts.nnz:,} counts in {counts.shape[0]:,} blocks.\n"
        f"{unknown}.\n"
        f"To start from them: electra pretrain --hparams '{hparams}'"
    )
