# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How well errors are found that no generator made, beside n-gram models of the training text.

Each sentence gets one error of a kind (`text/word_errors.py`), and all its words are ordered by how
wrong they look. The threshold of each method is the one with 1 % false alarms on other sentences of
the first text, with errors of all kinds. The n-gram models count the text that the discriminator
was trained on. A word they have not counted is as improbable as one that they saw once, so they are
a list of known words, too. "Both sides" adds how much less probable a word and the next two are in
their context than without it, and whether the word is unknown.

    python benchmarks/find_errors.py --model-dir quickstart_data/models/quickstart \
        --train-text quickstart_data/reviews/train/reviews.txt \
        --text quickstart_data/reviews/heldout/reviews.txt corpora/en/brown.txt
"""

import argparse
import pathlib
import random
import re
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit
from sklearn.metrics import average_precision_score

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "quickstart")]

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

from trigram_model import WORDS, TrigramModel  # noqa: E402

from electra_tf.loading import LoadedModel  # noqa: E402
from electra_tf.serving import calibrating  # noqa: E402
from electra_tf.text.word_errors import KINDS, Corrupted, corrupted  # noqa: E402

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"])")
LEAST_WORDS, MOST_WORDS = 6, 60
FALSE_ALARM_RATE = 0.01
DISCRIMINATOR = "discriminator"
MENDED = ("confusion", "typo")
"""Kinds of which the one right word is known to have stood there."""

Scores = Callable[[Sequence[str]], list[np.ndarray]]
"""Texts -> a number for each word, larger where it looks wrong."""


class Sentences(NamedTuple):
    """Sentences with errors of a kind, and which of their words are wrong, bool [words]."""

    kind: str
    originals: list[str]
    made: list[Corrupted]
    labels: list[np.ndarray]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model-dir", required=True, help="a pre-trained discriminator")
    parser.add_argument("--train-text", required=True, help="text that it was trained on")
    parser.add_argument("--text", nargs="+", required=True, help="held-out texts")
    parser.add_argument("--sentences", type=int, default=1000, help="of each text and kind")
    parser.add_argument("--seed", type=int, default=0, help="decides sentences and errors")
    args = parser.parse_args()
    model = electra_tf.load(args.model_dir)
    with open(args.train_text, encoding="utf-8") as lines:
        ngrams = TrigramModel(lines)
    methods: dict[str, Scores] = {
        "unigram": lambda texts: surprise(ngrams, texts, 1),
        "trigram": lambda texts: surprise(ngrams, texts, 3),
        "trigram, both sides": lambda texts: surprise_around(ngrams, texts),
        DISCRIMINATOR: lambda texts: model_scores(model, texts),
    }
    rng = random.Random(args.seed)
    pools = {pathlib.Path(path).stem: sentences_of(path, rng) for path in args.text}
    first = next(iter(pools))
    held, pools[first] = pools[first][: args.sentences], pools[first][args.sentences :]
    mixed = with_errors(held, tuple(KINDS), args.sentences, rng)
    calibration = calibrating.fitted(*columns(methods[DISCRIMINATOR], [mixed]))
    thresholds = {}
    for name, scores in methods.items():
        found, labels = columns(scores, [mixed])
        thresholds[name] = np.quantile(found[~labels], 1 - FALSE_ALARM_RATE)
    for text, pool in pools.items():
        sets = [with_errors(pool, (kind,), args.sentences, rng) for kind in KINDS]
        report(text, sets, methods, thresholds)
        report_calibration(columns(methods[DISCRIMINATOR], sets), *calibration)
        report_mending(model, sets, thresholds[DISCRIMINATOR])


# ---- Sentences


def sentences_of(path: str, rng: random.Random) -> list[str]:
    """The different sentences of a text, in random order."""
    with open(path, encoding="utf-8") as file:
        parts = [part for line in file for part in SENTENCE_END.split(" ".join(line.split()))]
    fitting = {
        part: None
        for part in parts
        if LEAST_WORDS <= len(part.split()) <= MOST_WORDS
        and part[0].isupper()
        and part[-1] in ".!?"
    }
    found = list(fitting)
    rng.shuffle(found)
    return found


def with_errors(
    pool: Sequence[str], kinds: Sequence[str], count: int, rng: random.Random
) -> Sentences:
    """The first sentences that can have an error, of the kinds in turn."""
    originals, made, labels = [], [], []
    for sentence in pool:
        each = corrupted(sentence, kinds[len(made) % len(kinds)], rng)
        if each.spans:
            originals.append(sentence)
            made.append(each)
            labels.append(labels_of(each))
        if len(made) == count:
            break
    return Sentences(" ".join(kinds), originals, made, labels)


def labels_of(made: Corrupted) -> np.ndarray:
    """Which words of a text are wrong."""
    places = [
        tuple(len(made.text[:place].encode()) for place in match.span())
        for match in re.finditer(r"\S+", made.text)
    ]
    return np.array([place in made.spans for place in places])


# ---- Methods


def surprise(ngrams: TrigramModel, texts: Sequence[str], order: int) -> list[np.ndarray]:
    """The most surprising part of each word, which may have marks around it."""
    found = ngrams.word_log_probabilities(texts, order, open_vocabulary=True)
    return [per_word(text, -values[:-1]) for text, values in zip(texts, found, strict=True)]


def surprise_around(ngrams: TrigramModel, texts: Sequence[str]) -> list[np.ndarray]:
    """The surprise of each word and the next two beyond that of the words alone."""
    found = []
    columns = [ngrams.word_log_probabilities(texts, order) for order in (1, 3)]
    for text, alone, after_two in zip(texts, *columns, strict=True):
        beyond = np.append(alone - after_two, [0.0])
        found.append(per_word(text, beyond[:-2] + beyond[1:-1] + beyond[2:]))
    unknown = rarity_of_unknown(ngrams, texts)
    return [values + rarity for values, rarity in zip(found, unknown, strict=True)]


def rarity_of_unknown(ngrams: TrigramModel, texts: Sequence[str]) -> list[np.ndarray]:
    """0 for known words, and how much rarer than all unknown ones together an unknown word is."""
    columns = [ngrams.word_log_probabilities(texts, 1, is_open) for is_open in (False, True)]
    return [per_word(text, (a - b)[:-1]) for text, a, b in zip(texts, *columns, strict=True)]


def per_word(text: str, values: np.ndarray) -> np.ndarray:
    """The largest value of the parts of each word."""
    counts = [len(WORDS.findall(word.lower())) for word in text.split()]
    parts = np.split(values, np.cumsum(counts)[:-1])
    return np.array([part.max(initial=-np.inf) for part in parts])


def model_scores(model: LoadedModel, texts: Sequence[str]) -> list[np.ndarray]:
    """Logits of the discriminator; what does not fit into a row is read as another one."""
    scores = [[] for _ in texts]
    rest = [(place, text.split()) for place, text in enumerate(texts)]
    while rest:
        found = model.find_errors([" ".join(words) for _, words in rest], threshold=1.0)
        for (place, words), row, count in zip(
            rest, found["logits"], found["num_words"], strict=True
        ):
            # A word that is longer than a row cannot be read.
            scores[place] += [*row[:count]] if count else [-np.inf]
            del words[: max(1, count)]
        rest = [(place, words) for place, words in rest if words]
    return [np.array(row) for row in scores]


# ---- Results


def columns(scores: Scores, sets: Sequence[Sentences]) -> tuple[np.ndarray, np.ndarray]:
    """Of all words of some sets: how wrong they look, and whether they are."""
    found = [values for some in sets for values in scores([each.text for each in some.made])]
    labels = [row for some in sets for row in some.labels]
    values = np.concatenate(found)
    return np.maximum(values, np.min(values[np.isfinite(values)])), np.concatenate(labels)


def report(
    text: str,
    sets: Sequence[Sentences],
    methods: dict[str, Scores],
    thresholds: dict[str, float],
):
    """A line for each method: average precision by kind and of all, precision and recall."""
    words = sum(map(len, (row for some in sets for row in some.labels)))
    wrong = sum(int(row.sum()) for some in sets for row in some.labels)
    print(
        f"{text}: {sum(len(some.made) for some in sets):,} sentences, {words:,} words, {wrong:,} "
        f"wrong ({wrong / words:.1%})"
    )
    kinds = "".join(f"{some.kind:>11}" for some in sets)
    print(
        f"{'average precision':22}{kinds}{'all':>11}{'false alarms':>14}{'precision':>11}"
        f"{'recall':>8}"
    )
    for name, scores in methods.items():
        precisions = [100 * average_precision_score(*columns(scores, [s])[::-1]) for s in sets]
        found, labels = columns(scores, sets)
        precisions.append(100 * average_precision_score(labels, found))
        is_error = found >= thresholds[name]
        hits = int((is_error & labels).sum())
        print(
            f"{name:22}"
            + "".join(f"{value:11.1f}" for value in precisions)
            + f"{is_error[~labels].mean():14.2%}{hits / max(1, is_error.sum()):11.1%}"
            f"{hits / labels.sum():8.1%}"
        )


def report_calibration(found: tuple[np.ndarray, np.ndarray], temperature: float, bias: float):
    """How far the discriminator's probabilities are from what happened."""
    logits, labels = found
    print("discriminator", end="")
    for name, values in {"as trained": logits, "calibrated": logits / temperature + bias}.items():
        order = np.argsort(values)
        bins = [np.mean(expit(values[i]) - labels[i]) for i in np.array_split(order, 20)]
        loss = calibrating.log_loss(values, labels)
        print(
            f", {name}: log loss {loss:.3f}, calibration error {np.mean(np.abs(bins)):.1%}", end=""
        )
    print()


def report_mending(model: LoadedModel, sets: Sequence[Sentences], logit: float):
    """How often the word that stood there is among the replacements of the errors found."""
    for some in sets:
        if some.kind not in MENDED:
            continue
        texts = [each.text for each in some.made]
        found = model.find_errors(texts, 1.0)
        threshold = found["probabilities"][found["logits"] >= logit].min(initial=1.0)
        found = model.find_errors(texts, float(threshold))
        ranks = []
        for row, (text, label) in enumerate(zip(some.originals, some.labels, strict=True)):
            (place,) = np.flatnonzero(label)
            if place < found["num_words"][row] and found["is_error"][row, place]:
                best = found["replacements"][row, place].tolist()
                right = text.split()[place]
                ranks.append(best.index(right) if right in best else len(best))
        ranks = np.array(ranks)
        print(
            f"{some.kind}: of {len(ranks)} errors found, {np.mean(ranks == 0):.1%} have the right "
            f"word first, {np.mean(ranks < 5):.1%} among 5 replacements"
        )


if __name__ == "__main__":
    main()
