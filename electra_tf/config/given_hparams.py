# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Hyperparameters as users give them: JSON, files, cards by their names, and single values."""

import ast
import dataclasses
import inspect
import itertools
import json
import os
import pathlib
import textwrap
from collections.abc import Sequence
from typing import Any

from electra_tf.config.fields import Role, check, did_you_mean, names_of
from electra_tf.config.pretraining_checks import Stage
from electra_tf.config.run_config import RunConfig
from electra_tf.files import exists, parse_json, read_json

_PACKAGE = pathlib.Path(__file__).parents[1]
_CARDS = (_PACKAGE / "cards" / "pretraining", _PACKAGE.parent / "configs" / "pretraining")
"""Where the run cards are: in an installed package, and in the repository."""


def cards() -> dict[str, str]:
    """Name -> path of the run cards of pre-training, which are files of hyperparameters."""
    files = (file for folder in _CARDS for file in sorted(folder.glob("*.json")))
    return {file.stem: str(file) for file in files}


def load_hparams(text_or_path: str) -> dict[str, Any]:
    """Hyperparameters from a JSON object, from the path of a file with one, or from a run card.

    Args:
        text_or_path: the object, the path, or the name of a card, such as "small". A file of that
            name is preferred to a card.

    Raises:
        ValueError: the text is none of these, or not a JSON object.
        FileNotFoundError: it names a file, but there is none.
    """
    text = text_or_path.strip()
    # Folders may have names with braces.
    is_file = text.endswith(".json") or not text.startswith("{")
    if not is_file and ('"' in text or not text.strip("{} \n\t")):
        return parse_json(text, "--hparams")
    if text and exists(text_or_path):
        return read_json(text_or_path)
    known = cards()
    if text in known:
        return read_json(known[text])
    expected = "--hparams is expected to be a JSON object or the path of a file with one, but "
    if "." in text or "/" in text:
        raise FileNotFoundError(
            f"{expected}{text_or_path!r} is no JSON object, and there is no file of that name."
        )
    raise ValueError(
        f"{expected}{text_or_path!r} is no JSON object, and there is no file and no card of that "
        f"name{did_you_mean(text, known) or '.'} The cards are {', '.join(known)}."
    )


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Hyperparameters from texts "name=value"; a value is JSON, or else text.

    >>> parse_assignments(["vocab_size=8000", "optimizer=lamb", "stages=[]"])
    {'vocab_size': 8000, 'optimizer': 'lamb', 'stages': []}

    Raises:
        ValueError: there is no "=", a name is given twice, or what begins as a list or an object is
            no JSON.
    """
    hparams: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        name = name.strip().replace("-", "_")
        check(bool(name and equals), "--set", "name=value", assignment)
        if name in hparams:
            raise ValueError(f"--set gives {name} more than once.")
        try:
            hparams[name] = json.loads(value)
        except ValueError:
            if value.lstrip().startswith(("{", "[", '"')):
                parse_json(value, f"--set {name}", object)
            hparams[name] = value
    return hparams


def expanded_paths(kind: type[RunConfig], hparams: dict[str, Any]) -> dict[str, Any]:
    """Hyperparameters whose paths have a home folder for `~`, and values for `$VARIABLES`.

    A variable that is not set stays as it is written. Values of wrong types stay, too.
    """
    names = names_of(kind, Role.PATH | Role.MAY_BE_PATH)
    done = {name: _expanded(v) if name in names else v for name, v in hparams.items()}
    if isinstance(done.get("stages"), list):
        paths = names_of(Stage, Role.PATH)
        done["stages"] = [
            {n: _expanded(v) if n in paths else v for n, v in stage.items()}
            if isinstance(stage, dict)
            else stage
            for stage in done["stages"]
        ]
    return done


def _expanded(value: Any) -> Any:
    if isinstance(value, list):
        return [_expanded(item) for item in value]
    if not isinstance(value, str):
        return value
    # Patterns of records are separated by commas.
    return ",".join(os.path.expanduser(part) for part in os.path.expandvars(value).split(","))


# ---- What there is to give


def describe_hparams(kind: type[RunConfig]) -> str:
    """Name, default and meaning of all hyperparameters of a kind of run.

    The meanings are the docstrings below the fields.
    """
    meanings = field_docstrings(kind)
    lines = []
    for field in dataclasses.fields(kind):
        if field.name in ("model_name", "data_dir"):
            continue
        is_made = field.default is dataclasses.MISSING
        default = field.default_factory() if is_made else field.default
        # Paths without a fixed default follow from the folders of the run.
        shown = "from --data-dir and --model-name" if default == "" else json.dumps(default)
        lines.append(f"{field.name} = {shown}")
        indent = " " * 4
        choices = field.metadata["range"].choices if "range" in field.metadata else None
        meaning = meanings[field.name] + (f" Choices: {', '.join(choices)}." if choices else "")
        meaning = " ".join(meaning.replace("`", "").split())
        lines += textwrap.wrap(meaning, 100, initial_indent=indent, subsequent_indent=indent)
    return "\n".join(lines)


def field_docstrings(kind: type) -> dict[str, str]:
    """Name -> docstring of the fields of a dataclass and of those it is derived from."""
    found: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if not dataclasses.is_dataclass(each):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0].body
        for statement, following in itertools.pairwise(body):
            is_field = isinstance(statement, ast.AnnAssign)
            is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if is_field and is_text:
                found[statement.target.id] = following.value.value
    return found
