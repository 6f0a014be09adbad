# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""From nothing to a small ELECTRA that has learned and is of use, in minutes on two cores.

Read `quickstart` below for the whole way; each stage is skipped if what it makes is there.
"""

import importlib.util
import json
import os
import pathlib
import sys
import time
from collections.abc import Mapping
from typing import Any

import electra_tf

electra_tf.configure()  # before TensorFlow is imported

import film_reviews
import quickstart_report
import quickstart_sentiment
from absl import logging

from electra_tf.cli import arguments
from electra_tf.config import PretrainingConfig, load_hparams
from electra_tf.data import Manifest, build_pretraining_records, cooccurrence
from electra_tf.data.corpus import find_sources
from electra_tf.pretraining import initial_embeddings, run
from electra_tf.text import save_vocabulary, train_wordpiece_vocabulary
from electra_tf.training.loop.logs import LOG_FILE, clock, read_log

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
HPARAMS_FILE = CONFIGS / "pretraining" / "quickstart.json"
TASK_FILE = CONFIGS / "finetuning" / "rt_sentiment.json"
MODEL_NAME = "quickstart"


def make_parser():
    parser = arguments.make_parser(
        "Pre-trains a small ELECTRA on film reviews, fine-tunes it, and shows both."
    )
    parser.add_argument("--data-dir", default="quickstart_data", help="folder for all it makes")
    return parser


def main():
    arguments.run(quickstart, make_parser())


def quickstart(args):
    """Reviews -> vocabulary, embeddings, records -> pre-training -> fine-tuning -> report."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError("The quickstart draws with matplotlib: pip install 'electra-tf[demo]'.")
    logging.set_verbosity(max(logging.get_verbosity(), logging.INFO))
    began = time.monotonic()
    folder = pathlib.Path(args.data_dir)
    hparams = choose_hparams(folder)
    config = PretrainingConfig.from_hparams(MODEL_NAME, str(folder), hparams)
    train, held_out = (folder / "reviews" / name / "reviews.txt" for name in ("train", "heldout"))

    fetch_reviews(folder / "download", train, held_out)
    train_vocabulary(config, train)
    embed_tokens(config, train)
    build_records(config, train.parent, folder / "pretrain_tfrecords")
    build_records(config, held_out.parent, folder / "heldout_tfrecords")
    pretrain(config, hparams)
    metrics = evaluate(config, hparams)
    draw_losses(config, folder / "loss_curve.png")
    comparison = compare_on_sentiment(config, folder / "download")
    show_report(config, metrics, held_out)
    print("\n== What it is good for: is a sentence on a film positive or negative?")
    print(quickstart_sentiment.format_comparison(comparison))
    print(f"\nDone in {clock(time.monotonic() - began)}; everything is in {folder}.")


def choose_hparams(folder: pathlib.Path) -> dict[str, Any]:
    """Those of HPARAMS_FILE, with fewer steps if QUICKSTART_STEPS says so."""
    hparams = load_hparams(str(HPARAMS_FILE))
    hparams["eval_tfrecords"] = str(folder / "heldout_tfrecords" / "pretrain_data.tfrecord*")
    hparams |= initial_embeddings.hparams_to_begin_with(str(folder / "embeddings"))
    steps = os.environ.get("QUICKSTART_STEPS")
    if steps:
        if not steps.isdecimal() or int(steps) < 1:
            raise ValueError(f"QUICKSTART_STEPS is expected to be 1 or more, but is {steps!r}.")
        share = int(steps) / hparams["num_train_steps"]
        hparams["num_warmup_steps"] = round(hparams["num_warmup_steps"] * share)
        hparams["num_train_steps"] = int(steps)
    return hparams


# ---- Stages


def is_needed(what: str, *outputs: os.PathLike | str, outdated: bool = False) -> bool:
    """Announce a stage; whether some of its outputs are missing or out of date."""
    print(f"\n== {what}", flush=True)
    needed = outdated or not all(os.path.exists(output) for output in outputs)
    if not needed:
        print(f"already there: {', '.join(map(str, outputs))}")
    return needed


def fetch_reviews(download: pathlib.Path, train: pathlib.Path, held_out: pathlib.Path):
    """Film reviews as text, a share of them held out."""
    if is_needed("Film reviews", train, held_out):
        film_reviews.write_reviews(download, train, held_out)
        print(f"{train} ({train.stat().st_size / 1e6:.1f} MB) to learn from")
        print(f"{held_out} ({held_out.stat().st_size / 1e6:.1f} MB) held out for evaluation")


def train_vocabulary(config: PretrainingConfig, text: pathlib.Path):
    """WordPiece tokens of the training text."""
    if is_needed("Vocabulary", config.vocab_file):
        with open(text, encoding="utf-8") as lines:
            tokens = train_wordpiece_vocabulary(
                lines, config.vocab_size, config.do_lower_case, config.strip_accents
            )
        save_vocabulary(tokens, config.vocab_file)
        print(f"{config.vocab_file}: {len(tokens)} tokens, such as {' '.join(tokens[-8:])}")


def embed_tokens(config: PretrainingConfig, text: pathlib.Path):
    """Initial embeddings, from the tokens that occur together in a review."""
    if is_needed("Initial embeddings", config.init_checkpoint):
        tokenizer = run.load_matching_tokenizer(config)
        counts = cooccurrence.count_tokens(find_sources([str(text)]), tokenizer)
        table = initial_embeddings.latent_semantic_embeddings(
            counts, config.vocab_size, config.embedding_size
        )
        initial_embeddings.save_embeddings(table, tokenizer, config.init_checkpoint)
        print(f"{config.init_checkpoint}: latent semantic analysis of {counts.shape[0]:,} blocks")


def build_records(config: PretrainingConfig, corpus: pathlib.Path, output: pathlib.Path):
    """Sequences of token ids, ready to be read by the trainer."""
    if is_needed(f"Records of {corpus}", Manifest.path_in(str(output))):
        manifest = build_pretraining_records(
            str(corpus),
            config.vocab_file,
            str(output),
            config.max_seq_length,
            num_processes=1,  # less text than a second process takes to start
            do_lower_case=config.do_lower_case,
            strip_accents=config.strip_accents,
        )
        print(
            f"{output}: {manifest.num_examples:,} sequences of at most {manifest.max_seq_length} "
            f"tokens, {manifest.num_tokens:,} tokens in all"
        )


def pretrain(config: PretrainingConfig, hparams: Mapping[str, Any]):
    """Generator and discriminator together, from the last checkpoint if there is one."""
    print(f"\n== Pre-training, {config.num_train_steps} steps", flush=True)
    electra_tf.pretrain(config.data_dir, config.model_name, **hparams)


def evaluate(config: PretrainingConfig, hparams: Mapping[str, Any]) -> dict[str, float]:
    """Metrics on the held-out text."""
    log, results = os.path.join(config.model_dir, LOG_FILE), config.results_json
    outdated = os.path.exists(results) and os.path.getmtime(results) < os.path.getmtime(log)
    if is_needed("Evaluation on held-out reviews", results, outdated=outdated):
        evaluation = {**hparams, "do_train": False, "do_eval": True}
        return electra_tf.pretrain(config.data_dir, config.model_name, **evaluation).metrics
    return json.loads(pathlib.Path(results).read_text(encoding="utf-8"))


def draw_losses(config: PretrainingConfig, image: pathlib.Path):
    """The losses over the steps, as a picture."""
    print(f"\n== Loss curve\n{image}", flush=True)
    quickstart_report.draw_losses(read_log(config.model_dir), image)


def compare_on_sentiment(
    config: PretrainingConfig, download: pathlib.Path
) -> quickstart_sentiment.Comparison:
    """Fine-tuned from the pre-trained weights and from random ones; finished trials are kept."""
    data = pathlib.Path(config.data_dir) / "finetuning_data" / quickstart_sentiment.TASK
    train, dev = data / "train.tsv", data / "dev.tsv"
    if is_needed("Labelled sentences", train, dev):
        film_reviews.write_sentences(download, train, dev)
        print(f"{train}, {dev}")
    print("\n== Fine-tuning, from pre-trained and from random weights", flush=True)
    whole = load_hparams(str(HPARAMS_FILE))["num_train_steps"]
    share = config.num_train_steps / whole
    return quickstart_sentiment.compare(config, TASK_FILE, data, share)


def show_report(config: PretrainingConfig, metrics: dict[str, float], held_out: pathlib.Path):
    """What was learned: numbers beside their baselines, and three sentences."""
    print(f"\n== What was learned in {metrics['global_step']} steps")
    print(quickstart_report.format_metrics(metrics))
    print(
        "\nThree held-out sentences; <fakes> are the generator's, the discriminator saw them all:"
    )
    tokenizer = run.load_matching_tokenizer(config)
    sentences = quickstart_report.choose_sentences(held_out.read_text(encoding="utf-8"), 3)
    for example in quickstart_report.corrupt(
        run.load_pretrainer(config, tokenizer), tokenizer, sentences, config.max_seq_length
    ):
        print("\n" + quickstart_report.format_example(example, colour=sys.stdout.isatty()))


if __name__ == "__main__":
    main()
