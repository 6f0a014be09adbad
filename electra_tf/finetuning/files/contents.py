# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Data files as text and as lines, plain or compressed, with errors that name the place."""

import gzip
import json
import sys
import zlib
from collections.abc import Iterator
from typing import Any

from electra_tf.files import decode, is_utf16, parse_json, read_bytes
from electra_tf.finetuning.files.data_warnings import BadRows
from electra_tf.given_files import data_file

BLANKS = " \t\r\f\v"
"""White space that stands for nothing; others, as the no-break space, may be data."""


def read_text(path: str) -> str:
    """Returns the text of a file in UTF-8, or UTF-16 with its mark; .gz files are unpacked.

    Raises:
        FileNotFoundError: there is no such file, nor one with .gz added.
        OSError: it is a folder, or cannot be read.
        ValueError: it is in another encoding or not a gzip file; names the line.
    """
    path = data_file(str(path))
    content = read_bytes(path)
    if path.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: expected a gzip file, received {error}.") from error
    return decode(content, path)


def read_lines(path: str) -> list[str]:
    """Returns the lines of a file without their ends; only newlines end a line.

    Lines of spaces and tabs at the end of the file are no lines.
    """
    return _lines(read_text(path))


def _lines(text: str) -> list[str]:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1].strip(BLANKS):
        lines.pop()
    return lines


def standard_input_lines() -> Iterator[str]:
    """The lines of standard input as they come; otherwise as `read_lines` gives those of a file.

    Raises:
        ValueError: it is neither UTF-8 nor UTF-16 with its mark; names the line.
    """
    name, blank = "standard input", []
    for number, content in enumerate(sys.stdin.buffer, start=1):
        if number == 1 and is_utf16(content):
            # Bytes of its characters may look like the ends of lines.
            yield from _lines(decode(content + sys.stdin.buffer.read(), name))
            return
        line = decode(content, name, number).removesuffix("\n").removesuffix("\r")
        if not line.strip(BLANKS):  # at the end it would be no line
            blank.append(line)
            continue
        yield from blank
        blank = []
        yield line


def json_value(path: str) -> dict[str, Any]:
    """Returns the object of a JSON file.

    Raises:
        FileNotFoundError, OSError, ValueError: see `read_text`, or it is no JSON object.
    """
    try:
        value = parse_json(read_text(path), str(path), object)
    except ValueError as error:
        problem = error.__cause__
        if not isinstance(problem, json.JSONDecodeError):
            raise
        raise ValueError(
            f"{path}, line {problem.lineno}: expected JSON, received {problem.msg}."
        ) from error
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected a JSON object, received a {type(value).__name__}.")
    return value


def json_object(text: str, place: str, bad_rows: BadRows) -> dict[str, Any] | None:
    """Returns the JSON object that a line holds, or None after reporting that it does not."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        bad_rows.report(place, "a JSON object", f"what is not JSON ({error})")
        return None
    if not isinstance(value, dict):
        bad_rows.report(place, "a JSON object", f"a {type(value).__name__}")
        return None
    return value


def require_examples(examples: list, path: str) -> list:
    """Returns the examples; raises ValueError if there are none."""
    if not examples:
        raise ValueError(f"{path}: expected at least one example, received an empty split.")
    return examples
