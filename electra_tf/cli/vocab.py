# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Trains a WordPiece vocabulary or a SentencePiece model, and says how it fits held-out lines."""

import argparse
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence

import tensorflow as tf
from absl import logging

from electra_tf import text
from electra_tf.cli import arguments
from electra_tf.data import corpus, reading, standard_input
from electra_tf.files import exists, write_bytes
from electra_tf.text import settings_file
from electra_tf.text.sentencepiece_tokenizer import MODEL_SUFFIX
from electra_tf.text.sentencepiece_training import MODEL_TYPES, without_accents
from electra_tf.text.vocabulary import SENTENCEPIECE, WORDPIECE
from electra_tf.text.vocabulary_training import report, warning_of_changed_letters, without_marks

# Of so many lines one is held out for the report.
HELD_OUT_EVERY = 100
_MAX_HELD_OUT = 50_000
# Besides the held-out ones, so many lines are looked through for letters that are changed.
_MAX_SAMPLE = 5_000
_STANDARD_INPUT = "-"


def make_parser() -> argparse.ArgumentParser:
    parser = arguments.make_parser(__doc__)
    arguments.add_corpus_flags(parser)
    parser.add_argument(
        "--output-file",
        required=True,
        help=f"where to write the vocab.txt, or the {MODEL_SUFFIX} file; {settings_file.FILE_NAME} "
        "with its settings comes beside it",
    )
    parser.add_argument(
        "--tokenizer",
        choices=("wordpiece", *MODEL_TYPES),
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
    return parser


def run(args: argparse.Namespace) -> None:
    """Trains on 99 % of the lines, writes the files, and measures the result on other lines."""
    _check(args)
    folder, name = os.path.split(args.output_file)
    tf.io.gfile.makedirs(folder or ".")
    settings_file.check_free(folder, name)
    is_new, held_out = not exists(args.output_file), []
    with tempfile.TemporaryDirectory() as temporary:
        files = _sources(args, temporary)
        lines = _training_lines(files, held_out, args.text_field, args.sample_share)
        first = list(itertools.islice(lines, _MAX_SAMPLE))
        _train(args, itertools.chain(first, lines))
    try:
        settings_file.save_settings(_settings(args, name), folder)
    except BaseException:
        if is_new:  # without its settings it would be read in another way
            tf.io.gfile.remove(args.output_file)
        raise
    tokenizer = text.load_tokenizer(args.output_file)
    share = "" if args.sample_share == 1 else f" ({args.sample_share:.1%} of their lines)"
    print(f"Wrote {args.output_file}, trained on {len(files)} file(s){share}.")
    for line in report(tokenizer, held_out, args.vocab_size):
        print(f"  {line}")
    if args.do_lower_case and args.strip_accents:
        strip = without_accents if args.tokenizer in MODEL_TYPES else without_marks
        changed = warning_of_changed_letters(first + held_out, strip)
        if changed:
            logging.warning("%s", changed)


def _check(args: argparse.Namespace):
    is_model = args.output_file.endswith(MODEL_SUFFIX)
    if is_model != (args.tokenizer in MODEL_TYPES):
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
    reserved = len(text.SPECIAL_TOKENS) + args.num_unused
    if args.vocab_size <= reserved:
        raise ValueError(
            f"--vocab-size must be above {reserved}, the special and unused tokens, received "
            f"{args.vocab_size}."
        )
    if not 0 < args.sample_share <= 1:
        raise ValueError(
            f"--sample-share must be above 0 and at most 1, received {args.sample_share}."
        )


def _train(args: argparse.Namespace, lines: Iterable[str]):
    """Writes the vocabulary or model of the lines to the output file."""
    chosen = {
        name: getattr(args, name)
        for name in ("min_frequency", "limit_alphabet", "character_coverage")
        if getattr(args, name) is not None
    }
    settings = args.do_lower_case, args.strip_accents
    chosen["num_unused"] = args.num_unused
    if args.tokenizer in MODEL_TYPES:
        model = text.train_sentencepiece_model(
            lines, args.vocab_size, args.tokenizer, *settings, **chosen
        )
        write_bytes(args.output_file, model)
    else:
        tokens = text.train_wordpiece_vocabulary(
            lines, args.vocab_size, *settings, pre_split=args.pre_split, **chosen
        )
        text.save_vocabulary(tokens, args.output_file)


def _settings(args: argparse.Namespace, name: str):
    kind = SENTENCEPIECE if args.tokenizer in MODEL_TYPES else WORDPIECE
    accents = args.strip_accents and args.do_lower_case
    return settings_file.TokenizerSettings(
        kind, name, args.do_lower_case, accents, pre_split=args.pre_split
    )


def _sources(args: argparse.Namespace, temporary: str):
    if args.corpus_dir == _STANDARD_INPUT:
        return (standard_input.keep(sys.stdin.buffer, temporary),)
    return corpus.find_sources(arguments.corpus_of(args))


def _training_lines(
    files: Sequence[corpus.SourceFile],
    held_out: list[str],
    text_field: str | None,
    sample_share: float,
):
    """Yields the lines to train on; every HELD_OUT_EVERYth of them goes to `held_out` instead."""
    replaced_bytes = number = 0
    drawn = 0.0
    for chunk in corpus.cut_in_chunks(files, corpus.CHUNK_BYTES):
        for piece in reading.read_pieces(chunk, False, text_field):
            replaced_bytes += piece.replaced_bytes
            for line in piece.lines:
                drawn += sample_share
                if drawn < 1:
                    continue
                drawn -= 1
                number += 1
                if number % HELD_OUT_EVERY or len(held_out) == _MAX_HELD_OUT:
                    yield line
                else:
                    held_out.append(line)
    if replaced_bytes:
        logging.warning("%d bytes are not UTF-8 and were left out.", replaced_bytes)
