#!/usr/bin/env python3
"""Flipbook's front door: makes or repairs `.venv`, then runs the course's commands in it.

    python3 flipbook.py learn         open the course
    python3 flipbook.py test          run every check there is
    python3 flipbook.py COMMAND ...   the same as `flipbook COMMAND ...` inside `.venv`

It needs only the standard library, and it must parse on any Python 3 so that an old one gets a sentence and not a
syntax error. What gets installed stands in `pyproject.toml` (which packages) and `constraints.txt` (which versions).

Environment:
    FLIPBOOK_VENV   another place for the virtual environment (default: `.venv` beside this file). With it, the
                    checkout may be read-only: only commands that keep a learner's answers (`work/`) need to write there

pip's own settings (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, HTTPS_PROXY, ...) are respected. PYTHONPATH and PYTHONHOME are
not: a foreign package of the same name must not stand in front of the course's.

Everything this file prints goes to standard error, so that `flipbook.py check 01.2 --json` stays clean JSON.
"""

import contextlib
import errno
import hashlib
import os
import re
import sys

ROOT = os.path.dirname(os.path.realpath(__file__))
VENV = os.path.realpath(os.path.expanduser(os.environ.get("FLIPBOOK_VENV") or os.path.join(ROOT, ".venv")))
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")
STAMP = os.path.join(VENV, "flipbook.stamp")
LOCK = os.path.join(VENV, "flipbook.lock")
REQUIREMENT_FILES = [
    os.path.join(ROOT, name)
    for name in ("pyproject.toml", "constraints.txt", "constraints-nodeps.txt", "constraints-hashes.txt")
]
INSTALLER = os.path.join(ROOT, "common", "course", "install.py")
NO_NETWORK = 3  # the installer's exit code when nothing could be reached
STOPPED = 130  # the shell's code for Ctrl-C
DISK_MB = 3400  # measured: 2,490 MB unpacked, 724 MB of downloads beside them until the end, and room to breathe

HELP = """Flipbook: learn video generation by building a video generator.

Two commands are all you need:

    python3 flipbook.py learn     open the course (the first run installs what it needs)
    python3 flipbook.py test      run every check there is

Every other command works the same way: `python3 flipbook.py COMMAND --help`, such as
start, check, watch, hint, progress, show, doctor, grade.
"""


class Stop(Exception):
    """The end of this run, with a sentence for the person in front of it."""


def say(text):
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def read(path):
    """The file's bytes; nothing when there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


# Is the environment the one that this checkout needs? These run at every start: they must stay fast.


def stamp():
    """Two lines: which environment this is, and which requirements it must hold."""
    environment = hashlib.sha256(os.fsencode(ROOT) + b"\n" + os.fsencode(VENV) + read(os.path.join(VENV, "pyvenv.cfg")))
    requirements = hashlib.sha256()
    for path in REQUIREMENT_FILES:
        requirements.update(read(path) + b"\n")
    return f"{environment.hexdigest()}\n{requirements.hexdigest()}\n".encode()


def is_ready():
    return os.path.exists(PYTHON) and read(STAMP) == stamp()


def was_ready():
    """An installation was finished here; only the requirements have changed since."""
    return os.path.exists(PYTHON) and read(STAMP).split(b"\n")[0] == stamp().split(b"\n")[0]


# Running things in the environment.


def environment():
    """The environment variables of everything that runs in `.venv`."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "__PYVENV_LAUNCHER__")
    variables = {name: value for name, value in os.environ.items() if name not in unwanted}
    variables.update(VIRTUAL_ENV=VENV, PATH=BIN + os.pathsep + variables.get("PATH", ""))
    return variables


def run_course(arguments):
    """Become `python -m common.course ARGUMENTS`; where a process cannot become another, wait for it."""
    # -P: the folder we are called from is not searched for a package that happens to be named `common`.
    command = [PYTHON, "-P", "-m", "common.course", *arguments]
    if os.name != "nt":
        sys.stderr.flush()
        os.execve(PYTHON, command, environment())
    import subprocess

    process = subprocess.Popen(command, env=environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the command has had the same Ctrl-C, and ends in its own way


# Before anything is installed: what would stop it?


def supported_versions():
    """Lowest version that works and lowest that does not, from `requires-python` in pyproject.toml."""
    match = re.search(rb'^requires-python = ">=3\.(\d+),<3\.(\d+)"', read(os.path.join(ROOT, "pyproject.toml")), re.M)
    if not match:
        raise Stop(f'{ROOT} holds no pyproject.toml with a line such as requires-python = ">=3.11,<3.15".')
    return (3, int(match.group(1))), (3, int(match.group(2)))


def check_python():
    """Is the interpreter that runs this file one that the packages have wheels for?"""
    low, end = supported_versions()
    bits_are_enough = sys.maxsize > 2**32
    if low <= sys.version_info[:2] < end and bits_are_enough:
        return
    what = "too old" if sys.version_info[:2] < low else "too new" if bits_are_enough else "a 32-bit build"
    range_text = f"3.{low[1]} to 3.{end[1] - 1}"
    version = ".".join(str(part) for part in sys.version_info[:3])
    raise Stop(
        f"Flipbook runs on Python {range_text} (64 bit), and this is Python {version} ({sys.executable}): "
        f"{what} for the packages that it uses.\n{another_python(low, end)}"
    )


def answers(command):
    """Whether this interpreter is here and runs (version managers leave commands that only complain)."""
    import subprocess

    try:
        return subprocess.check_output([command, "-c", "print(1)"], stderr=subprocess.STDOUT).strip() == b"1"
    except (OSError, subprocess.CalledProcessError):
        return False


def another_python(low, end):
    """What to do about it: name a fitting interpreter that is here already, or say how to get one."""
    for minor in range(end[1] - 1, low[1] - 1, -1):
        if answers(f"python3.{minor}"):
            return f"This machine has a fitting one. Run:  python3.{minor} flipbook.py learn"
    best = f"3.{end[1] - 2}"
    if sys.platform == "darwin":
        how = f"brew install python@{best}"
    elif os.name == "nt":
        how = f"winget install Python.Python.{best}"
    else:
        how = f"sudo apt install python{best} python{best}-venv   (Debian and Ubuntu, where that version is on offer)"
    return f"To get one:  {how}\nor take https://www.python.org/downloads/, then run this again with it."


def check_ensurepip():
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        package = f"python3.{sys.version_info[1]}-venv"
        raise Stop(
            f"This Python ({sys.executable}) cannot make virtual environments: its module ensurepip is missing.\n"
            f"On Debian and Ubuntu:  sudo apt install {package}   then run this again."
        ) from None


def check_disk():
    import shutil

    free = shutil.disk_usage(VENV).free / 1e6
    if free < DISK_MB:
        raise Stop(
            f"Not enough disk: the installation needs about {DISK_MB / 1000:.1f} GB in {VENV}, "
            f"and {free / 1000:.1f} GB are free.\n"
            "Free some, or set FLIPBOOK_VENV to a folder on a larger disk, and run this again."
        )


# The virtual environment itself.


def why_unusable():
    """A reason to make the environment anew, or an empty string."""
    import subprocess

    if not os.path.exists(os.path.join(VENV, "pyvenv.cfg")):
        return "it is not there yet"
    if not os.path.exists(PYTHON):
        return "the Python that it was made from is gone"
    if os.fsencode(VENV) not in read(os.path.join(BIN, "activate")):
        return "it was made in another place"
    program = "import sys, pip; print(sys.version_info[1])"
    try:
        answer = subprocess.check_output([PYTHON, "-c", program], env=environment(), stderr=subprocess.STDOUT)
    except (OSError, subprocess.CalledProcessError):
        return "it was left half made"
    low, end = supported_versions()
    if not low <= (3, int(answer)) < end:
        return f"it was made with Python 3.{int(answer)}"
    return ""


def make_environment():
    """A fresh virtual environment with pip in it."""
    import shutil
    import subprocess

    for name in os.listdir(VENV):
        path = os.path.join(VENV, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif path != LOCK:
            os.remove(path)
    # Started from inside the old environment, the interpreter that it was made from is the one to use.
    interpreter = getattr(sys, "_base_executable", None) or sys.executable
    try:
        subprocess.check_output([interpreter, "-I", "-m", "venv", VENV], stderr=subprocess.STDOUT)
    except subprocess.CalledProcessError as error:
        text = error.output.decode(errors="replace")
        raise Stop(f"Making {VENV} failed:\n{text.strip()}") from None


@contextlib.contextmanager
def locked():
    """One installation at a time. The lock goes with the process that holds it, however that ends."""
    ours = any(os.path.exists(path) for path in (LOCK, os.path.join(VENV, "pyvenv.cfg")))
    if os.path.isdir(VENV) and os.listdir(VENV) and not ours:
        raise Stop(f"{VENV} is a folder with something else in it; set FLIPBOOK_VENV to an empty one or to a new name.")
    os.makedirs(VENV, exist_ok=True)
    with open(LOCK, "a+") as file:
        if not take(file):
            wait_for(file)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        if os.name != "nt":
            os.set_inheritable(file.fileno(), True)  # pip keeps the lock should this process be killed
        yield


def wait_for(file):
    """Wait until the lock is ours, and say for whom."""
    import time

    file.seek(0)
    say(f"Another flipbook.py (process {file.read().strip() or 'unknown'}) is installing into {VENV}: waiting for it.")
    while not take(file):
        time.sleep(0.3)


def take(file):
    """Try to lock the open file; True when it is ours."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(4096)  # beyond the process number, which the one who waits wants to read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.ENOLCK, errno.ENOTSUP)  # a network disk without locks: go on without
    return True


# Installing.


def install():
    """Bring the environment to what pyproject.toml and constraints.txt ask for. The stamp is written last."""
    with locked():
        if is_ready():
            return  # the one we waited for has done it
        reason = why_unusable()
        if reason:
            check_python()
            check_ensurepip()
            check_disk()
            say(f"Making {VENV} ({reason}).")
            make_environment()
        wanted = stamp()  # as the files are now: a change made meanwhile shows at the next start
        code = run_installer()
        if code == NO_NETWORK and was_ready():
            say("Going on with what is installed; the next start will look again.")
        elif code:
            raise SystemExit(code)
        else:
            with open(STAMP, "wb") as file:
                file.write(wanted)


def run_installer():
    """Run common/course/install.py, which needs a fitting Python, with the environment's own."""
    import subprocess

    # close_fds=False: pip holds the lock too, so that it stays locked should this process be killed.
    process = subprocess.Popen([PYTHON, "-I", INSTALLER, ROOT, VENV], env=environment(), cwd=ROOT, close_fds=False)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the installer has had the same Ctrl-C, ends pip and says so


def explain(error):
    """One sentence for a system error."""
    if error.errno == errno.ENOSPC:
        return f"The disk is full ({VENV}). Free some space and run this again: it goes on from there."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{VENV} cannot be written ({error.strerror}). Clone the course into a folder of your own, "
            "or set FLIPBOOK_VENV to a folder that you may write to."
        )
    return f"{error.strerror or error} ({error.filename or VENV})"


def main(arguments):
    """Run one command; return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stdout.write(HELP)
        return 0
    try:
        if not is_ready():
            install()
        return run_course(arguments)
    except Stop as stop:
        say(f"flipbook: {stop}")
    except OSError as error:
        say(f"flipbook: {explain(error)}")
    except KeyboardInterrupt:
        say("Stopped.")
        return STOPPED
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
