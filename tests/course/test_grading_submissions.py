"""What grading finds and reads in a class's folder, and the reports that it writes."""

import csv
import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from common.course.base.paths import Lab
from common.course.base.results import Result
from common.course.grading import reports, stage, submissions
from common.course.grading.batch import Row
from common.course.grading.submissions import Submission

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnknownMarkWarning")


# --- finding and reading submissions


def notebook(*cells, **metadata) -> str:
    made = [{"cell_type": "code", "metadata": {}, "source": source, "outputs": []} for source in cells]
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def klass(mini_course, tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    mini_course.write(folder / "alice" / "01_numbers.ipynb")
    return folder


def found(folder, **options) -> dict:
    return {s.student: s for s in submissions.find(folder, **options)}


def test_every_way_to_arrange_a_class(klass, mini_course):
    for path in (
        "bob.ipynb",
        "section 1/carol/01_tiny/01_numbers.ipynb",
        "dora_01_numbers.ipynb",
        "eve/.ipynb_checkpoints/x.ipynb",
    ):
        mini_course.write(klass / path)
    got = found(klass)
    assert list(got) == ["alice", "bob", "dora", "section 1/carol", "eve"]
    assert got["eve"].problem == "this folder holds no notebook"
    assert all(s.lab == mini_course.lab for s in got.values() if s.gradable)


NOT_GRADABLE = {
    "empty": (b"", "empty"),
    "broken": (b'{"cells": [', "JSON"),
    "binary": (b"\x89PNG\xff\xfe", "JSON"),
    "list": (b"[]", "no list of cells"),
    "null": (b'{"cells": null}', "no list of cells"),
    "deep": (b"[" * 100_000, "JSON"),
    "stranger": (notebook("def other(): pass").encode(), "--lab"),
}


def test_what_is_no_notebook_is_a_row_with_a_reason(klass):
    for name, (data, _) in NOT_GRADABLE.items():
        (klass / f"{name}.ipynb").write_bytes(data)
    with (klass / "huge.ipynb").open("wb") as file:
        file.truncate(submissions.MAX_SIZE + 1)
    os.mkfifo(klass / "pipe.ipynb")
    got = found(klass)
    for name, (_, words) in NOT_GRADABLE.items():
        assert words in got[name].problem
    assert "too large" in got["huge"].problem and "ordinary" in got["pipe"].problem
    assert got["alice"].gradable


def test_links_are_never_followed(klass, tmp_path):
    outside = tmp_path / "private"
    outside.mkdir()
    (outside / "secret.ipynb").write_text(notebook("SECRET = 1"))
    (klass / "linked.ipynb").symlink_to(outside / "secret.ipynb")
    (klass / "linked_folder").symlink_to(outside)
    got = found(klass)
    for name in ("linked", "linked_folder"):
        assert "not followed" in got[name].problem and not got[name].cells


def test_cells_of_any_shape_are_read_or_left_out(klass):
    cells = [7, None, {"cell_type": "code"}, {"cell_type": "code", "source": 5, "metadata": [], "tags": 3}]
    cells += [{"cell_type": "code", "source": ["a = 1\n", 2], "metadata": {"tags": "x", "flipbook": []}}]
    (klass / "odd_01_numbers.ipynb").write_text(json.dumps({"cells": cells, "metadata": []}))
    assert [cell["source"] for cell in found(klass)["odd"].cells] == ["", "", "a = 1\n2"]


@pytest.mark.parametrize(
    "name", ["-rf", "a b'c\"d", "<script>", "=cmd()", "naïve", "..hidden", "x" * 200, "new\nline", "\u202egnp"]
)
def test_any_file_name_gives_a_row_and_a_safe_folder(klass, mini_course, name):
    mini_course.write(klass / f"{name}.ipynb")
    rows = [Row(s) for s in submissions.find(klass)]
    assert len(rows) == 2
    for folder in reports.folder_names(rows):
        assert re.fullmatch(r"[\w@,()+-][\w@,()+. -]*/01\.1", folder) and len(folder) < 100
    assert all(s.student.isprintable() for s in (row.submission for row in rows))


def test_a_second_notebook_of_one_student_is_graded_and_told_apart(klass, mini_course):
    mini_course.write(klass / "alice.ipynb")
    got = found(klass)
    assert set(got) == {"alice", "alice (2)"}
    assert "second notebook" in got["alice (2)"].notes[0]


def test_folders_that_differ_in_case_stay_apart():
    rows = [Row(Submission(name, Path("x"), Lab("01_tiny", "01_numbers"))) for name in ("Ann", "ann", "ann?", "ann!")]
    folders = reports.folder_names(rows)
    assert len({folder.casefold() for folder in folders}) == 4


def test_a_lab_is_known_by_metadata_then_name_then_functions(klass, mini_course):
    other = Lab("01_tiny", "02_other")
    by_name, by_content = Path("02_other.ipynb"), Path("homework.ipynb")
    labs = [mini_course.lab, other]
    cells = [{"source": "def double(x): pass", "exercise": "", "tags": [], "is_check": False}]
    other.source.write_text("# %%\n")
    other.tests.write_text("")
    assert submissions.identify(by_name, {"metadata": {"flipbook": {"lab": "01.1"}}}, cells, labs) == mini_course.lab
    assert submissions.identify(by_name, {}, cells, labs) == other
    assert submissions.identify(by_content, {}, cells, labs) == mini_course.lab
    assert submissions.identify(by_content, {}, [], labs) is None


def test_what_a_cell_means_comes_from_the_course_and_not_from_the_student():
    liar = {"source": "x = 1", "tags": ["exercise"], "exercise": "double", "is_check": False}
    stranger = {**liar, "exercise": "common.course.plugin:_judge"}
    exercise = stage.lab_source.Exercise("double", "common.video.sampling:even_indices")
    sent = json.loads(submissions.sanitized(Submission("s", Path("x"), cells=[liar, stranger]), [exercise]))
    meant = [cell["metadata"]["flipbook"] for cell in sent["cells"]]
    assert meant == [{"exercise": "double", "from": "common.video.sampling:even_indices", "blank": []}, {}]


# --- reports

NASTY = "</pre><script>alert(1)</script> & \"quoted\" 'x' \x00\x0b\ufffe ]]> {{ 7*7 }}"


@pytest.fixture
def book():
    lab = Lab("01_tensors", "02_frame_extractor")
    results = [
        Result("test_a", "a <b>holds</b>", "part", 2.0, status="pass"),
        Result("test_b", NASTY, "other<i>", 1.5, hint=NASTY, status="fail", message=NASTY),
    ]
    rows = [
        Row(Submission('=HYPERLINK("x")', Path("=1+1.ipynb"), lab), results, ["@note", NASTY], 1.0),
        Row(Submission("<img src=x onerror=alert(1)>", Path("b"), lab, problem="not a <notebook>"), [], [], 0.0),
    ]
    return reports.Book(rows, "bubblewrap", True, 2)


def test_no_report_lets_a_student_write_markup_or_formulas(book, tmp_path):
    reports.write(book, tmp_path, as_json=True)
    table = list(csv.reader((tmp_path / "grades.csv").open(encoding="utf-8-sig")))
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in table for cell in row)
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suites[0].find("testcase/failure").get("message").startswith("</pre><script>")
    pages = list(tmp_path.rglob("feedback.html"))
    assert len(pages) == 2
    for page in pages:
        text = page.read_text()
        assert "default-src 'none'" in text
        assert not re.search(r"<(script|img|b>holds|i>|notebook)", text)
    assert any("{{ 7*7 }}" in page.read_text() for page in pages)  # shown as written, computed by nobody


def test_points_are_partial_and_agree_everywhere(book, tmp_path):
    reports.write(book, tmp_path, as_json=True)
    first = next(csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8-sig")))
    assert (first["points"], first["max"], first["01.2 part"]) == ("2", "3.5", "2")
    data = json.loads((tmp_path / "grades.json").read_text())["submissions"][0]
    scope = json.loads((tmp_path / data["feedback"] / "results.json").read_text())
    assert data["points"] == scope["score"] == sum(test["score"] for test in scope["tests"]) == 2.0
    assert sum(test["max_score"] for test in scope["tests"]) == data["max"] == 3.5
    assert {test["output_format"] for test in scope["tests"]} == {"text"}


def test_an_earlier_grade_book_is_kept(book, tmp_path):
    reports.write(book, tmp_path, as_json=False)
    before = (tmp_path / "grades.csv").read_bytes()
    kept = reports.write(reports.Book(book.rows[:1], "bubblewrap", False, 2), tmp_path, as_json=False)
    assert (kept / "grades.csv").read_bytes() == before and (kept / "feedback").is_dir()
    assert str(kept) in reports.where(book, tmp_path, kept)


def test_grading_without_a_sandbox_is_said_in_every_report(book, tmp_path):
    reports.write(reports.Book(book.rows, "none", True, 2), tmp_path, as_json=True)
    for page in [*tmp_path.rglob("feedback.html"), *tmp_path.rglob("feedback.txt")]:
        assert "WITHOUT a sandbox" in page.read_text()
    assert all(json.loads(p.read_text())["extra_data"]["unsafe"] for p in tmp_path.rglob("results.json"))
    assert {row["sandbox"] for row in csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8-sig"))} == {"none"}
    assert json.loads((tmp_path / "grades.json").read_text())["unsafe"] is True
