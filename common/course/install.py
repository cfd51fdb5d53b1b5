"""Fill the virtual environment: what is needed, how large it is, then pip, with a bar that tells the time left.

`flipbook.py` runs this file as a script with the environment's own, still empty, Python: only the standard library may
be imported here, and modules of the course that import nothing else. Exit codes: 0 done, 1 failed, 3 nothing could be
reached, 130 stopped with Ctrl-C.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":  # in an environment without the course; at the end, so that nothing hides a standard module
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from common.course.setup import hashes
from common.course.setup.install_progress import Bar, Progress, TimeLeft

EXTRAS = ("course", "models", "dev")
FAILED, NO_NETWORK, STOPPED = 1, 3, 130

# Of pip's settings, in its files or its variables, only these count: where packages come from and how they are reached.
# The others (target, prefix, root, user, no-deps, quiet, ...) would put the packages elsewhere or hide what happens.
KEPT_SETTINGS = {
    "index_url", "pypi_url", "extra_index_url", "no_index", "find_links", "trusted_host", "proxy", "cert",
    "client_cert", "keyring_provider", "timeout", "default_timeout", "retries", "resume_retries", "cache_dir",
    "no_cache_dir", "constraint", "only_binary", "no_binary", "prefer_binary", "use_deprecated",
}  # fmt: skip

# Measured on Linux, Python 3.11, CPU build of torch, 2026-11: 177 packages, and the text encoder's weights:
# 724 MB packed, 2,490 MB unpacked. Of the latter the extra `models` has 162 MB.
TYPICAL_DOWNLOAD = 724e6
UNPACKED_PER_DOWNLOADED = 3.45
CUDA_UNPACKED_PER_DOWNLOADED = 1.6  # libraries for the card hardly shrink: 1.2 to 1.4, triton 3.7

NVIDIA_ADVICE = """This machine shows no NVIDIA card, but {megabytes:,.0f} MB of this download serve only such a card.
To do without them, press Ctrl-C and take PyTorch's build for the processor:
    PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu python3 flipbook.py learn"""

# What pip prints, and what it means for a person. The first that fits is the one.
EXPLANATIONS = [
    (r"No space left on device|Errno 28|not enough space", FAILED,
     "the disk is full. Free some space and run this again: what has been downloaded is kept."),
    (r"Read-only file system|Permission denied|Access is denied", FAILED,
     "a file could not be written. Clone the course into a folder of your own, or set FLIPBOOK_VENV to one."),
    (r"CERTIFICATE_VERIFY_FAILED", FAILED,
     "the server's certificate is not trusted here. Behind a company's proxy, set PIP_CERT to its certificate file."),
    (r"[Nn]ame resolution|Name or service not known|getaddrinfo failed|nodename nor servname|NameResolutionError"
     r"|Failed to establish a new connection|Network is unreachable|ProxyError|Read timed out|ConnectTimeout"
     r"|Connection refused|Connection broken|ConnectionResetError|RemoteDisconnected", NO_NETWORK,
     "the packages could not be reached: there is no network, or it broke off. Connect and run this again; it goes on\n"
     "from there. Behind a proxy, set HTTPS_PROXY first; with a mirror of your own, set PIP_INDEX_URL."),
    (r"DO NOT MATCH THE HASHES", FAILED,
     "a download is damaged, or not the file that the course was tested with: nothing of it was installed. Run this\n"
     "again; if it stays, empty pip's cache with `python3 -m pip cache purge`, then look at what PIP_INDEX_URL names."),
    (r"requirement (?P<what>\S+).*\(from versions: none\)", NO_NETWORK,
     "{what} was not found anywhere: there is no network, or the index that pip is set to does not hold it."),
    (r"No matching distribution found for (?P<what>\S+)", FAILED,
     "there is no package {what} for this kind of machine and this Python."),
]  # fmt: skip


class Failure(Exception):
    """The end of the installation: a sentence, and an exit code."""

    def __init__(self, sentence: str, code: int = FAILED):
        super().__init__(sentence)
        self.code = code


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass
class Plan:
    """What pip would fetch: file name -> bytes (0 where no server says), for packages that are not here yet."""

    sizes: dict[str, int] = field(default_factory=dict)
    files: list[tuple[str, str, str, str]] = field(default_factory=list)  # name, version, file name, SHA-256

    @property
    def total(self) -> int:
        return sum(self.sizes.values())

    @property
    def is_complete(self) -> bool:
        return all(self.sizes.values())

    def nvidia_only(self) -> int:
        """Bytes of packages that serve only an NVIDIA card."""
        return sum(size for name, size in self.sizes.items() if re.match(r"nvidia[_-]|triton-", name))


# pip


def pip_environment(listed: str, variables: dict[str, str]) -> dict[str, str]:
    """The variables for pip: the settings of its files that count become variables, and the files are left out.

    Args:
        listed: what `pip config list` prints, such as `global.index-url='https://mirror.example/simple'`.
        variables: the environment; a setting in it wins over the same one in a file.
    """
    settings = {}
    for section in ("global", "install"):  # pip's order: the later section wins
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.+)$", listed, re.MULTILINE):
            settings["PIP_" + name.upper().replace("-", "_")] = str(ast.literal_eval(value))
    merged = settings | variables
    kept = {n: v for n, v in merged.items() if not n.startswith("PIP_") or n[4:].lower() in KEPT_SETTINGS}
    fixed = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_USER": "0", "PYTHONUNBUFFERED": "1"}
    return kept | fixed | {"PIP_CONFIG_FILE": os.devnull}  # pip's word for: read no file


def build_settings(folder: Path) -> dict[str, str]:
    """Variables by which setuptools keeps its notes (egg-info) in `folder`: the checkout may be read-only."""
    file = folder / "build.cfg"
    file.write_text(f"[egg_info]\negg_base = {str(folder).replace('%', '%%')}\n", encoding="utf-8")
    return {"DIST_EXTRA_CONFIG": str(file)}


class Pip:
    """Runs pip in this environment: every line into the log, and to a listener that draws the progress."""

    def __init__(self, root: Path, venv: Path):
        self.root, self.log, self.temporary = root, venv / "flipbook-install.log", venv / "flipbook-tmp"
        self.log.write_text("")
        self.environment = pip_environment(self._settings(), dict(os.environ))

    def _settings(self) -> str:
        """pip's own files and variables as `pip config list` prints them."""
        command = [sys.executable, "-P", "-m", "pip", "config", "list"]
        # Outside the checkout, and without a version check: nothing is fetched yet.
        asked = subprocess.run(command, cwd=self.log.parent, capture_output=True, text=True, errors="replace")
        if asked.returncode:
            said = " ".join((asked.stderr or asked.stdout).split())
            raise Failure(f"pip cannot read its own settings ({said}). Mend that file and run this again.")
        return asked.stdout

    def run(self, *arguments: str, listener=lambda line: None, tick=lambda: None) -> None:
        """Run `pip ARGUMENTS`; `listener` gets each line, `tick` is called ten times a second.

        Raises:
            Failure: pip did not succeed; the message explains it, or shows the end of the log.
        """
        self.temporary.mkdir(exist_ok=True)
        # The download waits beside the environment: /tmp is memory on many machines, and too small.
        place = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.temporary)) | build_settings(self.temporary)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pip", *arguments],
            cwd=self.root, env=self.environment | place, text=True, errors="replace",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=False,
        )  # fmt: skip
        lines: list[str] = []
        reader = threading.Thread(target=self._read, args=(process, lines, listener), daemon=True)
        reader.start()
        try:
            while reader.is_alive():
                reader.join(0.1)
                tick()
            code = process.wait()
        finally:
            process.kill()  # no effect on one that has ended
            process.wait()
            shutil.rmtree(self.temporary, ignore_errors=True)
        if code:
            raise self._failure("".join(lines), code)

    def _read(self, process, lines, listener) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            for line in process.stdout:
                if not line.startswith("Progress "):
                    lines.append(line)
                    log.write(line)
                    log.flush()
                listener(line.rstrip())

    def _failure(self, text: str, code: int) -> Failure:
        for pattern, exit_code, sentence in EXPLANATIONS:
            if match := re.search(pattern, text):
                return Failure(f"{sentence.format(**match.groupdict())}\n(All that pip said: {self.log})", exit_code)
        tail = "\n".join(f"    {line}" for line in text.strip().splitlines()[-15:])
        return Failure(f"pip stopped with exit code {code}. The end of what it said ({self.log}):\n{tail}")


# The plan


def make_plan(pip: Pip, wanted: list[str], bar: Bar) -> Plan:
    """Ask pip what `install WANTED` would fetch, and the servers how large that is."""
    found = 0

    def count(line: str) -> None:
        nonlocal found
        found += line.startswith(("Collecting ", "Processing "))
        bar.note(f"looking up what is needed: {found} packages so far")

    report = pip.log.with_name("flipbook-plan.json")
    # fast-deps reads a package's requirements out of its remote file, where the index does not tell them: without it,
    # pip would fetch everything to find out how much there is to fetch.
    # Wheels only: making the plan runs nothing that was fetched.
    options = ["--dry-run", "--only-binary=:all:", "--use-feature=fast-deps", "--report", str(report)]
    pip.run("install", *options, *wanted, listener=count)
    entries = json.loads(report.read_text(encoding="utf-8"))["install"]
    report.unlink()
    urls = [entry["download_info"]["url"] for entry in entries]
    bar.note(f"looking up how large {len(urls)} packages are")
    with ThreadPoolExecutor(16) as pool:
        sizes = list(pool.map(size_of, urls))
    return Plan({file_name(url): size for url, size in zip(urls, sizes, strict=True)}, [describe(e) for e in entries])


def describe(entry: dict) -> tuple[str, str, str, str]:
    """Name, version, file name and the index's SHA-256 of one entry in pip's report."""
    told = entry["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", "")
    return entry["metadata"]["name"], entry["metadata"]["version"], file_name(entry["download_info"]["url"]), told


def file_name(url: str) -> str:
    return urllib.parse.unquote(urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1])


def size_of(url: str) -> int:
    """Bytes to fetch from this address; 0 when the server does not say."""
    try:
        if url.startswith("file:"):
            return os.path.getsize(urllib.request.url2pathname(urllib.parse.urlsplit(url).path))
        request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "flipbook"})
        with urllib.request.urlopen(request, timeout=6) as answer:
            return int(answer.headers.get("Content-Length") or 0)
    except (OSError, ValueError):
        return 0


def announce(plan: Plan, venv: Path) -> None:
    """Say how much is coming, check that it fits, and name the smaller way where there is one."""
    if not plan.sizes:
        return
    total = plan.total if plan.is_complete else max(plan.total, TYPICAL_DOWNLOAD if len(plan.sizes) > 50 else 0)
    roughly = "" if plan.is_complete else "roughly "
    cuda = plan.nvidia_only()
    unpacked = (total - cuda) * UNPACKED_PER_DOWNLOADED + cuda * CUDA_UNPACKED_PER_DOWNLOADED
    say(
        f"{len(plan.sizes)} packages to fetch: {roughly}{total / 1e6:,.0f} MB to download, about "
        f"{unpacked / 1e9:.1f} GB on disk.\n"
        "You may stop at any time with Ctrl-C; the same command goes on from there."
    )
    if cuda and not has_nvidia_card():
        say(NVIDIA_ADVICE.format(megabytes=cuda / 1e6))
    needed, free = total + unpacked, shutil.disk_usage(venv).free
    if free < needed:
        raise Failure(
            f"not enough disk: this needs about {needed / 1e9:.1f} GB in {venv} while it installs, "
            f"and {free / 1e9:.1f} GB are free. Free some, or set FLIPBOOK_VENV to a folder on a larger disk."
        )


def has_nvidia_card() -> bool:
    return os.path.exists("/proc/driver/nvidia") or bool(shutil.which("nvidia-smi"))


# All of it


def install(root: Path, venv: Path) -> None:
    """Bring the environment that runs this file to what pyproject.toml and the constraints ask for.

    pip plans with the versions of constraints.txt; it then fetches exactly those files, each by its checksum.
    """
    bar, pip = Bar(), Pip(root, venv)
    constraints = ["-c", "constraints.txt"] if (root / "constraints.txt").exists() else []
    # A second step, without what those packages ask for: that would pull in other builds than the pinned ones.
    bare = ["--no-deps", "-r", "constraints-nodeps.txt"] if (root / "constraints-nodeps.txt").exists() else []
    began = time.monotonic()
    if pip_version() < (26,):
        pip_file = f"{hashes.PIP_PIN.replace('==', '-')}-py3-none-any.whl"
        new_pip = Plan({}, [(*hashes.PIP_PIN.split("=="), pip_file, "")])
        fetch(pip, root, new_pip, tick=lambda: bar.note("fetching a current pip"))
    plans = [make_plan(pip, [*requirements(root), *constraints], bar)]
    plans += [make_plan(pip, bare, bar)] if bare else []
    bar.clear()
    announce(Plan({name: size for plan in plans for name, size in plan.sizes.items()}), venv)
    # From here on the environment is neither the old one nor the new one.
    time_left = TimeLeft()
    for number, plan in enumerate(plans):
        later = sum(other.total for other in plans[number + 1 :])
        progress = Progress(plan.sizes, bar, site_packages(), time_left, later)
        progress.on_unpacking = lambda: (venv / "flipbook.stamp").unlink(missing_ok=True)
        fetch(pip, root, plan, listener=progress.line, tick=progress.tick)
    # Only the course itself is left: all that it needs, setuptools too, is here.
    pip.run(
        "install", "--no-deps", "--no-build-isolation", "-e", ".", tick=lambda: bar.note("adding the course itself")
    )
    bar.clear()
    say(f"Installed in {time.monotonic() - began:.0f} seconds.")


def requirements(root: Path) -> list[str]:
    """What pyproject.toml asks for: to build the course, to use it, and its extras."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    project, extras = settings["project"], settings["project"].get("optional-dependencies", {})
    wanted = [*settings["build-system"]["requires"], *project.get("dependencies", [])]
    return wanted + [line for extra in EXTRAS for line in extras.get(extra, [])]


def fetch(pip: Pip, root: Path, plan: Plan, **watching) -> None:
    """Download and install the files of a plan, each by its checksum, and nothing else.

    Raises:
        Failure: a file has no checksum in this checkout, or another one.
    """
    if not plan.files:
        return
    try:
        lines = hashes.locked(root, plan.files)
    except hashes.Unknown as error:
        raise Failure(str(error)) from None
    file = pip.log.with_name("flipbook-locked.txt")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    bar = [] if pip_version() < (26,) else ["--progress-bar", "raw"]  # ensurepip's pip does not know that word
    pip.run("install", "--no-deps", "--only-binary=:all:", "--require-hashes", *bar, "-r", str(file), **watching)


def pip_version() -> tuple[int, ...]:
    from importlib.metadata import version

    return tuple(int(part) for part in version("pip").split(".")[:1])


def site_packages() -> Path:
    import sysconfig

    return Path(sysconfig.get_path("purelib"))


def main(arguments: list[str]) -> int:
    """Install into the environment `arguments[1]` for the checkout `arguments[0]`; return the exit code."""
    try:
        install(Path(arguments[0]), Path(arguments[1]))
    except Failure as failure:
        say(f"\nflipbook: {failure}")
        return failure.code
    except KeyboardInterrupt:
        say("\nStopped. Run the same command again: it goes on from there.")
        return STOPPED
    except OSError as error:
        say(f"\nflipbook: {error}. Mend that and run this again: it goes on from there.")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
