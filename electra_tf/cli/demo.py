# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Shows what a model can do, on a page in the browser."""

import argparse
import contextlib
import importlib.util
import os
import socket

from electra_tf.cli import arguments
from electra_tf.config import check as expect

HOST = "127.0.0.1"
PORT = 7860
TOP_K = 10
"""Fillings of each mask."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    parser.add_argument(
        "--model-dir",
        required=True,
        help="folder of a model made here, exported, of the original or of Hugging Face, a "
        "checkpoint of the original, or hf://owner/name",
    )
    parser.add_argument("--task", help="which task of a fine-tuned model, if it has several")
    parser.add_argument(
        "--host",
        default=HOST,
        help="address that the page is served at; others than the default let other machines in",
    )
    parser.add_argument("--port", type=int, default=PORT, help="port of the page")
    arguments.add_model_flags(parser)


def check(args: argparse.Namespace) -> None:
    """Check that the model, gradio and the port are there."""
    arguments.check_model_flags(args, args.model_dir)
    if importlib.util.find_spec("gradio") is None:
        raise ValueError("The page is made with gradio: pip install 'electra-tf[demo]'.")
    check_address(args.host, args.port)


def check_address(host: str, port: int) -> None:
    """Check that a page can be served there.

    Raises:
        ValueError: it cannot.
    """
    expect(1 <= port <= 65535, "--port", "1 to 65535", port)
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ValueError(f"--host is expected to be an address, but is {host!r}.") from error
    with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as trial:
        # As the server does; else a page that has just ended blocks its port for a minute.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as error:
            raise ValueError(
                f"--host {host} --port {port} cannot be used ({error.strerror}); another page may "
                "be there already: choose another --port."
            ) from error


def run(args: argparse.Namespace) -> None:
    """Load the model and serve its page."""
    from electra_tf.demo.page import serve
    from electra_tf.interop.opening import EXPORTED, find_model
    from electra_tf.loading import load

    # An exported model may have fewer.
    top_k = None if find_model(args.model_dir).kind == EXPORTED else TOP_K
    given = arguments.model_settings(args)
    model = load(args.model_dir, task=args.task, top_k=top_k, **given)
    name = os.path.basename(os.path.normpath(args.model_dir))
    serve(model, name, args.host, args.port)
