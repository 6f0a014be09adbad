# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""The page as a whole, and its server: nothing comes from outside, and nothing goes there."""

import html
import logging
import os
import time

# Read when gradio is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr
from starlette.middleware import Middleware

from electra_tf.demo.calls import App, Message, Receive, Send, WellFormedCallsOnly
from electra_tf.demo.tabs import add_tabs
from electra_tf.loading import LoadedModel

MAX_WAITING = 16
"""Requests that may wait for their turn; one is computed at a time, see `tabs.ONE_AT_A_TIME`."""
MAX_SESSIONS = 100
"""Pages whose last puzzle is remembered."""
FONTS = {"font": ["system-ui", "sans-serif"], "font_mono": ["monospace"]}
"""Those of the machine that shows the page."""
POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'; "
    "form-action 'self'; base-uri 'self'"
)
"""The browser refuses whatever a page with this header asks of another machine."""


class OwnContentOnly:
    """ASGI middleware that sends `POLICY` with every response."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", POLICY.encode())
                message["headers"] = [*message.get("headers", ()), policy]
            await send(message)

        await self._app(scope, receive, send_with_policy)


def make_page(model: LoadedModel, name: str) -> gr.Blocks:
    """The page of a model.

    Args:
        model: what it shows.
        name: of the model, for the title.

    Raises:
        ValueError: the model has nothing to show.
    """
    with gr.Blocks(title=name, analytics_enabled=False) as page:
        gr.HTML(f"<h1>{html.escape(name)}</h1>")
        if not add_tabs(model):
            raise ValueError(
                f"{name} has only {', '.join(sorted(model.signatures))}; the demo shows models "
                "that take text."
            )
    return page.queue(max_size=MAX_WAITING)


def start(page: gr.Blocks, host: str, port: int) -> str:
    """Serve a page in the background, until `page.close()`; returns its address.

    Raises:
        OSError: the port is taken.
    """
    # It would log every request that gradio makes to its own server.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    _, address, _ = page.launch(
        server_name=f"[{host}]" if ":" in host else host,
        server_port=port,
        theme=gr.themes.Default(**FONTS),
        app_kwargs={
            "middleware": [Middleware(OwnContentOnly), Middleware(WellFormedCallsOnly, page=page)]
        },
        state_session_capacity=MAX_SESSIONS,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        max_file_size=1,  # nothing is uploaded
        mcp_server=False,
        prevent_thread_lock=True,
        pwa=False,
        quiet=True,
        share=False,
        show_error=True,
        ssr_mode=False,
    )
    return address


def serve(model: LoadedModel, name: str, host: str, port: int) -> None:
    """Serve the page of a model until a signal comes.

    Raises:
        ValueError, OSError: see `make_page` and `start`.
    """
    page = make_page(model, name)
    try:
        print(f"{name} is shown at {start(page, host, port)} until Ctrl-C.", flush=True)
        wait()
    finally:
        page.close(verbose=False)


def wait() -> None:
    """Until a signal raises an exception here."""
    while True:  # not at once for ever: a signal that reaches another thread does not wake this one
        time.sleep(0.5)
