# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How often models choose the original of two texts, of which one has an error by hand.

    python benchmarks/score_texts.py --data-dir quickstart_data \\
        --models quickstart_data/models/quickstart electric_data/models/electric

Texts are held-out sentences of `make quickstart`, each in a pair with itself with one error; the
text with the larger pseudo-log-likelihood is chosen. Beside the models a trigram model of the text
that they were pre-trained on; 50 % are right by chance.
"""

import argparse
import pathlib
import random
import sys
from collections.abc import Callable, Sequence

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "quickstart")]

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

from trigram_model import WORDS, TrigramModel  # noqa: E402

from electra_tf.text.word_errors import KINDS, corrupted  # noqa: E402

LEAST, MOST = 6, 20
"""Words of a sentence; models of the quickstart read 30 tokens."""

Scorer = Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]
"""Texts -> their log-likelihoods, and how many tokens each has."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", default="quickstart_data", help="of `make quickstart`")
    parser.add_argument("--models", nargs="+", required=True, help="folders of models")
    parser.add_argument("--pairs", type=int, default=300, help="of each kind of error")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    reviews = pathlib.Path(options.data_dir) / "reviews"
    with open(reviews / "heldout" / "reviews.txt", encoding="utf-8") as lines:
        sentences = [line.strip() for line in lines if LEAST <= len(line.split()) <= MOST]
    pairs = pairs_of(sentences, options.pairs, random.Random(options.seed))
    with open(reviews / "train" / "reviews.txt", encoding="utf-8") as lines:
        scorers = {"trigram model": trigram_scorer(lines)}
    for folder in options.models:
        scorers |= scorers_of(folder)
    correct = {name: choices(scorer, pairs) for name, scorer in scorers.items()}
    for number, measure in enumerate(("log-likelihood of the text", "mean of its tokens")):
        print(f"\n| right of {options.pairs} pairs, by the {measure} | {' | '.join(correct)} |")
        print("| --- |" + " ---: |" * len(correct))
        for kind in (*KINDS, "all"):
            of_kind = [kind in (name, "all") for name, *_ in pairs]
            cells = [f"{right[number][of_kind].mean():.1%}" for right in correct.values()]
            print(f"| {kind} | {' | '.join(cells)} |")


def pairs_of(
    sentences: Sequence[str], count: int, rng: random.Random
) -> list[tuple[str, str, str]]:
    """So many of each kind of error: its name, a sentence, the sentence with it."""
    pairs = []
    for kind in KINDS:
        found = 0
        for sentence in rng.sample(sentences, len(sentences)):
            wrong = corrupted(sentence, kind, rng)
            if wrong.spans and wrong.text.lower() != sentence.lower() and found < count:
                pairs.append((kind, sentence, wrong.text))
                found += 1
        if found < count:
            raise ValueError(f"--pairs is expected to be {found} at most, for errors of {kind}.")
    return pairs


def trigram_scorer(lines: Sequence[str]) -> Scorer:
    model = TrigramModel(lines)

    def score(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        counts = [len(WORDS.findall(text)) + 1 for text in texts]  # the end of the text, too
        return model.log_probabilities(texts), np.array(counts)

    return score


def scorers_of(folder: str) -> dict[str, Scorer]:
    """That of pseudo-log-likelihoods, and that of the discriminator where it is another one."""
    model = electra_tf.load(folder)
    name, method = pathlib.Path(folder).name, model.pseudo_log_likelihood(["a"])["method"][0]

    def score(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        found = model.pseudo_log_likelihood(texts)
        print(f"{name}: {found['is_truncated'].mean():.1%} of the texts are cut.", flush=True)
        return found["log_likelihood"], np.maximum(found["num_tokens"], 1)

    def originality(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Logarithm of the probability that no token was replaced, as if they were independent."""
        found = model.replaced_tokens(texts)
        return np.log1p(-found["probabilities"]).sum(1), np.maximum(found["num_tokens"], 1)

    scorers = {f"{name}, {method}": score}
    if method == "masked":
        scorers[f"{name}, discriminator"] = originality
    return scorers


def choices(scorer: Scorer, pairs: Sequence[tuple[str, str, str]]) -> list[np.ndarray]:
    """Whether the original of each pair is chosen, 0.5 of a tie: by sums, by means."""
    values, counts = scorer([text for _, *texts in pairs for text in texts])
    right = []
    for measure in (values, values / counts):
        original, wrong = measure.reshape(-1, 2).T
        right.append((original > wrong) + 0.5 * (original == wrong))
    return right


if __name__ == "__main__":
    main()
