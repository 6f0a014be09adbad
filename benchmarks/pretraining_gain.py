# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What pre-training is worth: tasks from a pre-trained model and from others, same budget.

The others have random weights; of a run with an `init_checkpoint`, such as the initial embeddings
of `electra embeddings`, there are its weights at step 0, too: they are not pre-trained.

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

from quickstart_comparison import RANDOM_SUFFIX, shape_of  # noqa: E402
from task_budgets import BUDGETS, save_step_0, task_file  # noqa: E402

from electra_tf.config import PretrainingConfig, load_hparams  # noqa: E402
from electra_tf.pretraining import model_folder  # noqa: E402
from electra_tf.text.loading import find_vocabulary_file  # noqa: E402


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
    begun = f"{config.model_name}_step_0" if config.init_checkpoint else None
    starts = {"random weights": None, "not pre-trained": begun, "pre-trained": config.model_name}
    if begun is None:
        del starts["not pre-trained"]
    else:
        save_step_0(config, begun)
    rows = []
    for task in options.tasks:
        hparams = {**BUDGETS[task], **load_hparams(options.hparams), "num_trials": options.trials}
        print(f"{task}: {json.dumps(hparams)}", flush=True)
        results = [finetune(config, start, task, hparams) for start in starts.values()]
        rows.append(row_of(task, *results))
        print(rows[-1], flush=True)
    print(f"\n| task | metric | trivial | {' | '.join(starts)} | gain |")
    print("| --- | --- |" + " ---: |" * (len(starts) + 2))
    print("\n".join(rows))


def finetune(config: PretrainingConfig, start: str | None, task: str, hparams: dict) -> dict:
    """Results of a task from a model, or from random weights of the shape of `config`."""
    if start is None:
        hparams = {**hparams, **shape_of(config), "model_name": config.model_name + RANDOM_SUFFIX}
    return electra_tf.finetune(start, task_file(task), config.data_dir, **hparams).as_dict()


def row_of(task: str, *starts: dict) -> str:
    """A row of the table.

    Medians with the lowest and the highest seed in brackets; the last start is the pre-trained
    model, whose gain over the best of the others is the difference of medians.
    """
    metric = starts[0]["primary_metrics"][task]
    seeds = [[t["scores"][task][metric] for t in s["trials"] if t["scores"]] for s in starts]
    cells = [f"{np.median(s):.1f} ({min(s):.1f}-{max(s):.1f})" for s in seeds]
    *others, pretrained = map(np.median, seeds)
    trivial = starts[0]["baselines"][task][metric]
    failed = [len(results["failed_trials"]) for results in starts]
    cells = [f"{c}, {n} failed" if n else c for c, n in zip(cells, failed, strict=True)]
    gain = pretrained - max(others)
    return f"| {task} | {metric} | {trivial:.1f} | {' | '.join(cells)} | {gain:+.1f} |"


if __name__ == "__main__":
    main()
