"""A copy of the course, a running `flipbook learn`, and a real browser in front of it."""

import importlib
import json
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

from common.course.base import paths

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
SETTINGS = "work/.flipbook/jupyter/config/lab/user-settings/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"
PATIENCE = 180_000  # milliseconds for anything that may wait for a kernel, on a machine with much else to do


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of what a learner has after cloning, in a folder of its own: the developer's `work/` stays untouched."""
    checkout = paths.root()
    root = tmp_path_factory.mktemp("course")
    for folder in ("labs", "phases", "solutions", "tests/labs"):
        shutil.copytree(checkout / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("datasets", "benchmarks"):
        (root / folder).symlink_to(checkout / folder)
    settings = root / SETTINGS
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"windowingMode": "none"}))  # every cell stays on the page, and nothing jumps
    return root


@pytest.fixture(scope="module")
def address(course):
    """`flipbook learn --no-browser` on the copy; the address that it prints."""
    ours = ("FLIPBOOK_", "NBGRADER_")
    environment = {k: v for k, v in os.environ.items() if k == "FLIPBOOK_PRESET" or not k.startswith(ours)}
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
    server.wait(PATIENCE / 1000)


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


# Scrolls a node to the middle of what scrolls around it; true once it is there, and still part of the page.
SHOW = """node => {
  node.scrollIntoView({ block: "center", behavior: "instant" });
  const box = node.getBoundingClientRect();
  return node.isConnected && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
}"""


class Notebook:
    """The notebook tab of `file`, once it is in front: find a cell by its text, write into it, run it.

    JupyterLab opens a page with the tabs of the page before, so another lab's tab may be in front for a moment.

    Nothing here waits for the page to stand still, as Playwright's own scrolling and clicking do: while a kernel
    starts and pictures arrive, on a busy machine, it may not for a minute. A node that is replaced meanwhile is found
    anew.
    """

    def __init__(self, page, file):
        self.page = page
        page.locator(f'.lm-TabBar-tab.lm-mod-current[title*="Path: {file}"]').wait_for()
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()

    def cell(self, text):
        """The first code cell that contains `text`, brought into view."""
        cell = self.panel.locator(".jp-CodeCell", has_text=text).first
        self.show(cell)
        return cell

    def show(self, node):
        """Bring a node into view."""
        self.insist(lambda: node.evaluate(SHOW), f"it never came into view: {node}")

    def insist(self, succeeds, otherwise):
        """Try until `succeeds()` is true."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not succeeds():
            assert time.monotonic() < deadline, otherwise
            self.page.wait_for_timeout(50)

    def enter(self, cell):
        """Put the cursor into a cell, as a click does."""
        for text in self.page.locator(".jp-Dialog").all_inner_texts():
            raise AssertionError(f"a dialog stands in the way: {text!r}")

        def entered():
            self.show(cell)
            cell.locator(".cm-content").focus()
            return "jp-mod-active" in cell.get_attribute("class") and cell.locator(".cm-editor.cm-focused").count() == 1

        self.insist(entered, f"the cursor never was in the cell: {cell}")

    def write(self, cell, text):
        self.enter(cell)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)
        first, last = text.splitlines()[0], text.splitlines()[-1]
        self.insist(
            lambda: {first, last} <= set(cell.locator(".cm-line").all_inner_texts()), f"the text never arrived: {first}"
        )

    def unfold(self, cell):
        """Show the code of a cell that is folded, as a click on its three dots does."""
        for placeholder in cell.locator(".jp-InputPlaceholder, .jp-Placeholder").all():
            placeholder.evaluate("node => node.click()")

    def unfold_headings(self):
        """Open every section that is folded under its heading."""
        folded = self.panel.locator(".jp-collapseHeadingButton.jp-mod-collapsed")
        while folded.count():  # one that is open is no longer among them
            folded.first.evaluate("node => node.click()")

    def run(self, cell):
        """Run a cell. While the kernel still connects a key is lost, or the cell waits and is let go: press again."""
        self.unfold(cell)
        prompt = cell.locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        for _ in range(12):
            self.enter(cell)
            self.page.keyboard.press("Control+Enter")
            for _ in range(50):
                if prompt.inner_text() != before:
                    break
                self.page.wait_for_timeout(100)
            if self.is_done(prompt, before):
                return
        raise AssertionError(f"the cell never ran: {cell.inner_text()[:80]!r}")

    def is_done(self, prompt, before):
        """Wait while the prompt says that the cell runs; True if it has a new number then."""
        deadline = time.monotonic() + PATIENCE / 1000
        while "*" in (now := prompt.inner_text()):
            assert time.monotonic() < deadline, f"the cell ran for more than {PATIENCE / 60_000:g} minutes"
            self.page.wait_for_timeout(50)
        return now != before and re.search(r"\[\d+\]", now) is not None

    def save(self):
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+S")
        self.page.wait_for_function("() => !document.querySelector('.lm-TabBar-tab.jp-mod-dirty.jp-mod-current')")


@pytest.fixture
def notebook():
    """`notebook(page, file)`: the `Notebook` of a file that the page opens."""
    return Notebook
