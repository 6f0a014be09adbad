# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Data files as text and as lines, plain or compressed, with errors that name the place."""

import gzip
import json

import tensorflow as tf


def read_text(path):
    """Returns the text of a UTF-8 file; one whose name ends in .gz is unpacked.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not UTF-8 or not a gzip file; names the line.
    """
    path = str(path)
    if not tf.io.gfile.exists(path):
        raise FileNotFoundError(f"The data file {path} does not exist.")
    with tf.io.gfile.GFile(path, "rb") as file:
        content = file.read()
    if path.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise ValueError(f"{path}: expected a gzip file, received {error}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: expected UTF-8, received the byte 0x{content[error.start]:02x}."
        ) from error


def read_lines(path):
    """Returns the lines of a file without their ends; only newlines end a line."""
    text = read_text(path)
    if not text:
        return []
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def json_object(text, place, bad_rows):
    """Returns the JSON object that a line holds, or None after reporting that it does not."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        bad_rows.report(place, "a JSON object", f"what is not JSON ({error})")
        return None
    if not isinstance(value, dict):
        bad_rows.report(place, "a JSON object", f"a {type(value).__name__}")
        return None
    return value


def is_text(value):
    """Returns whether a value of a JSON file is a string that has a UTF-8 form.

    JSON can hold halves of surrogate pairs, which do not.
    """
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_examples(examples, path):
    """Returns the examples; raises ValueError if there are none."""
    if not examples:
        raise ValueError(f"{path}: expected at least one example, received an empty split.")
    return examples
