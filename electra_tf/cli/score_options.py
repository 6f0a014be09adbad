# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Scores which option fits the gap {} of a text, by a pre-trained discriminator, without training.

A line of the input is a template and its options with tabs between, or a JSON object with template
and options. Of each one the output has a line of JSON. With --few-shot, a copy of the model learns
from examples first.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from electra_tf import given_files
from electra_tf.cli import arguments
from electra_tf.cli.predict import STANDARD, output
from electra_tf.config import check as expect
from electra_tf.config.fields import is_unicode
from electra_tf.config.given_hparams import load_hparams
from electra_tf.config.prompts import RULES
from electra_tf.files import shortened

if TYPE_CHECKING:
    import numpy as np

FORMATS = ("tsv", "jsonl")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--model-dir", required=True, help="folder of a pre-trained discriminator, or its export"
    )
    parser.add_argument(
        "--input", default=STANDARD, help="file of templates; - for lines of standard input"
    )
    parser.add_argument("--output", default=STANDARD, help="JSONL file; - for standard output")
    parser.add_argument(
        "--options",
        help="options of all templates as a JSON list or separated by commas; lines have none then",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="of the lines; default: jsonl for files that end in .jsonl or .jsonl.gz, else tsv",
    )
    parser.add_argument(
        "--rule",
        choices=RULES,
        default=RULES[0],
        help="mean or sum of the log-probabilities that the option's tokens are original; "
        "corrected ones subtract what the option has without the text",
    )
    parser.add_argument(
        "--few-shot",
        help="file of examples to learn from, each with the right option behind the template; in "
        "JSON under the key option",
    )
    parser.add_argument(
        "--few-shot-hparams",
        default="{}",
        help="JSON object or path of one: learning_rate, num_train_epochs, seed and others",
    )
    parser.add_argument("--batch-size", type=int, default=32, help="filled texts computed at once")
    arguments.add_model_flags(parser)


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the model and the files are there."""
    expect(args.batch_size >= 1, "--batch-size", "at least 1", args.batch_size)
    if args.few_shot is None and load_hparams(args.few_shot_hparams):
        raise ValueError("--few-shot is expected with --few-shot-hparams, but is not given.")
    _shared_options(args)
    if args.few_shot is not None:
        args.few_shot = given_files.data_file(args.few_shot)
    if args.input != STANDARD:
        args.input = given_files.data_file(args.input)
    arguments.check_model_flags(args, args.model_dir)


def run(args: argparse.Namespace) -> None:
    """Write a record of each template."""
    import electra_tf
    from electra_tf.finetuning.files.contents import read_lines, standard_input_lines

    lines = standard_input_lines() if args.input == STANDARD else read_lines(args.input)
    source = "standard input" if args.input == STANDARD else args.input
    shared = _shared_options(args)
    rows = _rows(lines, source, args.format, shared, is_example=False)
    if not rows:
        raise ValueError(f"{source} is expected to have templates, but has none.")
    few_shot = None
    if args.few_shot is not None:
        lines = read_lines(args.few_shot)
        shots = _rows(lines, args.few_shot, args.format, shared, is_example=True)
        few_shot = [row.shot for row in shots]
    model = electra_tf.load(args.model_dir, **arguments.model_settings(args))
    found = model.score_options(
        [row.template for row in rows],
        [row.options for row in rows],
        few_shot,
        args.rule,
        args.batch_size,
        **load_hparams(args.few_shot_hparams),
    )
    with output(args.output) as file:
        for number, row in enumerate(rows):
            file.write(json.dumps(_record(row, found, number), ensure_ascii=False) + "\n")
    place = "standard output" if args.output == STANDARD else args.output
    print(f"Wrote the options of {len(rows):,} templates to {place}.", file=sys.stderr)


def _shared_options(args: argparse.Namespace) -> list[str] | None:
    """Those of --options; a list of JSON may hold commas inside of them."""
    if args.options is None:
        return None
    options = arguments.parse_list(args.options)
    if args.options.lstrip().startswith("["):
        try:
            options = json.loads(args.options)
        except ValueError as error:
            raise ValueError(
                f"--options is expected to be a JSON list, but is {args.options}."
            ) from error
    if len(options) < 2 or not all(isinstance(option, str) for option in options):
        raise ValueError(
            f"--options is expected to have two or more texts, but is {args.options!r}."
        )
    return options


class _Row(NamedTuple):
    """A line of the input."""

    line: int
    template: str
    right: str | None
    """The right option of an example, else None."""
    options: list[str]
    others: dict[str, Any]
    """Other keys of JSON, such as an id."""

    @property
    def shot(self) -> tuple[str, str | None, list[str]]:
        """An example as `few_shot` takes it."""
        return self.template, self.right, self.options


def _rows(
    lines: Iterable[str],
    place: str,
    form: str | None,
    shared: list[str] | None,
    is_example: bool,
) -> list[_Row]:
    """What every line that is not blank holds."""
    form = form or FORMATS[place.removesuffix(".gz").endswith(".jsonl")]
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        read = _cells_of_json if form == "jsonl" else _cells_of_tsv
        cells = read(line, is_example, shared is None)
        if cells is None:
            what = ["template", *["right option"] * is_example, *["options"] * (shared is None)]
            raise ValueError(
                f"{place}, line {number}: expected {', '.join(what)} as {form}, received "
                f"{shortened(repr(line), 200)}."
            )
        (template, *right), options, others = cells
        found.append(_Row(number, template, right[0] if right else None, shared or options, others))
    return found


_Cells = tuple[list[str], list[str], dict[str, Any]]
"""The template, of an example with its right option; the line's own options; other keys."""


def _cells_of_tsv(line: str, is_example: bool, has_options: bool) -> _Cells | None:
    """None if the line is not as expected."""
    cells, fixed = line.split("\t"), 1 + is_example
    fits = len(cells) >= fixed + 2 if has_options else len(cells) == fixed
    return (cells[:fixed], cells[fixed:], {}) if fits else None


def _cells_of_json(line: str, is_example: bool, has_options: bool) -> _Cells | None:
    """None if the line is not as expected."""
    keys = ["template", *["option"] * is_example]
    try:
        record = json.loads(line)
        options = record.pop("options") if has_options else []
        cells = [record.pop(key) for key in keys]
        others = json.dumps(record, ensure_ascii=False)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    is_list = isinstance(options, list) and all(isinstance(c, str) for c in (*cells, *options))
    return (cells, options, record) if is_list and is_unicode(others) else None


def _record(row: _Row, found: "dict[str, np.ndarray]", number: int) -> dict[str, Any]:
    """What is written of a template."""

    def of_options(name: str) -> dict[str, float]:
        values = found[name][number]
        return {option: round(float(values[n]), 6) for n, option in enumerate(row.options)}

    scored = {
        "line": row.line,
        "template": row.template,
        "best": found["best"][number],
        "scores": of_options("scores"),
        **{rule: of_options(rule) for rule in RULES},
        "is_truncated": bool(found["is_truncated"][number].any()),
    }
    others = {key: value for key, value in row.others.items() if key not in scored}
    return {**scored, **others}
