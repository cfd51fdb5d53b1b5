"""A lab opens on a hosted notebook service with nothing installed, wherever the project has a public address."""

import os
import tomllib

import pytest

from common.course.base import paths
from common.course.building import build, hosted
from tests.course.buildable_course import make_course_without_kernel

ADDRESS = "https://github.com/someone/flipbook"
LAB = "labs/01_tiny/02_numbers.ipynb"


@pytest.fixture
def course(tmp_path, monkeypatch):
    return make_course_without_kernel(tmp_path, monkeypatch)


def give_address(course, address):
    (course.root / "pyproject.toml").write_text(f'[project]\nname = "x"\n[project.urls]\nRepository = "{address}"\n')


@pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}/", f"{ADDRESS}.git"])
def test_a_lab_links_to_itself_on_the_service(course, address):
    give_address(course, address)
    build.build(course.target)
    cells = build._read(course.lab.notebook("labs"))["cells"]
    assert cells[0]["source"].splitlines()[:3] == [
        "# A tiny lab",
        "",
        f"[▶ Open this lab in Colab]({hosted.link(LAB)})",
    ]
    assert hosted.link(LAB) == f"https://colab.research.google.com/github/someone/flipbook/blob/main/{LAB}"
    assert cells[2]["source"] == hosted.bootstrap(ADDRESS) and "demo" in cells[2]["metadata"]["tags"]


@pytest.mark.parametrize("address", ["", "https://example.org/someone/flipbook", "https://github.com/someone"])
def test_without_a_public_address_there_is_no_link_and_no_cell(course, address):
    give_address(course, address)
    assert hosted.badge(LAB) == ""
    assert [cell["id"] for cell in course.target.draft.cells][:2] != ["about-bootstrap", "bootstrap"]
    assert "bootstrap" not in [cell["id"] for cell in course.target.draft.cells]


def test_the_front_page_has_the_link_if_and_only_if_there_is_an_address():
    page = (paths.root() / "README.md").read_text(encoding="utf-8")
    address = tomllib.loads((paths.root() / "pyproject.toml").read_text())["project"].get("urls", {}).get(hosted.ENTRY)
    wanted = hosted.badge("labs/01_tensors/02_frame_extractor.ipynb", "Open lab 01.2 in Colab")
    assert bool(address) == bool(wanted)
    assert wanted in page and (bool(wanted) or hosted.SERVICE not in page)


def test_where_the_course_is_installed_the_cell_does_nothing(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLIPBOOK_ROOT", raising=False)
    exec(hosted.bootstrap("https://nowhere.invalid/course"), {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["nothing", "half", "whole"])
def test_a_cell_that_was_interrupted_goes_on(there, monkeypatch, tmp_path):
    """Half a clone is fetched again; a whole one that was not installed yet is installed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    commands = []
    monkeypatch.setattr("subprocess.run", lambda words, check: commands.append((words, os.path.exists(hosted.FOLDER))))
    if there != "nothing":
        (tmp_path / hosted.FOLDER / ".git").mkdir(parents=True)
    if there == "whole":
        (tmp_path / hosted.FOLDER / "pyproject.toml").write_text("")
    exec(hosted.bootstrap(ADDRESS), {})
    fetched = [(words[1], exists) for words, exists in commands[:-1]]
    assert fetched == ([] if there == "whole" else [("clone", False)])
    assert commands[-1][0][1:4] == ["-m", "pip", "install"]
