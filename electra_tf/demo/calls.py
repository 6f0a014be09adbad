# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Malformed calls of the page's HTTP API get one clear message, before gradio sees them.

gradio fails on them with a traceback, and its answer names neither the value nor what it should be.
"""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import gradio as gr
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

MAX_BYTES = 1_000_000
"""Of a call; texts are bounded far below."""
_CALL = re.compile(r".*/gradio_api/(?:(?:call|run|api)/(v2/)?([^/]+)|queue/join)/?")
"""By name, or by number as the page and gradio's own clients do."""
_TYPES = {"string": ("a string", str), "number": ("a number", (int, float))}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class WellFormedCallsOnly:
    """ASGI middleware that answers malformed calls itself.

    Args:
        app: what answers the others.
        page: whose API it is.
    """

    def __init__(self, app: App, page: gr.Blocks):
        self._app = app
        named = page.get_api_info()["named_endpoints"]
        self._parameters = {name.strip("/"): found["parameters"] for name, found in named.items()}
        events = page.get_config_file()["dependencies"]
        # No function that has a name takes both values and states, which have no parameters.
        self._by_number = {e["id"]: self._parameters.get(e["api_name"], []) for e in events}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        call = _CALL.fullmatch(scope.get("path", ""))
        if scope.get("method") != "POST" or not call:
            await self._app(scope, receive, send)
            return
        body, messages = b"", []
        while not messages or (messages[-1].get("more_body") and len(body) <= MAX_BYTES):
            messages.append(await receive())
            body += messages[-1].get("body", b"")
        received = iter(messages)

        async def receive_again() -> Message:
            return next(received, None) or await receive()

        try:
            self._check(body, *call.groups())
        except HTTPException as problem:
            what = problem.detail
            # gradio's clients show the message of a failed validation.
            detail = {"__type__": "validate", "is_valid": False, "parameter_name": "call"}
            content = {"error": what, "detail": [{**detail, "message": what}]}
            await JSONResponse(content, problem.status_code)(scope, receive, send)
        else:
            await self._app(scope, receive_again, send)

    def _check(self, body: bytes, values_have_names: str | None, name: str | None) -> None:
        """Raise what is wrong with a call; what is no call at all is left to gradio's answer."""
        if len(body) > MAX_BYTES:
            raise HTTPException(413, f"A call is expected to have at most {MAX_BYTES:,} bytes.")
        if name is not None and name not in self._parameters:
            names = ", ".join(self._parameters)
            raise HTTPException(404, f"The name is expected to be one of {names}, but is {name!r}.")
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            return
        if not isinstance(call, dict):
            return
        if name is None:
            number = call.get("fn_index")
            parameters = self._by_number.get(number, []) if isinstance(number, int) else []
        else:
            parameters = self._parameters[name]
        if values_have_names:
            parameters = [each for each in parameters if each["parameter_name"] in call]
            given = [call[each["parameter_name"]] for each in parameters]
        else:
            given = call.get("data")
        if not isinstance(given, list):
            return
        if name is not None:
            _check_count(name, [each["parameter_name"] for each in parameters], len(given))
        _check_types(zip(parameters, given, strict=False))


def _check_count(name: str, parameters: list[str], count: int) -> None:
    if count != len(parameters):
        names = ", ".join(parameters) or "none"
        expected = f"data of {name} is expected to have {len(parameters)} values ({names})"
        raise HTTPException(422, f"{expected}, but has {count}.")


def _check_types(values: Iterable[tuple[dict, Any]]) -> None:
    """Check values of parameters. Most may be null, as if empty."""
    for parameter, value in values:
        kind = parameter["type"]
        expected, types = _TYPES.get(kind.get("type"), ("", object))
        is_right = types is object or (isinstance(value, types) and not isinstance(value, bool))
        if choices := kind.get("enum"):
            expected, is_right = f"one of {', '.join(map(str, choices))}", value in choices
        elif value is None and parameter["component"] != "Slider":
            continue
        if not is_right:
            what = f"{parameter['parameter_name']} is expected to be {expected}"
            raise HTTPException(422, f"{what}, but is {repr(value)[:100]}.")
