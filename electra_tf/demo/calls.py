# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Malformed calls of the page's HTTP API get one clear message, before gradio sees them.

gradio fails on them with a traceback, and its answer names neither the value nor what it should be.
"""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, NamedTuple

import gradio as gr
from starlette.responses import JSONResponse

MAX_BYTES = 1_000_000
"""Of a call; texts are bounded far below."""
_BY_NAME = re.compile(r".*/gradio_api/(?:call|run|api)/(v2/)?([^/]+)/?")
_BY_NUMBER = re.compile(r".*/gradio_api/queue/join/?")
"""How pages and gradio's own clients call."""
_TYPES = {"string": ("a string", str), "number": ("a number", (int, float))}

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class Problem(NamedTuple):
    """What is wrong with a call: the status of the answer, and a sentence."""

    status: int
    what: str


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
        config = page.get_config_file()
        states = {part["id"] for part in config["components"] if part["type"] == "state"}
        self._by_number = {
            each["id"]: (each["api_name"], [number not in states for number in each["inputs"]])
            for each in config["dependencies"]
        }

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        by_name, by_number = _BY_NAME.fullmatch(path), _BY_NUMBER.fullmatch(path)
        if scope.get("method") != "POST" or not (by_name or by_number):
            await self._app(scope, receive, send)
            return
        body, messages = b"", []
        while not messages or (messages[-1].get("more_body") and len(body) <= MAX_BYTES):
            messages.append(await receive())
            body += messages[-1].get("body", b"")
        problem = Problem(413, f"A call is expected to have at most {MAX_BYTES:,} bytes.")
        if len(body) <= MAX_BYTES:
            problem = self._problem_of(*by_name.groups()) if by_name else None
            problem = problem or self._problem_in(body, by_name)
        if problem is None:
            await self._app(scope, _again(messages, receive), send)
            return
        detail = {"__type__": "validate", "is_valid": False, "parameter_name": "call"}
        content = {"error": problem.what, "detail": [{**detail, "message": problem.what}]}
        await JSONResponse(content, problem.status)(scope, receive, send)

    def _problem_of(self, _: str | None, name: str) -> Problem | None:
        if name in self._parameters:
            return None
        names = ", ".join(self._parameters)
        return Problem(404, f"The name is expected to be one of {names}, but is {name!r}.")

    def _problem_in(self, body: bytes, by_name: re.Match | None) -> Problem | None:
        """What is wrong with the values; what is no call at all is left to gradio's answer."""
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(call, dict):
            return None
        if by_name and by_name[1]:
            parameters = [p for p in self._parameters[by_name[2]] if p["parameter_name"] in call]
            return _wrong_type(parameters, [call[p["parameter_name"]] for p in parameters])
        given = call.get("data")
        if not isinstance(given, list):
            return None
        if by_name:
            parameters = self._parameters[by_name[2]]
            return _wrong_count(by_name[2], parameters, given) or _wrong_type(parameters, given)
        number = call.get("fn_index")
        name, is_given = self._by_number.get(number if isinstance(number, int) else None, ("", []))
        given = [value for value, is_one in zip(given, is_given, strict=False) if is_one]
        return _wrong_type(self._parameters.get(name, []), given)


def _wrong_count(name: str, parameters: Sequence[dict], given: Sequence[Any]) -> Problem | None:
    if len(given) == len(parameters):
        return None
    names = ", ".join(parameter["parameter_name"] for parameter in parameters) or "none"
    return Problem(
        422,
        f"data of {name} is expected to have {len(parameters)} values ({names}), but has "
        f"{len(given)}.",
    )


def _wrong_type(parameters: Sequence[dict], given: Sequence[Any]) -> Problem | None:
    """The first value that is not of the type of its parameter. Most may be null, as if empty."""
    for parameter, value in zip(parameters, given, strict=False):
        kind = parameter["type"]
        expected, types = _TYPES.get(kind.get("type"), ("", object))
        choices = kind.get("enum")
        if choices:
            expected = f"one of {', '.join(map(str, choices))}"
        if value is None and parameter["component"] != "Slider" and not choices:
            continue
        is_right = types is object or (isinstance(value, types) and not isinstance(value, bool))
        if not is_right or (choices and value not in choices):
            name, shown = parameter["parameter_name"], repr(value)[:100]
            return Problem(422, f"{name} is expected to be {expected}, but is {shown}.")
    return None


def _again(messages: Sequence[Message], receive: Receive) -> Receive:
    """Messages that were received already, then the rest."""
    kept = iter(messages)

    async def next_message() -> Message:
        return next(kept, None) or await receive()

    return next_message
