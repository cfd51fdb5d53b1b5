"""`flipbook learn`: everything in its place, JupyterLab from this environment alone, a free port, a clean end."""

import ast
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from common.course.base import cells, paths
from common.course.setup import learn

EXTENSION = learn.JUPYTER / "labextensions" / "flipbook-start"
SYLLABUS = """
[01_tiny]
title = "Tiny"
[01_tiny.concepts]
[01_tiny.labs]
"01.p1" = {title = "Numbers", stars = 2, stem = "01_numbers"}
"""


@pytest.fixture
def course(mini_course):
    """The tiny course with a syllabus and one bundled clip."""
    clips = mini_course.root / "datasets" / "big_buck_bunny"
    clips.mkdir(parents=True)
    (clips / "clips.json").write_text('{"clips": {"leap": {"file": "leap.mp4"}}}')
    (clips / "leap.mp4").write_bytes(b"film")
    (mini_course.root / "phases").mkdir()
    (mini_course.root / "phases" / "syllabus.toml").write_text(SYLLABUS)
    return mini_course


def test_every_lab_is_put_in_place_and_a_second_start_changes_nothing(course):
    assert learn.prepare() == []
    notebook = course.lab.notebook("work")
    notebook.write_text(notebook.read_text().replace("YOUR CODE HERE", "MY CODE"))
    before = notebook.read_bytes()
    assert learn.prepare() == []
    assert notebook.read_bytes() == before


def test_a_newer_release_of_a_lab_in_work_is_told_and_not_forced(course):
    learn.prepare()
    notebook = course.lab.notebook("work")
    notebook.write_text(notebook.read_text().replace("YOUR CODE HERE", "MY CODE"))
    before = notebook.read_bytes()
    course.write("labs", {"double": "def double(x):\n    raise NotImplementedError  # newer"})
    [note] = learn.prepare()
    assert "flipbook start 01.1 --update" in note
    assert notebook.read_bytes() == before


def test_missing_film_is_named(course):
    (course.root / "datasets" / "big_buck_bunny" / "leap.mp4").unlink()
    with pytest.raises(paths.CourseError, match=r"datasets/big_buck_bunny/leap\.mp4"):
        learn.prepare()


def test_a_folder_that_cannot_be_written_is_named(course, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cells, "write", refuse)
    with pytest.raises(paths.CourseError, match=r"cannot write into .*work"):
        learn.prepare()


def test_nothing_of_the_users_other_jupyters_leaks_in(course, monkeypatch, tmp_path):
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_SETTINGS_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "other"))
    found = learn.environment()
    assert str(tmp_path / "other") not in "".join(v for name, v in found.items() if name.startswith("JUPYTER"))
    assert found["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert len(found["JUPYTER_TOKEN"]) >= 32
    assert found["JUPYTER_TOKEN"] != learn.environment()["JUPYTER_TOKEN"]


@pytest.mark.skipif(os.name == "nt", reason="there are no login shells there")
@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])
def test_a_terminal_finds_flipbook_whatever_the_login_files_say(course, monkeypatch, tmp_path, shell):
    """A profile that sets PATH anew is not read; what ~/.bashrc sets comes after our folder."""
    if not Path(shell).exists():
        pytest.skip(f"no {shell} here")
    for name in (".profile", ".bash_profile", ".bashrc"):
        (tmp_path / name).write_text("PATH=/usr/bin:/bin; MINE=1\n")
    monkeypatch.setenv("SHELL", shell)
    [option] = [word for word in learn.command(1, False) if "terminado_settings" in word]
    words = ast.literal_eval(option.partition("=")[2])["shell_command"]
    assert words[0] == shell and "-l" not in words
    surroundings = learn.environment() | {"HOME": str(tmp_path)}
    surroundings.pop("ENV", None)
    asked = 'echo "first=${PATH%%:*} mine=$MINE"; exit\n'
    ran = subprocess.run([*words, "-i"], input=asked, env=surroundings, capture_output=True, text=True, timeout=20)
    own = "1" if shell.endswith("bash") else ""
    assert f"first={Path(sys.executable).parent} mine={own}" in ran.stdout


MEASURE = """
import os, sys, time
started = time.perf_counter()
def execve(*_):
    print(time.perf_counter() - started, *[name for name in HEAVY if name in sys.modules])
    os._exit(0)
HEAVY = ["torch", "numpy", "nbformat", "jupyterlab", "jinja2", "pytest", "av"]
os.execve = execve
from common.course.__main__ import main
main(["learn", "--no-browser"])
"""


@pytest.mark.skipif(os.name == "nt", reason="there JupyterLab runs in a child process")
def test_our_own_part_of_the_start_takes_less_than_a_second(course):
    """From the first line of the command to JupyterLab's own first line; nothing heavy is imported on the way."""
    learn.prepare()
    seconds, *heavy = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()
    assert heavy == []
    assert float(seconds) < 1.0


class Server:
    """A running `flipbook learn`."""

    def __init__(self, port):
        self.output = ""
        words = [sys.executable, "-m", "common.course", "learn", "--no-browser", "--port", str(port)]
        # A terminal of its own: Jupyter listens to Ctrl-C only where there is one.
        self.terminal, inside = os.openpty()
        self.process = subprocess.Popen(words, stdin=inside, stdout=inside, stderr=inside, start_new_session=True)
        os.close(inside)
        threading.Thread(target=self._read, daemon=True).start()
        self.wait_for("Ctrl-C.")
        self.url = next(word for word in self.output.split() if word.startswith("http://"))
        self.base, self.token = self.url.split("lab?token=")

    def _read(self):
        with contextlib.suppress(OSError):
            while data := os.read(self.terminal, 4096):
                self.output += data.decode(errors="replace")

    def wait_for(self, text, seconds=60):
        deadline = time.monotonic() + seconds
        while text not in self.output:
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.process.kill()
                raise AssertionError(f"{text!r} never came; the output was: {self.output}")
            time.sleep(0.05)

    def ask(self, path, body=None, token=True, **headers):
        if token:
            headers["Authorization"] = f"token {self.token}"
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers), timeout=30) as answer:
            return answer.read().decode()

    def interrupt(self):
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_a_server_from_start_to_ctrl_c(course):
    """One start, and everything that needs a running server, because each start costs two seconds."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = Server(port)
        try:
            assert f"Port {port} is taken, so this is port " in server.output
            assert not server.url.startswith(f"http://127.0.0.1:{port}/")
            examine(server, course)
        finally:
            code = server.interrupt()
    assert code == 0
    assert "Traceback" not in server.output


def examine(server, course):
    # No token, no page.
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.ask("api/contents", token=False)
    assert refused.value.code == 403
    # The start page and its tick.
    assert "Lab 01.1" in server.ask("flipbook/start")
    server.ask("flipbook/tick", {"item": "sora-report", "done": True})
    assert 'data-tick="sora-report" checked' in server.ask("flipbook/start")
    with pytest.raises(urllib.error.HTTPError) as unknown:
        server.ask("flipbook/tick", {"item": "nonsense", "done": True})
    assert unknown.value.code == 404
    # The page that the browser loads: our tab is in it, the rest of the house is quiet.
    settings = server.ask("lab").split('id="jupyter-config-data" type="application/json">')[1].split("</script>")[0]
    settings = json.loads(settings)
    assert "flipbook-start" in [extension["name"] for extension in settings["federated_extensions"]]
    assert settings["news"] == {"disabled": True}
    assert server.ask("lab/extensions/flipbook-start/static/start.js") == (EXTENSION / "static/start.js").read_text()
    overrides = json.loads(server.ask("lab/api/settings/@jupyterlab/apputils-extension:notification"))
    assert overrides["schema"]["properties"]["checkForUpdates"]["default"] is False
    # The learner's folder is what the file browser shows, and the kernel is this environment's.
    assert json.loads(server.ask("api/contents/work/01_tiny/01_numbers.ipynb"))["type"] == "notebook"
    assert list(json.loads(server.ask("api/kernelspecs"))["kernelspecs"]) == ["python3"]
    connection = kernel_in(server, "work/01_tiny/01_numbers.ipynb")
    told = run_in_kernel(connection, "import os, sys; from common.course import check; print(sys.prefix, os.getcwd())")
    assert told.split() == [sys.prefix, str(course.root / "work" / "01_tiny")]


def kernel_in(server, notebook) -> Path:
    """Start the notebook's kernel as JupyterLab does; returns its connection file."""
    wish = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
    session = json.loads(server.ask("api/sessions", wish))
    runtime = paths.state_dir() / "jupyter" / "runtime"
    return runtime / f"kernel-{session['kernel']['id']}.json"


def run_in_kernel(connection: Path, code: str) -> str:
    from jupyter_client import BlockingKernelClient

    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        messages = []
        client.execute_interactive(code, timeout=60, output_hook=messages.append)
        return "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
    finally:
        client.stop_channels()
