# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Headless Chromium, driven by its DevTools protocol."""

import asyncio
import base64
import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request

from tornado.websocket import websocket_connect

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",  # tests run as root, too
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=en",
    "--remote-debugging-port=0",
)
SECONDS = 30
"""What a page may take to show something."""


PLACE = """(selector, text) => {
  for (const element of document.querySelectorAll(selector)) {
    if (element.textContent.trim() !== text) continue;
    element.scrollIntoView({block: "center"});
    const box = element.getBoundingClientRect();
    const place = [box.x + box.width / 2, box.y + box.height / 2];
    if (element.contains(document.elementFromPoint(...place))) return place;
  }
}"""
"""The middle of the element that a click there would meet."""


class Browser:
    """A page in Chromium; made by `browser`.

    Attributes:
        requested: addresses of all that the pages asked for.
        complaints: what the pages logged as errors.
    """

    def __init__(self, port):
        self._loop = asyncio.new_event_loop()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            (page,) = (p for p in json.load(answer) if p["type"] == "page")
        self._socket = self._loop.run_until_complete(_connected(page["webSocketDebuggerUrl"]))
        self._calls, self.requested, self.complaints = 0, [], []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """The result of a method of the protocol."""
        return self._loop.run_until_complete(self._call(method, params))

    async def _call(self, method, params):
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        await self._socket.write_message(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(self._socket.read_message(), SECONDS))
            if answer.get("id") == self._calls:
                assert "error" not in answer, answer
                return answer["result"]
            if answer.get("method") == "Network.requestWillBeSent":
                self.requested.append(answer["params"]["request"]["url"])
            if answer.get("method") == "Log.entryAdded":
                self.complaints.append(answer["params"]["entry"])

    def run(self, script):
        """The value of an expression in JavaScript."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, script):
        """The value of an expression as soon as it is true."""
        end = time.monotonic() + SECONDS
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"{script}\n{self.run('document.body.innerText')}"
            time.sleep(0.05)
        return value

    def open(self, address, width=1000, height=700):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Page.navigate", url=address)

    def click(self, selector, text):
        """Click in the middle of the element of this text, once it can be seen and rests there."""
        find, before = f"({PLACE})({selector!r}, {text!r})", None
        while (place := self.wait(find)) != before:
            before = place
            time.sleep(0.2)
        for kind in ("mousePressed", "mouseReleased"):
            x, y = place
            button = {"button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def type(self, label, text):
        """Replace the text of the field with a label."""
        self.click("label span", label)
        self.run("document.activeElement.select()")
        self.call("Input.insertText", text=text)

    def picture(self, path, height=None):
        """Write what is shown as a PNG."""
        clip = {"x": 0, "y": 0, "width": 1000, "height": height or 700, "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", clip=clip)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def close(self):
        self._socket.close()
        self._loop.close()


async def _connected(address):
    return await websocket_connect(address, max_message_size=2**26)


@contextlib.contextmanager
def browser():
    """A `Browser`, with a profile of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            file, end = pathlib.Path(profile, "DevToolsActivePort"), time.monotonic() + SECONDS
            while not (file.exists() and file.read_text().count("\n")):
                assert time.monotonic() < end and process.poll() is None
                time.sleep(0.05)
            page = Browser(int(file.read_text().split()[0]))
            yield page
            page.close()
        finally:
            process.terminate()
            process.wait(timeout=SECONDS)
