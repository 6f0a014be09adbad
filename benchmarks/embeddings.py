# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""How well the second text of a pair is found among others, before and after tasks of embeddings.

Pairs are neighbouring sentences of reviews, and questions with the passages that answer them
(boolq). Candidates are the second texts of as many held-out pairs; beside the models stands TF-IDF,
whose weights are counted on the training texts. Models are trained once on single texts, and once
on pairs.

    python benchmarks/embeddings.py --model-dir quickstart_data/models/quickstart \
        --reviews quickstart_data/reviews --boolq tasks/finetuning_data/boolq --work-dir embeddings
"""

import argparse
import csv
import json
import pathlib
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

LEARNING = {
    "train_batch_size": 64,
    "eval_batch_size": 128,
    "layerwise_lr_decay": 0.0,
    "adam_bias_correction": True,
    "model_hparam_overrides": {"hidden_dropout_prob": 0.1},
}
"""Of all models; the quickstart's is pre-trained without dropout."""
SINGLE_TEXTS = 16000
"""To train on, at most."""
RATES = {"single": 1e-4, "pairs": 5e-4}
Pairs = list[tuple[str, str]]


class Data(NamedTuple):
    """Pairs of one kind."""

    name: str
    train: Pairs
    dev: Pairs
    max_seq_length: int
    epochs: float
    """Of pairs; single texts are read once."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model-dir", required=True, help="a pre-trained model")
    parser.add_argument("--reviews", required=True, help="folder with train/ and heldout/")
    parser.add_argument("--boolq", required=True, help="folder with train.tsv and dev.tsv")
    parser.add_argument("--work-dir", required=True, help="folder for tasks and models")
    parser.add_argument("--pairs", type=int, default=64000, help="to train on, at most")
    parser.add_argument("--candidates", type=int, default=1000)
    options = parser.parse_args()
    reviews = [pathlib.Path(options.reviews) / part for part in ("train", "heldout")]
    questions = [pathlib.Path(options.boolq) / f"{part}.tsv" for part in ("train", "dev")]
    both = (options.pairs, options.candidates)
    sets = [
        Data("sentences", *(neighbours(*p) for p in zip(reviews, both, strict=True)), 32, 1.0),
        Data("boolq", *(answered(*p) for p in zip(questions, both, strict=True)), 48, 2.0),
    ]
    print("| pairs | candidates | model | recall@1 | recall@10 | MRR |")
    print("| --- | ---: | --- | ---: | ---: | ---: |")
    for data in sets:
        count = len(data.dev)
        show(data, "any order", 1 / count, 10 / count, np.mean(1 / np.arange(1, 1 + count)))
        show(data, "TF-IDF", *found(lexical(data)))
        for name, folder in models(data, options):
            model = electra_tf.load(folder)
            cosines = model.similarity(*zip(*data.dev, strict=True), batch_size=128)
            show(data, name, *found(cosines))


def show(data: Data, name: str, *scores: float) -> None:
    cells = " | ".join(f"{100 * score:.1f}" for score in scores)
    print(f"| {data.name} | {len(data.dev)} | {name} | {cells} |", flush=True)


def found(similarities: np.ndarray) -> tuple[float, float, float]:
    """Recall at 1 and 10, and MRR; similarities [n, n], the right ones on the diagonal."""
    own = np.diag(similarities)[:, None]
    ranks = 1 + np.count_nonzero(similarities > own, axis=1)
    return float(np.mean(ranks <= 1)), float(np.mean(ranks <= 10)), float(np.mean(1 / ranks))


def lexical(data: Data) -> np.ndarray:
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    vectorizer.fit([text for pair in data.train for text in pair])
    first, second = map(vectorizer.transform, zip(*data.dev, strict=True))
    return (first @ second.T).toarray()


# ---- Models


def models(data: Data, options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """What a model is called, and its folder."""
    yield "mean, pre-trained only", options.model_dir
    first = data.train[:SINGLE_TEXTS]
    texts = list(dict.fromkeys(text for pair in first for text in pair))
    chosen = np.random.default_rng(0).permutation(len(texts))[: len(first)]
    single = [(texts[number],) for number in chosen]
    yield "single texts", trained(data, "single", single, 1.0, options)
    yield "pairs", trained(data, "pairs", data.train, data.epochs, options)


def trained(
    data: Data,
    way: str,
    rows: Sequence[tuple[str, ...]],
    epochs: float,
    options: argparse.Namespace,
) -> str:
    """The folder of a model that was trained on rows of one or two texts."""
    columns = ("text_a", "text_b")
    name = f"{data.name}_{way}"
    folder = pathlib.Path(options.work_dir) / "finetuning_data" / name
    folder.mkdir(parents=True, exist_ok=True)
    for split, part in (("train", rows), ("dev", data.dev)):
        with (folder / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns[: len(part[0])], *part])
    task = folder.parent / f"{name}.json"
    used = {split: dict(zip(columns, columns[:n], strict=False)) for split, n in (("dev", 2),)}
    description = {
        "kind": "embedding",
        "format": "csv",
        "files": {"train": "train.csv", "dev": "dev.csv"},
        "columns": dict(zip(columns[: len(rows[0])], columns, strict=False)),
        "columns_of_splits": used,
    }
    task.write_text(json.dumps(description))
    results = electra_tf.finetune(
        options.model_dir,
        task,
        options.work_dir,
        verbose=False,
        max_seq_length=data.max_seq_length,
        num_train_epochs=epochs,
        learning_rate=RATES[way],
        **LEARNING,
    )
    return results.model_dirs[0]


# ---- Data


def neighbours(folder: pathlib.Path, count: int) -> Pairs:
    """A sentence and the next one; a sentence is in one pair only."""
    pairs = []
    for path in sorted(folder.glob("*.txt")):
        for review in path.read_text(encoding="utf-8").split("\n\n"):
            lines = [line for line in review.split("\n") if len(line.split()) >= 5]
            pairs += zip(lines[::2], lines[1::2], strict=False)
    return different(pairs, count)


def answered(path: pathlib.Path, count: int) -> Pairs:
    """Questions with their passages, each passage once."""
    with path.open(encoding="utf-8") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return different([(row["question"], row["passage"]) for row in rows], count)


def different(pairs: Pairs, count: int) -> Pairs:
    """Pairs in a random order, each second text once."""
    order = np.random.default_rng(1).permutation(len(pairs))
    once = {pairs[number][1]: pairs[number] for number in order}
    return list(once.values())[:count]


if __name__ == "__main__":
    main()
