# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What the quickstart shows at its end: metrics beside their baselines, losses, sentences."""

import pathlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from electra_tf.config import PretrainingConfig
from electra_tf.pretraining import run
from electra_tf.text import pack_segments

RED, PLAIN = "\033[1;31m", "\033[0m"


class Example(NamedTuple):
    """One sentence, token by token: as it was, as the generator made it, as it was judged."""

    original: list[str]
    corrupted: list[str]
    replaced_probability: list[float]
    """Of each token, by the discriminator."""


# ---- Numbers


def metric_rows(metrics: Mapping[str, float]) -> list[tuple[str, float, float, str]]:
    """Name, value, the value of no learning at all, and what that is."""
    replaced, precision = metrics["replaced_share"], metrics["disc_precision"]
    flagged = metrics["disc_recall"] * replaced / precision if precision else 0.0
    return [
        (
            "generator: masked tokens guessed right",
            metrics["masked_lm_accuracy"],
            metrics["most_frequent_token_accuracy"],
            "always the most frequent token",
        ),
        (
            "discriminator: accuracy",
            metrics["disc_accuracy"],
            1 - replaced,
            'always "original"',
        ),
        ("discriminator: precision", precision, replaced, "flagging at random"),
        (
            "discriminator: recall",
            metrics["disc_recall"],
            flagged,
            "flagging as many at random",
        ),
        ("discriminator: AUC", metrics["disc_auc"], 0.5, "chance"),
    ]


def format_metrics(metrics: Mapping[str, float]) -> str:
    """A table of the metrics beside what no learning at all would give."""
    lines = [f"{'on held-out reviews':40}{'model':>7}{'trivial':>9}  what is trivial"]
    lines += [
        f"{name:40}{value:7.3f}{trivial:9.3f}  {how}"
        for name, value, trivial, how in metric_rows(metrics)
    ]
    return "\n".join(lines)


def draw_losses(
    training: Sequence[Mapping[str, float]],
    held_out: Sequence[Mapping[str, float]],
    path: pathlib.Path,
):
    """Save a picture of both losses over the steps, with points on held-out text."""
    from matplotlib.figure import Figure  # only this function needs it

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    figure.suptitle(f"A small ELECTRA on film reviews, {training[-1]['step']:,} steps")
    panels = figure.subplots(1, 2)
    titles = {
        "masked_lm_loss": "generator: loss per masked token",
        "disc_loss": "discriminator: loss per token",
    }
    for axes, (name, title) in zip(panels, titles.items(), strict=True):
        axes.plot([e["step"] for e in training], [e[name] for e in training], label="training")
        steps, losses = [e["step"] for e in held_out], [e[name] for e in held_out]
        axes.plot(steps, losses, "o", label="held-out reviews")
        axes.set(title=title, xlabel="step", ylabel="nats")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)


# ---- Sentences


def choose_sentences(text: str, count: int) -> list[str]:
    """Lines that are sentences of 12 to 24 plain words, spread evenly over the text."""
    sentences = [
        sentence
        for sentence in text.splitlines()
        if re.fullmatch(r"[A-Z][A-Za-z,' -]+[.!?]", sentence) and 12 <= len(sentence.split()) <= 24
    ]
    return [sentences[len(sentences) * (2 * i + 1) // (2 * count)] for i in range(count)]


def corrupt(config: PretrainingConfig, sentences: Sequence[str]) -> list[Example]:
    """Let the generator replace tokens of sentences and the discriminator judge all of them."""
    tokenizer = run.load_matching_tokenizer(config)
    pretrainer, vocabulary = run.load_pretrainer(config, tokenizer), tokenizer.vocabulary
    ids = tokenizer(tf.constant(sentences))[:, : config.max_seq_length - 2]
    packed = pack_segments(ids, None, vocabulary.cls_id, vocabulary.sep_id)
    shape = (None, config.max_seq_length)
    batch = {
        "input_ids": packed.input_ids.to_tensor(vocabulary.pad_id, shape=shape),
        "input_mask": tf.ones_like(packed.input_ids).to_tensor(0, shape=shape),
        "segment_ids": packed.segment_ids.to_tensor(0, shape=shape),
    }
    seed = tf.constant([1, 2], tf.int32)
    outputs = pretrainer.compute_outputs(pretrainer.mask(batch, seed=seed), seed=seed)
    examples = []
    for row, length in enumerate(packed.input_ids.row_lengths().numpy()):
        inner = (row, slice(1, length - 1))  # without [CLS] and [SEP]
        examples.append(
            Example(
                [vocabulary.token_of(i) for i in batch["input_ids"].numpy()[inner]],
                [vocabulary.token_of(i) for i in outputs["corrupted_input_ids"].numpy()[inner]],
                (1 / (1 + np.exp(-outputs["rtd_logits"].numpy()[inner]))).tolist(),
            )
        )
    return examples


def format_example(example: Example, colour: bool) -> str:
    """A sentence with <fakes> marked, and what the discriminator makes of it."""
    is_fake = [a != b for a, b in zip(example.original, example.corrupted, strict=True)]
    flagged = [
        f"{token.removeprefix('##')} ({probability:.0%}{', fake' if fake else ''})"
        for token, probability, fake in zip(
            example.corrupted, example.replaced_probability, is_fake, strict=True
        )
        if probability > 0.5
    ]
    return "\n".join(
        [
            f"original   {join_pieces(example.original, [False] * len(is_fake), colour)}",
            f"corrupted  {join_pieces(example.corrupted, is_fake, colour)}",
            f"flagged    {', '.join(flagged) or 'nothing'}",
        ]
    )


def join_pieces(tokens: Sequence[str], marked: Iterable[bool], colour: bool) -> str:
    """The words of WordPiece tokens, with <marked> ones; `[a, ##b, c]` becomes `ab c`."""
    text = ""
    for token, mark in zip(tokens, marked, strict=True):
        piece = token.removeprefix("##")
        if mark:
            piece = f"<{piece}>"
            piece = f"{RED}{piece}{PLAIN}" if colour else piece
        text += piece if token.startswith("##") or not text else f" {piece}"
    return text
