"""The diagnostic of phase 0: its items have ids of their own, and its map follows from the learner's record.

A few seconds, most of it importing torch for the one real check.
"""

import re

import pytest
from click.testing import CliRunner

from common.course import diagnostic
from common.course.base.paths import CourseError
from common.course.commands.check import check
from common.course.learner import progress
from common.course.source import lab_source, syllabus
from common.course.startpage import overview

ITEMS = [exercise.name for exercise in lab_source.exercises(lab_source.find_lab("00.0"))]


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A record of the learner's in a folder of its own; `record(diffuse="pass")` replaces what is in it."""
    monkeypatch.delenv("FLIPBOOK_STRICT", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(progress.paths, "state_dir", lambda: tmp_path)

    def keep(**exercises):
        def change(data):
            entries = {name: v if isinstance(v, dict) else {"status": v} for name, v in exercises.items()}
            data["labs"] = {"00.0": {"exercises": entries}}

        progress.update(change)
        return diagnostic.knowledge_map()

    return keep


def states(found):
    return {idea.id: idea.state for idea in found.ideas}


def test_the_map_knows_the_items_of_the_page_in_their_order_and_every_idea_of_the_phase():
    assert list(diagnostic._facts()["items"]) == ITEMS and len(ITEMS) == 12
    concepts = {concept.id for concept in syllabus.read()[0].concepts}
    found = diagnostic.knowledge_map({})
    assert {idea.id for idea in found.ideas} == concepts and len(found.ideas) == 10
    assert all(idea.items and idea.papers for idea in found.ideas)
    assert [item.exercise for item in found.ideas[0].items] == ["merge_skip"]
    assert found.ideas[0].items[0].id == "00.9"


def test_every_section_that_the_map_names_stands_in_the_tutorial():
    headings = {concept.id: concept.heading for concept in syllabus.read()[0].concepts}
    found = diagnostic.knowledge_map({})
    assert {idea.id: idea.heading for idea in found.ideas} == headings
    assert found.notebook == "tutorials/01_refresher.ipynb"


def test_before_anything_was_tried_the_map_says_so_and_marks_nothing(record):
    found = record()
    assert set(states(found).values()) == {diagnostic.OPEN}
    assert found.headline.startswith("Nothing was tried yet")
    assert diagnostic.REVISE not in repr(found) and "✘" not in found._repr_html_()


def test_one_failing_item_marks_every_idea_that_it_is_about_and_no_other(record):
    found = record(**{**dict.fromkeys(ITEMS, "pass"), "guide": "fail"})
    marked = {key for key, state in states(found).items() if state == diagnostic.REVISE}
    assert marked == {"00.c1", "00.c7"}
    assert set(states(found).values()) == {diagnostic.REVISE, diagnostic.SOLID}
    assert "8 of 10 ideas are solid" in found.headline and "Revise first: Diffusion on images" in found.headline


@pytest.mark.parametrize("status", ["fail", "error", "timeout", "blocked"])
def test_whatever_does_not_pass_is_to_be_revised(record, status):
    assert states(record(latent_ratio=status))["00.c3"] == diagnostic.REVISE


def test_an_answer_that_was_looked_up_is_not_solid(record):
    looked_up = {"status": "pass", "passed": "2026-01-01T00:00:00", "gave_up": "2026-01-01T00:00:00"}
    assert states(record(latent_ratio=looked_up))["00.c3"] == diagnostic.REVISE
    assert states(record(latent_ratio={**looked_up, "gave_up": ""}))["00.c3"] == diagnostic.SOLID


def test_an_idea_is_solid_only_when_all_its_items_were_tried(record):
    assert states(record(diffuse="pass", ddim_step="pass"))["00.c1"] == diagnostic.OPEN
    assert states(record(diffuse="pass", ddim_step="pass", guide="pass"))["00.c1"] == diagnostic.SOLID
    assert states(record(diffuse="pass", ddim_step="fail"))["00.c1"] == diagnostic.REVISE


def test_with_everything_solid_the_map_sends_on_to_the_first_lab(record):
    found = record(**dict.fromkeys(ITEMS, "pass"))
    assert found.headline == "10 of 10 ideas are solid. Go straight on to lab 01.1."


def test_what_to_revise_stands_before_what_was_not_tried_and_what_is_solid():
    page = diagnostic.knowledge_map(diagnostic.EXAMPLE)._repr_html_()
    places = [page.index(f"{diagnostic.MARKS[s]} {s}</b>") for s in (
        diagnostic.REVISE, diagnostic.OPEN, diagnostic.SOLID)]  # fmt: skip
    assert places == sorted(places)
    assert re.findall(r"https?://(?!arxiv\.org/abs/\d{4}\.\d{5}\")\S+", page) == []


def test_a_page_that_is_built_shows_nobodys_record(record, monkeypatch):
    record(diffuse="pass")
    monkeypatch.setenv("FLIPBOOK_STRICT", "1")
    assert set(states(diagnostic.knowledge_map()).values()) == {diagnostic.OPEN}


def test_an_item_s_id_names_the_page_and_the_exercise():
    page = lab_source.find_lab("00.0")
    assert [lab_source.find(f"00.{n}") for n in range(1, 13)] == [(page, name) for name in ITEMS]
    assert lab_source.find("0.7") == lab_source.find("00_7") == (page, "token_counts")
    assert lab_source.find("00.7", "guide") == (page, "guide")
    assert lab_source.find("00.0") == (page, None)
    assert lab_source.find("01.2") == (lab_source.find_lab("01.2"), None)
    with pytest.raises(CourseError, match=r"no lab '00\.13'"):
        lab_source.find("00.13")


def test_an_item_is_checked_alone_by_its_id():
    result = CliRunner().invoke(check, ["00.6", "--target", "solutions"])
    assert result.exit_code == 0, result.output
    assert "latent_ratio" in result.output and "all 1" not in result.output
    assert not [name for name in ITEMS if name != "latent_ratio" and re.search(rf"^{name} ", result.output, re.M)]


def test_the_diagnostic_never_stands_in_the_way():
    """it is on the start page, it counts as no lab, and what comes next is a lab of the course"""
    course = overview.look()
    assert course.phases[0].page.built and len(course.phases[0].page.exercises) == 12
    assert course.phases[0].page not in course.labs
    assert course.next is None or course.next.lab != "00.0"
