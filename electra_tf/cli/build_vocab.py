# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Trains a WordPiece vocabulary on text files and says how well it fits held-out lines."""

import os

import tensorflow as tf
from absl import logging

from electra_tf import text
from electra_tf.cli import arguments
from electra_tf.data import corpus, reading

# Every so many lines one is held out for the report.
HELD_OUT_EVERY = 100
_LINES_PER_BATCH = 1024
_NUM_LONGEST = 10


def make_parser():
    parser = arguments.make_parser(__doc__)
    sources = parser.add_mutually_exclusive_group(required=True)
    sources.add_argument(
        "--corpus-dir", help="folder of text files, also packed (.gz, .xz, .bz2, .tar)"
    )
    sources.add_argument("--input-files", help="text files, as comma-separated globs")
    parser.add_argument("--output-file", required=True, help="where to write the vocab.txt")
    parser.add_argument("--vocab-size", type=int, default=30522, help="number of tokens")
    parser.add_argument(
        "--min-frequency", type=int, default=2, help="how often a piece must occur to become one"
    )
    parser.add_argument(
        "--limit-alphabet", type=int, default=1000, help="number of different characters to keep"
    )
    arguments.add_case_flags(parser)
    return parser


def main():
    arguments.run(build_vocab, make_parser())


def build_vocab(args):
    """Trains on 99 % of the lines, writes the vocabulary, and measures it on the other lines."""
    files = corpus.find_sources(args.corpus_dir or _matching_files(args.input_files))
    tf.io.gfile.makedirs(os.path.dirname(args.output_file) or ".")
    held_out = []
    tokens = text.train_wordpiece_vocabulary(
        _training_lines(files, held_out),
        args.vocab_size,
        args.do_lower_case,
        args.strip_accents,
        args.min_frequency,
        args.limit_alphabet,
    )
    text.save_vocabulary(tokens, args.output_file)
    tokenizer = text.load_tokenizer(args.output_file, args.do_lower_case, args.strip_accents)
    print(f"Wrote {args.output_file}, trained on {len(files)} file(s).")
    for line in report(tokenizer, held_out, args.vocab_size):
        print(f"  {line}")


def report(tokenizer, held_out_lines, asked_size):
    """Yields lines on the size of a vocabulary and on how it cuts held-out lines."""
    tokens = tokenizer.vocabulary.tokens
    note = "" if len(tokens) == asked_size else f" of {asked_size}: no more pieces repeat"
    yield f"tokens:            {len(tokens)}{note}"
    num_words = num_tokens = num_unknown = 0
    for start in range(0, len(held_out_lines), _LINES_PER_BATCH):
        batch = held_out_lines[start : start + _LINES_PER_BATCH]
        ids = tokenizer(batch).flat_values.numpy()
        num_words += len(tokenizer.words(batch).flat_values)
        num_tokens += len(ids)
        num_unknown += int((ids == tokenizer.vocabulary.unk_id).sum())
    if num_words:
        yield f"held-out words:    {num_words}"
        yield f"tokens per word:   {num_tokens / num_words:.3f}"
        yield f"unknown tokens:    {num_unknown} ({num_unknown / num_tokens:.3%})"
    else:
        yield f"held-out words:    none, the text has fewer than {HELD_OUT_EVERY} lines"
    longest = sorted(
        set(tokens) - set(text.SPECIAL_TOKENS),
        key=lambda token: (-len(token.removeprefix("##")), token),
    )
    yield f"longest pieces:    {' '.join(longest[:_NUM_LONGEST])}"


def _training_lines(files, held_out):
    """Yields all lines but every HELD_OUT_EVERYth, which it appends to `held_out`."""
    replaced_bytes = 0
    number = 0
    for chunk in corpus.cut_in_chunks(files, corpus.CHUNK_BYTES):
        for piece in reading.read_pieces(chunk, blanks_separate_docs=False):
            replaced_bytes += piece.replaced_bytes
            for line in piece.lines:
                number += 1
                if number % HELD_OUT_EVERY:
                    yield line
                else:
                    held_out.append(line)
    if replaced_bytes:
        logging.warning("%d bytes are not UTF-8 and were left out.", replaced_bytes)


def _matching_files(globs):
    files = []
    for pattern in globs.split(","):
        matching = [path for path in tf.io.gfile.glob(pattern) if not tf.io.gfile.isdir(path)]
        if not matching:
            raise FileNotFoundError(f"No file matches {pattern!r} of --input-files.")
        files += matching
    return files
