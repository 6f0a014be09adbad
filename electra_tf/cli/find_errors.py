# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Finds words that do not belong where they are, and what to write instead; calibrates that.

Needs a pre-trained discriminator; replacements come from its generator. Every line of the input is
a text. Of each one the output has a line of JSON with its errors.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from electra_tf import given_files
from electra_tf.cli import arguments
from electra_tf.cli.predict import STANDARD, output
from electra_tf.config import check as expect

if TYPE_CHECKING:
    from electra_tf.loading import LoadedModel

ERROR_RATE = 0.05
TOP_K = 3
_LINES_AT_ONCE = 256
_HEAD_BYTES = 4096
"""What is looked at of a text at once, at least; rows of 512 tokens take about half of it."""
_RED, _GREEN, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"

Record = dict[str, Any]
"""`line`, `text`, `errors`, `unread`, `threshold`, `is_calibrated`."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--model-dir", required=True, help="folder of a pre-trained discriminator, or its export"
    )
    parser.add_argument(
        "--input",
        help="file with a text per line; - for standard input, the default unless --calibrate is "
        "given",
    )
    parser.add_argument("--output", default=STANDARD, help="JSONL file; - for standard output")
    parser.add_argument(
        "--threshold",
        type=float,
        help="the probability from which on a word is an error; default: that of the calibration, "
        "or else 0.5",
    )
    parser.add_argument(
        "--top-k",
        type=int,
        help=f"replacements of each word; default: {TOP_K}, or all that an export has if they are "
        "fewer",
    )
    parser.add_argument(
        "--color",
        action="store_true",
        help="print the texts instead, with errors in red and their best replacements in green",
    )
    parser.add_argument(
        "--calibrate",
        metavar="FILE",
        help="first fit probabilities and threshold on a file of correct text, a text per line, "
        "that was not trained on, and store them in the model's folder",
    )
    parser.add_argument(
        "--precision",
        type=float,
        help="for --calibrate: share of true errors among the words found, at least",
    )
    parser.add_argument(
        "--false-alarm-rate",
        type=float,
        help="for --calibrate, instead: share of correct words found, at most (default: 0.01)",
    )
    parser.add_argument(
        "--error-rate",
        type=float,
        help=f"for --calibrate: share of wrong words to expect (default: {ERROR_RATE})",
    )
    arguments.add_model_flags(parser)


def check(args: argparse.Namespace) -> None:
    """Check the flags, and that the model and the input are there."""
    for name in ("precision", "false_alarm_rate", "error_rate"):
        flag, value = f"--{name.replace('_', '-')}", getattr(args, name)
        if value is not None and args.calibrate is None:
            raise ValueError(f"{flag} is expected with --calibrate, which is not given.")
        expect(value is None or 0 < value < 1, flag, "between 0 and 1, both excluded", value)
    if args.precision is not None and args.false_alarm_rate is not None:
        raise ValueError("one of --precision and --false-alarm-rate is expected, not both.")
    threshold, top_k = args.threshold, args.top_k
    expect(threshold is None or 0 <= threshold <= 1, "--threshold", "in 0..1", threshold)
    expect(top_k is None or top_k >= 1, "--top-k", "at least 1", top_k)
    if args.color and args.output != STANDARD:
        raise ValueError(
            f"--color is for a terminal, so --output is expected not to be given, but is "
            f"{args.output}."
        )
    if args.calibrate is not None:
        args.calibrate = given_files.data_file(args.calibrate)
    if args.input not in (None, STANDARD):
        args.input = given_files.data_file(args.input)
    arguments.check_model_flags(args, args.model_dir)


def run(args: argparse.Namespace) -> None:
    """Calibrate if that is asked, then write a record of each text."""
    import electra_tf
    from electra_tf.finetuning.files.contents import read_lines, standard_input_lines

    model = electra_tf.load(args.model_dir, top_k=args.top_k, **arguments.model_settings(args))
    if args.calibrate is not None:
        _calibrate(model, args, [line for line in read_lines(args.calibrate) if line.strip()])
        if args.input is None:
            return
    is_standard = args.input in (None, STANDARD)
    lines = standard_input_lines() if is_standard else read_lines(args.input)
    num_texts = num_errors = num_unread = 0
    record: Record = {}
    with output(args.output) as file:
        for record in records_of(model, lines, args.threshold, args.top_k or TOP_K):
            text = _colored(record) if args.color else json.dumps(record, ensure_ascii=False)
            file.write(text + "\n")
            num_texts += 1
            num_errors += len(record["errors"])
            num_unread += len(record["unread"])
    said = [f"{num_errors:,} errors in {num_texts:,} texts"]
    if num_texts:
        kind = "calibrated" if record["is_calibrated"] else "not calibrated"
        said[0] += f": words with a probability of {record['threshold']:.3g} or more, {kind}"
    if num_unread:
        said.append(f"{num_unread:,} words are longer than a row and were not read")
    if num_blank := record.get("line", 0) - num_texts:
        said.append(f"{num_blank:,} lines are blank")
    print(". ".join(said) + ".", file=sys.stderr)


def records_of(
    model: "LoadedModel", lines: Iterable[str], threshold: float | None, top_k: int = TOP_K
) -> Iterator[Record]:
    """A record of each line that is not blank. Long ones are read in parts, one row after another.

    Args:
        model: a pre-trained discriminator.
        lines: the texts.
        threshold: see `LoadedModel.find_errors`.
        top_k: replacements of each word, at most.
    """
    texts = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    while some := list(itertools.islice(texts, _LINES_AT_ONCE)):
        records = [
            {"line": number, "text": text, "errors": [], "unread": []} for number, text in some
        ]
        rest = [_Rest(record, record["text"].rstrip().encode()) for record in records]
        while rest:
            rest = _read(model, rest, threshold, top_k)
        yield from records


class _Rest(NamedTuple):
    """What is left to read of a text."""

    record: Record
    text: bytes
    """All of it up to its last word, in UTF-8."""
    start: int = 0
    """The byte from which on it is still to be read."""
    size: int = _HEAD_BYTES
    """How many bytes are looked at, about: more than a row takes."""

    def head(self) -> tuple[str, bool]:
        """Its first words, and whether they are all that is left.

        A row is read from the head alone, so that the time for a text grows with its length, and
        not with the square of it. What is cut off is separated by white space: no token changes.
        """
        size = self.size
        while self.start + size < len(self.text):
            part = self.text[self.start : self.start + size].decode(errors="ignore")
            words = part.rsplit(maxsplit=1)
            if len(words) == 2:  # the last one may continue behind the part
                return words[0], False
            size *= 2
        return self.text[self.start :].decode(), True


def _read(
    model: "LoadedModel", rest: list[_Rest], threshold: float | None, top_k: int
) -> list[_Rest]:
    """Add errors to records as far as their texts fit into a row; returns what is left to read."""
    heads = [each.head() for each in rest]
    found = model.find_errors([text for text, _ in heads], threshold)
    left = []
    for row, (each, (head, is_all)) in enumerate(zip(rest, heads, strict=True)):
        if not is_all and not found["is_truncated"][row]:  # the row has room for more words
            left.append(each._replace(size=2 * each.size))
            continue
        record = each.record
        record["errors"] += _errors(found, row, each.start, top_k)
        record["threshold"] = round(float(found["threshold"][row]), 6)
        record["is_calibrated"] = bool(found["is_calibrated"][row])
        if not found["is_truncated"][row]:
            continue
        if count := found["num_words"][row]:
            end = each.start + int(found["ends"][row, count - 1])
        else:  # the first word is longer than a row
            start, end = (each.start + place for place in _first_word(head))
            record["unread"].append([start, end])
        if end < len(each.text):
            size = max(_HEAD_BYTES, 2 * (end - each.start))
            left.append(each._replace(start=end, size=size))
    return left


def _first_word(text: str) -> tuple[int, int]:
    """The bytes at which the first word begins and ends."""
    word = text.split(maxsplit=1)[0]
    start = len(text[: text.index(word)].encode())
    return start, start + len(word.encode())


def _errors(found: dict[str, Any], row: int, start: int, top_k: int) -> list[Record]:
    errors = []
    for place in range(found["num_words"][row]):
        if not found["is_error"][row, place]:
            continue
        error = {
            "word": found["words"][row, place],
            "start": start + int(found["starts"][row, place]),
            "end": start + int(found["ends"][row, place]),
            "probability": round(float(found["probabilities"][row, place]), 6),
        }
        if "replacements" in found:
            fillings = zip(
                found["replacements"][row, place, :top_k],
                found["replacement_probabilities"][row, place, :top_k],
                strict=True,
            )
            error["replacements"] = [
                {"word": word, "probability": round(float(value), 6)}
                for word, value in fillings
                if word
            ]
        errors.append(error)
    return errors


def _colored(record: Record) -> str:
    """The text with its errors in red, and behind each in green the best other word."""
    text, parts, taken = record["text"].encode(), [], 0
    for error in record["errors"]:
        parts.append(text[taken : error["start"]].decode())
        parts.append(f"{_RED}{error['word']}{_PLAIN}")
        others = [o["word"] for o in error.get("replacements", ()) if o["word"] != error["word"]]
        parts += [f" {_GREEN}({others[0]}){_PLAIN}"] if others else []
        taken = error["end"]
    return "".join([*parts, text[taken:].decode()])


def _calibrate(model: "LoadedModel", args: argparse.Namespace, texts: list[str]) -> None:
    if not texts:
        raise ValueError(f"{args.calibrate} is expected to have texts, but has none.")
    rate = ERROR_RATE if args.error_rate is None else args.error_rate
    found = model.calibrate(texts, args.precision, args.false_alarm_rate, rate)
    measured = found["measured"]
    reached = measured["found"]
    print(
        f"{args.model_dir} is calibrated on {measured['num_words']:,} words of "
        f"{measured['num_texts']:,} texts, {measured['num_wrong']:,} of them made wrong: "
        f"temperature {found['temperature']:.3g}, bias {found['bias']:.3g}. From a probability of "
        f"{found['threshold']:.3g} on, {reached['recall']:.1%} of the errors are found with a "
        f"precision of {reached['precision']:.1%}; {reached['false_alarm_rate']:.2%} of the "
        "correct words are false alarms.",
        file=sys.stderr,
    )
