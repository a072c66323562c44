"""A page as a reader sees it: headless Chromium, told what to do by the DevTools protocol, without a network."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needed = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: `tools/chromium.sh install` installs it"
)
_LONGEST = 30.0


class Tab:
    """A tab of the browser; ``requests`` are all that it asked for, ``errors`` what its console shows in red."""

    def __init__(self, loop: IOLoop, socket: Any) -> None:
        self._loop, self._socket, self._count = loop, socket, 0
        self.requests: list[str] = []
        self.errors: list[str] = []

    def _read(self) -> dict[str, Any]:
        text = self._loop.run_sync(self._socket.read_message, timeout=_LONGEST)
        message = json.loads(text)
        about = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(
                    about["exceptionDetails"].get("exception", {}).get("description", "thrown")
                )
            case "Log.entryAdded" if about["entry"]["level"] == "error":
                self.errors.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")
            case "Runtime.consoleAPICalled" if about["type"] == "error":
                self.errors.append(str([each.get("value") for each in about["args"]]))
        return message

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._count += 1
        self._socket.write_message(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while (message := self._read()).get("id") != self._count:
            pass
        assert "error" not in message, message
        return message["result"]

    def open(self, url: str, width: int = 1400, height: int = 1000) -> None:
        """Go to a page in a window so wide, and wait until it is there."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.tell(f"{domain}.enable")
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.tell("Page.navigate", url=url)
        self.wait("document.readyState == 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        answer = self.tell("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + _LONGEST
        while not self.run(script):
            assert time.monotonic() < until, script
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """Press a key, such as ``ArrowRight`` or ``Tab``."""
        codes = {"ArrowLeft": 37, "ArrowRight": 39, "ArrowUp": 38, "ArrowDown": 40, "Tab": 9}
        for kind in ("rawKeyDown", "keyUp"):
            self.tell(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key]
            )

    def picture(self, path: Path) -> None:
        """Save what is seen."""
        path.write_bytes(base64.b64decode(self.tell("Page.captureScreenshot")["data"]))


@contextlib.contextmanager
def tab() -> Iterator[Tab]:
    """A browser with one tab, which ends with this block."""
    assert CHROMIUM
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += [
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            "--no-first-run",
            "about:blank",
        ]
        environment = os.environ | {"HOME": profile}
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
        )
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if found := re.search(r"ws://127\.0\.0\.1:(\d+)/", line):
                    break
            loop = IOLoop(make_current=False)

            async def connect() -> Any:
                from tornado.httpclient import AsyncHTTPClient

                listed = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{found[1]}/json/list")
                (page,) = [each for each in json.loads(listed.body) if each["type"] == "page"]
                return await websocket_connect(page["webSocketDebuggerUrl"], max_message_size=1 << 28)

            yield Tab(loop, loop.run_sync(connect, timeout=_LONGEST))
        finally:
            process.kill()
            process.wait()
