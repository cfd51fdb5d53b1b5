"""How a worker is started: in a bubblewrap sandbox of its own, or (told so) as a plain process with limits.

The sandbox sees Python, the installed packages without ours, the stage of one lab and one notebook, all read-only,
and a small empty `/tmp`. It has no network, no other processes, no other user, and may start no second process.
"""

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.grading import seccomp
from common.course.grading.stage import DATA

TEMPORARY = 256 << 20  # bytes of /tmp and of /dev/shm
NOBODY = "65534"
# What the interpreter and its libraries are linked against.
SYSTEM = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/nix/store")
START = "import sys; sys.path += {path!r}; from common.course.grading.worker import main; main()"
# prctl(PR_SET_PDEATHSIG, SIGKILL): what `--die-with-parent` is for bubblewrap.
DIES_WITH_PARENT = "import ctypes; ctypes.CDLL(None).prctl(1, 9); "
# No bytecode is written (it could not be), threads would only compete, and libraries must not look for the network.
ENVIRONMENT = {
    "HOME": "/tmp", "LANG": "C.UTF-8", "PATH": "", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1",
    "MPLBACKEND": "agg", "HF_HUB_OFFLINE": "1", "FLIPBOOK_PRESET": "ci", "CUDA_VISIBLE_DEVICES": "",
}  # fmt: skip
REFUSAL = (
    "{reason}\nSubmissions are strangers' code: without a sandbox they could read the answers, the grade book and your "
    "files, and use the network. Install bubblewrap (`apt install bubblewrap`; on other systems grade in a Linux "
    "virtual machine), or, for code that you trust, say --unsafe: then only time and memory are limited."
)


@dataclass(frozen=True)
class Command:
    """What to start: `argv` with `environment`; these descriptors pass into it, and where it finds things."""

    argv: list[str]
    environment: dict[str, str]
    descriptors: tuple[int, ...]
    folder: str | None
    root: str
    submission: str | None

    def close(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)


class Bubblewrap:
    """The sandbox. `hidden` are folders that must not show through any mount: the checkout, the class, the grades."""

    safe = True
    name = "bubblewrap"

    def __init__(self, hidden: list[Path]):
        self.program = shutil.which("bwrap")
        if sys.platform != "linux" or not self.program:
            raise CourseError(REFUSAL.format(reason="bubblewrap (the program `bwrap`) is not on this machine."))
        self.filter = seccomp.program()
        self._mounts = _mounts(hidden)
        self._probe()

    def command(self, stage: Path, submission: Path | None) -> Command:
        """A worker that sees `stage` and one notebook."""
        options = [*_isolation(self.program), *self._mounts, "--ro-bind", str(stage), "/course"]
        for name in DATA:
            if (stage / name).is_dir():
                options += ["--ro-bind", str(paths.root() / name), f"/course/{name}"]
        if submission is not None:
            options += ["--ro-bind", str(submission), "/submission.ipynb"]
        options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
        descriptors = []
        if self.filter:
            descriptors.append(_readable(self.filter))
            options += ["--seccomp", str(descriptors[-1])]
        # The options go through a pipe: as arguments they would show the instructor's folders in /proc.
        descriptors.append(_readable("\0".join(options).encode()))
        path = ["/course", *[f"/site/{number}" for number in range(len(_site_folders()))]]
        argv = [self.program, "--args", str(descriptors[-1]), *_python(path)]
        seen = "/submission.ipynb" if submission is not None else None
        return Command(argv, {}, tuple(descriptors), None, "/course", seen)

    def _probe(self) -> None:
        """Start an empty program once, so that a system that forbids sandboxes is found out before grading."""
        argv = [self.program, *_isolation(self.program), *self._mounts, sys_executable(), "-I", "-S", "-c", "pass"]
        try:
            probe = subprocess.run(argv, env={}, capture_output=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CourseError(REFUSAL.format(reason=f"bubblewrap does not start: {error}.")) from None
        if probe.returncode:
            said = probe.stderr.decode(errors="replace").strip() or f"exit code {probe.returncode}"
            raise CourseError(REFUSAL.format(reason=f"bubblewrap cannot make a sandbox here: {said}."))


class NoSandbox:
    """A plain process with limits: what `--unsafe` asks for."""

    safe = False
    name = "none"
    filter = None

    def command(self, stage: Path, submission: Path | None) -> Command:
        folder = stage / "scratch"
        folder.mkdir(exist_ok=True)
        argv = _python([str(stage), *_site_folders()], DIES_WITH_PARENT if sys.platform == "linux" else "")
        environment = {**ENVIRONMENT, "HOME": str(folder), "PATH": os.defpath, "TMPDIR": str(folder)}
        return Command(argv, environment, (), str(folder), str(stage), str(submission) if submission else None)


def sys_executable() -> str:
    """The interpreter behind the virtual environment: it needs no `pyvenv.cfg` beside it."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def _python(path: list[str], first: str = "") -> list[str]:
    """`-I -S`: no folder, variable or `.pth` file has a say in what is imported. `first` is code to run before."""
    return [sys_executable(), "-I", "-S", "-B", "-c", first + START.format(path=path)]


@functools.cache
def _site_folders() -> tuple[str, ...]:
    """The folders that installed packages come from."""
    return tuple(
        dict.fromkeys(p for p in sys.path if Path(p).name in ("site-packages", "dist-packages") and os.path.isdir(p))
    )


@functools.cache
def _supported(program: str) -> str:
    return subprocess.run([program, "--help"], capture_output=True, text=True, env={}).stdout


def _isolation(program: str) -> list[str]:
    options = [
        "--unshare-all",
        "--unshare-user",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--cap-drop",
        "ALL",
    ]
    options += ["--uid", NOBODY, "--gid", NOBODY, "--hostname", "flipbook"]
    if "--disable-userns" in _supported(program):
        options.append("--disable-userns")
    size = ["--size", str(TEMPORARY)] if "--size" in _supported(program) else []
    options += ["--proc", "/proc", "--dev", "/dev", *size, "--tmpfs", "/dev/shm", *size, "--tmpfs", "/tmp"]
    return options + [part for name, value in ENVIRONMENT.items() for part in ("--setenv", name, value)]


def _mounts(hidden: list[Path]) -> list[str]:
    """Read-only: the interpreter, the system's shared libraries, the installed packages; ours and `hidden` covered."""
    options: list[str] = []
    shown: dict[str, str] = {}
    for folder in SYSTEM:
        if os.path.islink(folder):
            options += ["--symlink", os.readlink(folder), folder]
        elif os.path.exists(folder):
            shown[folder] = folder
    # The base interpreter's own folders: asked for `platstdlib`, a virtual environment names itself.
    libraries = {str(Path(sysconfig.get_path("stdlib")).parent), str(Path(sys.base_exec_prefix, sys.platlibdir))}
    for path in (*sorted(libraries), sys_executable()):
        if not any(Path(path).is_relative_to(folder) for folder in shown):
            shown[path] = path
    for number, folder in enumerate(_site_folders()):
        shown[folder] = f"/site/{number}"
    for source, place in shown.items():
        options += ["--ro-bind", source, place]
    for path in _covered(shown, hidden):
        options += ["--tmpfs", path] if os.path.isdir(_source_of(path, shown)) else ["--ro-bind", "/dev/null", path]
    return options


def _covered(shown: dict[str, str], hidden: list[Path]) -> list[str]:
    """Places inside the mounts that must be empty: our own package as installed, and the hidden folders."""
    places = []
    for number, folder in enumerate(_site_folders()):
        for entry in sorted(os.listdir(folder)):
            ours = entry == "common" or "flipbook" in entry.lower() or entry.startswith("__editable__")
            if ours or entry.endswith(".pth"):
                places.append(f"/site/{number}/{entry}")
    stdlib = Path(sysconfig.get_path("stdlib"))
    if (stdlib / "site-packages").is_dir():
        places.append(str(stdlib / "site-packages"))
    for folder in dict.fromkeys(path.resolve() for path in hidden):
        for source, place in shown.items():
            if folder.is_dir() and folder != Path(source) and folder.is_relative_to(source):
                places.append(str(Path(place) / folder.relative_to(source)))
    return places


def _source_of(place: str, shown: dict[str, str]) -> str:
    for source, mounted in shown.items():
        if place == mounted or place.startswith(mounted + "/"):
            return source + place[len(mounted) :]
    return place


def _readable(data: bytes) -> int:
    """A descriptor from which `data` can be read once."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return os.dup(file.fileno())
