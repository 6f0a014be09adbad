# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What pre-training is worth: tasks from a pre-trained model and from random weights, same budget.

    python benchmarks/pretraining_gain.py --data-dir reviews_data --model-name reviews rt_sentiment

Tasks are named as in configs/finetuning/; their files are expected in DATA_DIR/finetuning_data/.
Finished trials are kept, so an interrupted run resumes.
"""

import argparse
import json
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "examples" / "quickstart")]

import electra_tf  # noqa: E402

electra_tf.configure()  # before TensorFlow is imported

from quickstart_comparison import (  # noqa: E402
    FINETUNING,
    MAX_SEQ_LENGTH,
    RANDOM_SUFFIX,
    shape_of,
)

from electra_tf.config import load_hparams  # noqa: E402
from electra_tf.pretraining import model_folder  # noqa: E402
from electra_tf.text.loading import find_vocabulary_file  # noqa: E402

BUDGETS = {
    "bigram_shift": {"max_seq_length": MAX_SEQ_LENGTH},
    "rt_sentiment": {"max_seq_length": MAX_SEQ_LENGTH, "learning_rate": 3e-4},
    "boolq": {"max_seq_length": 128, "num_train_epochs": 2.0},
    "disflqa": {"max_seq_length": 128, "num_train_epochs": 4.0, "doc_stride": 64},
    "quac_spans": {"max_seq_length": 128, "num_train_epochs": 1.0, "doc_stride": 64},
    "ner_wnut": {"max_seq_length": 64, "num_train_epochs": 6.0},
    "pos_brown": {"max_seq_length": 64, "num_train_epochs": 0.5},
}
"""Of both models; what is not here is as in the quickstart."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tasks", nargs="*", default=list(BUDGETS), metavar="TASK")
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--hparams", default="{}", help="JSON or file; over the budgets here")
    parser.add_argument("--trials", type=int, default=3)
    options = parser.parse_args()
    unknown = sorted(set(options.tasks) - set(BUDGETS))
    if unknown:
        parser.error(f"tasks are expected to be some of {', '.join(BUDGETS)}, not {unknown[0]}")
    folder = str(pathlib.Path(options.data_dir) / "models" / options.model_name)
    stored = model_folder.read_config(folder)
    if stored is None:
        parser.error(f"{folder} is expected to be the folder of a pre-trained model")
    config = stored.pretraining.replace(
        data_dir=options.data_dir,
        model_name=options.model_name,
        vocab_file=find_vocabulary_file(folder),
    )
    rows = []
    for task in options.tasks:
        hparams = {**FINETUNING, **BUDGETS[task]}
        hparams |= {**load_hparams(options.hparams), "num_trials": options.trials}
        print(f"{task}: {json.dumps(hparams)}", flush=True)
        task_file = ROOT / "configs" / "finetuning" / f"{task}.json"
        name, folder = config.model_name, config.data_dir
        pretrained = electra_tf.finetune(name, task_file, folder, **hparams)
        random = electra_tf.finetune(
            None, task_file, folder, model_name=name + RANDOM_SUFFIX, **hparams, **shape_of(config)
        )
        rows.append(row_of(task, pretrained.as_dict(), random.as_dict()))
        print(rows[-1], flush=True)
    print("\n| task | metric | trivial | random weights | pre-trained | gain |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    print("\n".join(rows))


def row_of(task: str, pretrained: dict, random: dict) -> str:
    """Medians with the lowest and the highest seed in brackets, and the difference of medians."""
    metric = pretrained["primary_metrics"][task]
    seeds = [
        [t["scores"][task][metric] for t in results["trials"] if t["scores"]]
        for results in (random, pretrained)
    ]
    cells = [f"{np.median(s):.1f} ({min(s):.1f}-{max(s):.1f})" for s in seeds]
    gain = np.median(seeds[1]) - np.median(seeds[0])
    trivial = pretrained["baselines"][task][metric]
    failed = [len(results["failed_trials"]) for results in (random, pretrained)]
    cells = [f"{c}, {n} failed" if n else c for c, n in zip(cells, failed, strict=True)]
    return f"| {task} | {metric} | {trivial:.1f} | {' | '.join(cells)} | {gain:+.1f} |"


if __name__ == "__main__":
    main()
