# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Making and removing whole folders, local or remote.

Nothing is removed but what this program made. A new folder gets its name when all is written.
"""

import contextlib
import os
from collections.abc import Callable, Iterator

from electra_tf.files import exists, first_names, gfile, is_folder, names_in, write_text, writing

MARK = ".made_by_electra_tf"
"""A file in folders that have no other file by which this program recognizes them as its own."""


def files_in(folder: str) -> list[str]:
    """Names of all files below a folder, relative to it; links are names, not followed."""
    return sorted(_walk(folder, "")) if is_folder(folder) else []


def _walk(folder: str, inner: str) -> Iterator[str]:
    for name in names_in(os.path.join(folder, inner)):
        name = os.path.join(inner, name)
        path = os.path.join(folder, name)
        is_link = os.path.islink(path.removeprefix("file://"))
        if is_folder(path) and not is_link:
            yield from _walk(folder, name)
        else:
            yield name


def check_removable(
    folder: str, is_ours: bool, is_made: Callable[[str], bool] = lambda name: True
) -> None:
    """Check that this program may remove what a folder holds.

    Args:
        folder: it need not exist.
        is_ours: whether a mark inside says that this program made the folder, and for this.
        is_made: whether a file was written by this program, by its name relative to the folder.

    Raises:
        FileExistsError: it holds files of others, or is a file; names them.
    """
    if exists(folder) and not is_folder(folder):
        raise FileExistsError(f"{folder} is expected to be a folder, but is a file. Move it away.")
    others = [name for name in files_in(folder) if not (is_ours and is_made(name))]
    if others:
        raise FileExistsError(
            f"{folder} is expected to be new or made by this run, but holds files that are not "
            f"its own: {first_names(others)}. Nothing was removed. Move them away, or choose "
            "another name."
        )


def remove_made(folder: str, is_made: Callable[[str], bool], mark: str) -> list[str]:
    """Remove the files of a folder that this program made, and the folder unless others remain.

    Args:
        folder: bears the mark.
        is_made: see `check_removable`.
        mark: the file that says so; it goes last, so that what a kill leaves bears it, too.

    Returns:
        Names of the files that remain, which are not ours.
    """
    found = files_in(folder)
    made = sorted(filter(is_made, found), key=lambda name: name == mark)
    for name in made:
        gfile().remove(os.path.join(folder, name))
    inner = {os.path.dirname(name) for name in made} - {""}
    inner |= {os.path.dirname(name) for name in inner} - {""}
    for name in [*sorted(inner, key=len, reverse=True), ""]:
        path = os.path.join(folder, name)
        if is_folder(path) and not files_in(path):
            gfile().rmtree(path)
    return [name for name in found if not is_made(name)]


def check_new(folder: str) -> None:
    """Check that `new_folder` can write a folder.

    Raises:
        ValueError: there is one of that name that is not empty.
        FileExistsError: "<folder>.incomplete" is not what an earlier run of this program left.
    """
    folder = folder.rstrip("/")
    if exists(folder) and (not is_folder(folder) or names_in(folder)):
        raise ValueError(f"{folder} is expected to be a new folder, but holds files already.")
    partial = f"{folder}.incomplete"
    check_removable(partial, exists(os.path.join(partial, MARK)))


@contextlib.contextmanager
def new_folder(folder: str) -> Iterator[str]:
    """A folder to write to, which gets its name when all is written, and is removed otherwise.

    Raises:
        ValueError, FileExistsError: see `check_new`.
    """
    folder = folder.rstrip("/")
    check_new(folder)
    partial = f"{folder}.incomplete"
    if exists(partial):
        gfile().rmtree(partial)
    try:
        write_text(os.path.join(partial, MARK), "Left by a run that was killed.\n")
        yield partial
        check_new(folder)  # others may have put files there meanwhile
        if exists(folder):
            gfile().rmtree(folder)
        writing(folder, gfile().rename, partial, folder)
        gfile().remove(os.path.join(folder, MARK))
    finally:
        if exists(partial):
            gfile().rmtree(partial)
