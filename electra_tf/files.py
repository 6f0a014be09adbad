# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Reading and writing whole files, local or remote.

What is written appears under its name completely or not at all. What is read and cannot be used
ends in one error that names the file.
"""

import codecs
import contextlib
import errno
import functools
import hashlib
import json
import os
import pickle
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from electra_tf.tensorflow_log import kept_at_start

TEMPORARY = ".electra_tf_tmp"
"""Ending of a file that is being written; no file of others has such a name."""

_MAX_JSON_BYTES = 1 << 28
"""The largest JSON files anyone has, sets of questions, have less than a quarter of this."""

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NAMES = {
    dict: "a JSON object",
    list: "a JSON list",
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    object: "JSON",
}


def gfile() -> Any:
    """TensorFlow's file system, which also reads remote places; imported when one is asked for."""
    with kept_at_start():
        import tensorflow as tf

    return tf.io.gfile


def local_path(path: str) -> str | None:
    """The path as Python takes it, which finds it without TensorFlow; None for a remote one."""
    path = os.fspath(path).removeprefix("file://")
    return None if "://" in path else path


def exists(path: str) -> bool:
    """Whether there is such a file or folder."""
    local = local_path(path)
    return gfile().exists(path) if local is None else os.path.exists(local)


def is_folder(path: str) -> bool:
    """Whether there is such a folder."""
    local = local_path(path)
    return gfile().isdir(path) if local is None else os.path.isdir(local)


def names_in(folder: str) -> list[str]:
    """Names of what a folder holds, in any order."""
    local = local_path(folder)
    if local is None:
        return [name.rstrip("/") for name in gfile().listdir(folder)]
    return os.listdir(local or ".")


def read_bytes(path: str, count: int = -1) -> bytes:
    """The content of a file, or its first `count` bytes.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is a folder, or cannot be read.
    """
    path = os.fspath(path)
    if not exists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if is_folder(path):
        raise IsADirectoryError(f"{path} is expected to be a file, but is a folder.")
    local = local_path(path)
    if local is None:
        return _read_remote(path, count)
    with open(local, "rb") as file:
        return file.read(count)


def _read_remote(path: str, count: int) -> bytes:
    import tensorflow as tf

    try:
        with gfile().GFile(path, "rb") as file:
            return file.read(count)
    except tf.errors.PermissionDeniedError as error:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path) from error
    except tf.errors.OpError as error:
        reason = error.message or type(error).__name__
        raise OSError(f"{path} cannot be read: {reason}") from error


def sha256_of(path: str) -> str:
    """Hexadecimal SHA-256 of the content of a file, which is read in parts."""
    digest = hashlib.sha256()
    with gfile().GFile(path, "rb") as file:
        while block := file.read(1 << 24):
            digest.update(block)
    return digest.hexdigest()


def read_text(path: str) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte order mark.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is a folder, or cannot be read.
        ValueError: it is in another encoding; names the line.
    """
    return decode(read_bytes(path), path)


def decode(content: bytes, where: str, first_line: int = 1) -> str:
    """The text of bytes in UTF-8, or in UTF-16 with a byte order mark; the mark is left out.

    Args:
        content: the bytes.
        where: their file, or what else errors call it.
        first_line: of the file that is in `content`; only line 1 can begin with a mark.

    Raises:
        ValueError: they are in another encoding; names `where` and the line.
    """
    encoding = "utf-8"
    if first_line == 1:
        encoding = "utf-16" if is_utf16(content) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + first_line
        raise ValueError(
            f"{where}, line {line}: expected {encoding.removesuffix('-sig').upper()}, received "
            f"the byte 0x{content[error.start]:02x}."
        ) from error


def is_utf16(content: bytes) -> bool:
    """Whether the bytes of a text begin with a byte order mark of UTF-16."""
    return content.startswith(_UTF16_MARKS)


def read_json(path: str, kind: type = dict) -> Any:
    """The value of a JSON file, an object unless `kind` says otherwise.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: it is a folder, or cannot be read.
        ValueError: it is not JSON, or not of that kind; names the file.
    """
    return parse_json(read_bytes(path), path, kind)


def parse_json(content: bytes | str, where: str, kind: type = dict) -> Any:
    """The value that JSON stands for, an object unless `kind` says otherwise.

    Args:
        content: the JSON text, in the encodings of `decode`.
        where: its file, or what else errors call it.
        kind: dict, list, str, bool or int; `object` takes every value.

    Raises:
        ValueError: it is not JSON, is too large or too deep, gives a name of an object twice, or is
            not of that kind.
    """
    if len(content) > _MAX_JSON_BYTES:
        raise ValueError(
            f"{where} is expected to be JSON of at most {_MAX_JSON_BYTES:,} bytes, but has "
            f"{len(content):,}."
        )
    text = decode(content, where) if isinstance(content, bytes) else content
    try:
        value = json.loads(text, object_pairs_hook=_object_without_repeats)
    except ValueError as error:
        raise ValueError(f"{where} is expected to be {_NAMES[kind]}: {error}.") from error
    except RecursionError as error:
        raise ValueError(
            f"{where} is expected to be {_NAMES[kind]}, but its brackets are nested too deeply."
        ) from error
    if not is_of_kind(value, kind):
        raise ValueError(f"{where} is expected to be {_NAMES[kind]}, but is {_shown(value)}.")
    return value


def check_keys(stored: Mapping[str, Any], kinds: Mapping[str, type | tuple], where: str) -> None:
    """Check that a stored object has what will be read from it.

    Args:
        stored: the object.
        kinds: the type of each key's value, or several; `type(None)` among them for null.
        where: its file, or what else errors call it.

    Raises:
        ValueError: the first key that is missing or has a value of another type.
    """
    for key, kind in kinds.items():
        choices = kind if isinstance(kind, tuple) else (kind,)
        if key not in stored or not any(is_of_kind(stored[key], choice) for choice in choices):
            expected = " or ".join(
                "null" if choice is type(None) else _NAMES[choice] for choice in choices
            )
            received = f"is {_shown(stored[key])}" if key in stored else "is missing"
            raise ValueError(f"{where}: {key!r} is expected to be {expected}, but {received}.")


def is_of_kind(value: Any, kind: type) -> bool:
    """As isinstance, of JSON: truth values are no numbers, integers are floats, all is `object`."""
    if isinstance(value, bool):
        return kind in (bool, object)
    return isinstance(value, (int, float) if kind is float else kind)


def _shown(value: Any) -> str:
    try:
        return shortened(json.dumps(value, ensure_ascii=False), 60)
    except RecursionError:  # it was just shallow enough to be read
        return "deeply nested"


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"given more than once: {', '.join(repeated)}")
    return value


def shortened(text: str, limit: int) -> str:
    """A text for a message: the first `limit` characters, where it is longer."""
    return text if len(text) <= limit else f"{text[:limit]}..."


def first_names(names: Sequence[str]) -> str:
    """The first of some names for a message: "a, b, c, ..."."""
    return ", ".join([*names[:3], *(["..."] if len(names) > 3 else [])])


_FULL = {n: os.strerror(n) for n in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)}
"""A full disk, a full quota, and the limit on the size of a file."""


MAKE_ROOM = "Make room there, or raise the limit; then the same command resumes."


def full_disk(error: BaseException) -> str | None:
    """What there is no room for, in the system's words; None if the error is another one.

    TensorFlow has the same types of errors for other things: a step that needs too much memory.
    """
    if isinstance(error, OSError):
        return _FULL.get(error.errno)
    return next((text for text in _FULL.values() if text in str(error)), None)


@contextlib.contextmanager
def writes(path: str) -> Iterator[None]:
    """What is inside writes to a path.

    Raises:
        OSError: it cannot; names the path, and on a full disk what to do.
    """
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        full = full_disk(error)
        if full is None and isinstance(error, OSError):
            raise
        # Some file systems say nothing but the kind of error.
        reason = f"{full}. {MAKE_ROOM}" if full else error.message or type(error).__name__
        raise OSError(f"Cannot write {path}: {reason}") from error


def writing(path: str, call: Callable, *arguments: Any, **options: Any) -> Any:
    """Call a function that writes; raises as `writes` does."""
    with writes(path):
        return call(*arguments, **options)


@contextlib.contextmanager
def new_file(path: str, mode: str = "w", partial: str | None = None) -> Iterator[Any]:
    """A file to `write` to, which gets its name when all is written, and is removed otherwise.

    Args:
        path: its name; folders are made as needed.
        mode: "w" for text, in UTF-8, or "wb" for bytes.
        partial: what it is called until then; default: the path and TEMPORARY.

    Raises:
        OSError: it cannot be written.
    """
    path = os.fspath(path)
    folder, partial = os.path.dirname(path), partial or f"{path}{TEMPORARY}"
    if folder:
        writing(folder, gfile().makedirs, folder)
    file = gfile().GFile(partial, mode)
    try:
        # TensorFlow makes the file at the first write, which an empty file would not have.
        writing(path, file.write, b"" if mode == "wb" else "")
        yield types.SimpleNamespace(write=functools.partial(writing, path, file.write))
        writing(path, file.close)
        writing(path, gfile().rename, partial, path, overwrite=True)
    except BaseException:
        with contextlib.suppress(OSError):  # on a full disk closing fails once more
            writing(path, file.close)
        if exists(partial):
            gfile().remove(partial)
        raise


def write_bytes(path: str, content: bytes, partial: str | None = None) -> None:
    """Write a file; folders are made as needed. `partial` is as in `new_file`."""
    with new_file(path, "wb", partial) as file:
        file.write(content)


def write_text(path: str, text: str) -> None:
    """Write a text file, UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: str, value: Any) -> None:
    """Write JSON that people can read."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_pickle(path: str, value: Any) -> None:
    """Write a pickled value."""
    write_bytes(path, pickle.dumps(value))
