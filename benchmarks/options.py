# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Types of the benchmarks' options, for argparse."""

import argparse

HEAD_SIZE = 64


def positive_int(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, received {text!r}")
    return int(text)


def width(text):
    """Of an encoder, in whole heads."""
    if not text.isdecimal() or int(text) < 1 or int(text) % HEAD_SIZE:
        raise argparse.ArgumentTypeError(
            f"expected a positive multiple of {HEAD_SIZE}, received {text!r}"
        )
    return int(text)


def share(text):
    """Of something, in (0, 1]."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(
            f"expected a number more than 0 and at most 1, received {text!r}"
        )
    return number
