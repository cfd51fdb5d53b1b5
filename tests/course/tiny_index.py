"""A tiny checkout with the true front door and installer, and an index on the loopback, for tests of `flipbook.py`."""

import functools
import hashlib
import http.server
import importlib.metadata
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

from common.course.base import paths


class Index(http.server.SimpleHTTPRequestHandler):
    """Serves wheels; while `stall` is set, the second half of a `leaf` never comes."""

    stall = threading.Event()
    hashes: list[str] = []  # the lines of constraints-hashes.txt for what it serves

    def log_message(self, *arguments):
        pass

    def copyfile(self, source, outputfile):
        if self.path.endswith(".whl") and "leaf" in self.path and Index.stall.is_set():
            outputfile.write(source.read(1_000_000))
            outputfile.flush()
            while Index.stall.is_set():
                time.sleep(0.05)
            return
        super().copyfile(source, outputfile)


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes], needs: str = "") -> None:
    """A minimal wheel with these files, which says that it needs another package or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
        needs = f"Requires-Dist: {needs}\n" if needs else ""
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def make_wheels(folder: Path) -> None:
    """`leaf`, `bare`, which needs what is nowhere, and a current pip; `Index.hashes` holds their checksums."""
    write_wheel(folder / "leaf", "leaf", "1.0", {"leaf/__init__.py": b"", "leaf/weights.bin": os.urandom(2_000_000)})
    bare = {"bare/__init__.py": b"", "bare/weights.bin": os.urandom(1_000_000)}
    write_wheel(folder / "bare", "bare", "1.0", bare, needs="nowhere")
    pip = importlib.metadata.distribution("pip")
    content = {str(p): p.locate().read_bytes() for p in pip.files if str(p).startswith("pip/") and p.suffix != ".pyc"}
    write_wheel(folder / "pip", "pip", pip.version, content)
    wheels = sorted(folder.rglob("*.whl"))
    Index.hashes = [f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel.name}\n" for wheel in wheels]


def serve(folder: Path) -> http.server.ThreadingHTTPServer:
    """An index of these wheels, on a port of the loopback that is free."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Index, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def make_checkout(root: Path) -> Path:
    """The tiny checkout, with the true flipbook.py and installer in it."""
    shutil.copytree(Path(__file__).with_name("tiny_checkout"), root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "common" / "course" / "setup").mkdir()
    setup = ("common/course/setup/install_progress.py", "common/course/setup/hashes.py")
    for name in ("flipbook.py", "common/course/install.py", *setup):
        shutil.copy(paths.root() / name, root / name)
    (root / "constraints-hashes.txt").write_text("".join(Index.hashes))
    return root


def variables(index: str, **more: str) -> dict[str, str]:
    """An environment in which pip knows this index and nothing else."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "FLIPBOOK_", "PYTHON", "VIRTUAL_ENV"))}
    pip = {"PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0"}
    return kept | pip | {"NO_PROXY": "127.0.0.1"} | more


def start(root: Path, index: str, *arguments: str, cwd: Path | None = None, **more: str) -> subprocess.Popen:
    command = [sys.executable, str(root / "flipbook.py"), *arguments]
    return subprocess.Popen(
        command, cwd=cwd or root, env=variables(index, **more), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def flipbook(root: Path, index: str, *arguments: str, cwd: Path | None = None, **more: str):
    """Run `flipbook.py ARGUMENTS` to its end: (exit code, standard output, standard error)."""
    process = start(root, index, *arguments, cwd=cwd, **more)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err
