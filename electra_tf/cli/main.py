# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The command `electra` and its verbs.

A verb is a row of `VERBS` and a module of its name, with `add_flags(parser)`, `check(namespace)`
and `run(namespace)`. The module is imported when its verb is asked for, and what its `run` needs
inside of it, so that help, wrong flags and missing files are answered without the seconds that
TensorFlow takes.
"""

import contextlib
import importlib
import os
import signal
import sys
import types
from collections.abc import Sequence
from typing import NoReturn

import electra_tf
from electra_tf.environment import configure
from electra_tf.tensorflow_log import write_to_terminal

VERBS = {
    "vocab": "train a WordPiece vocabulary or a SentencePiece model on text",
    "records": "write text as records to pre-train on",
    "embeddings": "compute initial embeddings, from which tokens occur together",
    "pretrain": "pre-train a model, or evaluate one",
    "finetune": "fine-tune a model on one or several tasks, and evaluate it",
    "predict": "predict with a fine-tuned model, for a file or for standard input",
    "report": "report on a run as one HTML file: what is off, curves, reference bands",
    "find-errors": "find words that do not belong where they are, and what to write instead",
    "score-options": "score which option fits the gap of a text, without training",
    "score-texts": "score texts of n-best lists by how probable they are, and rank them",
    "demo": "show what a model can do, on a page in the browser",
    "export": "export a model as a SavedModel that takes raw strings",
    "convert": "convert a model: this library's, the original's or Hugging Face's format",
    "inspect": "show what records hold",
    "flops": "count the floating-point operations of a pre-training run",
}
"""Verb -> what it does, in the order of use."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_USAGE = "usage: electra VERB [flags]"


def main() -> NoReturn:
    """Run `electra` with the arguments of this process."""
    configure()
    _end_at_signals()
    run_command(sys.argv[1:])


def run_script(verb: str) -> NoReturn:
    """Run a verb as a script of the original's name, with the arguments of this process."""
    configure()
    _end_at_signals()
    _run_verb(verb, sys.argv[1:], os.path.basename(sys.argv[0]))


def run_command(argv: Sequence[str]) -> NoReturn:
    """Run `electra` and exit.

    Args:
        argv: the verb and its flags.
    """
    verb, *flags = argv or ("",)
    if verb in ("--help", "-h", "help"):
        print(_help())
        sys.exit(0)
    if verb == "--version":
        print(f"electra {electra_tf.__version__}")
        sys.exit(0)
    if verb not in VERBS:
        from electra_tf.config.fields import did_you_mean

        received = f", received {verb!r}{did_you_mean(verb, VERBS) or '.'}" if verb else "."
        print(
            f"{_USAGE}\n"
            f"error: a verb is expected first{received} "
            f"The verbs are {', '.join(VERBS)}; electra --help says what they do.",
            file=sys.stderr,
        )
        sys.exit(2)
    _run_verb(verb, flags, f"electra {verb}")


def message_of(number: int) -> str:
    """The line that a command ends with, after such a signal."""
    return "interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"


def end_at_once(number: int, _: types.FrameType | None = None) -> NoReturn:
    """End the process with that line; for when there is nothing to clean up."""
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # it may be in use, or closed
        sys.stdout.flush()
    write_to_terminal(f"{message_of(number)}\n")
    os._exit(128 + number)


def _end_at_signals():
    """Until a run handles signals itself, which is seconds later."""
    for number in SIGNALS:
        signal.signal(number, end_at_once)


def _run_verb(verb: str, flags: Sequence[str], program: str) -> NoReturn:
    arguments = importlib.import_module("electra_tf.cli.arguments")
    module = importlib.import_module(f"electra_tf.cli.{verb.replace('-', '_')}")
    arguments.run(module.run, arguments.parser_of(module, program), flags, module.check)


def _help() -> str:
    width = max(map(len, VERBS))
    return "\n".join(
        [
            _USAGE,
            "",
            "Pre-trains text encoders as discriminators (ELECTRA), fine-tunes and serves them.",
            "",
            "verbs, in the order of use:",
            *(f"  {verb:{width}}  {meaning}" for verb, meaning in VERBS.items()),
            "",
            "electra VERB --help shows the flags of a verb; electra --version the version.",
        ]
    )
