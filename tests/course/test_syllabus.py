"""The syllabus names everything the guide asks for, and what it says is built stands where it says."""

import json
import re

import pytest

from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.source import lab_source, syllabus

# phase folder -> (number of concepts, stars of its labs in order)
GUIDE = {
    "00_prerequisites": (10, []),
    "01_tensors": (9, [2, 2, 2, 2, 2]),
    "02_early_models": (6, [3, 2, 4, 3]),
    "03_image_to_video": (7, [2, 3, 5, 4, 5]),
    "04_inflated_unet": (9, [5, 4, 3, 4, 4]),
    "05_video_vae": (7, [2, 5, 4, 5, 4]),
    "06_dit_flow_matching": (8, [5, 4, 5, 5, 5]),
    "07_control": (10, [4, 4, 4, 4, 5, 4]),
    "08_long_form": (9, [4, 4, 5, 5, 5]),
    "09_world_models": (6, [5, 5, 5, 5, 4]),
    "10_scale_and_eval": (9, [3, 4, 3, 5, 4, 3]),
}
PHASES = syllabus.read()
CONCEPTS = [concept for phase in PHASES for concept in phase.concepts]
LABS = [entry for phase in PHASES for entry in phase.labs]


def test_every_id_of_the_guide_is_there_in_order():
    assert [phase.folder for phase in PHASES] == list(GUIDE)
    wanted = [(f"{f[:2]}.c{n}") for f, (count, _) in GUIDE.items() for n in range(1, count + 1)]
    assert [concept.id for concept in CONCEPTS] == wanted and len(wanted) == 90
    wanted = [(f"{f[:2]}.p{n}", star) for f, (_, stars) in GUIDE.items() for n, star in enumerate(stars, 1)]
    found = [(entry.syllabus_id, entry.stars) for entry in LABS]
    assert found == wanted and len(wanted) == 51, "ids and stars are the guide's; title, notebook and state are yours"


def test_a_lab_s_id_follows_from_its_place():
    """01.p2 is lab 01.2, whatever its file is called"""
    assert [entry.id for entry in LABS] == [entry.syllabus_id.replace("p", "") for entry in LABS]


def test_the_diagnostic_is_a_page_of_twelve_items_beside_the_labs():
    [page] = [phase.page for phase in PHASES if phase.page]
    assert page.id == "00.0" and page.lab not in [entry.lab for entry in LABS]
    assert lab_source.item_ids(page.lab) == [f"00.{n}" for n in range(1, 13)]


def test_every_stem_is_a_short_file_name():
    for entry in LABS:
        assert re.fullmatch(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*", entry.lab.stem), entry.lab.stem
        assert len(entry.lab.stem) <= 30, entry.lab.stem


@pytest.mark.parametrize("items", [CONCEPTS, LABS], ids=["concepts", "labs"])
def test_no_two_titles_are_the_same(items):
    titles = [item.title for item in items]
    assert [title for title in titles if titles.count(title) > 1] == []


def headings(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = [line.strip() for c in cells if c["cell_type"] == "markdown" for line in "".join(c["source"]).splitlines()]
    return [line.lstrip("#").strip() for line in lines if re.match(r"#+ ", line)]


@pytest.mark.parametrize("concept", [c for c in CONCEPTS if not c.planned], ids=lambda c: c.id)
def test_a_concept_that_is_built_has_its_heading(concept):
    assert concept.notebook.exists(), f"{concept.id} names {concept.notebook.name}, which does not exist"
    assert concept.heading in headings(concept.notebook)


@pytest.mark.parametrize("entry", [e for e in LABS if not e.planned], ids=lambda e: e.id)
def test_a_lab_that_is_built_has_all_its_files(entry):
    lab = entry.lab
    for path in (lab.source, lab.tests, lab.notebook("solutions"), lab.notebook("labs")):
        assert path.exists(), f"lab {entry.id} is not planned any more, and {path.name} is missing"


def test_nothing_is_built_that_the_syllabus_calls_planned():
    pages = [phase.page for phase in PHASES if phase.page]
    assert set(paths.all_labs()) == {entry.lab for entry in [*LABS, *pages] if not entry.planned}


@pytest.mark.parametrize(
    "text",
    ["[01_tensors", '[01_tensors]\ntitle = "x"', '[01_tensors]\nconcepts = {}\nlabs = {"01.p1" = {title = "x"}}'],
    ids=["no toml", "no concepts", "no stem"],
)
def test_a_broken_syllabus_is_an_error_that_names_the_file(tmp_path, monkeypatch, text):
    monkeypatch.setenv("FLIPBOOK_ROOT", str(tmp_path))
    (tmp_path / "tests" / "labs").mkdir(parents=True)
    with pytest.raises(CourseError, match=r"phases/syllabus\.toml is missing"):
        syllabus.read()
    (tmp_path / "phases").mkdir()
    (tmp_path / "phases" / "syllabus.toml").write_text(text)
    with pytest.raises(CourseError, match=r"phases/syllabus\.toml does not read"):
        syllabus.read()
