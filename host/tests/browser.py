# SPDX-License-Identifier: GPL-2.0-or-later
"""Chromium without a window, driven through its debugging pipe."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time


class Browser:
    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        self.profile = tempfile.mkdtemp()
        ours, its = os.pipe(), os.pipe()
        # Chromium reads its descriptor 3 and writes its descriptor 4.
        def connect():
            read, write = os.dup(ours[0]), os.dup(its[1])
            os.dup2(read, 3)
            os.dup2(write, 4)
        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={self.profile}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=connect, close_fds=False, stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL)
        os.close(ours[0])
        os.close(its[1])
        self.to, self.of = ours[1], os.fdopen(its[0], "rb")
        self.number, self.session, self.errors = 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def read(self):
        text = bytearray()
        while (byte := self.of.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("Chromium ended")
            text += byte
        return json.loads(text)

    def note(self, message):
        """Keeps errors of scripts and violations of the page's policy."""
        method = message.get("method")
        if method == "Runtime.exceptionThrown" or (
                method == "Log.entryAdded" and message["params"]["entry"]["level"] == "error"):
            self.errors.append(message["params"])

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while (answer := self.read()).get("id") != self.number:
            self.note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, path):
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        self.wait("Page.loadEventFired")

    def wait(self, method):
        """Until an event."""
        while (message := self.read()).get("method") != method:
            self.note(message)

    def size(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)

    def media(self, media="", scheme="light"):
        self.call("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def run(self, script):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def key(self, key):
        for kind in ("rawKeyDown", "char", "keyUp"):
            if kind != "char" or key == "Enter":
                self.call("Input.dispatchKeyEvent", type=kind, key=key,
                          text="\r" if kind == "char" else "")

    def save(self, path, method, **params):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call(method, **params)["data"]))

    def shot(self, path, **params):
        self.save(path, "Page.captureScreenshot", captureBeyondViewport=True, **params)

    def pdf(self, path):
        self.save(path, "Page.printToPDF", preferCSSPageSize=True)

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait()
        # Its other processes may still write.
        for _ in range(50):
            shutil.rmtree(self.profile, ignore_errors=True)
            if not os.path.exists(self.profile):
                return
            time.sleep(0.1)
