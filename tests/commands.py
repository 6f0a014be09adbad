# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The command `electra` in this process."""

import importlib
import io

import pytest

from electra_tf.cli import arguments
from electra_tf.cli.main import run_command


def electra(*line: object) -> int:
    """Status of the command with a verb and its flags."""
    with pytest.raises(SystemExit) as ended:
        run_command([str(part) for part in line])
    return ended.value.code or 0


def standard_input(content: bytes | str) -> io.TextIOWrapper:
    """What stands in for `sys.stdin`."""
    content = content.encode() if isinstance(content, str) else content
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")


def run_verb(verb: str, *flags: object) -> None:
    """What a verb does, with its exceptions as they are."""
    module = importlib.import_module(f"electra_tf.cli.{verb}")
    args = arguments.parser_of(module).parse_args([str(flag) for flag in flags])
    module.check(args)
    module.run(args)
