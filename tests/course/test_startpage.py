"""The start page says what is true now: where the learner is, what comes next, what exists and what is planned."""

import itertools
import json
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

from common.course.base import paths
from common.course.base.results import Result
from common.course.commands.workspace import progress as progress_command
from common.course.learner import progress, workspace
from common.course.source import syllabus
from common.course.startpage import overview, view
from common.play.playable import GAMES

SYLLABUS = """
[00_nothing]
title = "Nothing yet"
[00_nothing.concepts]
"00.c1" = { title = "A <b>bold</b> idea", planned = true }
[00_nothing.labs]
[01_tiny]
title = "Tiny & small"
[01_tiny.concepts]
[01_tiny.labs]
"01.p1" = { title = "Numbers", stars = 2, stem = "01_numbers" }
"01.p2" = { title = "Words <i>", stars = 5, stem = "02_words", planned = true }
"""


@pytest.fixture
def course(mini_course):
    (mini_course.root / "phases" / "01_tiny").mkdir(parents=True)
    (mini_course.root / "phases" / "syllabus.toml").write_text(SYLLABUS)
    notebook = mini_course.lab.notebook("labs")
    text = notebook.read_text()
    for name, points in {"double": 3, "quadruple": 3, "greeting": 1}.items():
        noted = f'"flipbook": {{"check": "{name}"}}'
        assert noted in text
        text = text.replace(noted, f'{noted}, "nbgrader": {{"points": {points}}}')
    notebook.write_text(text)
    return mini_course


def check(course, **statuses):
    """Record a check in which each exercise had the status given."""
    for name, status in statuses.items():
        progress.record(course.lab, [Result("t", "t", name, points=2, status=status)])


class Page(HTMLParser):
    """What a reader meets: links, checkboxes, text."""

    def __init__(self, html):
        super().__init__()
        self.links, self.boxes, self.text, self.open_phases, self.pages = [], {}, "", [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a" and "data-open" in attributes:
            self.links.append((attributes["data-open"], attributes["href"]))
        elif tag == "a":
            self.pages.append(attributes["href"])
        if "data-tick" in attributes:
            self.boxes[attributes["data-tick"]] = ("checked" in attributes, "disabled" in attributes)
        if tag == "details" and "open" in attributes:
            self.open_phases.append(attributes["id"])

    def handle_data(self, data):
        self.text += data


def page():
    return Page(view.html("/base/"))


def test_next_is_the_first_open_exercise_and_moves_on_with_every_pass(course):
    names = []
    for name in course.answers:
        coming = overview.look().next
        names.append((coming.number, coming.exercise))
        check(course, **{name: "pass"})
    assert names == [(1, "double"), (2, "quadruple"), (3, "greeting")]
    assert overview.look().next is None


def test_an_exercise_that_broke_again_comes_next_again(course):
    check(course, double="pass", quadruple="pass", greeting="fail")
    check(course, double="error")
    coming = overview.look().next
    assert (coming.exercise, coming.reason) == ("double", "does not pass yet")


def test_points_are_those_of_the_release_even_before_any_check(course):
    [lab] = overview.look().built
    assert (lab.points, lab.earned) == (7, 0)
    check(course, double="pass", greeting="fail")
    [lab] = overview.look().built
    assert (lab.points, lab.earned, lab.passed, lab.done) == (7, 3, 1, False)


def test_half_of_an_exercises_points_are_half(course):
    results = [Result("a", "a", "quadruple", points=1, status="pass"), Result("b", "b", "quadruple", points=1)]
    progress.record(course.lab, results)
    [lab] = overview.look().built
    assert lab.earned == 1.5


def test_every_link_leads_to_a_file_of_the_course(course):
    (course.root / "phases" / "01_tiny" / "README.md").write_text("# Tiny")
    (course.root / "phases" / "GLOSSARY.md").write_text("# Words")
    workspace.start(course.lab)
    links = page().links
    assert {target for target, _ in links} == {
        "work/01_tiny/01_numbers.ipynb",
        "phases/01_tiny/README.md",
        "phases/GLOSSARY.md",
    }
    for target, address in links:
        assert address == f"/base/lab/tree/{target}"
        assert (course.root / target).exists()


def test_the_worlds_are_served_by_the_same_server(course):
    assert page().pages == [f"/base/flipbook/play/?world={name}" for name in GAMES]


def test_titles_are_text_and_never_markup(course):
    found = page()
    assert "Words <i>" in found.text
    assert "Tiny & small" in found.text


def test_phases_with_something_to_do_are_open_and_planned_labs_have_no_link(course):
    found = page()
    assert found.open_phases == ["fb-phase-1"]
    assert not [target for target, _ in found.links if "02_words" in target]
    assert "planned" in found.text


def test_the_page_changes_with_a_check_and_with_nothing_else(course):
    before = view.html()
    assert view.html() == before
    check(course, double="pass")
    assert view.html() != before


def test_ticks_by_hand_stay_and_come_off(course):
    view.tick("sora-report", True)
    assert page().boxes["sora-report"] == (True, False)
    view.tick("sora-report", False)
    assert page().boxes["sora-report"] == (False, False)
    with pytest.raises(paths.CourseError, match="no item 'nonsense'"):
        view.tick("nonsense", True)


def test_an_item_ticks_itself_when_all_its_labs_are_done(course, monkeypatch):
    entry = {"id": "both", "text": "Both", "labs": ["01.1", "01.2"]}
    monkeypatch.setattr(view, "_facts", lambda: {"checklist": [entry, {**entry, "id": "one", "labs": ["01.1"]}]})
    check(course, double="pass", quadruple="pass", greeting="pass")
    ticked = {item.id: item.by_labs for item in view.checklist(overview.look())}
    assert ticked == {"both": False, "one": True}


def test_a_course_without_labs_still_has_a_page(course):
    course.lab.notebook("labs").unlink()
    found = page()
    assert "No lab is built yet" in found.text


def test_the_timeline_adds_up():
    stages = view.timeline()
    assert view.total_weeks(stages) == (17, 24)
    assert view.months(stages) == (4.0, 5.5)
    spans = list(view.spans(stages))
    for (_, start, width), (_, following, _) in itertools.pairwise(spans):
        assert start + width == pytest.approx(following)
    assert sum(width for *_, width in spans) == pytest.approx(100)


def test_checklist_and_timeline_name_labs_and_phases_of_the_real_syllabus(monkeypatch):
    monkeypatch.delenv("FLIPBOOK_ROOT", raising=False)
    phases = syllabus.read()
    known = {lab.id for phase in phases for lab in phase.labs}
    items = view.checklist(overview.look())
    assert len(items) == 12
    assert {lab for item in items for lab in item.labs} <= known
    assert [stage.phase for stage in view.timeline()] == [phase.number for phase in phases]


def test_progress_as_json_and_as_text_tell_the_same(course):
    check(course, double="pass", quadruple="fail")
    data = json.loads(CliRunner().invoke(progress_command, ["--json"]).output)
    assert data["totals"] == {
        "labs": 2, "built": 1, "done": 0, "exercises": 3, "passed": 1, "points": 7, "earned": 3,
    }  # fmt: skip
    assert [e["status"] for e in data["phases"][1]["labs"][0]["exercises"]] == ["pass", "fail", "todo"]
    assert data["next"]["exercise"] == "quadruple"
    text = CliRunner().invoke(progress_command, []).output
    assert re.search(r"01\.1 .* 1/3  3/7 points  Numbers", text)
    assert "Next: lab 01.1, exercise 2, quadruple" in text


def test_drawing_again_is_quick_enough_to_be_asked_every_few_seconds(course):
    view.html()
    started = time.perf_counter()
    for _ in range(10):
        view.html()
    assert (time.perf_counter() - started) / 10 < 0.05


def test_what_is_there_is_open_and_what_is_not_is_called_planned():
    """phases with something to read or to do are open; checklist items say when their lab is still to come"""
    page, course = view.html(), overview.look()
    for number in (5, 6, 9):
        section = page.split(f'id="fb-phase-{number}"')[1].split("</summary>")[0]
        has_planned = any(not lab.built for lab in course.labs if lab.id.startswith(f"{number:02}."))
        assert section.startswith(" open") and ("planned" in section) == has_planned
    built = {lab.id for lab in course.built}
    items = view.checklist(course)
    assert {item.id for item in items if item.planned} == {i.id for i in items if not built.issuperset(i.labs)}
    assert page.count(", planned</small>") == sum(item.planned for item in items) > 0


def test_a_look_at_an_untouched_lab_does_not_move_what_comes_next(monkeypatch):
    labs = [lab for lab in overview.look().labs if lab.built]
    todo = [replace(e, status="todo") for e in labs[0].exercises]
    first = replace(labs[0], exercises=(replace(todo[0], status="fail"), *todo[1:]), checked="2026-01-01T00:00:00")
    looked_at = replace(
        labs[1], exercises=tuple(replace(e, status="todo") for e in labs[1].exercises), checked="2026-02-01T00:00:00"
    )
    assert overview._what_next([first, looked_at]).lab == first.id
    untouched = replace(labs[0], exercises=tuple(todo), checked="")
    assert overview._what_next([untouched, looked_at]).lab == untouched.id
