# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The folder of a run: a lock that keeps other runs out, and which files in it a run has written.

On a file system of the machine the lock is the kernel's: it goes when its process goes, however
that ends. Elsewhere (gs://) there is no such thing: the owner renews a file, and who finds one
waits to see whether somebody still does.
"""

import contextlib
import datetime
import fcntl
import json
import os
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping

import tensorflow as tf
from absl import logging

from electra_tf.files import TEMPORARY, parse_json, write_text, writing
from electra_tf.folders import remove_made
from electra_tf.given_files import CONFIG_FILE
from electra_tf.training.checkpoints.checkpoint import PARTIAL, foreign_prefixes

BEST_FOLDER = "best"

RENEW_SECONDS = 20
ABANDONED_SECONDS = 90
"""Time without renewal after which a lock on a remote file system counts as abandoned."""


class FolderInUseError(OSError):
    """Another run writes to the folder."""


@contextlib.contextmanager
def locked(folder: str) -> Iterator[None]:
    """Keep other runs out of a folder while what is inside is done; the folder need not exist.

    The lock is a file beside the folder, "<folder>.lock".

    Raises:
        FolderInUseError: another run has it; it is named.
        FileExistsError: there is such a file, but no run has made it.
    """
    path = folder.rstrip("/") + ".lock"
    parent = os.path.dirname(path) or "."
    new = list(_missing(parent))
    writing(path, tf.io.gfile.makedirs, parent)
    hold = _remotely if "://" in path.removeprefix("file://") else _by_kernel
    try:
        with hold(path.removeprefix("file://")):
            yield
    finally:
        # A run that fails before it has written anything leaves nothing behind.
        for made in new:
            if tf.io.gfile.listdir(made):
                break
            tf.io.gfile.rmtree(made)


def _missing(folder: str) -> Iterator[str]:
    """The folder and those above it, as far as they do not exist; the innermost first."""
    # A scheme, such as "gs:", is what is left of a path in the end.
    while folder and not folder.endswith(":") and not tf.io.gfile.exists(folder):
        yield folder
        folder = os.path.dirname(folder)


def _description() -> dict[str, str | int]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"host": socket.gethostname(), "process": os.getpid(), "since": now}


def _in_use(path: str, text: str) -> FolderInUseError:
    owner = _owner(text)
    who = "an unknown process"
    if owner is not None:
        who = f"process {owner['process']} on {owner['host']}, since {owner['since']}"
    return FolderInUseError(
        f"{path.removesuffix('.lock')} is in use by another run: {who}. Wait for it, stop it, or "
        "choose another --model-name."
    )


def _owner(text: str) -> dict[str, str | int] | None:
    try:
        owner = parse_json(text, "the lock")
    except ValueError:
        return None
    return owner if {"process", "host", "since"} <= set(owner) else None


def _check_ours(path: str, text: str):
    """A run that was killed may have left the file, even before it wrote anything into it."""
    if text.strip() and _owner(text) is None:
        raise FileExistsError(
            f"{path} is expected to be absent or the lock of a run, but is a file of others. Move "
            "it away, or choose another --model-name."
        )


# ---- On a file system of this machine


@contextlib.contextmanager
def _by_kernel(path: str):
    descriptor = _open_locked(path)
    try:
        _check_ours(path, os.read(descriptor, 4096).decode(errors="replace"))
    except FileExistsError:
        os.close(descriptor)
        raise
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.truncate(descriptor, 0)
        writing(path, os.write, descriptor, json.dumps(_description()).encode())
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)
        os.close(descriptor)


def _open_locked(path: str) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.read(descriptor, 4096).decode(errors="replace")
            os.close(descriptor)
            raise _in_use(path, text) from None
        # The run before may have removed the file after it was opened here.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        os.close(descriptor)


# ---- Elsewhere


@contextlib.contextmanager
def _remotely(path: str):
    _wait_for_abandoned(path)
    owner = {**_description(), "run": uuid.uuid4().hex}
    _renew(path, owner, 0)
    over = threading.Event()

    def keep_renewing():
        number = 1
        while not over.wait(RENEW_SECONDS):
            _renew(path, owner, number)
            number += 1

    thread = threading.Thread(target=keep_renewing, name="folder lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        tf.io.gfile.remove(path)


def _renew(path: str, owner: Mapping[str, str | int], number: int):
    # A moment's trouble with the network should not end a run; the next renewal comes soon.
    with contextlib.suppress(tf.errors.OpError):
        write_text(path, json.dumps({**owner, "renewed": number}))


def _read(path: str) -> str | None:
    try:
        with tf.io.gfile.GFile(path) as file:
            return file.read()
    except tf.errors.NotFoundError:
        return None


def _wait_for_abandoned(path: str):
    found = _read(path)
    if found is None:
        return
    _check_ours(path, found)
    logging.info("%s exists; waiting to see whether its run lives.", path)
    deadline = time.monotonic() + ABANDONED_SECONDS
    while time.monotonic() < deadline:
        time.sleep(min(1.0, RENEW_SECONDS))
        text = _read(path)
        if text is None:
            return
        if text and text != found:
            raise _in_use(path, text)


# ---- Files of a run, which are all that goes when it starts over


_CHECKPOINT = re.compile(
    rf"(?P<folder>(?:{BEST_FOLDER}/)?(?:{PARTIAL}/)?)"
    r"(?:checkpoint|(?P<prefix>model\.ckpt-\d+)\.(?:index|data-\d+-of-\d+)(?:\.tempstate\d+)?)"
)
_OTHER = re.compile(
    r"config\.json|tokenizer\.json|vocab\.txt|spiece\.model|train_log\.jsonl|report\.html|"
    r"events\.out\.tfevents\.[^/]+|nonfinite_batch_step_\d+(?:_worker_\d+)?\.npz|"
    r"results/unsup_results\.(?:txt|pkl|json)"
)


def remove_run(folder: str, is_debug: bool = False) -> list[str]:
    """Remove what a run wrote into its model folder, which bears `CONFIG_FILE`.

    Args:
        folder: of the run.
        is_debug: whether it is to be thrown away: all files go but released weights, and those
            in folders that the run did not make, such as models that were fine-tuned from it.

    Returns:
        Names of the files that remain, which the run did not write.
    """
    foreign = {
        (inner, prefix)
        for inner in ("", f"{BEST_FOLDER}/")
        for prefix in foreign_prefixes(os.path.join(folder, inner))
    }

    def is_made(name: str) -> bool:
        name = name.removesuffix(TEMPORARY).removesuffix(".tmp")  # ".tmp": of earlier versions
        if _OTHER.fullmatch(name):
            return True
        match = _CHECKPOINT.fullmatch(name)
        if match is None:
            return is_debug and "/" not in name
        return (match["folder"], match["prefix"]) not in foreign

    return remove_made(folder, is_made, CONFIG_FILE)
