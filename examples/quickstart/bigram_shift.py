# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Writes the task bigram shift: were two neighbouring words of this sentence swapped?

    python examples/quickstart/bigram_shift.py --train-text reviews/train/reviews.txt \\
        --dev-text reviews/heldout/reviews.txt --output-dir data/finetuning_data/bigram_shift

The task is one of the probes of SentEval (Conneau et al., 2018), here made from any text with a
sentence per line. It asks for the order of words: which words there are says nothing.
"""

import pathlib
import random
import re
from collections.abc import Iterable

from electra_tf.cli import arguments

ORIGINAL, SWAPPED = "original", "swapped"
NUM_TRAIN, NUM_DEV = 8000, 1000
MIN_WORDS, MAX_WORDS = 8, 30
SEED = 0
PLAIN_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
SENTENCE = re.compile(r"[A-Z].*[a-z][.!?]")

Row = tuple[str, str]
"""A sentence and its label."""


def make_parser():
    summary, _, details = __doc__.partition("\n\n")
    parser = arguments.make_parser(summary)
    parser.epilog = details.split("\n\n")[-1]
    text = "a sentence per line"
    parser.add_argument("--train-text", required=True, help=f"text for train.tsv, {text}")
    parser.add_argument("--dev-text", required=True, help=f"text for dev.tsv, {text}")
    parser.add_argument("--output-dir", required=True, help="folder to write both files to")
    parser.add_argument("--num-train", type=int, default=NUM_TRAIN, help="sentences of train.tsv")
    parser.add_argument("--num-dev", type=int, default=NUM_DEV, help="sentences of dev.tsv")
    parser.add_argument("--min-words", type=int, default=MIN_WORDS, help="words of a sentence")
    parser.add_argument("--max-words", type=int, default=MAX_WORDS, help="words of a sentence")
    parser.add_argument(
        "--seed",
        type=int,
        default=SEED,
        help="decides which sentences and which swaps",
    )
    return parser


def main():
    arguments.run(run, make_parser())


def run(args):
    """Write train.tsv and dev.tsv."""
    for name in ("num_train", "num_dev", "min_words"):
        if getattr(args, name) < 1:
            flag = name.replace("_", "-")
            raise ValueError(f"--{flag} is expected to be 1 or more, but is {getattr(args, name)}.")
    if args.max_words < args.min_words:
        raise ValueError(
            f"--max-words is expected to be at least --min-words, {args.min_words}, "
            f"but is {args.max_words}."
        )
    folder = pathlib.Path(args.output_dir)
    write_task(
        pathlib.Path(args.train_text),
        pathlib.Path(args.dev_text),
        folder,
        (args.num_train, args.num_dev),
        (args.min_words, args.max_words),
        args.seed,
    )
    print(f"{folder}: {args.num_train:,} sentences in train.tsv, {args.num_dev:,} in dev.tsv")


def write_task(
    train_text: pathlib.Path,
    dev_text: pathlib.Path,
    folder: pathlib.Path,
    counts: tuple[int, int] = (NUM_TRAIN, NUM_DEV),
    lengths: tuple[int, int] = (MIN_WORDS, MAX_WORDS),
    seed: int = SEED,
):
    """Write both files; a sentence that both texts have is left out of dev.tsv.

    Raises:
        ValueError: a text has too few sentences.
    """
    known = read_sentences(train_text, lengths)
    unseen = [s for s in read_sentences(dev_text, lengths) if s not in known]
    for path, sentences, count in ((train_text, known, counts[0]), (dev_text, unseen, counts[1])):
        if len(sentences) < count:
            raise ValueError(
                f"{path} is expected to have {count} sentences of {lengths[0]} to {lengths[1]} "
                f"words, but has {len(sentences)}."
            )
    for name, sentences, count in (("train", known, counts[0]), ("dev", unseen, counts[1])):
        write_rows(folder / f"{name}.tsv", label_sentences(sentences, count, seed))


def read_sentences(path: pathlib.Path, lengths: tuple[int, int]) -> dict[str, None]:
    """The different sentences of a text that can be used, as an ordered set.

    They are lines that start with a capital, end with a mark, have so many words, and have two
    neighbours that can be swapped.
    """
    with open(path, encoding="utf-8") as lines:
        sentences = dict.fromkeys(" ".join(line.split()) for line in lines)
    least, most = lengths
    return {
        sentence: None
        for sentence in sentences
        if SENTENCE.fullmatch(sentence)
        and least <= sentence.count(" ") + 1 <= most
        and swappable(sentence.split(" "))
    }


def swappable(words: list[str]) -> list[int]:
    """Places i such that swapping the words i and i + 1 is seen from their order only.

    Both words are plain, neither is the first one, and they differ: neither a capital nor a comma
    reveals the swap. `swappable(["The", "old", "film", "is,", "well", "old"])` is [1, 4].
    """
    is_plain = [bool(PLAIN_WORD.fullmatch(word)) for word in words]
    return [
        i
        for i in range(1, len(words) - 1)
        if is_plain[i] and is_plain[i + 1] and words[i].lower() != words[i + 1].lower()
    ]


def label_sentences(sentences: Iterable[str], count: int, seed: int) -> list[Row]:
    """So many of the sentences, drawn by `seed`; in each second one two words are swapped."""
    draw = random.Random(seed)
    chosen = draw.sample(sorted(sentences), count)
    rows = [
        (swap(sentence, draw), SWAPPED) if number % 2 else (sentence, ORIGINAL)
        for number, sentence in enumerate(chosen)
    ]
    draw.shuffle(rows)
    return rows


def swap(sentence: str, draw: random.Random) -> str:
    """The sentence with two neighbours swapped."""
    words = sentence.split(" ")
    i = draw.choice(swappable(words))
    words[i : i + 2] = words[i + 1], words[i]
    return " ".join(words)


def write_rows(path: pathlib.Path, rows: Iterable[Row]):
    """Write TSV with the columns sentence and label."""
    from electra_tf.files import write_text  # TensorFlow, which --help does not wait for

    lines = ["sentence\tlabel", *(f"{sentence}\t{label}" for sentence, label in rows)]
    write_text(str(path), "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
