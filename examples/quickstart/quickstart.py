# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From nothing to a small ELECTRA that has learned and is of use, in minutes on two cores.

Read `quickstart` below for the whole way; each stage is skipped if its results exist. What
takes seconds to import is imported where it is used, so that the first line comes at once.
"""

import functools
import importlib.util
import os
import pathlib
import sys
import time
from collections.abc import Mapping
from typing import Any

import bigram_shift
import film_reviews
from absl import logging
from stages import Stage, run_stages

import electra_tf
from electra_tf.cli import arguments
from electra_tf.config import PretrainingConfig, load_hparams

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
HPARAMS_FILE = CONFIGS / "pretraining" / "quickstart.json"
TASK_FILE = CONFIGS / "finetuning" / "bigram_shift.json"
SENTENCES = (bigram_shift.NUM_TRAIN, bigram_shift.NUM_DEV)
"""Of the task: to learn from, held out."""
MODEL_NAME = "quickstart"
MASKED_LM_NAME = "quickstart_masked_lm"
MASKED_LM_PROB = 0.15
"""BERT's share of masked tokens."""
STEPS, MASKED_LM = "QUICKSTART_STEPS", "QUICKSTART_MASKED_LM"
"""Environment variables, which `make quickstart` hands on."""


def make_parser():
    parser = arguments.make_parser(
        "Pre-trains a small ELECTRA on film reviews, fine-tunes it, and reports on both."
    )
    parser.add_argument("--data-dir", default="quickstart_data", help="folder for all it makes")
    parser.epilog = (
        f"Environment variables: {STEPS}=200 is a short run, which shows that everything works but "
        f"proves nothing; {MASKED_LM}=1 adds a masked LM that is trained for equal FLOPs, which "
        "takes about as long again."
    )
    return parser


def main():
    electra_tf.configure()  # before TensorFlow is imported
    parser = make_parser()
    parser.parse_args()  # help and wrong flags end here
    print("A small ELECTRA from nothing. First TensorFlow starts, in some seconds ...", flush=True)
    arguments.run(quickstart, parser, check=check_options)


def check_options(args):
    """Raise a ValueError for what could only fail later, before TensorFlow starts."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError("It draws with matplotlib: pip install 'electra-tf[quickstart]'.")
    choose_hparams(pathlib.Path(args.data_dir))
    wants_masked_lm()


def quickstart(args):
    """Reviews -> vocabulary, records -> pre-training -> fine-tuning -> report."""
    logging.set_verbosity(max(logging.get_verbosity(), logging.INFO))
    began = time.monotonic()
    folder = pathlib.Path(args.data_dir)
    hparams = choose_hparams(folder)
    config = PretrainingConfig.from_hparams(MODEL_NAME, str(folder), hparams)
    whole = load_hparams(str(HPARAMS_FILE))["num_train_steps"]
    share = min(1.0, config.num_train_steps / whole)
    if share < 1:
        print(f"{config.num_train_steps} steps show that everything works, but prove nothing.")
    run_stages(make_stages(config, hparams, share))

    from electra_tf.training.loop.logs import clock

    print(f"\nDone in {clock(time.monotonic() - began)}; everything is in {folder}.")


def make_stages(config: PretrainingConfig, hparams: Mapping[str, Any], share: float) -> list[Stage]:
    """The whole way, with a share of the epochs of fine-tuning."""
    folder = pathlib.Path(config.data_dir)
    train, held_out = (folder / "reviews" / name / "reviews.txt" for name in ("train", "heldout"))
    task = folder / "finetuning_data" / TASK_FILE.stem
    records = [folder / f"{name}_tfrecords" for name in ("pretrain", "heldout")]
    masked_lm = masked_lm_hparams(config, hparams) if wants_masked_lm() else None
    texts = (train, held_out, task / "train.tsv", task / "dev.tsv")
    then = functools.partial
    stages = [
        Stage("film reviews", 10, then(fetch_texts, folder / "download", *texts), texts),
        Stage("vocabulary", 15, then(train_vocabulary, config, train), (config.vocab_file,)),
        Stage(
            "records",
            10,
            then(build_records, config, [train.parent, held_out.parent], records),
            tuple(path / "manifest.json" for path in records),
        ),
        pretraining_stage(MODEL_NAME, "", config.data_dir, hparams, 0.055),
        Stage("fine-tuning", 110 * share + 10, then(finetune, config, masked_lm, task, share)),
        Stage("report", 15, then(write_report, config, held_out, share)),
    ]
    if masked_lm:
        title = " a masked LM with equal FLOPs"
        stage = pretraining_stage(MASKED_LM_NAME, title, config.data_dir, masked_lm, 0.03)
        stages.insert(4, stage)
    return stages


def pretraining_stage(
    name: str, what: str, data_dir: str, hparams: Mapping[str, Any], seconds_per_step: float
) -> Stage:
    """It resumes from the last checkpoint if there is one."""
    steps = hparams["num_train_steps"]
    return Stage(
        f"pre-training{what}, {steps} steps",
        seconds_per_step * steps,
        functools.partial(electra_tf.pretrain, data_dir, name, **hparams),
        (os.path.join(data_dir, "models", name, f"model.ckpt-{steps}.index"),),
    )


# ---- Options


def choose_hparams(folder: pathlib.Path) -> dict[str, Any]:
    """Those of HPARAMS_FILE, with fewer steps if the environment says so."""
    hparams = load_hparams(str(HPARAMS_FILE))
    hparams["eval_tfrecords"] = str(folder / "heldout_tfrecords" / "pretrain_data.tfrecord*")
    steps = os.environ.get(STEPS)
    if steps:
        if not steps.isdecimal() or int(steps) < 1:
            raise ValueError(f"{STEPS} is expected to be 1 or more, but is {steps!r}.")
        return with_steps(hparams, int(steps))
    return hparams


def with_steps(hparams: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """Hyperparameters of a run of so many steps, with as large a share of warm-up."""
    share = steps / hparams["num_train_steps"]
    warmup = round(hparams["num_warmup_steps"] * share)
    return {**hparams, "num_warmup_steps": warmup, "num_train_steps": steps}


def wants_masked_lm() -> bool:
    value = os.environ.get(MASKED_LM, "0") or "0"
    if value not in ("0", "1"):
        raise ValueError(f"{MASKED_LM} is expected to be 0 or 1, but is {value!r}.")
    return value == "1"


def masked_lm_hparams(config: PretrainingConfig, hparams: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters of a masked LM of the same shape with the FLOPs of a run."""
    from electra_tf.pretraining.run_flops import flops_of_run

    masked_lm = {**hparams, "electra_objective": False, "mask_prob": MASKED_LM_PROB}
    other = PretrainingConfig.from_hparams(MASKED_LM_NAME, config.data_dir, masked_lm)
    steps = config.num_train_steps * flops_of_run(config) / flops_of_run(other)
    return with_steps(masked_lm, round(steps))


# ---- Stages


def fetch_texts(
    download: pathlib.Path,
    train: pathlib.Path,
    held_out: pathlib.Path,
    task_train: pathlib.Path,
    task_dev: pathlib.Path,
):
    """Film reviews as text, a share of them held out, and the task that is made of them."""
    film_reviews.write_reviews(download, train, held_out)
    print(f"{train} ({train.stat().st_size / 1e6:.1f} MB) to learn from")
    print(f"{held_out} ({held_out.stat().st_size / 1e6:.1f} MB) held out for evaluation")
    bigram_shift.write_task(train, held_out, task_train.parent, SENTENCES)
    print(f"{task_train}, {task_dev}: were two neighbouring words swapped?")


def train_vocabulary(config: PretrainingConfig, text: pathlib.Path):
    """WordPiece tokens of the training text."""
    from electra_tf.text import save_vocabulary, train_wordpiece_vocabulary

    with open(text, encoding="utf-8") as lines:
        tokens = train_wordpiece_vocabulary(
            lines, config.vocab_size, config.do_lower_case, config.strip_accents
        )
    save_vocabulary(tokens, config.vocab_file)
    print(f"{config.vocab_file}: {len(tokens)} tokens, such as {' '.join(tokens[-8:])}")


def build_records(
    config: PretrainingConfig, corpora: list[pathlib.Path], outputs: list[pathlib.Path]
):
    """Sequences of token ids, ready to be read by the trainer."""
    from electra_tf.data import build_pretraining_records

    for corpus, output in zip(corpora, outputs, strict=True):
        manifest = build_pretraining_records(
            str(corpus),
            config.vocab_file,
            str(output),
            config.max_seq_length,
            num_processes=1,  # less text than a second process takes to start
            split_long_lines=True,
            do_lower_case=config.do_lower_case,
            strip_accents=config.strip_accents,
        )
        print(
            f"{output}: {manifest.num_examples:,} sequences of at most {manifest.max_seq_length} "
            f"tokens, {manifest.num_tokens:,} tokens in all"
        )


def finetune(
    config: PretrainingConfig,
    masked_lm: Mapping[str, Any] | None,
    task: pathlib.Path,
    share: float,
):
    """From the pre-trained weights and from random ones; finished trials are kept."""
    import quickstart_comparison

    name = MASKED_LM_NAME if masked_lm else None
    text = pathlib.Path(config.data_dir) / "reviews" / "train" / "reviews.txt"
    comparison = quickstart_comparison.compare(config, name, TASK_FILE, task, text, share)
    quickstart_comparison.save(comparison, config.data_dir)


def write_report(config: PretrainingConfig, held_out: pathlib.Path, share: float):
    """What was learned: numbers beside their baselines, a picture, sentences, what to try."""
    import quickstart_comparison
    import quickstart_report
    import report_page
    import try_it

    from electra_tf.files import write_text
    from electra_tf.training.loop.logs import read_log

    folder = pathlib.Path(config.data_dir)
    picture, page = folder / "loss_curve.png", folder / "report.html"
    training, evaluations = (read_log(config.model_dir, kind) for kind in ("train", "eval"))
    if not evaluations:
        raise ValueError(
            f"{config.model_dir} is expected to be a model of this quickstart, but its log has no "
            f"evaluations: move {folder} away, and run this again."
        )
    quickstart_report.draw_losses(training, evaluations, picture)
    metrics = evaluations[-1]
    comparison = quickstart_comparison.read(config.data_dir)
    sentences = quickstart_report.choose_sentences(held_out.read_text(encoding="utf-8"), 3)
    examples = quickstart_report.corrupt(config, sentences)
    suspicions = try_it.find_wrong_words(config.model_dir)
    best = try_it.best_example(suspicions)
    rows = try_it.commands(config.model_dir, TASK_FILE.stem, best.text)
    hint = f"{try_it.format_suspicions(suspicions)}\n\n{try_it.format_commands(rows)}"

    title = f"A small ELECTRA on film reviews, {metrics['step']:,} steps"
    write_text(
        str(page),
        report_page.make_page(title, metrics, comparison, share, examples, picture, hint),
    )
    print(f"{page}, {picture}\n")
    print(quickstart_report.format_metrics(metrics))
    print("\nHeld-out sentences; <fakes> are the generator's, the discriminator saw them all:")
    for example in examples:
        print("\n" + quickstart_report.format_example(example, colour=sys.stdout.isatty()))
    print("\nWere two neighbouring words of a held-out sentence swapped?\n")
    print(quickstart_comparison.format_comparison(comparison, share))
    print(f"\n== Try it\n{hint}")


if __name__ == "__main__":
    main()
