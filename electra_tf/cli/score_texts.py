# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Scores the texts of n-best lists by how probable they are, mixes that with given scores, ranks.

Columns are numbered from 1 and separated by tabs. The output has the lines of the input in their
order, each with five columns more: log_likelihood, num_tokens, total, rank (1 is the best of its
list) and is_truncated (1 if the text is longer than the model reads).
"""

import argparse
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from electra_tf import given_files
from electra_tf.cli import arguments
from electra_tf.config import check as expect
from electra_tf.files import new_file, shortened

if TYPE_CHECKING:
    from electra_tf.loading import LoadedModel

ADDED = ("log_likelihood", "num_tokens", "total", "rank", "is_truncated")
"""Names of the columns that the output has besides."""
_AT_ONCE = 1024
"""Texts whose tokens are in memory at once."""


class Hypothesis(NamedTuple):
    """A line of an n-best list."""

    line: str
    list_id: str
    text: str
    given: float


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--model-dir",
        required=True,
        help="folder of a pre-trained model with a generator, of a masked LM or of Electric; or "
        "an export",
    )
    parser.add_argument("--input", required=True, help="TSV file of lists; .gz is unpacked")
    parser.add_argument("--output", required=True, help="TSV file to write")
    parser.add_argument("--header", action="store_true", help="the first line names the columns")
    parser.add_argument(
        "--id-column",
        type=int,
        default=1,
        help="column of the list's id, alike in all lines of a list; 0 for a file of one list "
        "without ids",
    )
    parser.add_argument("--text-column", type=int, default=2, help="column of the texts")
    parser.add_argument(
        "--score-column",
        type=int,
        help="column of a given score, of which larger ones are better, such as the "
        "log-probability of a recognizer; default: none",
    )
    parser.add_argument(
        "--weight",
        type=float,
        help="total = given score + weight * log_likelihood (default: 1)",
    )
    parser.add_argument(
        "--length-weight",
        type=float,
        default=0.0,
        help="added to the total for each token, since each makes a text less probable",
    )
    parser.add_argument("--batch-size", type=int, default=32, help="texts computed at once")
    arguments.add_model_flags(parser)


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the model and the input are there."""
    flags = {"id-column": args.id_column, "text-column": args.text_column}
    if args.score_column is not None:
        flags["score-column"] = args.score_column
    elif args.weight is not None:
        raise ValueError(
            "--weight mixes with a given score, so --score-column is expected with it, but is not "
            "given."
        )
    for name, column in flags.items():
        least = 0 if name == "id-column" else 1
        expect(column >= least, f"--{name}", f"at least {least}", column)
    if len(set(flags.values())) < len(flags):
        given = ", ".join(f"--{name} {column}" for name, column in flags.items())
        raise ValueError(f"the columns are expected to differ, but are {given}.")
    for name, value in {"weight": args.weight, "length-weight": args.length_weight}.items():
        expect(value is None or math.isfinite(value), f"--{name}", "a finite number", value)
    expect(args.batch_size >= 1, "--batch-size", "at least 1", args.batch_size)
    args.input = given_files.data_file(args.input)
    arguments.check_model_flags(args, args.model_dir)


def run(args: argparse.Namespace) -> None:
    """Write every line with its scores and its rank."""
    import electra_tf
    from electra_tf.finetuning.files.contents import read_lines

    lines = read_lines(args.input)
    names = lines[:1] if args.header else []
    hypotheses = [
        _hypothesis(line, args, f"{args.input}, line {number}")
        for number, line in enumerate(lines[len(names) :], start=len(names) + 1)
    ]
    if not hypotheses:
        raise ValueError(f"{args.input} is expected to have texts, but has none.")
    model = electra_tf.load(args.model_dir, **arguments.model_settings(args))
    scores = _scored(model, [row.text for row in hypotheses], args.batch_size)
    weight = 1.0 if args.weight is None else args.weight
    totals = [
        row.given + weight * score.log_likelihood + args.length_weight * score.num_tokens
        for row, score in zip(hypotheses, scores, strict=True)
    ]
    empty = [score.num_tokens == 0 for score in scores]
    ranks = _ranks([row.list_id for row in hypotheses], totals, empty)
    with new_file(args.output) as file:
        for line in names:
            file.write("\t".join([line, *ADDED]) + "\n")
        for row, score, total, rank in zip(hypotheses, scores, totals, ranks, strict=True):
            cells = (f"{score.log_likelihood:.4f}", score.num_tokens, f"{total:.4f}", rank)
            added = "\t".join(map(str, (*cells, int(score.is_truncated))))
            file.write(f"{row.line}\t{added}\n")
    cut = sum(score.is_truncated for score in scores)
    print(
        f"Wrote {len(hypotheses):,} texts of {ranks.count(1):,} lists to {args.output}; "
        f"method: {scores[0].method}."
        + (f" {cut:,} are longer than the model reads: their ends do not count." if cut else "")
        + (f" {sum(empty):,} are empty: they are last in their lists." if any(empty) else ""),
        file=sys.stderr,
    )


def _hypothesis(line: str, args: argparse.Namespace, where: str) -> Hypothesis:
    cells = line.split("\t")
    text = _cell(cells, args.text_column, "text-column", where)
    list_id = _cell(cells, args.id_column, "id-column", where) if args.id_column else ""
    if args.score_column is None:
        return Hypothesis(line, list_id, text, 0.0)
    cell = _cell(cells, args.score_column, "score-column", where)
    try:
        given = float(cell)
    except ValueError:
        given = math.nan
    if not math.isfinite(given):
        raise ValueError(
            f"{where}, column {args.score_column}: a score is expected to be a finite number, but "
            f"is {shortened(cell, 60)!r}."
        )
    return Hypothesis(line, list_id, text, given)


def _cell(cells: Sequence[str], column: int, flag: str, where: str) -> str:
    if column > len(cells):
        raise ValueError(
            f"{where}: at least {column} columns, separated by tabs, are expected for --{flag} "
            f"{column}, but the line has {len(cells)}: {shortened(cells[0], 60)!r}."
        )
    return cells[column - 1]


class _Score(NamedTuple):
    log_likelihood: float
    num_tokens: int
    is_truncated: bool
    method: str


def _scored(model: "LoadedModel", texts: Sequence[str], batch_size: int) -> list[_Score]:
    """Scores of texts; those of about one length are computed together."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    scores = {}
    for start in range(0, len(order), _AT_ONCE):
        chosen = order[start : start + _AT_ONCE]
        outputs = model.pseudo_log_likelihood([texts[i] for i in chosen], batch_size)
        columns = (outputs[name].tolist() for name in _Score._fields)
        rows = map(_Score, *columns)
        scores |= dict(zip(chosen, rows, strict=True))
    return [scores[i] for i in range(len(texts))]


def _ranks(list_ids: Sequence[str], totals: Sequence[float], empty: Sequence[bool]) -> list[int]:
    """The place of each in its list, from 1; of equal totals the earlier line is better.

    Texts without tokens are last: nothing says how probable they are.
    """
    ranks, seen = [0] * len(totals), dict.fromkeys(list_ids, 0)
    for i in sorted(range(len(totals)), key=lambda i: (empty[i], -totals[i])):
        seen[list_ids[i]] += 1
        ranks[i] = seen[list_ids[i]]
    return ranks
