# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""JSON lines: one JSON object a line, one of whose fields holds the text of a document."""

import json
import re
from collections.abc import Iterator

LONGEST_LINE_BYTES = 1 << 26
"""A line is held in memory as a whole."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_BYTES = 3


class BadLine(Exception):
    """A line that holds no text; whoever knows the file adds its name and the line's number.

    Attributes:
        offset: where the line begins, in bytes from the beginning of what was read.
        reason: what is wrong with it.
    """

    def __init__(self, offset: int, reason: str):
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason


def texts(block: bytes, field: str) -> Iterator[tuple[str, int]]:
    """The text of every line that is not empty, and how many of its bytes had to be replaced.

    Raises:
        BadLine: for a line that is not a JSON object, or has no such field with a string.
    """
    offset = 0
    for line in block.split(b"\n"):
        if line.strip():
            try:
                yield _text(line, field)
            except ValueError as error:
                raise BadLine(offset, str(error)) from error
        offset += len(line) + 1


def _text(line: bytes, field: str) -> tuple[str, int]:
    if len(line) > LONGEST_LINE_BYTES:
        raise ValueError(f"is longer than {LONGEST_LINE_BYTES >> 20} MiB; is this JSON lines?")
    decoded = line.decode("utf-8", errors="replace")
    replaced = 0
    if "\ufffd" in decoded:
        replaced = len(line) - len(line.decode("utf-8", errors="ignore").encode("utf-8"))
    try:
        item = json.loads(decoded.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from error
    if not isinstance(item, dict):
        raise ValueError(f"is not a JSON object but of type {type(item).__name__}")
    if field not in item:
        raise ValueError(f"has no field {field!r}; its fields are {sorted(item)}")
    text = item[field]
    if not isinstance(text, str):
        raise ValueError(f"has no text in {field!r} but a value of type {type(text).__name__}")
    if _SURROGATE.search(text):  # an escape such as \ud800 that stands alone
        text, number = _SURROGATE.subn("\ufffd", text)
        replaced += _SURROGATE_BYTES * number
    return text, replaced
