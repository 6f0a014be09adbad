# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What few labels teach: a prompt with the discriminator's own head beside a head from nothing.

    python benchmarks/few_shot.py --data-dir quickstart_data --model-name quickstart

The task is `rt_sentiment`, which `examples/quickstart/film_reviews.py` writes into
`<data-dir>/finetuning_data`. For every number of labels and every seed, as many sentences of each
class are drawn from the training file. Both ways learn from the same sentences in the same number
of steps, with the settings of the quickstart, none of which were chosen on this task. Without any
label, the options are scored by each of the four rules of `score_options`. Shown are the mean
accuracy on dev, the lowest and the highest seed.
"""

import argparse
import csv
import json
import pathlib
import shutil
import statistics
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import electra_tf  # noqa: E402
from electra_tf.config import load_hparams  # noqa: E402
from electra_tf.serving.options import RULES  # noqa: E402

TASK = "rt_sentiment"
PROMPT = {"template": "{text_a} it was {} .", "options": {"0": "terrible", "1": "great"}}
LEARNING = {"learning_rate": 5e-4, "layerwise_lr_decay": 0.0}
EXAMPLES_OF_A_STEP = 16
WAYS = ("prompt", "new head")


def main():
    """Measures and prints a table, and its numbers as one line of JSON."""
    args = make_parser().parse_args()
    data, model = pathlib.Path(args.data_dir), pathlib.Path(args.data_dir) / "models"
    rows = {split: read(data / "finetuning_data" / TASK / f"{split}.tsv") for split in SPLITS}
    found = {"0": zero_shot(str(model / args.model_name), rows["dev"])}
    for count in map(int, args.labels.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            found[str(count)] = few_shot(args, rows, count, pathlib.Path(folder))
        print_row(count, found[str(count)])
    print(json.dumps(found))


SPLITS = ("train", "dev")


def make_parser():
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", required=True, help="folder of the task and of models")
    parser.add_argument("--model-name", required=True, help="a pre-trained model in it")
    parser.add_argument("--labels", default="16,64,256", help="numbers of labels")
    parser.add_argument("--num-seeds", type=int, default=5)
    parser.add_argument("--num-steps", type=int, default=200, help="of every training")
    return parser


def read(path):
    """(sentence, label) of every row."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [tuple(row) for row in rows][1:]


def zero_shot(model, dev):
    """Rule -> accuracy without any label; prints them with that of the more frequent class."""
    labels, options = list(PROMPT["options"]), list(PROMPT["options"].values())
    # Of these rows only the sentence is without braces of its own.
    texts = [text.replace("{}", "") for text, _ in dev]
    templates = [PROMPT["template"].replace("{text_a}", text) for text in texts]
    scored = electra_tf.load(model).score_options(templates, options, batch_size=64)
    gold = np.array([labels.index(label) for _, label in dev])
    found = {rule: 100 * float(np.mean(scored[rule].argmax(axis=1) == gold)) for rule in RULES}
    majority = 100 * max(np.bincount(gold)) / len(gold)
    print(f"majority {majority:.1f}; without labels, by rule:")
    print("  ".join(f"{rule} {accuracy:.1f}" for rule, accuracy in found.items()), flush=True)
    return {"majority": majority, **found}


def few_shot(args, rows, count, folder):
    """Way -> accuracies of the seeds; and zero-shot, that of the prompt before training."""
    found = {way: [] for way in WAYS}
    for seed in range(args.num_seeds):
        drawn = draw(rows["train"], count, seed)
        for way in WAYS:
            name = f"few_{seed}_{WAYS.index(way)}"
            task = write_task(folder, name, {"train": drawn, "dev": rows["dev"]}, way)
            scores, before = train(args, folder, name, task, count, seed, way)
            found[way].append(scores)
            found.setdefault("zero-shot", before)
    return found


def draw(rows, count, seed):
    """`count` rows, as many of each class, in an order of their own."""
    order = np.random.default_rng(seed).permutation(len(rows))
    of_class = {label: [] for label in PROMPT["options"]}
    for number in order:
        of_class[rows[number][1]].append(rows[number])
    each = count // len(of_class)
    return [row for drawn in of_class.values() for row in drawn[:each]]


def write_task(folder, name, splits, way):
    """A task of one of the ways; returns the path of its description."""
    place = folder / "finetuning_data" / name
    place.mkdir(parents=True)
    for split, rows in splits.items():
        lines = ["sentence\tlabel", *("\t".join(row) for row in rows)]
        (place / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    described = load_hparams(str(ROOT / "configs" / "finetuning" / f"{TASK}.json"))
    if way == "prompt":
        described["prompt"] = PROMPT
    path = folder / f"{name}.json"
    path.write_text(json.dumps(described), encoding="utf-8")
    return path


def train(args, folder, name, task, count, seed, way):
    """Accuracy on dev after training, and before it, for a prompt; else None."""
    model = pathlib.Path(args.data_dir) / "models" / args.model_name
    rows_each = 2 if way == "prompt" else 1  # of an example
    examples = min(count, EXAMPLES_OF_A_STEP)
    results = electra_tf.finetune(
        model,
        task,
        folder,
        model_name=name,
        verbose=False,
        seed=seed,
        max_seq_length=32,  # as it was pre-trained
        train_batch_size=examples * rows_each,
        eval_batch_size=128,
        num_train_epochs=args.num_steps * examples / count,
        **LEARNING,
    )
    shutil.rmtree(folder / "models" / name)
    before = results.zero_shot.get(name, {}).get("accuracy")
    return results.trials[0]["scores"][name]["accuracy"], before


def print_row(count, found):
    """One number of labels."""
    cells = [f"{count:4} labels", f"zero-shot {found['zero-shot']:.1f}"]
    for way in WAYS:
        of_seeds = found[way]
        spread = f"({min(of_seeds):.1f}-{max(of_seeds):.1f})"
        cells.append(f"{way} {statistics.mean(of_seeds):.1f} {spread}")
    print(" | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
