"""A lab on a hosted notebook service, with nothing installed: a link that opens it there, and a cell that installs all.

Both are derived from `[project.urls] Repository` in pyproject.toml. While that entry is missing, as long as the course
has no public address, pages have neither.
"""

import tomllib
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from common.course.base import paths
from common.course.base.paths import Lab
from common.course.building.notebooks import Draft

ENTRY = "Repository"
SERVICE = "https://colab.research.google.com/github"  # /OWNER/NAME/blob/BRANCH/PATH
BRANCH = "main"
FOLDER = "flipbook"  # where the cell puts the course

BOOTSTRAP = """\
import importlib.util
import os
import shutil
import subprocess
import sys

if importlib.util.find_spec("common") is None:
    if not os.path.isfile("{folder}/pyproject.toml"):  # not fetched yet, or only half
        shutil.rmtree("{folder}", ignore_errors=True)
        subprocess.run(["git", "clone", "-q", "--depth", "1", "{repository}", "{folder}"], check=True)
    install = [sys.executable, "-m", "pip", "install", "-q", "-c", "{folder}/constraints.txt", "./{folder}[course]"]
    subprocess.run(install, check=True)
    importlib.invalidate_caches()
if os.path.isdir("{folder}/tests/labs"):
    os.environ.setdefault("FLIPBOOK_ROOT", os.path.abspath("{folder}"))"""
CAPTION = (
    "▸ *Only on a hosted notebook service: run this cell first. It fetches the course and installs it, which takes "
    "minutes. On your own machine it does nothing.*"
)


def repository() -> str:
    """The public address of the course on GitHub, or an empty text."""
    path = paths.root() / "pyproject.toml"
    if not path.exists():
        return ""
    address = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {}).get("urls", {}).get(ENTRY, "")
    parts = urlsplit(address)
    is_known = parts.hostname == "github.com" and len(PurePosixPath(parts.path).parts) == 3
    return address.rstrip("/").removesuffix(".git") if is_known else ""


def link(path: str) -> str:
    """Where the service opens a notebook of the repository; an empty text without a public address."""
    address = repository()
    return f"{SERVICE}{urlsplit(address).path}/blob/{BRANCH}/{path}" if address else ""


def badge(path: str, text: str = "Open in Colab") -> str:
    """The link as Markdown. It loads no picture from anywhere: a page works offline."""
    address = link(path)
    return f"[▶ {text}]({address})" if address else ""


def bootstrap(address: str) -> str:
    """The code that fetches and installs the course from `address` where it is not installed."""
    return BOOTSTRAP.format(repository=address, folder=FOLDER)


def with_badge(draft: Draft, lab: Lab) -> Draft:
    """The draft with the link under its title and the cell that installs all, where the course has an address."""
    text = badge(lab.notebook("labs").relative_to(paths.root()).as_posix(), "Open this lab in Colab")
    if not text:
        return draft
    first = draft.cells[0]
    title, _, rest = first["source"].partition("\n")
    first["source"] = f"{title}\n\n{text}\n{rest}"
    metadata = {"tags": ["demo"], "jupyter": {"source_hidden": True}}
    draft.cells[1:1] = [
        {"cell_type": "markdown", "id": "about-bootstrap", "metadata": {}, "source": CAPTION},
        {"cell_type": "code", "id": "bootstrap", "metadata": metadata, "source": bootstrap(repository()),
         "execution_count": None, "outputs": []},
    ]  # fmt: skip
    draft.places[1:1] = [draft.places[0]] * 2
    return draft
