"""A copy of the course, a running `flipbook learn`, and a real browser in front of it."""

import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from common.course import paths

BROWSER_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000  # milliseconds for anything that may wait for a kernel on a busy machine


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of what a learner has after cloning, in a folder of its own: the developer's `work/` stays untouched."""
    checkout = paths.root()
    root = tmp_path_factory.mktemp("course")
    for folder in ("labs", "phases", "solutions", "tests/labs"):
        shutil.copytree(checkout / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "datasets").symlink_to(checkout / "datasets")
    return root


@pytest.fixture(scope="module")
def address(course):
    """`flipbook learn --no-browser` on the copy; the address that it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("FLIPBOOK_", "NBGRADER_"))}
    environment |= {"FLIPBOOK_ROOT": str(course), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "common.course", "learn", "--no-browser"]
    server = subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    output = []
    threading.Thread(target=lambda: output.extend(server.stdout), daemon=True).start()
    deadline = time.monotonic() + 60
    while not (found := re.search(r"http://\S+", "".join(output))):
        assert server.poll() is None and time.monotonic() < deadline, f"no address came: {''.join(output)}"
        time.sleep(0.1)
    yield found[0]
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(20)




@pytest.fixture
def open_page(require_browser, tmp_path, snapshot, request):
    """`open_page(size=(1280, 900), theme="light")`: a page of a browser that has never been here before."""
    if os.environ.get("CI") == "true":  # there everything is installed, and a skip would hide a hole
        sync_api = importlib.import_module("playwright.sync_api")
    else:
        sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    with sync_api.sync_playwright() as playwright:
        contexts = []

        def make(size=(1280, 900), theme="light"):
            context = playwright.chromium.launch_persistent_context(
                tmp_path / f"browser-{len(contexts)}",
                executable_path=require_browser,
                headless=True,
                args=BROWSER_ARGUMENTS,
                viewport={"width": size[0], "height": size[1]},
                color_scheme=theme,
            )
            contexts.append(context)
            context.set_default_timeout(PATIENCE)
            return context.pages[0]

        yield make
        for context in contexts:
            snapshot(context.pages[0], f"last-{request.node.name}")
            context.close()


@pytest.fixture
def snapshot():
    """`snapshot(page, name)`: a picture in the folder that FLIPBOOK_SCREENSHOTS names, nothing where it is not set."""
    folder = os.environ.get("FLIPBOOK_SCREENSHOTS")

    def take(page, name):
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png")

    return take


class Notebook:
    """The notebook tab in front: find a cell by its text, write into it, run it."""

    def __init__(self, page):
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()

    def cell(self, text):
        """The first code cell that contains `text`, brought into view."""
        cell = self.panel.locator(".jp-CodeCell", has_text=text).first
        cell.scroll_into_view_if_needed()
        return cell

    def write(self, cell, text):
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def run(self, cell):
        """Run a cell. A key pressed while the kernel still connects is lost: press until the prompt changes."""
        prompt = cell.locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        for _ in range(20):
            for text in self.page.locator(".jp-Dialog").all_inner_texts():
                raise AssertionError(f"a dialog stands in the way: {text!r}")
            cell.locator(".cm-content").click(timeout=5_000)
            self.page.keyboard.press("Control+Enter")
            for _ in range(15):
                if prompt.inner_text() != before:
                    self.wait_until_done(prompt)
                    return
                self.page.wait_for_timeout(100)
        raise AssertionError(f"the cell never ran: {cell.inner_text()[:80]!r}")

    def wait_until_done(self, prompt):
        deadline = time.monotonic() + PATIENCE / 1000
        while not re.search(r"\[\d+\]", prompt.inner_text()):
            assert time.monotonic() < deadline, "the cell ran for more than a minute"
            self.page.wait_for_timeout(50)

    def save(self):
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+S")
        self.page.wait_for_function("() => !document.querySelector('.lm-TabBar-tab.jp-mod-dirty.jp-mod-current')")


@pytest.fixture
def notebook():
    """The `Notebook` of the tab in front of a page."""
    return Notebook
