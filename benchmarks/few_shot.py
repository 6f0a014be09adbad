# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What few labels teach: a prompt with the discriminator's own head beside a head from nothing.

    python benchmarks/few_shot.py --data-dir quickstart_data --model-name quickstart

The task is `rt_sentiment`, which `examples/quickstart/film_reviews.py` writes into
`<data-dir>/finetuning_data`. For every number of labels and every seed, as many sentences of each
class are drawn from the training file. Both ways learn from the same sentences in the same number
of steps, with the rate of the quickstart, which was not chosen on this task. Without any label, the
options are scored by each of the four rules of `score_options`. Shown are the mean accuracy on dev,
the lowest and the highest seed.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import sys
import tempfile

import numpy as np
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import electra_tf  # noqa: E402
from electra_tf.config import load_hparams  # noqa: E402
from electra_tf.config.prompts import RULES  # noqa: E402
from electra_tf.finetuning.evaluation import Evaluator  # noqa: E402
from electra_tf.finetuning.model import FinetuningModel  # noqa: E402
from electra_tf.finetuning.split_data import TrainingBatches, split_of_examples  # noqa: E402
from electra_tf.finetuning.starting_weights import assign_weights, config_for  # noqa: E402
from electra_tf.finetuning.task import load_task  # noqa: E402
from electra_tf.finetuning.trial import make_optimizer  # noqa: E402
from electra_tf.interop.opening import find_starting_point  # noqa: E402
from electra_tf.text import load_matching_tokenizer  # noqa: E402

TASK = "rt_sentiment"
PROMPT = {"template": "{text_a} it was {} .", "options": {"0": "terrible", "1": "great"}}
EXAMPLES_OF_A_STEP = 16
SETTINGS = {"max_seq_length": 32, "learning_rate": 5e-4, "layerwise_lr_decay": 0.0}
WAYS = {"prompt": {"prompt": PROMPT}, "new head": {}}
"""Name -> what it adds to the description of the task."""


def main():
    """Measures and prints a table, and its numbers as one line of JSON."""
    args = make_parser().parse_args()
    learners = {way: Learner(args, way) for way in WAYS}
    found = {"0": zero_shot(args, learners["prompt"])}
    for count in map(int, args.labels.split(",")):
        scores = found[str(count)] = {way: [] for way in WAYS}
        for seed in range(args.num_seeds):
            drawn = draw(learners["prompt"].examples["train"], count, seed)
            for way, learner in learners.items():
                scores[way].append(learner.learned(drawn, seed))
            now = ", ".join(f"{way} {of_seeds[-1]:.1f}" for way, of_seeds in scores.items())
            print(f"{count} labels, seed {seed}: {now}", file=sys.stderr, flush=True)
        cells = [
            f"{way} {statistics.mean(of_seeds):.1f} ({min(of_seeds):.1f}-{max(of_seeds):.1f})"
            for way, of_seeds in scores.items()
        ]
        print(f"{count:4} labels | {' | '.join(cells)}", flush=True)
    print(json.dumps(found))


def make_parser():
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir", required=True, help="folder of the task and of models")
    parser.add_argument("--model-name", required=True, help="a pre-trained model in it")
    parser.add_argument("--labels", default="16,64,256", help="numbers of labels")
    parser.add_argument("--num-seeds", type=int, default=5)
    parser.add_argument("--num-steps", type=int, default=100, help="of every training")
    return parser


def model_of(args):
    """The folder of the pre-trained model."""
    return os.path.join(args.data_dir, "models", args.model_name)


class Learner:
    """A model of one way, which learns from the first weights each time; it is traced once.

    Attributes:
        examples: split -> the sentences of the task with their labels.
        untrained: accuracy on dev with the first weights.
    """

    def __init__(self, args, way):
        self.start = find_starting_point(model_of(args))
        self.task = task_of(way, os.path.join(args.data_dir, "finetuning_data", TASK))
        self.examples = {split: self.task.examples(split) for split in ("train", "dev")}
        rows_each = 2 if way == "prompt" else 1  # of an example
        hparams = {**SETTINGS, "train_batch_size": rows_each * EXAMPLES_OF_A_STEP}
        self.config = config_for("few_shot", "", {**hparams, "task_names": [TASK]}, self.start)
        self.tokenizer = load_matching_tokenizer(self.config)
        self.model = FinetuningModel(self.config, [self.task.spec])
        self.model.compile(optimizer=make_optimizer(self.config, args.num_steps))
        self.model.optimizer.build(self.model.trainable_variables)
        self.num_steps, self.evaluator = args.num_steps, Evaluator(self.model, 128)
        self.dev = self.rows("dev", self.examples["dev"])
        assign_weights(self.model, self.start)
        self.untrained = self.evaluator(self.dev).scores["accuracy"]

    def rows(self, split, examples):
        """Examples as a model reads them."""
        return split_of_examples(self.task, split, examples, 0, self.config, self.tokenizer)

    def learned(self, examples, seed):
        """Accuracy on dev after learning from examples; the seed is of head, order and dropout."""
        optimizer = self.model.optimizer
        for variable in (optimizer.iterations, *optimizer.slots().values()):
            variable.assign(tf.zeros_like(variable))
        new = FinetuningModel(self.config, [self.task.spec], seed=seed)
        pairs = zip(self.model.trainable_variables, new.trainable_variables, strict=True)
        for variable, first in pairs:
            variable.assign(first)
        assign_weights(self.model, self.start)
        arrays = self.rows("train", examples).arrays
        batches = TrainingBatches([arrays], self.config.train_batch_size, seed)
        for step in range(self.num_steps):
            batch = {name: tf.constant(rows) for name, rows in batches.batch(step).items()}
            self.model.update(batch)
        return self.evaluator(self.dev).scores["accuracy"]


def task_of(way, folder):
    """The task of the repository with what a way adds to it."""
    described = load_hparams(str(ROOT / "configs" / "finetuning" / f"{TASK}.json"))
    with tempfile.TemporaryDirectory() as temporary:
        path = os.path.join(temporary, f"{TASK}.json")
        pathlib.Path(path).write_text(json.dumps({**described, **WAYS[way]}), encoding="utf-8")
        return load_task(path, folder)


def zero_shot(args, learner):
    """Rule -> accuracy without any label, and what else there is to compare; prints them."""
    # A sentence with a gap of its own would have two.
    texts = [example.text_a.replace("{}", "") for example in learner.examples["dev"]]
    templates = [PROMPT["template"].replace("{text_a}", text) for text in texts]
    options = list(PROMPT["options"].values())
    scored = electra_tf.load(model_of(args)).score_options(templates, options, batch_size=64)
    labels = list(PROMPT["options"])
    gold = np.array([labels.index(example.label) for example in learner.examples["dev"]])
    found = {rule: 100 * float(np.mean(scored[rule].argmax(axis=1) == gold)) for rule in RULES}
    found["majority"] = 100 * max(np.bincount(gold)) / len(gold)
    found["prompt in a task"] = learner.untrained
    cells = [f"{name} {accuracy:.1f}" for name, accuracy in found.items()]
    print(f"   0 labels | {' | '.join(cells)}", flush=True)
    return found


def draw(examples, count, seed):
    """As many examples of each class, chosen by the seed."""
    order = np.random.default_rng(seed).permutation(len(examples))
    shuffled = [examples[number] for number in order]
    each = count // len(PROMPT["options"])
    drawn = [
        example
        for label in PROMPT["options"]
        for example in [e for e in shuffled if e.label == label][:each]
    ]
    return [dataclasses.replace(example, id=n) for n, example in enumerate(drawn)]


if __name__ == "__main__":
    main()
