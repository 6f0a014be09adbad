# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Glob patterns: the files and folders they match, and lists of them."""

import fnmatch
import os
import re

from electra_tf.files import exists, gfile, is_folder, local_path, names_in

_SPECIAL = re.compile(r"[\[*?,\\]")
_BRACKETS_OR_ESCAPE = re.compile(r"(\[[!^]?\]?[^\]]*\])|\\(.)")
_SEPARATOR = re.compile(r",(?![^\[\]]*\])")


def listed(folder: str, pattern: str) -> list[str]:
    """Paths of what a folder holds under names that match a pattern, sorted; none if there is none.

    The folder is the one of that name, whatever characters it has.
    """
    if not is_folder(folder):
        return []
    names = sorted(fnmatch.filter(names_in(folder), pattern))
    return [os.path.join(folder, name) for name in names]


def matching(pattern: str) -> list[str]:
    """The file or folder of that name, or else those that match a glob pattern, sorted."""
    if exists(pattern):
        return [pattern]
    folder, name = os.path.split(pattern)
    if _SPECIAL.search(folder) and exists(folder):
        return listed(folder, name)
    if local_path(pattern) is None or pattern.startswith("file://"):
        return sorted(gfile().glob(pattern))
    return sorted(_local_matches(pattern))


def _local_matches(pattern: str) -> list[str]:
    r"""As `tf.io.gfile.glob`: \ escapes, and hidden names match like others."""
    parts = pattern.split("/")
    fixed = next((n for n, part in enumerate(parts) if re.search(r"[\[*?\\]", part)), len(parts))
    found = ["/".join(parts[:fixed]) or ("/" if pattern.startswith("/") else ".")]
    for part in parts[fixed:]:
        plain = _BRACKETS_OR_ESCAPE.sub(lambda m: m[1] or f"[{m[2]}]", part).replace("[^", "[!")
        fits = re.compile(fnmatch.translate(plain)).match
        folders = filter(is_folder, found)
        found = [os.path.join(f, name) for f in folders for name in names_in(f) if fits(name)]
    return [path for path in found if exists(path)]


def escaped(path: str) -> str:
    """A pattern for `split_patterns` and `matching` that means a path and nothing else."""
    return _SPECIAL.sub(lambda match: "[" + match[0].replace("\\", "\\\\") + "]", path)


def split_patterns(text: str) -> list[str]:
    """The parts of a comma-separated list of patterns, without white space around them.

    Where there are files of a name with commas, it is one part; commas in brackets separate
    nothing.
    """
    parts = [part for part in map(str.strip, _SEPARATOR.split(text)) if part]
    if len(parts) > 1 and matching(text.strip()):
        return [text.strip()]
    found, first = [], 0
    while first < len(parts):
        ends = range(len(parts), first + 1, -1) if not matching(parts[first]) else ()
        joined = ((end, ",".join(parts[first:end])) for end in ends)
        end, part = next((two for two in joined if matching(two[1])), (first + 1, parts[first]))
        found.append(part)
        first = end
    return found
