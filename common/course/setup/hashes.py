"""The checksums of everything that an installation may fetch: `constraints-hashes.txt`, one wheel per line.

    python -m common.course.setup.hashes

writes that file anew: it asks the package index that pip is set to, and PyTorch's own for the processor's builds, for
the SHA-256 of each wheel of each pinned version that a supported Python can take. Lines of an index that cannot be
reached are kept. The installer reads the file with the standard library alone.
"""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

FILE = "constraints-hashes.txt"
PINS = ("constraints.txt", "constraints-nodeps.txt")
PIP_PIN = "pip==26.3"  # ensurepip's may be older, and those print no progress that a program can read
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
HEAD = "# SHA-256 and name of each wheel that may be installed. Written by: python -m common.course.setup.hashes\n"
ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
# Of a wheel's Python, ABI and platform tags, those that a supported machine can take.
PYTHONS = re.compile(r"(py3|py2\.py3|py3\d+|cp3\d+)(\.|$)")
ABIS = re.compile(r"none|abi3|cp3\d+$")
PLATFORMS = re.compile(
    r"any$|manylinux.*(x86_64|aarch64)|linux_(x86_64|aarch64)$|macosx_.*(arm64|universal2|x86_64)|win_(amd64|arm64)$"
)
SETTING = re.compile(r"\.([\w-]+)=(.*)")


def read(root: Path) -> dict[str, str]:
    """File name -> SHA-256, in hex; empty where the checkout has no such file."""
    file = root / FILE
    if not file.exists():
        return {}
    lines = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {name: digest for digest, name in lines}


def normal(name: str) -> str:
    """A package's name as indexes spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def package(filename: str) -> tuple[str, str]:
    """The name and version that a wheel's file name tells, without a local part such as +cpu."""
    name, version = filename.split("-")[:2]
    return normal(name), version.split("+")[0]


def is_for_us(filename: str, low: int, end: int) -> bool:
    """Whether a Python from 3.`low` up to below 3.`end` on a supported machine can take this wheel."""
    if not filename.endswith(".whl"):
        return False
    pythons, abis, platforms = filename[: -len(".whl")].split("-")[-3:]
    if not (PYTHONS.match(pythons) and ABIS.match(abis) and PLATFORMS.search(platforms)) or "musllinux" in platforms:
        return False
    minors = [int(minor) for minor in re.findall(r"cp3(\d+)", pythons)]
    return not minors or abis == "abi3" or any(low <= minor < end for minor in minors)


def pins(root: Path) -> dict[str, str]:
    """Name -> version of every pinned package, and of pip."""
    text = "\n".join((root / name).read_text(encoding="utf-8") for name in PINS if (root / name).exists())
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", f"{text}\n{PIP_PIN}", re.MULTILINE)
    return {normal(name): version for name, version in found}


class Unknown(Exception):
    """A file that the checkout has no checksum of; the message is a sentence."""


def locked(root: Path, files: list[tuple[str, str, str, str]]) -> list[str]:
    """Lines of a requirements file in which every package has one version and one checksum.

    Args:
        files: name, version, file name and the index's own SHA-256 of each wheel that pip would fetch.

    Raises:
        Unknown: a file has no checksum here. A build with a local part in its version (`+cpu`) comes from an index
            that the user named, and that index's checksum counts.
    """
    known, lines = read(root), []
    for name, version, filename, told in files:
        digest = known.get(filename) or (told if "+" in version else "")
        if not digest:
            raise Unknown(
                f"{filename} is not one of the files that the course was tested with ({FILE} has no checksum of it). "
                "Unset PIP_INDEX_URL and PIP_EXTRA_INDEX_URL, update the course with `git pull`, and run this again."
            )
        lines.append(f"{name}=={version} --hash=sha256:{digest}")
    return lines


class Links(HTMLParser):
    """The addresses on an index's page."""

    def __init__(self):
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for key, value in attrs if tag == "a" and key == "href" and value]


def parse(page: str, address: str) -> dict[str, str]:
    """File name -> SHA-256 from an index's page, JSON or HTML, for the files that it gives one for."""
    if page.startswith("{"):
        return {f["filename"]: f["hashes"]["sha256"] for f in json.loads(page)["files"] if "sha256" in f["hashes"]}
    links = Links()
    links.feed(page)
    found = {}
    for link in links.addresses:
        parts = urlsplit(urljoin(address, link))
        name = unquote(parts.path.rsplit("/", 1)[-1])
        if parts.fragment.startswith("sha256="):
            found[name] = parts.fragment.removeprefix("sha256=")
    return found


def fetch(index: str, name: str) -> dict[str, str] | None:
    """What one index has of a package; None if it cannot be reached."""
    address = f"{index.rstrip('/')}/{name}/"
    target = address + "index.html" if address.startswith("file:") else address
    try:
        request = urllib.request.Request(target, headers={"Accept": ACCEPT, "User-Agent": "flipbook"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return parse(answer.read().decode(), address)
    except urllib.error.HTTPError as error:
        return {} if error.code in (403, 404) else None
    except (OSError, ValueError):
        return {} if address.startswith("file:") else None


def indexes() -> list[str]:
    """The addresses of the indexes that pip is set to, and of PyTorch's own for the processor's builds."""
    from pip._internal.models.index import PyPI

    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    settings = {key: value.strip("'").replace("\\n", " ").split() for key, value in SETTING.findall(listed)}
    return [*settings.get("index-url", [PyPI.simple_url]), *settings.get("extra-index-url", []), CPU_BUILDS]


def collect(root: Path, low: int, end: int) -> tuple[dict[str, str], list[str]]:
    """Every wheel's checksum, and the names of what some index could not tell."""
    addresses, wanted, found, silent = indexes(), pins(root), {}, []

    def ask(name: str) -> list[dict[str, str] | None]:
        return [fetch(index, name) for index in addresses if index != CPU_BUILDS or name == "torch"]

    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(wanted, pool.map(ask, wanted), strict=True))
    for name, pages in answers.items():
        silent += [name] if None in pages else []
        for page in reversed(pages):  # where two have the same file, the first index counts
            found |= page or {}
    kept = {file: digest for file, digest in read(root).items() if package(file)[0] in silent}
    every = {**kept, **found}
    fitting = {f: d for f, d in every.items() if is_for_us(f, low, end) and wanted.get(package(f)[0]) == package(f)[1]}
    return fitting, silent


def main() -> int:
    """Write the file anew; say what could not be asked and what has no wheel."""
    from common.course.base import paths
    from common.course.setup import doctor

    root = paths.root()
    low, end = doctor.supported_python()
    found, silent = collect(root, low[1], end[1])
    lines = [f"{digest}  {name}\n" for name, digest in sorted(found.items(), key=lambda item: item[0].lower())]
    (root / FILE).write_text(HEAD + "".join(lines), encoding="utf-8")
    covered = {package(name)[0] for name in found}
    print(f"{len(lines)} wheels of {len(covered)} packages in {FILE}.")
    for name in silent:
        print(f"{name}: an index could not be reached; the lines that it had are kept.")
    absent = sorted(set(pins(root)) - covered)
    if absent:
        print(f"No wheel was found for: {', '.join(absent)}.")
    return 1 if absent else 0


if __name__ == "__main__":
    sys.exit(main())
