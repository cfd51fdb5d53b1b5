"""`flipbook learn`: everything in its place, then JupyterLab on the start page.

JupyterLab gets settings and data folders of the course's own (`work/.flipbook/jupyter`): no setting, kernel or
extension of another project leaks in, none leaks out, and no server but this one is asked for anything.
"""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

from common import files
from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.learner import workspace

PORT = 8888
MORE_PORTS = 50  # tried one after the other when the wanted one is taken
JUPYTER = Path(__file__).parent / "jupyter"


def prepare() -> list[str]:
    """Put every built lab and tutorial under `work/`; hand back what the learner should know of it.

    Raises:
        CourseError: bundled data are missing, or `work/` cannot be written.
    """
    missing = missing_data()
    if missing:
        raise CourseError(
            f"{len(missing)} of the course's bundled files are missing, among them {workspace.shown(missing[0])}. "
            "Bring them back with `git checkout -- datasets`, or clone the course again."
        )
    notes = []
    try:
        for lab in paths.all_labs():
            if lab.notebook("labs").exists():
                notes += _note(workspace.start(lab), f"lab {lab.id}", f"flipbook start {lab.id} --update")
        for source in workspace.tutorials():
            notes += _note(workspace.start_tutorial(source), f"tutorial {source.stem}", None)
    except OSError as error:
        work = paths.root() / "work"
        raise CourseError(f"the course cannot write into {work}. {files.sentence(error)}") from None
    return notes


def _note(started: workspace.Started, what: str, command: str | None) -> list[str]:
    here = workspace.shown(started.notebook)
    if started.state == "unreadable":
        return [f"{here} cannot be read as a notebook; it was left alone."]
    if started.state == "outdated" and command:
        return [f"A newer release of {what} is out; your copy stays as it is. To bring your answers over: {command}"]
    if started.state == "outdated":
        return [f"A newer {what} is out; your copy {here} stays as it is. Rename it to get the new one as well."]
    if started.state == "refreshed":
        return [f"{here} was brought up to date (you had not written in it)."]
    return []


def missing_data() -> list[Path]:
    """Bundled clips that their list names and the checkout lacks."""
    listing = paths.root() / "datasets" / "big_buck_bunny" / "clips.json"
    if not listing.exists():
        return [listing]
    clips = json.loads(listing.read_text(encoding="utf-8"))["clips"]
    return [path for path in (listing.parent / clip["file"] for clip in clips.values()) if not path.exists()]


def command(port: int, browser: bool) -> list[str]:
    """JupyterLab's command line. Everything that must hold whatever the user's own settings say stands here."""
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={paths.root()}",
        f"--FileContentsManager.preferred_dir={paths.root() / 'work'}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.port_retries={MORE_PORTS}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.answer_yes=True",  # Ctrl-C stops at once, without a question
        "--Application.log_level=WARN",
        f"--ServerApp.allow_root={_is_root()}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--LabApp.extra_labextensions_path={JUPYTER / 'labextensions'}",
        *_terminal_shell(),
    ]


def _terminal_shell() -> list[str]:
    """The option by which JupyterLab's terminals keep our PATH, so that `flipbook` is found there.

    Without it JupyterLab starts a login shell wherever it has no terminal itself, and /etc/profile sets PATH anew.
    """
    if os.name == "nt":
        return []
    shell = os.environ.get("SHELL") or "/bin/sh"
    words = [shell]
    if Path(shell).name == "bash":  # ~/.bashrc may set PATH too: ours comes after it
        words += ["--rcfile", str(JUPYTER / "terminal.bash")]
    return [f"--ServerApp.terminado_settings={ {'shell_command': words}!r}"]


def environment() -> dict[str, str]:
    """The surroundings of JupyterLab and of its kernels and terminals."""
    own = paths.state_dir() / "jupyter"
    surroundings = dict(os.environ)
    for name in ("JUPYTER_PATH", "JUPYTERLAB_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"):
        surroundings.pop(name, None)
    surroundings.update(
        JUPYTER_CONFIG_DIR=str(own / "config"),
        JUPYTER_CONFIG_PATH=str(JUPYTER),
        JUPYTER_DATA_DIR=str(own / "data"),
        JUPYTER_RUNTIME_DIR=str(own / "runtime"),
        JUPYTER_TOKEN=os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24),
        FLIPBOOK_BIN=str(Path(sys.executable).parent),
        PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    )
    return surroundings


def run(port: int = PORT, browser: bool = True) -> int:
    """Start JupyterLab in the place of this process, so that Ctrl-C and signals reach it directly."""
    words, surroundings = command(port, browser), environment()
    if os.name == "nt":  # there exec would hand the terminal back while the server still runs
        return subprocess.call(words, env=surroundings)
    sys.stdout.flush()
    os.execve(words[0], words, surroundings)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
