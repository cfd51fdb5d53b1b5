"""The player in a real browser: from the command line, and inside JupyterLab."""

import json
import os
import re
import signal
import statistics
import subprocess
import sys

import psutil
import pytest

from common.play.log import Log

KEYS = ("ArrowRight", "ArrowUp", "ArrowLeft", "Space")


@pytest.fixture
def player():
    """`player(*words)`: `flipbook play` in a process of its own; gives the address that it prints, and the process."""
    started = []

    def start(*words):
        command = [sys.executable, "-m", "common.course", "play", *words, "--no-browser"]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        started.append(process)
        said = ""
        while not (found := re.search(r"http://\S+", said)):
            line = process.stdout.readline()
            assert line, f"no address came: {said}"
            said += line
        return found[0], process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def watch(page):
    """Everything that goes wrong on a page."""
    wrong = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    return wrong


def frames_shown(page):
    return int(page.locator("#number").inner_text())


def play_until(page, number):
    """Hold one key after another until so many frames were shown. Returns the frames per second that the page says."""
    turn, rates = 0, []
    while frames_shown(page) < number:
        key = KEYS[turn % len(KEYS)]
        page.keyboard.down(key)
        page.wait_for_timeout(250)
        page.keyboard.up(key)
        turn += 1
        rates.append(page.locator("#fps").inner_text())
        assert turn < 400, f"only {frames_shown(page)} frames came"
    return statistics.median(float(rate) for rate in rates if rate != "–")


def core_seconds(process):
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def cells(page):
    return page.locator("#parts td").all_inner_texts()


def test_three_hundred_frames(player, open_page, snapshot, tmp_path):
    """Scripted keys, 20 frames per second and more, no word on the console; what was played can be proved."""
    address, process = player("rooms", "--engine", "--seed", "3", "--log", str(tmp_path / "kept.json"))
    page = open_page((1280, 800))
    wrong, asked = watch(page), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.get_by_text("Click to play").wait_for()
    assert "this is the game itself" in page.locator("#notice").inner_text()
    snapshot(page, "play-1-before")
    page.locator("#clock").fill("40")
    page.keyboard.press("e")
    page.locator("#engine").wait_for()
    page.get_by_role("button", name="Record").click()
    before = core_seconds(process)
    fps = play_until(page, 300)
    per_frame = (core_seconds(process) - before) / 300
    print(f"{fps} frames per second at a clock of 40, {1000 * per_frame:.1f} core-ms per frame in the server")
    assert per_frame <= 1 / 40, "engine, reader and transport take more than half a core at 20 frames per second"
    assert fps >= 20 or os.getloadavg()[0] > 2 * os.cpu_count(), f"{fps} frames per second"
    page.keyboard.press("p")
    page.get_by_text("Paused").wait_for()
    page.wait_for_timeout(300)
    assert cells(page) == ["100 %"] * 16, "the engine agrees with itself"
    seen = [page.locator(canvas).evaluate("canvas => canvas.toDataURL()") for canvas in ("#picture", "#twin")]
    assert seen[0] == seen[1], "game and twin differ"
    snapshot(page, "play-2-paused")

    with page.expect_download() as download:
        page.get_by_role("button", name="Stop and save").click()
    download.value.save_as(tmp_path / "play.mp4")
    assert (tmp_path / "play.mp4").read_bytes()[4:8] == b"ftyp"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save log").click()
    download.value.save_as(tmp_path / "log.json")
    assert sum(move[0] == "keys" for move in Log.from_file(tmp_path / "log.json").moves) == 1
    command = [sys.executable, "-m", "common.course", "play", "--replay", str(tmp_path / "log.json")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "each the same to the bit" in said
    assert wrong == []
    assert all(url.startswith(address.split("?")[0]) or url.startswith(("data:", "blob:")) for url in asked)

    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and "stopped" in said and "Traceback" not in said
    page.get_by_text("The connection is gone").or_(page.get_by_text("No connection")).wait_for()
    assert json.loads((tmp_path / "kept.json").read_text())["moves"][1] == ["restart", 3]


def test_keys_that_are_let_go_elsewhere(player, open_page, snapshot):
    """Blur lets every key go; the page scrolls for none; of two opposites the last counts; fingers work too."""
    address, _ = player("catch", "--engine")
    page = open_page((900, 640), theme="dark")
    wrong = watch(page)
    page.goto(address)
    page.get_by_text("Click to play").wait_for()
    page.keyboard.down("ArrowLeft")
    page.locator("#pad .held", has_text="left").wait_for()
    page.keyboard.down("ArrowRight")
    page.locator("#action", has_text="right").wait_for()
    page.keyboard.up("ArrowRight")
    page.locator("#action", has_text="left").wait_for()
    page.evaluate("() => window.dispatchEvent(new Event('blur'))")
    page.get_by_text("Paused").wait_for()
    assert page.locator("#pad .held").count() == 0
    options = "{ code: 'ArrowLeft', cancelable: true, bubbles: true }"
    taken = page.evaluate(f"() => !document.body.dispatchEvent(new KeyboardEvent('keydown', {options}))")
    assert taken, "the browser would scroll, a notebook would move its selection"
    page.locator("#action", has_text="left").wait_for()
    page.keyboard.press("r")
    page.evaluate("() => window.dispatchEvent(new Event('blur'))")
    finger = page.locator("#pad button", has_text="right")
    box = finger.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.locator("#action", has_text="right").wait_for()
    page.mouse.up()
    page.locator("#action", has_text="stay").wait_for()
    snapshot(page, "play-3-catch-dark")
    assert wrong == []


def test_the_second_window(player, open_page, snapshot):
    """One player at a time; the second window says so, and may take over."""
    address, _ = player("rooms", "--engine")
    first = open_page()
    first.goto(address)
    first.get_by_text("Click to play").wait_for()
    second = first.context.new_page()
    second.goto(address)
    second.get_by_text("Already being played").wait_for()
    snapshot(second, "play-4-second-window")
    second.locator("#cover").click()
    second.get_by_text("Click to play").wait_for()
    first.get_by_text("Played elsewhere").wait_for()


def test_inside_jupyterlab(address, open_page, snapshot):
    """At JupyterLab's own port, behind its token: reached from the start page, refused without a login."""
    page = open_page()
    page.goto(address)
    link = page.get_by_role("link", name="Play rooms")
    link.wait_for()
    with page.context.expect_page() as opened:
        link.click()
    game = opened.value
    wrong = watch(game)
    game.get_by_text("Click to play").wait_for()
    game.keyboard.press("ArrowRight")
    play_until(game, 20)
    snapshot(game, "play-5-in-jupyter")
    assert game.url.split("flipbook")[0] == page.url.split("lab")[0]
    assert wrong == []
    game.context.clear_cookies()
    game.reload()
    assert game.locator("#picture").count() == 0, "let in without a login"
